"""An encoder with what a strategy put on it, and a head for each task.

pieces --> encoder (frozen or not) [adapters [fusion]] --> states --> head of the batch's task --> logits
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import adapters
import adapters.composition as composition
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from adapeff_sim.artifacts.methods import family, options
from adapeff_sim.base_models.encoders import ENCODERS, why_not
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training.batches import Batch
from adapeff_sim.training.heads import Head, by_choice, loss_of
from adapeff_sim.training.task_head import TaskHead

ADAPTER = "task_adapter_{}"  # what the library calls the i-th adapter


@dataclass(frozen=True, slots=True)
class Setup:
    """What a network is made of, whatever its weights: methods of its adapters, fusion, heads, and what is trained."""

    heads: tuple[tuple[str, TaskHead], ...]  # by task
    adapters: tuple[str, ...] = ()
    fused: bool = False
    trained: Literal["nothing", "head", "adapter", "fusion", "model"] = "nothing"


def derive(seed: int, *names: str) -> int:
    """A seed of its own for each purpose, the same on every machine."""
    return int.from_bytes(hashlib.sha256(" ".join([str(seed), *names]).encode()).digest()[:7])


def head_key(task: str) -> str:
    """A name for the head's module that no attribute of torch's modules has."""
    return f"task_{task}"


def _init_adapters(encoder: PreTrainedModel) -> None:
    """Make an encoder take adapters, and nothing else of it.

    Where query, key and value lie in one matrix without a bias, the library gives it one, of whatever lay in memory
    (DeBERTa, ModernBERT); it is taken away again.
    """
    bare = [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear) and module.bias is None]
    adapters.init(encoder)
    for name in bare:
        encoder.get_submodule(name).bias = None


@dataclass(slots=True)
class Parts:
    """Which tensors of the encoder came with what."""

    encoder: list[str] = field(default_factory=list)
    adapters: list[list[str]] = field(default_factory=list)
    fusion: list[str] = field(default_factory=list)


class Network(nn.Module):
    """An encoder and its heads; gradients flow only into what ``setup.trained`` says."""

    def __init__(self, encoder: PreTrainedModel, setup: Setup, seed: int) -> None:
        super().__init__()
        self.encoder, self.setup = encoder, setup
        self.kinds = {task: shape.kind for task, shape in setup.heads}
        self.parts = Parts()
        self._add_adapters(seed)
        self.heads = nn.ModuleDict()
        hidden = encoder.config.hidden_size
        dropout = getattr(encoder.config, ENCODERS[encoder.config.model_type].dropout, 0.1)
        for task, shape in setup.heads:
            torch.manual_seed(derive(seed, "head", task))
            self.heads[head_key(task)] = Head(shape, hidden, dropout)
        self._freeze()

    def _add_adapters(self, seed: int) -> None:
        """Put adapters and fusion on the encoder, and note which tensors are whose."""
        setup = self.setup
        if setup.adapters:
            _init_adapters(self.encoder)
        known = set(self.parts.encoder)

        def new() -> list[str]:
            found = [name for name in self.encoder.state_dict() if name not in known]
            known.update(found)
            return found

        self.parts.encoder = new()
        for i, method in enumerate(setup.adapters):
            torch.manual_seed(derive(seed, "adapter", str(i)))
            self._add_adapter(ADAPTER.format(i), method)
            self.parts.adapters.append(new())
        if setup.fused:
            torch.manual_seed(derive(seed, "fusion"))
            self.encoder.add_adapter_fusion(self._names)
            self.parts.fusion = new()

    def _add_adapter(self, name: str, method: str) -> None:
        encoder = self.encoder.config.model_type
        if why := why_not(encoder, family(method), options(method), self.encoder.config.to_dict()):
            raise ExecutionError(f"method {method} cannot be put on a {encoder}: {why}")
        try:
            config = adapters.AdapterConfig.load(family(method), **options(method))
            self.encoder.add_adapter(name, config=config)
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            size = self.encoder.config.hidden_size
            raise ExecutionError(f"method {method} cannot be put on a base model of size {size}: {error}") from error

    @property
    def _names(self) -> list[str]:
        return [ADAPTER.format(i) for i in range(len(self.setup.adapters))]

    def _freeze(self) -> None:
        """Let gradients flow into what is trained and nothing else, and say which adapters are active."""
        trained, active = self.setup.trained, self._active()
        if trained == "adapter":
            self.encoder.train_adapter(active)
        elif trained == "fusion":
            self.encoder.train_adapter_fusion(active)
        else:
            self.encoder.requires_grad_(trained == "model")
        self.heads.requires_grad_(trained != "nothing")
        if active is not None:
            self.encoder.set_active_adapters(active)

    def _active(self) -> object:
        if self.setup.fused:
            return composition.Fuse(*self._names)
        return composition.Stack(*self._names) if self.setup.adapters else None

    def forward(self, batch: Batch) -> Tensor:
        """The logits of the batch's task, in the shape its head gives."""
        types = {} if batch.types is None else {"token_type_ids": batch.types}
        states = self.encoder(input_ids=batch.ids, attention_mask=batch.mask, **types)[0]
        states = states[:, states.shape[1] - batch.ids.shape[1] :]  # prompt tuning puts its prompt in front
        return self.heads[head_key(batch.task)](states)

    def loss(self, batch: Batch) -> Tensor:
        """What training lowers: the head's loss, and for a fusion the library's pull of its values to the identity."""
        loss = loss_of(self.kinds[batch.task], self(batch), batch.target, batch.groups)
        if self.setup.trained == "fusion":
            pull = self.encoder.get_fusion_regularization_loss()
            loss = loss if pull is None else loss + pull
        return loss

    def answers(self, batch: Batch) -> Tensor:
        """Logits in 32 bits, a choice's as (rows, choices)."""
        logits = self(batch).float()
        return by_choice(logits, batch.groups) if batch.groups else logits

    def trainable(self) -> dict[str, nn.Parameter]:
        """The parameters that are trained, by name, in a fixed order."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def size(self) -> Mapping[str, int]:
        """Numbers of parameters: trained ones, all that are not embeddings, and all."""
        looked_up = {id(m.weight) for m in self.modules() if isinstance(m, nn.Embedding)}
        return {
            "trainable_parameters": sum(p.numel() for p in self.trainable().values()),
            "non_embedding_parameters": sum(p.numel() for p in self.parameters() if id(p) not in looked_up),
            "total_parameters": sum(p.numel() for p in self.parameters()),
        }
