"""Who is cheapest, and what keeps one from saying so."""

import math

import pytest
from hand_made import answer, bill, build, kept, probe, scored, stands
from hypothesis import given
from hypothesis import strategies as st

from adapeff_sim.costs.accrual import TOTAL, Accrual, accruals
from adapeff_sim.noise import student_t
from adapeff_sim.verdict import Case, Comparison, Verdict, judge

HORIZON = 100.0


def due(*sums: tuple[float, float], rate: float = 0.0, unavailable: tuple[str, ...] = ()) -> Accrual:
    """Sums due on a day, and a rate for every day up to the horizon."""
    return Accrual(sums, ((0.0, HORIZON, rate * HORIZON),) if rate else (), unavailable)


def verdict(
    lives: dict[str, list[Accrual]], scores: dict[str, dict[str, float | None]] | None = None, floor=2.0
) -> Verdict:
    """The verdict on totals alone; a list of accruals is seed by seed."""
    labels, count = tuple(lives), len(next(iter(lives.values())))
    return judge(
        Case(
            labels=labels,
            seeds=tuple(range(count)),
            components=(TOTAL,),
            horizon_days=HORIZON,
            currency="EUR",
            quality_floor=floor,
            accruals={(label, seed, TOTAL): a for label in labels for seed, a in enumerate(lives[label])},
            scores=scores if scores is not None else {label: {"a/en": 0.9} for label in labels},
        )
    )


def total(found: Verdict) -> Comparison:
    (comparison,) = found.comparisons
    return comparison


def test_the_last_crossover_is_found_between_the_days_of_events():
    found = verdict({"dear_start": [due((0, 50), rate=1)], "dear_life": [due((0, 10), rate=2)]})
    assert (total(found).cheapest, total(found).amount, total(found).since_day) == (
        "dear_start",
        150,
        pytest.approx(40),
    )
    assert (
        "dear_start is cheapest (150.00 EUR), 29 % under dear_life (210.00 EUR), from day 40 on" in found.sentences[0]
    )


def test_a_lead_that_was_lost_and_won_again_counts_from_the_last_time():
    a = due((0, 1), (20, 30), rate=1)
    b = due((0, 10), (60, 40), rate=1)
    found = verdict({"a": [a], "b": [b]})
    assert total(found).cheapest == "a" and total(found).since_day == 60


def test_who_leads_from_the_first_day_leads_from_the_start():
    found = verdict({"a": [due(rate=1)], "b": [due((0, 5), rate=1)]})
    assert total(found).since_day == 0 and "from the start" in found.sentences[0]


def test_days_on_which_all_is_equal_belong_to_the_lead():
    found = verdict({"a": [due(rate=1)], "b": [due((20, 5), rate=1)]})
    assert total(found).cheapest == "a" and total(found).since_day == 0


def test_the_lead_counts_against_every_rival():
    field = {"a": [due((0, 50))], "b": [due(rate=1)], "c": [due(rate=2)]}
    assert total(verdict(field)).since_day == pytest.approx(50)  # 25 against c


def test_a_difference_within_one_percent_is_none():
    found = verdict({"a": [due((0, 100.0))], "b": [due((0, 101.0))], "c": [due((0, 120.0))]})
    assert total(found).tied == ("b",) and [r.tied for r in total(found).rivals] == [True, False]
    assert "no difference between a, b (100.00 EUR, at most 1.00 EUR apart), 17 % under c" in found.sentences[0]
    assert total(verdict({"a": [due((0, 100.0))], "b": [due((0, 101.1))]})).tied == ()


def test_noise_is_of_the_paired_difference():
    def lives(costs):
        return [due((0, cost)) for cost in costs]

    # seeds move both strategies alike: the difference is sure
    together = total(verdict({"a": lives([100, 200, 300]), "b": lives([110, 210, 310])}))
    assert together.tied == () and together.rivals[0].noise == pytest.approx(0)
    # gaps 30, -10, 10: mean 10, standard error 20 / sqrt(3), 4.303 of them with two degrees of freedom
    apart = total(verdict({"a": lives([100, 200, 300]), "b": lives([130, 190, 310])}))
    assert apart.tied == ("b",) and apart.rivals[0].noise == pytest.approx(4.303 * 20 / 3**0.5)


def test_two_seeds_are_hardly_an_interval():
    gaps = {"a": [due((0, 100)), due((0, 100))], "b": [due((0, 110)), due((0, 130))]}  # 20 ± 10 is 20 ± 127
    found = verdict(gaps)
    assert total(found).tied == ("b",) and total(found).rivals[0].noise == pytest.approx(127.06)
    assert "within the 95 % interval of the paired difference (Student's t)" in found.sentences[-1]


@pytest.mark.parametrize("freedom", [*range(1, 13), 30, 99])
def test_an_interval_holds_95_percent_of_students_t(freedom):
    def density(x):
        log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
        return math.exp(log - (freedom + 1) / 2 * math.log1p(x * x / freedom))

    top, steps = student_t(freedom), 4000  # Simpson's rule
    inner = sum((4 if i % 2 else 2) * density(top * i / steps) for i in range(1, steps))
    assert 2 * (density(0) + inner + density(top)) * top / steps / 3 == pytest.approx(0.95, abs=1e-4)


