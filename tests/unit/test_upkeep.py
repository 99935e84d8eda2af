"""What an event moved that nobody asked to move: churn, re-validation, forgetting, lead time, roll-back."""

from io import StringIO
from pathlib import Path

import pytest
from hand_made import answer, build, kept, prices, scored, stands
from rich.console import Console
from rich.table import Table
from story import Reckoner, event, simulate

from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.costs.lead_time import Task, lead_times, makespan
from adapeff_sim.data.examples import TaskKind, TextExample, TokensExample
from adapeff_sim.execution.predictions import predictions
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Prediction
from adapeff_sim.ledger.records import Compared
from adapeff_sim.ledger.upkeep import UpkeepRow, upkeep_rows
from adapeff_sim.planning.plan import Evaluate
from adapeff_sim.reports import terminal
from adapeff_sim.reports.sheets import sheets
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.upkeep import upkeep
from adapeff_sim.reports.work import events
from adapeff_sim.results import Facts, Results, results_of
from adapeff_sim.strategies.adapter_per_task import AdapterPerTask
from adapeff_sim.strategies.multitask_full import MultitaskFull

TIMELINE = [
    event("launch", 0, base_model="mini:v1", tasks={"intent": ("en", "de")}, labelled=200, requests_per_day=1000),
    event("task_arrival", 10, task="mood", languages=("en",), requests_per_day=300),
    event("new_language", 20, language="sw", labelled=100, requests_per_day=200),
    event("base_model_update", 30, base_model="mini:v2"),
    event("traffic_change", 40, requests_per_day=5000),
]


class Answering(Reckoner):
    """Ten items each; who answers with a new top says one more item otherwise, and wrongly, than the one before."""

    def outcome(self, job):
        found = super().outcome(job)
        if not isinstance(job, Evaluate):
            return found
        tops = self.__dict__.setdefault("tops", {}).setdefault(str(job.endpoint), [])
        if job.route[-1].fingerprint + job.route[0].fingerprint not in tops:
            tops.append(job.route[-1].fingerprint + job.route[0].fingerprint)
        wrong = tops.index(job.route[-1].fingerprint + job.route[0].fingerprint)
        said = {f"{i}": Prediction("other" if i < wrong else "right", i >= wrong) for i in range(10)}
        usage = {**found.usage, "test_examples": 10.0}
        return found.model_copy(update={"predictions": said, "usage": usage})


def rows_of(strategy, timeline=TIMELINE, executor=None, devices=1) -> list[UpkeepRow]:
    ledger = simulate({"it": strategy}, [13], timeline, executor or Answering())
    return list(upkeep_rows(ledger, ("it",), 365.0, lead_times(ledger, prices().compute, devices), devices))


def test_what_nobody_asked_for_is_told_event_by_event():
    launch, arrival, language, base, traffic = rows_of(MultitaskFull())
    assert (launch.opened, launch.redeployed, launch.churn) == (("intent/de", "intent/en"), (), None)
    assert arrival.opened == ("mood/en",) and arrival.unasked == arrival.redeployed == ("intent/de", "intent/en")
    assert arrival.unasked_of_other_tasks == ("intent/de", "intent/en")
    assert (arrival.items, arrival.unasked_items) == (30, 20)
    assert (arrival.compared_items, arrival.changed_items, arrival.became_wrong) == (20, 2, 2)
    assert (arrival.churn, arrival.became_right) == (0.1, 0)
    assert language.unasked == ("intent/de", "intent/en", "mood/en") and language.unasked_of_other_tasks == ()
    assert language.churn == pytest.approx(3 / 30)
    assert len(base.unasked) == len(base.redeployed) == 5 and base.churn == pytest.approx(5 / 50)
    assert (traffic.redeployed, traffic.items, traffic.churn, traffic.lead_seconds) == ((), 0, 0.0, 0.0)
    assert all(row.unavailable == () and row.provenance == "measured" for row in (launch, arrival, language, base))


def test_adapters_leave_other_tasks_in_peace():
    _, arrival, language, _, _ = rows_of(AdapterPerTask())
    assert (arrival.redeployed, arrival.unasked, arrival.unasked_items) == ((), (), 0)
    assert (arrival.compared_items, arrival.changed_items, arrival.churn) == (20, 0, 0.0)
    assert language.unasked == ("intent/de", "intent/en", "mood/en")


def test_what_is_kept_to_go_back_is_what_is_routed_no_more():
    gib, mib = 2**30, 2**20
    assert [row.rollback_bytes for row in rows_of(MultitaskFull())] == [0, gib, gib, gib, 0]
    assert [row.rollback_bytes for row in rows_of(AdapterPerTask())] == [0, 0, 8 * mib, gib + 8 * mib, 0]


