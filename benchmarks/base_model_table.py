"""The tables that `base_model.py` prints: scores of trainings beside what needs no model, and zero-shot transfer."""

import itertools
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import baselines

from adapeff_sim.data.examples import take
from adapeff_sim.data.files import Files

ZERO_SHOT_TASKS = ("topic", "ner")
ZERO_SHOT_LANGUAGES = ("de", "es", "fr", "sw", "hi", "zh")
WAYS = ("full", "seq_bn")
BASES = ("pretrained", "random")
POINTS = 100


@dataclass(frozen=True)
class Cell:
    """One training."""

    task: str
    language: str
    way: str
    base: str
    seed: int


@dataclass(frozen=True)
class Found:
    """What one training gave: scores by language of the test rows, 0 to 1."""

    cell: Cell
    scores: Mapping[str, float]
    steps: int
    seconds: float
    converged: bool


def told(found: Found) -> str:
    """One training in a line."""
    cell = found.cell
    points = ", ".join(f"{language} {POINTS * score:.1f}" for language, score in found.scores.items())
    end = "converged" if found.converged else "not converged"
    return (
        f"{cell.task}/{cell.language} {cell.way} on {cell.base}, seed {cell.seed}: {points} points; "
        f"{found.steps} steps, {found.seconds:.0f} s, {end}"
    )


@dataclass(frozen=True)
class Table:
    """What is asked for, in the order in which it is shown; ``rows`` and ``seed`` are those that TF-IDF learns from."""

    source: Files
    tasks: Sequence[str]
    languages: Sequence[str]
    rows: int
    seed: int

    def lines(self, known: Mapping[Cell, Found]) -> Iterator[str]:
        """Both tables and a summary, as Markdown; what was not run is said so."""
        yield "| task | language | commonest | TF-IDF | full, random | full | seq_bn, random | seq_bn |"
        yield "|---|---|---|---|---|---|---|---|"
        for task, language in itertools.product(self.tasks, self.languages):
            if any((cell.task, cell.language) == (task, language) for cell in known):
                cells = [*self._without_model(task, language), *_with(known, task, language)]
                yield f"| {task} | {language} | {' | '.join(cells)} |"
        yield ""
        yield "## Zero-shot from English"
        yield ""
        yield "| task | language | commonest in English | full, random | full | seq_bn, random | seq_bn |"
        yield "|---|---|---|---|---|---|---|"
        for task, language in itertools.product(ZERO_SHOT_TASKS, ZERO_SHOT_LANGUAGES):
            if any((c.task, c.language) == (task, "en") and language in f.scores for c, f in known.items()):
                cells = [self._commonest(task, language), *_with(known, task, "en", language)]
                yield f"| {task} | {language} | {' | '.join(cells)} |"
        yield ""
        yield from _summary(known)

    def _without_model(self, task: str, language: str) -> list[str]:
        """The commonest answer, and TF-IDF on the rows that the first seed trains on."""
        kind = self.source.tasks()[task]
        rows = take(self.source.examples(task, language, "train"), self.rows, self.seed, task, language)
        test = self.source.examples(task, language, "test")
        found = (score(kind, rows, test, language) for score in (baselines.majority, baselines.tfidf))
        return [f"{POINTS * score:.1f}" for score in found]

    def _commonest(self, task: str, language: str) -> str:
        train, test = self.source.examples(task, "en", "train"), self.source.examples(task, language, "test")
        return f"{POINTS * baselines.majority(self.source.tasks()[task], train, test, language):.1f}"


def _with(known: Mapping[Cell, Found], task: str, language: str, scored: str = "") -> list[str]:
    cells = []
    for way, base in itertools.product(WAYS, reversed(BASES)):
        wanted = (task, language, way, base)
        of = [f for c, f in known.items() if (c.task, c.language, c.way, c.base) == wanted]
        cells.append(_spread([f.scores[scored or language] for f in of]))
    return cells


def _spread(scores: list[float]) -> str:
    if not scores:
        return "not run"
    mean = f"{POINTS * statistics.fmean(scores):.1f}"
    return mean if len(scores) == 1 else f"{mean} ± {POINTS * statistics.stdev(scores):.1f} ({len(scores)})"


def _summary(known: Mapping[Cell, Found]) -> Iterator[str]:
    """By how much pre-training beats random weights, over all pairs of trainings that differ in nothing else."""
    for way in WAYS:
        gains = [
            found.scores[cell.language] - twin.scores[cell.language]
            for cell, found in known.items()
            if (cell.way, cell.base) == (way, "pretrained") and (twin := known.get(_twin(cell)))
        ]
        if gains:
            least = POINTS * min(gains)
            yield (
                f"- {way}: pre-trained beats random by {POINTS * statistics.fmean(gains):.1f} points on average over "
                f"{len(gains)} pairs; the smallest difference is {least:+.1f}."
            )
    yield f"- Trainings ended by a cap and not by patience: {_capped(known.values())} of {len(known)}."


def _twin(cell: Cell) -> Cell:
    return Cell(cell.task, cell.language, cell.way, "random", cell.seed)


def _capped(found: Iterable[Found]) -> int:
    return sum(not f.converged for f in found)
