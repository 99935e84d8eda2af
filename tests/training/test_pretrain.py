"""A base model is really made, in seconds, from a toy language; and the shipped ones are what they should be."""

import json
import random
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import adapeff_sim
from adapeff_sim.cli.app import app
from adapeff_sim.errors import DataError
from adapeff_sim.training.pretrain import Progress, pretrain
from adapeff_sim.training.pretraining_batches import BatchMaker, encoded_text
from adapeff_sim.training.pretraining_settings import PretrainSettings
from adapeff_sim.training.pretraining_state import load_base_model
from adapeff_sim.training.tokenizer import encode_lines, load_tokenizer, read_lines, save_tokenizer, train_tokenizer

SHIPPED = Path(adapeff_sim.__file__).parent / "base_models" / "adapeff-mini"
SCRIPTS = ["Hello, world! 42", "今天天气很好。", "नमस्ते दुनिया", "مرحبا بالعالم", "Привет, мир", "Straße über", "ሰላም 😀"]


def quiet(progress: Progress) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two toy languages whose sentences keep to one of four subjects, with parallel rows."""
    folder = tmp_path_factory.mktemp("text")
    draw = random.Random(5)
    words = [[f"{a}{b}{subject}" for a in "bdfg" for b in "aeiou"] for subject in "klmn"]
    sentences = [" ".join(draw.choices(words[draw.randrange(4)], k=8)) for _ in range(600)]
    for language, lines in {"xa": sentences, "xb": [line.upper() for line in sentences]}.items():
        (folder / f"{language}.txt").write_text("\n".join(lines[60:]) + "\n", encoding="utf-8")
        (folder / f"{language}.dev.txt").write_text("\n".join(lines[:60]) + "\n", encoding="utf-8")
    (folder / "parallel").mkdir()
    rows = [json.dumps({"key": str(n), "text": {"xa": line, "xb": line.upper()}}) for n, line in enumerate(sentences)]
    (folder / "parallel" / "toy.jsonl").write_text("\n".join(rows[60:]) + "\n", encoding="utf-8")
    return folder


def tiny(text: Path, out: Path, **changes: object) -> PretrainSettings:
    """One layer of 32, a few hundred small steps."""
    settings: dict[str, object] = {
        "text": text,
        "out": out,
        "layers": 1,
        "hidden": 32,
        "heads": 2,
        "vocabulary": 400,
        "longest": 64,
        "tokens": 40_000,
        "batch_tokens": 256,
        "learning_rate": 3e-3,
        "warm_up_steps": 10,
        "checkpoint_seconds": 0.2,
    }
    return PretrainSettings.model_validate({**settings, **changes})


@pytest.fixture(scope="module")
def made(text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A base model made in one go, and its report."""
    out = tmp_path_factory.mktemp("made")
    return out, pretrain(tiny(text, out), quiet)


def test_it_comes_to_guess_better_than_frequencies_do(made: tuple[Path, dict[str, object]]) -> None:
    out, report = made
    held_back = report["held_back"]
    assert isinstance(held_back, dict)
    assert set(held_back) == {"xa", "xb"}
    for losses in held_back.values():
        assert losses["mlm_loss"] < losses["unigram_cross_entropy"] - 0.3
    at_start = report["held_back_at_start"]
    assert isinstance(at_start, dict)
    assert all(held_back[language]["perplexity"] < at_start[language]["perplexity"] for language in ("xa", "xb"))
    assert json.loads((out / "pretraining.json").read_text(encoding="utf-8")) == report


def test_the_loss_falls(text: Path, tmp_path: Path) -> None:
    told: list[float] = []
    pretrain(tiny(text, tmp_path, tokens=20_000), lambda seen: told.append(seen.loss) if seen.loss else None)
    assert told[-1] < told[0] - 0.3


