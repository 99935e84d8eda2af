"""What is said of events and artifacts, held against the results of the same run."""

import json
import math

import pytest
from played import EVENTS, ROLLED_OUT, TEXT, folder_of_life, lived
from typer.testing import CliRunner

from adapeff_sim.artifact_explanation import explain_artifact
from adapeff_sim.cli.app import app
from adapeff_sim.costs.base import charge
from adapeff_sim.event_explanation import _running, explain_event
from adapeff_sim.explanation import ExplanationError
from adapeff_sim.scenario.relived import relived


@pytest.fixture(scope="module")
def run():
    scenario, results, ledger = lived()
    return results, ledger, tuple(relived(scenario, ledger))


def turn(run, number, label):
    return explain_event(*run, number, strategy=label).turns[0]


def test_what_happened_is_said_of_every_kind_of_change(run):
    told = [explain_event(*run, number).happened for number in range(1, EVENTS + 1)]
    assert told[0][0] == "The base model is mini:v1."
    assert "intent/de is served, with 150 labelled rows and 45 requests a day." in told[0]
    assert told[2][0] == "intent/en gets 167 requests a day, and got 45 before."
    assert told[3] == (
        "intent/de has 200 labelled rows, and had 150 labelled rows before.",
        "intent/de is tested on other rows (edition 2).",
    )
    assert told[4][0] == "intent/sw is served, with no labelled rows (zero-shot) and 5 requests a day."
    assert told[5] == ("The base model is mini:v2, where it was mini:v1.",)
    assert told[6][-1] == "sentiment/sw is served no more."


def test_what_became_stale_by_which_way(run):
    found = {t.slot: t for t in turn(run, 4, "adapter_fusion").touched}
    assert found["fusion/sentiment"].because == ("fused:adapter/intent",)
    assert found["fusion/sentiment"].ways == (("dataset/intent/de", "adapter/intent", "fusion/sentiment"),)
    assert found["adapter/sentiment"].action == "keep" and found["adapter/sentiment"].work is None


def test_a_check_that_failed_is_told_with_what_followed(run):
    found = turn(run, 6, "carried")
    assert ("intent/de", 2.0) in found.checks
    rounds = {t.round for t in found.touched if t.action == "rebuild"}
    assert rounds == {1}


def test_what_fell_due_at_all_events_is_what_the_results_charge_at_once(run):
    results = run[0]
    for label in results.facts.labels:
        told = math.fsum(p.amount for n in range(1, EVENTS + 1) for p in turn(run, n, label).paid)
        rows = [r for r in results.rows if (r.label, r.seed) == (label, 13) and r.until == r.day]
        assert told == pytest.approx(math.fsum(r.amount or 0.0 for r in rows))


def test_rolling_out_is_told_at_the_last_event_of_its_day():
    """What falls due at all events is what the results charge at once, answers to checks and shared days as well."""
    scenario, results, ledger = lived(ROLLED_OUT)
    steps = tuple(relived(scenario, ledger))
    for label in results.facts.labels:
        turns = [explain_event(results, ledger, steps, n, strategy=label).turns[0] for n in range(1, EVENTS + 2)]
        told = [paid for turn in turns for paid in turn.paid]
        rows = [r for r in results.rows if (r.label, r.seed) == (label, 13) and r.until == r.day]
        for component in ("compute", "serving"):
            due = [r.amount or 0.0 for r in rows if r.component == component]
            assert math.fsum(p.amount or 0.0 for p in told if p.component == component) == pytest.approx(math.fsum(due))
            assert math.fsum(due) > 0


def test_what_each_day_costs_adds_up_to_what_accrues(run):
    results, days = run[0], [0, 20, 30, 40, 60, 90, 120]
    numbers = [1, 2, 3, 5, 6, 7]  # the last event of each day tells of all of it
    for label in results.facts.labels:
        running = [turn(run, n, label).running for n in numbers]
        told = math.fsum((days[i + 1] - days[i]) * r.after for i, each in enumerate(running) for r in each)
        rows = [r for r in results.rows if (r.label, r.seed) == (label, 13) and r.until > r.day]
        assert told == pytest.approx(math.fsum(r.amount or 0.0 for r in rows))


