"""Tables and the legend of the page, with all that is foreign escaped."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from adapeff_sim.reports.page import charts
from adapeff_sim.reports.sheets import Cell, Sheet


def legend(labels: Sequence[str]) -> str:
    """Which colour, dash and shape is whose."""
    entries = []
    for i, label in enumerate(labels):
        dashes, shape = charts.DASHES[charts.turn(i)], OUTLINES[charts.SHAPES[charts.turn(i)]]
        dash = "" if dashes == (1, 0) else f' stroke-dasharray="{" ".join(map(str, dashes))}"'
        colour = f"var(--s{i % len(charts.LIGHTS)})"
        line = f'<line x1="0" y1="8" x2="34" y2="8" stroke="{colour}" stroke-width="3"{dash}/>'
        svg = f'<svg width="54" height="16" aria-hidden="true">{line}<path d="{shape}" fill="{colour}"/></svg>'
        entries.append(f"<li>{svg}<span>{escape(label)}</span></li>")
    return f'<ul class="legend" aria-label="Strategies">{"".join(entries)}</ul>'


OUTLINES = {  # within 40 to 54 and 1 to 15, as Vega draws its shapes
    "circle": "M47 2a6 6 0 1 0 .01 0z",
    "square": "M41 2h12v12h-12z",
    "triangle-up": "M47 2l6.5 12h-13z",
    "diamond": "M47 1l6 7l-6 7l-6 -7z",
    "cross": "M45 2h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    "triangle-down": "M47 14l6.5 -12h-13z",
    "triangle-right": "M53 8l-12 6.5v-13z",
    "triangle-left": "M41 8l12 6.5v-13z",
}


def table(sheet: Sheet, titled: bool = True) -> str:
    """A sheet as a table that scrolls within itself where it is wider than the screen."""
    numbers = _numbers(sheet)
    rows = "".join(f"<tr>{_cells(row, numbers)}</tr>" for row in sheet.rows)
    title = f"<caption{'' if titled else ' class=unseen'}>{escape(sheet.title)}</caption>"
    made = f"<table>{title}<thead><tr>{_heads(sheet.heads, numbers)}</tr></thead><tbody>{rows}</tbody></table>"
    return scrolling(made, sheet.title) + _note(sheet)


def events_table(sheet: Sheet) -> str:
    """The sheet of events: a line for each event, and under it one for each strategy for which something changed."""
    bodies = [_event(when, list(rows)) for when, rows in groupby(sheet.rows, key=lambda row: row[:3])]
    title = f"<caption class=unseen>{escape(sheet.title)}</caption>"
    heads = ("strategy", "artifacts", "because of what moved", *sheet.heads[NUMBERS:])
    numbers = [i >= HEADS for i in range(len(heads))]
    return scrolling(
        f'<table class="events">{title}<thead><tr>{_heads(heads, numbers)}</tr></thead>{"".join(bodies)}</table>',
        sheet.title,
    ) + _note(sheet)


HEADS = 3  # of the events' table: strategy, artifacts, because
STRATEGY, FATES, BECAUSE, NUMBERS = 3, {"+": 4, "~": 5, "=": 7, "-": 8}, 6, 9  # columns of its sheet
SAID = 1  # how sure a row is stands last, and is no work
CHANGES = [column for sign, column in FATES.items() if sign != "="]


def _event(when: tuple[Cell, ...], rows: list[tuple[Cell, ...]]) -> str:
    """One event: its line, a line for each strategy that does something, and one for those that need not."""
    place, day, event = when
    width = HEADS + len(rows[0]) - NUMBERS
    title = f'<span class="chip">{escape(place.said)}</span> day {escape(day.said)}: {escape(event.said)}'
    lines = [f'<tr><th colspan="{width}" scope="rowgroup"><div>{title}</div></th></tr>']
    idle = [row for row in rows if not any(row[i].value for i in (*CHANGES, *range(NUMBERS, len(row) - SAID)))]
    for row in rows:
        if row not in idle:
            numbers = "".join(f'<td class="number {cell.mark}">{escape(cell.said)}</td>' for cell in row[NUMBERS:])
            because = escape(row[BECAUSE].said)
            head = f'<th scope="row">{escape(row[STRATEGY].said)}</th>'
            lines.append(f"<tr>{head}<td>{_fates(row)}</td><td>{because}</td>{numbers}</tr>")
    if idle:
        names = escape(", ".join(row[STRATEGY].said for row in idle))
        lines.append(f'<tr class="idle"><td colspan="{width}"><div>nothing to do: {names}</div></td></tr>')
    return f"<tbody>{''.join(lines)}</tbody>"


def _fates(row: tuple[Cell, ...]) -> str:
    """What became of the artifacts, each with its sign; of what is kept only how much."""
    lines = []
    for sign, column in FATES.items():
        names = str(row[column].value or "").split()
        told = [f"{len(names)} kept"] if sign == "=" and names else names
        lines += [f'<span class="fate f{"+~=-".index(sign)}">{sign} {escape(name)}</span>' for name in told]
    return "<br>".join(lines)


def _note(sheet: Sheet) -> str:
    return f'<p class="note">{escape(sheet.note)}</p>' if sheet.note else ""


def _numbers(sheet: Sheet) -> list[bool]:
    """Which columns hold numbers, and are aligned to the right."""
    columns = zip(*sheet.rows, strict=True) if sheet.rows else [() for _ in sheet.heads]
    return [any(isinstance(c.value, float | int) or c.mark == "missing" for c in column) for column in columns]


def _heads(heads: Sequence[str], numbers: Sequence[bool]) -> str:
    told = zip(heads, numbers, strict=True)
    return "".join(f'<th scope="col"{" class=number" if is_number else ""}>{escape(x)}</th>' for x, is_number in told)


def _cells(row: Sequence[Cell], numbers: Sequence[bool]) -> str:
    cells = (_cell(cell, is_number, i == 0) for i, (cell, is_number) in enumerate(zip(row, numbers, strict=True)))
    return "".join(cells)


def _cell(cell: Cell, is_number: bool, is_head: bool) -> str:
    classes = " ".join(name for name in ("number" if is_number else "", cell.mark) if name)
    said = f' class="{classes}"' if classes else ""
    key = f' data-key="{escape(cell.key)}"' if cell.key else ""
    return f'<th scope="row"{key}>{escape(cell.said)}</th>' if is_head else f"<td{said}{key}>{escape(cell.said)}</td>"


def scrolling(made: str, title: str) -> str:
    """A table within a region of its own, which scrolls, and which a keyboard reaches."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">{made}</div>'
