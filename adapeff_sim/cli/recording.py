"""A playback as files for slides: one picture for each event (.svg), or all that the screen showed (.cast)."""

import io
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from adapeff_sim.cli.live import Screen
from adapeff_sim.cli.player import EVENT_SECONDS, Player
from adapeff_sim.errors import AdapeffError
from adapeff_sim.whole_files import write_whole

FRAMES_PER_SECOND = 4
LAST_SECONDS = 3.0  # for which the end stands
MOST_MINUTES = 20  # of a cast
FROM_ELSEWHERE = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)  # rules that would fetch a font over the network
KINDS = (".svg", ".cast")


class RecordingError(AdapeffError):
    """A recording that cannot be made or written."""


def check(file: Path) -> None:
    """Raises RecordingError for a file that is of neither kind."""
    if file.suffix not in KINDS:
        raise RecordingError(f"--record {file}: give a file that ends with .svg or .cast.")


def record(player: Player, file: Path) -> list[Path]:
    """Write the whole playback, without waiting for it: what was written.

    Raises RecordingError where the disk refuses.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".cast":
            _require_short(player, file)
            return [write_whole(file, "".join(line + "\n" for line in cast(player)))]
        pictures = list(svgs(player))
        named = [file.with_name(f"{file.stem}-{i + 1}.svg") for i in range(len(pictures))]
        return [write_whole(name, picture) for name, picture in zip(named, pictures, strict=True)]
    except OSError as error:
        raise RecordingError(f"--record {file}: {error.strerror or error}; choose another file.") from error


def _require_short(player: Player, file: Path) -> None:
    """Raises RecordingError for a cast that would take hours, with the speed at which it does not."""
    rests = player.playback.events * EVENT_SECONDS
    minutes = (player.playback.seconds / player.speed + rests) / 60
    if minutes > MOST_MINUTES:
        enough = math.ceil(player.playback.seconds / max(1.0, 60 * MOST_MINUTES - rests))
        raise RecordingError(
            f"--record {file}: at --speed {player.speed:g} it would take {minutes:,.0f} minutes, and at most "
            f"{MOST_MINUTES} are recorded; give --speed {enough} or more, or record pictures with a .svg."
        )


def svgs(player: Player) -> Iterator[str]:
    """The screen where all jobs of an event are done, event by event."""
    player.begin()
    for i in range(player.playback.events):
        if i:
            player.step()
        player.finish_event()
        console = _console(player.screen, record=True)
        console.print(player.screen)
        yield console.export_svg(
            title=player.screen.so_far.name,
            code_format=FROM_ELSEWHERE.sub("", CONSOLE_SVG_FORMAT),
            unique_id=f"event{i + 1}",
        )


def cast(player: Player) -> Iterator[str]:
    """The lines of an asciicast, version 2: a header, then what is written to the terminal at which second.

    Only rows that changed are written again, so that a long playback stays small.
    """
    size = player.screen.console.size
    header = {"version": 2, "width": size.width, "height": size.height, "title": player.screen.so_far.name}
    yield json.dumps(header, ensure_ascii=False)
    player.begin()
    shown, second = [""] * size.height, 0.0
    yield json.dumps([0.0, "o", "\x1b[?25l\x1b[2J"])
    while True:
        rows = _rows(player.screen, size.height)
        changed = [f"\x1b[{i + 1};1H{row}\x1b[K" for i, row in enumerate(rows) if row != shown[i]]
        if changed:
            yield json.dumps([round(second, 3), "o", "".join(changed)], ensure_ascii=False)
        if player.is_over:
            yield json.dumps([round(second + LAST_SECONDS, 3), "o", "\x1b[?25h"])
            return
        shown, second = rows, second + 1 / FRAMES_PER_SECOND
        player.pass_by(1 / FRAMES_PER_SECOND)


def _rows(screen: Screen, height: int) -> list[str]:
    """The screen row by row, with the signs that colour it."""
    console = _console(screen)
    with console.capture() as capture:
        console.print(screen)
    rows = capture.get().rstrip("\n").split("\n")[:height]
    return rows + [""] * (height - len(rows))


def _console(screen: Screen, record: bool = False) -> Console:
    """A terminal as large as the one there is, that nobody sees."""
    size = screen.console.size
    return Console(
        file=io.StringIO(),
        record=record,
        width=size.width,
        height=size.height,
        force_terminal=True,
        color_system="truecolor" if record else "standard",
        legacy_windows=False,
        highlight=False,
    )
