"""Figures on paper: the charts of the page with their rows, and how reports come to be files."""

import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import CostRow
from adapeff_sim.ledger.outcome import NOT_MEASURED
from adapeff_sim.reports.base import ReportError
from adapeff_sim.reports.told import Told
from adapeff_sim.results import Results
from adapeff_sim.whole_files import write_whole

if TYPE_CHECKING:
    from adapeff_sim.reports.page.charts import Look

VEGA_LITE = "6.4"
WIDTH = 620
UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
ESTIMATED = "* in part or as a whole estimated or assumed, not measured"
NEEDED = "Charts need Altair and vl-convert; install them with: pip install 'adapeff-sim[page]'"
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
    """Every chart of the page as it is before anything is moved, on white, with a legend."""
    from adapeff_sim.reports.page import charts, series
    from adapeff_sim.reports.page.html import look_of

    results, look = told.results, look_of(told, charts.PAPER, WIDTH)
    span = (results.days[0], results.days[-1])
    signs, cost = series.event_rows(results), charts.grown(look, span)
    score = charts.scored(look, span, series.score_span(results))
    for component in dict.fromkeys(row.component for row in results.totals):
        rows = {"curves": curve_rows(results, component), "events": signs, "crossings": [], "hover": []}
        mark = ESTIMATED if any(is_estimated(row, component) for row in results.rows) else ""
        yield component, _titled(cost, component.capitalize(), rows, mark)
    for endpoint in series.endpoints(results):
        rows = {"scores": series.score_rows(results, endpoint), "events": signs, "hover": []}
        yield f"quality-{UNFIT.sub('_', endpoint)[:60]}", _titled(score, endpoint, rows)
    mark = ESTIMATED if any(is_estimated(row, TOTAL) for row in results.rows) else ""
    yield "cost_and_quality", _titled(charts.traded(look), "Cost against quality", _traded(told, look), mark)
    mark = ESTIMATED if any(row.provenance in NOT_MEASURED for row in results.events) else ""
    yield "flops", _titled(charts.went(look), "Where the FLOPs went", {"flops": series.flop_rows(told)}, mark)


def is_estimated(row: CostRow, component: str) -> bool:
    """Whether an amount of a component, or of the total, was estimated or assumed."""
    return row.provenance in NOT_MEASURED and component in (row.component, TOTAL)


def _titled(spec: dict[str, Any], title: str, rows: dict[str, Any], mark: str = "") -> dict[str, Any]:
    heading: dict[str, Any] = {
        "text": [f"{title} *" if mark else title],
        "anchor": "start",
        "fontSize": 15,
        "offset": 26,
        "color": "#1c1e21",
    }
    if mark:
        heading |= {"subtitle": [mark], "subtitleColor": "#5b6068", "subtitleFontSize": 11}
    return spec | {"title": heading, "datasets": rows, "padding": 14}


def curve_rows(results: Results, component: str) -> list[dict[str, Any]]:
    """Cumulative cost on the grid of days: mean, lowest and highest of the seeds."""
    rows: list[dict[str, Any]] = []
    for k, label in enumerate(results.facts.labels):
        mine = [c.amounts for c in results.curves if (c.label, c.component) == (label, component)]
        if not mine:
            continue  # nothing is known of it, which is not 0
        for i, (day, amounts) in enumerate(zip(results.days, zip(*mine, strict=True), strict=True)):
            mean, low, high = statistics.fmean(amounts), min(amounts), max(amounts)
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
