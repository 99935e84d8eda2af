"""What the ledger tells of a life: what each event meant, how good the answers were, what training was cut short."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence

from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row, sure_of, weakest
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord

Scores = dict[str, dict[str, float | None]]  # label -> endpoint -> score, 0 to 1


class EventRow(Row):
    """What one event, or the answer to its checks (a later step of the same day), meant for one life.

    Sums are over its builds; they are None where a build does not tell, and 0 where nothing was built. Of an estimate
    warm-up and lost seconds are None.
    """

    label: str
    seed: int
    step: int
    day: float
    event: str
    place: int = 0  # of the event among those of its day
    created: tuple[str, ...]  # slots
    rebuilt: tuple[str, ...]
    kept: tuple[str, ...]
    retired: tuple[str, ...]
    because: tuple[str, ...]  # "role:slot" of the inputs that moved
    validated: tuple[str, ...]  # endpoints that were scored
    train_flops: float | None
    nominal_train_flops: float | None
    train_seconds: float | None
    validate_seconds: float | None
    evaluate_seconds: float | None
    warmup_seconds: float | None  # not charged to a strategy
    lost_seconds: float | None  # not charged to a strategy
    converged: bool | None  # None where nothing was trained that tells
    provenance: Provenance | None = None  # of what was built and scored; None in results of earlier versions


class QualityPoint(Row):
    """An endpoint's score from ``day`` until it is scored again or no longer served; None where it could not be had."""

    label: str
    seed: int
    endpoint: str
    day: float
    until: float
    metric: str
    score: float | None
    test_set: str
    provenance: Provenance | None = None  # None in results of earlier versions


class CutShort(Row):
    """A training that its cap ended before its patience did."""

    label: str
    seed: int
    day: float
    slot: str


Step = tuple[str, int, int]  # label, seed, step
SUMMED = ("train_flops", "nominal_train_flops", "train_seconds", "validate_seconds", "evaluate_seconds")


def event_rows(ledger: Ledger, labels: Sequence[str], horizon_days: float) -> tuple[EventRow, ...]:
    """A row for every step of every life, label by label."""
    builds: dict[Step, list[JobRecord]] = defaultdict(list)
    scored: dict[Step, list[EvaluationRecord]] = defaultdict(list)
    for job in ledger.of(JobRecord):
        if job.job == "build":
            builds[job.label, job.seed, job.step].append(job)
    for evaluation in ledger.of(EvaluationRecord):
        scored[evaluation.label, evaluation.seed, evaluation.step].append(evaluation)
    stood = [r for r in ledger.of(DeploymentRecord) if r.day <= horizon_days]
    stood.sort(key=lambda r: labels.index(r.label))
    return tuple(_event_row(r, builds[r.label, r.seed, r.step], scored[r.label, r.seed, r.step]) for r in stood)


def _event_row(stood: DeploymentRecord, builds: list[JobRecord], scored: list[EvaluationRecord]) -> EventRow:
    """What was done at one step."""
    told = [job.converged for job in builds if job.converged is not None]
    did: list[JobRecord | EvaluationRecord] = [*builds, *scored]
    return EventRow(
        label=stood.label,
        seed=stood.seed,
        step=stood.step,
        day=stood.day,
        event=stood.event,
        place=stood.place,
        created=stood.created,
        rebuilt=stood.rebuilt,
        kept=stood.kept,
        retired=stood.retired,
        because=tuple(sorted({why for job in builds for why in job.because})),
        validated=tuple(sorted(e.endpoint for e in scored)),
        train_flops=_sum(builds, "train_flops"),
        nominal_train_flops=_sum(builds, "nominal_train_flops"),
        train_seconds=_sum(builds, "train_seconds"),
        validate_seconds=_sum([b for b in builds if _tells(b, "validate_seconds")], "validate_seconds"),
        evaluate_seconds=_sum(scored, "evaluate_seconds"),
        warmup_seconds=_besides(did, "warmup_seconds"),
        lost_seconds=_besides(did, "lost_seconds"),
        converged=all(told) if told else None,
        provenance=weakest(sure_of(record, *SUMMED) for record in did),
    )


def _besides(records: Sequence[JobRecord | EvaluationRecord], quantity: str) -> float | None:
    """Seconds that a machine took besides the work: none where nobody tells of any, unknown where nothing ran."""
    if any(r.provenance not in ("measured", "reused") for r in records):
        return None
    return math.fsum(r.usage.get(quantity, 0.0) for r in records)


def _tells(job: JobRecord, quantity: str) -> bool:
    """Whether a job has, or should have had, a quantity: a build need not validate."""
    return quantity in job.usage or quantity in job.unavailable


