"""The charts of runs beside each other, made with Altair: intervals, days of crossing, what flips the verdict."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from adapeff_sim.comparison.compared import RunCompared
from adapeff_sim.comparison.differences import Difference
from adapeff_sim.reports.page.charts import Ink, Look

WIDTH = 620
ROW = 24  # pixels of a bar
HALF, DOUBLE = "at half", "at double"
LONGEST = 60  # characters of a pair's name


def _look(run: RunCompared, ink: Ink) -> Look:
    return Look(run.labels, run.currency, has_band=len(run.seeds) > 1, ink=ink, width=WIDTH)


def _named(look: Look, chart: Any, rows: Sequence[dict[str, Any]], height: int) -> dict[str, Any]:
    return look.finished(chart, height) | {"datasets": {"rows": list(rows)}, "padding": 10}


def _axis(title: str) -> alt.Axis:
    return alt.Axis(title=title, format=",.3~r", tickCount=6)


def _names() -> alt.Y:
    return alt.Y("what:N", sort=None, axis=alt.Axis(title=None, labelLimit=320, domain=False, ticks=False))


def tornado(run: RunCompared, ink: Ink) -> dict[str, Any]:
    """The lead at half and at double every input, from the lead as it is; left of 0 the second has overtaken."""
    rows = [
        {"what": s.what, "lead": e.lead, "now": run.lead, "side": side, "said": said(s.what, e.factor)}
        for s in run.sensitivity
        for side, e in ((HALF, s.halved), (DOUBLE, s.doubled))
        if e.lead is not None
    ]
    data = alt.Chart(alt.NamedData(name="rows"))
    x = alt.X("lead:Q", axis=_axis(f"lead of {run.first} over {run.second}, {run.currency}"))
    scale = alt.Scale(domain=[HALF, DOUBLE], range=[ink.phases[1], ink.phases[0]])
    colour = alt.Color("side:N", scale=scale, legend=alt.Legend(title=None, orient="top", labelColor=ink.text))
    bars = data.mark_bar(height={"band": 0.7}).encode(y=_names(), x=x, x2="now:Q", color=colour)
    zero = data.mark_rule(color=ink.phases[2], strokeDash=[4, 3]).encode(x=alt.datum(0.0))
    return _named(_look(run, ink), alt.layer(bars, zero), rows, ROW * max(1, len(run.sensitivity)))


def said(what: str, factor: float) -> str:
    """An input at a factor, in words."""
    return f"{what} x {factor:.3g}"


def intervals(run: RunCompared, differences: Sequence[Difference], unit: str, ink: Ink) -> dict[str, Any]:
    """Paired differences with their intervals; a rule at 0, where there is none."""
    rows = [
        {"what": pair(d.one, d.other), "mean": d.interval.mean, "low": d.interval.low, "high": d.interval.high}
        for d in differences
        if d.interval is not None
    ]
    data = alt.Chart(alt.NamedData(name="rows"))
    wide = data.mark_rule(strokeWidth=3, color=ink.phases[0]).encode(y=_names(), x=alt.X("low:Q"), x2="high:Q")
    point = data.mark_point(filled=True, size=90, opacity=1, color=ink.phases[2]).encode(
        y=_names(), x=alt.X("mean:Q", axis=_axis(f"the first less the second, {unit}"))
    )
    zero = data.mark_rule(color=ink.faint, strokeDash=[4, 3]).encode(x=alt.datum(0.0))
    return _named(_look(run, ink), alt.layer(zero, wide, point), rows, ROW * max(1, len(rows)))


def crossings(run: RunCompared, component: str, ink: Ink) -> dict[str, Any]:
    """From which day on the cheaper of each pair stays so: a point for each seed, the median, and its interval."""
    rows: list[dict[str, Any]] = []
    for c in run.crossovers:
        if c.component == component and c.median is not None:
            what = pair(c.first, c.second)
            high = run.horizon_days if c.low is not None and c.high is None else c.high
            rows.append({"what": what, "day": c.median, "low": c.low, "high": high, "seed": None})
            rows += [{"what": what, "seed": day} for day in c.by_seed.values() if day is not None]
    data = alt.Chart(alt.NamedData(name="rows"))
    scale = alt.Scale(domain=[0, run.horizon_days], nice=False)
    x = alt.X("day:Q", scale=scale, axis=_axis("day from which on the first stays cheaper than the second"))
    wide = data.mark_rule(strokeWidth=3, color=ink.phases[0]).encode(
        y=_names(), x=alt.X("low:Q", scale=scale), x2="high:Q"
    )
    seeds = data.mark_tick(color=ink.faint, thickness=2).encode(y=_names(), x=alt.X("seed:Q", scale=scale))
    point = data.mark_point(filled=True, size=90, opacity=1, color=ink.phases[2]).encode(y=_names(), x=x)
    count = len({row["what"] for row in rows})
    return _named(_look(run, ink), alt.layer(wide, seeds, point), rows, ROW * max(1, count))


def pair(one: str, other: str) -> str:
    """The name of a pair, the middle left out of what is too long."""
    half = LONGEST // 2
    short = [name if len(name) <= half else f"{name[: half - 1]}…" for name in (one, other)]
    return " / ".join(short)
