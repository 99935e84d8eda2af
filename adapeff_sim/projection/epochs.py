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
    held: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)  # rows in use, by slot of a data set
    found: dict[tuple[str, str], list[tuple[float, JobRecord]]] = defaultdict(list)
    for record in in_order(ledger):
        if not isinstance(record, JobRecord):
            continue
        rows_of = held[record.label, record.seed]
        if record.job == "fetch":
            grown = rows_of.get(record.slot, 0.0) + record.usage.get("labelled_examples", 0.0)
            rows_of[record.slot] = grown if record.rows is None else record.rows  # another source's replace those
        elif record.workload is not None and "train_examples" in record.usage:
            tasks = {b.task for b in record.workload.batches}
            rows = math.fsum(n for slot, n in rows_of.items() if task_of(slot) in tasks)
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
