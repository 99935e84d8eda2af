"""What comes from outside, opened once: rows of data sources, files of base models, the digests of both (no torch)."""

import functools
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapeff_sim.artifacts.artifact import Artifact, digest, lineage
from adapeff_sim.artifacts.recipe import BaseModelRecipe, DatasetRecipe
from adapeff_sim.base_models.release import Release
from adapeff_sim.data.base import SOURCES, DataSource
from adapeff_sim.data.examples import (
    AnyExample,
    ChoiceExample,
    PairExample,
    SpanExample,
    Split,
    TaskKind,
    TokensExample,
    content_digest,
    take,
)
from adapeff_sim.data.files import folder_named
from adapeff_sim.data.stated import Stated
from adapeff_sim.errors import DataError
from adapeff_sim.estimation.stated import resolve
from adapeff_sim.lifecycle.world import Endpoint, TestSet
from adapeff_sim.near_names import choices

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Rows = tuple[AnyExample, ...]
LENGTH_ROWS = 200  # rows whose median length is a request's
LENGTH_STEP = 8  # requests of nearly the same length share a shape
Texts = list[str] | str


@dataclass(frozen=True, slots=True)
class Request:
    """What a serving probe sends: ``outputs`` classes or tags, or the choices of one row; 0 for spans."""

    kind: TaskKind
    outputs: int
    length_tokens: int


