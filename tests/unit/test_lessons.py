"""What lessons read from a run, also where a run does not bear their claim out, and how it is shown."""

import json

import pytest
from finished_run import folder_with
from hand_made import XLM_R_BASE, answer, build, fetch, kept, prices, probe, scored, stands
from rich.console import Console
from typer.testing import CliRunner

from adapeff_sim.cli import lesson_view
from adapeff_sim.cli.app import app
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.errors import UnknownPlugin
from adapeff_sim.estimation.encoder import encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, nominal_flops, step_flops
from adapeff_sim.estimation.parameters import parameters
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Batches, HeadSize, Workload
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


def shaped(slot, label, trained, adapters=(), size=1, **fields):
    """A training of ten steps with XLM-R base, whose counts are what closed forms say."""
    network = NetworkShape(encoder_shape(XLM_R_BASE), adapters, trained == "fusion", trained)
    head = HeadShape(True, 3)
    step, sizes = step_flops(network, head, 32, 128).times(10), parameters(network, [head])
    usage = took(float(step.total), float(nominal_flops(10 * 32 * 128, sizes.non_embedding)), float(sizes.trained))
    usage |= {"total_parameters": float(sizes.total)}
    seen = Workload(
        encoder=XLM_R_BASE,
        adapters=adapters,
        fused=trained == "fusion",
        trained=trained,
        heads={"intent": HeadSize(per_sequence=True, outputs=3)},
        batches=(Batches(task="intent", sequences=32, length=128, steps=10),),
    )
    kind = {"head": "adapter"}.get(trained, trained)
    return build(slot, usage, label=label, kind=kind, workload=seen, stored_bytes=size, **fields)


def test_a_fusion_is_shown_beside_smaller_and_larger_ones():
    fusion = [shaped("fusion/intent", "adapter_fusion", "fusion", ("seq_bn",) * 3), stands(label="adapter_fusion")]
    alone = shaped("adapter/intent", "adapter_fusion", "adapter", ("seq_bn",))
    full = [shaped("model/intent", FULL, "model"), stands(label=FULL)]
    found = lesson_called("fusion_step").look(evidence([alone, *fusion, *full], ("adapter_fusion", FULL)))
    alone_share, three, two_adapters, six = (figure.share for figure in found.figures[1:5])
    assert found.holds and found.choice == 3
    assert alone_share < 0.7 < two_adapters < three < six and three == pytest.approx(1.219, abs=1e-3)
    assert [figure.provenance for figure in found.figures[2:4]] == ["measured", "estimated"]


@pytest.mark.parametrize(("bytes_each", "holds"), [(2, True), (4, False)])
def test_bytes_are_weighed_and_not_reckoned_from_parameters(bytes_each, holds):
    sizes = {"parameters": 278_000_000, "stored_bytes": 278_000_000 * bytes_each}
    records = [stands(label=ADAPTER), stands(label=FULL)]
    for task in ("intent", "sentiment"):
        light = shaped(f"adapter/{task}", ADAPTER, "adapter", ("seq_bn",))
        heavy = shaped(f"model/{task}", FULL, "model")
        for made, count in ((light, "trainable_parameters"), (heavy, "total_parameters")):
            records.append(made.model_copy(update={"stored_bytes": int(4 * made.usage[count])}))
    run = evidence(records, (ADAPTER, FULL), {"base_models": {"mini": sizes}})
    found = lesson_called("bytes_on_disk").look(run)
    assert found.holds is holds and found.choice == (1 if holds else 0)
    head = next(figure for figure in found.figures if "head" in figure.what and figure.amounts[1] is None)
    assert head.amounts[0] == 769 * (768 + 3)


def test_a_run_that_does_not_say_how_large_its_base_model_was_is_an_error():
    with pytest.raises(LessonError, match="base model"):
        lesson_called("bytes_on_disk").look(evidence([stands(label=ADAPTER)], (ADAPTER,)))


def moved(label, kept_over=()):
    """A life whose base model moves on day 5: what is not ``kept_over`` is trained again, some of it after a check."""
    at, again = {"label": label}, {"label": label, "day": 5.0}
    slots = ("a", "b")
    told = {"event": "base_model_update mini:v2", "label": label, "day": 5.0}
    first = stands(answer(1.0), rebuilt=tuple(x for x in slots if x not in kept_over), kept=kept_over, step=1, **told)
    steps = [first]
    if kept_over:
        steps += [scored(0.4, step=1, **again), stands(answer(1.0), rebuilt=("b",), kept=("a",), step=2, **told)]
        steps += [build("b", took(7.0, 1.0), step=2, **again)]
    else:
        steps += [build(x, took(10.0, 1.0), step=1, **again) for x in slots]
    launch = [build(x, took(10.0, 1.0), **at) for x in slots]
    end = scored(0.6, step=2 if kept_over else 1, **again)
    return [*launch, scored(0.5, **at), stands(answer(1.0), event="launch", created=slots, **at), *steps, end]


def test_a_new_base_model_is_told_with_what_was_kept_and_what_fell():
    labels = (ADAPTER, "adapter_carried_over", "adapter_fusion", MULTI)
    lives = {label: moved(label, ("a", "b") if "carried" in label else ()) for label in labels}
    lesson = lesson_called("new_base_model")
    found = lesson.look(evidence([r for life in lives.values() for r in life], labels))
    figures = {figure.what: figure.amounts for figure in found.figures}
    assert found.holds and found.choice == 3
    assert "6 of 6 trained artifacts" in found.claim and found.claim.endswith("1 of 2.")
    assert figures["operations of training again"] == (20.0, 7.0, 20.0, 20.0)
    assert figures["a/en, old adapter over the new base model"] == (None, 40.0, None, None)
    assert figures["a/en in the end"] == (60.0,) * 4
    lives[MULTI] = moved(MULTI, ("a", "b"))
    assert not lesson.look(evidence([r for life in lives.values() for r in life], labels)).holds


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
