"""The operations of one training step as closed forms, from shapes alone.

A walk through the encoder in the order of its matrix products, with two questions at each: does a gradient flow back
into its input, and is its weight trained?

    product      rows x inputs x outputs multiplications and additions, 2 operations each
    forward      every product once
    activation   once more for each operand that is an activation into which a gradient must flow
    weight       once more where the weight is trained

Nothing flows below the lowest place where something is trained. Elementwise work, normalisation, look-ups and the
optimizer are not counted. ``training/flop_count.py`` counts the same on the network itself; tests hold both equal.
"""

import functools
import math
from dataclasses import dataclass, field
from typing import Literal

from adapeff_sim.estimation.added import Added, Site, added
from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm

NOMINAL_FLOPS_PER_WEIGHT = 6  # a token: two operations forward, four backward, as if every weight were trained

Trained = Literal["nothing", "head", "adapter", "fusion", "model"]


@dataclass(frozen=True, slots=True)
class HeadShape:
    """A head over the first piece of each sequence (a hidden layer before it), or over every piece."""

    per_sequence: bool
    outputs: int

    def parameters(self, hidden: int) -> int:
        """Its weights and biases."""
        return (hidden + 1) * (self.outputs + (hidden if self.per_sequence else 0))


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """An encoder, what a strategy put on it, and what of that is trained; the heads always are."""

    encoder: EncoderShape
    adapters: tuple[str, ...] = ()  # methods
    fused: bool = False
    trained: Trained = "nothing"


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
    walk = _Walk(network, sequences, length)
    walk.encoder()
    walk.head(head, sequences, length)
    flops = StepFlops(walk.forward, walk.activation, walk.weight)
    backward = (walk.gradient_products, walk.gradient_elements, walk.weights)
    return StepWork(flops, walk.products, walk.elements, *backward)


def nominal_flops(tokens: int, non_embedding_parameters: int) -> int:
    """What a training would take if every weight were trained: 6 x tokens x parameters, as is commonly reported."""
    return NOMINAL_FLOPS_PER_WEIGHT * tokens * non_embedding_parameters


