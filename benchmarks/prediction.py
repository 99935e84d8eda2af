"""Predicts a run and the load on a model, does both, and prints how far the prediction was off.

    python benchmarks/prediction.py [--seconds 120] [--fresh] [--out docs/measurements/prediction.md]

The prediction knows the scenario's file, its rows, and rates fitted to shapes of other sizes (`adapeff-sim calibrate`,
taken first unless one is kept; `--fresh` takes another). It is complete before the first step is trained. Trainings are
done in a store of their own, so that nothing of them was done before. Seven minutes on two cores.
"""

import argparse
import datetime
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from serving import Asked, network_of, offer, percentile, usual_arrivals

from adapeff_sim.costs.queueing import response
from adapeff_sim.costs.sizing import batch_seconds
from adapeff_sim.estimates import Basis
from adapeff_sim.estimation.assumptions import Epochs
from adapeff_sim.estimation.calibration import Calibration
from adapeff_sim.estimation.encoder import encoder_shape
from adapeff_sim.estimation.fitting import errors, typical
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, step_flops
from adapeff_sim.execution.base import EXECUTORS, Executor
from adapeff_sim.execution.calibrations import keep_calibration, kept_calibration, others_load, take_calibration
from adapeff_sim.execution.machine import Machine, this_machine
from adapeff_sim.execution.orders import Orders, SettingsOf
from adapeff_sim.execution.sources import Sources
from adapeff_sim.execution.store import Store
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Workload
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord, ServingRecord
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.simulation import Simulation
from adapeff_sim.training.backbone import load_backbone
from adapeff_sim.training.batches import BatchShape

BASE_MODEL = "adapeff-mini:v1"
LIFE = f"""\
name: unseen
horizon_days: 100
seeds: [29]
data: helpdesk
timeline:
  - {{day: 0, event: launch, base_model: "{BASE_MODEL}", tasks: {{intent: [en, es]}}, labelled: 70}}
  - {{day: 30, event: task_arrival, task: sentiment, languages: [en], labelled: 90, requests_per_day: 4000}}
strategies:
  - adapter_per_task
  - {{adapter_per_task: {{method: lora}}, as: lora}}
  - adapter_fusion
  - multitask_full
training:
  every: {{epochs: 6, patience: 3, batch_size: 12, max_length: 48, validation_rows: 30}}
prices: cloud_gpu
"""
SHAPES: dict[str, tuple[str, ...]] = {"model": (), "adapter seq_bn": ("seq_bn",)}
LENGTH = 20  # pieces of a request
CLASSES = 4  # that serving.network_of answers
LOADS = ((1, 0.4), (1, 0.7), (8, 0.7))  # largest batch, and the share of what full batches can answer
TIMES = 3  # each load is offered; the middle one counts, since a stall of the machine lasts longer than a queue
SIZES = (1, 2, 4, 8)
AIMS = {"seconds": 15, "bytes": 1, "p95": 15}  # %

Errors = dict[str, list[float]]
Record = TypeVar("Record", JobRecord, EvaluationRecord, ServingRecord)


@dataclass(frozen=True, slots=True)
class Found:
    """Relative errors by line of the table, and how long what was timed took in all."""

    errors: Errors
    predicted_seconds: float
    measured_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0, help="for the calibration")
    parser.add_argument("--load-seconds", type=float, default=8.0, help="for each time that a load is offered")
    parser.add_argument("--store", type=Path, default=Path(".adapeff/store"))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--fresh", action="store_true", help="take a calibration even where one is kept")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    sys.setswitchinterval(2e-4)  # seconds; as in benchmarks/serving.py
    begun, busy = time.perf_counter(), others_load()
    machine = this_machine(asked.device, threads=asked.threads)
    known = None if asked.fresh else kept_calibration(asked.store, machine.name, machine.threads, machine.precision)
    if known is None:
        known = take_calibration(machine, asked.seconds, lambda *_: None)
        keep_calibration(known, asked.store)
    tell(begun, "calibrated")
    with tempfile.TemporaryDirectory() as folder:
        scenario = load(written(Path(folder)))
        lived = compared(scenario, machine, known, Path(folder) / "store", begun)
    served = loads(machine, known, asked.load_seconds)
    tell(begun, "loads offered")
    text = report(machine, known, lived, served, busy)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


def tell(begun: float, what: str) -> None:
    print(f"{time.perf_counter() - begun:.0f} s: {what}", file=sys.stderr, flush=True)


def written(folder: Path) -> str:
    file = folder / "unseen.yaml"
    file.write_text(LIFE, encoding="utf-8")
    return str(file)


