"""Items of like length together, in an order that follows from the seed and the epoch alone."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adapeff_sim.data.examples import TaskKind
from adapeff_sim.training.encode import Item
from adapeff_sim.training.heads import NO_TARGET

POOL = 8  # batches whose items are sorted by length together
ROUND = 8  # sequences are padded to multiples of so many pieces, so that few shapes occur

Chosen = tuple[str, Sequence[Item]]  # a task and the items of one batch


@dataclass(frozen=True, slots=True)
class BatchShape:
    """All of a batch that decides how many operations it takes."""

    sequences: int
    length: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences of one task, padded alike: ids, mask and types (sequences, length), target by the kind of task."""

    task: str
    ids: Tensor
    mask: Tensor
    types: Tensor | None
    target: Tensor
    groups: tuple[int, ...] = ()

    @property
    def shape(self) -> BatchShape:
        """Its shape."""
        return BatchShape(self.ids.shape[0], self.ids.shape[1])

    def on(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        types = None if self.types is None else self.types.to(device)
        ids, mask, target = (t.to(device, non_blocking=True) for t in (self.ids, self.mask, self.target))
        return Batch(self.task, ids, mask, types, target, self.groups)


@dataclass(frozen=True, slots=True)
class Padding:
    """What a model wants its batches filled up with."""

    piece: int
    longest: int  # pieces
    with_types: bool


def epoch_batches(items: Mapping[str, Sequence[Item]], batch_size: int, seed: int, epoch: int) -> list[Chosen]:
    """Every item once: batches of one task each, all tasks' batches shuffled, so proportional to the tasks' sizes."""
    found: list[Chosen] = []
    for task in sorted(items):
        draw = random.Random(f"{seed} epoch {epoch} {task}")
        order = list(items[task])
        draw.shuffle(order)
        for start in range(0, len(order), POOL * batch_size):
            pool = order[start : start + POOL * batch_size]
            pool.sort(key=lambda item: -(-item.length // ROUND))
            found += [(task, pool[i : i + batch_size]) for i in range(0, len(pool), batch_size)]
    random.Random(f"{seed} epoch {epoch}").shuffle(found)
    return found


def batches_per_epoch(items: Mapping[str, Sequence[Item]], batch_size: int) -> int:
    """How many batches ``epoch_batches`` gives."""
    return sum(-(-len(found) // batch_size) for found in items.values())


def in_order_of_length(items: Sequence[Item], batch_size: int) -> list[Sequence[Item]]:
    """Batches for scoring: the order has no effect on the scores, so the least padding wins."""
    order = sorted(items, key=lambda item: (item.length, item.row))
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def collate(task: str, kind: TaskKind, items: Sequence[Item], padding: Padding) -> Batch:
    """One batch of tensors on the CPU."""
    sequences = [list(s) for item in items for s in item.sequences]
    longest = max(map(len, sequences))
    length = max(longest, min(-(-longest // ROUND) * ROUND, padding.longest))
    ids = torch.tensor([s + [padding.piece] * (length - len(s)) for s in sequences])
    mask = torch.tensor([[1] * len(s) + [0] * (length - len(s)) for s in sequences])
    types = None
    if padding.with_types:
        types = torch.tensor([[*t, *[0] * (length - len(t))] for item in items for t in item.types])
    groups = tuple(len(item.sequences) for item in items) if kind is TaskKind.CHOICE else ()
    return Batch(task, ids, mask, types, _target(kind, items, length), groups)


def _target(kind: TaskKind, items: Sequence[Item], length: int) -> Tensor:
    if kind is TaskKind.TAGGING:
        return torch.tensor([[*item.target, *[NO_TARGET] * (length - len(item.target))] for item in items])
    if kind is TaskKind.SPAN:
        return torch.tensor([item.target for item in items])
    return torch.tensor([item.target[0] for item in items])


def blank(task: str, kind: TaskKind, shape: BatchShape, device: torch.device, types: bool, rows: int = 1) -> Batch:
    """A batch of a shape whose contents do not matter, for counting and timing; choices are shared among ``rows``."""
    ids = torch.full((shape.sequences, shape.length), 5, device=device)
    groups = (shape.sequences // rows,) * rows if kind is TaskKind.CHOICE else ()
    size = len(groups) or shape.sequences
    wanted = {TaskKind.TAGGING: (size, shape.length), TaskKind.SPAN: (size, 2)}.get(kind, (size,))
    target = torch.zeros(wanted, dtype=torch.long, device=device)
    return Batch(task, ids, torch.ones_like(ids), torch.zeros_like(ids) if types else None, target, groups)
