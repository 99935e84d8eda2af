"""Everything that a serving probe measures of one shape, a few seconds in all for a small model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from adapeff_sim.artifacts.methods import SPLITTABLE, family
from adapeff_sim.base_models.encoders import ENCODERS
from adapeff_sim.ledger.outcome import Usage
from adapeff_sim.training import held
from adapeff_sim.training.autocast import autocast
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import BatchShape
from adapeff_sim.training.meters.base import Precision
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.serve import BATCH_SIZES, IDLE, Timed, time_requests

LENGTHS = (0.5, 2.0)  # of the usual request


@dataclass(slots=True)
class Probed:
    """Seconds for each request by batch size, and what else was measured of the shape."""

    request_seconds: dict[int, float] = field(default_factory=dict)
    usage: Usage = field(default_factory=dict)
    unavailable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """One shape on one device; ``limit_seconds`` for a request alone at most, a third of it for anything else."""

    backbone: Backbone
    setup: Setup
    one: BatchShape
    device: torch.device
    precision: Precision
    limit_seconds: float

    def batches(self, tell: Callable[[int, int], None]) -> Probed:
        """Bytes held, and seconds of requests of the usual length in batches of several sizes."""
        found = Probed()
        network = self.network()
        found.usage |= held.weights(network)
        noises = []
        for done, size in enumerate(BATCH_SIZES):
            tell(done, len(BATCH_SIZES) + 1)
            timed = self._timed(network, self.one, size, self.limit_seconds if size == 1 else self._short)
            found.request_seconds[size] = timed.seconds / size
            noises.append(timed.noise)
        tell(len(BATCH_SIZES), len(BATCH_SIZES) + 1)
        found.usage["request_after_idle_seconds"] = self._timed(network, self.one, 1, self._short, IDLE).seconds
        found.usage |= {"request_seconds_noise": noises[0], "batch_seconds_noise": max(noises)}
        return found

    def beside(self, folder: Path) -> Probed:
        """Other lengths, loading, and what only adapters can do; ``folder`` holds files meanwhile."""
        found = Probed()
        network = self.network()
        for length in self._lengths():
            timed = self._timed(network, BatchShape(self.one.sequences, length), 1, self._short)
            found.usage[f"request_of_{length}_tokens_seconds"] = timed.seconds
        together = held.merged(network, lambda: self._timed(network, self.one, 1, self._short))
        if together:
            found.usage["merged_request_seconds"] = together.seconds
        found.usage |= held.loading(self.backbone, self.setup, folder, self.device)
        self._of_several(found, self._short)
        return found

    def network(self) -> Network:
        """The shape on the device, with weights that mean nothing."""
        return self.backbone.network(self.setup, seed=0).to(self.device)

    @property
    def _short(self) -> float:
        return self.limit_seconds / 3

    def _lengths(self) -> list[int]:
        """Shorter and longer requests that the model can take, in tokens."""
        longest = self.backbone.padding.longest
        wanted = {max(1, min(longest, round(self.one.length * share))) for share in LENGTHS}
        return sorted(wanted - {self.one.length})

    def _of_several(self, found: Probed, limit_seconds: float) -> None:
        """Requests of several tasks over one encoder, where each has an adapter of its own or none has."""
        if self.setup.fused or self.one.sequences > 1:
            found.unavailable = ("mixed_request_seconds",)  # each task has a fusion, and a choice many sequences
            return
        network = held.several(self.backbone, self.setup, self.setup.heads[0][1], self.device)
        with torch.inference_mode(), autocast(self.device, self.precision):
            if self.setup.adapters:
                found.usage["switch_seconds"] = held.switching(network, limit_seconds / 3).seconds
            whole = ENCODERS[self.backbone.encoder.config.model_type].cannot_split
            if not all(family(method) in SPLITTABLE - whole for method in self.setup.adapters):
                found.unavailable = ("mixed_request_seconds",)  # the library answers wrongly, or cannot
                return
            timed = held.mixed(network, self.one, self.backbone.padding.with_types, limit_seconds)
            found.usage["mixed_request_seconds"] = timed.seconds / held.MIXED

    def _timed(self, network: Network, one: BatchShape, size: int, limit_seconds: float, idle: float = 0.0) -> Timed:
        types = self.backbone.padding.with_types
        return time_requests(network, one, size, types, self.precision, limit_seconds, idle)
