"""What doing one job took and gave."""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Usage = dict[str, float]  # quantity -> amount; the unit is in the name: train_seconds, train_flops, labelled_examples
Provenance = Literal["measured", "reused", "estimated", "assumed", "unavailable"]
PROVENANCES: tuple[Provenance, ...] = ("measured", "reused", "estimated", "assumed", "unavailable")  # surest first
NOT_MEASURED: tuple[Provenance, ...] = ("estimated", "assumed")  # what a figure with a * is, in part or as a whole


def weakest(found: Iterable[Provenance]) -> Provenance:
    """What may be said of a number computed from several."""
    return max(found, key=PROVENANCES.index, default="measured")


class Told(Protocol):
    """What says of its quantities as a whole how sure they are, and names those that rest on an assumption."""

    @property
    def provenance(self) -> Provenance:
        """Of the whole."""
        ...

    @property
    def assumed(self) -> tuple[str, ...]:
        """Names of quantities."""
        ...


def sure_of(told: Told, *quantities: str) -> Provenance:
    """How sure some quantities of an outcome or a record are: the least sure of them."""
    rests = not set(told.assumed).isdisjoint(quantities)
    return weakest([told.provenance, "assumed"]) if rests else told.provenance


def sure_of_count(told: Told, rows: str) -> Provenance:
    """How sure a number of rows is: it was counted, also where nothing else of the outcome or the record is known."""
    if told.provenance == "unavailable":
        return "assumed" if rows in told.assumed else "estimated"
    return sure_of(told, rows)


class Row(BaseModel):
    """A frozen piece of a record."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Validation(Row):
    """How good a training was after ``step`` steps, and what they had taken: of training alone, not of validating.

    ``scores`` (0 to 1) are of the metric that counts, by endpoint.
    """

    step: int
    train_seconds: float
    train_flops: float
    nominal_train_flops: float
    scores: dict[str, float]


class HeadSize(Row):
    """A head over the first piece of each sequence, or over every piece."""

    per_sequence: bool
    outputs: int


class Batches(Row):
    """Steps over batches of one shape; ``length`` is in pieces, padding included."""

    task: str
    sequences: int
    length: int
    steps: int


class Workload(Row):
    """What was trained on what, as shapes: all that decides how many operations it took, and would take otherwise.

    ``encoder`` holds those entries of the base model's config.json that decide its shape.
    """

    encoder: dict[str, JsonValue]
    adapters: tuple[str, ...] = ()  # methods
    fused: bool = False
    trained: Literal["nothing", "head", "adapter", "fusion", "model"]
    heads: dict[str, HeadSize]  # by task
    batches: tuple[Batches, ...]


class Prediction(NamedTuple):
    """What was said of one test item, and whether all of it is right."""

    said: str
    is_right: bool


class Outcome(Row):
    """What one job used, and what came of it.

    ``usage`` holds what was measured and nothing else; what should have been measured and could not be is named in
    ``unavailable``; what rests on a number that nobody measured or stated is named in ``assumed``, where
    ``stored_bytes`` and ``request_seconds`` may stand too. ``scores`` (0 to 1) come from evaluating, with the name of
    the one that counts in ``primary``; ``request_seconds`` from serving: seconds per request by batch size.
    ``converged`` is None for jobs that do not train, and False for a training that its cap ended before its patience
    did. A training also tells its ``curve``, one point for each time that it was validated, and its ``workload``. An
    evaluation tells its ``predictions`` by test item, each named by its content; None where they were not kept.
    """

    usage: Usage = Field(default_factory=dict)
    stored_bytes: int | None = 0  # None where nobody knows
    scores: dict[str, float] = Field(default_factory=dict)
    primary: str = ""
    request_seconds: dict[int, float] = Field(default_factory=dict)
    converged: bool | None = None
    curve: tuple[Validation, ...] = ()
    workload: Workload | None = None
    predictions: dict[str, Prediction] | None = None
    unavailable: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    provenance: Provenance = "measured"
    device: str = ""
    threads: int = 0

    @property
    def score(self) -> float:
        """The score that counts, between 0 and 1; NaN for a job that scores nothing."""
        return self.scores.get(self.primary, math.nan)
