"""What a base model is worth on real rows, beside the same architecture with random weights and what needs no model.

    python benchmarks/base_model.py --data FOLDER --quick
    python benchmarks/base_model.py --data FOLDER --minutes 120     # give the same command again: it goes on

FOLDER holds ``<task>/<language>/{train,validation,test}.jsonl``; without ``--data`` it is what ADAPEFF_REAL_DATA names.

For every task, language and seed, full fine-tuning and seq_bn are trained on the base model and on random weights of
its shape, at the learning rates that runs use; the commonest answer and TF-IDF with logistic regression stand beside
them. Topic and ner trained in English are scored in the other languages too. Results are kept one by one in ``--out``.
"""

import argparse
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch
from base_model_table import BASES, WAYS, ZERO_SHOT_LANGUAGES, ZERO_SHOT_TASKS, Cell, Found, Table, told
from kept import Kept
from transformers import AutoConfig, AutoModel

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe, ModelRecipe
from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.data.examples import Split, content_digest, take
from adapeff_sim.data.files import Files
from adapeff_sim.execution.machine import Machine, this_machine
from adapeff_sim.lifecycle.world import Endpoint
from adapeff_sim.training.jobs import BuildJob, EvaluateJob, TaskRows
from adapeff_sim.training.settings import TrainingSettings, default_learning_rate
from adapeff_sim.training.workbench import Workbench

TASKS = ("topic", "ner", "sentiment", "nli", "paraphrase")
LANGUAGES = ("en", "sw", "de", "hi", "zh")
SEEDS = (13, 14, 15)
BATCH_SIZE = 16
RANDOM_SEED = 1  # of the random weights, the same ones for every training


def main() -> None:
    """Do what is left of the table, keep each result, print the table."""
    asked = _parse()
    source = Files(asked.data)
    machine = this_machine(asked.device, asked.precision, asked.threads)
    kept, conditions = Kept(asked.out), _conditions(asked, machine)
    known = {}
    for row in kept.under(conditions):
        cell, content = Cell(**row.pop("cell")), row.pop("content")
        if content == _content(source, cell):
            known[cell] = Found(cell, **row)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(asked, source, machine, Path(scratch))
        end = time.monotonic() + 60 * asked.minutes
        for cell in _cells(asked, source):
            if cell in known:
                continue
            if time.monotonic() > end:
                print("time is over; the same command goes on")
                break
            known[cell] = trainer.train(cell)
            kept.add(conditions, {**asdict(known[cell]), "content": _content(source, cell)})
            print(told(known[cell]), flush=True)
    table = Table(source, asked.tasks, asked.languages, asked.rows, asked.seeds[0])
    text = "\n".join([*_head(asked, machine), "", *table.lines(known)]) + "\n"
    print(text)
    if asked.report:
        asked.report.write_text(text, encoding="utf-8")


def _cells(asked: argparse.Namespace, source: Files) -> Iterator[Cell]:
    """Every training that is wanted, the most telling first."""
    for seed, task, language in itertools.product(asked.seeds, asked.tasks, asked.languages):
        if task in source.tasks() and _has(source, task, language, "train"):
            for base, way in itertools.product(BASES, WAYS):
                yield Cell(task, language, way, base, seed)


def _has(source: Files, task: str, language: str, split: Split) -> bool:
    return (source.folder / task / language / f"{split}.jsonl").is_file()


class Trainer:
    """Trains and scores one cell after the other with the program's own workbench."""

    def __init__(self, asked: argparse.Namespace, source: Files, machine: Machine, scratch: Path) -> None:
        self.asked, self.source, self.scratch = asked, source, scratch
        self.bench = Workbench(machine)
        release = resolve(asked.base)
        self.releases = {"pretrained": release, "random": _random_twin(release, scratch / "random")}

    def train(self, cell: Cell) -> Found:
        """Train a cell, and score it on its own test rows and, from English, on those of other languages."""
        release, rows = self.releases[cell.base], self._rows(cell)
        artifact = _artifact(cell, release)
        settings = _settings(self.asked, artifact)
        folder = self.scratch / "job"
        shutil.rmtree(folder, ignore_errors=True)
        job = BuildJob(artifact, release, {}, (rows,), settings, cell.seed)
        outcome = self.bench.build(job, folder, lambda _: None)
        usage = outcome.usage
        found = {}
        for language in self._scored(cell):
            test = self.source.examples(cell.task, language, "test")
            asked = EvaluateJob(
                route=(*artifact.by(Role.BASE), artifact),
                release=release,
                inputs={artifact.fingerprint: folder / "artifact"},
                endpoint=Endpoint(cell.task, language),
                task=rows,
                rows=test,
                settings=settings,
            )
            said = self.bench.evaluate(asked, self.scratch / "scored", lambda _: None)
            found[language] = said.scores[str(said.primary)]
        return Found(cell, found, int(usage["train_steps"]), usage["train_seconds"], bool(outcome.converged))

    def _rows(self, cell: Cell) -> TaskRows:
        kind, labels = self.source.tasks()[cell.task], self.source.labels(cell.task)
        train = self.source.examples(cell.task, cell.language, "train")
        validation = self.source.examples(cell.task, cell.language, "validation")
        limit = self.asked.validation_rows
        return TaskRows(
            name=cell.task,
            kind=kind,
            labels=labels,
            train={cell.language: take(train, self.asked.rows, cell.seed, cell.task, cell.language)},
            validation={cell.language: take(validation, limit, cell.seed, "validation", cell.task, cell.language)},
        )

    def _scored(self, cell: Cell) -> list[str]:
        others = ZERO_SHOT_LANGUAGES if cell.task in ZERO_SHOT_TASKS and cell.language == "en" else ()
        return [cell.language, *(x for x in others if _has(self.source, cell.task, x, "test"))]


