"""`adapeff-sim list`: what there is to choose from, a line each."""

import json as json_format
from typing import Annotated

import typer


def list(
    section: Annotated[
        str | None,
        typer.Argument(metavar="[SECTION]", help="scenarios, strategies, events, methods, data, prices or executors."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the lists as JSON, and nothing else.")] = False,
) -> None:
    r"""Show scenarios, strategies, events, adapter methods, data sources, price books and executors, a line each.

    \b
    Examples:
      adapeff-sim list
      adapeff-sim list strategies
      adapeff-sim list --json
    """
    from adapeff_sim.catalogue import catalogue

    found = catalogue(section)
    if json:
        told = {name: {item.name: item.about for item in items} for name, items in found.items()}
        typer.echo(json_format.dumps(told, indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from adapeff_sim.reports.wording import line

    console = Console(highlight=False)
    for i, (name, items) in enumerate(found.items()):
        console.print(*([] if i == 0 else [Text()]), Text(name, style="bold"), sep="\n")
        rows = Table.grid(padding=(0, 2, 0, 0))
        rows.add_column(min_width=max((len(item.name) for item in items), default=0) + 2, no_wrap=True)
        rows.add_column(overflow="fold")
        for item in items:
            rows.add_row(Text("  ").append_text(line(item.name)), line(item.about))
        console.print(rows)
