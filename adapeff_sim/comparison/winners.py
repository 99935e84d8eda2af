"""Who wins where: one cell of a grid of scenarios and prices, judged by the same rules as a run."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, JsonValue

from adapeff_sim.comparison.side import totals_of
from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import price_ledger
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row, weakest
from adapeff_sim.results import Facts, case_of
from adapeff_sim.verdict import judge

FORMAT: Literal[1] = 1


class Cell(Row):
    """One point of the grid: who is cheapest in total, with whom it ties, and what everyone comes to (mean of seeds).

    ``cheapest`` is None where nobody can be called so; ``sentence`` is what the verdict says of the total, or why.
    """

    at: dict[str, JsonValue]
    run: str  # the folder of the run that was priced
    cheapest: str | None
    tied: tuple[str, ...]
    totals: dict[str, float]
    provenance: dict[str, Provenance] = Field(default_factory=dict)  # of each total, the least sure of its amounts
    below: tuple[str, ...]  # strategies under the quality floor
    unavailable: tuple[str, ...]  # strategies with amounts that could not be had
    currency: str
    seeds: int
    sentence: str


class Sweep(Row):
    """A grid of scenarios and prices, cell by cell; ``keys`` are what varies, in order, with all values."""

    format: Literal[1] = FORMAT
    scenario: str
    executor: str = "local"
    keys: dict[str, tuple[JsonValue, ...]]
    cells: tuple[Cell, ...]


def won(at: Mapping[str, JsonValue], run: str, facts: Facts, ledger: Ledger, prices: Prices) -> Cell:
    """The cell of a run that is priced with a book under the terms in ``facts``."""
    rows = price_ledger(ledger, prices, facts.terms)
    verdict = judge(case_of(facts, ledger, prices, rows))
    total = next(c for c in verdict.comparisons if c.component == TOTAL)
    said = [s for s in verdict.sentences if s.startswith("Total by day ")] or [*verdict.sentences[:1]]
    return Cell(
        at=dict(at),
        run=run,
        cheapest=total.cheapest,
        tied=total.tied,
        totals=totals_of(rows, facts.labels, len(facts.seeds)),
        provenance={x: weakest(r.provenance for r in rows if r.label == x) for x in facts.labels},
        below=tuple(dict.fromkeys(b.label for b in verdict.below)),
        unavailable=tuple(dict.fromkeys(i.label for i in verdict.incomplete if i.component == TOTAL)),
        currency=prices.currency,
        seeds=len(facts.seeds),
        sentence=said[0],
    )
