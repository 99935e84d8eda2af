"""What a server holds: bytes of its weights, seconds to load them, to change the adapter, and to answer mixed tasks."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import adapters.composition as composition
import torch

from adapeff_sim.artifacts.methods import family, options
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.ledger.outcome import Usage
from adapeff_sim.training.backbone import Backbone, load_backbone
from adapeff_sim.training.batches import Batch, BatchShape, blank
from adapeff_sim.training.network import ADAPTER, Network, Setup, head_key
from adapeff_sim.training.parts import Answers, Card, base_of, load_parts, save_parts
from adapeff_sim.training.serve import TASK, Timed, repeated
from adapeff_sim.training.task_head import TaskHead

TASKS = 4  # of a mixed batch
MIXED = 16  # requests of a mixed batch
MERGED = frozenset({"lora", "ia3"})  # methods that can be added to the weights they change


def weights(network: Network) -> Usage:
    """Bytes of weights in memory: all of them, and those that lie on the encoder (adapters, fusion, heads)."""
    once: dict[int, str] = {}
    for name, tensor in network.state_dict().items():
        once.setdefault(tensor.data_ptr(), name)  # the library names some tensors twice
    held = {name: t.numel() * t.element_size() for name, t in network.state_dict().items() if name in once.values()}
    parts = network.parts
    adapters = sum(held.get(f"encoder.{name}", 0) for names in parts.adapters for name in names)
    others = {f"encoder.{name}" for name in parts.fusion}
    on_top = adapters + sum(size for name, size in held.items() if name in others or name.startswith("heads."))
    found = {"resident_bytes": float(sum(held.values())), "own_bytes": float(on_top)}
    if parts.adapters:
        found["adapters_bytes"] = float(adapters)
        one = {f"encoder.{name}" for name in parts.adapters[0]}
        heads = [size for name, size in held.items() if name.startswith(f"heads.{head_key(TASK)}.")]
        found["added_adapter_bytes"] = float(sum(held.get(name, 0) for name in one) + sum(heads))
    return found


def loading(backbone: Backbone, setup: Setup, folder: Path, device: torch.device) -> Usage:
    """Seconds from files to a network on the device: base model and artifacts, and the artifacts alone.

    The files lie in the operating system's memory, as they were read or written just before.
    """
    scratch = folder / "held"
    try:
        files = _files(backbone, setup, scratch)
        start = time.perf_counter()
        fresh = load_backbone(backbone.release).network(setup, seed=0)
        middle = time.perf_counter()
        for kind, place, file in files:
            load_parts(fresh, file, kind, place, tasks=[TASK])
        fresh.eval().to(device)
        _wait(device)
        end = time.perf_counter()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {"load_seconds": end - start, "artifact_load_seconds": end - middle}


def _files(backbone: Backbone, setup: Setup, scratch: Path) -> list[tuple[Kind, int, Path]]:
    """What a server loads over the base model, written as builds write it: kind, place among adapters, and folder."""
    answers = {task: Answers(kind=shape.kind, labels=()) for task, shape in setup.heads}
    wanted = [(Kind.ADAPTER, i, Setup(setup.heads, (method,))) for i, method in enumerate(setup.adapters)]
    wanted += [(Kind.FUSION, 0, setup)] * setup.fused or ([] if setup.adapters else [(Kind.MODEL, 0, setup)])
    found = []
    for kind, place, of in wanted:
        card = Card(kind=kind, methods=of.adapters, tasks=answers, base=base_of(backbone.release))
        found.append((kind, place, scratch / f"{kind}{place}"))
        save_parts(backbone.network(of, seed=0), card, found[-1][2])
    return found


def switching(network: Network, limit_seconds: float) -> Timed:
    """Seconds to make another adapter the active one; the network holds several."""
    names = [ADAPTER.format(i) for i in range(len(network.setup.adapters))]
    turn = 0

    def switch() -> None:
        nonlocal turn
        turn += 1
        network.encoder.set_active_adapters(names[turn % len(names)])

    return repeated(switch, limit_seconds)


def several(backbone: Backbone, setup: Setup, shape: TaskHead, device: torch.device) -> Network:
    """One encoder with heads for several tasks, and an adapter for each where the setup has one."""
    heads = tuple((f"{TASK}{i}", shape) for i in range(TASKS))
    return backbone.network(Setup(heads, setup.adapters * TASKS), seed=0).to(device).eval()


def mixed(network: Network, one: BatchShape, with_types: bool, limit_seconds: float) -> Timed:
    """Seconds of a batch whose requests are of several tasks: through the encoder together, through heads apart."""
    tasks = [task for task, _ in network.setup.heads]
    device = next(network.parameters()).device
    each, shape = MIXED // len(tasks), BatchShape(one.sequences * MIXED, one.length)
    batch = blank(tasks[0], network.kinds[tasks[0]], shape, torch.device("cpu"), with_types, rows=MIXED)
    if network.setup.adapters:
        names = [ADAPTER.format(i) for i in range(len(tasks))]
        sizes = [each * one.sequences] * len(tasks)
        network.encoder.set_active_adapters(composition.BatchSplit(*names, batch_sizes=sizes))

    def ask() -> None:
        _states_to_answers(network, batch.on(device), tasks)

    return repeated(ask, limit_seconds)


def _states_to_answers(network: Network, batch: Batch, tasks: list[str]) -> None:
    types = {} if batch.types is None else {"token_type_ids": batch.types}
    states = network.encoder(input_ids=batch.ids, attention_mask=batch.mask, **types)[0]
    parts = states.chunk(len(tasks))
    for task, part in zip(tasks, parts, strict=True):
        network.heads[head_key(task)](part[:, part.shape[1] - batch.ids.shape[1] :]).float().argmax(-1).cpu()


def merged(network: Network, time_it: Callable[[], Timed]) -> Timed | None:
    """A request once the adapter is part of the weights it changes; None for a method that cannot be merged."""
    setup = network.setup
    method = setup.adapters[0] if len(setup.adapters) == 1 else ""
    if not method or family(method) not in MERGED or options(method).get("use_gating"):  # a gate hangs on the request
        return None
    network.encoder.merge_adapter(ADAPTER.format(0))
    try:
        return time_it()
    finally:
        network.encoder.reset_adapter()


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
