"""Tables as rows of a kind: which columns are which fields, and what labels are called; alike for files and the hub."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator

from adapeff_sim.data.examples import EXAMPLE_OF, AnyExample, TaskKind
from adapeff_sim.data.rows import PROBLEMS_SHOWN, Located, MisplacedAnswer, RowProblem, clean, read_row, refuse, shown
from adapeff_sim.errors import DataError

LOG = logging.getLogger(__name__)
SEVERAL = ("choices", "answers")  # the fields that can lie in several columns
Columns = Mapping[str, str | tuple[str, ...]]  # of each field
LABELLED = ("label", "tags")  # the fields that hold labels
NAMES_IN_A_FILE = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
        {"type": "array", "items": {"type": ["string", "integer"]}},
    ]
}


def _itself(said: Any) -> Any:
    """A list of names as a mapping of each to itself."""
    return {name: name for name in said} if isinstance(said, list | tuple) and all(map(_is_word, said)) else said


def _is_word(name: object) -> bool:
    return isinstance(name, str | int)


Names = Annotated[dict[str, str], BeforeValidator(_itself), WithJsonSchema(NAMES_IN_A_FILE)]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one split as a file has them, each with its place, or with what keeps it from being read.

    ``json``: every row has fields of its own, and their types; ``text``: the columns hold text only, numbers must be
    read out of it; ``typed``: the columns have types, and the numbers of a column in ``classes`` stand for its names.
    """

    where: str
    sort: Literal["json", "text", "typed"]
    columns: tuple[str, ...]  # none for json
    rows: Iterable[tuple[str, Mapping[str, Any] | RowProblem]]
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wanted: str = "name a split that has some"  # instead of no rows at all


class Only(NamedTuple):
    """The rows of one language, where a column tells languages apart."""

    column: str
    word: str


class RowMapping(BaseModel):
    """Which columns hold the fields of a task's rows, and what its labels are called.

    Several columns make a list of ``choices``, or the text and the start of an answer. With ``labels`` every label is
    renamed, and one that is not named there is refused; a class number is looked up by its name first, then by itself.
    Incomplete rows are refused, or dropped: those with an empty field, a class without a name, or an answer that does
    not stand where it is said to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)
    beside: ClassVar[tuple[str, ...]] = ()  # what may have a column and is no field
    kind: TaskKind
    columns: dict[str, str | tuple[str, ...]] = {}
    labels: Names = {}
    incomplete: Literal["refuse", "drop"] = "refuse"

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        fields = {*EXAMPLE_OF[self.kind].model_fields, *self.beside}
        if strange := sorted(set(self.columns) - fields):
            raise ValueError(f"columns names {shown(strange[0])}; a {self.kind} row has {', '.join(sorted(fields))}")
        for name, column in self.columns.items():
            if not isinstance(column, str) and name not in SEVERAL:
                raise ValueError(f"columns gives {name} several columns; only choices and answers can lie in several")
            if name == "answers" and not isinstance(column, str) and len(column) != 2:
                raise ValueError("columns gives answers several columns; give two, its text and where it starts")
        if self.labels and self.kind is TaskKind.SPAN:
            raise ValueError("labels: a span task has none; drop them")
        if self.kind is TaskKind.CHOICE and any(not name.isdecimal() for name in self.labels.values()):
            raise ValueError("labels: the label of a choice is a number from 0 on; write such numbers")
        return self

    def declared(self) -> tuple[str, ...]:
        """The labels that are named, sorted; believed in place of those of the rows, which are all held to them."""
        return tuple(sorted(set(self.labels.values())))

    def _required(self) -> list[str]:
        return [name for name, field in EXAMPLE_OF[self.kind].model_fields.items() if field.is_required()]

    def column_of(self) -> dict[str, str | tuple[str, ...]]:
        """Every field's column: a required field that is not named has a column of its own name."""
        required: dict[str, str | tuple[str, ...]] = {name: name for name in self._required()}
        return required | {name: column for name, column in self.columns.items() if name not in self.beside}

    def check(self, table: Table, only: Only | None = None) -> None:
        """Refuse a table that lacks a column."""
        wanted = [*_flat(self.column_of()), *([only.column] if only else ())]
        for name in wanted if table.sort != "json" else ():
            if name not in table.columns:
                there = clean(", ".join(table.columns))[:300]
                raise DataError(f"{table.where}: no column {shown(name)}; columns are {there}; name others in columns")

    def example(self, row: Mapping[str, Any], table: Table, wanted: Columns) -> AnyExample | None:
        """The example that a row is by the columns ``wanted``, or None for an incomplete one that is to be dropped.

        Raises RowProblem for all that is wrong with it.
        """
        if lacking := [name for name in _flat(wanted) if name not in row]:
            raise RowProblem(f"no field {shown(lacking[0])}; the row has {clean(', '.join(map(str, row)))[:80]}")
        found = {name: _value(name, row, column, table) for name, column in wanted.items()}
        if self.incomplete == "drop" and any(_is_empty(found[name], name) for name in self._required()):
            return None
        for name in LABELLED:
            if name in found:
                column = str(wanted[name])
                found[name] = self._label(found[name], table, table.classes.get(column))
        if "id" in found and table.sort != "json":
            found["id"] = "" if found["id"] is None else str(found["id"])
        try:
            return read_row(self.kind, found)
        except MisplacedAnswer:
            if self.incomplete == "drop":
                return None
            raise

    def _label(self, value: Any, table: Table, names: tuple[str, ...] | None) -> Any:
        """A label by the name that it has here."""
        if isinstance(value, list | tuple):
            return [self._label(entry, table, names) for entry in value]
        is_number = isinstance(value, int) and not isinstance(value, bool)
        name = value
        if is_number and table.sort == "typed" and (names or self.kind is not TaskKind.CHOICE):
            name = _class_name(value, names)
        if self.labels:
            name = self._renamed(name, value)
        if self.kind is not TaskKind.CHOICE:
            return name
        is_text = isinstance(name, str) and name.isdecimal() and (self.labels or table.sort == "text")
        return int(name) if is_text else value if is_number and not self.labels else name

    def _renamed(self, name: Any, value: Any) -> str:
        for known in (str(name), str(value)):
            if known in self.labels:
                return self.labels[known]
        known = clean(", ".join(self.labels))[:120]
        raise RowProblem(f"label {shown(name)} is not in labels ({known}); add it there, or correct the row")


