"""The page of runs beside each other: one file with still pictures and all tables, and no script at all."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import vl_convert

from adapeff_sim import __version__
from adapeff_sim.comparison.compared import Compared, RunCompared
from adapeff_sim.comparison.differences import QUALITY
from adapeff_sim.reports import compared as told
from adapeff_sim.reports.page import compared_charts as charts
from adapeff_sim.reports.page.charts import PAGE
from adapeff_sim.reports.page.html import own_file
from adapeff_sim.reports.page.tables import table
from adapeff_sim.reports.pictures import VEGA_LITE
from adapeff_sim.reports.wording import plural

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(found: Compared) -> str:
    """The whole page. Names of runs are tamed already; everything is escaped."""
    names = ", ".join(run.name for run in found.runs)
    components = list(dict.fromkeys(c for run in found.runs for c in told.components_of(run)))
    body = "".join([*_together(found, components), *(_article(run, i) for i, run in enumerate(found.runs))])
    body += "".join(_across(found, components))
    notes = "".join(f"<li>{escape(note)}</li>" for note in told.notes(found))
    body += f'<section><h2>How sure this is</h2><ul class="conditions">{notes}</ul></section>'
    return document(f"{plural(len(found.runs), 'run')} compared", names, body)


def document(heading: str, title: str, body: str) -> str:
    """A page with a heading around some HTML; it holds no script, and needs no network."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)} · adapeff-sim</title>\n<style>{own_file('page.css')}</style>\n</head>\n<body>\n"
        f'<main id="main"><header class="top"><h1>{escape(heading)}</h1></header>\n{body}</main>\n'
        f"<footer><p>adapeff-sim {escape(__version__)}. This page needs no network.</p></footer>\n</body>\n</html>\n"
    )


def _together(found: Compared, components: Sequence[str]) -> Iterator[str]:
    """What every component came to in every run."""
    made = "".join(table(told.amounts(found, c)) for c in components if c != QUALITY)
    yield f"<section><h2>Side by side</h2>{made}</section>\n"


def _article(run: RunCompared, i: int) -> str:
    """One run: its verdict, differences and crossovers component by component, break-even, and what would flip it."""
    note = f'<p class="warning">{escape(run.note)}</p>' if run.note else ""
    terms = f"{run.scenario} · {run.horizon_days:g} days · {plural(len(run.seeds), 'seed')} · {run.currency}"
    parts = [
        f'<article class="run" id="run-{i}"><header class="top"><h1>{escape(run.name)}</h1>'
        f'<p class="terms">{escape(terms)}</p></header>'
        f'<section class="verdict"><h2>Verdict</h2>'
        f'<p class="headline">{escape(told.headline(run))}</p>{note}</section>\n'
    ]
    if run.first:
        sensitivity = picture(charts.tornado(run, PAGE), f"What the lead of {run.first} hangs on") if run.lead else ""
        parts.append(section("What the verdict hangs on", sensitivity + table(told.tornado(run))))
        parts.append(section("Break-even", table(told.break_evens(run))))
    parts += [section(component.capitalize(), "".join(_pairs(run, component))) for component in told.components_of(run)]
    return "".join(parts) + "</article>\n"


def _pairs(run: RunCompared, component: str) -> Iterator[str]:
    """One component: differences with their intervals, and days of crossing."""
    differences = [d for d in run.differences if d.component == component]
    unit = "points" if component == QUALITY else run.currency
    if any(d.interval and d.interval.low is not None for d in differences):
        yield picture(charts.intervals(run, differences, unit, PAGE), "Paired differences and their intervals")
    yield table(told.pairs(run, component))
    if any(c.component == component and c.median is not None and not c.from_start for c in run.crossovers):
        yield picture(charts.crossings(run, component, PAGE), "Days of crossing, a tick for each seed")


def _across(found: Compared, components: Sequence[str]) -> Iterator[str]:
    """Each run less every later one."""
    for pair in (each for each in found.between if each.differences):  # of the others the notes say why
        currency = next(run.currency for run in found.runs if run.name == pair.one)
        yield section(f"{pair.one} less {pair.other}", table(told.across(pair, currency, components)))


def section(title: str, body: str) -> str:
    """A part of the page under a heading."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>\n"


def picture(spec: dict[str, Any], title: str) -> str:
    """A chart as a still picture; its numbers stand in the table beside it."""
    svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    box = f'<div class="chart" role="img" aria-label="{escape(title)}">{svg}</div>'
    return f"<figure><figcaption>{escape(title)}</figcaption>{box}</figure>"
