"""From a file, or the name of a shipped scenario, to a scenario that can happen."""

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapeff_sim.errors import DataError, ScenarioError
from adapeff_sim.execution.sources import argument_of, placed
from adapeff_sim.lifecycle.world import source_name
from adapeff_sim.near_names import nearest
from adapeff_sim.scenario.checks import check
from adapeff_sim.scenario.document import Document, parse, read
from adapeff_sim.scenario.flags import with_flags
from adapeff_sim.scenario.problems import Problem, Problems, line_of, printable
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.words import empties, shown, understood, without_empties

LOG = logging.getLogger(__name__)
SUFFIXES = (".yaml", ".yml")
RELEASE = "path:"  # what stands in front of a base model's folder
SOURCE_KEYS = ("data", "source")  # the keys whose values name a data source
STORY = {"name", "horizon_days", "seeds", "timeline", "arrivals"}  # the keys that a replay of the timeline needs
HARMLESS: dict[str, Any] = {"strategies": ["adapter_per_task"], "training": {}}


def shipped_folder() -> Path:
    """Where the scenarios of this package lie."""
    return Path(str(resources.files("adapeff_sim").joinpath("scenarios")))


def shipped_scenarios() -> tuple[str, ...]:
    """The names of the scenarios in this package, sorted."""
    return tuple(sorted(path.stem for path in shipped_folder().glob("*.yaml")))


def protocols() -> tuple[str, ...]:
    """The names of the scenarios that follow a publication; their rows are only stated, so that they can be priced."""
    return tuple(sorted(f"{path.parent.name}/{path.stem}" for path in shipped_folder().glob("paper/*.yaml")))


def teaching_scenario(name: str) -> Path:
    """The file of a lesson's scenario."""
    return shipped_folder() / "teaching" / f"{name}.yaml"


def teaching_scenarios() -> tuple[str, ...]:
    """The names by which the scenarios of lessons are found: ``teaching/`` and the lesson's name, sorted."""
    return tuple(sorted(f"teaching/{path.stem}" for path in (shipped_folder() / "teaching").glob("*.yaml")))


def find_scenario(name_or_path: str | Path) -> Path:
    """The file of a scenario: a path as it is, or a shipped scenario by its bare name.

    Raises ScenarioError when there is no such file and no such name.
    """
    if not str(name_or_path).strip():
        raise ScenarioError(f"No scenario has an empty name; give a file, or one of {', '.join(shipped_scenarios())}")
    try:
        path = Path(name_or_path).expanduser()
        is_there, is_folder = path.is_file(), path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # no name that a file can have
        raise ScenarioError(f"No scenario {shown(str(name_or_path))}: no file can have that name.") from error
    if is_there:
        return path
    shipped = (*shipped_scenarios(), *protocols(), *teaching_scenarios())
    if str(name_or_path) in shipped:
        return shipped_folder() / f"{name_or_path}.yaml"
    if is_folder:
        raise ScenarioError(f"{path}: a folder; give the scenario file in it.")
    bare, beside = str(path).removesuffix(path.suffix if path.suffix in SUFFIXES else ""), _beside(path)
    near = beside.get(nearest(path.stem, beside)) or nearest(bare, shipped)
    hint = f"did you mean {near!r}?" if near else f"shipped are: {', '.join(shipped_scenarios())}"
    raise ScenarioError(
        f"No scenario '{printable(str(name_or_path))}': no such file, and none shipped by that name; {printable(hint)}"
    )


def _beside(path: Path) -> dict[str, str]:
    """The scenario files in the folder in which one was looked for, by their names without the ending."""
    try:
        return {f.stem: str(path.with_name(f.name)) for f in path.parent.iterdir() if f.suffix in SUFFIXES}
    except (OSError, ValueError):
        return {}


def load(
    name_or_path: str | Path,
    *,
    strategies: Sequence[str] | None = None,
    seeds: Sequence[int] | int | None = None,
    data: str | None = None,
    prices: str | None = None,
    needs_data: bool = True,
) -> Scenario:
    """The scenario in a file, with what the flags say in place of what the file says, checked without training.

    Raises Problems with all that is wrong, and ScenarioError where there is nothing to read; what there is only to
    know is logged as a warning. Without ``needs_data`` a story may stand without a data source; its rows are not
    checked then.
    """
    path = find_scenario(name_or_path)
    document = read(path)
    scenario = _valid(document, path.parent)
    flagged = _rooted(with_flags(scenario, strategies, seeds, data, prices), data, prices)
    given = {"strategies": strategies, "seeds": seeds, "data": data, "prices": prices}
    flags = {name for name, flag in given.items() if flag is not None}
    found = [_from_flag(p, flags) for p in check(flagged, whole_file=strategies is None)]
    problems = [problem for problem in found if not problem.is_warning]
    if needs_data and not flagged.data:
        problems.append(Problem(("data",), "missing; say where the rows come from with --data FOLDER, or in the file"))
    if problems:
        raise Problems(document.file, [document.problem(p.place, p.text) for p in problems])
    for warning in dict.fromkeys(found):
        LOG.warning("%s", line_of(document.file, document.problem(warning.place, warning.text)))
    return flagged


