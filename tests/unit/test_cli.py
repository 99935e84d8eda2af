"""The command line as a user meets it: verbs, messages and exit codes."""

import errno
import importlib
import inspect
import json
import math
import os
import sys
import types
from pathlib import Path

import pytest
from story import Reckoner
from typer.testing import CliRunner

import adapeff_sim.training
from adapeff_sim import __version__
from adapeff_sim.cli import app as command_line
from adapeff_sim.cli.app import VERBS, _in_paragraphs, app, behind, main
from adapeff_sim.errors import DataError
from adapeff_sim.execution.base import EXECUTORS, Progress, Started, Warned
from adapeff_sim.results import read
from adapeff_sim.run_folder import RunFolder


class Telling(Reckoner):
    """Tells of every job what an executor that trains would, and warns once."""

    def run(self, orders, watch):
        for order in orders:
            watch(Started(order))
            watch(Progress(order, "train", 1, 2, loss=0.5, score=0.5, remaining_seconds=1.0))
            if not self.done:
                watch(Warned(order, "look [bold]here[/bold]\x1b[2J"))
            yield from super().run([order], watch)


@pytest.fixture
def executor(monkeypatch):
    chosen = {"is": Telling()}
    monkeypatch.setitem(EXECUTORS._found, "local", lambda **_: chosen["is"])
    return chosen


@pytest.fixture
def do(tmp_path, monkeypatch):
    """Type a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def typed(*arguments: str):
        monkeypatch.setattr("sys.argv", ["adapeff-sim", *arguments])
        return CliRunner().invoke(app, list(arguments))

    return typed


RUN = ("run", "smoke", "--device", "cpu")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(do, verb):
    shown = do(verb, "--help")
    assert shown.exit_code == 0
    assert "Usage" in shown.output
    assert r"\b" not in shown.output


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_broken_where_the_screen_ends_and_nowhere_else(verb):
    function = getattr(importlib.import_module(f"adapeff_sim.cli.{verb}"), verb)
    for part in _in_paragraphs(inspect.getdoc(function) or "").split("\n\n"):
        lines = part.splitlines()
        assert max(map(len, lines)) <= 78 if part.startswith("\b") else len(lines) == 1, part


def test_the_help_names_every_verb_and_the_version_is_told(do):
    shown = do("--help").output
    assert all(verb in shown for verb in VERBS)
    assert do("--version").output == f"adapeff-sim {__version__}\n"


def test_a_run_tells_its_events_and_its_verdict_and_can_be_seen_again(do, executor, tmp_path):
    ran = do(*RUN)
    assert ran.exit_code == 0, ran.output
    assert "Day 40: new_language de" in ran.stdout
    assert "~ adapter/intent (train:dataset/intent/de changed)" in ran.stdout
    assert "Warning: look [bold]here[/bold][2J" in ran.stdout
    assert "Verdict" in ran.stdout
    again = do("report", "runs/smoke")
    assert again.exit_code == 0
    assert again.stdout in ran.stdout
    assert do("report", "runs/smoke/results.json").stdout == again.stdout
    assert "Verdict" in do("price", "runs/smoke/ledger.jsonl", "--prices", "on_prem").stdout
    supposed = do("price", "runs/smoke", "--set", "serving.replica_hour=0.5", "--traffic", "x3").stdout
    assert "(changed)" in supposed
    assert "3 times the requests" in supposed
    assert len(again.stdout) > 2000


def test_json_is_alone_on_stdout_and_the_same_as_on_disk(do, executor, tmp_path):
    ran = do(*RUN, "--json", "--out", "here")
    assert json.loads(ran.stdout) == json.loads(read(tmp_path / "here").model_dump_json())
    assert "Day 40" in ran.stderr
    assert json.loads(do("report", "here", "--json").stdout) == json.loads(ran.stdout)


def test_quiet_leaves_warnings_and_the_report(do, executor):
    ran = do(*RUN, "--quiet")
    assert "Day 40: " not in ran.stdout
    assert ran.stdout.startswith("Warning: look")
    assert "Verdict" in ran.stdout


def test_flags_choose_strategies_and_seeds(do, executor, tmp_path):
    do(*RUN, "--strategies", "adapter_fusion", "--seeds", "13,14", "--prices", "cloud_gpu")
    facts = read(tmp_path / "runs/smoke").facts
    assert (facts.labels, facts.seeds) == (("adapter_fusion",), (13, 14))
    assert read(tmp_path / "runs/smoke").prices.name == "cloud_gpu"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "absent.yaml"], "absent"),
        (["run", "smoke", "--seeds", "x"], "--seeds 'x'"),
        (["run", "smoke", "--strategies", "adapter_fusoin"], "adapter_fusion"),
        (["run", "smoke", "--seeds", "9" * 5000], "give whole numbers"),
        (["run", "smoke", "--device", "tpu"], "--device 'tpu' is unknown; give one of auto, cpu, cuda"),
        (["run", "smoke", "--precision", "x"], "--precision 'x' is unknown; give one of auto, fp32, bf16"),
        (["run", "smoke", "--threads", "x"], "'--threads': is 'x'; write a whole number"),
        (["pretrain", "--text", "a", "--out", "b", "--minutes", "x"], "'--minutes': is 'x'; write a number"),
        (["run", "smoke", "--threads", "0"], "--threads 0: so many cannot work"),
        (["run", "smoke", "--out", ""], "--out '': give the name of a folder"),
        (["run", "smoke", "--store", ""], "--store '': give the name of a folder"),
        (["run", "smoke", "--store", "/proc/s"], "--store /proc/s: cannot be written"),
        (["validate", ""], "No scenario has an empty name"),
        (["runn", "smoke"], "Did you mean 'run'?"),
        (["report", "absent"], "absent: no results.json"),
        (["price", "absent", "--prices", "cloud_gpu"], "absent"),
        (["run"], "SCENARIO"),
        (["walk"], "walk"),
    ],
)
def test_what_the_user_can_put_right_is_told_on_stderr_with_exit_code_2(do, arguments, told):
    ended = do(*arguments)
    assert ended.exit_code == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.output
    assert not ended.stdout


class Failing(Reckoner):
    """Raises what it was given at the third job."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def outcome(self, job):
        if len(self.done) == 3:
            raise self.error
        return super().outcome(job)