@dataclass(frozen=True, slots=True)
class AsTheyAre:
    """Rows whose fields are named as a kind's fields are, and that have no others."""

    kind: TaskKind

    def of(self, table: Table) -> RowMapping:
        """What that comes to for a table with columns; refuse one with a column too many."""
        fields = EXAMPLE_OF[self.kind].model_fields
        needed = ", ".join(name for name, field in fields.items() if field.is_required())
        for name in table.columns:
            if name not in fields:
                fix = "name the columns to read (columns: {FIELD: COLUMN}), or drop it"
                text = f"unknown column {shown(name)}; a {self.kind} row has {needed}"
                raise DataError(f"{table.where}: {text}; {fix}")
        return RowMapping(kind=self.kind, columns={name: name for name in table.columns})


def located(table: Table, mapping: RowMapping | AsTheyAre, only: Only | None = None) -> tuple[Located, ...]:
    """The examples of a table, of one language where a column tells languages apart.

    Raises DataError for the first problems of its rows, and for a table that has none.
    """
    read = _reader(table, mapping, only)
    found: list[Located] = []
    problems: dict[str, list[str]] = defaultdict(list)  # the places of each
    dropped: list[str] = []
    for where, row in table.rows:
        try:
            if isinstance(row, RowProblem):
                raise row
            if only and _word(row, only, table) != only.word:
                continue
            example = read(row)
            found += [Located(where, example)] if example is not None else []
            dropped += [where] if example is None else []
        except RowProblem as error:
            for problem in error.problems:
                problems[problem].append(where)
        if sum(map(len, problems.values())) > PROBLEMS_SHOWN:
            break
    refuse(f"{places[0]}: {text}{_and_elsewhere(places[1:])}" for text, places in problems.items())
    if dropped:
        count = (
            "an incomplete row is" if len(dropped) == 1 else f"the first of {len(dropped):,} incomplete rows that are"
        )
        LOG.warning("%s: %s left out", dropped[0], count)
    if not found:
        at = f" with {only.column} {shown(only.word)}" if only else ""
        raise DataError(f"{table.where}: no rows{at}; {table.wanted}")
    return tuple(found)


def _and_elsewhere(places: Sequence[str]) -> str:
    """Where the same is wrong again, by line or row."""
    numbers = [place.rpartition(":")[2].rpartition(" ")[2] for place in places]
    if not numbers:
        return ""
    return (
        f" (the same at {', '.join(numbers[: PROBLEMS_SHOWN - 1])}{', ...' if len(numbers) >= PROBLEMS_SHOWN else ''})"
    )


def _reader(
    table: Table, mapping: RowMapping | AsTheyAre, only: Only | None
) -> Callable[[Mapping[str, Any]], AnyExample | None]:
    """How the rows of a table are read; refuses a table without the right columns."""
    if isinstance(mapping, AsTheyAre):
        if table.sort == "json":
            return partial(read_row, mapping.kind)
        mapping = mapping.of(table)
    mapping.check(table, only)
    return partial(mapping.example, table=table, wanted=mapping.column_of())


def _flat(columns: Columns) -> list[str]:
    return [name for column in columns.values() for name in ([column] if isinstance(column, str) else column)]


def _word(row: Mapping[str, Any], only: Only, table: Table) -> object:
    """What the row's language is called."""
    value, names = row.get(only.column), table.classes.get(only.column)
    return _class_name(value, names) if isinstance(value, int) and names else value


def _value(name: str, row: Mapping[str, Any], column: str | tuple[str, ...], table: Table) -> Any:
    """What stands in a field's column or columns."""
    if isinstance(column, str):
        return row[column]
    values = [row[each] for each in column]
    if name != "answers":
        return values
    text, start = values
    is_text = table.sort == "text" and isinstance(start, str) and start.isdecimal()
    return {"text": [text], "answer_start": [int(start) if is_text else start]}


def _is_empty(value: Any, name: str) -> bool:
    """Whether nothing stands in a field; a class below 0 is the hub's word for none."""
    if isinstance(value, Mapping):
        return not value or any(_is_empty(part, "") for part in value.values())
    if isinstance(value, list | tuple):
        return not value or any(_is_empty(part, name) for part in value)
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (name in LABELLED and isinstance(value, int) and value < 0)
    )


def _class_name(value: int, names: tuple[str, ...] | None) -> str:
    """The name of a class; a number without one is its own name."""
    if names is None:
        return str(value)
    if not 0 <= value < len(names):
        raise RowProblem(f"class {value} has no name; drop such rows (incomplete: drop), or name a split with labels")
    return names[value]
