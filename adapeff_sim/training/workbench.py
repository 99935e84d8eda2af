"""Where jobs are done one after the other: base models and encoded rows stay at hand, networks do not."""

import functools
import gc
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import torch

from adapeff_sim.base_models.release import Release
from adapeff_sim.data.examples import PRIMARY, AnyExample, TaskKind, content_digest
from adapeff_sim.errors import ExecutionError
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.training.backbone import Backbone, load_backbone
from adapeff_sim.training.build import job_name, prepare, rows_to_train
from adapeff_sim.training.encode import Item
from adapeff_sim.training.evaluate import routed, write_predictions
from adapeff_sim.training.flop_count import FlopCount
from adapeff_sim.training.jobs import BuildJob, EvaluateJob, Note, ServeJob, TaskRows, Tell
from adapeff_sim.training.loop import Rhythm, Training
from adapeff_sim.training.meters.base import Measuring
from adapeff_sim.training.network import Setup
from adapeff_sim.training.parts import save_parts
from adapeff_sim.training.probe import Probe
from adapeff_sim.training.scoring import Questions, answers, warm_up
from adapeff_sim.training.serve import TASK, request, shape_of
from adapeff_sim.training.settings import TrainingSettings
from adapeff_sim.training.workload import workload

ENCODED_KEPT = 64  # sets of rows whose piece ids are kept
COUNTED = FlopCount()  # for all runs of a process: counting a shape takes longer than a step of it


class Machine(Protocol):
    """What the workbench must know of the machine it stands on (execution.machine.Machine is one)."""

    @property
    def device(self) -> str:
        """``cpu`` or ``cuda``."""
        ...

    @property
    def name(self) -> str:
        """What records call the device."""
        ...

    @property
    def threads(self) -> int:
        """Threads of the CPU's matrix products."""
        ...

    @property
    def precision(self) -> Literal["fp32", "bf16"]:
        """The width of matrix products."""
        ...


