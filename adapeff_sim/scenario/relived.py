"""The lives of a finished run told again: the scenario unfolds as it did, with the scores that its ledger holds."""

import math
from collections.abc import Callable, Iterable, Iterator

from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord
from adapeff_sim.lifecycle.events.base import Event
from adapeff_sim.lifecycle.timeline import timeline
from adapeff_sim.planning.plan import Evaluate, Make
from adapeff_sim.planning.unfold import Step, unfold
from adapeff_sim.scenario.schema import Scenario

Events = Callable[[int], list[Event]]  # seed -> all that happens, by day


def relived(scenario: Scenario, ledger: Ledger) -> Iterator[Step]:
    """Every step of every life, as far as the ledger has the scores that were waited for.

    Raises ScenarioError or PlanningError where the scenario is not the one that was lived.
    """
    return _lives(scenario, ledger, events_of(scenario, ledger))


def events_of(scenario: Scenario, ledger: Ledger) -> Events:
    """What happened in the run that left this ledger, seed by seed.

    Versions before 0.4 took the scenario's own source for another one where an event named it, and bought and trained
    on its rows anew; a ledger that tells of that is told as it was lived.
    """

    def as_said(seed: int) -> list[Event]:
        return timeline(scenario.timeline, scenario.arrivals, scenario.horizon_days, seed)

    if all(scenario.events(seed) == as_said(seed) for seed in scenario.seeds):
        return scenario.events
    return as_said if are_told(_lives(scenario, ledger, as_said), ledger) else scenario.events


def are_told(steps: Iterable[Step], ledger: Ledger) -> bool:
    """Whether the ledger knows all that the steps make and score."""
    known = {(r.label, r.seed, r.step, r.fingerprint) for r in ledger.of(JobRecord)}
    scored = {(r.label, r.seed, r.step, r.endpoint, r.test_set) for r in ledger.of(EvaluationRecord)}
    for step in steps:
        at = (step.label, step.seed, step.number)
        for job in step.plan.jobs:
            if isinstance(job, Make) and (*at, job.artifact.fingerprint) not in known:
                return False
            if isinstance(job, Evaluate) and (*at, str(job.endpoint), str(job.test_set)) not in scored:
                return False
    return True


def _lives(scenario: Scenario, ledger: Ledger, events: Events) -> Iterator[Step]:
    """Every step of every life in which these events happen."""
    scored = {  # a score that could not be had was lived as NaN; only one that is not there is waited for
        (r.label, r.seed, r.step, r.endpoint): r.scores.get(r.primary, math.nan) for r in ledger.of(EvaluationRecord)
    }
    for label, strategy in scenario.strategies.items():
        for seed in scenario.seeds:
            known: dict[Evaluate, float | None] = {}
            for step in unfold(strategy, label, seed, events(seed), known.get):
                asked = (job for job in step.plan.jobs if isinstance(job, Evaluate))
                known |= {job: scored.get((label, seed, step.number, str(job.endpoint))) for job in asked}
                yield step
