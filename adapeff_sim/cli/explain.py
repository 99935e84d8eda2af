"""`adapeff-sim explain`: one event, one artifact or one training of a finished run, in words and a tree."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

    from adapeff_sim.reports.told import Told


def explain(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a finished run, a file in it, or demo:NAME.")
    ],
    event: Annotated[
        int | None, typer.Option(metavar="N", help="An event by its number: what it changed, made stale, and cost.")
    ] = None,
    artifact: Annotated[
        str | None, typer.Option(metavar="SLOT", help="An artifact: every generation, from what, why, and what for.")
    ] = None,
    job: Annotated[
        str | None, typer.Option(metavar="NAME", help="A training: SLOT, SLOT@DAY, or its key in the store.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(metavar="LABEL", help="Of this strategy.")] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Under this seed; the first, for events and artifacts.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON, and nothing else.")] = False,
) -> None:
    r"""Say what happened at an event, what became of an artifact, or what a training took beside full fine-tuning.

    \b
    + created   ~ rebuilt, because of which inputs, by which way
    = kept      - retired

    \b
    Examples:
      adapeff-sim explain demo:new_language --event 3
      adapeff-sim explain demo:new_language --artifact fusion/intent
      adapeff-sim explain runs/smoke --job adapter/intent@40 --json
    """
    from rich.console import Console

    if (given := [name for name in (event, artifact, job) if name is not None]) and len(given) > 1:
        raise typer.BadParameter("give one of --event, --artifact and --job.")
    found, parts = _job(run, job, strategy, seed) if job is not None else _story(run, event, artifact, strategy, seed)
    if json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
        return
    console = Console(highlight=False)
    for part in parts:
        console.print(part)


def _job(run: Path, name: str, strategy: str | None, seed: int | None) -> "tuple[BaseModel, list[RenderableType]]":
    """One training, from the ledger alone."""
    from adapeff_sim import explanation
    from adapeff_sim.cli.explain_view import training
    from adapeff_sim.run_folder import RunFolder, folder_of

    ledger = RunFolder(folder_of(run)).read_ledger()
    found = explanation.explain(explanation.find(ledger, name, strategy, seed))
    return found, list(training(found))


def _story(
    run: Path, event: int | None, artifact: str | None, strategy: str | None, seed: int | None
) -> "tuple[BaseModel, list[RenderableType]]":
    """One event or one artifact, from the run's lives told again. Raises ExplanationError where they cannot be."""
    from adapeff_sim.artifact_explanation import explain_artifact
    from adapeff_sim.cli.explain_view import artifact_tree, event_tree
    from adapeff_sim.cli.finished import finished
    from adapeff_sim.event_explanation import explain_event
    from adapeff_sim.explanation import ExplanationError

    told = finished(run)
    if not told.steps:
        raise ExplanationError(f"{told.folder}: {told.no_steps}\n--job NAME explains its trainings all the same.")
    if artifact is not None:
        life = explain_artifact(told.results, told.ledger, told.steps, artifact, strategy, seed)
        return life, [*_said_first(told), *artifact_tree(life, told.results.prices)]
    if event is None:
        raise ExplanationError(f"give one of --event N, --artifact SLOT and --job NAME; {_known(told)}")
    found = explain_event(told.results, told.ledger, told.steps, event, strategy, seed)
    return found, [*_said_first(told), *event_tree(found, told.results.prices)]


def _said_first(told: "Told") -> "list[RenderableType]":
    """That nothing was trained, where that is so."""
    from adapeff_sim.reports.wording import line, nothing_trained

    words = nothing_trained(told.results.environment)
    return [line(words.partition(". ")[0] + ".", "yellow")] if words else []


def _known(told: "Told") -> str:
    """The events and artifacts that can be asked for."""
    from adapeff_sim.reports.work import moments

    slots = dict.fromkeys(c.artifact.slot for s in told.steps for c in s.plan.changes)
    events = (f"  --event {i}  day {day:g}: {said}" for i, (day, _, said) in enumerate(moments(told.results), 1))
    return "\n".join(["known are", *events, *(f"  --artifact {slot}" for slot in [*slots][:20])])
