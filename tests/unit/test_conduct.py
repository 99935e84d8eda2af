"""A whole run without a command line."""

import json

import pytest
from story import Reckoner

from adapeff_sim.base_models.release import resolve
from adapeff_sim.conduct import conduct, facts_of
from adapeff_sim.errors import ExecutionError
from adapeff_sim.execution.base import EXECUTORS
from adapeff_sim.execution.machine import Machine
from adapeff_sim.results import read
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.scenario.load import load, loads

MACHINE = Machine("cpu", "cpu (x)", 1, "fp32")
TWICE = """
name: twice
horizon_days: 20
seeds: [13, 14]
data: helpdesk
timeline:
  - {day: 0, event: launch, base_model: "adapeff-mini:v1", tasks: {intent: [en, de]}, labelled: 6, requests_per_day: 9}
  - {day: 10, event: dataset_refresh, task: intent, languages: [en], add: 2}
  - {day: 10, event: traffic_change, requests_per_day: 5}
  - {day: 10, event: dataset_refresh, task: intent, languages: [de], add: 2}
strategies: [adapter_per_task]
"""


@pytest.fixture
def executor(monkeypatch):
    monkeypatch.setitem(EXECUTORS._found, "local", lambda **_: Reckoner())


@pytest.fixture
def scenario(tmp_path):
    (tmp_path / "twice.yaml").write_text(TWICE)
    return load(tmp_path / "twice.yaml")


def test_a_scenario_is_lived_through_and_written(scenario, executor, tmp_path):
    results = conduct(scenario, MACHINE, tmp_path / "store", tmp_path / "run")
    assert read(tmp_path / "run") == results
    assert loads((tmp_path / "run" / "scenario.yaml").read_text()) == scenario
    assert json.loads((tmp_path / "run" / "run.json").read_text())["finished"]


def test_the_environment_has_the_content_for_every_seed_and_the_test_sets(scenario, executor, tmp_path):
    found = conduct(scenario, MACHINE, tmp_path / "store", tmp_path / "run").environment
    ledger = RunFolder(tmp_path / "run").read_ledger()
    keys = {(r.seed, r.key) for r in ledger.records if r.type == "job" and r.slot == "dataset/intent/en"}
    told = [x for name, each in found["fetched"].items() if name.startswith("dataset/intent/en") for x in each]
    assert sorted(told) == sorted({key for _, key in keys})
    assert {seed for seed, _ in keys} == {13, 14}
    assert any(len(each) == 2 for each in found["fetched"].values())
    assert set(found["test_sets"]) == {"intent/en v1", "intent/de v1"}
    assert all(len(content) > 10 for content in found["test_sets"].values())
    assert json.loads((tmp_path / "run" / "environment.json").read_text()) == found


def test_the_environment_says_which_base_models_were_used(scenario, executor, tmp_path):
    found = conduct(scenario, MACHINE, tmp_path / "store", tmp_path / "run").environment["base_models"]
    release = resolve("adapeff-mini:v1")
    assert found == {
        "adapeff-mini:v1": {
            "digest": release.digest,
            "encoder": "xlm-roberta",
            "parameters": release.parameters,
            "revision": None,
            "stored_bytes": release.stored_bytes,
        }
    }


def test_events_of_a_day_that_say_the_same_stay_apart_and_in_order(scenario, executor, tmp_path):
    words = ["launch adapeff-mini:v1", "dataset_refresh intent", "traffic_change", "dataset_refresh intent"]
    assert [event.text for event in facts_of(scenario).events] == words
    results = conduct(scenario, MACHINE, tmp_path / "store", tmp_path / "run")
    rows = [(r.day, r.place, r.event) for r in results.events if r.seed == 13]
    assert rows == [(0, 0, words[0]), (10, 0, words[1]), (10, 1, words[2]), (10, 2, words[3])]


def test_a_folder_in_which_another_process_runs_is_left_alone(scenario, executor, tmp_path):
    with RunFolder(tmp_path / "run").alone(), pytest.raises(ExecutionError, match="another process runs here"):
        conduct(scenario, MACHINE, tmp_path / "store", tmp_path / "run")
    assert not (tmp_path / "run" / "scenario.yaml").exists()