def _sum(records: Sequence[JobRecord | EvaluationRecord], quantity: str) -> float | None:
    found = [r.usage.get(quantity) for r in records]
    known = [n for n in found if n is not None]
    return math.fsum(known) if len(known) == len(found) else None


def quality_points(ledger: Ledger, horizon_days: float) -> tuple[QualityPoint, ...]:
    """The scores of every endpoint as steps in time, up to the horizon."""
    scored: dict[tuple[str, int, str], list[EvaluationRecord]] = defaultdict(list)
    for record in ledger.of(EvaluationRecord):
        if record.day <= horizon_days:
            scored[record.label, record.seed, record.endpoint].append(record)
    closed = _closings(ledger, horizon_days)
    return tuple(
        _point(record, records[i + 1 : i + 2], closed.get(who, []), horizon_days)
        for who, records in sorted(scored.items())
        for i, record in enumerate(records)
    )


def sure_of_scores(points: Iterable[QualityPoint]) -> Provenance:
    """How sure all scores together are: the least sure of those that there are."""
    return weakest(p.provenance for p in points if p.provenance is not None and p.score is not None)


def _closings(ledger: Ledger, horizon_days: float) -> dict[tuple[str, int, str], list[DeploymentRecord]]:
    """For each life and endpoint, the deployments with which it ceases to be served."""
    closings: dict[tuple[str, int, str], list[DeploymentRecord]] = defaultdict(list)
    served: dict[tuple[str, int], set[str]] = {}
    for record in ledger.of(DeploymentRecord):
        if record.day > horizon_days:
            continue
        now = {a.endpoint for a in record.answered}
        for endpoint in served.get((record.label, record.seed), set()) - now:
            closings[record.label, record.seed, endpoint].append(record)
        served[record.label, record.seed] = now
    return closings


def _point(
    record: EvaluationRecord, after: Sequence[EvaluationRecord], closed: Sequence[DeploymentRecord], horizon_days: float
) -> QualityPoint:
    """One score, until the next one, the endpoint's end, or the horizon, whatever comes first."""
    ends = [r.day for r in after] + [r.day for r in closed if r.step > record.step] + [horizon_days]
    score = _known(record.scores.get(record.primary))
    return QualityPoint(
        label=record.label,
        seed=record.seed,
        endpoint=record.endpoint,
        day=record.day,
        until=min(ends),
        metric=record.primary,
        score=score,
        test_set=record.test_set,
        provenance="unavailable" if score is None else record.provenance,
    )


def _known(score: float | None) -> float | None:
    return None if score is None or math.isnan(score) else score


def test_items(ledger: Ledger) -> dict[tuple[str, int, int, str], int]:
    """How many test items every evaluation ran, by label, seed, step and endpoint, as far as that is known.

    Ledgers of earlier versions tell it where the rows were bought: as many ran whenever that test set did again.
    """
    found: dict[tuple[str, int, int, str], int] = {}
    bought: dict[tuple[str, int, str, str], int] = {}
    for e in ledger.of(EvaluationRecord):
        name = (e.label, e.seed, e.endpoint, e.test_set)
        if e.items is None and "test_examples" in e.usage:
            bought[name] = int(e.usage["test_examples"])
        items = bought.get(name) if e.items is None else e.items
        if items is not None:
            found[e.label, e.seed, e.step, e.endpoint] = items
    return found


def final_scores(
    ledger: Ledger, points: Iterable[QualityPoint], labels: Sequence[str], seeds: Sequence[int], horizon_days: float
) -> Scores:
    """The score of every endpoint that is served at the horizon, mean over seeds; None unless every seed has one."""
    last: dict[tuple[str, int, str], float | None] = {}
    for p in points:
        last[p.label, p.seed, p.endpoint] = p.score
    served: dict[tuple[str, int], DeploymentRecord] = {
        (r.label, r.seed): r for r in ledger.of(DeploymentRecord) if r.day <= horizon_days
    }
    final: Scores = {}
    for label in labels:
        lives = [served[label, seed] for seed in seeds if (label, seed) in served]
        endpoints = sorted({a.endpoint for life in lives for a in life.answered})
        final[label] = {
            e: _mean([last.get((label, life.seed, e)) for life in lives if _serves(life, e)]) for e in endpoints
        }
    return final


def _serves(life: DeploymentRecord, endpoint: str) -> bool:
    return any(a.endpoint == endpoint for a in life.answered)


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [s for s in scores if s is not None]
    return statistics.fmean(known) if known and len(known) == len(scores) else None


def not_converged(ledger: Ledger, horizon_days: float) -> tuple[CutShort, ...]:
    """Every training that was cut short."""
    return tuple(
        CutShort(label=r.label, seed=r.seed, day=r.day, slot=r.slot)
        for r in ledger.of(JobRecord)
        if r.converged is False and r.day <= horizon_days
    )
