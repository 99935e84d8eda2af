"""The table of what happened: for every event and strategy what became stale, because of what, and what that took."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from adapeff_sim.reports.page.tables import breakable, classes, head_of_group, note, scrolling, stackable
from adapeff_sim.reports.sheets import NOTHING, Cell, Sheet

HEADS = ("strategy", "artifacts", "what that took")
STRATEGY, FATES, BECAUSE, NUMBERS = 3, {"+": 4, "~": 5, "=": 7, "-": 8}, 6, 9  # columns of the sheet
SURE = -1  # how sure a row is stands last, and is no work
CHANGES = [column for sign, column in FATES.items() if sign != "="]
HOW = " is"  # ends the head of a column that says how sure the one before it is


def events_table(sheet: Sheet) -> str:
    """The sheet of events: a line for each event, and under it a row for each strategy for which something changed."""
    bodies = [_event(sheet.heads, when, list(rows)) for when, rows in groupby(sheet.rows, key=lambda row: row[:3])]
    made = stackable(sheet.title, HEADS, [False] * len(HEADS), "".join(bodies), titled=False, kind="events")
    return scrolling(made, sheet.title) + note(sheet)


def _event(heads: Sequence[str], when: tuple[Cell, ...], rows: list[tuple[Cell, ...]]) -> str:
    """One event: its line, a row for each strategy that does something, and a line for those that need not."""
    place, day, event = when
    title = f'<span class="chip">{escape(place.said)}</span> day {escape(day.said)}: {escape(event.said)}'
    lines = [head_of_group(title, len(HEADS))]
    idle = [
        row for row in rows if not any(map(_is_told, (row[i] for i in (*CHANGES, *range(NUMBERS, len(row) + SURE)))))
    ]
    lines += [_life(heads, row) for row in rows if row not in idle]
    if idle:
        names = escape(", ".join(row[STRATEGY].said for row in idle))
        lines.append(
            f'<tr role="row" class="idle"><td colspan="{len(HEADS)}" role="cell">nothing to do: {names}</td></tr>'
        )
    return f'<tbody role="rowgroup">{"".join(lines)}</tbody>'


def _is_told(cell: Cell) -> bool:
    """Whether a cell tells of something that was done."""
    return bool(cell.value) and cell.said != NOTHING


def _life(heads: Sequence[str], row: tuple[Cell, ...]) -> str:
    """What one event meant for one strategy."""
    name = f"{breakable(row[STRATEGY].said)}<br><small>{escape(row[SURE].said)}</small>"
    moved = row[BECAUSE].said
    because = f'<div class="because">because of what moved: {breakable(moved)}</div>' if row[BECAUSE].value else ""
    took = "".join(_took(list(zip(heads, row, strict=True))[NUMBERS:SURE]))
    return (
        f'<tr role="row"><th scope="row" role="rowheader">{name}</th>'
        f'<td role="cell">{_fates(row)}{because}</td><td role="cell"><dl class="took">{took}</dl></td></tr>'
    )


def _took(told: Sequence[tuple[str, Cell]]) -> Iterator[str]:
    """Every amount under its name; how sure one is stands behind it."""
    sure = {head.removesuffix(HOW): cell.said for head, cell in told if head.endswith(HOW)}
    for head, cell in told:
        if head.endswith(HOW):
            continue
        how = sure.get(head, NOTHING)
        behind = f" <small>{escape(how)}</small>" if NOTHING not in (how, cell.said) and not cell.mark else ""
        nothing = "nothing" if cell.said == NOTHING else ""
        amount = f"<dd{classes(cell.mark)}>{escape(cell.said)}{behind}</dd>"
        yield f"<div{classes(nothing)}><dt>{escape(head)}</dt>{amount}</div>"


def _fates(row: tuple[Cell, ...]) -> str:
    """What became of the artifacts, each with its sign; of what is kept only how much."""
    lines = []
    for sign, column in FATES.items():
        names = str(row[column].value or "").split()
        told = [f"{len(names)} kept"] if sign == "=" and names else names
        place = "+~=-".index(sign)
        lines += [f'<span class="fate f{place}">{sign}&nbsp;{breakable(name)}</span>' for name in told]
    return "<br>".join(lines)
