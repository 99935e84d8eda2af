"""What every strategy promises, whoever wrote it."""

from collections.abc import Iterable
from itertools import pairwise

import networkx as nx
import pytest
from story import STORY, event, events_of, falls, holds, is_carried, life, variants

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.deployment import Deployment
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.lifecycle.events.base_model_update import BaseModelUpdate
from adapeff_sim.lifecycle.events.task_retirement import TaskRetirement
from adapeff_sim.lifecycle.world import World
from adapeff_sim.planning.impact import impact
from adapeff_sim.planning.plan import Action, make_plan
from adapeff_sim.strategies.base import Strategy, base_model, dataset


@pytest.fixture(params=list(variants()), ids=repr)
def strategy(request):
    return request.param


LIVES = {}


def lived(strategy, scores):
    """The whole life of a strategy, unfolded once: it is made of values, which no test can change."""
    name = (type(strategy), repr(strategy), scores)
    if name not in LIVES:
        LIVES[name] = life(strategy, scores=scores)
    return LIVES[name]


@pytest.fixture(params=[holds, falls], ids=lambda s: s.__name__)
def steps(strategy, request):
    return lived(strategy, request.param)


def test_every_endpoint_is_routed_and_nothing_else(steps):
    for step in steps:
        assert set(step.deployment.routes) == set(step.world.traffic)
        assert all(step.deployment.routes.values())


def test_nothing_is_done_when_nothing_happened(strategy, steps):
    for _, _, (*_, last) in events_of(steps):
        again = strategy.deploy(last.world, last.deployment)
        assert make_plan(last.deployment, again, last.world, last.world).jobs == ()


def world_sources(world: World) -> set[Artifact]:
    return {base_model(world), *(dataset(world, e) for e in world.datasets)} if world.base_model else set()


def downstream(deployment: Deployment, sources: Iterable[Artifact]) -> set[tuple[str, Kind]]:
    """Slot and kind of all that was made from any of the sources."""
    graph, known = deployment.graph(), deployment.artifacts
    found = {f for s in sources if s.fingerprint in graph for f in nx.descendants(graph, s.fingerprint)}
    return {(known[f].slot, known[f].kind) for f in found}


def test_what_is_built_is_what_lies_downstream_of_what_moved_less_the_declared_policy(strategy, steps):
    for before, deployed, taken in events_of(steps):
        after, wanted = taken[-1].world, taken[-1].deployment
        moved = world_sources(before) - world_sources(after)
        added = {a for f, a in wanted.artifacts.items() if a.kind.is_source and f not in deployed.artifacts}
        slots = {a.slot for a in wanted.artifacts.values()}
        stale = {(slot, kind) for slot, kind in downstream(deployed, moved) if slot in slots}
        may = stale | downstream(wanted, added)
        spared = {kind for s in moved for kind in strategy.policy.keeps.get(s.kind, ())}
        must = {(slot, kind) for slot, kind in may if kind not in spared}
        built = {(a.slot, a.kind) for step in taken for a in step.plan.built}
        if isinstance(taken[0].event, TaskRetirement) and strategy.policy.rebuilds_on_retirement:
            continue
        assert must <= built <= may, taken[0].event


def test_every_labelled_endpoint_is_answered_by_what_saw_its_rows(strategy, steps):
    for step in steps:
        for endpoint, route in step.deployment.routes.items():
            seen = Deployment({endpoint: route}).artifacts.values()
            own = list(step.world.labelled(endpoint.task))
            if endpoint in step.world.datasets and not strategy.policy.ignores_labels:
                assert dataset(step.world, endpoint) in seen
            assert any(a.slot == dataset(step.world, e).slot for a in seen for e in own)


def test_inputs_come_before_products(steps):
    for step in steps:
        done: set[Artifact] = set()
        for change in step.plan.changes:
            if change.action is not Action.RETIRE:
                assert {a for _, a in change.artifact.edges()} <= done
                done.add(change.artifact)


def test_deploy_is_pure(strategy: Strategy, steps):
    for before, after in pairwise(steps):
        seen = (repr(before), repr(after))
        twice = [
            type(strategy)(**strategy.model_dump(exclude_unset=True)).deploy(after.world, before.deployment)
            for _ in range(2)
        ]
        assert twice[0] == twice[1] and (repr(before), repr(after)) == seen


def test_a_new_base_model_spares_only_what_the_policy_declares(strategy, steps):
    for _, deployed, taken in events_of(steps):
        if isinstance(taken[0].event, BaseModelUpdate):
            standing = {a for a in taken[-1].deployment.routed.values() if a.fingerprint in deployed.artifacts}
            assert {a.kind for a in standing} <= strategy.policy.keeps.get(Kind.BASE_MODEL, frozenset())


def test_what_fell_is_not_left_over_another_base_model(strategy):
    for step in lived(strategy, falls):
        assert step.deployment.checks or not any(map(is_carried, step.deployment.routes.values()))


def test_other_scores_lead_to_another_life_only_where_something_is_checked(strategy):
    """Which is why `scenario/suppose.py` lives through one life where nothing is."""
    held = lived(strategy, holds)
    assert any(step.deployment.checks for step in held) or lived(strategy, falls) == held


def test_retirement_unroutes_and_builds_nothing_unless_declared(strategy, steps):
    for _, _, taken in events_of(steps):
        if isinstance(taken[0].event, TaskRetirement):
            built = [a for step in taken for a in step.plan.built]
            assert bool(built) == strategy.policy.rebuilds_on_retirement


def test_a_task_that_leaves_and_comes_back_leaves_the_others_as_they_were(strategy):
    story = [STORY[0], STORY[1], event("task_retirement", 12, task="intent")]
    _, before, _, after = life(
        strategy, [*story, event("task_arrival", 14, task="intent", languages=("en", "de"), labelled=200)]
    )
    (other,) = before.world.served("sentiment")
    assert after.deployment.routes[other] == before.deployment.routes[other]


def test_the_impact_of_an_event_is_a_path_from_what_moved(steps):
    for step in steps:
        for product, path in ((p, way) for p, ways in impact(step.plan, step.deployment).items() for way in ways):
            assert path[-1] == product
            assert path[0].kind.is_source or step.number  # a recipe may move, or a check may fail, but not at launch
