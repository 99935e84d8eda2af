"""A finished run told again as news: the same ledger comes of it, in the same order."""

from functools import partial

import pytest
from played import EVENTS, TEXT, lived
from story import Reckoner, falls, order_of

from adapeff_sim.execution.base import Progress, Started
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Validation
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord
from adapeff_sim.lifecycle.timeline import timeline
from adapeff_sim.playback import PlaybackError, Reached, playback
from adapeff_sim.scenario.load import loads
from adapeff_sim.scenario.relived import are_told, relived
from adapeff_sim.simulation import Finished, Simulation, Unfolded


@pytest.fixture(scope="module")
def run():
    scenario, _, ledger = lived()
    return scenario, ledger, playback(scenario, ledger)


def test_accounting_for_what_is_played_gives_the_same_ledger(run):
    _, ledger, played = run
    assert played.ledger.dumps() == ledger.dumps() and played.tells(ledger)
    other = ledger.records[9].model_copy(update={"provenance": "estimated"})
    assert not played.tells(Ledger((*ledger.records[:9], other, *ledger.records[10:])))
    assert not played.tells(Ledger(ledger.records[1:]))


def test_it_is_the_same_news_in_the_same_order(run):
    scenario, _, played = run
    told = []

    def watch(news):
        told.append((type(news).__name__, news.order.key if isinstance(news, Finished) else ""))

    Simulation(scenario.strategies, scenario.seeds, scenario.events, order_of).run(Reckoner(falls), watch)
    news = [act.what for act in played.acts if isinstance(act.what, Finished | Unfolded)]
    assert [(type(n).__name__, n.order.key if isinstance(n, Finished) else "") for n in news] == told
    first, last = (len(n.steps) for n in news if isinstance(n, Unfolded))
    assert last > first  # checks were answered, and lives went on


def test_every_event_is_reached_once_before_its_first_job_those_without_jobs_too(run):
    _, _, played = run
    reached = [act.what for act in played.acts if isinstance(act.what, Reached)]
    assert [r.number for r in reached] == [*range(1, EVENTS + 1)] and played.events == EVENTS
    assert [r.step.event.day for r in reached] == [0, 20, 30, 40, 40, 60, 90]
    seen = set()
    for act in played.acts:
        if isinstance(act.what, Reached):
            seen.add(act.what.step.event.day)
        if isinstance(act.what, Started):
            assert act.what.order.day in seen


def test_a_job_takes_the_seconds_that_it_took(run):
    _, _, played = run
    seconds = [act.second for act in played.acts]
    assert seconds == sorted(seconds)
    unique = {r.key: r for r in played.ledger.records if getattr(r, "key", "")}.values()
    took = [r.usage.get("train_seconds", 0.0) + r.usage.get("evaluate_seconds", 0.0) for r in unique]
    assert played.seconds == pytest.approx(sum(took))


def test_a_training_tells_how_far_it_is_by_its_validations():
    scenario, _, ledger = lived()
    curve = (
        Validation(step=30, train_seconds=6.0, train_flops=0.0, nominal_train_flops=0.0, scores={"a": 0.5, "b": 0.7}),
        Validation(step=60, train_seconds=12.0, train_flops=0.0, nominal_train_flops=0.0, scores={"a": 0.4, "b": 0.4}),
    )
    usage = {"train_seconds": 12.0, "validate_seconds": 3.0, "train_steps": 60.0}
    records = tuple(
        r.model_copy(update={"curve": curve, "usage": usage}) if isinstance(r, JobRecord) and r.job == "build" else r
        for r in ledger.records
    )
    acts = playback(scenario, Ledger(records)).acts
    first = next(i for i, act in enumerate(acts) if isinstance(act.what, Progress))
    begun = acts[first].second
    found = [(act.second - begun, act.what) for act in acts[first:] if isinstance(act.what, Progress)][:20]
    assert found[0][1].score is None and found[0][1].remaining_seconds == 15
    half, progress = found[10]
    assert (progress.done, progress.total, progress.score) == (30, 60, pytest.approx(0.6))
    assert half == pytest.approx(7.5) and found[15][1].done == 45


def test_a_life_without_scores_is_told_again_as_it_was_lived():
    """Estimates have none: what is carried over fell there, and no check still waits for an answer."""
    scenario, _, ledger = lived()
    bare = [r.model_copy(update={"scores": {}}) if isinstance(r, EvaluationRecord) else r for r in ledger.records]
    told = [[(s.label, s.seed, s.number) for s in relived(scenario, Ledger(tuple(r)))] for r in (bare, ledger.records)]
    assert told[0] == told[1]


def test_a_ledger_of_something_else_is_refused():
    scenario, _, ledger = lived()
    with pytest.raises(PlaybackError, match="the ledger tells nothing of"):
        playback(scenario, Ledger(ledger.records[5:]))


def test_a_run_that_took_its_own_source_for_another_one_is_told_as_it_was_lived():
    """Before 0.4 a refresh that named the scenario's own source bought its rows anew and trained on them."""
    named = "{day: 30, event: dataset_refresh, task: intent, source: helpdesk, test_set: true}"
    scenario = loads(TEXT.replace("{day: 30, event: traffic_change, requests_per_day: 500}", named))
    said = partial(timeline, scenario.timeline, scenario.arrivals, scenario.horizon_days)
    before, now = (
        Simulation(scenario.strategies, scenario.seeds, events, order_of).run(Reckoner(falls), lambda news: None)
        for events in (said, scenario.events)
    )
    assert before.dumps() != now.dumps()
    for ledger in (before, now):
        assert are_told(relived(scenario, ledger), ledger) and playback(scenario, ledger).tells(ledger)
    assert not are_told(relived(scenario, now), Ledger(now.records[5:]))
