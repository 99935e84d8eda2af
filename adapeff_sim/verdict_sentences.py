"""A verdict in sentences: who is cheapest, from which day, at what quality, and what could not be compared.

The page has the same sentences in a script of its own (reports/page/sentences.js).
"""

import math
import statistics
from typing import TYPE_CHECKING

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.noise import is_tied, noise_of

if TYPE_CHECKING:
    from adapeff_sim.verdict import Below, Case, Comparison, Incomplete

POINTS = 100  # scores lie between 0 and 1, floors are said in points
ROUNDING = 1e-12  # of an amount: what rounding may leave of two equal sums


def said_of(
    case: "Case", comparisons: "list[Comparison]", below: "list[Below]", incomplete: "list[Incomplete]"
) -> tuple[str, ...]:
    """All sentences, the total's after those of its components."""
    has_one = any(c.cheapest for c in comparisons)
    is_alone = all(c.cheapest and not c.rivals for c in comparisons)  # the total says so for every component
    return (
        *(_said(case, c, below) for c in comparisons if has_one and (c.component == TOTAL or not is_alone)),
        *(_said_of_price(case, comparisons, below, incomplete) if has_one else []),
        *([] if has_one else _said_of_no_one(case, below, incomplete)),
        *_said_of_noise(case),
        *_said_of_quality(case, below, comparisons),
        *_said_of_incomplete(incomplete),
    )


def endpoints(case: "Case") -> list[str]:
    """Every endpoint that somebody serves at the horizon."""
    return sorted({e for scores in case.scores.values() for e in scores})


def _said(case: "Case", c: "Comparison", below: "list[Below]") -> str:
    """One comparison as a sentence."""
    what = f"{c.component.capitalize()} by day {case.horizon_days:g}"
    if c.cheapest is None or c.amount is None:
        return f"{what}: no strategy can be compared."
    if len(case.labels) == 1:
        return f"{what}: {_money(c.amount, case)} for {c.cheapest}; one strategy, nothing to compare."
    quality = "".join(_quality(case, x) for x in (c.cheapest, *c.tied)) if c.component == TOTAL else ""
    if not c.rivals:
        worse = {b.label for b in below if b.points is not None}
        near = f"within {case.quality_floor:g} points of the best everywhere"
        alone = near if worse.issuperset({*case.labels} - {c.cheapest}) else "that can be compared"
        return f"{what}: {c.cheapest} ({_money(c.amount, case)}) is the only strategy {alone}{quality}."
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
    gap = f", {_percent(100 * beaten[0].difference / beaten[0].amount)} % under {beaten[0].label}"
    return f"{what}: {head}{gap} ({_money(beaten[0].amount, case)}){_since(case, c)}{quality}."


def _said_of_no_one(case: "Case", below: "list[Below]", incomplete: "list[Incomplete]") -> list[str]:
    """Why nobody can be called cheapest, and at what floor who would be."""
    gaps = _gaps(case, below, incomplete)
    if not gaps:
        return ["No strategy can be compared: each lacks an amount or a score."]
    floor, first = _let_in(case, gaps)
    amount = _money(case.amount(first, TOTAL), case)
    return [
        f"No strategy stays within {case.quality_floor:g} points of the best everywhere, so none is called cheapest.",
        f"With a floor of {floor:.1f} points, the least in tenths that lets one in, it would be {first} ({amount} in "
        "total).",
    ]


def _said_of_price(
    case: "Case", comparisons: "list[Comparison]", below: "list[Below]", incomplete: "list[Incomplete]"
) -> list[str]:
    """What the floor costs: at what lower demand another strategy would be cheapest, and by how much; else nothing."""
    best = next((c.cheapest for c in comparisons if c.component == TOTAL), None)
    if best is None:
        return []
    gaps = {x: gap for x, gap in _gaps(case, below, incomplete).items() if _is_cheaper(case, x, best)}
    if not gaps:
        return []
    floor, first = _let_in(case, gaps)
    amount = case.amount(first, TOTAL)
    less = _money(case.amount(best, TOTAL) - amount, case)
    return [
        f"With a floor of {floor:.1f} points, the least in tenths that lets a cheaper one in, it would be {first} "
        f"({_money(amount, case)} in total), {less} cheaper."
    ]


def _gaps(case: "Case", below: "list[Below]", incomplete: "list[Incomplete]") -> dict[str, float]:
    """By how many points each strategy misses the best at its worst: of those that lack no amount and no score."""
    unknown = {i.label for i in incomplete if i.component == TOTAL} | {b.label for b in below if b.points is None}
    known = [x for x in case.labels if x not in unknown]
    return {x: max((b.points or 0.0 for b in below if b.label == x), default=0.0) for x in known}