def source_of(name_or_path: str | Path) -> str:
    """The data source that a scenario names, whatever else is wrong with its story.

    Raises Problems when the file is malformed, and ScenarioError when there is none or it names no source.
    """
    path = find_scenario(name_or_path)
    if source := _valid(read(path), path.parent).data:
        return source
    raise ScenarioError(f"{path}: names no data source; give the folder of its rows instead.")


def _rooted(scenario: Scenario, data: str | None, prices: str | None) -> Scenario:
    """The scenario with what the flags name, which counts from where the command is given, by its whole path."""
    said = {"data": scenario.data} if data is not None else {}
    said |= {"prices": scenario.prices} if prices is not None else {}
    return scenario.model_copy(update=_anchored(said, Path())) if said else scenario


def _from_flag(problem: Problem, flags: set[str]) -> Problem:
    """The problem, at the flag that brought it about where it was no line of the file."""
    key = str(problem.place[0]) if problem.place else ""
    inside = problem.place[1:] if key == "data" else ()  # a source's options
    return replace(problem, place=(f"--{key}", *inside)) if key in flags else problem


def loads(text: str, file: str = "scenario") -> Scenario:
    """The scenario in a text; only its form is checked, for what was loaded and checked before."""
    return _valid(parse(text.encode(), file), Path())


def _valid(document: Document, folder: Path) -> Scenario:
    """The scenario that the document makes. Raises Problems with all that can be found at once."""
    empty = dict(empties(document.value, ()))
    value = _anchored(without_empties(document.value), folder)
    found = [*document.problems, *(document.problem(place, text) for place, text in empty.items())]
    try:
        scenario = understood(Scenario, value)
    except ValidationError as error:
        wrong = [(details["loc"], details["msg"]) for details in error.errors(include_url=False)]
        found += [document.problem(place, text) for place, text in wrong if place not in empty]
        found += _told_by_the_rest(document, value, {str(place[0]) if place else "" for place, _ in wrong})
    if found:
        raise Problems(document.file, found)
    return scenario


def _told_by_the_rest(document: Document, value: dict[str, Any], wrong: set[str]) -> list[Problem]:
    """What a replay says of a timeline that is well-formed, while other keys of the file are not."""
    if wrong & STORY or "" in wrong:
        return []
    rest = {key: part for key, part in value.items() if key not in wrong and key in Scenario.model_fields}
    try:
        scenario = understood(Scenario, HARMLESS | rest if "strategies" in wrong else {**rest, "training": {}})
    except ValidationError:
        return []
    return [document.problem(p.place, p.text) for p in check(scenario, whole_file=False) if not p.is_warning]


def _anchored(value: Any, folder: Path, key: str = "") -> Any:
    """The value with every folder and file that it names by its whole path; others count from ``folder``."""
    if isinstance(value, list):
        return [_anchored(part, folder) for part in value]
    if key in SOURCE_KEYS and isinstance(value := source_name(value), str):
        return _anchored_source(value, folder)
    if isinstance(value, dict):
        return {name: _anchored(part, folder, str(name)) for name, part in value.items()}
    if not isinstance(value, str) or key not in ("base_model", "prices"):
        return value
    if key == "prices":
        return _from(folder, value) if value.endswith(SUFFIXES) else value
    return RELEASE + _from(folder, value.removeprefix(RELEASE)) if value.startswith(RELEASE) else value


def _anchored_source(name: str, folder: Path) -> str:
    """A data source's name with every folder in it by its whole path."""
    plugin, colon, _ = name.partition(":")
    try:
        argument = argument_of(name)
    except DataError:
        return name  # told when it is opened
    return str(source_name({plugin: placed(plugin, argument, lambda at: _from(folder, at))})) if colon else name


def _from(folder: Path, name: str) -> str:
    """The whole path: the same wherever a command is given, and whatever folder a copy of the scenario lies in."""
    if not name.strip() or name.startswith("~") or Path(name).is_absolute():
        return name
    return os.path.abspath(folder / name)  # noqa: PTH100  # links stay as they are written
