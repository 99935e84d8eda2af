"""A scenario that loads says what its file says, and what the flags say instead."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from story import life
from tiny_scenario import TEXT, write_scenario

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.recipe import AdapterRecipe, DatasetRecipe, FusionRecipe, ModelRecipe
from adapeff_sim.conduct import in_store, terms_of
from adapeff_sim.errors import ScenarioError
from adapeff_sim.execution.machine import Machine
from adapeff_sim.execution.orders import Orders
from adapeff_sim.execution.sources import Sources
from adapeff_sim.execution.store import Store
from adapeff_sim.planning.plan import Make
from adapeff_sim.scenario import space
from adapeff_sim.scenario.document import parse
from adapeff_sim.scenario.load import find_scenario, load, loads
from adapeff_sim.scenario.price_books import BOOKS, load_prices
from adapeff_sim.scenario.problems import Problems

ADAPTER = Artifact("adapter/intent", AdapterRecipe(task="intent", method="seq_bn"))
FUSION = Artifact("fusion/intent", FusionRecipe(task="intent"))
MODEL = Artifact("model/multitask", ModelRecipe(tasks=("intent",)))
ROWS = Artifact("dataset/intent/en", DatasetRecipe(task="intent", language="en", rows=6, source=""))


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_scenario(tmp_path)


def test_events_strategies_and_facts_are_those_of_the_file(file):
    scenario = load(file)
    assert [event.headline for event in scenario.events(13)] == [
        "launch adapeff-mini:v1",
        "task_arrival mood",
        "new_language sw",
        "base_model_update adapeff-mini:v2",
    ]
    assert scenario.labels == ("adapter_per_task", "carried", "adapter_fusion", "multitask_full")
    assert scenario.strategies["carried"].on_base_update == "carry_over"
    assert (scenario.horizon_days, scenario.seeds, scenario.quality_floor) == (100, (13,), 2.0)
    assert scenario.serving.utilisation == 0.6


@pytest.mark.parametrize(
    ("said", "utilisation"), [("p95_ms: 50", 1.0), ("p95_ms: 50, utilisation: 0.7", 0.7), ("utilisation: 0.7", 0.7)]
)
@pytest.mark.filterwarnings("error")
def test_what_replicas_are_bought_for_reaches_the_terms_and_is_written_as_it_was_said(file, said, utilisation):
    file.write_text(TEXT.replace("prices: cloud_gpu", f"serving: {{{said}, placement: packed, rollout_hours: 24}}"))
    scenario = load(file)
    terms = terms_of(scenario)
    assert (terms.utilisation, terms.placement, terms.rollout_hours) == (utilisation, "packed", 24)
    assert terms.p95_ms == (50 if "p95_ms" in said else None)
    assert terms.utilisation_said == ("utilisation" in said)
    file.write_text(scenario.as_yaml())
    assert terms_of(load(file)) == terms and scenario.plain()["serving"].keys() == load(file).plain()["serving"].keys()


def test_settings_resolve_every_before_kind_before_label(file):
    layers = "  every: {epochs: 2, batch_size: 8}\n  carried: {epochs: 5, learning_rate: 0.5}\n"
    file.write_text(TEXT.replace("  every: {epochs: 2, batch_size: 8}\n", layers))
    scenario = load(file)
    assert scenario.settings("multitask_full", MODEL).learning_rate == 1e-4
    assert scenario.settings("carried", ADAPTER).learning_rate == 0.5
    assert scenario.settings("carried", ADAPTER).epochs == 5
    assert scenario.settings("adapter_fusion", FUSION).epochs == 2
    assert scenario.settings("adapter_fusion", FUSION).learning_rate not in (0.5, 1e-4)
    assert scenario.settings("carried", ROWS).batch_size == 8


def test_the_own_source_is_the_same_rows_by_its_name(file):
    back = "  - {day: 50, event: dataset_refresh, task: intent, source: {files: SOURCE}}\n"
    refreshed = [back.replace("SOURCE", source) for source in ("elsewhere", "rows")]
    scenario = loads(TEXT.replace("strategies:\n", "".join(refreshed) + "strategies:\n", 1))
    found = [e for e in scenario.events(13) if e.kind == "dataset_refresh" and e.day == 50]
    assert found[0].source.endswith("elsewhere") and found[1].source == ""
    assert [e.source for e in scenario.timeline if e.day == 50][1] == scenario.data, "as it was said"


def test_a_scenario_written_down_is_read_again_the_same(file):
    scenario = load(file, strategies=["carried", "full_per_task"], seeds=[14, 15])
    assert loads(scenario.as_yaml()) == scenario
    process = "arrivals:\n  - {process: poisson, gap_days: 9, events: [{event: traffic_change, requests_per_day: 5}]}\n"
    file.write_text(TEXT + process)
    chancy = load(file)
    assert loads(chancy.as_yaml()) == chancy
    assert loads(chancy.as_yaml()).events(3) == chancy.events(3)


def test_flags_choose_strategies_seeds_data_and_prices(file, tmp_path):
    scenario = load(file, strategies=["multitask_full", "full_per_task"], seeds=[1, 2], prices="on_prem")
    assert scenario.labels == ("multitask_full", "full_per_task")
    assert (scenario.seeds, scenario.prices) == ((1, 2), "on_prem")
    assert load(file, strategies=["adapter_per_task"]).labels == ("adapter_per_task",), (
        "the model's layer is no problem"
    )
    assert load(file, data=str(tmp_path / "rows")).data == f"files:{tmp_path / 'rows'}"


def test_data_may_come_from_the_command_line_alone(file):
    file.write_text(TEXT.replace("data: {files: rows}\n", ""))
    with pytest.raises(Problems, match=r"tiny\.yaml: data: missing; say where the rows come from with --data FOLDER"):
        load(file)
    assert load(file, needs_data=False).data == ""
    assert load(file, data="rows").data == f"files:{file.parent / 'rows'}"


def test_what_a_scenario_names_does_not_depend_on_where_the_command_is_given(file, tmp_path, monkeypatch):
    book = (BOOKS / "on_prem.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(book, encoding="utf-8")
    file.write_text(TEXT.replace("prices: cloud_gpu", "prices: mine.yaml"))
    here = load("tiny.yaml")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "scenario.yaml").write_text(here.as_yaml(), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "run")
    assert load("../tiny.yaml") == here == load("scenario.yaml")
    monkeypatch.chdir("/")
    again = load(tmp_path / "run" / "scenario.yaml")
    assert again == here
    assert load_prices(again.prices).name == "on_prem"
    monkeypatch.chdir(tmp_path)
    assert load(file, prices="mine.yaml").prices == str(tmp_path / "mine.yaml")


def test_words_are_not_taken_for_something_else():
    read = parse(b"a: no\nb: 1e-3\nc: 12:30\nd: 2024-01-01\ne: 'true'\nf: true\ng: 0x10\nh: -7\n8: eight\n", "it")
    words = {"a": "no", "c": "12:30", "d": "2024-01-01", "e": "true", "g": "0x10", "8": "eight"}
    assert read.value == words | {"b": 1e-3, "f": True, "h": -7}
    assert read.line(("h",)) == 8 and read.line(("d", "deeper", 3)) == 4 and read.line(("z",)) == 0


def test_anchors_stand_for_what_they_name(file):
    text = TEXT.replace("labelled: 6, requests_per_day: 90", "labelled: &few 6, requests_per_day: 90")
    file.write_text(text.replace("sw, labelled: 4", "sw, labelled: *few"))
    assert load(file).timeline[2].labelled == 6


def test_arrivals_differ_by_seed_and_every_seed_is_checked(file):
    process = "arrivals:\n  - {process: poisson, gap_days: 30, events: [{event: task_retirement, task: mood}]}\n"
    file.write_text(TEXT + process)
    text = {}
    for seed in range(12):
        try:
            load(file, seeds=[seed])
        except Problems as error:
            text[seed] = str(error)
    assert 0 < len(text) < 12, "some seeds bring the event too early, or never"
    assert all("arrivals[0]" in told for told in text.values())
    with pytest.raises(Problems, match=r"tiny\.yaml:20: arrivals\[0\]"):
        load(file, seeds=list(range(12)))


def test_a_run_that_cannot_fit_on_the_disk_is_refused_before_it_starts(file, tmp_path, monkeypatch):
    scenario = load(file)
    needed = space.bytes_needed(scenario)
    assert needed > space.bytes_needed(load(file, strategies=["adapter_per_task"])) > 0
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed - 1))
    with pytest.raises(ScenarioError, match="MiB are free, but tiny may write"):
        space.require_space(scenario, tmp_path / "not" / "there" / "yet")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed))
    space.require_space(scenario, tmp_path / "store")


def test_only_what_the_store_has_of_this_scenario_needs_no_room(file, tmp_path, monkeypatch):
    scenario = load(file, strategies=["adapter_per_task"])
    machine = Machine("cpu", "cpu (x)", 1, "fp32")
    orders, store = Orders(scenario.settings, Sources(scenario.data, Path()), machine), Store(tmp_path / "store")
    is_stored = in_store(store, orders)
    other = tmp_path / "store" / "objects" / "ab" / "abcd"
    other.mkdir(parents=True)
    (other / "weights").write_bytes(bytes(2**20))
    needed = space.bytes_needed(scenario)
    assert space.bytes_needed(scenario, is_stored) == needed
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed - 1))
    with pytest.raises(ScenarioError, match="MiB are free"):
        space.require_space(scenario, store.folder, is_stored)
    for step in life(scenario.strategies["adapter_per_task"], scenario.events(13)):
        for artifact in step.plan.built:
            key = orders("adapter_per_task", 13, 0.0, Make(artifact)).key
            (store.folder / "objects" / key[:2] / key).mkdir(parents=True)
    assert space.bytes_needed(scenario, is_stored) == 0
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    space.require_space(scenario, store.folder, is_stored)


@pytest.mark.parametrize("name", ["x" * 10_000, "a/" * 5_000 + "b.yaml", "a\0b"])
def test_a_name_that_no_file_can_have_is_refused_in_words(name):
    with pytest.raises(ScenarioError, match="No scenario"):
        find_scenario(name)
