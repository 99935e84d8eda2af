"""Steps and outcomes become the ledger: pure, so it can be derived again whenever the store is there.

step -> a record for each of its jobs -> a record of what stands from then on
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, TypedDict

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.deployment import Route
from adapeff_sim.artifacts.recipe import DatasetRecipe, Kind
from adapeff_sim.execution.base import Order
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Outcome, Prediction, Provenance, Usage, sure_of
from adapeff_sim.ledger.records import (
    Answered,
    Compared,
    DeploymentRecord,
    EvaluationRecord,
    JobRecord,
    Record,
    ServingRecord,
    Stored,
)
from adapeff_sim.lifecycle.world import Endpoint, World
from adapeff_sim.planning.plan import Action, Evaluate, Job, Make, Serve, shapes
from adapeff_sim.planning.unfold import Step

Done = Callable[[Step, Job], tuple[Order, Outcome]]  # raises ExecutionError for a job that was not done
Bought = dict[tuple[str, ...], float]  # rows of each data set that one life has paid for
Predictions = Mapping[str, Prediction]  # by test item


@dataclass(slots=True)
class Before:
    """What stood before the event that is being accounted for, and what has been answered since."""

    world: World = field(default_factory=World)
    routes: Mapping[Endpoint, Route] = field(default_factory=dict)
    answers: dict[Endpoint, Predictions | None] = field(default_factory=dict)
    last: Step | None = None
    now: dict[Endpoint, Predictions | None] = field(default_factory=dict)

    def reach(self, step: Step) -> None:
        """Come to a step: the first one of an event finds what the last step of the event before left."""
        if self.last is not None and step.event is not self.last.event:
            self.world, self.routes = self.last.world, self.last.deployment.routes
            self.answers = {e: self.now.get(e) for e in self.routes}
        self.last = step


def account(steps: Iterable[Step], done: Done) -> Ledger:
    """What happened: life by life, for each step its jobs, then what stands."""
    records: list[Record] = []
    for _, life in groupby(steps, key=lambda step: (step.label, step.seed)):
        bought, before = Bought(), Before()
        for step, place in placed(life):
            before.reach(step)
            because = {change.artifact: change.because for change in step.plan.changes}
            for job in step.plan.jobs:
                records.append(_record(step, job, *done(step, job), because, bought, before))
            records.append(_standing(step, place, done, before))
    return Ledger(tuple(records))


def placed(life: Iterable[Step]) -> Iterator[tuple[Step, int]]:
    """The steps of one life, each with the place of its event among those of its day, from 0.

    Steps that wait for scores and go on share their event; another one that says the same is another object.
    """
    before, place = None, 0
    for step in life:
        if before is not None and step.event is not before:
            place = place + 1 if step.event.day == before.day else 0
        before = step.event
        yield step, place


class Moment(TypedDict):
    """Whose life it is, and when."""

    label: str
    seed: int
    step: int
    day: float


class Measured(TypedDict):
    """How a record's numbers were got."""

    key: str
    unavailable: tuple[str, ...]
    assumed: tuple[str, ...]
    provenance: Provenance
    device: str
    threads: int


def _moment(step: Step) -> Moment:
    return {"label": step.label, "seed": step.seed, "step": step.number, "day": step.event.day}


def _measured(order: Order, outcome: Outcome) -> Measured:
    return {
        "key": order.key,
        "unavailable": outcome.unavailable,
        "assumed": outcome.assumed,
        "provenance": outcome.provenance,
        "device": outcome.device,
        "threads": outcome.threads,
    }


def _record(
    step: Step,
    job: Job,
    order: Order,
    outcome: Outcome,
    because: Mapping[Artifact, tuple[str, ...]],
    bought: Bought,
    before: Before,
) -> Record:
    match job:
        case Make(artifact):
            return _job_record(step, artifact, order, outcome, because.get(artifact, ()), bought)
        case Evaluate():
            return _evaluation_record(step, job, order, outcome, bought, before)
        case Serve():
            return ServingRecord(
                **_moment(step),
                **_measured(order, outcome),
                shape=str(job),
                request_seconds=outcome.request_seconds,
                usage=dict(outcome.usage),
            )


def _job_record(
    step: Step, artifact: Artifact, order: Order, outcome: Outcome, because: tuple[str, ...], bought: Bought
) -> JobRecord:
    rows = outcome.usage.get("labelled_examples")
    return JobRecord(
        **_moment(step),
        **_measured(order, outcome),
        job="fetch" if artifact.kind.is_source else "build",
        kind=str(artifact.kind),
        slot=artifact.slot,
        fingerprint=artifact.fingerprint,
        needs=order.inputs,
        because=because,
        rows=None if rows is None else int(rows),
        usage=_newly_bought(outcome.usage, artifact, bought),
        stored_bytes=outcome.stored_bytes,
        converged=outcome.converged,
        curve=outcome.curve,
        workload=outcome.workload,
    )


