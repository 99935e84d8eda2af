"""What stands below the tables of a report: only what applies to what is in them."""

from collections.abc import Sequence

from adapeff_sim.ledger.outcome import Provenance
from adapeff_sim.reports import tables
from adapeff_sim.reports.wording import STAR_SAID, best_said, nothing_trained, plural
from adapeff_sim.results import Results

SAID: dict[Provenance, str] = {
    "reused": "reused: measured by an earlier run",
    "assumed": "assumed: rests on a number that nobody measured, such as a rate or a price that the price book assumes",
}


def of_costs(results: Results, has_best: bool) -> str:
    """Of the table of costs; whether somebody is called cheapest moves with the sliders of the page."""
    seeds = len(results.facts.seeds)
    notes = [f"mean of {plural(seeds, 'seed')} ± standard deviation"] if seeds > 1 else []
    notes += [best_said(seeds)] if has_best else []
    notes += [STAR_SAID] if any(map(tables.starred, results.totals)) else []
    notes += ["≥ a lower bound, as some amounts are unavailable"] if any(r.unavailable for r in results.totals) else []
    return ". ".join(said for said in ("; ".join(notes), tables.unpriced(results)) if said)


def of_quality(results: Results, floor: str) -> str:
    """Of the table of scores; ``floor`` is empty where no score lies below it."""
    return f"in points{of_seeds(results)}" + (f"; - marks more than {floor} below the endpoint's best" if floor else "")


def of_provenance(results: Results) -> str:
    """Of the shares of the money, with the words that occur."""
    there = {row.provenance for row in results.rows}
    told: Sequence[str] = [said for name, said in SAID.items() if name in there]
    return "; ".join(["shares of the known money, all strategies together", *told])


def counted(results: Results) -> str:
    """How operations are known: by counting them, or, where nothing was trained, from shapes."""
    return "estimated" if nothing_trained(results.environment) else "counted"


def of_seeds(results: Results) -> str:
    """That a figure is a mean, where there are several seeds."""
    return ", mean over seeds" if len(results.facts.seeds) > 1 else ""
