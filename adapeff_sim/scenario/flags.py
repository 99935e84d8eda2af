"""What the command line says instead of the file, held to the same rules."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.ready import ready_names
from adapeff_sim.scenario.entries import strategy_of
from adapeff_sim.scenario.problems import Problem, Problems
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.words import shown, suggestion
from adapeff_sim.strategies.base import STRATEGIES, Strategy

PARTED = re.compile(r"[,\s]+")


def with_flags(
    scenario: Scenario,
    strategies: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    data: str | None = None,
    prices: str | None = None,
) -> Scenario:
    """The scenario, but for what the flags say; each strategy is a label of it, or the name of any strategy.

    Raises Problems for what the file could not say either.
    """
    problems: list[Problem] = []
    if strategies is not None:
        scenario = _chosen(scenario, strategies, problems)
    said: dict[str, Any] = {}
    if seeds is not None:
        said["seeds"] = tuple(seeds)
    if data is not None:
        said["data"] = data_named(data)
    if prices is not None:
        said["prices"] = prices
    try:
        whole = {name: getattr(scenario, name) for name in scenario.model_fields_set}
        scenario = Scenario.model_validate(whole | said)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            problems.append(Problem((f"--{found['loc'][0]}",), str(found.get("ctx", {}).get("error", found["msg"]))))
    if problems:
        raise Problems("command line", problems)
    return scenario


def data_named(text: str) -> str:
    """The data source that a flag names: a source, ``files:FOLDER``, a folder, or a ready-made mapping."""
    if text.partition(":")[0] in SOURCES.names():
        return text
    if Path(text).expanduser().is_dir():
        return f"files:{text}"
    return f"hub:{text}" if text in ready_names() else text


def _chosen(scenario: Scenario, names: Sequence[str], problems: list[Problem]) -> Scenario:
    """The scenario with the named strategies, in the order named."""
    wanted = [name for text in names for name in PARTED.split(text) if name]
    others: dict[str, Strategy] = {}
    labels: list[str] = []
    for name in dict.fromkeys(wanted):
        if name in scenario.strategies:
            labels.append(name)
        elif name in STRATEGIES.names():
            others[name] = strategy_of(name)[1]
        else:
            known = {*scenario.labels, *STRATEGIES.names()}
            problems.append(Problem(("--strategies",), f"unknown strategy {shown(name)}; {suggestion(name, known)}"))
    if not wanted:
        problems.append(Problem(("--strategies",), f"names none; {suggestion('', scenario.labels)}"))
    return scenario.only(labels, others) if labels or others else scenario