def test_one_seed_has_no_interval_and_says_so():
    found = verdict({"a": [due((0, 1))], "b": [due((0, 2))]})
    assert total(found).rivals[0].noise is None and "One seed: no interval" in " ".join(found.sentences)


def test_who_is_below_the_floor_on_one_endpoint_is_never_called_cheapest():
    scores = {
        "cheap": {"a/en": 0.95, "a/sw": 0.60},
        "good": {"a/en": 0.94, "a/sw": 0.70},
        "well": {"a/en": 0.93, "a/sw": 0.69},
    }
    found = verdict({"cheap": [due((0, 1))], "good": [due((0, 9))], "well": [due((0, 5))]}, scores)
    assert total(found).cheapest == "well" and [r.label for r in total(found).rivals] == ["good"]
    assert [(b.label, b.endpoint, b.best_label) for b in found.below] == [("cheap", "a/sw", "good")]
    said = " ".join(found.sentences)
    assert "cheap is never called cheapest: 10.0 points below good on a/sw; the floor is 2 points" in said
    assert (
        "it costs less in total (1.00 EUR)" in said
        and "well scores 81.0 points on average, 69.0 at its lowest (a/sw)" in said
    )


def test_who_is_below_the_floor_and_costs_more_is_not_said_to_cost_less():
    found = verdict({"poor": [due((0, 9))], "good": [due((0, 5))]}, {"poor": {"e": 0.5}, "good": {"e": 0.9}})
    assert "poor is never called cheapest" in " ".join(found.sentences) and "costs less" not in " ".join(
        found.sentences
    )


def test_a_fall_of_exactly_the_floor_is_allowed():
    scores = {"a": {"e": 0.88}, "b": {"e": 0.90}}
    assert not verdict({"a": [due((0, 1))], "b": [due((0, 2))]}, scores).below


def test_who_alone_has_no_score_is_not_called_cheapest_and_what_nobody_scored_is_said():
    alone = verdict({"a": [due((0, 1))], "b": [due((0, 2))]}, {"a": {"e": None}, "b": {"e": 0.5}})
    assert total(alone).cheapest == "b" and "a is never called cheapest: it has no score on e" in " ".join(
        alone.sentences
    )
    nobody = verdict({"a": [due((0, 1))], "b": [due((0, 2))]}, {"a": {"e": None}, "b": {"e": None}})
    assert (
        total(nobody).cheapest == "a"
        and "Quality is unknown, as nothing was scored: cost alone is compared." in nobody.sentences
    )


def test_who_has_an_unavailable_amount_is_not_compared():
    found = verdict({"a": [due((0, 1), unavailable=("compute: train x", "compute: train y"))], "b": [due((0, 2))]})
    assert total(found).cheapest == "b" and total(found).rivals == ()
    assert "b (2.00 EUR) is the only strategy that can be compared" in found.sentences[0]
    assert "a cannot be compared on total: unavailable is compute: train x and 1 more." in found.sentences


def test_when_nobody_can_be_compared_nobody_is_cheapest():
    found = verdict({x: [due((0, 1), unavailable=("y",))] for x in "ab"})
    assert total(found).cheapest is None and "No strategy can be compared" in found.sentences[0]


def test_who_is_alone_on_everything_is_told_of_once():
    lots = {(x, 0, name): due((0, 1)) for x in "ab" for name in ("compute", TOTAL)}
    scores = {"a": {"e": 0.5}, "b": {"e": 0.9}}
    found = judge(Case(("a", "b"), (0,), ("compute", TOTAL), HORIZON, "EUR", 2.0, lots, scores))
    assert [s for s in found.sentences if "is the only strategy" in s] == [found.sentences[0]]
    assert found.sentences[0].startswith("Total by day") and len(found.comparisons) == 2


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ({"a": 9.0, "b": 4.0, "c": 3.0}, ("8.4", "b (4.00 EUR in total), 5.00 EUR cheaper.")),
        ({"a": 9.0, "b": 9.0, "c": 3.0}, ("20.0", "c (3.00 EUR in total), 6.00 EUR cheaper.")),
        ({"a": 9.0, "b": 8.95, "c": 9.0}, None),  # within 1 %
    ],
)
def test_what_the_floor_costs_is_said_after_the_total(amounts, said):
    scores = {"a": {"x/en": 0.90}, "b": {"x/en": 0.90 - 0.25 / 3}, "c": {"x/en": 0.70}}
    first, second, *_ = verdict({x: [due((0, amount))] for x, amount in amounts.items()}, scores).sentences
    assert "a (9.00 EUR) is the only strategy within 2 points of the best everywhere; a scores" in first
    lets = "With a floor of {} points, the least in tenths that lets a cheaper one in, it would be {}"
    assert second == lets.format(*said) if said else not second.startswith("With a floor")


