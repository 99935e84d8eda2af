"""What README and docs tell a reader to type: commands, Python and files, page by page and in their order.

A block of `console` or `bash` holds commands, one a line; `# exit code N` at its top says how the last of them ends.
A block of `python` is executed; one with `title="FILE"`, of whatever language, is a file that the reader saves.
Commands that stand within a sentence or a table (`adapeff-sim plan SCENARIO`) count as well; where one is only named
(`adapeff-sim plan`), its help is asked for.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*) *(.*)$")
TITLE = re.compile(r'title="([^"]+)"')
SPAN = re.compile(r"`((?:adapeff-sim|make|pip|pytest|python) [^`]+)`")
MENTION = re.compile(r"adapeff-sim [a-z]+")  # a command by its name, in a sentence
CODE = re.compile(r"# exit code (\d+)")
SHELLS = ("console", "bash", "sh")


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a page tells: a command, a program in Python, a file to save, or YAML to look at."""

    page: str
    line: int
    sort: str  # command, mention, python, file, yaml
    text: str
    title: str = ""
    exit_code: int = 0

    @property
    def words(self) -> list[str]:
        """A command's words, without its comment."""
        return shlex.split(self.text, comments=True)

    @property
    def command(self) -> str:
        """The command as it is known in tables: its words with single spaces between them."""
        return " ".join(self.words)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text.splitlines()[0] if self.text else ''}"


def pages() -> list[str]:
    """README and every page under docs, as they lie in the project."""
    return ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]


def said(page: str) -> Iterator[Said]:
    """Everything that a page tells a reader to type, save or look at."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = FENCE.match(lines[number])
        if fence is None:
            for found in SPAN.findall(lines[number]):
                yield Said(page, number + 1, "mention" if MENTION.fullmatch(found) else "command", found)
            number += 1
            continue
        end = next(n for n in range(number + 1, len(lines)) if lines[n].startswith("```"))
        yield from _block(page, number + 2, fence[1], TITLE.search(fence[2]), lines[number + 1 : end])
        number = end + 1


def _block(page: str, line: int, language: str, title: re.Match[str] | None, lines: list[str]) -> Iterator[Said]:
    text = "\n".join(lines) + "\n"
    if title:
        yield Said(page, line, "file", text, title[1])
    elif language in SHELLS:
        yield from _commands(page, line, lines)
    elif language in ("python", "yaml"):
        yield Said(page, line, language, text)


def _commands(page: str, line: int, lines: list[str]) -> Iterator[Said]:
    """The lines of a block that are commands; only the last of them may end with another code than 0."""
    code = int(found[1]) if (found := CODE.match(lines[0])) else 0
    typed = [(line + n, each) for n, each in enumerate(lines) if each.strip() and not each.startswith("#")]
    for n, each in typed:
        yield Said(page, n, "command", each, exit_code=code if (n, each) == typed[-1] else 0)
