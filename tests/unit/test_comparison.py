"""Runs beside each other, reckoned by hand: one euro is 100 seconds of training, or a GiB in store for a day.

rent    trains 1, on day 4 another 1; stores 2 GiB, from day 4 on 3; by day 10: 2 + 20 + 6 = 28
buy     trains 8, 9 or 10 by seed, on day 4 another 3; stores 1 GiB; by day 10: 21, 22 or 23
"""

import pytest
from hand_made import answer, build, kept, prices, probe, scored, stands

from adapeff_sim.comparison.break_even import _whole
from adapeff_sim.comparison.compared import Amounts, Compared, compare_sides
from adapeff_sim.comparison.crossovers import stays_under
from adapeff_sim.comparison.differences import between
from adapeff_sim.comparison.intervals import ALIKE, ONE_SEED, of_difference, of_mean
from adapeff_sim.comparison.lines import Flip, Line, flips
from adapeff_sim.comparison.side import Side, end_scores
from adapeff_sim.costs.accrual import Accrual
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.reports.compared import (
    _amount,
    break_evens,
    crossover_said,
    digits,
    headline,
    notes,
    sheets_of,
    tornado,
    tried_said,
)
from adapeff_sim.results import Facts, results_of

SEEDS = (1, 2, 3)
FREE = {"replica_hour": 0.0}


def life(label, seed, seconds, gib, later_seconds, later_gib, score=0.9):
    at = {"label": label, "seed": seed}
    later = {**at, "step": 1, "day": 4.0}
    free = {"evaluate_seconds": 0.0}
    return [
        build(usage={"train_seconds": seconds}, **at),
        probe(**at),
        scored(score, usage=free, **at),
        stands(kept(gib=gib), answer(), **at),
        build("adapter/b", usage={"train_seconds": later_seconds}, **later),
        scored(score, endpoint="b/en", usage=free, **later),
        stands(
            kept(gib=gib),
            kept("adapter/b", later_gib),
            answer(),
            answer(endpoint="b/en"),
            event="task_arrival b",
            **later,
        ),
    ]


def side(name="run", seeds=SEEDS, first=800.0, book=None, **about):
    """Two strategies under some seeds; ``buy`` trains a second of money longer under every further one."""
    book = book or prices(serving=FREE)
    records = [r for s in seeds for r in life("rent", s, 100.0, 2.0, 100.0, 1.0)]
    for i, s in enumerate(seeds):
        records += life("buy", s, first + 100.0 * i, 1.0, 300.0, 0.0, 0.89)
    ledger = Ledger(tuple(records))
    facts = Facts(name="story", labels=("rent", "buy"), seeds=seeds, terms=Terms(horizon_days=10.0), quality_floor=2.0)
    return Side(name, results_of(facts, ledger, book, price_ledger(ledger, book, facts.terms), about), ledger)


@pytest.fixture(scope="module")
def run():
    return compare_sides([side()]).runs[0]


def told(flip):
    """Where it is, but for what rounding leaves, and who is cheapest then."""
    return round(flip.at, 9), flip.cheapest


def test_differences_are_paired_by_seed_and_have_an_interval(run):
    total = next(d for d in run.differences if d.component == "total")
    assert (total.one, total.other) == ("rent", "buy")
    assert total.by_seed == pytest.approx({1: 7.0, 2: 6.0, 3: 5.0})
    interval = total.interval
    assert (interval.mean, interval.low, interval.high) == pytest.approx((6.0, 5.0, 7.0))  # all that 3 seeds can show
    assert interval.is_clear
    quality = next(d for d in run.differences if d.component == "quality")
    assert quality.interval.mean == pytest.approx(1.0) and quality.interval.why == ALIKE
    assert (run.first, run.second, run.lead, run.is_tied) == ("buy", "rent", pytest.approx(6.0), False)


def test_curves_cross_where_both_have_cost_the_same(run):
    """From day 4 on rent has cost 3 t - 2, and buy t + 11, 12 or 13: they cross on day 6.5, 7 or 7.5."""
    total = next(c for c in run.crossovers if c.component == "total")
    assert (total.first, total.second) == ("buy", "rent")
    assert total.by_seed == pytest.approx({1: 6.5, 2: 7.0, 3: 7.5})
    assert (total.median, total.low, total.high) == pytest.approx((7.0, 6.5, 7.5))
    assert crossover_said(total) == "day 7 [6.5, 7.5]"
    storage = next(c for c in run.crossovers if c.component == "storage")
    assert storage.from_start and crossover_said(storage) == "from the start"


def test_a_seed_under_which_curves_do_not_cross_counts_as_never():
    """With 14.5, 15.5 and 16.5 to train, buy comes to 27.5, 28.5 and 29.5 against 28: under one seed rent is dearer."""
    found = compare_sides([side(first=1450.0)]).runs[0]
    total = next(c for c in found.crossovers if c.component == "total")
    assert (total.first, total.never, total.by_seed) == ("rent", 1, {1: None, 2: 0.0, 3: 0.0})
    assert (total.median, total.high) == (0.0, None)
    assert crossover_said(total) == "day 0 [0, never], dearer under 1 seed of 3"


