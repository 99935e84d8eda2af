"""The GPU as its driver sees it, where NVIDIA's management library is there to be asked."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

JOULES_PER_MILLIJOULE = 1e-3


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, known to the library by a handle."""

    nvml: Any
    handle: Any

    def joules(self) -> float | None:
        """What the whole board has drawn since its driver was loaded; None where it has no counter."""
        read = self._asked(lambda: self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        return None if read is None else read * JOULES_PER_MILLIJOULE

    def other_processes(self) -> int | None:
        """How many other processes compute on it now; None where the library does not tell.

        One of those that it lists is ours: which one cannot be told inside a container, where processes have other
        numbers than outside. If it lists none at all, it hides them.
        """
        found = self._asked(lambda: len(self.nvml.nvmlDeviceGetComputeRunningProcesses(self.handle)))
        return found - 1 if found else None

    def _asked(self, question: Callable[[], Any]) -> int | None:
        try:
            return int(question())
        except self.nvml.NVMLError:
            return None


@lru_cache(maxsize=8)
def gpu(device: torch.device) -> Gpu | None:
    """The GPU that a device is, or None where there is none or nobody to ask."""
    if device.type != "cuda":
        return None
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(device).uuid  # not the index: some GPUs may be hidden from torch
        return Gpu(nvml, nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}"))
    except nvml.NVMLError:
        return None
