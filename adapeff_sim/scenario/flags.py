"""What the command line says instead of the file, held to the same rules."""

import itertools
import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.ready import ready_names
from adapeff_sim.near_names import nearest, suggestion
from adapeff_sim.scenario.entries import strategy_of
from adapeff_sim.scenario.problems import COMMAND_LINE, Problem, Problems
from adapeff_sim.scenario.schema import LARGEST_SEED, MOST_SEEDS, Scenario
from adapeff_sim.scenario.words import in_words, shown
from adapeff_sim.strategies.base import STRATEGIES, Strategy

LOG = logging.getLogger(__name__)
PARTED = re.compile(r"[,\s]+")
ROWS = "<task>/<language>/train.jsonl"


def with_flags(
    scenario: Scenario,
    strategies: Sequence[str] | None = None,
    seeds: Sequence[int] | int | None = None,
    data: str | None = None,
    prices: str | None = None,
) -> Scenario:
    """The scenario, but for what the flags say; each strategy is a label of it, or the name of any strategy.

    A single number of ``seeds`` says how many replications there are: the scenario's own seeds first.

    Raises Problems for what the file could not say either.
    """
    problems: list[Problem] = []
    if strategies is not None:
        scenario = _chosen(scenario, strategies, problems)
    said: dict[str, Any] = {}
    if isinstance(seeds, int) and seeds < 1:
        problems.append(Problem(("--seeds",), f"is {seeds}; say how many, at least 1"))
    elif seeds is not None:
        said["seeds"] = replications(scenario.seeds, seeds) if isinstance(seeds, int) else tuple(seeds)
    if data is not None:
        try:
            said["data"] = data_there(data)
        except ValueError as error:
            problems.append(Problem(("--data",), str(error)))
    if prices is not None:
        said["prices"] = prices
    whole = {name: getattr(scenario, name) for name in scenario.model_fields_set} | said
    try:
        scenario = Scenario.model_validate(whole)
    except ValidationError as error:
        problems += [Problem((f"--{place[0]}",), text) for place, text in in_words(error, Scenario, whole)]
    if problems:
        raise Problems(COMMAND_LINE, problems)
    return scenario


def replications(seeds: tuple[int, ...], count: int) -> tuple[int, ...]:
    """So many seeds: those there are, then the numbers after the last of them.

    A count that is one of the seeds may be meant as that seed, and is warned of.
    """
    if count in seeds:
        LOG.warning("--seeds %d: %d replications, not the seed %d; for that one write --seeds %d,", *[count] * 4)
    after = (seed % (LARGEST_SEED + 1) for seed in itertools.count(seeds[-1] + 1))
    more = (seed for seed in after if seed not in seeds)
    return tuple(itertools.islice(itertools.chain(seeds, more), min(count, MOST_SEEDS + 1)))


def data_named(text: str) -> str:
    """The data source that a flag names: a source, ``files:FOLDER``, a folder, or a ready-made mapping."""
    if text.partition(":")[0] in SOURCES.names():
        return text
    if _is(text, "folder"):
        return f"files:{text}"
    return f"hub:{text}" if text in ready_names() else text


def data_there(text: str) -> str:
    """The data source that a flag names, if it can be one. Raises ValueError that says what is there instead."""
    named = data_named(text)
    kind, colon, argument = named.partition(":")
    if kind in SOURCES.names() and kind != "files":
        return named
    folder = argument if kind == "files" and colon else text
    if not folder.strip():
        raise ValueError(f"is {shown(text)}; name a folder of rows, or a data source such as helpdesk")
    if _is(folder, "folder"):
        return f"files:{folder}"
    if _is(folder, "file"):
        raise ValueError(f"{shown(folder)} is a file; give the folder with {ROWS} in it")
    raise ValueError(f"no such folder {shown(folder)}, and no data source of that name; {_nearest(folder)}")


def _is(name: str, what: Literal["file", "folder"]) -> bool:
    """Whether a file or a folder of that name is there; none is under a name that it cannot have."""
    try:
        path = Path(name).expanduser()
        return path.is_file() if what == "file" else path.is_dir()
    except (OSError, ValueError, RuntimeError):
        return False


def _nearest(folder: str) -> str:
    """A folder beside the one that is not there, or a data source, with a name nearly the same."""
    parent = Path(folder).parent
    try:
        beside = [str(parent / found.name) for found in parent.iterdir() if found.is_dir()]
    except (OSError, ValueError):
        beside = []
    near = nearest(folder, [*beside, *SOURCES.names(), *ready_names()])
    return f"did you mean {near!r}?" if near else f"give helpdesk, or a folder with {ROWS} in it"


def _chosen(scenario: Scenario, names: Sequence[str], problems: list[Problem]) -> Scenario:
    """The scenario with the named strategies, in the order named."""
    wanted = [name for text in names for name in PARTED.split(text) if name]
    others: dict[str, Strategy] = {}
    labels: list[str] = []
    for name, times in Counter(wanted).items():
        if times > 1:
            problems.append(Problem(("--strategies",), f"{shown(name)} stands there {times} times; name it once"))
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
