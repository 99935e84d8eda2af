"""The tables of a report as plain sheets: the same for the page, for Markdown and for CSV."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.costs.base import CostRow
from adapeff_sim.costs.totals import TotalRow
from adapeff_sim.estimation.assumptions import Assumption
from adapeff_sim.ledger.history import QualityPoint
from adapeff_sim.ledger.outcome import Provenance
from adapeff_sim.ledger.records import DeploymentRecord
from adapeff_sim.reports import notes, tables
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import BEST, STAR_SAID, money, percent, plural, points, quantity, surety
from adapeff_sim.results import Results

KNOWN = tables.KNOWN
NOTHING = "–"
SURE = "provenance"  # of what stands in a row


@dataclass(frozen=True, slots=True)
class Cell:
    """What a table says, the bare value behind it for a spreadsheet, and what is remarkable about it."""

    said: str
    value: str | float | None = None
    mark: str = ""  # best, below, missing
    key: str = ""  # names the cell to the script of the page


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its file's name, its title, the heads of its columns, its rows, and what must be known of it."""

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def sheets(told: Told) -> list[Sheet]:
    """Every table of a report."""
    from adapeff_sim.reports import projection, work

    results = told.results
    found = [costs(results), work.events(told), quality(told), pareto(told), *work.equal_quality(results)]
    found += [work.phases(told), *work.parts(told), provenance(told)]
    return [*found, *projection.projected(results), *assumptions(results), environment(told)]


def text(said: object, mark: str = "") -> Cell:
    """A cell that is a word."""
    return Cell(str(said), str(said), mark)


def number(value: float | None, said: Callable[[float], str], mark: str = "", key: str = "") -> Cell:
    """A cell that is a number, or says that there is none."""
    if value is None or math.isnan(value):
        return Cell("unavailable", None, "missing", key)
    return Cell(said(value), value, mark, key)


def sure(found: Iterable[Provenance | None]) -> Cell:
    """How sure the numbers of a row are."""
    said = surety(found)
    return Cell(said or NOTHING, said)


def costs(results: Results) -> Sheet:
    """Money by strategy and component; what the verdict calls cheapest is marked."""
    names = tuple(dict.fromkeys(row.component for row in results.totals))
    found = {(row.label, row.component): row for row in results.totals}
    best = {c.component: {c.cheapest, *c.tied} for c in results.verdict.comparisons if c.cheapest and c.rivals}
    rows = []
    for i, label in enumerate(results.facts.labels):
        cells = [text(label)]
        for name in names:
            row, is_best = found[label, name], label in best.get(name, ())
            if tables.is_unknown(row):
                cells.append(Cell("unavailable", None, "missing", f"cost-{i}-{name}"))
                continue
            said = ("≥ " if row.unavailable else "") + money(row.mean) + tables.starred(row)
            said += f" {BEST}" if is_best else ""
            said += f" ± {money(_rounded(row.spread, row.mean or 0.0))}" if row.spread is not None else ""
            cells.append(Cell(said, row.mean, "best" if is_best else "", f"cost-{i}-{name}"))
        rows.append((*cells, sure(r.provenance for r in results.rows if r.label == label)))
    note = notes.of_costs(results, any(best.values()))
    return Sheet("costs", f"Cost in {results.prices.currency}", ("strategy", *names, SURE), tuple(rows), note)


def _rounded(spread: float, mean: float) -> float:
    """A spread without what rounding leaves of equal amounts."""
    return spread if spread > 1e-9 * abs(mean) else 0.0


def last_points(results: Results) -> dict[tuple[str, str], list[QualityPoint]]:
    """For each strategy and endpoint, the last score of every seed."""
    last = {(p.label, p.endpoint, p.seed): p for p in sorted(results.quality, key=lambda p: p.day)}
    found: dict[tuple[str, str], list[QualityPoint]] = defaultdict(list)
    for (label, endpoint, _), p in last.items():
        found[label, endpoint].append(p)
    return found


