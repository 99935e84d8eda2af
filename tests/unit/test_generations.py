"""Generations of one slot, the reasons for them, and the options that make them."""

import networkx as nx
import pytest
from pydantic import ValidationError
from story import STORY, event, life

from adapeff_sim.artifacts.artifact import Role
from adapeff_sim.lifecycle.world import Endpoint
from adapeff_sim.planning.plan import Action, make_plan
from adapeff_sim.strategies.adapter_fusion import AdapterFusion
from adapeff_sim.strategies.adapter_per_task import AdapterPerTask
from adapeff_sim.strategies.multitask_full import MultitaskFull


def slots(artifacts) -> list[str]:
    return [a.slot for a in artifacts]


def rebuilt(step) -> dict[str, tuple[str, ...]]:
    return {c.artifact.slot: c.because for c in step.plan.changes if c.action is Action.REBUILD}


def test_continue_builds_generations_that_stand_side_by_side():
    first, second, third, *_ = life(MultitaskFull(update="continue", replay=0.2))
    (one,), (two,), (three,) = (s.plan.built for s in (first, second, third))
    assert one.slot == two.slot == three.slot and len({one, two, three}) == 3
    assert three.by(Role.START) == (two,) and two.by(Role.START) == (one,)
    assert {one.fingerprint, two.fingerprint} <= nx.ancestors(third.deployment.graph(), three.fingerprint)
    assert slots(two.by(Role.TRAIN)) == ["dataset/sentiment/en"]
    assert slots(two.by(Role.REPLAY)) == ["dataset/intent/de", "dataset/intent/en"]
    assert two.recipe.replay == 0.2 and one.recipe.replay is None
    assert rebuilt(second) == {"model/multitask": ("train:dataset/sentiment/en",)}


def test_continue_replays_todays_rows_and_starts_over_with_a_new_base_model():
    steps = life(MultitaskFull(update="continue"))
    (refreshed,), (over,) = steps[4].plan.built, steps[5].plan.built
    assert slots(refreshed.by(Role.TRAIN)) == ["dataset/intent/de", "dataset/intent/en", "dataset/intent/sw"]
    assert slots(refreshed.by(Role.REPLAY)) == ["dataset/sentiment/en", "dataset/sentiment/sw"]
    assert slots(over.by(Role.START)) == ["base_model"] and not over.by(Role.REPLAY)


def test_replay_nothing_sees_new_rows_alone_and_replay_all_is_retrain():
    second = life(MultitaskFull(update="continue", replay=0))[1]
    assert second.plan.built[0].by(Role.REPLAY) == ()
    with pytest.raises(ValidationError):
        MultitaskFull(update="retrain", replay=0.5)


def test_a_retired_task_stays_in_multitask_unless_told_otherwise():
    kept, forgotten = (
        [s for s in life(MultitaskFull(on_retirement=o)) if s.event.day >= 90] for o in ("keep", "rebuild")
    )
    assert not kept[0].plan.built and "sentiment" in kept[-1].plan.built[0].recipe.tasks
    assert slots(forgotten[0].plan.built) == ["model/multitask"]
    assert "train:dataset/sentiment/en" in rebuilt(forgotten[0])["model/multitask"]
    assert all("sentiment" not in s.plan.built[0].recipe.tasks for s in forgotten if s.plan.built)


def test_fusion_starts_at_two_and_refuse_decides_what_a_third_task_means():
    story = [*STORY[:2], event("task_arrival", 20, task="topic", languages=("en",))]
    built = {
        r: [slots(s.plan.built) for s in life(AdapterFusion(refuse=r), story)] for r in ("all", "new_only", "never")
    }
    both = ["adapter/sentiment", "fusion/intent", "fusion/sentiment"]
    assert all(b[:2] == [["adapter/intent"], both] for b in built.values())
    assert built["all"][2] == ["adapter/topic", "fusion/intent", "fusion/sentiment", "fusion/topic"]
    assert built["new_only"][2] == built["never"][2] == ["adapter/topic", "fusion/topic"]


def test_pinned_fusions_keep_their_generation_of_an_adapter_beside_the_new_one():
    story = [
        *STORY[:2],
        event("dataset_refresh", 15, task="intent", add=10),
        event("task_arrival", 20, task="topic", languages=("en",)),
    ]
    _, pinned, refreshed, arrived = life(AdapterFusion(refuse="never"), story)
    assert refreshed.plan.built == ()
    assert slots(arrived.plan.built) == ["adapter/intent", "adapter/topic", "fusion/topic"]
    generations = [a for a in arrived.deployment.artifacts.values() if a.slot == "adapter/intent"]
    assert len(generations) == 2
    assert rebuilt(arrived)["adapter/intent"] == ("train:dataset/intent/de", "train:dataset/intent/en")
    assert arrived.deployment.routes[Endpoint("intent", "en")] == pinned.deployment.routes[Endpoint("intent", "en")]


def test_what_is_replaced_is_rebuilt_and_only_what_nobody_wants_is_retired():
    steps = life(AdapterPerTask())
    retired = {s.event.day: slots(c.artifact for c in s.plan.changes if c.action is Action.RETIRE) for s in steps}
    gone = ["adapter/sentiment", "dataset/sentiment/en", "dataset/sentiment/sw"]
    assert retired == {s.event.day: gone if s.event.day == 90 else [] for s in steps}


def test_another_recipe_is_its_own_reason():
    now, then = life(AdapterPerTask(method="lora[r=8]"), STORY[:1])[0], life(AdapterPerTask(), STORY[:1])[0]
    plan = make_plan(then.deployment, now.deployment, then.world, now.world)
    assert [c.because for c in plan.changes if c.action is Action.REBUILD] == [("recipe",)]
