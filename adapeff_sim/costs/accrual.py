"""How cost grows over the days: sums due at once, and sums that accrue evenly."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapeff_sim.costs.base import CostRow
from adapeff_sim.ledger.outcome import Provenance, weakest

TOTAL = "total"
_ORDER = ("compute", "energy", "storage", "serving", "revalidation", "labelling")
Lot = tuple[str, int, str]  # label, seed, component


@dataclass(frozen=True, slots=True)
class Accrual:
    """The cumulative cost of one component in one life: a step at every sum due, a slope under every sum that accrues.

    ``unavailable`` names the items whose amount could not be had; with any, every number here is a lower bound.
    """

    due: tuple[tuple[float, float], ...] = ()  # day, amount
    accruing: tuple[tuple[float, float, float], ...] = ()  # day, until, amount
    unavailable: tuple[str, ...] = ()
    provenance: Provenance = "measured"  # of what is known, the least sure

    @property
    def is_unknown(self) -> bool:
        """Whether nothing of it could be had, which is not 0."""
        return bool(self.unavailable) and not self.due and not self.accruing

    @property
    def amount(self) -> float:
        """All of it."""
        return math.fsum([a for _, a in self.due] + [a for _, _, a in self.accruing])

    @property
    def days(self) -> set[float]:
        """The days on which the curve steps or turns."""
        return {d for d, _ in self.due} | {d for day, until, _ in self.accruing for d in (day, until)}

    def at(self, day: float, before: bool = False) -> float:
        """The amount by ``day``, with what falls due on it, or just ``before``."""
        due = [a for d, a in self.due if d < day or (d == day and not before)]
        accrued = [a * min(1.0, (day - d) / (u - d)) for d, u, a in self.accruing if d < day]
        return math.fsum(due + accrued)


def accruals(rows: Iterable[CostRow]) -> dict[Lot, Accrual]:
    """For each life, the accrual of every component and of the total."""
    lots: dict[Lot, list[CostRow]] = defaultdict(list)
    for row in rows:
        lots[row.label, row.seed, row.component].append(row)
        lots[row.label, row.seed, TOTAL].append(row)
    return {lot: _accrual(found) for lot, found in lots.items()}


def components(rows: Iterable[CostRow]) -> tuple[str, ...]:
    """The components that occur, in their usual order, then the total."""
    found = {r.component for r in rows}
    return (*(c for c in _ORDER if c in found), *sorted(found.difference(_ORDER)), TOTAL)


def _accrual(rows: Sequence[CostRow]) -> Accrual:
    """The rows of one lot, those of the same days added up exactly, so that their order does not matter."""
    due: dict[float, list[float]] = defaultdict(list)
    accruing: dict[tuple[float, float], list[float]] = defaultdict(list)
    for r in rows:
        if r.amount is None:
            continue
        if r.until > r.day:
            accruing[r.day, r.until].append(r.amount)
        else:
            due[r.day].append(r.amount)
    return Accrual(
        tuple((d, math.fsum(due[d])) for d in sorted(due)),
        tuple((*days, math.fsum(accruing[days])) for days in sorted(accruing)),
        tuple(sorted({f"{r.component}: {r.item}" for r in rows if r.amount is None})),
        weakest(r.provenance for r in rows if r.amount is not None),
    )
