"""`adapeff-sim price`: what a finished run would cost at other prices, from its ledger alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapeff_sim.results import Results


def price(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    prices: Annotated[str, typer.Option(metavar="NAME|FILE", help="The price book.")],
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")] = False,
) -> None:
    r"""Price a finished run again, and show what it comes to; nothing is trained, and nothing is written.

    \b
    Examples:
      adapeff-sim price runs/smoke --prices cloud_gpu
      adapeff-sim price runs/smoke --prices my_prices.yaml --json
    """
    from rich.console import Console

    from adapeff_sim.reports import base, holdings, tables, terminal
    from adapeff_sim.reports.breakdown import breakdown

    found = repriced(run, prices)
    if json:
        base.show(found, run, as_json=True)
        return
    console = Console(highlight=False)
    console.print(terminal.heading(found))  # what is not here does not hang on prices
    console.print(tables.costs(found))
    for each in breakdown(found):
        console.print(each)
    for each in holdings.holdings(found):
        console.print(each)
    console.print(tables.provenance(found))
    console.print(terminal.verdict(found))


def repriced(run: Path, prices: str) -> "Results":
    """The results of a finished run at other prices.

    Raises AdapeffError for a folder that holds no finished run, and for a price book that cannot be had.
    """
    from adapeff_sim.costs.base import price_ledger
    from adapeff_sim.costs.prices import load_prices
    from adapeff_sim.results import read, results_of
    from adapeff_sim.run_folder import RunFolder

    was, ledger, book = read(run), RunFolder(run).read_ledger(), load_prices(prices)
    return results_of(was.facts, ledger, book, price_ledger(ledger, book, was.facts.terms), was.environment)
