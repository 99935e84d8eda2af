"""Rows become piece ids: for each kind of task what the encoder reads, and what its head should say.

classification   <s> text </s>                              class
pair             <s> premise </s></s> hypothesis </s>       class
tagging          <s> first word's pieces ... </s>           tag on the first piece of each word
choice           one sequence a choice: premise and question </s></s> choice
span             windows over the context: question </s></s> context     first and last piece of the answer
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapeff_sim.data.examples import (
    AnyExample,
    ChoiceExample,
    PairExample,
    SpanExample,
    TaskKind,
    TextExample,
    TokensExample,
)
from adapeff_sim.errors import DataError
from adapeff_sim.training.heads import NO_TARGET

NOWHERE = (-1, -1)  # the offsets of a piece that is not of the context


@dataclass(frozen=True, slots=True)
class Item:
    """One row, or one window of a row, as numbers; ``row`` is its place among the rows."""

    row: int
    sequences: tuple[Sequence[int], ...]  # piece ids: one sequence, or one for each choice
    types: tuple[Sequence[int], ...]  # segment ids, for models that have them
    target: tuple[int, ...]  # class, choice, tag of every piece, or first and last piece of the answer
    spots: tuple[int, ...] = ()  # tagging: the first piece of each word, -1 if it was cut off
    offsets: tuple[tuple[int, int], ...] = ()  # span: characters of the context behind each piece

    @property
    def length(self) -> int:
        """Pieces of the longest sequence."""
        return max(map(len, self.sequences))


@dataclass(frozen=True, slots=True)
class Reader:
    """A tokenizer with the longest sequence (in pieces) that may come out of it."""

    tokenizer: Any  # a fast tokenizer of transformers, which ships no types
    longest: int
    of_words: Any  # the tokenizer for rows that come as words
    _places: dict[tuple[str, ...], dict[str, int]] = field(default_factory=dict, init=False, repr=False)

    def items(self, kind: TaskKind, rows: Sequence[AnyExample], labels: tuple[str, ...]) -> list[Item]:
        """Every row as one item (a span as one for each window); DataError for a label that the task does not have."""
        if not rows:
            return []
        read: Mapping[TaskKind, Callable[[Any, tuple[str, ...]], list[Item]]] = {
            TaskKind.CLASSIFICATION: self._texts,
            TaskKind.PAIR: self._pairs,
            TaskKind.TAGGING: self._words,
            TaskKind.CHOICE: self._choices,
            TaskKind.SPAN: self._windows,
        }
        return read[kind](rows, labels)

    def _call(self, *texts: Sequence[object], **options: object) -> Any:
        how = {"truncation": True, "max_length": self.longest, **options}
        tokenizer = self.of_words if "is_split_into_words" in options else self.tokenizer
        return tokenizer(*map(list, texts), return_token_type_ids=True, **how)

    def _place(self, label: str, labels: tuple[str, ...]) -> int:
        places = self._places.setdefault(labels, {name: i for i, name in enumerate(labels)})
        if label not in places:
            raise DataError(f"label {label!r} is none of the task's: {', '.join(labels)}; correct the row")
        return places[label]

    def _texts(self, rows: Sequence[TextExample], labels: tuple[str, ...]) -> list[Item]:
        coded = self._call([row.text for row in rows])
        return [_item(coded, i, (self._place(row.label, labels),)) for i, row in enumerate(rows)]

    def _pairs(self, rows: Sequence[PairExample], labels: tuple[str, ...]) -> list[Item]:
        coded = self._call([row.premise for row in rows], [row.hypothesis for row in rows])
        return [_item(coded, i, (self._place(row.label, labels),)) for i, row in enumerate(rows)]

    def _words(self, rows: Sequence[TokensExample], labels: tuple[str, ...]) -> list[Item]:
        coded = self._call([list(row.tokens) for row in rows], is_split_into_words=True)
        items = []
        for i, row in enumerate(rows):
            words = coded.word_ids(i)
            first = {word: place for place, word in reversed(list(enumerate(words))) if word is not None}
            tags = {first[w]: self._place(tag, labels) for w, tag in enumerate(row.tags) if w in first}
            target = tuple(tags.get(place, NO_TARGET) for place in range(len(words)))
            spots = tuple(first.get(w, -1) for w in range(len(row.tokens)))
            items.append(_item(coded, i, target, spots=spots))
        return items

    def _choices(self, rows: Sequence[ChoiceExample], labels: tuple[str, ...]) -> list[Item]:  # noqa: ARG002
        asked = [f"{row.premise} {row.question}".strip() for row in rows for _ in row.choices]
        coded = self._call(asked, [choice for row in rows for choice in row.choices])
        items, start = [], 0
        for i, row in enumerate(rows):
            end = start + len(row.choices)
            parts = tuple(coded["input_ids"][start:end]), tuple(coded["token_type_ids"][start:end])
            items.append(Item(i, *parts, target=(row.label,)))
            start = end
        return items

    def _windows(self, rows: Sequence[SpanExample], labels: tuple[str, ...]) -> list[Item]:  # noqa: ARG002
        coded = self._call(
            [self._short(row.question) for row in rows],
            [row.context for row in rows],
            truncation="only_second",
            stride=self.longest // 4,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        items = []
        for window, i in enumerate(coded["overflow_to_sample_mapping"]):
            inside = [part == 1 for part in coded.sequence_ids(window)]
            pairs = zip(coded["offset_mapping"][window], inside, strict=True)
            offsets = tuple(tuple(span) if of_context else NOWHERE for span, of_context in pairs)
            items.append(_item(coded, window, _answer_in(offsets, rows[i]), row=i, offsets=offsets))
        return items

    def _short(self, question: str) -> str:
        """The question, cut so that at least half of the sequence is left for the context."""
        coded = self.tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)
        offsets = coded["offset_mapping"][: max(1, self.longest // 2 - 4)]
        return question[: offsets[-1][1]] if offsets else question


def _item(coded: Any, place: int, target: tuple[int, ...], row: int | None = None, **more: Any) -> Item:
    sequences, types = (coded["input_ids"][place],), (coded["token_type_ids"][place],)
    return Item(place if row is None else row, sequences, types, target, **more)


def _answer_in(offsets: tuple[tuple[int, int], ...], row: SpanExample) -> tuple[int, int]:
    """The first and last piece of the first answer; the first piece of all (0, 0) if the window lacks some of it."""
    start = row.answers[0].answer_start
    end = start + len(row.answers[0].text)
    within = [place for place, (a, b) in enumerate(offsets) if a < end and b > start and b > a]
    if not within or offsets[within[0]][0] > start or offsets[within[-1]][1] < end:
        return 0, 0
    return within[0], within[-1]
