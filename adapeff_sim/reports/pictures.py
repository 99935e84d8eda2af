"""Figures on paper: the charts of the page with their rows, and how reports come to be files."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import CostRow
from adapeff_sim.ledger.outcome import NOT_MEASURED
from adapeff_sim.reports.base import ReportError
from adapeff_sim.reports.effort import FLOPS as PARTS
from adapeff_sim.reports.notes import counted
from adapeff_sim.reports.projection import carried, how, larger
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.work import PHASES
from adapeff_sim.results import Results
from adapeff_sim.whole_files import write_whole

if TYPE_CHECKING:
    from adapeff_sim.reports.page.charts import Look

VEGA_LITE = "6.4"
WIDTH = 620
UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
ESTIMATED = "* in part or as a whole estimated or assumed, not measured"
NEEDED = "Charts need Altair and vl-convert; install them with: pip install 'adapeff-sim[page]'"
TRADED = "cost_and_quality"
FRONT = "the dotted line joins the strategies that none beats in both"
EQUALLED = "FLOPs of training, a point for each artifact that reached it, mean over seeds; events from top to bottom"
BOUND = ["a curve that lacks unavailable amounts is a lower bound"]
LINE = 100  # characters of a line under a title
Rows = list[dict[str, Any]]
Figure = tuple[str, dict[str, Any]]  # the name of its file, and what is drawn


@contextmanager
def charting() -> Iterator[None]:
    """Imports of the libraries for charts. Raises ReportError, with what to install, where they are not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("altair", "vl_convert"):
            raise
        raise ReportError(NEEDED) from None


def written(file: Path, content: str | bytes) -> Path:
    """Write one file as a whole, in a folder that is made where there is none. Raises ReportError."""
    try:
        if file.is_dir():
            raise ReportError(f"{file}: a folder lies there; give the name of a file.")
        file.parent.mkdir(parents=True, exist_ok=True)
        return write_whole(file, content)
    except OSError as error:
        raise ReportError(f"{file}: cannot be written ({error.strerror or error}); name another place.") from error


def stems(runs: Sequence[Told]) -> list[str]:
    """How the files of each run begin: its name, with its place where several have the same."""
    names = [UNFIT.sub("_", told.results.facts.name)[:60] or "run" for told in runs]
    return [name if names.count(name) == 1 else f"{name}_{i}" for i, name in enumerate(names, 1)]


def figures(told: Told) -> Iterator[Figure]:
    """Every chart of the page as it is before anything is moved, on white, with a legend; none that would be empty."""
    from adapeff_sim.reports.page import charts, series
    from adapeff_sim.reports.page.html import look_of

    results, look = told.results, look_of(told, charts.PAPER, WIDTH)
    span = (results.days[0], results.days[-1])
    signs = series.event_rows(results)
    yield from _grown(results, look, signs)
    score = charts.scored(look, span, series.score_span(results))
    for endpoint in series.endpoints(results):
        rows = {"scores": series.score_rows(results, endpoint), "events": signs, "hover": []}
        if rows["scores"]:
            yield _of_quality(endpoint), _titled(score, endpoint, rows, _read(results, signs))
    traded = _traded(told, look)
    if traded["trade"]:
        said = [ESTIMATED] if any(is_estimated(row, TOTAL) for row in results.rows) else []
        title = "Cost against quality"
        yield TRADED, _titled(charts.traded(look), f"{title} *" if said else title, traded, [*said, FRONT])
    if equalled := series.equalled_rows(results):
        drawn = charts.equalled(look, len({row["where"] for row in equalled}))
        yield "equal_quality", _titled(drawn, "What the score that all reach took", {"equalled": equalled}, [EQUALLED])
    yield from _flops(told, look)
    if (found := larger(results)) and results.projection:
        larger_look = replace(look, currency=f"{look.currency}, {how(results.projection)}")
        yield from _grown(found, larger_look, signs, f"* {carried(results.projection)}")


def _flops(told: Told, look: "Look") -> Iterator[Figure]:
    """Where the FLOPs went, by phase and part by part, as far as it is known."""
    from adapeff_sim.reports.page import charts, series

    said = [ESTIMATED] if any(row.provenance in NOT_MEASURED for row in told.results.events) else []
    for name, title, names, bars in (
        ("flops", "Where the FLOPs went", PHASES, series.flop_rows(told)),
        ("training", "Where the FLOPs of training went", PARTS, series.part_rows(told)),
    ):
        if bars:
            star = f"{title} *" if said else title
            yield (
                name,
                _titled(charts.went(look, tuple(names.values()), counted(told.results)), star, {"flops": bars}, said),
            )


