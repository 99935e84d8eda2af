"""What the GPU's driver tells, told here by one that is made up: energy, and whether somebody else is there."""

import sys
from types import SimpleNamespace

import pytest
import torch

from adapeff_sim.training import nvml
from adapeff_sim.training.meters.base import METERS, Watch
from adapeff_sim.training.step_clock import SYNCHRONISE_AFTER, StepClock


class NVMLError(Exception):
    """The library refuses."""


class Driver(SimpleNamespace):
    """A management library with one board: 5 J more each time it is asked, and some processes."""

    NVMLError = NVMLError
    millijoules, pids = 0, (4711,)

    def nvmlInit(self):
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid):
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):
        assert handle == "GPU-abc"
        if self.millijoules is None:
            raise NVMLError
        self.millijoules += 5000
        return self.millijoules

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        return [SimpleNamespace(pid=pid) for pid in self.pids]


@pytest.fixture
def driver(monkeypatch):
    made = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="abc"))
    nvml.gpu.cache_clear()
    yield made
    nvml.gpu.cache_clear()


def read(meter: str, device: str = "cuda", during=lambda: None):
    watch = Watch("train", torch.device(device), "fp32", None, None, None)
    with METERS.get(meter)(watch) as reading:
        during()
    return reading.usage, reading.unavailable


def test_energy_is_what_the_counter_rose(driver):
    assert read("energy") == ({"energy_joules": 5.0}, ())


def test_without_a_counter_energy_is_unavailable(driver):
    driver.millijoules = None
    assert read("energy") == ({}, ("energy_joules",))
    assert read("energy", "cpu") == ({}, ("energy_joules",))


def test_alone_on_the_gpu(driver):
    assert read("shared_gpu") == ({"peak_other_gpu_processes": 0}, ())


def test_others_are_counted_whenever_they_are_seen(driver):
    def come():
        driver.pids = (1, 2, 4711)

    assert read("shared_gpu", during=come) == ({"peak_other_gpu_processes": 2}, ())


def test_a_library_that_hides_processes_is_no_witness(driver):
    driver.pids = ()
    assert read("shared_gpu") == ({}, ("peak_other_gpu_processes",))
    assert read("shared_gpu", "cpu") == ({}, ())


def test_without_the_library_nothing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    nvml.gpu.cache_clear()
    assert read("shared_gpu") == ({}, ("peak_other_gpu_processes",))
    assert read("energy") == ({}, ("energy_joules",))
    nvml.gpu.cache_clear()


class Event:
    """A mark in a device's queue, whose clock shows 1 ms more with every mark."""

    marks, waits = 0, 0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        Event.marks += 1
        self.at = Event.marks

    def synchronize(self) -> None:
        Event.waits += 1

    def elapsed_time(self, later: "Event") -> float:
        return float(later.at - self.at)


def steps(clock: StepClock, count: int) -> None:
    for _ in range(count):
        clock.start()
        for part in ("data", "forward"):
            clock.done(part)


def test_on_a_gpu_steps_are_timed_by_its_own_queue_and_hardly_ever_waited_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "Event", Event)
    clock = StepClock(torch.device("cuda"))
    many = SYNCHRONISE_AFTER  # three marks a step
    steps(clock, many)
    assert Event.waits == 2
    assert clock.seconds() == pytest.approx({"data": many / 1000, "forward": many / 1000})
    steps(clock, 1)
    assert clock.seconds()["data"] == pytest.approx((many + 1) / 1000)


def test_on_a_cpu_the_parts_are_apart(monkeypatch):
    moments = iter((1.0, 3.0, 7.0, 20.0, 21.0, 22.0))
    monkeypatch.setattr("time.perf_counter", lambda: next(moments))
    clock = StepClock(torch.device("cpu"))
    steps(clock, 2)
    assert clock.seconds() == {"data": 3.0, "forward": 5.0}, "what lies between steps is in no part"
