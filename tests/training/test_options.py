"""What is let pass of the options of methods trains everywhere and changes what is trained; what is refused is not."""

import pytest
import torch
from toy_model import ROWS
from transformers.activations import get_activation

from adapeff_sim.artifacts.method_options import CURVE, CURVES, FLAG, NOT_TAKEN, OPTIONS, PLACES, places_of
from adapeff_sim.artifacts.methods import FUSIBLE, METHODS, SPLITTABLE, family, options
from adapeff_sim.base_models.encoders import ENCODERS, why_not
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training import held
from adapeff_sim.training import network as networks
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import Batch, BatchShape, collate
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.serve import TASK
from adapeff_sim.training.task_head import task_head

KIND, LABELS, MADE = ROWS["colour"]
HEADS = (("colour", task_head(KIND, len(LABELS))),)
NARROW = {"compacter": {"reduction_factor": "8"}, "compacter++": {"reduction_factor": "8"}}  # of 32; 32 / 32 < 4
OTHER = {"reduction_factor": "4", "dropout": "0.5", "scaling": "3", "r": "3", "alpha": "3", "phm_dim": "2"}
OTHER["prompt_length"] = "3"
UNLIKE = (
    "albert",
    "deberta",
    "deberta-v2",
    "distilbert",
    "modernbert",
    "xlm-roberta",
)  # others share the last one's code
USUALLY_ON = {"original_ln_after", "selfattn_lora"}  # and of two methods more
ALSO_ON = {"seq_bn": {"original_ln_before"}, "seq_bn_inv": {"original_ln_before"}, "ia3": {"intermediate_lora"}}
ALSO_ON["compacter++"] = ALSO_ON["seq_bn"]


def other(name: str, option: str) -> str:
    """Another value than the library's own."""
    if OPTIONS[name][option] is FLAG:
        return str(option not in USUALLY_ON | ALSO_ON.get(name, set()))
    return "tanh" if OPTIONS[name][option] is CURVE else OTHER[option]


def written(name: str, **said: str) -> str:
    """A method, with what makes it narrow enough for a tiny encoder."""
    said = NARROW.get(name, {}) | said
    return f"{name}[{', '.join(f'{k}={v}' for k, v in said.items())}]" if said else name


def turned(name: str, option: str) -> str:
    """The method with one option turned; an update that is moved lies at one other place instead."""
    said = {option: other(name, option)}
    if option == "selfattn_lora" and name != "ia3":
        said["output_lora"] = "True"
    if name == "vera" and option in PLACES[1:]:
        said["selfattn_lora"] = "False"
    return written(name, **said)


def given(backbone: Backbone) -> Batch:
    return collate("colour", KIND, backbone.reader.items(KIND, MADE(6), LABELS), backbone.padding)


