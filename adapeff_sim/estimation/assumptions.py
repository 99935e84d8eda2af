"""What an estimate rests on, each with its value and where it comes from: epochs, and seconds without a calibration."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from adapeff_sim.estimation.flops import HeadShape, NetworkShape, step_flops

Sure = Literal["measured", "estimated", "assumed", "stated"]
# Median over the 32 trainings of the shipped scenario new_language (version 0.2, seed 13, 100 to 450 rows, patience 5).
BEST_EPOCH: Mapping[str, float] = {"adapter": 6.0, "fusion": 6.0, "model": 6.0}
BEST_EPOCH_SOURCE = "median of the trainings of new_language (100 to 450 rows); give your own under `estimate: epochs`"
LOAD_BYTES_PER_SECOND = 1e9
LOAD_SOURCE = "a local disk; not measured"
PIECE_BYTES = 4
PIECE_SOURCE = "characters of a piece, for the size of rows that are only stated"


class Assumption(BaseModel):
    """One number that an estimate rests on; ``measured`` means by an earlier run or by a calibration."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    what: str
    value: float | None
    unit: str
    provenance: Sure
    source: str


class Pace(Protocol):
    """How long steps and answers take on one device; a calibration is one."""

    @property
    def device(self) -> str:
        """What records and price books call it."""
        ...

    @property
    def after_idle(self) -> float:
        """How many times as long a request takes that comes to a replica which had nothing to do."""
        ...

    def train_seconds(
        self, network: NetworkShape, head: HeadShape, sequences: int, length: int, steps: int = 1
    ) -> dict[str, float]:
        """Seconds of ``steps`` steps, ``train_seconds`` among them."""
        ...

    def answer_seconds(self, network: NetworkShape, head: HeadShape, sequences: int, length: int) -> float:
        """Seconds in which one batch is answered."""
        ...


@dataclass(frozen=True, slots=True)
class AssumedPace:
    """A device that sustains one number of operations a second, whatever the shape."""

    device: str
    flops_per_second: float
    after_idle: float = 1.0

    def train_seconds(
        self, network: NetworkShape, head: HeadShape, sequences: int, length: int, steps: int = 1
    ) -> dict[str, float]:
        """Operations of the steps by the rate."""
        total = step_flops(network, head, sequences, length).total * steps
        return {"train_seconds": total / self.flops_per_second}

    def answer_seconds(self, network: NetworkShape, head: HeadShape, sequences: int, length: int) -> float:
        """Operations of the forward pass by the rate."""
        return step_flops(network, head, sequences, length).forward / self.flops_per_second


@dataclass(frozen=True, slots=True)
class Epochs:
    """The epoch after which a training is at its best, by strategy's label, by artifact kind, and by default."""

    said: Mapping[str, float]
    learnt: Mapping[str, Assumption]  # by "LABEL KIND" and by kind

    def best(self, label: str, kind: str) -> Assumption:
        """The assumption for one training: what the scenario says goes before what was learnt."""
        for layer in (label, kind):
            if layer in self.said:
                whose = label if layer == label else ""
                return self._assumption(kind, whose, self.said[layer], "stated", f"the scenario, estimate: {layer}")
        for name in (f"{label} {kind}", kind):
            if name in self.learnt:
                return self.learnt[name]
        return self._assumption(kind, "", BEST_EPOCH[kind], "assumed", BEST_EPOCH_SOURCE)

    @staticmethod
    def _assumption(kind: str, label: str, value: float, sure: Sure, source: str) -> Assumption:
        what = f"best epoch, {kind}{f' of {label}' if label else ''}"
        return Assumption(what=what, value=value, unit="epochs", provenance=sure, source=source)


def epochs_paid(best: float, patience: int, most: int) -> int:
    """The epochs that are trained: until the best, then as many as patience waits; without patience all of them."""
    return min(most, math.ceil(best) + patience) if patience else most
