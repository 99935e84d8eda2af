"""What is wrong with a scenario: every problem with its place, all of them in one error."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from adapeff_sim.errors import ScenarioError

Place = tuple[str | int, ...]  # where in the file: ("timeline", 3, "labelled")
COMMAND_LINE = "command line"
FROM_PYTHON, ARGUMENT = "Scenario.load", "argument "  # what stands for a flag where no command was typed
PROBLEMS_SHOWN = 40
OF_OTHER_FILES: tuple[Place, ...] = (("prices",), ("--prices",))  # whose problems have file and line of their own
LONGEST_PATH, LONGEST_TEXT = 120, 600  # characters; what is quoted from the file is somebody else's


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what was found, and what would do; line 0 stands for the whole file.

    With ``is_warning`` it is nothing wrong, but something to know.
    """

    place: Place
    text: str
    line: int = 0
    is_warning: bool = False


class Problems(ScenarioError):
    """All that is wrong with one scenario, a line for each problem, in the order of the file."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        unique = dict.fromkeys(problems)
        self.problems = tuple(sorted(unique, key=lambda p: (p.line, [str(part) for part in p.place])))
        lines = list(_lines(file, self.problems[:PROBLEMS_SHOWN]))
        if len(self.problems) > PROBLEMS_SHOWN:
            lines.append(f"{file}: and {len(self.problems) - PROBLEMS_SHOWN} more problems; correct these first")
        super().__init__("\n".join(lines))


def from_python(found: Problems) -> Problems:
    """The same for somebody who typed no command: each flag is the argument of that name."""
    said = (
        replace(p, place=(ARGUMENT + flag.removeprefix("--"), *p.place[1:])) if flag.startswith("--") else p
        for p in found.problems
        for flag in [str(p.place[0]) if p.place else ""]
    )
    return Problems(found.file, said)


def path_of(place: Place) -> str:
    """A place as it is written in an error: ``timeline[3].labelled``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
    return printable(text if len(text) <= LONGEST_PATH else text[:LONGEST_PATH] + "…")


def printable(text: str) -> str:
    """The text with everything a terminal would not print as a character escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _lines(file: str, problems: Iterable[Problem]) -> Iterator[str]:
    """A line for each problem; below one heading those that another file has, at the place that names it."""
    for (place, line), group in groupby(problems, key=lambda p: (p.place, p.line)):
        found = list(group)
        if len(found) == 1 or place not in OF_OTHER_FILES:
            yield from (line_of(file, problem) for problem in found)
            continue
        yield line_of(file, Problem(place, "", line)) + ":"
        yield from (f"  {_short(problem.text)}" for problem in found)


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def line_of(file: str, problem: Problem) -> str:
    """A problem on one line: file or command line, line, place and text."""
    key = str(problem.place[0]) if problem.place else ""
    said_in = COMMAND_LINE if key.startswith("--") else FROM_PYTHON if key.startswith(ARGUMENT) else printable(file)
    line = [str(problem.line)] if problem.line else []
    where = ":".join([said_in, *line])
    return ": ".join(part for part in (where, path_of(problem.place), _short(problem.text)) if part)
