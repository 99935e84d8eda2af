"""One training beside full fine-tuning on the same steps, and how it is found by name."""

import json

import pytest
from hand_made import XLM_R_BASE, build, fetch
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.estimation.encoder import encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, nominal_flops, step_flops
from adapeff_sim.estimation.parameters import parameters
from adapeff_sim.explanation import ExplanationError, explain, find
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Batches, HeadSize, Workload
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.run_folder import RunFolder

STEPS = 100


def trained(trained: str = "adapter", adapters: tuple[str, ...] = ("seq_bn",), **fields: object) -> JobRecord:
    """A training of 100 steps over 32 x 128 pieces, whose counts are what closed forms say."""
    network, head = NetworkShape(encoder_shape(XLM_R_BASE), adapters, False, trained), HeadShape(True, 3)
    step, sizes = step_flops(network, head, 32, 128).times(STEPS), parameters(network, [head])
    usage = {
        "trainable_parameters": sizes.trained,
        "total_parameters": sizes.total,
        "train_flops": step.total,
        "train_forward_flops": step.forward,
        "train_activation_gradient_flops": step.activation_gradient,
        "train_weight_gradient_flops": step.weight_gradient,
        "nominal_train_flops": nominal_flops(STEPS * 32 * 128, sizes.non_embedding),
        "train_seconds": 100.0,
        "train_data_seconds": 5.0,
        "train_forward_seconds": 40.0,
        "train_backward_seconds": 45.0,
        "train_optimizer_seconds": 7.0,
        "validate_seconds": 11.0,
    }
    workload = Workload(
        encoder=XLM_R_BASE,
        adapters=adapters,
        trained=trained,
        heads={"a": HeadSize(per_sequence=True, outputs=3)},
        batches=(Batches(task="a", sequences=32, length=128, steps=STEPS),),
    )
    return build(usage=usage, workload=workload, **fields)


LIVES = Ledger(
    (
        fetch(),
        trained(label="one", key="k1"),
        trained(label="two", key="k1"),
        trained(label="two", key="k2", day=40.0),
        trained("model", (), label="full", slot="model/a", key="k3", seed=2),
    )
)


def test_a_training_that_strategies_share_is_one():
    found = explain(find(LIVES, "adapter/a@0"))
    assert (found.slot, found.day, found.labels) == ("adapter/a", 0, ("one", "two"))
    assert find(LIVES, "k2") == find(LIVES, "adapter/a@40") == find(LIVES, "adapter/a@40", strategy="two", seed=1)


@pytest.mark.parametrize(
    ("name", "how", "told"),
    [
        ("adapter/b", {}, r"did you mean 'adapter/a'\? Near are:\n  --job adapter/a  of one, two"),
        ("adaptr/a", {"strategy": "full"}, r"Near are:\n  --job adapter/a  of one, two"),
        ("x", {}, r"is not the name of a training; known: adapter/a, model/a"),
        ("adapter/a", {"strategy": "full"}, "was not trained there, but under --strategy one --seed 1"),
        ("dataset/a", {}, "is fetched and not trained"),
        ("adapter/a@7", {}, "give adapter/a@0, adapter/a@40"),
        ("adapter/a", {}, r"2 trainings are called .*\n  --job adapter/a@0 --strategy one .*\n  --job adapter/a@40"),
        ("adapter/a", {"strategy": "tow"}, r"no training of strategy 'tow'; did you mean 'two'\?"),
        ("adapter/a", {"seed": 3}, "no training of seed '3'; known: 1, 2"),
    ],
)
def test_a_name_that_fits_none_or_several_is_refused(name, how, told):
    with pytest.raises(ExplanationError, match=told):
        find(LIVES, name, **how)


