"""What `plan`, `validate` and `schema` tell, from scenarios over a handful of rows."""

import io
import json

import pytest
from rich.console import Console
from tiny_scenario import TEXT, write_scenario
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.cli.plan_view import settings_table, slot_said, totals, tree_of
from adapeff_sim.lifecycle.events.base import EVENTS
from adapeff_sim.scenario.json_schema import scenario_schema
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.outlook import outlook
from adapeff_sim.scenario.suppose import ALWAYS, FELL, HELD
from adapeff_sim.strategies.base import STRATEGIES


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_scenario(tmp_path)


def turns(life, day, label):
    return [turn for at in life.days if at.day == day for turn in at.turns if turn.label == label]


def fates(turn):
    return {fate.slot: fate for fate in turn.fates}


def test_every_event_says_what_is_made_of_what_and_by_which_way(file):
    (life,) = outlook(load(file)).lives
    (turn,) = turns(life, 40, "adapter_fusion")
    found = fates(turn)
    assert sorted(found) == ["adapter/intent", "adapter/mood", "fusion/intent", "fusion/mood"]
    assert {fate.action for fate in found.values()} == {"rebuild"}
    assert found["adapter/intent"].because == ("train:dataset/intent/sw",)
    assert found["adapter/intent"].path == ("dataset/intent/sw", "adapter/intent")
    assert "fused:adapter/mood" in found["fusion/intent"].because
    assert turn.fetched == ("intent/sw (4 rows)", "mood/sw (4 rows)")
    assert turn.evaluations == 5


def test_the_same_training_is_counted_once_and_its_sharers_named(file):
    (life,) = outlook(load(file)).lives
    shared = fates(turns(life, 0, "adapter_fusion")[0])["adapter/intent"].shared_with
    assert shared == ("adapter_per_task", "carried")
    assert life.trainings == {"adapter_per_task": 6, "carried": 6, "adapter_fusion": 12, "multitask_full": 4}
    assert life.distinct_trainings == 6 + 6 + 4


def test_other_settings_make_another_training(file):
    file.write_text(TEXT.replace("  model:", "  carried: {epochs: 3}\n  model:"))
    (life,) = outlook(load(file)).lives
    assert fates(turns(life, 0, "adapter_fusion")[0])["adapter/intent"].shared_with == ("adapter_per_task",)
    assert fates(turns(life, 0, "carried")[0])["adapter/intent"].settings["epochs"] == 3
    assert life.distinct_trainings == 6 + 6 + 6 + 4


def test_both_ways_of_a_check_are_shown(file):
    (life,) = outlook(load(file)).lives
    looks, falls = turns(life, 60, "carried")
    assert (looks.when, falls.when) == (ALWAYS, FELL)
    assert [fate.action for fate in looks.fates] == ["keep", "keep"]
    assert dict(looks.checks).keys() == {"intent/en", "intent/de", "mood/en", "intent/sw", "mood/sw"}
    assert [fate.action for fate in falls.fates] == ["rebuild", "rebuild"]
    retraining = fates(turns(life, 60, "adapter_per_task")[0])
    assert falls.fates[0].fingerprint == retraining[falls.fates[0].slot].fingerprint


def test_what_follows_from_a_check_is_told_either_way(file):
    later = "  - {day: 80, event: dataset_refresh, task: intent, add: 1}\nstrategies:"
    file.write_text(TEXT.replace("strategies:", later))
    (life,) = outlook(load(file)).lives
    held, fell = turns(life, 80, "carried")
    assert (held.when, fell.when) == (HELD, FELL)
    assert "base:base_model" in fates(held)["adapter/intent"].because
    assert "base:base_model" not in fates(fell)["adapter/intent"].because


def test_seeds_that_live_through_the_same_are_told_once(file):
    assert [life.seeds for life in outlook(load(file, seeds=[1, 2, 3])).lives] == [(1, 2, 3)]
    process = "arrivals:\n  - {process: poisson, gap_days: 9, events: [{event: traffic_change, requests_per_day: 5}]}\n"
    file.write_text(TEXT + process)
    assert [life.seeds for life in outlook(load(file, seeds=[1, 2])).lives] == [(1,), (2,)]


