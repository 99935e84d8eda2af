"""What if a price were another: single values of a price book, said on the command line and held to the same rules."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from adapeff_sim.costs.prices import Basis, FlatPrice, Prices
from adapeff_sim.errors import ScenarioError
from adapeff_sim.near_names import suggestion
from adapeff_sim.scenario.document import parse
from adapeff_sim.scenario.problems import COMMAND_LINE, Place, Problem, Problems
from adapeff_sim.scenario.words import keys_of, shown, understood

FLAG = "--set"
OF_ALL = ("name", "currency")  # what belongs to the book and to no section
DATED = ("date", "source")  # what a change says of itself
CHANGED = " (changed)"


def with_changes(book: Prices, changes: Sequence[str], today: datetime.date, flag: str = FLAG) -> Prices:
    """The book with some values set, each as ``SECTION.KEY=VALUE``; ``compute.device_hour=1.2`` sets basis and amount.

    A section that was changed has the command line for its source and ``today`` for its date, and the book's name says
    that it was changed. An amount that is set is stated, and rests on no assumption of the book any more. Raises
    Problems, a line for each value that cannot stand, under the ``flag`` that says it.
    """
    values: dict[str, Any] = book.model_dump(mode="json", exclude_none=True)
    problems: list[Problem] = []
    said: dict[str, list[str]] = {}
    typed: dict[Place, str] = {}  # where in the book -> the key that was written
    for text in (change.encode(errors="replace").decode() for change in changes):  # bytes may be no text
        key, is_set, value = (part.strip() for part in text.partition("="))
        section, dot, name = key.partition(".")
        if problem := _cannot_be(section, name, bool(is_set and dot), text, flag):
            problems.append(problem)
            continue
        meant = _meant(section, name, scalar_of(value))
        if any((section, part) in typed for part in meant):
            problems.append(Problem((f"{flag} {key}",), "is set twice; set it once"))
        typed |= {(section, part): key for part in meant}
        values.setdefault(section, {}).update(meant)
        said.setdefault(section, []).append(text.strip())
    _mark(values, said, today)
    try:
        changed = understood(Prices, values)
    except ValidationError as error:
        found = ((tuple(e["loc"]), e) for e in error.errors(include_url=False))
        named = ((typed.get(place, _path(place)), _told(place, e, flag)) for place, e in found)
        problems += [Problem((f"{flag} {key}",), text) for key, text in named]
    if problems:
        raise Problems(COMMAND_LINE, problems)
    return changed


def _mark(values: dict[str, Any], said: Mapping[str, Sequence[str]], today: datetime.date) -> None:
    """Write down in a book which of its sections were changed, and that it was."""
    for section, texts in said.items():
        values[section] |= {"date": today.isoformat(), "source": f"set on the command line: {', '.join(texts)}"}
        model, now = _model(section), {text.partition("=")[0].strip().partition(".")[2] for text in texts}
        asked = {key for key, its in model.model_fields.items() if its.is_required() and key not in DATED}
        if issubclass(model, FlatPrice) and asked <= now and "assumption" not in now:
            values[section].pop("assumption", None)
    if said and not values["name"].endswith(CHANGED):
        values["name"] += CHANGED


def _cannot_be(section: str, name: str, is_whole: bool, text: str, flag: str) -> Problem | None:
    """What is wrong with the left side of a change."""
    sections = [known for known in Prices.model_fields if known not in OF_ALL]
    if section not in sections:
        near = suggestion(section, sections, "sections")
        return Problem((flag,), f"is {shown(text)}; write SECTION.KEY=VALUE; {near}")
    keys = _keys(section)
    if not (is_whole and name):
        return Problem((flag,), f"is {shown(text)}; write {section}.KEY=VALUE; keys: {', '.join(keys)}")
    if name not in keys:
        return Problem((f"{flag} {section}.{name}",), f"unknown key; {suggestion(name, keys)}")
    return None


def _model(section: str) -> type[BaseModel]:
    """What a section of a price book holds."""
    found = Prices.model_fields[section].annotation
    return next(m for m in (found, *get_args(found)) if isinstance(m, type) and issubclass(m, BaseModel))


def _keys(section: str) -> list[str]:
    """What can be set in a section: its keys, and the bases of compute."""
    keys = [key for key in keys_of(_model(section)) if key not in DATED]
    return [*get_args(Basis), *keys] if section == "compute" else keys


def _told(place: Place, error: Mapping[str, Any], flag: str) -> str:
    """A finding in the words of the command line."""
    message = str(error["msg"])
    return f"missing; set it too: {flag} {_path(place)}=VALUE" if message.startswith("missing") else message


def _meant(section: str, name: str, value: object) -> dict[str, object]:
    """The keys that a change stands for; a basis of compute is short for saying which basis, and its amount."""
    is_basis = section == "compute" and name in get_args(Basis)
    return {"per": name, "amount": value} if is_basis else {name: value}


def scalar_of(text: str) -> object:
    """The value as a price book would hold it; what is no YAML is a text."""
    try:
        found = parse(f"value: {text}".encode(), FLAG).value
    except ScenarioError:  # no YAML
        return text
    return found["value"] if list(found) == ["value"] else text


def _path(place: Place) -> str:
    return ".".join(map(str, place))
