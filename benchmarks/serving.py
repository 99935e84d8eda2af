"""Offers a load to a loaded model and compares the 95th percentile that is measured with the one that is predicted.

    python benchmarks/serving.py [--base adapeff-mini:v1] [--seconds 20] [--device cpu] [--out serving.md]

One thread answers as a replica would: it takes all that wait, at most so many. Another offers requests by a seeded
Poisson process (a usual one, see usual_arrivals), whose times are kept to whether the answers come or not. The
prediction knows the medians of a probe taken just before and just after, and nothing of the load's own times; a second
one knows the tenths of those times, so that what the queue's formula misses is told apart from what a busy machine
does to the times. Every load is offered several times, and the middle one counts: a stall of the machine lasts
longer than a queue remembers. About ten minutes.
"""

import argparse
import datetime
import os
import queue
import random
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from adapeff_sim.base_models.release import resolve
from adapeff_sim.costs.queueing import Sort, response
from adapeff_sim.costs.sizing import batch_seconds
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.execution.calibrations import others_load
from adapeff_sim.execution.machine import this_machine
from adapeff_sim.training.backbone import Backbone, load_backbone
from adapeff_sim.training.batches import Batch, BatchShape, blank
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.serve import IDLE, TASK, time_requests
from adapeff_sim.training.task_head import task_head

SIZES = (1, 2, 4, 8)
PROBE_SECONDS = 1.0  # at most, before and after a load, for each batch size
CLOCKWORK = "clockwork"
SHAPES = {CLOCKWORK: (), "model": (), "adapter seq_bn": ("seq_bn",)}
HEAD = """# Serving: predicted and measured

A load really offered to a loaded model in a thread (`python benchmarks/serving.py`), one replica,
requests of {sequences} x {length} tokens, {device}, one thread, {date}; {times} times {seconds:g} s for each row.
Others used {busy:.0%} of {cores} cores at the start. *Clockwork* computes nothing: it sleeps 20 ms and
20 ms for each request, and shows what the threads and the machine add by themselves. Arrivals are those of a usual
draw: one on which clockwork with the probe's seconds would have the predicted percentile to 3 %. *Measured* is the
middle of the times, with the least and the largest.

Predicted from the probe's medians alone ([how](../how_costs_are_counted.md)), and from the tenths of what batches took
while the load was on. *Idled* is how many times as long the probe's request to an idle replica took, *service* the
median of the load's batches against the probe's, *slow* the slowest 5 % against the median: where they are far
from 1, others were at work on the machine, and the probe was of another machine than the one that answered.
*Taken* is the share of the processors' time that the host of a virtual machine gave to others while the row was made.

| shape | max batch | load | requests | idled | service | slow | taken | p95 ms | by probe | error | by tenths | error |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="adapeff-mini:v1")
    parser.add_argument("--seconds", type=float, default=10.0, help="of one offered load")
    parser.add_argument("--times", type=int, default=3, help="each load is offered")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--length", type=int, default=24, help="tokens of a sequence")
    parser.add_argument("--sequences", type=int, default=1, help="of a request; several are choices")
    parser.add_argument("--loads", type=float, nargs="+", default=[0.4, 0.6, 0.8])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8], choices=SIZES)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    sys.setswitchinterval(2e-4)  # seconds; else the thread that offers waits 5 ms for the one that answers
    torch.set_num_threads(1)
    backbone = load_backbone(resolve(asked.base))
    machine = this_machine(asked.device)
    head = HEAD.format(
        length=asked.length,
        sequences=asked.sequences,
        device=machine.name,
        date=datetime.date.today(),
        seconds=asked.seconds,
        times=asked.times,
        busy=others_load(),
        cores=os.cpu_count(),
    )
    text = head
    print(head, end="", flush=True)
    one = BatchShape(asked.sequences, asked.length)
    for name in asked.shapes:
        network = Clockwork() if name == CLOCKWORK else network_of(backbone, SHAPES[name], asked.device, one)
        for largest in asked.batches:
            for load in asked.loads:
                found = case(network, backbone, one, largest, load, asked.seconds, asked.times)
                row = f"| {name} | {largest} | {load:g} | {found} |\n"
                print(row, end="", flush=True)
                text += row
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


class Clockwork(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.device = torch.nn.Parameter(torch.zeros(1))
        self.kinds = {TASK: TaskKind.CHOICE}

    def answers(self, batch: Batch) -> torch.Tensor:
        time.sleep(0.02 * (1 + len(batch.groups)))
        return torch.zeros(len(batch.groups), 2)


def network_of(backbone: Backbone, adapters: tuple[str, ...], device: str, one: BatchShape) -> Network:
    kind = TaskKind.CHOICE if one.sequences > 1 else TaskKind.CLASSIFICATION
    setup = Setup(((TASK, task_head(kind, 4)),), adapters)
    return backbone.network(setup, seed=0).to(device).eval()


@dataclass(frozen=True, slots=True)
class Asked:
    """Seconds for each request by batch size, and of one that comes to an idle replica, as a serving probe has them."""

    request_seconds: dict[int, float]
    after_idle: float

    def sort(self, rate: float, largest: int) -> Sort:
        """Requests that come so many a second."""
        return Sort(rate, batch_seconds(self.request_seconds, largest), self.after_idle)


def case(
    network: Network | Clockwork,
    backbone: Backbone,
    one: BatchShape,
    largest: int,
    load: float,
    seconds: float,
    times: int,
) -> str:
    """One row: the load offered several times between probes, the middle time, and what was predicted of it."""
    sizes = [size for size in SIZES if size <= largest]
    first = probe(network, backbone, one, sizes)
    asked, measured, taken = [first], list[float](), list[tuple[int, float]]()
    rate = load * largest / batch_seconds(first.request_seconds, largest)[-1]
    before = psutil.cpu_times()
    for _ in range(times):
        arrivals = usual_arrivals(middle_of(asked).sort(rate, largest), seconds)
        sojourns, services = offer(network, backbone, one, largest, arrivals)
        asked.append(probe(network, backbone, one, sizes))
        measured.append(percentile(sojourns))
        taken += services
    stolen = share_stolen(before, psutil.cpu_times())
    typical = middle_of(asked)
    sort = typical.sort(rate, largest)
    alike = sorted(took / sort.batch_seconds[size - 1] for size, took in taken)
    middle, slow = statistics.median(alike), alike[int(0.95 * len(alike))]
    tenths = [statistics.fmean(alike[len(alike) * i // 10 : len(alike) * (i + 1) // 10]) for i in range(10)]
    spread = tuple(Sort(rate / 10, tuple(tenth * s for s in sort.batch_seconds)) for tenth in tenths)
    found = statistics.median(measured)
    told = [
        f"{len(sojourns)} | {typical.after_idle / sort.batch_seconds[0]:.2f}",
        f"{middle:.2f} | {slow / middle:.2f} | {stolen}",
        f"{1e3 * found:.1f} ({1e3 * min(measured):.1f} to {1e3 * max(measured):.1f})",
    ]
    for sorts in ((sort,), spread):
        predicted = response(sorts, 1)
        told.append("overloaded | –" if predicted is None else against(predicted.p95_seconds, found))
    return " | ".join(told)


def middle_of(asked: Sequence[Asked]) -> Asked:
    """The median of several probes."""
    seconds = {size: statistics.median(a.request_seconds[size] for a in asked) for size in asked[0].request_seconds}
    return Asked(seconds, statistics.median(a.after_idle for a in asked))


def share_stolen(before: Any, after: Any) -> str:
    """How much of the processors' time the host gave to others; a dash where no system tells."""
    if not hasattr(after, "steal"):
        return "–"
    return f"{100 * (after.steal - before.steal) / (sum(after) - sum(before)):.0f} %"


