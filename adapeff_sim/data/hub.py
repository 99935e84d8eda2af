"""Examples from a dataset repository on the Hugging Face hub, or from a local folder that is laid out like one.

A repository is pinned to a commit: the same scenario reads the same rows next year, and a copy of another commit
that happens to lie in the local cache is refused.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.examples import EXAMPLE_OF, AnyExample, Split, TaskKind
from adapeff_sim.data.files import SPLITS
from adapeff_sim.data.rows import (
    PROBLEMS_SHOWN,
    Located,
    RowProblem,
    clean,
    labels_never_trained,
    labels_of,
    read_row,
    refuse,
    shown,
    unknown,
)
from adapeff_sim.errors import DataError

Reader = Callable[[Any], Any]
COMMIT = re.compile(r"[0-9a-f]{40}")
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class HubTask(BaseModel):
    """Where the rows of one task lie in the repository, and which columns are its fields.

    ``languages`` gives each language the repository's word for it: a value of the column that ``columns`` names for
    ``language``, if it names one; else the word that stands for ``{language}`` in ``config`` (by default, all of it).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: TaskKind
    columns: dict[str, str | tuple[str, ...]] = {}  # field: column; several columns make a list (choices)
    config: str | None = None
    languages: dict[str, str] = Field(min_length=1)
    splits: dict[Split, str] = {}  # what the repository calls them, where it is another word

    @model_validator(mode="after")
    def _every_language_has_rows_of_its_own(self) -> Self:
        fields = {*EXAMPLE_OF[self.kind].model_fields, "language"}
        if strange := sorted(set(self.columns) - fields):
            raise ValueError(f"columns names {shown(strange[0])}; a {self.kind} row has {', '.join(sorted(fields))}")
        if strange := [
            field for field, column in self.columns.items() if field != "choices" and not isinstance(column, str)
        ]:
            raise ValueError(f"columns gives {strange[0]} several columns; only choices can lie in several")
        fixed = self.config is not None and "{language}" not in self.config and "language" not in self.columns
        if fixed and len(self.languages) > 1:
            raise ValueError("every language would read the same config; write {language} in it, or columns: language")
        return self

    def column_of(self) -> dict[str, str | tuple[str, ...]]:
        """Every field's column: a required field that is not named has a column of its own name."""
        required = {name: name for name, field in EXAMPLE_OF[self.kind].model_fields.items() if field.is_required()}
        return required | {field: column for field, column in self.columns.items() if field != "language"}


class HubOptions(BaseModel):
    """The repository (or a local folder), its commit, and the tasks to read from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(min_length=1)
    revision: str | None = None
    tasks: dict[str, HubTask] = Field(min_length=1)


class Table(NamedTuple):
    """One split as the repository has it."""

    where: str
    columns: Mapping[str, Any]  # column: its type in the datasets library
    rows: Any  # iterable of {column: value}


@SOURCES.register
class Hub:
    """A dataset repository at one commit; a split is fetched when its rows are first asked for."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        try:
            self.options = HubOptions.model_validate(options)
        except ValidationError as error:
            refuse(_option_problem(found) for found in error.errors(include_url=False))
        self.folder = _local_folder(self.options)
        self._rows: dict[tuple[str, str, Split], tuple[Located, ...]] = {}

    def tasks(self) -> dict[str, TaskKind]:
        """The tasks that the scenario describes, with their kinds."""
        return {name: task.kind for name, task in sorted(self.options.tasks.items())}

    def languages(self, task: str) -> tuple[str, ...]:
        """The languages that the scenario gives a task, sorted."""
        return tuple(sorted(self._task(task).languages))

    def labels(self, task: str) -> tuple[str, ...]:
        """The labels of all training rows in all languages; an evaluation row with another one is an error."""
        if self._task(task).kind in (TaskKind.CHOICE, TaskKind.SPAN):
            return ()
        rows = {(at, split): self._read(task, at, split) for at in self.languages(task) for split in SPLITS}
        train = {label for (_, split), some in rows.items() if split == "train" for row in some for label in _of(row)}
        tested = (some for (_, split), some in rows.items() if split != "train")
        refuse(problem for some in tested for problem in labels_never_trained(train, some))
        return tuple(sorted(train))

    def examples(self, task: str, language: str, split: Split, version: int = 1) -> tuple[AnyExample, ...]:
        """Every row of one split; a commit holds one edition, so there is no version 2."""
        if language not in self._task(task).languages:
            raise unknown(f"language of task {task}", language, self.languages(task))
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        if version != 1:
            raise DataError(f"{self.options.id}: no version {version}; one commit is one edition, so ask for version 1")
        return tuple(row.example for row in self._read(task, language, split))

    def _task(self, task: str) -> HubTask:
        if task not in self.options.tasks:
            raise unknown("task", task, self.options.tasks)
        return self.options.tasks[task]

    def _read(self, task: str, language: str, split: Split) -> tuple[Located, ...]:
        key = (task, language, split)
        if key not in self._rows:
            wanted, word = self._task(task), self._task(task).languages[language]
            by_column = "language" in wanted.columns
            config = wanted.config if by_column else (wanted.config or "{language}").replace("{language}", word)
            table = self._fetch(config, wanted.splits.get(split, split))
            self._rows[key] = _located(table, wanted, word if by_column else None)
        return self._rows[key]

    def _fetch(self, config: str | None, split: str) -> Table:
        """One split through the datasets library; nothing of the repository is run."""
        datasets = importlib.import_module("datasets")  # slow to import, so not before it is needed
        datasets.disable_progress_bars()  # they would write across the screen of a run
        where = f"{self.options.id} config={config} split={split}"
        place: dict[str, Any] = {"name": config}
        if self.folder and config and any(child.name == config and child.is_dir() for child in self.folder.iterdir()):
            place = {"data_dir": config}
        try:
            builder = datasets.load_dataset_builder(
                str(self.folder or self.options.id), revision=self.options.revision, **place
            )
            # Where the hub does not answer, the library takes the latest copy in its cache, of whatever commit.
            if self.options.revision not in (None, builder.hash):
                raise DataError(f"{where}: only another commit is in the cache ({builder.hash}); go online to fetch it")
            builder.download_and_prepare()
            rows = builder.as_dataset(split=split)
        except DataError:
            raise
        except Exception as error:  # the library raises whatever its readers raise; all of it is about the data
            reason = clean(" ".join(str(error).split()))[:200]
            fix = "check config, split and columns, or be online" if self.options.revision else "check config and split"
            raise DataError(f"{where}: {type(error).__name__}: {reason}; {fix}") from error
        return Table(where, rows.features, rows)


