"""How many parameters a network has and how many of them are trained, from shapes alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from adapeff_sim.estimation.added import added
from adapeff_sim.estimation.flops import HeadShape, NetworkShape

FLOAT_BYTES = 4  # of a parameter as it is kept, in files and in memory


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers of parameters: all, those that are trained, and those that are multiplied with and not looked up."""

    total: int
    trained: int
    non_embedding: int


def parameters(network: NetworkShape, heads: Iterable[HeadShape]) -> Parameters:
    """The parameters of a network with its heads; NoClosedForm for a method that is not known here."""
    shape = network.encoder
    methods = [added(method) for method in network.adapters]
    adapters = shape.layers * sum(m.layer_parameters(shape) for m in methods) + sum(
        m.shared_parameters for m in methods
    )
    prompt = sum(m.prompt for m in methods) * shape.hidden
    sites = len(methods[0].sites) if network.fused else 0
    fusion = shape.layers * sites * (3 * shape.hidden + 2) * shape.hidden  # query and key have biases, value has none
    head = sum(h.parameters(shape.hidden) for h in heads)
    multiplied = shape.non_embedding_parameters + adapters + fusion + head
    total = multiplied + prompt + shape.embedding_parameters
    trained = {"nothing": 0, "head": head, "adapter": adapters + prompt + head, "fusion": fusion + head}
    return Parameters(total, trained.get(network.trained, total), multiplied)
