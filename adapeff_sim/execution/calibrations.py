"""Calibrations: taken here, and kept beside the store, a file for each device, number of threads and precision."""

import datetime
import hashlib
import logging
import re
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from adapeff_sim.errors import AdapeffError
from adapeff_sim.estimation.calibration import Calibration
from adapeff_sim.execution.machine import Machine, packages
from adapeff_sim.whole_files import write_whole

LOG = logging.getLogger(__name__)
_TOLD: set[str] = set()  # warnings of this process: an estimate looks more than once
FOLDER = "calibrations"
LOOK_SECONDS = 1.0  # at what else runs; an average over minutes would tell of what has ended
LONGEST_NAME = 48  # characters of the device's name that its file's name tells


class CalibrationError(AdapeffError):
    """A calibration that cannot be taken, read or kept."""


def take_calibration(machine: Machine, seconds: float, tell: Callable[[float, str], None]) -> Calibration:
    """Time real steps here for about so many seconds and fit rates to them; ``tell`` gets the share that is done."""
    others = others_load()
    from adapeff_sim.estimation.fitting import fit
    from adapeff_sim.training.trials import after_idle, measure  # torch, which takes seconds, only now

    points = measure(machine.device, machine.precision, machine.threads, seconds, tell)
    return Calibration(
        device=machine.name,
        threads=machine.threads,
        precision=machine.precision,
        date=datetime.date.today(),
        versions=packages(),
        others_load=others,
        rates=fit(points),
        after_idle=after_idle(machine.device, machine.precision),
        points=tuple(points),
    )


def others_load() -> float:
    """The share of all cores that is at work while this process waits for a second."""
    import psutil  # comes with what trains; a kept calibration is read without it

    return float(psutil.cpu_percent(LOOK_SECONDS)) / 100


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
    """All that lie beside a store and can be read, by device, threads and precision; of others there is a warning.

    One damaged file must not keep anybody from an estimate: the next best calibration or an assumed rate will do.
    """
    found, damaged = sorted_calibrations(store)
    for error in damaged:
        if str(error) not in _TOLD:
            _TOLD.add(str(error))
            LOG.warning("%s Until then it is left out.", error)
    return found


def sorted_calibrations(store: Path) -> tuple[tuple[Calibration, ...], tuple[CalibrationError, ...]]:
    """The calibrations beside a store that can be read, and what is wrong with each of the others."""
    found: list[Calibration] = []
    damaged: list[CalibrationError] = []
    for file in sorted((store.parent / FOLDER).glob("*.json")):
        try:
            found.append(read_calibration(file))
        except CalibrationError as error:
            damaged.append(error)
    return tuple(found), tuple(damaged)


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
            "delete it, and take a new one with: adapeff-sim calibrate."
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