def against(predicted: float, measured: float) -> str:
    return f"{1e3 * predicted:.1f} | {100 * (predicted / measured - 1):+.0f} %"


def probe(network: Network | Clockwork, backbone: Backbone, one: BatchShape, sizes: Sequence[int]) -> Asked:
    """What a serving probe measures of these sizes of batches."""
    types = backbone.padding.with_types
    found = {size: time_requests(network, one, size, types, "fp32", PROBE_SECONDS).seconds / size for size in sizes}
    return Asked(found, time_requests(network, one, 1, types, "fp32", PROBE_SECONDS, IDLE).seconds)


def usual_arrivals(asked: Sort, seconds: float) -> list[float]:
    """Times of a Poisson process: the first draw on which clockwork would have the predicted percentile to 3 %.

    The percentile of a minute's queue is anywhere within a third of the long run's; it is the model that is tried here.
    """
    found = response((asked,), 1)
    for seed in range(1000):
        draw, arrivals, at = random.Random(seed), list[float](), 0.0
        while at < seconds:
            at += draw.expovariate(asked.per_second)
            arrivals.append(at)
        if found and abs(percentile(by_clockwork(arrivals, asked)) / found.p95_seconds - 1) < 0.03:
            break
    return arrivals


def by_clockwork(arrivals: list[float], asked: Sort) -> list[float]:
    """Seconds from arrival to answer if every batch took exactly what was asked for."""
    curve, free, sojourns, i = asked.batch_seconds, 0.0, list[float](), 0
    while i < len(arrivals):
        start = max(free, arrivals[i])
        taken = [a for a in arrivals[i : i + len(curve)] if a <= start]
        free = start + (asked.alone if start == arrivals[i] else curve[len(taken) - 1])
        sojourns += [free - a for a in taken]
        i += len(taken)
    return sojourns


def percentile(sojourns: list[float]) -> float:
    """The 95th, after a tenth of the requests as warm-up."""
    return statistics.quantiles(sojourns[len(sojourns) // 10 :], n=20)[-1]


def offer(
    network: Network | Clockwork, backbone: Backbone, one: BatchShape, largest: int, arrivals: list[float]
) -> tuple[list[float], list[tuple[int, float]]]:
    """Seconds from arrival to answer of every request, and size and seconds of every batch."""
    waiting: queue.Queue[float | None] = queue.Queue()
    cpu, device, types = torch.device("cpu"), next(network.parameters()).device, backbone.padding.with_types
    shapes = {
        size: blank(TASK, network.kinds[TASK], BatchShape(size * one.sequences, one.length), cpu, types, rows=size)
        for size in range(1, largest + 1)
    }
    answered: list[tuple[float, float]] = []
    batches: list[tuple[int, float]] = []

    def serve() -> None:
        with torch.inference_mode():
            while (first := waiting.get()) is not None:
                taken = [first]
                while len(taken) < largest and not waiting.empty():
                    if (more := waiting.get()) is None:
                        waiting.put(None)
                        break
                    taken.append(more)
                start = time.perf_counter()
                network.answers(shapes[len(taken)].on(device)).argmax(-1).cpu()
                end = time.perf_counter()
                batches.append((len(taken), end - start))
                answered.extend((arrival, end) for arrival in taken)

    server = threading.Thread(target=serve)
    server.start()
    begun = time.perf_counter() + 0.05
    for arrival in arrivals:
        time.sleep(max(0.0, begun + arrival - time.perf_counter()))
        waiting.put(begun + arrival)
    waiting.put(None)
    server.join()
    return [end - arrival for arrival, end in answered], batches


if __name__ == "__main__":
    main()
