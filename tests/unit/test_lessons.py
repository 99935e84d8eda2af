"""What lessons read from a run, also where a run does not bear their claim out, and how it is shown."""

import json

import pytest
from finished_run import folder_with
from hand_made import answer, build, fetch, kept, prices, probe, scored, stands
from rich.console import Console
from typer.testing import CliRunner

from adapeff_sim.cli import lesson_view
from adapeff_sim.cli.app import app
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.errors import UnknownPlugin
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.lessons.base import Evidence, LessonError, lesson_called
from adapeff_sim.results import Facts, results_of
from adapeff_sim.scenario.load import load, teaching_scenario

ADAPTER, FULL, MULTI = "adapter_per_task", "full_per_task", "multitask_full"


def took(true, nominal, trained=100.0, steps=10.0, tokens=800.0):
    """What a training used, in round numbers."""
    found = {"train_flops": true, "nominal_train_flops": nominal, "train_steps": steps, "train_tokens": tokens}
    parts = {f"train_{part}_flops": true / 3 for part in ("forward", "activation_gradient", "weight_gradient")}
    return {**found, **parts, "trainable_parameters": trained, "train_seconds": 1.0}


def evidence(records, labels, environment=None, horizon=10.0):
    """A finished run with these records."""
    ledger, terms = Ledger(tuple(records)), Terms(horizon_days=horizon)
    facts = Facts(name="taught", labels=tuple(labels), seeds=(1,), terms=terms, quality_floor=2.0)
    rows = price_ledger(ledger, prices(), terms)
    return Evidence(results_of(facts, ledger, prices(), rows, environment or {}), ledger)


def two(adapter, full):
    """An adapter and a full model of one task, with what each took."""
    return evidence(
        [
            build("adapter/intent", adapter, label=ADAPTER),
            stands(kept("adapter/intent"), answer(1.0), label=ADAPTER, event="launch m", created=("adapter/intent",)),
            build("model/intent", full, label=FULL, kind="model"),
            stands(kept("model/intent"), answer(1.0), label=FULL, event="launch m", created=("model/intent",)),
        ],
        (ADAPTER, FULL),
    )


def arrival(label, moved, created=(), rebuilt=()):
    """A life of one endpoint to which a task comes on day 5; ``moved`` says whether the old one is answered anew."""
    later = {"label": label, "step": 1, "day": 5.0}
    old, new = (answer(1.0, endpoint=f"{task}/en") for task in ("intent", "sentiment"))
    again = [scored(endpoint="intent/en", items=7, **later)] if moved else []
    told = {"event": "task_arrival sentiment", "created": created, "rebuilt": rebuilt, "touched": ("sentiment/en",)}
    return [
        scored(endpoint="intent/en", items=7, label=label),
        stands(kept("a"), old, event="launch m", created=("a",), touched=("intent/en",), redeployed=(), label=label),
        *again,
        scored(endpoint="sentiment/en", items=7, **later),
        stands(kept("a"), old, new, redeployed=("intent/en",) if moved else (), **told, **later),
    ]


@pytest.mark.parametrize(
    ("true", "nominal", "holds", "choice"), [(80.0, 130.0, True, 2), (80.0, 90.0, False, 0), (110.0, 130.0, False, 1)]
)
def test_the_winner_flips_only_where_the_counts_disagree(true, nominal, holds, choice):
    found = lesson_called("two_accountings").look(two(took(true, nominal, steps=13.0), took(100.0, 100.0)))
    assert (found.holds, found.choice) == (holds, choice)
    assert found.figures[1].amounts == (true, 100.0) and found.figures[1].share == true / 100
    assert found.figures[3].amounts[0] == pytest.approx(1.3 * 100 / true)
    assert f"{true:.0f} %" in found.claim and f"{nominal:.0f} %" in found.claim


@pytest.mark.parametrize(("true", "holds", "choice"), [(62.0, True, 3), (30.0, False, 2), (1.0, False, 0)])
def test_few_parameters_are_compared_with_the_operations_that_the_run_counted(true, holds, choice):
    run = two(took(true, 100.0, trained=1.0), took(100.0, 100.0))
    found = lesson_called("few_parameters").look(run)
    assert (found.holds, found.choice) == (holds, choice)
    assert found.claim.startswith("1.0 % of the parameters")


def test_trainings_on_other_rows_are_not_compared():
    run = two(took(60.0, 100.0, trained=1.0), took(100.0, 100.0, tokens=900.0))
    with pytest.raises(LessonError, match="train_tokens"):
        lesson_called("few_parameters").look(run)


def test_a_run_without_what_is_asked_for_is_an_error_and_no_answer():
    with pytest.raises(LessonError, match="no training of model/intent"):
        lesson_called("few_parameters").look(
            evidence([build("adapter/intent", label=ADAPTER), stands(label=ADAPTER)], [ADAPTER])
        )
    with pytest.raises(LessonError, match="train_flops"):
        lesson_called("two_accountings").look(two({"train_seconds": 1.0}, took(1.0, 1.0)))


