"""How a base model is made: what `adapeff-sim pretrain` is told (no torch)."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_THREADS = 1024
MOST_LAYERS, WIDEST = 256, 16_384  # far beyond what text of this size can fill
BYTES_A_PARAMETER = 16  # in 32 bit: the weight, its gradient, and the two moments of AdamW

KINDS = ("sentences", "pairs", "packed")
"""Kinds of batch: one sentence a sequence, parallel sentences, and sequences filled to the end."""


class PretrainSettings(BaseModel):
    """How a base model is made; the defaults are those of `adapeff-mini`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Path
    out: Path
    init_from: Path | None = None
    """A base model to train on from, with its tokenizer and shape, instead of co-occurrence."""
    resume: bool = False
    seed: int = Field(default=13, ge=0, le=2**32 - 1)
    threads: int = Field(default=1, ge=1, le=MOST_THREADS)

    layers: int = Field(default=4, ge=1, le=MOST_LAYERS)
    hidden: int = Field(default=256, ge=8, le=WIDEST)
    heads: int = Field(default=4, ge=1, le=WIDEST)
    vocabulary: int = Field(default=16_000, ge=300, le=65_536)
    longest: int = Field(default=256, ge=16, le=WIDEST)
    """Pieces in the longest sequence."""

    minutes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    tokens: int | None = Field(default=None, gt=0)
    batch_tokens: int = Field(default=1024, ge=16)
    learning_rate: float = Field(default=6e-4, gt=0, allow_inf_nan=False)
    warm_up_steps: int = Field(default=300, ge=0)
    decay_share: float = Field(default=0.3, ge=0, le=1)
    """The last part of the run, over which the learning rate falls to a twentieth."""
    masked_share: float = Field(default=0.2, gt=0, lt=1)
    temperature: float = Field(default=0.6, ge=0, le=1)
    kind_shares: dict[str, float] = {"sentences": 0.65, "pairs": 0.2, "packed": 0.15}
    sentence_weight: float = Field(default=0.5, ge=0)
    """How much telling the words from <s> counts beside guessing the hidden pieces."""
    parallel_weight: float = Field(default=3.0, ge=0)
    checkpoint_seconds: float = Field(default=45.0, gt=0)
    dev_lines: int = Field(default=400, ge=1)
    """Held-back lines a language to check with."""

    @model_validator(mode="after")
    def _is_possible(self) -> "PretrainSettings":
        if self.minutes is None and self.tokens is None:
            raise ValueError("say how long to train: --minutes, --tokens, or both")
        if set(self.kind_shares) != set(KINDS):
            raise ValueError(f"kind_shares needs exactly {', '.join(KINDS)}")
        if self.hidden % (2 * self.heads):
            raise ValueError(f"a hidden size of {self.hidden} cannot be shared by {self.heads} heads in even parts")
        return self

    @property
    def bytes_needed(self) -> int:
        """The memory that training a new model takes, in bytes: its matrices and all that AdamW keeps of them."""
        matrices = (self.vocabulary + self.longest) * self.hidden + 12 * self.layers * self.hidden**2
        return BYTES_A_PARAMETER * matrices
