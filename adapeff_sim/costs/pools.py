"""What answers the requests: pools of replicas, how much is asked of each, and how many replicas it needs for that.

A pool is one generation of a base model with all that lies on it, or one full model. Dedicated pools have replicas of
their own; packed ones share replicas as long as the memory of an instance lasts.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from adapeff_sim.costs.base import Life, Terms
from adapeff_sim.costs.packing import Probes, packed, weight
from adapeff_sim.costs.prices import GIB, Prices, ServingPrice
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, sure_of, weakest
from adapeff_sim.ledger.records import Answered, DeploymentRecord, ServingRecord

SECONDS_PER_DAY = 86_400
OR_LESS = ", or less: adapters that lie under several fusions are counted for each, as nothing tells them apart"
ROUNDING = 1e-9  # a load of exactly one replica must not become two by the last bit of a division
Timed = dict[tuple[str, int, str], list[ServingRecord]]  # by label, seed and shape; oldest first


@dataclass(frozen=True, slots=True)
class Need:
    """One set of replicas: the models on it, seconds of answering in a day, how many there are, and how sure that is.

    ``replicas`` is None where nobody can know or where no number would do. ``why`` says so then, and
    where it rests on an upper bound of what models weigh.
    """

    name: str
    models: tuple[str, ...]
    requests_per_day: float
    load: float | None
    replicas: int | None
    sure: Provenance
    p95_seconds: float | None = None
    why: str = ""


def timed(ledger: Ledger) -> Timed:
    """Every probe of a ledger, by whose life and which shape."""
    found: Timed = defaultdict(list)
    for probe in ledger.of(ServingRecord):
        found[probe.label, probe.seed, probe.shape].append(probe)
    return found


def needs(
    life: Life, probes: Timed, prices: Prices, terms: Terms
) -> Iterator[tuple[DeploymentRecord, float, list[Need]]]:
    """The sets of replicas of every deployment of a life."""
    for record, until in life:
        known = {a.shape: latest(probes, record, a.shape) for a in record.answered}
        pools = by_pool(record.answered)
        yield record, until, list(_placed(pools, known, prices.serving, terms))


def latest(probes: Timed, record: DeploymentRecord, shape: str) -> ServingRecord | None:
    """The last probe of a shape that was known when the deployment began to stand: a later one changes no past."""
    found = probes.get((record.label, record.seed, shape), [])
    return next((p for p in reversed(found) if p.step <= record.step), None)


def by_pool(answered: tuple[Answered, ...]) -> dict[str, list[Answered]]:
    """The endpoints that one model answers, by pool."""
    pools: dict[str, list[Answered]] = defaultdict(list)
    for a in sorted(answered, key=lambda a: (a.pool, a.endpoint)):
        pools[a.pool].append(a)
    return pools


def _placed(pools: Mapping[str, list[Answered]], probes: Probes, price: ServingPrice, terms: Terms) -> Iterator[Need]:
    """A set of replicas for each pool, or for as many as fit together."""
    if terms.placement == "dedicated":
        yield from (_need((name,), answered, probes, price, terms) for name, answered in pools.items())
        return
    weights = {name: weight(answered, probes) for name, answered in pools.items()}
    known = {name: found for name, found in weights.items() if found}
    if price.memory_gib is None or len(known) < len(weights):
        missing = "the instance's memory (memory_gib)" if price.memory_gib is None else "resident bytes of a model"
        for name, answered in pools.items():
            asked = terms.traffic * math.fsum(a.requests_per_day for a in answered)
            yield Need(name, (name,), asked, None, None, "unavailable", why=f"{missing} not known, nothing is packed")
        return
    together = packed({name: found.held for name, found in known.items()}, price.memory_gib * GIB)
    for models in together:
        heavy = math.fsum(known[name].held for name in models) / GIB
        or_less = OR_LESS if any(known[name].is_bound for name in models) else ""
        answered = [a for name in models for a in pools[name]]
        if heavy > price.memory_gib:
            asked = terms.traffic * math.fsum(a.requests_per_day for a in answered)
            why = f"{heavy:.1f} GiB do not fit into {price.memory_gib:g}{or_less}"
            yield Need(models[0], models, asked, None, None, "unavailable", why=why)
            continue
        need = _need(models, answered, probes, price, terms)
        matters = or_less and len(together) > 1 and not need.why  # what fits onto one instance cannot fit onto fewer
        yield replace(need, why=f"{need.name} takes {heavy:.1f} GiB{or_less}") if matters else need


def _need(
    models: tuple[str, ...], answered: Sequence[Answered], probes: Probes, price: ServingPrice, terms: Terms
) -> Need:
    """How many replicas some endpoints need, by how busy they may be or by the target."""
    name = " + ".join(models)
    asked = terms.traffic * math.fsum(a.requests_per_day for a in answered)
    loads: list[float] = []
    found: list[Provenance] = []
    alone: dict[str, float] = {}  # seconds of one request on the priced instance, by shape
    for a in answered:
        seconds, sure = _request_seconds(probes[a.shape], price)
        if seconds is None:
            return Need(name, models, asked, None, None, "unavailable")
        loads.append(a.requests_per_day * seconds)
        found.append(sure)
        alone[a.shape] = seconds
    load, sure = terms.traffic * math.fsum(loads), weakest(found)
    if terms.p95_ms is None:
        replicas = max(1, math.ceil(load / SECONDS_PER_DAY / terms.utilisation - ROUNDING))
        return Need(name, models, asked, load, replicas, sure)
    return _sized(Need(name, models, asked, load, None, sure), answered, probes, alone, terms)


def _sized(need: Need, answered: Sequence[Answered], probes: Probes, alone: Mapping[str, float], terms: Terms) -> Need:
    """The need with the least replicas that meet the target; requests to several models make no common batch."""
    from adapeff_sim.costs.queueing import Sort
    from adapeff_sim.costs.sizing import Target, batch_seconds, size

    target = Target((terms.p95_ms or 0.0) / 1e3, terms.utilisation)
    largest = terms.max_batch if len(need.models) == 1 else 1
    rates: dict[tuple[tuple[float, ...], float], float] = defaultdict(float)
    for a in answered:
        probe = probes[a.shape]
        measured = probe.request_seconds if probe and probe.request_seconds.get(1) else {1: alone[a.shape]}
        factor = alone[a.shape] / measured[1]
        after_idle = factor * probe.usage.get("request_after_idle_seconds", 0.0) if probe else 0.0
        rates[batch_seconds(measured, largest, factor), after_idle] += (
            terms.traffic * a.requests_per_day / SECONDS_PER_DAY
        )
    found = size(tuple(Sort(rate, curve, idle) for (curve, idle), rate in sorted(rates.items())), target)
    if found.replicas is None:
        why = (
            f"no number of replicas reaches a p95 of {terms.p95_ms:g} ms; the best is {1e3 * found.p95_seconds:.3g} ms"
        )
        return Need(need.name, need.models, need.requests_per_day, None, None, "unavailable", found.p95_seconds, why)
    load = found.busy_replicas * SECONDS_PER_DAY
    sure = weakest([need.sure, "estimated"])  # a percentile is predicted, whatever its seconds are
    return Need(need.name, need.models, need.requests_per_day, load, found.replicas, sure, found.p95_seconds)


def _request_seconds(probe: ServingRecord | None, price: ServingPrice) -> tuple[float | None, Provenance]:
    """Seconds of one request at batch 1, converted through its FLOPs where another device was probed."""
    if probe is None or probe.provenance == "unavailable":
        return None, "unavailable"
    found = price.seconds(probe.device, probe.request_seconds.get(1), probe.usage.get("request_flops"))
    if found is None:
        return None, "unavailable"
    seconds, converted = found
    if converted:
        return seconds, weakest([sure_of(probe, "request_flops"), price.converting])
    return seconds, sure_of(probe, "request_seconds")
