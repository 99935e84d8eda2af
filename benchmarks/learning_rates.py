"""Which learning rate each kind of artifact and each adapter method wants: a small search, on validation rows only.

    python benchmarks/learning_rates.py                            # give the same command again: it goes on
    python benchmarks/learning_rates.py --methods lora ia3 --seeds 13

From a middle rate the search climbs: as long as the best rate lies at an edge of what was tried, the next one beyond
it is tried too, so nobody's best lies outside. A rate is trained on every task with every seed, with the same rows and
cap on steps as any other rate; what counts is the mean of the best validation scores (of equals the lower rate). Test
rows are never looked at. Every training is kept in --out; the table goes to docs/measurements/learning_rates.md.
"""

import argparse
import itertools
import shutil
import statistics
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from kept import Kept

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.methods import METHODS
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe, FusionRecipe, ModelRecipe
from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.examples import content_digest, take
from adapeff_sim.execution.machine import Machine
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.training.jobs import BuildJob, Note, TaskRows
from adapeff_sim.training.settings import TrainingSettings
from adapeff_sim.training.workbench import Workbench

GRID = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
FIRST = {"model": 3e-4, "fusion": 1e-3}  # where a climb begins; adapters at 3e-3
FUSED = "seq_bn"  # what lies under a fusion
REPORT = Path(__file__).parent.parent / "docs" / "measurements" / "learning_rates.md"


@dataclass(frozen=True)
class Tried:
    """One training of the search: the best score on validation rows, 0 to 1, and when it was reached."""

    name: str
    rate: float
    task: str
    seed: int
    score: float
    steps: int
    seconds: float


