"""What does not fit a base model is refused by `validate`, from the settings alone."""

import re

import pytest
from made_up_model import model
from tiny_scenario import TEXT, write_scenario

from adapeff_sim.artifacts.methods import METHODS
from adapeff_sim.base_models import encoders
from adapeff_sim.base_models.encoders import ENCODERS, Encoder
from adapeff_sim.base_models.release import resolve
from adapeff_sim.errors import DataError, ScenarioError
from adapeff_sim.execution.sources import Sources
from adapeff_sim.scenario.fit import require_precision
from adapeff_sim.scenario.load import load


def told(folder, first, second, strategies="  - adapter_fusion\n") -> str:
    """What is wrong with a scenario whose base model moves from one folder to another; nothing, if it is right."""
    text = TEXT.replace("adapeff-mini:v1", f"path:{first}").replace("adapeff-mini:v2", f"path:{second}")
    before, _, after = text.partition("strategies:\n")
    text = f"{before}strategies:\n{strategies}training:{after.partition('training:')[2]}"
    try:
        load(write_scenario(folder, text.replace("  model: {learning_rate: 1e-4}\n", "")))
    except ScenarioError as error:
        return str(error)
    return ""


@pytest.fixture
def bert(tmp_path):
    return model(tmp_path / "bert")


@pytest.fixture
def deberta(tmp_path):
    return model(tmp_path / "deberta", model_type="deberta-v2")


def test_the_table_speaks_of_methods_that_there_are():
    assert all(set(encoder.cannot) < METHODS for encoder in ENCODERS.values())


def test_a_base_model_of_another_architecture_may_follow(tmp_path, bert, deberta):
    assert told(tmp_path, bert, deberta) == ""


CARRIED = "  - adapter_per_task: {on_base_update: carry_over}\n"


@pytest.mark.parametrize("other", [{"model_type": "electra"}, {"hidden_size": 8}, {"num_hidden_layers": 3}])
def test_an_adapter_is_not_carried_over_to_another_shape(tmp_path, bert, other):
    name = model(tmp_path / "other", **other)
    problem = told(tmp_path, bert, name, CARRIED)
    assert f"cannot be carried over from path:{bert} (BERT, 2 layers of 4) to path:{name}" in problem
    assert "on_base_update: retrain" in problem and "strategies[0]" in problem


@pytest.mark.parametrize(("encoder", "inner"), [("bert", "intermediate_size"), ("distilbert", "hidden_dim")])
def test_an_adapter_is_not_carried_over_to_other_feed_forward_layers(tmp_path, encoder, inner):
    one, two, three = (
        model(tmp_path / str(i), **{"model_type": encoder, "vocab_size": i, inner: size})
        for i, size in enumerate((16, 8, 16))
    )
    problem = told(tmp_path, one, two, CARRIED)
    assert "2 layers of 4, feed-forward 16) to" in problem and "2 layers of 4, feed-forward 8); use" in problem
    assert told(tmp_path, one, three, CARRIED) == ""


def test_an_adapter_is_carried_over_to_the_same_shape(tmp_path, bert):
    assert told(tmp_path, bert, model(tmp_path / "next", vocab_size=4), CARRIED) == ""


def test_a_method_that_an_encoder_cannot_take_is_refused(tmp_path, bert, deberta, monkeypatch):
    narrow = {**ENCODERS, "deberta-v2": Encoder("DeBERTa", cannot={"lora": "it says so", "par_bn": "it says so"})}
    monkeypatch.setattr(encoders, "ENCODERS", narrow)
    monkeypatch.setattr("adapeff_sim.scenario.fit.ENCODERS", narrow)
    problem = told(tmp_path, bert, deberta, "  - adapter_per_task: {method: 'lora[r=4]'}\n")
    assert f"method lora[r=4] cannot be put on path:{deberta}, a DeBERTa: it says so; use compacter, " in problem
    problem = told(tmp_path, bert, deberta, "  - adapter_fusion: {method: par_bn}\n")
    assert problem.endswith("use compacter, compacter++, double_seq_bn, seq_bn")
    assert told(tmp_path, bert, model(tmp_path / "next", vocab_size=4)) == ""


@pytest.mark.parametrize(
    ("other", "method", "why"),
    [
        ({"conv_kernel_size": 3}, "prompt_tuning[prompt_length=4]", "its convolution .*; use compacter, "),
        ({"embedding_size": 2}, "seq_bn_inv", "its pieces .*; use compacter, "),
        (
            {},
            "compacter[reduction_factor=2]",
            "its phm_dim 4 must divide its widths, 4 and 2; give it reduction_factor=1",
        ),
        ({}, "compacter[phm_dim=3]", "its phm_dim 3 must divide its widths, 4 and 1; give it a phm_dim that divides 4"),
    ],
)
def test_a_method_that_a_shape_cannot_take_is_refused(tmp_path, bert, other, method, why):
    shape = model(tmp_path / "other", model_type="deberta-v2", **other)
    problem = told(tmp_path, bert, shape, f"  - adapter_per_task: {{method: '{method}'}}\n")
    assert re.search(rf"method {re.escape(method)} cannot be put on path:{shape}.*: {why}", problem), problem


def test_a_flag_that_an_encoder_does_not_know_is_refused(tmp_path, bert):
    modern = model(tmp_path / "modern", model_type="modernbert")
    problem = told(tmp_path, bert, modern, "  - adapter_per_task: {method: 'seq_bn[original_ln_after=False]'}\n")
    assert "a ModernBERT: " in problem and "drop original_ln_after" in problem and str(bert) not in problem


@pytest.mark.parametrize(("encoder", "fits"), [("deberta", False), ("deberta-v2", True)])
def test_an_encoder_that_stops_in_bf16_is_refused_there(tmp_path, bert, encoder, fits):
    other = model(tmp_path / encoder, model_type=encoder)
    text = TEXT.replace("adapeff-mini:v1", f"path:{bert}").replace("adapeff-mini:v2", f"path:{other}")
    scenario = load(
        write_scenario(
            tmp_path, text.replace("  - {adapter_per_task: {on_base_update: carry_over}, as: carried}\n", "")
        )
    )
    require_precision(scenario, "fp32")
    if fits:
        require_precision(scenario, "bf16")
        return
    with pytest.raises(ScenarioError, match=f"path:{other}, a DeBERTa, cannot be .* with --precision fp32"):
        require_precision(scenario, "bf16")


def test_a_method_that_stops_in_bf16_on_an_encoder_is_refused_there(tmp_path, bert, deberta):
    text = TEXT.replace("adapeff-mini:v1", f"path:{bert}").replace("adapeff-mini:v2", f"path:{deberta}")
    carried = "{adapter_per_task: {on_base_update: carry_over}, as: carried}"
    scenario = load(write_scenario(tmp_path, text.replace(carried, "{adapter_per_task: {method: dora}, as: carried}")))
    require_precision(scenario, "fp32")
    with pytest.raises(ScenarioError, match=f"dora on path:{deberta}, a DeBERTa.* --precision fp32, or use lora"):
        require_precision(scenario, "bf16")


def test_a_tokenizer_that_nobody_can_read_is_told_of(tmp_path, bert):
    sources = Sources(f"files:{write_scenario(tmp_path).parent / 'rows'}", tmp_path)
    with pytest.raises(DataError, match=r"tokenizer\.json: no tokenizer that can be read .*; fetch the model again"):
        sources.request("intent", resolve(f"path:{bert}"), 64)
