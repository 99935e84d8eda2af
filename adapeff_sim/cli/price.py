"""`adapeff-sim price`: what a finished run would cost at other prices, from its ledger alone."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

FACTOR = re.compile(r"[x×]?([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?)[x×]?", re.IGNORECASE)
A_NUMBER, AS_FACTOR = re.compile("write a (finite )?number"), "write how many times the requests, such as x2 or 0.5"

if TYPE_CHECKING:
    from adapeff_sim.costs.base import Terms
    from adapeff_sim.results import Results
    from adapeff_sim.scenario.problems import Problem


def price(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run, or a file in it.")],
    prices: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A price book that comes along, or a .yaml file; else that of the run."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another price, such as compute.device_hour=1.2; repeatable."),
    ] = None,
    traffic: Annotated[
        str | None, typer.Option(metavar="FACTOR", help="So many times the requests, such as x2 or 0.5.")
    ] = None,
    utilisation: Annotated[
        float | None, typer.Option(metavar="SHARE", help="How busy a replica may be: more than 0, at most 1.")
    ] = None,
    p95_ms: Annotated[
        float | None, typer.Option(metavar="MS", help="Answer 95 of 100 requests within so many milliseconds.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")] = False,
) -> None:
    r"""Price a finished run again, and show what it comes to; nothing is trained, and nothing is written.

    \b
    Examples:
      adapeff-sim price runs/smoke --prices cloud_gpu
      adapeff-sim price runs/smoke --prices my_prices.yaml --json
      adapeff-sim price runs/smoke --p95-ms 30 --traffic x20
      adapeff-sim price runs/smoke --set compute.device_hour=1.2 --traffic x20
    """
    from rich.console import Console

    from adapeff_sim.reports import base, holdings, tables, terminal
    from adapeff_sim.reports.breakdown import breakdown

    found = repriced(run, prices, changes or (), Supposed(traffic=traffic, utilisation=utilisation, p95_ms=p95_ms))
    if json:
        base.show(found, run, as_json=True)
        return
    console = Console(highlight=False)
    console.print(terminal.heading(found))  # what is not here does not hang on prices
    for each in tables.costs(found, console.width):
        console.print(each)
    for each in breakdown(found):
        console.print(each)
    for each in holdings.holdings(found):
        console.print(each)
    console.print(tables.provenance(found))
    console.print(terminal.verdict(found))


@dataclass(frozen=True, slots=True)
class Supposed:
    """Other terms than the run's, as they stand on the command line; None leaves those of the run."""

    traffic: str | None = None
    utilisation: float | None = None
    p95_ms: float | None = None

    def terms(self, of_run: "Terms") -> "Terms":
        """The terms to price under. Raises Problems for what cannot be supposed."""
        from pydantic import ValidationError

        from adapeff_sim.scenario.problems import COMMAND_LINE, Problems
        from adapeff_sim.scenario.variations import supposed

        said = {"traffic": _number(self.traffic), "utilisation": self.utilisation, "p95_ms": self.p95_ms}
        try:
            return supposed(of_run, {name: value for name, value in said.items() if value is not None})
        except ValidationError as error:
            found = error.errors(include_url=False)
            raise Problems(COMMAND_LINE, [_problem(str(e["loc"][0]), e["msg"]) for e in found]) from None


def _problem(term: str, text: str) -> "Problem":
    """What is wrong with a term, at its flag."""
    from adapeff_sim.scenario.problems import Problem

    return Problem((f"--{term.replace('_', '-')}",), A_NUMBER.sub(AS_FACTOR, text) if term == "traffic" else text)


def _number(text: str | None) -> str | float | None:
    """The factor in ``x2``, ``2x``, ``2`` or ``2e3``; what is no number stays a text, to be refused with the others."""
    found = FACTOR.fullmatch(text.strip()) if text is not None else None
    return text if found is None else float(found[1])


def repriced(run: Path, prices: str | None, changes: Sequence[str] = (), supposed: Supposed = Supposed()) -> "Results":
    """The results of a finished run at other prices and under other terms.

    Raises AdapeffError for a folder that holds no finished run, for a price book that cannot be had, and for a value
    that cannot be set.
    """
    from adapeff_sim.costs.base import price_ledger
    from adapeff_sim.results import read, results_of
    from adapeff_sim.run_folder import RunFolder, folder_of
    from adapeff_sim.scenario.price_books import load_prices
    from adapeff_sim.scenario.price_changes import with_changes

    run = folder_of(run)
    was, ledger = read(run), RunFolder(run).read_ledger()
    book = was.prices if prices is None else load_prices(prices)
    if changes:
        book = with_changes(book, changes, datetime.date.today())
    facts = was.facts.model_copy(update={"terms": supposed.terms(was.facts.terms)})
    return results_of(facts, ledger, book, price_ledger(ledger, book, facts.terms), was.environment)
