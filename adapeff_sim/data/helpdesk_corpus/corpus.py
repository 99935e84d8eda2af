"""One language of the helpdesk: its lines by name, how slots are written, and how a draw is put into its words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, cast

import yaml

ENTITIES = ("date", "order", "person", "place", "product")  # the slots that are tagged
HARD = "_hard"  # ends the name of a list of wordings without the words that give the label away
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
    taken_for: str = ""  # the kind of entity that an annotator mistook those of kind ``label`` for


class Corpus:
    """The file of one language; ``families`` holds the names of each family's lines by split, plain ones first."""

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
        self._slots = {name: SLOT.findall(line) for name, line in self.lines.items()}

    def _read(self, path: str, node: Mapping[str, Any]) -> None:
        """Name the lines of a branch, such as ``question.refund.late.train00``."""
        for key, value in node.items():
            name = f"{path}.{key}".lstrip(".")
            if isinstance(value, str):
                lines = value.splitlines()
                names = [f"{name}{i:02}" for i in range(len(lines))]
                self.lines.update(zip(names, lines, strict=True))
                self.families.setdefault(path, {}).setdefault(key.removesuffix(HARD), []).extend(names)
            else:
                self._read(name, value)

    def family(self, start: str) -> list[str]:
        """The families whose name starts so."""
        return [name for name in self.families if name.startswith(start)]

    def slots(self, line: str) -> list[str]:
        """The slots of a line, in order."""
        return self._slots[line]

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

        def written(slot: re.Match[str]) -> str:
            word = self.word(slot[1], slots[slot[1]])
            return word if slot.start() else self.capital(word)

        return SLOT.sub(written, self.lines[line])

    def dress(self, text: str, draw: Draw) -> str:
        """The text between greeting and closing; casual writers use neither capitals nor "¡" nor a last full stop."""
        parts = (self.greetings[draw.greeting], text, self.closings[draw.closing])
        dressed = self.space.join(part for part in parts if part)
        return self.lower(dressed).replace("¡", "").rstrip(".!。！।").rstrip() if draw.casual else dressed

    def lower(self, text: str) -> str:
        """Small letters, by the rules of this language."""
        return (text.replace("I", "ı").replace("İ", "i") if self.language == "tr" else text).lower()

    def capital(self, word: str) -> str:
        """A word as it begins a sentence, where the script has capitals."""
        first = "İ" if self.language == "tr" and word.startswith("i") else word[:1].upper()
        return first + word[1:]

    def tokens(self, text: str) -> list[str]:
        """Words and punctuation marks; characters, where words are not spaced."""
        return (WORD if self.space else CHARACTER).findall(text)

    def tagged(self, draw: Draw) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Tokens and BIO tags of a dressed line; a slot's value is split at spaces, so that "3." stays one token."""
        ((line, slots),) = draw.lines
        tokens: list[str] = []
        tags: list[str] = []
        starts = self.lines[line].startswith("{")
        for part in re.split(r"(\{\w+\})", self.dress(self.lines[line], draw)):
            slot = part[1:-1] if SLOT.fullmatch(part) else ""
            value = self.word(slot, slots[slot]) if slot else part
            if slot and starts:
                value, starts = self.capital(value), False
            words = value.split() if slot and self.space else self.tokens(value)
            tokens += [self.lower(word) for word in words] if draw.casual else words
            kind = (draw.taken_for if draw.taken_for and slot == draw.label else slot) if slot in ENTITIES else ""
            tags += [f"{'I' if i else 'B'}-{kind.upper()}" if kind else "O" for i in range(len(words))]
        return tuple(tokens), tuple(tags)

    def page(self, draw: Draw) -> tuple[str, str, int]:
        """A help page of the facts that follow the first line, the bracketed answer, and where it starts."""
        page, answer, start = "", "", 0
        for i, (line, slots) in enumerate(draw.lines[1:]):
            before, inside, after = re.split(r"[\[\]]", self.fill(line, slots))
            page += self.space if page else ""
            if i == int(draw.label):
                answer, start = inside, len(page + before)
            page += before + inside + after
        return page, answer, start


@cache
def corpus_of(language: str) -> Corpus:
    """The file of a language, read once."""
    return Corpus(language)
