"""What it came to: each component, and all together, for every strategy."""

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import CostRow
from adapeff_sim.ledger.outcome import PROVENANCES, Provenance, Row, weakest


class TotalRow(Row):
    """One component, or the total, of one strategy at the horizon.

    With anything ``unavailable`` the amounts are lower bounds, and None where nothing is known at all. Shares are of
    the money that is known, over all seeds.
    """

    label: str
    component: str
    amounts: tuple[float | None, ...]  # seed by seed
    mean: float | None
    spread: float | None  # standard deviation over seeds; None with one seed
    shares: dict[Provenance, float]
    unavailable: tuple[str, ...]
    provenance: Provenance | None = None  # of what is known, the least sure; None in results of earlier versions

    @property
    def known(self) -> tuple[float, ...]:
        """The amounts seed by seed; what is not known of them adds nothing to a lower bound."""
        return tuple(amount or 0.0 for amount in self.amounts)


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
    amounts = tuple(_amount([r for r in rows if r.seed == seed]) for seed in seeds)
    told = [amount or 0.0 for amount in amounts]
    known, is_known = math.fsum(told), amounts != (None,) * len(amounts)
    by: dict[Provenance, float] = {
        p: math.fsum(r.amount or 0.0 for r in rows if r.provenance == p) for p in PROVENANCES[:-1]
    }
    return TotalRow(
        label=label,
        component=name,
        amounts=amounts,
        mean=statistics.fmean(told) if is_known else None,
        spread=statistics.stdev(told) if is_known and len(told) > 1 else None,
        shares={p: amount / known for p, amount in by.items() if amount} if known else {},
        unavailable=tuple(sorted({f"{r.component}: {r.item}" for r in rows if r.amount is None})),
        provenance=weakest(r.provenance for r in rows if r.amount is not None) if is_known else "unavailable",
    )


def _amount(rows: Sequence[CostRow]) -> float | None:
    """What is known of some rows; None where there are rows, and nothing is known of any."""
    known = [r.amount for r in rows if r.amount is not None]
    return math.fsum(known) if known or not rows else None
