"""What is read off the encoder's states: one small head for each kind of task, with its loss."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from adapeff_sim.data.examples import TaskKind
from adapeff_sim.training.task_head import OF_FIRST_PIECE, TaskHead

NO_TARGET = -100  # pieces that carry no tag
IMPOSSIBLE = -1e9  # the logit of a choice that is not there


class Head(nn.Module):
    """A hidden layer and a linear one over the first piece, or a linear layer over every piece."""

    def __init__(self, shape: TaskHead, hidden: int, dropout: float) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(hidden, hidden) if shape.kind in OF_FIRST_PIECE else None
        self.out = nn.Linear(hidden, shape.outputs)
        for layer in (self.dense, self.out):
            if layer is not None:
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, states: Tensor) -> Tensor:
        """Logits (sequences, outputs), or (sequences, length, outputs) for tagging and spans."""
        if self.dense is None:
            return self.out(self.dropout(states))
        first = self.dropout(states[:, 0])
        return self.out(self.dropout(torch.tanh(self.dense(first))))


def by_choice(logits: Tensor, groups: tuple[int, ...]) -> Tensor:
    """The logits (sequences, 1) as (rows, choices), where row i has ``groups[i]`` choices."""
    return pad_sequence(logits.squeeze(-1).split(groups), batch_first=True, padding_value=IMPOSSIBLE)


def loss_of(kind: TaskKind, logits: Tensor, target: Tensor, groups: tuple[int, ...]) -> Tensor:
    """The mean cross-entropy in nats, always computed in 32 bits."""
    logits = logits.float()
    if kind is TaskKind.TAGGING:
        return cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=NO_TARGET)
    if kind is TaskKind.SPAN:
        return (cross_entropy(logits[..., 0], target[:, 0]) + cross_entropy(logits[..., 1], target[:, 1])) / 2
    if kind is TaskKind.CHOICE:
        logits = by_choice(logits, groups)
    return cross_entropy(logits, target)
