"""On a machine without torch, and without all else that only training needs, a finished run is still told."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAINING = ("torch", "transformers", "adapters", "tokenizers", "safetensors", "datasets", "pyarrow", "huggingface_hub")
OTHERS = ("numpy", "scipy", "sklearn", "seqeval", "psutil", "altair", "vl_convert")
CODE = """
import importlib.abc, os, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in os.environ["HIDDEN"].split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
try:
    import torch
except ModuleNotFoundError:
    sys.argv[0] = "adapeff-sim"
    from adapeff_sim.cli.app import main
    main()
"""


def do(here: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on such a machine."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "HIDDEN": " ".join(TRAINING + OTHERS)}
    asked = [sys.executable, "-c", CODE, *arguments]
    return subprocess.run(asked, cwd=here, env=env, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["replay", "demo:new_language"], "Every job is done"),
        (["replay", "demo:new_language", "--record", "a.cast", "--speed", "300"], "a.cast"),
        (["report", "demo:new_language"], "Verdict"),
        (["price", "demo:new_language", "--prices", "on_prem"], "Verdict"),
        (["explain", "demo:new_language", "--event", "3"], "by dataset/intent/sw > adapter/intent"),
        (["explain", "demo:new_language", "--event", "2"], "rows to train on at .* are .* USD"),
        (["explain", "demo:new_language", "--job", "adapter/intent@0", "--strategy", "adapter_fusion"], "forward"),
        (["plan", "new_language"], "adapter/sentiment"),
    ],
)
def test_a_finished_run_is_told_without_torch(tmp_path, arguments, told):
    ended = do(tmp_path, *arguments)
    assert ended.returncode == 0, ended.stderr
    assert re.search(told, ended.stdout) and not ended.stderr


def test_what_needs_torch_says_so(tmp_path):
    ended = do(tmp_path, "run", "smoke", "--device", "cpu")
    assert ended.returncode == 2
    assert "is not installed, and this needs it; pip install adapeff-sim brings it" in ended.stderr
