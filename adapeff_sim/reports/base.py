"""The contracts of reports: on a console from results, and in files from finished runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from adapeff_sim.errors import AdapeffError
from adapeff_sim.registry import Registry
from adapeff_sim.results import Results

if TYPE_CHECKING:
    from adapeff_sim.reports.told import Told

Reporter = Callable[[Results, Path, Console], None]
FileReporter = Callable[[Sequence["Told"], Path], list[Path]]  # runs, and where to write; what was written
BESIDES = (
    "base",
    "wording",
    "tables",
    "breakdown",
    "effort",
    "holdings",
    "curves",
    "upkeep",
    "sheets",
    "work",
    "told",
    "compared",
    "compared_screen",
    "compared_files",
    "winners",
    "pictures",
    "page",
    "files",
)
REPORTERS: Registry[Reporter] = Registry("report", "adapeff_sim.reports", besides=BESIDES)
FILES: Registry[FileReporter] = Registry("report in files", "adapeff_sim.reports.files", besides=())


class ReportError(AdapeffError):
    """A report that cannot be made or written."""


def show(results: Results, folder: Path, as_json: bool = False) -> None:
    """Tell the results on stdout: for a reader, or as JSON and nothing else."""
    REPORTERS.get("json" if as_json else "terminal")(results, folder, Console(highlight=False))
