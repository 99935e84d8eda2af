"""What a run came to, as tidy tables that reporters read: no rule of the domain is left to them.

facts + ledger + cost rows -> results.json (all of it), costs.csv, events.csv, upkeep.csv, quality.csv, ...
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import JsonValue, ValidationError

from adapeff_sim.costs.accrual import Accrual, Lot, accruals, components
from adapeff_sim.costs.base import CostRow, Terms, price_ledger
from adapeff_sim.costs.lead_time import lead_times
from adapeff_sim.costs.prices import Prices
from adapeff_sim.costs.serving import PoolRow, pool_rows
from adapeff_sim.costs.storage import StoredRow, stored_rows
from adapeff_sim.costs.totals import TotalRow, totals
from adapeff_sim.earlier_results import without_false_zeros
from adapeff_sim.errors import AdapeffError
from adapeff_sim.estimation.assumptions import Assumption
from adapeff_sim.ledger.history import (
    CutShort,
    EventRow,
    QualityPoint,
    event_rows,
    final_scores,
    not_converged,
    quality_points,
    sure_of_scores,
)
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row, weakest
from adapeff_sim.ledger.records import Record
from adapeff_sim.ledger.trainings import EqualQualityRow, TrainingRow, equal_quality, training_rows
from adapeff_sim.ledger.upkeep import UpkeepRow, upkeep_rows
from adapeff_sim.lost_run import again, damaged, lacks
from adapeff_sim.projection.epochs import EpochsRow, epochs
from adapeff_sim.projection.project import project
from adapeff_sim.projection.target import Target
from adapeff_sim.verdict import Case, Verdict, judge
from adapeff_sim.whole_files import not_read, not_written, write_whole

FORMAT: Literal[4] = 4
READ = (1, 2, 3, 4)  # 1: without trainings; 2: without upkeep; 3: what is assumed was called estimated
EVEN_DAYS = 60


class ResultsError(AdapeffError):
    """Results that are not there, or that this version cannot read."""


class EventMark(Row):
    """An event of the timeline, for the axes of charts."""

    day: float
    text: str


class Facts(Row):
    """What results need to know of a scenario, as plain values; labels in the order in which they were written."""

    name: str
    description: str = ""
    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    terms: Terms
    quality_floor: float  # points
    project_to: Target | None = None  # the size of production
    events: tuple[EventMark, ...] = ()
    gpus: int = 1  # devices that work through the jobs of an event


class Curve(Row):
    """The cumulative cost of one component in one life, a number for each of ``Results.days``.

    A curve that is not ``complete`` lacks amounts that could not be had, and is a lower bound. One of which nothing is
    known is not there.
    """

    label: str
    seed: int
    component: str
    complete: bool
    amounts: tuple[float, ...]
    provenance: Provenance | None = None  # the least sure of what is known; None in results of earlier versions


class Projection(Row):
    """What the same life would come to at the size of production: estimated or assumed; the days are its own.

    ``epochs`` are those of the run, which are carried over; ``assumptions`` is what the figures rest on.
    """

    target: Target
    assumptions: tuple[Assumption, ...] = ()  # none in results of earlier versions
    epochs: tuple[EpochsRow, ...]
    totals: tuple[TotalRow, ...]
    days: tuple[float, ...]
    curves: tuple[Curve, ...]
    rows: tuple[CostRow, ...]


class Results(Row):
    """Everything that can be said of a run without running it again.

    ``days`` is the grid of all curves: it starts at the first event, ends at the horizon, and holds every day on which
    a sum falls due twice, for the moment before and the moment after.
    """

    format: Literal[1, 2, 3, 4] = FORMAT
    facts: Facts
    prices: Prices
    environment: dict[str, JsonValue]
    verdict: Verdict
    totals: tuple[TotalRow, ...]
    events: tuple[EventRow, ...]
    upkeep: tuple[UpkeepRow, ...] = ()  # a row for every event of every life
    quality: tuple[QualityPoint, ...]
    not_converged: tuple[CutShort, ...]
    trainings: tuple[TrainingRow, ...] = ()
    equal_quality: tuple[EqualQualityRow, ...] = ()
    days: tuple[float, ...]
    curves: tuple[Curve, ...]
    rows: tuple[CostRow, ...]
    stored: tuple[StoredRow, ...] = ()  # what lies in store, and for how long
    pools: tuple[PoolRow, ...] = ()  # how many replicas answer, and for how long
    projection: Projection | None = None  # the same life at another size; never part of anything above


def results_of(
    facts: Facts, ledger: Ledger, prices: Prices, rows: Sequence[CostRow], environment: Mapping[str, JsonValue]
) -> Results:
    """The results of a ledger that was priced: ``rows`` come from ``price_ledger(ledger, prices, facts.terms)``."""
    days, names = _grid(facts, rows), components(rows)
    trainings = training_rows(ledger, facts.labels, facts.terms.horizon_days)
    return Results(
        facts=facts,
        prices=prices,
        environment=dict(environment),
        verdict=judge(case_of(facts, ledger, prices, rows)),
        totals=totals(facts.labels, facts.seeds, names, rows),
        events=event_rows(ledger, facts.labels, facts.terms.horizon_days),
        upkeep=_upkeep(facts, ledger, prices),
        quality=quality_points(ledger, facts.terms.horizon_days),
        not_converged=not_converged(ledger, facts.terms.horizon_days),
        trainings=trainings,
        equal_quality=equal_quality(trainings, facts.quality_floor),
        days=days,
        curves=_curves(facts, names, accruals(rows), days),
        rows=tuple(rows),
        stored=tuple(stored_rows(ledger, prices, facts.terms)),
        pools=tuple(pool_rows(ledger, prices, facts.terms)),
        projection=None if facts.project_to is None else _projection(facts, ledger, prices, facts.project_to),
    )


def case_of(facts: Facts, ledger: Ledger, prices: Prices, rows: Sequence[CostRow]) -> Case:
    """What is judged of a ledger that was priced: ``rows`` come from ``price_ledger(ledger, prices, facts.terms)``."""
    horizon_days = facts.terms.horizon_days
    quality = quality_points(ledger, horizon_days)
    return Case(
        labels=facts.labels,
        seeds=facts.seeds,
        components=components(rows),
        horizon_days=horizon_days,
        currency=prices.currency,
        quality_floor=facts.quality_floor,
        accruals=accruals(rows),
        scores=final_scores(ledger, quality, facts.labels, facts.seeds, horizon_days),
        scored=sure_of_scores(quality),
    )


def _projection(facts: Facts, ledger: Ledger, prices: Prices, target: Target) -> Projection:
    """The life at the target's size, priced by the same components, prices and terms."""
    rows = price_ledger(project(ledger, target), prices, facts.terms)
    grown, names, days = accruals(rows), components(rows), _grid(facts, rows)
    took = epochs(ledger)
    return Projection(
        target=target,
        assumptions=tuple(target.assumptions(weakest(row.provenance for row in took))),
        epochs=took,
        totals=totals(facts.labels, facts.seeds, names, rows),
        days=days,
        curves=_curves(facts, names, grown, days),
        rows=tuple(rows),
    )