def test_what_falls_behind_again_has_not_crossed():
    flat, steep = Accrual(due=((0.0, 5.0),)), Accrual(accruing=((0.0, 10.0, 10.0),))
    assert stays_under(flat, steep, 10.0) == pytest.approx(5.0)
    assert stays_under(steep, flat, 10.0) is None
    assert stays_under(flat, flat, 10.0) == 0.0


def test_prices_break_even_exactly(run):
    """Compute: 2 f + 26 against 12 f + 10 is even at 1.6; storage: 2 + 26 f against 12 + 10 f at 0.625."""
    found = {p.key: p for p in run.prices}
    assert set(found) == {"compute.amount", "storage.gib_month"}  # what costs nothing has no factor
    assert told(found["compute.amount"].above) == (1.6, "rent")
    assert found["compute.amount"].below is None
    assert told(found["storage.gib_month"].below) == (0.625, "rent")
    assert found["storage.gib_month"].above is None


def test_one_more_task_costs_what_that_of_the_run_did(run):
    """1 + 6 for rent and 3 for buy: with x tasks more 28 + 7 x is even with 22 + 3 x at x = -1.5, at half a task."""
    found = {c.event: c for c in run.counts}
    tasks = found["task_arrival"]
    assert (tasks.now, tasks.each) == (2, pytest.approx({"rent": 7.0, "buy": 3.0}))
    assert (tasks.below, tasks.above, tasks.tried) == (None, None, (1, 64))
    assert [c.said for c in break_evens(run).rows[-2]][2:] == [
        "not within reach (down to 1)",
        "not within reach (up to 64)",
    ]
    assert found["base_model_update"].why == "the run had no base_model_update"
    assert found["base_model_update"].now is None


@pytest.mark.parametrize(
    ("below", "above", "found"),
    [(2.5, 3.5, (2, 4)), (2.0, 3.0, (1, 4)), (0.454, 95.5, (None, 96)), (1.2, 1522.0, (1, None))],
)
def test_counts_break_even_at_whole_numbers_within_reach(below, above, found):
    whole = _whole(Flip(at=below, cheapest="rent"), Flip(at=above, cheapest="rent"), (1, 96))
    assert tuple(flip and flip.at for flip in whole) == found


def test_a_factor_is_said_to_be_looked_for_where_it_was(run):
    said = {s.what: tried_said(s) for s in run.sensitivity if not s.exact}
    assert (said["traffic"], said["utilisation"]) == ("at none from 1/32 to 32", "at none from 1/32 to 1.67")


def test_the_verdict_hangs_on_what_flips_it_first(run):
    """Half the compute price: 27 against 16; twice: 30 against 34. Half the storage price: 15 against 17."""
    found = {s.what: s for s in run.sensitivity}
    leads = {x: (found[x].halved.lead, found[x].doubled.lead) for x in ("compute.amount", "storage.gib_month")}
    assert leads["compute.amount"] == pytest.approx((11.0, -4.0))
    assert leads["storage.gib_month"] == pytest.approx((-2.0, 22.0))
    assert found["compute.amount"].doubled.cheapest == found["storage.gib_month"].halved.cheapest == "rent"
    assert found["compute.amount"].flip.at == pytest.approx(1.6)
    assert found["traffic"].flip is None and not found["traffic"].exact
    assert (found["traffic"].tried, found["utilisation"].tried) == (
        (1 / 32, 32),
        (1 / 32, 1 / 0.6),
    )  # nothing is busier than all the time
    assert {s.what for s in run.sensitivity if s.exact} == {s.what for s in run.sensitivity if s.tried is None}
    floor = found["quality_floor"]  # buy lies one point below rent: half of the floor
    assert told(floor.flip) == (0.5, "rent")
    assert {s.what for s in run.sensitivity[:3]} == {"compute.amount", "storage.gib_month", "quality_floor"}


def test_a_replica_more_flips_the_verdict_at_the_load_that_asks_for_it():
    """A request takes rent 0.1 s and buy 0.2 s; half busy, a replica answers 86 400 x 0.5 / 0.2 = 216 000 for buy.

    With 180 000 a day, buy needs a second replica from 1.2 times the requests on, rent from 2.4 on. Six days of it cost
    144: more than all that buy saves.
    """
    few = side()
    busy = {"rent": "plain", "buy": "slow"}
    records = []
    for r in few.ledger.records:
        asked = [
            a.model_copy(update={"requests_per_day": 90_000.0, "shape": busy[r.label]})
            for a in getattr(r, "answered", ())
        ]
        records.append(r.model_copy(update={"answered": tuple(asked)}) if asked else r)
    records += [probe(0.2, "slow", label="buy", seed=s) for s in SEEDS]
    ledger, book = Ledger(tuple(records)), prices()
    facts = few.results.facts.model_copy(update={"terms": Terms(horizon_days=10.0, utilisation=0.5)})
    found = compare_sides(
        [Side("x", results_of(facts, ledger, book, price_ledger(ledger, book, facts.terms), {}), ledger)]
    )
    told_of = {s.what: s for s in found.runs[0].sensitivity}
    assert told_of["traffic"].flip.at == pytest.approx(1.2, rel=1e-3) and told_of["traffic"].flip.cheapest == "rent"
    assert told_of["utilisation"].flip.at == pytest.approx(1 / 1.2, rel=1e-3)


