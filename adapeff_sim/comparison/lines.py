"""Straight lines of cost, and where another one becomes the lowest."""

from collections.abc import Mapping
from typing import NamedTuple

from adapeff_sim.ledger.outcome import Row

ROUNDING = 1e-12


class Line(NamedTuple):
    """What a strategy costs now, and how much more for one more of what is varied."""

    now: float
    slope: float


class Flip(Row):
    """Where on the way from ``now`` another strategy becomes the cheapest, and which."""

    at: float
    cheapest: str


def flips(lines: Mapping[str, Line], first: str, now: float, lowest: float = 0.0) -> tuple[Flip | None, Flip | None]:
    """The nearest place below ``now`` (above ``lowest``) and above it where ``first`` is no longer the cheapest.

    Even at ``lowest`` itself is no flip: nothing lies beyond it where the other would be cheaper.
    """
    best = lines[first]
    below: list[tuple[float, float, str]] = []
    above: list[tuple[float, float, str]] = []
    for label, line in lines.items():
        steeper = best.slope - line.slope
        if label == first or abs(steeper) <= ROUNDING * max(map(abs, (*best, *line))):
            continue
        away = max(0.0, line.now - best.now) / steeper
        if away >= 0 and steeper > 0:
            above.append((away, line.slope, label))
        elif now + away > lowest + ROUNDING * abs(now):
            below.append((-away, -line.slope, label))
    nearest = [min(found, default=None) for found in (below, above)]
    signs = (-1.0, 1.0)
    made = [
        None if n is None else Flip(at=now + sign * n[0], cheapest=n[2]) for sign, n in zip(signs, nearest, strict=True)
    ]
    return made[0], made[1]
