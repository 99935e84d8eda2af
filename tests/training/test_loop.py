"""The loop: its order, its schedule, its patience, its caps."""

import pytest
from toy_model import ROWS, SETTINGS, adapter, model, task

from adapeff_sim.errors import ExecutionError
from adapeff_sim.training.backbone import load_backbone
from adapeff_sim.training.batches import batches_per_epoch, collate, epoch_batches
from adapeff_sim.training.loop import rate_share


@pytest.fixture(scope="module")
def backbone(base):
    return load_backbone(base)


def items(backbone, **sizes):
    return {name: backbone.reader.items(*ROWS[name][:1], ROWS[name][2](n), ROWS[name][1]) for name, n in sizes.items()}


def test_an_epoch_shows_every_item_once_in_batches_of_one_task(backbone):
    both = items(backbone, colour=50, same=20)
    batches = epoch_batches(both, 8, seed=1, epoch=0)
    assert len(batches) == batches_per_epoch(both, 8) == 7 + 3
    for task_name, found in both.items():
        shown = [id(i) for name, batch in batches if name == task_name for i in batch]
        assert sorted(shown) == sorted(map(id, found))


def test_the_order_follows_from_seed_and_epoch_alone(backbone):
    both = items(backbone, colour=50, same=20)
    order = lambda seed, epoch: [[i.row for i in b] for _, b in epoch_batches(both, 8, seed, epoch)]  # noqa: E731
    assert order(1, 3) == order(1, 3)
    assert order(1, 3) != order(1, 4) and order(1, 3) != order(2, 3)


def test_a_task_keeps_its_batches_in_whatever_company(backbone):
    both = items(backbone, colour=50, same=20)
    alone = epoch_batches({"colour": both["colour"]}, 8, 1, 0)
    among = [b for b in epoch_batches(both, 8, 1, 0) if b[0] == "colour"]
    key = lambda b: [i.row for i in b[1]]  # noqa: E731
    assert sorted(map(key, alone)) == sorted(map(key, among))


def test_batches_hold_like_lengths(backbone):
    found = items(backbone, who=200)
    padded = sum(collate(t, ROWS["who"][0], b, backbone.padding).ids.numel() for t, b in epoch_batches(found, 16, 1, 0))
    real = sum(i.length for i in found["who"])
    at_random = 200 * max(i.length for i in found["who"])
    assert real <= padded < (real + at_random) / 2


def test_the_rate_rises_and_falls_in_straight_lines():
    shares = [rate_share(step, 100, 0.1) for step in range(100)]
    assert max(shares) == shares[10] == 1.0
    assert shares[:10] == pytest.approx([(i + 1) / 11 for i in range(10)])
    assert shares[-1] == pytest.approx(1 / 90)
    assert all(rate_share(0, total, 0.06) > 0 for total in (1, 2, 5))


def test_steps_and_examples_are_what_was_asked(built):
    taken = built.build(adapter(), task("colour", train=50)).usage
    assert taken["train_steps"] == 2 * 4 and taken["train_examples"] == 100
    capped = built.build(adapter(), task("colour", train=50), settings=SETTINGS.model_copy(update={"max_steps": 3}))
    assert capped.usage["train_steps"] == 3 and capped.converged is None


def test_patience_ends_a_training_and_a_cap_does_not_converge(built):
    patient = SETTINGS.model_copy(update={"epochs": 60, "patience": 2, "learning_rate": 1e-2})
    about = task("same", train=64, validation=20)
    ended = built.build(model("same"), about, settings=patient)
    assert ended.converged is True and ended.usage["train_steps"] < 60 * 4
    capped = built.build(model("same"), about, settings=patient.model_copy(update={"max_steps": 5}))
    assert capped.converged is False and capped.usage["train_steps"] == 5
    assert capped.usage["validate_seconds"] > 0


def test_the_best_weights_are_kept(built):
    """With a rate that first learns and then diverges, the kept weights score as the best epoch did."""
    best = []
    about = task("colour", train=96, validation=60)
    wild = SETTINGS.model_copy(update={"epochs": 14, "patience": 4, "learning_rate": 1e-2})
    built.build(model("colour"), about, settings=wild, tell=lambda note: best.append(note.score))
    kept = built.evaluate((model("colour"),), about, about.validation["en"])
    assert kept.score == pytest.approx(best[-1])


def test_without_validation_rows_there_is_nothing_to_be_patient_about(built):
    taken = built.build(adapter(), task("colour"), settings=SETTINGS.model_copy(update={"patience": 2}))
    assert taken.converged is None and "validate_seconds" not in taken.usage


def test_no_rows_no_training(built):
    with pytest.raises(ExecutionError, match="no training rows"):
        built.build(adapter(), task("colour", train=0))


def test_a_training_that_diverges_says_so(built):
    with pytest.raises(ExecutionError, match="diverged at learning rate"):
        built.build(adapter(), task("colour"), settings=SETTINGS.model_copy(update={"learning_rate": 1e36}))
