"""What this run is done on, and with which versions: all that decides the bits besides recipe and data (no torch)."""

import importlib.metadata
import os
from dataclasses import dataclass
from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]
MATTERING = ("torch", "transformers", "adapters", "tokenizers")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where training runs: ``device`` is ``cpu`` or ``cuda``; ``name`` is what price books and records call it."""

    device: str
    name: str
    threads: int
    precision: Literal["fp32", "bf16"]

    @property
    def versions(self) -> dict[str, str]:
        """What a store key must cover: package versions, device, threads and precision all change bits."""
        packages = {name: importlib.metadata.version(name) for name in MATTERING}
        return {**packages, "device": self.name, "threads": str(self.threads), "precision": self.precision}
