"""Whether somebody else computes on the same GPU, which makes seconds and energy say less about this job."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapeff_sim.training.meters.base import METERS, Reading, Watch
from adapeff_sim.training.nvml import gpu

QUANTITY = "peak_other_gpu_processes"


@METERS.register
@contextmanager
def shared_gpu(watch: Watch) -> Iterator[Reading]:
    """``peak_other_gpu_processes``: as many as were there before or after the phase; nothing where there is no GPU."""
    reading = Reading()
    if watch.device.type != "cuda":
        yield reading
        return
    board = gpu(watch.device)
    before = board.other_processes() if board else None
    yield reading
    after = board.other_processes() if board else None
    found = [number for number in (before, after) if number is not None]
    if found:
        reading.usage[QUANTITY] = max(found)
    else:
        reading.unavailable = (QUANTITY,)
