"""Runs beside each other for a reader at a terminal; the same content at every width, nothing cut."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from adapeff_sim.comparison.compared import Compared, RunCompared
from adapeff_sim.reports.compared import headline, notes, sheets_of
from adapeff_sim.reports.sheets import Cell, Sheet
from adapeff_sim.reports.tables import CELL, table
from adapeff_sim.reports.wording import folded, line, money, plural

HALF = 14  # columns of a bar, to each side of the lead as it is
STYLES = {"best": "bold green", "below": "red", "missing": "yellow"}
WORDS = 17  # columns of the longest word that is kept whole


def screen(compared: Compared, components: Sequence[str]) -> Iterator[RenderableType]:
    """All parts: side by side, then run by run, then one run less another, then how sure that is."""
    told: str | None = None
    for run, sheet in sheets_of(compared, components):
        if run is not None and run.name != told:
            told = run.name
            yield from _heading(run)
        if run is None and told is not None:
            told = None
            yield Rule(style="dim")
        yield shown(sheet)
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


def shown(sheet: Sheet) -> Table:
    """A sheet as a table whose cells are folded where they are too long."""
    made = table(*sheet.heads, title=sheet.title)
    made.collapse_padding = True
    columns = zip(*sheet.rows, strict=True) if sheet.rows else ()
    for i, cells in enumerate(columns):
        is_text = all(isinstance(c.value, str) or c.value is None for c in cells)
        made.columns[i].justify = "left" if is_text else "right"
        if is_text:
            made.columns[i].min_width = min(
                WORDS, max(len(word) for c in cells for word in _cell(c).plain.split() or [""])
            )
    for row in sheet.rows:
        made.add_row(*(_cell(cell) for cell in row))
    if sheet.note:
        made.caption, made.caption_justify = line(f"{sheet.note}\n", "dim"), "left"
    return made


def _cell(cell: Cell) -> Text:
    """What a cell says; a name alone is broken between its words."""
    style = STYLES.get(cell.mark, "")
    if " " in cell.said:
        return line(cell.said, style)
    named = folded(cell.said, CELL)
    named.stylize(style)
    return named


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
