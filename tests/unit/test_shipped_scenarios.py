"""Every scenario that comes along is valid, small enough, and explained to editors."""

import functools
import random

import pytest
from tiny_scenario import ROWS

from adapeff_sim.lifecycle.events.base import EVENTS
from adapeff_sim.scenario.json_schema import schema_text
from adapeff_sim.scenario.load import find_scenario, load, shipped_folder, shipped_scenarios
from adapeff_sim.scenario.outlook import outlook
from adapeff_sim.strategies.base import STRATEGIES

EDITOR_LINE = "# yaml-language-server: $schema=schema.json"
REAL = {"sentiment": ("bad", "good"), "topic": ("a", "b"), "nli": ("no", "yes"), "ner": ()}
MOST_EXAMPLES = {"new_language": 60_000, "smoke": 2_000}  # shown to models in training, all trainings together


@functools.cache
def loaded(name):
    return load(name)


def real_rows(folder):
    """A folder that is laid out as the scenario of real data asks for, with random words in it."""
    chance = random.Random(13)
    for task, labels in REAL.items():
        for language in ("en", "de", "sw", "es"):
            place = folder / task / language
            place.mkdir(parents=True)
            for split, count in (ROWS | {"train": 300}).items():
                (place / f"{split}.jsonl").write_text("".join(_row(task, labels, chance) for _ in range(count)))
    return folder


def _row(task, labels, chance):
    word = f"w{chance.randrange(100)}"
    if task == "ner":
        return f'{{"tokens": ["{word}", "."], "tags": ["B-PER", "O"]}}\n'
    if task == "nli":
        return f'{{"premise": "{word}", "hypothesis": "{word}", "label": "{chance.choice(labels)}"}}\n'
    return f'{{"text": "{word}", "label": "{chance.choice(labels)}"}}\n'


@pytest.mark.parametrize("name", [name for name in shipped_scenarios() if name != "real_data"])
def test_a_shipped_scenario_is_valid_by_its_bare_name(name):
    scenario = loaded(name)
    assert scenario.name == name and scenario.description
    assert find_scenario(name).read_text().startswith(EDITOR_LINE + "\n# ")


def test_the_scenario_of_real_data_takes_a_folder(tmp_path):
    scenario = load("real_data", data=str(real_rows(tmp_path / "rows")))
    assert {e.task for event in scenario.events(13) for e in event_endpoints(scenario)} == set(REAL)
    asked = [getattr(event, "labelled", None) for event in scenario.timeline]
    assert 0 in asked and max(rows for rows in asked if rows is not None) <= 300


def event_endpoints(scenario):
    """What is served at the end."""
    from adapeff_sim.lifecycle.world import World

    world = World()
    for event in scenario.events(scenario.seeds[0]):
        world = event.apply(world)
    return world.traffic


def test_there_is_one_for_every_purpose():
    wanted = {"new_language", "task_arrivals", "base_model_update", "full_lifecycle", "smoke", "real_data"}
    assert wanted <= set(shipped_scenarios())
    assert {event.kind for event in loaded("full_lifecycle").timeline} == set(EVENTS.names())
    assert loaded("task_arrivals").arrivals
    carries = [s.model_dump().get("on_base_update") for s in loaded("base_model_update").strategies.values()]
    assert {"carry_over", "retrain"} <= set(carries)
    used = {type(s).__module__.rpartition(".")[2] for s in loaded("full_lifecycle").strategies.values()}
    assert used <= set(STRATEGIES.names())


@pytest.mark.parametrize("name", MOST_EXAMPLES)
def test_a_scenario_for_a_first_look_trains_on_few_examples(name):
    (life,) = outlook(loaded(name)).lives
    trained = {
        (fate.fingerprint, tuple(fate.settings.items())): fate.settings["max_steps"] * fate.settings["batch_size"]
        for day in life.days
        for turn in day.turns
        for fate in turn.fates
        if fate.settings
    }
    assert len(trained) == life.distinct_trainings
    assert sum(trained.values()) <= MOST_EXAMPLES[name]


def test_the_schema_beside_them_is_up_to_date():
    assert (shipped_folder() / "schema.json").read_text(encoding="utf-8") == schema_text(), (
        "write it again: adapeff-sim schema > scenarios/schema.json"
    )
