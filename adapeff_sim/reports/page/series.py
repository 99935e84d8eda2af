"""The rows of the charts that no slider moves: events, scores over time, and where the FLOPs went."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from pydantic import JsonValue

from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.ledger.history import EventRow, QualityPoint
from adapeff_sim.ledger.trainings import EqualQualityRow
from adapeff_sim.reports.effort import FLOPS as PARTS
from adapeff_sim.reports.projection import how, larger
from adapeff_sim.reports.sheets import average, final_points
from adapeff_sim.reports.told import Told
from adapeff_sim.reports.wording import flops, points
from adapeff_sim.reports.work import PHASES, meant, moments, part_flops, phase_flops
from adapeff_sim.results import Results

Rows = list[dict[str, JsonValue]]
MOST_NUMBERED = 12  # events: beyond, their numbers would run into each other
LONGEST = 180  # characters of a tooltip's line


def event_rows(results: Results) -> Rows:
    """A sign for each day on which something happens: its number in the table, and what it made stale."""
    found: dict[float, dict[str, JsonValue]] = {}
    counted = moments(results)
    for number, moment in enumerate(counted, 1):
        day = moment[0]
        row = found.setdefault(day, {"d": day, "day": f"{day:g}", "n": "", "event": ""})
        row["n"] = f"{row['n']},{number}".strip(",") if len(counted) <= MOST_NUMBERED else ""
        row["event"] = _joined(row["event"], moment[2])
        for i, label in enumerate(results.facts.labels):
            row[f"s{i}"] = _joined(row.get(f"s{i}"), stale(meant(results, moment, label)))
    return list(found.values())


def _joined(before: JsonValue, after: str) -> str:
    text = f"{before}; {after}" if before else after
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def stale(steps: Sequence[EventRow]) -> str:
    """What one event made stale for one strategy, in a line."""
    words = {
        "rebuilt": [x for s in steps for x in s.rebuilt],
        "created": [x for s in steps for x in s.created],
        "retired": [x for s in steps for x in s.retired],
    }
    told = [f"{word} {', '.join(names)}" for word, names in words.items() if names]
    because = list(dict.fromkeys(why for s in steps for why in s.because))
    if because and words["rebuilt"]:
        told[0] += f" (moved: {', '.join(because)})"
    return "; ".join(told) or "nothing stale"


def endpoints(results: Results) -> list[str]:
    """Every endpoint that was ever scored."""
    return sorted({p.endpoint for p in results.quality})


def score_rows(results: Results, endpoint: str) -> Rows:
    """The scores of one endpoint as steps in time, mean over the seeds that had one, with their range."""
    rows: Rows = []
    for i, label in enumerate(results.facts.labels):
        mine = [p for p in results.quality if (p.label, p.endpoint) == (label, endpoint)]
        part, ended = 0, -math.inf
        for start, end, scores in _steps(mine):
            part += start > ended
            ended = end
            m, lo, hi = (round(100 * f(scores), 4) for f in (statistics.fmean, min, max))
            common: dict[str, JsonValue] = {"k": f"s{i}", "m": m, "lo": lo, "hi": hi, "part": f"{i}.{part}"}
            rows += [{**common, "d": day, "i": len(rows) + j} for j, day in enumerate((start, end))]
    return rows


def score_hovers(results: Results, endpoint: str) -> Rows:
    """For every day on which a score of the endpoint changes: the scores of all strategies from then on."""
    steps = []
    for label in results.facts.labels:
        steps.append(list(_steps([p for p in results.quality if (p.label, p.endpoint) == (label, endpoint)])))
    days = sorted({start for mine in steps for start, _, _ in mine})
    return [{"d": day, "told": [_score_on(day, mine) for mine in steps]} for day in days]


def _score_on(day: float, steps: Sequence[tuple[float, float, list[float]]]) -> str | None:
    return next((points(statistics.fmean(scores)) for start, end, scores in steps if start <= day < end), None)


def _steps(mine: Sequence[QualityPoint]) -> Iterator[tuple[float, float, list[float]]]:
    """The stretches over which no score changes, with the scores of the seeds that have one."""
    turns = sorted({day for p in mine for day in (p.day, p.until)})
    for start, end in pairwise(turns):
        scores = [p.score for p in mine if p.score is not None and p.day <= start < p.until]
        if scores:
            yield start, end, scores


def score_span(results: Results) -> tuple[float, float]:
    """The axis that all endpoints share: round points around all scores."""
    scores = [100 * p.score for p in results.quality if p.score is not None] or [0.0, 100.0]
    apart = max(scores) - min(scores)
    step = 10 if apart > 30 else 5 if apart > 10 else 1
    low, high = step * math.floor(min(scores) / step), step * math.ceil(max(scores) / step)
    return float(low), float(high if high > low else low + step)


def quality_means(told: Told) -> Rows:
    """The mean score of every strategy at the horizon, with the range of its seeds; what moves, the page reckons."""
    rows: Rows = []
    for i, label in enumerate(told.results.facts.labels):
        mean = average(told, label)
        if mean is not None:
            by_seed = _by_seed(told, label)
            low, high = 100 * min(by_seed), 100 * max(by_seed)
            said = points(mean)
            rows.append({"k": f"s{i}", "label": label, "q": 100 * mean, "qlo": low, "qhi": high, "score": said})
    return rows


def _by_seed(told: Told, label: str) -> list[float]:
    last = [p for (x, _), group in final_points(told).items() if x == label for p in group]
    seeds = dict.fromkeys(p.seed for p in last)
    return [statistics.fmean(p.score for p in last if p.seed == seed and p.score is not None) for seed in seeds]


def flop_rows(told: Told) -> Rows:
    """The counted FLOPs of each strategy and phase; what is not known, or did not come about, has none."""
    return list(_bars(phase_flops(told), PHASES))


def part_rows(told: Told) -> Rows:
    """The counted FLOPs of training of each strategy, part by part; what is not known has no bar."""
    return list(_bars(part_flops(told), PARTS))


def _bars(found: Mapping[str, Mapping[str, float | None]], names: Mapping[str, str]) -> Iterator[dict[str, JsonValue]]:
    """A bar's part for each strategy and each of the names."""
    for k, (label, amounts) in enumerate(found.items()):
        for i, (name, number) in enumerate(amounts.items()):
            if number:
                said = flops(number)
                yield {"k": f"s{k}", "label": label, "phase": names[name], "flops": number, "said": said, "i": i}


