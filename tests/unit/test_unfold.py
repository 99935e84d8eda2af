"""Policies that look before they leap."""

import pytest
from story import STORY, event, falls, holds, is_carried, life
from test_generations import rebuilt, slots

from adapeff_sim.artifacts.artifact import Role
from adapeff_sim.artifacts.deployment import Check
from adapeff_sim.errors import PlanningError
from adapeff_sim.lifecycle.world import Endpoint
from adapeff_sim.planning.plan import Evaluate
from adapeff_sim.planning.unfold import unfold
from adapeff_sim.strategies.adapter_per_task import AdapterPerTask

CARRY = AdapterPerTask(on_base_update="carry_over", may_fall=2.0)
MOVE = [
    *STORY[:2],
    event("base_model_update", 50, base_model="mini:v2"),
    event("task_arrival", 60, task="topic", languages=("en",)),
]


def test_a_life_waits_for_its_checks_and_goes_on_when_scores_come():
    scores: dict[Evaluate, float] = {}
    waiting = life(CARRY, MOVE, scores.get)
    assert [s.event.day for s in waiting] == [0, 10, 50] and len(waiting[-1].deployment.checks) == 3
    assert not waiting[-1].plan.built
    scores |= {job: 0.9 for step in waiting for job in step.plan.jobs if isinstance(job, Evaluate)}
    whole = life(CARRY, MOVE, scores.get)
    assert whole[:3] == waiting and [s.event.day for s in whole] == [0, 10, 50, 60]


def test_the_same_iterator_goes_on_too():
    scores: dict[Evaluate, float] = {}
    days = []
    for step in unfold(CARRY, "it", 13, MOVE, scores.get):
        days.append(step.event.day)
        scores |= {job: 0.9 for job in step.plan.jobs if isinstance(job, Evaluate)}
    assert days == [0, 10, 50, 60]


def test_what_holds_is_carried_and_never_trained_again():
    steps = life(CARRY, MOVE, holds)
    assert [slots(s.plan.built) for s in steps] == [["adapter/intent"], ["adapter/sentiment"], [], ["adapter/topic"]]
    carried = steps[-1].deployment.routes[Endpoint("intent", "en")]
    assert carried[0].recipe.release == "mini:v2" and carried[1].by(Role.BASE)[0].recipe.release == "mini:v1"


def test_only_what_fell_is_trained_again():
    def only_intent_in_german_falls(e: Evaluate) -> float:
        return falls(e) if e.endpoint == ("intent", "de") else 0.89 if e.route[0].recipe.release == "mini:v2" else 0.9

    steps = life(CARRY, MOVE, only_intent_in_german_falls)
    assert [(s.event.day, slots(s.plan.built)) for s in steps[2:]] == [
        (50, []),
        (50, ["adapter/intent"]),
        (60, ["adapter/topic"]),
    ]
    assert rebuilt(steps[3]) == {"adapter/intent": ("base:base_model",)}


def test_a_strategy_that_cannot_decide_is_stopped():
    class Dithering(AdapterPerTask):
        def deploy(self, world, current):
            other = "lora" if any(r[-1].recipe.method == "ia3" for r in current.routes.values()) else "ia3"
            wanted = AdapterPerTask(method=other).deploy(world, current)
            checks = tuple(Check(e, 0.0) for e in current.routes)
            return type(wanted)(wanted.routes, checks)

    with pytest.raises(PlanningError, match="undecided"):
        life(Dithering(), STORY[:2])


def test_a_check_compares_scores_on_the_same_test_set():
    story = [STORY[0], event("dataset_refresh", 20, task="intent", test_set=True), MOVE[2]]

    def harder(evaluate: Evaluate) -> float:
        return 0.9 if evaluate.test_set.version == 1 else 0.7

    assert [slots(s.plan.built) for s in life(CARRY, story, harder)] == [["adapter/intent"], [], []]


def test_a_score_that_is_no_number_has_fallen():
    def unknown(evaluate: Evaluate) -> float:
        return float("nan") if evaluate.route[0].recipe.release == "mini:v2" and is_carried(evaluate.route) else 0.9

    assert slots(life(CARRY, MOVE[:3], unknown)[-1].plan.built) == ["adapter/intent", "adapter/sentiment"]
