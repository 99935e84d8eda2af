"""Tables and the legend of the page, with all that is foreign escaped."""

import re
from collections.abc import Callable, Sequence
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


LONG = 14  # characters of a head: three of them do not stand beside each other on a phone
SENTENCE = 48  # characters of a cell, from which on it has a row of its own where rows are stacked
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
    """A sheet as a table; where it is wider than its place its rows are stacked, or it scrolls within itself."""
    numbers = _numbers(sheet)
    rows = "".join(f'<tr role="row">{_cells(sheet.heads, row, numbers)}</tr>' for row in sheet.rows)
    made = stackable(sheet.title, sheet.heads, numbers, f'<tbody role="rowgroup">{rows}</tbody>', titled)
    return scrolling(made, sheet.title) + note(sheet)


def grouped(sheet: Sheet, by: int, said: Callable[[Sequence[Cell]], str]) -> str:
    """A sheet whose first columns are alike in groups of rows: a line for each group, and its rows without them."""
    heads, numbers = sheet.heads[by:], _numbers(sheet)[by:]
    bodies = []
    for when, rows in groupby(sheet.rows, key=lambda row: row[:by]):
        told = "".join(f'<tr role="row">{_cells(heads, row[by:], numbers)}</tr>' for row in rows)
        bodies.append(f'<tbody role="rowgroup">{head_of_group(escape(said(when)), len(heads))}{told}</tbody>')
    made = stackable(sheet.title, heads, numbers, "".join(bodies))
    return scrolling(made, sheet.title) + note(sheet)


def head_of_group(said: str, width: int) -> str:
    """The line above a group of rows; ``said`` is HTML."""
    return f'<tr role="row" class="when"><th colspan="{width}" scope="rowgroup" role="rowheader">{said}</th></tr>'


def stackable(
    title: str, heads: Sequence[str], numbers: Sequence[bool], bodies: str, titled: bool = True, kind: str = ""
) -> str:
    """A table that fit.js may stack: its roles are said outright, as they would go with its layout."""
    caption = f"<caption{classes('' if titled else 'unseen')}>{escape(title)}</caption>"
    columns = "".join(
        f'<th scope="col" role="columnheader"{classes("number" if is_number else "")}>{breakable(head)}</th>'
        for head, is_number in zip(heads, numbers, strict=True)
    )
    head = f'<thead role="rowgroup"><tr role="row">{columns}</tr></thead>'
    long = "long" if max(map(len, heads)) > LONG else ""
    return f'<table role="table"{classes("stackable", long, kind)}>{caption}{head}{bodies}</table>'


def scrolling(made: str, title: str) -> str:
    """A table within a region of its own, which scrolls, and which a keyboard reaches."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">{made}</div>'


def note(sheet: Sheet) -> str:
    """What must be known of a sheet; a place for it where the page may yet have something to say."""
    return f'<p class="note">{escape(sheet.note)}</p>'


def breakable(name: str) -> str:
    """A name that may break behind its underscores and slashes, escaped."""
    return "<wbr>".join(escape(part) for part in re.findall(r"[^_/]*[_/]+|[^_/]+", name))


def classes(*names: str) -> str:
    """The attribute for those classes that there are."""
    found = " ".join(name for name in names if name)
    return f' class="{found}"' if found else ""


def _numbers(sheet: Sheet) -> list[bool]:
    """Which columns hold numbers, and are aligned to the right."""
    columns = zip(*sheet.rows, strict=True) if sheet.rows else [() for _ in sheet.heads]
    return [any(isinstance(c.value, float | int) or c.mark == "missing" for c in column) for column in columns]


def _cells(heads: Sequence[str], row: Sequence[Cell], numbers: Sequence[bool]) -> str:
    told = zip(heads, row, numbers, strict=True)
    return "".join(_cell(head, cell, is_number, i == 0) for i, (head, cell, is_number) in enumerate(told))


def _cell(head: str, cell: Cell, is_number: bool, is_first: bool) -> str:
    key = f' data-key="{escape(cell.key)}"' if cell.key else ""
    wide = "wide" if len(cell.said) > SENTENCE else ""
    said = f'data-head="{escape(head)}"{classes("number" if is_number else "", cell.mark, wide)}{key}'
    shown = escape(cell.said) if is_number else breakable(cell.said)
    return (
        f'<th scope="row" role="rowheader" {said}>{shown}</th>' if is_first else f'<td role="cell" {said}>{shown}</td>'
    )
