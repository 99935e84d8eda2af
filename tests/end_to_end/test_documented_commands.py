"""Every command and every block of Python in README and docs, executed as it stands, in the order of each page.

What cannot be executed here as it stands is in one of the tables below, with the reason.
"""

import contextlib
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from documented import ROOT, Said, pages, said
from story import Reckoner
from tiny_scenario import write_rows, write_scenario
from typer.testing import CliRunner

import adapeff_sim.strategies
from adapeff_sim.cli.app import VERBS, app
from adapeff_sim.demos import HERE as DEMOS
from adapeff_sim.execution.base import EXECUTORS
from adapeff_sim.scenario.load import loads
from adapeff_sim.strategies.base import STRATEGIES

TRAINED = "adapeff-sim run smoke"  # really trained, once; the times of its serving probes are short
RECKONED = "an executor that only reckons takes the place of training; all else of the command is executed"
LESSON = "trains for a minute or two, or reads such a run; tests/contract/test_every_lesson.py does every lesson"
INSTEAD = {  # what is told: what is executed in its place, and why
    "adapeff-sim run new_language": ("adapeff-sim report runs/new_language", "trains for ten minutes; recorded run"),
    "adapeff-sim run real_data --data FOLDER": ("adapeff-sim data FOLDER", "trains for an hour, on rows of the reader"),
    "adapeff-sim sweep SCENARIO --vary traffic=1,10 --vary labelled=50,150": (
        "adapeff-sim sweep new_language --vary traffic=1,10 --vary labelled=50,150 --plan",
        "stands for any scenario; the grid is planned, and docs/compare.md is followed with one that is run",
    ),
    "adapeff-sim validate FILE...": ("adapeff-sim validate smoke shop.yaml", "stands for any scenarios"),
}
NOT_HERE = {  # what is told: why it is not executed here; a command of ours is still read by the real parser
    "make setup": "installs; the tests themselves run in what it sets up",
    "make run": "installs, and trains for ten minutes",
    "make test": "is what runs this",
    "make docs": "is executed by tests/end_to_end/test_site.py without the set-up",
    "python3 -m venv .venv && . .venv/bin/activate": "makes an environment; tests/end_to_end/test_wheel.py installs",
    "pip install --constraint constraints.txt torch": "installs",
    "pip install --constraint constraints.txt .": "installs; tests/end_to_end/test_wheel.py does it with the wheel",
    "pip install adapeff-sim[page]": "installs; what it installs is in the environment of the tests",
    "adapeff-sim data xnli --language sw": "downloads; tests/corpus/test_ready.py reads a folder laid out like it",
    "adapeff-sim pretrain --text DIR --out DIR --minutes 30": "half an hour; tests/training/test_pretrain.py is short",
    "pytest tests/contract -k AdapterPerEndpoint": "tests/contract/test_documented_strategy.py does what it would do",
    "adapeff-sim lesson 1": LESSON,
    "adapeff-sim lesson fusion_step --yes": LESSON,
    "adapeff-sim lesson 1 --no-run": LESSON,
    "adapeff-sim lesson 1 --no-run --json": LESSON,
}
MEASURES = "python benchmarks/"  # what begins so measures for minutes; that its script is there is looked at
PYTHON_NOT_HERE = {"from transformers import AutoModel": "downloads a model that was published as a pickle"}
PLACEHOLDERS = {"SCENARIO": "smoke", "RUN": "runs/new_language", "RUN...": "runs/new_language", "SOURCE": "helpdesk"}
PLACEHOLDERS |= {"FILE": "shop.yaml", "FOLDER": "rows", "NAME": "adapter/intent@0"}
SHELL = ("sed",)  # harmless commands of others
RUNS = ("run", "compare", "sweep", "lesson")  # commands that would train


def how(told: Said) -> str:
    """What becomes of something told: executed, help, trained, reckoned, instead or not here."""
    if told.sort in ("file", "yaml"):
        return "saved"
    if told.sort == "mention":
        return "help"
    if told.sort == "python":
        if any(told.text.lstrip().startswith(head) for head in PYTHON_NOT_HERE):
            return "not here"
        return "reckoned" if " = run(" in told.text else "executed"
    if told.command in NOT_HERE or told.command.startswith(MEASURES):
        return "not here"
    if told.command in INSTEAD:
        return "instead"
    if told.command == TRAINED:
        return "trained"
    is_run = told.words[0] == "adapeff-sim" and told.words[1] in RUNS and "estimate" not in told.words
    return "reckoned" if is_run else "executed"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A reader's folder: two finished runs, rows of their own, and scenarios; nothing of it is shared by pages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("new_language", "smoke", "idle_replicas"):  # one recorded run, in place of three
        shutil.copytree(DEMOS / "new_language", tmp_path / "runs" / name)
    write_rows(tmp_path / "rows")
    write_scenario(tmp_path).rename(tmp_path / "my_scenario.yaml")
    (first,) = (t for t in said("docs/tutorial/first_scenario.md") if t.title == "shop.yaml")
    for name in ("shop.yaml", "my.yaml"):
        (tmp_path / name).write_text(first.text, encoding="utf-8")
    monkeypatch.setattr(adapeff_sim.strategies, "__path__", [*adapeff_sim.strategies.__path__, str(tmp_path)])
    known, strategies = set(sys.modules), dict(STRATEGIES._found)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.startswith("adapeff_sim.strategies."):
            del sys.modules[name]
    STRATEGIES._found.clear()
    STRATEGIES._found.update(strategies)