def test_who_is_validated_again_is_read_from_the_arrival():
    lives = {
        ADAPTER: arrival(ADAPTER, False, created=("adapter/sentiment",)),
        "adapter_fusion": arrival("adapter_fusion", True, created=("f",), rebuilt=("g",)),
        MULTI: arrival(MULTI, True, rebuilt=("m",)),
        FULL: arrival(FULL, False, created=("n",)),
    }
    lesson = lesson_called("who_is_validated")
    found = lesson.look(evidence([r for life in lives.values() for r in life], lives))
    assert found.holds and found.choice == 2
    assert [f.amounts for f in found.figures[2:6]] == [(1, 1, 1, 1), (1, 1, 1, 1), (0, 1, 1, 0), (0, 7, 7, 0)]
    lives[MULTI] = arrival(MULTI, False, created=("m",))
    other = lesson.look(evidence([r for life in lives.values() for r in life], lives))
    assert not other.holds and other.choice is None


def lives_served(requests):
    """Three strategies for a year: of the third each task has a model and so a pool of its own."""
    records = []
    for label, pools in ((ADAPTER, "xx"), (MULTI, "xx"), (FULL, "xy")):
        answers = [answer(requests, pool, endpoint=f"{t}/en") for t, pool in zip("ab", pools, strict=True)]
        stood = stands(kept(gib=1e-6), *answers, event="launch m", created=("a",), label=label)
        records += [fetch(label=label), build(label=label, usage={"train_seconds": 1e-3}), probe(label=label), stood]
    return evidence(records, (ADAPTER, MULTI, FULL), horizon=100.0)


def test_replicas_that_wait_are_told_from_those_that_answer():
    lesson = lesson_called("idle_replicas")
    found, busy = (lesson.look(lives_served(requests)) for requests in (10.0, 500_000.0))
    figures = {figure.what: figure.amounts for figure in found.figures}
    assert found.holds and found.choice == 3
    assert figures["replicas at the end"] == (1, 1, 2)
    assert figures["idle, EUR"][2] == pytest.approx(2 * 2400, rel=0.01)
    assert figures["replicas, if models may share them"] == (None, None, None)  # the book says no memory
    assert not busy.holds and busy.choice == 2


@pytest.mark.parametrize("which", ["0", "99", "fusion_stp"])
def test_an_unknown_lesson_is_told_with_what_there_is(which):
    with pytest.raises(UnknownPlugin, match=r"lessons 1 to 7|mean 'fusion_step'"):
        lesson_called(which)


@pytest.fixture
def taught(tmp_path, monkeypatch):
    """The folder of a finished run of lesson 4, and a way to type commands beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    run = two(took(80.0, 130.0, steps=13.0), took(100.0, 100.0))
    scenario = load(teaching_scenario("two_accountings")).as_yaml()
    folder_with(tmp_path / "runs" / "two_accountings", run.results, run.ledger, scenario)
    return lambda *arguments: CliRunner().invoke(app, ["lesson", *arguments])


def test_a_lesson_that_was_run_here_is_shown_at_once(taught):
    shown = taught("4")
    assert shown.exit_code == 0
    assert "it depends on who counts" in shown.output and "The claim holds: As computed" in shown.output
    told = json.loads(taught("two_accountings", "--no-run", "--json").stdout)
    assert told["holds"] is True and told["choice"] == 2 and told["figures"][1]["amounts"] == [80.0, 100.0]


def test_lessons_are_listed_and_none_is_run_where_that_is_forbidden(taught):
    assert [each["number"] for each in json.loads(taught("--json").stdout)] == list(range(1, 8))
    assert "A fusion step costs more" in taught().output
    refused = taught("fusion_step", "--no-run")
    assert refused.exit_code == 2 and "no finished run of lesson 2" in refused.stderr


@pytest.mark.parametrize(("typed", "guess"), [("3", 2), ("", None), ("9", None), ("³", None)])
def test_a_guess_is_one_of_the_choices_or_none(monkeypatch, typed, guess):
    monkeypatch.setattr(lesson_view, "_typed", lambda *_: typed)
    assert lesson_view.asked(Console(file=None, quiet=True), lesson_called("4"), is_asking=True) == guess


def test_numbers_that_do_not_bear_the_claim_out_are_called_so(tmp_path):
    lesson = lesson_called("4")
    found = lesson.look(two(took(80.0, 90.0), took(100.0, 100.0)))
    with (tmp_path / "screen").open("w+") as file:
        lesson_view.answered(Console(file=file, width=90), lesson, found, tmp_path, 1, is_asking=False)
        file.seek(0)
        screen = file.read()
    assert "Not seen in these numbers" in screen and "Answer 1: the adapter. You guessed 2." in screen
