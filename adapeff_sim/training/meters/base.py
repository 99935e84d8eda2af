"""The contract of a meter: entered around a phase of work, it fills in what the phase used.

with measuring.phase("train", network) as watch:    every meter entered once
    ... watch.saw(batch) after each step ...
measuring.usage                                      train_seconds, train_flops, peak_memory_bytes, ...
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

import torch

from adapeff_sim.ledger.outcome import Usage, Validation
from adapeff_sim.registry import Registry
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import Batch
from adapeff_sim.training.flop_count import FlopCount, Shape
from adapeff_sim.training.jobs import Phase
from adapeff_sim.training.network import Setup

Precision = Literal["fp32", "bf16"]
WORKS_ON_LEAVING = ("flops",)  # entered first, so that what it does on leaving is in nobody's reading


@dataclass(slots=True)
class Watch:
    """A phase as its meters see it: where it runs, what passes through, and by whom it can be counted."""

    phase: Phase
    device: torch.device
    precision: Precision
    backbone: Backbone
    setup: Setup
    counter: FlopCount
    shapes: dict[Shape, int] = field(default_factory=dict)  # how often each was seen

    def saw(self, batch: Batch) -> None:
        """Note that one batch passed through."""
        shape = (batch.task, batch.shape)
        self.shapes[shape] = self.shapes.get(shape, 0) + 1


@dataclass(slots=True)
class Reading:
    """What one meter read over one phase, by quantity; what it could not read is named."""

    usage: Usage = field(default_factory=dict)
    unavailable: tuple[str, ...] = ()


Meter = Callable[[Watch], AbstractContextManager[Reading]]
METERS: Registry[Meter] = Registry("meter", "adapeff_sim.training.meters")


@dataclass(slots=True)
class Measuring:
    """The sums of one job: quantities add up over phases, and of peaks the highest counts."""

    device: torch.device
    precision: Precision
    backbone: Backbone
    setup: Setup
    counter: FlopCount
    usage: Usage = field(default_factory=dict)
    unavailable: set[str] = field(default_factory=set)
    trained: dict[Shape, int] = field(default_factory=dict)  # how often each shape was trained on
    curve: list[Validation] = field(default_factory=list)

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[Watch]:
        """Measure what is done inside; nothing is added if it ends in an exception."""
        watch = Watch(phase, self.device, self.precision, self.backbone, self.setup, self.counter)
        readings: list[Reading] = []
        with ExitStack() as meters:
            for name in sorted(METERS.names(), key=lambda name: (name not in WORKS_ON_LEAVING, name)):
                readings.append(meters.enter_context(METERS.get(name)(watch)))
            yield watch
        for reading in readings:
            self.unavailable.update(reading.unavailable)
            for quantity, amount in reading.usage.items():
                self.add(quantity, amount)
        if phase == "train":
            for shape, times in watch.shapes.items():
                self.trained[shape] = self.trained.get(shape, 0) + times

    @contextmanager
    def warm_up(self) -> Iterator[Watch]:
        """Time what is done inside as ``warmup_seconds``, so that first-time costs are in no other quantity."""
        start = time.perf_counter()
        yield Watch("train", self.device, self.precision, self.backbone, self.setup, self.counter)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.add("warmup_seconds", time.perf_counter() - start)

    def add(self, quantity: str, amount: float) -> None:
        """Add to a sum, or raise a peak."""
        before = self.usage.get(quantity, 0.0)
        self.usage[quantity] = max(before, amount) if quantity.startswith("peak_") else before + amount
