"""What doing one job took and gave."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Usage = dict[str, float]  # quantity -> amount; the unit is in the name: train_seconds, train_flops, labelled_examples
Provenance = Literal["measured", "reused", "estimated", "unavailable"]


class Row(BaseModel):
    """A frozen piece of a record."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Outcome(Row):
    """What one job used, and what came of it.

    ``usage`` holds what was measured and nothing else; what should have been measured and could not be is named in
    ``unavailable``. ``scores`` (0 to 1) come from evaluating, with the name of the one that counts in ``primary``;
    ``request_seconds`` from serving: seconds per request by batch size. ``converged`` is None for jobs that do not
    train, and False for a training that its cap ended before its patience did.
    """

    usage: Usage = Field(default_factory=dict)
    stored_bytes: int = 0
    scores: dict[str, float] = Field(default_factory=dict)
    primary: str = ""
    request_seconds: dict[int, float] = Field(default_factory=dict)
    converged: bool | None = None
    unavailable: tuple[str, ...] = ()
    provenance: Provenance = "measured"
    device: str = ""
    threads: int = 0

    @property
    def score(self) -> float:
        """The score that counts, between 0 and 1; NaN for a job that scores nothing."""
        return self.scores.get(self.primary, math.nan)
