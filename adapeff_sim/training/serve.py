"""How long one request takes: the shape is built with any weights, warmed up, and asked again and again."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training.autocast import autocast
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.batches import Batch, BatchShape, blank
from adapeff_sim.training.head_shape import head_shape
from adapeff_sim.training.jobs import ServeJob
from adapeff_sim.training.meters.base import Precision
from adapeff_sim.training.network import Network, Setup

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
WARM_UPS = 3
FEWEST, MOST = 5, 2000  # repeats
NARROW_FROM = 20  # repeats: with fewer the interval of a median says little
NARROW = 0.05  # half the width of the interval, as a share of the median
TASK = "served"
IDLE = 0.005  # seconds of nothing to do: after one thousandth a request takes longer already, after fifty no more


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds a request takes: the median over repeats, and half the width of its 95 % interval as a share of it."""

    seconds: float
    noise: float


def shape_of(job: ServeJob) -> Setup:
    """What lies on the base model, read from the stack; ExecutionError for a stack that is no route."""
    head = ((TASK, head_shape(job.kind, job.outputs)),)
    prefix = f"{Kind.ADAPTER} "
    methods = tuple(part.removeprefix(prefix) for part in job.stack if part.startswith(prefix))
    others = [part for part in job.stack if not part.startswith(prefix)]
    if others not in (["model"], ["base_model"], ["base_model", "fusion"]) or (methods and others == ["model"]):
        raise ExecutionError(f"{' + '.join(job.stack)} is no shape that can be served")
    return Setup(head, methods, fused="fusion" in others)


def request(job: ServeJob, backbone: Backbone) -> BatchShape:
    """One request: one sequence, or one for each choice. Raises ExecutionError for a length the model cannot take."""
    longest = backbone.padding.longest
    if not 0 < job.length_tokens <= longest:
        raise ExecutionError(f"a request of {job.length_tokens} tokens cannot be timed; give 1 to {longest}")
    return BatchShape(job.outputs if job.kind is TaskKind.CHOICE else 1, job.length_tokens)


def time_requests(
    network: Network,
    one: BatchShape,
    size: int,
    with_types: bool,
    precision: Precision,
    limit_seconds: float,
    idle_seconds: float = 0.0,
) -> Timed:
    """The median seconds of ``size`` requests at once, ids on the CPU to answers there.

    Repeated until the interval of the median is narrow, for ``limit_seconds`` at most; ``idle_seconds`` of nothing to
    do come before each, and are not counted.
    """
    device = next(network.parameters()).device
    shape = BatchShape(one.sequences * size, one.length)
    batch = blank(TASK, network.kinds[TASK], shape, torch.device("cpu"), with_types, rows=size)
    network.eval()
    with torch.inference_mode(), autocast(device, precision):
        return repeated(lambda: _ask(network, batch, device), limit_seconds, idle_seconds)


def repeated(work: Callable[[], None], limit_seconds: float, idle_seconds: float = 0.0) -> Timed:
    """The median seconds of some work, after a warm-up that is not counted."""
    begun = time.perf_counter()
    for _ in range(WARM_UPS):
        work()
        if time.perf_counter() - begun > limit_seconds:
            break
    end = time.perf_counter() + limit_seconds
    taken: list[float] = []
    while len(taken) < FEWEST or (time.perf_counter() < end and len(taken) < MOST):
        if idle_seconds:
            time.sleep(idle_seconds)
        taken.append(_seconds(work))
        if len(taken) % NARROW_FROM == 0 and summary(taken).noise < NARROW:
            break
    return summary(taken)


def _ask(network: Network, batch: Batch, device: torch.device) -> None:
    network.answers(batch.on(device)).argmax(-1).cpu()  # fetching the answer waits for the device


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def summary(taken: list[float]) -> Timed:
    """The median, with the order statistics that enclose it in 95 of 100 cases (binomial, normal approximation)."""
    ordered, n = sorted(taken), len(taken)
    reach = 0.98 * math.sqrt(n)
    low, high = ordered[max(0, math.floor(n / 2 - reach))], ordered[min(n - 1, math.ceil(n / 2 + reach))]
    middle = statistics.median(ordered)
    return Timed(middle, (high - low) / 2 / middle)