def test_the_tree_says_it_in_lines(file):
    ahead = outlook(load(file))
    told = io.StringIO()
    console = Console(file=told, width=300)
    console.print(tree_of(ahead, ahead.lives[0]))
    console.print(settings_table(ahead.lives[0]))
    text = told.getvalue()
    assert "tiny: 100 days, seed 13, prices cloud_gpu" in text
    assert "day 40: new_language sw" in text
    assert "~ fusion/mood#2 because fused:adapter/intent, fused:adapter/mood, train:dataset/mood/sw moved" in text
    assert "by dataset/mood/sw > fusion/mood and 1 other way" in text
    assert "trained once, also for carried, adapter_fusion" in text
    assert "? mood/sw is looked at: it may fall 2 points" in text
    assert "carried, if every check falls: 2 rebuilt" in text
    assert "learning_rate 0.0001" in text and "epochs 2" in text
    assert list(totals(ahead.lives[0]))[-1] == "Together at most 16 trainings, as what is shared is trained once."


def test_generations_that_stand_beside_each_other_are_told_apart(file):
    text = TEXT.replace("  - multitask_full\n", "  - {multitask_full: {update: continue}, as: continued}\n")
    assert text != TEXT
    file.write_text(text)
    turns = [turn for day in outlook(load(file)).lives[0].days for turn in day.turns if turn.label == "continued"]
    kept = [[slot_said(fate) for fate in turn.fates if fate.action == "keep"] for turn in turns]
    assert ["model/multitask"] in kept and ["model/multitask", "model/multitask#2"] in kept
    assert all(len(set(slots)) == len(slots) for slots in kept)


def test_plan_prints_a_tree_or_json(file):
    shown = CliRunner().invoke(app, ["plan", str(file), "--strategies", "adapter_fusion"])
    assert shown.output.startswith("+ created   ~ rebuilt   = kept\n#2 second"), "no sign that stands nowhere"
    assert shown.exit_code == 0 and "fusion/mood" in shown.output and "multitask" not in shown.output
    printed = CliRunner().invoke(app, ["plan", str(file), "--json"])
    found = json.loads(printed.output)
    assert found["version"] == 1 and found["name"] == "tiny"
    assert found["lives"][0]["days"][0]["turns"][0]["fates"][0]["slot"] == "adapter/intent"


def test_validate_tells_every_file_and_leaves_with_2_if_one_is_wrong(file, tmp_path):
    good = CliRunner().invoke(app, ["validate", str(file)])
    assert (good.exit_code, good.output) == (
        0,
        f"OK {file}: 4 events, 4 strategies, 1 seed, at most 16 trainings for each seed\n",
    )
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(TEXT.replace("day: 20", "day: -20"))
    result = CliRunner().invoke(app, ["validate", str(wrong), str(file), str(tmp_path / "none.yaml")])
    assert result.exit_code == 2
    assert f"OK {file}" in result.output
    assert f"{wrong}:7: timeline[1].day: is -20; it must be at least 0" in result.output
    assert "none.yaml" in result.output


def test_the_schema_has_a_branch_for_every_event_and_strategy():
    schema = scenario_schema()
    events = schema["properties"]["timeline"]["items"]["oneOf"]
    assert [branch["properties"]["event"]["const"] for branch in events] == EVENTS.names()
    assert all(branch["description"] and {"event", "day"} <= set(branch["required"]) for branch in events)
    strategies = schema["properties"]["strategies"]["items"]["oneOf"]
    assert [branch["const"] for branch in strategies if "const" in branch] == STRATEGIES.names()
    options = {branch["title"]: branch["properties"][branch["title"]] for branch in strategies if "title" in branch}
    assert options["multitask_full"]["properties"]["update"]["enum"] == ["retrain", "continue"]
    assert all(part.get("description") for part in schema["properties"].values())


def test_the_schema_is_printed_as_json():
    assert json.loads(CliRunner().invoke(app, ["schema"]).output) == scenario_schema()
