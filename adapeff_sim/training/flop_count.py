"""Floating-point operations of a batch, exactly: every matrix product that is really computed, counted once a shape.

The count is made on a copy of the network without memory (meta device) and with eager attention, since the fused
kernels of the CPU are not in torch's table and would count as 0. What flows backward is counted as it flows: no
weight gradient for a frozen weight, and nothing below the lowest trained one. Elementwise work is not counted.
"""

from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch.utils.flop_counter import FlopCounterMode

from adapeff_sim.base_models.encoders import ENCODERS
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import BatchShape, blank
from adapeff_sim.training.network import Network, Setup

Shape = tuple[str, BatchShape]  # a task, and the shape of a batch of it


@dataclass(slots=True)
class FlopCount:
    """What was counted in this process, by architecture, setup and shape."""

    _counted: dict[tuple[str, Setup, Shape, bool], int] = field(default_factory=dict)
    _last: tuple[tuple[str, Setup], Network] | None = None
    _unmeant: set[tuple[str, Setup]] = field(default_factory=set)  # what cannot be run without memory

    def flops(self, backbone: Backbone, setup: Setup, task: str, shape: BatchShape, backward: bool) -> int:
        """The operations of one forward pass over a batch, with the backward pass where it is trained on."""
        key = (backbone.release.architecture, setup, (task, shape), backward)
        if key not in self._counted:
            devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
            with torch.random.fork_rng(devices=devices):
                self._counted[key] = self._count(backbone, setup, task, shape, backward)
        return self._counted[key]

    def _count(self, backbone: Backbone, setup: Setup, task: str, shape: BatchShape, backward: bool) -> int:
        name = (backbone.release.architecture, setup)
        if name not in self._unmeant:
            try:
                return _run(self._skeleton(backbone, setup, "meta"), backbone, task, shape, backward)
            except (RuntimeError, NotImplementedError, TypeError):  # some methods look into their tensors
                self._unmeant.add(name)
                self._last = None
        return _run(self._skeleton(backbone, setup, "cpu"), backbone, task, shape, backward)

    def _skeleton(self, backbone: Backbone, setup: Setup, device: str) -> Network:
        name = (backbone.release.architecture, setup)
        if self._last is None or self._last[0] != name:
            self._last = (name, backbone.skeleton(setup, device))
        return self._last[1]


def _run(network: Network, backbone: Backbone, task: str, shape: BatchShape, backward: bool) -> int:
    device = next(network.parameters()).device
    batch = blank(task, network.kinds[task], shape, device, backbone.padding.with_types)
    counter = FlopCounterMode(display=False)
    network.train(backward)
    makes_own = ENCODERS[backbone.release.encoder].makes_tensors
    with device if makes_own else nullcontext(), counter:
        if backward:
            network.loss(batch).backward()
        else:
            network(batch)  # with gradients: without, torch's counter stumbles over DeBERTa's views of its parameters
    network.zero_grad(set_to_none=True)
    return int(counter.get_total_flops())
