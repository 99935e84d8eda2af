"""A run's folder: what was asked, what happened, and what it cost, in files that can be derived again.

scenario.yaml      what was run, as it was read
run.json           the run's name, and whether it is finished
ledger.jsonl       what happened, one record a line
results.json, costs.csv, events.csv, quality.csv
environment.json   versions, device, threads, digests of models and data
"""

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from adapeff_sim.errors import ExecutionError
from adapeff_sim.ledger.ledger import Ledger


class Run(BaseModel):
    """Which run a folder holds; a run that was interrupted keeps its name until it is finished."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    flags: dict[str, str] = {}  # what the command line said beside the scenario
    finished: bool = False


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where one run writes; every file is replaced whole, so that none is ever half written."""

    path: Path

    def begin(self, scenario_text: str, flags: dict[str, str]) -> Run:
        """The run: the unfinished one of the same scenario and flags, else a new one.

        Raises ExecutionError when the folder cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            run = self._unfinished(scenario_text, flags) or Run(name=uuid.uuid4().hex[:12], flags=flags)
            self.write("scenario.yaml", scenario_text)
            self.write("run.json", run.model_dump_json() + "\n")
        except OSError as error:
            raise ExecutionError(f"{self.path}: cannot be written ({error.strerror}); choose another --out.") from error
        return run

    def end(self, run: Run) -> None:
        """Say that the run is finished: another command in this folder is another run."""
        self.write("run.json", run.model_copy(update={"finished": True}).model_dump_json() + "\n")

    def write_ledger(self, ledger: Ledger) -> None:
        """Write what happened."""
        self.write("ledger.jsonl", "".join(line + "\n" for line in ledger.dumps()))

    def read_ledger(self) -> Ledger:
        """Read what happened. Raises ExecutionError where there is no readable ledger."""
        file = self.path / "ledger.jsonl"
        if not file.is_file():
            raise ExecutionError(f"{self.path}: no ledger.jsonl; give the folder of a finished run.")
        try:
            return Ledger.loads(file.read_text(encoding="utf-8").splitlines())
        except (ValidationError, UnicodeDecodeError) as error:
            raise ExecutionError(
                f"{file}: damaged; run the scenario again, which reuses all that is stored."
            ) from error

    def write_environment(self, facts: dict[str, object]) -> None:
        """Write what the run was done with."""
        self.write("environment.json", json.dumps(facts, indent=2, sort_keys=True) + "\n")

    def write(self, name: str, text: str) -> None:
        """Replace one file as a whole."""
        fresh = self.path / f".{name}.{os.getpid()}"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.path / name)

    def _unfinished(self, scenario_text: str, flags: dict[str, str]) -> Run | None:
        """The run that was interrupted here, if it was asked for the same."""
        try:
            run = Run.model_validate_json((self.path / "run.json").read_text(encoding="utf-8"))
            same = (self.path / "scenario.yaml").read_text(encoding="utf-8") == scenario_text
        except (FileNotFoundError, ValidationError, UnicodeDecodeError):
            return None
        return run if same and run.flags == flags and not run.finished else None
