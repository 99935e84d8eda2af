"""Releases of base models: found, weighed and identified without torch; refused when unsafe or not whole."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from made_up_model import SETTINGS, model, safetensors

from adapeff_sim.base_models import release
from adapeff_sim.base_models.release import renew_digests, require_unchanged, resolve, shipped
from adapeff_sim.errors import DataError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that ships two made-up releases."""
    monkeypatch.setattr(release, "SHIPPED", tmp_path)
    for version in ("v1", "v2"):
        model(tmp_path / "tiny" / version, _name_or_path=version)
    return tmp_path


def test_a_folder_is_weighed_and_identified(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "notes.txt").write_text("not part of the model")
    found = resolve(f"path:{folder}")
    assert (found.hidden_size, found.layers, found.parameters) == (4, 2, 28)
    assert (found.folder, found.revision) == (folder, None)
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert found.stored_bytes == sum(sizes.values()) - sizes["notes.txt"]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_every_file_counts_for_the_digest(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path / "m")
    before = resolve(f"path:{folder}")
    assert resolve(f"path:{folder}") == before
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if name == "model.safetensors" else content + b"\n")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    assert resolve(f"path:{folder}").digest != before.digest
    assert resolve(f"path:{model(tmp_path / 'again')}").digest == before.digest


def test_the_architecture_is_the_shape_alone(tmp_path: Path) -> None:
    first = resolve(f"path:{model(tmp_path / 'a')}").architecture
    renamed = {"_name_or_path": "x", "transformers_version": "9", "torch_dtype": "float16", "dtype": "float16"}
    relabelled = {"id2label": {"0": "x"}, "hidden_dropout_prob": 0.5, "architectures": ["BertForMaskedLM"]}
    assert resolve(f"path:{model(tmp_path / 'b', **renamed, **relabelled)}").architecture == first
    assert resolve(f"path:{model(tmp_path / 'c', intermediate_size=9)}").architecture != first
    assert resolve(f"path:{model(tmp_path / 'd', model_type='roberta')}").architecture != first


def test_weights_in_parts(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    safetensors(folder / "model-1.safetensors", a=(2, 2))
    safetensors(folder / "model-2.safetensors", b=(2, 3))
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}))
    assert resolve(f"path:{folder}").parameters == 10
    for part in ("../model-1.safetensors", "/etc/passwd", "model-3.safetensors", "config.json"):
        index.write_text(json.dumps({"weight_map": {"a": part}}))
        with pytest.raises(DataError, match=r"is not in this folder; fetch the model again"):
            resolve(f"path:{folder}")
    index.write_text("{}")
    with pytest.raises(DataError, match="names no part"):
        resolve(f"path:{folder}")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path / "m")
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"no {name}; .*"):
        resolve(f"path:{folder}")


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(
        DataError, match=r"no model\.safetensors; pytorch_model\.bin is a pickle, .*safe_serialization=True"
    ):
        resolve(f"path:{folder}")


@pytest.mark.parametrize("name", ["vocab.txt", "spm.model"])
def test_a_tokenizer_that_is_not_fast_is_told_how_to_become_so(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path / "m")
    (folder / "tokenizer.json").rename(folder / name)
    with pytest.raises(DataError, match=rf"no tokenizer\.json; .*{name} alone is no fast tokenizer: save it once with"):
        resolve(f"path:{folder}")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"model_type": "gpt2"}, "'gpt2' is a decoder"),
        ({"model_type": "t5"}, "'t5' is an encoder with a decoder"),
        ({"model_type": "xmod"}, "'xmod' is an encoder with adapters of its own"),
        ({"model_type": "longformer"}, "'longformer' is unknown here"),
        ({"model_type": "bert", "is_decoder": True}, "is_decoder is set"),
        ({"model_type": None}, "no model_type"),
    ],
)
def test_an_architecture_that_is_no_encoder_for_adapters_is_refused(tmp_path: Path, settings: Any, told: str) -> None:
    with pytest.raises(DataError, match=rf"{told}.*give an encoder that adapters can be put on: albert, bert"):
        resolve(f"path:{model(tmp_path / 'm', **settings)}")