def _upkeep(facts: Facts, ledger: Ledger, prices: Prices) -> tuple[UpkeepRow, ...]:
    leads = lead_times(ledger, prices.compute, facts.gpus)
    return upkeep_rows(ledger, facts.labels, facts.terms.horizon_days, leads, facts.gpus)


def _grid(facts: Facts, rows: Iterable[CostRow]) -> tuple[float, ...]:
    """Event days and even days, with every day of a step twice."""
    horizon = facts.terms.horizon_days
    steps = {r.day for r in rows if r.until == r.day} | {e.day for e in facts.events if e.day <= horizon}
    turns = {d for r in rows for d in (r.day, r.until)} | steps | {horizon}
    start = min(turns)
    even = {start + (horizon - start) * i / EVEN_DAYS for i in range(EVEN_DAYS + 1)}
    return tuple(sorted([*(turns | even), *steps]))


def _curves(
    facts: Facts, names: Sequence[str], grown: Mapping[Lot, Accrual], days: Sequence[float]
) -> tuple[Curve, ...]:
    """A curve for every life and component; of a day that stands twice in the grid, the first is the moment before."""
    moments = [(day, day == later) for day, later in zip(days, [*days[1:], None], strict=True)]
    found = []
    for label in facts.labels:
        for seed in facts.seeds:
            for name in names:
                lot = grown.get((label, seed, name), Accrual())
                if lot.is_unknown:
                    continue
                amounts = tuple(lot.at(day, before) for day, before in moments)
                told = {"complete": not lot.unavailable, "amounts": amounts, "provenance": lot.provenance}
                found.append(Curve.model_validate({"label": label, "seed": seed, "component": name, **told}))
    return tuple(found)


