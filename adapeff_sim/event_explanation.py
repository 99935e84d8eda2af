"""One event of a finished run: what it changed, what that made stale and by which way, what was done, and what it cost.

worlds before and after -> what happened     plans -> fates and ways     records of the steps + prices -> costs
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

from adapeff_sim.accounting import placed
from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.costs.base import CostRow, price_ledger
from adapeff_sim.estimation.encoder import NoClosedForm
from adapeff_sim.explanation import ExplanationError, full_training
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Row, sure_of
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord, Record
from adapeff_sim.lifecycle.difference import happened
from adapeff_sim.lifecycle.world import World
from adapeff_sim.near_names import suggestion
from adapeff_sim.planning.impact import impact
from adapeff_sim.planning.plan import Action, Change
from adapeff_sim.planning.unfold import Step
from adapeff_sim.results import Results, standing_on

Way = tuple[str, ...]  # slots, from what moved to what it made stale
Number = TypeVar("Number", int, float)


class Work(Row):
    """What making one artifact took; None where it was not measured or cannot be had."""

    is_fetched: bool
    steps: float | None
    train_flops: float | None
    of_full: float | None  # its operations as a share of those of full fine-tuning on the same batches
    train_seconds: float | None
    stored_bytes: int | None  # None where nobody knows
    amount: float | None
    provenance: str
    device: str
    key: str
    also_for: tuple[str, ...]  # labels that share it


class Touched(Row):
    """What became of one artifact; ``round`` counts the answers to checks, from 0."""

    action: str
    slot: str
    round: int
    because: tuple[str, ...]  # ``role:slot`` of the inputs that moved
    ways: tuple[Way, ...]
    work: Work | None


class Scored(Row):
    """An endpoint's score after the event, and when it was last scored before; 0 to 1."""

    endpoint: str
    score: float | None
    before: float | None


class Paid(Row):
    """What fell due at the event, by component and unit; None where the quantity cannot be had."""

    component: str
    unit: str
    quantity: float | None
    amount: float | None
    provenance: str


class Running(Row):
    """What a component costs each day from the event on, and did before; all events of the day together."""

    component: str
    before: float | None
    after: float | None


class Turn(Row):
    """What one strategy did, under one seed."""

    label: str
    seed: int
    fetched: tuple[str, ...]
    touched: tuple[Touched, ...]
    checks: tuple[tuple[str, float], ...]  # endpoint, and how many points it may fall
    scored: tuple[Scored, ...]
    paid: tuple[Paid, ...]
    running: tuple[Running, ...]
    replicas: tuple[int | None, int | None]  # before and after
    stored_bytes: tuple[float | None, float | None]  # before and after


class EventExplanation(Row):
    """One event, ``number`` of ``of`` under its seed."""

    number: int
    of: int
    day: float
    event: str
    happened: tuple[str, ...]
    turns: tuple[Turn, ...]


def explain_event(
    results: Results,
    ledger: Ledger,
    steps: Sequence[Step],
    number: int,
    strategy: str | None = None,
    seed: int | None = None,
) -> EventExplanation:
    """One event of the life under a seed (the first, if none is given), for all strategies or for one.

    Raises ExplanationError for an event, a strategy or a seed that is not there.
    """
    mine = lives_of(steps, results, strategy, seed)
    story: dict[tuple[float, int, str], dict[str, list[Step]]] = defaultdict(lambda: defaultdict(list))
    for label, life in mine.items():
        for step, place in placed(life):
            story[step.event.day, place, step.event.headline][label].append(step)
    if not 1 <= number <= len(story):
        listed = "\n".join(f"  --event {i}  day {day:g}: {said}" for i, (day, _, said) in enumerate(sorted(story), 1))
        raise ExplanationError(f"there is no event {number}; give one of:\n{listed}")
    moment = sorted(story)[number - 1]
    found = story[moment]
    first = next(iter(found.values()))[0]
    before = _before(mine[first.label], first)
    return EventExplanation(
        number=number,
        of=len(story),
        day=moment[0],
        event=moment[2],
        happened=tuple(happened(before.world if before else World(), first.world)),
        turns=tuple(_turn(results, ledger, here) for here in found.values()),
    )


