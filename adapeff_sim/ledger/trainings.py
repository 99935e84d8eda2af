"""What the ledger tells of every training: what it took, part by part, and what reaching one quality took each.

Two trainings are at equal quality when their scores on the same validation rows are. A training reaches a score with
the first validation that shows it; what it took until then is in its curve.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row, Usage, Validation
from adapeff_sim.ledger.records import DeploymentRecord, JobRecord

POINTS = 100  # of a score between 0 and 1


class TrainingRow(Row):
    """One training in one life: all that it used, and how good it was after so many steps."""

    label: str
    seed: int
    step: int
    day: float
    slot: str
    kind: str
    key: str  # equal where strategies share one training
    usage: Usage
    unavailable: tuple[str, ...]
    assumed: tuple[str, ...] = ()  # quantities that rest on a number which nobody measured or stated
    curve: tuple[Validation, ...]
    provenance: Provenance
    device: str
    place: int = 0  # of its event among those of its day


class EqualQualityRow(Row):
    """What one training took until it reached ``target`` on one task; None where it never did.

    ``goal`` says whose quality that is: the best that ``all`` of its rivals reached, or the ``floor`` below the best of
    any. Rivals are trainings of one seed and event that were validated on the same endpoints of the task.
    """

    label: str
    seed: int
    day: float
    task: str
    endpoints: tuple[str, ...]
    slot: str
    kind: str
    best: float
    goal: Literal["all", "floor"]
    target: float
    steps: float | None
    train_flops: float | None
    nominal_train_flops: float | None
    train_seconds: float | None
    provenance: Provenance | None = None  # None in results of earlier versions
    place: int = 0  # of the event among those of its day


def training_rows(ledger: Ledger, labels: Sequence[str], horizon_days: float) -> tuple[TrainingRow, ...]:
    """Every training up to the horizon, label by label."""
    builds = [r for r in ledger.of(JobRecord) if r.job == "build" and r.day <= horizon_days]
    builds.sort(key=lambda r: labels.index(r.label))
    places = {(r.label, r.seed, r.step): r.place for r in ledger.of(DeploymentRecord)}
    told = [name for name in TrainingRow.model_fields if name in JobRecord.model_fields]
    return tuple(
        TrainingRow(**{name: getattr(r, name) for name in told}, place=places.get((r.label, r.seed, r.step), 0))
        for r in builds
    )


Group = tuple[int, float, int, str, tuple[str, ...]]  # seed, day, place of the event, task, endpoints


class Rival(NamedTuple):
    """A training, with the score of its task at every validation."""

    row: TrainingRow
    scores: tuple[float, ...]

    @property
    def best(self) -> float:
        """The highest of them."""
        return max(self.scores)


def equal_quality(rows: Iterable[TrainingRow], quality_floor: float) -> tuple[EqualQualityRow, ...]:
    """For every group of rivals, what each took to both goals; ``quality_floor`` is in points.

    Where all come within the floor, there is one goal.
    """
    groups: dict[Group, list[Rival]] = defaultdict(list)
    for row in rows:
        for task, endpoints in _tasks(row).items():
            scores = tuple(statistics.fmean(point.scores[e] for e in endpoints) for point in row.curve)
            if not any(math.isnan(score) for score in scores):
                groups[row.seed, row.day, row.place, task, endpoints].append(Rival(row, scores))
    return tuple(
        found
        for group, rivals in sorted(groups.items())
        if len({rival.row.label for rival in rivals}) > 1
        for found in _compared(group, rivals, quality_floor / POINTS)
    )


def _tasks(row: TrainingRow) -> Mapping[str, tuple[str, ...]]:
    """The tasks that a training was validated on, each with its endpoints."""
    found: dict[str, list[str]] = defaultdict(list)
    for endpoint in sorted(row.curve[0].scores) if row.curve else ():
        found[endpoint.partition("/")[0]].append(endpoint)
    return {task: tuple(endpoints) for task, endpoints in found.items()}


def _compared(group: Group, rivals: Sequence[Rival], floor: float) -> Iterator[EqualQualityRow]:
    seed, day, place, task, endpoints = group
    shared, high = min(r.best for r in rivals), max(r.best for r in rivals) - floor
    goals: dict[Literal["all", "floor"], float] = {"all": shared}
    if high > shared:
        goals["floor"] = high
    for goal, target in goals.items():
        for rival in rivals:
            at = next((point for point, s in zip(rival.row.curve, rival.scores, strict=True) if s >= target), None)
            yield EqualQualityRow(
                label=rival.row.label,
                seed=seed,
                day=day,
                task=task,
                endpoints=endpoints,
                slot=rival.row.slot,
                kind=rival.row.kind,
                best=rival.best,
                goal=goal,
                target=target,
                steps=None if at is None else at.step,
                train_flops=None if at is None else at.train_flops,
                nominal_train_flops=None if at is None else at.nominal_train_flops,
                train_seconds=None if at is None else at.train_seconds,
                provenance=rival.row.provenance,
                place=place,
            )
