"""A route as a network: the parts of its artifacts over their base model, with one head."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.data.examples import AnyExample
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.build import folder_of, fused_methods
from adapeff_sim.training.jobs import PREDICTIONS, EvaluateJob
from adapeff_sim.training.metrics import gold_of
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.parts import Answers, load_card, load_parts, require_base
from adapeff_sim.training.task_head import task_head


def routed(job: EvaluateJob, backbone: Backbone) -> Network:
    """The network that answers the job's endpoint; ExecutionError if its parts do not fit together."""
    top = job.route[-1]
    task = job.task.name
    folder = folder_of(top, job.inputs)
    _knows(job, folder)
    fused = top.by(Role.FUSED)
    adapters = fused or tuple(a for a in job.route if a.kind is Kind.ADAPTER)
    heads = ((task, task_head(job.task.kind, len(job.task.labels))),)
    network = backbone.network(Setup(heads, fused_methods(adapters), fused=top.kind is Kind.FUSION), seed=0)
    for place, adapter in enumerate(fused):
        under = folder_of(adapter, job.inputs)
        _belongs(job, adapter, under)
        load_parts(network, under, Kind.ADAPTER, place)
    _belongs(job, top, folder)
    load_parts(network, folder, top.kind, tasks=(task,))
    return network


def _belongs(job: EvaluateJob, part: Artifact, folder: Path) -> None:
    """A part lies over the base model it was trained over, unless the route says that it is carried over."""
    base = part.by(Role.BASE)
    if base and job.route[0].kind is not Kind.BASE_MODEL:
        names = " + ".join(artifact.slot for artifact in job.route)
        raise ExecutionError(f"route {names} does not say which base model {part.slot} lies over; put it first")
    require_base(folder, job.release, is_carried=bool(base) and base != job.route[:1])


def _knows(job: EvaluateJob, folder: Path) -> None:
    known = load_card(folder).tasks.get(job.task.name)
    if known != Answers(kind=job.task.kind, labels=job.task.labels):
        raise ExecutionError(
            f"{job.route[-1].slot} has no head for {job.endpoint} with {len(job.task.labels)} labels; "
            "it was trained for other labels or other tasks: train it again"
        )


def write_predictions(rows: Sequence[AnyExample], said: Sequence[Any], folder: Path) -> int:
    """One JSON line a row: its id (or its place), what is right, what was said; gives the bytes written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PREDICTIONS
    lines = (
        json.dumps({"id": row.id or str(place), "gold": gold_of(row), "predicted": answer}, ensure_ascii=False)
        for place, (row, answer) in enumerate(zip(rows, said, strict=True))
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path.stat().st_size
