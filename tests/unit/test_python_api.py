"""The same from Python as at the command line."""

from pathlib import Path

import pytest

import adapeff_sim.python_api as api
from adapeff_sim.scenario.load import load


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