def compared(scenario: Scenario, machine: Machine, known: Calibration, store: Path, begun: float) -> Found:
    """The life as predicted, then as lived."""
    sources, assumed = Sources(scenario.data, Path()), Basis(scenario, Epochs({}, {}), known, known)

    def life(executor: Executor, settings: SettingsOf) -> Ledger:
        orders = Orders(settings, sources, machine)
        return Simulation(scenario.strategies, scenario.seeds, scenario.events, orders).run(executor, lambda _: None)

    predicted = life(assumed.executor(sources), assumed.settings)
    tell(begun, "predicted")
    kept = Store(store)
    kept.prepare()
    measured = life(
        EXECUTORS.get("local")(machine=machine, sources=sources, store=kept, run="prediction"), scenario.settings
    )
    tell(begun, "lived")
    return against(predicted, measured, known)


def against(predicted: Ledger, measured: Ledger, known: Calibration) -> Found:
    """The errors over every record that both ledgers have; equal jobs of several strategies count once."""
    found: Errors = {}
    said = took = 0.0

    def note(line: str, guess: float | None, truth: float | None) -> None:
        if guess is not None and truth:
            found.setdefault(line, []).append(guess / truth - 1)

    for guess, truth in paired(predicted, measured, JobRecord, lambda r: (r.slot, r.fingerprint)):
        if truth.job != "build" or truth.workload is None:
            continue
        flops, seconds = on_the_steps_done(truth.workload, known)
        note("operations of a step", flops, truth.usage["train_flops"])
        note("steps", guess.usage.get("train_steps"), truth.usage["train_steps"])
        note("pieces in a step", per_step(guess.usage, "train_tokens"), per_step(truth.usage, "train_tokens"))
        note("seconds of a step", per_step(guess.usage, "train_seconds"), per_step(truth.usage, "train_seconds"))
        note("seconds, on the batches that there were", seconds, truth.usage["train_seconds"])
        note("seconds of a whole training", guess.usage.get("train_seconds"), truth.usage["train_seconds"])
        note("bytes in store", guess.stored_bytes, truth.stored_bytes)
        said, took = said + guess.usage.get("train_seconds", math.nan), took + truth.usage["train_seconds"]
    for guess, truth in paired(predicted, measured, EvaluationRecord, lambda r: (r.endpoint, r.route, r.test_set)):
        note("seconds of evaluating", guess.usage.get("evaluate_seconds"), truth.usage["evaluate_seconds"])
    for guess, truth in paired(predicted, measured, ServingRecord, lambda r: r.shape):
        for size, seconds in truth.request_seconds.items():
            note("seconds of a request", guess.request_seconds.get(size), seconds)
    return Found(found, said, took)


def paired(
    predicted: Ledger, measured: Ledger, kind: type[Record], name: Callable[[Record], object]
) -> Iterator[tuple[Record, Record]]:
    """Records of one thing in both ledgers, each thing once."""
    guesses = {(r.label, r.step, name(r)): r for r in predicted.of(kind)}
    seen = set()
    for truth in measured.of(kind):
        guess = guesses.get((truth.label, truth.step, name(truth)))
        if guess is not None and truth.key not in seen:
            seen.add(truth.key)
            yield guess, truth


def per_step(usage: Mapping[str, float], quantity: str) -> float | None:
    return usage[quantity] / usage["train_steps"] if quantity in usage else None


def on_the_steps_done(workload: Workload, known: Calibration) -> tuple[float, float]:
    """Operations and seconds by closed form and rates, over exactly the batches that were trained on."""
    shape = encoder_shape(workload.encoder)
    network = NetworkShape(shape, workload.adapters, workload.fused, workload.trained)
    flops = seconds = 0.0
    for b in workload.batches:
        head = HeadShape(workload.heads[b.task].per_sequence, workload.heads[b.task].outputs)
        flops += step_flops(network, head, b.sequences, b.length).times(b.steps).total
        seconds += known.train_seconds(network, head, b.sequences, b.length, b.steps)["train_seconds"]
    return flops, seconds


@dataclass(frozen=True, slots=True)
class Served:
    """A load that was offered: 95th percentiles in seconds, and the load's batches against those predicted."""

    name: str
    largest: int
    load: float
    predicted: float
    measured: float
    service: float  # the median of a batch's seconds, measured / predicted

    @property
    def error(self) -> float:
        return self.predicted / self.measured - 1


