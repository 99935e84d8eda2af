"""Curves of cumulative cost, drawn with characters: one picture for each component, on an axis of its own."""

import math
import statistics
from collections.abc import Iterator
from typing import NamedTuple

import plotext
from rich.text import Text

from adapeff_sim.reports.wording import line, money, plural, surety
from adapeff_sim.results import Results

COLOURS = (33, 28, 170, 166, 30, 160, 99, 130, 244, 64)  # of 256, seen on black and on white; then they come again
SIGNS = "●×+◇■○▲∗"  # where there is no colour, every strategy has a sign of its own
RANGE = "·"  # the lowest and the highest of several seeds
HEIGHT = 12
LINES = HEIGHT - 5  # of a picture, in which curves are drawn
NARROWEST = 40
GUTTER = 3
ROUND = (0.2, 0.25, 0.5, 1, 2, 2.5, 5)
MOST_TICKS, USUAL_TICKS = 5, 4  # above 0


class Legend(NamedTuple):
    """How one strategy is drawn."""

    label: str
    colour: int
    sign: str


def legends(results: Results) -> list[Legend]:
    """Colour and sign of every strategy, the same in all pictures."""
    labels = results.facts.labels
    return [Legend(x, COLOURS[i % len(COLOURS)], SIGNS[i % len(SIGNS)]) for i, x in enumerate(labels)]


def curves(results: Results, width: int, has_colour: bool) -> Iterator[Text]:
    """The pictures, two beside each other where there is room for that, and what is what."""
    names = list(dict.fromkeys(curve.component for curve in results.curves))
    beside = 2 if width >= 2 * (NARROWEST + 15) + GUTTER else 1
    each = (min(max(width, NARROWEST), 160) - GUTTER * (beside - 1)) // beside
    pictures = [picture(results, name, each, has_colour) for name in names]
    for i in range(0, len(pictures), beside):
        for row in zip(*(p.split("\n") for p in pictures[i : i + beside]), strict=True):
            yield Text(" " * GUTTER).join(row)
        yield Text()
    yield _key(results, width, has_colour)


def picture(results: Results, component: str, width: int, has_colour: bool) -> Text:
    """The cumulative cost of one component for every strategy, mean over seeds, in ``HEIGHT`` lines."""
    plotext.terminal.limit(False, False)  # the width is ours, also where there is no terminal
    figure = plotext.figure.clear()
    figure.theme("colorless").canvas("default").plot_size(width, HEIGHT)
    figure.title(f"{component}, {results.prices.currency}").label("day", "x")
    top = 0.0
    for legend in legends(results) if len(results.facts.seeds) > 1 else ():  # under the means, which stay whole
        for ends in filter(None, seed_range(results, legend.label, component)):
            top = max(top, *ends)
            dots = plotext.marker(RANGE, legend.colour) if has_colour else plotext.marker(RANGE)
            figure.draw(figure.signal(list(results.days), ends, marker=dots).lines())
    for legend in legends(results):
        amounts = mean_curve(results, legend.label, component)
        if not amounts:
            continue  # nothing is known of it, which is not 0
        top = max(top, *amounts)
        marker = plotext.marker("braille", legend.colour) if has_colour else plotext.marker(legend.sign)
        figure.draw(figure.signal(list(results.days), amounts, marker=marker).lines())
    rounds = ticks(top)
    figure.ruler("y").lim(0, rounds[-1] or 1).ticks(rounds, [money(amount) for amount in rounds])
    days = day_ticks(results, width)
    figure.ruler("x").lim(results.days[0], results.days[-1]).ticks(days, [f"{day:g}" for day in days])
    text = Text.from_ansi(figure.build().string(colorless=not has_colour))
    rows = list(text.split("\n"))[:HEIGHT]
    for row in rows:
        row.rstrip()
        row.pad_right(max(0, width - len(row)))
    return Text("\n").join(rows)


def day_ticks(results: Results, width: int) -> list[float]:
    """The days of the events and the horizon, as far as their numbers do not run into each other."""
    first, last = results.days[0], results.days[-1]
    per_day = (width - 10) / max(1e-9, last - first)
    found = [last]
    for day in sorted({event.day for event in results.facts.events}, reverse=True):
        if first <= day and (found[-1] - day) * per_day > len(f"{day:g}") + 2:
            found.append(day)
    return found[::-1]


