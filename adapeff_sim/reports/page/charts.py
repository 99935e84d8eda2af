"""The charts of a report in Vega-Lite, made with Altair; their rows come by name, so that the page can move them.

No name of a scenario becomes a field or a formula: strategies are ``s0``, ``s1``, ... and names are values and titles.
"""

from dataclasses import dataclass
from typing import Any

import altair as alt

# Chosen by search: any two of them lie 24 or more apart in CIELAB, also as Machado, Oliveira and Fernandes (2009)
# simulate protanopia, deuteranopia and tritanopia, and stand out from the background by 3:1; so do those of page.css.
LIGHTS = ("#2c52f2", "#412d16", "#29995a", "#cd55c0", "#988900", "#29296b", "#5c5c5c", "#86400a")
DASHES = ((1, 0), (9, 3), (2, 2), (9, 3, 2, 3), (14, 4), (5, 4), (6, 2, 2, 2, 2, 2), (14, 3, 2, 3, 2, 3))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")
HEIGHT = 250
NAME = "names[toNumber(slice(datum.value, 1))]"  # of the strategy that is s0, s1, ... in the rows


def turn(i: int) -> int:
    """Which dash and shape the strategy at a place has: when colours come again, others go with them."""
    return (i + i // len(LIGHTS)) % len(DASHES)


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of a chart: of the page's own style sheet in the page, plain ones on paper."""

    strategies: tuple[str, ...]
    phases: tuple[str, str, str]
    text: str
    faint: str
    grid: str

    def of(self, count: int) -> list[str]:
        """A colour for each strategy; beyond the palette they come again, with other dashes and shapes."""
        return [self.strategies[i % len(self.strategies)] for i in range(count)]


PAGE = Ink(
    strategies=tuple(f"var(--s{i})" for i in range(len(LIGHTS))),
    phases=("var(--p0)", "var(--p1)", "var(--p2)"),
    text="var(--ink)",
    faint="var(--faint)",
    grid="var(--grid)",
)
PAPER = Ink(LIGHTS, ("#0067a5", "#7db8da", "#c04d00"), "#1c1e21", "#5b6068", "#e3e5e8")


@dataclass(frozen=True, slots=True)
class Look:
    """How the charts of one run look: its strategies' names, in order, and the ink."""

    labels: tuple[str, ...]
    currency: str
    has_band: bool
    ink: Ink = PAGE
    width: int | str = "container"

    @property
    def keys(self) -> list[str]:
        """What the strategies are called in fields."""
        return [f"s{i}" for i in range(len(self.labels))]

    def colour(self, is_line: bool = False) -> alt.Color:
        """The colour of a strategy; the legend is the page's own, or a picture's."""
        scale = alt.Scale(domain=self.keys, range=self.ink.of(len(self.labels)))
        return alt.Color("k:N", scale=scale, legend=self._legend(is_line))

    def dash(self) -> alt.StrokeDash:
        """The dash of a strategy, so that curves differ without colour and show where they lie on each other."""
        cycle = [list(DASHES[turn(i)]) for i in range(len(self.labels))]
        return alt.StrokeDash("k:N", scale=alt.Scale(domain=self.keys, range=cycle), legend=self._legend(is_line=True))

    def shape(self) -> alt.Shape:
        """The shape of a strategy's point."""
        cycle = [SHAPES[turn(i)] for i in range(len(self.labels))]
        return alt.Shape("k:N", scale=alt.Scale(domain=self.keys, range=cycle), legend=self._legend())

    def _legend(self, is_line: bool = False) -> alt.Legend | None:
        """None in the page, which has its own; a line is long enough to show its dash."""
        if self.ink is PAGE:
            return None
        line = {"symbolSize": 1600, "symbolStrokeWidth": 2.4, "rowPadding": -22} if is_line else {"symbolSize": 260}
        return alt.Legend(title=None, orient="bottom", columns=3, labelExpr=NAME, labelLimit=280, **line)

    def finished(self, chart: Any, height: int = HEIGHT) -> dict[str, Any]:
        """The chart as Vega-Lite."""
        chart = chart.add_params(alt.param(name="names", value=list(self.labels)))
        made: dict[str, Any] = chart.properties(width=self.width, height=height).to_dict(validate=False)
        return made | {"config": self._config(), "autosize": {"type": "fit-x", "contains": "padding"}}

    def _config(self) -> dict[str, Any]:
        font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
        axis = {
            "labelColor": self.ink.faint,
            "titleColor": self.ink.faint,
            "domainColor": self.ink.faint,
            "tickColor": self.ink.faint,
            "gridColor": self.ink.grid,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        }
        background = "transparent" if self.ink is PAGE else "white"
        legend = {"labelColor": self.ink.text, "labelFontSize": 12}
        return {
            "aria": False,
            "background": background,
            "font": font,
            "view": {"stroke": None},
            "axis": axis,
            "legend": legend,
        }


def days(first: float, last: float) -> alt.X:
    """The axis of time, from the first event to the horizon, with a tick at round days."""
    return alt.X(
        "d:Q", scale=alt.Scale(domain=[first, last], nice=False), axis=alt.Axis(title="day", grid=False, tickCount=7)
    )


def grown(look: Look, span: tuple[float, float]) -> dict[str, Any]:
    """Cumulative cost over time: a band over the seeds, a line for the mean, events, and where curves cross."""
    x = days(*span)
    y = alt.Y("m:Q", axis=alt.Axis(title=look.currency, format=",.3~r", tickCount=5), scale=alt.Scale(zero=True))
    curves = alt.Chart(alt.NamedData(name="curves"))
    layers: list[Any] = [*_events(look, x)]
    if look.has_band:
        band = curves.mark_area(opacity=0.16, tooltip=False).encode(
            x=x, y=alt.Y("lo:Q"), y2="hi:Q", color=look.colour(is_line=True)
        )
        layers.append(band.encode(order="i:Q"))
    layers.append(
        curves.mark_line(strokeWidth=2.4, tooltip=False).encode(
            x=x, y=y, color=look.colour(is_line=True), strokeDash=look.dash(), order="i:Q"
        )
    )
    crossed = alt.Chart(alt.NamedData(name="crossings")).mark_point(
        shape="circle", size=90, strokeWidth=2, filled=True, fill="var(--paper)" if look.ink is PAGE else "white",
        stroke=look.ink.text,
    )  # fmt: skip
    tips = [alt.Tooltip("day:N", title="day"), alt.Tooltip("said:N", title="crossing")]
    layers.append(crossed.encode(x=x, y=alt.Y("m:Q"), tooltip=tips))
    return look.finished(alt.layer(_pointed(look, x, alt.Chart(alt.NamedData(name="hover"))), *layers))


def _pointed(look: Look, x: alt.X, rows: alt.Chart) -> alt.Chart:
    """A line under the pointer that tells the amounts of all strategies on the nearest day of the grid."""
    near = alt.selection_point(
        name="near", fields=["d"], nearest=True, on="pointerover", clear="pointerout", empty=False
    )
    told = alt.ExprRef("datum.datum ? datum.datum.told : datum.told")  # the pointer meets a cell that holds the row
    visible = alt.condition(near, alt.value(0.7), alt.value(0))
    pointed: alt.Chart = rows.mark_rule(color=look.ink.faint, tooltip=told).encode(x=x, opacity=visible)
    return pointed.add_params(near)


def _events(look: Look, x: alt.X) -> list[alt.Chart]:
    """A dashed line and a numbered sign for each event; the sign tells what the event made stale."""
    rows = alt.Chart(alt.NamedData(name="events"))
    tips = [
        alt.Tooltip("day:N", title="day"),
        alt.Tooltip("event:N", title="event"),
        *(alt.Tooltip(f"{k}:N", title=label) for k, label in zip(look.keys, look.labels, strict=True)),
    ]
    rule = rows.mark_rule(strokeDash=[2, 3], color=look.ink.faint, opacity=0.7, tooltip=False).encode(x=x)
    sign = rows.mark_point(
        shape="circle", filled=True, fill="var(--chip)" if look.ink is PAGE else "#e9ecef",
        stroke=look.ink.faint, strokeWidth=1, opacity=1,
    )  # fmt: skip
    top, tell = alt.value(-14), {"tooltip": tips}
    size = alt.condition("datum.n === ''", alt.value(40), alt.value(260))
    mark = rows.mark_text(fontSize=11, color=look.ink.text, fontWeight="bold", baseline="middle")
    return [rule, sign.encode(x=x, y=top, size=size, **tell), mark.encode(x=x, y=top, text="n:N", **tell)]


def scored(look: Look, span: tuple[float, float], domain: tuple[float, float]) -> dict[str, Any]:
    """The score of one endpoint over time: steps, a band over the seeds, the mean, and the events."""
    x = days(*span)
    scale = alt.Scale(domain=[*domain], nice=False)
    y = alt.Y("m:Q", axis=alt.Axis(title="points", tickCount=5), scale=scale)
    rows = alt.Chart(alt.NamedData(name="scores"))
    layers: list[Any] = [*_events(look, x)]
    if look.has_band:
        layers.append(
            rows.mark_area(opacity=0.16, tooltip=False).encode(
                x=x, y=alt.Y("lo:Q", scale=scale), y2="hi:Q", color=look.colour(is_line=True), order="i:Q"
            )
        )
    line = rows.mark_line(strokeWidth=2.4, tooltip=False)
    layers.append(
        line.encode(x=x, y=y, color=look.colour(is_line=True), strokeDash=look.dash(), order="i:Q", detail="part:N")
    )
    return look.finished(alt.layer(_pointed(look, x, alt.Chart(alt.NamedData(name="hover"))), *layers), 190)


def traded(look: Look) -> dict[str, Any]:
    """Cost against quality: a point for each strategy, the seeds' range, and the strategies that none beats in both."""
    x = alt.X("m:Q", axis=alt.Axis(title=f"total by the horizon, {look.currency}", format=",.3~r", tickCount=5))
    x = x.scale(zero=False, padding=24)
    y = alt.Y("q:Q", axis=alt.Axis(title="mean score, points", tickCount=5), scale=alt.Scale(zero=False, padding=20))
    rows, front = alt.Chart(alt.NamedData(name="trade")), alt.Chart(alt.NamedData(name="front"))
    tips = [alt.Tooltip("label:N", title="strategy"), alt.Tooltip("total:N"), alt.Tooltip("score:N")]
    layers: list[Any] = [
        front.mark_line(interpolate="step-after", color=look.ink.faint, strokeDash=[2, 3], tooltip=False).encode(
            x=x, y=y
        )
    ]
    if look.has_band:
        layers.append(rows.mark_rule(opacity=0.5).encode(x=alt.X("lo:Q"), x2="hi:Q", y=y, color=look.colour()))
        layers.append(rows.mark_rule(opacity=0.5).encode(x=x, y=alt.Y("qlo:Q"), y2="qhi:Q", color=look.colour()))
    point = rows.mark_point(size=190, filled=True, opacity=1)
    layers.append(point.encode(x=x, y=y, color=look.colour(), shape=look.shape(), tooltip=tips))
    return look.finished(alt.layer(*layers), 300)


def equalled(look: Look, goals: int) -> dict[str, Any]:
    """What one quality took: a row for each of so many goals, in it a point for each training that reached it."""
    x = alt.X("flops:Q", axis=alt.Axis(title="FLOPs of training until there", format="~s", tickCount=5))
    axis = alt.Axis(title=None, labelLimit=240, domain=False, ticks=False, grid=True, gridDash=[2, 3])
    y = alt.Y("where:N", sort=None, axis=axis)
    tips = [
        alt.Tooltip("where:N", title="to reach"),
        alt.Tooltip("label:N", title="strategy"),
        alt.Tooltip("slot:N", title="artifact"),
        alt.Tooltip("said:N", title="FLOPs"),
    ]
    apart = alt.YOffset("k:N", scale=alt.Scale(domain=look.keys))
    points = alt.Chart(alt.NamedData(name="equalled")).mark_point(size=90, filled=True, opacity=1)
    chart = points.encode(x=x, y=y, yOffset=apart, color=look.colour(), shape=look.shape(), tooltip=tips)
    return look.finished(chart, 40 + max(34, 11 * len(look.labels)) * goals)


def went(look: Look, names: tuple[str, ...], counted: str = "counted") -> dict[str, Any]:
    """Where the FLOPs went: a bar for each strategy, in it a part for each of at most three names, as ``counted``."""
    x = alt.X("flops:Q", axis=alt.Axis(title=f"FLOPs, as {counted}", format="~s", tickCount=5), stack="zero")
    axis = alt.Axis(title=None, labelLimit=150, labelExpr=NAME, domain=False, ticks=False)
    y = alt.Y("k:N", sort=look.keys, axis=axis)
    scale = alt.Scale(domain=[*names], range=[*look.ink.phases])
    legend = alt.Legend(title=None, orient="top", symbolType="square", columns=1 if look.ink is PAGE else 0)
    tips = [
        alt.Tooltip("label:N", title="strategy"),
        alt.Tooltip("phase:N", title="part"),
        alt.Tooltip("said:N", title="FLOPs"),
    ]
    bars = alt.Chart(alt.NamedData(name="flops")).mark_bar(height={"band": 0.7})
    colour = alt.Color("phase:N", scale=scale, legend=legend)
    chart = bars.encode(x=x, y=y, color=colour, order="i:Q", tooltip=tips)
    return look.finished(chart, 40 + 34 * len(look.labels))
