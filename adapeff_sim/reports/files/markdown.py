"""Verdict and tables as Markdown, for papers, notes and pull requests."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapeff_sim.reports.base import FILES
from adapeff_sim.reports.pictures import written
from adapeff_sim.reports.sheets import Cell, Sheet, sheets
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import nothing_trained, plural

SIGNS = re.compile(r"([\\`*\[\]|~!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-]|(?<=\d)[.)](?=\s|$))")


@FILES.register
def markdown(runs: Sequence[Told], file: Path) -> list[Path]:
    """Write all runs to one file. Raises ReportError where the disk refuses."""
    return [written(file, "\n".join(part for told in runs for part in _run(told)))]


def _run(told: Told) -> Iterator[str]:
    facts, prices = told.results.facts, told.results.prices
    yield f"# {escaped(facts.name)}\n"
    if facts.description:
        yield f"{escaped(facts.description)}\n"
    seeds = f"{plural(len(facts.seeds), 'seed')} ({', '.join(map(str, facts.seeds))})"
    yield f"{facts.terms.horizon_days:g} days, {seeds}, prices {escaped(prices.name)} in {escaped(prices.currency)}\n"
    if words := nothing_trained(told.results.environment):
        yield f"**{escaped(words)}**\n"
    yield "## Verdict\n"
    yield from (f"- {escaped(sentence)}" for sentence in told.results.verdict.sentences)
    yield ""
    for sheet in sheets(told):
        yield from _table(sheet)


def _table(sheet: Sheet) -> Iterator[str]:
    yield f"## {escaped(sheet.title)}\n"
    yield f"| {' | '.join(map(escaped, sheet.heads))} |"
    columns = list(zip(*sheet.rows, strict=True)) or [() for _ in sheet.heads]
    yield f"|{'|'.join('---:' if any(map(_is_number, cells)) else '---' for cells in columns)}|"
    for row in sheet.rows:
        yield f"| {' | '.join(escaped(cell.said) for cell in row)} |"
    yield f"\n{escaped(sheet.note)}\n" if sheet.note else ""


def _is_number(cell: Cell) -> bool:
    return isinstance(cell.value, int | float)


def escaped(text: str) -> str:
    """A text that Markdown and the HTML made of it show as it is."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return SIGNS.sub(r"\\\1", plain)
