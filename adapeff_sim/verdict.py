"""Who is cheapest, from which day on: of those good enough everywhere, lacking no amount, and by more than noise."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapeff_sim.costs.accrual import TOTAL, Accrual, Lot
from adapeff_sim.ledger.outcome import Row
from adapeff_sim.noise import is_tied, noise_of

POINTS = 100  # scores lie between 0 and 1, floors are said in points
ROUNDING = 1e-12  # of an amount: what rounding may leave of two equal sums


class Below(Row):
    """An endpoint on which a strategy cannot be called cheapest; ``points`` is None where it has no score at all."""

    label: str
    endpoint: str
    best_label: str
    points: float | None


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


class Comparison(Row):
    """One component, or the total, at the horizon: the cheapest, what ties with it, and since when it leads."""

    component: str
    cheapest: str | None  # None: no strategy can be compared
    amount: float | None
    tied: tuple[str, ...] = ()
    since_day: float | None = None  # from then on cheaper than everything that it does not tie with
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

    def lives(self, label: str, component: str) -> list[Accrual]:
        """The accruals of one strategy, seed by seed; where nothing was charged there is nothing to pay."""
        return [self.accruals.get((label, seed, component), Accrual()) for seed in self.seeds]

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
    has_one = any(c.cheapest for c in comparisons)
    is_alone = all(c.cheapest and not c.rivals for c in comparisons)  # the total says so for every component
    said = (
        *(_said(case, c) for c in comparisons if has_one and (c.component == TOTAL or not is_alone)),
        *([] if has_one else _said_of_no_one(case, below, incomplete)),
        *_said_of_noise(case),
        *_said_of_quality(case, below, comparisons),
        *_said_of_incomplete(incomplete),
    )
    return Verdict(comparisons=tuple(comparisons), below=tuple(below), incomplete=tuple(incomplete), sentences=said)


def _below(case: Case) -> list[Below]:
    """Every endpoint on which a strategy lies more than the floor below the best one, or alone has no score."""
    found = []
    for endpoint in _endpoints(case):
        scored = {x: s for x in case.labels if (s := case.scores.get(x, {}).get(endpoint)) is not None}
        if not scored:
            continue  # nothing is known of anyone, which is said apart
        best = max(scored, key=lambda x: scored[x])
        for label in case.labels:
            points = POINTS * (scored[best] - scored[label]) if label in scored else None
            if points is None or points > case.quality_floor + 1e-9:
                found.append(Below(label=label, endpoint=endpoint, best_label=best, points=points))
    return found


def _endpoints(case: Case) -> list[str]:
    return sorted({e for scores in case.scores.values() for e in scores})


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
    )


def _rival(case: Case, component: str, first: str, label: str) -> Rival:
    """The difference, seed by seed, so that what all strategies share under a seed is no noise."""
    one = [life.amount for life in case.lives(first, component)]
    other = [life.amount for life in case.lives(label, component)]
    gaps = [b - a for a, b in zip(one, other, strict=True)]
    difference, amount, noise = statistics.fmean(gaps), statistics.fmean(other), noise_of(gaps)
    tied = is_tied(difference, amount, noise)
    return Rival(label=label, amount=amount, difference=difference, noise=noise, tied=tied)


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


def _said(case: Case, c: Comparison) -> str:
    """One comparison as a sentence."""
    what = f"{c.component.capitalize()} by day {case.horizon_days:g}"
    if c.cheapest is None or c.amount is None:
        return f"{what}: no strategy can be compared."
    if len(case.labels) == 1:
        return f"{what}: {_money(c.amount, case)} for {c.cheapest}; one strategy, nothing to compare."
    quality = "".join(_quality(case, x) for x in (c.cheapest, *c.tied)) if c.component == TOTAL else ""
    if not c.rivals:
        return f"{what}: {c.cheapest} ({_money(c.amount, case)}) is the only strategy that can be compared{quality}."
    beaten = [r for r in c.rivals if not r.tied]
    if c.tied:
        names = ", ".join([c.cheapest, *c.tied])
        widest = max(r.difference for r in c.rivals if r.tied)
        apart = f", at most {_money(widest, case)} apart" if widest > ROUNDING * c.amount else ""
        head = f"no difference between {names} ({_money(c.amount, case)}{apart})"
    else:
        head = f"{c.cheapest} is cheapest ({_money(c.amount, case)})"
    if not beaten:
        return f"{what}: {head}{quality}."
    gap = f", {100 * beaten[0].difference / beaten[0].amount:.0f} % under {beaten[0].label}"
    return f"{what}: {head}{gap} ({_money(beaten[0].amount, case)}){_since(case, c)}{quality}."


def _said_of_no_one(case: Case, below: list[Below], incomplete: list[Incomplete]) -> list[str]:
    """Why nobody can be called cheapest, and at what floor who would be."""
    unknown = {i.label for i in incomplete if i.component == TOTAL} | {b.label for b in below if b.points is None}
    known = [x for x in case.labels if x not in unknown]
    gaps = {x: max((b.points or 0.0 for b in below if b.label == x), default=0.0) for x in known}
    if not gaps:
        return ["No strategy can be compared: each lacks an amount or a score."]
    floor = _tenths(min(gaps.values()))
    first = min((x for x in gaps if gaps[x] <= floor + 1e-9), key=lambda x: case.amount(x, TOTAL))
    amount = _money(case.amount(first, TOTAL), case)
    return [
        f"No strategy stays within {case.quality_floor:g} points of the best everywhere, so none is called cheapest.",
        f"With a floor of {floor:.1f} points, the least that lets one in, it would be {first} ({amount} in total).",
    ]


def _tenths(points: float) -> float:
    return math.ceil(10 * points - 1e-6) / 10  # rounded up: a floor of as many points lets the gap pass


def _since(case: Case, c: Comparison) -> str:
    if c.since_day is None:
        return ""
    start = min((d for label in case.labels for life in case.lives(label, c.component) for d in life.days), default=0.0)
    return ", from the start" if c.since_day < start + 0.05 else f", from day {round(c.since_day, 1):g} on"


def _quality(case: Case, label: str) -> str:
    """At what quality: the mean over endpoints, and the lowest."""
    scores = {e: s for e, s in case.scores.get(label, {}).items() if s is not None}
    if not scores:
        return ""
    mean, lowest = POINTS * statistics.fmean(scores.values()), min(scores, key=lambda e: (scores[e], e))
    return f"; {label} scores {mean:.1f} points on average, {POINTS * scores[lowest]:.1f} at its lowest ({lowest})"


def _said_of_noise(case: Case) -> list[str]:
    if len(case.labels) == 1:
        return []
    if len(case.seeds) == 1:
        return ["One seed: no interval; only differences of 1 % or less count as none."]
    return [
        f"{len(case.seeds)} seeds: a difference counts as none within 1 %, "
        "or within the 95 % interval of the paired difference (Student's t)."
    ]


def _said_of_quality(case: Case, below: list[Below], comparisons: list[Comparison]) -> list[str]:
    """Who is never called cheapest, why, and whether it would have been."""
    total = next((c for c in comparisons if c.component == TOTAL), None)
    unscored = [e for e in _endpoints(case) if all(s.get(e) is None for s in case.scores.values())]
    where = f"unavailable on {', '.join(unscored)}: the floor was not held there."
    unknown = where if unscored != _endpoints(case) else "unknown, as nothing was scored: cost alone is compared."
    said = [f"Quality is {unknown}"] if unscored else []
    for label in dict.fromkeys(b.label for b in below):
        mine = [b for b in below if b.label == label]
        worst = max(mine, key=lambda b: math.inf if b.points is None else b.points)
        more = f" (and on {len(mine) - 1} more)" if len(mine) > 1 else ""
        if worst.points is None:
            reason = f"it has no score on {worst.endpoint}{more}"
        else:
            reason = f"{_tenths(worst.points):.1f} points below {worst.best_label} on {worst.endpoint}{more}"
        amount = case.amount(label, TOTAL)
        less = total is not None and total.amount is not None and amount < total.amount
        cost = f"; it costs less in total ({_money(amount, case)})" if less else ""
        said.append(f"{label} is never called cheapest: {reason}; the floor is {case.quality_floor:g} points{cost}.")
    return said


def _said_of_incomplete(incomplete: list[Incomplete]) -> list[str]:
    """Who is not compared on what, one sentence for each strategy."""
    said = []
    for label in dict.fromkeys(i.label for i in incomplete):
        mine = [i for i in incomplete if i.label == label]
        items = list(dict.fromkeys(item for i in mine for item in i.items))
        more = f" and {len(items) - 1} more" if len(items) > 1 else ""
        where = " and ".join(i.component for i in mine)
        said.append(f"{label} cannot be compared on {where}: unavailable is {items[0]}{more}.")
    return said


def _money(amount: float, case: Case) -> str:
    """An amount with its currency; small ones, and those that nobody reads digit by digit, with three that count."""
    return f"{amount:{',.2f' if amount == 0 or 1 <= abs(amount) < 1e12 else '.3g'}} {case.currency}"
