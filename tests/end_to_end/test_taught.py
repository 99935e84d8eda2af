"""Every lesson is really run, and its claim holds in its own numbers."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.lessons.base import course

pytestmark = pytest.mark.usefixtures("quick_probes")
MOST_SECONDS = 180  # of one core; with a store that starts empty and is shared
RIGHT = {  # what must come out, whatever machine runs it: all of it follows from shapes, plans and traffic
    "few_parameters": 3,
    "fusion_step": 3,
    "bytes_on_disk": 1,
    "two_accountings": 2,
    "idle_replicas": 3,
    "who_is_validated": 2,
    "new_base_model": 3,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("taught")


def taught(place: Path, name: str, *more: str) -> dict[str, object]:
    flags = ["--store", str(place / "store"), "--out", str(place / name), "--json", "--threads", "1", "--device", "cpu"]
    done = CliRunner().invoke(app, ["--debug", "lesson", name, *flags, *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_every_lesson_is_tried_here():
    assert {lesson.name for lesson in course()} == set(RIGHT)


@pytest.mark.parametrize("name", RIGHT)
def test_the_claim_of_a_lesson_holds_in_its_own_numbers(place, name):
    begun = time.process_time()
    found = taught(place, name)
    assert time.process_time() - begun < MOST_SECONDS
    assert found["holds"] is True, found["claim"]
    assert found["choice"] == RIGHT[name]
    begun = time.process_time()
    assert taught(place, name, "--no-run") == found
    assert time.process_time() - begun < 5
