"""`adapeff-sim compare`: finished runs side by side: intervals, crossovers, break-even, what flips the verdict."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapeff_sim.errors import ScenarioError

if TYPE_CHECKING:
    from adapeff_sim.comparison.compared import Compared
    from adapeff_sim.comparison.side import Side
    from adapeff_sim.python_api import Run
    from adapeff_sim.scenario.schema import Scenario

ALL = "all"
FILES, TRAINING = "Files", "Training, where a scenario is given that has no finished run"


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN|SCENARIO...", help="Folders of finished runs; or scenarios, run if they were not."),
    ],
    component: Annotated[
        str, typer.Option(metavar="NAME", help="total, quality, compute, serving, any other, or all.")
    ] = "total",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A page with charts and all tables.", rich_help_panel=FILES)
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Every table, with bare numbers.", rich_help_panel=FILES)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON, and nothing else.")] = False,
    seeds: Annotated[
        str | None, typer.Option(metavar="N|13,14", help="So many seeds, or these.", rich_help_panel=TRAINING)
    ] = None,
    store: Annotated[
        str,
        typer.Option(envvar="ADAPEFF_STORE", metavar="DIR", help="Keeps what was trained.", rich_help_panel=TRAINING),
    ] = ".adapeff/store",
) -> None:
    r"""Show runs side by side: what differs and how sure that is, when curves cross, and what would flip the verdict.

    Strategies of one run are compared seed by seed; so are runs that share seeds. A scenario is run first, into
    runs/NAME, unless a finished run of it lies there already.

    \b
    Examples:
      adapeff-sim compare runs/smoke
      adapeff-sim compare runs/cheap runs/dear --component serving
      adapeff-sim compare runs/cheap runs/dear --html compared.html
      adapeff-sim compare new_language my.yaml --seeds 3
    """
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.cli.targets import require_targets
    from adapeff_sim.comparison.compared import compare_sides
    from adapeff_sim.python_api import Run, sides_of

    begin(offline=False)
    require_targets({"--html": html}, {"--csv": csv})
    asked = [_asked(each, seeds) for each in runs]  # all of them are looked at before the first is run
    done = [
        each if isinstance(each, Run) else Run.read(_finished(each, name, store))
        for name, each in zip(runs, asked, strict=True)
    ]
    found = compare_sides([_shown(side) for side in sides_of(done)])
    components = _components(found, component)
    if html is not None or csv is not None:
        _write(found, html, csv, is_alone=not json)
    if json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
    elif html is None and csv is None:
        _show(found, components)


def _shown(side: "Side") -> "Side":
    """The same run with names that can be shown anywhere."""
    from adapeff_sim.comparison.side import Side
    from adapeff_sim.reports.told import Told, tamed

    told = tamed(Told(side.results, side.ledger, side.name, {}))
    return Side(side.name, told.results, told.ledger)


def _show(found: "Compared", components: list[str]) -> None:
    from rich.console import Console

    from adapeff_sim.reports.compared_screen import screen

    console = Console(highlight=False)
    for part in screen(found, components, console.width):
        console.print(part, highlight=False)


def _components(found: "Compared", named: str) -> list[str]:
    """The components to tell. Raises ScenarioError for one that no run has."""
    from adapeff_sim.near_names import suggestion
    from adapeff_sim.reports.compared import components_of
    from adapeff_sim.scenario.words import shown

    known = list(dict.fromkeys(name for run in found.runs for name in components_of(run)))
    if named == ALL:
        return known
    if named not in known:
        raise ScenarioError(f"--component {shown(named)}: no such component; {suggestion(named, [*known, ALL])}")
    return [named]


def _write(found: "Compared", html: Path | None, csv: Path | None, is_alone: bool) -> None:
    """Write the files that are asked for, and say which; beside JSON nothing else is said."""
    from adapeff_sim.reports.compared_files import tables, written_page
    from adapeff_sim.reports.wording import plain, plural

    files = ([written_page(found, html)] if html else []) + (tables(found, csv) if csv else [])
    if is_alone:
        typer.echo(f"{plain(html or csv)}: {plural(len(files), 'file')}")


def _asked(named: str, seeds: str | None) -> "Run | Scenario":
    """The finished run, or the scenario, that is called so. Raises AdapeffError where neither is."""
    from adapeff_sim.cli.run import numbers
    from adapeff_sim.python_api import Run
    from adapeff_sim.run_folder import called, folder_of
    from adapeff_sim.scenario.load import load

    folder = folder_of(Path(named))
    is_run = any((folder / name).is_file() for name in ("results.json", "run.json", "ledger.jsonl"))
    if is_run and not named.endswith((".yaml", ".yml")):
        if seeds is not None:
            typer.echo(f"{named} is a finished run: --seeds does not change it", err=True)
        return Run.read(called(Path(named)))
    _require_scenario(named, folder)
    return load(named, seeds=numbers(seeds))


def _finished(scenario: "Scenario", named: str, store: str) -> Path:
    """The folder of a scenario's finished run; it is run if it must be."""
    from adapeff_sim.run_folder import RunFolder

    at = Path("runs") / scenario.name
    if RunFolder(at).holds_finished(scenario.as_yaml()):
        typer.echo(f"{named}: its finished run in {at} is used", err=True)
        return at
    typer.echo(f"{named}: no finished run of it in {at}; it is run first", err=True)
    _run(scenario, at, store)
    return at


def _require_scenario(named: str, folder: Path) -> None:
    """Raises AdapeffError where neither a finished run nor a scenario is called so."""
    from adapeff_sim.lost_run import lacks, near_run
    from adapeff_sim.results import ResultsError
    from adapeff_sim.scenario.load import find_scenario

    try:
        find_scenario(named)
    except ScenarioError as error:
        if folder.is_dir():
            raise ResultsError(lacks(folder, "results.json")) from None
        near = near_run(folder)
        raise ScenarioError(f"No finished run lies there. {error}{f' Or the run {near!r}?' if near else ''}") from None


def _run(scenario: "Scenario", at: Path, store: str) -> None:
    """Run a scenario into its folder; progress goes to stderr."""
    from adapeff_sim.cli.run import shows
    from adapeff_sim.conduct import conduct
    from adapeff_sim.execution.machine import this_machine

    conduct(scenario, this_machine(), Path(store), at, shows(json=True, quiet=False))
