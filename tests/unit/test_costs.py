"""From what happened to what it cost, reckoned by hand."""

import math
import random

import pytest
from hand_made import amounts, answer, bill, build, fetch, kept, prices, probe, scored, stands
from hypothesis import given, settings
from hypothesis import strategies as st

from adapeff_sim.costs.accrual import TOTAL, accruals
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.ledger.ledger import Ledger

LABELLED = {"example": 0.5, "held_out_example": 0.25}


# compute


def test_training_validating_and_evaluating_are_charged_apart():
    usage = {"train_seconds": 100.0, "validate_seconds": 20.0, "warmup_seconds": 1e6, "lost_seconds": 1e6}
    rows = bill(build(usage=usage), scored())
    assert amounts(rows) == {"train adapter/a": 1.0, "validate adapter/a": 0.2, "re-validate a/en": 0.1}
    assert {(r.component, r.unit, r.day, r.until) for r in rows} == {("compute", "device_hours", 0.0, 0.0)}


def test_reuse_saves_time_and_never_cost():
    (row,) = bill(build(provenance="reused"))
    assert (row.amount, row.provenance) == (1.0, "reused")


def test_seconds_of_another_device_are_converted_through_flops_and_marked():
    usage = {"train_seconds": 3.0, "train_flops": 5000.0}
    (row,) = bill(build(usage=usage, device="NVIDIA H200"))
    assert (row.quantity, row.amount, row.provenance) == (50 / 3600, 0.5, "estimated")


@pytest.mark.parametrize(
    ("usage", "rate"), [({"train_seconds": 3.0}, 100.0), ({"train_seconds": 3.0, "train_flops": 5.0}, None)]
)
def test_without_flops_or_rate_another_device_is_unavailable(usage, rate):
    (row,) = bill(build(usage=usage, device="NVIDIA H200"), at=prices(compute={"flops_per_second": rate}))
    assert (row.quantity, row.amount, row.provenance) == (None, None, "unavailable")


def test_a_build_without_the_basis_is_unavailable_and_not_free():
    (row,) = bill(build(usage={}, unavailable=("train_seconds",)))
    assert (row.item, row.amount, row.provenance) == ("train adapter/a", None, "unavailable")


def test_a_job_that_does_not_validate_is_no_gap_but_one_that_could_not_be_timed_is():
    assert list(amounts(bill(build()))) == ["train adapter/a"]
    assert amounts(bill(build(unavailable=("validate_seconds",))))["validate adapter/a"] is None


def test_flops_are_charged_alike_on_every_device():
    usage = {"train_flops": 2e18, "validate_flops": 1e18}
    book = prices(compute={"per": "exaflop", "amount": 3.0})
    for device in ("cpu x", "NVIDIA H200"):
        rows = bill(build(usage=usage, device=device), scored(usage={}), at=book)
        assert amounts(rows) == {"train adapter/a": 6.0, "validate adapter/a": 3.0, "re-validate a/en": None}
        assert {r.unit for r in rows} == {"exaflops"}


def test_measured_energy_is_charged_once_for_the_whole_job():
    book = prices(compute={"per": "kwh", "amount": 0.5, "watts": 1000.0})
    usage = {"train_seconds": 3600.0, "validate_seconds": 36.0, "energy_joules": 7.2e6}
    (row,) = bill(build(usage=usage), at=book)
    assert (row.item, row.quantity, row.amount, row.provenance) == (
        "train and validate adapter/a",
        2.0,
        1.0,
        "measured",
    )


def test_energy_that_was_not_measured_is_estimated_from_watts_or_unavailable():
    usage = {"train_seconds": 3600.0, "train_flops": 1.8e5, "energy_joules": 1.0}
    book = prices(compute={"per": "kwh", "amount": 0.5, "watts": 1000.0})
    no_joules = bill(build(usage={"train_seconds": 3600.0}), at=book)
    elsewhere = bill(
        build(usage=usage, device="NVIDIA L4"), at=book
    )  # 1800 s on the priced device, whatever the joules
    assert [(r.quantity, r.amount, r.provenance) for r in no_joules] == [(1.0, 0.5, "estimated")]
    assert [(r.quantity, r.amount, r.provenance) for r in elsewhere] == [(0.5, 0.25, "estimated")]
    no_watts = prices(compute={"per": "kwh", "amount": 0.5})
    assert amounts(bill(build(usage={"train_seconds": 1.0}), at=no_watts)) == {"train adapter/a": None}


# storage


def test_what_is_routed_is_stored_for_as_long_as_it_stands():
    rows = bill(stands(kept("base", 4), kept("adapter/a", 1)), stands(kept("base", 4), step=1, day=6))
    assert [(r.item.split()[1], r.day, r.until, r.amount) for r in rows] == [
        ("adapter/a", 0, 6, pytest.approx(6)),
        ("base", 0, 10, pytest.approx(40)),  # one row for as long as nothing about it changes
    ]
    assert {r.unit for r in rows} == {"gib_months"} and rows[0].quantity == pytest.approx(6 / 30.4375)


