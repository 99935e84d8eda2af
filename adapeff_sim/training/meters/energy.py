"""Energy from the GPU's own counter; where there is no counter it is unavailable, never 0."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapeff_sim.training.meters.base import METERS, Reading, Watch
from adapeff_sim.training.nvml import gpu


@METERS.register
@contextmanager
def energy(watch: Watch) -> Iterator[Reading]:
    """``energy_joules``: what the whole GPU board drew, from NVML's total energy counter."""
    board = gpu(watch.device)
    start = board.joules() if board else None
    reading = Reading()
    yield reading
    end = board.joules() if board else None
    if start is None or end is None:
        reading.unavailable = ("energy_joules",)
    else:
        reading.usage["energy_joules"] = end - start
