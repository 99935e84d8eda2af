"""What the power of training, validating and evaluating costs, where the price of compute does not pay for it."""

from collections.abc import Iterator

from adapeff_sim.costs.base import COSTS, CostRow, Terms, charge
from adapeff_sim.costs.compute import Worked, measured_kwh, worked_seconds
from adapeff_sim.costs.prices import JOULES_PER_KWH, ComputePrice, EnergyPrice, Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, weakest
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord


@COSTS.register
def energy(ledger: Ledger, prices: Prices, terms: Terms) -> Iterator[CostRow]:
    """Every build and every evaluation: kilowatt-hours by the device's counter, x what cooling and distribution add.

    What was not measured on the device of the compute price is estimated where the book says watts, else unavailable.
    Replicas are billed with their power.
    """
    price = prices.energy
    if price is None or prices.compute.pays_for_energy:
        return
    for job in ledger.of(JobRecord):
        if job.job == "build" and job.day <= terms.horizon_days:
            yield _row(job, f"train and validate {job.slot}", prices.compute, price)
    for scored in ledger.of(EvaluationRecord):
        if scored.day <= terms.horizon_days:
            yield _row(scored, f"re-validate {scored.endpoint}", prices.compute, price)


def _row(record: Worked, item: str, compute: ComputePrice, price: EnergyPrice) -> CostRow:
    drawn, sure = _drawn(record, compute, price)
    at = (record.label, record.seed, record.day)
    quantity = None if drawn is None else drawn * price.overhead
    return charge(at, record.day, ("energy", item, "kwh"), quantity, price.kwh, sure)


def _drawn(record: Worked, compute: ComputePrice, price: EnergyPrice) -> tuple[float | None, Provenance]:
    """Kilowatt-hours of the device alone, and how sure they are."""
    measured = measured_kwh(record, compute.device)
    if measured is not None:
        return measured, weakest([record.provenance, price.adding])
    seconds, sure = worked_seconds(record, compute)
    if seconds is None or price.watts is None:
        return None, "unavailable"
    return seconds * price.watts / JOULES_PER_KWH, weakest([sure, price.converting])
