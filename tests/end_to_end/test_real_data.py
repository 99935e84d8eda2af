"""Real rows: what is trained on them beats the majority class. The folder comes from ADAPEFF_REAL_DATA."""

import os
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.data.files import Files
from adapeff_sim.results import read

FOLDER = os.environ.get("ADAPEFF_REAL_DATA", "")
pytestmark = [
    pytest.mark.skipif(not FOLDER, reason="ADAPEFF_REAL_DATA names no folder of real rows"),
    pytest.mark.usefixtures("quick_probes"),
]
MARGIN = 0.10
SCENARIO = """
name: real_topics
horizon_days: 10
data: {{files: "{folder}"}}
timeline:
  - {{day: 0, event: launch, base_model: "adapeff-mini:v1", tasks: {{topic: [en]}}, labelled: 300}}
strategies: [full_per_task, adapter_per_task]
training:
  every: {{epochs: 6, patience: 0, batch_size: 16, max_length: 48}}
prices: laptop_cpu
"""


def test_full_fine_tuning_on_english_topics_is_ten_points_above_the_majority(tmp_path: Path):
    scenario = tmp_path / "real.yaml"
    scenario.write_text(SCENARIO.format(folder=FOLDER), encoding="utf-8")
    flags = ["--store", str(tmp_path / "store"), "--out", str(tmp_path / "out"), "--quiet", "--threads", "1"]
    done = CliRunner().invoke(app, ["run", str(scenario), *flags], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    scores = {point.label: point.score for point in read(tmp_path / "out").quality}
    test = [row.label for row in Files(FOLDER).examples("topic", "en", "test")]
    majority = Counter(test).most_common(1)[0][1] / len(test)
    assert scores["full_per_task"] >= majority + MARGIN, scores
    assert scores["adapter_per_task"] > majority, scores
