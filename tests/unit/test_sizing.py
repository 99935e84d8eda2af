"""How many replicas a target needs, held against a discrete-event simulation by another library and by reckoning."""

import math
from dataclasses import replace

import pytest
from ciw_pool import p95
from hypothesis import given, settings
from hypothesis import strategies as st

from adapeff_sim.costs.queueing import Sort, response
from adapeff_sim.costs.sizing import Target, batch_seconds, size

ALIKE = tuple(0.005 + 0.005 * b for b in range(1, 9))
TALL = tuple(0.010 + 0.030 * b for b in range(1, 9))


def sorts(load: float, replicas: int, max_batch: int, shares: tuple[float, ...] = (1.0,)) -> tuple[Sort, ...]:
    """Requests that ask for a share of what some replicas can answer."""
    curves = (ALIKE[:max_batch], TALL[:max_batch])
    whole = sum(share * curve[-1] for share, curve in zip(shares, curves, strict=False))
    rate = load * replicas * max_batch / whole
    return tuple(Sort(rate * share, curve) for share, curve in zip(shares, curves, strict=False))


@pytest.mark.parametrize(
    ("load", "replicas", "max_batch", "shares"),
    [(0.5, 1, 1, (1.0,)), (0.7, 4, 1, (1.0,)), (0.6, 3, 1, (0.7, 0.3)), (0.7, 1, 8, (1.0,)), (0.5, 2, 8, (0.7, 0.3))],
)
def test_the_predicted_percentile_is_that_of_a_simulation(load, replicas, max_batch, shares):
    asked = sorts(load, replicas, max_batch, shares)
    rate = sum(s.per_second for s in asked)
    simulated = p95(rate, [s.batch_seconds for s in asked], shares, replicas, requests=3500, seed=7)
    assert response(asked, replicas).p95_seconds == pytest.approx(simulated, rel=0.08)


@pytest.mark.parametrize(("load", "replicas", "max_batch"), [(0.4, 1, 1), (0.6, 3, 1), (0.5, 1, 8)])
def test_a_replica_that_idled_answers_more_slowly_and_a_simulation_agrees(load, replicas, max_batch):
    (asked,) = sorts(load, replicas, max_batch)
    idled = replace(asked, after_idle=1.5 * asked.batch_seconds[0])
    simulated = p95(asked.per_second, [asked.batch_seconds], (1.0,), replicas, requests=3500, seed=7, idled=1.5)
    found = response((idled,), replicas)
    assert found.p95_seconds == pytest.approx(simulated, rel=0.08)
    assert found.busy_replicas > response((asked,), replicas).busy_replicas
    assert size((idled,), Target(1.4 * asked.batch_seconds[0])).replicas is None  # no number wakes a replica faster


def test_replicas_that_never_idle_may_meet_what_one_that_idled_cannot():
    flat = Sort(7800.0, (0.010,) * 8, after_idle=0.022)
    found = size((flat,), Target(0.020))
    assert found.replicas == 16 and found.p95_seconds <= 0.020 < response((flat,), 15).p95_seconds
    assert response((flat,), 40).p95_seconds > 0.022  # with more of them some idle
    assert size((replace(flat, per_second=1.0),), Target(0.020)).replicas is None


def test_a_rare_sort_that_is_slow_after_idling_leaves_room_for_idle_replicas():
    rate = 4.5 / (0.94 * 0.01 + 0.06 * 0.05)  # as many as four and a half replicas answer
    sorts = (Sort(0.94 * rate, (0.01,), 0.01), Sort(0.06 * rate, (0.05,), 0.10))
    found = size(sorts, Target(0.055))
    assert found.replicas == 6 and found.busy_replicas < 0.9 * 6 and found.p95_seconds <= 0.055


def waits_at_most(seconds: float, load: float) -> float:
    """Erlang's distribution of waiting for one replica that takes one second for each request (M/D/1)."""
    terms = (
        ((k - seconds) * load) ** k / math.factorial(k) * math.exp(load * (seconds - k))
        for k in range(int(seconds) + 1)
    )
    return (1 - load) * math.fsum(terms)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.9])
def test_one_replica_is_as_erlang_reckoned(load):
    found = response((Sort(load, (1.0,)),), 1)
    wanted = next(k / 200 for k in range(10_000) if waits_at_most(k / 200, load) >= 0.95)
    assert found.p95_seconds - 1 == pytest.approx(wanted, abs=0.04)  # a 32nd of a second, by the slices
    assert found.busy_replicas == pytest.approx(load, rel=1e-6)


def test_several_replicas_wait_as_often_as_erlang_says():
    (a,) = sorts(0.8, 5, 1)
    offered = a.per_second * a.batch_seconds[0]
    terms = [offered**k / math.factorial(k) for k in range(5)]
    full = offered**5 / math.factorial(5) / (1 - offered / 5)
    found = response((a,), 5)
    assert found.busy_replicas == pytest.approx(offered, rel=1e-3)
    assert full / (full + sum(terms)) > 0.05 and found.p95_seconds > a.batch_seconds[0]


def test_a_target_below_one_request_alone_is_met_by_no_number_and_the_best_is_said():
    found = size(sorts(0.5, 3, 1), Target(p95_seconds=0.009))
    assert (found.replicas, found.p95_seconds) == (None, 0.01)
    slow_part = size(sorts(0.5, 3, 1, (0.9, 0.1)), Target(p95_seconds=0.02))
    assert (slow_part.replicas, slow_part.p95_seconds) == (None, 0.04)  # a tenth takes 40 ms, however many answer


def test_no_traffic_needs_one_replica():
    assert size((Sort(0.0, (0.01,)),), Target(0.02)).replicas == 1


def test_the_least_number_meets_the_target_and_one_less_does_not():
    asked = sorts(0.9, 7, 1)
    found = size(asked, Target(0.018))
    fewer = response(asked, found.replicas - 1)
    assert found.p95_seconds <= 0.018 < (fewer.p95_seconds if fewer else math.inf)


def test_how_busy_replicas_may_be_holds_beside_the_percentile():
    asked = sorts(0.9, 4, 1)
    assert size(asked, Target(10.0)).replicas == 4
    assert size(asked, Target(10.0, utilisation=0.6)).replicas == 6


def test_batches_are_drawn_between_and_beyond_what_was_measured():
    measured = {1: 0.010, 4: 0.004, 16: 0.003}
    found = batch_seconds(measured, 32)
    assert [found[b - 1] for b in (1, 2, 4, 10, 16, 32)] == pytest.approx([0.010, 0.012, 0.016, 0.032, 0.048, 0.096])
    assert batch_seconds({1: 0.010, 2: 0.004}, 2, factor=2.0) == pytest.approx((0.02, 0.02))  # never falls
    with pytest.raises(ValueError):
        batch_seconds({16: 0.1}, 4)


shapes = st.tuples(st.floats(0.001, 0.02), st.floats(0.0005, 0.02))


@settings(max_examples=25, deadline=None)
@given(shapes, st.sampled_from([1, 4, 16]), st.floats(0.1, 200), st.floats(1, 2), st.floats(1.1, 10), st.floats(1, 3))
def test_more_traffic_never_takes_fewer_replicas_nor_a_looser_target_more(shape, most, rate, more, target, looser):
    curve = tuple(shape[0] + shape[1] * b for b in range(1, most + 1))

    def replicas(rate: float, seconds: float) -> int:
        return size((Sort(rate, curve),), Target(seconds)).replicas

    seconds = target * curve[0]
    assert replicas(rate, seconds) <= replicas(rate * more, seconds)
    assert replicas(rate, seconds * looser) <= replicas(rate, seconds)
