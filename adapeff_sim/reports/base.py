"""The contract of a report: results, the folder their files lie in, and a console to tell them on."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from adapeff_sim.registry import Registry
from adapeff_sim.results import Results

Reporter = Callable[[Results, Path, Console], None]
REPORTERS: Registry[Reporter] = Registry(
    "report", "adapeff_sim.reports", besides=("base", "wording", "tables", "breakdown", "curves", "effort")
)


def show(results: Results, folder: Path, as_json: bool = False) -> None:
    """Tell the results on stdout: for a reader, or as JSON and nothing else."""
    REPORTERS.get("json" if as_json else "terminal")(results, folder, Console(highlight=False))
