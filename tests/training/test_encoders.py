"""What the table of encoders says is true of each of them: methods, fusion, kinds of task, counting, serving."""

import pytest
import torch
from tiny_encoders import SETTINGS
from toy_model import BASE, ROWS, Built, adapter, task

from adapeff_sim.artifacts.methods import FUSIBLE, METHODS
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.base_models.encoders import ENCODERS, why_not
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training import held
from adapeff_sim.training import network as networks
from adapeff_sim.training.autocast import autocast
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import Batch, BatchShape, collate
from adapeff_sim.training.flop_count import FlopCount, _run
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.parts import Answers, Card, base_of, load_parts, save_parts
from adapeff_sim.training.task_head import task_head

NARROW = {"compacter": "compacter[reduction_factor=8]", "compacter++": "compacter++[reduction_factor=8]"}  # 32 / 32 < 4
FITTING = [(e, m) for e in sorted(ENCODERS) for m in sorted(METHODS) if not why_not(e, m)]
REFUSED = [(e, m) for e in sorted(ENCODERS) for m in ENCODERS[e].cannot]
SHAPE = BatchShape(4, 16)


def heads(name: str):
    kind, labels, _ = ROWS[name]
    return ((name, task_head(kind, len(labels))),)


def batch(backbone: Backbone, name: str = "colour") -> Batch:
    kind, labels, rows = ROWS[name]
    return collate(name, kind, backbone.reader.items(kind, rows(6), labels), backbone.padding)


def step(network: Network, given: Batch, steps: int = 2) -> None:
    network.train()
    optimizer = torch.optim.AdamW(list(network.trainable().values()), lr=1e-2, weight_decay=0.0)
    for _ in range(steps):
        optimizer.zero_grad()
        network.loss(given).backward()
        optimizer.step()


def said(network: Network, given: Batch) -> torch.Tensor:
    network.eval()
    with torch.inference_mode():
        return network.answers(given)


def state(network: Network) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def moved(network: Network, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}


def card(backbone: Backbone, kind: Kind, *methods: str) -> Card:
    answers = {"colour": Answers(kind=TaskKind.CLASSIFICATION, labels=ROWS["colour"][1])}
    return Card(kind=kind, methods=methods, tasks=answers, base=base_of(backbone.release))


def test_there_is_a_tiny_one_of_every_encoder():
    assert SETTINGS.keys() == ENCODERS.keys()


@pytest.mark.parametrize(("encoder", "method"), FITTING)
def test_a_method_learns_has_an_effect_and_reloads_equal(encoder, method, backbone_of, tmp_path):
    backbone, method = backbone_of(encoder), NARROW.get(method, method)
    setup, given = Setup(heads("colour"), (method,), trained="adapter"), batch(backbone_of(encoder))
    network = backbone.network(setup, seed=0)
    own, before = {f"encoder.{name}" for name in network.parts.adapters[0]}, state(network)
    step(network, given)
    changed = moved(network, before)
    assert changed & own and {n for n in changed - own if not n.startswith("heads.")} == set()
    answers = said(network, given)
    save_parts(network, card(backbone, Kind.ADAPTER, method), tmp_path)
    again = backbone.network(setup, seed=9)
    load_parts(again, tmp_path, Kind.ADAPTER, tasks=("colour",))
    assert torch.equal(said(again, given), answers)
    again.encoder.set_active_adapters(None)
    bare = said(again, given)
    assert (bare - answers).abs().max() > 1e-5, "the adapter itself has an effect"
    plain = backbone.network(Setup(heads("colour")), seed=0)
    plain.heads.load_state_dict(again.heads.state_dict())
    assert torch.allclose(said(plain, given), bare, atol=1e-6), "without its adapter it is the base model"


@pytest.mark.parametrize(("encoder", "method"), REFUSED)
def test_a_method_that_is_refused_would_not_have_worked(encoder, method, backbone_of, monkeypatch):
    backbone, setup = backbone_of(encoder), Setup(heads("colour"), (method,), trained="adapter")
    with pytest.raises(ExecutionError, match=f"{method} cannot be put on a {encoder}: "):
        backbone.network(setup, seed=0)
    monkeypatch.setattr(networks, "why_not", lambda *_: None)
    with pytest.raises((RuntimeError, AttributeError, IndexError, ExecutionError)):
        _run(backbone.skeleton(setup, "cpu"), backbone, "colour", SHAPE, backward=True)


@pytest.mark.parametrize("method", sorted(FUSIBLE))
@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_a_fusion_learns_over_frozen_adapters_and_reloads_equal(encoder, method, backbone_of, tmp_path):
    backbone, methods = backbone_of(encoder), (NARROW.get(method, method),) * 2
    setup, given = Setup(heads("colour"), methods, fused=True, trained="fusion"), batch(backbone_of(encoder))
    network = backbone.network(setup, seed=0)
    trained = {f"encoder.{name}" for names in network.parts.adapters for name in names}
    torch.manual_seed(3)
    for name, parameter in network.named_parameters():
        parameter.data += 0.1 * torch.randn_like(parameter) if name in trained else 0
    before = state(network)
    step(network, given)
    own = {f"encoder.{name}" for name in network.parts.fusion}
    assert {n for n in moved(network, before) if not n.startswith("heads.")} == own
    save_parts(network, card(backbone, Kind.FUSION, *methods), tmp_path)
    again = backbone.network(setup, seed=9)
    again.load_state_dict({name: before[name] for name in trained}, strict=False)
    load_parts(again, tmp_path, Kind.FUSION, tasks=("colour",))
    assert torch.equal(said(again, given), said(network, given))


