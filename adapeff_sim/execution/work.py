"""Work in progress: a folder that one live process owns, and that another goes on with when its owner is gone.

work/<key>@<host>-<pid>-<started>/     ``started`` in milliseconds since the epoch: a pid alone may be used again
"""

import os
import platform
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from adapeff_sim.execution.disk import remove

BEAT_SECONDS = 20.0
SILENT_SECONDS = 600.0  # an owner on another host that has not been heard of for so long is taken for dead
SAME_START_MS = 1500  # a process's start is read to about a hundredth of a second
NAME = re.compile(r"(?P<key>[^@]+)@(?P<host>.+)-(?P<pid>\d+)-(?P<started>\d+)")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process; pid 0 stands for nobody."""

    host: str
    pid: int
    started: int  # milliseconds since the epoch

    @classmethod
    def me(cls) -> Self:
        """This process."""
        host = re.sub(r"[^A-Za-z0-9.]+", "_", platform.node()) or "localhost"
        return cls(host, os.getpid(), round(psutil.Process().create_time() * 1000))

    @classmethod
    def named_by(cls, folder: Path) -> Self | None:
        """Who owns a folder, as its name says; None for a folder that no process of ours has named."""
        match = NAME.fullmatch(folder.name)
        return cls(match["host"], int(match["pid"]), int(match["started"])) if match else None

    def folder(self, work: Path, key: str) -> Path:
        """Where this process works on ``key``."""
        return work / f"{key}@{self.host}-{self.pid}-{self.started}"

    def is_alive(self, folder: Path) -> bool:
        """Whether this process still runs; of another host's process only its last sign of life is known."""
        if self.pid == 0:
            return False
        if self.host != Owner.me().host:
            with suppress(FileNotFoundError):
                return time.time() - folder.stat().st_mtime < SILENT_SECONDS
            return False
        try:
            process = psutil.Process(self.pid)
            same: bool = abs(process.create_time() * 1000 - self.started) < SAME_START_MS
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


@dataclass(slots=True)
class Work:
    """A folder to work in, ours until it is finished or left; other hosts see that we live by its time of change."""

    key: str
    folder: Path
    adopted: bool
    _left: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what is not finished to whoever comes next, this process included."""
        self._left.set()
        owner = Owner.named_by(self.folder)
        if owner and self.folder.is_dir():
            with suppress(OSError):
                self.folder.rename(Owner(owner.host, 0, owner.started).folder(self.folder.parent, self.key))

    def _beat(self) -> None:
        while not self._left.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(self.folder)


def take(work: Path, key: str, finished: Path) -> Work | Owner | None:
    """A folder for ``key`` of our own, an abandoned one if there is one; else the live process that works on it.

    None if ``finished`` is there: somebody has just been faster.
    """
    work.mkdir(parents=True, exist_ok=True)
    with _alone(work):
        abandoned: list[Path] = []
        for folder in work.glob(f"{key}@*"):
            owner = Owner.named_by(folder)
            if owner and owner.is_alive(folder):
                return owner
            abandoned += [folder] if owner else []
        if finished.exists():
            for folder in abandoned:
                remove(folder)
            return None
        mine = Owner.me().folder(work, key)
        adopted = _adopt(abandoned, mine)
        if not adopted:
            mine.mkdir()
        return Work(key, mine, adopted)


def _adopt(abandoned: list[Path], mine: Path) -> bool:
    """Make the abandoned folder that was worked in last our own; the others are of no use any more."""
    adopted = False
    for folder in sorted(abandoned, key=_changed, reverse=True):
        if adopted:
            remove(folder)
            continue
        with suppress(FileNotFoundError):  # whose renaming succeeds goes on with it
            folder.rename(mine)
            os.utime(mine)
            adopted = True
    return adopted


def _changed(folder: Path) -> float:
    with suppress(FileNotFoundError):
        return folder.stat().st_mtime
    return 0.0


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Nobody else takes a folder meanwhile; where the system has no such lock, work is at worst done twice."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # not on every system

    with (work / "lock").open("a") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
