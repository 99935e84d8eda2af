"""The shape of a network: an encoder, what a strategy put on it, what of that is trained, and the heads."""

from dataclasses import dataclass
from typing import Literal

from adapeff_sim.estimation.encoder import EncoderShape

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
