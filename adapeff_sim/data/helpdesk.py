"""A made-up support desk in many languages: six tasks, the same items in every language, splits that share no wording.

A language is one file of ``helpdesk_corpus``: hand-written lines in families (a customer's question, an answer, ...),
each family parted into train, validation and test. A row is a draw, made without looking at any language, of lines and
slot numbers; its id spells the draw, so the same id means the same item in every language::

    intent-refund-question.refund.late.train00-product4.date0312-g2c0
    task   label  line(s)                      slots             greeting and closing
"""

import difflib
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast, get_args

import yaml

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
from adapeff_sim.errors import DataError

TASKS = {
    "answer_choice": TaskKind.CHOICE,
    "answer_span": TaskKind.SPAN,
    "duplicate": TaskKind.PAIR,
    "entities": TaskKind.TAGGING,
    "intent": TaskKind.CLASSIFICATION,
    "sentiment": TaskKind.CLASSIFICATION,
}
SIZES: dict[str, int] = {"train": 1200, "validation": 150, "test": 300}
REFERENCE = "en"  # whose families and slots a draw looks up; the files of all languages agree in these
ENTITIES = ("date", "order", "person", "place", "product")
NAMES = ("person", "place", "product")  # of these, train draws the first three quarters: the rest is new to a model
NUMBERS: dict[str, Sequence[int]] = {
    "amount": range(21, 99),
    "date": [100 * month + day for month in range(1, 13) for day in range(3, 29)],
    "days": range(11, 21),  # of one plural form in every language
    "hour": range(15, 23),
    "months": (11, 12, 15, 16, 18, 20),
    "order": range(10000, 100000),
    "person": range(10),
    "place": range(12),
    "product": range(12),
}
SLOT = re.compile(r"\{(\w+)\}")
WORD = re.compile(r"""[^\s.,!?;:…،؟؛।¿¡()"«»„“”—]+|[^\s]""")
CHARACTER = re.compile(r"[A-Za-z0-9#-]+|\S")

Slots = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Draw:
    """One row before it is put into words: the lines by name, each with its slots, and how it is dressed."""

    label: str
    lines: tuple[tuple[str, Slots], ...]
    greeting: int = 0
    closing: int = 0
    casual: bool = False


