"""What keeping the product alive took beside money: for each event and strategy, what moved that nobody asked to move.

An event touches endpoints: those that are new, and those that get other rows or another test set. Every other endpoint
that was served before is one that nobody asked to change; an update of the base model is asked by no endpoint.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from adapeff_sim.ledger.history import test_items
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row, sure_of, weakest
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord

Step = tuple[str, int, int]  # label, seed, step
CHURN = ("compared_items", "changed_items", "became_wrong", "became_right")


class Lead(NamedTuple):
    """Seconds until the last endpoint is live, and how sure they are."""

    seconds: float | None
    provenance: Provenance


class UpkeepRow(Row):
    """What one event meant for one life, all its steps together.

    A number is None where it could not be had, and named in ``unavailable`` then; it is None and not named where there
    is nothing to tell: no churn where nobody was left in peace, no forgetting where nobody was scored twice.
    """

    label: str
    seed: int
    day: float
    event: str
    place: int  # of the event among those of its day
    created: int  # artifacts
    rebuilt: int
    retired: int
    opened: tuple[str, ...]  # endpoints that were not served before
    redeployed: tuple[str, ...] | None  # endpoints served before that another route answers now
    unasked: tuple[str, ...] | None  # those of them that the event did not touch
    unasked_of_other_tasks: tuple[str, ...] | None  # those of them of whose task it touched no endpoint
    items: int | None  # test items run
    unasked_items: int | None  # those run for endpoints that the event did not touch
    compared_items: int | None  # test items of all endpoints that the event did not touch, answered before and after
    changed_items: int | None  # those of them that got another answer
    became_wrong: int | None
    became_right: int | None
    churn: float | None  # changed_items as a share of compared_items
    forgetting: float | None  # 0 to 1: best score so far less that of now, mean over endpoints scored twice or more
    most_forgetting: float | None
    most_forgotten: str  # the endpoint; empty where nothing is forgotten
    lead_seconds: float | None
    lead_provenance: Provenance
    devices: int  # that worked on it
    rollback_bytes: int | None  # of what was routed before and is no more: kept to go back
    unavailable: tuple[str, ...]
    provenance: Provenance  # of all but the lead time


def upkeep_rows(
    ledger: Ledger, labels: Sequence[str], horizon_days: float, leads: Mapping[Step, Lead], devices: int
) -> tuple[UpkeepRow, ...]:
    """A row for every event of every life, label by label."""
    stood = [r for r in ledger.of(DeploymentRecord) if r.day <= horizon_days]
    stood.sort(key=lambda r: labels.index(r.label))
    scored: dict[Step, list[EvaluationRecord]] = defaultdict(list)
    items = test_items(ledger)
    for e in ledger.of(EvaluationRecord):
        told = e.model_copy(update={"items": items.get((e.label, e.seed, e.step, e.endpoint))})
        scored[e.label, e.seed, e.step].append(told)
    built: dict[Step, list[Provenance]] = defaultdict(list)
    for job in ledger.of(JobRecord):
        built[job.label, job.seed, job.step] += [sure_of(job, "stored_bytes")] if job.job == "build" else []
    rows: list[UpkeepRow] = []
    for _, life in groupby(stood, key=lambda r: (r.label, r.seed)):
        rows += _life(list(life), scored, built, leads, devices)
    return tuple(rows)


def _life(
    stood: Sequence[DeploymentRecord],
    scored: Mapping[Step, list[EvaluationRecord]],
    built: Mapping[Step, list[Provenance]],
    leads: Mapping[Step, Lead],
    devices: int,
) -> Iterator[UpkeepRow]:
    """The events of one life, each beside what stood before it."""
    before: DeploymentRecord | None = None
    past: list[EvaluationRecord] = []
    for _, group in groupby(stood, key=lambda r: (r.day, r.place, r.event)):
        records = list(group)
        steps: list[Step] = [(r.label, r.seed, r.step) for r in records]
        now = [e for step in steps for e in scored.get(step, ())]
        sure = [how for step in steps for how in built.get(step, ())] + [sure_of(e, "test_examples") for e in now]
        past += now
        lead = _together([leads[step] for step in steps if step in leads])
        event = _Event(before, tuple(records), tuple(now), tuple(past))
        yield _row(event, lead, devices, weakest(sure or event.sure_of_stored))
        before = records[-1]


def _together(leads: Sequence[Lead]) -> Lead:
    """Steps of one event wait for each other's scores, and so come one after the other."""
    known = [lead.seconds for lead in leads if lead.seconds is not None]
    if len(known) < len(leads):
        return Lead(None, "unavailable")
    return Lead(math.fsum(known), weakest(lead.provenance for lead in leads))


@dataclass(frozen=True, slots=True)
class _Event:
    """The steps of one event, what stood before it, its evaluations, and all of the life up to its end."""

    before: DeploymentRecord | None
    records: tuple[DeploymentRecord, ...]
    scored: tuple[EvaluationRecord, ...]
    past: tuple[EvaluationRecord, ...]

    @property
    def last(self) -> DeploymentRecord:
        """What stands when it is over."""
        return self.records[-1]

    @property
    def sure_of_stored(self) -> list[Provenance]:
        """How sure the sizes are of what stood before and stands now, on which all of an event without work rests."""
        kept = (*(self.before.stored if self.before else ()), *self.last.stored)
        return [s.provenance for s in kept if s.provenance != "unavailable"]

    @property
    def was_served(self) -> set[str]:
        """The endpoints that had traffic before."""
        return {a.endpoint for a in self.before.answered} if self.before else set()

    @property
    def served(self) -> set[str]:
        """The endpoints that have traffic now."""
        return {a.endpoint for a in self.last.answered}

    @property
    def in_peace(self) -> tuple[str, ...] | None:
        """The endpoints served before and after that the event did not touch."""
        touched = self.last.touched
        return None if touched is None else tuple(sorted((self.was_served & self.served).difference(touched)))


