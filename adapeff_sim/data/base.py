"""The contract of a data source."""

from collections.abc import Mapping
from typing import Any, Protocol

from adapeff_sim.data.examples import AnyExample, Split, TaskKind
from adapeff_sim.registry import Registry


class DataSource(Protocol):
    """Labelled examples by task, language and split; the same question always gets the same answer."""

    def tasks(self) -> Mapping[str, TaskKind]:
        """Every task this source knows, with its kind."""
        ...

    def languages(self, task: str) -> tuple[str, ...]:
        """The languages in which ``task`` has examples, sorted."""
        ...

    def splits(self, task: str, language: str) -> tuple[Split, ...]:
        """The splits of which there are rows: train, validation, test, or some of them, in this order."""
        ...

    def labels(self, task: str) -> tuple[str, ...]:
        """Class names or tags of ``task``, sorted and the same in every language; empty for choice and span tasks."""
        ...

    def examples(self, task: str, language: str, split: Split, version: int = 1) -> tuple[AnyExample, ...]:
        """Every row of one split; a higher ``version`` is a later edition of it.

        Raises DataError, with file and line where there are any, for rows that cannot be read and for a task,
        language or version that the source does not have.
        """
        ...


SourceFactory = type[Any]  # called with the argument that stands in the scenario: none, a string or a mapping
ROOMS_OWN = ("base", "columns", "examples", "formats", "options", "overlap", "ready", "repository", "rows", "survey")
SOURCES: Registry[SourceFactory] = Registry("data source", "adapeff_sim.data", besides=ROOMS_OWN)