def _grown(results: Results, look: "Look", signs: Rows, carried_to: str = "") -> Iterator[Figure]:
    """The curves of every component and the total; of another size in files of their own, that say so."""
    from adapeff_sim.reports.page import charts

    spec = charts.grown(look, (results.days[0], results.days[-1]))
    for component in dict.fromkeys(row.component for row in results.totals):
        rows = {"curves": curve_rows(results, component), "events": signs, "crossings": [], "hover": []}
        mark = ESTIMATED if any(is_estimated(row, component) for row in results.rows) else ""
        title = f"{component.capitalize()} at the size of production" if carried_to else component.capitalize()
        said = [carried_to or mark] if carried_to or mark else []
        said += BOUND if any(c.component == component and not c.complete for c in results.curves) else []
        name = f"projected-{component}" if carried_to else component
        yield name, _titled(spec, f"{title} *" if carried_to or mark else title, rows, [*said, *_read(results, signs)])


def _read(results: Results, signs: Rows) -> list[str]:
    """What bands and dotted lines are, and which event has which number."""
    seeds = len(results.facts.seeds)
    band = [f"lines: means of {seeds} seeds; bands: their range"] if seeds > 1 else []
    numbered = [f"{sign['n']}:\u00a0{sign['event']}" for sign in signs if sign["n"]]
    said = f"dotted lines: events{'; ' if numbered else ''}{'; '.join(numbered)}"
    return [*band, *wrap(said, LINE, max_lines=4, placeholder=" …")]


def left_out(told: Told) -> list[str]:
    """Which figures are not drawn as nothing was scored that they could show."""
    from adapeff_sim.reports.page.series import endpoints, quality_means, score_rows

    empty = [_of_quality(e) for e in endpoints(told.results) if not score_rows(told.results, e)]
    return [*empty, *([] if quality_means(told) else [TRADED])]


def _of_quality(endpoint: str) -> str:
    return f"quality-{UNFIT.sub('_', endpoint)[:60]}"


def is_estimated(row: CostRow, component: str) -> bool:
    """Whether an amount of a component, or of the total, was estimated or assumed."""
    return row.provenance in NOT_MEASURED and component in (row.component, TOTAL)


def _titled(spec: dict[str, Any], title: str, rows: dict[str, Any], said: Sequence[str] = ()) -> dict[str, Any]:
    """A chart with its rows under a title, and under that what must be known to read it, a line each."""
    heading: dict[str, Any] = {"text": [title], "anchor": "start", "fontSize": 15, "offset": 26, "color": "#1c1e21"}
    if said:
        heading |= {"subtitle": [*said], "subtitleColor": "#5b6068", "subtitleFontSize": 11}
    return spec | {"title": heading, "datasets": rows, "padding": 14}


def curve_rows(results: Results, component: str) -> Rows:
    """Cumulative cost on the grid of days: mean, lowest and highest of the seeds."""
    from adapeff_sim.reports.page.series import grown

    rows: Rows = []
    for k, points in enumerate(grown(results, component)):
        days = results.days if points else ()  # nothing is known of it, which is not 0
        for i, (day, (mean, low, high)) in enumerate(zip(days, points, strict=True)):
            rows.append({"k": f"s{k}", "d": day, "m": mean, "lo": low, "hi": high, "i": i})
    return rows


def _traded(told: Told, look: "Look") -> dict[str, Any]:
    """Total and mean score of every strategy, and those that none beats in both."""
    from adapeff_sim.reports.page.series import quality_means

    totals = {row.label: row for row in told.results.totals if row.component == TOTAL}
    trade: list[dict[str, Any]] = []
    for row in quality_means(told):
        total = totals[look.labels[int(str(row["k"])[1:])]]
        if total.mean is not None:
            trade.append({**row, "m": total.mean, "lo": min(total.known), "hi": max(total.known), "total": ""})
    front = [
        a for a in trade
        if not any(b["m"] <= a["m"] and b["q"] >= a["q"] and (b["m"], b["q"]) != (a["m"], a["q"]) for b in trade)
    ]  # fmt: skip
    return {"trade": trade, "front": sorted(front, key=lambda row: row["m"])}


def drawn(
    runs: Sequence[Told], folder: Path, ending: str, draw: Callable[[Any, Mapping[str, Any]], str | bytes]
) -> list[Path]:
    """Write every figure of every run; ``draw`` makes one from the library that converts and its specification.

    Raises ReportError where the libraries for charts are not installed or the disk refuses.
    """
    with charting():
        import vl_convert
    return [
        written(folder / f"{stem}-{name}.{ending}", draw(vl_convert, spec))
        for told, stem in zip(runs, stems(runs), strict=True)
        for name, spec in figures(told)
    ]