def test_a_killed_run_goes_on_bit_for_bit(text: Path, made: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    shutil.copy(made[0] / "tokenizer.json", tmp_path)
    pretrain(tiny(text, tmp_path, resume=True), quiet, stop_after_steps=47)
    halfway = load_file(tmp_path / "checkpoint" / "model.safetensors")
    report = pretrain(tiny(text, tmp_path, resume=True), quiet)
    whole = load_file(made[0] / "checkpoint" / "model.safetensors")
    resumed = load_file(tmp_path / "checkpoint" / "model.safetensors")
    assert report["steps"] == made[1]["steps"]
    assert report["held_back_at_start"] == made[1]["held_back_at_start"]
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not all(torch.equal(whole[name], halfway[name]) for name in whole)


def test_a_second_version_goes_on_from_the_first(
    text: Path, made: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    before = load_base_model(made[0]).state_dict()
    pretrain(tiny(text, tmp_path, tokens=5_000, init_from=made[0], learning_rate=1e-4), quiet)
    after = load_base_model(tmp_path).state_dict()
    moved = max(float((before[name] - after[name]).abs().max()) for name in before)
    assert 0 < moved < 0.02
    assert (tmp_path / "tokenizer.json").read_bytes() == (made[0] / "tokenizer.json").read_bytes()


def test_a_run_does_not_go_on_from_a_base_model_with_another_vocabulary(
    text: Path, made: tuple[Path, dict[str, object]]
) -> None:
    begun = (made[0] / "tokenizer.json").read_bytes()
    with pytest.raises(DataError, match="was not begun from"):
        pretrain(tiny(text, made[0], init_from=SHIPPED / "v1", resume=True), quiet)
    assert (made[0] / "tokenizer.json").read_bytes() == begun


def test_weights_of_another_shape_are_refused(text: Path, made: tuple[Path, dict[str, object]]) -> None:
    with pytest.raises(DataError, match="another model"):
        pretrain(tiny(text, made[0], hidden=16, resume=True), quiet)


def test_the_command_tells_how_well_each_language_is_guessed(text: Path, tmp_path: Path) -> None:
    shape = ["--layers", "1", "--hidden", "32", "--heads", "2", "--vocabulary", "400"]
    asked = [
        "pretrain",
        "--text",
        str(text),
        "--out",
        str(tmp_path / "base"),
        *shape,
        "--tokens",
        "60000",
        "--learning-rate",
        "0.003",
    ]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 0, said.output
    rows = [line.split() for line in said.output.splitlines() if line.split()[:1] in (["xa"], ["xb"])]
    assert len(rows) == 2
    assert all(float(now) < float(at_start) for _, _, at_start, now in rows)
    again = CliRunner().invoke(app, asked)
    assert again.exit_code == 2
    assert "holds a base model already" in again.output


def test_a_run_that_was_killed_early_is_not_begun_anew_over_its_checkpoint(text: Path, tmp_path: Path) -> None:
    place = tmp_path / "checkpoint"
    place.mkdir()
    (place / "position.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="holds a run that has not ended; --resume goes on with it"):
        pretrain(tiny(text, tmp_path), quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_run_needs_an_end(text: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="how long"):
        tiny(text, tmp_path, tokens=None)


def test_text_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"<language>\.txt"):
        read_lines(tmp_path)


def test_a_batch_depends_on_nothing_but_its_step(text: Path, tmp_path: Path) -> None:
    lines = read_lines(text)
    tokenizer = train_tokenizer(lines, 400, 13)
    pieces = {language: encode_lines(tokenizer, found) for language, found in lines.items()}
    encoded = encoded_text(pieces, [], tokenizer.get_vocab_size())
    settings = tiny(text, tmp_path)
    in_order = [BatchMaker(encoded, settings)] * 40
    for step in (0, 17, 39):
        batch = [maker.batch(number) for number, maker in enumerate(in_order[: step + 1])][-1]
        alone = BatchMaker(encoded, settings).batch(step)
        assert (batch.pieces == alone.pieces).all()
        assert (batch.hidden_pieces == alone.hidden_pieces).all()
        assert batch.pieces.size <= 256


def test_a_new_vocabulary_knows_any_script(text: Path, tmp_path: Path) -> None:
    save_tokenizer(train_tokenizer(read_lines(text), 400, 13), tmp_path, 64)
    tokenizer = load_tokenizer(tmp_path)
    for line in SCRIPTS:
        assert tokenizer.decode(tokenizer.encode(line).ids) == line


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_shipped_vocabulary_round_trips(version: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(SHIPPED / version)
    for line in SCRIPTS:
        assert tokenizer.decode(tokenizer(line)["input_ids"], skip_special_tokens=True) == line
    pair = tokenizer.convert_ids_to_tokens(tokenizer("water", "maji")["input_ids"])
    assert (pair[0], pair[-1], pair.count("</s>")) == ("<s>", "</s>", 3)
    assert tokenizer.mask_token_id is not None
    assert tokenizer.pad_token_id == 1


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_shipped_weights_are_the_loaded_ones(version: str) -> None:
    from adapters import AutoAdapterModel

    folder = SHIPPED / version
    model = AutoAdapterModel.from_pretrained(folder)
    loaded = model.state_dict()
    encoder = {name: held for name, held in load_file(folder / "model.safetensors").items() if "roberta" in name}
    elsewhere = ("pooler", "prompt_tuning")  # read by no head of ours; another name for the embeddings
    assert set(encoder) == {
        name for name in loaded if name.startswith("roberta") and name.split(".")[1] not in elsewhere
    }
    assert torch.equal(loaded["heads.default.3.bias"], load_file(folder / "model.safetensors")["lm_head.bias"].float())
    assert all(torch.equal(loaded[name], held.float()) for name, held in encoder.items())
    assert model.config.max_position_embeddings >= 258
    assert (folder / "model.safetensors").stat().st_size <= 16_000_000
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 16_000_000


def test_the_shipped_versions_differ_and_guess_better_than_frequencies() -> None:
    first, second = (load_file(SHIPPED / version / "model.safetensors") for version in ("v1", "v2"))
    assert first.keys() == second.keys()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    for version in ("v1", "v2"):
        report = json.loads((SHIPPED / version / "pretraining.json").read_text(encoding="utf-8"))
        assert len(report["held_back"]) == 16
        for losses in report["held_back"].values():
            assert losses["mlm_loss"] < losses["unigram_cross_entropy"]
