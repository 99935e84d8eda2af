"""A life from closed forms: the counts of a published protocol, and what nobody may take as known."""

import datetime
from pathlib import Path

import pytest
import yaml
from test_calibration import KNOWN as CALIBRATED
from tiny_scenario import plain, write_rows

from adapeff_sim.conduct import conduct, conduct_estimate, estimated
from adapeff_sim.costs.prices import Prices
from adapeff_sim.errors import DataError, ScenarioError
from adapeff_sim.estimates import calibrated, learnt_from
from adapeff_sim.estimation.encoder import NoClosedForm, encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, step_flops
from adapeff_sim.estimation.parameters import parameters
from adapeff_sim.estimation.stated import KNOWN, resolve, shape_of
from adapeff_sim.execution.calibrations import keep_calibration
from adapeff_sim.execution.machine import Machine
from adapeff_sim.execution.piles import Pile, together, trained
from adapeff_sim.forecast import forecast
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.scenario.schema import Scenario

PAPER = load("paper/mundra2023")
BASE, LARGE = shape_of(resolve("shape:xlm-roberta-base")), shape_of(resolve("shape:xlm-roberta-large"))
STEPS = {"xnli": 12272, "sentiment": 5000, "qa": 3071, "paraphrase": 1544, "copa": 1045, "ner": 355}
WITHOUT = {"xnli": 11015, "sentiment": 18287, "copa": 22242, "qa": 20216, "paraphrase": 21743, "ner": 22932}
REPLAYED = {  # steps an epoch with the new task whole, and 5 % and 20 % of each old one
    "xnli": (12825, 14476),
    "sentiment": (5917, 8659),
    "qa": (4084, 7115),
    "paraphrase": (2633, 5894),
    "copa": (2159, 5495),
}


def shortened(tasks: list[str], arrives: str = "", **strategy: object) -> Scenario:
    """The protocol with a launch of some tasks, one that arrives, and one strategy."""
    told = PAPER.plain()
    launch = {**told["timeline"][0], "tasks": {task: ["en"] for task in tasks}}
    arrival = {"day": 9, "event": "task_arrival", "task": arrives, "languages": ["en"]}
    told |= {
        "timeline": [launch, *([arrival] if arrives else [])],
        "strategies": [strategy or "multitask_full"],
        "training": {"every": told["training"]["every"]},
    }
    return Scenario.model_validate(told)


def steps_per_epoch(scenario: Scenario) -> list[float]:
    """Those of every training, in their order."""
    found = estimated(scenario, load_prices("cloud_gpu"), Path("nowhere/store"))
    return [row.usage["train_steps"] / row.usage["train_epochs"] for row in found.results.trainings]


def test_an_epoch_of_all_six_tasks_takes_23287_steps_and_so_do_six_epochs_of_one_each():
    assert steps_per_epoch(shortened(list(STEPS))) == [23287]
    alone = steps_per_epoch(shortened(list(STEPS), full_per_task={}))
    assert sorted(alone) == sorted(STEPS.values()) and sum(alone) == 23287


@pytest.mark.parametrize(("left_out", "steps"), WITHOUT.items())
def test_an_epoch_without_one_task_takes_what_the_kept_checkpoints_say(left_out, steps):
    assert steps_per_epoch(shortened([task for task in STEPS if task != left_out])) == [steps]


@pytest.mark.parametrize(("arrives", "steps"), REPLAYED.items())
def test_a_task_that_is_added_takes_its_own_steps_and_a_share_of_the_others(arrives, steps):
    others = [task for task in STEPS if task != arrives]
    for share, expected in zip((0.05, 0.2), steps, strict=True):
        added = shortened(others, arrives, multitask_full={"update": "continue", "replay": share})
        assert steps_per_epoch(added)[1] == pytest.approx(expected, abs=2)


@pytest.mark.parametrize(
    ("adapters", "base", "large"),
    [
        (("double_seq_bn[reduction_factor=16]",), 1_789_056, 6_343_680),
        (("seq_bn[reduction_factor=16]",), 894_528, 3_171_840),
        (("lora[r=8,alpha=16]",), 294_912, 786_432),
        (("compacter[reduction_factor=32,phm_dim=4]",), 57_088, 152_128),
        (("seq_bn", "seq_bn"), 21_252_096, 75_546_624),
    ],
)
def test_the_protocols_methods_train_so_many_parameters_beside_their_heads(adapters, base, large):
    for shape, expected in ((BASE, base), (LARGE, large)):
        is_fused = len(adapters) > 1
        network = NetworkShape(shape, adapters, is_fused, "fusion" if is_fused else "adapter")
        assert parameters(network, []).trained == expected