class Search:
    """Trains one kind of artifact at one rate after the other, on the same rows."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.release: Release = resolve(options.base)
        self.bench = Workbench(Machine(options.device, options.device, options.threads, options.precision))
        self.source = SOURCES.get("helpdesk")()
        self.base = Artifact("base_model", BaseModelRecipe(release=options.base))
        self.kept = Kept(options.out)
        self.tried = [Tried(**row) for row in self.kept.under(self.conditions())]

    def conditions(self) -> dict[str, object]:
        """What trainings must have in common to stand in one table."""
        names = ("languages", "rows", "epochs", "max_steps", "patience", "batch_size", "threads", "device", "precision")
        said = {name: getattr(self.options, name) for name in names}
        rows = [row for task in self.options.tasks for rows in self.rows(task, 13).train.values() for row in rows]
        return {"base": self.release.digest, "rows_digest": content_digest(rows), **said}

    def rows(self, task: str, seed: int) -> TaskRows:
        kind, labels = self.source.tasks()[task], self.source.labels(task)
        train, validation = {}, {}
        for language in self.options.languages:
            seen = self.source.examples(task, language, "train")
            train[language] = take(seen, self.options.rows, seed, task, language)
            validation[language] = self.source.examples(task, language, "validation")
        return TaskRows(task, kind, labels, train, {}, validation)

    def datasets(self, task: str) -> tuple[Artifact, ...]:
        found = (
            DatasetRecipe(task=task, language=x, rows=self.options.rows, source="") for x in self.options.languages
        )
        return tuple(Artifact(f"dataset/{task}/{recipe.language}", recipe) for recipe in found)

    def adapter(self, method: str, task: str) -> Artifact:
        inputs = {Role.BASE: (self.base,), Role.TRAIN: self.datasets(task)}
        return Artifact(f"adapter/{task}", AdapterRecipe(task=task, method=method), inputs)

    def model(self, task: str) -> Artifact:
        inputs = {Role.START: (self.base,), Role.TRAIN: self.datasets(task)}
        return Artifact("model", ModelRecipe(tasks=(task,)), inputs)

    def fusion(self, task: str, seed: int) -> tuple[Artifact, dict[str, Path]]:
        """A fusion over adapters of all tasks, which are trained once for a seed, at the best rate found for them."""
        adapters = {name: self.adapter(FUSED, name) for name in self.options.tasks}
        paths = {}
        for name, adapter in adapters.items():
            place = self.folder / f"fused-{seed}" / name
            if not place.exists():
                self.train(adapter, self.best(FUSED), name, seed, {}, place)
            paths[adapter.fingerprint] = place / "artifact"
        recipe = FusionRecipe(task=task)
        inputs = {Role.BASE: (self.base,), Role.FUSED: tuple(adapters.values()), Role.TRAIN: self.datasets(task)}
        return Artifact("fusion", recipe, inputs), paths

    def train(
        self, artifact: Artifact, rate: float, task: str, seed: int, inputs: Mapping[str, Path], place: Path
    ) -> tuple[float, int, float]:
        """The best validation score, the steps and the seconds of one training, whose files go to ``place``."""
        asked = self.options
        settings = TrainingSettings(
            epochs=asked.epochs,
            max_steps=asked.max_steps,
            patience=asked.patience,
            batch_size=asked.batch_size,
            learning_rate=rate,
            weight_decay=0.0 if getattr(artifact.recipe, "method", "") == "loreft" else 0.01,
        )
        scores: list[float] = [0.0]

        def tell(note: Note) -> None:
            scores.append(note.score or 0.0)

        shutil.rmtree(place, ignore_errors=True)  # a training goes on from what it finds there
        job = BuildJob(artifact, self.release, inputs, (self.rows(task, seed),), settings, seed)
        taken: Outcome = self.bench.build(job, place, tell)
        return max(scores), int(taken.usage["train_steps"]), taken.usage["train_seconds"]

    def climb(self, name: str) -> None:
        """Try a middle rate and its neighbours on the grid, and go on in the direction that is better."""
        middle = GRID.index(FIRST.get(name, 3e-3))
        wanted = {middle - 1, middle, middle + 1}
        while todo := sorted(place for place in wanted if not self.complete(name, GRID[place])):
            for place in todo:
                self.rate(name, GRID[place])
            top = GRID.index(self.best(name))
            wanted = {place for place in (top - 1, top + 1) if 0 <= place < len(GRID)}

    def rate(self, name: str, rate: float) -> None:
        """Train what is left at one rate: every task, every seed."""
        for task, seed in itertools.product(self.options.tasks, self.options.seeds):
            if any((t.name, t.rate, t.task, t.seed) == (name, rate, task, seed) for t in self.tried):
                continue
            if name == "fusion":
                artifact, inputs = self.fusion(task, seed)
            else:
                artifact, inputs = (self.model(task) if name == "model" else self.adapter(name, task)), {}
            found = Tried(
                name, rate, task, seed, *self.train(artifact, rate, task, seed, inputs, self.folder / "tried")
            )
            self.tried.append(found)
            self.kept.add(self.conditions(), asdict(found))
            print(
                f"{name} {rate:g} {task} {seed}: {found.score:.3f}, {found.steps} steps, {found.seconds:.0f} s",
                flush=True,
            )

    def scores(self, name: str, rate: float) -> list[float]:
        """The scores at a rate that are wanted and known."""
        asked = self.options
        wanted = (t for t in self.tried if t.task in asked.tasks and t.seed in asked.seeds)
        return [t.score for t in wanted if (t.name, t.rate) == (name, rate)]

    def complete(self, name: str, rate: float) -> bool:
        """Whether every task and seed was trained at a rate."""
        return len(self.scores(name, rate)) == len(self.options.tasks) * len(self.options.seeds)

    def means(self, name: str) -> dict[float, float]:
        """The mean score of each rate that was tried in full."""
        return {rate: statistics.mean(self.scores(name, rate)) for rate in GRID if self.complete(name, rate)}

    def best(self, name: str) -> float:
        """The rate with the highest mean; of equals the lower one."""
        means = self.means(name)
        return min(means, key=lambda rate: (-means[rate], rate))


def write_report(search: Search, names: Iterable[str]) -> None:
    options = search.options
    base = "a base model" if ":/" in options.base else options.base
    seconds = sum(t.seconds for t in search.tried)
    rows = f"{options.rows} training rows in each of {', '.join(options.languages)}"
    lines = [
        "# Learning rates",
        "",
        f"Found by `benchmarks/learning_rates.py` on {datetime.now(UTC):%Y-%m-%d} with {base} (digest "
        f"{search.release.digest[:16]}):",
        f"helpdesk {' and '.join(f'`{task}`' for task in options.tasks)}, {rows}, at most {options.epochs} epochs and",
        f"{options.max_steps} steps of batch {options.batch_size}, patience {options.patience}, seeds "
        f"{', '.join(map(str, options.seeds))}, {options.device} {options.precision};",
        f"{len(search.tried)} trainings, {seconds / 60:.0f} minutes. A cell is the mean over tasks and seeds of the",
        "best validation accuracy in points, **bold** the rate taken, empty what the climb did not try. Rates less",
        "than 2 points apart are hardly told from each other.",
        "",
        f"| artifact |{''.join(f' {rate:g} |' for rate in GRID)}",
        f"|---|{'---|' * len(GRID)}",
    ]
    for name in names:
        means = search.means(name)
        at = {
            rate: f"**{100 * x:.1f}**" if rate == search.best(name) else f"{100 * x:.1f}" for rate, x in means.items()
        }
        shown = f"fusion of {len(options.tasks)} {FUSED}" if name == "fusion" else name
        lines.append(f"| {shown} | {' | '.join(at.get(rate, '') for rate in GRID)} |")
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text("\n".join(lines) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="adapeff-mini:v1")
    parser.add_argument("--tasks", nargs="+", default=["intent", "sentiment"], help="a fusion is over all of them")
    parser.add_argument("--languages", nargs="+", default=["en"])
    parser.add_argument("--rows", type=int, default=300, help="training rows for each language")
    parser.add_argument("--seeds", type=int, nargs="+", default=[13, 14])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--max-steps", type=int, default=160)
    parser.add_argument("--patience", type=int, default=20, help="epochs; the best epoch counts")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--methods", nargs="+", default=sorted(METHODS - {FUSED}))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--out", type=Path, default=Path("build/learning_rates.jsonl"), help="where trainings are kept")
    parser.add_argument("--report", type=Path, default=REPORT)
    return parser.parse_args()


def main() -> None:
    options = parse()
    names: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        search = Search(options, Path(folder))
        for name in ("model", FUSED, "fusion", *options.methods):
            search.climb(name)
            names.append(name)
            write_report(search, names)
            print(f"{name}: {search.best(name):g}", flush=True)


if __name__ == "__main__":
    main()
