"""The same from Python as at the command line."""

from pathlib import Path

import pytest

import adapeff_sim.python_api as api
from adapeff_sim.scenario.load import load


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
