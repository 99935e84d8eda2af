"""Runs that lack a file or hold a damaged one: every command says what is missing, and which command brings it back."""

import json

import pytest
from finished_run import folder_with, told_by
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.errors import ExecutionError
from adapeff_sim.lost_run import again, lacks, near_run
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.sweep import _read

AGAIN = "adapeff-sim run runs/one/scenario.yaml --out runs/one"
OF_RESULTS = ("report", "price", "replay", "compare")
OF_LEDGER = ("price", "explain --job adapter/a@0", "replay", "compare", "report --html page.html")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return folder_with(tmp_path / "runs" / "one", *told_by(("red", "blue"), (1,)))


def refused(command: str, *more: str) -> str:
    verb, *flags = command.split()
    ended = CliRunner().invoke(app, [verb, *(more or ("runs/one",)), *flags])
    assert ended.exit_code == 2 and "Traceback" not in ended.output, ended.output
    return ended.stderr


@pytest.mark.parametrize("command", OF_RESULTS)
@pytest.mark.parametrize(("left", "told"), [(None, "no results.json, though"), ("{", "results.json: damaged")])
def test_results_that_are_missing_or_broken(run, command, left, told):
    results = run / "results.json"
    results.unlink() if left is None else results.write_text(left)
    said = refused(command)
    assert told in said and AGAIN in said


@pytest.mark.parametrize("command", OF_LEDGER)
@pytest.mark.parametrize("cut", [0, 0.5, None])
def test_a_ledger_that_is_missing_or_truncated(run, command, cut):
    ledger = run / "ledger.jsonl"
    text = ledger.read_bytes()
    ledger.unlink() if cut is None else ledger.write_bytes(text[: int(len(text) * cut)])
    said = refused(command)
    assert ("no ledger.jsonl, though" if cut is None else "ledger.jsonl: damaged") in said and AGAIN in said


def test_what_is_no_run_is_told_from_one_that_is_near(run):
    assert "runs/on: no results.json, as there is no such folder; did you mean 'runs/one'?" in refused(
        "price", "runs/on"
    )
    assert "did you mean 'demo:new_language'?" in refused("price", "new_langauge")
    assert "no results.json here, but in folders in it; give runs/one." in refused("report", "runs")
    assert "a folder" not in refused("compare", "runs") and "give runs/one." in refused("compare", "runs")
    assert "Or the run 'runs/one'?" in refused("compare", "runs/onne")


def test_an_unfinished_run_goes_on_and_a_finished_one_that_lost_files_is_no_finished_one(run):
    text = (run / "scenario.yaml").read_text()
    assert RunFolder(run).holds_finished(text)
    (run / "ledger.jsonl").unlink()
    assert not RunFolder(run).holds_finished(text)  # so that a sweep runs it again by itself
    (run / "results.json").unlink()
    RunFolder(run).begin("another", {})
    told = lacks(run, "results.json")
    assert "not finished; give its command again, and it goes on:\n  adapeff-sim run " in told
    assert told.endswith(f"scenario.yaml --out {run}")


def test_an_estimate_is_made_again_by_an_estimate(run):
    begun = json.loads((run / "run.json").read_text()) | {"flags": {"executor": "estimate"}}
    (run / "run.json").write_text(json.dumps(begun))
    assert "--executor estimate" in again(run)
    (run / "scenario.yaml").unlink()
    assert again(run) == "run the scenario again, which reuses all that is stored."
    (run / "run.json").write_text("[")
    assert "though other files of a run are there" in lacks(run, "scenario.yaml")


def test_a_sweep_says_what_to_do_with_a_run_that_was_lost_meanwhile(run, tmp_path):
    assert _read(run)[0].facts.name == "story"
    with pytest.raises(ExecutionError, match=r"no such folder(.|\n)*give the sweep's command again"):
        _read(tmp_path / "gone")
    assert near_run(tmp_path / "elsewhere") == ""


def test_a_run_that_makes_way_is_told_of(run, caplog):
    caplog.set_level("INFO", "adapeff_sim")
    RunFolder(run).begin("another", {})
    RunFolder(run).begin("a third", {})
    assert f"they are kept: adapeff-sim report {run / 'earlier'}" in caplog.text
    assert "held an unfinished run of another scenario" in caplog.text