def test_ctrl_c_tells_how_to_go_on(do, executor):
    executor["is"] = Failing(KeyboardInterrupt())
    ended = do(*RUN, "--out", "my folder")
    assert ended.exit_code == 130
    assert "adapeff-sim run smoke --device cpu --out 'my folder'" in ended.stderr
    assert "is kept" in ended.stderr


def test_an_error_keeps_its_words_and_loses_what_moves_a_cursor(do, executor):
    executor["is"] = Failing(DataError("row [red]7[/red] is \x1b[31mbad"))
    ended = do(*RUN)
    assert ended.exit_code == 2
    assert "Error: row [red]7[/red] is [31mbad" in ended.stderr


def test_a_bug_is_called_one_and_its_traceback_is_there_for_who_asks(do, executor):
    executor["is"] = Failing(ZeroDivisionError("oh"))
    ended = do(*RUN)
    assert ended.exit_code == 1
    assert "This is a bug: ZeroDivisionError: oh" in ended.stderr
    assert "adapeff-sim --debug run smoke" in ended.stderr
    executor["is"] = Failing(ZeroDivisionError("oh"))
    assert isinstance(do("--debug", *RUN).exception, ZeroDivisionError)


def test_a_disk_that_fills_up_while_results_are_written_is_told_with_exit_code_2(do, executor, monkeypatch):
    def full(path):
        if "results" in path.name or "ledger" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("adapeff_sim.whole_files.sync", full)
    ended = do(*RUN)
    assert ended.exit_code == 2
    assert "the disk is full; make room or choose another --out" in ended.stderr


def test_results_that_cannot_be_read_are_told_with_exit_code_2(do, tmp_path):
    (tmp_path / "results.json").mkdir()
    ended = do("report", ".")
    assert ended.exit_code == 2
    assert "results.json: cannot be read" in ended.stderr


def test_a_second_command_in_the_same_folder_is_refused(do, executor, tmp_path):
    with RunFolder(tmp_path / "runs" / "smoke").alone():
        ended = do(*RUN)
    assert ended.exit_code == 2
    assert f"another process runs here (pid {os.getpid()})" in ended.stderr


