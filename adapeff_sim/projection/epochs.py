"""How many epochs the trainings of a run took: the part of its shape that decides what larger ones would take."""

import math
import statistics
from collections import defaultdict

from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row, sure_of, weakest
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.projection.life import task_of
from adapeff_sim.projection.project import in_order


class EpochsRow(Row):
    """The epochs that a strategy's trainings of one kind took; those that are ``capped`` had not converged."""

    label: str
    kind: str
    trainings: int
    capped: int
    median: float
    fewest: float
    most: float
    provenance: Provenance


def epochs(ledger: Ledger) -> tuple[EpochsRow, ...]:
    """How many epochs trainings took until they ended, by strategy and kind of artifact."""
    bought: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))  # by task
    found: dict[tuple[str, str], list[tuple[float, JobRecord]]] = defaultdict(list)
    for record in in_order(ledger):
        if not isinstance(record, JobRecord):
            continue
        rows_of = bought[record.label, record.seed]
        if record.job == "fetch":
            rows_of[task_of(record.slot)] += record.usage.get("labelled_examples", 0.0)
        elif record.workload is not None and "train_examples" in record.usage:
            rows = math.fsum(rows_of[task] for task in {b.task for b in record.workload.batches})
            if rows:
                found[record.label, record.kind].append((record.usage["train_examples"] / rows, record))
    return tuple(_epochs_row(label, kind, took) for (label, kind), took in sorted(found.items()))


def _epochs_row(label: str, kind: str, took: list[tuple[float, JobRecord]]) -> EpochsRow:
    counts = [count for count, _ in took]
    return EpochsRow(
        label=label,
        kind=kind,
        trainings=len(took),
        capped=sum(record.converged is False for _, record in took),
        median=statistics.median(counts),
        fewest=min(counts),
        most=max(counts),
        provenance=weakest(sure_of(record, "train_examples") for _, record in took),
    )