def test_without_predictions_churn_is_unavailable_and_not_0():
    arrival = rows_of(MultitaskFull(), executor=Reckoner())[1]
    assert (arrival.churn, arrival.changed_items, arrival.became_wrong) == (None, None, None)
    assert {"churn", "changed_items", "became_wrong"} <= set(arrival.unavailable) and arrival.items == 300


def test_answers_are_compared_on_shared_items_only():
    refreshed = [*TIMELINE[:1], event("dataset_refresh", 10, task="intent", languages=("en",), test_set=True)]

    class Renamed(Answering):
        def outcome(self, job):
            found = super().outcome(job)
            if isinstance(job, Evaluate) and job.test_set.version == 2:
                shared = {"0": Prediction("else", False), "new": Prediction("right", True)}
                return found.model_copy(update={"predictions": shared})
            return found

    ledger = simulate({"it": AdapterPerTask()}, [13], refreshed, Renamed())
    (again,) = (r for r in ledger.records if getattr(r, "type", "") == "evaluation" and r.day == 10)
    assert again.compared == Compared(items=1, changed=1, became_wrong=1, became_right=0)


TASKS = {"a": Task(10.0), "b": Task(4.0), "c": Task(3.0, ("a",)), "d": Task(2.0, ("a", "b")), "e": Task(1.0, ("gone",))}


@pytest.mark.parametrize(("devices", "seconds"), [(1, 20.0), (2, 13.0), (9, 13.0)])
def test_jobs_are_worked_through_inputs_first(devices, seconds):
    """By hand with two: a 0-10, b 0-4, e 4-5, c 10-13, d 10-12."""
    assert makespan(TASKS, devices) == seconds


def test_three_equal_jobs_on_two_devices_take_two_turns():
    assert makespan({x: Task(5.0) for x in "abc"}, 2) == 10.0 and makespan({}, 2) == 0.0


def lead(devices, *records, flops_per_second=100.0):
    price = prices(compute={"flops_per_second": flops_per_second}).compute
    return lead_times(Ledger(records), price, devices)["it", 1, 0]


def test_the_lead_time_of_an_event_is_its_jobs_on_so_many_devices():
    """By hand: two adapters of 100 s and 50 s, each scored in 10 s."""
    one = build(key="one", needs=()), scored(needs=("one",), key="s1")
    two = build("adapter/b", {"train_seconds": 45.0, "validate_seconds": 5.0}, key="two", needs=())
    records = (*one, two, scored(endpoint="b/en", needs=("two",), key="s2"))
    assert lead(1, *records) == (170.0, "measured") and lead(2, *records) == (110.0, "measured")


def test_seconds_of_another_device_are_converted_and_marked():
    foreign = build(usage={"train_seconds": 1.0, "train_flops": 5000.0}, device="NVIDIA L4", needs=(), key="k1")
    assert lead(1, foreign) == (50.0, "estimated")
    assert lead(1, foreign, flops_per_second=None) == (None, "unavailable")
    assert lead(1, build(provenance="reused", needs=())) == (100.0, "reused")


def test_of_ledgers_of_earlier_versions_one_device_is_known_and_two_are_not():
    old = build(key="one"), scored(key="s1")
    assert lead(1, *old) == (110.0, "measured") and lead(2, *old) == (None, "unavailable")
    (row,) = upkeep_rows(Ledger((*old, stands(kept(), answer(1)))), ("it",), 10.0, {}, 1)
    assert row.redeployed is None and {"redeployed", "unasked", "churn", "items"} <= set(row.unavailable)


def test_forgetting_is_how_far_below_its_best_an_endpoint_lies():
    def step(number, en, de=None):
        at = {"step": number, "day": 10.0 * number, "test_set": "v1"}
        yield scored(en, **at)
        yield from [scored(de, endpoint="a/de", **at)] if de else []
        yield stands(kept(), answer(1), answer(1, endpoint="a/de"), touched=(), redeployed=(), **at)

    records = (*step(0, 0.8, 0.5), *step(1, 0.9), *step(2, 0.7, 0.6))
    found = upkeep_rows(Ledger(records), ("it",), 365.0, {}, 1)
    assert [row.forgetting for row in found] == [None, 0.0, pytest.approx(0.1)]
    assert (found[2].most_forgotten, found[2].most_forgetting) == ("a/en", pytest.approx(0.2))
    assert "forgetting" not in found[0].unavailable


