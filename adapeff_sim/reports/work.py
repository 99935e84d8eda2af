"""Sheets of the work that was done: what each event meant, where operations went, and what equal quality took."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence

from adapeff_sim.ledger.history import EventRow
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord
from adapeff_sim.ledger.trainings import EqualQualityRow
from adapeff_sim.reports.effort import FLOPS as PARTS
from adapeff_sim.reports.sheets import NOTHING, Cell, Sheet, number, text
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import duration, flops, points
from adapeff_sim.results import Results

PHASES = {"train": "training", "validate": "validating while training", "evaluate": "re-validating endpoints"}
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
                rows.append((*when, text(label), *_event(steps)))
    seeds = results.facts.seeds
    note = f"seed {seeds[0]}, or the first that lived through the event; " if len(seeds) > 1 else ""
    note += "FLOPs of training as counted, and as 6 x parameters x tokens; time as measured where the run was made; "
    note += "lead time: all three, one job after the other on that one machine; scored: endpoints"
    tail = ("FLOPs", "FLOPs, 6ND", "training", "validating", "re-validation", "lead time", "scored")
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
    seconds = [s.train_seconds for s in steps] + [s.validate_seconds for s in steps] if trained else []
    lead = seconds + [s.evaluate_seconds for s in steps] if scored else seconds
    yield number(_sum(lead), duration) if lead else Cell(NOTHING, 0.0)
    yield Cell(str(len(scored)) if scored else NOTHING, " ".join(scored))


def _names(found: Sequence[str]) -> Cell:
    return Cell(", ".join(found) or NOTHING, " ".join(found))


def _sum(found: Sequence[float | None]) -> float | None:
    known = [n for n in found if n is not None]
    return math.fsum(known) if len(known) == len(found) else None


def phase_flops(told: Told) -> dict[str, dict[str, float | None]]:
    """Where the counted FLOPs of each strategy went, mean over seeds: label -> phase -> FLOPs; None: not all known."""
    horizon, seeds = told.results.facts.terms.horizon_days, len(told.results.facts.seeds)
    found: dict[str, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for r in told.ledger.records:
        if isinstance(r, JobRecord | EvaluationRecord) and r.day <= horizon:
            for phase in PHASES:
                if f"{phase}_flops" in r.usage or f"{phase}_flops" in r.unavailable:
                    found[r.label][phase].append(r.usage.get(f"{phase}_flops"))
    means: dict[str, dict[str, float | None]] = {}
    for label in told.results.facts.labels:
        sums = {phase: _sum(found[label][phase]) if found[label][phase] else None for phase in PHASES}
        means[label] = {phase: None if s is None else s / seeds for phase, s in sums.items()}
    return means


def phases(told: Told) -> Sheet:
    """Where the FLOPs went: by phase as counted, and training as 6ND."""
    rows = []
    for label, found in phase_flops(told).items():
        mine = [r.nominal_train_flops for r in told.results.events if r.label == label]
        nominal = _sum(mine)
        nominal = None if nominal is None else nominal / len(told.results.facts.seeds)
        rows.append((text(label), *(number(found[phase], flops) for phase in PHASES), number(nominal, flops)))
    heads = ("strategy", *PHASES.values(), "training as 6ND")
    note = "as counted, mean over seeds; 6ND is 6 x parameters x tokens, the usual estimate of training"
    return Sheet("flops", "Where the FLOPs went", heads, tuple(rows), note)


def parts(told: Told) -> list[Sheet]:
    """Where the FLOPs of training went, part by part; nothing where no training tells."""
    horizon, seeds = told.results.facts.terms.horizon_days, len(told.results.facts.seeds)
    builds = [r for r in told.ledger.of(JobRecord) if r.job == "build" and r.day <= horizon]
    if not any(name in r.usage for r in builds for name in PARTS):
        return []
    rows = []
    for label in told.results.facts.labels:
        sums = [_sum([r.usage.get(name) for r in builds if r.label == label]) for name in PARTS]
        rows.append((text(label), *(number(None if s is None else s / seeds, flops) for s in sums)))
    note = "as counted, mean over seeds"
    return [Sheet("training", "FLOPs of training, part by part", ("strategy", *PARTS.values()), tuple(rows), note)]


def equal_quality(results: Results) -> list[Sheet]:
    """What each training took until it reached the quality that its rivals reached; nothing where nobody measured."""
    found: dict[tuple[float, str, str, str, str], list[EqualQualityRow]] = defaultdict(list)
    for row in results.equal_quality:
        found[row.day, row.task, row.goal, row.label, row.slot].append(row)
    if not found:
        return []
    order = {label: i for i, label in enumerate(results.facts.labels)}
    told = sorted(found.items(), key=lambda item: (*item[0][:3], order.get(item[0][3], 0), item[0][4]))
    heads = ("day", "task", "to reach", "points", "strategy", "artifact", "steps", "FLOPs", "FLOPs, 6ND", "training")
    rows = tuple(_reached(*name, mine) for name, mine in told)
    note = "points on the validation rows, mean over the seeds that reached them; of training alone: validating, and "
    note += "the adapters under a fusion, are not in it, and a model of several tasks is trained for all of them"
    return [Sheet("equal_quality", "Cost at equal quality", heads, rows, note)]


def _reached(
    day: float, task: str, goal: str, label: str, slot: str, mine: Sequence[EqualQualityRow]
) -> tuple[Cell, ...]:
    """What reaching one goal took one training, and in how many seeds it did."""
    there = [row for row in mine if row.steps is not None]
    target = statistics.fmean(row.target for row in mine)
    head = (Cell(f"{day:g}", day), text(task), text(GOALS.get(goal, goal)), Cell(points(target), 100 * target))
    if not there:
        never = (Cell("never", None, "below"), *(Cell(NOTHING) for _ in range(3)))
        return (*head, text(label), text(slot), *never)
    few = f" (in {len(there)} of {len(mine)} seeds)" if len(there) < len(mine) else ""
    took = (
        number(_mean([row.steps for row in there]), lambda n: f"{n:,.0f}"),
        number(_mean([row.train_flops for row in there]), flops),
        number(_mean([row.nominal_train_flops for row in there]), flops),
        number(_mean([row.train_seconds for row in there]), lambda n: duration(n) + few),
    )
    return (*head, text(label), text(slot), *took)


def _mean(found: Sequence[float | None]) -> float | None:
    total = _sum(found)
    return None if total is None else total / len(found)