def test_one_strategy_alone_is_not_called_cheapest():
    found = verdict({"a": [due((0, 1))]})
    assert found.sentences == ("Total by day 100: 1.00 EUR for a; one strategy, nothing to compare.",)


def test_nothing_charged_is_no_difference():
    found = verdict({"a": [due()], "b": [due()]})
    assert total(found).tied == ("b",) and "no difference between a, b (0.00 EUR" in found.sentences[0]


def test_every_component_has_its_own_verdict():
    def life(label, seconds, gib):
        at = {"label": label}
        return [
            build(usage={"train_seconds": seconds}, **at),
            stands(kept(gib=gib), answer(), **at),
            probe(**at),
            scored(**at),
        ]

    rows = bill(*life("small", 900.0, 1), *life("large", 100.0, 9), horizon_days=HORIZON)
    case = Case(
        ("small", "large"), (1,), ("compute", "storage", "serving", TOTAL), HORIZON, "EUR", 2.0, accruals(rows), {}
    )
    winners = {c.component: (c.cheapest, c.tied) for c in judge(case).comparisons}
    assert winners == {
        "compute": ("large", ()),
        "storage": ("small", ()),
        "serving": ("small", ("large",)),
        TOTAL: ("small", ()),
    }


curves = st.tuples(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 50)), max_size=4, unique_by=lambda s: s[0]), st.integers(0, 5)
)


@given(curves, curves)
def test_from_the_crossover_on_the_cheapest_is_never_dearer(one, other):
    lives = {x: [due(*sorted(sums), rate=rate)] for x, (sums, rate) in (("a", one), ("b", other))}
    found = total(verdict(lives))
    if found.since_day is None:
        return
    (dearer,) = {"a", "b"} - {found.cheapest}
    gaps = {d: lives[dearer][0].at(d) - lives[found.cheapest][0].at(d) for d in [found.since_day, *range(101)]}
    assert all(gap >= -1e-6 for d, gap in gaps.items() if d >= found.since_day)
    before = [d / 7 for d in range(700) if d / 7 < found.since_day][-1:]
    step = lives[dearer][0].days | lives[found.cheapest][0].days
    if before and not any(
        before[0] < d <= found.since_day for d in step
    ):  # just before, on the same slope, it was dearer
        assert lives[dearer][0].at(before[0]) - lives[found.cheapest][0].at(before[0]) < 1e-6


@given(st.permutations(["a", "b", "c"]), st.lists(st.integers(1, 1000), min_size=3, max_size=3))
def test_the_order_of_the_strategies_decides_nothing_but_ties(order, costs):
    amounts = dict(zip("abc", costs, strict=True))
    found = total(verdict({label: [due((0, amounts[label]))] for label in order}))
    assert amounts[found.cheapest] == min(costs)
    assert {found.cheapest, *found.tied} == {x for x, cost in amounts.items() if cost - min(costs) <= 0.01 * cost}


def test_when_each_is_too_low_somewhere_the_floor_that_would_let_one_in_is_said():
    scores = {"a": {"x/en": 0.90, "y/en": 0.70}, "b": {"x/en": 0.865, "y/en": 0.80}}
    found = verdict({"a": [due((0, 1))], "b": [due((0, 9))]}, scores)
    assert total(found).cheapest is None
    assert found.sentences[0].startswith("No strategy stays within 2 points")
    assert "With a floor of 3.5 points" in found.sentences[1] and "it would be b (9.00 EUR" in found.sentences[1]


def test_a_gap_is_rounded_to_the_nearest_and_the_floor_that_lets_it_pass_says_that_it_is_not():
    scores = {"a": {"x/en": 0.90, "y/en": 0.70}, "b": {"x/en": 0.90 - 0.25 / 3, "y/en": 0.80}}
    sentences = " ".join(verdict({"a": [due((0, 1))], "b": [due((0, 9))]}, scores).sentences)
    assert "With a floor of 8.4 points, the least in tenths that lets one in" in sentences
    assert "8.3 points below a on x/en" in sentences


@pytest.mark.parametrize(
    ("gap", "said"),
    [(3.64, "3.6"), (1.06, "1.1"), (9.96, "10.0"), (36.4, "36"), (36.6, "37"), (99.7, ">99"), (100.0, "100")],
)
def test_how_much_cheaper_is_said_to_the_nearest(gap, said):
    sentences = verdict({"a": [due((0, 100 - gap))], "b": [due((0, 100))]}).sentences
    assert f" EUR), {said} % under b (" in " ".join(sentences)


@pytest.mark.parametrize(("behind", "said"), [(2.04, "2.04"), (2.16, "2.2"), (2.0004, "2.0004")])
def test_a_gap_never_reads_like_the_floor_that_it_is_beyond(behind, said):
    scores = {"a": {"x/en": 0.9}, "b": {"x/en": 0.9 - behind / 100}}
    sentences = verdict({"a": [due((0, 9))], "b": [due((0, 1))]}, scores).sentences
    assert f"b is never called cheapest: {said} points below a on x/en; the floor is 2 points" in " ".join(sentences)
