"""A run keeps its name until it is finished."""

import pytest
from story import STORY, Reckoner, simulate

from adapeff_sim.errors import ExecutionError
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.strategies.base import STRATEGIES


def test_an_interrupted_run_goes_on_under_its_name_and_a_finished_one_does_not(tmp_path):
    folder = RunFolder(tmp_path / "run")
    first = folder.begin("a: 1\n", {})
    assert folder.begin("a: 1\n", {}) == first
    assert folder.begin("a: 1\n", {"seeds": "3"}).name != first.name
    again = folder.begin("a: 2\n", {})
    assert again.name != first.name
    folder.end(again)
    assert folder.begin("a: 2\n", {}).name != again.name


def test_a_ledger_is_read_back_and_a_damaged_one_is_named(tmp_path):
    folder = RunFolder(tmp_path)
    with pytest.raises(ExecutionError, match=r"no ledger\.jsonl"):
        folder.read_ledger()
    ledger = simulate({"it": STRATEGIES.get("multitask_full")()}, [1], STORY[:2], Reckoner())
    folder.write_ledger(ledger)
    assert folder.read_ledger().records == ledger.records
    (tmp_path / "ledger.jsonl").write_text("{")
    with pytest.raises(ExecutionError, match="damaged"):
        folder.read_ledger()


def test_garbage_in_the_folder_is_a_new_run(tmp_path):
    (tmp_path / "run.json").write_bytes(b"\xff\xfe")
    assert RunFolder(tmp_path).begin("a", {}).name


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExecutionError, match="--out"):
        RunFolder(tmp_path / "file" / "run").begin("a", {})
