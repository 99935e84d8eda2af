"""A base model small enough to train in a second (two layers of 32, toy text), and toy tasks."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe, FusionRecipe, ModelRecipe
from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.data.examples import (
    Answer,
    ChoiceExample,
    PairExample,
    SpanExample,
    TaskKind,
    TextExample,
    TokensExample,
)
from adapeff_sim.execution.machine import Machine
from adapeff_sim.lifecycle.world import Endpoint
from adapeff_sim.training.jobs import BuildJob, EvaluateJob, TaskRows
from adapeff_sim.training.loop import Rhythm
from adapeff_sim.training.settings import TrainingSettings
from adapeff_sim.training.workbench import Workbench

COLOURS = ("red", "green", "blue")
FILLERS = ("the", "a", "my", "your", "this", "box", "house", "car", "tree", "is", "was", "here", "there", "big", "old")
NAMES = ("anna", "ben", "carl", "dora")
MACHINE = Machine(device="cpu", name="cpu", threads=1, precision="fp32")
SELDOM = Rhythm(checkpoint_seconds=1e9, checkpoint_seconds_at_epoch_end=1e9, tell_seconds=0, beat_seconds=1e9)
EAGER = Rhythm(checkpoint_seconds=0, checkpoint_seconds_at_epoch_end=0, tell_seconds=0, beat_seconds=0)


def words(draw: random.Random, count: int) -> list[str]:
    return [draw.choice(FILLERS) for _ in range(count)]


def text_rows(n, seed=1):
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        label = draw.choice(COLOURS)
        said = [*words(draw, draw.randrange(2, 9)), label]
        draw.shuffle(said)
        found.append(TextExample(text=" ".join(said), label=label))
    return tuple(found)


def pair_rows(n, seed=2):
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        same = draw.random() < 0.5
        one = COLOURS[0]
        other = one if same else draw.choice([c for c in COLOURS if c != one])
        found.append(
            PairExample(premise=f"it is {one}", hypothesis=f"the {other} car", label="same" if same else "other")
        )
    return tuple(found)


def tag_rows(n, seed=3):
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        tokens = words(draw, draw.randrange(2, 7))
        tags = ["O"] * len(tokens)
        place = draw.randrange(len(tokens) + 1)
        tokens[place:place], tags[place:place] = [draw.choice(NAMES), draw.choice(NAMES)], ["B-person", "I-person"]
        found.append(TokensExample(tokens=tuple(tokens), tags=tuple(tags)))
    return tuple(found)


def choice_rows(n, seed=4):
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        choices = [" ".join(words(draw, 3)) for _ in range(draw.choice((2, 3)))]
        label = draw.randrange(len(choices))
        choices[label] += " red"
        found.append(ChoiceExample(premise="what happened", question="cause", choices=tuple(choices), label=label))
    return tuple(found)


def span_rows(n, seed=5):
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        said = words(draw, draw.randrange(3, 30))
        said.insert(draw.randrange(len(said) + 1), draw.choice(NAMES))
        context = " ".join(said)
        name = next(w for w in said if w in NAMES)
        answer = Answer(text=name, answer_start=f" {context} ".index(f" {name} "))
        found.append(SpanExample(question="who was there", context=context, answers=(answer,)))
    return tuple(found)


ROWS = {
    "colour": (TaskKind.CLASSIFICATION, COLOURS, text_rows),
    "same": (TaskKind.PAIR, ("other", "same"), pair_rows),
    "names": (TaskKind.TAGGING, ("B-person", "I-person", "O"), tag_rows),
    "pick": (TaskKind.CHOICE, (), choice_rows),
    "who": (TaskKind.SPAN, (), span_rows),
}


def task(name, train=48, validation=0, replay=0) -> TaskRows:
    kind, labels, rows = ROWS[name]
    return TaskRows(
        name,
        kind,
        labels,
        {"en": rows(train)} if train else {},
        {"en": rows(replay)} if replay else {},
        {"en": rows(validation, seed=99)} if validation else {},
    )


def make_base(folder: Path, hidden: int = 32, seed: int = 0) -> Release:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=160, special_tokens=special, show_progress=False)
    text = [" ".join(words(random.Random(i), 8)) + " " + " ".join((*COLOURS, *NAMES)) for i in range(200)]
    tokenizer.train_from_iterator([*text, "what happened who was there cause it other same"], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        model_max_length=64,
        model_input_names=["input_ids", "attention_mask"],
    )
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    shape = XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * hidden,
        max_position_embeddings=66,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        initializer_range=0.1,
        hidden_dropout_prob=0.02,
        attention_probs_dropout_prob=0.02,
    )
    XLMRobertaModel(shape, add_pooling_layer=False).save_pretrained(folder, safe_serialization=True)
    return resolve(f"path:{folder}")


SETTINGS = TrainingSettings(epochs=2, patience=0, batch_size=16, learning_rate=3e-3, max_length=64)
BASE = Artifact("base_model", BaseModelRecipe(release="tiny"))


def dataset(name: str, rows: int = 48) -> Artifact:
    return Artifact(f"dataset/{name}/en", DatasetRecipe(task=name, language="en", rows=rows, source=""))


def adapter(name: str = "colour", method: str = "seq_bn") -> Artifact:
    return Artifact(
        f"adapter/{name}", AdapterRecipe(task=name, method=method), {Role.BASE: (BASE,), Role.TRAIN: (dataset(name),)}
    )


def fusion(name: str, *fused: Artifact) -> Artifact:
    inputs = {Role.BASE: (BASE,), Role.FUSED: fused, Role.TRAIN: (dataset(name),)}
    return Artifact(f"fusion/{name}", FusionRecipe(task=name), inputs)


def model(*names: str, start: Artifact = BASE, replay: float | None = None, replayed: tuple[str, ...] = ()) -> Artifact:
    new = tuple(dataset(n) for n in names if n not in replayed)
    inputs = {Role.START: (start,), Role.TRAIN: new, Role.REPLAY: tuple(dataset(n) for n in replayed)}
    return Artifact("model/multitask", ModelRecipe(tasks=names, replay=replay), inputs)


@dataclass
class Built:
    """What a test builds, and where it lies."""

    bench: Workbench
    release: Release
    folder: Path
    folders: dict[str, Path] = field(default_factory=dict)
    settings: TrainingSettings = SETTINGS

    def build(self, artifact, *tasks, settings=None, seed=7, name="", tell=lambda note: None, bench=None):
        job = BuildJob(artifact, self.release, dict(self.folders), tasks, settings or self.settings, seed)
        folder = self.folder / (name or artifact.fingerprint)
        outcome = (bench or self.bench).build(job, folder, tell)
        self.folders[artifact.fingerprint] = folder / "artifact"
        return outcome

    def evaluate(self, route, about: TaskRows, rows, release=None):
        job = EvaluateJob(
            route, release or self.release, self.folders, Endpoint(about.name, "en"), about, rows, self.settings
        )
        return self.bench.evaluate(job, self.folder / "evaluation", lambda note: None)
