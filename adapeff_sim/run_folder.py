"""A run's folder: what was asked, what happened, and what it cost, in files that can be derived again.

scenario.yaml      what was run, flags and all, with every folder by its whole path: it runs again from anywhere
run.json           the run's name, which scenario it is of, and whether it is finished
ledger.jsonl       what happened, one record a line
results.json, costs.csv, events.csv, upkeep.csv, quality.csv, stored.csv, pools.csv
environment.json   versions, device, threads, digests of models and data
earlier/<name>/    a finished run that another scenario or other flags took the place of, with all its files
.lock              held by the process that runs here; it says which, and what it says counts only while it is held
"""

import hashlib
import json
import logging
import os
import re
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from adapeff_sim.demos import demo_folder, is_demo
from adapeff_sim.errors import ExecutionError
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.lost_run import damaged, lacks
from adapeff_sim.whole_files import not_read, not_written, write_whole

LEDGER, RESULTS = "ledger.jsonl", "results.json"
DERIVED = (
    LEDGER,
    RESULTS,
    "costs.csv",
    "events.csv",
    "upkeep.csv",
    "quality.csv",
    "stored.csv",
    "pools.csv",
    "environment.json",
)
ASKED = ("run.json", "scenario.yaml")
EARLIER = "earlier"
LOG = logging.getLogger(__name__)


