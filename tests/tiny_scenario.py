"""A valid scenario over a handful of rows in a folder, for tests that break it."""

import copy
import functools
import json
from pathlib import Path
from typing import Any

import yaml

TEXT = """\
name: tiny
horizon_days: 100
seeds: [13]
data: {files: rows}
timeline:
  - {day: 0, event: launch, base_model: "adapeff-mini:v1", tasks: {intent: [en, de]}, labelled: 6, requests_per_day: 90}
  - {day: 20, event: task_arrival, task: mood, languages: [en], labelled: 6, requests_per_day: 50}
  - {day: 40, event: new_language, language: sw, labelled: 4, requests_per_day: 10}
  - {day: 60, event: base_model_update, base_model: "adapeff-mini:v2"}
strategies:
  - adapter_per_task
  - {adapter_per_task: {on_base_update: carry_over}, as: carried}
  - adapter_fusion
  - multitask_full
training:
  every: {epochs: 2, batch_size: 8}
  model: {learning_rate: 1e-4}
prices: cloud_gpu
"""
ROWS = {"train": 8, "validation": 4, "test": 4}
LABELS = {"intent": ("ask", "pay"), "mood": ("bad", "good")}


def write_rows(folder: Path, languages: tuple[str, ...] = ("de", "en", "es", "sw")) -> Path:
    """A data source of two tasks, whose rows say nothing but which they are."""
    for task, labels in LABELS.items():
        for language in languages:
            place = folder / task / language
            place.mkdir(parents=True, exist_ok=True)
            for split, count in ROWS.items():
                rows = [{"text": f"{split} {i} of {task} in {language}", "label": labels[i % 2]} for i in range(count)]
                (place / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def write_scenario(folder: Path, text: str = TEXT) -> Path:
    """A scenario's file beside its rows."""
    if not (folder / "rows").is_dir():
        write_rows(folder / "rows")
    file = folder / "tiny.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def plain() -> dict[str, Any]:
    """The values of the file, to be changed."""
    return copy.deepcopy(_read())


@functools.cache
def _read() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(TEXT.replace("1e-4", "1.0e-4"))
    return values
