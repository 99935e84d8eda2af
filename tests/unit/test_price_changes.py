"""What if a price were another: values set on the command line, and a verdict that turns where it should."""

import datetime
import re

import pytest
from hand_made import BOOK, answer, build, prices, probe, stands

from adapeff_sim.cli.price import Supposed
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.errors import ScenarioError
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.results import Facts, Results, results_of
from adapeff_sim.scenario.price_changes import with_changes

TODAY = datetime.date(2026, 1, 2)
REQUESTS = 216_000.0  # a day, of 0.1 s: a quarter of a replica busy, half of it at a utilisation of 0.5
TERMS = Terms(horizon_days=10.0, utilisation=0.5)


def results(*changes: str, terms: Terms = TERMS) -> Results:
    """One that trains 100 s and serves from two pools, beside one that trains 36,000 s and serves from one."""
    ledger = Ledger(
        (
            build(usage={"train_seconds": 100.0}, label="frugal"),
            probe(label="frugal"),
            stands(answer(REQUESTS, "one"), answer(REQUESTS, "two", endpoint="a/de"), label="frugal"),
            build(usage={"train_seconds": 36_000.0}, label="shared"),
            probe(label="shared"),
            stands(answer(REQUESTS), answer(REQUESTS, endpoint="a/de"), label="shared"),
        )
    )
    facts = Facts(name="two", labels=("frugal", "shared"), seeds=(1,), terms=terms, quality_floor=2.0)
    book = with_changes(prices(), changes, TODAY) if changes else prices()
    return results_of(facts, ledger, book, price_ledger(ledger, book, terms), {})


def totals(found: Results) -> dict[str, float]:
    return {row.label: row.mean for row in found.totals if row.component == "total"}


def test_a_lower_price_of_compute_turns_the_verdict():
    dear = results()
    assert totals(dear) == pytest.approx({"frugal": 1 + 480, "shared": 360 + 240})
    cheap = results("compute.device_hour=12")
    assert totals(cheap) == pytest.approx({"frugal": 1 / 3 + 480, "shared": 120 + 240})
    leaders = [next(c.cheapest for c in r.verdict.comparisons if c.component == "total") for r in (dear, cheap)]
    assert leaders == ["frugal", "shared"]


def test_twice_the_requests_fill_the_replica_that_was_full():
    twice = Supposed(traffic="x2").terms(TERMS)
    assert totals(results(terms=twice)) == pytest.approx({"frugal": 1 + 480, "shared": 360 + 480})


@pytest.mark.parametrize(
    ("traffic", "told"),
    [
        ("x-1", "is -1.0; it must be at least 0"),
        ("nan", "is 'nan'; write how many times the requests, such as x2 or 0.5"),
        ("inf", "is 'inf'; write how many times"),
        ("", "is ''; write how many times"),
        ("1e10", "is 10000000000.0; it must be at most 1e+09"),
        ("1e400", "is Infinity; it must be at most 1e+09"),
    ],
)
def test_traffic_that_cannot_be_supposed_is_refused(traffic, told):
    with pytest.raises(ScenarioError, match="--traffic: " + re.escape(told)):
        Supposed(traffic=traffic).terms(TERMS)


def test_factors_are_numbers_however_they_are_written():
    found = [Supposed(traffic=text).terms(TERMS).traffic for text in ("1e3", ".5x", "×2", "+4.")]
    assert found == [1000.0, 0.5, 2.0, 4.0]
    idle = totals(results(terms=Supposed(traffic="x0").terms(TERMS)))
    assert idle == pytest.approx({"frugal": 1 + 480, "shared": 360 + 240})  # a replica each all the same


def test_a_change_says_where_it_comes_from():
    book = with_changes(prices(), ["compute.device_hour=12", "storage.gib_month=0"], TODAY)
    assert (book.name, book.compute.per, book.compute.amount) == ("round (changed)", "device_hour", 12)
    assert (book.compute.date, book.storage.date) == (TODAY, TODAY)
    assert book.compute.source == "set on the command line: compute.device_hour=12"
    assert book.serving == prices().serving
    assert with_changes(book, ["compute.amount=1"], TODAY).name == "round (changed)"


