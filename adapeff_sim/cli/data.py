"""`adapeff-sim data`: what rows a data source has, before anything is built on them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapeff_sim.data.base import DataSource


def data(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="helpdesk, a folder, a ready-made mapping, hub:..., or a scenario."),
    ],
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only this task.")] = None,
    language: Annotated[str | None, typer.Option(metavar="LANGUAGE", help="Only this language.")] = None,
    examples: Annotated[int, typer.Option(min=0, max=100, metavar="N", help="So many rows of each task.")] = 3,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no hub; read what is in its caches.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON, and nothing else.")] = False,
) -> None:
    r"""Show what rows a data source has: tasks, languages, counts, labels, examples, and rows that stand there twice.

    A folder holds TASK/LANGUAGE/train.jsonl, validation and test; .csv, .tsv, .parquet and .conll do as well.
    A public set is fetched in all its languages, unless --language names one.

    \b
    Examples:
      adapeff-sim data helpdesk
      adapeff-sim data ./rows --task mood --examples 10
      adapeff-sim data xnli --language sw
      adapeff-sim data my_scenario.yaml
    """
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.data.survey import survey
    from adapeff_sim.execution.sources import short

    begin(offline)
    name = named(source)
    found = survey(opened(name), short(name), task, language, examples)
    if json:
        typer.echo(found.model_dump_json(indent=2))
        return
    from rich.console import Console

    from adapeff_sim.cli.data_view import views

    console = Console(highlight=False)
    for view in views(found):
        console.print(view)


def opened(name: str) -> "DataSource":
    """The source of that name. Raises DataError for an argument that it does not take."""
    from adapeff_sim.errors import DataError
    from adapeff_sim.execution.sources import Sources

    try:
        return Sources(name, Path()).source()
    except (TypeError, ValueError):  # an argument too many, too few, or of another shape
        kind, colon, _ = name.partition(":")
        needed = "files:FOLDER" if kind == "files" else f"{kind}:NAME"
        fix = "does not take such an argument" if colon else f"needs an argument; write {needed}"
        raise DataError(f"data source {kind} {fix}.") from None


def named(text: str) -> str:
    """The data source that is meant: one by its name, a folder, a ready-made mapping, or that of a scenario.

    Raises DataError for what is none of them.
    """
    from adapeff_sim.data.base import SOURCES
    from adapeff_sim.data.ready import ready_names
    from adapeff_sim.data.rows import clean
    from adapeff_sim.errors import DataError
    from adapeff_sim.near_names import choices, nearest
    from adapeff_sim.scenario.flags import data_named
    from adapeff_sim.scenario.load import shipped_scenarios, source_of

    name = data_named(text)
    if name.partition(":")[0] in SOURCES.names():
        return name
    if text in shipped_scenarios() or text.endswith((".yaml", ".yml")):
        return source_of(text)
    try:
        is_file = Path(text).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # no name that a file can have
        is_file = False
    if is_file:
        raise DataError(f"{clean(text)[:80]}: a file; give the folder that has <task>/<language>/ in it")
    sources, scenarios = {*SOURCES.names(), *ready_names()}, shipped_scenarios()
    is_scenario = nearest(text, scenarios) and not nearest(text, sources)
    known, what = (scenarios, "scenarios") if is_scenario else (sources, "data sources")
    told = choices(text, known, what, other="give a folder of rows")
    raise DataError(f"{clean(text)[:80]}: no data source of that name, and no folder here; {told}")
