"""Results of earlier versions, which wrote 0 for sums of which nothing was known: what is unknown in them is None."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from adapeff_sim.costs.accrual import TOTAL, Lot
from adapeff_sim.costs.base import CostRow
from adapeff_sim.costs.totals import TotalRow
from adapeff_sim.ledger.history import EventRow
from adapeff_sim.ledger.outcome import NOT_MEASURED

if TYPE_CHECKING:
    from adapeff_sim.results import Projection, Results

Sums = TypeVar("Sums", "Results", "Projection")


def without_false_zeros(found: "Results") -> "Results":
    """The same results, with no number and no curve where their rows hold no amount at all."""
    projection = None if found.projection is None else _known(found.projection, found.facts.seeds)
    events = tuple(map(_besides, found.events))
    return _known(found, found.facts.seeds).model_copy(update={"events": events, "projection": projection})


def _known(found: Sums, seeds: Sequence[int]) -> Sums:
    """Without the sums and curves of which nothing is known."""
    unknown = _unknown(found.rows)
    totals = tuple(_total(row, seeds, unknown) for row in found.totals)
    curves = tuple(c for c in found.curves if (c.label, c.seed, c.component) not in unknown)
    return found.model_copy(update={"totals": totals, "curves": curves})


def _unknown(rows: Sequence[CostRow]) -> set[Lot]:
    """The components, and totals, of lives that have rows and no amount in any of them."""
    known: set[Lot] = set()
    lacking: set[Lot] = set()
    for row in rows:
        of = known if row.amount is not None else lacking
        of |= {(row.label, row.seed, row.component), (row.label, row.seed, TOTAL)}
    return lacking - known


def _total(row: TotalRow, seeds: Sequence[int], unknown: set[Lot]) -> TotalRow:
    """One total, seed by seed; without any number it has no mean."""
    told = zip(seeds, row.amounts, strict=True)
    amounts = tuple(None if (row.label, seed, row.component) in unknown else amount for seed, amount in told)
    lacks = {"mean": None, "spread": None} if amounts == (None,) * len(amounts) else {}
    return row.model_copy(update={"amounts": amounts, **lacks})


def _besides(row: EventRow) -> EventRow:
    """Where nothing ran, nobody knows how long a machine warmed up, and what it lost."""
    seconds = {"warmup_seconds": None, "lost_seconds": None}
    return row.model_copy(update=seconds) if row.provenance in NOT_MEASURED else row