@dataclass(slots=True)
class Workbench:
    """Builds, evaluates and times on one machine; each job gets a fresh network over cached base weights."""

    machine: Machine
    rhythm: Rhythm = field(default_factory=Rhythm)
    probe_seconds: float = 1.5  # at most for a request alone, a third of it for anything else
    _backbones: dict[str, Backbone] = field(default_factory=dict, init=False, repr=False)
    _encoded: dict[tuple[object, ...], list[Item]] = field(default_factory=dict, init=False, repr=False)
    _counter: FlopCount = field(default_factory=lambda: COUNTED, init=False, repr=False)

    @property
    def device(self) -> torch.device:
        """Where networks live."""
        return torch.device(self.machine.device)

    def build(self, job: BuildJob, folder: Path, tell: Tell) -> Outcome:
        """Train what the job asks for into ``folder/artifact``; goes on from ``folder/checkpoint`` if it is there.

        Raises ExecutionError for inputs that do not fit and for a job without training rows.
        """
        backbone = self._backbone(job.release)
        built = prepare(job, backbone)
        measuring = self._measuring(backbone, built.network.setup)
        training = Training(
            network=built.network.to(self.device),
            items=self._training_items(job, backbone),
            validation=self._validation(job, backbone),
            settings=job.settings,
            seed=job.seed,
            padding=backbone.padding,
            measuring=measuring,
            folder=folder,
            job=job_name(job),
            tell=tell,
            rhythm=self.rhythm,
        )
        converged = training.run()
        stored_bytes = save_parts(built.network, built.card, _emptied(folder / "artifact"))
        return self._outcome(
            measuring,
            stored_bytes=stored_bytes,
            converged=converged,
            curve=tuple(measuring.curve),
            workload=workload(backbone, built.network.setup, measuring.trained),
        )

    def evaluate(self, job: EvaluateJob, folder: Path, tell: Tell) -> Outcome:
        """Score a route on the job's rows, and keep what it said in ``folder/artifact/predictions.jsonl``."""
        if not job.rows:
            raise ExecutionError(f"{job.endpoint} has no test rows; give it some")
        backbone = self._backbone(job.release)
        network = routed(job, backbone).to(self.device)
        asked = self._questions(job.task, job.endpoint.language, job.rows, job.settings, backbone)
        measuring = self._measuring(backbone, network.setup)
        total = len(asked.items)
        with measuring.warm_up() as watch:
            warm_up(network, asked, backbone.padding, job.settings.batch_size, watch)
        with measuring.phase("evaluate") as watch:
            said = answers(
                network,
                asked,
                backbone.padding,
                job.settings.batch_size,
                watch,
                lambda done: tell(Note("evaluate", done, total)),
            )
        measuring.add("test_examples", len(job.rows))
        write_predictions(job.rows, said, _emptied(folder / "artifact"))
        return self._outcome(measuring, scores=asked.scores(said), primary=PRIMARY[asked.kind])

    def probe(self, job: ServeJob, folder: Path, tell: Tell) -> Outcome:
        """Time requests to a shape, one and more at once, and what a server does beside answering."""
        backbone = self._backbone(job.release)
        setup, one = shape_of(job), request(job, backbone)
        measuring = self._measuring(backbone, setup)
        probe = Probe(backbone, setup, one, self.device, self.machine.precision, self.probe_seconds)
        with measuring.phase("probe"):
            found = probe.batches(lambda done, total: tell(Note("probe", done, total)))
        start = time.perf_counter()
        more = probe.beside(folder)  # several networks at once: no phase, whose peak would be of them
        measuring.add("probe_seconds", time.perf_counter() - start)
        measuring.usage.pop("probe_flops", None)  # no batch is counted: the same one runs again and again
        measuring.add("request_flops", self._counter.flops(backbone, setup, TASK, one, backward=False))
        for quantity, amount in (found.usage | more.usage).items():
            measuring.add(quantity, amount)
        measuring.unavailable.update(more.unavailable)
        return self._outcome(measuring, request_seconds=found.request_seconds)

    def _backbone(self, release: Release) -> Backbone:
        """The release, loaded once; every job begins here, so the threads are set here too."""
        torch.set_num_threads(self.machine.threads)
        if release.digest not in self._backbones:
            self._backbones[release.digest] = load_backbone(release)
            _set_aside()
        return self._backbones[release.digest]

    def _measuring(self, backbone: Backbone, setup: Setup) -> Measuring:
        gc.collect()  # the network of the job before, which would count as memory of this one
        return Measuring(self.device, self.machine.precision, backbone, setup, self._counter)

    def _training_items(self, job: BuildJob, backbone: Backbone) -> dict[str, list[Item]]:
        """The items of every task that has rows; ExecutionError if none has."""
        found = {}
        for task in job.tasks:
            if rows := rows_to_train(job, task):
                found[task.name] = self._items(task.kind, rows, task.labels, job.settings, backbone)
        if not found:
            raise ExecutionError(f"{job.artifact.slot} has no training rows; label some")
        return found

    def _validation(self, job: BuildJob, backbone: Backbone) -> list[Questions]:
        return [
            self._questions(task, language, task.validation[language], job.settings, backbone)
            for task in sorted(job.tasks, key=lambda task: task.name)
            for language in sorted(task.validation)
            if task.validation[language]
        ]

    def _questions(
        self,
        task: TaskRows,
        language: str,
        rows: Sequence[AnyExample],
        settings: TrainingSettings,
        backbone: Backbone,
    ) -> Questions:
        items = self._items(task.kind, rows, task.labels, settings, backbone)
        return Questions(task.name, task.kind, language, task.labels, rows, items)

    def _items(
        self,
        kind: TaskKind,
        rows: Sequence[AnyExample],
        labels: tuple[str, ...],
        settings: TrainingSettings,
        backbone: Backbone,
    ) -> list[Item]:
        """Rows as piece ids, from the shelf if they were encoded before."""
        key = (backbone.release.digest, kind, labels, settings.max_length, content_digest(rows))
        if key not in self._encoded:
            if len(self._encoded) >= ENCODED_KEPT:
                self._encoded.pop(next(iter(self._encoded)))
            self._encoded[key] = backbone.reading(settings.max_length).items(kind, rows, labels)
        return self._encoded[key]

    def _outcome(self, measuring: Measuring, **found: object) -> Outcome:
        """What was measured; of a quantity that could not be had in every phase, the sum of the others is not it."""
        whole = {name: amount for name, amount in measuring.usage.items() if name not in measuring.unavailable}
        return Outcome.model_validate(
            {
                **found,
                "usage": whole,
                "unavailable": tuple(sorted(measuring.unavailable)),
                "device": self.machine.name,
                "threads": self.machine.threads,
            }
        )


@functools.cache  # once for a process
def _set_aside() -> None:
    """Take what is loaded by now, libraries above all, out of what the garbage collector looks through.

    A collection before every job would else look at half a million objects that stay for good: a quarter of a second.
    """
    gc.collect()
    gc.freeze()


def _emptied(folder: Path) -> Path:
    """The folder, without what an interrupted job left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
