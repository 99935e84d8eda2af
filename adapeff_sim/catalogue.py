"""What there is to choose from, a line each: the words that its own file says of it.

Asks the registries, so that an implementation dropped into its room is listed at once.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from adapeff_sim.artifacts.methods import ABOUT, FUSIBLE
from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.ready import ready, ready_names
from adapeff_sim.errors import AdapeffError, ScenarioError
from adapeff_sim.execution.base import EXECUTORS
from adapeff_sim.lifecycle.events.base import EVENTS
from adapeff_sim.near_names import suggestion
from adapeff_sim.registry import Registry, first_sentence
from adapeff_sim.scenario.load import protocols, shipped_folder, shipped_scenarios, teaching_scenarios
from adapeff_sim.scenario.price_books import BOOKS, load_prices
from adapeff_sim.strategies.base import STRATEGIES


class Item(NamedTuple):
    """One thing that a scenario, or a flag, may name."""

    name: str
    about: str


def catalogue(section: str | None = None) -> dict[str, tuple[Item, ...]]:
    """Everything by section, or one section alone. Raises ScenarioError for a section that there is not."""
    if section is not None and section not in SECTIONS:
        raise ScenarioError(f"No list {section[:48]!r}; {suggestion(section, SECTIONS)}")
    return {name: tuple(told()) for name, told in SECTIONS.items() if section in (None, name)}


def _scenarios() -> Iterator[Item]:
    for name in (*shipped_scenarios(), *protocols(), *teaching_scenarios()):
        text = (shipped_folder() / f"{name}.yaml").read_text(encoding="utf-8")
        yield Item(name, str(yaml.safe_load(text).get("description", "")))


def _methods() -> Iterator[Item]:
    for name, about in sorted(ABOUT.items()):
        yield Item(name, about + (" (can be fused)" if name in FUSIBLE else ""))


def _sources() -> Iterator[Item]:
    yield from _plugins(SOURCES)
    for name in ready_names():
        yield Item(name, f"hub: {ready(name).get('about', '')}")


def _prices() -> Iterator[Item]:
    for file in sorted(BOOKS.glob("*.yaml")):
        book = load_prices(file.stem)
        per = {"kwh": "kWh"}.get(book.compute.per, book.compute.per.replace("_", "-"))
        compute = f"{book.compute.amount:g} for a {per} on {book.compute.device}"
        serving = f"{book.serving.replica_hour:g} for an hour of a replica"
        yield Item(file.stem, f"{book.currency}: {compute}, {serving} ({book.compute.date})")


def _plugins(registry: Registry[Any]) -> Iterator[Item]:
    """Every implementation with its first sentence; one that cannot be loaded says why."""
    for name in registry.names():
        try:
            yield Item(name, first_sentence(registry.get(name)))
        except (AdapeffError, ImportError, KeyError) as error:
            yield Item(name, f"cannot be loaded: {error}")


SECTIONS: dict[str, Callable[[], Iterator[Item]]] = {
    "scenarios": _scenarios,
    "strategies": lambda: _plugins(STRATEGIES),
    "events": lambda: _plugins(EVENTS),
    "methods": _methods,
    "data": _sources,
    "prices": _prices,
    "executors": lambda: _plugins(EXECUTORS),
}
