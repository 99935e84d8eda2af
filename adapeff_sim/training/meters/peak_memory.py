"""The most memory that was in use: of the process on a CPU, of torch's tensors on a GPU."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from adapeff_sim.training.meters.base import METERS, Reading, Watch

SAMPLE_SECONDS = 0.05


@METERS.register
@contextmanager
def peak_memory(watch: Watch) -> Iterator[Reading]:
    """``peak_memory_bytes``: resident set size sampled 20 times a second, or CUDA's highest allocation.

    On a GPU also ``peak_reserved_memory_bytes``: what torch took from the device, with what it keeps for later.
    """
    reading = Reading()
    if watch.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(watch.device)
        yield reading
        reading.usage["peak_memory_bytes"] = torch.cuda.max_memory_allocated(watch.device)
        reading.usage["peak_reserved_memory_bytes"] = torch.cuda.max_memory_reserved(watch.device)
        return
    with _sampled() as highest:
        yield reading
    reading.usage["peak_memory_bytes"] = highest[0]


@contextmanager
def _sampled() -> Iterator[list[int]]:
    """The highest resident set size so far, kept up to date by a thread that ends with the block."""
    process, over = psutil.Process(), threading.Event()
    highest = [process.memory_info().rss]

    def sample() -> None:
        while not over.wait(SAMPLE_SECONDS):
            highest[0] = max(highest[0], process.memory_info().rss)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield highest
    finally:
        over.set()
        thread.join()
        highest[0] = max(highest[0], process.memory_info().rss)
