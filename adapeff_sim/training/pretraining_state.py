"""What a run leaves on disk: an exact checkpoint to go on from, and a 16-bit base model to use.

    out/config.json model.safetensors tokenizer.json ... pretraining.json     the base model, loadable as it is
    out/checkpoint/model.safetensors optimizer.safetensors position.json      32-bit, replaced as a whole or not at all

Nothing is pickled: tensors go through safetensors, the rest through JSON.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

from adapeff_sim.errors import DataError

TIED = ("lm_head.decoder.weight", "lm_head.decoder.bias")
"""Names of tensors that are the same as another: the embeddings and the output bias."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands; a step's batch and learning rate follow from it."""

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0


def save_checkpoint(
    folder: Path, model: XLMRobertaForMaskedLM, optimizer: torch.optim.Optimizer, position: Position
) -> None:
    """Write everything the run needs to go on as if nothing had happened; at every moment a whole one is there."""
    fresh, current, old = (folder / f"checkpoint{ending}" for ending in (".new", "", ".old"))
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(_own_tensors(model), fresh / "model.safetensors")
    state = optimizer.state_dict()["state"]
    moments = {f"{index}.{name}": tensor.cpu() for index, held in state.items() for name, tensor in held.items()}
    save_file({**moments, "random_state": torch.get_rng_state()}, fresh / "optimizer.safetensors")
    (fresh / "position.json").write_text(json.dumps(asdict(position)), encoding="utf-8")
    shutil.rmtree(old, ignore_errors=True)
    if current.is_dir():
        current.rename(old)
    fresh.rename(current)
    shutil.rmtree(old, ignore_errors=True)


def checkpoint_in(folder: Path) -> Path | None:
    """The folder of the last whole checkpoint, or None."""
    kept = (folder / "checkpoint", folder / "checkpoint.old")
    return next((place for place in kept if (place / "position.json").is_file()), None)


def restore(folder: Path, model: XLMRobertaForMaskedLM, optimizer: torch.optim.Optimizer) -> Position:
    """Put model, optimizer and random state back as they were at the last checkpoint; the start when there is none."""
    found = checkpoint_in(folder)
    if found is None:
        return Position()
    load_weights(found / "model.safetensors", model)
    moments = load_file(found / "optimizer.safetensors")
    torch.set_rng_state(moments.pop("random_state"))
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        index, _, what = name.partition(".")
        state.setdefault(int(index), {})[what] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return Position(**json.loads((found / "position.json").read_text(encoding="utf-8")))


def load_weights(file: Path, model: XLMRobertaForMaskedLM) -> None:
    """Copy the tensors of a file, whatever their precision, into the model; refuse another shape or other names."""
    found = {name: tensor for name, tensor in load_file(file).items() if name not in TIED}
    wanted = _own_tensors(model)
    if {name: tensor.shape for name, tensor in found.items()} != {name: own.shape for name, own in wanted.items()}:
        raise DataError(f"{file} holds the weights of another model; start anew, or name the shape it was made with")
    model.load_state_dict(found, strict=False)
    model.tie_weights()


def load_base_model(folder: Path) -> XLMRobertaForMaskedLM:
    """A base model with its output layer, in 32 bit, from a folder that `export` wrote."""
    if not (folder / "config.json").is_file():
        raise DataError(f"no base model in {folder}: config.json is missing")
    model = XLMRobertaForMaskedLM(XLMRobertaConfig.from_pretrained(folder))
    load_weights(folder / "model.safetensors", model)
    return model


def export(folder: Path, model: XLMRobertaForMaskedLM) -> None:
    """Write `config.json` and the weights as 16-bit floats; the output layer's matrix, tied to the embeddings, once.

    The output layer's bias goes by two names, of which `transformers` asks for one and `adapters` for the other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.half().contiguous() for name, tensor in _own_tensors(model).items()}
    tensors["lm_head.decoder.bias"] = tensors["lm_head.bias"].clone()
    fresh = folder / "model.safetensors.new"
    save_file(tensors, fresh, metadata={"format": "pt"})
    fresh.chmod(0o644)
    fresh.rename(folder / "model.safetensors")
    (folder / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")


def write_report(folder: Path, report: dict[str, object]) -> None:
    """Write `pretraining.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / "pretraining.json.new"
    fresh.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    fresh.rename(folder / "pretraining.json")


def read_report(folder: Path) -> dict[str, object]:
    """What `pretraining.json` holds so far; nothing where there is none."""
    path = folder / "pretraining.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _own_tensors(model: XLMRobertaForMaskedLM) -> dict[str, Tensor]:
    """Every trained tensor once, on the CPU."""
    held = model.state_dict()
    return {name: held[name].detach().cpu().contiguous() for name in sorted(held) if name not in TIED}
