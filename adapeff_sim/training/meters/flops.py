"""Floating-point operations of the batches that really passed through."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapeff_sim.training.meters.base import METERS, Reading, Watch


@METERS.register
@contextmanager
def flops(watch: Watch) -> Iterator[Reading]:
    """``<phase>_flops``: each distinct shape counted exactly, times how often it was seen; training with backward."""
    reading = Reading()
    yield reading
    backward = watch.phase == "train"
    reading.usage[f"{watch.phase}_flops"] = sum(
        times * watch.counter.flops(watch.backbone, watch.setup, task, shape, backward)
        for (task, shape), times in watch.shapes.items()
    )
