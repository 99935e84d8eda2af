"""Several finished runs side by side: differences, crossovers, break-evens and what the verdict hangs on.

runs -> within each: pairs of strategies by seed, crossovers, break-even, sensitivity -> between each two: by seed
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

from adapeff_sim.comparison.break_even import (
    CountBreakEven,
    PriceBreakEven,
    count_break_evens,
    price_break_evens,
    price_lines,
)
from adapeff_sim.comparison.crossovers import Crossover, crossovers
from adapeff_sim.comparison.differences import Between, Difference, between, within
from adapeff_sim.comparison.intervals import FEW, LEVEL, RESAMPLES, STREAM, Interval, of_mean
from adapeff_sim.comparison.sensitivity import Sensitivity, sensitivities
from adapeff_sim.comparison.side import Contest, Side, contest
from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.ledger.outcome import Provenance, Row
from adapeff_sim.noise import is_tied, noise_of

FORMAT: Literal[2] = 2


class Amounts(Row):
    """One component, or the total, of one strategy: by seed, and its mean with an interval; a lower bound says why."""

    label: str
    component: str
    by_seed: dict[int, float | None]
    interval: Interval | None  # None where nothing is known
    provenance: Provenance | None = None  # of what is known, the least sure
    unavailable: tuple[str, ...] = ()


class RunCompared(Row):
    """All that is said of one run. ``first`` leads on the total over ``second``; empty where nobody can, see ``note``.

    ``note`` also tells where all take part because the quality floor lets fewer than two in.
    """

    name: str
    scenario: str
    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    currency: str
    horizon_days: float
    first: str = ""
    second: str = ""
    lead: float | None = None
    is_tied: bool = False  # the lead counts as none, by the verdict's rule
    note: str = ""
    sentences: tuple[str, ...]  # of the verdict
    amounts: tuple[Amounts, ...]
    differences: tuple[Difference, ...]
    crossovers: tuple[Crossover, ...]
    prices: tuple[PriceBreakEven, ...] = ()
    counts: tuple[CountBreakEven, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()


class Compared(Row):
    """Several runs beside each other, and each less every later one."""

    format: Literal[2] = FORMAT
    level: float = LEVEL
    resamples: int = RESAMPLES
    random_state: int = STREAM
    runs: tuple[RunCompared, ...]
    between: tuple[Between, ...] = ()

    @property
    def has_few_seeds(self) -> bool:
        """Whether an interval of these rests on so few seeds that it is likely too narrow."""
        return any(1 < len(run.seeds) < FEW for run in self.runs)


def compare_sides(sides: Sequence[Side]) -> Compared:
    """All that can be said of some finished runs; nothing is trained."""
    runs = tuple(_run(side) for side in sides)
    return Compared(runs=runs, between=tuple(between(one, other) for one, other in combinations(sides, 2)))


def _run(side: Side) -> RunCompared:
    results = side.results
    led = contest(side)
    said = {
        "name": side.name,
        "scenario": results.facts.name,
        "labels": side.labels,
        "seeds": side.seeds,
        "currency": results.prices.currency,
        "horizon_days": results.facts.terms.horizon_days,
        "sentences": results.verdict.sentences,
        "amounts": _amounts(side),
        "differences": within(side),
        "crossovers": crossovers(side),
    }
    if isinstance(led, str):
        return RunCompared.model_validate({**said, "note": led})
    lines = price_lines(side, led)
    said |= {"first": led.first, "second": led.second, "lead": led.lead, "note": led.note}
    said["is_tied"] = _is_tied(side, led)
    said["prices"] = price_break_evens(side, led, lines)
    said["counts"] = count_break_evens(side, led)
    said["sensitivity"] = sensitivities(side, led, lines)
    return RunCompared.model_validate(said)


def _is_tied(side: Side, led: Contest) -> bool:
    """Whether the verdict would call the first and the second no different."""
    lives = {r.label: r.known for r in side.results.totals if r.component == TOTAL}
    gaps = [b - a for a, b in zip(lives[led.first], lives[led.second], strict=True)]
    return is_tied(led.lead, led.amounts[led.second], noise_of(gaps))


def _amounts(side: Side) -> tuple[Amounts, ...]:
    return tuple(
        Amounts(
            label=row.label,
            component=row.component,
            by_seed=dict(zip(side.seeds, row.amounts, strict=True)),
            interval=None if row.mean is None else of_mean(row.known),
            provenance=row.provenance,
            unavailable=row.unavailable,
        )
        for row in side.results.totals
    )
