"""Examples in a folder: ``<task>/<language>/<split>.<ending>``, and a later edition in ``<split>.v<n>.<ending>``.

Without a mapping the fields of a task's first rows say what kind of task it is. Names that come from a scenario are
looked up among the folders that are there and never become a path.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.columns import AsTheyAre, RowMapping, located
from adapeff_sim.data.examples import AnyExample, Split, TaskKind
from adapeff_sim.data.formats import READERS, columns_of
from adapeff_sim.data.options import misunderstood
from adapeff_sim.data.rows import (
    Located,
    RowProblem,
    clean,
    labels_never_trained,
    labels_of,
    refuse,
    shown,
    unknown,
)
from adapeff_sim.errors import DataError

FIRST_ROWS = 10  # rows looked at for the kind of a file, where the first cannot be read
SPLITS: tuple[Split, ...] = get_args(Split)
SPLIT_FILE = re.compile(rf"(train|validation|test)(?:\.v([2-9]|[1-9][0-9]+))?\.({'|'.join(READERS)})")
TELLING_FIELDS = {
    "choices": TaskKind.CHOICE,
    "hypothesis": TaskKind.PAIR,
    "tokens": TaskKind.TAGGING,
    "tags": TaskKind.TAGGING,
    "context": TaskKind.SPAN,
    "answers": TaskKind.SPAN,
    "text": TaskKind.CLASSIFICATION,
}


class FilesOptions(BaseModel):
    """A folder of rows, and for each task whose columns or labels have other names, which they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: str = Field(min_length=1)
    tasks: dict[str, RowMapping] = {}


def _kind_of(path: Path) -> TaskKind | str:
    """The kind that the columns or the first readable row of a file tell; else what is wrong with its first rows."""
    table = None if path.suffix == ".parquet" else READERS[path.suffix[1:]](path)
    columns = columns_of(path) if table is None else table.columns
    if table is None or columns:
        try:
            return _telling(columns)
        except RowProblem as error:
            where, text = f"{clean(str(path))}:1", str(error)
            is_text = table is not None and table.sort == "text"
            return (
                f"{where}: {text}; write their names on the first line, if these are none"
                if is_text
                else f"{where}: {text}"
            )
    problems = []
    for where, row in itertools.islice(table.rows, FIRST_ROWS):
        try:
            if isinstance(row, RowProblem):
                raise row
            return _telling(row)
        except RowProblem as error:
            problems.append(f"{where}: {error}")
    return "\n".join(problems) or f"{table.where}: no rows; {table.wanted}"


def _telling(fields: Iterable[str]) -> TaskKind:
    """The kind of task that alone has one of these fields."""
    there = set(fields)
    for field, kind in TELLING_FIELDS.items():
        if field in there:
            return kind
    found = clean(", ".join(map(str, fields)))[:120]
    fix = f"call one {', '.join(TELLING_FIELDS)}, or map them in a scenario (columns, docs/data.md)"
    raise RowProblem(f"no field tells the kind of task, the fields are {found}; {fix}")


class Kinds(Mapping[str, TaskKind]):
    """Task names with their kinds; a kind is looked up when it is asked for, so that one bad file hides no other task.

    Asking for a kind raises DataError where the files of that task do not tell it.
    """

    def __init__(self, names: Iterable[str], kind_of: Callable[[str], TaskKind]) -> None:
        self._names, self._kind_of = tuple(names), kind_of

    def __getitem__(self, task: str) -> TaskKind:
        if task not in self._names:
            raise KeyError(task)
        return self._kind_of(task)

    def __contains__(self, task: object) -> bool:
        return task in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def folder_named(name: str, said_in: str) -> Path:
    """Where to look for a folder; DataError for a name that none can have, or that this user may not look for."""
    try:
        path = Path(name).expanduser()
        path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        reason = clean(str(getattr(error, "strerror", None) or error))
        raise DataError(f"{said_in}: {shown(name)} is no folder ({reason}); give one that is") from None
    return path


class Edition(NamedTuple):
    """One file of a task."""

    language: str
    split: Split
    version: int


