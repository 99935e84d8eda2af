"""Energy and re-validation by hand, and verdicts that change with a price, the traffic and a target."""

import datetime

import pytest
from hand_made import SAID, answer, bill, build, kept, prices, probe, scored, stands

from adapeff_sim.cli.price import Supposed, repriced
from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.errors import ScenarioError
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.reports.tables import costs, unpriced
from adapeff_sim.results import Facts, results_of, write
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.scenario.price_changes import with_changes

JOULES = {"train_seconds": 100.0, "train_flops": 3.6e5, "energy_joules": 7.2e6}


def energy(job, **said):
    book = prices(energy={"kwh": 0.5, "overhead": 1.5, **said})
    (row,) = (r for r in bill(job, at=book) if r.component == "energy")
    return row.item, row.quantity, row.amount, row.provenance


def test_energy_is_what_was_measured_with_what_cooling_adds():
    assert energy(build(usage=JOULES)) == ("train and validate adapter/a", 3.0, 1.5, "measured")
    assert energy(scored(usage=JOULES, provenance="reused")) == ("re-validate a/en", 3.0, 1.5, "reused")


def test_energy_that_was_not_measured_here_is_estimated_from_watts_or_unavailable():
    foreign = build(usage=JOULES, device="NVIDIA L4")  # 3.6e5 operations at 100 a second are an hour
    assert energy(foreign) == ("train and validate adapter/a", None, None, "unavailable")
    assert energy(foreign, watts=1000.0) == ("train and validate adapter/a", 1.5, 0.75, "estimated")


@pytest.mark.parametrize(
    ("compute", "said"), [({"includes_energy": True}, "includes_energy: true"), ({"per": "kwh"}, "by the kWh")]
)
def test_energy_is_never_paid_twice(compute, said):
    with pytest.raises(ValueError, match=f"paid twice, as compute .*{said}"):
        prices(compute=compute, energy={"kwh": 0.5})
    assert prices(compute=compute).unpriced["energy"] == "paid with compute"
    assert not [r for r in bill(build(usage=JOULES), at=prices(compute=compute)) if r.component == "energy"]


def test_every_test_item_that_is_run_again_is_priced():
    book = prices(revalidation={"item": 0.5})
    records = scored(items=10), scored(endpoint="a/de", items=4), stands(touched=("a/de",))
    found = {r.item: r.amount for r in bill(*records, at=book) if r.component == "revalidation"}
    assert found == {"unasked a/en": 5.0, "asked a/de": 2.0}


def test_ledgers_of_earlier_versions_tell_the_items_where_they_were_bought():
    book = prices(revalidation={"item": 0.5})
    bought = scored(usage={"test_examples": 10.0})
    found = [
        r.amount
        for r in bill(bought, scored(step=1), scored(step=2, test_set="v2"), at=book)
        if r.component == "revalidation"
    ]
    assert found == [5.0, 5.0, None]


@pytest.mark.parametrize("guess", ["", "assumption: a guess"])
def test_what_is_counted_is_as_sure_as_its_price(guess):
    parts = {
        "revalidation": {"item": 0.5},
        "labelling": {"example": 1.0, "held_out_example": 2.0},
        "storage": {"gib_month": 1.0},
    }
    book = prices(**{name: {**part, "assumption": guess} for name, part in parts.items()})
    records = build(usage={"labelled_examples": 9.0}), scored(usage={"test_examples": 30.0}, items=30), stands(kept())
    found = {(r.component, r.provenance) for r in bill(*records, at=book) if r.component in parts}
    assert found == {(name, "assumed" if guess else "measured") for name in parts}


def test_measured_energy_is_as_sure_as_what_is_added_to_it():
    assert energy(build(usage=JOULES), assumption="a guess")[-1] == "assumed"
    assert energy(build(usage=JOULES), assumption="a guess", overhead=1.0)[-1] == "measured"


def test_a_price_that_is_set_rests_on_no_assumption_of_the_book():
    book = prices(revalidation={"item": 0.5, "assumption": "a guess"})
    today = datetime.date(2025, 6, 1)
    assert with_changes(book, ["revalidation.item=1"], today).revalidation.assumption == ""
    assert with_changes(book, ["storage.gib_month=1"], today).revalidation.assumption == "a guess"


def test_rows_are_counted_where_no_formula_tells_what_answering_them_takes():
    book = prices(revalidation={"item": 0.5}, labelling={"example": 1.0, "held_out_example": 2.0})
    for assumed, sure in (((), "estimated"), (("test_examples",), "assumed")):
        record = scored(None, usage={"test_examples": 30.0}, items=30, provenance="unavailable", assumed=assumed)
        found = {r.component: (r.amount, r.provenance) for r in bill(record, at=book)}
        assert found == {
            "labelling": (60.0, sure),
            "revalidation": (15.0, sure),
            "compute": (None, "unavailable"),
        }


