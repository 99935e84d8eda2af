"""How many replicas a pool needs: the least number whose 95th percentile meets a target."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapeff_sim.costs.queueing import FULL, Sort, alone, capacity_share, response

MOST_REPLICAS = 10**15
TOO_SLOW = 0.05  # the share of requests that a 95th percentile leaves out
STEP = 1.03  # from one number of replicas that is tried to the next
ROUNDING = 1e-9  # a load of exactly one replica must not become two by the last bit of a division


@dataclass(frozen=True, slots=True)
class Target:
    """What replicas are bought for: seconds that 95 of 100 requests may take, and how busy replicas may be."""

    p95_seconds: float
    utilisation: float = 1.0


@dataclass(frozen=True, slots=True)
class Sized:
    """The least number of replicas, None where no number meets the target; then the best that could be reached."""

    replicas: int | None
    p95_seconds: float
    busy_replicas: float


def size(sorts: tuple[Sort, ...], target: Target) -> Sized:
    """The least number of replicas that answers these requests within the target.

    Where a request that never waits meets the target it is found by doubling and halving, as more replicas mean less
    waiting. Else only replicas that hardly ever idle can meet it.
    """
    best = alone(sorts)
    most_busy = min(target.utilisation, FULL - ROUNDING)
    low = max(1, -int(-(capacity_share(sorts, 1) / most_busy - ROUNDING) // 1))
    if best > target.p95_seconds:
        return _kept_busy(sorts, low, target, best)
    high = low
    while not _meets(sorts, high, target):
        if high > MOST_REPLICAS:
            return Sized(None, best, 0.0)
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _meets(sorts, middle, target) else (middle + 1, high)
    found = response(sorts, high)
    return Sized(high, found.p95_seconds if found else best, found.busy_replicas if found else 0.0)


def _kept_busy(sorts: tuple[Sort, ...], low: int, target: Target, best: float) -> Sized:
    """The least number, in steps of a few per cent, whose replicas are too seldom idle for a slow start to count.

    Once one request in twenty finds an idle replica and is of a sort that is then too slow, the percentile is too.
    """
    never_idle = alone(tuple(replace(s, after_idle=0.0) for s in sorts))
    asked = sum(s.per_second for s in sorts)
    slow = sum(s.per_second for s in sorts if s.alone > target.p95_seconds) / asked if asked else 1.0
    replicas = low
    while never_idle <= target.p95_seconds:
        found = response(sorts, replicas)
        if found:
            best = min(best, found.p95_seconds)
            if found.p95_seconds <= target.p95_seconds * (1 + ROUNDING):
                return Sized(replicas, found.p95_seconds, found.busy_replicas)
            if (1 - found.busy_replicas / replicas) * slow >= TOO_SLOW:
                break
        replicas = max(replicas + 1, int(replicas * STEP))
    return Sized(None, best, 0.0)


def batch_seconds(request_seconds: Mapping[int, float], max_batch: int, factor: float = 1.0) -> tuple[float, ...]:
    """Seconds of a whole batch of 1, 2, ... ``max_batch``, from measured seconds for each request by batch size.

    Between measured sizes a straight line; beyond the largest as many seconds for each request as there; a larger batch
    never takes less than a smaller one. ``factor`` converts to another device. Raises ValueError without a size of 1.
    """
    measured = {size: size * seconds * factor for size, seconds in sorted(request_seconds.items())}
    if 1 not in measured:
        raise ValueError("seconds of a request alone are not among those measured")
    sizes = list(measured)
    found: list[float] = []
    for wanted in range(1, max_batch + 1):
        above = next((s for s in sizes if s >= wanted), None)
        if above is None:
            seconds = measured[sizes[-1]] * wanted / sizes[-1]
        else:
            below = max(s for s in sizes if s <= wanted)
            part = (wanted - below) / (above - below) if above > below else 0.0
            seconds = measured[below] + part * (measured[above] - measured[below])
        found.append(max(seconds, found[-1] if found else 0.0))
    return tuple(found)


def _meets(sorts: tuple[Sort, ...], replicas: int, target: Target) -> bool:
    found = response(sorts, replicas)
    return found is not None and found.p95_seconds <= target.p95_seconds * (1 + ROUNDING)
