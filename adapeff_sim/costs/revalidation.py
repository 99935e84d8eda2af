"""What re-validating costs beside the machine: so much for every test item that is run again."""

from collections.abc import Iterator

from adapeff_sim.costs.base import COSTS, CostRow, Terms, charge
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.history import test_items
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import sure_of_count, weakest
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord


@COSTS.register
def revalidation(ledger: Ledger, prices: Prices, terms: Terms) -> Iterator[CostRow]:
    """Every test item of every evaluation, apart for endpoints that the event touched and those it did not.

    Ledgers of earlier versions do not tell what an event touched.
    """
    price = prices.revalidation
    if price is None:
        return
    items = test_items(ledger)
    touched = {(r.label, r.seed, r.step): r.touched for r in ledger.of(DeploymentRecord)}
    for scored in ledger.of(EvaluationRecord):
        if scored.day <= terms.horizon_days:
            asked = touched.get((scored.label, scored.seed, scored.step))
            said = "of-event" if asked is None else "asked" if scored.endpoint in asked else "unasked"
            count = items.get((scored.label, scored.seed, scored.step, scored.endpoint))
            what = ("revalidation", f"{said} {scored.endpoint}", "test_items")
            at = (scored.label, scored.seed, scored.day)
            sure = weakest([sure_of_count(scored, "test_examples"), price.sure])
            yield charge(at, scored.day, what, count, price.item, sure)
