"""The checks for a GPU, run on a small shape without one: what they count is right, and what there is not says so."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu_check.py"


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("gpu_check", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_tables_are_made_and_closed_forms_agree(check, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", "--device", "cpu", "--small", "--steps", "2"])
    with pytest.raises(SystemExit) as ended:
        check.main()
    told = capsys.readouterr().out
    assert not ended.value.code, told
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in told.splitlines() if line.startswith("| ")
    ]
    of_training = [row for row in rows if row[0] == "fusion-of-3"]
    assert of_training[0][2:4] == ["equal", "is this"]
    assert "unavailable" in of_training[1], "neither energy nor a peak is known of a CPU"
    assert len(of_training) == 5, "FLOPs, a step, its parts, requests, and what stands beside them"


def test_counts_that_differ_are_told(check):
    assert check.agreement(2.0, 2.0) == "equal"
    assert check.agreement(2.0, 2.1).startswith(check.DIFFERS)
