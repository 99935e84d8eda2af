"""`adapeff-sim report`: show a finished run again, from its files."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run, or a file in it.")],
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")] = False,
) -> None:
    r"""Show a finished run again, from its files: what it showed at its end, without training anything.

    \b
    Examples:
      adapeff-sim report runs/smoke
      adapeff-sim report runs/smoke --json | jq .verdict.sentences
    """
    from adapeff_sim.reports.base import show
    from adapeff_sim.results import read
    from adapeff_sim.run_folder import folder_of

    folder = folder_of(run)
    show(read(folder), folder, as_json=json)
