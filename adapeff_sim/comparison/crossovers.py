"""From which day on one strategy stays cheaper than another, seed by seed."""

import statistics
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from pydantic import Field

from adapeff_sim.comparison.intervals import of_median
from adapeff_sim.comparison.side import Side
from adapeff_sim.costs.accrual import Accrual, Lot, accruals, components
from adapeff_sim.ledger.outcome import Row

ROUNDING = 1e-12  # of an amount: what rounding may leave of two equal sums
NEVER = 3.0  # times the horizon: stands for a day that does not come


class Crossover(Row):
    """Since when ``first`` is never dearer than ``second`` again, ``first`` being the cheaper at the horizon (mean).

    ``by_seed`` is None where it is dearer at the horizon under that seed. ``median``, ``low`` and ``high`` are days,
    None for "not by the horizon"; with ``why`` there is no interval. ``from_start``: so under every seed.
    """

    component: str
    first: str
    second: str
    by_seed: dict[int, float | None] = Field(default_factory=dict)
    median: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""
    from_start: bool = False
    never: int = 0  # seeds


def crossovers(side: Side) -> tuple[Crossover, ...]:
    """Every pair of strategies in every component; without pairs that have unavailable amounts, or are equal."""
    rows = side.results.rows
    lots = accruals(rows)
    found = []
    for component in components(rows):
        for pair in combinations(side.labels, 2):
            if not any(lots.get((x, s, component), Accrual()).unavailable for x in pair for s in side.seeds):
                found += _of_pair(side, lots, component, pair)
    return tuple(found)


def _of_pair(side: Side, lots: Mapping[Lot, Accrual], component: str, pair: tuple[str, str]) -> list[Crossover]:
    lives = {x: {seed: lots.get((x, seed, component), Accrual()) for seed in side.seeds} for x in pair}
    means = {x: statistics.fmean(life.amount for life in lives[x].values()) for x in pair}
    first, second = sorted(pair, key=lambda x: means[x])
    if means[second] - means[first] <= ROUNDING * means[second]:
        return []
    horizon = side.results.facts.terms.horizon_days
    start = min((d for of in lives.values() for life in of.values() for d in life.days), default=0.0)
    days = {seed: stays_under(lives[first][seed], lives[second][seed], horizon) for seed in side.seeds}
    found = of_median([NEVER * horizon if day is None else day for day in days.values()])
    known: dict[str, Any] = {"component": component, "first": first, "second": second, "by_seed": days}
    known["never"] = sum(day is None for day in days.values())
    known["from_start"] = all(day is not None and day <= start for day in days.values())
    if isinstance(found, str):
        return [Crossover.model_validate({**known, "median": next(iter(days.values())), "why": found})]
    said = (day if day <= horizon else None for day in found)
    return [Crossover.model_validate({**known, **dict(zip(("median", "low", "high"), said, strict=True))})]


def stays_under(first: Accrual, second: Accrual, horizon_days: float) -> float | None:
    """The day from which ``first`` is never dearer than ``second`` again, None where it is dearer at the horizon.

    Between the days on which sums fall due or rates change both curves are straight, so that the day is exact.
    """
    turns = sorted({d for d in first.days | second.days if d <= horizon_days} | {horizon_days})
    moments = [(day, before) for day in turns for before in (True, False)]
    gaps = [(day, second.at(day, before) - first.at(day, before)) for day, before in moments]
    slack = ROUNDING * max(first.amount, second.amount)
    behind = [i for i, (_, gap) in enumerate(gaps) if gap < -slack]
    if not behind:
        return turns[0]
    if behind[-1] == len(gaps) - 1:
        return None
    (day, gap), (later, ahead) = gaps[behind[-1]], gaps[behind[-1] + 1]
    return day + (later - day) * gap / (gap - max(0.0, ahead))