def test_what_has_no_price_is_said_to_have_none():
    found = results(life("it", 100.0))
    assert unpriced(found) == "In no sum: energy (no price), revalidation (no price), labelling (no price)"
    (table,) = costs(found)
    assert "In no sum" in str(table.caption)


def test_a_sum_of_which_nothing_is_known_is_not_0():
    found = results(life("it", 100.0), revalidation={"item": 0.5})
    total = next(t for t in found.totals if t.component == "revalidation")
    assert total.unavailable and (total.mean, total.amounts, total.provenance) == (None, (None,), "unavailable")
    (table,) = costs(found)
    column = next(c for c in table.columns if str(c.header) == "revalidation")
    assert [str(cell) for cell in column.cells] == ["n/a"] and "n/a: unavailable" in str(table.caption)


def life(label, seconds, pools=1, request=0.2):
    """Trained for so long; 100 000 requests a day to two endpoints, in so many pools."""
    at = {"label": label}
    answered = [answer(5e4, f"pool{i % pools}", endpoint=f"a/{i}") for i in range(2)]
    scores = [scored(endpoint=f"a/{i}", **at) for i in range(2)]
    return [
        build(usage={"train_seconds": seconds}, **at),
        probe(request, **at),
        *scores,
        stands(*answered, kept(gib=0), **at),
    ]


def results(*records, **parts):
    ledger = Ledger(tuple(r for group in records for r in group))
    labels = tuple(dict.fromkeys(r.label for r in ledger.records))
    terms = Terms(horizon_days=10.0, utilisation=0.5)
    facts, book = Facts(name="story", labels=labels, seeds=(1,), terms=terms, quality_floor=100.0), prices(**parts)
    return results_of(facts, ledger, book, price_ledger(ledger, book, terms), {})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One model that trains long and answers slowly, and two that train fast, answer fast, and stand apart."""
    folder = tmp_path_factory.mktemp("run")
    groups = life("one", 1000.0), life("two", 100.0, pools=2, request=0.1)
    RunFolder(folder).write_ledger(Ledger(tuple(r for group in groups for r in group)))
    write(results(*groups), folder)
    return folder


@pytest.mark.parametrize(
    ("changes", "supposed", "cheapest", "one", "two"),
    [  # a replica for ten days: 240 EUR; a second of compute: 0.01 EUR; 10 s to score each endpoint
        ((), Supposed(), "one", 10.2 + 240, 1.2 + 480),
        (("compute.device_hour=3600",), Supposed(), "two", 1020 + 240, 120 + 480),
        (("serving.replica_hour=0.01",), Supposed(), "two", 10.2 + 2.4, 1.2 + 4.8),
        # a million requests: 1e6 x 0.2 s / 86400 s / 0.5 = 4.6 replicas; two pools of 5e5 x 0.1 s: 1.2 each
        ((), Supposed(traffic="x10"), "two", 10.2 + 5 * 240, 1.2 + 4 * 240),
        ((), Supposed(p95_ms=150.0), "two", None, 1.2 + 480),  # no request of 200 ms is answered in 150
    ],
)
def test_the_verdict_follows_prices_traffic_and_target(run, changes, supposed, cheapest, one, two):
    found = repriced(run, None, changes, supposed)
    totals = {t.label: t for t in found.totals if t.component == TOTAL}
    (verdict,) = (c for c in found.verdict.comparisons if c.component == TOTAL)
    assert verdict.cheapest == cheapest
    assert totals["two"].mean == pytest.approx(two)
    assert totals["one"].unavailable if one is None else totals["one"].mean == pytest.approx(one)


SET = ("revalidation.item=1", "energy.kwh=0.3", "energy.overhead=1.2")


def test_the_new_prices_can_be_set_on_the_command_line(run):
    found = repriced(
        run, None, ["revalidation.item=1", "energy.kwh=0.3", "energy.overhead=1.2", "storage.older_gib_month=0.1"]
    )
    assert found.prices.energy.model_dump(exclude={"date", "source"}) == {
        "kwh": 0.3, "overhead": 1.2, "watts": None, "assumption": "",
    }  # fmt: skip
    assert found.prices.revalidation.item == 1
    assert found.prices.storage.older_gib_month == 0.1
    with pytest.raises(ScenarioError, match=r"--set energy.*paid twice"):
        repriced(run, None, ["energy.kwh=0.3", "compute.includes_energy=true"])


def test_older_versions_may_lie_where_it_is_cheaper():
    moved = stands(kept(fingerprint="new"), step=1, day=5.0)
    book = prices(storage={"gib_month": 1.0, "older_gib_month": 0.5, "keep_versions": 1, **SAID})
    found = [r for r in bill(stands(kept(fingerprint="old")), moved, at=book) if r.component == "storage"]
    assert {r.item.split()[0]: r.amount / r.quantity for r in found} == {"routed": 1.0, "older": 0.5}