def mean_curve(results: Results, label: str, component: str) -> list[float]:
    """The curve of one strategy, mean over its seeds, a number for each of the results' days; nothing if not known."""
    of = [c.amounts for c in results.curves if (c.label, c.component) == (label, component)]
    return [statistics.fmean(amounts) for amounts in zip(*of, strict=True)]


def seed_range(results: Results, label: str, component: str) -> tuple[list[float], list[float]]:
    """The lowest and the highest of the seeds' curves, a number for each of the results' days."""
    of = [c.amounts for c in results.curves if (c.label, c.component) == (label, component)]
    amounts = list(zip(*of, strict=True))
    return [min(each) for each in amounts], [max(each) for each in amounts]


def hidden(results: Results) -> Iterator[str]:
    """Which curves lie on each other, so that only the last of them is seen: a sentence for each such group."""
    names = list(dict.fromkeys(curve.component for curve in results.curves))
    found: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        for group in _alike(results, name):
            found.setdefault(group, []).append(name)
    every = results.facts.labels
    for group, where in found.items():
        who = "all strategies" if len(group) == len(every) else " = ".join(line(label).plain for label in group)
        yield f"On each other in {', '.join(where)}: {who}."


def unknown(results: Results) -> Iterator[str]:
    """Which curves are not there, as nothing is known of them: a sentence for each component."""
    drawn = {(curve.label, curve.component) for curve in results.curves}
    for name in dict.fromkeys(row.component for row in results.totals):
        if gone := [line(x).plain for x in results.facts.labels if (x, name) not in drawn]:
            yield f"No curve of {name}, as it is unavailable: {', '.join(gone)}."


def _alike(results: Results, component: str) -> Iterator[tuple[str, ...]]:
    """Groups of at least two strategies whose curves are nowhere half a line of the picture apart."""
    every = {label: mean_curve(results, label, component) for label in results.facts.labels}
    amounts = {label: curve for label, curve in every.items() if curve}
    near = ticks(max((max(curve, default=0.0) for curve in amounts.values()), default=0.0))[-1] / LINES / 2
    groups: list[list[str]] = []
    for label, curve in amounts.items():
        for group in groups:
            if all(abs(a - b) <= near for a, b in zip(curve, amounts[group[0]], strict=True)):
                group.append(label)
                break
        else:
            groups.append([label])
    return (tuple(group) for group in groups if len(group) > 1)


def ticks(top: float) -> list[float]:
    """A few round numbers from 0 to the first one that is not below ``top``; of all such rows the lowest end."""
    if top <= 0 or not math.isfinite(top):
        return [0.0]
    power = 10.0 ** math.floor(math.log10(top))
    counted = ((math.ceil(top / (m * power) - 1e-9), m * power) for m in ROUND)
    few = [(number, step) for number, step in counted if 1 < number <= MOST_TICKS]
    number, step = min(few, key=lambda one: (round(one[0] * one[1] / power, 9), abs(one[0] - USUAL_TICKS)))
    return [step * i for i in range(number + 1)]


def _key(results: Results, width: int, has_colour: bool) -> Text:
    """Which curve is whose, and what the curves are; no line ends within the name of a curve that fits on one."""
    seeds = len(results.facts.seeds)
    over = f", mean of {plural(seeds, 'seed')} ({RANGE} their range)" if seeds > 1 else ""
    rows = [Text(f"Cumulative cost by day{over}:")]
    for legend in legends(results):
        sign = "━━" if has_colour else legend.sign
        entry = Text(sign, style=f"color({legend.colour})").append(" ").append_text(Text(line(legend.label).plain))
        if rows[-1].cell_len + 2 + entry.cell_len > width:
            rows.append(Text())
        rows[-1].append("  ").append_text(entry)
    rows += [Text(said) for said in hidden(results)]
    if sure := surety(curve.provenance for curve in results.curves):
        rows.append(Text(f"Amounts: {sure}."))
    if any(not curve.complete for curve in results.curves):
        rows.append(Text("A curve that lacks unavailable amounts is a lower bound."))
    rows += [Text(said) for said in unknown(results)]
    return Text("\n", overflow="fold").join(rows)
