"""Examples in a folder of JSON lines, ``<task>/<language>/<split>.jsonl``; a later edition is ``<split>.v<n>.jsonl``.

The fields of a task's first rows say what kind of task it is. Names that come from a scenario are looked up among the
folders that are there and never become a path.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.examples import AnyExample, Split, TaskKind
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

FIRST_ROWS = 10  # rows looked at for the kind of a file, where the first cannot be read
SPLITS: tuple[Split, ...] = get_args(Split)
SPLIT_FILE = re.compile(r"(train|validation|test)(?:\.v([2-9]|[1-9][0-9]+))?\.jsonl")
TELLING_FIELDS = {
    "choices": TaskKind.CHOICE,
    "hypothesis": TaskKind.PAIR,
    "tokens": TaskKind.TAGGING,
    "tags": TaskKind.TAGGING,
    "context": TaskKind.SPAN,
    "answers": TaskKind.SPAN,
    "text": TaskKind.CLASSIFICATION,
}


def _keys_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise RowProblem(f"key {shown(twice)} stands there twice; keep one")
    return row


def _parse(line: bytes) -> dict[str, Any]:
    """The JSON object on one line of a file."""
    try:
        row = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode(), object_pairs_hook=_keys_once)
    except UnicodeDecodeError as error:
        raise RowProblem(f"byte 0x{line[error.start]:02x} is not UTF-8; save the file as UTF-8") from None
    except RecursionError:
        raise RowProblem("brackets nested too deep; write one flat JSON object on the line") from None
    except RowProblem:
        raise
    except ValueError as error:
        found = f"{shown(line[:200].decode(errors='replace'))} is not JSON ({str(error)[:60]})"
        raise RowProblem(f"{found}; write one JSON object on the line") from None
    if not isinstance(row, dict):
        raise RowProblem(f"{shown(row)}, not a JSON object; write one {{...}} on the line")
    return row


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """The lines that are not blank, each with its place."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{clean(str(path))}:{number}", line
    except OSError as error:
        raise DataError(f"{clean(str(path))}: cannot be read ({error.strerror}); make it readable") from None


def _read_file(path: Path, kind: TaskKind) -> tuple[Located, ...]:
    """Every row of a file, or the first of its problems in one error."""
    rows: list[Located] = []
    problems: list[str] = []
    for where, line in _lines(path):
        try:
            rows.append(Located(where, read_row(kind, _parse(line))))
        except RowProblem as error:
            problems += [f"{where}: {problem}" for problem in error.problems]
        if len(problems) > PROBLEMS_SHOWN:
            break
    refuse(problems)
    if not rows:
        raise DataError(f"{clean(str(path))}:1: no rows; write one JSON object a line")
    return tuple(rows)


def _kind_of(path: Path) -> TaskKind | str:
    """The kind that the first readable row of a file tells; else what is wrong with its first rows."""
    problems = []
    for where, line in itertools.islice(_lines(path), FIRST_ROWS):
        try:
            return _telling(_parse(line))
        except RowProblem as error:
            problems.append(f"{where}: {error}")
    return "\n".join(problems) or f"{clean(str(path))}:1: no rows; write one JSON object a line"


def _telling(row: Mapping[str, Any]) -> TaskKind:
    """The kind of task that alone has one of the row's fields."""
    for field, kind in TELLING_FIELDS.items():
        if field in row:
            return kind
    raise RowProblem(f"no field tells the kind of task; a row needs one of {', '.join(TELLING_FIELDS)}")


class Edition(NamedTuple):
    """One file of a task."""

    language: str
    split: Split
    version: int


@SOURCES.register
class Files:
    """A folder of labelled rows; a file is read when its rows are first asked for."""

    def __init__(self, folder: str | Path) -> None:
        if not isinstance(folder, str | Path) or not str(folder).strip():
            raise DataError(f"files: {shown(folder)} is no folder name; write files: FOLDER")
        self.folder = Path(folder).expanduser()
        if not self.folder.is_dir():
            raise DataError(f"files: no folder {shown(str(folder))} here ({clean(str(Path.cwd()))}); give one that is")
        self._layout: dict[str, dict[Edition, Path]] = {}
        self._kinds: dict[str, TaskKind] = {}
        self._rows: dict[Path, tuple[Located, ...]] = {}

    def tasks(self) -> dict[str, TaskKind]:
        """Every task folder, with the kind that the first rows of its files show."""
        return {task: self._kind(task) for task in self._found()}

    def languages(self, task: str) -> tuple[str, ...]:
        """The language folders of a task that hold a split, sorted."""
        return tuple(sorted({edition.language for edition in self._editions(task)}))

    def labels(self, task: str) -> tuple[str, ...]:
        """The labels of all training rows in all languages; an evaluation row with another one is an error."""
        editions = self._editions(task)
        if self._kind(task) in (TaskKind.CHOICE, TaskKind.SPAN):
            return ()
        train = {
            label
            for edition, path in editions.items()
            if edition.split == "train"
            for row in self._read(task, path)
            for label in labels_of(row.example)
        }
        if not train:
            raise DataError(f"{clean(str(self.folder / task))}: no language has a train.jsonl; add one")
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
            name = f"{split}.jsonl" if version == 1 else f"{split}.v{version}.jsonl"
            there = ", ".join(sorted(path.name for edition, path in editions.items() if edition.language == language))
            raise DataError(f"{clean(str(self.folder / task / language))}: no {name}; there are {there}")
        return tuple(row.example for row in self._read(task, path))

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
                wanted = "<task>/<language>/train.jsonl, validation.jsonl and test.jsonl"
                raise DataError(f"{clean(str(self.folder))}: no task in this folder; it needs {wanted}")
        return self._layout

    def _splits(self, task: Path) -> dict[Edition, Path]:
        found = {}
        for language in self._inside(task):
            for path in self._inside(language) if language.is_dir() else ():
                if (match := SPLIT_FILE.fullmatch(path.name)) and path.is_file():
                    split = next(s for s in SPLITS if s == match[1])
                    found[Edition(language.name, split, int(match[2] or 1))] = path
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
            self._rows[path] = _read_file(path, self._kind(task))
        return self._rows[path]
