"""What comes from outside, opened once: rows of data sources, files of base models, the digests of both (no torch)."""

import json
import os
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapeff_sim.artifacts.artifact import Artifact, digest, lineage
from adapeff_sim.artifacts.recipe import BaseModelRecipe, DatasetRecipe
from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.data.base import SOURCES, DataSource
from adapeff_sim.data.examples import (
    AnyExample,
    ChoiceExample,
    PairExample,
    SpanExample,
    TaskKind,
    TokensExample,
    content_digest,
    take,
)
from adapeff_sim.data.files import folder_named
from adapeff_sim.errors import DataError
from adapeff_sim.lifecycle.world import Endpoint, TestSet

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
            raise DataError(f"{short(source or self.data)}: no task {task!r}; it has {', '.join(sorted(tasks))}.")
        return tasks[task]

    def labels(self, task: str, artifact: Artifact) -> tuple[str, ...]:
        """The labels or tags of ``task`` in all the sources that ``artifact`` has seen, sorted."""
        recipes = {a.recipe for a in lineage([artifact]).values() if isinstance(a.recipe, DatasetRecipe)}
        seen = {recipe.source for recipe in recipes if recipe.task == task}
        return tuple(sorted({label for source in sorted(seen) for label in self.source(source).labels(task)}))

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
            rows = content_digest(self.train_rows(recipe, seed))
            self._digests[name] = digest("dataset", recipe.task, recipe.language, asked, rows)
        return self._digests[name]

    def validation_digest(self, recipe: DatasetRecipe, limit: int, seed: int) -> str:
        """The content of the validation rows beside a dataset."""
        name = ("validation", recipe.task, recipe.language, recipe.source, str(limit), str(seed))
        if name not in self._digests:
            rows = self.validation_rows(recipe.task, recipe.language, recipe.source, limit, seed)
            self._digests[name] = digest(recipe.task, recipe.language, content_digest(rows))
        return self._digests[name]

    def test_digest(self, endpoint: Endpoint, test_set: TestSet) -> str:
        """The content of a test set."""
        name = ("test", *endpoint, str(test_set.version), test_set.source)
        if name not in self._digests:
            self._digests[name] = content_digest(self.test_rows(endpoint, test_set))
        return self._digests[name]

    def request(self, task: str, release: Release, max_length: int) -> Request:
        """A request of the usual length: the median of the task's test rows in English, or in its first language.

        The length is in tokens of the release, rounded up to a multiple of 8, at most ``max_length``
        and no longer than the release can read.
        """
        name = (task, release.digest, max_length)
        if name not in self._requests:
            source, kind = self.source(), self.kind(task)
            languages = source.languages(task)
            rows = source.examples(task, "en" if "en" in languages else languages[0], "test")[:LENGTH_ROWS]
            usual = statistics.median_high(_lengths(release, rows))
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


def _lengths(release: Release, rows: Iterable[AnyExample]) -> list[int]:
    """The tokens of each row, as a model of this release would read it; each choice is read by itself."""
    tokenizer = _tokenizer(release)
    return [
        len(tokenizer.encode(*texts, is_pretokenized=isinstance(texts[0], list)).ids)
        for row in rows
        for texts in _texts(row)
    ]


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
