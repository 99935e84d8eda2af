"""Differences under common random numbers: between the strategies of a run, and between runs of the same seeds."""

import math
from collections.abc import Iterator, Mapping
from itertools import combinations

from pydantic import Field

from adapeff_sim.comparison.intervals import Interval, of_difference, of_mean
from adapeff_sim.comparison.side import Side, mean_scores
from adapeff_sim.costs.base import Terms
from adapeff_sim.costs.totals import TotalRow
from adapeff_sim.ledger.outcome import Row

ROUNDING = 1e-12  # of an amount: what rounding may leave of two equal sums
QUALITY = "quality"  # beside the cost components: the mean score at the horizon, in points


class Difference(Row):
    """``one`` less ``other`` in a component (or in points of quality), by seed; positive where ``one`` is dearer."""

    component: str
    one: str
    other: str
    by_seed: dict[int, float] = Field(default_factory=dict)
    interval: Interval | None = None
    why: str = ""  # why there is none


class Between(Row):
    """One run less another, strategy by strategy, what both have in common, and what keeps them from being compared.

    ``seeds`` are those common to both; without any the differences are not paired.
    """

    one: str
    other: str
    seeds: tuple[int, ...]
    common: tuple[str, ...]
    apart: tuple[str, ...]
    refused: str = ""
    differences: tuple[Difference, ...] = ()


def within(side: Side) -> tuple[Difference, ...]:
    """Every pair of strategies of one run, in every component and in quality, paired by seed."""
    totals = {(row.component, row.label): row for row in side.results.totals}
    scores = mean_scores(side)
    found = []
    for component in [*dict.fromkeys(row.component for row in side.results.totals), QUALITY]:
        for one, other in combinations(side.labels, 2):
            if component == QUALITY:
                a, b = scores.get(one, {}), scores.get(other, {})
                found.append(_paired(component, one, other, a, b, set(side.seeds)))
            else:
                found.append(_costs(side, totals[component, one], totals[component, other]))
    return tuple(found)


def _costs(side: Side, a: TotalRow, b: TotalRow) -> Difference:
    if gap := next(iter((*a.unavailable, *b.unavailable)), ""):
        return Difference(component=a.component, one=a.label, other=b.label, why=f"unavailable is {gap}")
    first, second = (dict(zip(side.seeds, row.known, strict=True)) for row in (a, b))
    return _paired(a.component, a.label, b.label, first, second, set(side.seeds))


def _paired(
    component: str, one: str, other: str, a: Mapping[int, float], b: Mapping[int, float], seeds: set[int]
) -> Difference:
    """The difference under every seed; all of them must be known."""
    if not seeds or not seeds <= a.keys() & b.keys():
        return Difference(component=component, one=one, other=other, why="not every seed has a score")
    size = max((abs(x[seed]) for x in (a, b) for seed in seeds), default=0.0)
    found = {seed: a[seed] - b[seed] for seed in sorted(seeds)}
    gaps = {seed: gap if abs(gap) > ROUNDING * size else 0.0 for seed, gap in found.items()}
    return Difference(component=component, one=one, other=other, by_seed=gaps, interval=of_mean([*gaps.values()], size))


def between(one: Side, other: Side) -> Between:
    """One run less another. Without a common currency and horizon there are no differences, and it says so."""
    seeds = tuple(seed for seed in one.seeds if seed in other.seeds)
    common, apart = _conditions(one, other, seeds)
    refused = _refused(one, other)
    found = () if refused else tuple(_across(one, other, seeds, "test rows" in common))
    return Between(
        one=one.name,
        other=other.name,
        seeds=seeds,
        common=tuple(common),
        apart=tuple(apart),
        refused=refused,
        differences=found,
    )


def _refused(one: Side, other: Side) -> str:
    """Why two runs have no differences of money at all."""
    currencies = [side.results.prices.currency for side in (one, other)]
    days = [side.results.facts.terms.horizon_days for side in (one, other)]
    if currencies[0] != currencies[1]:
        return f"priced in {currencies[0]} and in {currencies[1]}; price one again with a book of the other's currency"
    if not math.isclose(*days):
        return f"counted up to day {days[0]:g} and up to day {days[1]:g}; run both up to the same horizon_days"
    if not set(one.labels) & set(other.labels):
        return "no strategy has the same label in both"
    return ""


def _conditions(one: Side, other: Side, seeds: tuple[int, ...]) -> tuple[list[str], list[str]]:
    """What is common to two runs, and what is not."""
    a, b = one.results, other.results
    tests = [r.environment.get("test_sets") for r in (a, b)]
    facts = {
        "seeds": bool(seeds),
        "events": a.facts.events == b.facts.events,
        "test rows": bool(tests[0]) and tests[0] == tests[1],
        "training rows": bool(a.environment.get("fetched"))
        and a.environment.get("fetched") == b.environment.get("fetched"),
        "base models": a.environment.get("base_models") == b.environment.get("base_models"),
        "device": a.environment.get("device") == b.environment.get("device"),
        "prices": a.prices == b.prices,
        "terms": _heard(a.facts.terms) == _heard(b.facts.terms),
    }
    return [x for x, same in facts.items() if same], [x for x, same in facts.items() if not same]


def _across(one: Side, other: Side, seeds: tuple[int, ...], same_tests: bool) -> Iterator[Difference]:
    """Every strategy that both have, in every component that both have, and in quality on the same test rows."""
    rows = [{(r.component, r.label): r for r in side.results.totals} for side in (one, other)]
    for component in dict.fromkeys(component for component, _ in rows[0]):
        for label in (x for x in one.labels if (component, x) in rows[1]):
            a, b = rows[0][component, label], rows[1][component, label]
            if gap := next(iter((*a.unavailable, *b.unavailable)), ""):
                yield Difference(component=component, one=label, other=label, why=f"unavailable is {gap}")
                continue
            first, second = (dict(zip(s.seeds, r.known, strict=True)) for s, r in ((one, a), (other, b)))
            yield _side_by_side(component, label, first, second, seeds)
    scores = [mean_scores(side) for side in (one, other)]
    for label in (x for x in one.labels if x in other.labels):
        if same_tests:
            yield _side_by_side(QUALITY, label, scores[0].get(label, {}), scores[1].get(label, {}), seeds)
        else:
            yield Difference(component=QUALITY, one=label, other=label, why="other test rows: scores are not compared")


def _side_by_side(
    component: str, label: str, a: Mapping[int, float], b: Mapping[int, float], seeds: tuple[int, ...]
) -> Difference:
    """Paired over the common seeds; apart where there are none."""
    if seeds or not (a and b):
        return _paired(component, label, label, a, b, set(seeds))
    interval = of_difference([*a.values()], [*b.values()])
    return Difference(component=component, one=label, other=label, interval=interval)


def _heard(terms: Terms) -> Terms:
    """What terms come to, whoever said how busy a replica may be."""
    return terms.model_copy(update={"utilisation_said": None})
