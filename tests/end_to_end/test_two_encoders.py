"""A product moves from a BERT to a DeBERTa, over rows in CSV and CoNLL: every strategy, really trained."""

import csv
import json
from itertools import product
from pathlib import Path

import pytest
from tiny_encoders import write_encoder
from typer.testing import CliRunner, Result

from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.cli.app import app
from adapeff_sim.data.helpdesk import Helpdesk
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord, ServingRecord
from adapeff_sim.results import read
from adapeff_sim.run_folder import RunFolder

pytestmark = pytest.mark.usefixtures("quick_probes")
SIZES = {"train": 60, "validation": 6, "test": 8}
TASKS = ("intent", "entities")
SCENARIO = """
name: two_encoders
horizon_days: 30
data:
  files:
    folder: "{rows}"
    tasks:
      intent: {{kind: classification, columns: {{text: question, label: wanted}}}}
      entities: {{kind: tagging}}
timeline:
  - {{day: 0, event: launch, base_model: "path:bert", tasks: {{intent: [en]}}, labelled: 12, requests_per_day: 9}}
  - {{day: 5, event: task_arrival, task: entities, languages: [en], labelled: 12, requests_per_day: 9}}
  - {{day: 10, event: base_model_update, base_model: "path:deberta"}}
strategies:
  - adapter_per_task: {{method: "lora[r=4]"}}
  - adapter_fusion
  - multitask_full
  - full_per_task
training:
  every: {{epochs: 1, patience: 0, batch_size: 8, max_length: 48}}
prices: laptop_cpu
"""
SOME = ("adapter_fusion", "multitask_full")
EVERYTHING = {
    "adapter_per_task": {f"adapter/{task}" for task in TASKS},
    "adapter_fusion": {f"{kind}/{task}" for kind in ("adapter", "fusion") for task in TASKS},
    "multitask_full": {"model/multitask"},
    "full_per_task": {f"model/{task}" for task in TASKS},
}


