"""A grid of scenarios that share everything that is trained, and who wins in each of its cells.

grid -> the scenarios that must be run, each once -> runs, in folders of their own -> every cell priced from its run
"""

import datetime
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue, ValidationError

from adapeff_sim.comparison.winners import Cell, Sweep, won
from adapeff_sim.conduct import in_store
from adapeff_sim.costs.base import Terms
from adapeff_sim.costs.prices import Prices
from adapeff_sim.errors import AdapeffError, ExecutionError, ScenarioError
from adapeff_sim.execution.machine import Machine
from adapeff_sim.execution.orders import Orders
from adapeff_sim.execution.sources import Sources
from adapeff_sim.execution.store import Store
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Row
from adapeff_sim.results import Facts, Results, read
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.scenario.price_changes import with_changes
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.sharing import Shared, shared_trainings
from adapeff_sim.scenario.variations import TERMS, At, Vary, grid, is_repriced, supposed, trained_part, varied

UNFIT = re.compile(r"[^A-Za-z0-9_.=,-]+")
LONGEST_NAME = 100  # characters of a folder
FORMAT: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Variant:
    """One scenario that must be run: which values it has, and the folder of its run."""

    at: dict[str, JsonValue]
    scenario: Scenario
    path: Path

    @property
    def is_finished(self) -> bool:
        """Whether it was trained there already."""
        folder = RunFolder(self.path)
        return folder.holds_finished(self.scenario.as_yaml()) and not folder.is_estimated


class PlannedRun(Row):
    """A scenario of the grid that must be run: its values, its folder, and whether its run lies there already."""

    at: dict[str, JsonValue]
    run: str
    finished: bool


class PlannedCell(Row):
    """A cell of the grid, and the folder of the run from which it is priced."""

    at: dict[str, JsonValue]
    run: str


class Planned(Row):
    """What a grid asks for, before anything is trained.

    ``trainings`` are those of all its runs, each once, at most (where checks decide); ``asked`` counts those of every
    run by itself, ``in_store`` those that are trained already; an estimate trains nothing. ``others`` are folders
    of runs that no cell asks for.
    """

    format: Literal[1] = FORMAT
    scenario: str
    keys: dict[str, tuple[JsonValue, ...]]
    cells: tuple[PlannedCell, ...]
    runs: tuple[PlannedRun, ...]
    trainings: int
    asked: int
    in_store: int
    executor: str = "local"
    others: tuple[str, ...] = ()


def variants(scenario: Scenario, varies: Sequence[Vary], out: Path) -> list[Variant]:
    """Every scenario that the grid asks for, each once; what differs in prices and terms alone is no other scenario.

    All cells are checked, so that nothing is trained for a grid of which some cell cannot be. Raises ScenarioError.
    """
    found: dict[str, Variant] = {}
    for cell in grid(varies):
        at = trained_part(cell)
        name = folder_name(at) or scenario.name
        if name not in found:
            found[name] = Variant(at, varied(scenario, at), out / name)
        _repriced(cell, load_prices(scenario.prices), Terms(horizon_days=1.0))
    return list(found.values())


def planned(
    scenario: Scenario, varies: Sequence[Vary], found: Sequence[Variant], store: Store, machine: Machine | None
) -> Planned:
    """What the runs of a grid train in all, each training once, and how much of it lies in a store for a machine.

    Without a machine the grid is estimated, and nothing is trained.
    """
    shared = shared_trainings([variant.scenario for variant in found] if machine else [])
    folders = {folder_name(variant.at): str(variant.path) for variant in found}
    return Planned(
        scenario=scenario.name,
        keys={vary.key: vary.values for vary in varies},
        cells=tuple(PlannedCell(at=cell, run=folders[folder_name(trained_part(cell))]) for cell in grid(varies)),
        runs=tuple(PlannedRun(at=v.at, run=str(v.path), finished=v.is_finished) for v in found),
        trainings=len(shared.distinct),
        asked=shared.asked,
        in_store=_stored(shared, store, machine) if machine else 0,
        executor="local" if machine else "estimate",
        others=tuple(_others(found)),
    )


