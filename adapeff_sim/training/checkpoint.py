"""The middle of a training on disk, from which it goes on as if nothing had happened.

checkpoint/position.json             step, epoch, patience, sums; names the tensors; replaced last, in one move
checkpoint/tensors-<step>.safetensors    weights, best weights, the optimizer's moments, random states
heartbeat.json                       seconds worked, and since which checkpoint; tells what a kill lost
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

POSITION, HEARTBEAT = "position.json", "heartbeat.json"


@dataclass(slots=True)
class Position:
    """Where a training stands: steps taken, the epoch and the batch in it, and how patience fares."""

    step: int = 0
    epoch: int = 0
    batch: int = 0  # batches of this epoch that are done
    best_score: float | None = None
    epochs_without_rise: int = 0
    out_of_patience: bool = False


@dataclass(slots=True)
class Sums:
    """What was measured up to a position; a checkpoint that tells less is of an earlier version, and is not taken."""

    usage: dict[str, float]
    unavailable: list[str]
    trained: list[tuple[str, int, int, int]]  # task, sequences, length, steps
    curve: list[dict[str, object]]


@dataclass(slots=True)
class Trained:
    """All of a training that a checkpoint holds."""

    parameters: Mapping[str, nn.Parameter]
    optimizer: torch.optim.Optimizer
    position: Position
    best: dict[str, Tensor]  # empty until the first validation


def write_checkpoint(folder: Path, job: str, trained: Trained, sums: Sums) -> None:
    """Put the training on disk; a reader finds this checkpoint or the one before it, never a part of one."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"tensors-{trained.position.step}.safetensors"
    fresh = folder / f"{name}.new"
    save_file({n: t.detach().cpu().contiguous() for n, t in _tensors(trained).items()}, fresh)
    fresh.replace(folder / name)
    told = {"job": job, "tensors": name, "position": asdict(trained.position), "sums": asdict(sums)}
    _replace(folder / POSITION, told)
    for old in folder.glob("tensors-*"):
        if old.name != name:
            old.unlink()


def read_checkpoint(folder: Path, job: str, trained: Trained) -> Sums | None:
    """Put parameters, optimizer, random states and position back; None if there is no whole checkpoint of this job."""
    try:
        told = json.loads((folder / POSITION).read_text(encoding="utf-8"))
        if told["job"] != job:
            return None
        found = load_file(folder / told["tensors"])
        position, sums = Position(**told["position"]), Sums(**told["sums"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None
    with torch.no_grad():
        for name, parameter in trained.parameters.items():
            parameter.copy_(found[f"weights.{name}"])
            if (best := found.get(f"best.{name}")) is not None:
                trained.best[name] = best.to(parameter.device)
    _restore_optimizer(trained.optimizer, found)
    torch.set_rng_state(found["random.cpu"])
    if "random.cuda" in found:
        torch.cuda.set_rng_state(found["random.cuda"])
    trained.position = position
    return sums


def beat(folder: Path, step: int, lost_before: float, since: float) -> None:
    """Note that ``since`` seconds were worked after the checkpoint at ``step``, and what earlier kills lost."""
    _replace(folder / HEARTBEAT, {"step": step, "lost_before": lost_before, "since": since})


def lost_seconds(folder: Path, step: int) -> float:
    """What kills have lost up to now, if the training goes on from ``step`` (0: from the start)."""
    try:
        told = json.loads((folder / HEARTBEAT).read_text(encoding="utf-8"))
        return float(told["lost_before"]) + (float(told["since"]) if told["step"] == step else 0.0)
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0


def _tensors(trained: Trained) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {f"weights.{name}": p for name, p in trained.parameters.items()}
    tensors |= {f"best.{name}": t for name, t in trained.best.items()}
    for index, held in trained.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in held.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if next(iter(trained.parameters.values())).is_cuda:
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    return tensors


def _restore_optimizer(optimizer: torch.optim.Optimizer, found: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in found.items():
        if name.startswith("optimizer."):
            _, index, what = name.split(".", 2)
            state.setdefault(int(index), {})[what] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _replace(path: Path, told: Mapping[str, object]) -> None:
    """Write a small file so that it is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(path)
