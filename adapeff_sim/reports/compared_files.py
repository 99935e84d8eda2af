"""Runs beside each other, and grids, as files: a page, and tables with bare numbers."""

from pathlib import Path

from adapeff_sim.comparison.compared import Compared
from adapeff_sim.comparison.winners import Sweep
from adapeff_sim.reports import winners
from adapeff_sim.reports.compared import components_of, sheets_of
from adapeff_sim.reports.files.csv import csv_text
from adapeff_sim.reports.pictures import UNFIT, charting, written


def written_page(found: Compared, file: Path) -> Path:
    """Write the page. Raises ReportError where the libraries for charts are not installed or the disk refuses."""
    with charting():
        from adapeff_sim.reports.page.compared import page

        return written(file, page(found))


def tables(found: Compared, folder: Path) -> list[Path]:
    """Write every table of every component, each in a file of its own. Raises ReportError."""
    components = list(dict.fromkeys(c for run in found.runs for c in components_of(run)))
    files = []
    for count, (run, sheet) in enumerate(sheets_of(found, components), 1):
        of = UNFIT.sub("_", run.name)[:40] + "-" if run else ""
        files.append(written(folder / f"{count:02}-{of}{sheet.name}.csv", csv_text(sheet)))
    return files


def swept_page(found: Sweep, file: Path) -> Path:
    """Write the page of a grid. Raises ReportError as ``written_page`` does."""
    with charting():
        from adapeff_sim.reports.page.winners import page

        return written(file, page(found))


def swept_tables(found: Sweep, folder: Path) -> list[Path]:
    """Write the tables of a grid. Raises ReportError."""
    return [written(folder / f"{sheet.name}.csv", csv_text(sheet)) for sheet in winners.sheets_of(found)]
