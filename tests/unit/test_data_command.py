"""`adapeff-sim data`, --offline, and what validate says of rows that are trained and tested on."""

import json
import logging
import os
import re
import shutil
from pathlib import Path

import pytest
from tiny_scenario import TEXT, write_rows, write_scenario
from typer.testing import CliRunner

from adapeff_sim.cli import notes
from adapeff_sim.cli.app import app
from adapeff_sim.data.files import FilesOptions
from adapeff_sim.data.hub import Hub
from adapeff_sim.scenario.document import parse
from adapeff_sim.scenario.load import load

ROOT = Path(__file__).parents[2]
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def do(tmp_path, monkeypatch):
    """Type a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    log = logging.getLogger("adapeff_sim")
    before = log.handlers[:], log.level

    def typed(*arguments: str):
        return CliRunner().invoke(app, list(arguments))

    yield typed
    log.handlers[:], log.level = before


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x" * 300, "no data source of that name, and no folder here"),
        ("files:" + "x" * 300, "is no folder (File name too long); give one"),
        ("files:~nobody-of-that-name/x", "is no folder (Could not determine home directory.); give one"),
    ],
)
def test_a_name_that_no_folder_can_have_is_refused(do, source, told):
    said = do("data", source)
    assert said.exit_code == 2 and told in " ".join(said.stderr.split())


def test_the_table_of_helpdesk(do):
    shown = do("data", "helpdesk", "--language", "en", "--examples", "1")
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert any(line.split() == ["intent", "classification", "en", "1,200", "150", "300"] for line in lines)
    assert "right for 33 % of the test labels" in shown.stdout and "label: negative" in shown.stdout
    assert max(map(len, lines)) <= 80


def test_json_is_alone_on_stdout(do):
    found = json.loads(do("data", "helpdesk", "--task", "intent", "--language", "de", "--json").stdout)
    assert found["source"] == "helpdesk" and found["version"] == 1
    (task,) = found["tasks"]
    assert task["languages"] == [{"language": "de", "rows": {"train": 1200, "validation": 150, "test": 300}}]
    assert len(task["examples"]) == 3


def test_a_folder_and_a_scenario_show_what_to_be_wary_of(do, tmp_path):
    file = write_scenario(tmp_path)
    rows = tmp_path / "rows" / "mood" / "en"
    (rows / "test.jsonl").write_text((rows / "train.jsonl").read_text().replace('"bad"', '"good"') + "\n")
    (rows / "validation.csv").write_text("text,label\n[bold]so[/bold]\x1b[2J,good\n")
    (rows / "validation.jsonl").unlink()
    for source in ("rows", "files:rows", str(file), '{"folder": "rows"}'):
        shown = do("data", source if source[0] != "{" else f"files:{source}", "--task", "mood")
        assert shown.exit_code == 0, shown.output
        told = " ".join(shown.stdout.split())
        assert "mood/en: 8 of 8 test rows are training rows too, such as 'train 0 of mood in en'" in told
        assert "mood/en: 4 texts have more than one label" in told and "'bad' and 'good'" in told
        assert "\x1b" not in shown.stdout


def test_splits_that_are_not_there_and_a_single_label_are_told(do, tmp_path):
    write_rows(tmp_path / "rows")
    for other in ("es", "sw"):
        shutil.rmtree(tmp_path / "rows/mood" / other)
    long = "b" * 10_000
    for language in ("en", "de"):
        (tmp_path / f"rows/mood/{language}/test.jsonl").unlink()
        for split in ("train", "validation"):
            (tmp_path / f"rows/mood/{language}/{split}.jsonl").write_text(json.dumps({"text": split, "label": long}))
    told = " ".join(do("data", "rows", "--task", "mood").stdout.split())
    assert f"always says “{long[:48]}…” is right for 100 % of the training labels" in told
    assert "mood: no test rows in de, en; nothing can be scored there" in told
    assert "mood: every training row has label 'bbb" in told and long[:201] not in told.replace(" ", "")
    for split in ("train", "validation"):
        (tmp_path / f"rows/mood/en/{split}.jsonl").unlink()
    (tmp_path / "rows/mood/en/test.jsonl").write_text('{"text": "so", "label": "a"}')
    told = " ".join(do("data", "rows", "--task", "mood", "--language", "en").stdout.split())
    assert "mood: no training rows in en" in told and "of the test labels" in told


def test_what_is_wrong_with_a_mapping_is_told_at_its_line(do, tmp_path):
    file = write_scenario(tmp_path)
    mood = "      mood:\n        kind: pairs\n        colums: {}\n"
    text = re.sub(r"(?m)^data:.*$", f"data:\n  files:\n    folder: rows\n    tasks:\n{mood}", file.read_text())
    file.write_text(text)
    lines = [line.split(":")[0] for line in text.splitlines()]
    told = do("validate", file.name).stderr
    kind, colums = (lines.index(f"        {key}") + 1 for key in ("kind", "colums"))
    assert f"tiny.yaml:{kind}: data.files.tasks.mood.kind: is 'pairs'; did you mean 'pair'?" in told
    assert f"tiny.yaml:{colums}: data.files.tasks.mood.colums: unknown key; did you mean 'columns'?" in told
    for said, fix in (
        ("[helpdesk]", "is a list of 1; name one source"),
        ("{files: rows, helpdesk: {}}", "names files and"),
    ):
        file.write_text(re.sub(r"(?ms)^data:.*?(?=^\w)", f"data: {said}\n", text))
        assert f"data: {fix}" in do("validate", file.name).stderr


def test_a_single_label_is_a_warning_of_validate(do, tmp_path):
    file = write_scenario(tmp_path)
    for path in (tmp_path / "rows" / "mood").rglob("*.jsonl"):
        path.write_text(path.read_text().replace('"bad"', '"good"'))
    ended = do("validate", file.name)
    assert ended.exit_code == 0, ended.output
    assert "tiny.yaml:7: timeline[1]: mood: every training row has label 'good'" in ended.stderr


def test_examples_are_shown_as_they_are(do, tmp_path):
    write_rows(tmp_path / "rows")
    for split in ("train", "validation", "test"):
        (tmp_path / f"rows/mood/en/{split}.jsonl").write_text(
            json.dumps({"text": "[red]a[/red]\x1b[2J\nb", "label": "x"})
        )
    shown = do("data", "rows", "--task", "mood", "--language", "en").stdout
    assert "text: [red]a[/red][2J b" in shown and "\x1b" not in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["helpdesc"], "helpdesc: no data source of that name, and no folder here; did you mean 'helpdesk'?"),
        (["absent.yaml"], "No scenario 'absent.yaml'"),
        (["real_data"], "names no data source"),
        (["files:absent"], "no folder 'absent' here"),
        (["hub:xnly"], "did you mean 'xnli'"),
        (["helpdesk", "--task", "intend"], "did you mean 'intent'"),
        (["helpdesk:{"], "data source 'helpdesk:{'"),
        (['helpdesk:{"size": 4000000000}'], "size of train is 4000000000; write at most 50000"),
        (["train.json"], "train.json: a file; give the folder that has <task>/<language>/ in it"),
        (["files:train.json"], "'train.json' is a file; give the folder"),
        (["old"], "train.json is not read: write one JSON object a line, and call it .jsonl"),
        (["hub"], "data source hub needs an argument; write hub:NAME"),
        (["files:3"], "no folder '3' here"),
        (["hub:{}"], "hub.id: missing"),
    ],
)
def test_a_bad_source_is_told_with_exit_code_2(do, tmp_path, arguments, told):
    (tmp_path / "old/mood/en").mkdir(parents=True)
    for name in ("train.json", "old/mood/en/train.json"):
        (tmp_path / name).write_text("[]")
    ended = do("data", *arguments)
    assert ended.exit_code == 2
    assert told in " ".join(ended.stderr.split())
    assert not ended.stdout


def test_offline_is_said_before_anything_is_read(do, monkeypatch):
    asked = []
    monkeypatch.setattr(notes, "go_offline", lambda: asked.append(dict(os.environ)))
    for command in (
        ("data", "helpdesk", "--task", "intent"),
        ("validate", "smoke"),
        ("plan", "smoke"),
        ("run", "absent"),
    ):
        do(*command, "--offline")
    assert len(asked) == 4


def test_rows_that_are_trained_and_tested_on_are_a_warning_with_its_line(do, tmp_path, caplog):
    file = write_scenario(tmp_path)
    rows = tmp_path / "rows" / "mood" / "en"
    (rows / "test.jsonl").write_text((rows / "train.jsonl").read_text())
    ended = do("validate", file.name)
    assert ended.exit_code == 0 and ended.stdout.startswith("OK tiny.yaml: ")
    told = "tiny.yaml:7: timeline[1]: mood/en: 8 of 8 test rows are training rows too, such as 'train 0 of mood in en'"
    assert ended.stderr.splitlines() == [f"Warning: {told}; scores on them say little, draw others"]
    caplog.clear()
    (rows / "test.jsonl").write_text('{"text": "new", "label": "bad"}\n')
    load(file)
    assert not caplog.messages


def test_a_scenario_says_columns_and_labels_of_csv_and_conll(do, tmp_path):
    for split, count in (("train", 8), ("validation", 4), ("test", 4)):
        for language in ("en", "de"):
            mood, names = tmp_path / "mine/intent" / language, tmp_path / "mine/mood" / language
            for place in (mood, names):
                place.mkdir(parents=True, exist_ok=True)
            lines = (f'"{split} {i}, in {language}",{i % 2}\n' for i in range(count))
            (mood / f"{split}.csv").write_text("body,asks\n" + "".join(lines))
            (names / f"{split}.conll").write_text(f"{split} O\n{language} B-LANG\n\n" * count)
    task = "{kind: classification, columns: {text: body, label: asks}, labels: {0: ask, 1: pay}}"
    said = f"{{files: {{folder: mine, tasks: {{intent: {task}}}}}}}"
    text = TEXT.replace("{files: rows}", said)
    text = text.replace("  - {day: 40, event: new_language, language: sw, labelled: 4, requests_per_day: 10}\n", "")
    (tmp_path / "tiny.yaml").write_text(text)
    scenario = load("tiny.yaml")
    (tmp_path / "again.yaml").write_text(scenario.as_yaml())
    assert load("again.yaml") == scenario and str(tmp_path / "mine") in scenario.data
    shown = json.loads(do("data", "tiny.yaml", "--json").stdout)
    assert shown["source"] == f"files:{tmp_path / 'mine'}"
    assert {task["task"]: (task["kind"], sorted(task["labels"])) for task in shown["tasks"]} == {
        "intent": ("classification", ["ask", "pay"]),
        "mood": ("tagging", ["B-LANG", "O"]),
    }
    (tmp_path / "tiny.yaml").write_text(text.replace("label: asks", "label: ask"))
    ended = do("validate", "tiny.yaml")
    assert ended.exit_code == 2
    assert "train.csv:1: no column 'ask'; columns are body, asks" in ended.stderr


@pytest.mark.parametrize("block", YAML.findall((ROOT / "docs" / "data.md").read_text(encoding="utf-8")))
def test_what_the_documentation_says_of_data_is_understood(block):
    ((name, argument),) = parse(block.encode(), "data.md").value["data"].items()
    if name == "hub":
        assert Hub(argument).tasks()
    else:
        assert FilesOptions.model_validate(argument).tasks


def test_a_ready_made_mapping_is_written_as_one_of_the_hub(do, tmp_path):
    write_scenario(tmp_path, TEXT.replace("{files: rows}", "xnli"))
    ended = do("validate", "tiny.yaml")
    assert ended.exit_code == 2
    assert "tiny.yaml:4: data: xnli is a ready-made mapping; write {hub: xnli}" in ended.stderr
