"""What lies in a base model's folder belongs together, or is refused before anything trains on it."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tiny_encoders import write_encoder
from toy_model import adapter, make_base, tag_rows, task, text_rows

from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.errors import DataError
from adapeff_sim.training.backbone import load_backbone


@pytest.fixture
def copied(base, tmp_path) -> Path:
    return shutil.copytree(base.folder, tmp_path / "copied")


def again(folder: Path) -> Release:
    return resolve(f"path:{folder}")


def said(path: Path, **settings: object) -> None:
    """Other settings in a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def test_weights_of_another_model_are_not_filled_up_with_random_numbers(copied):
    weights = load_file(copied / "model.safetensors")
    lacking = {name: tensor for name, tensor in weights.items() if "layer.1.attention.self" not in name}
    save_file(lacking, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"lack 6 tensors of a xlm-roberta .such as encoder\.layer\.1\.attention\.self"):
        load_backbone(again(copied))


def test_weights_of_another_size_are_refused(copied):
    said(copied / "config.json", hidden_size=48)
    with pytest.raises(
        DataError, match=r"cannot be loaded: .*size mismatch .*; give files that belong to its config\.json"
    ):
        load_backbone(again(copied))


def test_files_that_change_between_the_look_and_the_load_are_refused(copied, built):
    built.release = again(copied)
    make_base(copied, seed=3)
    with pytest.raises(DataError, match="its files were changed while they were in use"):
        built.build(adapter(), task("colour"))


def test_a_tokenizer_of_another_model_is_refused(copied):
    tokenizer = json.loads((copied / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] |= {f"piece{i}": 1000 + i for i in range(3)}
    (copied / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(
        DataError, match=r"its tokenizer has 1003 pieces and the model \d+; give one that belongs to it"
    ):
        load_backbone(again(copied))


def test_a_tokenizer_that_puts_nothing_in_front_of_a_text_is_refused(copied):
    said(copied / "tokenizer.json", post_processor=None)
    with pytest.raises(DataError, match="puts no piece in front of a text"):
        load_backbone(again(copied))


def test_a_tokenizer_without_padding_is_refused(copied):
    said(copied / "tokenizer_config.json", pad_token=None)
    said(copied / "special_tokens_map.json", pad_token=None)
    with pytest.raises(DataError, match="no fast tokenizer with a padding piece"):
        load_backbone(again(copied))


def test_the_pooler_may_be_missing_and_heads_may_be_there(copied):
    weights = load_file(copied / "model.safetensors")
    named = {f"roberta.{name}": tensor for name, tensor in weights.items()}
    save_file({**named, "lm_head.bias": weights["embeddings.LayerNorm.bias"].clone()}, copied / "model.safetensors")
    assert load_backbone(again(copied)).encoder.pooler is None


@pytest.mark.parametrize("encoder", ["roberta", "deberta", "modernbert"])
def test_words_are_read_with_the_spaces_that_stood_between_them(encoder, tmp_path):
    reader = load_backbone(write_encoder(tmp_path, encoder)).reading(64)
    rows = tag_rows(8)
    for item, row in zip(reader.items(TaskKind.TAGGING, rows, ("B-person", "I-person", "O")), rows, strict=True):
        pieces = reader.tokenizer.convert_ids_to_tokens(item.sequences[0])
        assert all(pieces[spot].startswith("Ġ") for spot in item.spots)
        assert "".join(pieces[1:-1]).replace("Ġ", " ").split() == list(row.tokens)
    text = reader.items(TaskKind.CLASSIFICATION, text_rows(1), ("blue", "green", "red"))[0]
    assert not reader.tokenizer.convert_ids_to_tokens(text.sequences[0])[1].startswith("Ġ"), "as it was saved"
