"""Runs beside each other for a reader at a terminal; the same content at every width, nothing cut."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple, Self

from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from adapeff_sim.comparison.compared import Compared, RunCompared
from adapeff_sim.reports.compared import headline, notes, sheets_of
from adapeff_sim.reports.sheets import Cell, Sheet
from adapeff_sim.reports.tables import CELL, EDGES, TIGHT, table
from adapeff_sim.reports.wording import folded, line, money, plural

HALF = 14  # columns of a bar, to each side of the lead as it is
STYLES = {"best": "bold green", "below": "red", "missing": "yellow"}
WORDS = 17  # columns of the longest word that is kept whole
FOLDS = (26, 22, 18, 15, CELL)  # columns of the pieces of a name, the widest that will do


def screen(compared: Compared, components: Sequence[str], width: int) -> Iterator[RenderableType]:
    """All parts: side by side, then run by run, then one run less another, then how sure that is."""
    told: str | None = None
    for run, sheet in sheets_of(compared, components):
        if run is not None and run.name != told:
            told = run.name
            yield from _heading(run)
        if run is None and told is not None:
            told = None
            yield Rule(style="dim")
        yield from shown(sheet, width)
        if run is not None and sheet.name == "sensitivity":
            yield bars(run)
    for note in notes(compared):
        yield line(note, "dim")


def _heading(run: RunCompared) -> Iterator[RenderableType]:
    seeds = f"{plural(len(run.seeds), 'seed')} ({', '.join(map(str, run.seeds))})"
    yield Rule(line(run.name, "bold"), align="left")
    yield line(f"{run.scenario}, {run.horizon_days:g} days, {seeds}, in {run.currency}", "dim")
    if run.note:
        yield line(f"Note: {run.note}.", "yellow")
    yield Padding(line(headline(run)), (0, 0, 1, 2))


def shown(sheet: Sheet, width: int) -> Iterator[Table]:
    """A sheet as a table; where it is too wide, its further columns stand in tables of their own below it.

    Cells and heads are folded, between words where that can be. What a column says alike in every row is said once.
    """
    parts = list(zip(sheet.heads, *sheet.rows, strict=True))
    columns = [_Column.of(head, cells) for head, *cells in parts]
    alike = [i for i, c in enumerate(columns) if i and c.is_alike]
    said = [*(f"{sheet.heads[i]}: {columns[i].cells[0].plain}" for i in alike), *([sheet.note] if sheet.note else [])]
    columns = [c for i, c in enumerate(columns) if i not in alike]
    if sum(c.widest + TIGHT for c in columns) + EDGES > width:
        columns = _folded([part for i, part in enumerate(parts) if i not in alike], width)
    groups = list(_beside(columns, width))
    for group in groups:
        made = table(*(c.head for c in group), title=sheet.title if group is groups[0] else "")
        made.collapse_padding = True
        for column, own in zip(group, made.columns, strict=True):
            own.justify, own.min_width = ("left", column.narrowest) if column.is_text else ("right", None)
            own.width = column.width
        for row in zip(*(c.cells for c in group), strict=True):
            made.add_row(*row)
        if group is groups[-1] and said:
            made.caption, made.caption_justify = line("; ".join(said), "dim").append("\n"), "left"
        yield made


def _folded(parts: Sequence[tuple[Any, ...]], width: int) -> "list[_Column]":
    """The columns with their names broken no more than it takes for all words to stand beside each other.

    What is left of the room goes to the first columns that can use it.
    """
    columns: list[_Column] = []
    for fold in FOLDS:
        columns = [_Column.of(head, cells, fold) for head, *cells in parts]
        left = width - sum(c.longest + TIGHT for c in columns)
        if left >= 0:
            break
    for i, column in enumerate(columns if left >= 0 else ()):
        more = min(left, column.widest - column.longest)
        columns[i], left = column._replace(width=column.longest + more), left - more
    return columns


class _Column(NamedTuple):
    """One column: its head and cells as they are shown, and whether they are words."""

    head: Text
    cells: tuple[Text, ...]
    is_text: bool
    is_name: bool  # of words alone
    is_alike: bool  # says the same word in all of several rows, and nothing remarkable
    narrowest: int  # columns below which a word would be broken, of which a long one may be in the end
    width: int | None = None  # that it is given; None leaves it to the table

    @classmethod
    def of(cls, head: str, cells: Sequence[Cell], fold: int | None = None) -> Self:
        """The column of a sheet, its names broken between their words into pieces of ``fold``, if that is given."""
        is_name = all(isinstance(c.value, str) for c in cells)
        is_alike = is_name and len(cells) > 1 and len({(c.said, c.mark) for c in cells}) == 1 and not cells[0].mark
        is_text = is_name or all(isinstance(c.value, str) or c.value is None or ": " in c.said for c in cells)
        top, shown_as = _said(head, "", fold), tuple(_said(c.said, c.mark, fold) for c in cells)
        return cls(top, shown_as, is_text, is_name, is_alike, min(WORDS, _longest((top, *shown_as))))

    @property
    def widest(self) -> int:
        """The columns that it takes where nothing more is broken."""
        return max(len(row) for cell in (self.head, *self.cells) for row in cell.plain.split("\n"))

    @property
    def longest(self) -> int:
        """The longest piece that is not broken."""
        return _longest((self.head, *self.cells))


def _longest(cells: Sequence[Text]) -> int:
    return max(len(word) for cell in cells for word in cell.plain.split() or [""])


def _beside(columns: Sequence[_Column], width: int) -> Iterator[list[_Column]]:
    """The columns that fit beside each other, those that name the rows in front of all others each time."""
    names = list(takewhile(lambda c: c.is_name, columns)) or [columns[0]]
    room = width - EDGES - sum(c.narrowest + TIGHT for c in names)
    group = list(names)
    for column in columns[len(names) :]:
        if len(group) > len(names) and column.narrowest + TIGHT > room:
            yield group
            group, room = list(names), width - EDGES - sum(c.narrowest + TIGHT for c in names)
        group.append(column)
        room -= column.narrowest + TIGHT
    yield group


def _said(said: str, mark: str, fold: int | None) -> Text:
    """A head or a cell; a name alone is broken between its words, if it must be."""
    found = folded(said, fold) if fold and " " not in said else line(said)
    found.stylize(STYLES.get(mark, ""))
    return found


def bars(run: RunCompared) -> Text:
    """The tornado: how far the lead moves from where it is, at half (░) and at double (█) of each input."""
    moves = {
        s.what: [None if e.lead is None or run.lead is None else e.lead - run.lead for e in (s.halved, s.doubled)]
        for s in run.sensitivity
    }
    widest = max((abs(m) for of in moves.values() for m in of if m is not None), default=0.0)
    names = max(map(len, moves), default=0)
    rows = [Text(f"{'':{names}} {'less lead':>{HALF}}│more lead")]
    for what, (half, double) in moves.items():
        rows.append(Text(f"{what:{names}} {_bar(half, double, widest)}".rstrip()))
    said = f"each bar at its longest: {money(widest, run.currency)}; ░ at half, █ at double, ▓ both\n"
    return Text("\n").join([*rows, Text(said, style="dim")])


def _bar(half: float | None, double: float | None, widest: float) -> str:
    """One input: both of its moves on one line around the middle."""
    cells = [" "] * HALF + ["│"] + [" "] * HALF
    for move, sign in ((half, "░"), (double, "█")):
        length = round(HALF * abs(move) / widest) if move and widest else 0
        for i in range(1, length + 1):
            at = HALF + (i if (move or 0.0) > 0 else -i)
            cells[at] = "▓" if cells[at] != " " else sign
    return "".join(cells)
