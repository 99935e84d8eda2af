"""What was done, kept by key so that it is not done again: an entry is there as a whole, or not at all.

    objects/<ab>/<key>/   outcome.json  artifact/...  manifest.json     finished; verified when it is first read
    work/<key>@<owner>/   artifact/...  checkpoint/...                  in progress; see work.py
    damaged/<key>.<n>/                                                  moved aside, to be looked at or deleted

Several runs, on several hosts, may share the folder. Everything that other files say can be derived from it again.
"""

import errno
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from pydantic import ValidationError

from adapeff_sim.errors import ExecutionError
from adapeff_sim.execution.disk import clear, flaw, in_words, remove, seal
from adapeff_sim.execution.work import Owner, Work, take
from adapeff_sim.ledger.outcome import Outcome, Row
from adapeff_sim.whole_files import NAME_SHOWN, cannot_hold, sync, write_whole

Tell = Callable[[str], None]
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{3,127}")
TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
OUTCOME, ARTIFACT, CHECKPOINT = "outcome.json", "artifact", "checkpoint"


class StoredOutcome(Row):
    """An outcome and the run that measured it."""

    outcome: Outcome
    run: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished job: its outcome, the run that measured it, and where its files lie."""

    key: str
    folder: Path
    stored: StoredOutcome

    @property
    def artifact(self) -> Path:
        """The folder of the files that the job made."""
        return self.folder / ARTIFACT

    def outcome_for(self, run: str) -> Outcome:
        """The outcome as ``run`` may report it: what another run measured is reused."""
        outcome = self.stored.outcome
        if self.stored.run == run or outcome.provenance != "measured":
            return outcome
        return outcome.model_copy(update={"provenance": "reused"})


def _silent(message: str) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class Store:
    """A folder of entries; every entry is verified once by each process that reads it."""

    folder: Path
    poll_seconds: float = 0.5
    _verified: dict[str, Entry] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make the folder, and see that it can be written. Raises ExecutionError before anything is done in vain."""
        if wrong := cannot_hold(self.folder):
            raise ExecutionError(f"--store {str(self.folder)[:NAME_SHOWN]}: {wrong}; give another folder.")

    def find(self, key: str, tell: Tell = _silent) -> Entry | None:
        """The entry of ``key``, or None; a damaged one is told of, moved aside, and as good as not there.

        Raises ExecutionError where the folder cannot be read or a damaged entry cannot be moved.
        """
        place = self._place(key)
        if key in self._verified and place.is_dir():
            return self._verified[key]
        self._verified.pop(key, None)
        with in_words(self.folder):
            if not place.exists():
                return None
            wrong = flaw(place)
            if wrong is None:
                try:
                    stored = StoredOutcome.model_validate_json((place / OUTCOME).read_bytes())
                except (ValidationError, FileNotFoundError):
                    wrong = f"{OUTCOME} is unreadable"
            if wrong is not None:
                self._move_aside(key, place, wrong, tell)
                return None
        return self._verified.setdefault(key, Entry(key, place, stored))

    def holds(self, key: str) -> bool:
        """Whether an entry of ``key`` lies here, unverified: what is damaged shows when it is read."""
        with in_words(self.folder):
            return self._place(key).is_dir()

    def claim(self, key: str, tell: Tell = _silent) -> Entry | Work:
        """The entry of ``key``, or a folder of our own to make it in; waits while a live process is making it.

        What an interrupted process had finished but not handed in is handed in now.
        """
        waits_for: Owner | None = None
        while True:
            if entry := self.find(key, tell):
                return entry
            with in_words(self.folder):
                taken = take(self.folder / "work", key, self._place(key))
                if isinstance(taken, Work):
                    whole = taken.adopted and flaw(taken.folder) is None
                    return self._hand_in(taken) if whole else taken
            if isinstance(taken, Owner):
                if taken != waits_for:
                    tell(f"process {taken.pid} on {taken.host} is at this already; waiting for its result")
                waits_for = taken
                time.sleep(self.poll_seconds)

    def finish(self, work: Work, outcome: Outcome, run: str) -> Entry:
        """Keep what lies in ``work``; if somebody was faster, theirs is kept and given back.

        Raises ExecutionError when the disk is full or refuses; the work then stays where it is, to go on from.
        """
        with in_words(self.folder):
            write_whole(work.folder / OUTCOME, StoredOutcome(outcome=outcome, run=run).model_dump_json())
            seal(work.folder, (OUTCOME, ARTIFACT))
            return self._hand_in(work)

    def _hand_in(self, work: Work) -> Entry:
        """Rename a sealed folder to where entries lie: from one moment to the next it is there as a whole."""
        place = self._place(work.key)
        clear(work.folder, keep=(OUTCOME, ARTIFACT))
        place.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                work.folder.rename(place)
                sync(place.parent)
                stored = StoredOutcome.model_validate_json((place / OUTCOME).read_bytes())
                return self._verified.setdefault(work.key, Entry(work.key, place, stored))
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
            if theirs := self.find(work.key):
                remove(work.folder)
                return theirs

    def _move_aside(self, key: str, place: Path, wrong: str, tell: Tell) -> None:
        (self.folder / "damaged").mkdir(exist_ok=True)
        for number in count(1):
            aside = self.folder / "damaged" / f"{key}.{number}"
            if aside.exists():
                continue
            try:
                place.rename(aside)
                tell(f"stored entry {key} is damaged ({wrong}); moved to {aside}, and made again")
            except FileNotFoundError:  # another process did it
                pass
            return

    def _place(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ExecutionError(f"{key!r} is no key of a store; it may hold letters, digits, '-' and '_' alone.")
        return self.folder / "objects" / key[:2] / key
