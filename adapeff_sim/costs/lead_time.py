"""How long an event keeps the product waiting: its jobs worked through on so many devices, inputs first.

event --> builds and evaluations --(which needs which)--> list scheduling on n devices --> the last endpoint is live
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from adapeff_sim.costs.compute import worked_seconds
from adapeff_sim.costs.prices import ComputePrice
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, weakest
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord
from adapeff_sim.ledger.upkeep import Lead, Step


@dataclass(frozen=True, slots=True)
class Task:
    """One job of an event: the seconds it takes, and the jobs that must be done before."""

    seconds: float
    needs: tuple[str, ...] = ()


def makespan(tasks: Mapping[str, Task], devices: int) -> float:
    """Seconds until all is done, with each device at one job at a time.

    List scheduling: whenever a device is free, it takes of the jobs whose needs are done the one that begins the
    longest way to the end. What is needed and is no task here was done before.
    """
    waits_for = {name: {n for n in task.needs if n in tasks} for name, task in tasks.items()}
    then: dict[str, list[str]] = defaultdict(list)
    for name, needs in waits_for.items():
        for needed in needs:
            then[needed].append(name)
    ways = _ways(tasks, then)
    ready = [(-ways[name], name) for name, needs in waits_for.items() if not needs]
    heapq.heapify(ready)
    busy: list[tuple[float, str]] = []  # until when, with what
    now = 0.0
    while ready or busy:
        while ready and len(busy) < devices:
            _, name = heapq.heappop(ready)
            heapq.heappush(busy, (now + tasks[name].seconds, name))
        now, done = heapq.heappop(busy)
        for name in then[done]:
            waits_for[name].remove(done)
            if not waits_for[name]:
                heapq.heappush(ready, (-ways[name], name))
    return now


def _ways(tasks: Mapping[str, Task], then: Mapping[str, list[str]]) -> dict[str, float]:
    """For each job the seconds of the longest chain that begins with it."""
    ways: dict[str, float] = {}
    for first in tasks:
        todo = [first]
        while todo:
            name = todo[-1]
            missing = [n for n in then.get(name, ()) if n not in ways]
            if missing:
                todo += missing
                continue
            ways[name] = tasks[name].seconds + max((ways[n] for n in then.get(name, ())), default=0.0)
            todo.pop()
    return ways


def lead_times(ledger: Ledger, price: ComputePrice, devices: int) -> dict[Step, Lead]:
    """For every step of every life, the seconds from its event until its last endpoint is live.

    Training, validating and evaluating count, as many seconds as on the priced device; labelling, loading and rolling
    out do not. None where a job's seconds cannot be had, or where it is not written down what needs what, as in
    ledgers of earlier versions.
    """
    found: dict[Step, list[JobRecord | EvaluationRecord]] = defaultdict(list)
    for job in ledger.of(JobRecord):
        if job.job == "build":
            found[job.label, job.seed, job.step].append(job)
    for evaluation in ledger.of(EvaluationRecord):
        found[evaluation.label, evaluation.seed, evaluation.step].append(evaluation)
    return {step: _lead(records, price, devices) for step, records in found.items()}


def _lead(records: list[JobRecord | EvaluationRecord], price: ComputePrice, devices: int) -> Lead:
    tasks: dict[str, Task] = {}
    sure: list[Provenance] = []
    for record in records:
        seconds, how = worked_seconds(record, price)
        if seconds is None or (devices > 1 and record.needs is None):
            return Lead(None, "unavailable")
        sure.append(how)
        name = record.key if record.key not in tasks else f"{record.key} {len(tasks)}"
        tasks[name] = Task(seconds, record.needs or ())
    return Lead(makespan(tasks, devices), weakest(sure))
