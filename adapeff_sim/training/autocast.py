"""Half-width arithmetic where the machine was told to use it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch


def autocast(device: torch.device, precision: Literal["fp32", "bf16"]) -> AbstractContextManager[object]:
    """Matrix products in bf16 (weights stay in 32 bits), or nothing at all."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else nullcontext()