def write_rows(folder: Path) -> Path:
    """Rows of two kinds of task: one in CSV under columns of its own, one in CoNLL."""
    source = Helpdesk({"size": SIZES})
    for task, split in product(TASKS, SIZES):
        (folder / task / "en").mkdir(parents=True, exist_ok=True)
        rows = source.examples(task, "en", split)
        if task == "intent":
            with (folder / task / "en" / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([("wanted", "question"), *((row.label, row.text) for row in rows)])
        else:
            sentences = (
                "".join(f"{token}\t{tag}\n" for token, tag in zip(row.tokens, row.tags, strict=True)) for row in rows
            )
            (folder / task / "en" / f"{split}.conll").write_text("\n".join(sentences), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    rows = write_rows(folder / "rows")
    texts = [file.read_text(encoding="utf-8") for file in sorted(rows.rglob("*.c*"))]
    write_encoder(folder / "bert", "bert", texts=texts)
    write_encoder(folder / "deberta", "deberta-v2", texts=texts)
    (folder / "life.yaml").write_text(SCENARIO.format(rows=rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bases(root: Path) -> dict[str, Release]:
    return {name: resolve(f"path:{root / name}") for name in ("bert", "deberta")}


def typed(*words: object) -> Result:
    """A command line, typed in this process."""
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def lived(root: Path, out: str, *strategies: str) -> RunFolder:
    """The scenario's run in a folder."""
    where = (
        "--store",
        root / "store",
        "--out",
        root / out,
        *(("--strategies", ",".join(strategies)) if strategies else ()),
    )
    done = typed("--debug", "run", root / "life.yaml", "--threads", "1", "--device", "cpu", *where, "--quiet")
    assert done.exit_code == 0, done.output
    return RunFolder(root / out)


@pytest.fixture(scope="module")
def ledger(root: Path):
    return lived(root, "first").read_ledger()


def builds(ledger, day: float) -> dict[tuple[str, str], JobRecord]:
    return {(r.label, r.slot): r for r in ledger.of(JobRecord) if r.job == "build" and r.day == day}


def test_everything_is_built_again_over_the_other_encoder_because_the_base_model_moved(ledger):
    moved = builds(ledger, 10)
    assert {label: {slot for at, slot in moved if at == label} for label in EVERYTHING} == EVERYTHING
    for (_, slot), record in moved.items():
        assert record.because[0] == ("start:base_model" if slot.startswith("model/") else "base:base_model")
        assert record.provenance == "measured" and record.usage["train_flops"] > 0
    standing = {r.label: set(r.rebuilt) for r in ledger.of(DeploymentRecord) if r.day == 10}
    assert standing == EVERYTHING


def test_every_endpoint_is_scored_and_every_shape_timed_on_both(ledger):
    for label in EVERYTHING:
        scored = {(r.day, r.endpoint) for r in ledger.of(EvaluationRecord) if r.label == label}
        assert {(10, f"{task}/en") for task in TASKS} <= scored
    timed = {(r.shape.rpartition("path:")[2], r.key) for r in ledger.of(ServingRecord)}
    shapes = {shape.rpartition("/")[2] for shape, _ in timed}
    assert shapes == {"bert", "deberta"} and len({key for _, key in timed}) == len(timed)
    assert all(r.usage["request_flops"] > 0 for r in ledger.of(ServingRecord))


def test_what_was_trained_says_over_which_base_model(root, bases, ledger):
    over = {}
    for record in ledger.of(JobRecord):
        if record.job == "build":
            (card,) = (root / "store" / "objects").glob(f"*/{record.key}/artifact/artifact.json")
            base = json.loads(card.read_text())["base"]
            over.setdefault(record.day == 10, set()).add((base["encoder"], base["digest"]))
    assert over == {False: {("bert", bases["bert"].digest)}, True: {("deberta-v2", bases["deberta"].digest)}}


def test_which_base_models_were_used_stands_in_the_results(root, bases, ledger):
    told = read(root / "first").environment["base_models"]
    assert told == {
        f"path:{root / name}": {
            "digest": release.digest,
            "encoder": release.encoder,
            "parameters": release.parameters,
            "revision": None,
            "stored_bytes": release.stored_bytes,
        }
        for name, release in bases.items()
    }
    assert json.loads((root / "first" / "environment.json").read_text())["base_models"] == told
    fetched = {r.key for r in ledger.of(JobRecord) if r.kind == "base_model"}
    assert fetched == {f"fetch-{release.digest}" for release in bases.values()}


def test_other_weights_in_the_folder_are_another_base_model(root, bases, ledger):
    weights = root / "deberta" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        again = lived(root, "again", *SOME)
    finally:
        weights.write_bytes(content)
    trained = [r for r in again.read_ledger().of(JobRecord) if r.job == "build" and r.provenance == "measured"]
    assert {(r.label, r.slot) for r in trained} == {built for built in builds(ledger, 10) if built[0] in SOME}
    assert {r.day for r in trained} == {10}
    told = json.loads((root / "again" / "environment.json").read_text())["base_models"]
    assert told[f"path:{root / 'bert'}"]["digest"] == bases["bert"].digest
    assert told[f"path:{root / 'deberta'}"]["digest"] != bases["deberta"].digest


def test_weights_that_are_cut_short_stop_the_command_before_anything_is_done(root, ledger):
    weights = root / "deberta" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-100])
    try:
        done = typed("run", root / "life.yaml", "--store", root / "store", "--out", root / "cut")
    finally:
        weights.write_bytes(content)
    assert done.exit_code == 2 and not (root / "cut").exists()
    assert "timeline[2].base_model" in done.output and "but its header tells of" in done.output


def test_an_adapter_is_not_carried_over_from_one_encoder_to_the_other(root):
    text = (root / "life.yaml").read_text().replace('{method: "lora[r=4]"}', "{on_base_update: carry_over}")
    (root / "carried.yaml").write_text(text)
    done = typed("validate", root / "carried.yaml")
    assert done.exit_code == 2 and "strategies[0]" in done.output
    assert "cannot be carried over" in done.output and "on_base_update: retrain" in done.output
