"""What is known of one life while it is told at another size: its rows, and what was trained on them."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapeff_sim.ledger.outcome import Workload


@dataclass(slots=True)
class Life:
    """What is known of one life so far: rows by data set as they were and as they are told, and what was trained."""

    was: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    now: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    first: dict[str, float] = field(default_factory=dict)
    held_out: dict[str, float] = field(default_factory=dict)  # validation rows as they were, by data set
    times: dict[str, float] = field(default_factory=dict)  # how many times those rows, by data set and by endpoint
    workloads: dict[str, Workload] = field(default_factory=dict)  # by slot
    stored: dict[str, int | None] = field(default_factory=dict)  # by fingerprint; None where no formula tells

    def growth(self, task: str) -> float:
        """How many times the rows of a task that there were."""
        slots = [slot for slot in self.was if task_of(slot) == task]
        before = math.fsum(self.was[slot] for slot in slots)
        return math.fsum(self.now[slot] for slot in slots) / before if before else 1.0

    def validating(self, tasks: Iterable[str]) -> float:
        """How many times the validation rows of some tasks that there were."""
        wanted = set(tasks)
        rows = {slot: n for slot, n in self.held_out.items() if task_of(slot) in wanted}
        before = math.fsum(rows.values())
        return math.fsum(n * self.times[slot] for slot, n in rows.items()) / before if before else 1.0

    def weight(self, slot: str) -> float:
        """How many times the rows of a data set, of training and validation together."""
        before = self.was[slot] + self.held_out.get(slot, 0.0)
        now = self.now[slot] + self.held_out.get(slot, 0.0) * self.times.get(slot, 1.0)
        return now / before if before else 1.0

    def factor(self, name: str, asked: int | None, rows: float) -> float:
        """How many times the held-out rows of a data set or an endpoint: as its first rows had to grow."""
        if asked is not None and rows and name not in self.times:
            self.times[name] = asked / rows
        return self.times.setdefault(name, 1.0) if rows else self.times.get(name, 1.0)


def task_of(slot: str) -> str:
    """The task whose rows a data set holds; its slot is ``dataset/TASK/LANGUAGE``."""
    return slot.split("/")[1] if "/" in slot else ""
