"""A scenario with some of its values varied: which values may be, and what each makes of the story.

Prices and the terms of serving change no training: what varies in them alone is priced again, from one run.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import yaml
from pydantic import JsonValue

from adapeff_sim.costs.base import Terms
from adapeff_sim.costs.prices import Prices
from adapeff_sim.errors import ScenarioError
from adapeff_sim.near_names import nearest
from adapeff_sim.scenario.checks import check
from adapeff_sim.scenario.flags import replications
from adapeff_sim.scenario.load import loads
from adapeff_sim.scenario.price_changes import OF_ALL, scalar_of
from adapeff_sim.scenario.problems import Problem, Problems
from adapeff_sim.scenario.schema import Scenario, ServingTarget
from adapeff_sim.scenario.words import shown, understood

YEAR_DAYS = 365.25
MOST_CELLS = 1000
TERMS = tuple(name for name in Terms.model_fields if name not in ("horizon_days", "utilisation_said"))
SAID_SHORT = {"p95": "p95_ms"}
NAME, NUMBER = r"[A-Za-z0-9_-]+", r"\[([0-9]{1,4})\]"
STEP = re.compile(rf"({NAME})|{NUMBER}")
PATH = re.compile(rf"{NAME}(?:\.{NAME}|{NUMBER})*")
OWN = ("updates_per_year", "labelled", "seeds")  # what varies here, and is no path
UPDATE = "base_model_update"
OPENING = ("launch", "task_arrival", "new_language")
At = Mapping[str, JsonValue]


class Vary(NamedTuple):
    """One key of a grid, and the values that it takes."""

    key: str
    values: tuple[JsonValue, ...]


def vary_of(text: str) -> Vary:
    """The key and the values in ``KEY=VALUE,VALUE``. Raises ScenarioError where there are none, or one stands twice."""
    key, is_set, rest = (part.strip() for part in text.partition("="))
    values: tuple[Any, ...] = tuple(scalar_of(value.strip()) for value in rest.split(",") if value.strip())
    if not (key and is_set and values):
        raise ScenarioError(f"--vary {shown(text)}: write KEY=VALUE,VALUE, such as traffic=1,2,4.")
    if len({str(value) for value in values}) < len(values):
        raise ScenarioError(f"--vary {shown(text)}: a value stands there twice; keep one.")
    short = key.removeprefix("serving.") if key.removeprefix("serving.") in TERMS else key
    return Vary(SAID_SHORT.get(short, short), values)


def grid(varies: Sequence[Vary]) -> list[dict[str, JsonValue]]:
    """Every cell of the grid, the last key moving fastest. Raises ScenarioError for a key that stands there twice."""
    keys = [vary.key for vary in varies]
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        raise ScenarioError(f"--vary {twice} stands there twice; give all its values at once.")
    cells = [dict(zip(keys, values, strict=True)) for values in product(*(vary.values for vary in varies))]
    if len(cells) > MOST_CELLS:
        raise ScenarioError(f"The grid has {len(cells)} cells, which nobody can read; give at most {MOST_CELLS}.")
    return cells


def is_repriced(key: str) -> bool:
    """Whether a key changes prices, terms or the verdict only, so that nothing is trained for it."""
    section = key.partition(".")[0]
    return key in (*TERMS, "prices", "quality_floor") or (section in Prices.model_fields and section not in OF_ALL)


def trained_part(at: At) -> dict[str, JsonValue]:
    """The part of a cell for which something is trained."""
    return {key: value for key, value in at.items() if not is_repriced(key)}


def varied(scenario: Scenario, at: At) -> Scenario:
    """The scenario with some values set: ``updates_per_year``, ``labelled``, ``seeds``, or any key by its path.

    Raises Problems for a story that cannot happen, and ScenarioError for a path that leads nowhere.
    """
    if not at:
        return scenario
    values = scenario.plain()
    for key, value in at.items():
        if key == "updates_per_year":
            values["timeline"] = _updated(scenario, values["timeline"], value)
        elif key == "labelled":
            _label(values, value)
        elif key == "seeds":
            if not isinstance(value, int) or value < 1:
                raise ScenarioError(f"--vary seeds: {shown(value)} is no number of seeds; write how many, such as 3.")
            values["seeds"] = list(replications(scenario.seeds, value))
        else:
            _set(values, key, value)
    where = ", ".join(f"{key}={value}" for key, value in at.items())
    try:
        found = loads(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), where)
    except Problems as error:  # whose lines are of no file
        raise Problems(where, [Problem(p.place, p.text) for p in error.problems]) from None
    meant = [tuple(steps_of(key)) for key in at if key not in OWN]
    problems = [Problem(p.place, p.text) for p in check(found, whole_file=False, meant=meant) if not p.is_warning]
    if problems:
        raise Problems(where, problems)
    return found


def supposed(terms: Terms, said: At) -> Terms:
    """The terms with some of them said otherwise; how busy a replica may be follows ``p95_ms`` unless it is said.

    Raises pydantic's ValidationError for what they cannot be.
    """
    is_said = terms.utilisation_said
    if is_said is None:  # earlier versions did not tell: what nobody needed to say was not said
        is_said = terms.utilisation != _unsaid(terms.p95_ms)
    values = terms.model_dump() | dict(said)
    if "utilisation" in said:
        values["utilisation_said"] = True
    elif not is_said and (values["p95_ms"] is None) != (terms.p95_ms is None):
        values["utilisation"] = _unsaid(values["p95_ms"])
    return understood(Terms, values)


def _unsaid(p95_ms: object) -> float:
    """How busy a replica may be where nobody says it."""
    return ServingTarget.model_validate({} if p95_ms is None else {"p95_ms": 1.0}).busy_at_most


def _updated(scenario: Scenario, timeline: list[dict[str, Any]], rate: JsonValue) -> list[dict[str, Any]]:
    """The timeline with so many updates of the base model a year, evenly apart; its releases take turns."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= YEAR_DAYS:
        raise ScenarioError(f"--vary updates_per_year: {shown(rate)}; write a number from 0 to {YEAR_DAYS:g}.")
    if any(fields.get("event") == UPDATE for process in scenario.arrivals for fields in process.events):
        raise ScenarioError("--vary updates_per_year: updates come from `arrivals` here; vary arrivals[0].gap_days.")
    releases = list(dict.fromkeys(e["base_model"] for e in timeline if "base_model" in e))
    start = min(e["day"] for e in timeline)
    count = round(rate * (scenario.horizon_days - start) / YEAR_DAYS)
    if count and len(releases) < 2:
        raise ScenarioError(f"--vary updates_per_year: the scenario has no {UPDATE}; add one, which names a release.")
    gap = (scenario.horizon_days - start) / (count + 1)
    others = [e for e in timeline if e["event"] != UPDATE]
    return others + [
        {"day": round(start + gap * i, 2), "event": UPDATE, "base_model": releases[i % len(releases)]}
        for i in range(1, count + 1)
    ]