def _let_in(case: "Case", gaps: dict[str, float]) -> tuple[float, str]:
    """The least floor in tenths of points that lets one of these in, and the cheapest that it lets in."""
    floor = math.ceil(10 * min(gaps.values()) - 1e-6) / 10  # up: a floor of as many points lets the gap pass
    return floor, min((x for x in gaps if gaps[x] <= floor + 1e-9), key=lambda x: case.amount(x, TOTAL))


def _is_cheaper(case: "Case", label: str, other: str) -> bool:
    """Whether a strategy costs less in total than another, by more than what counts as none."""
    lives = zip(case.lives(label, TOTAL), case.lives(other, TOTAL), strict=True)
    gaps = [theirs.amount - mine.amount for mine, theirs in lives]
    return not is_tied(statistics.fmean(gaps), case.amount(other, TOTAL), noise_of(gaps))


def _percent(gap: float) -> str:
    """How many percent cheaper, to the nearest: with tenths below 10; what costs something is not 100 % cheaper."""
    return ">99" if 99 < gap < 100 else f"{gap:.{1 if gap < 10 else 0}f}"


def _points(gap: float, floor: float) -> str:
    """How many points below the best, to the nearest tenth, or to as many digits as tell it from the floor."""
    return next((said for digits in range(1, 9) if float(said := f"{gap:.{digits}f}") > floor), f"{gap:g}")


def _since(case: "Case", c: "Comparison") -> str:
    if c.since_day is None:
        return ""
    start = min((d for label in case.labels for life in case.lives(label, c.component) for d in life.days), default=0.0)
    return ", from the start" if c.since_day < start + 0.05 else f", from day {round(c.since_day, 1):g} on"


def _quality(case: "Case", label: str) -> str:
    """At what quality: the mean over endpoints, and the lowest."""
    scores = {e: s for e, s in case.scores.get(label, {}).items() if s is not None}
    if not scores:
        return ""
    mean, lowest = POINTS * statistics.fmean(scores.values()), min(scores, key=lambda e: (scores[e], e))
    return f"; {label} scores {mean:.1f} points on average, {POINTS * scores[lowest]:.1f} at its lowest ({lowest})"


def _said_of_noise(case: "Case") -> list[str]:
    if len(case.labels) == 1:
        return []
    if len(case.seeds) == 1:
        return ["One seed: no interval; only differences of 1 % or less count as none."]
    return [
        f"{len(case.seeds)} seeds: a difference counts as none within 1 %, "
        "or within the 95 % interval of the paired difference (Student's t)."
    ]


def _said_of_quality(case: "Case", below: "list[Below]", comparisons: "list[Comparison]") -> list[str]:
    """Who is never called cheapest, why, and whether it would have been."""
    total = next((c for c in comparisons if c.component == TOTAL), None)
    unscored = [e for e in endpoints(case) if all(s.get(e) is None for s in case.scores.values())]
    where = f"unavailable on {', '.join(unscored)}: the floor was not held there."
    unknown = where if unscored != endpoints(case) else "unknown, as nothing was scored: cost alone is compared."
    said = [f"Quality is {unknown}"] if unscored else []
    for label in dict.fromkeys(b.label for b in below):
        mine = [b for b in below if b.label == label]
        worst = max(mine, key=lambda b: math.inf if b.points is None else b.points)
        more = f" (and on {len(mine) - 1} more)" if len(mine) > 1 else ""
        if worst.points is None:
            reason = f"it has no score on {worst.endpoint}{more}"
        else:
            behind = _points(worst.points, case.quality_floor)
            reason = f"{behind} points below {worst.best_label} on {worst.endpoint}{more}"
        amount = case.amount(label, TOTAL)
        less = total is not None and total.amount is not None and amount < total.amount
        cost = f"; it costs less in total ({_money(amount, case)})" if less else ""
        said.append(f"{label} is never called cheapest: {reason}; the floor is {case.quality_floor:g} points{cost}.")
    return said


def _said_of_incomplete(incomplete: "list[Incomplete]") -> list[str]:
    """Who is not compared on what, one sentence for each strategy."""
    said = []
    for label in dict.fromkeys(i.label for i in incomplete):
        mine = [i for i in incomplete if i.label == label]
        items = list(dict.fromkeys(item for i in mine for item in i.items))
        more = f" and {len(items) - 1} more" if len(items) > 1 else ""
        where = " and ".join(i.component for i in mine)
        said.append(f"{label} cannot be compared on {where}: unavailable is {items[0]}{more}.")
    return said


def _money(amount: float, case: "Case") -> str:
    """An amount with its currency; small ones, and those that nobody reads digit by digit, with three that count."""
    return f"{amount:{',.2f' if amount == 0 or 1 <= abs(amount) < 1e12 else '.3g'}} {case.currency}"
