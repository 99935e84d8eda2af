"""What if a price were another: single values of a price book, said on the command line and held to the same rules."""

import datetime
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import ValidationError

from adapeff_sim.costs.prices import Basis, Prices
from adapeff_sim.errors import ScenarioError
from adapeff_sim.scenario.document import parse
from adapeff_sim.scenario.problems import COMMAND_LINE, Place, Problem, Problems
from adapeff_sim.scenario.words import shown, suggestion, understood

FLAG = "--set"
OF_ALL = ("name", "currency")  # what belongs to the book and to no section
CHANGED = " (changed)"


def with_changes(book: Prices, changes: Sequence[str], today: datetime.date) -> Prices:
    """The book with some values set, each as ``SECTION.KEY=VALUE``; ``compute.device_hour=1.2`` sets basis and amount.

    A section that was changed has the command line for its source and ``today`` for its date, and the book's name says
    that it was changed. Raises Problems, a line for each value that cannot stand.
    """
    values: dict[str, Any] = book.model_dump(mode="json", exclude_none=True)
    problems: list[Problem] = []
    said: dict[str, list[str]] = {}
    for text in changes:
        key, is_set, value = text.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (is_set and dot and name) or section in OF_ALL or section not in Prices.model_fields:
            wanted = (
                f"write SECTION.KEY=VALUE; {suggestion(section, set(Prices.model_fields) - set(OF_ALL), 'sections')}"
            )
            problems.append(Problem((FLAG,), f"is {shown(text)}; {wanted}"))
            continue
        values.setdefault(section, {}).update(_meant(section, name, _scalar(value)))
        said.setdefault(section, []).append(text.strip())
    for section, texts in said.items():
        values[section] |= {"date": today.isoformat(), "source": f"set on the command line: {', '.join(texts)}"}
    if said and not book.name.endswith(CHANGED):
        values["name"] = book.name + CHANGED
    try:
        changed = understood(Prices, values)
    except ValidationError as error:
        problems += [Problem((f"{FLAG} {_path(tuple(e['loc']))}",), e["msg"]) for e in error.errors(include_url=False)]
    if problems:
        raise Problems(COMMAND_LINE, problems)
    return changed


def _meant(section: str, name: str, value: object) -> dict[str, object]:
    """The keys that a change stands for; a basis of compute is short for saying which basis, and its amount."""
    is_basis = section == "compute" and name in get_args(Basis)
    return {"per": name, "amount": value} if is_basis else {name: value}


def _scalar(text: str) -> object:
    """The value as a price book would hold it; what is no YAML is a text."""
    try:
        return parse(f"value: {text}".encode(), FLAG).value["value"]
    except ScenarioError:
        return text


def _path(place: Place) -> str:
    return ".".join(map(str, place))
