"""A small run carried to the size of production: what grows, what stays, and that nothing of it is mixed in."""

from typing import Any

import pytest
from hand_made import answer, build, fetch, kept, prices, probe, scored, stands
from pydantic import ValidationError
from rich.console import Console

from adapeff_sim.conduct import target_of
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.estimation.encoder import EncoderShape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, step_flops
from adapeff_sim.estimation.parameters import parameters
from adapeff_sim.estimation.stated import KNOWN, config_of
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Batches, HeadSize, Workload, sure_of
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord, Record, ServingRecord
from adapeff_sim.projection.epochs import epochs
from adapeff_sim.projection.project import project
from adapeff_sim.projection.target import Target
from adapeff_sim.reports.projection import parts, projected
from adapeff_sim.results import Facts, Results, results_of
from adapeff_sim.scenario.project_to import ProjectTo

NUMBERS = {"layers": 2, "hidden": 8, "inner": 16, "heads": 2, "vocabulary": 20, "positions": 40, "types": 1}
GROWN = {**NUMBERS, "layers": 4, "hidden": 16, "inner": 32, "vocabulary": 50}
SMALL, LARGE = EncoderShape(**NUMBERS), EncoderShape(**GROWN)
HEAD = HeadShape(per_sequence=True, outputs=3)
ADAPTER = (("seq_bn",), False)
SHAPE = "a on base_model + adapter seq_bn of mini"
TARGET = Target(
    base_model="large",
    encoder=config_of("xlm-roberta", GROWN),
    examples_per_endpoint=1000,
    device="gpu",
    trials=2,
    train_flops_per_second=1e6,
    answer_flops_per_second=1e5,
    rates_from="assumed",
)


def flops(shape: EncoderShape, trained: str, sequences: int = 4, length: int = 8) -> Any:
    return step_flops(NetworkShape(shape, *ADAPTER, trained), HEAD, sequences, length)


def workload(methods: tuple[str, ...] = ("seq_bn",)) -> Workload:
    return Workload(
        encoder=config_of("xlm-roberta", NUMBERS),
        adapters=methods,
        trained="adapter",
        heads={"a": HeadSize(per_sequence=True, outputs=3)},
        batches=(Batches(task="a", sequences=4, length=8, steps=25),),
    )


def ledger(methods: tuple[str, ...] = ("seq_bn",)) -> Ledger:
    """Fifty rows, then fifty more: two epochs of a hundred steps' worth, one test set, one probe."""
    validated = 10.0 * flops(SMALL, "nothing").forward
    usage = {"train_steps": 25.0, "train_examples": 100.0, "train_seconds": 9.0, "train_flops": 5.0}
    usage |= {"validate_flops": validated, "validate_seconds": 3.0}
    records: list[Record] = [
        fetch("dataset/a/en", {"labelled_examples": 50.0, "validation_examples": 5.0}, stored_bytes=500),
        build(usage=usage, workload=workload(methods), converged=True, stored_bytes=99),
        scored(
            usage={
                "evaluate_flops": 3.0 * flops(SMALL, "nothing").forward,
                "evaluate_seconds": 1.0,
                "test_examples": 7.0,
            }
        ),
        probe(
            shape=SHAPE,
            usage={"request_flops": float(flops(SMALL, "nothing", 1, 11).forward)},
        ),
        stands(
            kept(),
            kept("dataset/a/en", kept_as="data"),
            answer(100.0, shape="a on base_model + adapter seq_bn of mini"),
        ),
        fetch("dataset/a/en", {"labelled_examples": 50.0}, step=1, day=5.0, fingerprint="more", stored_bytes=1000),
    ]
    return Ledger(tuple(records))


def only(found: Ledger, kind: type[Any], which: int = 0) -> Any:
    return found.of(kind)[which]


def test_rows_grow_to_the_target_and_later_ones_in_proportion():
    first, second = (r for r in project(ledger(), TARGET).of(JobRecord) if r.job == "fetch")
    assert first.usage == {"labelled_examples": 1000.0, "validation_examples": 5.0}
    assert second.usage["labelled_examples"] == 1000.0  # as many again, as it was in the run
    assert first.stored_bytes == round(500 * (1000 + 5) / (50 + 5)), "validation rows stay as many"