def final_points(told: Told) -> dict[tuple[str, str], list[QualityPoint]]:
    """The last scores of what is served at the horizon: what is retired on its own day is not, as in the verdict."""
    stood = [r for r in told.ledger.of(DeploymentRecord) if r.day <= told.results.facts.terms.horizon_days]
    served = {(r.label, r.seed): {a.endpoint for a in r.answered} for r in stood}  # the last of each life
    last = {
        who: [p for p in group if p.endpoint in served.get((p.label, p.seed), ())]
        for who, group in last_points(told.results).items()
    }
    return {who: group for who, group in last.items() if group}


def quality(told: Told) -> Sheet:
    """The score of every endpoint when it was last served, in points, mean over seeds."""
    results, served = told.results, {endpoint for _, endpoint in final_points(told)}
    last, below = last_points(results), {(b.label, b.endpoint) for b in results.verdict.below}
    rows = []
    for endpoint in sorted({endpoint for _, endpoint in last}):
        group = [p for x in results.facts.labels for p in last.get((x, endpoint), [])]
        until = max(p.until for p in group)
        ended = f" (until day {until:g})" if endpoint not in served else ""
        metric = ", ".join(sorted({p.metric for p in group}))
        scores = [
            _score(last.get((x, endpoint), []), (x, endpoint) in below, f"score-{i}-{endpoint}")
            for i, x in enumerate(results.facts.labels)
        ]
        rows.append((text(f"{endpoint}{ended}"), text(metric), *scores, sure(p.provenance for p in group)))
    is_marked = any(b.points is not None for b in results.verdict.below)
    note = notes.of_quality(results, f"{results.facts.quality_floor:g}" if is_marked else "")
    heads = ("endpoint", "metric", *results.facts.labels, SURE)
    return Sheet("quality", "Quality when last served", heads, tuple(rows), note)


def _score(found: Sequence[QualityPoint], is_below: bool, key: str) -> Cell:
    scores = [p.score for p in found if p.score is not None]
    if not found:
        return Cell(NOTHING, None, key=key)
    if len(scores) < len(found):
        return Cell("unavailable", None, "missing", key)
    spread = f" ± {points(statistics.stdev(scores))}" if len(scores) > 1 else ""
    mean = statistics.fmean(scores)
    return Cell(points(mean) + ("-" if is_below else "") + spread, 100 * mean, "below" if is_below else "", key)


def average(told: Told, label: str) -> float | None:
    """The mean score over the endpoints that are served at the horizon, and over seeds, 0 to 1."""
    scores = [p.score for (x, _), group in final_points(told).items() for p in group if x == label]
    known = [s for s in scores if s is not None]
    return statistics.fmean(known) if known and len(known) == len(scores) else None


def pareto(told: Told) -> Sheet:
    """Cost against quality: the total, the mean score, the widest gap to an endpoint's best, and who is admitted."""
    results, rows = told.results, []
    total = {row.label: row for row in results.totals if row.component == TOTAL}
    for i, label in enumerate(results.facts.labels):
        score = average(told, label)
        rows.append(
            (
                text(label),
                _total(total[label], f"cost-{i}-{TOTAL}-plain"),
                number(None if score is None else 100 * score, lambda x: f"{x:.1f}"),
                number(_gap(told, label), lambda x: f"{x:.1f}"),
                _admitted(results, label, f"floor-{i}"),
                sure(_both(results, label)),
            )
        )
    heads = (
        "strategy",
        f"total, {results.prices.currency}",
        "mean score",
        "widest gap to the best",
        "quality floor",
        SURE,
    )
    note = "points; mean over the endpoints served at the horizon. The floor says who is admitted to the comparison."
    note += f" {STAR_SAID}" if any(map(tables.starred, total.values())) else ""
    return Sheet("cost_and_quality", "Cost against quality", heads, tuple(rows), note)


def _admitted(results: Results, label: str, key: str) -> Cell:
    """Whether a strategy keeps to the quality floor; that is not known where nothing of it was scored."""
    if not any(p.score is not None for p in results.quality if p.label == label):
        return Cell("unavailable", None, "missing", key)
    gaps = [b.points for b in results.verdict.below if b.label == label]
    said = "within the floor" if not gaps else "no score" if None in gaps else "below the floor"
    return Cell(said, said, "below" if gaps else "", key)