def test_the_protocol_is_priced_and_every_amount_is_estimated():
    found = estimated(PAPER.only(["pfeiffer", "multitask_full"], {}), load_prices("cloud_gpu"), Path("nowhere/store"))
    sure = {(row.component, row.provenance) for row in found.results.rows if not row.item.startswith("data ")}
    resting = {("compute", "assumed"), ("serving", "assumed")}  # on the book's rate, which nobody measured
    resting |= {("revalidation", "assumed")}  # at a price that the book calls an assumption
    assert sure == resting | {(each, "estimated") for each in ("storage", "labelling")}
    assert {row.provenance for row in found.results.rows if row.item.startswith("data ")} == {"assumed"}, (
        "bytes a piece"
    )
    assert all(row.amount and row.amount > 0 for row in found.results.rows if row.component == "compute")
    assert {row.provenance for row in found.results.stored if row.kind != "dataset"} == {"estimated"}
    assert {name.partition("_")[2] for row in found.results.trainings for name in row.assumed} == {"seconds"}
    assert [each.value for each in found.assumptions if each.what.startswith("best epoch")] == [3, 3]
    assert all(record.scores == {} for record in found.ledger.of(EvaluationRecord))
    assert "Quality is unknown, as nothing was scored: cost alone is compared." in found.results.verdict.sentences
    both = found.results.trainings[0].usage
    assert 0 < both["train_flops"] < both["nominal_train_flops"]


def test_lines_add_up_to_what_an_event_costs_and_events_to_what_falls_due():
    book = load_prices("cloud_gpu")
    found = estimated(PAPER.only(["multitask_full"], {}), book, Path("nowhere/store"))
    turns = forecast(found.ledger, book, found.results.facts.terms, ("multitask_full",))
    assert [turn.event.partition(" ")[0] for turn in turns] == [event.kind for event in PAPER.events(13)]
    assert [line.sign for line in turns[1].lines if line.what == "model/multitask"] == ["~"]
    due = sum(row.amount or 0 for row in found.results.rows if row.until == row.day)
    assert sum(turn.once.amount or 0 for turn in turns) == pytest.approx(due)
    standing = [row for row in found.results.rows if row.until == PAPER.horizon_days > row.day]
    monthly = sum((row.amount or 0) * 30.4375 / (row.until - row.day) for row in standing)
    assert sum(turn.monthly.amount or 0 for turn in turns) == pytest.approx(monthly)


def test_what_is_only_stated_is_not_trained(tmp_path):
    machine = Machine("cpu", "cpu (test)", 1, "fp32")
    with pytest.raises(ScenarioError, match=r"rows are only stated.*plan --price.*--executor estimate"):
        conduct(PAPER, machine, tmp_path / "store", tmp_path / "out")
    told = plain() | {"data": f"files:{write_rows(tmp_path / 'rows')}"}
    told["timeline"][0]["base_model"] = "shape:bert-base-uncased"
    with pytest.raises(ScenarioError, match="only its shape is stated"):
        conduct(Scenario.model_validate(told), machine, tmp_path / "store", tmp_path / "out")
    assert not (tmp_path / "out").exists() and not (tmp_path / "store").exists()


def test_rows_that_are_here_are_read_for_their_lengths_and_the_epochs_are_an_assumption(tmp_path):
    told = plain() | {"data": f"files:{write_rows(tmp_path / 'rows')}"}
    told["training"]["every"] = {"epochs": 50, "patience": 2, "batch_size": 4}
    scenario = Scenario.model_validate(told)
    found = conduct_estimate(scenario, tmp_path / "store", tmp_path / "out")
    adapter = next(row for row in found.trainings if row.slot == "adapter/intent" and row.day == 0)
    assert adapter.usage["train_epochs"] == 6 + 2 and adapter.usage["train_steps"] == 8 * 3  # 12 rows in fours
    assert adapter.usage["train_tokens"] % 8 == 0
    assert {"train_steps", "train_flops", "validate_flops"} <= set(adapter.assumed), "nobody knows its epochs"
    assert not {"trainable_parameters", "total_parameters"} & set(adapter.assumed)
    assert {(row.warmup_seconds, row.lost_seconds) for row in found.events} == {(None, None)}, "nothing ran"
    (epochs, *_) = found.environment["assumptions"]
    assert (epochs["what"], epochs["provenance"]) == ("best epoch, adapter", "assumed")
    assert any("is carried over" in each["what"] for each in found.environment["assumptions"])
    assert (tmp_path / "out" / "results.json").is_file() and not (tmp_path / "store").exists()
    with pytest.raises(ScenarioError, match="nothing can be learnt"):
        learnt_from(tmp_path / "out")


