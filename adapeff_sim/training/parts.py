"""What a build leaves, and how it is put over a base model again.

weights.safetensors   adapter.* | fusion.* | encoder.*, and heads.<task>.*   (32 bits)
artifact.json         method, tasks with kinds and labels, the base model it belongs to, version of this format
"""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.base_models.release import Release
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training.network import ADAPTER, Network, head_key
from adapeff_sim.training.task_head import TaskHead, task_head

WEIGHTS, CARD = "weights.safetensors", "artifact.json"
FORMAT = 2


class Base(BaseModel):
    """The base model that something was trained over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    architecture: str
    hidden_size: int
    layers: int
    encoder: str = ""  # which one; artifacts of earlier versions do not say


class Answers(BaseModel):
    """What a head answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TaskKind
    labels: tuple[str, ...]

    @property
    def shape(self) -> TaskHead:
        """The head for it."""
        return task_head(self.kind, len(self.labels))


class Card(BaseModel):
    """What ``artifact.json`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    kind: Kind
    methods: tuple[str, ...] = ()  # of the adapter, or of each fused adapter
    tasks: dict[str, Answers]
    base: Base


def base_of(release: Release) -> Base:
    """What is remembered of a base model; not its name, which may be a path."""
    return Base(
        digest=release.digest,
        architecture=release.architecture,
        hidden_size=release.hidden_size,
        layers=release.layers,
        encoder=release.encoder,
    )


def require_base(folder: Path, release: Release, is_carried: bool = False) -> None:
    """Refuse what was trained over another base model than ``release``; carried over, it must be of the same shape.

    Raises ExecutionError. Store keys lead to the right artifacts already: this guards against a store that was
    tampered with, and against programs that bring inputs of their own.
    """
    base = load_card(folder).base
    if base.digest == release.digest:
        return
    if not is_carried:
        raise ExecutionError(
            f"{folder} was trained over another base model (digest {base.digest}) than {release.spec} "
            f"({release.digest}); train it again, or put it over that one on purpose (on_base_update: carry_over)"
        )
    if base.encoder not in ("", release.encoder):
        raise ExecutionError(
            f"{folder} was trained over a {base.encoder} and cannot be carried over to {release.spec}, "
            f"a {release.encoder}; train it again (on_base_update: retrain)"
        )


def save_parts(network: Network, card: Card, folder: Path) -> int:
    """Write what ``card.kind`` consists of and nothing else; gives the bytes written."""
    folder.mkdir(parents=True, exist_ok=True)
    held = network.state_dict()
    tensors = {name: held[where] for name, where in _places(network, card.kind).items()}
    for name in (n for n in held if n.startswith("heads.")):
        tensors[name] = held[name]
    alone = {name: t.detach().float().cpu().contiguous().clone() for name, t in tensors.items()}
    save_file(alone, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)
    text = json.dumps(card.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
    return sum((folder / name).stat().st_size for name in (WEIGHTS, CARD))


def load_card(folder: Path) -> Card:
    """Read ``artifact.json``; ExecutionError if it is not there or not whole."""
    try:
        card = Card.model_validate_json((folder / CARD).read_bytes())
    except (OSError, ValidationError) as error:
        raise ExecutionError(f"{folder} holds no artifact that can be read ({error}); build it again") from error
    if card.format != FORMAT:
        raise ExecutionError(f"{folder / CARD} has format {card.format}, this program writes {FORMAT}; build it again")
    return card


def load_parts(network: Network, folder: Path, kind: Kind, place: int = 0, tasks: Collection[str] = ()) -> None:
    """Put saved tensors into the network: as its ``place``-th adapter, its fusion, or its encoder; and some heads.

    Raises ExecutionError if the network is of another shape than what was saved.
    """
    try:
        found = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ExecutionError(f"{folder / WEIGHTS} cannot be read ({error}); build it again") from error
    places = _places(network, kind, place)
    prefixes = tuple(f"heads.{head_key(task)}." for task in tasks)
    heads = [name for name in network.state_dict() if name.startswith(prefixes)] if prefixes else []
    if places.keys() != {n for n in found if not n.startswith("heads.")} or not found.keys() >= set(heads):
        raise ExecutionError(_misfit(network, folder))
    _put(network, {where: found[name] for name, where in {**places, **{n: n for n in heads}}.items()}, folder)


def _put(network: Network, given: Mapping[str, Tensor], folder: Path) -> None:
    held = network.state_dict()
    if any(held[name].shape != tensor.shape for name, tensor in given.items()):
        raise ExecutionError(_misfit(network, folder))
    with torch.no_grad():
        network.load_state_dict(dict(given), strict=False)


def _misfit(network: Network, folder: Path) -> str:
    base, config = load_card(folder).base, network.encoder.config
    return (
        f"what was trained over a base model with {base.layers} layers of size {base.hidden_size} does not fit "
        f"one with {config.num_hidden_layers} of {config.hidden_size}; train it again (on_base_update: retrain)"
    )


def _places(network: Network, kind: Kind, place: int = 0) -> dict[str, str]:
    """For each name in the file the name in the network; tensors that share memory are named once."""
    parts = network.parts
    names: Sequence[str] = {
        Kind.ADAPTER: parts.adapters[place] if parts.adapters else [],
        Kind.FUSION: parts.fusion,
        Kind.MODEL: parts.encoder,
    }[kind]
    prefix = {Kind.ADAPTER: "adapter", Kind.FUSION: "fusion", Kind.MODEL: "encoder"}[kind]
    held: dict[str, Any] = network.encoder.state_dict()
    once = {held[name].data_ptr(): name for name in reversed(names)}
    kept = [name for name in names if once[held[name].data_ptr()] == name]
    own = ADAPTER.format(place)
    return {f"{prefix}.{name.replace(own, 'own')}": f"encoder.{name}" for name in kept}