def lives_of(steps: Sequence[Step], results: Results, strategy: str | None, seed: int | None) -> dict[str, list[Step]]:
    """The steps of each strategy, or of one, under one seed. Raises ExplanationError for one that is not there."""
    labels, seeds = results.facts.labels, results.facts.seeds
    if strategy is not None and strategy not in labels:
        raise ExplanationError(f"no strategy is called {strategy[:80]!r}; {suggestion(strategy, labels)}")
    if seed is not None and seed not in seeds:
        raise ExplanationError(f"seed {seed} was not lived; known: {', '.join(map(str, seeds))}.")
    chosen = seeds[0] if seed is None else seed
    wanted = labels if strategy is None else (strategy,)
    return {label: [s for s in steps if (s.label, s.seed) == (label, chosen)] for label in wanted}


def _before(life: Sequence[Step], step: Step) -> Step | None:
    """The step before one, if there is any."""
    return life[step.number - 1] if step.number else None


def _turn(results: Results, ledger: Ledger, steps: Sequence[Step]) -> Turn:
    """What one strategy did at one event: its first step, and those that answer its checks."""
    label, seed, day = steps[0].label, steps[0].seed, steps[0].event.day
    numbers = {step.number for step in steps}
    mine = [r for r in ledger.records if (r.label, r.seed) == (label, seed)]
    here = [r for r in mine if r.step in numbers and isinstance(r, JobRecord | EvaluationRecord)]
    rows, pools, stored = standing_on(day, results, mine)
    return Turn(
        label=label,
        seed=seed,
        fetched=tuple(r.slot for r in here if isinstance(r, JobRecord) and r.job == "fetch"),
        touched=tuple(t for i, step in enumerate(steps) for t in _touched(results, ledger, step, i)),
        checks=tuple((str(c.endpoint), c.may_fall) for step in steps for c in step.deployment.checks),
        scored=tuple(_scored(mine, numbers)),
        paid=tuple(_paid([*priced(results, here), *_rolled_out(results, mine, day, numbers)])),
        running=tuple(_running([r for r in rows if r.until > r.day], day)),
        replicas=(
            _total([p.replicas for p in pools if p.day < day <= p.until]),
            _total([p.replicas for p in pools if p.day <= day < p.until]),
        ),
        stored_bytes=(
            _total([s.bytes for s in stored if s.since < day <= s.until]),
            _total([s.bytes for s in stored if s.since <= day < s.until]),
        ),
    )


def _rolled_out(results: Results, life: Sequence[Record], day: float, numbers: set[int]) -> list[CostRow]:
    """What rolling out and loading cost on a day, if some steps hold its last one: what stands then."""
    deployed = [r for r in life if isinstance(r, DeploymentRecord) and r.day == day]
    if not deployed or max(r.step for r in deployed) not in numbers:
        return []
    of, due = (deployed[0].label, deployed[0].seed, day), [r for r in results.rows if r.component == "serving"]
    return [r for r in due if (r.label, r.seed, r.day) == of and r.until <= r.day]


def _total(found: Sequence[Number | None]) -> Number | None:
    """The sum, None where a part of it is not known."""
    known = [n for n in found if n is not None]
    return sum(known) if len(known) == len(found) else None


def _touched(results: Results, ledger: Ledger, step: Step, number: int) -> Iterator[Touched]:
    """Every product that the step made, keeps or lets go; of what it makes, why, by which ways, and what that took."""
    ways = impact(step.plan, step.deployment)
    for change in step.plan.changes:
        a = change.artifact
        if not a.kind.is_source:
            yield Touched(
                action=str(change.action),
                slot=a.slot,
                round=number,
                because=change.because,
                ways=tuple(tuple(part.slot for part in way) for way in ways.get(a, ()) if len(way) > 1),
                work=_made(results, ledger, step, change),
            )


