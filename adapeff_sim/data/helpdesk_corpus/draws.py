"""What the rows of the helpdesk say, before any language: lines and slot numbers, drawn by a seed."""

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

from adapeff_sim.data.examples import Split
from adapeff_sim.data.helpdesk_corpus.corpus import ENTITIES, HARD, Corpus, Draw, Slots
from adapeff_sim.errors import DataError

MIXED = 0.15  # share of intent rows with an aside
WORDED = 0.4  # share of sentiment rows that are a verdict
HARDER = 0.2  # share of hard wordings among those of a question or a remark
RARER = 0.4  # the k-th wording of a family (from 0) is said 1 / (k + RARER) times as often in training, as in real mail
T = TypeVar("T")
MISSES = 1000  # draws in a row that were there already: there seem to be no more
NAMES = ("person", "place", "product")  # of these, train draws the first three quarters: the rest is new to a model
WORDS = ("fair", "good", "poor")  # the slots of a verdict
NUMBERS: dict[str, Sequence[int]] = {
    "amount": range(21, 99),
    "date": [100 * month + day for month in range(1, 13) for day in range(3, 29)],
    "days": range(11, 21),  # of one plural form in every language
    "fair": range(24),
    "good": range(24),
    "hour": range(15, 23),
    "months": (11, 12, 15, 16, 18, 20),
    "order": range(10000, 100000),
    "person": range(10),
    "place": range(12),
    "poor": range(24),
    "product": range(12),
}


def topic(family: str) -> str:
    """The second part of a family's name: the intent of a question, or a sentiment."""
    return family.split(".")[1]


def is_hard(line: str) -> bool:
    """Whether a line avoids the words that give its label away."""
    return line.rstrip("0123456789").endswith(HARD)


