"""`adapeff-sim lesson`: a question, a short run, and the answer with that run's numbers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapeff_sim.cli.options import STORE, Device, Store, Threads

if TYPE_CHECKING:
    from adapeff_sim.lessons.base import Evidence, Lesson

RUNNING = "Running"


def lesson(
    which: Annotated[
        str | None, typer.Argument(metavar="[LESSON]", help="Its number or name; without one, all are listed.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing and wait for no key.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Run it, though it has been run here.", rich_help_panel=RUNNING)
    ] = False,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Only show what was run here before.", rich_help_panel=RUNNING)
    ] = False,
    device: Device = "auto",
    threads: Threads = None,
    store: Store = STORE,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder; runs/NAME, if not said.", rich_help_panel=RUNNING)
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="The lesson and its answer as JSON; progress on stderr.")
    ] = False,
) -> None:
    r"""Learn one surprise at a time: a question, a run of a minute or two, the answer with its numbers.

    A lesson that has been run in its folder is shown from there, at once. Numbers that do not bear out the lesson's
    claim are shown as they are, and it is said that they do not.

    \b
    Examples:
      adapeff-sim lesson
      adapeff-sim lesson 2
      adapeff-sim lesson fusion_step --yes
      adapeff-sim lesson 2 --no-run --json
    """
    from rich.console import Console

    from adapeff_sim.cli.lesson_view import answered, as_json, asked, listed
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.cli.run import folder
    from adapeff_sim.lessons.base import LessonError, course, lesson_called
    from adapeff_sim.reports.wording import plain

    if which is None:
        listed(course(), json)
        return
    begin(offline=True)
    chosen, kept = lesson_called(which), folder("--store", store) or Path()
    at = folder("--out", out) or Path("runs") / chosen.name
    evidence = None if again else _recorded(chosen, at)
    if evidence is None and no_run:
        raise LessonError(f"{at}: no finished run of lesson {chosen.number} to show; without --no-run it is run.")
    is_asking = not yes and not json and sys.stdin.isatty() and sys.stdout.isatty()
    guess = None if json else asked(Console(highlight=False), chosen, is_asking)
    if evidence is not None and not json:
        typer.echo(plain(f"From the finished run in {at}; --again runs it once more."))
    finding = chosen.look(evidence or _run(chosen, at, kept, device, threads, json))
    if json:
        sys.stdout.write(as_json(chosen, finding, at))
        return
    answered(Console(highlight=False), chosen, finding, at, guess, is_asking)


def _recorded(chosen: "Lesson", at: Path) -> "Evidence | None":
    """The run of the lesson that lies in the folder, if a finished one does."""
    from adapeff_sim.lessons.base import Evidence
    from adapeff_sim.results import read
    from adapeff_sim.run_folder import RunFolder
    from adapeff_sim.scenario.load import load, teaching_scenario

    folder = RunFolder(at)
    if not folder.holds_finished(load(teaching_scenario(chosen.name)).as_yaml()):
        return None
    return Evidence(read(at), folder.read_ledger())


def _run(chosen: "Lesson", at: Path, store: Path, device: str, threads: int | None, json: bool) -> "Evidence":
    """Run the lesson's scenario, as ``run`` does."""
    from adapeff_sim.cli.run import shows
    from adapeff_sim.conduct import conduct
    from adapeff_sim.execution.machine import this_machine
    from adapeff_sim.lessons.base import Evidence
    from adapeff_sim.run_folder import RunFolder
    from adapeff_sim.scenario.load import load, teaching_scenario

    scenario, machine = load(teaching_scenario(chosen.name)), this_machine(device, "auto", threads)
    results = conduct(scenario, machine, store, at, shows(json, quiet=False))
    return Evidence(results, RunFolder(at).read_ledger())
