"""What must come out the same in a process with other hashes, and what a process must not load: one such for all."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpdesk_rows import TASKS
from made_up_model import model
from test_orders import orders, write_world

from adapeff_sim.data.examples import content_digest
from adapeff_sim.data.helpdesk import Helpdesk

CODE = """
import json, sys
from pathlib import Path

def loaded(*names):
    return sorted(set(names) & set(sys.modules))

from adapeff_sim.base_models.release import resolve
resolve(sys.argv[1])
by_resolve = loaded("torch", "transformers", "huggingface_hub")
from test_another_process import digests
from test_orders import orders
keys = [order.key for order in orders(Path(sys.argv[2]))]
told = {"by_resolve": by_resolve, "keys": keys, "digests": digests()}
print(json.dumps(told | {"by_orders": loaded("torch", "transformers", "adapters")}))
"""


def digests() -> list[str]:
    """Of the rows of every task."""
    source = Helpdesk({"size": 60})
    return [content_digest(source.examples(task, "tr", "test")) for task in TASKS]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def told(world: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the other process says."""
    release = model(tmp_path_factory.mktemp("m") / "m")
    env = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)}
    asked = [sys.executable, "-c", CODE, f"path:{release}", str(world)]
    ended = subprocess.run(asked, env=env, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_the_same_question_has_the_same_keys(told, world):
    assert told["keys"] == [order.key for order in orders(world)]


def test_rows_are_the_same(told):
    assert told["digests"] == digests()


def test_no_torch_and_no_hub_for_a_local_release_and_no_torch_for_keys(told):
    assert told["by_resolve"] == [] == told["by_orders"]