def _total(row: TotalRow, key: str) -> Cell:
    if tables.is_unknown(row):
        return Cell("unavailable", None, "missing", key)
    return Cell(("≥ " if row.unavailable else "") + money(row.mean) + tables.starred(row), row.mean, key=key)


def _both(results: Results, label: str) -> list[Provenance | None]:
    """How sure the costs and the scores of one strategy are."""
    scored = [p.provenance for (x, _), group in last_points(results).items() if x == label for p in group]
    return [r.provenance for r in results.rows if r.label == label] + scored


def _gap(told: Told, label: str) -> float | None:
    """How many points a strategy lies below an endpoint's best, where that is most."""
    scores: Mapping[str, dict[str, float]] = defaultdict(dict)
    for (x, endpoint), group in final_points(told).items():
        if all(p.score is not None for p in group):
            scores[endpoint][x] = statistics.fmean(p.score for p in group if p.score is not None)
    gaps = [100 * (max(found.values()) - found[label]) for found in scores.values() if label in found]
    return max(gaps, default=None)


def provenance(told: Told) -> Sheet:
    """For each component the share of the money by provenance, and how many items could not be had."""
    results, rows = told.results, []
    for component in dict.fromkeys(row.component for row in results.totals):
        mine = [row for row in results.rows if component in (row.component, TOTAL)]
        known = math.fsum(row.amount or 0.0 for row in mine)
        shares = [_share(mine, name, known) for name in KNOWN]
        missing = len({(row.label, row.item) for row in mine if row.amount is None})
        told_of = Cell(plural(missing, "item") if missing else "nothing", missing, "missing" if missing else "")
        rows.append((text(component), *(number(s, percent) if s else Cell(NOTHING, 0.0) for s in shares), told_of))
    heads, note = ("component", *KNOWN, "unavailable"), notes.of_provenance(results)
    return Sheet("provenance", "Where the amounts come from", heads, tuple(rows), note)


def _share(rows: Sequence[CostRow], name: Provenance, known: float) -> float:
    return math.fsum(r.amount or 0.0 for r in rows if r.provenance == name) / known if known else 0.0


def assumptions(results: Results) -> list[Sheet]:
    """What an estimated run rests on, and what its prices assume; nothing where nothing is assumed."""
    said = results.environment.get("assumptions")
    found = [Assumption.model_validate(each) for each in said] if isinstance(said, list) else []
    for name, price in results.prices:
        if told := getattr(price, "assumption", ""):
            of = f"prices, {name}"
            found.append(Assumption(what=of, value=None, unit="", provenance="assumed", source=told))
    return [assumed("assumptions", "What estimated and assumed figures rest on", found)] if found else []


def assumed(name: str, title: str, found: Iterable[Assumption]) -> Sheet:
    """Numbers that figures rest on, each with where it is from."""
    rows = tuple(
        (
            text(each.what),
            Cell(NOTHING) if each.value is None else Cell(quantity(each.value), each.value),
            text(each.unit or NOTHING),
            text(each.source),
            text(each.provenance),
        )
        for each in found
    )
    return Sheet(name, title, ("what", "value", "unit", "from", SURE), rows)


def environment(told: Told) -> Sheet:
    """With what the run was done, and at which prices: every fact with its name."""
    rows: list[tuple[str, str]] = [*told.digests.items()]
    for name, value in told.results.environment.items():
        if isinstance(value, Mapping):
            rows += [(f"{name}: {key}", _flat(part)) for key, part in value.items()]
        else:
            rows.append((name, _flat(value)))
    for name, price in told.results.prices.model_dump(mode="json").items():
        if isinstance(price, Mapping):
            rows += [(f"prices, {name}: {key}", _flat(part)) for key, part in price.items() if part not in (None, "")]
    return Sheet("environment", "Environment", ("what", "is"), tuple((text(k), text(v)) for k, v in rows))


def _flat(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
