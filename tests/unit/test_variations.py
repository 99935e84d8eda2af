"""What may vary in a sweep, and how many seeds there are."""

import json
from pathlib import Path

import pytest
from finished_run import folder_with
from played import lived
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.cli.run import numbers
from adapeff_sim.comparison.winners import Sweep
from adapeff_sim.errors import AdapeffError, ScenarioError
from adapeff_sim.reports.winners import note
from adapeff_sim.scenario.flags import replications
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.price_books import BOOKS
from adapeff_sim.scenario.variations import Vary, varied, vary_of
from adapeff_sim.sweep import sweep, variants


@pytest.fixture(scope="module")
def smoke():
    return load("smoke")


def test_updates_come_evenly_and_their_releases_take_turns():
    scenario = load("new_language")
    found = varied(scenario, {"updates_per_year": 3, "labelled": 50, "training.every.epochs": 2, "seeds": 2})
    updates = [(e.day, e.base_model) for e in found.events(13) if e.kind == "base_model_update"]
    assert updates == [(91.25, "adapeff-mini:v2"), (182.5, "adapeff-mini:v1"), (273.75, "adapeff-mini:v2")]
    assert [e.labelled for e in found.events(13) if "labelled" in type(e).model_fields] == [50, 50, 50]
    assert found.training["every"].epochs == 2 and found.seeds == (13, 14)


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ("traffic", "write KEY=VALUE"),
        ("traffic=1,1", "stands there twice"),
        ("trafic=1", "unknown; did you mean 'traffic'"),
        ("updates_per_yaer=1", "unknown; did you mean 'updates_per_year'"),
        ("trainin.every.epochs=1", "unknown; did you mean 'training.every.epochs'"),
        ("compue.device_hour=1", "unknown; did you mean 'compute.device_hour'"),
        ("nothing=1", "unknown; vary .*traffic"),
        ("training.evry.epochs=1", "no kind of artifact and no strategy is called 'evry'; did you mean 'every'"),
        ("training.every.epoch=1", "unknown key; did you mean 'epochs'"),
        (
            "timeline[1].labeled=5",
            r"^timeline\[1\].labeled=5: timeline\[1\].labeled: unknown key; did you mean 'labelled'",
        ),
        ("timeline.1.labelled=5", r"there is no '1' in a list of \d; count its parts from \[0\]"),
        ("timeline[1]..labelled=5", "unknown; vary"),
        ("timeline[1]labelled=5", "unknown; vary"),
        ("training.every.epochs!=5", "unknown; vary"),
        ("name.first=5", "which has no keys"),
        ("timeline[9].labelled=5", "there is no"),
        ("labelled=0.5", "whole number"),
        ("updates_per_year=-1", "a number from 0"),
        ("utilisation=2", "must be"),
        ("compute.per_hour=2", "unknown key"),
        ("compute.device_hours=2", r"--vary compute.device_hours: unknown key; did you mean 'device_hour'"),
        ("traffic=.nan", "write a finite number"),
        ("traffic=1e99", "at most 1e"),
        ("prices=nowhere", "Unknown price book"),
        ("quality_floor=many", "write points"),
    ],
)
def test_what_cannot_vary_is_refused_before_anything_is_trained(smoke, tmp_path, vary, message):
    with pytest.raises(AdapeffError, match=message):
        variants(smoke, [vary_of(vary)], tmp_path)


def test_terms_may_be_said_in_their_sections_or_in_short():
    assert vary_of("p95=30, 50") == Vary("p95_ms", (30, 50)) == vary_of("serving.p95_ms=30,50")
    assert vary_of("prices=on_prem") == Vary("prices", ("on_prem",))


def test_a_grid_is_estimated_without_training_and_says_so(tmp_path, monkeypatch):
    """What was estimated is no finished training, and a trained map says nothing of estimates."""
    monkeypatch.chdir(tmp_path)
    grid = ("sweep", "smoke", "--vary", "traffic=1,1000", "--executor", "estimate", "--store", "none")
    refused = CliRunner().invoke(app, [*grid, "--device", "cpu"])
    assert refused.exit_code == 2 and "have no effect" in refused.output
    planned = json.loads(CliRunner().invoke(app, [*grid, "--plan", "--json"]).stdout)
    assert (planned["executor"], planned["trainings"], planned["asked"]) == ("estimate", 0, 0)
    shown = CliRunner().invoke(app, [*grid, "--quiet"]).stdout
    assert "estimated: nothing was trained or scored" in shown and "* estimated or assumed" in shown
    found = Sweep.model_validate_json(Path("sweeps/smoke-estimate/sweep.json").read_text())
    assert found.executor == "estimate" and found.cells[0].totals
    assert {how for cell in found.cells for how in cell.provenance.values()} <= {"estimated", "assumed"}
    assert not any(
        v.is_finished for v in variants(load("smoke"), [Vary("traffic", (1,))], Path("sweeps/smoke-estimate"))
    )
    trained = found.model_copy(update={"executor": "local"})
    assert note(trained).startswith("the cheapest in total within the quality floor")


def test_a_number_of_seeds_is_how_many(caplog):
    assert (numbers("3"), numbers("13,"), numbers("13,14"), numbers(None)) == (3, [13], [13, 14], None)
    assert replications((13,), 3) == (13, 14, 15)
    assert replications((5, 2), 4) == (5, 2, 3, 4) and replications((7, 8, 9), 2) == (7, 8)
    assert replications((2**32 - 1,), 2) == (2**32 - 1, 0)
    assert not caplog.records
    assert len(replications((13,), 13)) == 13 and "for that one write --seeds 13," in caplog.text
    with pytest.raises(ScenarioError, match="at least one"):
        numbers("0")


def test_cells_of_finished_runs_are_priced_at_what_the_book_says_now(tmp_path):
    scenario, results, ledger = lived()
    text, book = (BOOKS / "laptop_cpu.yaml").read_text(), tmp_path / "book.yaml"
    book.write_text(text)
    scenario = scenario.model_copy(update={"prices": str(book)})
    folder_with(tmp_path / "story", results, ledger, scenario.as_yaml())

    def totals():
        (cell,) = sweep(scenario, [vary_of("traffic=1")], tmp_path, pytest.fail).cells
        return cell.totals

    first = totals()
    book.write_text(text.replace("gib_month:", "gib_month: 9 #"))
    assert "gib_month:" in text and totals() != first
