"""A scenario whose words mean harm: refused with a limit, or shown as text, wherever they come out.

What results and pages do with such labels, events and endpoints stands in test_reports and test_page.
"""

import json
import shutil
import unicodedata

import pytest
from finished_run import folder_with, told_by
from rich.cells import cell_len
from tiny_scenario import plain, write_rows, write_scenario
from typer.testing import CliRunner

from adapeff_sim.cli.app import app

MARKUP = "[bold red]x[/] <script>harm()</script> \" onload='harm()' & {{x}} ${x}"
ESCAPES = "\x1b[2J\x1b]0;harm\x07\x9b31m\u202eback\u200b\u2066\ufeff"
LONG = "x" * 10_000
TASK = "a<b>[red]&'\" ` | *"  # a name that a folder can have
BASE = "adapeff-mini:v1"
LAUNCH = {"day": 0, "event": "launch", "base_model": BASE, "tasks": {"mood": ["en"]}, "requests_per_day": 1}
HARM = ("\x1b", "\x07", "\x9b", "\u202e", "\u200b", "\u2066", "\ufeff")


@pytest.fixture
def do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *typed: CliRunner().invoke(app, list(typed))


def written(folder, **said):
    """The tiny scenario with some keys said otherwise, as JSON, which is YAML."""
    return write_scenario(folder, json.dumps(plain() | said)).name


def is_harmless(text: str) -> bool:
    """Whether nothing in it moves a cursor, hides a word or turns the direction of writing."""
    return not any(sign in text for sign in HARM) and not any(
        unicodedata.category(c) in ("Cc", "Cf") and c != "\n" for c in text
    )


@pytest.mark.parametrize("key", ["name", "as"])
@pytest.mark.parametrize("harm", [MARKUP, ESCAPES, LONG, "__proto__/../..", ""])
def test_names_of_folders_are_refused_with_what_they_may_be(do, tmp_path, key, harm):
    said = {"name": harm} if key == "name" else {"strategies": [{"multitask_full": {}, "as": harm}], "training": {}}
    ended = do("validate", written(tmp_path, **said))
    assert ended.exit_code == 2 and is_harmless(ended.stderr) and len(ended.stderr) < 2000
    assert "write letters, digits, - and _ only" in " ".join(ended.stderr.split())


@pytest.mark.parametrize("harm", [MARKUP, ESCAPES, LONG])
@pytest.mark.parametrize("where", ["task", "language", "base_model", "event", "strategy", "key", "prices", "data"])
def test_other_words_that_name_nothing_are_refused_harmlessly(do, tmp_path, harm, where):
    changed = {
        "task": {"timeline": [LAUNCH | {"tasks": {harm: ["en"]}}]},
        "language": {"timeline": [LAUNCH | {"tasks": {"mood": [harm]}}]},
        "base_model": {"timeline": [LAUNCH | {"base_model": harm}]},
        "event": {"timeline": [LAUNCH, {"day": 1, "event": harm}]},
        "strategy": {"strategies": [harm]},
        "key": {harm: 1},
        "prices": {"prices": harm},
        "data": {"data": harm},
    }[where]
    ended = do("validate", written(tmp_path, **changed))
    assert ended.exit_code == 2 and ended.stderr.startswith("Error: ") and is_harmless(ended.stderr)
    assert len(ended.stderr) < 4000 and "Traceback" not in ended.output


@pytest.mark.parametrize("harm", [MARKUP, ESCAPES + "said", LONG])
def test_a_description_is_shown_as_text_at_its_width(do, tmp_path, harm):
    assert do("validate", written(tmp_path, description=harm)).exit_code == 0
    found, ledger = told_by(("one", "two"), (1,))
    facts = found.facts.model_copy(update={"description": harm})
    folder_with(tmp_path / "run", found.model_copy(update={"facts": facts}), ledger, json.dumps({"description": harm}))
    shown = do("report", "run", "--markdown", "tables.md", "--csv", "tables")
    assert shown.exit_code == 0, shown.output
    assert is_harmless(shown.output) and max(map(cell_len, shown.output.splitlines())) <= 80
    assert shown.output.count("x") < 2000, "nobody reads a wall of text"
    files = [tmp_path / "tables.md", *(tmp_path / "tables").iterdir()]
    assert len(files) > 3 and all(is_harmless(f.read_text(encoding="utf-8")) for f in files)


def test_names_of_tasks_and_languages_are_refused_in_a_story_and_shown_of_a_folder(do, tmp_path):
    write_rows(tmp_path / "rows")
    shutil.move(tmp_path / "rows/mood", tmp_path / "rows" / TASK)
    shutil.move(tmp_path / "rows" / TASK / "de", tmp_path / "rows" / TASK / "[red]de")
    file = written(tmp_path, timeline=[LAUNCH | {"tasks": {TASK: ["en", "[red]de"]}}])
    refused = do("plan", file)
    assert refused.exit_code == 2 and "use letters, digits, - and _ only" in refused.stderr
    shown = do("data", "rows", "--task", TASK)
    assert shown.exit_code == 0, shown.output
    assert is_harmless(shown.output) and TASK in " ".join(shown.output.split()) and "[red]de" in shown.output
    assert max(map(cell_len, shown.stdout.splitlines())) <= 80
