"""The lives of a finished run told again: the scenario unfolds as it did, with the scores that its ledger holds."""

import math
from collections.abc import Iterator

from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import EvaluationRecord
from adapeff_sim.planning.plan import Evaluate
from adapeff_sim.planning.unfold import Step, unfold
from adapeff_sim.scenario.schema import Scenario


def relived(scenario: Scenario, ledger: Ledger) -> Iterator[Step]:
    """Every step of every life, as far as the ledger has the scores that were waited for.

    Raises ScenarioError or PlanningError where the scenario is not the one that was lived.
    """
    scored = {  # a score that could not be had was lived as NaN; only one that is not there is waited for
        (r.label, r.seed, r.step, r.endpoint): r.scores.get(r.primary, math.nan) for r in ledger.of(EvaluationRecord)
    }
    for label, strategy in scenario.strategies.items():
        for seed in scenario.seeds:
            known: dict[Evaluate, float | None] = {}
            for step in unfold(strategy, label, seed, scenario.events(seed), known.get):
                asked = (job for job in step.plan.jobs if isinstance(job, Evaluate))
                known |= {job: scored.get((label, seed, step.number, str(job.endpoint))) for job in asked}
                yield step
