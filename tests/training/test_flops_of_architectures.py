"""Encoders unlike BERT and methods unlike LoRA: what is counted on them is what their closed forms say."""

import json

import pytest
from test_flops import SETUPS, SMALL, TOY, WIDE, backbone_of, shapes
from transformers import AlbertConfig, BertConfig, DebertaConfig, DebertaV2Config, ElectraConfig, ModernBertConfig

from adapeff_sim.artifacts.methods import METHODS, family
from adapeff_sim.base_models.encoders import ENCODERS, why_not
from adapeff_sim.estimation import flops as closed
from adapeff_sim.estimation.encoder import DECIDES_SHAPE, READERS, NoClosedForm, encoder_shape
from adapeff_sim.estimation.parameters import held_bytes, parameters
from adapeff_sim.estimation.stated import config_of
from adapeff_sim.training.batches import BatchShape
from adapeff_sim.training.flop_count import FlopCount
from adapeff_sim.training.held import weights
from adapeff_sim.training.network import Network

DEBERTA = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
V3 = {**DEBERTA, "share_att_key": True, "norm_rel_ebd": "layer_norm", "type_vocab_size": 0}
MODERN = {"reference_compile": False, **{f"{name}_token_id": 2 for name in ("bos", "eos", "cls", "sep")}}
CONFIGS = {
    "albert": AlbertConfig(**TOY, **SMALL, embedding_size=12),
    "albert in groups": AlbertConfig(
        **TOY, **SMALL | {"num_hidden_layers": 4}, embedding_size=24, num_hidden_groups=2, inner_group_num=2
    ),
    "deberta": DebertaConfig(**TOY, **SMALL, **DEBERTA, max_relative_positions=10),
    "deberta with all": DebertaConfig(
        **TOY,
        **SMALL,
        **DEBERTA | {"position_biased_input": True, "pos_att_type": "c2p"},
        type_vocab_size=2,
        embedding_size=12,
    ),
    "deberta-v2": DebertaV2Config(**TOY, **SMALL, **DEBERTA, max_relative_positions=9, type_vocab_size=2),
    "deberta-v2 with a convolution": DebertaV2Config(
        **TOY, **SMALL, **V3, position_buckets=8, conv_kernel_size=3, conv_groups=2
    ),
    "deberta-v2 that shares in vain": DebertaV2Config(
        **TOY, **SMALL, **V3 | {"pos_att_type": ["c2p"]}, embedding_size=12
    ),
    "deberta-v2 without positions": DebertaV2Config(**TOY, **SMALL),
    "deberta-v3": DebertaV2Config(**TOY, **SMALL, **V3, position_buckets=8),
    "electra that widens": ElectraConfig(**TOY, **SMALL, type_vocab_size=2, embedding_size=12),
    "modernbert": ModernBertConfig(
        **TOY, **SMALL | {"hidden_size": 18}, **MODERN, global_attn_every_n_layers=2, local_attention=4
    ),
    "modernbert with biases": ModernBertConfig(
        **TOY, **SMALL, **MODERN, attention_bias=True, mlp_bias=True, norm_bias=True
    ),
    "bert": BertConfig(**TOY, **SMALL, type_vocab_size=2),
}
SHAPES = {"colour": (2, 8), "names": (3, 24)}
GATED = ("seq_bn[use_gating=True]", "lora[use_gating=True, r=3]", "ia3[use_gating=True]", "vera[use_gating=True]")
WITHOUT_OWN = ("dora[r=3, intermediate_lora=True]", "vera[r=3, selfattn_lora=False, output_lora=True]", "noreft[r=2]")
NEW = ("dora", "vera", "noreft", "seq_bn_inv", "double_seq_bn_inv", *GATED, *WITHOUT_OWN)
VARIED = ("deberta with all", "deberta-v2 that shares in vain", "modernbert with biases")
CASES = [
    *(
        (name, how)
        for name in CONFIGS
        if name not in ("bert", "albert in groups", *VARIED)
        for how in ("full", "seq_bn", "lora")
    ),
    *((name, how) for name in VARIED for how in ("full", "lora")),
    *(("bert", method) for method in NEW),
    *(("deberta-v3", method) for method in ("dora", "vera", "ia3", "prompt_tuning[prompt_length=4]")),
    *(("albert", method) for method in ("seq_bn_inv", "prompt_tuning[prompt_length=4]", "2 fused")),
    *(("modernbert", how) for how in ("ia3", "par_bn", "double_seq_bn", "lora[use_gating=True, r=3]", "2 fused")),
    ("albert in groups", "full"),
    ("deberta", "ia3"),
    ("deberta", "double_seq_bn_inv"),
]


def how_of(name: str):
    return SETUPS.get(name, ((name,), False, "adapter"))


def kept(network: Network) -> int:
    """The numbers in the files of what is trained."""
    added = [name for names in network.parts.adapters for name in names]
    own = {"model": network.parts.encoder, "adapter": added, "fusion": network.parts.fusion}
    held = network.state_dict()
    names = [f"encoder.{name}" for name in own.get(network.setup.trained, ())]
    return sum(held[name].numel() for name in (*names, *(name for name in held if name.startswith("heads."))))


