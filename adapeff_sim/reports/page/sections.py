"""The sections of one run on the page, from its curves to how it is done again."""

import shlex
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from adapeff_sim.demos import is_demo
from adapeff_sim.ledger.outcome import NOT_MEASURED
from adapeff_sim.reports import sheets, work
from adapeff_sim.reports.notes import of_seeds
from adapeff_sim.reports.page import series
from adapeff_sim.reports.page.controls import graph_section
from adapeff_sim.reports.page.happened import events_table
from adapeff_sim.reports.page.tables import grouped, legend, table
from adapeff_sim.reports.pictures import ESTIMATED, is_estimated
from adapeff_sim.reports.projection import carried, how, larger, projected, titled
from adapeff_sim.reports.sheets import Cell
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import nothing_trained
from adapeff_sim.results import Projection, Results

ABOVE = "total, above the lowest"  # where one component dwarfs the others, all totals look alike
CURVES = "Money spent by each day. Dotted lines are events: point at their {}, or see what happened. "
BOUND = "A curve that lacks unavailable amounts is a lower bound: it crosses none, and lies above none. "
BAND = "A line is the mean of the seeds, the band around it their range. "
TRADED = "Total cost by the horizon against the mean score, a point for each strategy; the table below has the numbers."
FRONT = "The dotted line joins the strategies that none beats in both cost and score."
EQUALLED = "FLOPs of training until the score that all strategies reach, for every event and task; numbers follow."
UNEQUAL = "<h3>At equal quality</h3><p>Unavailable: the results of this run tell of no cost at equal quality.</p>"
WENT = "FLOPs of each strategy by phase; the table below has the numbers."
PARTS = "FLOPs of training of each strategy, part by part; the table below has the numbers."
UNSCORED = '<p class="note">Unavailable: nothing was scored, so there is no score to draw.</p>'
CROSSINGS = (
    '<div class="crossings"><h3>Where curves cross</h3><ul></ul>'
    '<p class="note">Two curves cross where each was more than 1 % below the other{}.</p></div>'
)


def sections(told: Told, i: int) -> Iterator[str]:
    """All of them; ``i`` is the place of the run on the page."""
    results = told.results
    key = legend(results.facts.labels)
    yield _section(f"curves-{i}", "Cumulative cost", key + _costs(results) + _crossings(results))
    yield _section(f"events-{i}", "What happened", events_table(work.events(told)))
    yield _section(f"graph-{i}", "Artifacts, event by event", graph_section(told, i))
    yield _section(f"quality-{i}", "Quality over time", _scores(results, key) + table(sheets.quality(told)))
    yield _section(f"trade-{i}", "Cost against quality", _trade(told, key))
    yield _section(f"flops-{i}", "Where the FLOPs went", _flops(told))
    whence = table(sheets.provenance(told), titled=False) + "".join(map(table, sheets.assumptions(results)))
    yield _section(f"provenance-{i}", "Where the amounts come from", whence)
    if results.projection:
        yield _projection(results, results.projection, i)
    yield _section(f"again-{i}", "How to do it again", again(told))


def _section(name: str, title: str, body: str, kind: str = "") -> str:
    said = f' class="{kind}"' if kind else ""
    return f'<section{said} aria-labelledby="{name}"><h2 id="{name}">{escape(title)}</h2>{body}</section>\n'


def _costs(results: Results) -> str:
    """The curves as they were run; what is estimated of them is marked."""
    names = list(dict.fromkeys(row.component for row in results.totals))
    marked = {name for name in names if any(is_estimated(row, name) for row in results.rows)}
    note = f'<p class="note">{_read(results)}{ESTIMATED if marked else ""}</p>'
    return note + _grown("grown", names, marked, "Cumulative {} cost of every strategy by day")


def _read(results: Results) -> str:
    """How the curves are read."""
    sign = "number" if any(row["n"] for row in series.event_rows(results)) else "sign"
    bound = "" if all(curve.complete for curve in results.curves) else BOUND
    return CURVES.format(sign) + (BAND if len(results.facts.seeds) > 1 else "") + bound


def _crossings(results: Results) -> str:
    """A place for where curves cross; one alone crosses none."""
    return CROSSINGS.format(of_seeds(results)) if len(results.facts.labels) > 1 else ""


def _grown(kind: str, names: Sequence[str], marked: set[str], said: str) -> str:
    """A chart for every component and the total, the total first; numbers below each for who cannot see it."""
    boxes = [
        _chart(kind, f"{said.format(name)}; its numbers follow.", name, numbers=True, is_marked=name in marked)
        for name in [*names[-1:], *names[:-1]]
    ]
    above = "How far the total of every strategy lies above the lowest, by day; its numbers follow."
    boxes.insert(1, _chart(kind, above, ABOVE, numbers=True, is_marked=names[-1] in marked))
    return f'<div class="charts">{"".join(boxes)}</div>'


