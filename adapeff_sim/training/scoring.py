"""What a network says about rows, and how right that is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from adapeff_sim.data.examples import AnyExample, SpanExample, TaskKind
from adapeff_sim.training.autocast import autocast
from adapeff_sim.training.batches import Padding, collate, in_order_of_length
from adapeff_sim.training.encode import Item
from adapeff_sim.training.meters.base import Watch
from adapeff_sim.training.metrics import gold_of, scores
from adapeff_sim.training.network import Network

LONGEST_ANSWER = 30  # pieces


@dataclass(frozen=True, slots=True)
class Questions:
    """Rows of one endpoint, with their items, ready to be answered."""

    task: str
    kind: TaskKind
    language: str
    labels: tuple[str, ...]
    rows: Sequence[AnyExample]
    items: Sequence[Item]

    def scores(self, said: Sequence[Any]) -> dict[str, float]:
        """How right the answers are, by metric."""
        return scores(self.kind, [gold_of(row) for row in self.rows], said, self.language)


Raw = tuple[Item, np.ndarray]  # an item and its logits


def answers(
    network: Network,
    asked: Questions,
    padding: Padding,
    batch_size: int,
    watch: Watch,
    tell: Callable[[int], None],
) -> list[Any]:
    """The network's answer to every row, in the form of the gold answers; dropout off, no gradients."""
    network.eval()
    raw = list(_logits(network, asked, padding, batch_size, watch, tell))
    return decode(asked, raw)


def warm_up(network: Network, asked: Questions, padding: Padding, batch_size: int, watch: Watch) -> None:
    """Answer the longest batch for nothing."""
    network.eval()
    longest = Questions(
        asked.task,
        asked.kind,
        asked.language,
        asked.labels,
        asked.rows,
        in_order_of_length(asked.items, batch_size)[-1],
    )
    for _ in _logits(network, longest, padding, batch_size, watch, lambda _: None):
        pass


def _logits(
    network: Network, asked: Questions, padding: Padding, batch_size: int, watch: Watch, tell: Callable[[int], None]
) -> Iterator[Raw]:
    done = 0
    with torch.inference_mode(), autocast(watch.device, watch.precision):
        for items in in_order_of_length(asked.items, batch_size):
            batch = collate(asked.task, asked.kind, items, padding).on(watch.device)
            found = network.answers(batch).cpu().numpy()
            watch.saw(batch)
            yield from zip(items, found, strict=True)
            done += len(items)
            tell(done)


def decode(asked: Questions, raw: Iterable[Raw]) -> list[Any]:
    """Answers by row: a label, a tuple of tags, the place of a choice, or the text of a span."""
    if asked.kind is TaskKind.SPAN:
        return _spans(asked.rows, raw)
    said: list[Any] = [None] * len(asked.rows)
    for item, logits in raw:
        if asked.kind is TaskKind.TAGGING:
            best = logits.argmax(-1)
            said[item.row] = tuple(asked.labels[best[spot]] if spot >= 0 else "O" for spot in item.spots)
        else:
            best = (
                int(logits[: len(item.sequences)].argmax()) if asked.kind is TaskKind.CHOICE else int(logits.argmax())
            )
            said[item.row] = best if asked.kind is TaskKind.CHOICE else asked.labels[best]
    return said


def _spans(rows: Sequence[AnyExample], raw: Iterable[Raw]) -> list[str]:
    """For each row the best stretch over all of its windows."""
    best: dict[int, tuple[float, str]] = {}
    for item, logits in raw:
        row = rows[item.row]
        assert isinstance(row, SpanExample)
        score, (first, last) = _best_stretch(item, logits)
        if first >= 0 and score > best.get(item.row, (-np.inf, ""))[0]:
            best[item.row] = (score, row.context[item.offsets[first][0] : item.offsets[last][1]])
    return [best.get(i, (0.0, ""))[1] for i in range(len(rows))]


def _best_stretch(item: Item, logits: np.ndarray) -> tuple[float, tuple[int, int]]:
    """The likeliest first and last piece inside the context, not longer than an answer may be; -1 if there is none."""
    inside = np.array([start >= 0 for start, _ in item.offsets])
    size = len(inside)
    both = logits[:size, 0][:, None] + logits[:size, 1][None, :]
    apart = np.arange(size)[None, :] - np.arange(size)[:, None]
    allowed = inside[:, None] & inside[None, :] & (apart >= 0) & (apart < LONGEST_ANSWER)
    if not allowed.any():
        return -np.inf, (-1, -1)
    first, last = np.unravel_index(np.where(allowed, both, -np.inf).argmax(), both.shape)
    return float(both[first, last]), (int(first), int(last))
