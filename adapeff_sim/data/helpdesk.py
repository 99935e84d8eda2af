"""A made-up support desk in many languages: six tasks, the same items in every language, splits that share no wording.

A language is one file of ``helpdesk_corpus``: hand-written lines in families (a customer's question, an answer, ...),
each family parted into train, validation and test. A row is a draw, made without looking at any language, of lines and
slot numbers; its id spells the draw, so the same id means the same item in every language::

    intent-refund-question.refund.late.train00-product0004.date0312-g2c0
    task   label  line(s)                      slots                greeting and closing

Two questions are duplicates where one answer serves both, that is, where their lines are of one family. How hard a row
is can be read from its id too (``difficulty``); docs/helpdesk.md tells the rest.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, get_args

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.examples import (
    Answer,
    AnyExample,
    ChoiceExample,
    PairExample,
    SpanExample,
    Split,
    TaskKind,
    TextExample,
    TokensExample,
)
from adapeff_sim.data.helpdesk_corpus.corpus import ENTITIES, Corpus, Draw, corpus_of
from adapeff_sim.data.helpdesk_corpus.draws import Deck, is_hard, topic
from adapeff_sim.data.helpdesk_corpus.noise import mislabelled
from adapeff_sim.data.rows import shown, unknown
from adapeff_sim.errors import DataError

TASKS = {
    "answer_choice": TaskKind.CHOICE,
    "answer_span": TaskKind.SPAN,
    "duplicate": TaskKind.PAIR,
    "entities": TaskKind.TAGGING,
    "intent": TaskKind.CLASSIFICATION,
    "sentiment": TaskKind.CLASSIFICATION,
}
MOST_ROWS = 50_000  # of a split; drawing more takes minutes, and they say little that these do not
SIZES: dict[str, int] = {"train": 1200, "validation": 150, "test": 300}
REFERENCE = "en"  # whose families and slots a draw looks up; the files of all languages agree in these
TAGS = ("O", "B-ORDER", *(f"{place}-{kind.upper()}" for place in "BI" for kind in ENTITIES if kind != "order"))


@SOURCES.register
class Helpdesk:
    """The embedded data source.

    ``{size: 400}`` or ``{size: {train: 400}}`` asks for other numbers of rows, ``{label_noise: 0.1}`` for wrong labels
    in that share of the training rows. Raises DataError for options that mean nothing.
    """

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self._sizes, self._noise = _sizes({} if options is None else options), _noise(options or {})
        files = resources.files("adapeff_sim.data").joinpath("helpdesk_corpus").iterdir()
        self._languages = tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))

    def tasks(self) -> Mapping[str, TaskKind]:
        """Every task with its kind."""
        return dict(TASKS)

    def languages(self, task: str) -> tuple[str, ...]:
        """The languages of the corpus; every task has them all."""
        _known("task", task, TASKS)
        return self._languages

    def splits(self, task: str, language: str) -> tuple[Split, ...]:
        """All three, of every endpoint."""
        _known("task", task, TASKS)
        _known("language", language, self._languages)
        return get_args(Split)

    def labels(self, task: str) -> tuple[str, ...]:
        """Intents, sentiments, tags, or the two relations of a pair, sorted."""
        _known("task", task, TASKS)
        return _labels(task)

    def examples(self, task: str, language: str, split: Split, version: int = 1) -> tuple[AnyExample, ...]:
        """The rows of one split; another version draws other rows from the same lines.

        Raises DataError for a task, language, split or version that does not exist.
        """
        _known("task", task, TASKS)
        _known("language", language, self._languages)
        _known("split", split, get_args(Split))
        if version < 1:
            raise DataError(f"helpdesk: no version {version} of {task} {language} {split}; versions count from 1")
        noise = self._noise if split == "train" else 0.0
        return _worded(language, task, split, version, self._sizes[split], noise)


@lru_cache(maxsize=64)
def _drawn(task: str, split: Split, version: int, size: int, noise: float) -> Mapping[str, Draw]:
    """The rows of a split before any language; kept for the process, as drawing takes longer than reading would."""
    if not noise:
        return Deck(corpus_of(REFERENCE), task, split, version).rows(size)
    right, said = _drawn(task, split, version, size, 0.0), (TASKS[task], _labels(task), noise)
    return {name: mislabelled(name, row, *said) for name, row in right.items()}


@lru_cache(maxsize=256)
def _worded(language: str, task: str, split: Split, version: int, size: int, noise: float) -> tuple[AnyExample, ...]:
    """The rows of a split in one language; nobody can change them, so that all sources of a process share them."""
    corpus, draws = corpus_of(language), _drawn(task, split, version, size, noise)
    return tuple(in_words(task, name, draw, corpus) for name, draw in draws.items())


@lru_cache
def _labels(task: str) -> tuple[str, ...]:
    reference = corpus_of(REFERENCE)
    found = {
        "duplicate": ("different", "duplicate"),
        "entities": TAGS,
        "intent": {topic(family) for family in reference.family("question.")},
        "sentiment": {topic(family) for family in reference.family("sentiment.")},
    }
    return tuple(sorted(found.get(task, ())))


def in_words(task: str, name: str, draw: Draw, corpus: Corpus) -> AnyExample:
    """The example that a draw is in one language."""
    if task == "entities":
        tokens, tags = corpus.tagged(draw)
        return TokensExample(id=name, tokens=tokens, tags=tags)
    text, *others = (corpus.fill(line, slots) for line, slots in draw.lines)
    if task == "intent":
        text = corpus.space.join((text, *others))
    if task == "answer_span":
        page, answer, start = corpus.page(draw)
        return SpanExample(id=name, question=text, context=page, answers=(Answer(text=answer, answer_start=start),))
    text = corpus.dress(text, draw)
    if task == "duplicate":
        return PairExample(id=name, premise=text, hypothesis=corpus.space.join(others), label=draw.label)
    if task == "answer_choice":
        return ChoiceExample(id=name, premise=text, choices=tuple(others), label=int(draw.label))
    return TextExample(id=name, text=text, label=draw.label)


def template_of(example_id: str) -> tuple[str, ...]:
    """The lines that an example was made of, read from its id."""
    return tuple(example_id.split("-")[2].split("+"))


def difficulty(example_id: str) -> str:
    """How hard an example is, read from its id: ``easy``, ``hard`` or ``mixed``.

    ``mixed`` holds an aside about another matter, ``hard`` a wording that avoids the words which give the label away.
    A pair is easy where one message repeats the other or the intents differ, and hard where only the meaning tells.
    """
    task = example_id.split("-")[0]
    first, *others = template_of(example_id)
    if task == "duplicate" and first in others:
        return "easy"
    if any(line.startswith("aside.") for line in (first, *others)):
        return "mixed"
    if task == "duplicate":
        return "easy" if topic(first) != topic(others[0]) else "hard"
    return "hard" if any(is_hard(line) for line in (first, *others)) else "easy"


def _known(what: str, name: object, names: Iterable[str]) -> None:
    names = list(names)
    if name not in names:
        raise DataError(f"helpdesk: {unknown(what, name, names)}")


def _sizes(options: object) -> dict[str, int]:
    """Rows of each split."""
    if not isinstance(options, Mapping):
        raise DataError(f"helpdesk: options are {shown(options)}; write {{size: 400}} or nothing")
    for option in options:
        _known("option", option, ["label_noise", "size"])
    size = options.get("size", {})
    wanted: dict[str, Any] = dict(size) if isinstance(size, Mapping) else dict.fromkeys(SIZES, size)
    for split, rows in wanted.items():
        _known("split", split, SIZES)
        if isinstance(rows, int | float) and rows > MOST_ROWS:
            raise DataError(f"helpdesk: size of {split} is {shown(rows)}; write at most {MOST_ROWS}")
        if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
            raise DataError(f"helpdesk: size of {split} is {shown(rows)}; write a whole number from 1 on")
    return SIZES | wanted


def _noise(options: Mapping[str, Any]) -> float:
    """The share of training labels that are wrong, 0 to 1."""
    share = options.get("label_noise", 0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise DataError(f"helpdesk: label_noise is {shown(share)}; write a share from 0 to 1, such as 0.1")
    return float(share)
