"""From many lives to one ledger."""

import pytest
from story import STORY, Reckoner, event, falls, holds, order_of, simulate

from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.errors import ExecutionError
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord, ServingRecord
from adapeff_sim.planning.plan import Make
from adapeff_sim.simulation import Finished, Simulation, Unfolded
from adapeff_sim.strategies.base import STRATEGIES

FIELD = {name: STRATEGIES.get(name)() for name in STRATEGIES.names()}
FIELD["multitask_continue"] = STRATEGIES.get("multitask_full")(update="continue", replay=0.2)
FIELD["carry_over"] = STRATEGIES.get("adapter_per_task")(on_base_update="carry_over")


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return simulate(FIELD, [13, 14], STORY, Reckoner(falls))


def built(ledger: Ledger, label: str) -> list[JobRecord]:
    return [r for r in ledger.of(JobRecord) if (r.job, r.label, r.seed) == ("build", label, 13)]


def test_equal_work_is_done_once_and_recorded_for_everyone_who_asked():
    executor = Reckoner(falls)
    shared = simulate(FIELD, [13], STORY, executor)
    done = [order.key for order in executor.done]
    assert len(done) == len(set(done))
    adapters = {r.fingerprint for r in built(shared, "adapter_per_task")}
    fused = {r.fingerprint for r in built(shared, "adapter_fusion") if r.kind == "adapter"}
    assert adapters & fused
    per_label = {label: len(built(shared, label)) for label in FIELD}
    assert sum(per_label.values()) > sum(
        isinstance(o.job, Make) and not o.job.artifact.kind.is_source for o in executor.done
    )


def test_a_life_costs_the_same_alone_and_in_company(ledger):
    alone = simulate({"carry_over": FIELD["carry_over"]}, [13], STORY, Reckoner(falls))
    assert list(alone.records) == [r for r in ledger.records if (r.label, r.seed) == ("carry_over", 13)]


def test_inputs_are_ordered_before_their_products():
    class Strict(Reckoner):
        def run(self, orders, watch):
            for order in orders:
                if isinstance(order.job, Make):
                    known = {o.job.artifact for o in self.done if isinstance(o.job, Make)}
                    assert {a for _, a in order.job.artifact.edges()} <= known
                yield from super().run([order], watch)

    simulate(FIELD, [13, 14], STORY, Strict(falls))


def test_rows_are_bought_once_for_a_life(ledger):
    for label in FIELD:
        fetched = [r for r in ledger.of(JobRecord) if (r.label, r.seed, r.kind) == (label, 13, "dataset")]
        bought = [(r.slot, r.day, r.usage.get("labelled_examples", 0)) for r in fetched]
        assert [n for slot, day, n in bought if (slot, day) == ("dataset/intent/en", 0)] == [200]
        refreshed = [n for slot, day, n in bought if (slot, day) == ("dataset/intent/en", 40)]
        assert refreshed == [50]
        elsewhere = [n for slot, day, n in bought if (slot, day) == ("dataset/intent/de", 60)]
        assert elsewhere == [250], "another source's rows are all new"
    tests = [r for r in ledger.of(EvaluationRecord) if (r.label, r.seed) == ("multitask_full", 13)]
    paid = [(r.endpoint, r.test_set) for r in tests if "test_examples" in r.usage]
    assert len(paid) == len(set(paid)) < len(tests)


def test_what_stands_is_what_is_routed_with_ancestors_and_rows_apart(ledger):
    standing = [r for r in ledger.of(DeploymentRecord) if (r.label, r.seed) == ("multitask_continue", 13)]
    third = standing[2]
    kept = {s.kept_as: [t.kind for t in third.stored if t.kept_as == s.kept_as] for s in third.stored}
    assert kept["routed"] == ["model"]
    assert set(kept["ancestor"]) == {"model"}
    assert set(kept["data"]) == {"dataset"}


def test_every_answered_shape_was_timed_before(ledger):
    timed: set[tuple[str, int, str]] = set()
    for record in ledger.records:
        if isinstance(record, ServingRecord):
            timed.add((record.label, record.seed, record.shape))
        if isinstance(record, DeploymentRecord):
            assert {(record.label, record.seed, a.shape) for a in record.answered} <= timed


def test_a_route_tells_its_adapters_and_its_top(ledger):
    """Each is routed and lies in store; fusions of one day lie on the same adapters, and each is its own."""
    for record in ledger.of(DeploymentRecord):
        kinds = {s.fingerprint: s.kind for s in record.stored}
        for a in record.answered:
            assert {kinds[adapter] for adapter in a.adapters} <= {Kind.ADAPTER}
            assert kinds[a.top] == {"adapter_fusion": "fusion" if len(a.adapters) > 1 else "adapter"}.get(
                record.label, "adapter" if a.adapters else "model"
            )
        if record.label == "adapter_fusion":
            assert len({a.adapters for a in record.answered}) == 1
            assert len({a.top for a in record.answered}) == len({a.endpoint.split("/")[0] for a in record.answered})


def test_a_failed_check_is_a_second_step_of_the_day(ledger):
    days = [r.day for r in ledger.of(DeploymentRecord) if (r.label, r.seed) == ("carry_over", 13)]
    assert days.count(50) == 2 and days == sorted(days)


def test_carry_overs_do_not_drift_by_one_tolerance_each():
    story = [STORY[0], *(event("base_model_update", d, base_model=f"mini:v{d}") for d in (10, 20, 30))]

    def a_point_and_a_half_each_time(evaluate):
        over = evaluate.route[0].recipe.release
        under = evaluate.route[-1].edges()
        trained_on = next(a.recipe.release for _, a in under if a.kind is Kind.BASE_MODEL)
        moves = ["mini:v1", "mini:v10", "mini:v20", "mini:v30"]
        return 0.9 - 0.015 * (moves.index(over) - moves.index(trained_on))

    ledger = simulate({"it": FIELD["carry_over"]}, [1], story, Reckoner(a_point_and_a_half_each_time))
    assert [r.day for r in ledger.of(JobRecord) if r.job == "build"] == [0, 20]


def test_the_ledger_reads_back_as_it_was(ledger):
    assert Ledger.loads(ledger.dumps()).records == ledger.records


def test_the_watch_hears_of_every_order():
    heard: list = []
    simulation = Simulation(FIELD, [13], lambda seed: STORY, order_of)
    simulation.run(Reckoner(holds), heard.append)
    planned = [o for news in heard if isinstance(news, Unfolded) for o in news.orders]
    assert planned == [news.order for news in heard if isinstance(news, Finished)]


def test_an_undone_job_cannot_be_accounted_for():
    class Lazy(Reckoner):
        def run(self, orders, watch):
            yield from super().run(orders[:-1], watch)

    class Once(Simulation):
        pass

    simulation = Once({"it": FIELD["adapter_per_task"]}, [13], lambda seed: STORY[:1], order_of)
    lazy = Lazy()
    with pytest.raises(ExecutionError, match="left undone"):
        simulation.run(lazy, lambda news: None)
