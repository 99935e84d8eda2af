"""`adapeff-sim new`: whatever is answered, a valid scenario; what cannot be is refused, and nothing is written."""

import io
import itertools
from pathlib import Path

import pytest
import typer
from tiny_scenario import write_rows
from typer.testing import CliRunner

from adapeff_sim.artifacts.methods import ABOUT, METHODS
from adapeff_sim.cli import new as new_command
from adapeff_sim.cli.app import app
from adapeff_sim.cli.new import name_of
from adapeff_sim.data.helpdesk import Helpdesk
from adapeff_sim.scenario.document import parse
from adapeff_sim.scenario.draft import Draft, drafted, offer_of
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.scenario.replay import replay
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.words import understood
from adapeff_sim.strategies.base import STRATEGIES

EITHER = {
    "--new-task": ("sentiment", "none"),
    "--new-language": ("sw", "none"),
    "--base-update": ("adapeff-mini:v2", "none"),
    "--tasks": ("intent", "intent,duplicate"),
    "--languages": ("en", "de,en"),
    "--days": ("0.5", "36500"),
    "--strategies": tuple(STRATEGIES.names()),
}


@pytest.fixture
def do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *typed, **how: CliRunner().invoke(app, list(typed), **how)


def words(chosen):
    return [word for pair in zip(EITHER, chosen, strict=True) for word in pair]


def test_every_combination_of_answers_is_a_scenario_that_can_happen():
    offer, strategies = _offer(), itertools.cycle(STRATEGIES.names())
    for story in itertools.product(*list(EITHER.values())[:-1]):
        later, language, update, tasks, spoken, days = ("" if x == "none" else x for x in story)
        first = (tuple(tasks.split(",")), tuple(spoken.split(",")))
        draft = Draft("x", *first, later, language, update, (next(strategies),), horizon_days=float(days))
        document = parse(drafted(draft, offer).encode(), "x.yaml")
        _, problems = replay(understood(Scenario, document.value))
        assert not problems and not document.problems, (story, problems)


@pytest.mark.parametrize("i", [0, 1])
def test_what_flags_say_is_a_valid_scenario(do, monkeypatch, i):
    monkeypatch.setattr("adapeff_sim.scenario.checks.check_rows", lambda *_: ())  # its rows are looked at below
    ended = do("new", "x.yaml", "--yes", "--quick", *words(choices[i] for choices in EITHER.values()))
    assert ended.exit_code == 0, ended.stderr


def test_what_is_usual_is_valid_with_its_rows_and_commented(do, tmp_path):
    assert do("new", "my product.yaml").exit_code == 0
    scenario = load("my product.yaml")
    assert scenario.name == "my_product" and len(scenario.timeline) == 4
    text = (tmp_path / "my product.yaml").read_text()
    assert text.count("# ") > 12 and max(map(len, text.splitlines())) < 140
    assert [p.name for p in tmp_path.iterdir()] == ["my product.yaml"]


def test_rows_of_ones_own_are_counted_and_found_from_the_file(do, tmp_path):
    write_rows(tmp_path / "rows")
    ended = do("new", "deep/er/mine.yaml", "--data", "rows", "--strategies", "multitask_full", "--quick", "--yes")
    assert ended.exit_code == 0, ended.stderr
    assert "../../rows" in (tmp_path / "deep/er/mine.yaml").read_text()
    assert load("deep/er/mine.yaml").timeline[0].labelled < 150


def test_what_nobody_said_is_told_and_so_are_folders_that_were_made(do):
    ended = do("new", "deep/er/x.yaml", "--tasks", "intent", "--days", "30", "--quick")
    told = " ".join(ended.stderr.split())
    assert "Not asked, and taken as usual: --data helpdesk --languages en --new-task sentiment" in told
    assert "--requests 50000" in ended.stderr and "--days" not in ended.stderr and "--tasks" not in ended.stderr
    assert "Made the folder deep\nMade the folder deep/er\n" in ended.stderr
    assert ended.stdout.startswith("Wrote deep/er/x.yaml.")
    refused = do("new", "else/where/x.yaml", "--tasks", "intnet")
    assert refused.exit_code == 2 and not Path("else").exists()


