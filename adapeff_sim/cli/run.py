"""`adapeff-sim run`: live through a scenario, and tell how it goes and what it came to."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapeff_sim.cli.options import (
    RESULTS,
    STORE,
    TRAINING,
    Data,
    Device,
    Executor,
    LearnFrom,
    Offline,
    PriceBook,
    Quiet,
    ScenarioFile,
    Seeds,
    Store,
    Strategies,
    Threads,
)
from adapeff_sim.errors import ScenarioError

if TYPE_CHECKING:
    from rich.console import Console

    from adapeff_sim.cli.so_far import AnyNews, SoFar
    from adapeff_sim.conduct import Watching
    from adapeff_sim.costs.prices import Prices
    from adapeff_sim.ledger.ledger import Ledger
    from adapeff_sim.results import Facts
    from adapeff_sim.simulation import OrderOf, Simulation

    Told = AbstractContextManager[Callable[[AnyNews], None]]

MOST_DIGITS = 100  # far more than any seed has


def run(
    scenario: ScenarioFile,
    strategies: Strategies = None,
    seeds: Seeds = None,
    data: Data = None,
    prices: PriceBook = None,
    offline: Offline = False,
    device: Device = "auto",
    precision: Annotated[
        str, typer.Option(metavar="auto|fp32|bf16", help="auto: bf16 on GPUs with it.", rich_help_panel=TRAINING)
    ] = "auto",
    threads: Threads = None,
    executor: Executor = "local",
    learn_from: LearnFrom = None,
    store: Store = STORE,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder; runs/NAME, if not said.", rich_help_panel=RESULTS)
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Results as JSON on stdout; progress on stderr.", rich_help_panel=RESULTS)
    ] = False,
    quiet: Quiet = False,
) -> None:
    r"""Train, measure and price every strategy of a scenario.

    What was trained is kept in the store: stopped or killed, the same command goes on where it was.

    \b
    Examples:
      adapeff-sim run smoke
      adapeff-sim run smoke --seeds 5
      adapeff-sim run my.yaml --strategies adapter_fusion --seeds 13,14
      adapeff-sim run my.yaml --data files:rows/ --prices laptop_cpu
      adapeff-sim run smoke --json > results.json
      adapeff-sim run smoke --executor estimate --learn-from runs/new_language
    """
    from adapeff_sim.cli.notes import begin
    from adapeff_sim.conduct import conduct, conduct_estimate
    from adapeff_sim.execution.machine import this_machine
    from adapeff_sim.reports.base import show
    from adapeff_sim.scenario.load import load

    begin(offline)
    kept, named = folder("--store", store), folder("--out", out)
    chosen = load(scenario, strategies=listed(strategies), seeds=numbers(seeds), data=data, prices=prices)
    at = named or Path("runs") / chosen.name
    told = shows(json, quiet)
    if executes(executor, learn_from) == "estimate":
        require_no_machine({"--device": device, "--precision": precision, "--threads": threads})
        learnt = folder("--learn-from", learn_from)
        show(conduct_estimate(chosen, kept or Path(), at, learnt, told), at, as_json=json)
        return
    machine = this_machine(device, precision, threads)
    show(conduct(chosen, machine, kept or Path(), at, told), at, as_json=json)


def executes(executor: str, learn_from: str | None) -> str:
    """Who does the orders. Raises ScenarioError for an unknown one, and for what has no effect with it."""
    from adapeff_sim.execution.base import EXECUTORS
    from adapeff_sim.near_names import choices
    from adapeff_sim.scenario.words import shown

    if executor not in EXECUTORS.names():
        raise ScenarioError(f"--executor {shown(executor)} is unknown; {choices(executor, EXECUTORS.names())}")
    if learn_from is not None and executor != "estimate":
        raise ScenarioError("--learn-from has no effect unless --executor estimate; drop it, or add that.")
    return executor


def require_no_machine(said: Mapping[str, str | int | None]) -> None:
    """Refuse the flags of a machine beside an estimate, in which none works. Raises ScenarioError."""
    if any(value not in ("auto", None) for value in said.values()):
        *flags, last = said
        told = f"{', '.join(flags)} and {last} have no effect: an estimate is of the price book's device; drop them."
        raise ScenarioError(told)


def folder(flag: str, said: str | None) -> Path | None:
    """The folder that a flag names, None where it is not given. Raises ScenarioError for an empty name."""
    if said is not None and not said.strip():
        raise ScenarioError(f"{flag} {said!r}: give the name of a folder.")
    return None if said is None else Path(said)


def so_far(
    order_of: "OrderOf", prices: "Prices", facts: "Facts", clock: Callable[[], float] = time.monotonic
) -> "SoFar":
    """What is known of the run while it goes on, nothing yet."""
    from adapeff_sim.cli.so_far import SoFar
    from adapeff_sim.costs.base import CostRow, price_ledger

    def price(ledger: "Ledger", day: float) -> list[CostRow]:
        return price_ledger(ledger, prices, facts.terms.model_copy(update={"horizon_days": day}))

    return SoFar(facts.name, facts.terms.horizon_days, price, order_of, prices.currency, clock)


def shows(json: bool, quiet: bool) -> "Watching":
    """How a run is told: on one screen, or line by line where that must be, on stderr beside JSON."""

    def told(simulation: "Simulation", prices: "Prices", facts: "Facts") -> "Told":
        return watching(so_far(simulation.order_of, prices, facts), json, quiet)

    return told


@contextmanager
def watching(known: "SoFar", json: bool, quiet: bool) -> "Iterator[Callable[[AnyNews], None]]":
    """Whoever tells how the run goes: one screen on a terminal, lines anywhere else."""
    from rich.console import Console

    from adapeff_sim.cli.lines import Lines
    from adapeff_sim.cli.live import Screen

    console = Console(stderr=json, highlight=False)
    if quiet or not can_redraw(console):
        yield Lines(console, known, is_quiet=quiet)
        return
    try:
        with Screen(console, known) as screen:
            yield screen
    finally:
        for warning in known.warnings:  # the screen is gone, and with it what it said
            Lines(console, known).warn(warning)


def can_redraw(console: "Console") -> bool:
    """Whether somebody looks at a terminal that can be redrawn, and large enough for it."""
    is_watched = os.environ.get("CI", "").lower() in ("", "0", "false")
    return console.file.isatty() and not console.is_dumb_terminal and is_watched and console.size.height >= 12


def listed(text: str | None) -> list[str] | None:
    """The names in ``a,b``."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def numbers(text: str | None) -> list[int] | int | None:
    """The seeds in ``13,14``; a number by itself is how many replications there are to be, and ``13,`` is one seed.

    Raises ScenarioError for what is no whole number, and for none at all.
    """
    names = listed(text)
    if text is None or names is None:
        return None
    if not names or not all(name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS for name in names):
        raise ScenarioError(
            f"--seeds {text[:48]!r}: give whole numbers: how many, such as 5, or which ones, such as 13,14."
        )
    if "," in text:
        return [int(name) for name in names]
    if int(names[0]) == 0:
        raise ScenarioError("--seeds 0: give at least one.")
    return int(names[0])
