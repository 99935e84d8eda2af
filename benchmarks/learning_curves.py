"""How much more rows of the helpdesk teach: accuracy on the test rows after 25 to 2,000 training rows.

    python benchmarks/learning_curves.py --out curves --minutes 40

First word counts with logistic regression (see word_counts.py), then adapters (seq_bn) and full fine-tuning of the
embedded base model through the project's own training code. Every point is one line of OUT/points.jsonl, so that a run
that ended, or ran out of --minutes, goes on where it stopped. The table goes to docs/measurements/learning_curves.md.
A training takes at least --steps steps and sees its rows at least --epochs times; there are no validation rows and no
early stopping, so that nothing but the training rows differs between the points of a curve.
"""

import argparse
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from kept import Kept
from word_counts import WordCounts

from adapeff_sim.base_models.release import resolve
from adapeff_sim.data.examples import AnyExample, ChoiceExample, TaskKind, content_digest, take
from adapeff_sim.data.helpdesk import Helpdesk, difficulty
from adapeff_sim.training.settings import LEARNING_RATES, METHOD_LEARNING_RATES

SIZES = (25, 50, 100, 250, 500, 1000, 2000)
COARSE_FIRST = (500, 2000, 100, 25, 1000, 250, 50)  # in which order they are trained: a run cut short has the outline
WORDS = "word counts"
METHODS = {"seq_bn": "seq_bn adapter", "model": "full fine-tuning"}
TASKS = ("intent", "sentiment", "duplicate", "answer_choice")
REPORT = Path(__file__).parent.parent / "docs" / "measurements" / "learning_curves.md"
BATCH = 16


class Curve(NamedTuple):
    """What one point belongs to, apart from its size."""

    task: str
    language: str
    learner: str
    seed: int


class Points:
    """The points measured so far under the same conditions; rows that changed make new points."""

    def __init__(self, folder: Path, source: Helpdesk, options: argparse.Namespace) -> None:
        self.kept, self.source, self.options = Kept(folder / "points.jsonl"), source, options
        self.digests: dict[tuple[str, str], str] = {}
        both = [*self.kept.under({}), *self.kept.under(self.conditions(METHODS["model"]))]
        found = [p for p in both if p["digest"] == self.digest(*p["curve"][:2])]
        self.known = {(Curve(*p["curve"]), p["rows"]): p for p in found}

    def conditions(self, learner: str) -> dict[str, object]:
        """What else than its rows decides a point: nothing for word counts."""
        if learner == WORDS:
            return {}
        names = ("device", "threads", "precision", "steps", "epochs")
        rates = {"learning_rates": LEARNING_RATES | METHOD_LEARNING_RATES}
        return {"base": resolve(self.options.base).digest, **rates, **{x: getattr(self.options, x) for x in names}}

    def digest(self, task: str, language: str) -> str:
        """The content of an endpoint's training and test rows."""
        if (task, language) not in self.digests:
            both = (content_digest(self.source.examples(task, language, split)) for split in ("train", "test"))
            self.digests[task, language] = "".join(part[:8] for part in both)
        return self.digests[task, language]

    def measure(self, curve: Curve, rows: int, score: Callable[[Any, Any], dict[str, Any]]) -> None:
        """Measure a point unless it is known, and keep it."""
        if (curve, rows) in self.known:
            return
        task, language, learner, seed = curve
        train = take(self.source.examples(task, language, "train"), rows, seed, task, language)
        found = score(train, self.source.examples(task, language, "test"))
        point = {"curve": curve, "rows": rows, "digest": self.digest(task, language), **found}
        self.kept.add(self.conditions(learner), point)
        self.known[curve, rows] = point
        print(*curve, rows, f"{found['accuracy']:.3f}", f"{found.get('seconds', 0):.0f} s", flush=True)


def word_counts(language: str) -> Callable[[Any, Any], dict[str, Any]]:
    """The accuracy of word counts, in all and by difficulty."""

    def score(train: tuple[AnyExample, ...], test: tuple[AnyExample, ...]) -> dict[str, Any]:
        fitted, levels = WordCounts(train, language), [difficulty(row.id) for row in test]
        by = {
            level: fitted.accuracy([row for row, x in zip(test, levels, strict=True) if x == level])
            for level in sorted(set(levels))
        }
        return {"accuracy": fitted.accuracy(test), "by_difficulty": by}

    return score


