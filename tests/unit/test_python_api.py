"""The same from Python as at the command line."""

from pathlib import Path

import pytest

import adapeff_sim.python_api as api
from adapeff_sim.errors import AdapeffError
from adapeff_sim.reports.page.controls import knobs
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.price_books import BOOKS


def test_runs_are_called_as_they_were_named_and_one_that_stands_there_twice_has_a_number():
    demo, other = api.Run.read("demo:new_language"), api.Run.read("demo:base_model_update")
    by_folder = api.Run(demo.results, demo.path)
    assert [side.name for side in api.sides_of([demo, other, demo])] == [
        "demo:new_language",
        "demo:base_model_update",
        "demo:new_language (2)",
    ]
    assert [side.name for side in api.sides_of([by_folder, demo])] == ["new_language", "demo:new_language"]


@pytest.mark.parametrize(
    ("named", "said", "kept"),
    [("", None, ".adapeff/store"), ("elsewhere", None, "elsewhere"), ("elsewhere", "here", "here")],
)
def test_the_store_is_that_of_the_environment_unless_it_is_said(monkeypatch, named, said, kept):
    seen = []
    monkeypatch.setenv("ADAPEFF_STORE", named)
    monkeypatch.setattr("adapeff_sim.conduct.conduct", lambda scenario, machine, store, out: seen.append(store))
    monkeypatch.setattr("adapeff_sim.execution.machine.this_machine", lambda *_: None)
    api.run(load("smoke"), store=said)
    assert seen == [Path(kept)]


@pytest.mark.parametrize("scenario", ["smoke", BOOKS.parent / "smoke.yaml"])
def test_a_scenario_may_be_given_by_its_name_or_its_path(monkeypatch, scenario):
    seen = []
    monkeypatch.setattr("adapeff_sim.conduct.conduct", lambda scenario, *_: seen.append(scenario))
    monkeypatch.setattr("adapeff_sim.execution.machine.this_machine", lambda *_: None)
    assert api.run(scenario).path == Path("runs/smoke")
    assert seen == [load("smoke")]


def test_the_first_slider_is_the_floor_that_decides_who_takes_part():
    names = [knob.name for knob in knobs(api.Run.read("demo:new_language").results)]
    assert names[0] == "floor" and names.count("floor") == 1 and "compute" in names


def test_to_compare_no_run_is_refused():
    with pytest.raises(AdapeffError, match="no run is given; give one"):
        api.compare([])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"seeds": 0}, "argument seeds: is 0; say how many, at least 1"),
        ({"seeds": -1}, "argument seeds: is -1; say how many, at least 1"),
        ({"seeds": []}, "argument seeds: "),
        ({"strategies": "nobody"}, "argument strategies: unknown strategy 'nobody'"),
        ({"prices": "nowhere"}, "argument prices: "),
        ({"data": "nowhere"}, "argument data: no such folder 'nowhere'"),
    ],
)
def test_what_an_argument_says_wrongly_is_told_by_its_name(argument, message):
    with pytest.raises(AdapeffError) as error:
        api.Scenario.load("smoke", **argument)
    assert str(error.value).startswith(f"Scenario.load: {message}") and "command line" not in str(error.value)
