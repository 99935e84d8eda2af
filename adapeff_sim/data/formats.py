"""Files of rows by their endings: JSON lines, CSV, TSV, Parquet and CoNLL, each as a table with the place of every row.

CSV is read by the standard library and Parquet through ``datasets``, which is slow to import and loaded only then.
"""

import csv
import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from adapeff_sim.data.columns import Table
from adapeff_sim.data.rows import TAG, RowProblem, clean, shown
from adapeff_sim.errors import DataError

Rows = Iterator[tuple[str, Mapping[str, Any] | RowProblem]]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_REASON = 160  # characters of what a library says
DOCUMENT_STARTS = "-DOCSTART-"


def json_lines(path: Path) -> Table:
    """One JSON object a line; blank lines count, and say nothing."""
    return Table(f"{clean(str(path))}:1", "json", (), _json_rows(path), wanted="write one JSON object a line")


def _json_rows(path: Path) -> Rows:
    for where, line in _lines(path):
        if line.strip():
            try:
                yield where, _parse(line)
            except RowProblem as problem:
                yield where, problem


def _parse(line: bytes) -> dict[str, Any]:
    """The JSON object on one line of a file."""
    try:
        row = json.loads(_decoded(line), object_pairs_hook=_keys_once)
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


def _keys_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise RowProblem(f"key {shown(twice)} stands there twice; keep one")
    return row


def separated(path: Path, delimiter: str = ",") -> Table:
    """A header and a row for each line, or for several where a text in quotes goes on; in a TSV a quote is a quote."""
    places = _Places(path)
    reader = csv.reader(places, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL, strict=True)
    if delimiter == "\t":
        reader = csv.reader(places, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    where = f"{clean(str(path))}:1"
    try:
        header = next(reader, [])
    except (csv.Error, RowProblem) as error:
        raise DataError(f"{where}: {error}; write the names of the columns on the first line") from None
    for i, name in enumerate(header, start=1):
        if not name or name in header[: i - 1]:
            fault = f"is a second {shown(name)}" if name else "has no name"
            raise DataError(f"{where}: column {i} {fault}; name each column once")
    if not header:
        raise DataError(f"{where}: no rows; write the names of the columns, and a row a line")
    if len(header) == 1 and (other := next((sign for sign in ";\t|," if sign in header[0]), "")):
        fix = f"part them with {'a tab' if delimiter != ',' else 'a comma'}"
        raise DataError(f"{where}: one column, {shown(header[0])}, parted by {shown(other)}; {fix}, in every row")
    rows = _separated_rows(reader, places, header, delimiter)
    return Table(where, "text", tuple(header), rows, wanted="write one on each line after the names of the columns")


def _separated_rows(reader: Any, places: "_Places", header: list[str], delimiter: str) -> Rows:
    while True:
        begins = f"{places.path}:{places.number + 1}"
        try:
            values = next(reader, None)
        except csv.Error as error:
            fix = "close the quotes, and write a quote inside them twice"
            if "field limit" in str(error):
                found = f"a value of more than {csv.field_size_limit():,} characters"
                yield begins, RowProblem(f"{found}; shorten it, or {fix}, if it is meant to end before")
                return
            yield begins, RowProblem(f"{error}; {fix}")
            return
        except RowProblem as problem:
            yield f"{places.path}:{places.number}", problem
            return
        if values is None:
            return
        if len(values) == len(header):
            yield begins, dict(zip(header, values, strict=True))
        elif values:
            fix = "put a text that has a comma in it in quotes" if delimiter == "," else "write one tab between two"
            yield (
                begins,
                RowProblem(
                    f"{len(values)} {'value' if len(values) == 1 else 'values'} for {len(header)} columns; {fix}"
                ),
            )


class _Places:
    """The lines of a file as text, and how many were read."""

    def __init__(self, path: Path) -> None:
        self.path, self.number = clean(str(path)), 0
        self._lines = _lines(path)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        _, line = next(self._lines)
        self.number += 1
        return _decoded(line)


def conll(path: Path) -> Table:
    """A token a line, its tag in the last column, and a blank line after each sentence."""
    where, wanted = f"{clean(str(path))}:1", "write TOKEN TAG on each line, and a blank line after each sentence"
    return Table(where, "json", ("tokens", "tags"), _sentences(path), wanted=wanted)


def _sentences(path: Path) -> Rows:
    begins = ""
    tokens: list[str] = []
    tags: list[str] = []
    for where, line in _lines(path):
        try:
            text = _decoded(line)
        except RowProblem as problem:
            yield where, problem
            continue
        parts = [part.strip() for part in text.split("\t" if "\t" in text else None)]
        if not any(parts) or parts[0] == DOCUMENT_STARTS:
            if tokens:
                yield begins, {"tokens": tokens, "tags": tags}
            tokens, tags = [], []
        elif not tokens and text.startswith("# ") and "\t" not in text and not TAG.fullmatch(parts[-1]):
            continue  # about the sentence; whatever else begins with # is a token of it
        elif len(parts) < 2 or not parts[0] or not parts[-1]:
            yield where, RowProblem(f"{shown(' '.join(parts))} has no tag; write TOKEN TAG, with O for no entity")
        else:
            begins = begins if tokens else where
            tokens.append(parts[0])
            tags.append(parts[-1])
    if tokens:
        yield begins, {"tokens": tokens, "tags": tags}


def parquet(path: Path) -> Table:
    """A Parquet file, its class numbers with the names that ``datasets`` wrote beside them."""
    where = clean(str(path))
    try:
        content = importlib.import_module("pyarrow.parquet").read_table(path)
        rows = importlib.import_module("datasets").Dataset(content)
    except Exception as error:  # both libraries raise whatever their readers raise; all of it is about the file
        reason = clean(" ".join(str(error).split()).partition(". ")[0].rstrip("."))
        reason = reason if len(reason) <= LONGEST_REASON else reason[:LONGEST_REASON] + "…"
        raise DataError(f"{where}: not readable as Parquet ({reason}); write the file again") from None
    numbered = ((f"{where} row {number}", row) for number, row in enumerate(rows))
    return Table(where, "typed", tuple(rows.column_names), numbered, class_names(rows.features), "write some")


def class_names(features: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The names that the numbers of a column stand for, where it declares any."""
    found = {}
    for column, feature in features.items():
        inner = getattr(feature, "feature", None)  # of a list
        names = getattr(inner if inner is not None else feature, "names", None)
        if names is not None:
            found[column] = tuple(names)
    return found


def columns_of(path: Path) -> tuple[str, ...]:
    """The names of a Parquet file's columns, read from its last bytes."""
    try:
        schema = importlib.import_module("pyarrow.parquet").read_schema(path)
    except Exception:  # told with its reason when the rows are read
        return parquet(path).columns
    return tuple(schema.names)


def _decoded(line: bytes) -> str:
    try:
        return line.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise RowProblem(f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8") from None


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """The lines of a file, each with its place."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield f"{clean(str(path))}:{number}", line
    except OSError as error:
        raise DataError(f"{clean(str(path))}: cannot be read ({error.strerror}); make it readable") from None


READERS: dict[str, Callable[[Path], Table]] = {
    "jsonl": json_lines,
    "csv": separated,
    "tsv": lambda path: separated(path, "\t"),
    "parquet": parquet,
    "conll": conll,
    "bio": conll,
    "txt": conll,
}
