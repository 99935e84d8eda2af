"""Which adapter methods may be asked for, and what an artifact is trained with."""

import pytest
from pydantic import ValidationError
from story import STORY, life

from adapeff_sim.artifacts.methods import FUSIBLE, METHODS, REFUSED, family, fusible_method, options
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.strategies.base import STRATEGIES
from adapeff_sim.training.settings import SomeSettings, TrainingSettings, resolve


def artifact(kind: Kind, **options: object):
    name = "adapter_fusion" if kind is Kind.FUSION else "multitask_full" if kind is Kind.MODEL else "adapter_per_task"
    known = life(STRATEGIES.get(name)(**options), STORY[:2])[-1].deployment.artifacts.values()
    return next(a for a in known if a.kind is kind)


def test_every_known_method_has_a_family_and_some_fuse():
    assert {family(m) for m in METHODS} == set(METHODS) > FUSIBLE
    assert family("seq_bn[reduction_factor=16]") == "seq_bn"
    assert fusible_method("seq_bn[reduction_factor=16]")


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("seq_bn[reduction_facter=16]", "did you mean 'reduction_factor'"),
        ("lora[r=abc]", "a whole number above 0"),
        ("lora[r=1.2.3]", "a whole number above 0"),
        ("seq_bn[reduction_factor=0]", "a number above 0"),
        ("lora[dropout=1]", "from 0 to below 1"),
        ("prompt_tuning[r=8]", "no option 'r'"),
        ("lora[r=4, r=8]", "r of lora is said twice"),
        ("seq_bn[non_linearity=relv]", "give one of gelu, "),
        ("par_bn[original_ln_before=True]", "no effect on a bottleneck that lies beside the layer; drop it"),
        ("ia3[alpha=2]", "it learns one vector"),
        ("noreft[orthogonality=True]", "name the method that is meant"),
        ("vera[output_lora=True]", "selfattn_lora and output_lora have several; give one of them alone .* or use lora"),
        ("lora[selfattn_lora=False]", "changes nothing; give one of selfattn_lora, intermediate_lora, output_lora"),
        ("lora[use_gating=True, alpha=4]", "drop alpha, or use_gating"),
    ],
)
def test_options_are_those_of_the_family(method, told):
    with pytest.raises(ValueError, match=told):
        family(method)


def test_values_are_read_as_what_they_are():
    assert options("lora[r=08, dropout=0, use_gating=False]") == {"r": 8, "dropout": 0.0, "use_gating": False}
    read = options("seq_bn[non_linearity=relu6,scaling=4]")
    assert read == {"non_linearity": "relu6", "scaling": 4.0} and isinstance(read["scaling"], float)
    assert options("vera[selfattn_lora=False, output_lora=True]") and options("ia3[intermediate_lora=False]")


@pytest.mark.parametrize("option", ["use_gating", "ln_after"])
def test_what_a_fusion_would_leave_out_cannot_lie_under_one(option):
    assert STRATEGIES.get("adapter_per_task")(method=f"seq_bn[{option}=True]")
    with pytest.raises(ValidationError, match=f"before its {option}, and .* drop {option}"):
        STRATEGIES.get("adapter_fusion")(method=f"seq_bn[{option}=True]")


@pytest.mark.parametrize("bad", ["", "seq_bn[", "seq-bn", "lora[r]", "../x", "seq_bn[a=b]]", *REFUSED])
def test_other_methods_are_refused(bad):
    with pytest.raises(ValueError):
        family(bad)


def test_a_misspelt_method_gets_a_hint_and_lora_does_not_fuse():
    with pytest.raises(ValueError, match="did you mean 'seq_bn'"):
        family("sec_bn")
    with pytest.raises(ValidationError, match="cannot be fused"):
        STRATEGIES.get("adapter_fusion")(method="lora[r=8]")


def test_later_layers_win_and_the_rest_is_inherited():
    layers = (SomeSettings(epochs=7, batch_size=8), SomeSettings(epochs=9))
    settings = resolve(artifact(Kind.ADAPTER), layers)
    assert (settings.epochs, settings.batch_size, settings.weight_decay) == (
        9,
        8,
        TrainingSettings(learning_rate=1).weight_decay,
    )


def test_each_kind_has_a_learning_rate_of_its_own_and_a_scenario_may_say_another():
    rates = {kind: resolve(artifact(kind), ()).learning_rate for kind in (Kind.ADAPTER, Kind.FUSION, Kind.MODEL)}
    assert rates[Kind.MODEL] < rates[Kind.ADAPTER]
    assert resolve(artifact(Kind.MODEL), (SomeSettings(learning_rate=0.5),)).learning_rate == 0.5


def test_loreft_is_never_decayed_by_default():
    assert resolve(artifact(Kind.ADAPTER, method="loreft"), ()).weight_decay == 0
    assert resolve(artifact(Kind.ADAPTER), ()).weight_decay > 0


@pytest.mark.parametrize("options", [{"may_fall": 1}, {"on_base_update": "retrain", "may_fall": 1}])
def test_an_option_without_effect_is_refused(options):
    with pytest.raises(ValidationError, match="has no effect unless on_base_update: carry_over"):
        STRATEGIES.get("adapter_per_task")(**options)
