"""A pool of replicas in the discrete-event library ciw, which knows nothing of our formulas.

ciw serves one customer at a time. A batch is its first request, who holds the replica for the batch's seconds, and
riders, who stay in the queue until that one is done, and are then let through in no time at all.
"""

from collections.abc import Callable, Sequence

import ciw
import numpy as np


class _Batches(ciw.dists.Distribution):
    """Seconds of the batch that a request leads, and none for its riders; more if it found a free replica."""

    def __init__(self, curves: Sequence[Sequence[float]], sort_of: Callable[[], int], idled: float) -> None:
        self.curves, self.sort_of, self.idled = curves, sort_of, idled

    def sample(self, t=None, ind=None):
        if getattr(ind, "until", None) is not None:
            return 0.0
        node = ind.simulation.nodes[ind.node]
        waiting = [i for i in node.all_individuals if not i.server and getattr(i, "until", None) is None]
        riders = waiting[: len(self.curves[0]) - 1]
        if ind.arrival_date == t:
            return self.idled * self.curves[self.sort_of()][0]
        seconds = float(np.mean([self.curves[self.sort_of()][len(riders)] for _ in (ind, *riders)]))
        for rider in riders:
            rider.until = t + seconds
        return seconds


def _next(waiting, now):
    """First the riders whose batch is done, then the oldest that rides with nobody."""
    for individual in waiting:
        until = getattr(individual, "until", None)
        if until is not None and until <= now + 1e-12:
            return individual
    return next((i for i in waiting if getattr(i, "until", None) is None), None)


def p95(
    per_second: float,
    curves: Sequence[Sequence[float]],
    shares: Sequence[float],
    replicas: int,
    requests: int,
    seed: int,
    idled: float = 1.0,
) -> float:
    """The 95th percentile from arrival to answer of simulated requests, after a tenth of them as warm-up.

    A request that finds a free replica takes ``idled`` times as long as any other alone.
    Without batches one node with all replicas; with batches a node for each, to which its share comes by itself.
    """
    ciw.seed(seed)
    draw = np.random.default_rng(seed)
    queues = 1 if len(curves[0]) == 1 else replicas
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(per_second / queues)] * queues,
        service_distributions=[_Batches(curves, lambda: int(draw.choice(len(shares), p=shares)), idled)] * queues,
        number_of_servers=[replicas // queues] * queues,
        service_disciplines=[_next] * queues,
        routing=[[0.0] * queues] * queues,
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests, method="Finish")
    records = sorted(simulation.get_all_records(), key=lambda r: r.arrival_date)
    taken = [r.exit_date - r.arrival_date for r in records[requests // 10 :]]
    return float(np.percentile(taken, 95))