class Trainer:
    """Trains and scores one artifact of the embedded base model; torch is loaded only here."""

    def __init__(self, options: argparse.Namespace, source: Helpdesk) -> None:
        from adapeff_sim.artifacts.artifact import Artifact
        from adapeff_sim.artifacts.recipe import BaseModelRecipe
        from adapeff_sim.execution.machine import Machine
        from adapeff_sim.training.workbench import Workbench

        self.options, self.source, self.release = options, source, resolve(options.base)
        self.bench = Workbench(Machine(options.device, options.device, options.threads, options.precision))
        self.base = Artifact("base_model", BaseModelRecipe(release=options.base))

    def score(self, curve: Curve, method: str) -> Callable[[Any, Any], dict[str, Any]]:
        """Train on the rows of one point and score on the test rows."""

        def run(train: tuple[AnyExample, ...], test: tuple[AnyExample, ...]) -> dict[str, Any]:
            with tempfile.TemporaryDirectory() as folder:
                return self._run(curve, method, train, test, Path(folder))

        return run

    def _run(
        self, curve: Curve, method: str, train: tuple[AnyExample, ...], test: tuple[AnyExample, ...], folder: Path
    ) -> dict[str, Any]:
        from adapeff_sim.artifacts.artifact import Artifact, Role
        from adapeff_sim.artifacts.recipe import AdapterRecipe, DatasetRecipe, ModelRecipe
        from adapeff_sim.lifecycle.world import Endpoint
        from adapeff_sim.training.jobs import BuildJob, EvaluateJob, TaskRows
        from adapeff_sim.training.settings import TrainingSettings, default_learning_rate

        task, language, _, seed = curve
        data = Artifact("dataset", DatasetRecipe(task=task, language=language, rows=len(train), source=""))
        if method == "model":
            inputs = {Role.START: (self.base,), Role.TRAIN: (data,)}
            artifact = Artifact("model", ModelRecipe(tasks=(task,)), inputs)
            route: tuple[Artifact, ...] = (artifact,)
        else:
            inputs = {Role.BASE: (self.base,), Role.TRAIN: (data,)}
            artifact = Artifact("adapter", AdapterRecipe(task=task, method=method), inputs)
            route = (self.base, artifact)
        epochs = max(self.options.epochs, math.ceil(self.options.steps / math.ceil(len(train) / BATCH)))
        settings = TrainingSettings(
            epochs=epochs,
            patience=0,
            batch_size=BATCH,
            max_length=96,
            validation_rows=0,
            learning_rate=default_learning_rate(artifact),
        )
        rows = TaskRows(task, self.source.tasks()[task], self.source.labels(task), {language: train})
        start = time.perf_counter()
        job = BuildJob(artifact, self.release, {}, (rows,), settings, seed)
        built = self.bench.build(job, folder / "built", _silent)
        asked = EvaluateJob(
            route,
            self.release,
            {artifact.fingerprint: folder / "built" / "artifact"},
            Endpoint(task, language),
            rows,
            test,
            settings,
        )
        scores = self.bench.evaluate(asked, folder / "scored", _silent).scores or {}
        took = time.perf_counter() - start
        return {"accuracy": scores["accuracy"], "steps": built.usage["train_steps"], "seconds": took}


def _silent(note: object) -> None:
    """Nobody watches a single training."""


def chance(source: Helpdesk, task: str) -> float:
    """The accuracy of guessing: one over the labels, or the mean of one over each row's choices."""
    if source.tasks()[task] is not TaskKind.CHOICE:
        return 1 / len(source.labels(task))
    rows = source.examples(task, "en", "test")
    return statistics.fmean(1 / len(row.choices) for row in rows if isinstance(row, ChoiceExample))


