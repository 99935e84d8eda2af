"""The tables of the page as CSV files with bare numbers, one for each, in a folder."""

import csv as comma_separated
import io
from collections.abc import Sequence
from pathlib import Path

from adapeff_sim.reports.base import FILES
from adapeff_sim.reports.pictures import stems, written
from adapeff_sim.reports.sheets import Cell, Sheet, sheets
from adapeff_sim.reports.told import Told

FORMULA = ("=", "+", "-", "@")  # a spreadsheet would reckon with a text that begins so


@FILES.register
def csv(runs: Sequence[Told], folder: Path) -> list[Path]:
    """Write every table. Raises ReportError where the disk refuses."""
    return [
        written(folder / f"{stem}-{sheet.name}.csv", csv_text(sheet))
        for told, stem in zip(runs, stems(runs), strict=True)
        for sheet in sheets(told)
    ]


def csv_text(sheet: Sheet) -> str:
    """One table with bare numbers; what a spreadsheet would reckon with is told as text."""
    text = io.StringIO()
    table = comma_separated.writer(text, lineterminator="\n")
    table.writerow(map(_plain, sheet.heads))
    table.writerows([_value(cell) for cell in row] for row in sheet.rows)
    return text.getvalue()


def _value(cell: Cell) -> str | float | None:
    """The bare value; what could not be had is an empty cell."""
    return _plain(cell.value) if isinstance(cell.value, str) else cell.value


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
