"""Arrival processes become plain, dated events before anything runs."""

import random
from collections.abc import Iterable, Iterator
from itertools import chain, cycle
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from adapeff_sim.lifecycle.events.base import EVENTS, Event

SHORTEST_GAP_DAYS = 0.01  # days are rounded to this


class Arrivals(BaseModel):
    """Events that come again and again, ``gap_days`` apart: exactly (``regular``) or on average (``poisson``).

    ``events`` are taken in order, once, or over and over with ``repeat``; each is written as in the timeline,
    but without a day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    process: Literal["regular", "poisson"] = Field(description="Exactly so far apart, or on average.")
    gap_days: float = Field(ge=SHORTEST_GAP_DAYS, allow_inf_nan=False, description="Days between two events.")
    start_day: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="The first event comes one gap after this day."
    )
    repeat: bool = Field(default=False, description="Begin again with the first event after the last.")
    events: tuple[dict[str, Any], ...] = Field(min_length=1, description="Taken in this order, each without a day.")


def dated(arrivals: Arrivals, position: int, horizon_days: float, seed: int) -> Iterator[Event]:
    """The plain events of one process up to the horizon; the first comes one gap after ``start_day``.

    Gaps of a ``poisson`` process are exponential with mean ``gap_days`` (seeded; days rounded to 0.01).
    """
    chance = random.Random(f"arrivals {seed} {position}")
    passed = arrivals.start_day
    for fields in cycle(arrivals.events) if arrivals.repeat else arrivals.events:
        regular = arrivals.process == "regular"
        passed += arrivals.gap_days if regular else chance.expovariate(1 / arrivals.gap_days)
        day = round(passed, 2)  # before it is held to the horizon: 10 x 0.7 are 7, and a sum of floats is a little more
        if day > horizon_days:
            return
        rest = {key: value for key, value in fields.items() if key != "event"}
        yield EVENTS.get(str(fields["event"]))(day=day, **rest)


def timeline(events: Iterable[Event], processes: Iterable[Arrivals], horizon_days: float, seed: int) -> list[Event]:
    """All events of one seed by day; on one day in the order of the file, arrivals after plain events."""
    arrived = (dated(process, position, horizon_days, seed) for position, process in enumerate(processes))
    return sorted([*events, *chain.from_iterable(arrived)], key=lambda event: event.day)
