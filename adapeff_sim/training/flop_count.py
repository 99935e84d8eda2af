"""Floating-point operations of a batch, exactly: every matrix product that is really computed, counted once a shape.

The count is made on a copy of the network without memory (meta device) and with eager attention, since the fused
kernels of the CPU are not in torch's table and would count as 0, and those of a GPU compute some products twice. What
flows backward is counted as it flows: no weight gradient for a frozen weight, and nothing below the lowest trained
one. Elementwise work is not counted.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from adapeff_sim.base_models.encoders import ENCODERS
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import Batch, BatchShape, blank
from adapeff_sim.training.network import Network, Setup

Shape = tuple[str, BatchShape]  # a task, and the shape of a batch of it
CONVOLVED_BACK = torch.ops.aten.convolution_backward


@dataclass(frozen=True, slots=True)
class Flops:
    """The operations of one batch: forward, and backward for gradients of activations and of weights.

    A weight gradient is the gradient of something that does not depend on the batch; every other is an activation's.
    """

    forward: int
    activation_gradient: int = 0
    weight_gradient: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.forward + self.activation_gradient + self.weight_gradient


@dataclass(slots=True)
class FlopCount:
    """What was counted in this process, by architecture, setup and shape."""

    _counted: dict[tuple[str, Setup, Shape, bool], Flops] = field(default_factory=dict)
    _last: tuple[tuple[str, Setup], Network] | None = None
    _unmeant: set[tuple[str, Setup]] = field(default_factory=set)  # what cannot be run without memory

    def flops(self, backbone: Backbone, setup: Setup, task: str, shape: BatchShape, backward: bool) -> int:
        """The operations of one forward pass over a batch, with the backward pass where it is trained on."""
        return self.parts(backbone, setup, task, shape, backward).total

    def parts(self, backbone: Backbone, setup: Setup, task: str, shape: BatchShape, backward: bool) -> Flops:
        """The same, forward, activation gradients and weight gradients apart."""
        key = (backbone.release.architecture, setup, (task, shape), backward)
        if key not in self._counted:
            devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
            with torch.random.fork_rng(devices=devices):
                self._counted[key] = self._count(backbone, setup, task, shape, backward)
        return self._counted[key]

    def _count(self, backbone: Backbone, setup: Setup, task: str, shape: BatchShape, backward: bool) -> Flops:
        name = (backbone.release.architecture, setup)
        if name not in self._unmeant:
            try:
                return _run(self._skeleton(backbone, setup, "meta"), backbone, task, shape, backward)
            # What torch says where a method looks into tensors, which have no content here (nonzero), or makes some
            # on the CPU ("expected device cpu but got meta"); a fault that is none of that is met again on the CPU.
            except (NotImplementedError, RuntimeError):
                self._unmeant.add(name)
                self._last = None
        return _run(self._skeleton(backbone, setup, "cpu"), backbone, task, shape, backward)

    def _skeleton(self, backbone: Backbone, setup: Setup, device: str) -> Network:
        name = (backbone.release.architecture, setup)
        if self._last is None or self._last[0] != name:
            self._last = (name, backbone.skeleton(setup, device))
        return self._last[1]


def _run(network: Network, backbone: Backbone, task: str, shape: BatchShape, backward: bool) -> Flops:
    device = next(network.parameters()).device
    batch = blank(task, network.kinds[task], shape, device, backbone.padding.with_types)
    network.train(backward)
    makes_own = ENCODERS[backbone.release.encoder].makes_tensors
    with device if makes_own else nullcontext():
        if backward:
            return _trained(network, batch)
        with _counting() as counter:
            network(batch)  # with gradients: without, torch's counter stumbles over DeBERTa's views of its parameters
    return Flops(counter.get_total_flops())


def _trained(network: Network, batch: Batch) -> Flops:
    """One step's operations; the backward pass runs twice, once only as far as activations need it."""
    with _counting() as forward, _Grafts(batch) as grafts:
        loss = network.loss(batch)
    with _counting() as activations:
        torch.autograd.grad(loss, grafts.edges, retain_graph=True, allow_unused=True)
    with _counting() as everything:
        loss.backward()
    network.zero_grad(set_to_none=True)
    flowing = activations.get_total_flops()
    return Flops(forward.get_total_flops(), flowing, everything.get_total_flops() - flowing)


def _counting() -> FlopCounterMode:
    return FlopCounterMode(display=False, custom_mapping={CONVOLVED_BACK: _convolved_back})


def _convolved_back(*shapes: object, out_shape: object = None) -> int:
    """The backward pass of a convolution, as torch counts it but for groups.

    Torch's table counts a gradient of weights as if every input met every output; with groups only those of one group
    meet. LoRA is such a convolution where query, key and value lie in one matrix (DeBERTa, ModernBERT).
    """
    *given, groups, (asks_input, _, asks_bias) = shapes
    count = flop_registry[CONVOLVED_BACK]
    whole = count(*shapes, out_val=out_shape)
    of_input = count(*given, groups, [asks_input, False, asks_bias], out_val=out_shape)
    return of_input + (whole - of_input) // groups


class _Grafts(TorchFunctionMode):
    """Notes where what is trained meets the batch: gradients of the results there are the lowest that must flow.

    Asked for these alone, the backward pass computes every activation gradient that training needs, and no gradient of
    a weight nor of anything that is made from weights alone.
    """

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.edges: list[GradientEdge] = []
        self._of_batch: dict[int, Tensor] = {}  # by identity; kept, so that no other tensor gets the same one
        self._note(t for t in (batch.ids, batch.mask, batch.types) if t is not None)

    def __torch_function__(
        self, func: object, types: object, args: Sequence[object] = (), kwargs: Mapping[str, object] | None = None
    ) -> object:
        made = func(*args, **(kwargs or {}))
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        if any(id(t) in self._of_batch for t in given):
            written_to = args[:1] if func is Tensor.__setitem__ else ()
            found = [t for t in tree_leaves((made, written_to)) if isinstance(t, Tensor)]
            if any(t.requires_grad and id(t) not in self._of_batch for t in given):
                self.edges += [get_gradient_edge(t) for t in found if t.requires_grad]
            self._note(found)
        return made

    def _note(self, tensors) -> None:
        self._of_batch.update((id(t), t) for t in tensors)
