"""What is counted on the network is what the closed forms say of its shape, to the last operation."""

from types import SimpleNamespace

import pytest
from toy_model import adapter, model, task
from transformers import (
    BertConfig,
    BertGenerationConfig,
    DistilBertConfig,
    ElectraConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

from adapeff_sim.data.examples import TaskKind
from adapeff_sim.estimation import flops as closed
from adapeff_sim.estimation.encoder import encoder_shape
from adapeff_sim.estimation.parameters import parameters
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import BatchShape, Padding
from adapeff_sim.training.flop_count import FlopCount
from adapeff_sim.training.network import Setup
from adapeff_sim.training.task_head import OF_FIRST_PIECE, task_head

TOY = {"vocab_size": 50, "max_position_embeddings": 70, "pad_token_id": 1}
SMALL = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40}
ONE_LAYER = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 128}
WIDE = {"hidden_size": 768, "num_hidden_layers": 3, "num_attention_heads": 12, "intermediate_size": 3072}
CONFIGS = {
    "bert": BertConfig(**TOY, **SMALL, type_vocab_size=2),
    "roberta": RobertaConfig(**TOY, **ONE_LAYER, type_vocab_size=1),
    "xlm-roberta": XLMRobertaConfig(**TOY, **SMALL, type_vocab_size=1),
    "electra": ElectraConfig(**TOY, **SMALL, type_vocab_size=2, embedding_size=24),
    "bert-generation": BertGenerationConfig(**TOY, **SMALL),
    "distilbert": DistilBertConfig(**TOY, dim=24, n_layers=2, n_heads=3, hidden_dim=40),
    "as wide as xlm-roberta-base": XLMRobertaConfig(
        vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1, **WIDE
    ),
}
KINDS = {
    "colour": task_head(TaskKind.CLASSIFICATION, 3),
    "names": task_head(TaskKind.TAGGING, 5),
    "pick": task_head(TaskKind.CHOICE, 0),
    "who": task_head(TaskKind.SPAN, 0),
}
METHODS = (
    "seq_bn",
    "seq_bn[reduction_factor=5]",
    "seq_bn[reduction_factor=100, ln_before=True, ln_after=True]",
    "double_seq_bn[reduction_factor=4]",
    "par_bn",
    "lora",
    "lora[r=3, intermediate_lora=True, output_lora=True]",
    "lora[r=2, selfattn_lora=False, output_lora=True]",
    "ia3",
    "prompt_tuning[prompt_length=4]",
)
SETUPS = {
    "full": ((), False, "model"),
    "head": ((), False, "head"),
    **{method: ((method,), False, "adapter") for method in METHODS},
    "2 fused": (("seq_bn", "seq_bn[reduction_factor=3]"), True, "fusion"),
    "3 double fused": (("double_seq_bn",) * 3, True, "fusion"),
    "2 parallel fused": (("par_bn",) * 2, True, "fusion"),
}


def backbone_of(config) -> Backbone:
    """A base model that is a shape alone."""
    shape = SimpleNamespace(architecture=str(config.to_dict()), encoder=config.model_type)
    return Backbone(
        shape, SimpleNamespace(config=config), None, Padding(1, 64, getattr(config, "type_vocab_size", 0) > 1)
    )


def shapes(config, how, *tasks: str) -> tuple[Setup, closed.NetworkShape, list[closed.HeadShape]]:
    adapters, fused, trained = how
    setup = Setup(tuple((t, KINDS[t]) for t in sorted(tasks)), adapters, fused, trained)
    heads = [closed.HeadShape(KINDS[t].kind in OF_FIRST_PIECE, KINDS[t].outputs) for t in sorted(tasks)]
    return setup, closed.NetworkShape(encoder_shape(config.to_dict()), adapters, fused, trained), heads


BATCHES = {"colour": (1, 8), "names": (4, 16), "pick": (3, 24), "who": (6, 5)}
OTHERS = ("roberta", "xlm-roberta", "electra", "bert-generation", "distilbert")
FEW = ("full", "seq_bn", "2 fused")