@pytest.mark.parametrize(("name", "how"), CASES)
def test_closed_forms_of_every_architecture_are_the_count(name, how):
    """Forward, activation gradients and weight gradients of two batches; numbers of parameters, and of what is kept."""
    config = CONFIGS[name]
    setup, network, heads = shapes(config, how_of(how), *SHAPES)
    backbone, counter = backbone_of(config), FlopCount()
    for (task, (sequences, length)), head in zip(SHAPES.items(), heads, strict=True):
        counted = counter.parts(backbone, setup, task, BatchShape(sequences, length), backward=True)
        formed = closed.step_flops(network, head, sequences, length)
        found = (counted.forward, counted.activation_gradient, counted.weight_gradient)
        assert found == (formed.forward, formed.activation_gradient, formed.weight_gradient)
    real, sizes = counter._skeleton(backbone, setup, "meta"), parameters(network, heads)
    assert (sizes.trained, sizes.non_embedding, sizes.total) == tuple(real.size().values())
    assert sizes.kept == kept(real)


HELD = [((m,), False) for m in ("seq_bn", "compacter[reduction_factor=6]", "loreft[r=2]", "vera", "prompt_tuning")]


@pytest.mark.parametrize(("adapters", "fused"), [((), False), *HELD, (("par_bn",) * 2, True)], ids=str)
def test_what_a_server_holds_is_what_was_seen(adapters, fused):
    """The bytes that a probe tells of, buffers included, are those that follow from the shape."""
    config, trained = CONFIGS["bert"], "nothing"
    setup, network, heads = shapes(config, (adapters, fused, trained), "colour")
    real = FlopCount()._skeleton(backbone_of(config), setup, "cpu")
    seen = weights(real)
    seen.pop("added_adapter_bytes", None)
    assert held_bytes(network, heads) == seen


def test_every_encoder_and_every_method_of_the_tables_has_a_closed_form():
    assert READERS.keys() == ENCODERS.keys()
    modern, bert = (encoder_shape(CONFIGS[name].to_dict()) for name in ("modernbert", "bert"))
    for shape, encoder in ((bert, "bert"), (modern, "modernbert")):
        for method in (m for m in METHODS if not why_not(encoder, family(m))):
            network = closed.NetworkShape(shape, (method,), trained="adapter")
            assert closed.step_flops(network, closed.HeadShape(True, 3), 2, 8).weight_gradient > 0
            assert parameters(network, []).trained > 0


@pytest.mark.parametrize("method", ["loreft", "loreft[r=4]"])
def test_loreft_is_counted_within_one_percent_and_its_parameters_to_the_last(method):
    """What flows back through the making of orthogonal rows is in no closed form."""
    config = BertConfig(**TOY | {"max_position_embeddings": 130}, **WIDE | {"num_hidden_layers": 1})
    setup, network, heads = shapes(config, how_of(method), "colour")
    backbone, counter = backbone_of(config), FlopCount()
    counted = counter.parts(backbone, setup, "colour", BatchShape(8, 128), backward=True)
    formed = closed.step_flops(network, heads[0], 8, 128)
    assert (formed.forward, formed.activation_gradient) == (counted.forward, counted.activation_gradient)
    assert formed.total == pytest.approx(counted.total, rel=0.01)
    real, sizes = counter._skeleton(backbone, setup, "cpu"), parameters(network, heads)
    assert (sizes.trained, sizes.non_embedding, sizes.total) == tuple(real.size().values())
    assert sizes.kept == kept(real)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_workload_keeps_all_that_decides_a_shape(name):
    config = CONFIGS[name].to_dict()
    written = json.loads(json.dumps({key: config[key] for key in DECIDES_SHAPE if key in config}))
    assert encoder_shape(written) == encoder_shape(config)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("deberta with all", "prompt_tuning"),
        ("deberta with all", "seq_bn_inv"),
        ("deberta-v2 with a convolution", "prompt_tuning"),
        ("modernbert", "dora"),
    ],
)
def test_what_the_library_cannot_put_on_an_encoder_has_no_closed_form(name, method):
    with pytest.raises(NoClosedForm, match="cannot"):
        closed.step_flops(shapes(CONFIGS[name], how_of(method), "colour")[1], closed.HeadShape(True, 3), 1, 8)


NUMBERS = {"layers": 2, "hidden": 24, "inner": 40, "heads": 3, "vocabulary": 50, "positions": 70, "types": 0}


@pytest.mark.parametrize(
    ("stated", "config"),
    [
        (config_of("albert", {**NUMBERS, "types": 2, "pieces": 12}), CONFIGS["albert"]),
        (config_of("deberta", {**NUMBERS, "span": 10}), CONFIGS["deberta"]),
        (config_of("deberta-v2", {**NUMBERS, "buckets": 8}), CONFIGS["deberta-v3"]),
        (config_of("modernbert", {**NUMBERS, "hidden": 18}), CONFIGS["modernbert"]),
        (config_of("electra", {**NUMBERS, "types": 2, "pieces": 12}), CONFIGS["electra that widens"]),
    ],
)
def test_what_is_stated_by_numbers_is_the_shape_of_a_real_config(stated, config):
    assert encoder_shape(stated) == encoder_shape(config.to_dict())
