"""`adapeff-sim doctor`: what this machine can do, and what is missing."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapeff_sim.doctor import Finding

SIGNS = {"good": ("+", "green"), "note": ("!", "yellow"), "bad": ("x", "red")}


def doctor(
    store: Annotated[
        str, typer.Option(envvar="ADAPEFF_STORE", metavar="DIR", help="Where runs keep what was trained.")
    ] = ".adapeff/store",
    torch: Annotated[bool, typer.Option("--torch", help="Load torch to name the GPU; takes seconds.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask whether the hub answers.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON, and nothing else.")] = False,
) -> None:
    r"""Show what this machine can do: versions, device, memory, disk and hub, and what is missing.

    \b
    + good   ! good to know   x `run` cannot work; the exit code is 2 then

    \b
    Examples:
      adapeff-sim doctor
      adapeff-sim doctor --torch
      adapeff-sim doctor --offline --json
    """
    from adapeff_sim.doctor import can_run, examine

    findings = examine(Path(store), torch, offline)
    works = can_run(findings)
    if json:
        told = {"can_run": works, "findings": [f._asdict() for f in findings]}
        typer.echo(json_format.dumps(told, indent=2, ensure_ascii=False))
    else:
        _show(findings, works)
    if not works:
        raise typer.Exit(2)


def _show(findings: "Sequence[Finding]", works: bool) -> None:
    """A line for each finding, what would mend it below, and whether `run` can work."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from adapeff_sim.reports.wording import line

    console = Console(highlight=False)
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True)
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for f in findings:
        sign, style = SIGNS[f.state]
        found = line(f.found).append(f"\n→ {line(f.fix).plain}" if f.fix else "", style="bold")
        rows.add_row(Text(sign, style=style), line(f.topic), found)
    console.print(rows)
    bad = [f.topic for f in findings if f.state == "bad"]
    console.print(Text("\nEverything that `run` needs is here." if works else f"\n`run` cannot work: {', '.join(bad)}"))