def test_a_training_takes_as_many_epochs_of_more_steps_of_a_larger_network():
    (built,) = (r for r in project(ledger(), TARGET).of(JobRecord) if r.job == "build")
    steps = 25 * 20
    assert built.usage["train_steps"] == TARGET.trials * steps
    assert built.usage["train_flops"] == TARGET.trials * steps * flops(LARGE, "adapter").total
    assert built.usage["train_seconds"] == pytest.approx(built.usage["train_flops"] / 1e6)
    assert built.usage["validate_flops"] == pytest.approx(TARGET.trials * 10 * flops(LARGE, "nothing").forward)
    trained = parameters(NetworkShape(LARGE, *ADAPTER, "adapter"), [HEAD]).trained
    assert built.stored_bytes == 4 * trained
    assert (built.provenance, built.device, built.curve) == ("estimated", "gpu", ())


def test_tests_and_requests_are_as_many_and_as_long():
    found = project(ledger(), TARGET)
    assert only(found, EvaluationRecord).usage["evaluate_flops"] == pytest.approx(3 * flops(LARGE, "nothing").forward)
    assert only(found, EvaluationRecord).usage["test_examples"] == 7.0, "test rows are bought as they were"
    assert only(found, EvaluationRecord).scores == {}  # what a larger model would score nobody knows
    served = only(found, ServingRecord)
    assert served.usage["request_flops"] == flops(LARGE, "nothing", 1, 11).forward
    assert served.request_seconds[1] == pytest.approx(served.usage["request_flops"] / 1e5)
    stood = only(found, DeploymentRecord)
    assert stood.answered == only(ledger(), DeploymentRecord).answered
    assert {s.provenance for s in stood.stored} == {"estimated"}


def test_a_base_model_may_be_called_anything():
    """A shape ends with the base model's name, and that may be a path with the same little word in it."""
    found = ledger()
    said = [
        r.model_copy(update={"shape": SHAPE.replace("mini", "path:best of/mini")})
        if isinstance(r, ServingRecord)
        else r
        for r in found.records
    ]
    assert (
        only(project(Ledger(tuple(said)), TARGET), ServingRecord).usage
        == only(project(found, TARGET), ServingRecord).usage
    )


def test_what_no_formula_tells_is_unavailable_and_never_0():
    found = project(ledger(("vera[output_lora=True]",)), TARGET)
    (built,) = (r for r in found.of(JobRecord) if r.job == "build")
    assert built.usage == {} and built.provenance == "unavailable"
    rows = price_ledger(found, prices(), Terms(horizon_days=10.0))
    told = {r.item: r.amount for r in rows if r.component in ("compute", "storage")}
    assert told["train adapter/a"] is None and told["re-validate a/en"] is None
    assert only(found, EvaluationRecord).assumed == ("test_examples",), "as many as in the run, which nobody said"


def test_epochs_are_passes_over_the_rows_that_were_there():
    (row,) = epochs(ledger())
    assert (row.kind, row.trainings, row.capped, row.median) == ("adapter", 1, 0, 2.0)


@pytest.mark.parametrize(("rows", "count"), [(50, 2.0), (100, 1.0), (None, 1.0)])
def test_epochs_are_over_the_rows_in_use_and_not_over_those_that_another_source_replaced(rows, count):
    usage = {"train_examples": 100.0}
    again = build(usage=usage, workload=workload(), step=2, day=6.0)
    new = fetch("dataset/a/en", {"labelled_examples": 50.0}, step=2, day=6.0, fingerprint="new", rows=rows)
    first = ledger().of(JobRecord)[:2]
    (row,) = epochs(Ledger((*first, new, again)))
    assert (row.trainings, row.fewest, row.most) == (2, count, 2.0)