def _stored(shared: Shared, store: Store, machine: Machine) -> int:
    """How many of the trainings lie in a store for a machine."""
    known, orders = 0, dict[int, Orders]()
    for one, label, seed, artifact in shared.distinct:
        if id(one) not in orders:
            orders[id(one)] = Orders(one.settings, Sources(one.data, Path()), machine)
        known += in_store(store, orders[id(one)])(label, seed, artifact)
    return known


def _others(found: Sequence[Variant]) -> Iterator[str]:
    """The folders of runs beside those of a grid, which earlier grids left there."""
    asked = {variant.path for variant in found}
    for file in sorted(found[0].path.parent.glob("*/run.json")):
        if file.parent not in asked:
            yield str(file.parent)


def folder_name(at: At) -> str:
    """A name for the values of a cell that a folder can have; values that look the same stay apart."""
    said = ",".join(f"{key}={value}" for key, value in at.items())
    name = UNFIT.sub("_", said)
    if name == said and len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def sweep(
    scenario: Scenario,
    varies: Sequence[Vary],
    out: Path,
    live: Callable[[Variant], object],
    is_estimate: bool = False,
) -> Sweep:
    """Run what is not finished yet with ``live``, and judge every cell; what was done stays. Raises AdapeffError.

    Estimates are made anew: they take no time, and what they learn from may be another.
    """
    found = {folder_name(v.at): v for v in variants(scenario, varies, out)}
    runs: dict[str, tuple[Results, Ledger]] = {}
    for name, variant in found.items():
        if is_estimate or not variant.is_finished:
            live(variant)
        runs[name] = _read(variant.path)
    cells: list[Cell] = []
    for at in grid(varies):
        name = folder_name(trained_part(at))
        results, ledger = runs[name]
        book, facts = priced_as(results, at, load_prices(scenario.prices))  # what it was run at may be outdated
        cells.append(won(at, str(found[name].path), facts, ledger, book))
    executor = "estimate" if is_estimate else "local"
    keys = {v.key: v.values for v in varies}
    return Sweep(scenario=scenario.name, executor=executor, keys=keys, cells=tuple(cells))


def _read(path: Path) -> tuple[Results, Ledger]:
    """A run of the grid. Raises AdapeffError where its files were lost or damaged meanwhile."""
    try:
        return read(path), RunFolder(path).read_ledger()
    except AdapeffError as error:
        raise ExecutionError(f"{error}\nOr remove {path}, and give the sweep's command again.") from error


def priced_as(results: Results, at: At, book: Prices) -> tuple[Prices, Facts]:
    """The price book and the facts under which a finished run stands in for a cell. Raises AdapeffError."""
    facts = results.facts
    book, terms = _repriced(at, book, facts.terms)
    floor = {"quality_floor": at["quality_floor"]} if "quality_floor" in at else {}
    return book, facts.model_copy(update={"terms": terms, **floor})


def _repriced(at: At, book: Prices, terms: Terms) -> tuple[Prices, Terms]:
    """The book and the terms with what a cell says of them. Raises ScenarioError for what they cannot be."""
    said = {key: value for key, value in at.items() if is_repriced(key)}
    if "prices" in said:
        book = load_prices(str(said["prices"]))
    changes = [f"{key}={value}" for key, value in said.items() if key not in (*TERMS, "prices", "quality_floor")]
    if changes:
        book = with_changes(book, changes, datetime.date.today(), "--vary")
    floor = said.get("quality_floor", 0.0)
    if isinstance(floor, bool) or not isinstance(floor, int | float) or not 0 <= floor <= 100:
        raise ScenarioError(f"--vary quality_floor: {floor!r:.48}; write points, from 0 to 100.")
    try:
        return book, supposed(terms, {key: v for key, v in said.items() if key in TERMS})
    except ValidationError as error:
        told = "; ".join(f"--vary {e['loc'][0]}: {e['msg']}" for e in error.errors(include_url=False))
        raise ScenarioError(told) from None
