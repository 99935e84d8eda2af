"""The command line for programs: load a scenario, run it, compare what came out.

from adapeff_sim import Scenario, run, compare

found = run(Scenario.load("smoke", seeds=3))
print(found.results.verdict.sentences)
print(compare([found]).runs[0].differences)
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from adapeff_sim.demos import is_demo
from adapeff_sim.results import Results, ResultsError, read
from adapeff_sim.run_folder import RunFolder, folder_of
from adapeff_sim.scenario.schema import Scenario

if TYPE_CHECKING:
    from adapeff_sim.comparison.compared import Compared
    from adapeff_sim.comparison.side import Side
    from adapeff_sim.ledger.ledger import Ledger

__all__ = ["Run", "Scenario", "compare", "run"]
STORE = ".adapeff/store"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: what it came to, its folder, and what it was called where that is not its folder's name."""

    results: Results
    path: Path
    name: str = ""

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The finished run in a folder. Raises ResultsError where none lies."""
        folder = folder_of(Path(path))
        return cls(read(folder), folder, str(path) if is_demo(Path(path)) else "")

    @property
    def ledger(self) -> "Ledger":
        """All that happened. Raises ExecutionError where it is damaged."""
        return RunFolder(self.path).read_ledger()


def run(
    scenario: Scenario | str | Path,
    *,
    out: str | Path | None = None,
    store: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Run:
    """Train, measure and price every strategy of a scenario, as ``adapeff-sim run`` does, and tell nobody meanwhile.

    A name or a path is loaded as by ``Scenario.load``, as it stands, and trained at once.
    ``out`` is runs/NAME if not said. What was trained is kept in ``store``, if not said in what the environment
    variable ADAPEFF_STORE names, else in .adapeff/store; an interrupted call goes on where it was.
    Raises AdapeffError, whose message says what is wrong and what would do.
    """
    from adapeff_sim.conduct import conduct
    from adapeff_sim.execution.machine import this_machine

    chosen = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    path = Path("runs") / chosen.name if out is None else Path(out)
    kept = Path(store or os.environ.get("ADAPEFF_STORE") or STORE)
    return Run(conduct(chosen, this_machine(device, precision, threads), kept, path), path)


def compare(runs: Run | str | Path | Sequence[Run | str | Path]) -> "Compared":
    """Finished runs side by side, given as they are or by their folders: as ``adapeff-sim compare --json`` tells it.

    A single one is looked at by itself.

    Raises AdapeffError for a folder without a finished run, and for no run at all.
    """
    from adapeff_sim.comparison.compared import compare_sides

    several = [runs] if isinstance(runs, (Run, str, Path)) else runs
    if not several:
        raise ResultsError("compare: no run is given; give one or several, such as compare(['runs/smoke']).")
    return compare_sides(sides_of([each if isinstance(each, Run) else Run.read(each) for each in several]))


def sides_of(runs: Sequence[Run]) -> "list[Side]":
    """The runs with names that tell them apart: their folders' own, or paths as given where two are the same.

    A run that is given twice is told twice, the second time as ``NAME (2)``.
    """
    from adapeff_sim.comparison.side import Side
    from adapeff_sim.reports.told import tame_text

    short = [each.name or each.path.resolve().name for each in runs]
    names: list[str] = []
    for name, run in zip(short, runs, strict=True):
        known = tame_text(name if run.name or short.count(name) == 1 else str(run.path))
        others = sum(each == known or each.startswith(f"{known} (") for each in names)
        names.append(f"{known} ({others + 1})" if known in names else known)
    return [Side(name, each.results, each.ledger) for name, each in zip(names, runs, strict=True)]