def test_a_section_that_was_not_there_needs_all_of_its_prices():
    book = with_changes(prices(), ["labelling.example=1", "labelling.held_out_example=2"], TODAY)
    assert book.labelling is not None
    with pytest.raises(ScenarioError, match=r"compute\.amount: is set twice"):
        with_changes(prices(), ["compute.device_hour=1", "compute.amount=2"], TODAY)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("compute.amuont=1", "--set compute.amuont: unknown key; did you mean 'amount'"),
        ("comptue.amount=1", "did you mean 'compute'"),
        ("compute.amount", "write compute.KEY=VALUE"),
        ("compute", "keys: device_hour, exaflop, kwh"),
        ("compute.device_hour=abc", "--set compute.device_hour: is 'abc'; write a number"),
        ("compute.device_hours=1", "did you mean 'device_hour'"),
        ("labelling.example=1", "set it too: --set labelling.held_out_example=VALUE"),
        ("compute.amount=", "--set compute.amount: is empty; write a number"),
        ("compute.amount=dear", "--set compute.amount: is 'dear'; write a number"),
        ("compute.amount=-1", "--set compute.amount: is -1; it must be at least 0"),
        ("compute.amount=[1", "--set compute.amount: is '[1'; write a number"),
        ("compute.amount=1\nx: 2", "--set compute.amount: is '1\\nx: 2'; write a number"),
        ("compute.amount=\udcff", "--set compute.amount: is"),
        ("serving.date=2020-01-01", "--set serving.date: unknown key"),
        ("name=free", "write SECTION.KEY=VALUE"),
    ],
)
def test_what_cannot_be_set_is_told_with_what_would_do(said, told):
    with pytest.raises(ScenarioError) as caught:
        with_changes(prices(), [said], TODAY)
    assert told in str(caught.value)


@pytest.mark.parametrize(("said", "factor"), [("x2", 2.0), ("0.5", 0.5), ("3x", 3.0)])
def test_traffic_is_a_factor(said, factor):
    assert Supposed(traffic=said).terms(TERMS).traffic == factor


@pytest.mark.parametrize(
    ("of_run", "asked", "utilisation"),
    [
        ({"utilisation_said": False}, {"p95_ms": 200.0}, 1.0),
        ({"utilisation_said": True}, {"p95_ms": 200.0}, 0.6),
        ({}, {"p95_ms": 200.0}, 1.0),  # results of earlier versions: the default need not be said
        ({"utilisation": 0.5}, {"p95_ms": 200.0}, 0.5),
        ({"p95_ms": 90.0}, {"p95_ms": 200.0}, 0.6),
        ({"utilisation_said": False}, {"p95_ms": 200.0, "utilisation": 0.6}, 0.6),
        ({"utilisation_said": False}, {"traffic": "x2"}, 0.6),
    ],
)
def test_a_percentile_asked_anew_is_kept_by_replicas_as_busy_as_somebody_said(of_run, asked, utilisation):
    assert Supposed(**asked).terms(Terms(horizon_days=10.0, **of_run)).utilisation == utilisation


def test_terms_that_cannot_be_are_told_together():
    with pytest.raises(ScenarioError) as caught:
        Supposed(traffic="xx2", utilisation=3.0, p95_ms=0.0).terms(TERMS)
    assert "--traffic: is 'xx2'; write how many times" in str(caught.value)
    assert "--p95-ms: is 0.0; it must be more than 0" in str(caught.value)
    assert "--utilisation: is 3.0; it must be at most 1" in str(caught.value)


def test_every_section_of_the_book_can_be_set():
    for section, key in [("compute", "amount"), ("storage", "gib_month"), ("serving", "replica_hour")]:
        assert section in BOOK
        changed = with_changes(prices(), [f"{section}.{key}=7"], TODAY)
        assert getattr(getattr(changed, section), key) == 7
