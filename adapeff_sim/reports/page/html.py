"""The page itself: one file that needs nothing else, with all that is foreign escaped."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from importlib import resources
from typing import Any

from pydantic import JsonValue

from adapeff_sim import __version__
from adapeff_sim.reports import notes, sheets
from adapeff_sim.reports.effort import FLOPS as PARTS
from adapeff_sim.reports.page import charts, series
from adapeff_sim.reports.page.controls import controls
from adapeff_sim.reports.page.graph import graph_of
from adapeff_sim.reports.page.sections import sections
from adapeff_sim.reports.page.tables import scrolling, table
from adapeff_sim.reports.page.whatif import case_of
from adapeff_sim.reports.projection import how
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import nothing_trained, plural
from adapeff_sim.reports.work import PHASES
from adapeff_sim.results import Results

SCRIPTS = ("judge.js", "sentences.js", "numbers.js", "fit.js", "graph.js", "page.js")
FLOOR = "{floor}"  # in a note, for the script to fill in
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
    """The sentence on the total, or why nobody is cheapest; and at what floor who else would be."""
    first = next((i for i, s in enumerate(sentences) if s.startswith("Total by day ")), 0)
    return [sentences[first], *(s for s in sentences[first + 1 : first + 2] if s.startswith("With a floor of "))]


def clauses(sentence: str) -> list[str]:
    """The claim, and at what quality it holds, a sentence each."""
    return [f"{text}." for text in re.split(r"; (?=[^;]+ scores [\d.]+ points on average)", sentence.removesuffix("."))]


def _article(told: Told, i: int) -> str:
    """One run."""
    data, body = embedded(data_of(told)), "".join(sections(told, i))
    return (
        f'<article class="run" id="run-{i}" aria-labelledby="name-{i}">\n{_heading(told, i)}'
        f'<div class="layout">{controls(told.results, i)}<div class="columns">{body}</div></div>\n'
        f'<script type="application/json" class="data">{data}</script>\n</article>\n'
    )


def data_of(told: Told) -> dict[str, JsonValue]:
    """Everything that the scripts of the page read of one run."""
    results, look = told.results, look_of(told)
    span = (results.days[0], results.days[-1])
    equalled = series.equalled_rows(results)
    scores: list[JsonValue] = [
        {"endpoint": e, "scores": [*series.score_rows(results, e)], "hover": [*series.score_hovers(results, e)]}
        for e in series.endpoints(results)
    ]
    sure, flops = how(results.projection) if results.projection else "", notes.counted(results)
    specs: dict[str, Any] = {
        "grown": charts.grown(look, span),
        "scored": charts.scored(look, span, series.score_span(results)),
        "traded": charts.traded(look),
        "equalled": charts.equalled(look, len({row["where"] for row in equalled})),
        "went": charts.went(look, tuple(PHASES.values()), flops),
        "parts": charts.went(look, tuple(PARTS.values()), flops),
        "projected": charts.grown(replace(look, currency=f"{look.currency}, {sure}"), span),
    }
    return {
        "case": case_of(results, told.ledger),
        "notes": _notes(results),
        "specs": specs,
        "events": [*series.event_rows(results)],
        "scores": scores,
        "means": [*series.quality_means(told)],
        "equalled": [*equalled],
        "flops": [*series.flop_rows(told)],
        "parts": [*series.part_rows(told)],
        "projected": series.projected_curves(results),
        "graph": graph_of(told),
    }


def _notes(results: Results) -> JsonValue:
    """The notes that a slider makes apply or not: without their mark, and with it."""
    return {
        "costs": [notes.of_costs(results, has_best) for has_best in (False, True)],
        "quality": [notes.of_quality(results, floor) for floor in ("", FLOOR)],
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
