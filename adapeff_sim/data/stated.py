"""Rows that are only stated: how many there are and how long, so that a life can be priced whose rows are not here.

stated:
  nli: {kind: pair, outputs: 3, tokens: 128, train: {en: 392702}, validation: {en: 2490}, test: {en: 5010, sw: 5010}}

The sizes decide steps, batches and what labelling costs; nothing can be trained or scored on them.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.examples import AnyExample, Split, TaskKind
from adapeff_sim.data.options import OptionsError, Place, misunderstood
from adapeff_sim.data.rows import unknown
from adapeff_sim.errors import DataError

MOST_ROWS = 10**10
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
WITHOUT_LABELS = (TaskKind.CHOICE, TaskKind.SPAN)
Rows = dict[str, int]


class StatedTask(BaseModel):
    """The rows of one task: by language, and what all of them are like."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: TaskKind
    outputs: int = Field(default=0, ge=0, le=10**6, description="Classes or tags; of a choice how many there are.")
    tokens: int = Field(gt=0, le=10**6, description="Pieces of one sequence, padding included; max_length cuts them.")
    windows_per_row: float = Field(
        default=1.0, ge=1, le=1000, description="Sequences that a row of a span task is cut into."
    )
    train: Rows = Field(default={}, description="Rows by language.")
    validation: Rows = Field(default={}, description="Rows by language.")
    test: Rows = Field(default={}, description="Rows by language.")

    def rows(self, split: Split) -> Rows:
        """The rows of one split by language."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of which any split has rows."""
        return tuple(sorted({language for split in SPLITS for language in self.rows(split)}))

    @property
    def sequences_per_row(self) -> int:
        """The sequences that one row (or one window of it) is read as: of a choice one for each candidate."""
        return self.outputs if self.kind is TaskKind.CHOICE else 1


class StatedOptions(RootModel[dict[str, StatedTask]]):
    """Tasks by name, each with its sizes."""


@SOURCES.register
class Stated:
    """Sizes by task, language and split; a row of it cannot be had."""

    Options: ClassVar[type[BaseModel]] = StatedOptions

    def __init__(self, tasks: object) -> None:
        if not isinstance(tasks, dict) or not tasks:
            raise OptionsError([((), "write {stated: {TASK: {kind: ..., tokens: ..., train: {en: ROWS}}}}")])
        problems: list[tuple[Place, str]] = []
        self._tasks: dict[str, StatedTask] = {}
        for name, said in tasks.items():
            try:
                self._tasks[name] = StatedTask.model_validate(said)
                problems += [((name, *at), text) for at, text in _wrong(self._tasks[name])]
            except ValidationError as error:
                problems += misunderstood((name,), error, StatedTask).problems
        if problems:
            raise OptionsError(problems)

    def task(self, name: str) -> StatedTask:
        """The sizes of one task."""
        if name not in self._tasks:
            raise DataError(f"stated: {unknown('task', name, self._tasks)}")
        return self._tasks[name]

    def tasks(self) -> Mapping[str, TaskKind]:
        """Every task, with its kind."""
        return {name: task.kind for name, task in self._tasks.items()}

    def languages(self, task: str) -> tuple[str, ...]:
        """The languages of which any split has rows."""
        return self.task(task).languages

    def splits(self, task: str, language: str) -> tuple[Split, ...]:
        """The splits that have rows."""
        return tuple(split for split in SPLITS if self.task(task).rows(split).get(language))

    def labels(self, task: str) -> tuple[str, ...]:
        """As many names as there are classes or tags."""
        said = self.task(task)
        count = 0 if said.kind in WITHOUT_LABELS else said.outputs
        return tuple(f"{i:06}" for i in range(count))

    def count(self, task: str, language: str, split: Split) -> int:
        """How many rows are stated."""
        return self.task(task).rows(split).get(language, 0)

    def examples(self, task: str, language: str, split: Split, version: int = 1) -> tuple[AnyExample, ...]:
        """Nothing: raises DataError, as rows are only stated."""
        raise DataError(
            f"stated: {self.count(task, language, split)} {split} rows of {task}/{language} (edition {version}) are "
            "stated, and none is here; price them with `plan --price` or `run --executor estimate`, or give rows"
        )


def _wrong(task: StatedTask) -> list[tuple[Place, str]]:
    """What one task says that cannot be."""
    found: list[tuple[Place, str]] = []
    if task.kind is TaskKind.SPAN and task.outputs:
        found.append((("outputs",), "a span has none; drop it"))
    if task.kind is not TaskKind.SPAN and task.outputs < 2:
        found.append((("outputs",), f"is {task.outputs}; give at least 2 classes, tags or choices"))
    if task.kind is not TaskKind.SPAN and task.windows_per_row > 1:
        found.append((("windows_per_row",), "only rows of a span task are cut into windows; drop it"))
    for split in SPLITS:
        for language, rows in task.rows(split).items():
            if not 0 < rows <= MOST_ROWS:
                found.append(((split, language), f"is {rows}; give a number of rows above 0"))
    if not task.languages:
        found.append((("train",), "missing; add `train: {en: ROWS}`"))
    return found
