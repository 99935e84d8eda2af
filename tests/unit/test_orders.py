"""Which key an order has: what would change the outcome changes it, and nothing else does."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from story import event, life
from tiny_model import write_tiny_model

from adapeff_sim.artifacts.artifact import Artifact, lineage
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.errors import DataError, UnknownPlugin
from adapeff_sim.execution.base import Order
from adapeff_sim.execution.machine import Machine
from adapeff_sim.execution.orders import Orders
from adapeff_sim.execution.sources import Sources
from adapeff_sim.lifecycle.world import Endpoint, TestSet
from adapeff_sim.planning.plan import Evaluate, Make, Serve
from adapeff_sim.strategies.base import STRATEGIES
from adapeff_sim.training.settings import SomeSettings, TrainingSettings, resolve

MACHINE = Machine("cpu", "cpu (test)", 2, "fp32")
WORDS = {"intent": ("refund", "delivery"), "sentiment": ("good", "bad"), "topic": ("sun", "tax")}
EVENTS = [
    event("launch", 0, base_model="path:v1", tasks={"intent": ("en", "de")}, labelled=4, requests_per_day=10),
    event("task_arrival", 10, task="sentiment", languages=("en",), requests_per_day=3),
]
SettingsOf = Callable[[str, Artifact], TrainingSettings]


def write_world(folder: Path) -> Path:
    """A folder with two base models of one shape and three tasks in two languages."""
    for task, labels in WORDS.items():
        for language in ("de", "en"):
            place = folder / "rows" / task / language
            place.mkdir(parents=True)
            for split, rows in (("train", 6), ("validation", 4), ("test", 5), ("test.v2", 5)):
                words = [f"{split[:5]} {language} {i} {labels[i % 2]}" for i in range(rows)]
                lines = [json.dumps({"text": w, "label": labels[i % 2]}) for i, w in enumerate(words)]
                (place / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    for version in (1, 2):
        write_tiny_model(folder / f"v{version}", [" ".join(w) for w in WORDS.values()], seed=version, hidden=8)
    return folder


@pytest.fixture
def world(tmp_path) -> Path:
    return write_world(tmp_path)


def settings(**layers: SomeSettings) -> SettingsOf:
    """Settings by artifact kind or label."""
    return lambda label, a: resolve(a, tuple(layers[name] for name in (str(a.kind), label) if name in layers))


def orders(
    world: Path,
    seed: int = 13,
    machine: Machine = MACHINE,
    told: SettingsOf | None = None,
    strategy: str = "adapter_fusion",
    label: str = "it",
) -> list[Order]:
    """All that one life orders, once each."""
    order_of = Orders(told or settings(), Sources("files:rows", world), machine)
    steps = life(STRATEGIES.get(strategy)(), EVENTS)
    return list(dict.fromkeys(order_of(label, seed, s.event.day, job) for s in steps for job in s.plan.jobs))


def name(order: Order) -> str:
    match order.job:
        case Make(a):
            return a.slot
        case Evaluate(e, route, _):
            return f"evaluate {e} over {route[-1].slot}"
        case Serve():
            return f"serve {order.job.task} {order.job.stack[-1]}"


def missed(before: list[Order], after: list[Order]) -> set[str]:
    known = {order.key for order in before}
    return {name(order) for order in after if order.key not in known}


def over(slot: str, all_: list[Order]) -> set[str]:
    """What is made from a slot, and what is evaluated over it."""
    found = set()
    for order in all_:
        route = order.job.route if isinstance(order.job, Evaluate) else ()
        made = (order.job.artifact,) if isinstance(order.job, Make) else ()
        found |= {name(order)} if slot in {a.slot for a in lineage((*route, *made)).values()} else set()
    return found


def edit(file: Path) -> None:
    """Another word in one row."""
    first, *others = file.read_text().splitlines()
    row = json.loads(first)
    file.write_text("\n".join([json.dumps({**row, "text": row["text"] + " indeed"}), *others]) + "\n")


def test_another_learning_rate_misses_its_artifacts_and_everything_above(world):
    before = orders(world)
    faster = orders(world, told=settings(adapter=SomeSettings(learning_rate=0.5)))
    assert missed(before, faster) == over("adapter/intent", before) | over("adapter/sentiment", before)
    slower = orders(world, told=settings(fusion=SomeSettings(epochs=2)))
    assert missed(before, slower) == over("fusion/intent", before) | over("fusion/sentiment", before)
    assert not any(name(o).startswith(("serve", "dataset", "base")) for o in before if o not in faster)


def test_an_edited_row_misses_everything_downstream_and_nothing_else(world):
    before = orders(world)
    for language in ("de", "en"):
        touched = over(f"dataset/intent/{language}", before)
        assert {f"dataset/intent/{language}", "adapter/intent", "fusion/sentiment"} <= touched
        file = world / "rows" / "intent" / language / "train.jsonl"
        whole = file.read_text()
        edit(file)
        assert missed(before, orders(world)) == touched
        file.write_text(whole)
    edit(world / "rows" / "sentiment" / "en" / "train.jsonl")
    changed = missed(before, orders(world))
    assert changed == over("dataset/sentiment/en", before) and "adapter/intent" not in changed
    assert "evaluate intent/en over adapter/intent" not in changed


def test_an_edited_validation_row_counts_because_training_looks_at_it(world):
    before = orders(world)
    edit(world / "rows" / "intent" / "de" / "validation.jsonl")
    assert missed(before, orders(world)) == over("dataset/intent/de", before)


def test_an_edited_test_row_misses_its_evaluations_alone(world):
    before = orders(world)
    edit(world / "rows" / "intent" / "de" / "test.jsonl")
    changed = missed(before, orders(world))
    assert changed == {f"evaluate intent/de over {top}/intent" for top in ("adapter", "fusion")}


def test_rows_that_nobody_asks_for_change_nothing(world):
    before = orders(world)
    for other in ("topic/en/train.jsonl", "sentiment/de/train.jsonl", "intent/en/test.v2.jsonl"):
        edit(world / "rows" / other)
    assert not missed(before, orders(world))


def test_other_weights_miss_all_but_data_and_serving(world):
    before = orders(world)
    write_tiny_model(world / "v1", [" ".join(w) for w in WORDS.values()], seed=7, hidden=8)
    assert missed(before, orders(world)) == over("base_model", before)
    assert {name(o) for o in before} - over("base_model", before) == {
        *(f"dataset/{e}" for e in ("intent/de", "intent/en", "sentiment/en")),
        *("serve intent adapter seq_bn", "serve intent fusion"),  # sentiment has the shape of intent: two labels
    }


def test_another_release_of_the_same_shape_is_served_as_fast(world):
    order_of = Orders(settings(), Sources("files:rows", world), MACHINE)
    stack = ("base_model", "adapter seq_bn")
    one, other = (order_of("it", 13, 0.0, Serve(f"path:v{v}", stack, "intent")) for v in (1, 2))
    assert one.key == other.key
    taller = order_of("it", 13, 0.0, Serve("path:v1", (*stack, "adapter seq_bn", "fusion"), "intent"))
    assert taller.key != one.key
    write_tiny_model(world / "v2", [" ".join(w) for w in WORDS.values()], hidden=16)
    assert Orders(settings(), Sources("files:rows", world), MACHINE)(
        "it", 13, 0.0, Serve("path:v2", stack, "intent")
    ).key != one.key  # fmt: skip


def test_the_seed_misses_what_it_draws_and_no_base_model_or_shape(world):
    before = orders(world)
    changed = missed(before, orders(world, seed=14))
    assert changed == {name(o) for o in before if not name(o).startswith(("serve", "base"))}


@pytest.mark.parametrize("change", [{"threads": 1}, {"precision": "bf16"}, {"name": "cpu (another)"}])
def test_whatever_changes_bits_misses_all_that_is_computed_and_nothing_that_is_fetched(world, change):
    before = orders(world)
    changed = missed(before, orders(world, machine=replace(MACHINE, **change)))
    assert changed == {name(o) for o in before if not name(o).startswith(("dataset", "base"))}


def test_other_package_versions_do_too(world, monkeypatch):
    before = orders(world)
    now = {**MACHINE.versions, "torch": "0.0"}
    monkeypatch.setattr("adapeff_sim.execution.machine.packages", lambda: now)
    assert "adapter/intent" in missed(before, orders(world))


def test_labels_are_names_and_two_strategies_share_what_is_equal(world):
    one, two = orders(world, label="first"), orders(world, label="second")
    assert [o.key for o in one] == [o.key for o in two] and set(one) == set(two)
    alone = orders(world, strategy="adapter_per_task")
    shared = {name(o) for o in alone} & {name(o) for o in one}
    assert {"adapter/intent", "adapter/sentiment", "evaluate intent/en over adapter/intent"} <= shared
    assert not {o.key for o in alone if name(o) in shared} - {o.key for o in one}
    layered = orders(world, label="first", told=settings(first=SomeSettings(epochs=1)))
    assert "adapter/intent" in missed(one, layered)
    assert not missed(two, orders(world, label="second", told=settings(first=SomeSettings(epochs=1))))


def test_a_limit_above_the_rows_there_are_changes_nothing(world):
    wide, wider = (orders(world, told=settings(it=SomeSettings(validation_rows=n))) for n in (50, 60))
    narrow = orders(world, told=settings(it=SomeSettings(validation_rows=2)))
    assert not missed(wide, wider)
    assert {"adapter/intent", "dataset/intent/en"} <= missed(wide, narrow)


def test_where_the_data_lie_is_no_part_of_what_they_are(world, tmp_path):
    shutil.copytree(world / "rows", world / "elsewhere" / "rows")
    for version in (1, 2):
        shutil.copytree(world / f"v{version}", world / "elsewhere" / f"v{version}")
    assert [o.key for o in orders(world)] == [o.key for o in orders(world / "elsewhere")]


def test_an_order_names_the_builds_it_needs_before_it(world):
    all_ = orders(world)
    done: set[str] = set()
    for order in all_:
        assert set(order.inputs) <= done, name(order)
        done.add(order.key)
    by_name = {name(o): o for o in all_}
    both = {by_name["adapter/intent"].key, by_name["adapter/sentiment"].key}
    assert set(by_name["fusion/intent"].inputs) == both
    assert set(by_name["evaluate intent/de over fusion/intent"].inputs) == both | {by_name["fusion/intent"].key}
    assert not by_name["adapter/intent"].inputs and not by_name["serve intent fusion"].inputs


def test_a_fusion_route_is_keyed_by_all_that_lies_in_it(world):
    for order in orders(world):
        if isinstance(order.job, Evaluate):
            assert {a.fingerprint for a in order.job.route} <= order.keys.keys()
        if isinstance(order.job, Make) and order.job.artifact.kind is Kind.FUSION:
            assert order.keys[order.job.artifact.fingerprint] == order.key


def test_fewer_rows_are_among_more_rows_and_languages_have_orders_of_their_own(world):
    sources = Sources("files:rows", world)
    steps = life(STRATEGIES.get("adapter_per_task")(), EVENTS)
    (few, *_) = (a.recipe for a in steps[-1].deployment.artifacts.values() if a.slot == "dataset/intent/en")
    more = few.model_copy(update={"rows": 6})
    assert sources.train_rows(few, 13) == sources.train_rows(more, 13)[:4]
    assert sources.train_rows(few, 13) != sources.train_rows(few, 14)


def test_a_request_has_the_usual_length_of_its_task(world):
    sources = Sources("files:rows", world)
    request = sources.request("intent", sources.release("path:v1"), 128)
    assert (request.kind, request.outputs, request.length_tokens) == ("classification", 2, 8)
    assert sources.request("intent", sources.release("path:v1"), 8).length_tokens == 8
    helpdesk = Sources("helpdesk", world)
    choice = helpdesk.request("answer_choice", sources.release("path:v1"), 64)
    assert choice.outputs in (2, 3, 4) and choice.length_tokens % 8 == 0


def test_what_is_not_there_is_said(world):
    sources = Sources("files:rows", world)
    with pytest.raises(DataError, match="no such folder"):
        sources.release("path:v9")
    with pytest.raises(UnknownPlugin):
        sources.source("filez:rows")
    with pytest.raises(DataError, match="no task"):
        sources.kind("weather")
    with pytest.raises(DataError, match="option: value"):
        sources.source("helpdesk:{size")
    with pytest.raises(DataError):
        sources.test_rows(Endpoint("intent", "en"), TestSet(3))