class Deck:
    """Draws the rows of one task and split; looks at the reference language only for families and slot names."""

    def __init__(self, reference: Corpus, task: str, split: Split, version: int) -> None:
        self.reference, self.task, self.split = reference, task, split
        self.random = random.Random(f"helpdesk {task} {split} {version}")
        self.questions = reference.family("question.")
        self.remarks = reference.family("sentiment.")
        self.asides = reference.family("aside.")
        self.facts = reference.family("fact.")
        self.intents: dict[str, list[str]] = {}  # the questions of each intent, in the order of the corpus
        for family in self.questions:
            self.intents.setdefault(topic(family), []).append(family)
        self.wordings: dict[str, list[list[str]]] = {}  # of a family: easy and hard ones, or all, often said ones first
        self.strangers = {intent: [q for q in self.questions if topic(q) != intent] for intent in self.intents}
        lines = [line for family in self.questions + self.remarks for line in reference.families[family][split]]
        self.naming = {
            wanted: [line for line in lines if wanted in (reference.slots(line) or ["none"])]
            for wanted in (*ENTITIES, "none")
        }

    def rows(self, size: int) -> dict[str, Draw]:
        """``size`` distinct draws by id; fewer are the first of more."""
        draw = {
            "answer_choice": self.answer_choice,
            "answer_span": self.answer_span,
            "duplicate": self.duplicate,
            "entities": self.entities,
            "intent": self.intent,
            "sentiment": self.sentiment,
        }[self.task]
        rows: dict[str, Draw] = {}
        misses = 0
        while len(rows) < size:
            row = draw(len(rows))
            name = self.name(row)
            misses = misses + 1 if name in rows else 0
            rows.setdefault(name, row)
            if misses > MISSES:
                raise DataError(f"helpdesk: {self.task} {self.split} has no {size} rows; ask for at most {len(rows)}")
        return rows

    def name(self, row: Draw) -> str:
        """The id: task, label, lines, slots and dress."""
        slots = dict.fromkeys(f"{slot}{number:04}" for _, slots in row.lines for slot, number in slots.items())
        lines = "+".join(line for line, _ in row.lines)
        return f"{self.task}-{row.label}-{lines}-{'.'.join(slots)}-g{row.greeting}c{row.closing}"

    def intent(self, i: int) -> Draw:
        """A question of each intent in turn, some with an aside about another matter before or after it."""
        intents = sorted(self.intents)
        intent = intents[i % len(intents)]
        said = [self.filled(self.line(self.random.choice(self.intents[intent])))]
        if self.random.random() < MIXED:
            said.insert(self.random.randrange(2), self.filled(self.aside(intent)))
        return self.dressed(intent, *said)

    def sentiment(self, i: int) -> Draw:
        """A remark of each sentiment in turn, or a verdict, of which one word tells the sentiment."""
        sentiment = ("negative", "neutral", "positive")[i % 3]
        kind = "verdict" if self.random.random() < WORDED else "sentiment"
        return self.dressed(sentiment, self.filled(self.line(f"{kind}.{sentiment}")))

    def entities(self, i: int) -> Draw:
        """A question or remark with each kind of entity in turn, and one in six without any slot."""
        wanted = (*ENTITIES, "none")[i % 6]
        return self.dressed(wanted, self.filled(self.random.choice(self.naming[wanted])))

    def duplicate(self, i: int) -> Draw:
        """Two messages of one customer about one question, or two questions.

        Of the duplicates every other one is easy: the second message repeats the first one beside an aside or another
        wording. In the rest the question is only said in other words, about the same things. Of the different pairs one
        in four asks two questions about the same things, and one in four two questions of one intent.
        """
        same, turn, family = bool(i % 2), i // 2 % 4, self.random.choice(self.questions)
        first = self.line(family)
        if same:
            pair = [first, self.random.choice(self.other_wordings(first, family))]
            if turn < 2:
                pair = [first, self.aside(topic(family)) if turn else pair[1], first]
        else:
            pair = [first, self.line(self.sibling(family) if turn == 3 else self.stranger(family))]
            if turn == 1:
                pair.append(self.aside(topic(family)))
        if not same and turn != 2:
            return self.dressed("different", *(self.filled(line) for line in pair))
        shared = self.numbers(slot for line in pair for slot in self.reference.slots(line))
        lines = [(line, {slot: shared[slot] for slot in self.reference.slots(line)}) for line in pair]
        return self.dressed("duplicate" if same else "different", *lines)

    def other_wordings(self, line: str, family: str) -> list[str]:
        """The other lines of a family; mostly those that name a thing which this line names too, if there are any."""
        others = [other for other in self.reference.families[family][self.split] if other != line]
        slots = set(self.reference.slots(line))
        alike = [other for other in others if slots & set(self.reference.slots(other))]
        return alike if alike and self.random.random() < 0.7 else others

    def answer_choice(self, i: int) -> Draw:
        """A question and two to four answers, of which one fits and one belongs to a question that looks alike."""
        family = self.random.choice(self.questions)
        others = [each for each in self.questions if each not in (family, self.sibling(family))]
        chosen = [self.sibling(family), *self.random.sample(others, i % 3)]
        self.random.shuffle(chosen)
        right = self.random.randrange(len(chosen) + 1)
        chosen.insert(right, family)
        answers = [self.filled(self.line(each.replace("question.", "answer.", 1))) for each in chosen]
        return self.dressed(str(right), self.filled(self.line(family)), *answers)

    def answer_span(self, i: int) -> Draw:
        """A help page of two to four facts and a question about one of them; the question's line comes first."""
        facts = self.random.sample(self.facts, 2 + i % 3)
        asked = self.random.randrange(len(facts))
        question = self.line(facts[asked].replace("fact.", "ask.", 1))
        return Draw(str(asked), (self.filled(question), *(self.filled(self.line(fact)) for fact in facts)))

    def line(self, family: str) -> str:
        """A line of a family in this split."""
        if family not in self.wordings:
            lines = self.reference.families[family][self.split]
            hard = [line for line in lines if is_hard(line)]
            easy = [line for line in lines if not is_hard(line)]
            parts = [easy, hard] if hard and easy else [lines]
            self.wordings[family] = [random.Random(family).sample(level, len(level)) for level in parts]
        levels = self.wordings[family]
        return self.often(levels[-1] if len(levels) == 1 or self.random.random() < HARDER else levels[0])

    def often(self, things: Sequence[T]) -> T:
        """One of the things: in training the first ones often and the last ones rarely, later all alike."""
        if self.split != "train":
            return self.random.choice(things)
        return self.random.choices(things, [1 / (place + RARER) for place in range(len(things))])[0]

    def aside(self, intent: str) -> str:
        """A remark about a matter of another intent that is not the point."""
        return self.line(self.random.choice([each for each in self.asides if topic(each) != intent]))

    def sibling(self, family: str) -> str:
        """The other question of the same intent."""
        return next(other for other in self.intents[topic(family)] if other != family)

    def stranger(self, family: str) -> str:
        """A question of another intent."""
        return self.random.choice(self.strangers[topic(family)])

    def numbers(self, slots: Iterable[str]) -> dict[str, int]:
        """A number for each slot."""
        drawn = {}
        for slot in dict.fromkeys(slots):
            values = NUMBERS[slot]
            known = len(values) * 3 // 4 if slot in NAMES and self.split == "train" else len(values)
            drawn[slot] = self.often(values) if slot in WORDS else self.random.choice(values[:known])
        return drawn

    def filled(self, line: str) -> tuple[str, Slots]:
        """A line with a number for each of its slots."""
        return line, self.numbers(self.reference.slots(line))

    def dressed(self, label: str, *lines: tuple[str, Slots]) -> Draw:
        """A draw with a greeting and a closing (often none), one in five written casually."""
        greeting, closing = (
            self.random.randrange(len(phrases)) if self.random.random() < 0.6 else 0
            for phrases in (self.reference.greetings, self.reference.closings)
        )
        return Draw(label, lines, greeting, closing, casual=self.random.random() < 0.2)
