"""Floating-point operations of the batches that really passed through."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapeff_sim.training.meters.base import METERS, Reading, Watch

PARTS = ("forward", "activation_gradient", "weight_gradient")


@METERS.register
@contextmanager
def flops(watch: Watch) -> Iterator[Reading]:
    """``<phase>_flops``: each distinct shape counted exactly, times how often it was seen; training in its three parts.

    ``train_flops`` is the sum of ``train_forward_flops``, ``train_activation_gradient_flops`` and
    ``train_weight_gradient_flops``; every other phase goes forward only.
    """
    reading = Reading()
    yield reading
    for (task, shape), times in watch.shapes.items():
        trains = watch.phase == "train"
        found = watch.counter.parts(watch.backbone, watch.setup, task, shape, backward=trains)
        parts = {"flops": found.total}
        if trains:
            parts |= {f"{part}_flops": getattr(found, part) for part in PARTS}
        for name, operations in parts.items():
            quantity = f"{watch.phase}_{name}"
            reading.usage[quantity] = reading.usage.get(quantity, 0) + times * operations
