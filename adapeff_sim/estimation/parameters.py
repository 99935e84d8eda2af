"""How many parameters a network has, how many of them are trained, and what a server of it holds, from shapes alone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from adapeff_sim.estimation.added import added
from adapeff_sim.estimation.network import HeadShape, NetworkShape

FLOAT_BYTES = 4  # of a parameter as it is kept, in files and in memory


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers of parameters: all, those that are trained, and those that are multiplied with and not looked up.

    ``kept`` are the numbers in the files of what is trained: its parameters, and what they cannot be read without.
    """

    total: int
    trained: int
    non_embedding: int
    kept: int


def parameters(network: NetworkShape, heads: Iterable[HeadShape]) -> Parameters:
    """The parameters of a network with its heads; NoClosedForm for a method that cannot be used."""
    shape = network.encoder
    methods = [added(method) for method in network.adapters]
    adapters = shape.weighted_layers * sum(m.layer_parameters(shape) for m in methods)
    adapters += sum(m.shared_parameters(shape) for m in methods)
    frozen = sum(m.frozen_parameters(shape) for m in methods)
    beside = frozen + sum(m.kept_beside(shape) for m in methods)
    sites = len(methods[0].sites) if network.fused else 0
    # Of a fusion query and key have biases, value has none.
    fusion = shape.weighted_layers * sites * (3 * shape.hidden + 2) * shape.hidden
    head = sum(h.parameters(shape.hidden) for h in heads)
    total = shape.non_embedding_parameters + shape.embedding_parameters + adapters + frozen + fusion + head
    looked_up = shape.embedding_parameters + sum(m.prompt for m in methods) * shape.embedded
    trained = {"nothing": 0, "head": head, "adapter": adapters + head, "fusion": fusion + head}
    found = trained.get(network.trained, total)
    kept = found + (beside if network.trained == "adapter" else 0)
    return Parameters(total, found, total - looked_up, kept)


def held_bytes(network: NetworkShape, heads: Collection[HeadShape]) -> dict[str, float]:
    """The bytes that a serving probe tells of, by quantity: what a server of this network holds as 32-bit numbers.

    All of it, what of that lies on the encoder, and what of this are adapters.
    """
    bare = parameters(NetworkShape(network.encoder), []).total
    beside = sum(added(method).kept_beside(network.encoder) for method in network.adapters)
    adapters = parameters(NetworkShape(network.encoder, network.adapters), []).total - bare + beside
    whole = parameters(network, heads).total + beside
    found = {"resident_bytes": whole, "own_bytes": whole - bare}
    found |= {"adapters_bytes": adapters} if network.adapters else {}
    return {quantity: float(FLOAT_BYTES * numbers) for quantity, numbers in found.items()}
