"""What several scenarios train in common: each training once, whoever asks for it."""

from collections.abc import Sequence
from typing import NamedTuple

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.scenario.outlook import Keys
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.suppose import supposed


class Shared(NamedTuple):
    """Trainings of some scenarios, at most, where checks decide.

    ``asked`` counts those of every scenario by itself; ``distinct`` holds each once, with a scenario, label and seed
    that wants it.
    """

    asked: int
    distinct: tuple[tuple[Scenario, str, int, Artifact], ...]


def shared_trainings(scenarios: Sequence[Scenario]) -> Shared:
    """The trainings of all lives of some scenarios, on any one machine and with any rows."""
    asked, distinct = 0, dict[tuple[int, str], tuple[Scenario, str, int, Artifact]]()
    for scenario in scenarios:
        own: dict[tuple[int, str], tuple[Scenario, str, int, Artifact]] = {}
        for seed in scenario.seeds:
            keys, events = Keys(scenario, seed), scenario.events(seed)
            for label in scenario.labels:
                for each in supposed(scenario, label, events, seed):
                    own |= {(seed, keys.of(label, a)): (scenario, label, seed, a) for a in each.step.plan.built}
        asked += len(own)
        distinct = own | distinct
    return Shared(asked, tuple(distinct.values()))
