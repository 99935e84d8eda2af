"""Seconds on the clock, the device's queue emptied before and after."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from adapeff_sim.training.meters.base import METERS, Reading, Watch


@METERS.register
@contextmanager
def wall_clock(watch: Watch) -> Iterator[Reading]:
    """``<phase>_seconds``: elapsed time, synchronised."""
    reading = Reading()
    start = now(watch.device)
    yield reading
    reading.usage[f"{watch.phase}_seconds"] = now(watch.device) - start


def now(device: torch.device) -> float:
    """Seconds on a clock that never goes back, once the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
