"""A forecast for a reader: what every event costs once and every month, totals, and what all of it rests on."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from pydantic import JsonValue
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from adapeff_sim.conduct import Estimated
from adapeff_sim.costs.totals import TotalRow
from adapeff_sim.estimation.assumptions import Assumption
from adapeff_sim.forecast import NOTHING, Line, Money, Turn
from adapeff_sim.ledger.outcome import sure_of
from adapeff_sim.ledger.trainings import TrainingRow
from adapeff_sim.reports.tables import CELL, NARROW, TIGHT, starred, table
from adapeff_sim.reports.wording import duration, flops, folded, line, money, quantity, star
from adapeff_sim.results import Results

STYLES = {"+": "green", "~": "yellow", "-": "red", "": "dim"}
WORDS = {"+": "created", "~": "rebuilt", "-": "retired"}
JSON_VERSION = 1
NAME = 18  # columns of what is trained
ROOMY = 100  # columns of a screen on which names and heads need no folding


def views(found: Estimated, turns: Sequence[Turn], width: int) -> Iterator[RenderableType]:
    """All parts, from the legend to the verdict; below ``ROOMY`` columns tables are narrow."""
    results = found.results
    currency = results.prices.currency
    terms = f"{results.facts.terms.horizon_days:g} days, prices {results.prices.name} in {currency}"
    yield line(f"{results.facts.name}: {terms}", "bold")
    yield Text(legend(turns, results), style="dim")
    seeds = {turn.seed for turn in turns}
    moments = sorted(turns, key=lambda t: (t.seed, t.day, t.place))
    for (seed, day, _, event), group in groupby(moments, key=lambda t: (t.seed, t.day, t.place, t.event)):
        where = f" (seed {seed})" if len(seeds) > 1 else ""
        yield _event(f"day {day:g}: {event}{where}", currency, list(group))
    yield trainings(results.trainings, width)
    yield totals(results, width)
    yield assumptions(found.assumptions)
    yield Text("Verdict", style="bold")
    yield from (Padding(line(sentence), (0, 0, 0, 2)) for sentence in results.verdict.sentences)


def legend(turns: Sequence[Turn], results: Results) -> str:
    """What the signs mean that stand in the tables."""
    signs = {each.sign for turn in turns for each in turn.lines}
    bounds = [m.is_lower_bound for turn in turns for m in (turn.once, turn.monthly)]
    low = any(bounds) or any(row.unavailable for row in results.totals)
    told = [f"{sign} {word}" for sign, word in WORDS.items() if sign in signs]
    told += ["* estimated or assumed: nothing was trained", *(["≥ a lower bound"] if low else [])]
    return "   ".join(told)


def _event(title: str, currency: str, turns: Sequence[Turn]) -> Table:
    """One event: for each strategy a line of its own, and under it one for each artifact and kind of cost."""
    made = table("", f"once, {currency}", f"a month, {currency}", title=title)
    for turn in turns:
        made.add_row(line(turn.label, "bold"), _once(turn.once), _monthly(turn.monthly))
        for each in turn.lines:
            made.add_row(_what(each), _once(each.once), _monthly(each.monthly))
    return made


def _what(each: Line) -> Text:
    return Text("  ").append(f"{each.sign or ' '} ", STYLES[each.sign]).append_text(line(each.what))


def _once(found: Money) -> Text:
    return Text("") if found == NOTHING else amount(found)


def _monthly(found: Money) -> Text:
    return Text("") if found.amount == 0 and not found.is_lower_bound else amount(found, "+")


def amount(found: Money, plus: str = "") -> Text:
    """An amount with the marks of what it is: ``*`` estimated or assumed, ``≥`` a lower bound."""
    if found.amount is None:
        return Text("unavailable", style="yellow")
    sign = plus if found.amount > 0 else ""
    return Text(f"{'≥' if found.is_lower_bound else ''}{sign}{money(found.amount)}{star([found.provenance])}")


def totals(results: Results, width: int) -> Table:
    """Money by component and strategy at the horizon."""
    names = list(dict.fromkeys(row.component for row in results.totals))
    tops = [NARROW.get(name, name) if width < ROOMY else name for name in names]
    title = f"By day {results.facts.terms.horizon_days:g}, in {results.prices.currency}"
    made = table("", *map(Text, tops), title=title)
    found = {(row.label, row.component): row for row in results.totals}
    for label in results.facts.labels:
        head = folded(label, CELL) if width < ROOMY else line(label)
        made.add_row(head, *(_total(found[label, name]) for name in names))
    return made


def _total(row: TotalRow) -> Text:
    low = "≥" if row.unavailable and row.mean is not None else ""
    return Text(f"{low}{money(row.mean)}{starred(row)}", style="yellow" if row.unavailable else "")


def trainings(rows: Sequence[TrainingRow], width: int) -> Table:
    """Every distinct training: how many steps, what is trained, and its operations by both accountings."""
    heads = (
        "steps an\nepoch",
        "epochs",
        "steps",
        "trained",
        "FLOPs, 6ND",
        "time",
        *(("is",) if width >= ROOMY else ()),
    )
    made = table(
        "day", "trains", *map(Text, heads), title="Trainings, each once; below true operations the nominal ones, 6ND"
    )
    made.columns[0].min_width, made.columns[1].justify, made.collapse_padding = None, "left", width < ROOMY
    for column in made.columns[3:]:
        column.no_wrap = True
    once = {row.key: row for row in reversed(rows)}.values()
    found = [(row, [*_took(row, width)]) for row in sorted(once, key=lambda row: (row.day, row.slot))]
    columns = zip(heads, *(cells for _, cells in found), strict=True)
    widest = [max(len(said) for cell in column for said in str(cell).split("\n")) for column in columns]
    days = max((len("day"), *(len(f"{row.day:g}") for row in once)))
    room = width - sum(n + TIGHT for n in (days, *widest)) - TIGHT
    for row, cells in found:
        made.add_row(f"{row.day:g}", _who(row, None if width >= ROOMY else min(NAME, room)), *cells)
    return made


def _who(row: TrainingRow, fold: int | None) -> Text:
    """What is trained and for which strategy, in pieces of ``fold`` columns where room is short."""
    if fold is None:
        return line(row.slot).append(" ").append_text(line(row.label, "dim"))
    label = folded(row.label, fold)
    label.stylize("dim")
    return folded(row.slot, fold).append("\n").append_text(label)


def _took(row: TrainingRow, width: int) -> Iterator[str | Text]:
    """One training: its steps and what they take; how sure that is where there is room."""
    told = row.usage
    epochs, steps = told["train_epochs"], told["train_steps"]
    yield from (f"{steps / epochs:,.0f}*", f"{epochs:.3g}*", f"{steps:,.0f}*")
    yield _star(told.get("trainable_parameters"), flops)  # with the same prefixes
    yield "\n".join(_star(told.get(name), flops) for name in ("train_flops", "nominal_train_flops"))
    yield _star(told.get("train_seconds"), duration)
    if width >= ROOMY:  # narrow: * says as much
        yield Text(sure_of(row, *told), "dim")


def _star(number: float | None, said: Callable[[float], str]) -> str:
    return "unavailable" if number is None else f"{said(number)}*"


def assumptions(found: Sequence[Assumption]) -> Table:
    """What the estimate rests on, each with how sure it is."""
    made = table("what", "value", "", "from", title="What this rests on")
    made.columns[2].justify = made.columns[3].justify = "left"
    for each in found:
        value = "" if each.value is None else f"{quantity(each.value)} {each.unit}"
        made.add_row(line(each.what), value, each.provenance, line(each.source, "dim"))
    return made


def as_json(plan: str, found: Estimated, turns: Sequence[Turn], over: Sequence[str]) -> str:
    """The plan's JSON with what it would cost under ``price``; every amount says how sure it is."""
    results = found.results
    told: dict[str, JsonValue] = {
        "version": JSON_VERSION,
        "currency": results.prices.currency,
        "executor": "estimate",
        "assumptions": [each.model_dump(mode="json") for each in found.assumptions],
        "events": [turn.model_dump(mode="json") for turn in turns],
        "trainings": [row.model_dump(mode="json") for row in results.trainings],
        "totals": [row.model_dump(mode="json") for row in results.totals],
        "verdict": results.verdict.model_dump(mode="json"),
        "over": list(over),
    }
    return json.dumps(json.loads(plan) | {"price": told}, indent=1, ensure_ascii=False) + "\n"
