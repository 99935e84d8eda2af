"""From a priced ledger to the tables that reporters read, and back from disk."""

import csv
import json

import pytest
from hand_made import answer, build, fetch, kept, prices, probe, scored, stands
from hypothesis import given, settings
from hypothesis import strategies as st

from adapeff_sim.cli.price import price
from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import Record
from adapeff_sim.results import EventMark, Facts, Results, ResultsError, read, results_of, write
from adapeff_sim.run_folder import RunFolder

EVENTS = (EventMark(day=0.0, text="launch"), EventMark(day=4.0, text="new language"))
ENVIRONMENT = {"device": "cpu x", "threads": 1, "versions": {"torch": "2"}}


def life(label: str, seed: int, cost: float = 100.0, second: float = 0.8) -> list[Record]:
    """Launched on day 0, a second endpoint on day 4, of which the first build did not converge."""
    at = {"label": label, "seed": seed}
    later = {**at, "step": 1, "day": 4.0}
    usage = {"train_seconds": cost, "train_flops": 7.0, "nominal_train_flops": 9.0, "lost_seconds": 3.0}
    return [
        fetch(**at),
        build(usage=usage, converged=True, **at),
        scored(0.9, **at),
        probe(**at),
        stands(kept(), answer(1000), created=("adapter/a",), **at),
        build(usage=usage, because=("train:dataset/sw",), converged=False, provenance="reused", **later),
        scored(second, endpoint="a/sw", **later),
        scored(0.85, **later),
        stands(
            kept(), answer(1000), answer(10, endpoint="a/sw"), rebuilt=("adapter/a",), event="new language", **later
        ),
    ]


def facts(*labels: str, seeds: tuple[int, ...] = (1,), events: tuple[EventMark, ...] = EVENTS) -> Facts:
    return Facts(
        name="story",
        description="two days that matter",
        labels=labels,
        seeds=seeds,
        terms=Terms(horizon_days=10.0, utilisation=0.5),
        quality_floor=2.0,
        events=events,
    )


def results(ledger: Ledger, about: Facts, book: Prices | None = None) -> Results:
    book = book or prices()
    return results_of(about, ledger, book, price_ledger(ledger, book, about.terms), ENVIRONMENT)


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    costs = {("b", 1): 100.0, ("b", 2): 120.0, ("a", 1): 300.0, ("a", 2): 330.0}
    return Ledger(tuple(r for (label, seed), cost in costs.items() for r in life(label, seed, cost)))


@pytest.fixture(scope="module")
def found(ledger) -> Results:
    return results(ledger, facts("b", "a", seeds=(1, 2)))


def test_totals_are_means_over_seeds_in_the_order_of_the_scenario(found):
    assert list(dict.fromkeys(t.label for t in found.totals)) == ["b", "a"]
    assert [t.component for t in found.totals[:4]] == ["compute", "storage", "serving", "total"]
    compute = found.totals[0]
    assert compute.amounts == pytest.approx((2.3, 2.7)) and compute.mean == pytest.approx(2.5)
    assert compute.spread == pytest.approx(0.4 / 2**0.5)
    assert compute.shares == pytest.approx({"measured": (1.3 + 1.5) / 5, "reused": (1.0 + 1.2) / 5})
    for t in found.totals:
        assert sum(t.shares.values()) == pytest.approx(1) and t.unavailable == ()


def test_a_total_with_gaps_names_them(ledger):
    gapped = Ledger(tuple(r for r in ledger.records if getattr(r, "type", "") != "serving"))
    found = results(gapped, facts("b", "a", seeds=(1, 2)))
    by = {t.component: t for t in found.totals if t.label == "b"}
    assert by["serving"].unavailable == by[TOTAL].unavailable == ("serving: busy base",)
    assert by["serving"].mean is None and by["serving"].shares == {} and by["compute"].unavailable == ()
    assert {(c.component, c.complete) for c in found.curves} == {
        ("compute", True),
        ("storage", True),
        ("total", False),
    }, "of serving nothing is known, and there is no curve of zeros"
    assert "b cannot be compared on serving and total: unavailable is serving: busy base." in found.verdict.sentences


