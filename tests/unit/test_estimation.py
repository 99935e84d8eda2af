"""Closed forms, against numbers that were counted elsewhere on real networks, and against reckoning by hand."""

import pytest
from hand_made import XLM_R_BASE
from hypothesis import given
from hypothesis import strategies as st

from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm, encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, nominal_flops, step_flops
from adapeff_sim.estimation.parameters import parameters

BASE = encoder_shape(XLM_R_BASE)
LARGE = EncoderShape(24, 1024, 4096, 16, 250002, 514, 1)
MINILM = EncoderShape(6, 384, 1536, 12, 30522, 512, 2)  # its ratios below were counted with 12 heads, 6 layers
HEAD = HeadShape(per_sequence=True, outputs=3)
V3 = {"model_type": "deberta-v2", "relative_attention": True, "pos_att_type": "c2p|p2c", "position_buckets": 256}
HOW = {
    "full": ((), False, "model"),
    "head": ((), False, "head"),
    "seq_bn": (("seq_bn",), False, "adapter"),
    "double_seq_bn": (("double_seq_bn",), False, "adapter"),
    "lora": (("lora",), False, "adapter"),
    "fuse 3": (("seq_bn",) * 3, True, "fusion"),
}
shapes = st.builds(
    EncoderShape,
    layers=st.integers(1, 30),
    hidden=st.integers(1, 8).map(lambda n: 64 * n),
    inner=st.integers(1, 5000),
    heads=st.sampled_from((1, 2, 8, 16)),
    vocabulary=st.integers(1, 300_000),
    positions=st.integers(1, 1000),
    types=st.integers(1, 3),
)


def network(shape: EncoderShape, how: str) -> NetworkShape:
    return NetworkShape(shape, *HOW[how])


@pytest.mark.parametrize(
    ("shape", "counted"),
    [
        (BASE, {"full": 2.145, "seq_bn": 1.410, "lora": 1.442, "fuse 3": 2.615}),
        (LARGE, {"full": 7.577, "seq_bn": 5.072, "lora": 5.095, "fuse 3": 9.420}),
    ],
    ids=["XLM-R base", "XLM-R large"],
)
def test_a_step_of_32_times_128_pieces_takes_what_was_counted(shape, counted):
    """In teraFLOPs, counted by torch on networks of these sizes."""
    for how, teraflops in counted.items():
        assert step_flops(network(shape, how), HEAD, 32, 128).total / 1e12 == pytest.approx(teraflops, rel=5e-4)


def test_a_step_of_a_small_model_takes_what_was_counted():
    """In gigaFLOPs for 32 sequences of 64 pieces."""
    counted = {"full": 134.1, "head": 44.7, "seq_bn": 84.3, "double_seq_bn": 90.5, "lora": 89.6, "fuse 3": 157.5}
    for how, gigaflops in counted.items():
        assert step_flops(network(MINILM, how), HEAD, 32, 64).total / 1e9 == pytest.approx(gigaflops, rel=1e-2), how


@given(shapes, st.integers(1, 64), st.integers(1, 512))
def test_full_training_by_hand(shape, sequences, length):
    tokens, hidden = sequences * length, shape.hidden
    weights = shape.layers * 2 * tokens * (4 * hidden**2 + 2 * hidden * shape.inner)
    attention = shape.layers * 2 * 2 * tokens * length * hidden
    head = 2 * sequences * (hidden**2 + 3 * hidden)
    found = step_flops(network(shape, "full"), HEAD, sequences, length)
    assert found.forward == weights + attention + head
    assert found.activation_gradient == weights + 2 * attention + head
    assert found.weight_gradient == weights + head


@given(shapes, st.sampled_from(sorted(HOW)), st.integers(1, 64), st.integers(1, 512))
def test_what_is_frozen_saves_weight_gradients_and_never_forward(shape, how, sequences, length):
    full = step_flops(network(shape, "full"), HEAD, sequences, length)
    found = step_flops(network(shape, how), HEAD, sequences, length)
    assert found.forward >= full.forward
    assert found.weight_gradient <= full.weight_gradient or how == "fuse 3"
    untrained = step_flops(NetworkShape(shape, *HOW[how][:2]), HEAD, sequences, length)
    assert (untrained.forward, untrained.total) == (found.forward, found.forward)


def test_the_winner_flips_on_the_accounting():
    """By what is computed an adapter step is a third cheaper than full fine-tuning, by 6ND it is dearer."""
    full, little = (network(BASE, how) for how in ("full", "seq_bn"))
    computed = [step_flops(n, HEAD, 32, 128).total for n in (little, full)]
    nominal = [nominal_flops(32 * 128, parameters(n, [HEAD]).non_embedding) for n in (little, full)]
    assert computed[0] / computed[1] == pytest.approx(0.657, abs=5e-4)
    assert nominal[0] / nominal[1] == pytest.approx(1.0104, abs=5e-4)


def test_parameters_by_hand():
    whole = parameters(network(BASE, "full"), [])
    assert whole.total == whole.trained == 277_453_056  # XLM-R base, its pooler left out
    little = parameters(network(BASE, "seq_bn"), [HEAD])
    assert little.trained == 12 * (2 * 768 * 48 + 48 + 768) + (768 * 768 + 768) + (768 * 3 + 3)
    assert little.total == whole.total + little.trained


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"model_type": "mpnet"}, "type 'mpnet'"),
        ({"model_type": "deberta-v2"}, "relative_attention: 'None'"),
        ({**V3, "pos_att_type": 7}, "pos_att_type: '7'"),
        ({**V3, "talking_head": True}, "talk to each other"),
        ({**V3, "attention_head_size": 32}, "not as wide"),
        ({**V3, "conv_kernel_size": 4}, "a convolution of width 4"),
        ({"model_type": "albert", "embedding_size": 128}, "num_hidden_groups: 'None'"),
        ({"model_type": "albert", "embedding_size": 8, "num_hidden_groups": 9, "inner_group_num": 2}, "9 groups of 2"),
        ({"model_type": "modernbert", "attention_bias": False}, "mlp_bias: 'None'"),
        ({"embedding_size": 128}, "does not widen"),
        ({"num_attention_heads": 7}, "7 heads"),
        ({"position_embedding_type": "relative_key"}, "relative positions"),
        ({"is_decoder": True}, "a decoder"),
        ({"hidden_size": "768"}, "hidden_size: '768'"),
        ({"num_hidden_layers": 0}, "num_hidden_layers: '0'"),
    ],
)
def test_an_encoder_of_another_kind_has_no_closed_form(changed, told):
    with pytest.raises(NoClosedForm, match=told):
        encoder_shape(XLM_R_BASE | changed)


def test_adapters_that_do_not_fit_together_have_no_closed_form():
    mixed = NetworkShape(BASE, ("seq_bn", "par_bn"), fused=True, trained="fusion")
    with pytest.raises(NoClosedForm, match="a fusion of seq_bn, par_bn"):
        step_flops(mixed, HEAD, 1, 8)
    with pytest.raises(NoClosedForm, match="on top of each other"):
        step_flops(NetworkShape(BASE, ("seq_bn", "lora"), trained="adapter"), HEAD, 1, 8)