def test_a_tie_is_said_first_and_by_the_rule_of_the_verdict():
    """With 14, 15 and 16 to train, buy comes to 27, 28 and 29 against 28; with 1 each it is never near."""
    for first, tied in ((1400.0, True), (100.0, False)):
        one = side(first=first)
        run = compare_sides([one]).runs[0]
        total = next(c for c in one.results.verdict.comparisons if c.component == "total")
        assert run.is_tied == bool(total.tied) == tied
        assert headline(run).startswith("A tie: rent and buy are not apart at all. Total by day 10:") == tied
        assert ("though it ties with" in break_evens(run).title) == (": a tie)" in tornado(run).title) == tied


def test_runs_of_the_same_seeds_are_compared_in_pairs():
    same = {"test_sets": {"a/en v1": "x"}, "device": "cpu"}
    found = between(side("one", **same), side("two", first=1000.0, **same))
    assert found.seeds == SEEDS and "test rows" in found.common and "training rows" in found.apart
    total = {d.one: d for d in found.differences if d.component == "total"}
    assert total["buy"].by_seed == pytest.approx({1: -2.0, 2: -2.0, 3: -2.0})
    assert total["buy"].interval.why == ALIKE
    assert total["rent"].by_seed == {1: 0.0, 2: 0.0, 3: 0.0}


def test_runs_without_a_common_seed_are_compared_apart_and_other_money_not_at_all():
    found = between(side("one"), side("two", seeds=(4, 5, 6)))
    total = next(d for d in found.differences if (d.component, d.one) == ("total", "buy"))
    assert found.seeds == () and total.by_seed == {} and total.interval.low < 0 < total.interval.high
    refused = between(side("one"), side("two", book=prices(serving=FREE).model_copy(update={"currency": "USD"})))
    assert refused.refused.startswith("priced in EUR and in USD") and not refused.differences
    both = Compared(runs=(), between=(refused,))
    assert "between" not in [sheet.name for _, sheet in sheets_of(both, ("total",))], "a head without rows"
    assert notes(both) == [f"one less two: no differences: {refused.refused}."]


def test_where_there_is_no_interval_it_says_why():
    assert of_mean([3.0]).why == ONE_SEED
    assert of_mean([3.0, 3.0, 3.0]).why == ALIKE
    assert of_difference([1.0, 2.0], [5.0]).why == ONE_SEED
    four = of_mean([1.0, 2.0, 3.0, 6.0])
    assert four == of_mean([1.0, 2.0, 3.0, 6.0]) and 1.0 <= four.low < four.mean == 3.0 < four.high <= 6.0
    assert digits(four, 1234.5) == "1,234.5"


def test_straight_lines_cross_on_one_side_of_now():
    """At 10 the first stands at 5, and costs 1 more for one more; the other is even where it was, or will be."""

    def even(now, slope):
        return flips({"first": Line(5.0, 1.0), "other": Line(now, slope)}, "first", 10.0)

    assert even(6.0, 0.5) == (None, Flip(at=12.0, cheapest="other"))
    assert even(11.0, 2.0) == (Flip(at=4.0, cheapest="other"), None)
    assert even(6.0, 1.0) == (None, None)  # side by side for ever
    assert even(11.0, 1.5) == (None, None)  # even at -2 only
    assert even(10.0, 1.5) == (None, None)  # even at 0, and nowhere cheaper


def test_a_component_of_which_nothing_is_known_is_not_0():
    unknown = {"interval": None, "by_seed": {1: None, 2: None}, "component": "serving", "label": "buy"}
    assert _amount(Amounts(**unknown, unavailable=("serving: busy base",))).said == "unavailable"
    known = {**unknown, "interval": of_mean([0.0, 0.0]), "by_seed": {1: 0.0, 2: 0.0}}
    assert _amount(Amounts(**known)).said.startswith("0")


def test_what_is_retired_on_the_last_day_is_in_no_score_at_the_horizon():
    """As in the verdict: what counts is served at the horizon."""
    first = scored(0.9), scored(0.3, "b/en"), stands(answer(), answer(endpoint="b/en"))
    ledger = Ledger((*first, stands(answer(), step=1, day=10.0, event="task_retirement b")))
    facts = Facts(name="story", labels=("it",), seeds=(1,), terms=Terms(horizon_days=10.0), quality_floor=2.0)
    results = results_of(facts, ledger, prices(), price_ledger(ledger, prices(), facts.terms), {})
    assert end_scores(Side("run", results, ledger)) == {"it": {"a/en": {1: 0.9}}}