def test_every_event_says_what_it_meant_for_every_strategy(found):
    first, second = (e for e in found.events if (e.label, e.seed) == ("b", 1))
    assert (first.day, first.event, first.created, first.validated) == (0, "launch", ("adapter/a",), ("a/en",))
    assert (second.rebuilt, second.because) == (("adapter/a",), ("train:dataset/sw",))
    assert second.validated == ("a/en", "a/sw") and (first.converged, second.converged) == (True, False)
    assert (second.train_flops, second.nominal_train_flops, second.train_seconds) == (7, 9, 100)
    assert (second.validate_seconds, second.evaluate_seconds, second.lost_seconds) == (0, 20, 3)


def test_what_a_build_does_not_tell_is_not_summed_as_nothing():
    records = [
        build(usage={"train_seconds": 1.0}),
        build("adapter/b", {"train_seconds": 2.0, "train_flops": 5.0}),
        stands(),
    ]
    (event,) = results(Ledger(tuple(records)), facts("it")).events
    assert (event.train_seconds, event.train_flops, event.converged) == (3, None, None)


def test_scores_stand_until_the_next_one_or_the_end(found):
    points = [(q.endpoint, q.day, q.until, q.score) for q in found.quality if (q.label, q.seed) == ("a", 2)]
    assert points == [("a/en", 0, 4, 0.9), ("a/en", 4, 10, 0.85), ("a/sw", 4, 10, 0.8)]
    assert {q.metric for q in found.quality} == {"accuracy"}


def test_a_retired_endpoint_has_no_score_and_counts_in_no_verdict():
    retired = [
        *life("it", 1, second=0.1),
        stands(kept(), answer(1000), step=2, day=6.0),
        scored(0.95, step=2, day=6.0),
        stands(kept(), answer(1000), answer(9, endpoint="a/sw"), step=3, day=8.0),
        scored(None, endpoint="a/sw", step=3, day=8.0),
        stands(kept(), answer(1000), step=4, day=9.0),
    ]
    found = results(Ledger(tuple(retired)), facts("it"))
    points = [(q.day, q.until, q.score) for q in found.quality if q.endpoint == "a/sw"]
    assert points == [(4, 6, 0.1), (8, 9, None)]
    assert "Quality is unavailable" not in " ".join(found.verdict.sentences)


def test_an_endpoint_that_leaves_and_returns_on_one_day_keeps_its_new_score():
    life = [
        scored(0.5),
        stands(answer()),
        stands(step=1, day=5.0),
        scored(0.7, step=2, day=5.0),
        stands(answer(), step=2, day=5.0),
    ]
    points = results(Ledger(tuple(life)), facts("it")).quality
    assert [(q.day, q.until, q.score) for q in points] == [(0, 5, 0.5), (5, 10, 0.7)]


def test_trainings_that_were_cut_short_are_listed(found):
    assert {(c.label, c.seed, c.day, c.slot) for c in found.not_converged} == {
        (label, seed, 4.0, "adapter/a") for label in "ab" for seed in (1, 2)
    }


def test_curves_share_one_grid_and_show_both_sides_of_a_jump(found):
    days = found.days
    assert list(days) == sorted(days) and days[0] == 0 and days[-1] == 10 and 60 <= len(days) <= 70
    assert {d for d in days if days.count(d) == 2} == {0, 4}
    (compute,) = (c for c in found.curves if (c.label, c.seed, c.component) == ("b", 1, "compute"))
    at = dict(zip(range(len(days)), compute.amounts, strict=True))
    before, after = (i for i, d in enumerate(days) if d == 4)
    assert at[0] == 0 and at[1] == at[before] == pytest.approx(1.1) and at[after] == pytest.approx(2.3)
    for total in (t for t in found.totals if t.label == "b"):
        ends = [c.amounts[-1] for c in found.curves if (c.label, c.component) == ("b", total.component)]
        assert ends == pytest.approx(total.amounts)
    for c in found.curves:
        assert list(c.amounts) == sorted(c.amounts)


def test_the_verdict_is_of_the_same_amounts(found):
    by = {t.label: t.mean for t in found.totals if t.component == TOTAL}
    (total,) = (c for c in found.verdict.comparisons if c.component == TOTAL)
    assert total.cheapest == "b" and total.amount == by["b"] and total.rivals[0].amount == by["a"]


