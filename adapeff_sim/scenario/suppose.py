"""Lives under made-up scores: where a strategy would go if its checks held, and where if they fell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.lifecycle.events.base import Event
from adapeff_sim.lifecycle.world import Endpoint, TestSet
from adapeff_sim.planning.plan import Evaluate
from adapeff_sim.planning.unfold import Scores, Step, unfold
from adapeff_sim.scenario.schema import Scenario

ALWAYS, HELD, FELL = "always", "if every check holds", "if every check falls"


def holds(_: Evaluate) -> float:
    """Scores under which nothing that is checked ever falls."""
    return 1.0


class Falls:
    """Scores under which everything that is checked falls: an endpoint's first score over an artifact is its best."""

    def __init__(self) -> None:
        self._first: dict[tuple[Endpoint, Artifact, TestSet], Evaluate] = {}

    def __call__(self, evaluate: Evaluate) -> float:
        """1 for the first evaluation that is asked about, 0 for later ones of the same rows over the same artifact."""
        first = self._first.setdefault((evaluate.endpoint, evaluate.route[-1], evaluate.test_set), evaluate)
        return 1.0 if first == evaluate else 0.0


@dataclass(frozen=True, slots=True)
class Supposed:
    """A step, and what must come true for it: ALWAYS, HELD or FELL."""

    when: str
    step: Step


def distinct_seeds(scenario: Scenario) -> tuple[int, ...]:
    """One seed for each different timeline: without a random process all seeds live through the same."""
    chance = any(process.process == "poisson" for process in scenario.arrivals)
    return scenario.seeds if chance else scenario.seeds[:1]


def life(scenario: Scenario, label: str, events: Sequence[Event], seed: int, scores: Scores) -> list[Step]:
    """The steps of one strategy under one seed."""
    return list(unfold(scenario.strategies[label], label, seed, events, scores))


def either_way(scenario: Scenario, label: str, events: Sequence[Event], seed: int) -> Iterator[list[Step]]:
    """The life in which every check holds and, where anything is checked, that in which every check falls."""
    held = life(scenario, label, events, seed, holds)
    yield held
    if any(step.deployment.checks for step in held):  # else nobody looks at a score, and others lead to the same life
        yield life(scenario, label, events, seed, Falls())


def supposed(scenario: Scenario, label: str, events: Sequence[Event], seed: int) -> Iterator[Supposed]:
    """Every step that may come, event by event: first what is sure, then either way."""
    lives = list(either_way(scenario, label, events, seed))
    held, fell = lives[0], lives[-1]
    for event in events:
        here, there = ([s for s in steps if s.event is event] for steps in (held, fell))
        sure = 0
        while sure < min(len(here), len(there)) and _alike(here[sure], there[sure]):
            sure += 1
        yield from (Supposed(ALWAYS, step) for step in here[:sure])
        yield from (Supposed(HELD, step) for step in here[sure:])
        yield from (Supposed(FELL, step) for step in there[sure:])


def _alike(one: Step, other: Step) -> bool:
    return one.plan == other.plan and one.deployment.routes == other.deployment.routes
