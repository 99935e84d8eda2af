"""What every training took part by part, and what reaching one quality took each."""

import io

from hand_made import build, fetch, prices, stands
from rich.console import Console

from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Outcome, Validation
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.ledger.trainings import equal_quality, training_rows
from adapeff_sim.reports.effort import effort
from adapeff_sim.reports.effort import equal_quality as tables
from adapeff_sim.reports.terminal import warnings
from adapeff_sim.results import Facts, Results, read, results_of, write

USAGE = {
    "train_seconds": 12.0,
    "train_data_seconds": 1.0,
    "train_forward_seconds": 3.0,
    "train_backward_seconds": 5.0,
    "train_optimizer_seconds": 1.0,
    "validate_seconds": 10.0,
    "train_flops": 8e9,
    "train_forward_flops": 4e9,
    "train_activation_gradient_flops": 3e9,
    "train_weight_gradient_flops": 1e9,
    "nominal_train_flops": 13e9,
}


def curve(*scores: float, endpoint: str = "a/en") -> tuple[Validation, ...]:
    """A validation every 10 steps, of 1 s and 1 GFLOP a step."""
    return tuple(
        Validation(step=s, train_seconds=s, train_flops=1e9 * s, nominal_train_flops=2e9 * s, scores={endpoint: score})
        for s, score in zip(range(10, 10_000, 10), scores, strict=False)
    )


def rows(*records: JobRecord, floor: float = 2.0) -> list[tuple[str, str, float, float | None]]:
    labels = list(dict.fromkeys(r.label for r in records))
    found = equal_quality(training_rows(Ledger(records), labels, 10.0), floor)
    return [(r.label, r.goal, r.target, r.steps) for r in found]


def results(*records: JobRecord, seeds: tuple[int, ...] = (1,)) -> Results:
    labels = tuple(dict.fromkeys(r.label for r in records))
    lives = [stands(label=x, seed=seed) for x in labels for seed in seeds]
    ledger, terms = Ledger((*records, *lives)), Terms(horizon_days=10.0)
    facts = Facts(name="x", labels=labels, seeds=seeds, terms=terms, quality_floor=2.0)
    return results_of(facts, ledger, prices(), price_ledger(ledger, prices(), terms), {})


def shown(found: Results, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    for each in (*effort(found), *tables(found)):
        console.print(each)
    return console.file.getvalue()


def test_the_first_validation_that_shows_a_score_reaches_it():
    quick, slow = build(label="quick", curve=curve(0.5, 0.8, 0.9)), build(label="slow", curve=curve(0.2, 0.4, 0.7, 0.8))
    assert rows(quick, slow, floor=20.0) == [("quick", "all", 0.8, 20), ("slow", "all", 0.8, 40)]


def test_who_stays_below_the_floor_never_gets_there():
    good, bad = build(label="good", curve=curve(0.6, 0.9)), build(label="bad", curve=curve(0.3, 0.5, 0.4))
    assert rows(good, bad) == [
        ("good", "all", 0.5, 10),
        ("bad", "all", 0.5, 20),
        ("good", "floor", 0.88, 20),
        ("bad", "floor", 0.88, None),
    ]


def test_only_what_saw_the_same_rows_is_compared():
    here, there = build(label="one", curve=curve(0.9)), build(label="two", curve=curve(0.9, endpoint="a/de"))
    assert rows(here, there) == []
    assert rows(here, build(label="two", curve=curve(0.9), seed=2)) == []
    assert rows(here, build(label="two", curve=curve(0.9), day=3.0)) == []
    assert rows(here, build(label="two")) == [], "without validation there is no curve"
    assert rows(here, build("fusion/a", label="one", curve=curve(0.9))) == [], "a strategy is no rival of itself"


def test_a_model_of_several_tasks_is_compared_on_each():
    both = Validation(
        step=7, train_seconds=1, train_flops=1, nominal_train_flops=1, scores={"a/en": 0.5, "a/de": 0.7, "b/en": 0.9}
    )
    alone = both.model_copy(update={"scores": {"a/en": 0.6, "a/de": 0.6}, "step": 3})
    found = rows(build(label="model", curve=(both,)), build(label="adapter", curve=(alone,)))
    assert [(label, goal, steps) for label, goal, _, steps in found] == [("model", "all", 7), ("adapter", "all", 3)]


def test_both_accountings_and_every_part_are_in_the_results(tmp_path):
    found = results(build(usage=USAGE, curve=curve(0.9)), fetch())
    (row,) = found.trainings
    assert row.usage == USAGE and row.curve == curve(0.9)
    write(found, tmp_path)
    assert read(tmp_path) == found


def test_the_tables_say_where_training_goes():
    text = shown(results(build(usage=USAGE, label="one"), build(usage=USAGE, label="two")))
    for told in ("4 G", "50 %", "3 G", "38 %", "1 G", "12 %", "8 G", "0:03", "0:05", "0:10"):
        assert told in text, told


def test_what_an_older_outcome_does_not_tell_is_unavailable_and_not_0():
    text = shown(results(build(usage=USAGE, label="one"), build(usage={"train_flops": 8e9}, label="two")))
    assert "unavailable" in text
    assert shown(results(build(usage={"train_flops": 8e9}))) == ""


def test_the_table_of_equal_quality_says_never():
    good, bad = build(label="good", curve=curve(0.6, 0.9)), build(label="bad", curve=curve(0.3, 0.5, 0.4))
    text = shown(results(good, bad))
    assert "Cost at equal quality: a, day 0" in text
    assert "never" in text and "20 G" in text and "40 G" in text and "88.0" in text
    assert "all reach" in text and "best less 2" in text, "every row says what it is to reach"
    assert not any(row.split() == ["measured"] for row in text.splitlines()[:8]), "and whose row it is"
    other = good.model_copy(update={"seed": 2}), bad.model_copy(update={"seed": 2, "curve": curve(0.95)})
    assert "in 1 of 2" in shown(results(good, bad, *other, seeds=(1, 2)))


def test_two_events_of_one_day_are_two_groups():
    """What a strategy trains at one of them has no rival among what others train at the other."""
    first, second = build(label="one", curve=curve(0.9)), build(label="two", curve=curve(0.5, 0.8), step=1)
    third = build("adapter/b", label="one", curve=curve(0.4, 0.7), step=2)
    lives = [stands(label=x, step=s, place=p) for x, s, p in (("one", 0, 0), ("two", 1, 1), ("one", 2, 1))]
    found = equal_quality(training_rows(Ledger((first, second, third, *lives)), ["one", "two"], 10.0), 20.0)
    assert [(r.label, r.slot, r.place, r.target, r.steps) for r in found] == [
        ("one", "adapter/b", 1, 0.7, 20),
        ("two", "adapter/a", 1, 0.7, 20),
    ]


def test_company_on_the_gpu_is_told_in_the_report():
    shared = {**USAGE, "peak_other_gpu_processes": 1.0}
    told = [part.plain for part in warnings(results(build(usage=shared), build("adapter/b", usage=USAGE)))]
    assert any("Not alone: other processes used the GPU during 1 training;" in text for text in told)
    alone = {**USAGE, "peak_other_gpu_processes": 0.0}
    assert not list(warnings(results(build(usage=alone))))


def test_outcomes_and_records_of_before_still_read():
    old = Outcome(usage={"train_seconds": 1.0}).model_dump(exclude={"curve", "workload"})
    assert Outcome.model_validate(old).curve == ()
    record = build().model_dump(exclude={"curve", "workload"})
    assert JobRecord.model_validate(record).workload is None