def results(target: Target | None) -> Results:
    facts = Facts(
        name="story",
        labels=("it",),
        seeds=(1,),
        terms=Terms(horizon_days=10.0),
        quality_floor=2.0,
        project_to=target,
    )
    return results_of(facts, ledger(), prices(), price_ledger(ledger(), prices(), facts.terms), {})


def test_the_projection_is_beside_the_results_and_in_none_of_them():
    without, with_it = results(None), results(TARGET)
    assert without.projection is None and projected(without) == []
    bare = with_it.model_copy(update={"projection": None, "facts": without.facts})
    assert bare == without
    assert with_it.projection is not None
    sure = {(r.component, r.provenance) for r in with_it.projection.rows}
    assert sure == {(each, "estimated") for each in ("compute", "serving", "storage")} | {("compute", "assumed")}
    assert {r.item for r in with_it.projection.rows if r.provenance == "assumed"} == {
        "validate adapter/a",
        "re-validate a/en",
    }, "nobody said how many rows are held out"
    assert Results.model_validate_json(with_it.model_dump_json()) == with_it


def test_it_is_told_as_estimated_and_assumed():
    console = Console(width=100)
    with console.capture() as told:
        for part in parts(results(TARGET), 100, False):
            console.print(part)
    assert "Estimated and assumed, not measured: the same life" in " ".join(told.get().split())
    assert "At the size of production: estimated and assumed, not measured" in told.get()
    cost, took, rests = projected(results(TARGET))
    assert (cost.name, took.name, rests.name) == ("projection", "projection_epochs", "projection_assumptions")
    assert cost.rows[0][-1].said == "partly assumed" and took.rows[0][-1].said == "measured"
    assert cost.rows[0][1].said.endswith("*")


def test_rows_that_are_held_out_grow_only_where_somebody_says_how_many_there_are():
    said = {"validation_examples_per_endpoint": 50, "test_examples_per_endpoint": 700}
    before, after = (project(ledger(), target) for target in (TARGET, TARGET.model_copy(update=said)))
    built = [next(r for r in found.of(JobRecord) if r.job == "build") for found in (before, after)]
    tested = [only(found, EvaluationRecord) for found in (before, after)]
    assert built[1].usage["validate_flops"] == pytest.approx(10 * built[0].usage["validate_flops"])
    assert built[1].usage["train_flops"] == built[0].usage["train_flops"]
    assert tested[1].usage["evaluate_seconds"] == pytest.approx(100 * tested[0].usage["evaluate_seconds"])
    assert [e.usage["test_examples"] for e in tested] == [7.0, 700.0]
    bought = next(r for r in after.of(JobRecord) if "validation_examples" in r.usage)
    assert bought.usage["validation_examples"] == 50.0
    how = [(sure_of(b, "validate_flops"), sure_of(e, "test_examples")) for b, e in zip(built, tested, strict=True)]
    assert how == [("assumed", "assumed"), ("estimated", "estimated")]
    told = {each.what: each.provenance for each in TARGET.assumptions("measured")}
    assert told["validation rows"] == told["test rows"] == "assumed"
    stated = {each.what: each.value for each in TARGET.model_copy(update=said).assumptions("measured")}
    assert (stated["validation rows of an endpoint"], stated["test rows of an endpoint"]) == (50, 700)


def test_a_scenario_says_the_target_in_four_words():
    said = ProjectTo(
        base_model="hub:FacebookAI/xlm-roberta-large", examples_per_endpoint=50_000, device="h100", trials=5
    )
    found = target_of(said, None)
    assert found.encoder == config_of(*KNOWN["xlm-roberta-large"])
    assert found.train_flops_per_second == pytest.approx(9.9e14 / 6)
    assert found.rates_from.startswith("assumed")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"base_model": "hub:some/thing"}, "whose shape is not known"),
        ({"device": "abacus"}, "give flops_per_second too"),
        ({"trials": 0}, "trials"),
    ],
)
def test_a_target_that_cannot_be_is_refused(changed, told):
    values = {"base_model": "hub:FacebookAI/xlm-roberta-base", "examples_per_endpoint": 10, "device": "l4"}
    with pytest.raises(ValidationError, match=told):
        ProjectTo(**{**values, **changed})
