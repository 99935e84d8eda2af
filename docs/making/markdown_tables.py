"""Markdown of the generated pages: cells that break no table, and tables."""

import re
from collections.abc import Iterable, Sequence

TOP = "<!-- Written by docs/making from the program's own objects; change them, not this page. -->\n"


def cell(text: object) -> str:
    """Text in one line of a table, with nothing in it taken for a column or for HTML."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def code(text: object) -> str:
    """Text as it is typed; nothing for nothing."""
    said = " ".join(str(text).split()).replace("|", "\\|")
    return f"`{said}`" if said else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def paragraph(text: str) -> str:
    """A docstring as Markdown: its paragraphs, with names in single instead of double backquotes."""
    parts = [" ".join(part.split()) for part in text.strip().split("\n\n")]
    return "\n\n".join(parts).replace("``", "`") + "\n"


def short(types: str) -> str:
    """Types as one says them: ``tuple[adapeff_sim.costs.totals.TotalRow, ...]`` as ``tuple[TotalRow, ...]``."""
    return re.sub(r"\b[a-z_]+(?:\.[a-z_]+)*\.(?=[A-Z])", "", types)


def type_of(annotation: object) -> str:
    """A type in short, without the modules that it is from."""
    name = getattr(annotation, "__name__", None) if not hasattr(annotation, "__args__") else None
    return short(name or str(annotation))
