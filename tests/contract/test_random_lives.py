"""Whatever life the product leads, every strategy serves it, and the books balance."""

from itertools import groupby

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from story import Reckoner, event, falls, holds, life, simulate, variants

from adapeff_sim.errors import ScenarioError
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord
from adapeff_sim.lifecycle.world import World
from adapeff_sim.planning.plan import Action

TASKS, LANGUAGES = st.sampled_from(["a", "b", "c"]), st.sampled_from(["en", "de", "sw"])
SOME_LANGUAGES = st.lists(LANGUAGES, min_size=1, max_size=3, unique=True).map(tuple)
KINDS = {
    "task_arrival": {"task": TASKS, "languages": SOME_LANGUAGES, "labelled": st.integers(1, 9)},
    "new_language": {"language": LANGUAGES, "labelled": st.integers(0, 9)},
    "dataset_refresh": {"task": TASKS, "add": st.integers(1, 9), "test_set": st.booleans()},
    "base_model_update": {"base_model": st.sampled_from(["m:1", "m:2", "m:3"])},
    "task_retirement": {"task": TASKS},
    "traffic_change": {"requests_per_day": st.integers(0, 99)},
}


@st.composite
def timelines(draw):
    """A launch, then events that can happen in the world they find."""
    found = [event("launch", 0, base_model="m:1", tasks={"a": draw(SOME_LANGUAGES)}, labelled=5, requests_per_day=9)]
    world = found[0].apply(World())
    for day in range(1, draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(sorted(KINDS)))
        happens = event(kind, day, **{name: draw(values) for name, values in KINDS[kind].items()})
        try:
            after = happens.apply(world)
        except ScenarioError:
            continue
        if after.traffic:
            world = after
            found.append(happens)
    return found


@settings(max_examples=25, deadline=None)
@given(timelines(), st.sampled_from(list(variants())), st.sampled_from([holds, falls]))
def test_every_strategy_serves_every_life(story, strategy, scores):
    steps = life(strategy, story, scores)
    assert [e for e, _ in groupby(s.event for s in steps)] == story
    for step in steps:
        assert set(step.deployment.routes) == set(step.world.traffic)
        assert nx.is_directed_acyclic_graph(step.deployment.graph())
        assert all(c.because for c in step.plan.changes if c.action is Action.REBUILD)


@settings(max_examples=15, deadline=None)
@given(timelines(), st.sampled_from(list(variants())))
def test_the_books_balance(story, strategy):
    ledger = simulate({"it": strategy}, [1], story, Reckoner(falls))
    assert ledger.records == simulate({"it": strategy}, [1], story, Reckoner(falls)).records
    scored: set[str] = set()
    for record in ledger.records:
        if isinstance(record, EvaluationRecord):
            scored.add(record.endpoint)
        if isinstance(record, DeploymentRecord):
            assert {a.endpoint for a in record.answered} <= scored
            assert len({s.fingerprint for s in record.stored}) == len(record.stored)