@pytest.mark.parametrize("name", sorted(ROWS))
@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_every_kind_of_task_trains_the_whole_model(encoder, name, backbone_of):
    backbone, given = backbone_of(encoder), batch(backbone_of(encoder), name)
    network = backbone.network(Setup(heads(name), trained="model"), seed=0)
    step(network, given, steps=1)
    still = {n for n, p in network.trainable().items() if p.grad is None or not p.grad.abs().sum() > 0}
    assert {n for n in still if not n.endswith(("out.bias", "key.bias", "k_lin.bias"))} == set(), "all of it learns"
    assert len(said(network, given)) == len(given.groups or given.ids)


@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_operations_are_counted_alike_with_and_without_memory(encoder, backbone_of):
    backbone = backbone_of(encoder)
    for setup in (Setup(heads("colour"), trained="model"), Setup(heads("colour"), ("seq_bn",), trained="adapter")):
        parts = [FlopCount().parts(backbone, setup, "colour", SHAPE, backward) for backward in (False, True)]
        really = backbone.skeleton(setup, "cpu")
        assert parts == [_run(really, backbone, "colour", SHAPE, backward) for backward in (False, True)]
        counted = [found.total for found in parts]
        assert parts[1].forward == counted[0] and 0 < parts[1].weight_gradient < parts[1].total - counted[0]
        products = 2 * sum(p.numel() for n, p in really.named_parameters() if p.dim() == 2 and "embeddings" not in n)
        tokens = SHAPE.sequences * SHAPE.length
        assert 0.6 * products * tokens < counted[0] < 6 * products * tokens and counted[1] > 1.5 * counted[0]


@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_it_computes_in_bf16_unless_the_table_says_that_it_stops(encoder, backbone_of):
    backbone, given = backbone_of(encoder), batch(backbone_of(encoder))
    network = backbone.network(Setup(heads("colour"), ("seq_bn",), trained="adapter"), seed=0)
    with autocast(torch.device("cpu"), "bf16"):
        if ENCODERS[encoder].needs_fp32:
            with pytest.raises(RuntimeError):
                network.loss(given)
            return
        narrow = said(network, given)
        network.loss(given).backward()
    assert torch.allclose(narrow, said(network, given), atol=0.05)


NARROWED = [(e, m) for e, m in FITTING if e in ("deberta-v2", "modernbert", "xlm-roberta")]


@pytest.mark.parametrize(("encoder", "method"), NARROWED)
def test_a_method_computes_in_bf16_unless_the_table_says_that_it_stops(encoder, method, backbone_of):
    backbone, setup = backbone_of(encoder), Setup(heads("colour"), (NARROW.get(method, method),), trained="adapter")
    network, given = backbone.network(setup, seed=0), batch(backbone_of(encoder))
    with autocast(torch.device("cpu"), "bf16"):
        if method in ENCODERS[encoder].needs_fp32_with:
            with pytest.raises(RuntimeError, match="overflow"):
                network.loss(given)
            return
        network.loss(given).backward()
    assert all(torch.isfinite(p.grad).all() for p in network.trainable().values() if p.grad is not None)


@pytest.mark.parametrize(("encoder", "name"), [*zip(sorted(ENCODERS), [*sorted(ROWS), *sorted(ROWS)], strict=True)])
def test_the_workbench_builds_and_evaluates(encoder, name, backbone_of, bench, tmp_path):
    built, artifact = Built(bench, backbone_of(encoder).release, tmp_path), adapter(name)
    taken = built.build(artifact, task(name, train=16))
    assert taken.usage["train_flops"] > 0 and taken.usage["peak_memory_bytes"] > 0
    scored = built.evaluate((BASE, artifact), task(name), ROWS[name][2](8, seed=5))
    assert 0 <= scored.score <= 1 and scored.usage["evaluate_flops"] > 0


@pytest.mark.parametrize("method", ["seq_bn", "par_bn", "lora", "ia3"])
@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_a_batch_of_several_tasks_is_split_unless_the_table_says_that_it_cannot_be(encoder, method, backbone_of):
    backbone, setup = backbone_of(encoder), Setup(heads("colour"), (method,))
    network = held.several(backbone, setup, setup.heads[0][1], torch.device("cpu"))
    with torch.inference_mode():
        if method in ENCODERS[encoder].cannot_split:
            with pytest.raises((ValueError, IndexError), match=r"BatchSplit|batch has a size"):
                held.mixed(network, BatchShape(1, 12), backbone.padding.with_types, 0.001)
        else:
            assert held.mixed(network, BatchShape(1, 12), backbone.padding.with_types, 0.001).seconds > 0
