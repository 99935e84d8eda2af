"""The contract of a lesson: a question, and what a finished run of its scenario answers; no number is in its text."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from adapeff_sim.errors import AdapeffError, UnknownPlugin
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row
from adapeff_sim.registry import Registry
from adapeff_sim.results import Results

Unit = Literal["count", "flops", "bytes", "share", "seconds", "hours", "points", "money", "factor"]


class LessonError(AdapeffError):
    """A run that does not tell what a lesson asks it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finished run of a lesson's scenario."""

    results: Results
    ledger: Ledger


class Figure(Row):
    """One quantity, an amount for each column of a finding; None where there is none.

    ``share`` is the first amount as a part of the second, where that tells something.
    """

    what: str
    unit: Unit
    amounts: tuple[float | None, ...]
    provenance: Provenance
    share: float | None = None


class Finding(Row):
    """What a run answers to a lesson's question.

    ``claim`` is the lesson's claim with this run's numbers, and ``holds`` says whether they bear it out. ``choice`` is
    the place of the right answer among the choices, None where the numbers fit none.
    """

    columns: tuple[str, ...]
    figures: tuple[Figure, ...]
    claim: str
    holds: bool
    choice: int | None


class Lesson(ABC):
    """One surprise; its scenario is the file of its name in ``scenarios/teaching``."""

    number: ClassVar[int]  # where it stands in the course
    title: ClassVar[str]
    seconds: ClassVar[int]  # that it takes on two cores with an empty store, roughly
    question: ClassVar[str]
    choices: ClassVar[tuple[str, ...]]
    why: ClassVar[tuple[str, ...]]  # paragraphs, shown after the numbers
    read_on: ClassVar[tuple[str, ...]]  # pages of the documentation, and commands to try

    @property
    def name(self) -> str:
        """Its name, and its scenario's: the name of its file."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def look(self, run: Evidence) -> Finding:
        """What the run answers. Raises LessonError where it lacks what is asked for."""


LESSONS: Registry[type[Lesson]] = Registry("lesson", "adapeff_sim.lessons", besides=("base", "evidence"))


def course() -> list[Lesson]:
    """All lessons in their order."""
    return sorted((LESSONS.get(name)() for name in LESSONS.names()), key=lambda lesson: lesson.number)


def lesson_called(which: str) -> Lesson:
    """The lesson of a number or a name. Raises UnknownPlugin where there is none."""
    lessons = course()
    found = next((lesson for lesson in lessons if which in (str(lesson.number), lesson.name)), None)
    if found is None and which.isascii() and which.isdigit():
        raise UnknownPlugin(f"No lesson {which[:20]}; there are lessons 1 to {len(lessons)}.")
    return found or LESSONS.get(which[:80])()
