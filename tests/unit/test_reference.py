"""Every key and every quantity says what it means, and every picture is the script's own."""

import files_page
import pictures
import prices_page
import pytest
import quantities_page
from scenario_page import Schema

from adapeff_sim.costs.prices import Prices
from adapeff_sim.demos import HERE as DEMOS
from adapeff_sim.ledger.quantities import QUANTITIES, meaning, unit
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord, ServingRecord
from adapeff_sim.results import read
from adapeff_sim.run_folder import DERIVED, RunFolder
from adapeff_sim.scenario.json_schema import scenario_schema

MOST_BYTES = 1_500_000  # of all pictures together


def mute(schema: Schema, at: str) -> list[str]:
    """The keys of a mapping that say nothing of themselves."""
    return [f"{at}.{key}" for key, part in schema.get("properties", {}).items() if not part.get("description")]


def test_every_key_of_a_scenario_says_what_it_means():
    own = scenario_schema()["properties"]
    found = mute({"properties": own}, "scenario")
    for event in own["timeline"]["items"]["oneOf"]:
        found += mute(event, event["title"])
    for strategy in own["strategies"]["items"]["oneOf"]:
        if "title" in strategy:
            found += mute(strategy["properties"][strategy["title"]], strategy["title"])
    found += mute(own["arrivals"]["items"], "arrivals")
    for part in ("serving", "project_to", "estimate"):
        found += mute(own[part], part)
    assert found + mute(own["training"]["properties"]["every"], "training") == []


def test_every_key_of_a_price_book_says_what_it_means():
    parts = {"": Prices, **dict(prices_page.sections())}
    keys = [(name, key, field) for name, part in parts.items() for key, field in part.model_fields.items()]
    told = [(name, key) for name, key, field in keys if not name and key in dict(prices_page.sections())]
    mute_keys = [(n, k) for n, k, field in keys if not (field.description or prices_page.said_of(n, k)[1])]
    assert set(mute_keys) - set(told) == set()


@pytest.mark.parametrize("demo", sorted(p.name for p in DEMOS.iterdir() if (p / "ledger.jsonl").is_file()))
def test_every_quantity_of_a_recorded_run_is_told(demo):
    ledger = RunFolder(DEMOS / demo).read_ledger()
    found = {q for r in ledger.of(JobRecord) for q in (*r.usage, *r.unavailable)}
    found |= {q for r in ledger.of(EvaluationRecord) for q in r.usage} | {
        q for r in ledger.of(ServingRecord) for q in r.usage
    }
    assert len(found) > 20 and {q for q in found if not meaning(q)} == set()


def test_every_unit_of_money_and_every_table_of_a_run_is_told():
    for demo in sorted(p for p in DEMOS.iterdir() if (p / "results.json").is_file()):
        assert {row.unit for row in read(demo).rows} <= quantities_page.MONEY.keys()
    assert files_page.TABLES.keys() == {name for name in DERIVED if name.endswith(".csv")}


def test_every_picture_is_made_by_the_script_and_fetches_nothing():
    made = {f"{screen.name}.svg" for screen in pictures.SCREENS} | {f"{view.name}.png" for view in pictures.VIEWS}
    kept = {file.name: file.read_bytes() for file in pictures.PICTURES.iterdir()}
    assert kept.keys() == made
    assert sum(map(len, kept.values())) < MOST_BYTES
    assert not any(b"url(http" in drawn or b"@import" in drawn for drawn in kept.values())


def test_every_quantity_has_a_unit():
    assert [name for name in QUANTITIES if not unit(name)] == []