@pytest.mark.parametrize(("name", "how"), [("bert", h) for h in SETUPS] + [(n, h) for n in OTHERS for h in FEW])
def test_closed_forms_are_the_count(name, how):
    """Forward, activation gradients and weight gradients each, over heads and shapes; and numbers of parameters."""
    config = CONFIGS[name]
    setup, network, heads = shapes(config, SETUPS[how], *BATCHES)
    backbone, counter = backbone_of(config), FlopCount()
    chosen = sorted(BATCHES)[:: 1 if how == "seq_bn" else 2]
    for task_name in chosen:
        head, (sequences, length) = heads[sorted(BATCHES).index(task_name)], BATCHES[task_name]
        counted = counter.parts(backbone, setup, task_name, BatchShape(sequences, length), backward=True)
        formed = closed.step_flops(network, head, sequences, length)
        found = (counted.forward, counted.activation_gradient, counted.weight_gradient)
        assert found == (formed.forward, formed.activation_gradient, formed.weight_gradient)
    real, sizes = counter._skeleton(backbone, setup, "meta"), parameters(network, heads)
    assert (sizes.trained, sizes.non_embedding, sizes.total) == tuple(real.size().values())


@pytest.mark.parametrize("how", ["seq_bn", "2 fused"])
def test_closed_forms_are_the_count_at_the_width_of_a_real_model(how):
    config = CONFIGS["as wide as xlm-roberta-base"]
    setup, network, (head,) = shapes(config, SETUPS[how], "colour")
    counted = FlopCount().parts(backbone_of(config), setup, "colour", BatchShape(32, 128), backward=True)
    formed = closed.step_flops(network, head, 32, 128)
    assert (counted.total, counted.weight_gradient) == (formed.total, formed.weight_gradient)


@pytest.mark.parametrize("method", ["compacter[reduction_factor=32, phm_dim=4]", "compacter++"])
def test_a_compacter_is_counted_within_one_percent_and_its_parameters_to_the_last(method):
    """Its matrices are made from factors at every step, which the closed form leaves out."""
    config = XLMRobertaConfig(
        **TOY | {"max_position_embeddings": 130}, type_vocab_size=1, **WIDE | {"num_hidden_layers": 1}
    )
    setup, network, heads = shapes(config, ((method,), False, "adapter"), "colour")
    backbone, counter = backbone_of(config), FlopCount()
    counted = counter.parts(backbone, setup, "colour", BatchShape(4, 128), backward=True)
    formed = closed.step_flops(network, heads[0], 4, 128)
    assert formed.total == pytest.approx(counted.total, rel=0.01)
    assert formed.forward == pytest.approx(counted.forward, rel=0.01)
    assert formed.weight_gradient == pytest.approx(counted.weight_gradient, rel=0.05)
    sizes = parameters(network, heads)
    real = counter._skeleton(backbone, setup, "cpu")
    assert (sizes.trained, sizes.non_embedding, sizes.total) == tuple(real.size().values())


def test_a_job_is_the_sum_of_its_steps_in_both_accountings(built):
    """The three counts add up to the one, and the nominal count charges what is frozen as if it were trained."""
    full, little = (built.build(a, task("colour")).usage for a in (model("colour"), adapter()))
    for usage in (full, little):
        parts = [usage[f"train_{part}_flops"] for part in ("forward", "activation_gradient", "weight_gradient")]
        assert sum(parts) == usage["train_flops"] and min(parts) > 0
    assert little["train_weight_gradient_flops"] < full["train_weight_gradient_flops"] / 10
    assert little["train_flops"] < full["train_flops"]
    assert little["nominal_train_flops"] > full["nominal_train_flops"], "by 6ND an adapter is dearer: more weights"
    assert little["total_parameters"] > full["total_parameters"] == full["trainable_parameters"]
