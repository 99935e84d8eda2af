"""What lessons read from a run: one training, one quantity, and how a share is said."""

from collections.abc import Sequence

from adapeff_sim.ledger.history import EventRow
from adapeff_sim.ledger.outcome import Provenance, Workload, weakest
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.ledger.upkeep import UpkeepRow
from adapeff_sim.lessons.base import Evidence, Figure, LessonError, Unit

TRAIN, NOMINAL, TOKENS, STEPS = "train_flops", "nominal_train_flops", "train_tokens", "train_steps"
TRAINED, ALL = "trainable_parameters", "total_parameters"


def training(run: Evidence, label: str, slot: str) -> JobRecord:
    """The first training of an artifact in a strategy's life. Raises LessonError where there is none."""
    for record in run.ledger.of(JobRecord):
        if (record.job, record.label, record.slot) == ("build", label, slot):
            return record
    raise LessonError(f"this run has no training of {slot} by {label}; run the lesson again with --again.")


def surety(run: Evidence) -> Provenance:
    """What may be said of a number that all trainings of a run make together."""
    return weakest(record.provenance for record in run.ledger.of(JobRecord) if record.job == "build")


def amount(record: JobRecord, quantity: str) -> float:
    """What a training took. Raises LessonError where that could not be measured."""
    if quantity not in record.usage:
        raise LessonError(f"{record.slot} of this run does not tell {quantity}; run the lesson again with --again.")
    return record.usage[quantity]


def workload(record: JobRecord) -> Workload:
    """On what batches it was trained. Raises LessonError where an earlier version did not write that down."""
    if record.workload is None:
        raise LessonError(f"{record.slot} was trained by an earlier version; run the lesson with another --store.")
    return record.workload


def on_the_same_rows(one: JobRecord, other: JobRecord) -> None:
    """Raises LessonError where two trainings did not see as many pieces in as many steps, and cannot be compared."""
    for quantity in (TOKENS, STEPS):
        if amount(one, quantity) != amount(other, quantity):
            raise LessonError(f"{one.slot} and {other.slot} differ in {quantity}; they cannot be compared.")


def beside(what: str, unit: Unit, quantity: str, one: JobRecord, other: JobRecord) -> Figure:
    """One quantity of two trainings, and the first as a share of the second."""
    pair = amount(one, quantity), amount(other, quantity)
    share = pair[0] / pair[1] if pair[1] else None
    return Figure(
        what=what, unit=unit, amounts=pair, provenance=weakest((one.provenance, other.provenance)), share=share
    )


def steps_of(run: Evidence, label: str, kind: str) -> list[EventRow]:
    """What a strategy did on the first event of a kind: one row, and another where a check was answered.

    Raises LessonError where there was no such event.
    """
    mine = [row for row in run.results.events if row.label == label]
    days = [row.day for row in mine if row.event.startswith(kind)]
    if not days:
        raise LessonError(f"this run has no {kind} for {label}; run the lesson again with --again.")
    return [row for row in mine if row.day == days[0]]


def upkeep_of(run: Evidence, label: str, kind: str) -> UpkeepRow:
    """What the first event of a kind meant for a strategy. Raises LessonError where there was none, or none is told."""
    found = next((r for r in run.results.upkeep if r.label == label and r.event.startswith(kind)), None)
    if found is None:
        raise LessonError(f"this run does not tell what {kind} meant for {label}; run the lesson again with --again.")
    return found


def nearest(value: float, choices: Sequence[float]) -> int:
    """The place of the choice that comes nearest."""
    return min(range(len(choices)), key=lambda i: abs(choices[i] - value))


def per_cent(share: float) -> str:
    """A share in percent, with a digit more where it is small or nearly all; what is missing is never 100 %."""
    if 0.99 < share < 1:
        return f"{min(99.9, 100 * share):.1f} %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
