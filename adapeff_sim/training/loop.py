"""The one training loop.

until epochs, steps or patience end:
    train on what is left of the epoch        measured as train_*, warm-up apart
    at its end: score the validation rows     measured as validate_*, and a point of the curve
    now and then: checkpoint                  measured as checkpoint_seconds
keep the best weights
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from adapeff_sim.data.examples import PRIMARY
from adapeff_sim.errors import ExecutionError
from adapeff_sim.estimation.flops import nominal_flops
from adapeff_sim.ledger.outcome import Validation
from adapeff_sim.training.autocast import autocast
from adapeff_sim.training.batches import Batch, BatchShape, Padding, batches_per_epoch, collate, epoch_batches
from adapeff_sim.training.checkpoint import (
    Position,
    Sums,
    Trained,
    beat,
    lost_seconds,
    read_checkpoint,
    write_checkpoint,
)
from adapeff_sim.training.encode import Item
from adapeff_sim.training.jobs import Note, Tell
from adapeff_sim.training.meters.base import Measuring, Watch
from adapeff_sim.training.network import Network, derive
from adapeff_sim.training.scoring import Questions, answers
from adapeff_sim.training.settings import TrainingSettings
from adapeff_sim.training.step_clock import StepClock


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a training writes itself down and speaks, in seconds."""

    checkpoint_seconds: float = 20.0
    checkpoint_seconds_at_epoch_end: float = 3.0
    tell_seconds: float = 0.1
    beat_seconds: float = 1.0


