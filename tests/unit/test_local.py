"""One order after the other: what the store knows is answered, the rest is asked of the workbench in plain values."""

import errno
import os
import shutil
import sys
import types
from pathlib import Path

import pytest
from story import event, life
from test_orders import EVENTS, MACHINE, name, settings, write_world

from adapeff_sim.errors import ExecutionError
from adapeff_sim.execution.base import EXECUTORS, Order, Progress, Started, Warned
from adapeff_sim.execution.orders import Orders
from adapeff_sim.execution.sources import Sources
from adapeff_sim.execution.store import Store
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.planning.plan import Make
from adapeff_sim.strategies.adapter_fusion import AdapterFusion
from adapeff_sim.strategies.base import Strategy
from adapeff_sim.strategies.multitask_full import MultitaskFull
from adapeff_sim.training.jobs import BuildJob, EvaluateJob, Note, ServeJob

REFRESHED = [*EVENTS, event("dataset_refresh", 20, task="intent", languages=("de",), source="files:other")]


class Bench:
    """Takes down what it is asked and makes a file of it; no torch."""

    def __init__(self, machine):
        assert machine == MACHINE

    asked: list[object]
    beside: dict[str, float]
    fail: Exception | None

    def build(self, job, folder, tell):
        return self._done(job, folder, tell, "train")

    def evaluate(self, job, folder, tell):
        return self._done(job, folder, tell, "evaluate")

    def probe(self, job, folder, tell):
        return self._done(job, folder, tell, "probe")

    def _done(self, job, folder: Path, tell, phase) -> Outcome:
        type(self).asked.append(job)
        tell(Note(phase, 1, 2, loss=0.5))
        (folder / "checkpoint").mkdir(exist_ok=True)
        if type(self).fail:
            raise type(self).fail
        (folder / "artifact").mkdir()
        (folder / "artifact" / "what").write_text(phase)
        return Outcome(
            usage={f"{phase}_seconds": 1.0, **type(self).beside}, stored_bytes=5, device="cpu (test)", threads=2
        )


@pytest.fixture
def world(tmp_path, monkeypatch) -> Path:
    Bench.asked, Bench.fail, Bench.beside = [], None, {}
    module = types.ModuleType("adapeff_sim.training.workbench")
    module.Workbench = Bench
    monkeypatch.setitem(sys.modules, module.__name__, module)
    write_world(tmp_path)
    shutil.copytree(tmp_path / "rows", tmp_path / "other")
    for split in ("train", "test"):
        with (tmp_path / "other" / "intent" / "de" / f"{split}.jsonl").open("a") as rows:
            rows.write('{"text": "anything else", "label": "other"}\n')
    return tmp_path


def ordered(world: Path, strategy: Strategy, events=EVENTS) -> list[Order]:
    order_of = Orders(settings(), Sources("files:rows", world), MACHINE)
    steps = life(strategy, events)
    return list(dict.fromkeys(order_of("it", 13, s.event.day, job) for s in steps for job in s.plan.jobs))


def run(world: Path, orders: list[Order], name: str = "one") -> tuple[dict[str, Outcome], list[object]]:
    news: list[object] = []
    sources = Sources("files:rows", world)
    executor = EXECUTORS.get("local")(store=Store(world / "store"), sources=sources, machine=MACHINE, run=name)
    return {order.key: outcome for order, outcome in executor.run(orders, news.append)}, news


def test_every_order_is_done_once_and_then_answered(world):
    orders = ordered(world, AdapterFusion())
    first, news = run(world, orders)
    made = [o for o in orders if not (isinstance(o.job, Make) and o.job.artifact.kind.is_source)]
    assert len(Bench.asked) == len(made) and [n.order for n in news if isinstance(n, Started)] == made
    assert [(n.done, n.total, n.loss) for n in news if isinstance(n, Progress)] == [(1, 2, 0.5)] * len(made)
    again, silence = run(world, orders)
    assert again == first and silence == [] and len(Bench.asked) == len(made)
    other, _ = run(world, orders, name="two")
    assert {other[o.key].provenance for o in made} == {"reused"}
    assert {o.provenance for o in first.values()} == {"measured"}


@pytest.mark.parametrize(("others", "warned"), [(0.0, False), (2.0, True)])
def test_company_on_the_gpu_is_warned_of_when_it_is_measured(world, others, warned):
    Bench.beside = {"peak_other_gpu_processes": others}
    orders = ordered(world, AdapterFusion())
    for once, told in (("one", warned), ("two", False)):
        _, news = run(world, orders, once)
        warnings = {n.message for n in news if isinstance(n, Warned)}
        assert bool(warnings) is told and all("2 other processes used the GPU" in w for w in warnings)


