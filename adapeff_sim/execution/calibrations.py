"""Calibrations: taken here, and kept beside the store, a file for each device, number of threads and precision."""

import datetime
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from adapeff_sim.errors import AdapeffError
from adapeff_sim.estimation.calibration import Calibration
from adapeff_sim.execution.machine import Machine, packages, usable_cores
from adapeff_sim.whole_files import write_whole

FOLDER = "calibrations"
LONGEST_NAME = 48  # characters of the device's name that its file's name tells


class CalibrationError(AdapeffError):
    """A calibration that cannot be taken, read or kept."""


def take_calibration(machine: Machine, seconds: float, tell: Callable[[float, str], None]) -> Calibration:
    """Time real steps here for about so many seconds and fit rates to them; ``tell`` gets the share that is done."""
    load = os.getloadavg()[0] / usable_cores() if hasattr(os, "getloadavg") else None
    from adapeff_sim.estimation.fitting import fit
    from adapeff_sim.training.trials import after_idle, measure  # torch, which takes seconds, only now

    points = measure(machine.device, machine.precision, machine.threads, seconds, tell)
    return Calibration(
        device=machine.name,
        threads=machine.threads,
        precision=machine.precision,
        date=datetime.date.today(),
        versions=packages(),
        others_load=load,
        rates=fit(points),
        after_idle=after_idle(machine.device, machine.precision),
        points=tuple(points),
    )


def calibration_file(store: Path, device: str, threads: int, precision: str) -> Path:
    """Where the calibration of a device lies, whether or not there is one."""
    told = re.sub(r"[^a-z0-9]+", "-", device.casefold()).strip("-")[:LONGEST_NAME]
    digits = hashlib.sha256(device.encode()).hexdigest()[:6]  # two devices may be called alike but for signs
    return store.parent / FOLDER / f"{told}-{digits}-{threads}-threads-{precision}.json"


def kept_calibration(store: Path, device: str, threads: int, precision: str) -> Calibration | None:
    """The calibration of a device, None if nobody took one. Raises CalibrationError for a file that is none."""
    file = calibration_file(store, device, threads, precision)
    return read_calibration(file) if file.is_file() else None


def kept_calibrations(store: Path) -> tuple[Calibration, ...]:
    """All that lie beside a store, by device, threads and precision. Raises CalibrationError."""
    return tuple(read_calibration(file) for file in sorted((store.parent / FOLDER).glob("*.json")))


def read_calibration(file: Path) -> Calibration:
    """The calibration in a file. Raises CalibrationError for one that cannot be read or is none."""
    try:
        return Calibration.model_validate_json(file.read_bytes())
    except OSError as error:
        raise CalibrationError(f"{file}: cannot be read ({error.strerror or error}); make it readable.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise CalibrationError(
            f"{file}: no calibration that this version can read ({place}: {first['msg'][:80]}); "
            "delete it, and take a new one with: adapeff-sim calibrate"
        ) from None


def keep_calibration(calibration: Calibration, store: Path) -> Path:
    """Write a calibration where it will be found; the one before goes. Raises CalibrationError."""
    file = calibration_file(store, calibration.device, calibration.threads, calibration.precision)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return write_whole(file, calibration.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise CalibrationError(
            f"{file}: cannot be written ({error.strerror or error}); make room, or give another --store."
        ) from None