def _row(event: _Event, lead: Lead, devices: int, sure: Provenance) -> UpkeepRow:
    last, forgotten = event.last, _forgotten(event)
    told, churn = _told(event, lead)
    missing = [name for name, value in told.items() if value is None]
    missing += (["churn"] if churn is None else []) + (["forgetting"] if forgotten is None else [])
    return UpkeepRow.model_validate(
        {
            **{name: getattr(last, name) for name in ("label", "seed", "day", "event", "place")},
            **{fate: sum(len(getattr(r, fate)) for r in event.records) for fate in ("created", "rebuilt", "retired")},
            "opened": tuple(sorted(event.served - event.was_served)),
            **told,
            "churn": churn[1] / churn[0] if churn and churn[0] else None,
            **_most_forgotten(forgotten),
            "lead_provenance": lead.provenance,
            "devices": devices,
            "unavailable": tuple(sorted(missing)),
            "provenance": sure,
        }
    )


def _told(event: _Event, lead: Lead) -> tuple[dict[str, object], tuple[int, ...] | None]:
    """What an event took, each of it None only where it cannot be had; and the churn by itself."""
    last, in_peace = event.last, event.in_peace
    unasked = (
        None if in_peace is None or last.redeployed is None else tuple(e for e in in_peace if e in last.redeployed)
    )
    tasks, churn = {_task(e) for e in last.touched or ()}, _churn(event, unasked)
    told: dict[str, object] = {
        "redeployed": last.redeployed,
        "unasked": unasked,
        "unasked_of_other_tasks": None if unasked is None else tuple(e for e in unasked if _task(e) not in tasks),
        "items": _items(event.scored),
        "unasked_items": None if in_peace is None else _items([e for e in event.scored if e.endpoint in in_peace]),
        **dict(zip(CHURN, churn or (None,) * len(CHURN), strict=True)),
        "lead_seconds": lead.seconds,
        "rollback_bytes": _rollback(event.before, last),
    }
    return told, churn


def _most_forgotten(forgotten: Mapping[str, float] | None) -> dict[str, object]:
    """How much was forgotten on average and at most, and where; None where nothing is known of it."""
    if not forgotten:
        return {"forgetting": None, "most_forgetting": None, "most_forgotten": ""}
    most = max(sorted(forgotten), key=lambda e: forgotten[e])
    mean = statistics.fmean(forgotten.values())
    return {"forgetting": mean, "most_forgetting": forgotten[most], "most_forgotten": most if forgotten[most] else ""}


def _task(endpoint: str) -> str:
    return endpoint.partition("/")[0]


def _items(scored: Sequence[EvaluationRecord]) -> int | None:
    """Test items that were run; None where an evaluation does not tell."""
    known = [e.items for e in scored if e.items is not None]
    return sum(known) if len(known) == len(scored) else None


def _churn(event: _Event, unasked: tuple[str, ...] | None) -> tuple[int, ...] | None:
    """The items of CHURN over all endpoints left in peace; where the route stands, so do all of its answers."""
    if unasked is None or event.in_peace is None:
        return None
    sums = [0] * len(CHURN)
    for endpoint in event.in_peace:
        last = next((e for e in reversed(event.past) if e.endpoint == endpoint), None)
        found = last.compared if last and endpoint in unasked else None
        if found is not None and found.items:
            counts = (found.items, found.changed, found.became_wrong, found.became_right)
        elif last and last.items is not None and endpoint not in unasked:
            counts = (last.items, 0, 0, 0)
        else:
            return None
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
    return tuple(sums)


def _forgotten(event: _Event) -> dict[str, float] | None:
    """How far each endpoint lies below its best on the test set of now, if it was scored on it before.

    None where a score is missing of one that was; a single look, with or without a score, tells of no forgetting.
    """
    found: dict[str, float] = {}
    for endpoint in sorted(event.served):
        mine = [e for e in event.past if e.endpoint == endpoint]
        same = [e.scores.get(e.primary) for e in mine if e.test_set == mine[-1].test_set]
        known = [score for score in same if score is not None and not math.isnan(score)]
        if len(same) < 2:
            continue
        if len(known) < len(same):
            return None
        found[endpoint] = max(known) - known[-1]
    return found


def _rollback(before: DeploymentRecord | None, now: DeploymentRecord) -> int | None:
    """Bytes that were routed before and are no more; 0 where all of it still is, None where a size is not known."""
    stays = {s.fingerprint for s in now.stored if s.kept_as == "routed"}
    gone = [s for s in before.stored if s.kept_as == "routed" and s.fingerprint not in stays] if before else []
    known = [s.stored_bytes for s in gone if s.stored_bytes is not None and s.provenance != "unavailable"]
    return sum(known) if len(known) == len(gone) else None
