"""How many batches of which shapes rows make, from their number and their lengths: nothing is read into tensors.

rows, here or stated -> Pile (how many, how long) -> batches of like length, as training and scoring make them

Lengths of rows that are here are those of an even sample; a batch is as long as its longest sequence, padded to a
multiple of ``ROUND`` pieces.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from adapeff_sim.base_models.release import Release
from adapeff_sim.data.examples import AnyExample, Split, TaskKind
from adapeff_sim.execution.sources import Sources, lengths
from adapeff_sim.lifecycle.world import Endpoint

ROUND, POOL = 8, 8  # as in training/batches.py: padding in pieces, and batches whose items are sorted together
SAMPLED = 200  # rows whose length is looked at
Shape = tuple[str, int, int]  # task, sequences, pieces


@dataclass(frozen=True, slots=True)
class Pile:
    """Rows that are batched together: how many items they make, sequences of each, and lengths from short to long."""

    items: int
    sequences: int
    lengths: tuple[int, ...]

    def share(self, part: float) -> "Pile":
        """Some of the rows, as long as all of them are."""
        return Pile(round(part * self.items), self.sequences, self.lengths)

    def steps(self, task: str, batch_size: int, longest: int, pool: int | None = None) -> list[Shape]:
        """One pass over all items, in batches of like length; ``longest`` is what the model can read, in pieces.

        Items are sorted by length in pools of so many batches, each as mixed as all of them (None: all at once).
        """
        padded = [max(pieces, min(-(-pieces // ROUND) * ROUND, longest)) for pieces in self.lengths]
        whole, rest = divmod(self.items, batch_size)
        rows = [batch_size] * whole + ([rest] if rest else [])
        if len(padded) == 1:
            return [(task, count * self.sequences, padded[0]) for count in rows]
        size, found = pool or len(rows), list[Shape]()
        cut: dict[tuple[int, ...], list[Shape]] = {}  # all pools but the last are cut alike
        for start in range(0, len(rows), size):
            here = tuple(rows[start : start + size])
            if here not in cut:
                ends = [math.ceil(seen / sum(here) * len(padded)) - 1 for seen in accumulate(here)]
                pairs = zip(here, ends, strict=True)
                cut[here] = [(task, count * self.sequences, padded[max(0, end)]) for count, end in pairs]
            found += cut[here]
        return found


def together(piles: Sequence[Pile]) -> Pile:
    """Several piles as one, each with the weight of its rows."""
    items = sum(pile.items for pile in piles)
    mixed: list[int] = []
    for pile in piles:
        share = round(SAMPLED * pile.items / items) if items else 0
        size = len(pile.lengths)
        mixed += [pile.lengths[(i * size) // share] for i in range(share)]
    fallback = max((length for pile in piles for length in pile.lengths), default=1)
    return Pile(items, max((pile.sequences for pile in piles), default=1), tuple(sorted(mixed)) or (fallback,))


@dataclass(frozen=True, slots=True)
class Piles:
    """Makes piles of the rows of one scenario, as one base model reads them, cut at ``longest`` pieces."""

    sources: Sources
    release: Release
    longest: int

    def of(self, endpoint: Endpoint, split: Split, source: str, rows: int | None, version: int = 1) -> tuple[Pile, int]:
        """The pile of the first ``rows`` of one split (None: all), and how many rows there are of them."""
        found = self.sources.count(endpoint, split, source, version)
        count = found if rows is None else min(rows, found)
        if stated := self.sources.stated(source):
            task = stated.task(endpoint.task)
            pieces = min(task.tokens, self.longest)
            return Pile(math.ceil(count * task.windows_per_row), task.sequences_per_row, (pieces,)), count
        here = self.sources.source(source).examples(*endpoint, split, version)
        return self._of_rows(sampled(here, SAMPLED), count, self.sources.kind(endpoint.task, source)), count

    def _of_rows(self, rows: Sequence[AnyExample], count: int, kind: TaskKind) -> Pile:
        """The pile of ``count`` rows that are like these."""
        read = lengths(self.release, rows)
        if kind is TaskKind.SPAN:
            windows = [self._windows(sizes[0]) for sizes in read]
            pieces = tuple(sorted(min(sizes[0], self.longest) for sizes in read))
            return Pile(round(count * sum(windows) / max(1, len(windows))), 1, pieces or (1,))
        several = max((len(sizes) for sizes in read), default=1)
        return Pile(count, several, tuple(sorted(min(max(sizes), self.longest) for sizes in read)) or (1,))

    def _windows(self, pieces: int) -> int:
        """The windows that a question with its context is cut into; about half of each is new context."""
        return 1 + max(0, math.ceil((pieces - self.longest) / (self.longest / 2)))


def sampled(rows: Sequence[AnyExample], most: int) -> list[AnyExample]:
    """At most so many of the rows, evenly from all of them."""
    size = min(most, len(rows))
    return [rows[(i * len(rows)) // size] for i in range(size)]


def trained(epoch: Sequence[Shape], steps: int) -> Counter[Shape]:
    """How often each shape is seen in so many steps: whole epochs, and an even part of the last."""
    whole, rest = divmod(steps, len(epoch))
    counted = Counter({shape: times * whole for shape, times in Counter(epoch).items()})
    counted.update(epoch[(i * len(epoch)) // rest] for i in range(rest))
    return +counted
