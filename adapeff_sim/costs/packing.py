"""Which models fit onto one instance together: the weights that a server of each holds, and what is left of the memory.

weights of a pool = what its routes share, once + every adapter, once + what lies on top of each (fusion, head)
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from adapeff_sim.ledger.records import Answered, ServingRecord

NEEDED = frozenset({"resident_bytes", "own_bytes"})
Probes = Mapping[str, ServingRecord | None]  # by shape


class Weight(NamedTuple):
    """Bytes of weights in memory; an upper bound where adapters are counted once for each fusion that lies on them."""

    held: float
    is_bound: bool = False


def weight(answered: Iterable[Answered], probes: Probes) -> Weight | None:
    """What a server holds that answers some endpoints of one pool; None where a probe does not tell."""
    shared, is_bound = 0.0, False
    adapters: dict[str, float] = {}
    tops: dict[tuple[str, str], float] = {}
    for a in answered:
        probe = probes[a.shape]
        if probe is None or not probe.usage.keys() >= NEEDED:
            return None
        own = probe.usage["own_bytes"]
        shared = max(shared, probe.usage["resident_bytes"] - own)
        under = _under(a, probe)
        is_bound = is_bound or under is None
        adapters |= under or {}
        tops[a.shape, a.top] = own - math.fsum((under or {}).values())
    return Weight(math.fsum((shared, *tops.values(), *adapters.values())), is_bound)


def _under(answered: Answered, probe: ServingRecord) -> dict[str, float] | None:
    """The bytes of each adapter of a route; empty where nothing else can lie on them, None where that is not known.

    A probe tells what all adapters of a shape weigh; those of one method are alike.
    """
    methods = [part for part in probe.stack if part.startswith("adapter ")]
    known = probe.usage.get("adapters_bytes")
    if known is not None and answered.adapters and len(set(methods)) == 1:
        return dict.fromkeys(answered.adapters, known / len(answered.adapters))
    return {} if len(methods) < 2 else None


def packed(weights: Mapping[str, float], memory: float) -> list[tuple[str, ...]]:
    """Models by instance: the heaviest first, each where it fits first."""
    bins: list[list[str]] = []
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        free = (b for b in bins if math.fsum(weights[n] for n in [*b, name]) <= memory)
        found = next(free, None)
        if found is None:
            bins.append([name])
        else:
            found.append(name)
    return sorted(tuple(sorted(b)) for b in bins)