def test_files_that_change_while_they_are_in_use_are_noticed(tmp_path: Path) -> None:
    found = resolve(f"path:{model(tmp_path / 'm')}")
    require_unchanged(found)
    model(tmp_path / "m", vocab_size=4)
    with pytest.raises(DataError, match=rf"were changed while .* not {found.digest}.; put them back, or start again"):
        require_unchanged(found)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_of_the_models_own_is_refused(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path / "m")
    (folder / name).write_text(json.dumps(SETTINGS | {"auto_map": {"AutoModel": "modeling.Evil"}}))
    with pytest.raises(DataError, match=rf"{name}: auto_map asks for code of the model's own"):
        resolve(f"path:{folder}")


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (lambda whole: whole[:-1], "but its header tells of"),
        (lambda whole: whole + b"x", "but its header tells of"),
        (lambda whole: whole[:20], "cut short or no safetensors file"),
        (lambda whole: b"", "cut short or no safetensors file"),
        (lambda whole: b"\xff" * 100, "cut short or no safetensors file"),
        (lambda whole: struct.pack("<Q", 2) + b"[]", "its header is no JSON object"),
        (lambda whole: struct.pack("<Q", 4) + b"\xff{}}", "its header is no JSON object"),
        (lambda whole: struct.pack("<Q", 10) + b'{"a": {}} ', "a tensor without shape or place"),
        (lambda whole: struct.pack("<Q", 8) + b'{"a": 1}', "a tensor without shape or place"),
    ],
)
def test_weights_that_are_not_whole(tmp_path: Path, cut: Any, told: str) -> None:
    path = model(tmp_path / "m") / "model.safetensors"
    path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(DataError, match=f"{told}.*; fetch the file again|{told}; fetch") as error:
        resolve(f"path:{path.parent}")
    assert str(path) in str(error.value)


def test_a_config_that_is_none(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", hidden_size="wide")
    with pytest.raises(DataError, match=r"config\.json: no hidden_size"):
        resolve(f"path:{folder}")
    for content in ("{", "[]"):
        (folder / "config.json").write_text(content)
        with pytest.raises(DataError, match=r"config\.json: .*fetch the model again"):
            resolve(f"path:{folder}")


@pytest.mark.parametrize("spec", ["path:", "path:nowhere", "path:/dev/null"])
def test_a_folder_that_is_none(spec: str) -> None:
    with pytest.raises(DataError, match="no such folder; give one with config"):
        resolve(spec)


@pytest.mark.parametrize("spec", ["tiny", "tiny:v3", "tiny:../v1", "../tiny:v1", "tiny/v1", "big:v1", "", "tiny:v1\n"])
def test_an_unknown_release_lists_the_shipped(package: Path, spec: str) -> None:
    with pytest.raises(
        DataError, match=r"unknown base model .*[Ss]hipped: tiny:v1, tiny:v2; or give path:FOLDER or hub"
    ):
        resolve(spec)


def test_a_release_that_is_not_the_one_written_down(package: Path) -> None:
    assert shipped() == ("tiny:v1", "tiny:v2")
    with pytest.raises(DataError, match="not None; install the package again"):
        resolve("tiny:v1")  # nothing is written down yet
    renew_digests()
    one, two = resolve("tiny:v1"), resolve("tiny:v2")
    assert one.digest != two.digest
    assert one.architecture == two.architecture
    model(package / "tiny" / "v1", vocab_size=5)
    with pytest.raises(DataError, match=rf"base model tiny:v1: .* not {one.digest}; install the package again"):
        resolve("tiny:v1")
    renew_digests()
    assert resolve("tiny:v1").digest != one.digest


def test_the_releases_of_this_package_are_whole() -> None:
    for spec in shipped():
        assert resolve(spec).parameters > 0
