"""Traffic, labels, refreshes and arrivals."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from story import event

from adapeff_sim.errors import ScenarioError
from adapeff_sim.lifecycle.timeline import Arrivals, timeline
from adapeff_sim.lifecycle.world import Endpoint, TestSet, World, source_name

LAUNCH = event("launch", 0, base_model="m", tasks={"intent": ("en", "de")}, labelled=100, requests_per_day=10)


def test_traffic_may_be_given_for_each_endpoint():
    launch = event("launch", 0, base_model="m", tasks={"a": ("en", "de")}, requests_per_day={"a/en": 9, "a/de": 1})
    assert launch.apply(World()).traffic == {Endpoint("a", "en"): 9, Endpoint("a", "de"): 1}
    odd = launch.model_copy(update={"requests_per_day": {"a/en": 9, "a/de": 1, "a/fr": 1}})
    with pytest.raises(ScenarioError, match=r"a/fr does not match.*a/de, a/en"):
        odd.apply(World())


def test_a_refresh_adds_rows_or_takes_them_elsewhere():
    world = LAUNCH.apply(World())
    more = event("dataset_refresh", 1, task="intent", languages=("en",), add=30).apply(world)
    assert more.datasets[Endpoint("intent", "en")].rows == 130
    assert more.datasets[Endpoint("intent", "de")].rows == 100
    other = event("dataset_refresh", 1, task="intent", source={"files": "x"}, test_set=True).apply(world)
    assert {d.source for d in other.datasets.values()} == {"files:x"} == {t.source for t in other.test_sets.values()}


def test_new_tests_of_the_source_that_is_there_are_its_next_edition():
    world = event("dataset_refresh", 1, task="intent", source="files:x", test_set=True).apply(LAUNCH.apply(World()))
    again = event("dataset_refresh", 2, task="intent", source="files:x", test_set=True).apply(world)
    assert set(again.test_sets.values()) == {TestSet(2, "files:x")}


@pytest.mark.parametrize("fields", [{}, {"add": 3, "source": "files:x"}, {"add": 0}])
def test_a_refresh_that_says_nothing_or_two_things_is_refused(fields):
    with pytest.raises(ValidationError):
        event("dataset_refresh", 1, task="intent", **fields)


def test_nothing_can_be_added_to_all_rows():
    world = event("launch", 0, base_model="m", tasks={"intent": ("en",)}).apply(World())
    with pytest.raises(ScenarioError, match="all its rows already"):
        event("dataset_refresh", 1, task="intent", add=3).apply(world)


def test_a_task_without_any_labels_cannot_be_served():
    world = LAUNCH.apply(World())
    with pytest.raises(ScenarioError, match="is not served"):
        event("new_language", 1, language="sw", labelled=0, tasks=("topic",)).apply(world)
    with pytest.raises(ScenarioError, match="launched already"):
        LAUNCH.apply(world)


def test_source_names_have_one_form():
    assert source_name({"files": "x"}) == source_name("files:x") == "files:x"
    assert source_name({"hub": {"b": 1, "a": 2}}) == source_name({"hub": {"a": 2, "b": 1}})
    assert source_name(["files"]) == ["files"]


REFRESH = {"event": "dataset_refresh", "task": "intent", "add": 5}


@given(st.sampled_from(["regular", "poisson"]), st.floats(0.5, 60), st.floats(0, 100), st.integers(0, 99))
def test_arrivals_are_seeded_dated_events_inside_the_horizon(process, gap, start, seed):
    arrivals = Arrivals(process=process, gap_days=gap, start_day=start, repeat=True, events=(REFRESH,))
    days = [e.day for e in timeline([LAUNCH], [arrivals], 200, seed)]
    assert days == sorted(days) and all(d <= 200 for d in days)
    assert days == [e.day for e in timeline([LAUNCH], [arrivals], 200, seed)]
    if process == "regular":
        assert all(b - a == pytest.approx(gap, abs=0.02) for a, b in pairwise(days[1:]))


def test_arrivals_follow_their_mean_and_their_seed():
    arrivals = Arrivals(process="poisson", gap_days=2, repeat=True, events=(REFRESH,))
    one, other = ([e.day for e in timeline([], [arrivals], 2000, seed)] for seed in (1, 2))
    assert one != other and 900 < len(one) < 1100


@pytest.mark.parametrize(("gap", "horizon"), [(0.7, 7), (0.1, 0.3), (2.3, 23), (30, 360)])
def test_the_last_of_regular_arrivals_may_come_on_the_horizons_day(gap, horizon):
    arrivals = Arrivals(process="regular", gap_days=gap, repeat=True, events=(REFRESH,))
    assert timeline([], [arrivals], horizon, 1)[-1].day == horizon


def test_arrivals_that_do_not_repeat_end():
    arrivals = Arrivals(process="regular", gap_days=10, events=(REFRESH, {**REFRESH, "add": 6}))
    assert [(e.day, e.add) for e in timeline([], [arrivals], 365, 1)] == [(10, 5), (20, 6)]


def test_one_day_keeps_the_order_of_the_file():
    events = [LAUNCH, event("traffic_change", 5, requests_per_day=1), event("traffic_change", 5, requests_per_day=2)]
    assert timeline(events, [], 10, 1) == events


def test_headlines_name_what_happens():
    assert LAUNCH.headline == "launch m"
    assert event("new_language", 1, language="sw", labelled=3).headline == "new_language sw"


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("task_arrival", {"task": "topic", "languages": ("en", "en")}, "named twice"),
        ("dataset_refresh", {"task": "intent", "languages": ("en", "fr"), "add": 1}, "intent/fr is not served"),
        ("new_language", {"language": "en", "labelled": 1, "tasks": ("intent",)}, "served already"),
        ("base_model_update", {"base_model": "m"}, "name another release"),
    ],
)
def test_what_is_named_without_effect_is_refused(kind, fields, told):
    with pytest.raises(ScenarioError, match=told):
        event(kind, 1, **fields).apply(LAUNCH.apply(World()))


@pytest.mark.parametrize("rate", [float("inf"), float("nan"), -1, 1e13])
def test_traffic_is_a_number_that_can_be(rate):
    with pytest.raises(ValidationError):
        event("traffic_change", 1, requests_per_day=rate)


def test_gaps_are_not_rounded_before_they_are_added():
    arrivals = Arrivals(process="regular", gap_days=30.4375, repeat=True, events=(REFRESH,))
    assert [e.day for e in timeline([], [arrivals], 365, 1)][-1] == 334.81
    with pytest.raises(ValidationError):
        Arrivals(process="regular", gap_days=0.004, repeat=True, events=(REFRESH,))
