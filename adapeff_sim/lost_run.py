"""A run's folder that lacks a file, or holds a damaged one: what is missing there, and what would bring it back."""

import json
import shlex
from pathlib import Path
from typing import Any

from adapeff_sim.demos import PREFIX, demos
from adapeff_sim.near_names import nearest

FINISHED = ("results.json", "ledger.jsonl")
NEAR_RUNS = 200  # folders of runs that are looked at
GIVE = "give the folder of a finished run."


def lacks(folder: Path, name: str) -> str:
    """What is wrong where a file of a finished run is not there, and what would do."""
    if not folder.exists():
        near = near_run(folder)
        return f"{folder}: no {name}, as there is no such folder; {f'did you mean {near!r}?' if near else GIVE}"
    begun = _begun(folder)
    if begun and not begun.get("finished") and not (folder / "results.json").is_file():
        return f"{folder}: this run is not finished; give its command again, and it goes on{_command(folder, begun)}"
    if begun or any((folder / other).is_file() for other in FINISHED):
        return f"{folder}: no {name}, though other files of a run are there; {again(folder)}"
    inside = _runs_in(folder)
    if inside:
        more = f", or another of the {len(inside)} there" if len(inside) > 1 else ""
        return f"{folder}: no {name} here, but in folders in it; give {inside[0]}{more}."
    return f"{folder}: no {name}; {GIVE}"


def damaged(file: Path) -> str:
    """What is wrong with a file that cannot be understood, and what would do."""
    return f"{file}: damaged; {again(file.parent)}"


def again(folder: Path) -> str:
    """Which command makes the files of a run again, from what is stored where that can be."""
    scenario = folder / "scenario.yaml"
    if not scenario.is_file():
        return "run the scenario again, which reuses all that is stored."
    return f"run the scenario again, which reuses all that is stored{_command(folder, _begun(folder))}"


def _command(folder: Path, begun: dict[str, Any] | None) -> str:
    """``:``, and below it the command that makes the run of a folder, as far as the folder tells; else a full stop."""
    scenario, flags = folder / "scenario.yaml", (begun or {}).get("flags", {})
    if not scenario.is_file():
        return "."
    said = flags if isinstance(flags, dict) else {}
    estimates = ["--executor", "estimate"] if said.get("executor") == "estimate" else []
    return ":\n  " + shlex.join(["adapeff-sim", "run", str(scenario), *estimates, "--out", str(folder)])


def near_run(folder: Path) -> str:
    """A finished run with nearly the same name, where one was looked for, in ``runs`` or among those that come along.

    Empty for none.
    """
    beside = {str(run): run for place in (folder.parent, Path("runs")) for run in _runs_in(place)}
    names = {name: PREFIX + name for name in demos()} | {run.name: said for said, run in beside.items()}
    return names.get(nearest(folder.name, names), "")


def _runs_in(folder: Path) -> list[Path]:
    """The folders in a folder that hold results."""
    try:
        return sorted(file.parent for file in folder.glob("*/results.json"))[:NEAR_RUNS]
    except (OSError, ValueError):
        return []


def _begun(folder: Path) -> dict[str, Any] | None:
    """What run.json says, as far as it can be read; None where there is none."""
    file = folder / "run.json"
    try:
        if not file.is_file():
            return None
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {"finished": True}  # something was here
    return found if isinstance(found, dict) else {"finished": True}
