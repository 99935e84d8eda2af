"""What it came to: each component, and all together, for every strategy."""

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import CostRow
from adapeff_sim.ledger.outcome import PROVENANCES, Provenance, Row


class TotalRow(Row):
    """One component, or the total, of one strategy at the horizon.

    With anything ``unavailable`` the amounts are lower bounds. Shares are of the money that is known, over all seeds.
    """

    label: str
    component: str
    amounts: tuple[float, ...]  # seed by seed
    mean: float
    spread: float | None  # standard deviation over seeds; None with one seed
    shares: dict[Provenance, float]
    unavailable: tuple[str, ...]


def totals(
    labels: Sequence[str], seeds: Sequence[int], names: Sequence[str], rows: Sequence[CostRow]
) -> tuple[TotalRow, ...]:
    """What every component, and all together, came to for every strategy."""
    found: dict[tuple[str, str], list[CostRow]] = defaultdict(list)
    for row in rows:
        for name in (row.component, TOTAL):
            found[row.label, name].append(row)
    return tuple(_total(label, name, seeds, found[label, name]) for label in labels for name in names)


def _total(label: str, name: str, seeds: Sequence[int], rows: Sequence[CostRow]) -> TotalRow:
    amounts = tuple(math.fsum(r.amount or 0.0 for r in rows if r.seed == seed) for seed in seeds)
    known = math.fsum(amounts)
    by: dict[Provenance, float] = {
        p: math.fsum(r.amount or 0.0 for r in rows if r.provenance == p) for p in PROVENANCES[:-1]
    }
    return TotalRow(
        label=label,
        component=name,
        amounts=amounts,
        mean=statistics.fmean(amounts),
        spread=statistics.stdev(amounts) if len(amounts) > 1 else None,
        shares={p: amount / known for p, amount in by.items() if amount} if known else {},
        unavailable=tuple(sorted({f"{r.component}: {r.item}" for r in rows if r.amount is None})),
    )