def test_data_that_the_help_of_run_names_is_taken(do):
    helped = " ".join(do("run", "--help").output.replace("│", " ").split())
    assert "hub:ID" not in helped
    assert "helpdesk, a folder, or a ready-made mapping" in helped


def words_in(folder: Path) -> None:
    """A folder of text that can be pretrained on."""
    folder.mkdir()
    for name in ("en.txt", "en.dev.txt"):
        (folder / name).write_text("a line\n")


def test_pretraining_takes_its_folders_as_options_and_shows_them_as_they_are(do, monkeypatch, tmp_path):
    asked, module = [], types.ModuleType("adapeff_sim.training.pretrain")
    losses = {"perplexity": 20.0, "unigram_cross_entropy": math.log(30)}
    report = {"tokens_seen": 3, "steps": 2, "held_back": {"en": losses}, "held_back_at_start": None}
    module.pretrain = lambda said, tell: asked.append(said) or report
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(adapeff_sim.training, "pretrain", module, raising=False)
    words_in(Path("words"))
    ended = do("pretrain", "--text", "words", "--out", "[bold]my[/bold] model", "--minutes", "1")
    assert ended.exit_code == 0, ended.output
    assert (asked[0].text, asked[0].out, asked[0].minutes) == (Path("words"), Path("[bold]my[/bold] model"), 1)
    assert "3 pieces in 2 steps; the base model lies in [bold]my[/bold] model" in ended.stdout
    assert [line.split() for line in ended.stdout.splitlines() if "en  " in line] == [["en", "30", "unavailable", "20"]]
    assert do("pretrain", "words", "model").exit_code == 2


def test_an_option_of_pretraining_that_is_out_of_range_is_told_by_its_name(do, monkeypatch):
    module = types.ModuleType("adapeff_sim.training.pretrain")
    module.pretrain = None
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(adapeff_sim.training, "pretrain", module, raising=False)
    ended = do(
        "pretrain", "--text", "a", "--out", "b", "--minutes", "1", "--vocabulary", "100000", "--learning-rate", "0"
    )
    assert ended.exit_code == 2
    assert "command line: --vocabulary: is 100000; it must be at most 65536" in ended.stderr
    assert "command line: --learning-rate: is 0.0; it must be more than 0" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "/proc/x"], "--out: /proc/x: cannot be written"),
        (["--out", "words/en.txt/x"], "--out: words/en.txt/x: not a folder"),
        (["--out", "words/en.txt"], "--out: words/en.txt: not a folder"),
        (["--text", "nope"], "--text nope: no such folder"),
        (["--text", "words/en.txt"], "--text words/en.txt: a file; give a folder of text"),
        (["--text", "half"], "half: no de.dev.txt; move some lines of de.txt there"),
        (["--threads", "100000"], "--threads: is 100000; it must be at most 1024"),
        (["--layers", "100000"], "--layers: is 100000; it must be at most 256"),
        (["--hidden", "8000000"], "--hidden: is 8000000; it must be at most 16384"),
        (["--hidden", "16384", "--layers", "256"], "takes about 12 TiB of memory"),
    ],
)
def test_pretraining_refuses_before_it_learns_anything(do, monkeypatch, arguments, told):
    module = types.ModuleType("adapeff_sim.training.pretrain")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # has no function: nothing may be begun
    words_in(Path("words"))
    words_in(Path("half"))
    Path("half/de.txt").write_text("eine Zeile\n")
    ended = do("pretrain", "--text", "words", "--out", "model", "--minutes", "1", *arguments)
    assert ended.exit_code == 2, ended.output
    assert told in ended.stderr


def test_going_on_with_pretraining_says_resume():
    assert command_line.GOES_ON["pretrain"] == " --resume"


def test_what_led_to_an_error_is_found_behind_it():
    error = ImportError("half a module")
    error.__context__ = KeyboardInterrupt()
    assert behind(error, KeyboardInterrupt)
    assert not behind(error, BrokenPipeError)


@pytest.mark.parametrize("columns", ["0", "00", ""])
def test_a_terminal_of_no_columns_is_not_taken_at_its_word(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.argv", ["adapeff-sim", "list", "prices"])
    with pytest.raises(SystemExit):
        main()
    assert "cloud_gpu" in capsys.readouterr().out