def equalled_rows(results: Results) -> Rows:
    """The FLOPs of training until the score that all strategies reach, mean over the seeds that reached it."""
    found: dict[tuple[float, int, str, str, str], list[EqualQualityRow]] = defaultdict(list)
    targets: dict[tuple[float, int, str], list[float]] = defaultdict(list)
    for row in results.equal_quality:
        if row.goal == "all":
            found[row.day, row.place, row.task, row.label, row.slot].append(row)
            targets[row.day, row.place, row.task].append(row.target)
    rows: Rows = []
    for (day, place, task, label, slot), mine in sorted(found.items(), key=lambda item: item[0][:3]):
        known = [row.train_flops for row in mine if row.steps is not None and row.train_flops is not None]
        if known:
            k, mean = f"s{results.facts.labels.index(label)}", statistics.fmean(known)
            where = f"day {day:g}, {task}: {points(statistics.fmean(targets[day, place, task]))} points"
            rows.append({"k": k, "label": label, "slot": slot, "flops": mean, "said": flops(mean), "where": where})
    return rows


def grown(results: Results, component: str) -> list[list[tuple[float, float, float]]]:
    """Cumulative cost of every strategy on the grid of days: mean, lowest and highest of the seeds."""
    found = []
    for label in results.facts.labels:
        mine = [c.amounts for c in results.curves if (c.label, c.component) == (label, component)]
        found.append([(statistics.fmean(each), min(each), max(each)) for each in zip(*mine, strict=True)])
    return found


def projected_curves(results: Results) -> JsonValue:
    """The curves at the size of production with days of their own; None where nobody asked for them."""
    found = larger(results)
    if found is None or results.projection is None:
        return None
    names = dict.fromkeys(row.component for row in found.totals)
    curves: dict[str, JsonValue] = {
        name: [[[*point] for point in points] for points in grown(found, name)] for name in names
    }
    lacking = {c.label for c in found.curves if c.component == TOTAL and not c.complete}
    whole: list[JsonValue] = [label not in lacking for label in results.facts.labels]
    return {"days": [*found.days], "curves": curves, "whole": whole, "how": how(results.projection)}
