"""The timeline lived through without any strategy: which worlds come about, and which events cannot happen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapeff_sim.errors import ScenarioError
from adapeff_sim.lifecycle.events.base import Event
from adapeff_sim.lifecycle.timeline import dated
from adapeff_sim.lifecycle.world import World
from adapeff_sim.scenario.entries import SAFE_NAME
from adapeff_sim.scenario.problems import Place, Problem
from adapeff_sim.scenario.schema import MOST_EVENTS, Scenario
from adapeff_sim.scenario.words import shown


@dataclass(frozen=True, slots=True)
class Moment:
    """One event that happened under one seed: its place in the file, and the world before and after."""

    seed: int
    place: Place
    event: Event
    before: World
    after: World

    def key(self, *names: str) -> Place:
        """The place of the first of these keys that the event was given, or of the event."""
        said = next(((name,) for name in names if name in self.event.model_fields_set), ())
        return (*self.place, *said)


def replay(scenario: Scenario) -> tuple[list[Moment], list[Problem]]:
    """What happens under every seed, and what cannot; after an impossible event the story goes on without it."""
    problems = [*_beyond(scenario), *_idle(scenario)]
    moments: list[Moment] = []
    for seed in scenario.seeds:
        lived, found = _life(scenario, seed)
        moments += lived
        problems += [problem for problem in found if problem not in problems]
        if not scenario.arrivals or found:
            break  # the other seeds live through the same, or through what has to be corrected first
    return moments, problems


def _life(scenario: Scenario, seed: int) -> tuple[list[Moment], list[Problem]]:
    world = World()
    moments: list[Moment] = []
    problems: list[Problem] = []
    doubtful: set[str] = set()  # names in events that could not happen: what else is about them may follow from that
    events = [e for e in placed(scenario, seed) if e[1].day <= scenario.horizon_days]
    if len(events) > MOST_EVENTS:
        return [], [Problem(("arrivals",), f"{len(events)} events under seed {seed}; at most {MOST_EVENTS}")]
    for place, event in events:
        try:
            after = event.apply(world)
            if not after.base_model:
                raise ScenarioError("nothing is launched yet")
        except ScenarioError as error:
            if not world.base_model and event.kind != "launch":
                text = f"{event.kind} on day {event.day:g} comes before any launch; a product starts with event: launch"
                return moments, [*problems, Problem((*place, "event"), text)]
            if doubtful.isdisjoint(names_in(event)):
                problems.append(Problem(place, str(error)))
            doubtful |= names_in(event)
            if not world.base_model:
                return moments, problems
            continue
        if place[0] == "timeline" and replace(after, day=world.day) == world:
            problems.append(Problem(place, f"{event.headline} changes nothing on day {event.day:g}; drop the event"))
        problems += [
            problem for problem in _names(place, world, after) if problem.text not in {p.text for p in problems}
        ]
        moments.append(Moment(seed, place, event, world, after))
        world = after
    return moments, problems


def placed(scenario: Scenario, seed: int) -> list[tuple[Place, Event]]:
    """Every event of one seed with its place in the file, in the order in which they happen."""
    plain: list[tuple[Place, Event]] = [(("timeline", i), event) for i, event in enumerate(scenario.timeline)]
    arrived = (
        (("arrivals", position, "events", number % len(process.events)), event)
        for position, process in enumerate(scenario.arrivals)
        for number, event in enumerate(dated(process, position, scenario.horizon_days, seed))
    )
    found = sorted([*plain, *arrived], key=lambda found: found[1].day)
    return [(place, scenario.unnamed(event)) for place, event in found]


def names_in(event: Event) -> set[str]:
    """Every task and language that an event names."""
    fields = event.model_dump(exclude={"base_model", "source"})
    return {word for value in fields.values() for word in _words(value)}


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (word for key, part in value.items() for word in (str(key), *_words(part)))
    elif isinstance(value, tuple | list):
        yield from (word for part in value for word in _words(part))


def _names(place: Place, before: World, after: World) -> Iterator[Problem]:
    """Tasks and languages name folders and adapters, and must be fit for that."""
    for name in dict.fromkeys(
        name for endpoint in after.traffic if endpoint not in before.traffic for name in endpoint
    ):
        if not SAFE_NAME.fullmatch(name):
            text = f"a task or language is called {shown(name)}; use letters, digits, - and _ only (it names folders)"
            yield Problem(place, text)


def _beyond(scenario: Scenario) -> Iterator[Problem]:
    for i, event in enumerate(scenario.timeline):
        if event.day > scenario.horizon_days:
            text = f"is {event.day:g}, beyond the horizon of {scenario.horizon_days:g} days"
            yield Problem(("timeline", i, "day"), f"{text}; move the event, or raise horizon_days")


def _idle(scenario: Scenario) -> Iterator[Problem]:
    """Processes that bring nothing under any seed."""
    for position, process in enumerate(scenario.arrivals):
        if all(next(dated(process, position, scenario.horizon_days, seed), None) is None for seed in scenario.seeds):
            text = f"brings no event up to day {scenario.horizon_days:g}; start it earlier, or narrow gap_days"
            yield Problem(("arrivals", position), text)
