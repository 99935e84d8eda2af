"""Sheets of the work that was done: what each event meant, where operations went, and what equal quality took."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from adapeff_sim.ledger.history import EventRow
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord
from adapeff_sim.ledger.trainings import EqualQualityRow
from adapeff_sim.ledger.upkeep import UpkeepRow
from adapeff_sim.reports.effort import FLOPS as PARTS
from adapeff_sim.reports.notes import counted, of_seeds
from adapeff_sim.reports.sheets import NOTHING, SURE, Cell, Sheet, number, sure, text
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import duration, flops, percent, plural, points, size
from adapeff_sim.results import Results

UPKEEP = (
    "re-deployed",
    "not asked for",
    "test items",
    "churn",
    "right to wrong",
    "forgotten",
    "lead time",
    "lead time is",
    "roll-back",
)
UPKEEP_NOTE = (
    "scored, re-deployed: endpoints; not asked for: those re-deployed that the event did not touch; test items: run "
    "again; churn: the share of answers of endpoints that the event did not touch which are others now; right to "
    "wrong: how many of them; forgotten: points below an endpoint's best so far, mean; lead time: training, validating "
    "and re-validation on {devices} of the priced kind; roll-back: bytes to keep so as to go back"
)
PHASES = {"train": "training", "validate": "validating while training", "evaluate": "re-validating endpoints"}
GOAL = ("day", "task", "to reach", "points")  # columns of the table of equal quality that say what is reached
GOALS = {"all": "what all reach", "floor": "within the floor of the best"}


def moments(results: Results) -> list[tuple[float, int, str]]:
    """Every event as day, place within the day, and words."""
    return sorted({(row.day, row.place, row.event) for row in results.events})


def meant(results: Results, moment: tuple[float, int, str], label: str) -> list[EventRow]:
    """What one event meant for one strategy under the first seed that lived through it, step by step."""
    rows = [r for r in results.events if r.label == label and (r.day, r.place, r.event) == moment]
    return [r for r in rows if r.seed == rows[0].seed]


def events(told: Told) -> Sheet:
    """For every event and strategy: what was created, rebuilt, kept and retired, why, and what that took."""
    results = told.results
    heads = ("no.", "day", "event", "strategy", "created", "rebuilt", "because", "kept", "retired")
    rows = []
    for place, moment in enumerate(moments(results), 1):
        when = (Cell(str(place), place), Cell(f"{moment[0]:g}", moment[0]), text(moment[2]))
        for label in results.facts.labels:
            if steps := meant(results, moment, label):
                rows.append((*when, text(label), *_event(steps), *upkeep_cells(told_of(results, moment, steps[0]))))
    seeds = results.facts.seeds
    note = f"seed {seeds[0]}, or the first that lived through the event; " if len(seeds) > 1 else ""
    note += f"FLOPs of training as {counted(results)}, and as 6 x parameters x tokens; time where the run was made; "
    note += UPKEEP_NOTE.format(devices=plural(results.facts.gpus, "device"))
    tail = ("FLOPs", "FLOPs, 6ND", "training", "validating", "re-validation", "scored", *UPKEEP, SURE)
    return Sheet("events", "What each event made stale", (*heads, *tail), tuple(rows), note)


def _event(steps: Sequence[EventRow]) -> Iterator[Cell]:
    """One event for one strategy; steps that asked for scores and went on are taken together."""
    created, rebuilt = (_names([name for s in steps for name in getattr(s, what)]) for what in ("created", "rebuilt"))
    retired = _names([name for s in steps for name in s.retired])
    because = _names(list(dict.fromkeys(why for s in steps for why in s.because)))
    yield from (created, rebuilt, because, _names(steps[-1].kept), retired)
    trained = any(s.created or s.rebuilt for s in steps)
    for quantity in ("train_flops", "nominal_train_flops"):
        yield number(_sum([getattr(s, quantity) for s in steps]), flops) if trained else Cell(NOTHING, 0.0)
    for quantity in ("train_seconds", "validate_seconds"):
        yield number(_sum([getattr(s, quantity) for s in steps]), duration) if trained else Cell(NOTHING, 0.0)
    scored = [name for s in steps for name in s.validated]
    yield number(_sum([s.evaluate_seconds for s in steps]), duration) if scored else Cell(NOTHING, 0.0)
    yield Cell(str(len(scored)) if scored else NOTHING, " ".join(scored))


def told_of(results: Results, moment: tuple[float, int, str], step: EventRow) -> UpkeepRow | None:
    """What is told of one event of one life; nothing in results of earlier versions."""
    who = (step.label, step.seed)
    mine = (r for r in results.upkeep if (r.label, r.seed) == who and (r.day, r.place, r.event) == moment)
    return next(mine, None)


def upkeep_cells(row: UpkeepRow | None) -> Iterator[Cell]:
    """The cells of UPKEEP, and how sure the row is."""
    if row is None:
        yield from (Cell("unavailable", None, "missing") for _ in UPKEEP)
        yield sure([None])
        return
    for names in (row.redeployed, row.unasked):
        yield number(None, str) if names is None else Cell(str(len(names)) if names else NOTHING, " ".join(names))
    yield _known(row, "items", row.items or None, lambda n: f"{n:,.0f}")
    yield _known(row, "churn", row.churn, percent)
    yield _known(row, "became_wrong", row.became_wrong if row.churn is not None else None, lambda n: f"{n:,.0f}")
    yield _known(row, "forgetting", row.forgetting, points)
    yield _known(row, "lead_seconds", row.lead_seconds or None, duration)
    yield text(row.lead_provenance if row.lead_seconds or row.lead_seconds is None else NOTHING)
    yield _known(row, "rollback_bytes", row.rollback_bytes or None, size)
    yield sure([row.provenance])


def _known(row: UpkeepRow, name: str, value: float | None, said: Callable[[float], str]) -> Cell:
    """A number, or that it could not be had, or that there is nothing to tell."""
    return number(value, said) if value is not None or name in row.unavailable else Cell(NOTHING)


def _names(found: Sequence[str]) -> Cell:
    return Cell(", ".join(found) or NOTHING, " ".join(found))


def _sum(found: Sequence[float | None]) -> float | None:
    known = [n for n in found if n is not None]
    return math.fsum(known) if len(known) == len(found) else None


def phase_flops(told: Told) -> dict[str, dict[str, float | None]]:
    """Where the counted FLOPs of each strategy went, mean over seeds: label -> phase -> FLOPs; None: not all known.

    A phase of which no record tells, not even of its seconds, did not come about: its FLOPs are 0.
    """
    horizon, seeds = told.results.facts.terms.horizon_days, len(told.results.facts.seeds)
    found: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for r in told.ledger.records:
        if isinstance(r, JobRecord | EvaluationRecord) and r.day <= horizon:
            for phase in PHASES:
                if {f"{phase}_flops", f"{phase}_seconds"} & {*r.usage, *r.unavailable}:
                    found[r.label][phase].append(r.usage.get(f"{phase}_flops"))
    means: dict[str, dict[str, float | None]] = {}
    for label in told.results.facts.labels:
        sums = {phase: _sum(found[label][phase]) for phase in PHASES}
        means[label] = {phase: None if s is None else s / seeds for phase, s in sums.items()}
    return means


def phases(told: Told) -> Sheet:
    """Where the FLOPs went: by phase as counted, and training as 6ND."""
    rows = []
    for label, found in phase_flops(told).items():
        mine = [r.nominal_train_flops for r in told.results.events if r.label == label]
        nominal = _sum(mine)
        nominal = None if nominal is None else nominal / len(told.results.facts.seeds)
        how = sure(r.provenance for r in told.results.events if r.label == label)
        rows.append((text(label), *(_flops(found[phase]) for phase in PHASES), number(nominal, flops), how))
    heads = ("strategy", *PHASES.values(), "training as 6ND", SURE)
    means = f"as {counted(told.results)}{of_seeds(told.results)}"
    note = f"{means}; 6ND is 6 x parameters x tokens, the usual estimate of training"
    return Sheet("flops", "Where the FLOPs went", heads, tuple(rows), note)


def _flops(amount: float | None) -> Cell:
    """So many FLOPs, or that none were spent."""
    return Cell(NOTHING, 0.0) if amount == 0 else number(amount, flops)


def part_flops(told: Told) -> dict[str, dict[str, float | None]]:
    """Where the FLOPs of training went, mean over seeds: label -> part -> FLOPs; empty where no training tells."""
    horizon, seeds = told.results.facts.terms.horizon_days, len(told.results.facts.seeds)
    builds = [r for r in told.ledger.of(JobRecord) if r.job == "build" and r.day <= horizon]
    if not any(name in r.usage for r in builds for name in PARTS):
        return {}
    found: dict[str, dict[str, float | None]] = {}
    for label in told.results.facts.labels:
        sums = {name: _sum([r.usage.get(name) for r in builds if r.label == label]) for name in PARTS}
        found[label] = {name: None if s is None else s / seeds for name, s in sums.items()}
    return found


def parts(told: Told) -> list[Sheet]:
    """Where the FLOPs of training went, part by part; nothing where no training tells."""
    rows, horizon = [], told.results.facts.terms.horizon_days
    for label, found in part_flops(told).items():
        builds = [r for r in told.ledger.of(JobRecord) if (r.job, r.label) == ("build", label) and r.day <= horizon]
        rows.append((text(label), *(number(s, flops) for s in found.values()), sure(r.provenance for r in builds)))
    note, heads = f"as {counted(told.results)}{of_seeds(told.results)}", ("strategy", *PARTS.values(), SURE)
    return [Sheet("training", "FLOPs of training, part by part", heads, tuple(rows), note)] if rows else []


def equal_quality(results: Results) -> list[Sheet]:
    """What each training took until it reached the quality that its rivals reached; nothing where nobody measured."""
    found: dict[tuple[float, int, str, str, str, str], list[EqualQualityRow]] = defaultdict(list)
    for row in results.equal_quality:
        found[row.day, row.place, row.task, row.goal, row.label, row.slot].append(row)
    if not found:
        return []
    order = {label: i for i, label in enumerate(results.facts.labels)}
    told = sorted(found.items(), key=lambda item: (*item[0][:4], order.get(item[0][4], 0), item[0][5]))
    took = ("steps", "FLOPs", "FLOPs, 6ND", "training")
    heads = (*GOAL, "strategy", "artifact", *took, SURE)
    rows = tuple(_reached(day, task, goal, label, slot, mine) for (day, _, task, goal, label, slot), mine in told)
    mean = ", mean over the seeds that reached them" if len(results.facts.seeds) > 1 else ""
    note = f"points on the validation rows{mean}; of training alone: validating, and the adapters under a fusion, are "
    note += "not in it, and a model of several tasks is trained for all of them"
    return [Sheet("equal_quality", "Cost at equal quality", heads, rows, note)]


def _reached(
    day: float, task: str, goal: str, label: str, slot: str, mine: Sequence[EqualQualityRow]
) -> tuple[Cell, ...]:
    """What reaching one goal took one training, and in how many seeds it did."""
    there = [row for row in mine if row.steps is not None]
    target = statistics.fmean(row.target for row in mine)
    head = (Cell(f"{day:g}", day), text(task), text(GOALS.get(goal, goal)), Cell(points(target), 100 * target))
    how = sure(row.provenance for row in mine)
    if not there:
        never = (Cell("never", None, "below"), *(Cell(NOTHING) for _ in range(3)))
        return (*head, text(label), text(slot), *never, how)
    few = f" (in {len(there)} of {len(mine)} seeds)" if len(there) < len(mine) else ""
    took = (
        number(_mean([row.steps for row in there]), lambda n: f"{n:,.0f}"),
        number(_mean([row.train_flops for row in there]), flops),
        number(_mean([row.nominal_train_flops for row in there]), flops),
        number(_mean([row.train_seconds for row in there]), lambda n: duration(n) + few),
    )
    return (*head, text(label), text(slot), *took, how)


def _mean(found: Sequence[float | None]) -> float | None:
    total = _sum(found)
    return None if total is None else total / len(found)
