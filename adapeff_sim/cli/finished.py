"""A finished run read from its folder for the reports that files hold; nothing of it is trained or changed."""

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from adapeff_sim.errors import AdapeffError
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.lost_run import again
from adapeff_sim.planning.unfold import Step
from adapeff_sim.reports.told import Told, tamed
from adapeff_sim.results import read
from adapeff_sim.run_folder import Run, RunFolder, called, folder_of
from adapeff_sim.scenario.load import loads
from adapeff_sim.scenario.relived import are_told, relived


def finished(run: Path) -> Told:
    """One run, with names that can be shown anywhere. Raises AdapeffError where no finished run lies."""
    folder = folder_of(run)
    results, ledger = read(folder), RunFolder(folder).read_ledger()
    text = _text(folder / "scenario.yaml")
    steps, why = _steps(text, ledger, folder)
    return tamed(Told(results, ledger, str(called(run)), _digests(folder), steps, why, text))


def _steps(text: str, ledger: Ledger, folder: Path) -> tuple[tuple[Step, ...], str]:
    """The lives, or why they cannot be told again."""
    if not text:
        return (), "the run's folder holds no scenario.yaml"
    try:
        steps = tuple(relived(loads(text), ledger))
    except AdapeffError as error:
        return (), f"scenario.yaml cannot be lived again by this version: {error}"
    return (steps, "") if are_told(steps, ledger) else ((), f"its ledger is not of this scenario.yaml; {again(folder)}")


def _digests(folder: Path) -> dict[str, str]:
    """What the run's own files say it was made of."""
    with suppress(OSError, ValidationError, UnicodeDecodeError):
        run = Run.model_validate_json((folder / "run.json").read_text(encoding="utf-8"))
        found = {"run": run.name, "scenario, SHA-256": run.scenario, "ledger, SHA-256": run.ledger}
        return {name: said for name, said in found.items() if said}
    return {}


def _text(file: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="utf-8")
    return ""
