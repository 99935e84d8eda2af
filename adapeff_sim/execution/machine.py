"""What this run is done on, and with which versions: all that decides the bits besides recipe and data.

Torch is imported only to ask for a GPU, and only where a driver for one is installed.
"""

import functools
import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from adapeff_sim import __version__
from adapeff_sim.errors import ExecutionError

MOST_THREADS = 1024
MATTERING = ("torch", "transformers", "adapters", "tokenizers", "safetensors", "numpy")


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
        return {**packages(), "device": self.name, "threads": str(self.threads), "precision": self.precision}


@functools.cache
def packages() -> dict[str, str]:
    """The versions of this program and of the packages whose arithmetic it uses."""
    return {"adapeff-sim": __version__, **{name: importlib.metadata.version(name) for name in MATTERING}}


def this_machine(device: str = "auto", precision: str = "auto", threads: int | None = None) -> Machine:
    """What to train on here: a CUDA device if there is one, in bf16 where it can, else the CPU in fp32.

    ``threads`` are those of one process's arithmetic (None: one for each core that it may use). Raises ExecutionError
    for a device, precision or number of threads that cannot be had.
    """
    for what, word, known in (
        ("--device", device, ("auto", "cpu", "cuda")),
        ("--precision", precision, ("auto", "fp32", "bf16")),
    ):
        if word not in known:
            raise ExecutionError(f"{what} {word[:48]!r} is unknown; give one of {', '.join(known)}.")
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise ExecutionError(f"--threads {threads}: so many cannot work; give 1 to {MOST_THREADS}.")
    gpu = cuda_device() if device != "cpu" else None
    if device == "cuda" and gpu is None:
        raise ExecutionError(
            "no CUDA device is to be had here; install its driver and a CUDA build of torch, or --device cpu."
        )
    fine: Literal["fp32", "bf16"] = (
        "bf16" if precision == "bf16" or (precision == "auto" and gpu and gpu[1]) else "fp32"
    )
    name = f"cuda ({gpu[0]})" if gpu else f"cpu ({cpu_model()})"
    return Machine("cuda" if gpu else "cpu", name, threads or usable_cores(), fine)


def cuda_device() -> tuple[str, bool] | None:
    """The first CUDA device's name and whether it computes in bf16; None without driver, CUDA build or device."""
    if not has_driver() or packages()["torch"].endswith("+cpu"):
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    return torch.cuda.get_device_name(0), bool(torch.cuda.is_bf16_supported(including_emulation=False))


def has_driver() -> bool:
    """Whether a driver for NVIDIA's GPUs is installed."""
    return bool(shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists() or Path("/dev/dxg").exists())


def cpu_model() -> str:
    """What the CPU calls itself."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            field, _, value = line.partition(":")
            if field.strip() == "model name" and value.strip():
                return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown"


def usable_cores() -> int:
    """The physical cores that this process may use: less than the machine has, in a container or under a mask."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or allowed
    return max(1, min(allowed, physical, _container_quota() or allowed))


def memory_bytes() -> int:
    """The main memory that this process may use: less than the machine has, in a container."""
    limit = Path("/sys/fs/cgroup/memory.max")
    said = limit.read_text(encoding="utf-8").strip() if limit.is_file() else ""
    whole = int(psutil.virtual_memory().total)
    return min(whole, int(said)) if said.isdigit() else whole


def _container_quota() -> int | None:
    """The whole cores that a container may use, if it is limited."""
    limit = Path("/sys/fs/cgroup/cpu.max")
    if not limit.is_file():
        return None
    quota, _, period = limit.read_text(encoding="utf-8").strip().partition(" ")
    return max(1, int(quota) // int(period)) if quota.isdigit() and period.isdigit() else None
