"""A run keeps its name until it is finished, and its folder to itself."""

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest
from story import STORY, Reckoner, simulate

from adapeff_sim import whole_files
from adapeff_sim.errors import AdapeffError, ExecutionError
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.results import ResultsError, read
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.strategies.base import STRATEGIES
from adapeff_sim.whole_files import write_whole


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return simulate({"it": STRATEGIES.get("multitask_full")()}, [1], STORY[:2], Reckoner())


def test_an_interrupted_run_goes_on_under_its_name_and_a_finished_one_does_not(tmp_path):
    folder = RunFolder(tmp_path / "run")
    first = folder.begin("a: 1\n", {})
    assert folder.begin("a: 1\n", {}) == first
    assert folder.begin("a: 1\n", {"seeds": "3"}).name != first.name
    again = folder.begin("a: 2\n", {})
    assert again.name != first.name
    folder.end(again)
    assert folder.begin("a: 2\n", {}).name != again.name


@pytest.mark.parametrize("written", [0, 1])
def test_a_run_that_died_while_it_began_gives_its_name_to_no_other_scenario(tmp_path, monkeypatch, written):
    folder, done = RunFolder(tmp_path / "run"), []
    first = folder.begin("a: 1\n", {})

    def dies(file: Path, text: str) -> Path:
        if len(done) == written:
            raise KeyboardInterrupt
        done.append(file)
        return write_whole(file, text)

    with monkeypatch.context() as patched:
        patched.setattr("adapeff_sim.run_folder.write_whole", dies)
        with pytest.raises(KeyboardInterrupt):
            folder.begin("a: 2\n", {})
    assert folder.begin("a: 2\n", {}).name != first.name
    assert (tmp_path / "run" / "scenario.yaml").read_text() == "a: 2\n"


def test_a_newer_scenario_beside_an_older_run_does_not_take_its_name(tmp_path):
    folder = RunFolder(tmp_path)
    first = folder.begin("a: 1\n", {})
    (tmp_path / "scenario.yaml").write_text("a: 2\n")  # what was left when the scenario was written first
    assert folder.begin("a: 2\n", {}).name != first.name


def test_a_ledger_is_read_back_and_a_damaged_one_is_named(tmp_path, ledger):
    folder = RunFolder(tmp_path)
    with pytest.raises(ExecutionError, match=r"no ledger\.jsonl"):
        folder.read_ledger()
    folder.write_ledger(ledger)
    assert folder.read_ledger().records == ledger.records
    (tmp_path / "ledger.jsonl").write_text("{")
    with pytest.raises(ExecutionError, match="damaged"):
        folder.read_ledger()


def test_names_with_other_line_ends_are_read_back(tmp_path, ledger):
    odd = [r.model_copy(update={"label": "one\u2028two\u0085three\x1c\r"}) for r in ledger.records]
    RunFolder(tmp_path).write_ledger(Ledger(tuple(odd)))
    assert RunFolder(tmp_path).read_ledger().records == tuple(odd)


def test_garbage_in_the_folder_is_a_new_run(tmp_path):
    (tmp_path / "run.json").write_bytes(b"\xff\xfe")
    assert RunFolder(tmp_path).begin("a", {}).name


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    for refused in (lambda f: f.begin("a", {}), lambda f: f.alone().__enter__()):
        with pytest.raises(ExecutionError, match="--out"):
            refused(RunFolder(tmp_path / "file" / "run"))


def test_a_full_disk_is_told_with_what_to_do_and_leaves_no_half_a_file(tmp_path, monkeypatch, ledger):
    folder = RunFolder(tmp_path)
    run = folder.begin("a", {})
    before = sorted(tmp_path.iterdir())

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(whole_files, "sync", full)
    for write in (
        lambda: folder.write_ledger(ledger),
        lambda: folder.write_environment({"device": "cpu"}),
        lambda: folder.end(run),
    ):
        with pytest.raises(ExecutionError, match="the disk is full; make room or choose another --out, then"):
            write()
    assert sorted(tmp_path.iterdir()) == before


def test_what_cannot_be_read_is_told(tmp_path):
    for name in ("ledger.jsonl", "results.json"):
        (tmp_path / name).mkdir()
    with pytest.raises(ExecutionError, match="cannot be read"):
        RunFolder(tmp_path).read_ledger()
    with pytest.raises(ResultsError, match="cannot be read"):
        read(tmp_path)