@dataclass(slots=True)
class Sources:
    """A scenario's data sources and base models; ``data`` is its own source, folders count from ``root``."""

    data: str
    root: Path
    _sources: dict[str, DataSource] = field(default_factory=dict)
    _releases: dict[str, Release] = field(default_factory=dict)
    _train: dict[tuple[DatasetRecipe, int], Rows] = field(default_factory=dict)
    _validation: dict[tuple[str, str, str, int, int], Rows] = field(default_factory=dict)
    _digests: dict[tuple[str, ...], str] = field(default_factory=dict)
    _requests: dict[tuple[str, str, int], Request] = field(default_factory=dict)

    def source(self, name: str = "") -> DataSource:
        """A data source by its canonical name, such as ``helpdesk`` or ``files:FOLDER``; the scenario's own for "".

        Raises DataError for a source that cannot be opened and UnknownPlugin for one that nobody knows.
        """
        name = name or self.data
        if name not in self._sources:
            plugin, colon, _ = name.partition(":")
            argument = placed(plugin, argument_of(name), lambda folder: str(self._place(folder)))
            opened = SOURCES.get(plugin)
            self._sources[name] = opened(argument) if colon else opened()
        return self._sources[name]

    def release(self, spec: str) -> Release:
        """A base model by the name that the scenario gives it, its files checked once."""
        if spec not in self._releases:
            scheme, _, folder = spec.partition(":")
            at = f"path:{self._place(folder)}" if scheme == "path" and folder.strip() else spec
            self._releases[spec] = resolve(at)
        return self._releases[spec]

    def kind(self, task: str, source: str = "") -> TaskKind:
        """What is asked of a model for ``task``."""
        tasks = self.source(source).tasks()
        if task not in tasks:
            raise DataError(f"{short(source or self.data)}: no task {task!r}; {choices(task, tasks)}")
        return tasks[task]

    def labels(self, task: str, artifact: Artifact) -> tuple[str, ...]:
        """The labels or tags of ``task`` in all the sources that ``artifact`` has seen, sorted."""
        recipes = {a.recipe for a in lineage([artifact]).values() if isinstance(a.recipe, DatasetRecipe)}
        seen = {recipe.source for recipe in recipes if recipe.task == task}
        return tuple(sorted({label for source in sorted(seen) for label in self.source(source).labels(task)}))

    def stated(self, source: str = "") -> Stated | None:
        """A source whose rows are only stated; None for one that has them."""
        found = self.source(source)
        return found if isinstance(found, Stated) else None

    def count(self, endpoint: Endpoint, split: Split, source: str = "", version: int = 1) -> int:
        """How many rows an endpoint has, whether they are here or only stated."""
        if stated := self.stated(source):
            return stated.count(*endpoint, split)
        return len(self.source(source).examples(*endpoint, split, version))

    def train_rows(self, recipe: DatasetRecipe, seed: int) -> Rows:
        """The first rows of an endpoint's seeded order."""
        if (recipe, seed) not in self._train:
            rows = self.source(recipe.source).examples(recipe.task, recipe.language, "train")
            self._train[recipe, seed] = take(rows, recipe.rows, seed, recipe.task, recipe.language)
        return self._train[recipe, seed]

    def validation_rows(self, task: str, language: str, source: str, limit: int, seed: int) -> Rows:
        """At most ``limit`` rows of an endpoint that decide when its training has gone on for long enough."""
        name = (task, language, source, limit, seed)
        if name not in self._validation:
            rows = self.source(source).examples(task, language, "validation") if limit else ()
            self._validation[name] = take(rows, limit, seed, "validation", task, language)
        return self._validation[name]

    def test_rows(self, endpoint: Endpoint, test_set: TestSet) -> Rows:
        """Every row that an endpoint is scored on."""
        return self.source(test_set.source).examples(*endpoint, "test", test_set.version)

    def digest(self, artifact: Artifact, seed: int) -> str:
        """The content of a source artifact: of a base model its files, of a dataset its labels and train rows."""
        recipe = artifact.recipe
        if isinstance(recipe, BaseModelRecipe):
            return self.release(recipe.release).digest
        if not isinstance(recipe, DatasetRecipe):
            raise DataError(f"{artifact.slot}: a {artifact.kind} has no source.")
        name = (artifact.fingerprint, str(seed))
        if name not in self._digests:
            source = self.source(recipe.source)
            asked = [self.kind(recipe.task, recipe.source), *source.labels(recipe.task)]
            is_here = self.stated(recipe.source) is None
            rows = content_digest(self.train_rows(recipe, seed)) if is_here else self._stated_rows(recipe)
            self._digests[name] = digest("dataset", recipe.task, recipe.language, asked, rows)
        return self._digests[name]

    def validation_digest(self, recipe: DatasetRecipe, limit: int, seed: int) -> str:
        """The content of the validation rows beside a dataset."""
        name = ("validation", recipe.task, recipe.language, recipe.source, str(limit), str(seed))
        if name not in self._digests:
            if stated := self.stated(recipe.source):
                rows_used = min(limit, stated.count(recipe.task, recipe.language, "validation"))
                content = f"{rows_used} of {self._said(recipe.task, recipe.source)}"
            else:
                rows = self.validation_rows(recipe.task, recipe.language, recipe.source, limit, seed)
                content = content_digest(rows)
            self._digests[name] = digest(recipe.task, recipe.language, content)
        return self._digests[name]

    def test_digest(self, endpoint: Endpoint, test_set: TestSet) -> str:
        """The content of a test set."""
        name = ("test", *endpoint, str(test_set.version), test_set.source)
        if name not in self._digests:
            is_here = self.stated(test_set.source) is None
            content = content_digest(self.test_rows(endpoint, test_set)) if is_here else ""
            self._digests[name] = content or digest(*name, self._said(endpoint.task, test_set.source))
        return self._digests[name]

    def _stated_rows(self, recipe: DatasetRecipe) -> str:
        return f"{recipe.rows} of {self._said(recipe.task, recipe.source)}"

    def _said(self, task: str, source: str) -> str:
        """The content of a task whose rows are only stated: what is said of it."""
        stated = self.stated(source)
        return "" if stated is None else stated.task(task).model_dump_json()

    def request(self, task: str, release: Release, max_length: int) -> Request:
        """A request of the usual length: the median of the task's test rows in English, or in its first language.

        The length is in tokens of the release, rounded up to a multiple of 8, at most ``max_length``
        and no longer than the release can read.
        """
        name = (task, release.digest, max_length)
        if stated := self.stated():
            said = stated.task(task)
            return Request(said.kind, said.outputs, min(said.tokens, max_length, release.longest))
        if name not in self._requests:
            source, kind = self.source(), self.kind(task)
            languages = source.languages(task)
            rows = source.examples(task, "en" if "en" in languages else languages[0], "test")[:LENGTH_ROWS]
            usual = statistics.median_high(chain.from_iterable(lengths(release, rows)))
            length = min(max_length, release.longest, -(-usual // LENGTH_STEP) * LENGTH_STEP)
            choices = [len(row.choices) for row in rows if isinstance(row, ChoiceExample)]
            outputs = statistics.median_high(choices) if choices else len(source.labels(task))
            self._requests[name] = Request(kind, outputs, length)
        return self._requests[name]

    def _place(self, folder: str) -> Path:
        return self.root / folder_named(folder, "data")


def go_offline() -> None:
    """Keep everything in this process from asking the hub; what is in its caches can still be read."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    for module in ("huggingface_hub.constants", "datasets.config"):  # each has looked when it was imported
        if module in sys.modules:
            setattr(sys.modules[module], "HF_HUB_OFFLINE", True)  # noqa: B010


def placed(plugin: str, argument: Any, place: Callable[[str], str]) -> Any:
    """A data source's argument, with the folders that it names as ``place`` says them."""
    if plugin == "files" and isinstance(argument, str) and argument.strip():
        return place(argument)
    if isinstance(argument, list):
        return [placed(plugin, part, place) for part in argument]
    key = {"files": "folder", "hub": "id"}.get(plugin, "")
    if not isinstance(argument, dict) or not isinstance(argument.get(key), str) or "revision" in argument:
        return argument  # with a commit it names a repository
    there = place(argument[key])
    is_folder = plugin == "files" or "/" not in argument[key] or Path(there).is_dir()
    return argument | {key: there} if is_folder else argument


def short(name: str) -> str:
    """A data source's name without its options, for a message: ``hub:owner/name``, ``files:rows``."""
    try:
        argument = argument_of(name)
    except DataError:
        return name[:80]
    several = argument if isinstance(argument, list) else [argument]
    if all(isinstance(part, str) for part in several) and not isinstance(argument, list):
        return name
    words = [part if isinstance(part, str) else _word(part) for part in several]
    return f"{name.partition(':')[0]}:{','.join(words)}" if all(words) else name.partition(":")[0]


def _word(argument: object) -> str:
    """The one word of a source's options that tells it from others, if there is one."""
    said = argument if isinstance(argument, dict) else {}
    return next((str(said[key]) for key in ("folder", "id", "mapping") if key in said), "")


def argument_of(name: str) -> Any:
    """What stands behind a source's name: JSON if it looks so, else a word."""
    said = name.partition(":")[2]
    if not said.lstrip().startswith(("{", "[")):
        return said
    try:
        return json.loads(said)
    except ValueError as error:
        raise DataError(f"data source {name[:80]!r}: {error}; write it as `NAME: {{option: value}}`.") from None


def lengths(release: Release, rows: Iterable[AnyExample]) -> list[list[int]]:
    """The tokens of each row, as a model of this release would read it; of a choice those of each candidate."""
    tokenizer = _tokenizer(release)
    return [
        [len(tokenizer.encode(*texts, is_pretokenized=isinstance(texts[0], list)).ids) for texts in _texts(row)]
        for row in rows
    ]


@functools.lru_cache(maxsize=4)
def _tokenizer(release: Release) -> "Tokenizer":
    from tokenizers import Tokenizer

    path = release.folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise DataError(f"{path}: no tokenizer that can be read ({str(error)[:80]}); fetch the model again") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _texts(row: AnyExample) -> list[tuple[Texts, ...]]:
    """One text or two for each sequence that a row makes."""
    if isinstance(row, PairExample):
        return [(row.premise, row.hypothesis)]
    if isinstance(row, TokensExample):
        return [(list(row.tokens),)]
    if isinstance(row, ChoiceExample):
        return [(f"{row.premise} {row.question}".strip(), choice) for choice in row.choices]
    if isinstance(row, SpanExample):
        return [(row.question, row.context)]
    return [(row.text,)]
