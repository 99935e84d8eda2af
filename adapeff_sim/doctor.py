"""What this machine can do, and what it lacks: looked at in a second, and without loading torch unless it is asked."""

import importlib.metadata
import os
import platform
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import psutil
from packaging.requirements import Requirement

from adapeff_sim import __version__
from adapeff_sim.execution.calibrations import sorted_calibrations
from adapeff_sim.execution.machine import cpu_model, cuda_device, has_driver, memory_bytes, usable_cores
from adapeff_sim.whole_files import cannot_hold

GIB = 2**30
LEAST_DISK, LEAST_MEMORY = GIB // 2, 2 * GIB  # bytes under which not even the scenario smoke is sure to end
HUB_SECONDS = 3.0
NAMED = ("torch", "transformers", "adapters", "datasets")  # told of even where they are as they should be
EXTRAS = {"page": "the page and its pictures", "gpu": "energy measured on an NVIDIA GPU"}
State = Literal["good", "note", "bad"]


class Finding(NamedTuple):
    """One thing that was looked at; ``bad`` means that `run` cannot work, ``fix`` what would do about it."""

    topic: str
    state: State
    found: str
    fix: str = ""


def examine(store: Path, asks_torch: bool, offline: bool) -> tuple[Finding, ...]:
    """All that was found: versions, device, cores, memory, disk at ``store``, and whether the hub answers."""
    versions = tuple(_versions())
    torch_is_there = not any(f.topic == "torch" and f.state == "bad" for f in versions)
    return (
        Finding("adapeff-sim", "good", f"{__version__}, Python {platform.python_version()} on {platform.system()}"),
        *versions,
        *_extras(),
        _device(asks_torch and torch_is_there, torch_is_there),
        Finding("CPU", "good", f"{cpu_model()}; {usable_cores()} for training, unless --threads says otherwise"),
        _memory(),
        _disk(store),
        _calibrations(store),
        _hub(offline),
        _terminal(),
    )


def can_run(findings: tuple[Finding, ...]) -> bool:
    """Whether nothing was found that `run` cannot do without."""
    return all(f.state != "bad" for f in findings)


def _requirements(extra: str = "") -> Iterator[Requirement]:
    """What this program says that it needs, or what one of its extras needs besides."""
    try:
        said = importlib.metadata.requires("adapeff-sim") or []
    except importlib.metadata.PackageNotFoundError:  # it lies in a folder and was never installed
        return
    for text in said:
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            is_extra = need.marker is not None and "extra" in str(need.marker)
            if is_extra == bool(extra):
                yield need


def _lacking(need: Requirement) -> str:
    """What is wrong with an installed package, in words; empty if it is as it is needed."""
    try:
        version = importlib.metadata.version(need.name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    return "" if need.specifier.contains(version, prereleases=True) else f"{version}, but {need.specifier} is needed"


def _versions() -> Iterator[Finding]:
    """The packages that training rests upon one by one, the others together, and each that is not as it should be."""
    needs = {need.name: need for need in _requirements()} or {name: Requirement(name) for name in NAMED}
    for name in NAMED:
        need = needs.pop(name, Requirement(name))
        wrong = _lacking(need)
        told = wrong or f"{importlib.metadata.version(name)}{f' ({need.specifier} will do)' if need.specifier else ''}"
        yield Finding(name, "bad" if wrong else "good", told, _install(need) if wrong else "")
    wrong_others = {name: (need, wrong) for name, need in needs.items() if (wrong := _lacking(need))}
    for name, (need, wrong) in wrong_others.items():
        yield Finding(name, "bad", wrong, _install(need))
    if needs and not wrong_others:
        yield Finding("other packages", "good", f"all {len(needs)} as needed")


def _install(need: Requirement) -> str:
    return f"pip install '{need.name}{need.specifier}'"


def _extras() -> Iterator[Finding]:
    """What is there only where it was asked for."""
    for extra, purpose in EXTRAS.items():
        absent = [need.name for need in _requirements(extra) if _lacking(need)]
        found = f"{purpose}: no {', '.join(absent)}" if absent else purpose
        fix = f"pip install 'adapeff-sim[{extra}]'" if absent else ""
        yield Finding(f"extra {extra}", "note" if absent else "good", found, fix)


def _device(asks_torch: bool, torch_is_there: bool) -> Finding:
    """What would be trained on; a GPU is only named once torch was asked, which takes seconds."""
    if not torch_is_there:
        return Finding("device", "note", "not known without torch")
    if not has_driver():
        return Finding("device", "good", "cpu (no driver of an NVIDIA GPU)")
    if importlib.metadata.version("torch").endswith("+cpu"):
        return Finding(
            "device", "note", "cpu: there is a driver, but torch is built without CUDA", "install torch+cuda"
        )
    if not asks_torch:
        return Finding("device", "note", "a driver is there; torch, which takes seconds, was not asked", "--torch")
    gpu = cuda_device()
    if gpu is None:
        return Finding("device", "note", "cpu: there is a driver, but torch finds no GPU that it can use")
    return Finding("device", "good", f"cuda ({gpu[0]}), {'bf16' if gpu[1] else 'fp32'}")


def _memory() -> Finding:
    free = min(memory_bytes(), int(psutil.virtual_memory().available))
    found = f"{memory_bytes() / GIB:.1f} GiB, {free / GIB:.1f} GiB of them free"
    enough = free >= LEAST_MEMORY
    return Finding("memory", "good" if enough else "note", found, "" if enough else "end other programs")


def _disk(store: Path) -> Finding:
    """Whether the store, or the folder that it would be made in, can be written, and how much room there is."""
    place = store.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    refused = cannot_hold(place)
    if refused:
        return Finding("disk", "bad", f"{place}: {refused}", "choose another --store")
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.1f} GiB free at the store, {store}"
    return Finding("disk", "good" if free >= LEAST_DISK else "bad", found, "" if free >= LEAST_DISK else "make room")


def _calibrations(store: Path) -> Finding:
    """Which devices were calibrated; estimates of seconds rest on price books without one."""
    found, damaged = sorted_calibrations(store)
    known = sorted({f"{c.device}, {c.threads} threads, {c.precision}" for c in found})
    if damaged:
        told = "; ".join([*known, *(f"left out: {error}" for error in damaged)])
        return Finding("calibration", "note", told, "adapeff-sim calibrate")
    if not known:
        return Finding("calibration", "note", "none; seconds are estimated from price books", "adapeff-sim calibrate")
    return Finding("calibration", "good", "; ".join(known))


def _hub(offline: bool) -> Finding:
    """Whether the hub answers; nothing that comes along needs it."""
    if offline or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return Finding("hub", "note", "not asked (offline)")
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    try:
        with urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=HUB_SECONDS):
            return Finding("hub", "good", f"{address} answers")
    except urllib.error.HTTPError:  # it says no, but it is there
        return Finding("hub", "good", f"{address} answers")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        found = f"{address} does not answer ({reason}); only public sets and hub: base models need it"
        return Finding("hub", "note", found, "--offline, or a network")


def _terminal() -> Finding:
    encoding = (sys.stdout.encoding or "ascii").lower()
    if encoding.startswith("utf"):
        return Finding("terminal", "good", f"shows every sign ({encoding})")
    return Finding("terminal", "note", f"{encoding}: other signs are shown as ?", "PYTHONUTF8=1")
