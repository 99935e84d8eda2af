"""Rows that say the same: test rows that were trained on, and texts that have one label here and another there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapeff_sim.data.examples import (
    AnyExample,
    ChoiceExample,
    PairExample,
    SpanExample,
    Split,
    TextExample,
    TokensExample,
)

Text = tuple[str, ...]
PAIRS: tuple[tuple[Split, Split], ...] = (("test", "train"), ("test", "validation"), ("validation", "train"))


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of the rows of one split are in another one too, and the text of the first of them."""

    split: Split
    other: Split
    shared: int
    rows: int
    example: str


@dataclass(frozen=True, slots=True)
class Contradictions:
    """How many texts have several labels, and the first of them with these."""

    texts: int
    example: str
    labels: tuple[str, ...]


def text_of(row: AnyExample) -> Text:
    """All that a model is shown of a row: its texts, without its label."""
    match row:
        case TextExample():
            return (row.text,)
        case PairExample():
            return (row.premise, row.hypothesis)
        case TokensExample():
            return row.tokens
        case ChoiceExample():
            return (row.premise, row.question, *row.choices)
        case SpanExample():
            return (row.question, row.context)


def shown_text(row: AnyExample) -> str:
    """The same, as one text to be read."""
    parts = [part for part in text_of(row) if part]
    return " ".join(parts) if isinstance(row, TokensExample) else " | ".join(parts)


def overlap(split: Split, rows: Sequence[AnyExample], other: Split, others: Iterable[AnyExample]) -> Overlap | None:
    """The rows of a split whose text is in another split too; None, if there are none."""
    there = {text_of(row) for row in others}
    shared = [row for row in rows if text_of(row) in there]
    return Overlap(split, other, len(shared), len(rows), shown_text(shared[0])) if shared else None


def overlaps(rows: Mapping[Split, Sequence[AnyExample]]) -> list[Overlap]:
    """Between any two splits of one endpoint."""
    pairs = ((split, other) for split, other in PAIRS if split in rows and other in rows)
    found = (overlap(split, rows[split], other, rows[other]) for split, other in pairs)
    return [each for each in found if each is not None]


def contradictions(rows: Iterable[AnyExample]) -> Contradictions | None:
    """The texts that have several labels; None, if there are none. A question may have several answers."""
    labels: dict[Text, dict[str, AnyExample]] = defaultdict(dict)
    for row in rows:
        if not isinstance(row, SpanExample):
            label = " ".join(row.tags) if isinstance(row, TokensExample) else str(row.label)
            labels[text_of(row)].setdefault(label, row)
    several = [found for found in labels.values() if len(found) > 1]
    if not several:
        return None
    first = several[0]
    return Contradictions(len(several), shown_text(next(iter(first.values()))), tuple(sorted(first)))
