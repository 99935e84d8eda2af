"""What a shell may complete: names that lie about here, found without loading more than their names.

A parameter is completed by its name, so that verbs say nothing about it.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from typer.models import ParameterInfo

from adapeff_sim.registry import Registry

SUFFIXES = (".yaml", ".yml")
SHIPPED_FOLDERS = ("paper", "teaching")  # of shipped scenarios, whose names have the folder in front
MOST_FOLDERS = 200  # of runs, looked at


def scenarios(incomplete: str) -> list[str]:
    """Shipped scenarios, and files of scenarios that begin so."""
    inside = [f"{folder}/{name}" for folder in SHIPPED_FOLDERS for name in _shipped("scenarios", folder)]
    return [*_beginning([*_shipped("scenarios"), *inside], incomplete), *_files(incomplete, SUFFIXES)]


def prices(incomplete: str) -> list[str]:
    """Shipped price books, and files."""
    return [*_beginning(_shipped("scenarios", "prices"), incomplete), *_files(incomplete, SUFFIXES)]


def sources(incomplete: str) -> list[str]:
    """The embedded corpus, ready-made mappings, and folders."""
    return [*_beginning(["helpdesk", *_shipped("scenarios", "data")], incomplete), *_files(incomplete, ())]


def runs(incomplete: str) -> list[str]:
    """Folders of finished runs: those in ``runs``, and those that begin so."""
    near = sorted(Path("runs").glob("*/results.json"))[:MOST_FOLDERS]
    return list(dict.fromkeys([*_beginning((str(f.parent) for f in near), incomplete), *_files(incomplete, ())]))


def sections(incomplete: str) -> list[str]:
    """What `list` can show."""
    return _beginning(("scenarios", "strategies", "events", "methods", "data", "prices", "executors"), incomplete)


def labels(ctx: Any, incomplete: str) -> list[str]:
    """Labels of the strategies of the scenario that was typed, else every strategy; the last of ``a,b``."""
    before, comma, last = incomplete.rpartition(",")
    known = _labels_of(ctx.params.get("scenario")) or Registry[Any]("strategy", "adapeff_sim.strategies").names()
    return [f"{before}{comma}{name}" for name in known if name.startswith(last) and name not in before.split(",")]


BY_NAME: dict[str, Callable[..., list[str]]] = {
    "scenario": scenarios,
    "files": scenarios,
    "strategies": labels,
    "prices": prices,
    "data": sources,
    "source": sources,
    "run": runs,
    "runs": runs,
    "folder": runs,
    "folders": runs,
    "section": sections,
}


def complete(function: Callable[..., None]) -> None:
    """Give every parameter of a verb that has no completion of its own that of its name."""
    for name, parameter in inspect.signature(function).parameters.items():
        for info in getattr(parameter.annotation, "__metadata__", ()):
            if name in BY_NAME and isinstance(info, ParameterInfo) and info.autocompletion is None:
                info.autocompletion = BY_NAME[name]


def _labels_of(scenario: object) -> list[str]:
    """The labels in a scenario's file, as far as they can be read without checking it."""
    import yaml

    name = str(scenario or "")
    file = Path(name) if name.endswith(SUFFIXES) else Path(str(_folder("scenarios"))) / f"{name}.yaml"
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))["strategies"]
        return [str(e.get("as", next(iter(e)))) if isinstance(e, dict) else str(e) for e in entries]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, StopIteration):
        return []


def _folder(*parts: str) -> Any:
    return resources.files("adapeff_sim").joinpath(*parts)


def _shipped(*parts: str) -> list[str]:
    files = (f.name for f in _folder(*parts).iterdir())
    return sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml"))


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _files(incomplete: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Folders that begin so, with a slash to go on from, and files of one of the endings."""
    folder = Path(incomplete if incomplete.endswith("/") else Path(incomplete).parent)
    try:
        found = sorted(folder.iterdir())
    except (OSError, ValueError):
        return
    for path in found:
        name = str(path)
        if name.startswith(incomplete) and not path.name.startswith("."):
            if path.is_dir():
                yield f"{name}/"
            elif path.suffix in suffixes:
                yield name