@dataclass(slots=True)
class _Walk:
    """The sums so far; ``flows`` says whether a gradient flows back into the states that came last."""

    network: NetworkShape
    sequences: int
    length: int
    forward: int = 0
    activation: int = 0
    weight: int = 0
    products: int = 0
    elements: int = 0
    gradient_products: int = 0
    gradient_elements: int = 0
    weights: int = 0
    flows: bool = False
    methods: list[Added] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.methods = [added(method) for method in self.network.adapters]
        if self.network.fused and not all(m.sites == self.methods[0].sites and m.sites for m in self.methods):
            names = ", ".join(self.network.adapters)
            raise NoClosedForm(f"a fusion of {names} has no closed form; one of bottlenecks at the same places has.")
        if not self.network.fused and len(self.methods) > 1:
            raise NoClosedForm("adapters on top of each other have no closed form.")
        prompt = sum(m.prompt for m in self.methods)
        self.length += prompt
        self.flows = self.trains("model") or (bool(prompt) and self.trains("adapter"))

    def trains(self, what: Trained) -> bool:
        return self.network.trained == what

    @property
    def tokens(self) -> int:
        return self.sequences * self.length

    def linear(self, rows: int, inputs: int, outputs: int, flows: bool, trained: bool) -> bool:
        """A product with a weight; gives whether a gradient flows back into its result."""
        operations = 2 * rows * inputs * outputs
        self.forward += operations
        self.activation += operations * flows
        self.weight += operations * trained
        self.products, self.elements = self.products + 1, self.elements + rows * outputs
        self.gradient_products += flows + trained
        self.gradient_elements += rows * inputs * flows + inputs * outputs * trained
        self.weights += trained
        return flows or trained

    def product(self, times: int, sizes: tuple[int, int, int], left: bool, right: bool) -> bool:
        """``times`` products of two activations, rows x inner x columns each."""
        operations = 2 * times * math.prod(sizes)
        self.forward += operations
        self.activation += operations * (left + right)
        rows, inner, columns = sizes
        self.products, self.elements = self.products + 1, self.elements + times * rows * columns
        self.gradient_products += left + right
        self.gradient_elements += times * (rows * inner * left + inner * columns * right)
        return left or right

    def encoder(self) -> None:
        for _ in range(self.network.encoder.layers):
            self.attention()
            self.adapters("attention")
            before = self.flows
            self.feed_forward()
            self.adapters("beside", before)
            self.adapters("output")

    def attention(self) -> None:
        """Queries, keys and values; their two products; the projection back."""
        shape = self.network.encoder
        query, key, value = (self.projected(name, shape.hidden, shape.hidden) for name in "qkv")
        sizes = (self.length, shape.hidden // shape.heads, self.length)
        scores = self.product(self.sequences * shape.heads, sizes, query, key)
        sizes = (self.length, self.length, shape.hidden // shape.heads)
        mixed = self.product(self.sequences * shape.heads, sizes, scores, value)
        projected = self.linear(self.tokens, shape.hidden, shape.hidden, mixed, self.trains("model"))
        self.flows = self.flows or projected

    def feed_forward(self) -> None:
        shape = self.network.encoder
        residual = self.flows
        self.flows = self.projected("intermediate", shape.hidden, shape.inner)
        self.flows = self.projected("output", shape.inner, shape.hidden) or residual

    def projected(self, name: str, inputs: int, outputs: int) -> bool:
        """A projection of the encoder, with what low-rank or scaling methods add to it."""
        flows = self.linear(self.tokens, inputs, outputs, self.flows, self.trains("model"))
        trained = self.trains("adapter")
        for method in self.methods:
            if name in method.low_rank:
                inside = self.linear(self.tokens, inputs, method.width, self.flows, trained)
                flows = self.linear(self.tokens, method.width, outputs, inside, trained) or flows
            if name in method.scaled:
                flows = flows or trained
        return flows

    def adapters(self, site: Site, flows: bool | None = None) -> None:
        """The bottlenecks at one place of a layer, and the fusion over them."""
        found = [m for m in self.methods if site in m.sites]
        if not found:
            return
        into = self.flows if flows is None else flows
        out = [self.bottleneck(method, into) for method in found]
        if self.network.fused:
            self.fusion(len(found), any(out))
        self.flows = self.flows or any(out) or self.trains("fusion")

    def bottleneck(self, method: Added, flows: bool) -> bool:
        hidden, trained = self.network.encoder.hidden, self.trains("adapter")
        narrow = method.narrow(hidden)
        inside = self.linear(self.tokens, hidden, narrow, flows or (method.norm_first and trained), trained)
        return self.linear(self.tokens, narrow, hidden, inside, trained)

    def fusion(self, fused: int, keys_flow: bool) -> None:
        """Every piece asks which adapter to listen to: Pfeiffer et al. 2021, https://arxiv.org/abs/2005.00247."""
        hidden, trained = self.network.encoder.hidden, self.trains("fusion")
        query = self.linear(self.tokens, hidden, hidden, self.flows, trained)
        key = self.linear(self.tokens * fused, hidden, hidden, keys_flow, trained)
        value = self.linear(self.tokens * fused, hidden, hidden, keys_flow, trained)
        scores = self.product(self.tokens, (1, hidden, fused), query, key)
        self.product(self.tokens, (1, fused, hidden), scores, value)

    def head(self, head: HeadShape, sequences: int, length: int) -> None:
        hidden, trained = self.network.encoder.hidden, not self.trains("nothing")
        rows, flows = sequences if head.per_sequence else sequences * length, self.flows
        if head.per_sequence:
            flows = self.linear(rows, hidden, hidden, flows, trained)
        self.linear(rows, hidden, head.outputs, flows, trained)
