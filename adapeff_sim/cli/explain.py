"""`adapeff-sim explain`: what one training took, part by part, beside full fine-tuning on the same steps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from adapeff_sim.explanation import Explanation, Line


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run, or a file in it.")],
    job: Annotated[str, typer.Option(metavar="NAME", help="A training: SLOT, SLOT@DAY, or its key in the store.")],
    strategy: Annotated[str | None, typer.Option(metavar="LABEL", help="Of this strategy.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Under this seed.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON, and nothing else.")] = False,
) -> None:
    r"""Show why training few parameters is not as much cheaper: what one training took, beside full fine-tuning.

    \b
    Examples:
      adapeff-sim explain runs/smoke --job adapter/intent
      adapeff-sim explain runs/smoke --job adapter/intent@40 --strategy adapter_per_task --json
    """
    import sys

    from rich.console import Console

    from adapeff_sim import explanation
    from adapeff_sim.reports.wording import line
    from adapeff_sim.run_folder import RunFolder, folder_of

    ledger = RunFolder(folder_of(run)).read_ledger()
    found = explanation.explain(explanation.find(ledger, job, strategy, seed))
    if json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
        return
    console = Console(highlight=False)
    console.print(line(f"{found.slot}, day {found.day:g}, seed {found.seed}: {', '.join(found.labels)}", "bold"))
    console.print(line(f"{found.provenance} on {found.device}", "dim"))
    console.print()
    for table in tables(found):
        console.print(table)
    for sentence in found.sentences:
        console.print(line(sentence))
    for gap in found.unavailable:
        console.print(line(f"Unavailable: {gap}", "yellow"))


def tables(found: "Explanation") -> "list[Table]":
    """Parameters, operations and seconds, each beside those of full fine-tuning."""
    from adapeff_sim.reports.wording import flops

    return [
        _table("Parameters", found.parameters, lambda n: f"{n:,.0f}"),
        _table("Operations of training (FLOPs)", found.flops, flops),
        _table("Seconds", found.seconds, lambda n: f"{n:,.3g}" if n < 100 else f"{n:,.0f}"),
    ]


def _table(title: str, lines: "tuple[Line, ...]", said: "Callable[[float], str]") -> "Table":
    from adapeff_sim.reports.tables import table

    made = table("", "this training", "full fine-tuning, estimated", "of that", title=title)
    for each in lines:
        share = each.this / each.full if each.this is not None and each.full else None
        amounts = ("–" if n is None else said(n) for n in (each.this, each.full))
        made.add_row(each.what, *amounts, "–" if share is None else f"{100 * share:.3g} %")
    return made