def _of(row: Located) -> tuple[str, ...]:
    return labels_of(row.example)


def _option_problem(found: Any) -> str:
    path = ".".join(str(part) for part in ("hub", *found["loc"]))
    told = found["msg"].removeprefix("Value error, ")
    return f"{clean(path)[:80]}: {told}" + (
        "" if found["type"] == "value_error" else f" (found {shown(found['input'])})"
    )


def _local_folder(options: HubOptions) -> Path | None:
    """The folder that ``id`` names, or None for a repository on the hub, which must be pinned."""
    folder = Path(options.id).expanduser()
    if options.revision is None:
        if folder.is_dir():
            return folder.resolve()
        if REPOSITORY.fullmatch(options.id):
            raise DataError(f"hub.revision: missing for {options.id}; give the 40-digit commit to read")
        raise DataError(f"hub.id: {shown(options.id)} is no folder here and no owner/name; give one of them")
    if not COMMIT.fullmatch(options.revision):
        raise DataError(f"hub.revision: {shown(options.revision)} is no commit; give all its 40 digits in lower case")
    if folder.is_dir() or not REPOSITORY.fullmatch(options.id):
        fix = "a folder has no revision, so leave it out" if folder.is_dir() else "give owner/name"
        raise DataError(f"hub.id: {shown(options.id)} is no repository on the hub; {fix}")
    return None


def _located(table: Table, task: HubTask, language: str | None) -> tuple[Located, ...]:
    """The examples of one split, of one language where a column tells languages apart."""
    wanted = task.column_of()
    language_column = str(task.columns.get("language", ""))
    flat = [name for column in wanted.values() for name in ([column] if isinstance(column, str) else column)]
    for name in (*flat, *([language_column] if language else ())):
        if name not in table.columns:
            raise DataError(f"{table.where}: no column {shown(name)}; columns are {', '.join(table.columns)}"[:400])
    classes = () if task.kind is TaskKind.CHOICE else ("label", "tags")  # the label of a choice is its number
    read = {field: _class_names(table.columns[str(wanted[field])]) for field in classes if field in wanted}
    found: list[Located] = []
    problems: list[str] = []
    for number, row in enumerate(table.rows):
        if language is None or row[language_column] == language:
            where = f"{table.where} row {number}"
            try:
                found.append(Located(where, read_row(task.kind, _fields(row, wanted, read))))
            except RowProblem as error:
                problems += [f"{where}: {problem}" for problem in error.problems]
        if len(problems) > PROBLEMS_SHOWN:
            break
    refuse(problems)
    if not found:
        at = f" with {language_column} {shown(language)}" if language else ""
        raise DataError(f"{table.where}: no rows{at}; name a split that has some")
    return tuple(found)


def _fields(row: Mapping[str, Any], columns: Mapping[str, Any], read: Mapping[str, Reader]) -> dict[str, Any]:
    """A row's fields by the words of its kind, class numbers turned into the names they stand for."""
    fields: dict[str, Any] = {}
    for field, column in columns.items():
        value = row[column] if isinstance(column, str) else [row[name] for name in column]
        fields[field] = read[field](value) if field in read else value
    if "id" in fields:
        fields["id"] = "" if fields["id"] is None else str(fields["id"])
    return fields


def _class_names(feature: Any) -> Reader:
    """How labels are read from a column: by the names it declares; a number without a name is its own name."""
    inner = getattr(feature, "feature", None)  # of a list
    names = getattr(inner if inner is not None else feature, "names", None)

    def read(value: Any) -> Any:
        if isinstance(value, list):
            return [read(entry) for entry in value]
        if not isinstance(value, int):
            return value
        if names is None:
            return str(value)
        if not 0 <= value < len(names):
            raise RowProblem(f"class {value} has no name; drop the row, or name a split with labels")
        return names[value]

    return read
