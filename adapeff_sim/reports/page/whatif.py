"""What the page reckons with when a price moves: quantities in time, and the load of every pool.

The page's own script (judge.js) makes curves and verdict of it, by the rules of ``verdict.py``, ``noise.py`` and
``costs/``.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from adapeff_sim.costs.base import CostRow
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.history import final_scores
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.noise import RELATIVE_NOISE, student_t
from adapeff_sim.reports.tables import starred
from adapeff_sim.results import Results

SECONDS_PER_DAY, ROUNDING = 86_400, 1e-9  # as costs/ sizes replicas by their load
Pool = tuple[str, int, float, float, float]  # label, seed, day, until, seconds of answering in a day
Lot = tuple[str, int, str, float, float]  # label, seed, component, day, until


def case_of(results: Results, ledger: Ledger) -> dict[str, JsonValue]:
    """All that judge.js needs of a run; labels and seeds are named by their places."""
    facts = results.facts
    label, seed = {x: i for i, x in enumerate(facts.labels)}, {s: i for i, s in enumerate(facts.seeds)}
    scores = final_scores(ledger, results.quality, facts.labels, facts.seeds, facts.terms.horizon_days)
    pools = pools_of(results)
    others = [r for r in results.rows if r.amount is not None and (pools is None or r.component != "serving")]
    prices = main_prices(results.prices)
    lots: list[JsonValue] = [
        [label[x], seed[s], component, day, until, quantity, amount]
        for (x, s, component, day, until), quantity, amount in _lots(others, prices)
    ]
    loads: list[JsonValue] = [[label[x], seed[s], day, until, load] for x, s, day, until, load in pools or ()]
    missing = dict.fromkeys((r.label, r.seed, r.component, r.item) for r in results.rows if r.amount is None)
    return {
        "labels": [*facts.labels],
        "seeds": [*facts.seeds],
        "components": [*dict.fromkeys(row.component for row in results.totals)],
        "horizon": facts.terms.horizon_days,
        "utilisation": facts.terms.utilisation,
        "currency": results.prices.currency,
        "floor": facts.quality_floor,
        "relative_noise": RELATIVE_NOISE,
        "student_t": student_t(len(facts.seeds) - 1) if len(facts.seeds) > 1 else None,
        "scores": [[[e, score] for e, score in scores[x].items()] for x in facts.labels],
        "prices": {**prices},
        "has_loads": pools is not None,
        "lots": lots,
        "pools": loads,
        "unavailable": [[label[x], seed[s], component, f"{component}: {item}"] for x, s, component, item in missing],
        "estimated": [[r.component for r in results.totals if r.label == x and starred(r)] for x in facts.labels],
        "days": [*results.days],
    }


def main_prices(prices: Prices) -> dict[str, float]:
    """The one price of each component that a slider moves; its other prices keep their proportion to it."""
    found = {
        "compute": prices.compute.amount,
        "storage": prices.storage.gib_month,
        "serving": prices.serving.replica_hour,
    }
    found |= {"energy": prices.energy.kwh} if prices.energy else {}
    found |= {"revalidation": prices.revalidation.item} if prices.revalidation else {}
    return found | ({"labelling": prices.labelling.example} if prices.labelling else {})


def _lots(rows: Sequence[CostRow], prices: Mapping[str, float]) -> Iterator[tuple[Lot, float, float]]:
    """What falls due or accrues over the same days, together: how much of what is priced, and what it costs now."""
    found: dict[Lot, list[CostRow]] = defaultdict(list)
    for r in rows:
        found[r.label, r.seed, r.component, r.day, r.until].append(r)
    for lot, group in found.items():
        amount = math.fsum(r.amount or 0.0 for r in group)
        price = prices.get(lot[2], 0.0)
        free = math.fsum(r.quantity or 0.0 for r in group if not r.amount)
        yield lot, amount / price if price else free, amount


def pools_of(results: Results) -> list[Pool] | None:
    """The load of every pool while it stands; None where the billed hours do not follow from it by the known rule."""
    terms = results.facts.terms
    if terms.p95_ms is not None or terms.placement != "dedicated":
        return None  # other rules than the load decide
    hours: dict[tuple[str, int, float, float, str], dict[str, float]] = defaultdict(dict)
    for r in results.rows:
        if r.component == "serving" and r.quantity is not None and r.amount is not None:
            state, _, pool = r.item.partition(" ")
            hours[r.label, r.seed, r.day, r.until, pool][state] = r.quantity
    found = []
    for (label, seed, day, until, _), billed in hours.items():
        if billed.keys() - {"busy", "idle"} or "busy" not in billed or until <= day:
            return None
        load = billed["busy"] * 3600 / (until - day)
        replicas = max(1, math.ceil(load / SECONDS_PER_DAY / terms.utilisation - ROUNDING))
        sized = max(replicas * 24 * (until - day), billed["busy"])
        if not math.isclose(sized, math.fsum(billed.values()), rel_tol=1e-9):
            return None
        found.append((label, seed, day, until, load))
    return found