class Run(BaseModel):
    """Which run a folder holds; a run that was interrupted keeps its name until it is finished."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    flags: dict[str, str] = {}  # what the command line said beside the scenario
    scenario: str = ""  # the digest of its text: the file beside this one may be newer
    finished: bool = False
    ledger: str = ""  # the digest of its ledger, once it is finished


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where one run writes; every file is replaced whole, so that none is ever half written."""

    path: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder, and keep other processes out of it meanwhile; a process that dies lets go of it.

        Raises ExecutionError while another process runs here, and when the folder cannot be written. Where the system
        or the disk has no such lock, nobody is kept out.
        """
        with self._in_words():
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / ".lock").open("a+", encoding="utf-8")
        with file:
            self._lock(file)
            with self._in_words():
                file.truncate(0)
                file.write(f"{os.getpid()}\n")
                file.flush()
            yield

    def _lock(self, file: IO[str]) -> None:
        if sys.platform == "win32":
            return
        import fcntl  # not on every system

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read(20).strip() or "unknown"
            raise ExecutionError(
                f"{self.path}: another process runs here (pid {who}); wait for it, or choose another --out."
            ) from None
        except OSError:  # this disk has no locks
            pass

    def begin(self, scenario_text: str, flags: dict[str, str]) -> Run:
        """The run: the unfinished one of the same scenario and flags, else a new one.

        Raises ExecutionError when the folder cannot be written.
        """
        scenario = _digest(scenario_text.encode())
        with self._in_words():
            self.path.mkdir(parents=True, exist_ok=True)
            run = self._unfinished(scenario, flags)
            if run is None:
                run = Run(name=uuid.uuid4().hex[:12], flags=flags, scenario=scenario)
                self._put_aside(run)
            write_whole(self.path / "run.json", run.model_dump_json() + "\n")
            write_whole(self.path / "scenario.yaml", scenario_text)
        return run

    def _put_aside(self, coming: Run) -> None:
        """Move the files of a run that was asked for something else: beside this one's scenario they would tell lies.

        Results of the same scenario and flags stay until they are replaced; what an unfinished run left is removed.
        """
        old = self._present()
        if old is not None and (old.scenario, old.flags) == (coming.scenario, coming.flags):
            return
        if not (self.path / RESULTS).is_file():
            if old is not None:
                told = "held an unfinished run of another scenario or other flags, which makes way"
                LOG.info("%s %s; what it trained is in the store", self.path, told)
            for name in DERIVED:
                (self.path / name).unlink(missing_ok=True)
            return
        aside = self.path / EARLIER / (re.sub(r"[^0-9A-Za-z_-]", "_", old.name)[:40] if old else "unknown")
        aside.mkdir(parents=True, exist_ok=True)
        others = (name for name in (*DERIVED, *ASKED) if name not in (RESULTS, "run.json"))
        for name in (*others, RESULTS, "run.json"):  # so that a move which is interrupted is taken up again
            if (self.path / name).is_file():
                (self.path / name).replace(aside / name)
        told = "held results of another scenario or other flags; they are kept: adapeff-sim report"
        LOG.info("%s %s %s", self.path, told, aside)

    def end(self, run: Run) -> None:
        """Say that the run is finished: another command in this folder is another run. Raises ExecutionError."""
        with self._in_words():
            file = self.path / LEDGER
            found = {"finished": True, "ledger": _digest(file.read_bytes()) if file.is_file() else ""}
            write_whole(self.path / "run.json", run.model_copy(update=found).model_dump_json() + "\n")

    @property
    def is_estimated(self) -> bool:
        """Whether the run that lies here was estimated, and not trained."""
        run = self._present()
        return run is not None and run.flags.get("executor") == "estimate"

    def holds_finished(self, scenario_text: str) -> bool:
        """Whether a finished run of exactly this scenario lies here with all that it is read from."""
        run = self._present()
        is_it = run is not None and run.finished and run.scenario == _digest(scenario_text.encode())
        return is_it and all((self.path / name).is_file() for name in (RESULTS, LEDGER))

    def write_ledger(self, ledger: Ledger) -> None:
        """Write what happened. Raises ExecutionError."""
        self._write(LEDGER, "".join(line + "\n" for line in ledger.dumps()))

    def read_ledger(self) -> Ledger:
        """Read what happened. Raises ExecutionError where there is no readable ledger."""
        file = self.path / LEDGER
        try:
            content = file.read_bytes()
            if self._told_digest() not in ("", _digest(content)):
                raise ExecutionError(damaged(file))
            lines = content.split(b"\n")  # texts may hold other signs that end a line
            return Ledger.loads(line.decode() for line in lines if line.strip())
        except (FileNotFoundError, NotADirectoryError):
            raise ExecutionError(lacks(self.path, LEDGER)) from None
        except OSError as error:
            raise ExecutionError(not_read(file, error)) from error
        except (ValidationError, UnicodeDecodeError) as error:
            raise ExecutionError(damaged(file)) from error

    def read_scenario(self) -> str:
        """The text of what was run. Raises ExecutionError where there is none."""
        file = self.path / "scenario.yaml"
        try:
            return file.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            raise ExecutionError(lacks(self.path, "scenario.yaml")) from None
        except OSError as error:
            raise ExecutionError(not_read(file, error)) from error
        except UnicodeDecodeError as error:
            raise ExecutionError(damaged(file)) from error

    def _told_digest(self) -> str:
        """The digest that the finished run's ledger had; empty where none is told."""
        with suppress(OSError, ValidationError, UnicodeDecodeError):
            return Run.model_validate_json((self.path / "run.json").read_text(encoding="utf-8")).ledger
        return ""

    def write_environment(self, facts: Mapping[str, JsonValue]) -> None:
        """Write what the run was done with. Raises ExecutionError."""
        self._write("environment.json", json.dumps(facts, indent=2, sort_keys=True) + "\n")

    def _write(self, name: str, text: str) -> None:
        with self._in_words():
            write_whole(self.path / name, text)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Turn a disk that refuses into an ExecutionError."""
        try:
            yield
        except OSError as error:
            raise ExecutionError(not_written(self.path, error)) from error

    def _unfinished(self, scenario: str, flags: dict[str, str]) -> Run | None:
        """The run that was interrupted here, if it was asked for the same."""
        run = self._present()
        return run if run and (run.scenario, run.flags, run.finished) == (scenario, flags, False) else None

    def _present(self) -> Run | None:
        """The run that the folder holds, finished or not."""
        with suppress(FileNotFoundError, NotADirectoryError, ValidationError, UnicodeDecodeError):
            return Run.model_validate_json((self.path / "run.json").read_text(encoding="utf-8"))
        return None


def folder_of(run: Path) -> Path:
    """The folder of a run that is named by itself, by one of its files, or as one that comes along (``demo:NAME``).

    Raises UnknownDemo where none is called so.
    """
    if is_demo(run):
        return demo_folder(run)
    return run.parent if run.name in (*DERIVED, *ASKED) and run.is_file() else run


def called(run: Path) -> Path:
    """How a run is told of: one that comes along as it was named, any other by its folder."""
    return run if is_demo(run) else folder_of(run)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
