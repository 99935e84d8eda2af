"""`adapeff-sim plan`: what every event would create, rebuild, keep and retire, before anything trains; its price."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from adapeff_sim.cli.options import Data, Offline, ScenarioFile, Seeds, Strategies
from adapeff_sim.errors import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

    from adapeff_sim.results import Results
    from adapeff_sim.scenario.outlook import Outlook
    from adapeff_sim.scenario.schema import Scenario

PIPED_WIDTH = 160  # columns, where neither a terminal nor COLUMNS says how many there are
OVER = 3  # exit code: dearer than --fail-over allows
PRICING = "With --price"


def plan(
    scenario: ScenarioFile,
    strategies: Strategies = None,
    seeds: Seeds = None,
    data: Data = None,
    offline: Offline = False,
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON, and nothing else.")] = False,
    price: Annotated[
        bool, typer.Option("--price", help="What it would cost, from closed forms.", rich_help_panel=PRICING)
    ] = False,
    prices: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Another price book.", rich_help_panel=PRICING)
    ] = None,
    fail_over: Annotated[
        float | None,
        typer.Option(min=0, metavar="AMOUNT", help="End with 3 if a strategy costs more.", rich_help_panel=PRICING),
    ] = None,
    learn_from: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Take the best epochs from an earlier run.", rich_help_panel=PRICING),
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            envvar="ADAPEFF_STORE", metavar="DIR", help="Calibrations lie beside it.", rich_help_panel=PRICING
        ),
    ] = ".adapeff/store",
) -> None:
    r"""Show what every event means for every strategy: what is trained, why, and how, without training anything.

    \b
    + created   ~ rebuilt, because of which inputs, by which way
    = kept      - retired
    ? looked at, before it is known how to go on; both ways are shown

    With --price every event has what it costs once and every month; what is estimated or assumed has a *.

    \b
    Examples:
      adapeff-sim plan new_language
      adapeff-sim plan my.yaml --strategies adapter_fusion --json
      adapeff-sim plan paper/mundra2023 --price
      adapeff-sim plan new_language --price --prices on_prem --fail-over 20000
    """
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.cli.run import folder, listed, numbers
    from adapeff_sim.scenario.load import load
    from adapeff_sim.scenario.outlook import as_json, outlook

    if not price and (prices, fail_over, learn_from) != (None, None, None):
        raise ScenarioError("--prices, --fail-over and --learn-from have no effect without --price; add it.")
    begin(offline)
    needed = {"strategies": listed(strategies), "seeds": numbers(seeds), "data": data, "prices": prices}
    chosen = load(scenario, **needed, needs_data=price)  # type: ignore[arg-type]
    ahead = outlook(chosen)
    if price:
        kept, learnt = folder("--store", store), folder("--learn-from", learn_from)
        assert kept is not None  # it has a default
        _price(chosen, ahead, kept, learnt, fail_over, json)
    elif json:
        sys.stdout.write(as_json(ahead))
    else:
        _show(ahead)


def _width() -> int | None:
    """The columns to break lines at: those of a terminal or of COLUMNS, which None leaves to the console."""
    is_said = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return None if is_said else PIPED_WIDTH


def _show(ahead: "Outlook") -> None:
    """The plan for a reader."""
    from rich.console import Console

    from adapeff_sim.cli.plan_view import legend, settings_table, totals, tree_of

    console = Console(highlight=False, width=_width())
    for words in legend(ahead):
        console.print(words, markup=False, style="dim")
    console.print()
    for life in ahead.lives:
        console.print(tree_of(ahead, life))
        console.print()
    console.print(settings_table(ahead.lives[0]))
    console.print()
    for life in ahead.lives:
        for said in totals(life):
            console.print(said, markup=False)


def _price(
    chosen: "Scenario",
    ahead: "Outlook",
    store: "Path",
    learn_from: "Path | None",
    fail_over: float | None,
    json: bool,
) -> None:
    """What the plan would cost; leaves with 3 where a strategy is dearer than allowed."""
    from rich.console import Console

    from adapeff_sim.cli import forecast_view
    from adapeff_sim.conduct import estimated
    from adapeff_sim.forecast import forecast
    from adapeff_sim.scenario.outlook import as_json
    from adapeff_sim.scenario.price_books import load_prices
    from adapeff_sim.scenario.suppose import distinct_seeds

    chosen = chosen.model_copy(update={"seeds": distinct_seeds(chosen)})  # lives that are alike cost alike
    book = load_prices(chosen.prices)
    found = estimated(chosen, book, store, learn_from)
    turns = forecast(found.ledger, book, found.results.facts.terms, chosen.labels)
    over = [] if fail_over is None else dearer(found.results, fail_over)
    if json:
        sys.stdout.write(forecast_view.as_json(as_json(ahead), found, turns, over))
    else:
        console = Console(highlight=False, width=_width())
        for part in forecast_view.views(found, turns, console.width):
            console.print(part)
    if over:
        for sentence in over:
            typer.echo(sentence, err=True)
        raise typer.Exit(OVER)


def dearer(results: "Results", most: float) -> list[str]:
    """Every strategy whose total is above ``most``, or may be, as an amount of it could not be had."""
    from adapeff_sim.costs.accrual import TOTAL
    from adapeff_sim.reports.wording import money

    said, currency = [], results.prices.currency
    for row in results.totals:
        if row.component == TOTAL and (row.mean is None or row.mean > most or row.unavailable):
            limit = f"--fail-over {money(most, currency)}"
            known = "at least " if row.unavailable else ""
            amount = "what nobody knows" if row.mean is None else f"{known}{money(row.mean, currency)}"
            is_more = row.mean is not None and row.mean > most
            ends = "" if is_more else f", and {row.unavailable[0]} is unavailable"
            said.append(f"{row.label} costs {amount}{ends}; {limit}.")
    return said
