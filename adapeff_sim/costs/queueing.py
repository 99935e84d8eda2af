"""How long requests wait for the replicas of a pool.

max_batch 1   arrivals (Poisson) --> one queue, first come first served --> the replica that is free first
larger        arrivals --dealt out at random--> a queue for each replica, which takes all that wait, at most max_batch

Batches are made where they are answered, so each replica has a queue of its own, and is a queue with bulk service whose
chain is solved exactly. For batches of one, several replicas share a queue (M/G/c), with the assumption of Tijms, van
Hoorn and Federgruen ("Approximations for the steady-state probabilities in the M/G/c queue", Advances in Applied
Probability 13, 1981): while a replica is free the others' remaining times are independent and in equilibrium, and while
all are busy they finish like one replica that is as many times as fast. The probability of waiting is Erlang's then.
A replica that had nothing to do answers its first request more slowly (caches, clocks): the service that begins a busy
period is exceptional, as in Welch ("On a generalized M/G/1 queuing process in which the first customer of each busy
period receives exceptional service", Operations Research 12, 1964), and so is each that begins on a free replica.
Errors against a discrete-event simulation stand in docs/how_costs_are_counted.md.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
FULL = 0.98  # of the capacity: beyond, the queue's own fluctuations last for hours, and no percentile means anything
SLICES = 32  # of a gap between two completions, and of the distribution of the first gap
LONGEST_QUEUE = 1500  # requests
NEGLIGIBLE = 1e-9
TINIEST = 1e-300  # arrivals in a gap that has no length
MANY = 20_000  # replicas of one queue: hardly anybody waits for one of so many
THREE_POINTS = ((-(3**0.5), 1 / 6), (0.0, 2 / 3), (3**0.5, 1 / 6))  # a normal spread by its Gauss-Hermite nodes


@dataclass(frozen=True, slots=True)
class Sort:
    """Requests that take alike: how many come in a second, and the seconds of a batch of 1, 2, ... ``max_batch``.

    ``after_idle`` are the seconds of a request that comes to a replica which had nothing to do; it never takes less
    than any other request alone.
    """

    per_second: float
    batch_seconds: tuple[float, ...]
    after_idle: float = 0.0

    @property
    def alone(self) -> float:
        """Seconds of a request that never waits."""
        return max(self.after_idle, self.batch_seconds[0])


@dataclass(frozen=True, slots=True)
class Response:
    """What a pool does for its requests: the 95th percentile from arrival to answer, and replicas busy on average."""

    p95_seconds: float
    busy_replicas: float


def capacity_share(sorts: tuple[Sort, ...], replicas: int) -> float:
    """The share of what the replicas can answer, in the largest batches, that is asked of them."""
    return sum(s.per_second * s.batch_seconds[-1] / len(s.batch_seconds) for s in sorts) / replicas


def alone(sorts: tuple[Sort, ...]) -> float:
    """The 95th percentile of a request that never waits, in seconds."""
    weights = np.array([s.per_second for s in sorts])
    if not weights.any():
        weights = np.ones(len(sorts))
    return _percentile(np.array([s.alone for s in sorts]), weights)


@functools.lru_cache(maxsize=4096)
def response(sorts: tuple[Sort, ...], replicas: int) -> Response | None:
    """How a pool answers, or None where more is asked of it than it can answer for long."""
    if capacity_share(sorts, replicas) >= FULL:
        return None
    if not any(s.per_second for s in sorts):
        return Response(alone(sorts), 0.0)
    asked = tuple(s for s in sorts if s.per_second)
    if len(asked[0].batch_seconds) == 1 and replicas > MANY:
        return Response(alone(sorts), sum(s.per_second * s.alone for s in asked))
    if len(asked[0].batch_seconds) == 1:
        return _Pool(asked, replicas).response()
    one = _Pool(tuple(replace(s, per_second=s.per_second / replicas) for s in asked), 1).response()
    return Response(one.p95_seconds, one.busy_replicas * replicas)


class _Pool:
    """The semi-Markov chain of one pool: its states are the requests that wait when a batch has just been finished.

    A busy period begins with the arrival that makes the last free replica busy, and ends when a replica finishes and
    nobody waits. Between two completions lies a gap; the first is the shortest remaining time of all replicas.
    """

    def __init__(self, sorts: tuple[Sort, ...], replicas: int) -> None:
        rates = np.array([s.per_second for s in sorts])
        self.rate, self.shares, self.replicas = float(rates.sum()), rates / rates.sum(), replicas
        curves = np.array([s.batch_seconds for s in sorts])  # (sorts, batch sizes)
        self.largest = curves.shape[1]
        mean = self.shares @ curves
        sizes = np.arange(1, self.largest + 1)
        self.seconds = mean + (curves - mean) / np.sqrt(sizes)  # a batch is a mixture: its mean spreads less
        self.mean = mean
        self.alone = np.array([s.alone for s in sorts])
        self.length = self._longest_queue()
        self.gaps = self.seconds / replicas
        self.first, self.first_weights = self._first_gap()
        self.visits = self._visits()

    def response(self) -> Response:
        """The percentile over those who found a free replica and those who came while all were busy."""
        free, starts = self._free_states()
        values, weights = [self.alone], [self.shares * free.sum()]
        gap_values, gap_weights = self._waiting(starts)
        values.append(gap_values)
        weights.append(gap_weights)
        busy = float(gap_weights.sum())
        replicas = (float(free @ np.arange(self.replicas)) + busy * self.replicas) / (float(free.sum()) + busy)
        return Response(_percentile(np.concatenate(values), np.concatenate(weights)), replicas)

    def _first_gap(self) -> tuple[Numbers, Numbers]:
        """Nodes and weights: the least of one whole service and of the others' remaining ones; its mean is exact."""
        whole = self.alone
        if self.replicas == 1:
            return whole, self.shares
        at = np.linspace(0.0, whole.max(), 513)
        left = np.maximum(whole[:, None] - at, 0.0)
        tail = (self.shares @ left / (self.shares @ whole)) ** (self.replicas - 1)  # P(all others last longer)
        middles = (np.arange(SLICES) + 0.5) / SLICES
        others = np.interp(middles, tail[::-1], at[::-1])
        nodes: Numbers = np.minimum(whole[:, None], others).ravel()
        weights: Numbers = np.repeat(self.shares, SLICES) / SLICES
        return nodes * float(self.shares @ whole / self.replicas) / (weights @ nodes), weights

    def _longest_queue(self) -> int:
        """So many waiting requests that more of them hardly ever occur: the queue falls geometrically."""
        load = self.rate * self.mean[-1] / self.largest / self.replicas
        spread = float(self.shares @ (self.seconds[:, -1] / self.mean[-1] - 1) ** 2) * self.largest
        return min(LONGEST_QUEUE, int(3 * self.largest + 12 * (1 + spread) / (1 - load)) + 8)

    def _visits(self) -> Numbers:
        """How often a busy period finds 0, 1, ... requests waiting after a completion, on average."""
        n = self.length
        begun = self.first_weights @ _poisson(self.rate * self.first, n)
        moved = np.zeros((n + 1, n + 1))
        for size in range(1, self.largest + 1):
            came = self.shares @ _poisson(self.rate * self.gaps[:, size - 1], n)
            for waiting in [size] if size < self.largest else range(size, n + 1):
                left = waiting - size
                moved[waiting, left:] = came[: n + 1 - left]
                moved[waiting, n] += came[n + 1 - left :].sum()
        inner = moved[1:, 1:]
        found = np.linalg.solve(np.eye(n) - inner.T, begun[1:]).astype(np.float64)
        return np.concatenate([[0.0], found])

    def _free_states(self) -> tuple[Numbers, float]:
        """Time with 0 ... c - 1 busy replicas (insensitive to how services spread), and busy periods begun in it."""
        offered, k = self.rate * float(self.shares @ self.alone), np.arange(self.replicas)
        logs = k * np.log(offered) - _log_factorials(self.replicas - 1)
        free: Numbers = np.exp(logs - logs.max())
        return free, self.rate * float(free[-1])

    def _waiting(self, starts: float) -> tuple[Numbers, Numbers]:
        """Seconds until the answer of those who come while all are busy, with the time in which they come."""
        sizes = np.arange(1, self.largest + 1)
        short = self.visits[sizes] if self.length >= self.largest else np.zeros(self.largest)
        gap = np.concatenate([self.first, self.gaps.T.ravel()])
        weight = np.concatenate([self.first_weights, (short[:, None] * self.shares).ravel()]) * gap * starts
        values, weights = self._served(gap, weight, None)
        behind = self.visits[self.largest + 1 :]
        if behind.sum() > 0:  # a full batch has begun, and some were left behind
            left = np.concatenate([[0.0], behind / behind.sum()])
            full = self.gaps[:, -1]
            more = self._served(full, self.shares * behind.sum() * full * starts, left)
            values, weights = np.concatenate([values, more[0]]), np.concatenate([weights, more[1]])
        return values, weights

    def _served(self, gap: Numbers, weight: Numbers, left: Numbers | None) -> tuple[Numbers, Numbers]:
        """Those who come during gaps of some lengths; ``left`` says how many were waiting when the gap began."""
        since = np.outer(gap, (np.arange(SLICES) + 0.5) / SLICES).ravel()
        long, share = np.repeat(gap, SLICES), np.repeat(weight / SLICES, SLICES)
        rest, ahead = long - since, _poisson(self.rate * since, self.length)
        parts: list[tuple[Numbers, Numbers]] = []
        small = np.zeros(len(long))
        if left is None:  # a batch smaller than the largest holds all who came in the gap, early or late
            together = _poisson(self.rate * long, self.largest)
            for others in range(self.largest - 1):
                small += together[:, others]
                parts += self._answered(rest, np.full(len(rest), others + 1.0), share * together[:, others], 0)
        else:
            ahead = np.array([np.convolve(row, left)[: self.length + 1] for row in ahead])
        for block in range(-(-(self.length + 1) // self.largest)):
            among = np.arange(block * self.largest, min((block + 1) * self.largest, self.length + 1))
            found = ahead[:, among].sum(axis=1)
            mass = np.maximum(found - (small if block == 0 else 0.0), 0.0)
            if mass @ share < NEGLIGIBLE * share.sum():
                continue
            place = ahead[:, among] @ among / np.maximum(found, 1e-300) - block * self.largest
            meanwhile = self.rate * (rest + block * self.mean[-1] / self.replicas)
            is_full = left is None and block == 0
            size = np.full(len(rest), float(self.largest)) if is_full else place + 1 + meanwhile
            parts += self._answered(rest, size, share * mass, block)
        return np.concatenate([v for v, _ in parts]), np.concatenate([w for _, w in parts])

    def _answered(self, rest: Numbers, size: Numbers, mass: Numbers, before: int) -> Iterator[tuple[Numbers, Numbers]]:
        """The rest of the gap, ``before`` full batches, then a batch of ``size`` with the request in it."""
        sizes, full = np.arange(1, self.largest + 1), self.gaps[:, -1]
        mean = float(self.shares @ full)
        spread = float(self.shares @ (full - mean) ** 2 * before) ** 0.5
        for of, share in zip(self.seconds, self.shares, strict=True):
            own = np.interp(size, sizes, of)
            for away, part in THREE_POINTS if spread else ((0.0, 1.0),):
                yield rest + max(before * mean + away * spread, 0.0) + own, mass * share * part


def _poisson(mean: Numbers, most: int) -> Numbers:
    """The probabilities of 0 ... ``most`` arrivals for each mean, as (means, counts); the rest is in the last."""
    count, logs = np.arange(most + 1), np.log(np.maximum(mean, TINIEST))
    found: Numbers = np.exp(count * logs[:, None] - mean[:, None] - _log_factorials(most))
    found[:, -1] += np.maximum(1 - found.sum(axis=1), 0.0)
    return found


@functools.lru_cache(maxsize=256)
def _log_factorials(most: int) -> Numbers:
    """log 0!, log 1!, ... log most! (scipy has them too, and takes as long to load as all else of a price)."""
    return np.concatenate([[0.0], np.log(np.arange(1, most + 1)).cumsum()])


def _percentile(values: Numbers, weights: Numbers) -> float:
    """The least value that 95 % of the weight does not exceed."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    place = int(np.searchsorted(reached, 0.95 * reached[-1] * (1 - 1e-12)))
    return float(values[order][min(place, len(order) - 1)])