def trained(backbone: Backbone, method: str, steps: int = 2) -> tuple[Network, list[float]]:
    """A network after a few steps, and the losses on the way."""
    network = backbone.network(Setup(HEADS, (method,), trained="adapter"), seed=0)
    network.train()
    optimizer = torch.optim.AdamW(list(network.trainable().values()), lr=1e-2, weight_decay=0.0)
    torch.manual_seed(1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = network.loss(given(backbone))
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return network, losses


@torch.inference_mode()
def said(network: Network, backbone: Backbone) -> torch.Tensor:
    network.eval()
    return network.answers(given(backbone))


def is_like(one: tuple[Network, list[float]], two: tuple[Network, list[float]], backbone: Backbone) -> bool:
    """Whether two trainings are the same to the last bit, and of as many parameters."""
    sizes = {network.size()["trainable_parameters"] for network, _ in (one, two)}
    return len(sizes) == 1 and one[1] == two[1] and torch.equal(said(one[0], backbone), said(two[0], backbone))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_option_changes_what_is_trained(name, backbone_of):
    backbone = backbone_of("bert", num_hidden_layers=1)
    usual = trained(backbone, written(name))
    for option in OPTIONS[name]:
        assert not is_like(usual, trained(backbone, turned(name, option)), backbone), option


def everything(encoder: str, name: str) -> str:
    """A method with as many of its options turned as go together on an encoder."""
    chosen = {o: other(name, o) for o in OPTIONS[name] if o not in ENCODERS[encoder].always and o != "alpha"}
    if name == "vera":
        chosen |= {"intermediate_lora": "False"}
    return written(name, **chosen)


TOGETHER = [(e, m) for e in UNLIKE for m in sorted(METHODS - {"compacter++", "double_seq_bn_inv"}) if not why_not(e, m)]


@pytest.mark.parametrize(("encoder", "name"), TOGETHER)
def test_options_together_train_on_every_encoder(encoder, name, backbone_of):
    backbone, method = backbone_of(encoder), everything(encoder, name)
    assert why_not(encoder, name, options(method)) is None
    network, losses = trained(backbone, method, steps=1)
    own = [n for n in network.trainable() if not n.startswith("heads.")]
    assert own and all(map(torch.isfinite, map(torch.tensor, losses)))
    if name in SPLITTABLE - ENCODERS[encoder].cannot_split:
        several = held.several(backbone, Setup(((TASK, HEADS[0][1]),), (method,)), HEADS[0][1], torch.device("cpu"))
        with torch.inference_mode():
            assert held.mixed(several, BatchShape(1, 12), backbone.padding.with_types, 0.0).seconds > 0


@pytest.mark.parametrize("method", ["lora", "ia3", "lora[use_gating=True]", "ia3[use_gating=True]"])
@pytest.mark.parametrize("encoder", UNLIKE)
def test_what_is_merged_answers_as_before_and_what_has_gates_is_not_merged(encoder, method, backbone_of):
    backbone = backbone_of(encoder)
    network, _ = trained(backbone, method)
    before = said(network, backbone)
    found = held.merged(network, lambda: said(network, backbone))
    assert (found is None) == ("gating" in method)
    assert found is None or torch.allclose(found, before, atol=1e-5)


@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_is_known_to_the_library_and_learns_nothing(curve):
    assert not list(get_activation(curve).parameters())


STOPS = {  # what is refused would not have worked
    "vera[output_lora=True]": {"output_lora": True},
    "ia3[r=3]": {"r": 3},
    "ia3[dropout=0.5]": {"dropout": 0.5},
    "seq_bn[scaling=3]": {"scaling": 3},  # which is why all that is no whole number is read as it is
}


@pytest.mark.parametrize("method", STOPS)
def test_an_option_that_is_refused_or_read_otherwise_stops_the_library(method, backbone_of, monkeypatch):
    backbone, name = backbone_of("bert"), method.partition("[")[0]
    monkeypatch.setattr(networks, "family", lambda _: name)
    monkeypatch.setattr(networks, "options", lambda _: STOPS[method])
    with pytest.raises((RuntimeError, ExecutionError)):
        trained(backbone, method, steps=1)


def test_an_update_that_lies_nowhere_trains_a_head_alone(backbone_of, monkeypatch):
    monkeypatch.setattr(networks, "options", lambda _: {"selfattn_lora": False})
    network = backbone_of("bert").network(Setup(HEADS, ("lora",), trained="adapter"), seed=0)
    assert all(name.startswith("heads.") for name in network.trainable())


@pytest.mark.parametrize(("name", "said_of"), [("par_bn", {"original_ln_before": True}), ("lora", {"alpha": 4})])
def test_an_option_that_is_refused_would_have_changed_nothing(name, said_of, backbone_of, monkeypatch):
    backbone, beside = backbone_of("bert"), {"use_gating": True}
    monkeypatch.setattr(networks, "family", lambda _: name)
    found = []
    for chosen in (beside, beside | said_of):
        monkeypatch.setattr(networks, "options", lambda _, chosen=chosen: chosen)
        found.append(trained(backbone, name))
    assert is_like(*found, backbone)


@pytest.mark.parametrize("name", sorted(FUSIBLE))
def test_a_fusion_leaves_out_what_it_is_not_put_over(name, backbone_of):
    """Gates and norms behind an adapter: with them or without, the fusion says the same."""
    backbone, answers = backbone_of("bert"), []
    for said_of in ({}, {"use_gating": "True", "ln_after": "True"}):
        methods = (written(name, **said_of),) * 2
        network = backbone.network(Setup(HEADS, methods, fused=True), seed=0)
        draw = torch.Generator().manual_seed(1)
        for key, parameter in sorted(network.named_parameters()):
            if "gate" not in key and "norm_after" not in key:
                parameter.data = 0.1 * torch.randn(parameter.shape, generator=draw)
        answers.append(said(network, backbone))
    assert torch.equal(*answers)


UNFIT = [(e, each, m) for e in sorted(ENCODERS) for each in ENCODERS[e].cannot_with for m in each.methods]
UNUSUAL = {"position_embedding_type": "relative_key", "embedding_size": 16, "conv_kernel_size": 3}


@pytest.mark.parametrize(("encoder", "unfit", "method"), UNFIT, ids=[f"{e}-{u.setting}-{m}" for e, u, m in UNFIT])
def test_a_method_that_a_setting_rules_out_would_not_have_worked(encoder, unfit, method, backbone_of, monkeypatch):
    backbone = backbone_of(encoder, **{unfit.setting: UNUSUAL[unfit.setting]})
    with pytest.raises(ExecutionError, match=f"{method} cannot be put on a {encoder}: "):
        backbone.network(Setup(HEADS, (method,)), seed=0)
    monkeypatch.setattr(networks, "why_not", lambda *_: None)
    with pytest.raises(RuntimeError):
        trained(backbone, method, steps=1)
    trained(backbone, "lora", steps=1)


@pytest.mark.parametrize(("encoder", "flag"), [(e, flag) for e in sorted(ENCODERS) for flag in ENCODERS[e].always])
def test_a_flag_that_an_encoder_rules_out_would_not_have_worked(encoder, flag, backbone_of, monkeypatch):
    setup = Setup(HEADS, (f"seq_bn[{flag}=False]",))
    with pytest.raises(ExecutionError, match=f"cannot be put on a {encoder}: .* drop {flag}"):
        backbone_of(encoder).network(setup, seed=0)
    monkeypatch.setattr(networks, "why_not", lambda *_: None)
    with pytest.raises(ExecutionError, match="Unsupported configuration"):
        backbone_of(encoder).network(setup, seed=0)


def test_what_is_refused_by_name_is_of_methods_that_there_are():
    assert {name for name, _ in NOT_TAKEN} <= METHODS and {family(name) for name in METHODS} == METHODS
    assert all(places_of(name, {}) for name in METHODS if PLACES[0] in OPTIONS[name])
