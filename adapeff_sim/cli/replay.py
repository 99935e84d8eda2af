"""`adapeff-sim replay`: play a finished run on the live screen, from its files, without training."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from adapeff_sim.cli.player import Player
    from adapeff_sim.cli.so_far import SoFar
    from adapeff_sim.playback import Playback
    from adapeff_sim.results import Results

TICK = 0.1  # seconds from one drawing to the next
SLOWEST = 1e-3


def replay(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="The folder of a finished run, or demo:NAME, such as demo:new_language."),
    ],
    speed: Annotated[
        float, typer.Option(metavar="N", min=SLOWEST, max=1e6, help="So many times as fast as the run worked.")
    ] = 30.0,
    pause_at_events: Annotated[
        bool, typer.Option("--pause-at-events", help="Wait for a key wherever an event begins.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a .cast, or with .svg a picture for each event, instead of playing."),
    ] = None,
) -> None:
    r"""Play a finished run again as it went: events, jobs, what became stale and why, money and quality so far.

    Nothing is trained. Jobs take the seconds that were measured, one after the other, divided by --speed; every event
    rests for two seconds. Off a terminal all is told at once, in lines.

    \b
    Keys:
      space  pause, go on        n, right, enter  on to the next event
      q      quit                b, left          back to this event, or before

    \b
    Examples:
      adapeff-sim replay demo:new_language
      adapeff-sim replay runs/smoke --speed 100 --pause-at-events
      adapeff-sim replay runs/smoke --record smoke.svg    smoke-1.svg, ...
      adapeff-sim replay runs/smoke --record smoke.cast   for asciinema
    """
    from rich.console import Console

    from adapeff_sim.cli.recording import check
    from adapeff_sim.cli.recording import record as written
    from adapeff_sim.cli.run import can_redraw
    from adapeff_sim.reports.wording import plain

    if record is not None:
        check(record)
    found, console = Found.of(run), Console(highlight=False)
    if record is not None:
        for file in written(found.player(console, speed), record):
            console.print(plain(file), markup=False, soft_wrap=True)
        return
    if can_redraw(console):
        play(found.player(console, speed, pause_at_events))
    else:
        tell(found, console)
    _end(found.results, run, console)


@dataclass(frozen=True, slots=True)
class Found:
    """A finished run, and all that happened in it."""

    results: "Results"
    playback: "Playback"

    @classmethod
    def of(cls, run: Path) -> "Found":
        """What lies in a run's folder. Raises AdapeffError where it cannot be played."""
        from adapeff_sim.lost_run import again
        from adapeff_sim.playback import PlaybackError, playback
        from adapeff_sim.results import read
        from adapeff_sim.run_folder import RunFolder, folder_of
        from adapeff_sim.scenario.load import loads

        folder = RunFolder(folder_of(run))
        results, ledger = read(folder.path), folder.read_ledger()
        try:
            return cls(results, playback(loads(folder.read_scenario()), ledger))
        except PlaybackError as error:
            raise PlaybackError(f"{error} To have it all, {again(folder.path)}") from error

    def so_far(self, clock: Callable[[], float]) -> "SoFar":
        """What is known of the run before any news."""
        from adapeff_sim.cli.run import so_far

        return so_far(self.playback.archive.order_of, self.results.prices, self.results.facts, clock)

    def player(self, console: "Console", speed: float, pauses_at_events: bool = False) -> "Player":
        """A player on a console, at the beginning."""
        from adapeff_sim.cli.live import Screen
        from adapeff_sim.cli.player import Player

        hint = f"replay, {speed:g} times as fast as it worked"
        screen = Screen(console, self.so_far(time.monotonic), hint, refreshes_itself=False)
        return Player(self.playback, self.so_far, screen, speed, pauses_at_events)


def play(player: "Player") -> None:
    """Play on the terminal until the end, or until somebody quits; who can press keys ends it with one."""
    from adapeff_sim.cli.keys import pressed, wait_without_keys

    with pressed() as keys, player.screen:
        wait = keys or wait_without_keys
        player.pauses_at_events = player.pauses_at_events and keys is not None
        player.begin()
        before, goes_on = time.monotonic(), True
        while goes_on and (keys or not player.is_over):
            if keys:
                player.tell_keys()
            player.screen.refresh()
            said = wait(TICK)
            now = time.monotonic()
            player.pass_by(now - before)
            before = now
            goes_on = all(player.press(key) for key in said)


def tell(found: Found, console: "Console") -> None:
    """All of it in lines, without waiting."""
    from adapeff_sim.cli.lines import Lines
    from adapeff_sim.playback import Reached
    from adapeff_sim.reports.wording import nothing_trained

    second = 0.0
    is_estimated = bool(nothing_trained(found.results.environment))
    lines = Lines(console, found.so_far(lambda: second), is_estimated=is_estimated)
    for act in found.playback.acts:
        second = act.second
        if not isinstance(act.what, Reached):
            lines(act.what)


def _end(results: "Results", run: Path, console: "Console") -> None:
    """What the run came to, and where the rest of it is."""
    import shlex

    from adapeff_sim.reports.terminal import verdict
    from adapeff_sim.reports.wording import plain

    console.print(verdict(results))
    console.print(
        f"\nAll of it: adapeff-sim report {plain(shlex.quote(str(run)))}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
