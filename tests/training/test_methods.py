"""Every listed method changes the answers, learns, and is the same when it is loaded again."""

import pytest
import torch
from toy_model import BASE, SETTINGS, adapter, fusion, task, text_rows

from adapeff_sim.artifacts.methods import FUSIBLE, METHODS, REFUSED
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.training.backbone import load_backbone
from adapeff_sim.training.batches import collate
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.parts import load_parts
from adapeff_sim.training.task_head import task_head

COLOUR = task("colour")
HEADS = (("colour", task_head(COLOUR.kind, 3)),)
NARROW = {"compacter": "compacter[reduction_factor=8]", "compacter++": "compacter++[reduction_factor=8]"}  # 32 / 32 < 4
SHORT = SETTINGS.model_copy(update={"weight_decay": 0.0})  # LoReft dies of any


def logits(network: Network, backbone) -> torch.Tensor:
    items = backbone.reader.items(COLOUR.kind, text_rows(12), COLOUR.labels)
    network.eval()
    with torch.inference_mode():
        return network.answers(collate("colour", COLOUR.kind, items, backbone.padding))


@pytest.mark.parametrize("method", [NARROW.get(m, m) for m in sorted(METHODS)])
def test_a_method_changes_the_answers_and_reloads_equal(method, built, base):
    backbone = load_backbone(base)
    artifact = adapter(method=method)
    taken = built.build(artifact, COLOUR, settings=SHORT)
    folder = built.folders[artifact.fingerprint]

    again = backbone.network(Setup(HEADS, (method,)), seed=99)
    fresh = logits(again, backbone)
    load_parts(again, folder, Kind.ADAPTER, tasks=("colour",))
    loaded = logits(again, backbone)
    again.encoder.set_active_adapters(None)
    assert not torch.equal(loaded, fresh)
    assert not torch.allclose(loaded, logits(again, backbone), atol=1e-5), "the adapter itself has an effect"

    third = backbone.network(Setup(HEADS, (method,)), seed=5)
    load_parts(third, folder, Kind.ADAPTER, tasks=("colour",))
    assert torch.equal(loaded, logits(third, backbone))
    assert taken.usage["train_flops"] > 0
    route = (BASE, artifact)
    assert 0 <= built.evaluate(route, COLOUR, text_rows(12, seed=8)).score <= 1


@pytest.mark.parametrize("method", [NARROW.get(m, m) for m in sorted(METHODS)])
def test_every_part_of_a_method_is_trained(method, built, base):
    network = load_backbone(base).network(Setup(HEADS, (method,), trained="adapter"), seed=0)
    own = {f"encoder.{name}" for name in network.parts.adapters[0]}
    trained = set(network.trainable())
    assert {n for n in trained if not n.startswith("heads.")} <= own
    assert any(n.startswith("encoder.") for n in trained)
    assert all(n in trained for n, _ in network.named_parameters() if n.startswith("heads."))


@pytest.mark.parametrize("method", [NARROW.get(m, m) for m in sorted(FUSIBLE)])
def test_a_fusible_method_trains_when_fused(method, built):
    one, two = adapter("colour", method), adapter("same", method)
    built.build(one, COLOUR)
    built.build(two, task("same"))
    both = fusion("colour", one, two)
    taken = built.build(both, COLOUR)
    backbone = load_backbone(built.release)
    network = backbone.network(Setup(HEADS, (method, method), fused=True, trained="fusion"), seed=7)
    before = {n: t.clone() for n, t in network.state_dict().items() if "fusion" in n}
    load_parts(network, built.folders[both.fingerprint], Kind.FUSION, tasks=("colour",))
    after = network.state_dict()
    assert before and any(not torch.equal(before[n], after[n]) for n in before)
    assert not any("adapters." in n for n in network.trainable()), "fused adapters stay frozen"
    assert taken.usage["trainable_parameters"] == sum(p.numel() for p in network.trainable().values())


def test_rows_that_are_orthogonal_stay_so_whatever_decays(built, base):
    """Without this the edits of hidden states would be nothing after the first step, and only the head be trained."""
    artifact = adapter(method="loreft[r=2]")
    built.build(artifact, COLOUR, settings=SETTINGS.model_copy(update={"weight_decay": 0.1}))
    network = load_backbone(base).network(Setup(HEADS, ("loreft[r=2]",)), seed=0)
    load_parts(network, built.folders[artifact.fingerprint], Kind.ADAPTER, tasks=("colour",))
    rows = [m.weight for name, m in network.named_modules() if name.endswith("projection")]
    assert rows and all(torch.allclose(r @ r.T, torch.eye(2), atol=1e-4) for r in rows)


def test_a_refused_method_is_not_listed():
    assert not METHODS & REFUSED.keys()
