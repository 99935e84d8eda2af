"""How large a head is for each kind of task (no torch)."""

from dataclasses import dataclass

from adapeff_sim.data.examples import TaskKind

OF_FIRST_PIECE = (TaskKind.CLASSIFICATION, TaskKind.PAIR, TaskKind.CHOICE)


@dataclass(frozen=True, slots=True)
class TaskHead:
    """What decides the size of a head."""

    kind: TaskKind
    outputs: int


def task_head(kind: TaskKind, labels: int) -> TaskHead:
    """A head for ``labels`` classes or tags; a choice is scored by one number, a span by its start and end."""
    return TaskHead(kind, {TaskKind.CHOICE: 1, TaskKind.SPAN: 2}.get(kind, labels))