def _made(results: Results, ledger: Ledger, step: Step, change: Change) -> Work | None:
    is_made = change.action in (Action.CREATE, Action.REBUILD)
    return work_of(results, ledger, step, change.artifact) if is_made else None


def work_of(results: Results, ledger: Ledger, step: Step, artifact: Artifact) -> Work | None:
    """What making an artifact at a step took and cost; None where the ledger tells nothing of it."""
    jobs = [r for r in ledger.records if isinstance(r, JobRecord) and r.fingerprint == artifact.fingerprint]
    found = next((r for r in jobs if (r.label, r.seed, r.step) == (step.label, step.seed, step.number)), None)
    if found is None:
        return None
    flops, full = found.usage.get("train_flops"), None
    if found.workload is not None and flops is not None:
        try:
            full = full_training(found.workload)["train_flops"]
        except NoClosedForm:
            full = None
    rows = priced(results, [found])
    return Work(
        is_fetched=found.job == "fetch",
        steps=found.usage.get("train_steps"),
        train_flops=flops,
        of_full=flops / full if flops is not None and full else None,
        train_seconds=found.usage.get("train_seconds"),
        stored_bytes=None if found.provenance == "unavailable" else found.stored_bytes,
        amount=None if any(r.amount is None for r in rows) else math.fsum(r.amount or 0.0 for r in rows),
        provenance=sure_of(found, *found.usage),
        device=found.device,
        key=found.key,
        also_for=tuple(dict.fromkeys(r.label for r in jobs if r.key == found.key and r.label != step.label)),
    )


def priced(results: Results, records: Sequence[Record]) -> list[CostRow]:
    """What some records alone cost, at the run's prices: sums that fall due at once."""
    return price_ledger(Ledger(tuple(records)), results.prices, results.facts.terms)


def _scored(life: Sequence[Record], numbers: set[int]) -> Iterator[Scored]:
    """Every endpoint that was scored at some steps, with its score before them."""
    known: dict[str, float | None] = {}
    now: dict[str, float | None] = {}
    for r in sorted((r for r in life if isinstance(r, EvaluationRecord)), key=lambda r: r.step):
        if r.step <= max(numbers):
            (now if r.step in numbers else known)[r.endpoint] = r.scores.get(r.primary)
    yield from (Scored(endpoint=e, score=score, before=known.get(e)) for e, score in sorted(now.items()))


def _paid(rows: Sequence[CostRow]) -> Iterator[Paid]:
    """The rows added up by component, unit and provenance."""
    lots: dict[tuple[str, str, str], list[CostRow]] = defaultdict(list)
    for row in rows:
        lots[row.component, row.unit, row.provenance].append(row)
    for (component, unit, sure), lot in sorted(lots.items()):
        known = all(row.amount is not None for row in lot)
        yield Paid(
            component=component,
            unit=unit,
            quantity=math.fsum(row.quantity or 0.0 for row in lot) if known else None,
            amount=math.fsum(row.amount or 0.0 for row in lot) if known else None,
            provenance=sure,
        )


def _running(rows: Sequence[CostRow], day: float) -> Iterator[Running]:
    """What accrues each day, component by component, on either side of a day; None where a part is not known."""
    for component in dict.fromkeys(row.component for row in rows):
        mine = [row for row in rows if row.component == component]
        rates = [(row, None if row.amount is None else row.amount / (row.until - row.day)) for row in mine]
        before = _total([rate for row, rate in rates if row.day < day <= row.until])
        after = _total([rate for row, rate in rates if row.day <= day < row.until])
        if before != 0 or after != 0:
            yield Running(component=component, before=before, after=after)