def _label(values: dict[str, Any], rows: JsonValue) -> None:
    """So many labelled rows wherever an endpoint is opened; what is served zero-shot stays so."""
    arrived = (fields for process in values.get("arrivals", []) for fields in process["events"])
    for fields in (*values["timeline"], *arrived):
        if fields["event"] in OPENING and fields.get("labelled") != 0:
            fields["labelled"] = rows


def steps_of(path: str) -> list[str | int]:
    """The steps of a path such as ``timeline[2].labelled``. Raises ScenarioError for what is no key of a scenario."""
    steps: list[str | int] = [name or int(place) for name, place in STEP.findall(path)]
    if PATH.fullmatch(path) and steps[0] in Scenario.model_fields:
        return steps
    sections = [name for name in Prices.model_fields if name not in OF_ALL]
    known = (*TERMS, *SAID_SHORT, "prices", "quality_floor", *OWN)
    near = nearest(steps[0] if steps else "", [*known, *sections, *Scenario.model_fields])
    if PATH.fullmatch(path) and near not in ("", steps[0]):
        raise ScenarioError(f"--vary {shown(path)}: unknown; did you mean {path.replace(str(steps[0]), near, 1)!r}?")
    what = f"vary {', '.join(known)}, SECTION.PRICE, or a key of the scenario by its path, such as timeline[2].labelled"
    raise ScenarioError(f"--vary {shown(path)}: unknown; {what}.")


def _set(values: dict[str, Any], path: str, value: JsonValue) -> None:
    """Set what a path such as ``timeline[2].labelled`` or ``training.every.epochs`` leads to."""
    *way, last = steps_of(path)
    at: Any = values
    for step in way:
        at = at.setdefault(step, {}) if isinstance(at, dict) else _item(at, step, path)
    if isinstance(at, list) and isinstance(last, int):
        _item(at, last, path)
    elif not isinstance(at, dict):
        raise ScenarioError(f"--vary {shown(path)}: {_nothing(at, last)}")
    at[last] = value


def _item(inside: Any, step: str | int, path: str) -> Any:
    if not isinstance(inside, list) or not isinstance(step, int) or step >= len(inside):
        raise ScenarioError(f"--vary {shown(path)}: {_nothing(inside, step)}")
    return inside[step]


def _nothing(inside: Any, step: str | int) -> str:
    """Why a path does not go on from what it has come to."""
    if isinstance(inside, list):
        return f"there is no {step!r} in a list of {len(inside)}; count its parts from [0] to [{len(inside) - 1}]."
    return f"there is no {step!r} in {shown(inside)}, which has no keys; see the scenario's file."