def report(points: Points, options: argparse.Namespace) -> Iterator[str]:
    """The tables, in points (hundredths)."""
    curves = {curve: None for curve, _ in points.known}
    trained = [p for (curve, _), p in points.known.items() if curve.learner != WORDS]
    yield "# Learning curves"
    yield ""
    yield "Accuracy in points on 300 test rows of the helpdesk, by number of training rows"
    yield f"(`benchmarks/learning_curves.py`, {datetime.now(UTC).date()}). Base model {options.base} on"
    yield f"{options.device} in {options.precision}, threads: {options.threads}; batches of {BATCH}, at least"
    yield f"{options.steps} steps and {options.epochs} epochs, default learning rates, no early stopping. An empty cell"
    yield "was not measured. The standard error of a cell is up to 2.9 points; a curve has one set of test rows;"
    yield "a number in brackets: so many seeds only."
    if trained:
        minutes = sum(p["seconds"] for p in trained) / 60
        yield f"The {len(trained)} trainings took {minutes:.0f} minutes of wall-clock time."
    yield ""
    yield f"| task | language | chance | learner | seeds | {' | '.join(f'{size:,}' for size in SIZES)} |"
    yield f"|---|---|---|---|---|{'---|' * len(SIZES)}"
    for task, language, learner in dict.fromkeys(curve[:3] for curve in sorted(curves)):
        seeds = [curve.seed for curve in curves if curve[:3] == (task, language, learner)]
        cells = []
        for size in SIZES:
            known = [(Curve(task, language, learner, seed), size) for seed in seeds]
            found = [points.known[each]["accuracy"] for each in known if each in points.known]
            fewer = f" ({len(found)})" if len(found) < len(seeds) else ""
            cells.append(f"{100 * statistics.fmean(found):.1f}{fewer}" if found else "")
        at = f"{100 * chance(points.source, task):.1f}"
        yield f"| {task} | {language} | {at} | {learner} | {len(seeds)} | {' | '.join(cells)} |"
    yield ""
    yield "## Word counts by difficulty, after the largest number of rows"
    yield ""
    yield "| task | language | easy | hard | mixed |"
    yield "|---|---|---|---|---|"
    largest = [(c, p) for (c, size), p in points.known.items() if c.learner == WORDS and size == SIZES[-1]]
    for task, language in dict.fromkeys(curve[:2] for curve, _ in sorted(largest, key=lambda each: each[0])):
        by = [p["by_difficulty"] for curve, p in largest if curve[:2] == (task, language)]
        means = {x: statistics.fmean(each[x] for each in by) for x in by[0]}
        cells = (f"{100 * means[x]:.1f}" if x in means else "" for x in ("easy", "hard", "mixed"))
        yield f"| {task} | {language} | {' | '.join(cells)} |"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder of the points")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--languages", nargs="+", default=["en", "sw", "zh"])
    parser.add_argument("--trained-tasks", nargs="*", default=["intent", "sentiment"], choices=TASKS)
    parser.add_argument("--trained-languages", nargs="*", default=["en"])
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[13, 42, 87], help="of the word counts")
    parser.add_argument("--trained-seeds", nargs="+", type=int, default=[13])
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no training after so long")
    parser.add_argument("--base", default="adapeff-mini:v1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    return parser.parse_args()


def main() -> None:
    options, start = parse(), time.monotonic()
    source = Helpdesk({"size": {"train": SIZES[-1]}})
    points = Points(options.out, source, options)

    def write() -> None:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text("\n".join(report(points, options)) + "\n", encoding="utf-8")

    for task, language, seed, size in itertools.product(options.tasks, options.languages, options.seeds, SIZES):
        points.measure(Curve(task, language, WORDS, seed), size, word_counts(language))
    write()
    trainer = Trainer(options, source) if options.trained_tasks and options.methods else None
    for seed, size in itertools.product(options.trained_seeds, COARSE_FIRST):
        for task, language, method in itertools.product(
            options.trained_tasks, options.trained_languages, options.methods
        ):
            if trainer and time.monotonic() - start < 60 * options.minutes:
                curve = Curve(task, language, METHODS[method], seed)
                points.measure(curve, size, trainer.score(curve, method))
                write()
    print("\n".join(report(points, options)))


if __name__ == "__main__":
    main()