def _evaluation_record(
    step: Step, job: Evaluate, order: Order, outcome: Outcome, bought: Bought, before: Before
) -> EvaluationRecord:
    """The record of an evaluation, compared with the answers that the endpoint gave before."""
    endpoint, test_set = job.endpoint, job.test_set
    before.now[endpoint] = outcome.predictions
    items = outcome.usage.get("test_examples")
    rows = ("test", str(endpoint), *map(str, test_set))
    return EvaluationRecord(
        **_moment(step),
        **_measured(order, outcome),
        endpoint=str(endpoint),
        route=job.route[-1].slot,
        needs=order.inputs,
        test_set=str(test_set),
        items=None if items is None else int(items),
        compared=_compared(before.answers.get(endpoint), outcome.predictions),
        scores=outcome.scores,
        primary=outcome.primary,
        usage=_paid_once(outcome.usage, "test_examples", rows, bought),
    )


def _compared(before: Predictions | None, now: Predictions | None) -> Compared | None:
    """The test items that both sides answered, and how many of them got another answer; None where one is not known."""
    if before is None or now is None:
        return None
    pairs = [(before[item], now[item]) for item in before.keys() & now.keys()]
    return Compared(
        items=len(pairs),
        changed=sum(was.said != is_now.said for was, is_now in pairs),
        became_wrong=sum(was.is_right and not is_now.is_right for was, is_now in pairs),
        became_right=sum(is_now.is_right and not was.is_right for was, is_now in pairs),
    )


def _newly_bought(usage: Usage, artifact: Artifact, bought: Bought) -> Usage:
    """The usage of making an artifact; of a dataset only the rows that are new to this life."""
    recipe = artifact.recipe
    if not isinstance(recipe, DatasetRecipe):
        return dict(usage)
    name = (recipe.task, recipe.language, recipe.source)
    usage = _paid_once(usage, "labelled_examples", ("train", *name), bought)
    return _paid_once(usage, "validation_examples", ("validation", *name), bought)


def _paid_once(usage: Usage, quantity: str, name: tuple[str, ...], bought: Bought) -> Usage:
    """The usage with only those rows in ``quantity`` that exceed what was bought under ``name`` before."""
    rows = usage.get(quantity, 0.0)
    new = max(0.0, rows - bought.get(name, 0.0))
    bought[name] = max(rows, bought.get(name, 0.0))
    return {q: n for q, n in usage.items() if q != quantity} | ({quantity: new} if new else {})


def _standing(step: Step, place: int, done: Done, before: Before) -> Record:
    """Every artifact that is kept, with its size, and every endpoint with the pool that answers it."""
    moved = (e for e, route in step.deployment.routes.items() if before.routes.get(e, route) != route)
    shape_of = shapes(step.deployment)
    answered = [
        _answered(e, route, str(shape_of[e]), step.world.traffic[e])
        for e, route in sorted(step.deployment.routes.items())
    ]

    def slots(action: Action) -> tuple[str, ...]:
        found = (c.artifact for c in step.plan.changes if c.action is action)
        return tuple(sorted(a.slot for a in found if not a.kind.is_source))

    return DeploymentRecord(
        **_moment(step),
        event=step.event.headline,
        place=place,
        created=slots(Action.CREATE),
        rebuilt=slots(Action.REBUILD),
        kept=slots(Action.KEEP),
        retired=slots(Action.RETIRE),
        touched=tuple(sorted(map(str, step.world.touched(before.world)))),
        redeployed=tuple(sorted(map(str, moved))),
        stored=tuple(_stored(step, done)),
        answered=tuple(answered),
    )


def _answered(endpoint: Endpoint, route: Route, shape: str, requests_per_day: float) -> Answered:
    return Answered(
        endpoint=str(endpoint),
        pool=f"{route[0].slot} {route[0].fingerprint}",  # what shares replicas: one generation of what lies lowest
        shape=shape,
        requests_per_day=requests_per_day,
        adapters=tuple(a.fingerprint for a in route if a.kind is Kind.ADAPTER),
        top=route[-1].fingerprint,
    )


def _stored(step: Step, done: Done) -> list[Stored]:
    """What is routed, the models that a routed model was continued from, and the labelled rows in use, each once."""
    routed, artifacts = step.deployment.routed, step.deployment.artifacts
    data = _largest(artifacts.values())
    kept: list[Stored] = []
    for fingerprint, a in sorted(artifacts.items(), key=lambda item: (item[1].slot, item[0])):
        if fingerprint in routed:
            kept_as: Literal["routed", "ancestor", "data"] = "routed"
        elif a.kind is Kind.MODEL:
            kept_as = "ancestor"
        elif fingerprint in data:
            kept_as = "data"
        else:
            continue
        _, outcome = done(step, Make(a))
        kept.append(
            Stored(
                slot=a.slot,
                kind=str(a.kind),
                fingerprint=fingerprint,
                stored_bytes=outcome.stored_bytes,
                kept_as=kept_as,
                provenance=sure_of(outcome, "stored_bytes"),
            )
        )
    return kept


def _largest(artifacts: Iterable[Artifact]) -> set[str]:
    """The fingerprint of the largest data set of each endpoint and source: it holds the rows of all smaller ones."""
    found: dict[tuple[str, str, str], tuple[float, str]] = {}
    for a in artifacts:
        if isinstance(a.recipe, DatasetRecipe):
            name = (a.recipe.task, a.recipe.language, a.recipe.source)
            rows = math.inf if a.recipe.rows is None else a.recipe.rows
            found[name] = max(found.get(name, (-1.0, "")), (rows, a.fingerprint))
    return {fingerprint for _, fingerprint in found.values()}
