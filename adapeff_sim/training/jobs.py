"""What the workbench is asked to do, as plain values: rows and folders in, nothing of torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.deployment import Route
from adapeff_sim.base_models.release import Release
from adapeff_sim.data.examples import AnyExample, TaskKind
from adapeff_sim.lifecycle.world import Endpoint
from adapeff_sim.training.settings import TrainingSettings

Rows = tuple[AnyExample, ...]
PROBED = 3  # what a serving probe measures, and how; another number makes stored ones be taken again
PREDICTIONS = "predictions.jsonl"  # what an evaluation keeps in its folder: a line for each test row
Phase = Literal["train", "validate", "evaluate", "probe"]


@dataclass(frozen=True, slots=True)
class TaskRows:
    """A task and its rows by language; of ``replay`` only the recipe's share is shown again."""

    name: str
    kind: TaskKind
    labels: tuple[str, ...]  # class names or tags, sorted; empty for choice and span
    train: Mapping[str, Rows] = field(default_factory=dict)
    replay: Mapping[str, Rows] = field(default_factory=dict)
    validation: Mapping[str, Rows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuildJob:
    """Train one adapter, fusion or model; ``inputs`` holds the folder of every built input by fingerprint."""

    artifact: Artifact
    release: Release
    inputs: Mapping[str, Path]
    tasks: tuple[TaskRows, ...]
    settings: TrainingSettings
    seed: int


@dataclass(frozen=True, slots=True)
class EvaluateJob:
    """Score one route on test rows; ``release`` is the base model under it, or that it grew from."""

    route: Route
    release: Release
    inputs: Mapping[str, Path]
    endpoint: Endpoint
    task: TaskRows
    rows: Rows
    settings: TrainingSettings


@dataclass(frozen=True, slots=True)
class ServeJob:
    """Time one request to a shape: ``outputs`` classes or tags, or choices; each sequence ``length_tokens`` long."""

    release: Release
    stack: tuple[str, ...]  # as planning.plan.Serve has it: base_model, adapter METHOD, ..., fusion; or model
    kind: TaskKind
    outputs: int
    settings: TrainingSettings
    length_tokens: int


@dataclass(frozen=True, slots=True)
class Note:
    """How far a job is: ``done`` of at most ``total`` steps, rows or requests."""

    phase: Phase
    done: int
    total: int
    loss: float | None = None
    score: float | None = None  # the best validation score so far, 0 to 1
    remaining_seconds: float | None = None


Tell = Callable[[Note], None]
