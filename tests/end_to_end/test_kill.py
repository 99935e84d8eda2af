"""A run that is killed twenty times comes to what an undisturbed one comes to, and does nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tiny_model import write_tiny_model

from adapeff_sim.data.helpdesk import Helpdesk

KILLS = 20
SIZES = {"train": 64, "validation": 16, "test": 32}
FLAGS = ["--device", "cpu", "--threads", "1", "--quiet"]
KILLING = Path(__file__).with_name("killing.py")
SCENARIO = """
name: killed
horizon_days: 30
data: {{files: "{root}/rows"}}
timeline:
  - {{day: 0, event: launch, base_model: "path:{root}/model", tasks: {{intent: [en], sentiment: [en]}},
      requests_per_day: 10}}
  - {{day: 10, event: new_language, language: de, labelled: 16, requests_per_day: 10}}
strategies: [adapter_fusion, {{multitask_full: {{update: continue, replay: 0.5}}}}]
training:
  every: {{epochs: 5, patience: 0, batch_size: 8, max_length: 32}}
prices: laptop_cpu
"""
MEASURED_ANEW = ("_seconds", "_seconds_noise", "peak_memory_bytes", "energy_joules")


@dataclass(frozen=True, slots=True)
class Killed:
    """Where the undisturbed run and the killed one wrote, and what was seen of the attempts."""

    root: Path
    scenario: Path
    attempts: list[dict[str, Any]]
    log: list[dict[str, Any]]
    undisturbed: int

    def argv(self) -> list[str]:
        """The command of the killed run, as a user gives it."""
        flags = ["--store", str(self.root / "store-killed"), "--out", str(self.root / "out-killed"), *FLAGS]
        return [sys.executable, "-m", "adapeff_sim", "run", str(self.scenario), *flags]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    root = tmp_path_factory.mktemp("killed")
    write_tiny_model(root / "model", write_rows(root / "rows"), hidden=32, layers=2)
    scenario = root / "killed.yaml"
    scenario.write_text(SCENARIO.format(root=root))
    log = root / "log.jsonl"
    asked = {"root": str(root), "scenario": str(scenario), "flags": FLAGS, "kills": KILLS, "seed": 5, "log": str(log)}
    argv, env = [sys.executable, str(KILLING), json.dumps(asked)], {**os.environ, "PYTHONPATH": str(KILLING.parents[1])}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    whole = Killed(root, scenario, seen["attempts"], lines, seen["undisturbed"])
    _kill_the_command_itself(whole)
    finished = subprocess.run(whole.argv(), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-4000:]
    return whole


def write_rows(folder: Path) -> list[str]:
    """Some rows of the embedded data source as files; their texts."""
    source, texts = Helpdesk({"size": SIZES}), []
    for task, language, split in product(("intent", "sentiment"), ("de", "en"), SIZES):
        rows = source.examples(task, language, split)
        texts += [row.text for row in rows]
        (folder / task / language).mkdir(parents=True, exist_ok=True)
        lines = [row.model_dump_json() for row in rows]
        (folder / task / language / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return texts


def _kill_the_command_itself(killed: Killed) -> None:
    """Once as a user would have it: a process of its own, killed while it trains or starts to."""
    process = subprocess.Popen(killed.argv(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(4.0)
    process.send_signal(signal.SIGKILL)
    assert process.wait() in (-signal.SIGKILL, 0)


def files(store: Path) -> dict[str, bytes]:
    """Every file of every artifact, by its path below the objects."""
    objects = store / "objects"
    return {str(f.relative_to(objects)): f.read_bytes() for f in objects.glob("*/*/artifact/**/*") if f.is_file()}


def ledger(out: Path) -> list[dict[str, Any]]:
    """Every record, without what is timed anew and cannot be the same twice."""
    records = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    for record in records:
        record.pop("request_seconds", None)
        for point in record.get("curve", ()):
            point.pop("train_seconds")
        usage = record.get("usage", {})
        record["usage"] = {name: n for name, n in usage.items() if not name.endswith(MEASURED_ANEW)}
    return records


def test_every_attempt_was_killed(killed):
    assert killed.undisturbed == 0
    assert [a["code"] for a in killed.attempts] == [-signal.SIGKILL] * KILLS
    assert len({(a["kill_at"], a["delay"]) for a in killed.attempts}) > KILLS / 2


def test_the_kills_hit_trainings_and_jobs_of_every_kind_between_start_and_end(killed):
    finished = [len(a["done"]) for a in killed.attempts]
    assert finished == sorted(finished) and finished[0] < finished[-1]
    assert sum(bool(a["checkpoints"]) for a in killed.attempts) >= 3


def test_finished_jobs_are_not_done_again(killed):
    last = killed.attempts[-1]["done"]
    for before, after in zip(killed.attempts, killed.attempts[1:], strict=False):
        assert before["done"].items() <= after["done"].items()
    for number, attempt in enumerate(killed.attempts[1:], start=1):
        taken = {line["takes"] for line in killed.log if line["attempt"] == number and "takes" in line}
        assert not taken & killed.attempts[number - 1]["done"].keys(), attempt
    for key, (inode, changed) in last.items():
        stat = (killed.root / "store-killed" / "objects" / key[:2] / key / "manifest.json").stat()
        assert (stat.st_ino, stat.st_mtime_ns) == (inode, changed)


def test_an_interrupted_training_goes_on_from_its_checkpoint(killed):
    went_on = 0
    for number, attempt in enumerate(killed.attempts[:-1]):
        for line in killed.log:
            step = attempt["checkpoints"].get(line.get("key", ""))
            if line["attempt"] == number + 1 and line.get("phase") == "train" and step is not None:
                assert line["first"] == step + 1
                went_on += 1
    assert went_on >= 2


def test_the_ledger_is_that_of_an_undisturbed_run(killed):
    whole, resumed = (ledger(killed.root / f"out-{name}") for name in ("whole", "killed"))
    assert resumed == whole
    assert {record["provenance"] for record in whole if "provenance" in record} == {"measured"}
    assert sum(record["usage"].get("train_flops", 0) for record in whole) > 0


def test_every_file_of_every_artifact_is_the_same_bit_by_bit(killed):
    whole, resumed = (files(killed.root / f"store-{name}") for name in ("whole", "killed"))
    assert resumed.keys() == whole.keys() and len(whole) > 10
    assert [name for name in whole if resumed[name] != whole[name]] == []


def test_nothing_is_left_of_the_attempts(killed):
    store = killed.root / "store-killed"
    assert list((store / "work").glob("*@*")) == [] and not (store / "damaged").exists()
    assert json.loads((killed.root / "out-killed" / "run.json").read_text())["finished"]
