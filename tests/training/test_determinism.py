"""The same job leaves the same bits: alone, after other jobs, and after being killed in the middle."""

import hashlib
import json

import pytest
from toy_model import EAGER, MACHINE, SETTINGS, adapter, fusion, model, task

from adapeff_sim.training.loop import Rhythm
from adapeff_sim.training.workbench import Workbench

PATIENT = SETTINGS.model_copy(update={"epochs": 4, "patience": 3})
COLOUR, SAME = task("colour", validation=24), task("same", validation=24)
METHODS = ("seq_bn", "lora", "compacter[reduction_factor=8]", "loreft")


class Killed(Exception):
    """The process ends here."""


def bits(folder) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((folder / "artifact").iterdir())}


def killer(after: int):
    """A listener that raises at its ``after``-th note."""
    left = [after]

    def tell(note):
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    return tell


def jobs():
    return {
        **{method: (adapter("colour", method), (COLOUR,)) for method in METHODS},
        "model": (model("colour", "same"), (COLOUR, SAME)),
    }


@pytest.mark.parametrize("name", jobs())
def test_alone_and_after_other_jobs(name, built):
    artifact, tasks = jobs()[name]
    alone = built.build(artifact, *tasks, settings=PATIENT, name="alone")
    built.build(adapter("same", "ia3"), SAME, name="other")
    again = built.build(artifact, *tasks, settings=PATIENT, name="again")
    assert bits(built.folder / "alone") == bits(built.folder / "again")
    assert {q: n for q, n in alone.usage.items() if "seconds" not in q and "peak" not in q} == {
        q: n for q, n in again.usage.items() if "seconds" not in q and "peak" not in q
    }


@pytest.mark.parametrize("name", ["seq_bn", "loreft", "model"])
def test_killed_and_gone_on(name, built, base):
    artifact, tasks = jobs()[name]
    whole = built.build(artifact, *tasks, settings=PATIENT, name="whole")
    for after in (2, 6):
        with pytest.raises(Killed):
            built.build(
                artifact,
                *tasks,
                settings=PATIENT,
                name="killed",
                tell=killer(after),
                bench=Workbench(MACHINE, rhythm=EAGER),
            )
    resumed = built.build(artifact, *tasks, settings=PATIENT, name="killed", bench=Workbench(MACHINE, rhythm=EAGER))
    assert bits(built.folder / "whole") == bits(built.folder / "killed")
    for quantity in ("train_steps", "train_tokens", "train_flops", "validate_flops", "nominal_train_flops"):
        assert resumed.usage[quantity] == whole.usage[quantity], quantity
    assert resumed.usage["train_weight_gradient_flops"] == whole.usage["train_weight_gradient_flops"]
    assert resumed.usage["checkpoint_seconds"] > 0 and "checkpoint_seconds" not in whole.usage
    assert resumed.converged == whole.converged and resumed.workload == whole.workload
    timeless = [[p.model_copy(update={"train_seconds": 0.0}) for p in taken.curve] for taken in (resumed, whole)]
    assert timeless[0] == timeless[1] != []


def test_a_fusion_killed_and_gone_on(built):
    one, two = adapter("colour"), adapter("same")
    built.build(one, COLOUR)
    built.build(two, SAME)
    both = fusion("colour", one, two)
    built.build(both, COLOUR, settings=PATIENT, name="whole")
    with pytest.raises(Killed):
        built.build(
            both, COLOUR, settings=PATIENT, name="killed", tell=killer(6), bench=Workbench(MACHINE, rhythm=EAGER)
        )
    built.build(both, COLOUR, settings=PATIENT, name="killed")
    assert bits(built.folder / "whole") == bits(built.folder / "killed")


def test_what_a_kill_lost_is_told_apart(built):
    seldom = Workbench(MACHINE, rhythm=Rhythm(1e9, 1e9, tell_seconds=0, beat_seconds=0))
    with pytest.raises(Killed):
        built.build(adapter(), COLOUR, settings=PATIENT, name="killed", tell=killer(8), bench=seldom)
    resumed = built.build(adapter(), COLOUR, settings=PATIENT, name="killed", bench=seldom)
    whole = built.build(adapter(), COLOUR, settings=PATIENT, name="whole", bench=seldom)
    assert resumed.usage["lost_seconds"] > 0
    assert "lost_seconds" not in whole.usage
    assert resumed.usage["train_steps"] == whole.usage["train_steps"]


def test_a_checkpoint_that_tells_less_is_not_taken(built):
    """What an earlier version summed up lacks parts of the steps: gone on with, the parts would be too small."""
    with pytest.raises(Killed):
        built.build(
            adapter(), COLOUR, settings=PATIENT, name="a", tell=killer(6), bench=Workbench(MACHINE, rhythm=EAGER)
        )
    position = built.folder / "a" / "checkpoint" / "position.json"
    told = json.loads(position.read_text())
    del told["sums"]["trained"], told["sums"]["curve"]
    position.write_text(json.dumps(told))
    taken = built.build(adapter(), COLOUR, settings=PATIENT, name="a")
    assert sum(batches.steps for batches in taken.workload.batches) == taken.usage["train_steps"]
    assert taken.curve[0].step == 3


def test_another_seed_and_another_rate_give_other_bits(built):
    built.build(adapter(), COLOUR, name="a")
    built.build(adapter(), COLOUR, name="b", seed=8)
    built.build(adapter(), COLOUR, name="c", settings=SETTINGS.model_copy(update={"learning_rate": 1e-3}))
    found = [bits(built.folder / name)["weights.safetensors"] for name in "abc"]
    assert len(set(found)) == 3


def test_the_checkpoint_of_another_job_is_not_taken(built):
    with pytest.raises(Killed):
        built.build(
            adapter(), COLOUR, settings=PATIENT, name="mixed", tell=killer(6), bench=Workbench(MACHINE, rhythm=EAGER)
        )
    built.build(adapter(), COLOUR, settings=PATIENT, name="mixed", seed=8)
    built.build(adapter(), COLOUR, settings=PATIENT, name="clean", seed=8)
    assert bits(built.folder / "mixed") == bits(built.folder / "clean")
