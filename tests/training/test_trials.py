"""Real steps of tiny shapes through the one loop: every part is timed, and rates follow."""

import pytest

from adapeff_sim.estimation.calibration import PARTS
from adapeff_sim.estimation.fitting import fit
from adapeff_sim.training import trial_shapes, trials
from adapeff_sim.training.batches import BatchShape
from adapeff_sim.training.flop_count import FlopCount

FEW = [("tiny", "full", 4, 16), ("tiny", "seq_bn", 4, 16), ("tiny", "fuse 2", 4, 16), ("tiny", "bare answers", 2, 16)]
HELD = [("tiny", "lora", 4, 16), ("tiny", "seq_bn answers", 1, 16)]


@pytest.fixture
def points(monkeypatch):
    monkeypatch.setattr(trial_shapes, "FITTED", FEW)
    monkeypatch.setattr(trial_shapes, "HELD_OUT", HELD)
    told = []
    found = trials.measure("cpu", "fp32", 1, 0.5, lambda share, name: told.append((share, name)))
    assert {name for _, name in told} == {point.name for point in found}
    assert all(0 <= share <= 1 for share, _ in told)
    return found


def test_every_part_of_every_trial_is_timed_and_rates_follow(points):
    by_name = {}
    for point in points:
        by_name.setdefault(point.name, set()).add(point.part)
    assert by_name == {
        f"{size} {how} {n}x{length}": {"answering"} if "answers" in how else set(PARTS)
        for size, how, n, length in (*FEW, *HELD)
    }
    assert {p.name for p in points if p.is_held_out} == {"tiny lora 4x16", "tiny seq_bn answers 1x16"}
    assert set(fit(points)) == {*PARTS, "answering"}


def test_what_is_timed_is_what_the_closed_form_counts():
    """The amounts of a point are those of the network that was really trained."""
    for trial in trials.trials("cpu"):
        if not trial.name.startswith("tiny"):
            continue
        backbone, setup = trials.random_backbone(trial.network.encoder), trials._setup(trial.network)
        is_trained = trial.network.trained != "nothing"
        shape = BatchShape(trial.sequences, trial.length)
        counted = FlopCount().parts(backbone, setup, trials.TASK, shape, is_trained)
        if not is_trained:
            assert trials._amounts(trial, "answering").operation == counted.forward
            continue
        assert trials._amounts(trial, "forward").operation == counted.forward
        assert trials._amounts(trial, "backward").operation == counted.activation_gradient + counted.weight_gradient
        assert trials._amounts(trial, "optimizer").parameter == sum(
            p.numel() for p in backbone.network(setup, 1).trainable().values()
        )
