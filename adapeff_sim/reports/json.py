"""The results as one JSON document, the same as in results.json."""

from pathlib import Path

from rich.console import Console

from adapeff_sim.reports.base import REPORTERS
from adapeff_sim.results import Results


@REPORTERS.register
def json(results: Results, folder: Path, console: Console) -> None:  # noqa: ARG001
    """Write the document to the console's file, without width, colour or markup."""
    console.file.write(results.model_dump_json(indent=1) + "\n")