def test_a_calibration_of_the_priced_device_goes_before_the_price_books_assumption(tmp_path):
    ner, book = shortened(["ner"], adapter_per_task={}), load_prices("laptop_cpu")
    assumed = estimated(ner, book, tmp_path / "store")
    keep_calibration(CALIBRATED, tmp_path / "store")
    found = estimated(ner, book, tmp_path / "store")
    row = found.results.trainings[0]
    assert row.device == CALIBRATED.device and "train_backward_seconds" in row.usage
    assert row.usage["train_seconds"] != assumed.results.trainings[0].usage["train_seconds"]
    assert row.usage["train_flops"] == assumed.results.trainings[0].usage["train_flops"]
    told = [each for each in found.assumptions if each.what == "seconds of training"]
    assert [each.provenance for each in told] == ["measured"] and CALIBRATED.device in told[0].source
    elsewhere = estimated(ner, load_prices("cloud_gpu"), tmp_path / "store")
    assert elsewhere.results.trainings[0].device == "L4", "a calibration of a CPU says nothing of a GPU"
    ways = [each.results.environment["threads"] for each in (found, elsewhere)]
    assert ways == [CALIBRATED.threads, None], "an assumed rate is of no number of threads"


def test_of_several_calibrations_that_of_the_runs_precision_and_threads_is_taken(tmp_path):
    store, later = tmp_path / "store", CALIBRATED.date + datetime.timedelta(days=9)
    other = {"threads": 9, "date": later}
    for update in ({}, other, {**other, "precision": "bf16"}, {"device": "cuda (L4)", "precision": "bf16"}):
        keep_calibration(CALIBRATED.model_copy(update=update), store)
    assert calibrated(store, "cpu", CALIBRATED.threads) == CALIBRATED
    assert [calibrated(store, "cpu", 9, how).precision for how in ("auto", "bf16")] == ["fp32", "bf16"]
    assert calibrated(store, "cpu", 1).date == later, "none of so many threads: the latest"
    assert calibrated(store, "L4", 9).precision == "bf16" and calibrated(store, "T4", 9) is None


def test_where_nobody_knows_how_fast_a_device_is_its_seconds_are_unavailable_and_operations_are_not():
    told = load_prices("cloud_gpu").model_dump()
    for part in ("compute", "serving"):
        told[part] |= {"flops_per_second": None, "assumption": ""}
    ner, slow = shortened(["ner"], adapter_per_task={}), Prices.model_validate(told)
    found = estimated(ner, slow, Path("nowhere/store")).results
    known = {r.component: r.mean is not None for r in found.totals}
    assert known == {**dict.fromkeys(known, True), "compute": False, "serving": False}
    (row,) = found.trainings
    assert row.usage["train_flops"] > 0 and {"train_seconds", "validate_seconds"} <= set(row.unavailable)
    told["compute"] |= {"per": "exaflop", "includes_energy": False}
    found = estimated(ner, Prices.model_validate(told), Path("nowhere/store"))
    assert next(r.provenance for r in found.results.totals if r.component == "compute") == "estimated"
    assert "unavailable" in {each.provenance for each in found.assumptions}


def test_a_scenario_says_its_epochs_by_kind_and_by_label_and_only_of_what_it_has(tmp_path):
    told = plain() | {"data": f"files:{write_rows(tmp_path / 'rows')}", "estimate": {"epochs": {"adapters": 3}}}
    (tmp_path / "it.yaml").write_text(yaml.safe_dump(told))
    with pytest.raises(ScenarioError, match=r"estimate\.epochs\.adapters: .* did you mean 'adapter'"):
        load(tmp_path / "it.yaml")


