"""Offers a load to a loaded model and compares the 95th percentile that is measured with the one that is predicted.

    python benchmarks/serving.py [--base adapeff-mini:v1] [--seconds 20] [--device cpu] [--out serving.md]

One thread answers as a replica would: it takes all that wait, at most so many. Another offers requests by a seeded
Poisson process, whose times are kept to whether the answers come or not. The prediction knows the medians of a probe
taken just before and just after, and nothing of the load's own times; a second one knows the tenths of those times, so
that what the queue's formula misses is told apart from what a busy machine does to the times. About five minutes.
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
from pathlib import Path

import torch

from adapeff_sim.base_models.release import resolve
from adapeff_sim.costs.queueing import Sort, response
from adapeff_sim.costs.sizing import batch_seconds
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.execution.machine import this_machine
from adapeff_sim.training.backbone import Backbone, load_backbone
from adapeff_sim.training.batches import BatchShape, blank
from adapeff_sim.training.heads import head_shape
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.serve import TASK, time_requests

LENGTH = 24  # tokens
SIZES = (1, 2, 4, 8)
SHAPES = {"model": (), "adapter seq_bn": ("seq_bn",)}
LOADS = (0.4, 0.6, 0.8)
HEAD = """# Serving: predicted and measured

A load really offered to a loaded model in a thread (`python benchmarks/serving.py`), one replica, requests of {length}
tokens, {device}, one thread, {date}; {seconds:g} s for each row. Load average of the machine at the start: {busy:.1f}
on {cores} cores.

Predicted from the probe's medians alone ([how](../how_costs_are_counted.md)), and from the tenths of what batches took
while the load was on. *Service* is the median of those against the probe's, *slow* the slowest 5 % against the median:
where they are far from 1, others were at work on the machine, and the probe was of another machine than the one that
answered.

| shape | max batch | load | requests | service | slow | measured p95 ms | by the probe | error | by tenths | error |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="adapeff-mini:v1")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    sys.setswitchinterval(2e-4)  # seconds; else the thread that offers waits 5 ms for the one that answers
    torch.set_num_threads(1)
    backbone = load_backbone(resolve(asked.base))
    machine = this_machine(asked.device)
    head = HEAD.format(
        length=LENGTH,
        device=machine.name,
        date=datetime.date.today(),
        seconds=asked.seconds,
        busy=os.getloadavg()[1],
        cores=os.cpu_count(),
    )
    text = head
    print(head, end="", flush=True)
    for name, adapters in SHAPES.items():
        network = network_of(backbone, adapters, asked.device)
        for largest in (1, SIZES[-1]):
            for load in LOADS:
                row = f"| {name} | {largest} | {load:g} | {case(network, backbone, largest, load, asked.seconds)} |\n"
                print(row, end="", flush=True)
                text += row
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


def network_of(backbone: Backbone, adapters: tuple[str, ...], device: str) -> Network:
    setup = Setup(((TASK, head_shape(TaskKind.CLASSIFICATION, 4)),), adapters)
    return backbone.network(setup, seed=0).to(device).eval()


def case(network: Network, backbone: Backbone, largest: int, load: float, seconds: float) -> str:
    """One row: the probe, the load, the probe again, and what was predicted of it."""
    before = probe(network, backbone, largest)
    rate = load * largest / batch_seconds(before, largest)[-1]
    sojourns, services = offer(network, backbone, largest, rate, seconds)
    after = probe(network, backbone, largest)
    curve = batch_seconds({size: (before[size] + after[size]) / 2 for size in before}, largest)
    ratio = statistics.median(took / curve[size - 1] for size, took in services)
    alike = sorted(took / curve[size - 1] for size, took in services)
    spread = alike[int(0.95 * len(alike))] / statistics.median(alike)
    measured = statistics.quantiles(sojourns, n=20)[-1]
    tenths = [statistics.fmean(alike[len(alike) * i // 10 : len(alike) * (i + 1) // 10]) for i in range(10)]
    spreading = tuple(Sort(rate / 10, tuple(tenth * seconds for seconds in curve)) for tenth in tenths)
    told = [f"{len(sojourns)} | {ratio:.2f} | {spread:.2f} | {1e3 * measured:.1f}"]
    for sorts in ((Sort(rate, curve),), spreading):
        found = response(sorts, 1)
        told.append("overloaded | –" if found is None else against(found.p95_seconds, measured))
    return " | ".join(told)


def against(predicted: float, measured: float) -> str:
    return f"{1e3 * predicted:.1f} | {100 * (predicted / measured - 1):+.0f} %"


def probe(network: Network, backbone: Backbone, largest: int) -> dict[int, float]:
    """Seconds for each request by batch size, as a serving probe takes them."""
    one, types = BatchShape(1, LENGTH), backbone.padding.with_types
    sizes = [size for size in SIZES if size <= largest]
    return {size: time_requests(network, one, size, types, "fp32", 0.7).seconds / size for size in sizes}


def offer(
    network: Network, backbone: Backbone, largest: int, rate: float, seconds: float
) -> tuple[list[float], list[tuple[int, float]]]:
    """Seconds from arrival to answer of every request after a tenth of them, and size and seconds of every batch."""
    draw, arrivals, at = random.Random(7), list[float](), 0.0
    while at < seconds:
        at += draw.expovariate(rate)
        arrivals.append(at)
    waiting: queue.Queue[float | None] = queue.Queue()
    device, types = next(network.parameters()).device, backbone.padding.with_types
    shapes = {
        size: blank(TASK, TaskKind.CLASSIFICATION, BatchShape(size, LENGTH), torch.device("cpu"), types, rows=size)
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
    return [end - arrival for arrival, end in answered[len(answered) // 10 :]], batches


if __name__ == "__main__":
    main()
