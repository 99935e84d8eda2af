"""Ready-made mappings of public data sets, found by bare name: the files of ``scenarios/data``."""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from adapeff_sim.data.rows import unknown


def ready_names() -> tuple[str, ...]:
    """The names of the mappings in this package, sorted."""
    return tuple(sorted(f.name.removesuffix(".yaml") for f in _folder().iterdir() if f.name.endswith(".yaml")))


def ready(name: str) -> dict[str, Any]:
    """The options of ``hub`` that a mapping stands for. Raises DataError for a name that none has."""
    if name not in ready_names():
        raise unknown("ready-made mapping", name, ready_names())
    options: dict[str, Any] = yaml.safe_load(_folder().joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    return options


def _folder() -> Traversable:
    return resources.files("adapeff_sim").joinpath("scenarios", "data")
