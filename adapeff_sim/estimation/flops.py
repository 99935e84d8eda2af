"""The operations of one training step as closed forms, from shapes alone.

A walk through the encoder in the order of its matrix products, with two questions at each: does a gradient flow back
into its input, and is its weight trained?

    product      rows x inputs x outputs multiplications and additions, 2 operations each
    forward      every product once
    activation   once more for each operand that is an activation into which a gradient must flow
    weight       once more where the weight is trained

Nothing flows below the lowest place where something is trained. What is made of weights alone (projected relative
positions, DoRA's and VeRA's matrices) has gradients of weights only. Elementwise work, normalisation, look-ups and the
optimizer are not counted. ``training/flop_count.py`` counts the same on the network itself; tests hold both equal.
"""

import functools
from dataclasses import dataclass

from adapeff_sim.estimation.network import HeadShape, NetworkShape, Trained
from adapeff_sim.estimation.walk import Walk

__all__ = ["HeadShape", "NetworkShape", "StepFlops", "StepWork", "Trained", "nominal_flops", "step_flops", "step_work"]
NOMINAL_FLOPS_PER_WEIGHT = 6  # a token: two operations forward, four backward, as if every weight were trained


@dataclass(frozen=True, slots=True)
class StepFlops:
    """The operations of steps: forward, for gradients of activations, for gradients of weights."""

    forward: int = 0
    activation_gradient: int = 0
    weight_gradient: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.forward + self.activation_gradient + self.weight_gradient

    def __add__(self, other: "StepFlops") -> "StepFlops":
        return StepFlops(
            self.forward + other.forward,
            self.activation_gradient + other.activation_gradient,
            self.weight_gradient + other.weight_gradient,
        )

    def times(self, steps: int) -> "StepFlops":
        """The operations of several such steps."""
        return StepFlops(self.forward * steps, self.activation_gradient * steps, self.weight_gradient * steps)


def step_flops(network: NetworkShape, head: HeadShape, sequences: int, length: int) -> StepFlops:
    """The operations of one step over a batch of ``sequences`` padded to ``length``; NoClosedForm where there is none.

    Where nothing is trained, those of one forward pass.
    """
    return step_work(network, head, sequences, length).flops


@dataclass(frozen=True, slots=True)
class StepWork:
    """All of one step that decides how long it takes: operations, and what each product costs beside them.

    ``elements`` are the numbers that matrix products write, which bias, activation and norm then go over; ``weights``
    the matrices that are trained. ``gradient_*`` are the same of the backward pass.
    """

    flops: StepFlops
    products: int
    elements: int
    gradient_products: int
    gradient_elements: int
    weights: int


@functools.lru_cache(maxsize=4096)  # an estimate asks for the same few shapes again and again
def step_work(network: NetworkShape, head: HeadShape, sequences: int, length: int) -> StepWork:
    """The work of one step over a batch of ``sequences`` padded to ``length``; NoClosedForm where there is none."""
    walk = Walk(network, sequences, length)
    walk.encoder()
    walk.head(head, sequences, length)
    found = walk.sums
    flops = StepFlops(found.forward, found.activation, found.weight)
    backward = (found.gradient_products, found.gradient_elements, found.weights)
    return StepWork(flops, found.products, found.elements, *backward)


def nominal_flops(tokens: int, non_embedding_parameters: int) -> int:
    """What a training would take if every weight were trained: 6 x tokens x parameters, as is commonly reported."""
    return NOMINAL_FLOPS_PER_WEIGHT * tokens * non_embedding_parameters