def test_what_each_day_costs_is_never_0_where_it_is_not_known():
    what = ("serving", "idle x", "replica_hours")
    known, unknown = (charge(("it", 1, 0.0), 9.0, what, hours, 1.0, "measured") for hours in (2.0, None))
    (found,) = _running([known, unknown], 4.0)
    assert (found.component, found.before, found.after) == ("serving", None, None)


def test_on_the_horizons_own_day_what_stands_then_is_told():
    """Nothing of that day accrues any more, but what answers and lies in store does not vanish."""
    scenario, results, ledger = lived(TEXT.replace("horizon_days: 120", "horizon_days: 90"))
    steps = tuple(relived(scenario, ledger))
    found = explain_event(results, ledger, steps, EVENTS, strategy="adapter_per_task").turns[0]
    later = turn((lived()[1], lived()[2], steps), EVENTS, "adapter_per_task")
    assert (found.replicas, found.stored_bytes) == (later.replicas, later.stored_bytes)
    assert [r.after for r in found.running] == pytest.approx([r.after for r in later.running])
    assert found.replicas == (1, 1)


def test_scores_replicas_and_sharing(run):
    found = turn(run, 2, "adapter_fusion")
    assert {s.endpoint: (s.score, s.before) for s in found.scored}["intent/en"] == (0.9, 0.9)
    assert found.replicas == (1, 1) and found.stored_bytes[1] > found.stored_bytes[0]
    work = next(t.work for t in found.touched if t.slot == "adapter/sentiment")
    assert work.also_for == ("adapter_per_task", "carried") and work.train_flops is None


def test_the_generations_of_an_artifact(run):
    found = explain_artifact(*run, "adapter/sentiment", seed=14)
    assert found.without == ("continued",)
    life = next(each for each in found.lives if each.label == "adapter_fusion")
    assert life.seed == 14
    first, second = life.generations
    assert (first.since, first.until, first.end) == (20, 60, "rebuilt")
    assert set(first.answers) == {"intent/de", "intent/en", "intent/sw", "sentiment/en", "sentiment/sw"}
    assert "base:base_model#2" in second.made_from and second.ways == (("base_model", "adapter/sentiment"),)
    assert set(first.under) == {"fusion/intent", "fusion/sentiment"}


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"number": 9}, r"there is no event 9; give one of:\n  --event 1  day 0: launch"),
        ({"number": 1, "strategy": "x"}, "no strategy is called 'x'"),
        ({"number": 1, "seed": 7}, "seed 7 was not lived; known: 13, 14"),
    ],
)
def test_what_is_not_there_is_told(run, how, told):
    with pytest.raises(ExplanationError, match=told):
        explain_event(*run, **how)
    with pytest.raises(ExplanationError, match="did you mean 'adapter/intent'"):
        explain_artifact(*run, "adapter/intend")


def test_at_the_command_line_events_and_artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    done = str(folder_of_life(tmp_path / "done"))

    def do(*arguments):
        ended = CliRunner().invoke(app, ["explain", *arguments])
        return ended.exit_code, " ".join(ended.output.split())

    code, text = do(done, "--event", "4")
    assert code == 0
    assert "by dataset/intent/de > adapter/intent > fusion/sentiment" in text
    assert "hours of the device (cpu) at" in text and "continued" in text and "cost of each day" in text
    assert "FLOPs unavailable" in text  # what was not counted is no 0
    assert "then rebuilt" in do(done, "--artifact", "fusion/intent")[1]
    code, text = do(done, "--event", "6", "--json", "--strategy", "carried")
    assert code == 0 and json.loads(text)["turns"][0]["label"] == "carried"
    assert do(done)[0] == 2 and "--event 5 day 40: new_language sw" in do(done)[1]
    assert do(done, "--event", "1", "--job", "x")[0] == 2
    (tmp_path / "done" / "scenario.yaml").unlink()
    code, text = do(done, "--event", "1")
    assert code == 2 and "holds no scenario.yaml" in text
