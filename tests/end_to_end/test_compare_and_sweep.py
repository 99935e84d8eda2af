"""Comparing and sweeping as a user meets them, and the same from Python, with an executor that only reckons."""

import json
import re
from pathlib import Path

import pytest
from finished_run import HOSTILE, folder_with, told_by
from story import Reckoner
from typer.testing import CliRunner

import adapeff_sim
from adapeff_sim.cli.app import app
from adapeff_sim.execution.base import EXECUTORS

DOCS = Path(__file__).parents[2] / "docs"
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def reckoner(tmp_path, monkeypatch):
    """An empty folder, in which whatever is run is only reckoned."""
    chosen = Reckoner()
    monkeypatch.setitem(EXECUTORS._found, "local", lambda **_: chosen)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return chosen


def do(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def two(tmp_path):
    for name, traffic in (("one", 1.0), ("two", 400.0)):
        folder_with(tmp_path / name, *told_by(("red", "blue"), seeds=(1, 2, 3), traffic=traffic))
    return str(tmp_path / "one"), str(tmp_path / "two")


def test_two_runs_are_told_side_by_side(reckoner, two, tmp_path):
    shown = do("compare", *two, "--component", "compute").output
    assert "Compute by day 100: the first less the second, in EUR, paired over 3 seeds" in shown
    assert re.search(r"red +blue +-2\.00 ", shown)  # 2 x 100 seconds more, at a cent each
    assert "blue stops being the cheapest" in shown and "another is cheapest at" in shown
    assert "one less two, in EUR" in shown and "likely too narrow" in shown
    found = json.loads(do("compare", *two, "--json").stdout)
    assert found["format"] == 2 and [run["name"] for run in found["runs"]] == ["one", "two"]
    assert not reckoner.done
    assert do("compare", two[0], "--component", "computer").exit_code == 2
    assert do("compare", two[0], "--csv", "tables", "--html", "page.html").exit_code == 0
    (table,) = (tmp_path / "tables").glob("*pairs_compute.csv")
    assert re.search(r"^red,blue,-2\.0", table.read_text(), re.MULTILINE)


def test_names_that_mean_harm_are_only_names(reckoner, tmp_path):
    folder_with(tmp_path / "run", *told_by(HOSTILE[:4]))
    assert do("compare", "run", "--html", "page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text()
    assert "<script" not in page and "<img" not in page and "\x1b" not in page
    assert "\x1b[2J" not in do("compare", "run").output


def test_a_scenario_is_run_first_unless_it_was_already(reckoner):
    first = do("compare", "smoke", "--seeds", "2")
    assert first.exit_code == 0 and "it is run first" in first.stderr and "2 seeds (13, 14)" in first.stdout
    done = len(reckoner.done)
    again = do("compare", "smoke", "runs/smoke", "--seeds", "2")
    assert "its finished run in runs/smoke is used" in again.stderr and len(reckoner.done) == done


@pytest.mark.parametrize(
    "command", [("compare", "smoke"), ("sweep", "smoke", "--vary", "labelled=20"), ("lesson", "3", "--yes")], ids=str
)
def test_what_is_run_on_the_way_can_be_watched_on_a_terminal(reckoner, monkeypatch, command):
    monkeypatch.setattr("adapeff_sim.cli.run.can_redraw", lambda console: True)
    done = do(*command)
    assert reckoner.done and "This is a bug" not in done.output + done.stderr
    assert done.exit_code == (2 if command[0] == "lesson" else 0)  # no lesson can be read from what was only reckoned


def test_a_sweep_runs_every_scenario_once_and_prices_the_rest(reckoner, tmp_path):
    command = ("sweep", "smoke", "--vary", "labelled=20,24", "--vary", "traffic=1,100000", "--device", "cpu")
    planned = do(*command, "--plan")
    assert "4 cells, 2 scenarios to run (0 finished); at most" in planned.stdout and not reckoner.done
    swept = do(*command, "--html", "map.html")
    assert swept.exit_code == 0, swept.output
    assert "labelled down, traffic across" in swept.stdout
    assert sorted(p.name for p in (tmp_path / "sweeps/smoke").iterdir() if p.is_dir()) == ["labelled=20", "labelled=24"]
    done = len(reckoner.done)
    again = json.loads(do(*command, "--json").stdout)
    assert len(reckoner.done) == done  # finished runs are not run again
    assert [cell["at"] for cell in again["cells"]] == [
        {"labelled": a, "traffic": t} for a in (20, 24) for t in (1, 100_000)
    ]
    foreseen = json.loads(do(*command, "--plan", "--json").stdout)
    assert [cell["at"] for cell in foreseen["cells"]] == [cell["at"] for cell in again["cells"]]
    assert [cell["run"] for cell in foreseen["cells"]] == [cell["run"] for cell in again["cells"]]
    assert all(run["finished"] for run in foreseen["runs"]) and foreseen["asked"] >= foreseen["trainings"] > 0
    assert "left as they are: sweeps/smoke/labelled=24" in do(*command[:3], "labelled=20", "--plan").stdout
    few, many = (cell["totals"]["multitask_full"] for cell in again["cells"][:2])
    assert many > few and "<script" not in (tmp_path / "map.html").read_text()


def test_the_documented_python_does_what_it_says(reckoner, capsys):
    (block,) = PYTHON.findall((DOCS / "python.md").read_text(encoding="utf-8"))
    told: dict[str, object] = {}
    exec(compile(block, "docs/python.md", "exec"), told)
    assert "total" in capsys.readouterr().out.casefold() and reckoner.done
    assert isinstance(told["found"], adapeff_sim.Run) and told["found"].path == Path("runs/smoke")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        adapeff_sim.nothing  # noqa: B018