def test_two_processes_write_under_names_of_their_own(tmp_path, monkeypatch):
    names = []
    inner = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: (names.append(self.name), inner(self, to))[1])
    write_whole(tmp_path / "it", "a")
    write_whole(tmp_path / "it", "b\n")
    assert len(set(names)) == 2
    assert [f.name for f in tmp_path.iterdir()] == ["it"]
    assert (tmp_path / "it").read_bytes() == b"b\n"


def holds(folder: Path, there) -> None:
    with RunFolder(folder).alone():
        there.send("here")
        time.sleep(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_one_process_at_a_time_runs_in_a_folder_and_a_dead_one_lets_go(tmp_path):
    folder = RunFolder(tmp_path / "run")
    forked = multiprocessing.get_context("fork")
    here, there = forked.Pipe()
    other = forked.Process(target=holds, args=(folder.path, there))
    other.start()
    assert here.poll(60) and here.recv() == "here"
    try:
        with pytest.raises(AdapeffError, match=rf"another process runs here \(pid {other.pid}\)"), folder.alone():
            pass
    finally:
        other.kill()
    other.join()
    with folder.alone(), pytest.raises(ExecutionError, match="another process"), folder.alone():
        pass
    with folder.alone():
        pass


def test_a_ledger_that_was_cut_or_doubled_is_damaged(tmp_path):
    folder = RunFolder(tmp_path)
    run = folder.begin("a", {})
    folder.write_ledger(simulate({"it": STRATEGIES.get("multitask_full")()}, [1], STORY[:2], Reckoner()))
    folder.end(run)
    lines = (tmp_path / "ledger.jsonl").read_text().splitlines(keepends=True)
    assert len(folder.read_ledger().records) == len(lines)
    for wrong in ([], lines[:3], [*lines, lines[0]]):
        (tmp_path / "ledger.jsonl").write_text("".join(wrong))
        with pytest.raises(ExecutionError, match="damaged"):
            folder.read_ledger()


FILES = ("results.json", "costs.csv", "ledger.jsonl")


def finished(folder, scenario="a", flags=None):
    """A finished run with files that say of which scenario they are."""
    run = folder.begin(scenario, flags or {})
    for name in FILES:
        (folder.path / name).write_text(f"of {scenario}")
    folder.end(run)
    return run


@pytest.mark.parametrize(("scenario", "flags"), [("b", {}), ("a", {"device": "cuda"})])
def test_another_run_keeps_the_results_that_were_there_aside(tmp_path, scenario, flags):
    folder = RunFolder(tmp_path)
    first = finished(folder)
    folder.begin(scenario, flags)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["earlier", "run.json", "scenario.yaml"]
    aside = tmp_path / "earlier" / first.name
    assert sorted(p.name for p in aside.iterdir()) == sorted([*FILES, "run.json", "scenario.yaml"])
    assert all((aside / name).read_text() == "of a" for name in FILES)


def test_results_of_the_same_scenario_stay_until_they_are_replaced(tmp_path):
    folder = RunFolder(tmp_path)
    first = finished(folder)
    assert folder.begin("a", {}).name != first.name
    assert all((tmp_path / name).read_text() == "of a" for name in FILES)
    folder.begin("b", {})  # the run before was interrupted, and what lay there is whole all the same
    assert [p.name for p in (tmp_path / "earlier").glob("*/results.json")] == ["results.json"]


def test_what_an_unfinished_run_left_is_removed(tmp_path):
    folder = RunFolder(tmp_path)
    folder.begin("a", {})
    (tmp_path / "ledger.jsonl").write_text("")
    folder.begin("a", {})
    assert (tmp_path / "ledger.jsonl").is_file(), "the same unfinished run goes on"
    folder.begin("b", {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.json", "scenario.yaml"]


def test_results_of_nobody_knows_whom_are_kept_too(tmp_path):
    (tmp_path / "results.json").write_text("precious")
    RunFolder(tmp_path).begin("a", {})
    assert (tmp_path / "earlier" / "unknown" / "results.json").read_text() == "precious"
