"""How many replicas a pool needs: the least number whose 95th percentile meets a target."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapeff_sim.costs.queueing import FULL, Sort, alone, capacity_share, response

MOST_REPLICAS = 10**15
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

    More replicas never make the percentile longer, so it is found by doubling and halving. A request that never waits
    is the best that any number reaches.
    """
    best = alone(sorts)
    if best > target.p95_seconds:
        return Sized(None, best, 0.0)
    most_busy = min(target.utilisation, FULL - ROUNDING)
    low = max(1, -int(-(capacity_share(sorts, 1) / most_busy - ROUNDING) // 1))
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
