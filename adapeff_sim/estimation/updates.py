"""What a method adds to one projection of an encoder, product by product."""

from dataclasses import dataclass

from adapeff_sim.estimation.added import Added
from adapeff_sim.estimation.products import Products


@dataclass(frozen=True, slots=True)
class Projection:
    """A projection of ``rows`` of inputs x outputs; ``into``: a gradient flows back into its input.

    ``apart``: its input does not depend on the batch. ``again``: its weights were used before.
    """

    name: str  # q, k, v, intermediate, output
    rows: int
    sizes: tuple[int, int]
    into: bool
    trained: bool  # what the method adds is
    apart: bool = False
    again: bool = False


def update(sums: Products, method: Added, at: Projection, flows: bool) -> bool:
    """Count what a method adds there; gives whether a gradient flows back into the result, as before or through it."""
    if at.name in method.low_rank:
        added = _made_of_vectors(sums, method, at) if method.is_vera else _low_rank(sums, method, at)
        flows = added or flows
    if at.name in method.scaled:
        flows = flows or at.trained
    if method.is_gated and at.name in (*method.low_rank, *method.scaled):
        sums.linear(at.rows, (at.sizes[0], 1), at.into, at.trained, at.apart, at.again)
    return flows


def _low_rank(sums: Products, method: Added, at: Projection) -> bool:
    """Two narrow products; for DoRA also the sum of the matrices, whose columns are scaled to a learned length.

    Hu et al. 2022, https://arxiv.org/abs/2106.09685; Liu et al. 2024, https://arxiv.org/abs/2402.09353.
    """
    inputs, outputs = at.sizes
    inside = sums.linear(at.rows, (inputs, method.width), at.into, at.trained, at.apart, at.again)
    flows = sums.linear(at.rows, (method.width, outputs), inside, at.trained, at.apart, at.again)
    if method.has_length:
        sums.product(1, (outputs, method.width, inputs), at.trained, at.trained, of_weights=2)
    return flows


def _made_of_vectors(sums: Products, method: Added, at: Projection) -> bool:
    """A matrix that is made anew at every use, of two that all layers share and two small ones that are trained.

    Kopiczko et al. 2024, https://arxiv.org/abs/2310.11454; the library keeps and trains the vectors as matrices.
    """
    (inputs, outputs), width, trained = at.sizes, method.width, at.trained
    sums.product(1, (outputs, outputs, width), trained, False, of_weights=2)
    sums.product(1, (outputs, width, width), trained, trained, of_weights=2)
    sums.product(1, (outputs, width, inputs), trained, False, of_weights=2)
    sums.weights += trained and not at.again  # two are trained, and the next line counts one
    return sums.linear(at.rows, at.sizes, at.into, trained, at.apart, at.again)
