"""Replicas for a target, shared replicas, and rolling out, reckoned by hand."""

import math

import pytest
from hand_made import amounts, answer, prices, probe, stands

from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.costs.prices import GIB
from adapeff_sim.costs.serving import pool_rows
from adapeff_sim.ledger.ledger import Ledger

DAY = 86_400
SIZES = {"resident_bytes": 3.0 * GIB, "own_bytes": 1.0 * GIB, "load_seconds": 3600.0}
BOX = prices(serving={"memory_gib": 8.0})


def billed(*records, at=None, **terms):
    return price_ledger(Ledger(records), at or prices(), Terms(horizon_days=10.0, **terms))


def pools(*records, at=None, **terms):
    return pool_rows(Ledger(records), at or prices(), Terms(horizon_days=10.0, **terms))


def test_a_target_takes_more_replicas_than_being_busy_and_what_waits_is_idle():
    life = [probe(0.1), stands(answer(8 * DAY))]  # 0.8 replicas' work
    rows = billed(*life, p95_ms=200, utilisation=1.0)
    (pool,) = pools(*life, p95_ms=200, utilisation=1.0)
    assert (pool.replicas, pool.until) == (2, 10) and 100 <= pool.p95_ms <= 200
    assert amounts(rows) == {"busy base": pytest.approx(0.8 * 240), "idle base": pytest.approx(1.2 * 240)}
    assert pool.busy_share == pytest.approx(0.4)


def test_a_target_that_cannot_be_met_is_unavailable_and_the_best_is_said():
    life = [probe(0.1), stands(answer(DAY))]
    (row,), (pool,) = billed(*life, p95_ms=50), pools(*life, p95_ms=50)
    assert (row.amount, row.provenance) == (None, "unavailable")
    assert (pool.replicas, pool.p95_ms) == (None, 100)
    assert pool.why == "no number of replicas reaches a p95 of 50 ms; the best is 100 ms"


def test_batches_that_help_take_fewer_replicas_within_the_same_target():
    life = [probe(0.1), stands(answer(70 * DAY))]  # seven replicas' work alone, half of it in batches of 16
    alone, batched = (pools(*life, p95_ms=2000, max_batch=b, utilisation=1.0)[0] for b in (1, 16))
    assert alone.replicas == 8 and batched.replicas < 7
    rows = billed(*life, p95_ms=2000, max_batch=16, utilisation=1.0)
    assert math.fsum(amounts(rows).values()) == pytest.approx(240 * batched.replicas)
    assert 0 < amounts(rows)["busy base"] < 7 * 240


def test_packed_models_share_replicas_while_the_memory_lasts():
    shapes = [probe(0.1, s, usage=SIZES) for s in ("x", "y", "z")]
    record = stands(*(answer(DAY, s, s, f"{s}/en") for s in ("x", "y", "z")))  # 3 GiB and a tenth of a replica each
    assert amounts(billed(*shapes, record)).keys() == {f"{state} {s}" for state in ("busy", "idle") for s in "xyz"}
    found = pools(*shapes, record, at=BOX, placement="packed")
    assert [(r.pool, r.replicas, r.requests_per_day) for r in found] == [("x + y", 1, 2 * DAY), ("z", 1, DAY)]


def test_adapters_of_one_base_model_weigh_what_they_lay_on_it():
    shapes = [probe(0.1, s, usage=SIZES) for s in ("x", "y", "z")]
    record = stands(*(answer(DAY, "base", s, f"{s}/en") for s in ("x", "y", "z")), answer(DAY, "m", "x", "w/en"))
    (found,) = pools(*shapes, record, at=BOX, placement="packed")  # 2 + 3 x 1 GiB, and 3 GiB: exactly 8
    assert (found.pool, found.replicas) == ("base + m", 1)
    (tight, other) = pools(*shapes, record, at=prices(serving={"memory_gib": 7.9}), placement="packed")
    assert (tight.pool, other.pool) == ("base", "m")


FUSED = "{} on base_model + adapter seq_bn + adapter seq_bn + adapter seq_bn + fusion of mini"
HELD = {"resident_bytes": 6.0 * GIB, "own_bytes": 4.0 * GIB, "adapters_bytes": 3.0 * GIB}  # base 2, fusion and head 1


def fused(probes=HELD, tasks="xyz", **route):
    """Three tasks, each with a fusion over the adapters of all three."""
    known = {"adapters": ("ax", "ay", "az")} | route
    answered = [answer(DAY, shape=FUSED.format(t), endpoint=f"{t}/en", top=f"f{t}", **known) for t in tasks]
    return [*(probe(0.1, FUSED.format(t), usage=probes) for t in tasks), stands(*answered)]


def test_adapters_under_several_fusions_are_held_once():
    (found,) = pools(*fused(), at=BOX, placement="packed")  # 2 + 3 adapters + 3 fusions: exactly 8
    assert (found.replicas, found.why) == (1, "")
    (tight,) = pools(*fused(), at=prices(serving={"memory_gib": 7.9}), placement="packed")
    assert tight.why == "8.0 GiB do not fit into 7.9"


