"""What is trained over something else: fusions, carried-over adapters, models that go on."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_model import BASE, SETTINGS, adapter, fusion, model, task, text_rows

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.recipe import BaseModelRecipe
from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training.build import rows_to_train
from adapeff_sim.training.jobs import BuildJob
from adapeff_sim.training.network import head_key

NEXT = Artifact("base_model", BaseModelRecipe(release="next"))
LONGER = SETTINGS.model_copy(update={"epochs": 10})


def renamed(base: Release, folder: Path, encoder: str) -> Release:
    """The same weights under the name of another encoder, whose layers have the same names."""
    shutil.copytree(base.folder, folder)
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(said | {"model_type": encoder}))
    return resolve(f"path:{folder}")


def weights(built, artifact):
    return load_file(built.folders[artifact.fingerprint] / "weights.safetensors")


def test_a_fusion_learns_over_frozen_adapters(built):
    one, two = adapter("colour"), adapter("same")
    colour = task("colour", train=240)
    built.build(one, colour, settings=LONGER.model_copy(update={"learning_rate": 1e-2}))
    built.build(two, task("same"))
    files = {a: (built.folders[a.fingerprint] / "weights.safetensors").read_bytes() for a in (one, two)}
    both = fusion("colour", one, two)
    built.build(both, colour, settings=LONGER)
    assert {n.split(".")[0] for n in weights(built, both)} == {"fusion", "heads"}
    assert files == {a: (built.folders[a.fingerprint] / "weights.safetensors").read_bytes() for a in files}
    alone = built.evaluate((BASE, one), colour, text_rows(60, seed=5)).score
    fused = built.evaluate((BASE, one, two, both), colour, text_rows(60, seed=5)).score
    assert fused > 0.4 and alone > 0.4


def test_an_adapter_is_carried_over_to_the_next_release(built, other_base):
    artifact = adapter()
    built.build(artifact, task("colour"))
    rows = text_rows(30, seed=6)
    built.evaluate((BASE, artifact), task("colour"), rows)
    carried = built.evaluate((NEXT, artifact), task("colour"), rows, release=other_base)
    assert 0 <= carried.score <= 1


def test_an_adapter_does_not_go_over_another_size(built, wide_base):
    artifact = adapter()
    built.build(artifact, task("colour"))
    with pytest.raises(ExecutionError, match="size 32 does not fit one with 2 of 48"):
        built.evaluate((NEXT, artifact), task("colour"), text_rows(5), release=wide_base)


def test_an_adapter_does_not_go_over_another_encoder(built, base, tmp_path):
    artifact = adapter()
    built.build(artifact, task("colour"))
    roberta = renamed(base, tmp_path / "roberta", "roberta")
    with pytest.raises(ExecutionError, match=r"over a xlm-roberta and cannot be carried over to .*, a roberta; train"):
        built.evaluate((NEXT, artifact), task("colour"), text_rows(5), release=roberta)


def test_nothing_is_used_over_another_base_model_unless_it_is_carried_over(built, base, other_base):
    one, two, whole = adapter("colour"), adapter("same"), model("colour")
    both, on = fusion("colour", one, two), model("colour", start=whole, replay=0.0)
    for artifact, name in ((one, "colour"), (two, "same"), (whole, "colour")):
        built.build(artifact, task(name))
    refused = f"another base model .digest {base.digest}. than {other_base.spec} .{other_base.digest}.; train it again"
    with pytest.raises(ExecutionError, match=refused):
        built.evaluate((BASE, one), task("colour"), text_rows(5), release=other_base)
    with pytest.raises(ExecutionError, match=f"route {one.slot} does not say which base model {one.slot} lies over"):
        built.evaluate((one,), task("colour"), text_rows(5), release=other_base)
    with pytest.raises(ExecutionError, match=refused):
        built.evaluate((whole,), task("colour"), text_rows(5), release=other_base)
    built.build(both, task("colour"))
    with pytest.raises(ExecutionError, match=refused):
        built.evaluate((BASE, one, two, both), task("colour"), text_rows(5), release=other_base)
    built.release = other_base
    for artifact in (both, on):
        with pytest.raises(ExecutionError, match=refused):
            built.build(artifact, task("colour"))


def test_a_model_goes_on_with_its_weights_and_heads(built):
    first = model("colour")
    built.build(first, task("colour", train=240), settings=LONGER)
    second = model("colour", "same", start=first, replay=0.0, replayed=("colour",))
    one_step = SETTINGS.model_copy(update={"max_steps": 1, "learning_rate": 1e-9})
    built.build(second, task("colour", train=0, replay=40), task("same"), settings=one_step)
    before, after = weights(built, first), weights(built, second)
    assert all(torch.allclose(before[n], after[n], atol=1e-6) for n in before), "start and known heads are carried on"
    assert any(n.startswith("heads.task_same.") for n in after)
    rows = text_rows(40, seed=6)
    assert built.evaluate((second,), task("colour"), rows).score == built.evaluate((first,), task("colour"), rows).score


def test_replay_shows_a_fixed_share_again(built, base):
    artifact = model("colour", "same", start=model("colour"), replay=0.25, replayed=("colour",))
    colour = task("colour", train=0, replay=40)
    job = BuildJob(artifact, base, {}, (colour, task("same")), SETTINGS, seed=3)
    chosen = rows_to_train(job, colour)
    assert len(chosen) == 10 and set(chosen) <= set(colour.replay["en"])
    assert rows_to_train(job, colour) == chosen
    other = BuildJob(artifact, base, {}, (colour,), SETTINGS, seed=4)
    assert rows_to_train(other, colour) != chosen


def test_replay_is_counted_as_trained(built):
    first = model("colour")
    built.build(first, task("colour"))
    second = model("colour", "same", start=first, replay=0.5, replayed=("colour",))
    taken = built.build(second, task("colour", train=0, replay=40), task("same", train=48))
    assert taken.usage["train_examples"] == 2 * (48 + 20)


def test_one_model_answers_all_its_tasks(built):
    artifact = model("colour", "names", "pick", "same", "who")
    built.build(artifact, *map(task, artifact.recipe.tasks))
    for name in artifact.recipe.tasks:
        rows = task(name).train["en"][:8]
        assert 0 <= built.evaluate((artifact,), task(name), rows).score <= 1


def test_a_route_without_the_head_is_refused(built):
    artifact = adapter("colour")
    built.build(artifact, task("colour"))
    with pytest.raises(ExecutionError, match="no head for same/en"):
        built.evaluate((BASE, artifact), task("same"), task("same").train["en"])


def test_a_damaged_input_is_reported(built):
    first = model("colour")
    built.build(first, task("colour"))
    (built.folders[first.fingerprint] / "weights.safetensors").write_bytes(b"damaged")
    with pytest.raises(ExecutionError, match="cannot be read"):
        built.evaluate((first,), task("colour"), text_rows(3))


def test_initialisation_is_alike_for_every_strategy(built, base):
    """The head of a task starts alike under an adapter, a fusion and a model."""
    from adapeff_sim.training.build import prepare

    one, two = adapter("colour"), adapter("same")
    built.build(one, task("colour"))
    built.build(two, task("same"))
    backbone = built.bench._backbone(base)
    heads = []
    for artifact, tasks in (
        (one, ("colour",)),
        (fusion("colour", one, two), ("colour",)),
        (model("colour", "same"), ("colour", "same")),
    ):
        job = BuildJob(artifact, base, built.folders, tuple(map(task, tasks)), SETTINGS, seed=3)
        heads.append(prepare(job, backbone).network.heads[head_key("colour")].dense.weight)
    assert torch.equal(heads[0], heads[1]) and torch.equal(heads[0], heads[2])