@dataclass(slots=True)
class Training:
    """One training, from the first step or from a checkpoint to its end."""

    network: Network
    items: Mapping[str, Sequence[Item]]  # by task
    validation: Sequence[Questions]
    settings: TrainingSettings
    seed: int
    padding: Padding
    measuring: Measuring
    folder: Path
    job: str  # tells the checkpoint of this job from any other
    tell: Tell
    rhythm: Rhythm = field(default_factory=Rhythm)
    _trained: Trained = field(init=False)
    _total: int = field(init=False)
    _lost: float = field(init=False, default=0.0)
    _saved: tuple[int, float] = field(init=False, default=(0, 0.0))  # step and moment of the last checkpoint
    _told: float = field(init=False, default=0.0)
    _beaten: float = field(init=False, default=0.0)

    def run(self) -> bool | None:
        """Train; True if patience ended it, False if a cap did, None if there was nothing to be patient about."""
        self._start()
        position = self._trained.position
        while position.step < self._total and not position.out_of_patience:
            batches = epoch_batches(self.items, self.settings.batch_size, self.seed, position.epoch)
            clock = StepClock(self.measuring.device)
            with self.measuring.phase("train") as watch:
                self.network.train()
                for task, items in batches[position.batch :]:
                    clock.start()
                    batch = self._batch(task, items)
                    clock.done("data")
                    self._step(batch, len(items), watch, clock)
                    if position.step == self._total or self._is_due(self.rhythm.checkpoint_seconds):
                        break
            for part, seconds in clock.seconds().items():
                self.measuring.add(f"train_{part}_seconds", seconds)
            if position.batch == len(batches) or position.step == self._total:
                self._validate()
                position.epoch, position.batch = position.epoch + 1, 0
                if self._is_due(self.rhythm.checkpoint_seconds_at_epoch_end):
                    self._save()
            else:
                self._save()
        return self._finish()

    def _start(self) -> None:
        """Make the optimizer, warm up, seed dropout, and go on from a checkpoint if there is one."""
        planned = self.settings.epochs * batches_per_epoch(self.items, self.settings.batch_size)
        self._total = min(planned, self.settings.max_steps or planned)
        parameters = self.network.trainable()
        self._trained = Trained(
            parameters, _optimizer(self.network, self.settings, self.measuring.device), Position(), {}
        )
        torch.manual_seed(derive(self.seed, "dropout"))
        sums = read_checkpoint(self.folder / "checkpoint", self.job, self._trained)
        if sums is not None:
            self._go_on_with(sums)
        self._lost = lost_seconds(self.folder, self._trained.position.step)
        self._warm_up()
        self._saved = (self._trained.position.step, time.perf_counter())

    def _warm_up(self) -> None:
        """Run one batch for nothing, so that first-time costs are in ``warmup_seconds``; no bit of the work changes."""
        task, items = epoch_batches(self.items, self.settings.batch_size, self.seed, 0)[0]
        device = self.measuring.device
        with self.measuring.warm_up(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            self.network.train()
            with autocast(device, self.measuring.precision):
                loss = self.network.loss(self._batch(task, items))
            loss.backward()
            self._trained.optimizer.zero_grad(set_to_none=True)

    def _batch(self, task: str, items: Sequence[Item]) -> Batch:
        return collate(task, self.network.kinds[task], items, self.padding).on(self.measuring.device)

    def _step(self, batch: Batch, rows: int, watch: Watch, clock: StepClock) -> None:
        """One step of the optimizer on one batch."""
        trained, position, optimizer = self._trained, self._trained.position, self._trained.optimizer
        for group in optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rate_share(
                position.step, self._total, self.settings.warmup_share
            )
        with autocast(watch.device, watch.precision):
            loss = self.network.loss(batch)
        clock.done("forward")
        loss.backward()
        clock.done("backward")
        torch.nn.utils.clip_grad_norm_(trained.parameters.values(), self.settings.max_gradient_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        clock.done("optimizer")
        watch.saw(batch)
        position.step, position.batch = position.step + 1, position.batch + 1
        for quantity, amount in (("steps", 1), ("tokens", batch.ids.numel()), ("examples", rows)):
            self.measuring.add(f"train_{quantity}", amount)
        self._speak(loss.detach())

    def _speak(self, loss: Tensor) -> None:
        """Tell how far it is, and leave a heartbeat, both only now and then."""
        moment, position = time.perf_counter(), self._trained.position
        since = moment - self._saved[1]
        if moment - self._beaten >= self.rhythm.beat_seconds:
            beat(self.folder, self._saved[0], self._lost, since)
            self._beaten = moment
        if moment - self._told >= self.rhythm.tell_seconds:
            pace = since / max(1, position.step - self._saved[0])
            left = (self._total - position.step) * pace
            self.tell(Note("train", position.step, self._total, float(loss), position.best_score, left))
            self._told = moment

    def _validate(self) -> None:
        """Score the validation rows; keep the weights if the mean primary metric rose, else lose patience."""
        if not self.validates:
            return
        trained, position = self._trained, self._trained.position
        with self.measuring.phase("validate") as watch:
            found = {f"{asked.task}/{asked.language}": self._primary(asked, watch) for asked in self.validation}
        score = sum(found.values()) / len(found)
        self._note(found)
        if position.best_score is None or score > position.best_score:
            position.best_score, position.epochs_without_rise = score, 0
            trained.best = {name: p.detach().clone() for name, p in trained.parameters.items()}
        else:
            position.epochs_without_rise += 1
            position.out_of_patience = position.epochs_without_rise >= self.settings.patience
        self.tell(Note("validate", position.step, self._total, None, position.best_score))

    def _note(self, scores: Mapping[str, float]) -> None:
        """Put a point on the curve: what training has taken so far, and how good it is."""
        usage = self.measuring.usage
        point = Validation(
            step=self._trained.position.step,
            train_seconds=usage["train_seconds"],
            train_flops=usage["train_flops"],
            nominal_train_flops=self._nominal_flops(),
            scores=dict(scores),
        )
        self.measuring.curve.append(point)

    def _nominal_flops(self) -> float:
        tokens, weights = self.measuring.usage["train_tokens"], self.network.size()["non_embedding_parameters"]
        return nominal_flops(int(tokens), weights)

    @property
    def validates(self) -> bool:
        """Whether there is anything to be patient about."""
        return self.settings.patience > 0 and bool(self.validation)

    def _primary(self, asked: Questions, watch: Watch) -> float:
        said = answers(self.network, asked, self.padding, self.settings.batch_size, watch, lambda _: None)
        return asked.scores(said)[PRIMARY[asked.kind]]

    def _is_due(self, seconds: float) -> bool:
        return time.perf_counter() - self._saved[1] >= seconds

    def _save(self) -> None:
        """Write a checkpoint; what is done from here on is what a kill would lose."""
        start, measuring = time.perf_counter(), self.measuring
        trained = [(task, shape.sequences, shape.length, steps) for (task, shape), steps in measuring.trained.items()]
        curve = [point.model_dump() for point in measuring.curve]
        sums = Sums(measuring.usage, sorted(measuring.unavailable), trained, curve)
        write_checkpoint(self.folder / "checkpoint", self.job, self._trained, sums)
        self._saved = (self._trained.position.step, time.perf_counter())
        measuring.add("checkpoint_seconds", self._saved[1] - start)

    def _go_on_with(self, sums: Sums) -> None:
        """Take over what was measured before."""
        self.measuring.usage |= sums.usage
        self.measuring.unavailable |= set(sums.unavailable)
        for task, sequences, length, steps in sums.trained:
            self.measuring.trained[task, BatchShape(sequences, length)] = steps
        self.measuring.curve += [Validation.model_validate(point) for point in sums.curve]

    def _finish(self) -> bool | None:
        """Put the best weights in place and complete the usage; ExecutionError if the weights are not numbers."""
        trained, usage, size = self._trained, self.measuring.usage, self.network.size()
        with torch.no_grad():
            for name, tensor in trained.best.items():
                trained.parameters[name].copy_(tensor)
        if not all(torch.isfinite(p).all() for p in trained.parameters.values()):
            rate = self.settings.learning_rate
            raise ExecutionError(f"the training diverged at learning rate {rate:g}: weights are not finite; lower it")
        usage["nominal_train_flops"] = self._nominal_flops()
        usage["trainable_parameters"] = size["trainable_parameters"]
        usage["total_parameters"] = size["total_parameters"]
        if self._lost:
            usage["lost_seconds"] = self._lost
        return trained.position.out_of_patience if self.validates else None


def rate_share(step: int, total: int, warmup_share: float) -> float:
    """The share of the learning rate at a step (from 0): a straight line up over the warm-up, then one down to 0."""
    warm = round(total * warmup_share)
    return (step + 1) / (warm + 1) if step < warm else (total - step) / max(1, total - warm)


def _optimizer(network: Network, settings: TrainingSettings, device: torch.device) -> torch.optim.AdamW:
    """AdamW over what is trained; biases and layer norms do not decay, nor what orthogonal rows are made from.

    Of the last the signs on the diagonal are read as whole numbers: any decay makes them 0, and the rows with them.
    """
    decayed: list[Tensor] = []
    kept: list[Tensor] = []
    for name, parameter in network.trainable().items():
        plain = parameter.ndim < 2 or name.endswith("bias") or "norm" in name.lower() or ".parametrizations." in name
        (kept if plain else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [g for g in groups if g["params"]], lr=settings.learning_rate, fused=True if device.type == "cuda" else None
    )
