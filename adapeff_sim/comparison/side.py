"""One run of a comparison: what it came to, what it would come to at other prices, and who takes part in it."""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import CostRow, Terms, price_ledger
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import DeploymentRecord
from adapeff_sim.results import Results

POINTS = 100  # scores lie between 0 and 1


@dataclass(frozen=True, slots=True)
class Side:
    """A finished run under the name that the comparison gives it."""

    name: str
    results: Results
    ledger: Ledger

    @property
    def labels(self) -> tuple[str, ...]:
        """Its strategies, in the order of its scenario."""
        return self.results.facts.labels

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its replications."""
        return self.results.facts.seeds

    def priced(self, prices: Prices, terms: Terms) -> dict[str, float]:
        """What every strategy comes to at other prices or under other terms, mean over seeds; unknown ones left out."""
        return totals_of(price_ledger(self.ledger, prices, terms), self.labels, len(self.seeds))


def totals_of(rows: Sequence[CostRow], labels: Sequence[str], seeds: int) -> dict[str, float]:
    """The total of every strategy, mean over so many seeds; one with an amount that could not be had is left out."""
    amounts: dict[str, list[float]] = defaultdict(list)
    unknown = {row.label for row in rows if row.amount is None}
    for row in rows:
        amounts[row.label].append(row.amount or 0.0)
    return {x: math.fsum(amounts[x]) / seeds for x in labels if x not in unknown}


def known_totals(side: Side) -> dict[str, float]:
    """The totals as the run has them, mean over seeds; a strategy with an unavailable amount is left out."""
    found = {r.label: r.mean for r in side.results.totals if r.component == TOTAL and not r.unavailable}
    return {label: mean for label, mean in found.items() if mean is not None}


def end_scores(side: Side) -> dict[str, dict[str, dict[int, float | None]]]:
    """Label -> endpoint -> seed -> the score at the horizon; endpoints that are served no more are left out."""
    facts = side.results.facts
    deployed = [r for r in side.ledger.of(DeploymentRecord) if r.day <= facts.terms.horizon_days]
    served = {(r.label, r.seed): {a.endpoint for a in r.answered} for r in deployed}  # the last of each life
    last: dict[str, dict[str, dict[int, float | None]]] = {x: defaultdict(dict) for x in facts.labels}
    for point in sorted(side.results.quality, key=lambda p: p.day):
        if point.endpoint in served.get((point.label, point.seed), ()):
            last[point.label][point.endpoint][point.seed] = point.score
    return last


def mean_scores(side: Side) -> dict[str, dict[int, float]]:
    """Label -> seed -> the mean score over the endpoints at the horizon, in points; only where every one has a score.

    An endpoint that another seed serves and this one does not is no part of this seed's mean.
    """
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for label, endpoints in end_scores(side).items():
        for seed in side.seeds:
            scores = [of[seed] for of in endpoints.values() if seed in of]
            known = [s for s in scores if s is not None]
            if known and len(known) == len(scores):
                found[label][seed] = POINTS * statistics.fmean(known)
    return found


def widest_gaps(side: Side) -> dict[str, float]:
    """How many points every strategy lies below an endpoint's best, where that is most; no score, no gap."""
    means: dict[str, dict[str, float]] = defaultdict(dict)
    unscored: set[str] = set()
    for label, endpoints in end_scores(side).items():
        for endpoint, of in endpoints.items():
            known = [s for s in of.values() if s is not None]
            if len(known) == len(of):
                means[endpoint][label] = POINTS * statistics.fmean(known)
            else:
                means[endpoint].setdefault("", 0.0)
    gaps = dict.fromkeys(side.labels, 0.0)
    for scored in means.values():
        known_here = {x: s for x, s in scored.items() if x}
        for label in side.labels:
            if label not in known_here:
                unscored |= {label} if known_here else set()
            else:
                gaps[label] = max(gaps[label], max(known_here.values()) - known_here[label])
    return {x: gap for x, gap in gaps.items() if x not in unscored}


@dataclass(frozen=True, slots=True)
class Contest:
    """Who is compared on the total, at which amounts, and who leads; ``note`` says where the verdict differs."""

    amounts: Mapping[str, float]
    first: str
    second: str
    note: str = ""

    @property
    def lead(self) -> float:
        """How much cheaper the first is than the second."""
        return self.amounts[self.second] - self.amounts[self.first]


def contest(side: Side) -> Contest | str:
    """The strategies within the quality floor; all of them where none is; or why there is nothing to compare."""
    known = known_totals(side)
    below = {b.label for b in side.results.verdict.below}
    admitted = {x: amount for x, amount in known.items() if x not in below}
    note = ""
    if len(admitted) < 2:
        told = "no strategy stays" if not admitted else f"only {next(iter(admitted))} stays"
        note = f"{told} within {side.results.facts.quality_floor:g} points of the best everywhere; all take part here"
        admitted = known
    if len(admitted) < 2:
        return "fewer than two strategies whose total is known"
    first, second = ranked(admitted)[:2]
    return Contest(admitted, first, second, note)


def ranked(amounts: Mapping[str, float]) -> list[str]:
    """The labels, cheapest first; what differs by rounding alone stays in its order."""
    return sorted(amounts, key=lambda x: float(f"{amounts[x]:.12g}"))
