"""Which input changes the verdict first: every price and term halved and doubled, and the factor that flips it."""

import math
from collections.abc import Callable, Mapping

from adapeff_sim.comparison.break_even import price_keys
from adapeff_sim.comparison.lines import Flip, Line, flips
from adapeff_sim.comparison.side import Contest, Side, known_totals, ranked, widest_gaps
from adapeff_sim.ledger.outcome import Row

REACH = 5  # doublings and halvings that are tried where a total is no straight line
HALVINGS = 12  # of the stretch in which the winner changes


class Effect(Row):
    """What a factor does to the lead of the cheapest over the second; who is cheapest then. None: an amount is unknown.

    A negative lead means that the second has overtaken.
    """

    factor: float
    lead: float | None
    cheapest: str | None


class Sensitivity(Row):
    """One input: its value now, what halving and doubling it do, and the nearest factor at which another leads.

    ``flip`` is None where no factor flips it; ``exact`` where that is known of every factor. Where it is not, factors
    were tried one after the other, from the first to the second of ``tried``.
    """

    what: str
    value: float
    halved: Effect
    doubled: Effect
    flip: Flip | None
    exact: bool
    tried: tuple[float, float] | None = None  # None where it is exact, and in comparisons of earlier versions

    @property
    def swing(self) -> float:
        """How far the lead moves between half and double."""
        leads = [e.lead for e in (self.halved, self.doubled) if e.lead is not None]
        return max(leads) - min(leads) if len(leads) > 1 else math.inf


def sensitivities(side: Side, contest: Contest, lines: Mapping[str, Mapping[str, Line]]) -> tuple[Sensitivity, ...]:
    """Every price and term, that which flips the verdict first in front, then by how far they move the lead."""
    found = [_of_price(contest, key, price, lines[key]) for key, price in price_keys(side.results.prices).items()]
    found += _of_terms(side, contest)
    floor = side.results.facts.quality_floor
    is_scored = any(p.score is not None for p in side.results.quality)
    if floor > 0 and is_scored and not contest.note:
        found.append(_of_floor(side, contest, floor))
    return tuple(sorted(found, key=_rank))


def _rank(found: Sensitivity) -> tuple[float, float]:
    at = math.inf if found.flip is None else abs(math.log2(found.flip.at)) if found.flip.at > 0 else 1e9
    return at, -found.swing


def nearest(below: Flip | None, above: Flip | None) -> Flip | None:
    """The flip that is reached by the smaller factor, up or down."""
    known = [flip for flip in (below, above) if flip is not None]
    return min(known, key=lambda f: abs(math.log2(f.at)) if f.at > 0 else math.inf, default=None)


def _of_price(contest: Contest, key: str, price: float, lines: Mapping[str, Line]) -> Sensitivity:
    def at(factor: float) -> dict[str, float]:
        return {x: line.now + (factor - 1) * line.slope for x, line in lines.items()}

    flip = nearest(*flips(lines, contest.first, 1.0))
    return _sensitivity(contest, key, price, at, (0.5, 2.0), flip, exact=True)


def _of_terms(side: Side, contest: Contest) -> list[Sensitivity]:
    """Traffic, and for what replicas are bought; replicas are whole, so that these are no straight lines."""
    results = side.results
    terms = results.facts.terms
    inputs = {"traffic": terms.traffic, "utilisation": terms.utilisation, "p95_ms": terms.p95_ms}
    found = []
    for name, value in inputs.items():
        if value and not (name == "utilisation" and terms.p95_ms and value == 1):
            most = 1 / value if name == "utilisation" else math.inf
            at = _priced_with(side, contest, name, value)
            flip, tried = _searched(contest.first, at, most)
            of = _sensitivity(contest, name, value, at, (0.5, min(2.0, most)), flip, exact=False)
            found.append(of.model_copy(update={"tried": tried}))
    return found