def _random_twin(release: Release, folder: Path) -> Release:
    """A base model of the same shape and tokenizer whose weights are as they are before pre-training."""
    torch.manual_seed(RANDOM_SEED)
    AutoModel.from_config(AutoConfig.from_pretrained(release.folder)).save_pretrained(folder)
    for path in release.folder.glob("*token*.json"):
        shutil.copy(path, folder)
    return resolve(f"path:{folder}")


def _artifact(cell: Cell, release: Release) -> Artifact:
    base = Artifact("base_model", BaseModelRecipe(release=release.spec))
    rows = Artifact(
        f"dataset/{cell.task}/{cell.language}",
        DatasetRecipe(task=cell.task, language=cell.language, rows=1, source=""),
    )
    if cell.way == "full":
        return Artifact("model", ModelRecipe(tasks=(cell.task,)), {Role.START: (base,), Role.TRAIN: (rows,)})
    recipe = AdapterRecipe(task=cell.task, method=cell.way)
    return Artifact(f"adapter/{cell.task}", recipe, {Role.BASE: (base,), Role.TRAIN: (rows,)})


def _settings(asked: argparse.Namespace, artifact: Artifact) -> TrainingSettings:
    return TrainingSettings(
        epochs=asked.epochs,
        max_steps=asked.max_steps,
        patience=asked.patience,
        batch_size=BATCH_SIZE,
        max_length=96,
        learning_rate=default_learning_rate(artifact),
    )


def _conditions(asked: argparse.Namespace, machine: Machine) -> dict[str, object]:
    """What results must have in common to stand in one table, besides their rows."""
    names = ("rows", "validation_rows", "epochs", "max_steps", "patience")
    release = resolve(asked.base)
    rates = {way: default_learning_rate(_artifact(Cell("", "", way, "", 0), release)) for way in WAYS}
    device = {"device": machine.name, "threads": machine.threads, "precision": machine.precision}
    return {"base": release.digest, "learning_rates": rates, **device, **{name: getattr(asked, name) for name in names}}


def _content(source: Files, cell: Cell) -> str:
    """The digest of an endpoint's rows."""
    splits: tuple[Split, ...] = ("train", "validation", "test")
    return "-".join(content_digest(source.examples(cell.task, cell.language, split)) for split in splits)


def _head(asked: argparse.Namespace, machine: Machine) -> Iterator[str]:
    """What was done, so that it can be done again."""
    release = resolve(asked.base)
    yield f"# What {asked.base} is worth on real rows"
    yield ""
    yield f"Made by `benchmarks/base_model.py` on {datetime.now(UTC):%Y-%m-%d}; digest {release.digest[:16]};"
    yield f"{machine.name}, {machine.threads} thread(s), {machine.precision}. At most {asked.rows} training rows,"
    yield f"{asked.epochs} epochs and {asked.max_steps} steps of batch {BATCH_SIZE}, patience {asked.patience} epochs"
    yield f"on {asked.validation_rows} validation rows, learning rates as in runs. Accuracy, or entity F1 for ner, on"
    yield "all test rows in points: mean ± standard deviation over seeds, their number in brackets; one seed has no"
    yield "spread. `random` is the same architecture with untrained weights."


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("ADAPEFF_REAL_DATA"), help="folder of labelled rows"
    )
    parser.add_argument(
        "--quick", action="store_true", help="topic and ner in en and sw, 300 rows, 150 steps, one seed"
    )
    parser.add_argument("--base", default="adapeff-mini:v1")
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--rows", type=int, default=600, help="training rows at most")
    parser.add_argument("--validation-rows", type=int, default=150)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--max-steps", type=int, default=400)
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=1e9, help="start no training after so many minutes")
    parser.add_argument("--out", type=Path, default=Path("build/base_model.jsonl"), help="where results are kept")
    parser.add_argument("--report", type=Path, help="a Markdown file for the table")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("no rows to train on: give --data FOLDER, or set ADAPEFF_REAL_DATA")
    if asked.quick:
        asked.tasks, asked.languages, asked.seeds = ("topic", "ner"), ("en", "sw"), SEEDS[:1]
        asked.rows, asked.max_steps, asked.validation_rows = 300, 150, 100
    return asked


if __name__ == "__main__":
    main()
