"""Short real trainings of many shapes, timed part by part, and batches that are only answered: what rates rest on.

Networks have random weights and rows random pieces, since neither decides how long a step takes. Every training goes
through the one loop and its clock. All shapes take turns again and again until the time is up; what counts of each is
the median over its turns, so that a moment in which others were at work on the machine does not.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import AutoModel, XLMRobertaConfig

from adapeff_sim.base_models.release import Release
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.estimation.calibration import PARTS, Part, Point, Rates, answering_amounts, training_amounts
from adapeff_sim.estimation.encoder import EncoderShape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, Trained
from adapeff_sim.training import heads
from adapeff_sim.training.backbone import Backbone, quieten
from adapeff_sim.training.batches import BatchShape, Padding
from adapeff_sim.training.encode import Item, Reader
from adapeff_sim.training.flop_count import FlopCount
from adapeff_sim.training.loop import Rhythm, Training
from adapeff_sim.training.meters.base import Measuring, Precision
from adapeff_sim.training.network import Setup
from adapeff_sim.training.serve import IDLE, TASK, time_requests
from adapeff_sim.training.settings import TrainingSettings

CLASSES = 5
HEAD = HeadShape(per_sequence=True, outputs=CLASSES)
FEWEST_STEPS, MOST_STEPS = 4, 400
TURN_SECONDS = 0.6  # of one shape, about
IDLE_TURNS, IDLE_LENGTH = 5, 24  # pieces
RAGGED = 4  # rows are up to so many pieces shorter; less than what lengths are padded to a multiple of
SEED = 13
SELDOM = Rhythm(checkpoint_seconds=1e9, checkpoint_seconds_at_epoch_end=1e9, tell_seconds=1e9, beat_seconds=1e9)

TINY = EncoderShape(layers=2, hidden=128, inner=512, heads=2, vocabulary=8000, positions=514, types=1)
NARROW = EncoderShape(layers=4, hidden=192, inner=768, heads=3, vocabulary=12000, positions=514, types=1)
SMALL = EncoderShape(layers=4, hidden=256, inner=1024, heads=4, vocabulary=16000, positions=514, types=1)
MIDDLE = EncoderShape(layers=6, hidden=384, inner=1536, heads=12, vocabulary=32000, positions=514, types=1)
WIDE = EncoderShape(layers=3, hidden=768, inner=3072, heads=12, vocabulary=8000, positions=514, types=1)
BASE = EncoderShape(layers=12, hidden=768, inner=3072, heads=12, vocabulary=250002, positions=514, types=1)
LARGE = EncoderShape(layers=24, hidden=1024, inner=4096, heads=16, vocabulary=250002, positions=514, types=1)

Tell = Callable[[float, str], None]  # the share that is done, and what is timed


@dataclass(frozen=True, slots=True)
class Trial:
    """A network and a batch to time; one that is held out is predicted and not fitted to."""

    name: str
    network: NetworkShape
    sequences: int
    length: int
    is_held_out: bool = False


@dataclass(slots=True)
class Timing:
    """What the turns of a trial took, in seconds of one step, by part."""

    trial: Trial
    turns: list[dict[Part, float]] = field(default_factory=list)
    step_seconds: float = 0.0  # about; 0 before the first turn

    def points(self) -> Iterator[Point]:
        """A point for each part: the median over the turns."""
        trial = self.trial
        if not self.turns:
            return
        for part in self.turns[0]:
            yield Point(
                name=trial.name,
                part=part,
                amounts=_amounts(trial, part),
                measured_seconds=max(1e-9, statistics.median(turn[part] for turn in self.turns)),
                repeats=len(self.turns),
                is_held_out=trial.is_held_out,
            )


def _amounts(trial: Trial, part: Part) -> Rates:
    if part == "answering":
        return answering_amounts(trial.network, HEAD, trial.sequences, trial.length)
    return training_amounts(trial.network, HEAD, trial.sequences, trial.length)[part]


def trials(device: str) -> list[Trial]:
    """What is timed on a device: small shapes everywhere, large ones where they do not take minutes."""
    shapes = {"tiny": TINY, "small": SMALL, "middle": MIDDLE, "wide": WIDE, "narrow": NARROW}
    fitted = list(FITTED)
    if device == "cuda":
        shapes |= {"base": BASE, "large": LARGE}
        fitted += FITTED_WIDELY
    return [
        Trial(f"{size} {how} {sequences}x{length}", NetworkShape(shapes[size], *HOW[how]), sequences, length, held)
        for rows, held in ((fitted, False), (HELD_OUT, True))
        for size, how, sequences, length in rows
    ]


HOW: dict[str, tuple[tuple[str, ...], bool, Trained]] = {
    "full": ((), False, "model"),
    "head": ((), False, "head"),
    "seq_bn": (("seq_bn",), False, "adapter"),
    "double_seq_bn": (("double_seq_bn",), False, "adapter"),
    "lora": (("lora",), False, "adapter"),
    "fuse 2": (("seq_bn",) * 2, True, "fusion"),
    "fuse 3": (("seq_bn",) * 3, True, "fusion"),
    "bare answers": ((), False, "nothing"),
    "seq_bn answers": (("seq_bn",), False, "nothing"),
    "fuse 2 answers": (("seq_bn",) * 2, True, "nothing"),
    "fuse 3 answers": (("seq_bn",) * 3, True, "nothing"),
}
FITTED = [
    ("tiny", "full", 8, 16),
    ("tiny", "seq_bn", 32, 32),
    ("tiny", "fuse 3", 32, 16),
    ("small", "full", 32, 16),
    ("small", "full", 32, 48),
    ("small", "full", 8, 32),
    ("small", "seq_bn", 32, 16),
    ("small", "seq_bn", 32, 48),
    ("small", "seq_bn", 8, 32),
    ("small", "fuse 2", 32, 32),
    ("small", "fuse 3", 8, 16),
    ("small", "lora", 32, 32),
    ("small", "head", 32, 32),
    ("middle", "full", 16, 32),
    ("middle", "seq_bn", 32, 32),
    ("middle", "fuse 3", 16, 24),
    ("wide", "full", 8, 32),
    ("wide", "seq_bn", 16, 32),
    ("tiny", "bare answers", 1, 16),
    ("tiny", "fuse 3 answers", 16, 16),
    ("small", "bare answers", 1, 16),
    ("small", "bare answers", 32, 32),
    ("small", "seq_bn answers", 1, 32),
    ("small", "seq_bn answers", 8, 16),
    ("small", "fuse 3 answers", 1, 16),
    ("small", "fuse 3 answers", 32, 16),
    ("middle", "seq_bn answers", 4, 32),
    ("wide", "bare answers", 2, 32),
    ("wide", "seq_bn answers", 16, 32),
]
FITTED_WIDELY = [
    ("base", "full", 32, 64),
    ("base", "seq_bn", 32, 64),
    ("base", "fuse 3", 32, 64),
    ("large", "full", 16, 64),
    ("large", "seq_bn", 32, 128),
    ("base", "seq_bn answers", 8, 64),
    ("large", "bare answers", 32, 64),
]
HELD_OUT = [
    ("small", "full", 32, 24),
    ("small", "seq_bn", 32, 24),
    ("small", "fuse 2", 16, 24),
    ("narrow", "full", 32, 32),
    ("narrow", "double_seq_bn", 32, 32),
    ("middle", "lora", 16, 40),
    ("small", "bare answers", 4, 24),
    ("small", "seq_bn answers", 16, 24),
    ("narrow", "fuse 2 answers", 2, 32),
]


@dataclass(slots=True)
class Bench:
    """Where trials are timed: one device, its precision, and the networks that were made so far."""

    device: torch.device
    precision: Precision
    _backbones: dict[EncoderShape, Backbone] = field(default_factory=dict, init=False)
    _counter: FlopCount = field(default_factory=FlopCount, init=False)

    def turn(self, timing: Timing, limit_seconds: float) -> None:
        """Time one trial for about so long; its first turn warms up and is not kept."""
        trial = timing.trial
        if trial.network.trained == "nothing":
            timing.turns.append({"answering": self._answered(trial, limit_seconds)})
            return
        pace = timing.step_seconds
        steps = min(MOST_STEPS, max(FEWEST_STEPS, round(limit_seconds / pace))) if pace else FEWEST_STEPS
        found = self._trained(trial, steps)
        timing.step_seconds = sum(found.values())
        if pace:
            timing.turns.append(found)

    def _trained(self, trial: Trial, steps: int) -> dict[Part, float]:
        """Seconds of one step by part; what is in none of them belongs to the loop, and is counted to ``data``."""
        backbone, setup = self.backbone(trial.network.encoder), _setup(trial.network)
        measuring = Measuring(self.device, self.precision, backbone, setup, self._counter)
        with tempfile.TemporaryDirectory() as folder:
            Training(
                network=backbone.network(setup, SEED).to(self.device),
                items={TASK: _items(trial, steps)},
                validation=(),
                settings=TrainingSettings(epochs=1, patience=0, batch_size=trial.sequences, learning_rate=1e-5),
                seed=SEED,
                padding=backbone.padding,
                measuring=measuring,
                folder=Path(folder),
                job=TASK,
                tell=lambda _: None,
                rhythm=SELDOM,
            ).run()
        taken = {part: measuring.usage[f"train_{part}_seconds"] / steps for part in PARTS}
        rest = measuring.usage["train_seconds"] / steps - sum(taken.values())
        return {**taken, "data": taken["data"] + max(0.0, rest)}

    def _answered(self, trial: Trial, limit_seconds: float) -> float:
        backbone = self.backbone(trial.network.encoder)
        network = backbone.network(_setup(trial.network), SEED).to(self.device)
        one = BatchShape(1, trial.length)
        return time_requests(network, one, trial.sequences, False, self.precision, limit_seconds).seconds

    def backbone(self, shape: EncoderShape) -> Backbone:
        """Random weights of a shape, made once."""
        if shape not in self._backbones:
            self._backbones[shape] = random_backbone(shape)
        return self._backbones[shape]


def measure(device: str, precision: Precision, threads: int, seconds: float, tell: Tell) -> list[Point]:
    """Time every trial in turns until ``seconds`` are over, each at least once; the points by trial and part."""
    torch.set_num_threads(threads)
    bench, timings = Bench(torch.device(device), precision), [Timing(trial) for trial in trials(device)]
    begun = time.perf_counter()
    order, turn_seconds = random.Random(SEED), min(TURN_SECONDS, seconds / len(timings) / 3)
    while not all(timing.turns for timing in timings) or time.perf_counter() - begun < seconds:
        order.shuffle(timings)  # so that what disturbs now and then does not always disturb the same ones
        for timing in timings:
            past = time.perf_counter() - begun
            if past > seconds and timing.turns:
                continue
            tell(min(1.0, past / seconds), timing.trial.name)
            bench.turn(timing, turn_seconds)
    return [point for timing in sorted(timings, key=lambda t: t.trial.name) for point in timing.points()]


def after_idle(device: str, precision: Precision) -> float:
    """How many times as long a request takes after idling as one of many in a row: the middle of a few turns."""
    bench, one = Bench(torch.device(device), precision), BatchShape(1, IDLE_LENGTH)
    backbone = bench.backbone(SMALL)
    network = backbone.network(_setup(NetworkShape(SMALL)), SEED).to(bench.device)
    found = []
    for _ in range(IDLE_TURNS):
        hot, cold = (time_requests(network, one, 1, False, precision, TURN_SECONDS, idle) for idle in (0.0, IDLE))
        found.append(cold.seconds / hot.seconds)
    return max(1.0, statistics.median(found))


def random_backbone(shape: EncoderShape) -> Backbone:
    """An encoder of a shape with random weights, which no tokenizer belongs to."""
    quieten()
    config = XLMRobertaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        pad_token_id=1,
    )
    torch.manual_seed(SEED)
    encoder = AutoModel.from_config(config)
    encoder.pooler = None
    size = f"{shape.layers}x{shape.hidden}x{shape.inner}, {shape.heads} heads, {shape.vocabulary} pieces"
    release = Release(
        spec=f"random: {size}",
        folder=Path(),
        revision=None,
        digest=size,
        architecture=size,
        stored_bytes=0,
        hidden_size=shape.hidden,
        layers=shape.layers,
        parameters=encoder.num_parameters(),
        encoder="xlm-roberta",
        longest=shape.positions - 2,
        inner_size=shape.inner,
    )
    return Backbone(release, encoder, Reader(None, release.longest, None), Padding(1, release.longest, False))


def _setup(network: NetworkShape) -> Setup:
    head = heads.HeadShape(TaskKind.CLASSIFICATION, CLASSES)
    return Setup(((TASK, head),), network.adapters, network.fused, network.trained)


def _items(trial: Trial, steps: int) -> list[Item]:
    """Rows of random pieces, as many as the steps take; of unequal length, so that there is padding to be masked."""
    draw, vocabulary = random.Random(SEED), trial.network.encoder.vocabulary
    return [
        Item(i, (draw.choices(range(5, vocabulary), k=trial.length - i % RAGGED),), (), (i % CLASSES,))
        for i in range(steps * trial.sequences)
    ]
