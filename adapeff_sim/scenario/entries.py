"""From plain values to events, arrival processes, strategies and layers of settings, and back."""

import re
from typing import Any

from pydantic import ValidationError

from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.errors import UnknownPlugin
from adapeff_sim.lifecycle.events.base import EVENTS, Event
from adapeff_sim.lifecycle.timeline import Arrivals
from adapeff_sim.near_names import suggestion
from adapeff_sim.scenario.problems import Place
from adapeff_sim.scenario.words import refused, shown, understood
from adapeff_sim.strategies.base import STRATEGIES, Strategy
from adapeff_sim.training.settings import SomeSettings

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # it names folders, adapters and columns
TRAINED = tuple(str(kind) for kind in Kind if not kind.is_source)
EVERY = "every"
# All that a strategy trains shares the rows that it bought: a kind that looked at others would look at unpaid ones.
OF_ROWS = f"is said of a kind, but rows are held out once for all kinds; say it under {EVERY}, or a strategy's label"
DAY_OF_ARRIVAL = 0.0  # any day will do to check the fields of an event that a process will date


def safe_name(name: str) -> str:
    """The name itself, if it may name a folder (raises ValueError otherwise)."""
    if not SAFE_NAME.fullmatch(name):
        what = "write letters, digits, - and _ only, at most 64, a letter or digit first"
        raise ValueError(f"is {shown(name)}; {what} (it names folders)")
    return name


def event_of(value: Any) -> Event:
    """The event that the keys of one entry make; ``event`` names its kind."""
    if isinstance(value, Event):
        return value
    if not isinstance(value, dict):
        raise refused(value, [((), f"is {shown(value)}; write {{day: DAY, event: KIND, ...}}")])
    kind = value.get("event")
    if kind is None:
        raise refused(value, [(("event",), f"missing; add `event: KIND` (known: {', '.join(EVENTS.names())})")])
    try:
        model = EVENTS.get(str(kind))
    except UnknownPlugin:
        text = f"unknown event {shown(kind)}; {suggestion(kind, EVENTS.names())}"
        raise refused(value, [(("event",), text)]) from None
    return understood(model, {key: part for key, part in value.items() if key != "event"})


def event_fields(event: Event) -> dict[str, Any]:
    """The keys of one entry that make the event."""
    return {"day": event.day, "event": event.kind} | event.model_dump(mode="json", exclude_unset=True)


def arrivals_of(value: Any) -> Arrivals:
    """A process whose events all have the right fields; each is written without a day."""
    if isinstance(value, Arrivals):
        return value
    problems: list[tuple[Place, str]] = []
    try:
        arrivals = understood(Arrivals, value)
    except ValidationError as error:
        problems += _findings(error)
    entries = value.get("events") if isinstance(value, dict) else None
    for i, fields in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(fields, dict):
            continue  # told already
        try:
            event_of({"day": DAY_OF_ARRIVAL} | fields)
        except ValidationError as error:
            problems += [(("events", i, *place), text) for place, text in _findings(error)]
        if "day" in fields:
            problems.append((("events", i, "day"), "the process gives the day; drop it"))
    if problems:
        raise refused(value, problems)
    return arrivals


def strategies_of(value: Any) -> dict[str, Strategy]:
    """Strategies by label, from ``name``, ``{name: options}`` and ``{name: options, as: label}``."""
    if isinstance(value, dict) and value and all(isinstance(strategy, Strategy) for strategy in value.values()):
        return dict(value)
    if not isinstance(value, list) or not value:
        raise refused(value, [((), f"is {shown(value)}; write a list with at least one strategy")])
    found: dict[str, Strategy] = {}
    problems: list[tuple[Place, str]] = []
    for i, entry in enumerate(value):
        try:
            label, strategy = strategy_of(entry)
            if label in found:
                place = (i, "as") if isinstance(entry, dict) and "as" in entry else (i,)
                problems.append((place, f"a second strategy is labelled {label!r}; give it another `as: LABEL`"))
            found.setdefault(label, strategy)
        except ValueError as error:
            problems += [((i, *place), text) for place, text in _findings(error)]
    if problems:
        raise refused(value, problems)
    return found


def strategy_of(entry: Any) -> tuple[str, Strategy]:
    """The label and the strategy of one entry of the list."""
    entry = {entry: None} if isinstance(entry, str) else entry
    names = [key for key in entry if key != "as"] if isinstance(entry, dict) else []
    if len(names) != 1:
        raise refused(entry, [((), f"is {shown(entry)}; write NAME, or {{NAME: {{OPTION: VALUE}}, as: LABEL}}")])
    (name,) = names
    if name not in STRATEGIES.names():
        raise refused(entry, [((name,), f"unknown strategy {shown(name)}; {suggestion(name, STRATEGIES.names())}")])
    label, options = entry.get("as", name), entry[name]
    problems: list[tuple[Place, str]] = []
    if not isinstance(label, str) or not SAFE_NAME.fullmatch(label):
        problems.append((("as",), f"is {shown(label)}; write letters, digits, - and _ only (it names folders)"))
    elif label in (EVERY, *TRAINED):
        problems.append((("as",), f"{label!r} is a layer of `training` already; choose another label"))
    try:
        strategy = understood(STRATEGIES.get(name), {} if options is None else options)
    except ValueError as error:
        problems += [((name, *place), text) for place, text in _findings(error)]
    if problems:
        raise refused(entry, problems)
    return str(label), strategy


def strategy_entry(label: str, strategy: Strategy) -> Any:
    """The entry of the list that makes the strategy."""
    name = type(strategy).__module__.rpartition(".")[2]
    options = strategy.model_dump(mode="json", exclude_unset=True)
    named = {} if label == name else {"as": label}
    return {name: options, **named} if options or named else name


def training_of(value: Any) -> dict[str, SomeSettings]:
    """Settings by layer; which layers have an effect is checked against the strategies."""
    if not isinstance(value, dict):
        raise refused(value, [((), f"is {shown(value)}; write {EVERY}: {{epochs: 10}}")])
    found: dict[str, SomeSettings] = {}
    problems: list[tuple[Place, str]] = []
    for layer, settings in value.items():
        try:
            found[layer] = settings if isinstance(settings, SomeSettings) else understood(SomeSettings, settings)
            if not found[layer].model_fields_set:
                problems.append(((layer,), "sets nothing; drop it, or give settings such as epochs: 10"))
            if layer in TRAINED and "validation_rows" in found[layer].model_fields_set:
                problems.append(((layer, "validation_rows"), OF_ROWS))
        except ValueError as error:
            problems += [((layer, *place), text) for place, text in _findings(error)]
    if problems:
        raise refused(value, problems)
    return found


def _findings(error: ValueError) -> list[tuple[Place, str]]:
    """Where and what, of an error that ``refused`` made."""
    if isinstance(error, ValidationError):
        return [(found["loc"], found["msg"]) for found in error.errors(include_url=False)]
    return [((), str(error))]