def test_what_is_fetched_is_weighed_and_counted(world):
    orders = ordered(world, AdapterFusion())
    outcomes, _ = run(world, orders)
    by_name = {name(o): outcomes[o.key] for o in orders}
    assert by_name["dataset/intent/en"].usage == {"labelled_examples": 4.0, "validation_examples": 4.0}
    rows = Sources("files:rows", world).source().examples("intent", "en", "validation")
    assert by_name["dataset/intent/en"].stored_bytes > sum(len(row.model_dump_json()) for row in rows)
    weighed = sum(file.stat().st_size for file in (world / "v1").iterdir())
    assert by_name["base_model"].stored_bytes == weighed and not by_name["base_model"].usage


def test_inputs_come_as_folders_and_rows_by_task_and_language(world):
    orders = ordered(world, AdapterFusion())
    run(world, orders)
    builds = {job.artifact.slot: job for job in Bench.asked if isinstance(job, BuildJob)}
    fusion = builds["fusion/intent"]
    assert sorted(fusion.inputs) == sorted(a.fingerprint for a in fusion.artifact.by("fused"))
    assert {(folder / "what").read_text() for folder in fusion.inputs.values()} == {"train"}
    (task,) = fusion.tasks
    assert (task.name, task.kind, task.labels) == ("intent", "classification", ("delivery", "refund"))
    assert {language: len(rows) for language, rows in task.train.items()} == {"de": 4, "en": 4}
    assert {language: len(rows) for language, rows in task.validation.items()} == {"de": 4, "en": 4}
    assert not task.replay and fusion.seed == 13
    scored = [job for job in Bench.asked if isinstance(job, EvaluateJob)]
    assert all(len(job.rows) == 5 and {a.fingerprint for a in job.route[1:]} == set(job.inputs) for job in scored)
    probed = [job for job in Bench.asked if isinstance(job, ServeJob)]
    assert {(job.outputs, job.length_tokens) for job in probed} == {(2, 8)}


def test_a_continued_model_gets_its_ancestor_new_rows_replayed_rows_and_every_label_seen(world):
    run(world, ordered(world, MultitaskFull(update="continue", replay=0.5), REFRESHED))
    first, second, third = (job for job in Bench.asked if isinstance(job, BuildJob))
    assert not first.inputs and list(second.inputs) == [first.artifact.fingerprint]
    told = {task.name: task for task in second.tasks}
    assert set(told["sentiment"].train) == {"en"} and not told["sentiment"].replay
    assert set(told["intent"].replay) == {"de", "en"} and not told["intent"].train
    assert set(told["intent"].validation) == {"de", "en"}
    refreshed = {task.name: task for task in third.tasks}["intent"]
    assert refreshed.labels == ("delivery", "other", "refund")
    asked = [job for job in Bench.asked if isinstance(job, EvaluateJob) and job.route[-1] == third.artifact]
    assert {job.task.labels for job in asked if job.endpoint.task == "intent"} == {refreshed.labels}


def test_what_fails_is_tried_again_where_it_was(world):
    orders = ordered(world, AdapterFusion())
    Bench.fail = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")
    with pytest.raises(ExecutionError, match="disk is full"):
        run(world, orders)
    Bench.fail = OSError("no such model on the hub")
    with pytest.raises(OSError, match="no such model"):
        run(world, orders)
    Bench.fail = None
    run(world, orders)
    assert len({job.artifact for job in Bench.asked[:3]}) == 1
    assert list((world / "store" / "work").glob("*@*")) == []


def test_a_damaged_input_is_said_and_made_again(world):
    orders = ordered(world, AdapterFusion())
    run(world, orders)
    adapter = next(o for o in orders if name(o) == "adapter/intent")
    (world / "store" / "objects" / adapter.key[:2] / adapter.key / "artifact" / "what").write_text("other")
    Bench.asked.clear()
    _, news = run(world, orders)
    assert [job.artifact.slot for job in Bench.asked] == ["adapter/intent"]
    (warning,) = (n for n in news if isinstance(n, Warned))
    assert warning.order == adapter and "altered" in warning.message


def test_an_input_that_is_gone_is_said(world):
    orders = ordered(world, AdapterFusion())
    fusion = next(o for o in orders if name(o) == "fusion/intent")
    with pytest.raises(ExecutionError, match=r"adapter/intent.*not in the store"):
        run(world, [fusion])


def test_a_run_that_the_store_answers_never_loads_torch(world, monkeypatch):
    orders = ordered(world, AdapterFusion())
    run(world, orders)
    for module in ("torch", "transformers", "adapters", "adapeff_sim.training.workbench"):
        monkeypatch.setitem(sys.modules, module, None)  # whoever imports it now is refused
    outcomes, _ = run(world, orders, "two")
    assert {o.provenance for o in outcomes.values()} == {"measured", "reused"}
    Bench.asked.clear()
    (world / "store").rename(world / "gone")
    with pytest.raises(ImportError):
        run(world, orders, "three")
