"""The page itself: one file that needs nothing else, with all that is foreign escaped."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from adapeff_sim import __version__
from adapeff_sim.reports import sheets, work
from adapeff_sim.reports.page import charts, series
from adapeff_sim.reports.page.controls import controls, graph_section
from adapeff_sim.reports.page.graph import graph_of
from adapeff_sim.reports.page.tables import events_table, legend, scrolling, table
from adapeff_sim.reports.page.whatif import case_of
from adapeff_sim.reports.projection import projected
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import nothing_trained, plural

SCRIPTS = ("judge.js", "sentences.js", "graph.js", "page.js")
POLICY = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"


def page(runs: Sequence[Told], runtime: str) -> str:
    """The whole page; ``runtime`` is the script of Vega, Vega-Lite and Vega-Embed. The runs are tamed already."""
    names = ", ".join(told.results.facts.name for told in runs)
    parts = [_article(told, i) for i, told in enumerate(runs)]
    scripts = "".join(f"<script>{text}</script>\n" for text in (runtime, *map(own_file, SCRIPTS)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(names)} · adapeff-sim</title>\n<style>{own_file('page.css')}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">To the verdict</a>\n'
        f'{_compared(runs)}<main id="main">\n{"".join(parts)}</main>\n'
        f"<footer><p>adapeff-sim {escape(__version__)}. This page needs no network.</p></footer>\n{scripts}"
        "</body>\n</html>\n"
    )


def own_file(name: str) -> str:
    """A file that lies beside this one in the package."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def embedded(value: JsonValue) -> str:
    """JSON that can stand in a page: nothing in it can end a script, begin a comment, or break a line."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _compared(runs: Sequence[Told]) -> str:
    """Where there are several runs: which they are, what each came to, and the way to it."""
    if len(runs) < 2:
        return ""
    rows = []
    for i, told in enumerate(runs):
        facts, prices = told.results.facts, told.results.prices
        link = f'<a href="#run-{i}">{escape(facts.name)}</a><br><small>{escape(told.folder)}</small>'
        said = escape(" ".join(clauses(s)[0] for s in headline(told.results.verdict.sentences)))
        terms = escape(f"{facts.terms.horizon_days:g} days, {plural(len(facts.seeds), 'seed')}, {prices.name}")
        rows.append(f'<tr><th scope="row">{link}</th><td>{terms}</td><td>{said}</td></tr>')
    head = '<tr><th scope="col">run</th><th scope="col">terms</th><th scope="col">verdict</th></tr>'
    table = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<nav class="runs" aria-label="Runs"><h1>{plural(len(runs), "run")}</h1>{scrolling(table, "Runs")}</nav>\n'


def headline(sentences: Sequence[str]) -> list[str]:
    """The sentence on the total; where nobody is cheapest, why, and at what floor who would be."""
    whole = next((s for s in sentences if s.startswith("Total by day ")), "")
    return [whole] if whole else [sentences[0], *(s for s in sentences[1:2] if s.startswith("With a floor of "))]


def clauses(sentence: str) -> list[str]:
    """The claim, and at what quality it holds, a sentence each."""
    return [f"{text}." for text in re.split(r"; (?=[^;]+ scores [\d.]+ points on average)", sentence.removesuffix("."))]


def _article(told: Told, i: int) -> str:
    """One run."""
    data = embedded(data_of(told))
    sections = "".join(_sections(told, i))
    return (
        f'<article class="run" id="run-{i}" aria-labelledby="name-{i}">\n{_heading(told, i)}'
        f'<div class="layout">{controls(told.results, i)}<div class="columns">{sections}</div></div>\n'
        f'<script type="application/json" class="data">{data}</script>\n</article>\n'
    )


def data_of(told: Told) -> dict[str, JsonValue]:
    """Everything that the scripts of the page read of one run."""
    results = told.results
    span = (results.days[0], results.days[-1])
    look = look_of(told)
    scores: list[JsonValue] = [
        {"endpoint": e, "scores": [*series.score_rows(results, e)], "hover": [*series.score_hovers(results, e)]}
        for e in series.endpoints(results)
    ]
    specs: dict[str, Any] = {
        "grown": charts.grown(look, span),
        "scored": charts.scored(look, span, series.score_span(results)),
        "traded": charts.traded(look),
        "went": charts.went(look),
    }
    return {
        "case": case_of(results, told.ledger),
        "specs": specs,
        "events": [*series.event_rows(results)],
        "scores": scores,
        "means": [*series.quality_means(told)],
        "flops": [*series.flop_rows(told)],
        "graph": graph_of(told),
    }


def look_of(told: Told, ink: charts.Ink = charts.PAGE, width: int | str = "container") -> charts.Look:
    """How the charts of a run look."""
    facts = told.results.facts
    return charts.Look(facts.labels, told.results.prices.currency, len(facts.seeds) > 1, ink, width)


def _heading(told: Told, i: int) -> str:
    """Name, story, terms, the verdict in a sentence, its conditions, and what everything cost."""
    results = told.results
    facts, prices = results.facts, results.prices
    terms = f"{facts.terms.horizon_days:g} days · {plural(len(facts.seeds), 'seed')} "
    terms += f"({', '.join(map(str, facts.seeds))}) · prices {prices.name}, {prices.currency}"
    whole = headline(results.verdict.sentences)
    first = " ".join(clauses(sentence)[0] for sentence in whole)
    scored = [clause for sentence in whole for clause in clauses(sentence)[1:]]
    others = [sentence for sentence in results.verdict.sentences if sentence not in whole]
    rest = "".join(f"<li>{escape(sentence)}</li>" for sentence in (*scored, *others))
    story = f'<p class="story">{escape(facts.description)}</p>' if facts.description else ""
    words = nothing_trained(results.environment)
    estimated = f'<p class="warning">{escape(words)}</p>' if words else ""
    return (
        f'<header class="top"><h1 id="name-{i}">{escape(facts.name)}</h1>{story}'
        f'<p class="terms">{escape(terms)}</p>{estimated}</header>\n'
        f'<section class="verdict" aria-labelledby="verdict-{i}"><h2 id="verdict-{i}">Verdict</h2>'
        f'<p class="headline">{escape(first)}</p>'
        f'<details open><summary>What it rests on</summary><ul class="conditions">{rest}</ul></details>'
        f"{table(sheets.costs(results))}{_cut_short(told)}</section>\n"
    )


def _cut_short(told: Told) -> str:
    """A warning where a cap ended trainings before their patience did."""
    count = len(told.results.not_converged)
    if not count:
        return ""
    return (
        f'<p class="warning">{plural(count, "training")} ended by a cap before patience did (not converged): '
        "their costs and scores are not those of a finished training.</p>"
    )


def _sections(told: Told, i: int) -> Iterator[str]:
    results = told.results
    key = legend(results.facts.labels)
    trade = _chart("traded", TRADED) + table(sheets.pareto(told), titled=False)
    trade += "".join(table(sheet) for sheet in work.equal_quality(results)) or UNEQUAL
    flops = _chart("went", WENT) + "".join(table(s, titled=False) for s in (work.phases(told), *work.parts(told)))
    yield _section(f"curves-{i}", "Cumulative cost", key + _curves(results) + CROSSINGS)
    yield _section(f"events-{i}", "What happened", events_table(work.events(told)))
    yield _section(f"graph-{i}", "Artifacts, event by event", graph_section(told, i))
    yield _section(f"quality-{i}", "Quality over time", key + _scores(results) + table(sheets.quality(results)))
    yield _section(f"trade-{i}", "Cost against quality", key + trade)
    yield _section(f"flops-{i}", "Where the FLOPs went", flops)
    whence = table(sheets.provenance(told), titled=False) + "".join(map(table, sheets.assumptions(results)))
    yield _section(f"provenance-{i}", "Where the amounts come from", whence)
    if results.projection:
        both = "".join(table(sheet) for sheet in projected(results))
        yield _section(f"projection-{i}", "At the size of production: estimated, not measured", both)
    yield _section(f"again-{i}", "How to do it again", again(told))


ABOVE = "total, above the lowest"  # where one component dwarfs the others, all totals look alike
TRADED = "Total cost by the horizon against the mean score, a point for each strategy; the table below has the numbers."
UNEQUAL = "<h3>At equal quality</h3><p>Unavailable: the results of this run tell of no cost at equal quality.</p>"
WENT = "Counted FLOPs of each strategy by phase; the table below has the numbers."
CROSSINGS = (
    '<div class="crossings"><h3>Where curves cross</h3><ul></ul>'
    "<p class=note>Mean over seeds; two curves cross where each was more than 1 % below the other.</p></div>"
)


def _section(name: str, title: str, body: str) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(title)}</h2>{body}</section>\n'


def _curves(results: Any) -> str:
    """A chart for every component and the total, the total first; numbers below each for who cannot see it."""
    names = list(dict.fromkeys(row.component for row in results.totals))
    boxes = [
        _chart("grown", f"Cumulative {name} cost of every strategy by day; its numbers follow.", name, numbers=True)
        for name in [*names[-1:], *names[:-1]]
    ]
    above = "How far the total of every strategy lies above the lowest, by day; its numbers follow."
    boxes.insert(1, _chart("grown", above, ABOVE, numbers=True))
    return f'<div class="charts">{"".join(boxes)}</div>'


def _scores(results: Any) -> str:
    names = series.endpoints(results)
    boxes = [_chart("scored", f"Score of {e} by day; the table below has the last.", e) for e in names]
    return f'<div class="charts">{"".join(boxes)}</div>'


def _chart(kind: str, told: str, name: str = "", numbers: bool = False) -> str:
    """A place for a chart, with what it shows in words."""
    title = f"<figcaption>{escape(name)}</figcaption>" if name else ""
    below = '<details class="numbers"><summary>Numbers</summary><div class="scroll"></div></details>' if numbers else ""
    return (
        f'<figure>{title}<div class="chart" data-chart="{kind}" data-name="{escape(name)}" role="img" '
        f'aria-label="{escape(told)}"></div>{below}</figure>'
    )


def again(told: Told) -> str:
    """The command that does it again, the scenario's text, and with what it was done."""
    command = f"adapeff-sim run {shlex.quote(str(Path(told.folder) / 'scenario.yaml'))}"
    report = f"adapeff-sim report {shlex.quote(told.folder)} --html page.html"
    text = (
        f"<details><summary>scenario.yaml</summary><pre>{escape(told.scenario)}</pre></details>"
        if told.scenario
        else ""
    )
    return (
        f"<p>The same run, and this page of it:</p><pre><code>{escape(command)}\n{escape(report)}</code></pre>{text}"
        f"<details><summary>Environment, digests and prices</summary>{table(sheets.environment(told))}</details>"
    )
