"""Which learning rate each kind of artifact and each adapter method wants: a small search, on validation rows only.

    python benchmarks/learning_rates.py --rows 200 --epochs 15

From a middle rate the search climbs: as long as the best rate lies at an edge of what was tried, the next one beyond
it is tried too, so nobody's best lies outside. Every training has the same rows, seed and cap on epochs. The best rate
is the one whose best epoch scores highest on the validation rows (of equals the one that ends sooner, then the lower
one); test rows are never looked at. The table goes to docs/measurements/learning_rates.md, after every artifact.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.methods import METHODS
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe, FusionRecipe, ModelRecipe
from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.examples import take
from adapeff_sim.execution.machine import Machine
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.training.jobs import BuildJob, Note, TaskRows
from adapeff_sim.training.settings import TrainingSettings
from adapeff_sim.training.workbench import Workbench

GRID = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
REPORT = Path(__file__).parent.parent / "docs" / "measurements" / "learning_rates.md"


@dataclass(frozen=True)
class Tried:
    """One training of the search."""

    rate: float
    score: float  # best validation score, 0 to 1
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

    def rows(self, task: str) -> TaskRows:
        kind, labels = self.source.tasks()[task], self.source.labels(task)
        train, validation = {}, {}
        for language in self.options.languages:
            seen = self.source.examples(task, language, "train")
            train[language] = take(seen, self.options.rows, self.options.seed, task, language)
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

    def model(self) -> Artifact:
        inputs = {Role.START: (self.base,), Role.TRAIN: self.datasets(self.options.task)}
        return Artifact("model", ModelRecipe(tasks=(self.options.task,)), inputs)

    def fusion(self, rates: Mapping[str, float]) -> tuple[Artifact, dict[str, Path]]:
        """A fusion over seq_bn adapters of two tasks, which are trained first, at the rate found for them."""
        adapters = tuple(self.adapter("seq_bn", task) for task in (self.options.task, self.options.beside))
        for adapter, task in zip(adapters, (self.options.task, self.options.beside), strict=True):
            self.train(adapter, rates["seq_bn"], task, {})
        inputs = {Role.BASE: (self.base,), Role.FUSED: adapters, Role.TRAIN: self.datasets(self.options.task)}
        fusion = Artifact("fusion", FusionRecipe(task=self.options.task), inputs)
        return fusion, {a.fingerprint: self.folder / a.fingerprint / "artifact" for a in adapters}

    def train(self, artifact: Artifact, rate: float, task: str, inputs: Mapping[str, Path]) -> Tried:
        decay = 0.0 if getattr(artifact.recipe, "method", "") == "loreft" else 0.01
        settings = TrainingSettings(
            epochs=self.options.epochs, patience=self.options.patience, learning_rate=rate, weight_decay=decay
        )
        scores: list[float] = [0.0]

        def tell(note: Note) -> None:
            scores.append(note.score or 0.0)

        job = BuildJob(artifact, self.release, inputs, (self.rows(task),), settings, self.options.seed)
        taken: Outcome = self.bench.build(job, self.folder / artifact.fingerprint, tell)
        return Tried(rate, max(scores), int(taken.usage["train_steps"]), taken.usage["train_seconds"])

    def climb(
        self, name: str, start: float, artifact: Artifact, inputs: Mapping[str, Path] | None = None
    ) -> list[Tried]:
        """Try ``start`` and its neighbours on the grid, and go on in the direction that is better."""
        tried: dict[int, Tried] = {}
        wanted = {GRID.index(start) + step for step in (-1, 0, 1)}
        while todo := sorted(wanted - tried.keys()):
            for place in todo:
                tried[place] = self.train(artifact, GRID[place], self.options.task, inputs or {})
                found = tried[place]
                print(
                    f"{name} {found.rate:g}: {found.score:.3f} in {found.steps} steps, {found.seconds:.0f} s",
                    flush=True,
                )
            top = GRID.index(best(tried.values()).rate)
            wanted = {place for place in (top - 1, top + 1) if 0 <= place < len(GRID)}
        return [tried[place] for place in sorted(tried)]


def best(tried: Iterable[Tried]) -> Tried:
    """The highest score; of equals the fewest steps, then the lowest rate."""
    return min(tried, key=lambda t: (-t.score, t.steps, t.rate))


def write_report(tables: Mapping[str, list[Tried]], options: argparse.Namespace, seconds: float) -> None:
    base = "a base model" if ":/" in options.base else options.base
    languages = ", ".join(options.languages)
    lines = [
        "# Learning rates",
        "",
        f"Found by `benchmarks/learning_rates.py` on {base} (digest {resolve(options.base).digest[:16]}):",
        f"helpdesk `{options.task}` in {languages}, {options.rows} training rows each, at most {options.epochs} epochs",
        f"of batch 32, patience {options.patience}, seed {options.seed}, {options.device} {options.precision},",
        f"{seconds / 60:.0f} minutes in all. A cell is the best validation accuracy of one training, **bold** the rate",
        "taken, empty what the climb did not try. One seed and one task: differences of a few points mean little.",
        "",
        f"| artifact |{''.join(f' {rate:g} |' for rate in GRID)} steps at the best |",
        f"|---|{'---|' * (len(GRID) + 1)}",
    ]
    for name, tried in tables.items():
        won = best(tried)
        at = {t.rate: f"**{t.score:.3f}**" if t is won else f"{t.score:.3f}" for t in tried}
        lines.append(f"| {name} | {' | '.join(at.get(rate, '') for rate in GRID)} | {won.steps} |")
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text("\n".join(lines) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="adapeff-mini:v1")
    parser.add_argument("--task", default="intent")
    parser.add_argument("--beside", default="sentiment", help="the second task under the fusion")
    parser.add_argument("--languages", nargs="+", default=["en"])
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--rows", type=int, default=200, help="training rows for each language")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--patience", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=sorted(METHODS - {"seq_bn"}))
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    return parser.parse_args()


def main() -> None:
    options, start = parse(), time.perf_counter()
    tables: dict[str, list[Tried]] = {}

    def keep(name: str, tried: list[Tried]) -> None:
        tables[name] = tried
        write_report(tables, options, time.perf_counter() - start)

    with tempfile.TemporaryDirectory() as folder:
        search = Search(options, Path(folder))
        keep("model", search.climb("model", 3e-4, search.model()))
        keep("seq_bn", search.climb("seq_bn", 3e-3, search.adapter("seq_bn", options.task)))
        fusion, inputs = search.fusion({"seq_bn": best(tables["seq_bn"]).rate})
        keep("fusion of 2 seq_bn", search.climb("fusion", 1e-3, fusion, inputs))
        for method in options.methods:
            keep(method, search.climb(method, 3e-3, search.adapter(method, options.task)))
    for name, tried in tables.items():
        print(f"{name}: {best(tried).rate:g}")


if __name__ == "__main__":
    main()