def test_what_was_written_is_read_back_and_written_again_byte_for_byte(found, ledger, tmp_path):
    first = {p.name: p.read_bytes() for p in write(found, tmp_path / "one")}
    tables = {"costs.csv", "events.csv", "upkeep.csv", "quality.csv", "stored.csv", "pools.csv"}
    assert set(first) == {"results.json", *tables}
    back = read(tmp_path / "one")
    assert back == found
    assert {p.name: p.read_bytes() for p in write(back, tmp_path / "two")} == first
    again = results(Ledger.loads(Ledger(ledger.records[::-1]).dumps()), facts("b", "a", seeds=(1, 2)))
    assert {p.name: p.read_bytes() for p in write(again, tmp_path / "three")} == first
    assert {p.name for p in (tmp_path / "one").iterdir()} == set(first)


def test_the_tables_add_up_to_the_totals(found, tmp_path):
    write(found, tmp_path)
    with (tmp_path / "costs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    paid = sum(float(r["amount"]) for r in rows if (r["label"], r["seed"]) == ("a", "2"))
    assert paid == pytest.approx(next(t for t in found.totals if (t.label, t.component) == ("a", TOTAL)).amounts[1])
    assert {r["currency"] for r in rows} == {"EUR"}
    with (tmp_path / "events.csv").open(encoding="utf-8", newline="") as file:
        assert [r["because"] for r in csv.DictReader(file)][:2] == ["", "train:dataset/sw"]
    with (tmp_path / "quality.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found.quality)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"no results\.json"),
        ("{", "damaged"),
        ("[]", "format None"),
        ('{"format": 5}', "format 5, but this version reads formats 1, 2, 3 and 4"),
        ('{"format": 1}', "damaged"),
    ],
)
def test_results_that_cannot_be_read_are_named(text, message, tmp_path):
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(ResultsError, match=message):
        read(tmp_path)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0.001, 1e5))
def test_no_digit_is_lost_on_disk(seconds, score, amount):
    found = results(Ledger(tuple(life("it", 1, seconds, score))), facts("it"), prices(compute={"amount": amount}))
    assert Results.model_validate_json(found.model_dump_json()) == found


def test_a_finished_run_is_priced_again_without_touching_it(found, ledger, tmp_path, capsys):
    RunFolder(tmp_path).write_ledger(ledger)
    write(found, tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    price(run=tmp_path, prices="laptop_cpu", json=True)
    told = Results.model_validate_json(capsys.readouterr().out)
    assert told.prices.name == "laptop_cpu" and told.facts == found.facts and told.quality == found.quality
    was = {t.label: t.mean for t in found.totals if t.component == "compute"}
    now = {t.label: t.mean for t in told.totals if t.component == "compute"}
    assert now == pytest.approx({label: mean / 36 * 0.12 for label, mean in was.items()})
    price(run=tmp_path, prices="laptop_cpu")
    shown = capsys.readouterr().out
    assert "laptop_cpu" in shown and "is cheapest" in " ".join(shown.split())
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_run_that_is_not_finished_is_told_from_a_folder_that_holds_none(tmp_path):
    with pytest.raises(ResultsError, match=r"no results\.json; give the folder of a finished run"):
        read(tmp_path)
    RunFolder(tmp_path).begin("a", {})
    with pytest.raises(ResultsError, match="not finished; give its command again"):
        read(tmp_path)


def test_of_what_earlier_versions_told_as_0_and_nobody_knew_there_is_null_and_no_curve(ledger, tmp_path):
    gapped = Ledger(tuple(r for r in ledger.records if getattr(r, "type", "") != "serving"))
    write(found := results(gapped, facts("b", "a", seeds=(1, 2))), tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())
    zeros = {**told["curves"][0], "component": "serving", "complete": False, "amounts": [0.0] * len(found.days)}
    told["curves"] += [{**zeros, "label": label, "seed": seed} for label in "ba" for seed in (1, 2)]
    for row in told["totals"]:
        row.pop("provenance")
        if row["component"] == "serving":
            row.update(amounts=[0.0, 0.0], mean=0.0, spread=0.0)
    for version in (1, 2, 3):
        (tmp_path / "results.json").write_text(json.dumps({**told, "format": version}))
        again = read(tmp_path)
        assert [t.mean for t in again.totals] == [t.mean for t in found.totals]
        assert [t.amounts for t in again.totals] == [t.amounts for t in found.totals]
        assert again.curves == found.curves
