"""Predictions of real evaluations are kept, and say how many answers an event changed that nobody asked to change."""

import json

import pytest
import yaml
from tiny_model import write_tiny_model
from tiny_scenario import LABELS, ROWS, plain, write_rows

from adapeff_sim.conduct import conduct
from adapeff_sim.execution.machine import this_machine
from adapeff_sim.execution.store import Store
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.ledger.records import EvaluationRecord
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.scenario.load import load
from adapeff_sim.training.workbench import Workbench

TEST_ROWS = ROWS["test"]


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    """Intent in two languages, then mood: the model of all tasks is trained again, the adapter of intent is not."""
    monkeypatch.setattr(Workbench, "probe", lambda *_: Outcome(request_seconds={1: 0.01}, device="cpu x"))
    write_rows(tmp_path / "rows")
    texts = [
        f"{split} {i} of {task} in {x}" for split in ROWS for i in range(8) for task in LABELS for x in ("en", "de")
    ]
    base = write_tiny_model(tmp_path / "base", texts)
    told = plain()
    told |= {
        "data": {"files": str(tmp_path / "rows")},
        "timeline": told["timeline"][:2],
        "strategies": ["adapter_per_task", "multitask_full"],
        "training": {"every": {"epochs": 12, "patience": 0, "batch_size": 4, "learning_rate": 0.01}},
    }
    told["timeline"][0]["base_model"] = f"path:{base}"
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(told))
    return load(file)


def test_the_answers_that_an_event_changed_are_counted_from_what_was_kept(scenario, tmp_path):
    machine, store = this_machine("cpu", threads=1), tmp_path / "store"
    results = conduct(scenario, machine, store, tmp_path / "one")
    adapters, whole = (row for row in results.upkeep if row.event.startswith("task_arrival"))
    assert (adapters.compared_items, adapters.changed_items, adapters.churn) == (2 * TEST_ROWS, 0, 0.0)
    assert whole.unasked == ("intent/de", "intent/en") and whole.compared_items == 2 * TEST_ROWS

    scored = RunFolder(tmp_path / "one").read_ledger().of(EvaluationRecord)
    changed = wrong = 0
    for endpoint in whole.unasked:
        before, after = (said(store, r) for r in scored if (r.label, r.endpoint) == ("multitask_full", endpoint))
        pairs = list(zip(before, after, strict=True))
        changed += sum(was["predicted"] != now["predicted"] for was, now in pairs)
        wrong += sum(was["predicted"] == was["gold"] != now["predicted"] for was, now in pairs)
    assert (whole.changed_items, whole.became_wrong, whole.churn) == (changed, wrong, changed / (2 * TEST_ROWS))
    assert whole.unavailable == adapters.unavailable == () and whole.provenance == "measured"

    again = conduct(scenario, machine, store, tmp_path / "two")
    kept = [row.model_dump(exclude={"provenance", "lead_provenance"}) for row in results.upkeep]
    assert [row.model_dump(exclude={"provenance", "lead_provenance"}) for row in again.upkeep] == kept
    assert {row.provenance for row in again.upkeep} == {"reused"}


def said(store, record):
    """What an evaluation left in the store, row by row."""
    lines = (Store(store).find(record.key).artifact / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
