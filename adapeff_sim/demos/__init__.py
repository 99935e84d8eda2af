"""Finished runs that travel with the package, on the embedded base model and rows: ``demo:NAME`` wherever a RUN is."""

from pathlib import Path

from adapeff_sim.errors import AdapeffError
from adapeff_sim.near_names import choices

PREFIX = "demo:"
HERE = Path(__file__).parent


class UnknownDemo(AdapeffError):
    """No run of that name travels with the package."""


def demos() -> tuple[str, ...]:
    """The names of the runs that are there."""
    return tuple(sorted(file.parent.name for file in HERE.glob("*/run.json")))


def is_demo(run: Path) -> bool:
    """Whether what names a run names one of these; a folder that is really called so is a folder."""
    return str(run).startswith(PREFIX) and not run.exists()


def demo_folder(run: Path) -> Path:
    """The folder of ``demo:NAME``. Raises UnknownDemo."""
    name = str(run).removeprefix(PREFIX)
    if name not in demos():
        raise UnknownDemo(f"{PREFIX}{name[:80]} is no run that comes along; {choices(name, demos(), before=PREFIX)}")
    return HERE / name