@pytest.mark.parametrize(("keep", "older"), [(0, 0), (1, 2 + 2 + 4), (2, 2 + 4 + 8), (9, 2 + 4 + 12)])
def test_older_generations_are_kept_when_asked(keep, older):
    life = [stands(kept(fingerprint=f"v{i}"), step=i, day=d) for i, d in enumerate((0, 2, 4, 6))]
    rows = bill(*life, at=prices(storage={"keep_versions": keep}))
    assert math.fsum(r.amount for r in rows if r.item.startswith("older")) == pytest.approx(older)
    assert math.fsum(r.amount for r in rows if r.item.startswith("routed")) == pytest.approx(10)


def test_a_generation_that_returned_is_the_latest_when_it_leaves_again():
    life = [
        stands(kept(fingerprint=f), step=i, day=d)
        for i, (f, d) in enumerate([("v0", 0), ("v1", 2), ("v0", 4), ("v2", 6)])
    ]
    rows = bill(*life, at=prices(storage={"keep_versions": 1}))
    assert [(r.item, r.day, r.until) for r in rows if r.item.startswith("older")] == [
        ("older adapter/a v0", 2, 4),
        ("older adapter/a v1", 4, 6),
        ("older adapter/a v0", 6, 10),
    ]


def test_of_two_deployments_on_one_day_only_the_last_is_stored():
    rows = bill(stands(kept("a")), stands(kept("b"), step=1), stands(kept("b"), step=2, day=10.0))
    assert [(r.item, r.day, r.until) for r in rows] == [("routed b f-b", 0, 10)]


def test_ancestors_and_raw_data_are_kept_only_where_they_are_priced():
    record = stands(
        kept("model/m", 1), kept("model/m", 2, "before", kept_as="ancestor"), kept("rows", 3, kept_as="data")
    )
    assert math.fsum(amounts(bill(record)).values()) == pytest.approx(10)
    book = prices(storage={"ancestor_gib_month": 30.4375, "data_gib_month": 60.875})
    assert [r.amount for r in bill(record, at=book)] == pytest.approx([2 * 10, 3 * 2 * 10, 1 * 10])  # by item


def test_an_ancestor_that_is_also_an_older_version_is_stored_once():
    life = [
        stands(kept("model/m", 1, "one")),
        stands(kept("model/m", 1, "two"), kept("model/m", 1, "one", kept_as="ancestor"), step=1, day=5),
    ]
    rows = bill(*life, at=prices(storage={"keep_versions": 1, "ancestor_gib_month": 30.4375}))
    assert math.fsum(amounts(rows).values()) == pytest.approx(5 + 5 + 5)


def test_an_artifact_of_unknown_size_is_unavailable():
    assert amounts(bill(stands(kept("a", 1, provenance="unavailable")))) == {"routed a f-a": None}


# serving


def test_replicas_are_whole_and_at_least_one_for_each_pool():
    none = bill(probe(), stands(answer(0, "one"), answer(0, "two", endpoint="b/en")))
    assert amounts(none) == {"busy one": 0, "idle one": 240, "busy two": 0, "idle two": 240}
    # 4.5 replica-days of work a day at 50 %: nine replicas, half of them idle
    rows = bill(probe(0.1), stands(answer(4.5 * 864_000)))
    assert amounts(rows) == {"busy base": pytest.approx(4.5 * 240), "idle base": pytest.approx(4.5 * 240)}


@pytest.mark.parametrize(("utilisation", "replicas"), [(0.6, 1), (0.599, 2), (1.0, 1), (0.3, 2), (0.2, 3)])
def test_a_load_that_fits_exactly_takes_no_further_replica(utilisation, replicas):
    rows = bill(probe(0.1), stands(answer(0.6 * 864_000)), utilisation=utilisation)
    assert math.fsum(amounts(rows).values()) == pytest.approx(240 * replicas)


def test_seven_full_replicas_are_seven_and_not_eight_by_rounding():
    rows = bill(probe(0.1), stands(answer(4_233_600)), utilisation=0.7)  # 423360 s / 86400 s / 0.7 = 7.000000000000001
    assert math.fsum(amounts(rows).values()) == pytest.approx(240 * 7)


def test_endpoints_of_one_pool_share_replicas_whatever_their_shapes():
    shapes = [probe(0.1, "plain"), probe(0.2, "tall")]
    shared = stands(answer(216_000, "base", "plain"), answer(108_000, "base", "tall", "a/de"))
    assert amounts(bill(*shapes, shared)) == {"busy base": pytest.approx(120), "idle base": pytest.approx(120)}


def test_a_probe_on_another_device_is_converted_and_marked():
    elsewhere = probe(0.001, device="NVIDIA L4", usage={"request_flops": 100.0})  # 0.1 s at 1000 FLOP/s
    rows = bill(elsewhere, stands(answer(864_000 / 4)))
    assert amounts(rows) == {"busy base": pytest.approx(60), "idle base": pytest.approx(180)}
    assert {r.provenance for r in rows} == {"estimated"}