class Corpus:
    """One language: its lines by name, the names of each family by split, and how slots are written."""

    def __init__(self, language: str) -> None:
        text = resources.files("adapeff_sim.data").joinpath("helpdesk_corpus", f"{language}.yaml").read_text("utf-8")
        self._raw = cast(dict[str, Any], yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        self.language = language
        self.space = " " if self._raw["spaced"] else ""
        self.greetings: list[str] = self._raw["greetings"]
        self.closings: list[str] = self._raw["closings"]
        self.lines: dict[str, str] = {}
        self.families: dict[str, dict[str, list[str]]] = {}
        self._read("", self._raw["lines"])

    def _read(self, path: str, node: Mapping[str, Any]) -> None:
        for key, value in node.items():
            name = f"{path}.{key}".lstrip(".")
            if isinstance(value, str):
                lines = value.splitlines()
                names = [f"{name}{i:02}" for i in range(len(lines))]
                self.lines.update(zip(names, lines, strict=True))
                self.families.setdefault(path, {})[key] = names
            else:
                self._read(name, value)

    def family(self, start: str) -> list[str]:
        """The families whose name starts so."""
        return [name for name in self.families if name.startswith(start)]

    def slots(self, line: str) -> list[str]:
        """The slots of a line, in order."""
        return SLOT.findall(self.lines[line])

    def word(self, slot: str, number: int) -> str:
        """A slot's value in this language."""
        values, formats = self._raw["values"], self._raw["formats"]
        if slot in values:
            return str(values[slot][number])
        if slot == "date":
            return str(formats["date"].format(number=number % 100, month=values["month"][number // 100 - 1]))
        if slot == "order":
            return (f"{number}", f"#{number}", f"K-{number}")[number % 3]
        if slot == "hour":
            return f"{number}:00"
        return str(formats[slot].format(number=number)) if slot in formats else str(number)

    def fill(self, line: str, slots: Slots) -> str:
        """A line with its slots filled."""
        return SLOT.sub(lambda slot: self.word(slot[1], slots[slot[1]]), self.lines[line])

    def dress(self, text: str, draw: Draw) -> str:
        """The text between greeting and closing; casual writers use neither capitals nor a last full stop."""
        parts = (self.greetings[draw.greeting], text, self.closings[draw.closing])
        dressed = self.space.join(p for p in parts if p)
        return self.lower(dressed).rstrip(".!。।") if draw.casual else dressed

    def lower(self, text: str) -> str:
        """Small letters, by the rules of this language."""
        return (text.replace("I", "ı").replace("İ", "i") if self.language == "tr" else text).lower()

    def tokens(self, text: str) -> list[str]:
        """Words and punctuation marks; characters, where words are not spaced."""
        return (WORD if self.space else CHARACTER).findall(text)


class Deck:
    """Draws the rows of one task and split; looks at the reference language only for families and slot names."""

    def __init__(self, reference: Corpus, task: str, split: Split, version: int) -> None:
        self.reference, self.task, self.split = reference, task, split
        self.random = random.Random(f"helpdesk {task} {split} {version}")
        self.questions = reference.family("question.")

    def rows(self, size: int) -> dict[str, Draw]:
        """``size`` distinct draws by id."""
        draw: Callable[[int], Draw] = getattr(self, f"draw_{self.task}")
        rows: dict[str, Draw] = {}
        for _ in range(100 * size):
            if len(rows) == size:
                return rows
            row = draw(len(rows))
            rows.setdefault(self.name(row), row)
        raise DataError(
            f"helpdesk has fewer than {size} rows of {self.task} {self.split}; ask for at most {len(rows)}."
        )

    def name(self, row: Draw) -> str:
        """The id: task, label, lines, slots and dress."""
        slots = dict.fromkeys(f"{slot}{number:04}" for _, slots in row.lines for slot, number in slots.items())
        lines = "+".join(line for line, _ in row.lines)
        return f"{self.task}-{row.label}-{lines}-{'.'.join(slots)}-g{row.greeting}c{row.closing}"

    def draw_intent(self, i: int) -> Draw:
        """A question of each intent in turn."""
        intents = sorted({_intent(f) for f in self.questions})
        intent = intents[i % len(intents)]
        family = self.random.choice(self.reference.family(f"question.{intent}."))
        return self.dressed(intent, self.filled(self.line(family)))

    def draw_sentiment(self, i: int) -> Draw:
        """A remark of each sentiment in turn."""
        families = self.reference.family("sentiment.")
        family = families[i % len(families)]
        return self.dressed(family.rpartition(".")[2], self.filled(self.line(family)))

    def draw_entities(self, i: int) -> Draw:
        """A question or remark with each kind of entity in turn, and one in six without any."""
        families = self.questions + self.reference.family("sentiment.")
        lines = [line for family in families for line in self.reference.families[family][self.split]]
        wanted = (*ENTITIES, "none")[i % 6]
        fit = [x for x in lines if wanted in (self.reference.slots(x) or ["none"])]
        return self.dressed(wanted, self.filled(self.random.choice(fit)))

    def draw_duplicate(self, i: int) -> Draw:
        """Two wordings of one question about the same things, or two questions, half of them about the same things."""
        same, family = bool(i % 2), self.random.choice(self.questions)
        if same:
            pair = self.random.sample(self.reference.families[family][self.split], 2)
        else:
            other = self.sibling(family) if self.random.random() < 0.3 else self.stranger(family)
            pair = [self.line(family), self.line(other)]
        shared = self.numbers(slot for line in pair for slot in self.reference.slots(line))
        if not same and self.random.random() < 0.5:
            return self.dressed("different", *(self.filled(line) for line in pair))
        lines = [(line, {slot: shared[slot] for slot in self.reference.slots(line)}) for line in pair]
        return self.dressed("duplicate" if same else "different", *lines)

    def draw_answer_choice(self, i: int) -> Draw:
        """A question and two to four answers, of which one fits and one belongs to a question that looks alike."""
        family = self.random.choice(self.questions)
        others = [f for f in self.questions if f not in (family, self.sibling(family))]
        wrong = [self.sibling(family), *self.random.sample(others, i % 3)]
        self.random.shuffle(wrong)
        right = self.random.randrange(len(wrong) + 1)
        wrong.insert(right, family)
        answers: list[tuple[str, Slots]] = [(self.line(f.replace("question.", "answer.", 1)), {}) for f in wrong]
        return self.dressed(str(right), self.filled(self.line(family)), *answers)

    def draw_answer_span(self, i: int) -> Draw:
        """A help page of two to four facts and a question about one of them; the question's line comes first."""
        facts = self.random.sample(self.reference.family("fact."), 2 + i % 3)
        asked = self.random.randrange(len(facts))
        question = self.line(facts[asked].replace("fact.", "ask.", 1))
        return Draw(str(asked), ((question, {}), *(self.filled(self.line(fact)) for fact in facts)))

    def line(self, family: str) -> str:
        """Any line of a family in this split."""
        return self.random.choice(self.reference.families[family][self.split])

    def sibling(self, family: str) -> str:
        """The other question of the same intent."""
        return next(f for f in self.questions if _intent(f) == _intent(family) and f != family)

    def stranger(self, family: str) -> str:
        """A question of another intent."""
        return self.random.choice([f for f in self.questions if _intent(f) != _intent(family)])

    def numbers(self, slots: Iterable[str]) -> dict[str, int]:
        """A number for each slot."""
        drawn = {}
        for slot in dict.fromkeys(slots):
            values = NUMBERS[slot]
            known = len(values) * 3 // 4 if slot in NAMES and self.split == "train" else len(values)
            drawn[slot] = self.random.choice(values[:known])
        return drawn

    def filled(self, line: str) -> tuple[str, Slots]:
        """A line with a number for each of its slots."""
        return line, self.numbers(self.reference.slots(line))

    def dressed(self, label: str, *lines: tuple[str, Slots]) -> Draw:
        """A draw with a greeting and a closing (often none), one in five written casually."""
        greeting, closing = (
            self.random.randrange(len(x)) if self.random.random() < 0.6 else 0
            for x in (self.reference.greetings, self.reference.closings)
        )
        return Draw(label, lines, greeting, closing, casual=self.random.random() < 0.2)


def _intent(family: str) -> str:
    return family.split(".")[1]


def in_words(task: str, name: str, draw: Draw, corpus: Corpus) -> AnyExample:
    """The example that a draw is in one language."""
    if task == "entities":
        tokens, tags = tagged(draw, corpus)
        return TokensExample(id=name, tokens=tokens, tags=tags)
    if task == "answer_span":
        return cut_out(name, draw, corpus)
    text, *others = (corpus.fill(line, slots) for line, slots in draw.lines)
    text = corpus.dress(text, draw)
    if task == "duplicate":
        return PairExample(id=name, premise=text, hypothesis=others[0], label=draw.label)
    if task == "answer_choice":
        return ChoiceExample(id=name, premise=text, choices=tuple(others), label=int(draw.label))
    return TextExample(id=name, text=text, label=draw.label)


def tagged(draw: Draw, corpus: Corpus) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tokens and BIO tags of a dressed line; a slot's value is split at spaces, so that "3." stays one token."""
    ((line, slots),) = draw.lines
    tokens: list[str] = []
    tags: list[str] = []
    for part in re.split(r"(\{\w+\})", corpus.dress(corpus.lines[line], draw)):
        slot = part[1:-1] if SLOT.fullmatch(part) else ""
        value = corpus.word(slot, slots[slot]) if slot else part
        words = value.split() if slot and corpus.space else corpus.tokens(value)
        tokens += [corpus.lower(w) for w in words] if draw.casual else words
        kind = slot.upper() if slot in ENTITIES else ""
        tags += [f"{'I' if i else 'B'}-{kind}" if kind else "O" for i in range(len(words))]
    return tuple(tokens), tuple(tags)


def cut_out(name: str, draw: Draw, corpus: Corpus) -> SpanExample:
    """A question, a help page of facts, and where the bracketed answer lies in it."""
    (question, _), *facts = draw.lines
    context, answer = "", Answer(text="-", answer_start=0)
    for i, (line, slots) in enumerate(facts):
        before, inside, after = re.split(r"[\[\]]", corpus.fill(line, slots))
        context += corpus.space if context else ""
        if i == int(draw.label):
            answer = Answer(text=inside, answer_start=len(context + before))
        context += before + inside + after
    return SpanExample(id=name, question=corpus.lines[question], context=context, answers=(answer,))


def template_of(example_id: str) -> tuple[str, ...]:
    """The lines that an example was made of, read from its id."""
    return tuple(example_id.split("-")[2].split("+"))


@SOURCES.register
class Helpdesk:
    """The embedded data source; ``{size: N}`` or ``{size: {train: N, ...}}`` asks for other numbers of rows."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self._sizes = _sizes(options or {})
        files = resources.files("adapeff_sim.data").joinpath("helpdesk_corpus").iterdir()
        self._languages = tuple(sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml")))
        self._corpora: dict[str, Corpus] = {}
        self._cache: dict[tuple[str, str, str, int], tuple[AnyExample, ...]] = {}
        self._draws: dict[tuple[str, str, int], dict[str, Draw]] = {}

    def tasks(self) -> Mapping[str, TaskKind]:
        """Every task with its kind."""
        return dict(TASKS)

    def languages(self, task: str) -> tuple[str, ...]:
        """The languages of the corpus; every task has them all."""
        _known("task", task, TASKS)
        return self._languages

    def labels(self, task: str) -> tuple[str, ...]:
        """Intents, sentiments, tags, or the two relations of a pair, sorted."""
        _known("task", task, TASKS)
        if task == "duplicate":
            return "different", "duplicate"
        if task == "entities":
            return tuple(
                sorted(
                    ["O", *(f"{bi}-{kind.upper()}" for bi in "BI" for kind in ENTITIES if (bi, kind) != ("I", "order"))]
                )
            )
        families = {"intent": "question.", "sentiment": "sentiment."}
        return (
            tuple(sorted({_intent(f) for f in self._corpus(REFERENCE).family(families[task])}))
            if task in families
            else ()
        )

    def examples(self, task: str, language: str, split: Split, version: int = 1) -> tuple[AnyExample, ...]:
        """The rows of one split; another version draws other rows from the same lines.

        Raises DataError for a task, language, split or version that does not exist.
        """
        _known("task", task, TASKS)
        _known("language", language, self._languages)
        _known("split", split, get_args(Split))
        if version < 1:
            raise DataError(f"helpdesk has no version {version} of {task} {language} {split}; versions count from 1.")
        key = task, split, version
        if key not in self._draws:
            self._draws[key] = Deck(self._corpus(REFERENCE), *key).rows(self._sizes[split])
        if (task, language, split, version) not in self._cache:
            corpus, rows = self._corpus(language), self._draws[key]
            words = tuple(in_words(task, name, draw, corpus) for name, draw in rows.items())
            self._cache[task, language, split, version] = words
        return self._cache[task, language, split, version]

    def _corpus(self, language: str) -> Corpus:
        if language not in self._corpora:
            self._corpora[language] = Corpus(language)
        return self._corpora[language]


def _known(what: str, name: str, names: Iterable[str]) -> None:
    names = list(names)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"helpdesk has no {what} {name!r}.{hint} It has: {', '.join(names)}.")


def _sizes(options: Mapping[str, Any]) -> dict[str, int]:
    """Rows of each split."""
    for option in options:
        _known("option", option, ["size"])
    size = options.get("size", {})
    wanted = dict.fromkeys(SIZES, size) if isinstance(size, int) else dict(size)
    for split, rows in wanted.items():
        _known("split", split, SIZES)
        if not isinstance(rows, int) or rows < 1:
            raise DataError(f"helpdesk's option size asks for {rows!r} rows of {split}; give a whole number from 1 on.")
    return SIZES | wanted
