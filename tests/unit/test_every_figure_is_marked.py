"""Every figure of a run says how sure it is, in results.json and in every table; nothing unknown shows as 0."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_estimates import PAPER
from test_projection import TARGET
from test_projection import ledger as small
from test_projection import results as projected

from adapeff_sim.conduct import estimated
from adapeff_sim.demos import HERE, demos
from adapeff_sim.ledger.outcome import PROVENANCES
from adapeff_sim.reports import tables
from adapeff_sim.reports.files.csv import csv_text
from adapeff_sim.reports.files.markdown import _run as markdown
from adapeff_sim.reports.sheets import sheets
from adapeff_sim.reports.told import Told
from adapeff_sim.results import Results, read, results_of
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.scenario.price_books import load_prices

STATED = {"facts", "prices", "environment", "format", "target"}  # what somebody said, and with what it was done
AXES = {"day", "until", "since", "seed", "step", "place", "days"}  # where a figure belongs, and no figure
SURE = ("provenance", "lead_provenance")
WORDS = {*PROVENANCES, *(f"partly {how}" for how in PROVENANCES)}
ITS_OWN = {"environment": "what is stated and done with", "provenance": "shares of money, by provenance"}


def unmarked(value: Any, path: tuple[str, ...] = (), is_marked: bool = False) -> Iterator[str]:
    """Every number that stands in nothing which says how sure it is."""
    if isinstance(value, dict):
        is_marked = is_marked or any(value.get(key) in PROVENANCES for key in SURE)
        for key, inner in value.items():
            if key not in STATED | AXES:
                yield from unmarked(inner, (*path, key), is_marked)
    elif isinstance(value, list):
        for inner in value:
            yield from unmarked(inner, path, is_marked)
    elif isinstance(value, int | float) and not isinstance(value, bool) and not is_marked:
        yield ".".join(path)


def made_of_nothing(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every number of what is unavailable as a whole, and every 0 of a quantity that is named as unavailable."""
    if isinstance(value, dict):
        gone = value.get("unavailable")
        gone = set(gone) if isinstance(gone, list) else set()
        for key, inner in value.items():
            is_number = isinstance(inner, int | float) and not isinstance(inner, bool) and key not in AXES
            if is_number and ((value.get("provenance") == "unavailable" and inner == 0) or key in gone):
                yield ".".join((*path, key))
            yield from made_of_nothing(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from made_of_nothing(inner, path)


def demo(name: str) -> Told:
    return Told(read(HERE / name), RunFolder(HERE / name).read_ledger(), name, {})


def made(kind: str) -> Told:
    """A demo, a life from closed forms, or one that is told at another size."""
    if kind == "estimated":
        found = estimated(PAPER.only(["multitask_full"], {}), load_prices("cloud_gpu"), Path("nowhere/store"))
        return Told(found.results, found.ledger, kind, {})
    return Told(projected(TARGET), small(), kind, {}) if kind == "projected" else demo(kind)


@pytest.fixture(scope="module", params=demos())
def told(request: pytest.FixtureRequest) -> Told:
    return demo(request.param)


@pytest.fixture(scope="module", params=[*demos(), "estimated", "projected"])
def any_life(request: pytest.FixtureRequest) -> Told:
    return made(request.param)


def test_every_figure_of_the_results_says_how_sure_it_is(any_life: Told):
    whole = any_life.results.model_dump(mode="json")
    assert sorted(set(unmarked(whole))) == []
    assert sorted(set(made_of_nothing(whole))) == []
    for told_of in whole["totals"]:
        told_of.pop("provenance")
    whole["rows"][0]["surprise"], whole["surprise"] = 1.0, 3.0
    found = set(unmarked(whole))
    assert {"totals.amounts", "totals.mean", "surprise"} <= found and "rows.surprise" not in found


def test_every_row_of_every_table_says_how_sure_it_is(any_life: Told):
    for sheet in sheets(any_life):
        header, *rows = csv.reader(io.StringIO(csv_text(sheet)))
        if sheet.name in ITS_OWN:
            continue
        assert header[-1] == "provenance", sheet.name
        for row in rows:
            known = WORDS | ({"stated"} if sheet.name.endswith("assumptions") else set())
            assert row[-1] in known, (sheet.name, row)
    assert any_life.folder == "projected" or "assumed" in "\n".join(markdown(any_life))


def test_what_is_not_measured_has_a_star_wherever_money_is_told(told: Told):
    results = told.results
    for label in results.facts.labels:
        (total,) = (row for row in results.totals if (row.label, row.component) == (label, "total"))
        assert total.provenance == "assumed" and tables.starred(total) == "*"
    (table,) = tables.costs(results, 200)
    stars = {str(column.header): {"*" in str(cell) for cell in column.cells} for column in table.columns[1:]}
    rests = {"compute": {True}, "serving": {True}, "total": {True}}  # on the book's rate: no priced GPU was there
    rests["revalidation"] = {True}  # at a price that the book calls an assumption
    assert stars == {name: {False} for name in stars} | rests, "bytes and rows are counted, and a list is no guess"


def test_of_what_nobody_knows_there_is_no_number(told: Told):
    rows = tuple(
        r.model_copy(update={"amount": None, "quantity": None, "provenance": "unavailable"}) for r in told.results.rows
    )
    found = results_of(told.results.facts, told.ledger, told.results.prices, rows, {})
    assert {(row.mean, *row.amounts) for row in found.totals} == {(None, None)} and found.curves == ()
    (table,) = tables.costs(found, 200)
    assert {str(cell) for column in table.columns[1:] for cell in column.cells} == {"n/a"}
    assert isinstance(Results.model_validate_json(found.model_dump_json()), Results)
