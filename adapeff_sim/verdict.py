"""Who is cheapest, from which day on: of those good enough everywhere, lacking no amount, and by more than noise."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapeff_sim.costs.accrual import Accrual, Lot
from adapeff_sim.ledger.outcome import Provenance, Row, weakest
from adapeff_sim.noise import is_tied, noise_of
from adapeff_sim.verdict_sentences import POINTS, ROUNDING, endpoints, said_of


class Below(Row):
    """An endpoint on which a strategy cannot be called cheapest; ``points`` is None where it has no score at all."""

    label: str
    endpoint: str
    best_label: str
    points: float | None
    provenance: Provenance | None = None  # of scores; None in results of earlier versions


class Incomplete(Row):
    """Items of one component (or of the total) whose amount could not be had."""

    label: str
    component: str
    items: tuple[str, ...]


class Rival(Row):
    """How one other strategy compares with the cheapest: how much more it costs, and how much of that may be noise."""

    label: str
    amount: float
    difference: float
    noise: float | None  # half the 95 % interval of the mean paired difference; None with one seed
    tied: bool
    provenance: Provenance | None = None  # of both amounts; None in results of earlier versions


class Comparison(Row):
    """One component, or the total, at the horizon: the cheapest, what ties with it, and since when it leads."""

    component: str
    cheapest: str | None  # None: no strategy can be compared
    amount: float | None
    tied: tuple[str, ...] = ()
    since_day: float | None = None  # from then on cheaper than everything that it does not tie with
    provenance: Provenance | None = None  # of the cheapest one's amount; None in results of earlier versions
    rivals: tuple[Rival, ...] = ()  # cheapest first


class Verdict(Row):
    """All comparisons, what was left out of them, and the same in sentences."""

    comparisons: tuple[Comparison, ...]
    below: tuple[Below, ...]
    incomplete: tuple[Incomplete, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: how cost grew in every life, and the score of every endpoint at the horizon, mean over seeds."""

    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    components: tuple[str, ...]
    horizon_days: float
    currency: str
    quality_floor: float  # points
    accruals: Mapping[Lot, Accrual]
    scores: Mapping[str, Mapping[str, float | None]]  # label -> endpoint -> score
    scored: Provenance = "measured"  # the least sure of the scores

    def lives(self, label: str, component: str) -> list[Accrual]:
        """The accruals of one strategy, seed by seed; where nothing was charged there is nothing to pay."""
        return [self.accruals.get((label, seed, component), Accrual()) for seed in self.seeds]

    def sure(self, label: str, component: str) -> Provenance:
        """How sure that is."""
        return weakest(life.provenance for life in self.lives(label, component))

    def amount(self, label: str, component: str) -> float:
        """What a strategy has cost by the horizon, mean over seeds."""
        return statistics.fmean(life.amount for life in self.lives(label, component))


def judge(case: Case) -> Verdict:
    """The verdict on every component and on the total."""
    below = _below(case)
    incomplete = [
        Incomplete(label=label, component=component, items=tuple(items))
        for component in case.components
        for label in case.labels
        if (items := sorted({i for life in case.lives(label, component) for i in life.unavailable}))
    ]
    low = {b.label for b in below}
    comparisons = []
    for component in case.components:
        unknown = {i.label for i in incomplete if i.component == component}
        comparisons.append(_compare(case, component, [x for x in case.labels if x not in low | unknown]))
    said = said_of(case, comparisons, below, incomplete)
    return Verdict(comparisons=tuple(comparisons), below=tuple(below), incomplete=tuple(incomplete), sentences=said)


def _below(case: Case) -> list[Below]:
    """Every endpoint on which a strategy lies more than the floor below the best one, or alone has no score."""
    found = []
    for endpoint in endpoints(case):
        scored = {x: s for x in case.labels if (s := case.scores.get(x, {}).get(endpoint)) is not None}
        if not scored:
            continue  # nothing is known of anyone, which is said apart
        best = max(scored, key=lambda x: scored[x])
        for label in case.labels:
            points = POINTS * (scored[best] - scored[label]) if label in scored else None
            if points is None or points > case.quality_floor + 1e-9:
                told = {"label": label, "endpoint": endpoint, "best_label": best, "points": points}
                found.append(Below.model_validate({**told, "provenance": case.scored}))
    return found


def _compare(case: Case, component: str, labels: Sequence[str]) -> Comparison:
    """The cheapest of ``labels``, and how every other one compares with it."""
    amounts = {label: case.amount(label, component) for label in labels}
    ranked = sorted(labels, key=lambda label: float(f"{amounts[label]:.12g}"))  # equal ones as they were written
    if not ranked:
        return Comparison(component=component, cheapest=None, amount=None)
    first, *others = ranked
    rivals = tuple(_rival(case, component, first, label) for label in others)
    beaten = [r.label for r in rivals if not r.tied]
    since = [_leads_since(case.lives(first, component), case.lives(x, component), case.horizon_days) for x in beaten]
    return Comparison(
        component=component,
        cheapest=first,
        amount=amounts[first],
        tied=tuple(r.label for r in rivals if r.tied),
        since_day=max(since, default=None),
        rivals=rivals,
        provenance=case.sure(first, component),
    )


def _rival(case: Case, component: str, first: str, label: str) -> Rival:
    """The difference, seed by seed, so that what all strategies share under a seed is no noise."""
    one = [life.amount for life in case.lives(first, component)]
    other = [life.amount for life in case.lives(label, component)]
    gaps = [b - a for a, b in zip(one, other, strict=True)]
    difference, amount, noise = statistics.fmean(gaps), statistics.fmean(other), noise_of(gaps)
    tied = is_tied(difference, amount, noise)
    told = {"label": label, "amount": amount, "difference": difference, "noise": noise, "tied": tied}
    sure = weakest(case.sure(x, component) for x in (first, label))
    return Rival.model_validate({**told, "provenance": sure})


def _leads_since(first: list[Accrual], other: list[Accrual], horizon_days: float) -> float:
    """The day from which ``first`` is never dearer than ``other`` again, mean over seeds: the last crossover."""
    turns = sorted({d for life in first + other for d in life.days if d <= horizon_days} | {horizon_days})
    moments = [(day, before) for day in turns for before in (True, False)]
    gaps = [
        (day, statistics.fmean(b.at(day, before) - a.at(day, before) for a, b in zip(first, other, strict=True)))
        for day, before in moments
    ]
    slack = ROUNDING * max(life.amount for life in first + other)
    behind = [i for i, (_, gap) in enumerate(gaps) if gap < -slack]
    if not behind:
        return turns[0]
    (day, gap), (later, ahead) = gaps[behind[-1]], gaps[behind[-1] + 1]
    return day + (later - day) * gap / (gap - max(0.0, ahead))