def standing_on(
    day: float, results: Results, life: Sequence[Record]
) -> tuple[list[CostRow], list[PoolRow], list[StoredRow]]:
    """What one life is charged, what answers it and lies in store; on the horizon's own day as if that were another.

    ``life`` holds the ledger's records of one strategy under one seed.
    """
    terms = results.facts.terms
    if day >= terms.horizon_days:
        longer = terms.model_copy(update={"horizon_days": day + 1})
        asked = (Ledger(tuple(r for r in life if r.day <= day)), results.prices, longer)
        return price_ledger(*asked), pool_rows(*asked), stored_rows(*asked)
    whose = {(r.label, r.seed) for r in life}
    return (
        [r for r in results.rows if (r.label, r.seed) in whose],
        [p for p in results.pools if (p.label, p.seed) in whose],
        [s for s in results.stored if (s.label, s.seed) in whose],
    )


def write(results: Results, folder: Path) -> list[Path]:
    """Write results.json and the tables, each as a whole; the same results give the same bytes.

    Raises ResultsError when the disk is full or refuses.
    """
    costs = ((*_cells(r), results.prices.currency) for r in results.rows)
    texts = {
        "results.json": results.model_dump_json(indent=1) + "\n",
        "costs.csv": _csv([*CostRow.model_fields, "currency"], costs),
        "events.csv": _csv(list(EventRow.model_fields), map(_cells, results.events)),
        "upkeep.csv": _csv(list(UpkeepRow.model_fields), map(_cells, results.upkeep)),
        "quality.csv": _csv(list(QualityPoint.model_fields), map(_cells, results.quality)),
        "stored.csv": _csv(list(StoredRow.model_fields), map(_cells, results.stored)),
        "pools.csv": _csv(list(PoolRow.model_fields), map(_cells, results.pools)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [write_whole(folder / name, text) for name, text in texts.items()]
    except OSError as error:
        raise ResultsError(not_written(folder, error)) from error


def read(folder: Path) -> Results:
    """Read back what ``write`` wrote. Raises ResultsError where there is nothing that this version understands."""
    file = folder / "results.json"
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text)
        version = found.get("format") if isinstance(found, dict) else None
        if version not in READ:
            known = f"{', '.join(map(str, READ[:-1]))} and {READ[-1]}"
            raise ResultsError(f"{file}: format {version}, but this version reads formats {known}; {again(folder)}")
        results = Results.model_validate_json(text)
        return results if version == FORMAT else without_false_zeros(results)
    except (FileNotFoundError, NotADirectoryError):
        raise ResultsError(lacks(folder, "results.json")) from None
    except OSError as error:
        raise ResultsError(not_read(file, error)) from error
    except (ValidationError, ValueError, RecursionError) as error:
        raise ResultsError(damaged(file)) from error


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(lines)
    return text.getvalue()


def _cells(row: Row) -> tuple[object, ...]:
    """The fields of a row; what is not known is an empty cell, and several names stand one after the other."""
    return tuple(" ".join(v) if isinstance(v, tuple) else v for _, v in row)