def loads(machine: Machine, known: Calibration, seconds: float) -> list[Served]:
    """Every load, offered several times to every shape."""
    sources = Sources("helpdesk", Path())
    torch.set_num_threads(machine.threads)
    backbone, one, head = load_backbone(sources.release(BASE_MODEL)), BatchShape(1, LENGTH), HeadShape(True, CLASSES)
    shape = encoder_shape(backbone.encoder.config.to_dict())
    found = []
    for name, methods in SHAPES.items():
        network = network_of(backbone, methods, machine.device, one)
        for largest, share in LOADS:
            sizes = [size for size in SIZES if size <= largest]
            said = {n: known.answer_seconds(NetworkShape(shape, methods), head, n, LENGTH) / n for n in sizes}
            asked = Asked(said, known.after_idle * said[1]).sort(
                share * largest / batch_seconds(said, largest)[-1], largest
            )
            predicted = response((asked,), 1)
            assert predicted is not None, "the load lies below what the model answers by the prediction"
            arrivals = usual_arrivals(asked, seconds)
            offered = [offer(network, backbone, one, largest, arrivals) for _ in range(TIMES)]
            measured = statistics.median(percentile(sojourns) for sojourns, _ in offered)
            service = statistics.median(
                took / asked.batch_seconds[size - 1] for _, batches in offered for size, took in batches
            )
            found.append(Served(name, largest, share, predicted.p95_seconds, measured, service))
    return found


def report(
    machine: Machine,
    known: Calibration,
    lived: Found,
    served: Sequence[Served],
    busy: float,
) -> str:
    held_out = typical(errors(known, held_out=True), "step")
    table = [(line, found) for line, found in lived.errors.items()]
    table.append(("serving p95", [s.error for s in served]))
    rows = "\n".join(row(line, found) for line, found in table)
    offered = "\n".join(
        f"| {s.name} | {s.largest} | {s.load:g} | {s.service:.2f} | {1e3 * s.predicted:.1f} | {1e3 * s.measured:.1f} "
        f"| {100 * s.error:+.0f} % |"
        for s in served
    )
    noise = ""
    if busy > 0.2:
        noise = (
            "\n**The machine was busy with other work**: what is measured is longer than alone and moves from minute "
            "to minute, and so do the errors\nof everything in seconds. Operations, steps and bytes are not touched.\n"
        )
    return HEAD.format(
        device=machine.name,
        threads=machine.threads,
        precision=machine.precision,
        date=datetime.date.today(),
        busy=busy,
        cores=os.cpu_count(),
        noise=noise,
        calibrated=known.date,
        held_out=f"{100 * held_out:.0f} %" if held_out is not None else "unknown",
        rows=rows,
        said=lived.predicted_seconds,
        took=lived.measured_seconds,
        length=LENGTH,
        after_idle=known.after_idle,
        times=TIMES,
        offered=offered,
        life=LIFE,
    )


def row(line: str, found: list[float]) -> str:
    """Cases, the error of their sum's place (the median), the typical and the largest size of an error, and the aim."""
    sizes = [abs(error) for error in found]
    numbers = (statistics.median(found), statistics.median(sizes), max(sizes))
    aim = next((f"{most} %" for word, most in AIMS.items() if word in line), "0" if "operations" in line else "–")
    signed, typical_size, largest = (f"{100 * n:.1f}" for n in numbers)
    return f"| {line} | {len(found)} | {float(signed):+.1f} % | {typical_size} % | {largest} % | {aim} |"


HEAD = """# Predicted, then done

`python benchmarks/prediction.py --threads {threads}` on {device}, {precision}, {date}. Others used {busy:.0%} of
{cores} cores at the start. Calibrated {calibrated}; its own typical error on shapes held out: {held_out}.
{noise}
The life at the end of this page was predicted from its file, its rows and the calibration, and then lived. Errors are
(predicted / measured - 1). *Operations of a step* and *seconds, on the batches that there were* take the steps as they
were done; everything else was said before the first of them. *Steps* is a line of its own because no shape tells when
patience ends a training: predicted are the epochs that an estimate assumes where nobody states them.

| | cases | median error | typical size | largest | aim |
|---|---|---|---|---|---|
{rows}

All trainings together: {said:.0f} s predicted, {took:.0f} s measured; that has the error of the steps in it.

## A load on a model

Requests of {length} pieces at random times to one replica, as in [serving.md](serving.md); here the prediction
knows rates and not the model: it was never asked before. *Service* is the median of a batch's seconds under the load
against the predicted ones; a queue at 0.7 whose service takes 1.3 times as long is one at 0.9. A request to an idle
replica was predicted to take {after_idle:.2f} times as long. Every load was offered {times} times; the middle counts.

| shape | max batch | load | service | predicted p95 ms | measured | error |
|---|---|---|---|---|---|---|
{offered}

## The life

```yaml
{life}```
"""


if __name__ == "__main__":
    main()