@pytest.fixture
def typed(here, monkeypatch):
    """Type a command; what it printed. Nothing is trained but by the one command that is to."""

    def type_it(words: list[str], exit_code: int, is_trained: bool = False) -> str:
        words = [PLACEHOLDERS.get(word, word) for word in words]
        into = {name: words[words.index(name) + 1] for name in (">", "2>") if name in words}
        words = words[: min((words.index(name) for name in into), default=len(words))]
        if is_trained:
            words += ["--threads", "1"]  # other tests have the other core
        elif words[1] in RUNS and "--device" in flags_of(words[1]) and "estimate" not in words:
            words += ["--device", "cpu"]  # no need to look for a GPU, which takes torch
        monkeypatch.setattr("sys.argv", words)
        with contextlib.nullcontext() if is_trained else pytest.MonkeyPatch.context() as patched:
            if patched is not None:
                patched.setitem(EXECUTORS._found, "local", lambda **_: Reckoner())
            done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == exit_code, f"{' '.join(words)}\n{done.output}\n{done.exception!r}"
        for name, file in into.items():
            (here / file).write_text(done.stdout if name == ">" else done.stderr, encoding="utf-8")
        return done.output

    return type_it


@pytest.mark.parametrize("page", [page for page in pages() if any(t.sort not in ("yaml", "file") for t in said(page))])
def test_a_page_can_be_followed_from_top_to_bottom(page, here, typed, request):
    names: dict[str, object] = {}
    for told in said(page):
        match told.sort, how(told):
            case "file", _:
                save(here, told)
            case "python", "executed" | "reckoned":
                with pytest.MonkeyPatch.context() as patched:
                    patched.setitem(EXECUTORS._found, "local", lambda **_: Reckoner())
                    exec(compile(told.text, str(told), "exec"), names)
            case "python", _:
                compile(told.text, str(told), "exec")
            case "mention", _:
                typed([*told.words, "--help"], 0)
            case "command", _:
                follow(told, typed, request)


def follow(told: Said, typed, request) -> None:
    """Do one command as it stands, or what the tables say."""
    match how(told):
        case "trained":
            shutil.rmtree("runs/smoke")
            request.getfixturevalue("quick_probes")
            typed(told.words, told.exit_code, is_trained=True)
        case "instead":
            typed(INSTEAD[told.command][0].split(), told.exit_code)
            parse(told.words)
        case "not here":
            parse(told.words)
        case _ if told.words[0] in SHELL:
            subprocess.run(told.text, shell=True, check=True)
        case _:
            assert told.words[0] == "adapeff-sim", f"{told}: in no table, and no command of ours"
            typed(told.words, told.exit_code)


def save(here: Path, told: Said) -> None:
    """Write a file that the reader is told to save; one for the package goes to where its strategies are looked for."""
    place = here / Path(told.title).name if told.title.startswith("adapeff_sim/") else here / told.title
    place.write_text(told.text, encoding="utf-8")


def flags_of(verb: str) -> set[str]:
    """The flags that a command takes."""
    from commands_page import parsed

    return {name for parameter in parsed(verb).command.params for name in parameter.opts}


def parse(words: list[str]) -> None:
    """Let the real parser read a command of ours, without doing it; a script must be there."""
    if words[0] == "python":
        assert (ROOT / words[1]).is_file(), " ".join(words)
    if words[0] == "adapeff-sim":
        from commands_page import parsed

        parsed(words[1], words[2:], is_told=True)


def test_a_page_of_files_is_yaml_that_can_be_read():
    for page in pages():
        for told in said(page):
            if told.sort == "yaml" or told.title.endswith(".yaml"):
                found = yaml.safe_load(told.text)
                if isinstance(found, dict) and {"name", "timeline", "strategies"} <= found.keys():
                    assert loads(told.text).name == found["name"], str(told)


def test_examples_in_the_help_are_read_by_the_parser():
    from commands_page import _told, parsed

    for verb in VERBS:
        examples = _told(parsed(verb).command.help or "")[1].splitlines()
        assert examples, f"{verb} --help has no example"
        for line in examples:
            words = shlex.split(re.split(r" \| | > |   +", line)[0], comments=True)
            if words[0] == "adapeff-sim":
                parsed(words[1], words[2:], is_told=True)


def test_nothing_is_left_out_in_silence(capsys):
    found = [told for page in pages() for told in said(page) if told.sort in ("command", "mention", "python")]
    counts = Counter(how(told) for told in found)
    commands = {told.command for told in found if told.sort == "command"}
    assert not (NOT_HERE.keys() | INSTEAD.keys() | {TRAINED}) - commands, "the tables name what no page tells"
    assert sum(counts.values()) == len(found) and counts["trained"] >= 1
    assert counts["executed"] + counts["reckoned"] + counts["trained"] > 2 * counts["not here"]
    with capsys.disabled():
        print(f"\ncommands and Python in README and docs: {len(found)}; {dict(counts)}; reckoned: {RECKONED}")
        for command, why in NOT_HERE.items():
            print(f"  not here: {command}: {why}")
        for command, (instead, why) in INSTEAD.items():
            print(f"  instead of {command}: {instead}: {why}")