def test_what_an_adapter_saves_and_what_not():
    found = explain(find(LIVES, "adapter/a@0"))
    shares = {line.what: line.this / line.full for line in found.flops}
    assert shares["forward"] == pytest.approx(1.010, abs=1e-3)
    assert shares["gradients of activations"] == pytest.approx(0.926, abs=1e-3)
    assert shares["gradients of weights"] == pytest.approx(0.0105, abs=1e-3)
    assert shares["all, as computed"] == pytest.approx(0.657, abs=1e-3)
    assert shares["nominal, 6ND"] > 1
    told = " ".join(found.sentences)
    assert "0.5 % of the parameters are trained, and 66 % of the operations" in told
    assert "101 % of full fine-tuning" in told


def test_seconds_are_told_by_part_and_those_of_full_training_scaled():
    seconds = {line.what: (line.this, line.full) for line in explain(find(LIVES, "adapter/a@0")).seconds}
    assert seconds["the loop itself"] == (pytest.approx(3.0), None)
    assert seconds["data"] == (5.0, 5.0) and seconds["optimizer"] == (7.0, None)
    assert seconds["forward"][1] == pytest.approx(40 / 1.0101, rel=1e-3)
    assert seconds["backward"][1] == pytest.approx(45 * 1430.3 / 687.5, rel=1e-3)
    assert seconds["checkpoints"] == (None, None)
    remain = (5 + 40 + 45) / (5 + seconds["forward"][1] + seconds["backward"][1])
    assert f"backward pass, {100 * remain:.0f} % remain" in explain(find(LIVES, "adapter/a@0")).sentences[-1]


def test_full_fine_tuning_saves_nothing():
    found = explain(find(LIVES, "model/a"))
    assert all(line.this == line.full for line in (*found.flops, *found.parameters))
    assert found.sentences[0].startswith("All parameters are trained, and nothing is saved")


@pytest.mark.parametrize(
    ("workload", "told"),
    [(None, "an earlier version"), ({**XLM_R_BASE, "model_type": "mpnet"}, "type 'mpnet' has no closed form")],
)
def test_without_a_closed_form_full_fine_tuning_is_unavailable(workload, told):
    job = trained()
    known = job.workload.model_copy(update={"encoder": workload}) if workload else None
    found = explain([job.model_copy(update={"workload": known, "unavailable": ("energy_joules",)})])
    assert told in found.unavailable[0] and "energy_joules" in found.unavailable[1]
    assert {line.full for line in (*found.flops, *found.seconds)} == {None}
    assert found.flops[0].this and not found.sentences


def test_an_estimated_training_says_so_and_shows_no_rows_of_dashes(tmp_path, monkeypatch):
    job = trained()
    usage = {name: amount for name, amount in job.usage.items() if not name.endswith("_seconds")}
    lost = {"provenance": "estimated", "unavailable": ("energy_joules", "peak_memory_bytes")}
    RunFolder(tmp_path).write_ledger(Ledger((job.model_copy(update={"usage": usage} | lost),)))
    monkeypatch.setenv("COLUMNS", "120")
    text = CliRunner().invoke(app, ["explain", str(tmp_path), "--job", job.slot]).output
    assert "estimated and not measured, as nothing was trained" in text
    assert "energy_joules, peak_memory_bytes: not measured, as this training was estimated" in text
    assert "could not be measured" not in text and "–" not in text and "Seconds" not in text


def test_at_the_command_line(tmp_path, monkeypatch):
    RunFolder(tmp_path).write_ledger(LIVES)
    monkeypatch.setenv("COLUMNS", "80")
    text = CliRunner().invoke(app, ["explain", str(tmp_path), "--job", "adapter/a@0"])
    assert text.exit_code == 0, text.output
    for told in ("1,4", "T", "65.7 %", "full fine-tuning", "estimated", "the loop itself", "66 % of the operations"):
        assert told in text.output, told
    machine = CliRunner().invoke(app, ["explain", str(tmp_path), "--job", "adapter/a@0", "--json"])
    assert json.loads(machine.output)["labels"] == ["one", "two"]
    refused = CliRunner().invoke(app, ["explain", str(tmp_path), "--job", "adapter/x"])
    assert refused.exit_code == 2 and "did you mean" in refused.output