def _projection(results: Results, found: Projection, i: int) -> str:
    """The life at the size of production: curves and tables of its own, estimated and assumed."""
    names, sure = list(dict.fromkeys(row.component for row in found.totals)), how(found).capitalize()
    said = f'<p class="warning">* {escape(carried(found))}</p>'
    said += f'<p class="note">{_read(larger(results) or results)}No slider moves these.</p>'
    drawn = _grown(
        "projected", names, set(names), f"{sure}, not measured: cumulative {{}} cost of every strategy by day"
    )
    both = "".join(table(sheet) for sheet in projected(results))
    return _section(f"projection-{i}", titled(found), said + legend(results.facts.labels) + drawn + both, "estimated")


def _scores(results: Results, key: str) -> str:
    """A chart of every endpoint that was scored; in a run that scored none, that it did not."""
    names = [e for e in series.endpoints(results) if series.score_rows(results, e)]
    boxes = [_chart("scored", f"Score of {e} by day; the table below has the last.", e) for e in names]
    return f'{key}<div class="charts">{"".join(boxes)}</div>' if boxes else UNSCORED


def _trade(told: Told, key: str) -> str:
    """Cost against quality: drawn where there is quality, then as tables, at equal quality too."""
    means, labels = series.quality_means(told), told.results.facts.labels
    drawn = {row["label"] for row in means}
    lost = ", ".join(label for label in labels if label not in drawn)
    front = f'<p class="note">{FRONT}</p>' if len(means) > 1 else ""
    made = f"{key}{_chart('traded', TRADED)}{front}" if means else UNSCORED
    if means and lost:
        made += f'<p class="note">Not drawn, as not all of its scores are known: {escape(lost)}.</p>'
    made += table(sheets.pareto(told), titled=False)
    return made + _equalled(told.results)


def _equalled(results: Results) -> str:
    """What the same quality took: drawn for the score that all reach, and in numbers for every goal."""
    made = [grouped(sheet, len(work.GOAL), _goal) for sheet in work.equal_quality(results)]
    if not made:
        return UNEQUAL
    drawn = _chart("equalled", EQUALLED, "at equal quality") if series.equalled_rows(results) else ""
    return f'{drawn}<details class="reached"><summary>Numbers at equal quality</summary>{"".join(made)}</details>'


def _goal(when: Sequence[Cell]) -> str:
    day, task, goal, points = (cell.said for cell in when)
    return f"day {day}, {task}: {points} points, {goal}"


def _flops(told: Told) -> str:
    """Where the FLOPs went: by phase, and of training part by part."""
    star = any(row.provenance in NOT_MEASURED for row in told.results.events)
    boxes = [_chart("went", WENT, "all of it, by phase", is_marked=star)] if series.flop_rows(told) else []
    boxes += [_chart("parts", PARTS, "training, part by part", is_marked=star)] if series.part_rows(told) else []
    drawn = f'<div class="charts">{"".join(boxes)}</div>' + (f'<p class="note">{ESTIMATED}</p>' if star else "")
    return drawn + "".join(table(sheet, titled=False) for sheet in (work.phases(told), *work.parts(told)))


def _chart(kind: str, told: str, name: str = "", numbers: bool = False, is_marked: bool = False) -> str:
    """A place for a chart, with what it shows in words; a star marks what is estimated."""
    star = " *" if is_marked else ""
    title = f"<figcaption>{escape(name)}{star}</figcaption>" if name else ""
    below = (
        '<details class="numbers"><summary>Numbers</summary>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}, numbers"></div></details>'
        if numbers
        else ""
    )
    return (
        f'<figure>{title}<div class="chart" data-chart="{kind}" data-name="{escape(name)}" role="img" '
        f'aria-label="{escape(told)}"></div>{below}</figure>'
    )


def again(told: Told) -> str:
    """The command that does it again, the scenario's text, and with what it was done."""
    report = f"adapeff-sim report {shlex.quote(told.folder)} --html page.html"
    environment = (
        f"<details><summary>Environment, digests and prices</summary>{table(sheets.environment(told))}</details>"
    )
    if not told.scenario:
        lost = '<p class="note">The same run: unavailable, as its scenario was not kept.</p>'
        return f"{lost}<p>This page:</p><pre><code>{escape(report)}</code></pre>{environment}"
    is_shown = is_demo(Path(told.folder))  # what comes along has no folder to run in
    file = Path() if is_shown else Path(told.folder)
    estimates = " --executor estimate" if nothing_trained(told.results.environment) else ""
    command = f"adapeff-sim run {shlex.quote(str(file / 'scenario.yaml'))}{estimates}"
    saved = ", with the text below in a file scenario.yaml" if is_shown else ""
    text = f"<details><summary>scenario.yaml</summary><pre>{escape(told.scenario)}</pre></details>"
    said = f"<p>The same run{saved}, and this page of it:</p>"
    return f"{said}<pre><code>{escape(command)}\n{escape(report)}</code></pre>{text}{environment}"
