"""Energy from the GPU's own counter; where there is no counter it is unavailable, never 0."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch

from adapeff_sim.training.meters.base import METERS, Reading, Watch

JOULES_PER_MILLIJOULE = 1e-3


@METERS.register
@contextmanager
def energy(watch: Watch) -> Iterator[Reading]:
    """``energy_joules``: what the whole GPU board drew, from NVML's total energy counter."""
    counter = _counter(watch.device)
    if counter is None:
        yield Reading(unavailable=("energy_joules",))
        return
    reading, start = Reading(), counter()
    yield reading
    reading.usage["energy_joules"] = (counter() - start) * JOULES_PER_MILLIJOULE


@lru_cache(maxsize=8)
def _counter(device: torch.device) -> Callable[[], int] | None:
    """A function that reads the device's counter in millijoules, or None where there is none."""
    if device.type != "cuda":
        return None
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(device).uuid  # not the index: some GPUs may be hidden from torch
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError:
        return None
    return lambda: int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