def _priced_with(side: Side, contest: Contest, name: str, value: float) -> Callable[[float], Mapping[str, float]]:
    """What everyone comes to at a factor of one term; each factor is priced once."""
    results = side.results
    priced: dict[float, dict[str, float]] = {}

    def at(factor: float) -> Mapping[str, float]:
        if factor not in priced:
            other = results.facts.terms.model_copy(update={name: value * factor})
            priced[factor] = side.priced(results.prices, other)
        return {x: a for x, a in priced[factor].items() if x in contest.amounts}

    return at


def _searched(
    first: str, at: Callable[[float], Mapping[str, float]], most: float
) -> tuple[Flip | None, tuple[float, float]]:
    """The nearest factor of those tried at which another one is cheapest, narrowed down by halving.

    With it the lowest and the highest factor that are tried where none flips; ``most`` is the highest that can be.
    """

    def other(factor: float) -> str | None:
        found = _cheapest(at(factor))
        return None if found == first else found

    ends = 2.0**-REACH, min(most, 2.0**REACH)
    for reach in range(1, REACH + 1):
        tried = ((2.0**-reach, 2.0 ** (1 - reach)), (min(most, 2.0**reach), min(most, 2.0 ** (reach - 1))))
        flipped = [_narrowed(far, near, other) for far, near in tried if other(far)]
        if flipped:
            return min(flipped, key=lambda flip: abs(math.log2(flip.at))), ends
    return None, ends


def _narrowed(far: float, near: float, other: Callable[[float], str | None]) -> Flip:
    """The place between a factor at which another one is cheapest and one at which it is not."""
    for _ in range(HALVINGS):
        middle = math.sqrt(near * far)
        near, far = (near, middle) if other(middle) else (middle, far)
    return Flip(at=far, cheapest=other(far) or "")


def _of_floor(side: Side, contest: Contest, floor: float) -> Sensitivity:
    """The quality floor: as it moves, strategies come into the comparison or fall out of it; exact."""
    gaps, known = widest_gaps(side), known_totals(side)

    def at(factor: float) -> dict[str, float]:
        return {x: a for x, a in known.items() if gaps.get(x, math.inf) <= factor * floor + 1e-9}

    factors = sorted({gap / floor for x, gap in gaps.items() if x in known})
    wider = [f for f in factors if f > 1 and _cheapest(at(f)) != contest.first]
    own = gaps[contest.first] / floor
    above = Flip(at=wider[0], cheapest=_cheapest(at(wider[0])) or "") if wider else None
    rest = {x: a for x, a in known.items() if gaps.get(x, math.inf) < gaps[contest.first]}
    below = Flip(at=own, cheapest=ranked(rest)[0]) if rest else None  # below it, the first is no longer let in
    effects = [Effect(factor=f, lead=contest.lead, cheapest=_cheapest(at(f))) for f in (0.5, 2.0)]
    flip = nearest(below, above)
    return Sensitivity(what="quality_floor", value=floor, halved=effects[0], doubled=effects[1], flip=flip, exact=True)


def _sensitivity(
    contest: Contest,
    what: str,
    value: float,
    at: Callable[[float], Mapping[str, float]],
    factors: tuple[float, float],
    flip: Flip | None,
    exact: bool,
) -> Sensitivity:
    halved, doubled = (_effect(contest, factor, at(factor)) for factor in factors)
    return Sensitivity(what=what, value=value, halved=halved, doubled=doubled, flip=flip, exact=exact)


def _effect(contest: Contest, factor: float, amounts: Mapping[str, float]) -> Effect:
    is_known = contest.first in amounts and contest.second in amounts
    lead = amounts[contest.second] - amounts[contest.first] if is_known else None
    return Effect(factor=factor, lead=lead, cheapest=_cheapest(amounts))


def _cheapest(amounts: Mapping[str, float]) -> str | None:
    return ranked(amounts)[0] if amounts else None
