"""`list`, `doctor` and completion: what there is, what is missing, and how a word may go on."""

import importlib.metadata
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from adapeff_sim import doctor as room
from adapeff_sim.catalogue import SECTIONS
from adapeff_sim.cli import completion
from adapeff_sim.cli.app import app
from adapeff_sim.doctor import _disk, _hub, _versions, can_run, examine
from adapeff_sim.lifecycle.events.base import EVENTS
from adapeff_sim.scenario.load import protocols, shipped_scenarios, teaching_scenarios
from adapeff_sim.strategies.base import STRATEGIES


@pytest.fixture
def do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *typed, **how: CliRunner().invoke(app, list(typed), **how)


def test_every_list_has_a_line_for_each_and_no_empty_one(do):
    told = json.loads(do("list", "--json").stdout)
    assert list(told) == list(SECTIONS)
    assert list(told["strategies"]) == STRATEGIES.names() and list(told["events"]) == EVENTS.names()
    assert list(told["scenarios"]) == [*shipped_scenarios(), *protocols(), *teaching_scenarios()]
    assert all(0 < len(about) < 120 and "``" not in about for items in told.values() for about in items.values())
    shown = do("list").stdout
    assert max(map(len, shown.splitlines())) <= 80 and all(name in shown for items in told.values() for name in items)


def test_one_list_alone_and_none_of_another_name(do):
    assert list(json.loads(do("list", "strategies", "--json").stdout)) == ["strategies"]
    refused = do("list", "strategy")
    assert refused.exit_code == 2 and "did you mean 'strategies'?" in refused.stderr


def test_a_plug_in_that_cannot_be_loaded_is_listed_with_the_reason(do, monkeypatch):
    monkeypatch.setattr(type(STRATEGIES), "get", lambda self, name: (_ for _ in ()).throw(ImportError("no [b]x[/b]")))
    assert "cannot be loaded: no [b]x[/b]" in do("list", "strategies").stdout


def test_doctor_finds_all_that_a_run_needs_and_says_it_as_json_too(do):
    told = json.loads(do("doctor", "--offline", "--json").stdout)
    topics = [f["topic"] for f in told["findings"]]
    assert told["can_run"] and {"torch", "adapters", "device", "memory", "disk", "hub"} <= set(topics)
    shown = do("doctor", "--offline")
    assert shown.exit_code == 0 and "Everything that `run` needs is here." in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_what_is_missing_is_said_with_what_would_do_and_exit_code_2(do, monkeypatch):
    real = importlib.metadata.version
    gone = {"adapters"}

    def version(name):
        if name in gone:
            raise importlib.metadata.PackageNotFoundError(name)
        return "4.1" if name == "transformers" else real(name)

    monkeypatch.setattr(room.importlib.metadata, "version", version)
    monkeypatch.setattr(room.importlib.metadata, "requires", lambda _: ["adapters<1.4,>=1.3", "transformers>=4.57"])
    found = {f.topic: f for f in _versions()}
    assert found["adapters"].found == "not installed" and found["adapters"].fix == "pip install 'adapters<1.4,>=1.3'"
    assert found["transformers"].found == "4.1, but >=4.57 is needed"
    ended = do("doctor", "--offline")
    assert ended.exit_code == 2 and "`run` cannot work: transformers, adapters" in ended.stdout


def test_an_extra_that_is_missing_is_no_hindrance(monkeypatch):
    monkeypatch.setattr(room.importlib.metadata, "requires", lambda _: ["absent>=1; extra == 'page'"])
    findings = tuple(room._extras())
    assert findings[0].state == "note" and findings[0].fix == "pip install 'adapeff-sim[page]'" and can_run(findings)


def test_a_store_that_cannot_be_written_is_a_hindrance():
    assert _disk(Path("/proc/x/store")).state == "bad"


def test_the_hub_is_asked_shortly_or_not_at_all(monkeypatch):
    asked = []

    def silent(request, timeout):
        asked.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(room.urllib.request, "urlopen", silent)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert _hub(True).found.startswith("not asked") and not asked
    assert _hub(False).state == "note" and "does not answer (timed out)" in _hub(False).found
    assert max(asked) <= 5


def test_doctor_never_loads_torch_unless_it_is_asked(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(room, "has_driver", lambda: True)
    monkeypatch.setattr(room, "cuda_device", lambda: ("H9", True))
    monkeypatch.setattr(room.importlib.metadata, "version", lambda name: "9.9")
    device = {asks: next(f for f in examine(tmp_path, asks, True) if f.topic == "device") for asks in (False, True)}
    assert "was not asked" in device[False].found and device[True].found == "cuda (H9), bf16"


def test_names_are_completed(do, tmp_path):
    (tmp_path / "runs/one").mkdir(parents=True)
    (tmp_path / "runs/one/results.json").touch()
    (tmp_path / "mine.yaml").write_text("strategies: [{multitask_full: {update: continue}, as: [red]x}, a]")
    (tmp_path / "odd.yaml").write_text("strategies: [full_per_task, {multitask_full: {}, as: mine}]")
    assert completion.scenarios("new_") == ["new_language"] and "mine.yaml" in completion.scenarios("m")
    assert completion.scenarios("paper/") == [*protocols()]
    assert completion.runs("runs/o") == ["runs/one", "runs/one/"]
    typed = {name: SimpleNamespace(params={"scenario": name}) for name in ("odd.yaml", "mine.yaml", "smoke", "absent")}
    assert completion.labels(typed["odd.yaml"], "full_per_task,m") == ["full_per_task,mine"]
    assert completion.labels(typed["smoke"], "multi") == ["multitask_full"]
    assert completion.labels(typed["mine.yaml"], "full") == ["full_per_task"]  # which is no YAML
    assert completion.labels(typed["absent"], "") == STRATEGIES.names()
    assert completion.sections("s") == [name for name in SECTIONS if name.startswith("s")]
    assert completion.prices("on") == ["on_prem"] and "helpdesk" in completion.sources("")


@pytest.mark.parametrize(
    ("typed", "word", "found"),
    [
        ("adapeff-sim exp", 1, "explain"),
        ("adapeff-sim run new_", 2, "new_language"),
        ("adapeff-sim plan smoke --strategies multi", 4, "multitask_full"),
        ("adapeff-sim run smoke --prices on", 4, "on_prem"),
        ("adapeff-sim list ev", 2, "events"),
    ],
)
def test_a_shell_is_told_how_a_word_goes_on(do, typed, word, found):
    asks = {"_ADAPEFF_SIM_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(word)}
    ended = do(env=asks, prog_name="adapeff-sim")
    assert ended.stdout.split() == [found]


def test_the_script_of_a_shell_is_shown(do):
    assert "_ADAPEFF_SIM_COMPLETE" in do("--show-completion", "bash", prog_name="adapeff-sim").stdout
