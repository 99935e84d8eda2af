"""`adapeff-sim sweep`: a grid of scenarios that share what is trained, and the map of who wins where."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapeff_sim.cli.options import (
    RESULTS,
    STORE,
    Data,
    Device,
    Executor,
    LearnFrom,
    PriceBook,
    Quiet,
    ScenarioFile,
    Seeds,
    Store,
    Strategies,
    Threads,
)
from adapeff_sim.errors import ScenarioError

if TYPE_CHECKING:
    from adapeff_sim.comparison.winners import Sweep
    from adapeff_sim.execution.machine import Machine
    from adapeff_sim.sweep import Planned, Variant

LISTED = 8  # folders


def sweep(
    scenario: ScenarioFile,
    vary: Annotated[
        list[str], typer.Option(metavar="KEY=A,B,C", help="A key and the values that it takes; repeatable.")
    ],
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be run and trained in all, and stop.")] = False,
    strategies: Strategies = None,
    seeds: Seeds = None,
    data: Data = None,
    prices: PriceBook = None,
    device: Device = "auto",
    threads: Threads = None,
    executor: Executor = "local",
    learn_from: LearnFrom = None,
    store: Store = STORE,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder; sweeps/NAME or sweeps/NAME-estimate.", rich_help_panel=RESULTS),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="A page.", rich_help_panel=RESULTS)] = None,
    json: Annotated[
        bool, typer.Option("--json", help="The map, or the plan, as JSON on stdout.", rich_help_panel=RESULTS)
    ] = False,
    quiet: Quiet = False,
) -> None:
    r"""Run a scenario over a grid of values, and show who wins where; every training is done once for all cells.

    Prices (compute.device_hour, prices, ...), traffic, p95, utilisation, placement and quality_floor train nothing:
    such cells are one run, priced again. updates_per_year, labelled, seeds and any key of the file by its path
    (timeline[2].labelled, training.every.epochs) make scenarios of their own. Stopped, the same command goes on.

    \b
    Examples:
      adapeff-sim sweep smoke --vary traffic=1,100 --vary prices=cloud_gpu,on_prem
      adapeff-sim sweep new_language --vary updates_per_year=1,2 --seeds 3
      adapeff-sim sweep my.yaml --vary labelled=50,150 --plan
      adapeff-sim sweep my.yaml --vary labelled=50,150 --executor estimate
    """
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.cli.run import executes, folder, listed, numbers, require_no_machine
    from adapeff_sim.cli.targets import require_targets
    from adapeff_sim.execution.machine import this_machine
    from adapeff_sim.execution.store import Store
    from adapeff_sim.scenario.load import load
    from adapeff_sim.scenario.variations import vary_of
    from adapeff_sim.sweep import planned, variants
    from adapeff_sim.sweep import sweep as swept

    begin(offline=False)
    require_targets({"--html": html}, {})
    kept, named = folder("--store", store) or Path(), folder("--out", out)
    varies = [vary_of(text) for text in vary]
    chosen = load(scenario, strategies=listed(strategies), seeds=numbers(seeds), data=data, prices=prices)
    is_estimate = executes(executor, learn_from) == "estimate"
    if is_estimate:
        require_no_machine({"--device": device, "--threads": threads})
    at = named or Path("sweeps") / (f"{chosen.name}-estimate" if is_estimate else chosen.name)
    machine = None if is_estimate else this_machine(device, "auto", threads)
    wanted = variants(chosen, varies, at)
    asked = planned(chosen, varies, wanted, Store(kept), machine)
    if plan and json:
        sys.stdout.write(asked.model_dump_json(indent=1) + "\n")
        return
    typer.echo(told(asked), err=not plan)
    if not plan:
        learnt = folder("--learn-from", learn_from)

        def live(variant: "Variant") -> None:
            typer.echo(f"Scenario {wanted.index(variant) + 1} of {len(wanted)}: {variant.path.name}", err=True)
            _live(variant, kept, machine, learnt, quiet)

        found = swept(chosen, varies, at, live, is_estimate=is_estimate)
        _tell(found, at, html, json)


def told(found: "Planned") -> str:
    """What is trained for the whole grid, each training once; how much of it lies in the store, or is finished."""
    from adapeff_sim.reports.wording import plural

    finished, others = sum(run.finished for run in found.runs), found.others
    if found.executor == "estimate":
        return (
            f"{plural(len(found.cells), 'cell')}, {plural(len(found.runs), 'scenario')} to estimate; nothing is trained"
        )
    more = f" and {len(others) - LISTED} more" if len(others) > LISTED else ""
    left = f"\nOf no cell here, and left as they are: {', '.join(others[:LISTED])}{more}" if others else ""
    return (
        f"{plural(len(found.cells), 'cell')}, {plural(len(found.runs), 'scenario')} to run ({finished} finished); "
        f"at most {plural(found.trainings, 'training')} in all, each once ({found.asked} if every scenario were "
        f"run by itself); {found.in_store} of them in the store{left}"
    )


def _live(variant: "Variant", store: Path, machine: "Machine | None", learn_from: Path | None, is_quiet: bool) -> None:
    """Run one scenario of the grid, or estimate it where there is no machine; progress goes to stderr."""
    from adapeff_sim.cli.run import shows
    from adapeff_sim.conduct import conduct, conduct_estimate

    told = shows(json=True, quiet=is_quiet, is_estimated=machine is None)
    if machine is None:
        conduct_estimate(variant.scenario, store, variant.path, learn_from, told)
    else:
        conduct(variant.scenario, machine, store, variant.path, told)


def _tell(found: "Sweep", at: Path, html: Path | None, as_json: bool) -> None:
    """Write the map's files, and show it."""
    from rich.console import Console

    from adapeff_sim.reports.compared_files import swept_page, swept_tables
    from adapeff_sim.reports.compared_screen import shown
    from adapeff_sim.reports.winners import sheets_of
    from adapeff_sim.reports.wording import plain
    from adapeff_sim.whole_files import not_written, write_whole

    try:
        write_whole(at / "sweep.json", found.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise ScenarioError(not_written(at, error)) from error
    files = [at / "sweep.json", *swept_tables(found, at)]
    files += [swept_page(found, html)] if html else []
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
        return
    console = Console(highlight=False)
    for sheet in sheets_of(found):
        for each in shown(sheet, console.width):
            console.print(each)
    console.print(plain(f"Files: {', '.join(map(str, files))}; a run of every scenario beside them"), markup=False)
