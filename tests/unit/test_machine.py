"""What a run is done on: named, counted, and refused where it cannot be had; torch is not asked without need."""

import sys
from pathlib import Path

import pytest

from adapeff_sim.errors import ExecutionError
from adapeff_sim.execution import machine
from adapeff_sim.execution.machine import Machine, this_machine


@pytest.fixture
def gpu(monkeypatch):
    def has(found: tuple[str, bool] | None) -> None:
        monkeypatch.setattr(machine, "cuda_device", lambda: found)

    return has


def test_a_cpu_is_named_after_its_model_and_computes_in_32_bits(gpu):
    gpu(None)
    here = this_machine()
    assert here == this_machine("cpu") and here.device == "cpu" and here.precision == "fp32"
    assert here.name == f"cpu ({machine.cpu_model()})" and here.threads == machine.usable_cores() >= 1
    assert this_machine("cpu", "bf16", 3) == Machine("cpu", here.name, 3, "bf16")


def test_a_gpu_is_taken_where_there_is_one_and_in_16_bits_where_it_can(gpu):
    gpu(("NVIDIA H200", True))
    assert this_machine(threads=2) == Machine("cuda", "cuda (NVIDIA H200)", 2, "bf16")
    assert this_machine("cuda", "fp32", 2).precision == "fp32" and this_machine("cpu").device == "cpu"
    gpu(("Tesla P4", False))
    assert this_machine().precision == "fp32"


@pytest.mark.parametrize(
    ("asked", "said"),
    [(("cuda",), "--device cpu"), (("tpu",), "tpu"), (("cpu", "fp16"), "fp16"), (("cpu", "fp32", 0), "give 1 to 1024")],
)
def test_what_cannot_be_had_is_refused(gpu, asked, said):
    gpu(None)
    with pytest.raises(ExecutionError, match=said):
        this_machine(*asked)


def test_versions_tell_apart_whatever_changes_bits():
    one = Machine("cpu", "cpu (x)", 1, "fp32")
    others = [
        Machine("cpu", "cpu (y)", 1, "fp32"),
        Machine("cpu", "cpu (x)", 2, "fp32"),
        Machine("cpu", "cpu (x)", 1, "bf16"),
    ]
    assert len({tuple(m.versions.items()) for m in (one, *others)}) == 4
    assert {"torch", "transformers", "adapters", "tokenizers", "adapeff-sim"} <= one.versions.keys()


def test_a_containers_share_of_the_cores_is_heeded(monkeypatch):
    monkeypatch.setattr(machine.psutil, "cpu_count", lambda logical: 64)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert machine.usable_cores() == (machine._container_quota() or 64)
    monkeypatch.setattr(machine, "_container_quota", lambda: 3)
    assert machine.usable_cores() == 3


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="with a driver torch must be asked")
def test_without_a_driver_torch_is_not_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # whoever imports it now is refused
    assert machine.this_machine().device == "cpu"