@SOURCES.register
class Files:
    """A folder of labelled rows; a file is read when its rows are first asked for."""

    Options = FilesOptions

    def __init__(self, options: str | Path | Mapping[str, Any]) -> None:
        if isinstance(options, Path):
            options = str(options)
        if isinstance(options, str):
            options = {"folder": options}
        folder = options.get("folder", "") if isinstance(options, Mapping) else ""
        if not isinstance(folder, str) or not folder.strip():
            what = shown(options) if not isinstance(options, Mapping) else "without a folder"
            raise DataError(f"files: {what} is no folder name; write files: FOLDER, or {{folder: FOLDER, tasks: ...}}")
        folder_named(folder, "files")
        try:
            self._mappings = FilesOptions.model_validate(options).tasks
        except ValidationError as error:
            raise misunderstood(("files",), error, FilesOptions) from None
        self.folder = Path(folder).expanduser()
        if self.folder.is_file():
            raise DataError(f"files: {shown(folder)} is a file; give the folder that has <task>/<language>/ in it")
        if not self.folder.is_dir():
            raise DataError(f"files: no folder {shown(folder)} here ({clean(str(Path.cwd()))}); give one that is")
        self._layout: dict[str, dict[Edition, Path]] = {}
        self._kinds: dict[str, TaskKind] = {}
        self._rows: dict[Path, tuple[Located, ...]] = {}

    def tasks(self) -> Kinds:
        """Every task folder, with the kind that the first rows of its files show."""
        return Kinds(self._found(), self._kind)

    def languages(self, task: str) -> tuple[str, ...]:
        """The language folders of a task that hold a split, sorted."""
        return tuple(sorted({edition.language for edition in self._editions(task)}))

    def splits(self, task: str, language: str) -> tuple[Split, ...]:
        """The splits of which a language has a first edition."""
        if language not in self.languages(task):
            raise unknown(f"language of task {task}", language, self.languages(task))
        return tuple(split for split in SPLITS if Edition(language, split, 1) in self._editions(task))

    def labels(self, task: str) -> tuple[str, ...]:
        """The labels that the task's mapping names, if it does; else those of all training rows in all languages.

        An evaluation row with another label is an error.
        """
        editions = self._editions(task)
        if self._kind(task) in (TaskKind.CHOICE, TaskKind.SPAN):
            return ()
        if declared := task in self._mappings and self._mappings[task].declared():
            return declared
        train = {
            label
            for edition, path in editions.items()
            if edition.split == "train"
            for row in self._read(task, path)
            for label in labels_of(row.example)
        }
        if not train:
            raise DataError(f"{clean(str(self.folder / task))}: no language has a train.jsonl (or .csv, ...); add one")
        tested = (path for edition, path in editions.items() if edition.split != "train")
        refuse(problem for path in tested for problem in labels_never_trained(train, self._read(task, path)))
        return tuple(sorted(train))

    def examples(self, task: str, language: str, split: Split, version: int = 1) -> tuple[AnyExample, ...]:
        """Every row of one file, in its order; version 2 is ``<split>.v2.jsonl``."""
        editions = self._editions(task)
        if language not in self.languages(task):
            raise unknown(f"language of task {task}", language, self.languages(task))
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        path = editions.get(Edition(language, split, version))
        if path is None:
            names = sorted(path.name for edition, path in editions.items() if edition.language == language)
            ending = names[0].rpartition(".")[2]
            name = f"{split}.{ending}" if version == 1 else f"{split}.v{version}.{ending}"
            raise DataError(f"{clean(str(self.folder / task / language))}: no {name}; there are {', '.join(names)}")
        return tuple(row.example for row in self._read(task, path))

    def empty(self) -> tuple[tuple[str, str], ...]:
        """Task and language of every language folder without a file of a split, sorted."""
        found = []
        for task in self._inside(self.folder):
            if task.is_dir():
                held = {edition.language for edition in self._found().get(task.name, ())}
                bare = (at.name for at in self._inside(task) if at.is_dir() and at.name not in held)
                found += [(clean(task.name), clean(at)) for at in bare]
        return tuple(found)

    def _editions(self, task: str) -> dict[Edition, Path]:
        if task not in self._found():
            raise unknown("task", task, self._found())
        return self._found()[task]

    def _found(self) -> dict[str, dict[Edition, Path]]:
        """Every task's files, by the names of folders alone."""
        if not self._layout:
            layout = {task.name: self._splits(task) for task in self._inside(self.folder) if task.is_dir()}
            self._layout = {task: files for task, files in layout.items() if files}
            if not self._layout:
                wanted = f"<task>/<language>/train.jsonl, validation.jsonl and test.jsonl (or {', '.join(READERS)})"
                other = next(iter(sorted(self.folder.glob("*/*/*.json"))), None)
                hint = f"; {other.name} is not read: write one JSON object a line, and call it .jsonl" if other else ""
                raise DataError(f"{clean(str(self.folder))}: no task in this folder; it needs {wanted}{clean(hint)}")
            for task in sorted(self._mappings.keys() - self._layout.keys()):
                raise DataError(f"files.tasks: {unknown('task', task, self._layout)}")
        return self._layout

    def _splits(self, task: Path) -> dict[Edition, Path]:
        found: dict[Edition, Path] = {}
        for language in self._inside(task):
            for path in self._inside(language) if language.is_dir() else ():
                if (match := SPLIT_FILE.fullmatch(path.name)) and path.is_file():
                    split = next(s for s in SPLITS if s == match[1])
                    edition = Edition(language.name, split, int(match[2] or 1))
                    if edition in found:
                        twice = f"{found[edition].name} and {path.name} are the same split; keep one"
                        raise DataError(f"{clean(str(language))}: {twice}")
                    found[edition] = path
        return found

    def _inside(self, folder: Path) -> Iterator[Path]:
        """What lies in a folder, sorted, hidden names left out; a link that leads out of the source is refused."""
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            raise DataError(f"{clean(str(folder))}: cannot be listed ({error.strerror}); make it readable") from None
        for path in paths:
            if path.name.startswith("."):
                continue
            if path.is_symlink() and path.exists() and not path.resolve().is_relative_to(self.folder.resolve()):
                raise DataError(f"{clean(str(path))}: a link that leads out of {self.folder}; put a copy in its place")
            yield path

    def _kind(self, task: str) -> TaskKind:
        """The one kind that all files of a task show."""
        if task in self._mappings:
            return self._mappings[task].kind
        if task not in self._kinds:
            told = {path: _kind_of(path) for path in self._editions(task).values()}
            shows = [(path, kind) for path, kind in told.items() if isinstance(kind, TaskKind)]
            if not shows:
                raise DataError(next(str(problem) for problem in told.values()))
            (first, kind), *others = shows
            for path, other in others:
                if other is not kind:
                    raise DataError(
                        f"{clean(str(path))}:1: rows of a {other} task, but {first.name} of {first.parent.name} has "
                        f"{kind} rows; give each kind a task folder of its own"
                    )
            self._kinds[task] = kind
        return self._kinds[task]

    def _read(self, task: str, path: Path) -> tuple[Located, ...]:
        if path not in self._rows:
            mapping = self._mappings.get(task) or AsTheyAre(self._kind(task))
            self._rows[path] = located(READERS[path.suffix[1:]](path), mapping)
        return self._rows[path]