@pytest.mark.parametrize(
    "shown", [[], [probe(0.1, device="NVIDIA L4")], [probe(None)], [probe(provenance="unavailable")]]
)
def test_a_pool_that_was_not_timed_is_unavailable_and_not_free(shown):
    (row,) = bill(*shown, stands(answer(5)))
    assert (row.quantity, row.amount, row.provenance) == (None, None, "unavailable")


def test_a_later_probe_of_a_shape_changes_no_past():
    life = [probe(0.1), stands(answer(216_000)), probe(0.2, step=1, day=5), stands(answer(216_000), step=1, day=5)]
    rows = [r for r in bill(*life) if r.item == "busy base"]
    assert [(r.day, r.amount) for r in rows] == [(0, pytest.approx(30)), (5, pytest.approx(60))]


# labelling


def test_rows_are_charged_as_they_were_bought_and_held_out_rows_apart():
    bought = {"labelled_examples": 100.0, "validation_examples": 20.0}
    records = [fetch(usage=bought), fetch("dataset/b"), scored(usage={"evaluate_seconds": 0.0, "test_examples": 40.0})]
    rows = bill(*records, at=prices(labelling=LABELLED))
    assert amounts(rows, "labelling") == {"label dataset/a": 50.0, "held-out dataset/a": 5.0, "held-out a/en": 10.0}
    assert not amounts(bill(*records), "labelling")


# all together


def test_the_horizon_ends_everything():
    life = [
        build(),
        build(day=10),
        build(day=10.5),
        stands(kept()),
        stands(kept(), step=1, day=11),
        probe(),
        scored(day=12),
    ]
    rows = bill(*life, horizon_days=10)
    assert len([r for r in rows if r.component == "compute"]) == 2
    assert {(r.day, r.until) for r in rows if r.component == "storage"} == {(0, 10)}


numbers = st.integers(1, 100_000)
usages = st.fixed_dictionaries(
    {"train_seconds": numbers}, optional={"validate_seconds": numbers, "train_flops": numbers}
)


@st.composite
def lives(draw):
    """A few lives of a few deployments each, with everything that costs."""
    records = []
    for label in draw(st.sampled_from([("a",), ("a", "b")])):
        for seed in draw(st.sampled_from([(1,), (1, 2)])):
            days = sorted(draw(st.lists(numbers, min_size=1, max_size=3)))
            for step, day in enumerate(days):
                day = day / 2000
                at = {"label": label, "seed": seed, "step": step, "day": day}
                device = draw(st.sampled_from(["cpu x", "NVIDIA L4"]))
                records.append(build(usage=draw(usages), device=device, fingerprint=str(step), **at))
                records.append(scored(0.9, **at))
                records.append(probe(draw(numbers) / 1e4, **at))
                pieces = [kept("base", draw(numbers) / 1e4), kept(fingerprint=f"v{step}")]
                records.append(stands(*pieces, answer(draw(numbers) * 100), **at))
    return records


def rebilled(records, factor=1.0, horizon_days=60.0):
    book = prices(
        compute={"amount": 36.0 * factor},
        storage={"gib_month": 7.0 * factor, "keep_versions": 1},
        serving={"replica_hour": 1.3 * factor},
    )
    return price_ledger(Ledger(tuple(records)), book, Terms(horizon_days=horizon_days, utilisation=0.6))


@settings(max_examples=60, deadline=None)
@given(lives(), st.randoms(use_true_random=False))
def test_a_ledger_read_back_or_permuted_prices_the_same_to_the_last_digit(records, chance: random.Random):
    first = rebilled(records)
    assert rebilled(Ledger.loads(Ledger(tuple(records)).dumps()).records) == first
    assert rebilled(chance.sample(records, len(records))) == first


@settings(max_examples=60, deadline=None)
@given(lives())
def test_double_prices_double_cost(records):
    once, twice = rebilled(records), rebilled(records, 2.0)
    assert [r.amount for r in twice] == [None if r.amount is None else 2 * r.amount for r in once]


@settings(max_examples=60, deadline=None)
@given(lives(), numbers)
def test_a_bill_up_to_a_day_is_the_longer_bill_cut_off_at_that_day(records, day):
    day = day / 2000
    short, long = accruals(rebilled(records, horizon_days=day)), accruals(rebilled(records))
    for lot, accrual in long.items():
        cut = short.get(lot)
        assert (cut.amount if cut else 0.0) == pytest.approx(accrual.at(day), rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(lives())
def test_a_life_costs_the_same_alone_and_in_company(records):
    alone = rebilled([r for r in records if (r.label, r.seed) == ("a", 1)])
    assert alone == [r for r in rebilled(records) if (r.label, r.seed) == ("a", 1)]


def test_an_accrual_steps_where_a_sum_falls_due_and_climbs_between():
    lot = accruals(bill(build(day=4), stands(kept())))["it", 1, TOTAL]
    assert [lot.at(d) for d in (0, 2, 4, 10)] == pytest.approx([0, 2, 5, 11])
    assert lot.at(4, before=True) == pytest.approx(4) and lot.amount == pytest.approx(11)
    assert lot.days == {0, 4, 10}
