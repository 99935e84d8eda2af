"""What every event promises, and what some of them say of traffic and test sets."""

import pytest
from pydantic import ValidationError
from story import STORY, event, life

from adapeff_sim.errors import ScenarioError, UnknownPlugin
from adapeff_sim.lifecycle.events.base import EVENTS
from adapeff_sim.lifecycle.world import Endpoint, TestSet, World
from adapeff_sim.planning.plan import Evaluate
from adapeff_sim.strategies.base import STRATEGIES


def worlds() -> list[World]:
    found = [World()]
    for e in STORY:
        found.append(e.apply(found[-1]))
    return found


def test_the_story_has_every_kind_of_event():
    assert {EVENTS.get(n) for n in EVENTS.names()} == {type(e) for e in STORY}


def test_every_event_sets_the_day_and_leaves_the_world_before_it_alone():
    assert [w.day for w in worlds()[1:]] == [e.day for e in STORY]
    assert worlds() == worlds()


def test_requests_per_day_is_the_total_split_equally():
    launched, *_ = worlds()[1:]
    assert launched.traffic == {Endpoint("intent", "en"): 500, Endpoint("intent", "de"): 500}
    changed = worlds()[9]
    assert sum(changed.traffic.values()) == pytest.approx(9_000_000) and len(set(changed.traffic.values())) == 1


def test_zero_shot_has_traffic_and_a_test_set_but_no_rows():
    world, am = worlds()[4], Endpoint("intent", "am")
    assert am in world.traffic and am in world.test_sets and am not in world.datasets


def test_a_retired_task_keeps_its_rows():
    assert "sentiment" not in worlds()[-1].tasks and worlds()[-1].labelled("sentiment")


@pytest.mark.parametrize("name", STRATEGIES.names())
def test_an_endpoint_is_evaluated_when_its_route_or_its_test_set_changed(name):
    story = [*STORY[:4], event("dataset_refresh", 35, task="intent", languages=("am",), test_set=True)]
    *_, last = life(STRATEGIES.get(name)(), story)
    am = Endpoint("intent", "am")
    assert last.plan.jobs == (Evaluate(am, last.deployment.routes[am], TestSet(2)),)


@pytest.mark.parametrize(
    "bad",
    [
        event("task_arrival", 99, task="intent", languages=("en",)),
        event("task_retirement", 99, task="sentiment"),
        event("dataset_refresh", 99, task="nobody", add=1),
        event("traffic_change", 99, language="xx", requests_per_day=1),
    ],
)
def test_impossible_events_say_so(bad):
    with pytest.raises(ScenarioError, match=r"Day 99: .*served"):
        bad.apply(worlds()[-3])


def test_typos_are_refused():
    with pytest.raises(ValidationError):
        event("new_language", 1, language="sw", labelled=10, labeled=10)
    with pytest.raises(UnknownPlugin, match="did you mean 'new_language'"):
        EVENTS.get("new_langauge")