def test_one_look_without_a_score_hides_no_forgetting_of_others():
    """German comes late and is scored once, by nobody; a second look without a score leaves forgetting unknown."""

    def step(number, en, *more):
        at = {"step": number, "day": 10.0 * number, "test_set": "v1"}
        yield from [scored(en, **at), *(scored(None, endpoint="a/de", **at) for _ in more)]
        yield stands(kept(), answer(1), answer(1, endpoint="a/de"), touched=(), redeployed=(), **at)

    records = (*step(0, None), *step(1, None, "de"))
    (first,) = upkeep_rows(Ledger(records[:2]), ("it",), 365.0, {}, 1)
    assert first.forgetting is None and "forgetting" not in first.unavailable
    once = upkeep_rows(Ledger((*step(0, 0.8), *step(1, 0.7, "de"))), ("it",), 365.0, {}, 1)[-1]
    assert once.forgetting == pytest.approx(0.1) and "forgetting" not in once.unavailable
    second = upkeep_rows(Ledger(records), ("it",), 365.0, {}, 1)[-1]
    assert "forgetting" in second.unavailable


@pytest.mark.parametrize("how", ["estimated", "measured"])
def test_an_event_without_work_is_as_sure_as_what_stands(how):
    records = [stands(kept(provenance=how), answer(1), step=n, day=10.0 * n) for n in range(2)]
    assert [row.provenance for row in upkeep_rows(Ledger(records), ("it",), 365.0, {}, 1)] == [how, how]


def test_a_prediction_counts_as_a_whole(tmp_path):
    rows = [TokensExample(tokens=("a", "b"), tags=("O", "B-X"))] * 2
    lines = '{"id": "0", "gold": ["O", "B-X"], "predicted": ["O", "B-X"]}\n' * 2
    (tmp_path / "predictions.jsonl").write_text(lines)
    found = predictions(tmp_path, TaskKind.TAGGING, rows, "en")
    assert len(found) == 2 and set(found.values()) == {Prediction('["O", "B-X"]', True)}
    assert predictions(tmp_path, TaskKind.TAGGING, rows[:1], "en") is None
    assert predictions(tmp_path / "gone", TaskKind.TAGGING, rows, "en") is None


def test_the_same_row_is_the_same_item_wherever_it_stands(tmp_path):
    one, two = TextExample(text="x", label="a"), TextExample(text="y", label="a")
    (tmp_path / "predictions.jsonl").write_text('{"gold": "a", "predicted": "a"}\n{"gold": "a", "predicted": "b"}\n')
    there = predictions(tmp_path, TaskKind.CLASSIFICATION, [one, two], "en")
    back = predictions(tmp_path, TaskKind.CLASSIFICATION, [two, one], "en")
    assert there.keys() == back.keys() and [p.is_right for p in there.values()] == [True, False]


@pytest.fixture(scope="module")
def finished() -> tuple[Results, Ledger]:
    """Two strategies that live the timeline, priced."""
    strategies = {"apart": AdapterPerTask(), "together": MultitaskFull()}
    ledger, terms = simulate(strategies, [13], TIMELINE, Answering()), Terms(horizon_days=100.0)
    facts = Facts(name="story", labels=tuple(strategies), seeds=(13,), terms=terms, quality_floor=2.0)
    return results_of(facts, ledger, prices(), price_ledger(ledger, prices(), terms), {}), ledger


def test_every_row_of_every_table_says_how_sure_it_is(finished):
    results, ledger = finished
    parts = [part for part in terminal.parts(results, Path("run"), 80, False) if isinstance(part, Table)]
    assert len(parts) >= 8
    for table in parts:
        if str(table.title).startswith("Where the amounts come from"):
            continue
        names = zip(*(list(column.cells) for column in table.columns[:2]), strict=True)
        rows = [" ".join(map(str, row)) for row in names if any(map(str, row[1:]))]
        assert all("measured" in row for row in rows), table.title
    for sheet in sheets(Told(results, ledger, "run", {})):
        if sheet.name not in ("provenance", "environment"):
            assert sheet.heads[-1] == "provenance" and {row[-1].said for row in sheet.rows} == {"measured"}, sheet.name


def test_the_tables_of_upkeep_fit_a_screen_and_say_the_same(finished):
    results, ledger = finished
    console = Console(width=80, file=StringIO(), highlight=False)
    for table in upkeep(results):
        console.print(table)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80 and "on 1 device of the priced kind" in " ".join(text.split())
    assert "traffic_change" not in text  # nothing was done
    sheet = events(Told(results, ledger, "run", {}))
    churn, lead = (sheet.heads.index(name) for name in ("churn", "lead time"))
    arrival = [row for row in sheet.rows if row[2].said == "task_arrival mood"]
    assert [row[churn].said for row in arrival] == ["0 %", "10 %"] and arrival[0][lead].value == 20.0 + 1.0


def test_what_no_event_tells_has_no_column_and_is_named(finished):
    results, _ = finished
    old = {"churn": None, "changed_items": None, "became_wrong": None, "unavailable": ("churn",)}
    rows = tuple(row.model_copy(update=old) for row in results.upkeep)
    (table,) = upkeep(results.model_copy(update={"upkeep": rows}))
    assert "churn" not in [str(column.header) for column in table.columns]
    assert str(table.caption).startswith("Unavailable for all of them: churn.")
