"""What labelled rows cost."""

from collections.abc import Iterator

from adapeff_sim.costs.base import COSTS, CostRow, Terms, charge
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, sure_of_count, weakest
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord


@COSTS.register
def labelling(ledger: Ledger, prices: Prices, terms: Terms) -> Iterator[CostRow]:
    """Each labelled row once in a life; rows held out for validation and test stand on lines of their own.

    A record tells of rows that this life had not bought before, so that every number found here is charged.
    """
    price = prices.labelling
    if price is None:
        return
    for job in ledger.of(JobRecord):
        if job.day <= terms.horizon_days:
            yield from _bought(job, "labelled_examples", f"label {job.slot}", price.example, price.sure)
            held_out = price.held_out_example
            yield from _bought(job, "validation_examples", f"held-out {job.slot}", held_out, price.sure)
    for scored in ledger.of(EvaluationRecord):
        if scored.day <= terms.horizon_days:
            held_out = price.held_out_example
            yield from _bought(scored, "test_examples", f"held-out {scored.endpoint}", held_out, price.sure)


def _bought(
    record: JobRecord | EvaluationRecord, quantity: str, item: str, price: float, priced: Provenance
) -> Iterator[CostRow]:
    """A row for a quantity that the record tells of, if it does; no surer than ``priced``."""
    if quantity not in record.usage and quantity not in record.unavailable:
        return
    at, what = (record.label, record.seed, record.day), ("labelling", item, quantity)
    sure = weakest([sure_of_count(record, quantity), priced])
    yield charge(at, record.day, what, record.usage.get(quantity), price, sure)