@pytest.mark.parametrize("older", [{"adapters": None}, {"probes": {**SIZES, "own_bytes": 2.0 * GIB}}])
def test_what_does_not_tell_them_apart_is_a_bound_and_says_so(older):
    """2 + 3 x 4 GiB, or 1 + 3 x 2: a full model of 3 GiB beside it makes the bound matter."""
    *probes, stood = fused(**older)
    held, own = (probes[0].usage[name] for name in ("resident_bytes", "own_bytes"))
    bound = (held + 2 * own) / GIB
    (alone,) = pools(*probes, stood, at=prices(serving={"memory_gib": bound - 1}), placement="packed")
    assert alone.why.startswith(f"{bound:.1f} GiB do not fit into {bound - 1:g}, or less: adapters that lie under")
    beside = stands(*stood.answered, answer(DAY, "m", "w", "w/en"))
    life = [*probes, probe(0.1, "w", usage=SIZES), beside]
    (fusions, model) = pools(*life, at=prices(serving={"memory_gib": bound}), placement="packed")
    assert fusions.why.startswith(f"base takes {bound:.1f} GiB, or less: ") and model.why == ""
    (together,) = pools(*life, at=prices(serving={"memory_gib": bound + 3}), placement="packed")
    assert together.why == "", "what fits together fits all the more"


def test_endpoints_of_one_task_with_adapters_of_their_own_hold_them_all():
    shape = "x on base_model + adapter lora of mini"
    usage = {"resident_bytes": 5.0 * GIB, "own_bytes": 3.0 * GIB, "adapters_bytes": 2.0 * GIB}
    said = [answer(DAY, shape=shape, endpoint=f"x/{e}", adapters=(e,), top=e) for e in ("de", "en")]
    (found,) = pools(
        probe(0.1, shape, usage=usage), stands(*said), at=prices(serving={"memory_gib": 7.9}), placement="packed"
    )
    assert found.why == "8.0 GiB do not fit into 7.9"  # 2, and 2 + 1 twice
    (shared,) = pools(
        probe(0.1, shape, usage=usage),
        stands(said[0], said[0].model_copy(update={"endpoint": "x/sw"})),
        at=BOX,
        placement="packed",
    )
    assert shared.why == "", "a task's adapter and head are held once for all of its languages"


@pytest.mark.parametrize(
    ("usage", "memory", "why"),
    [
        (SIZES, None, "the instance's memory (memory_gib) not known, nothing is packed"),
        ({}, 8.0, "resident bytes of a model not known, nothing is packed"),
        (SIZES, 2.0, "3.0 GiB do not fit into 2"),
    ],
)
def test_what_cannot_be_packed_says_why_and_is_not_free(usage, memory, why):
    book = prices(serving={"memory_gib": memory})
    life = [probe(0.1, usage=usage), stands(answer(DAY))]
    (pool,), (row,) = pools(*life, at=book, placement="packed"), billed(*life, at=book, placement="packed")
    assert (pool.why, pool.replicas, row.amount) == (why, None, None)


def test_a_new_model_stands_beside_the_old_one_and_is_loaded():
    life = [
        probe(0.1, usage=SIZES),
        stands(answer(8 * DAY, "v1")),
        stands(answer(8 * DAY, "v1"), answer(0, "v1", endpoint="b/en"), step=1, day=2),  # nothing new to roll out
        stands(answer(8 * DAY, "v2"), step=2, day=5),
    ]
    rows = [r for r in billed(*life, utilisation=0.5, rollout_hours=6) if not r.item.startswith(("busy", "idle"))]
    assert [(r.item, r.day, r.until, r.amount) for r in rows] == [
        ("load v1", 0, 0, pytest.approx(2.0)),  # two replicas for the hour that loading takes
        ("load v2", 5, 5, pytest.approx(2.0)),
        ("rollout v2", 5, 5, pytest.approx(12.0)),
    ]
    assert not [r for r in billed(*life, utilisation=0.5) if r.item.startswith(("load", "rollout"))]


def test_loading_that_nobody_measured_is_unavailable():
    rows = billed(probe(0.1), stands(answer(DAY, "v1")), rollout_hours=1)
    assert amounts(rows)["load v1"] is None


def test_a_probe_of_another_device_meets_a_target_by_its_converted_seconds():
    elsewhere = probe(0.001, device="NVIDIA L4", usage={"request_flops": 100.0})  # 0.1 s at 1000 FLOP/s
    (pool,) = pools(elsewhere, stands(answer(8 * DAY)), p95_ms=200, utilisation=1.0)
    assert (pool.replicas, pool.provenance) == (2, "estimated")


def test_a_probe_without_seconds_meets_a_target_by_its_flops():
    counted = probe(None, device="NVIDIA L4", usage={"request_flops": 100.0})
    (pool,) = pools(counted, stands(answer(8 * DAY)), p95_ms=200, utilisation=1.0)
    assert (pool.replicas, pool.provenance) == (2, "estimated")


@pytest.mark.parametrize("terms", [{"utilisation": 0.5}, {"p95_ms": 200, "utilisation": 1.0}])
def test_supposed_traffic_is_traffic(terms):
    supposed = pools(probe(0.1), stands(answer(2 * DAY)), traffic=4.0, **terms)
    assert supposed == pools(probe(0.1), stands(answer(8 * DAY)), **terms)


def test_more_replicas_than_anybody_has_are_still_counted():
    (pool,) = pools(probe(0.1), stands(answer(8 * DAY)), traffic=1e9, p95_ms=100)
    assert pool.replicas == pytest.approx(8e8 / 0.6, rel=1e-6) and pool.p95_ms == 100