def test_a_pile_is_cut_into_batches_from_short_to_long():
    mixed = together([Pile(6, 1, (5,)), Pile(2, 1, (20,))])
    assert mixed.items == 8
    assert mixed.steps("t", 4, 64) == [("t", 4, 8), ("t", 4, 24)]
    assert Pile(5, 3, (17,)).steps("t", 4, 18) == [("t", 12, 18), ("t", 3, 18)]
    assert sum(trained([("t", 4, 8), ("t", 2, 8)], 5).values()) == 5


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("shape:xlmr", "no shape of that name"),
        ("shape:layers=2,hidden=8", "is missing"),
        ("shape:layers=2,hidden=9,inner=8,heads=2,vocabulary=9,positions=9", "multiple of heads"),
        ("shape:layers=0,hidden=8,inner=8,heads=2,vocabulary=9,positions=9", "'layers' is missing"),
        ("shape:layers=2,hidden=8,inner=8,heads=2,vocabulary=9,positions=9,encoder=t5", "no closed form"),
        ("shape:layers=2,hidden=8,inner=8,heads=2,vocabulary=9,positions=9,buckets=4", "'buckets' is missing, unknown"),
        ("shape:encoder=deberta-v2,layers=2,hidden=8,inner=8,heads=2", "deberta-v2 also takes span, buckets, conv"),
        (
            "shape:encoder=albert,layers=2,hidden=8,inner=8,heads=2,vocabulary=9,positions=9,types=0",
            "'types' is missing",
        ),
    ],
)
def test_a_shape_that_cannot_be_is_refused(spec, told):
    with pytest.raises(DataError, match=told):
        resolve(spec)


def test_public_shapes_have_their_public_sizes():
    assert {name for name in KNOWN if name.startswith("xlm")} == {"xlm-roberta-base", "xlm-roberta-large"}
    sizes = {  # poolers and heads apart
        "bert-base-uncased": 108_891_648,
        "xlm-roberta-base": 277_453_056,
        "xlm-roberta-large": 558_840_832,
        "albert-base-v2": 11_092_992,
        "deberta-v3-base": 183_831_552,
        "ModernBERT-base": 149_014_272,
        "ModernBERT-large": 394_781_696,
    }
    assert {name: resolve(f"shape:{name}").parameters for name in sizes} == sizes
    assert all(shape_of(resolve(f"shape:{name}")).heads for name in KNOWN)
    own = resolve("shape:layers=12,hidden=768,inner=3072,heads=12,vocabulary=250002,positions=514")
    assert own.parameters == sizes["xlm-roberta-base"] and own.longest == 512


@pytest.mark.parametrize(
    "base",
    [
        "shape:deberta-v3-base",
        "shape:deberta-base",
        "shape:encoder=albert,layers=4,hidden=64,inner=128,heads=2,vocabulary=900,positions=512,groups=2",
        "shape:encoder=modernbert,layers=4,hidden=64,inner=128,heads=2,vocabulary=900,positions=1024",
    ],
)
def test_a_stated_base_model_of_any_kind_is_priced(base):
    told = shortened(["ner"], adapter_per_task={}).plain()
    told["timeline"][0]["base_model"] = base
    life = estimated(Scenario.model_validate(told), load_prices("cloud_gpu"), Path("nowhere/store"))
    rows = life.results.rows
    assert {row.provenance for row in rows} == {"estimated", "assumed"}
    assert all(row.amount and row.amount > 0 for row in rows if row.component in ("compute", "storage"))
    (built,) = (record for record in life.ledger.of(JobRecord) if record.job == "build")
    again = JobRecord.model_validate_json(built.model_dump_json()).workload
    assert again and encoder_shape(again.encoder) == shape_of(resolve(base)), "a workload keeps what decides a shape"


def test_what_has_no_closed_form_is_unavailable_and_never_free(monkeypatch):
    with pytest.raises(NoClosedForm, match="matrices of one shape"):  # a ledger of an earlier version may name it
        step_flops(NetworkShape(BASE, ("vera[output_lora=True]",), trained="adapter"), HeadShape(True, 2), 1, 8)

    def no_form(method: str) -> None:
        raise NoClosedForm(f"{method} is new")

    monkeypatch.setattr("adapeff_sim.estimation.walk.added", no_form)
    new = shortened(["ner"], adapter_per_task={"method": "seq_bn[reduction_factor=7]"})
    life = estimated(new, load_prices("cloud_gpu"), Path("nowhere/store"))
    found = life.results
    assert {job.stored_bytes for job in life.ledger.of(JobRecord) if job.job == "build"} == {None}, "which is not 0"
    (row,) = [row for row in found.rows if row.item == "train adapter/ner"]
    assert (row.amount, row.provenance) == (None, "unavailable")
    assert found.trainings[0].unavailable[0] == "train_flops"
