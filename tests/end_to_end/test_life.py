"""A whole life with five kinds of task, every kind of event and every strategy, really trained on a tiny base model."""

import json
from itertools import product
from pathlib import Path

import pytest
from tiny_model import write_tiny_model
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.data.examples import take
from adapeff_sim.data.files import Files
from adapeff_sim.data.helpdesk import Helpdesk
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord
from adapeff_sim.results import Results, read
from adapeff_sim.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("quick_probes")
SEED, LABELLED = 13, 12
SIZES = {"train": 400, "validation": 10, "test": 12}
TASKS = ("intent", "entities", "duplicate", "answer_choice", "answer_span")
LANGUAGES = ("de", "en", "sw")
SCENARIO = """
name: whole_life
horizon_days: 100
data: {{files: "{root}/rows"}}
timeline:
  - {{day: 0, event: launch, base_model: "path:{root}/one", tasks: {{intent: [en]}}, labelled: 12}}
  - {{day: 10, event: task_arrival, task: entities, languages: [en], labelled: 12, requests_per_day: 9}}
  - {{day: 20, event: task_arrival, task: answer_choice, languages: [en], labelled: 12, requests_per_day: 9}}
  - {{day: 30, event: new_language, language: de, labelled: 8, tasks: [intent], requests_per_day: 10}}
  - {{day: 40, event: new_language, language: sw, labelled: 0, tasks: [intent, entities], requests_per_day: 10}}
  - {{day: 50, event: base_model_update, base_model: "path:{root}/two"}}
  - {{day: 60, event: dataset_refresh, task: intent, languages: [en], add: 4}}
  - {{day: 70, event: task_retirement, task: entities}}
  - {{day: 80, event: task_arrival, task: duplicate, languages: [en], labelled: 12, requests_per_day: 9}}
  - {{day: 85, event: task_arrival, task: answer_span, languages: [en], labelled: 12, requests_per_day: 9}}
  - {{day: 90, event: traffic_change, requests_per_day: 5}}
strategies:
  - adapter_per_task: {{on_base_update: carry_over, may_fall: 0}}
  - adapter_fusion
  - {{adapter_fusion: {{refuse: never}}, as: pinned}}
  - multitask_full
  - {{multitask_full: {{update: continue, replay: 0}}, as: continued}}
  - full_per_task
training:
  every: {{epochs: 1, patience: 0, batch_size: 8, max_length: 48}}
prices: laptop_cpu
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("life")
    source, texts = Helpdesk({"size": SIZES}), []
    for task, language, split in product(TASKS, LANGUAGES, SIZES):
        place = folder / "rows" / task / language
        place.mkdir(parents=True, exist_ok=True)
        lines = [row.model_dump_json() for row in source.examples(task, language, split)]
        texts += lines
        (place / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for seed, name in enumerate(("one", "two")):
        write_tiny_model(folder / name, texts, seed=seed)
    (folder / "life.yaml").write_text(SCENARIO.format(root=folder), encoding="utf-8")
    return folder


def live(root: Path, out: str, scenario: str = "life.yaml") -> Results:
    """Run the command in this process; the results that it wrote."""
    flags = ["--threads", "1", "--store", str(root / "store"), "--out", str(root / out), "--json", "--quiet"]
    done = CliRunner().invoke(app, ["--debug", "run", str(root / scenario), *flags], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["format"] == 4
    return read(root / out)


@pytest.fixture(scope="module")
def first(root: Path) -> Results:
    return live(root, "first")


def trained(root: Path, out: str) -> set[tuple[str, str, float]]:
    """What a run built itself: label, slot and day."""
    jobs = RunFolder(root / out).read_ledger().of(JobRecord)
    return {(r.label, r.slot, r.day) for r in jobs if r.job == "build" and r.provenance == "measured"}


def test_every_life_is_led_to_its_end_and_every_endpoint_is_scored(root, first):
    ledger = RunFolder(root / "first").read_ledger()
    for label in first.facts.labels:
        standing = [r for r in ledger.of(DeploymentRecord) if r.label == label]
        assert list(dict.fromkeys(r.day for r in standing)) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 85, 90]
        scored = {r.endpoint: r for r in ledger.of(EvaluationRecord) if r.label == label}
        assert {a.endpoint for r in standing for a in r.answered} == scored.keys()
        assert {s.primary for s in scored.values()} == {"accuracy", "entity_f1", "f1"}
        assert all(0 <= value <= 1 for s in scored.values() for value in s.scores.values())


def test_what_is_stored_is_what_the_files_weigh(root, first):
    weighed = {
        f.parent.parent.name: sum(part.stat().st_size for part in f.parent.iterdir())
        for f in (root / "store" / "objects").glob("*/*/artifact/weights.safetensors")
    }
    jobs = [r for r in RunFolder(root / "first").read_ledger().of(JobRecord) if r.job == "build"]
    assert jobs
    assert all(r.stored_bytes == weighed[r.key] for r in jobs)


def test_nothing_is_measured_as_nothing(root, first):
    for record in RunFolder(root / "first").read_ledger().of(JobRecord):
        if record.job == "build":
            for quantity in ("train_flops", "nominal_train_flops", "train_seconds", "train_steps", "peak_memory_bytes"):
                assert record.usage[quantity] > 0
            assert "energy_joules" in record.unavailable and "energy_joules" not in record.usage
            assert record.device.startswith("cpu") and record.threads == 1


def test_the_same_command_reuses_everything_and_costs_the_same_to_the_last_digit(root, first):
    again = live(root, "again")
    assert [(r.label, r.day, r.item, r.amount) for r in again.rows] == [
        (r.label, r.day, r.item, r.amount) for r in first.rows
    ]
    assert trained(root, "again") == set()
    assert {r.provenance for r in again.rows if r.component == "compute"} == {"reused"}
    assert {point.provenance for point in again.quality} == {"reused"}
    scores = [[point.model_copy(update={"provenance": ""}) for point in each.quality] for each in (again, first)]
    assert scores[0] == scores[1]


def test_an_edited_row_trains_everything_downstream_again_and_nothing_else(root, first):
    file = root / "rows" / "answer_choice" / "en" / "train.jsonl"
    before = file.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in before.splitlines()]
    known = Files(root / "rows").examples("answer_choice", "en", "train")
    trained_on = take(known, LABELLED, SEED, "answer_choice", "en")[0].id
    (edited,) = (row for row in rows if row["id"] == trained_on)
    edited["premise"] += " !"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    try:
        live(root, "edited")
    finally:
        file.write_text(before, encoding="utf-8")
    rebuilt = trained(root, "edited")
    ledger = RunFolder(root / "first").read_ledger()
    old, new = (
        {(r.label, r.slot, r.day): r.key for r in x.of(JobRecord) if r.job == "build"}
        for x in (ledger, RunFolder(root / "edited").read_ledger())
    )
    assert rebuilt == {job for job in new if new[job] != old.get(job)}
    assert {slot for label, slot, _ in rebuilt if label == "full_per_task"} == {"model/answer_choice"}
    assert {slot for label, slot, _ in rebuilt if label == "adapter_per_task"} == {"adapter/answer_choice"}
    assert {day for label, _, day in rebuilt if label == "multitask_full"} == {20, 30, 50, 60, 80, 85}
    assert not any(day < 20 for _, _, day in rebuilt)


def test_another_setting_trains_its_artifacts_and_what_lies_over_them(root, first):
    text = (root / "life.yaml").read_text(encoding="utf-8")
    (root / "slower.yaml").write_text(text.replace("prices:", "  adapter: {learning_rate: 2.0e-3}\nprices:"))
    live(root, "slower", "slower.yaml")
    rebuilt = trained(root, "slower")
    assert {slot.partition("/")[0] for _, slot, _ in rebuilt} == {"adapter", "fusion"}
    everything = {
        (r.label, r.slot, r.day)
        for r in RunFolder(root / "slower").read_ledger().of(JobRecord)
        if r.job == "build" and r.kind in ("adapter", "fusion")
    }
    assert rebuilt == everything


def test_report_and_price_read_the_run_again(root, first):
    shown = CliRunner().invoke(app, ["report", str(root / "first")], catch_exceptions=False)
    assert shown.exit_code == 0 and "whole_life" in shown.stdout and "Verdict" in shown.stdout
    priced = CliRunner().invoke(app, ["price", str(root / "first"), "--prices", "cloud_gpu", "--json"])
    assert priced.exit_code == 0
    found = Results.model_validate_json(priced.stdout)
    assert {r.provenance for r in found.rows if r.component == "compute"} == {"assumed"}