@pytest.fixture
def typed(monkeypatch):
    """Answers to come, in order, at a terminal; an empty one takes what is usual."""

    def at_a_terminal(*answers):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))

    return at_a_terminal


def test_answers_are_asked_for_on_a_terminal_alone(do, typed, capsys):
    typed("wrong")
    assert do("new", "quiet.yaml", "--quick").exit_code == 0  # off a terminal nothing is asked
    typed("", "", "")
    found = new_command._story(_offer(), ("intent", None, None, "none", None), asks=True)
    assert found == (("intent",), ("en",), "sentiment", "", "adapeff-mini:v2")
    assert capsys.readouterr().out.count("]:") == 3


def test_a_wrong_answer_is_told_so_and_asked_for_again(typed, capsys):
    typed("intnet", ",", "intent", "xx", "en", "intent", "sentiment", "en", "none", "adapeff-mini:v1", "v9", "")
    found = new_command._story(_offer(), (None,) * 5, asks=True)
    assert found == (("intent",), ("en",), "sentiment", "", "adapeff-mini:v2")
    told = capsys.readouterr().out
    assert "did you mean 'intent'?" in told and "no language 'xx'" in told and "that is the first base model" in told
    assert told.count("Error: ") == 7


def test_rows_and_prices_are_asked_for_again_as_well(typed, capsys, tmp_path):
    typed("nowhere", "helpdesk")
    assert new_command.answer("Rows", None, "helpdesk", True, lambda x: new_command._offer(x, tmp_path / "x")).languages
    typed("gold", "on_prem")
    assert new_command.answer("Prices", None, "cloud_gpu", True, str, load_prices) == "on_prem"
    assert capsys.readouterr().out.count("Error: ") == 2


def test_stopping_at_a_question_is_no_bug(do, monkeypatch):
    def stopped(*_, **__):
        raise typer.Abort

    monkeypatch.setattr(new_command, "answer", stopped)
    ended = do("new", "x.yaml")
    assert ended.exit_code == 130 and ended.stderr == "Stopped.\n"


def _offer():
    return offer_of(Helpdesk(), "helpdesk", counts=False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.yaml"], "is there already; give another name, or --force"),
        (["b.txt"], "name a .yaml file"),
        (["b.yaml", "--tasks", "intnet"], "did you mean 'intent'?"),
        (["b.yaml", "--tasks", "intent,intent"], "stands there twice"),
        (["b.yaml", "--tasks", ","], "names nothing"),
        (["b.yaml", "--languages", "xx"], "no language 'xx' to be had here"),
        (["b.yaml", "--new-task", "intent"], "task 'intent' is served from launch; name another: answer_"),
        (["b.yaml", "--new-language", "en"], "language 'en' is served from launch; name another: ar, de, "),
        (["b.yaml", "--strategies", "[bold]x"], "no strategy '[bold]x'"),
        (["b.yaml", "--base-update", "adapeff-mini:v1"], "that is the first base model"),
        (["b.yaml", "--prices", "gold", "--base-update", "adapeff-mini:v9"], "Unknown price book 'gold'"),
        (["b.yaml", "--days", "nan"], "give a number above 0"),
        (["b.yaml", "--days", "inf"], "give a number above 0"),
        (["/proc/x/b.yaml"], "choose another folder"),
        (["x" * 300 + ".yaml"], "name"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(do, tmp_path, arguments, told):
    (tmp_path / "a.yaml").write_text("mine")
    ended = do("new", *arguments, "--yes")
    assert ended.exit_code == 2 and told in ended.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["a.yaml"] and (tmp_path / "a.yaml").read_text() == "mine"


def test_a_name_is_made_of_any_file():
    assert [name_of(Path(x)) for x in ("ä b.yaml", "--.yaml", "x" * 90 + ".yml")] == ["b", "my_product", "x" * 64]


def test_every_method_is_told_of():
    assert ABOUT.keys() == METHODS
