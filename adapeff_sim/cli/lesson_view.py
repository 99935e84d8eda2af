"""A lesson on the screen and as JSON: the list, the question, and the answer with its numbers."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from adapeff_sim.lessons.base import Figure, Finding, Lesson, Unit
from adapeff_sim.reports.tables import table
from adapeff_sim.reports.wording import duration, flops, line, plain, size

SAID: dict[Unit, Callable[[float], str]] = {
    "count": lambda n: f"{n:,.0f}" if n == int(n) else f"{n:,.2f}",
    "flops": flops,
    "bytes": size,
    "share": lambda n: f"{100 * n:.3g} %",
    "seconds": lambda n: f"{n:.3g} s",
    "points": lambda n: f"{n:.1f}",
    "money": lambda n: f"{n:,.2f}" if n == 0 or n >= 0.01 else f"{n:.2g}",
    "factor": lambda n: f"{n:.2f} x",
}
NONE, INDENT = "–", (0, 0, 0, 2)


def listed(lessons: Sequence[Lesson], as_json: bool) -> None:
    """Every lesson with its number, its name, and how long it takes."""
    if as_json:
        told = [{"number": x.number, "name": x.name, "title": x.title, "seconds": x.seconds} for x in lessons]
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
        return
    console = Console(highlight=False)
    made = table("lesson", "name", "takes", title="Lessons: a question each, a short run, and its answer")
    made.columns[1].justify = "left"
    for x in lessons:
        made.add_row(f"{x.number}  {x.title}", x.name, duration(x.seconds))
    console.print(made)
    console.print("Times are rough, for two cores and an empty store.")
    console.print("Begin with: adapeff-sim lesson 1", soft_wrap=True)


def asked(console: Console, lesson: Lesson, is_asking: bool) -> int | None:
    """Put the question; the choice that is guessed, counted from 0, or None."""
    console.print(Rule(line(f"Lesson {lesson.number}: {lesson.title}", "bold"), align="left"))
    console.print(Padding(line(lesson.question), (1, 0)))
    for number, choice in enumerate(lesson.choices, 1):
        console.print(Padding(line(f"{number} {choice}"), INDENT))
    console.print()
    if not is_asking:
        return None
    guess = _typed(console, f"Your guess, 1 to {len(lesson.choices)} (Enter to see): ")
    is_one = guess.isascii() and guess.isdigit() and 0 < int(guess[:9]) <= len(lesson.choices)
    return int(guess[:9]) - 1 if is_one else None


def answered(console: Console, lesson: Lesson, finding: Finding, at: Path, guess: int | None, is_asking: bool) -> None:
    """The numbers, what they say of the claim and of the guess, and why it is so."""
    console.print(numbers(finding))
    head = ("The claim holds: ", "bold green") if finding.holds else ("Not seen in these numbers: ", "bold yellow")
    console.print(Text.assemble(head, line(finding.claim)))
    console.print(line(_told(lesson, finding, guess)))
    if is_asking:
        _typed(console, "Enter for why. ")
    for paragraph in lesson.why:
        console.print(Padding(line(paragraph), (1, 0, 0, 0)))
    console.print(Padding(line("Read on and try:", "bold"), (1, 0, 0, 0)))
    for place in (*lesson.read_on, f"adapeff-sim report runs/{lesson.name}"):
        console.print(Text("  ").append_text(line(place.replace(f"runs/{lesson.name}", str(at)))), soft_wrap=True)


def _told(lesson: Lesson, finding: Finding, guess: int | None) -> str:
    """The right answer, and whether it was guessed."""
    if finding.choice is None:
        return "None of the answers fits these numbers."
    right = f"Answer {finding.choice + 1}: {lesson.choices[finding.choice]}."
    said = {None: "", finding.choice: " You guessed it."}
    return right + said.get(guess, "" if guess is None else f" You guessed {guess + 1}.")


def numbers(finding: Finding) -> Any:
    """The figures as a table; where they come from stands in the last column."""
    has_shares = any(figure.share is not None for figure in finding.figures)
    made = table("", *finding.columns, *(["of that"] if has_shares else []), "", title="What the run says")
    for figure in finding.figures:
        share = [NONE if figure.share is None else SAID["share"](figure.share)] if has_shares else []
        made.add_row(plain(figure.what), *_cells(figure), *share, Text(figure.provenance, style="dim"))
    return made


def _cells(figure: Figure) -> list[str]:
    return [NONE if amount is None else SAID[figure.unit](amount) for amount in figure.amounts]


def as_json(lesson: Lesson, finding: Finding, at: Path) -> str:
    """Question, answer and figures as one JSON document; ``choice`` counts from 0."""
    told = {
        "number": lesson.number,
        "name": lesson.name,
        "title": lesson.title,
        "question": lesson.question,
        "choices": lesson.choices,
        **finding.model_dump(mode="json"),
        "why": lesson.why,
        "read_on": lesson.read_on,
        "run": str(at),
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _typed(console: Console, prompt: str) -> str:
    """What is typed on one line; nothing where the input ends."""
    try:
        return console.input(prompt, markup=False).strip()
    except EOFError:
        console.print()
        return ""
