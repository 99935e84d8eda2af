"""Labelled examples, one model for each kind of task; their fields are the keys of a JSON line."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TaskKind(StrEnum):
    """What is asked of the model; it decides head, loss and metrics."""

    CLASSIFICATION = "classification"  # a text gets one label
    PAIR = "pair"  # two texts get one label
    TAGGING = "tagging"  # every token gets a tag (BIO)
    CHOICE = "choice"  # one of several candidates is picked
    SPAN = "span"  # the answer is cut out of a context


PRIMARY = {  # the score that counts
    TaskKind.CLASSIFICATION: "accuracy",
    TaskKind.PAIR: "accuracy",
    TaskKind.TAGGING: "entity_f1",
    TaskKind.CHOICE: "accuracy",
    TaskKind.SPAN: "f1",
}


class Example(BaseModel):
    """The parent of one model for each kind; ``id`` names the same item in every language, where a source knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[TaskKind]
    id: str = ""


class TextExample(Example):
    """A text and its label."""

    kind = TaskKind.CLASSIFICATION
    text: str = Field(min_length=1)
    label: str


class PairExample(Example):
    """Two texts and the label of their relation."""

    kind = TaskKind.PAIR
    premise: str = Field(min_length=1)
    hypothesis: str = Field(min_length=1)
    label: str


class TokensExample(Example):
    """Words and a BIO tag for each."""

    kind = TaskKind.TAGGING
    tokens: tuple[str, ...] = Field(min_length=1)
    tags: tuple[str, ...]

    @model_validator(mode="after")
    def _one_tag_a_token(self) -> Self:
        if len(self.tokens) != len(self.tags):
            raise ValueError(f"{len(self.tokens)} tokens but {len(self.tags)} tags; give one tag for each token")
        return self


class ChoiceExample(Example):
    """A premise, what is asked of it, and candidates of which ``label`` (an index) is right."""

    kind = TaskKind.CHOICE
    premise: str = Field(min_length=1)
    question: str = ""
    choices: tuple[str, ...] = Field(min_length=2)
    label: int = Field(ge=0)

    @model_validator(mode="after")
    def _label_is_a_choice(self) -> Self:
        if self.label >= len(self.choices):
            raise ValueError(f"label {self.label} but {len(self.choices)} choices; labels count from 0")
        return self


class Answer(BaseModel):
    """A stretch of the context: its text and the character at which it starts."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: str = Field(min_length=1)
    answer_start: int = Field(ge=0)


class MisplacedError(ValueError):
    """An answer does not stand where it is said to."""


class SpanExample(Example):
    """A question whose answers are stretches of the context."""

    kind = TaskKind.SPAN
    question: str = Field(min_length=1)
    context: str = Field(min_length=1)
    answers: tuple[Answer, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _answers_lie_in_the_context(self) -> Self:
        for a in self.answers:
            if self.context[a.answer_start : a.answer_start + len(a.text)] != a.text:
                raise MisplacedError(f"the context does not read {a.text[:40]!r} at character {a.answer_start}")
        return self


Split = Literal["train", "validation", "test"]
AnyExample = TextExample | PairExample | TokensExample | ChoiceExample | SpanExample
EXAMPLE_OF: dict[TaskKind, type[AnyExample]] = {
    model.kind: model for model in (TextExample, PairExample, TokensExample, ChoiceExample, SpanExample)
}


def content_digest(examples: Iterable[Example]) -> str:
    """The digest of the rows' bytes, in order: equal exactly when every field of every row is."""
    total = hashlib.sha256()
    for example in examples:
        total.update(example.model_dump_json().encode())
        total.update(b"\n")
    return total.hexdigest()[:16]


def take(examples: Sequence[AnyExample], rows: int | None, seed: int, *name: str) -> tuple[AnyExample, ...]:
    """The first ``rows`` of one seeded order (all, if None), so that fewer rows are always among more rows.

    ``name`` tells endpoints apart: each has an order of its own under the same seed.
    """
    order = list(range(len(examples)))
    random.Random(f"{seed} {' '.join(name)}").shuffle(order)
    return tuple(examples[i] for i in order[:rows])
