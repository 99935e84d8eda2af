"""Tables of what a run came to: costs, where the numbers come from, what events meant, and quality."""

import statistics
from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from adapeff_sim.costs.totals import TotalRow
from adapeff_sim.ledger.history import EventRow, QualityPoint
from adapeff_sim.reports.wording import duration, folded, line, money, percent, plural, points
from adapeff_sim.results import Results

TOTAL = "total"
CELL = 12  # columns: "+1 ~2 =3" and the parts of a label
ROW_HEAD = 28


def table(*heads: str | Text, title: str) -> Table:
    """An empty table whose cells are folded where they are too long, and never cut."""
    made = Table(box=box.SIMPLE_HEAD, title=line(title, "bold"), title_justify="left", title_style="", pad_edge=False)
    for i, head in enumerate(heads):
        text = line(head) if isinstance(head, str) else head
        made.add_column(text, justify="right" if i else "left", overflow="fold", min_width=0 if i else 8)
    return made


def costs(results: Results) -> Table:
    """Money by component and strategy; what the verdict calls cheapest is marked, and so are lower bounds."""
    names = list(dict.fromkeys(row.component for row in results.totals))
    seeds = len(results.facts.seeds)
    spread = f", mean of {plural(seeds, 'seed')} ± standard deviation" if seeds > 1 else ""
    made = table("", *names, title=f"Cost in {results.prices.currency}{spread}")
    found = {(row.label, row.component): row for row in results.totals}
    best = {c.component: {c.cheapest, *c.tied} for c in results.verdict.comparisons if c.cheapest and c.rivals}
    for label in results.facts.labels:
        cells = [_amount(found[label, name], label in best.get(name, ())) for name in names]
        made.add_row(line(label), *cells)
    notes = ["* cheapest, or no dearer within the noise"] if any(best.values()) else []
    notes += ["≥ a lower bound: some amounts are unavailable"] if any(row.unavailable for row in results.totals) else []
    made.caption, made.caption_justify = "; ".join(notes) + "\n" if notes else None, "left"
    return made


def _amount(row: TotalRow, is_cheapest: bool) -> Text:
    """One amount: ``*`` marks the cheapest and those it ties with, ``≥`` a lower bound."""
    star = "*" if is_cheapest else ""
    text = Text(f"{'≥' if row.unavailable else ''}{money(row.mean)}{star}", style="bold green" if is_cheapest else "")
    if row.spread is not None:
        text.append(f"\n±{money(row.spread)}", style="dim not bold")
    return text


def provenance(results: Results) -> Table:
    """The share of the money that was measured, reused and estimated, and what could not be had."""
    made = table("", "measured", "reused", "estimated", "unavailable", title="Where the amounts come from")
    for row in results.totals:
        if row.component == TOTAL:
            shares = (percent(row.shares.get(name, 0.0)) for name in ("measured", "reused", "estimated"))
            missing = plural(len(row.unavailable), "item") if row.unavailable else "nothing"
            made.add_row(line(row.label), *shares, Text(missing, style="yellow" if row.unavailable else ""))
    return made


def events(results: Results, width: int) -> Iterator[Table]:
    """What every event meant for every strategy: created, rebuilt, kept and retired artifacts, and training time."""
    seed = results.facts.seeds[0]
    rows = [row for row in results.events if row.seed == seed]
    moments = sorted({(row.day, row.place, row.event) for row in rows})
    many = f" (seed {seed})" if len(results.facts.seeds) > 1 else ""
    title = f"What each event meant{many}: + created, ~ rebuilt, = kept, - retired; training time"
    for labels in _chunks(results.facts.labels, width - ROW_HEAD, CELL + 3):
        made = table("day", "event", *(folded(x, CELL) for x in labels), title=title)
        made.columns[0].justify, made.columns[0].min_width, made.columns[1].justify = "right", 3, "left"
        made.columns[1].min_width = min(20, max(len(word) for _, _, event in moments for word in event.split()))
        for moment in moments:
            at = [row for row in rows if (row.day, row.place, row.event) == moment]
            made.add_row(f"{moment[0]:g}", line(moment[2]), *(_meant([r for r in at if r.label == x]) for x in labels))
        yield made


def _meant(rows: Sequence[EventRow]) -> Text:
    """One event for one strategy; its steps that ask for scores and go on are taken together."""
    if not rows:
        return Text("–", style="dim")
    counts = [
        ("+", "green", sum(len(r.created) for r in rows)),
        ("~", "yellow", sum(len(r.rebuilt) for r in rows)),
        ("=", "dim", len(rows[-1].kept)),
        ("-", "red", sum(len(r.retired) for r in rows)),
    ]
    text = Text(" ").join([Text(f"{sign}{n}", style=style) for sign, style, n in counts if n])
    if any(r.created or r.rebuilt for r in rows):
        seconds = [r.train_seconds for r in rows]
        told = "unavailable" if None in seconds else duration(sum(s for s in seconds if s is not None))
        text.append(f"\n{told}", style="dim")
    return text


def quality(results: Results, width: int) -> Iterator[Table]:
    """The score of every endpoint when it was last served, in points, mean over seeds."""
    last = _last_points(results)
    endpoints = sorted({endpoint for _, endpoint in last})
    below = {(b.label, b.endpoint) for b in results.verdict.below}
    horizon = results.facts.terms.horizon_days
    metrics = sorted({p.metric for group in last.values() for p in group})
    title = f"Quality in points ({', '.join(metrics)}); - marks {results.facts.quality_floor:g} and more below the best"
    for labels in _chunks(results.facts.labels, width - ROW_HEAD, CELL + 3):
        made = table("endpoint", *(folded(x, CELL) for x in labels), title=title)
        for endpoint in endpoints:
            group = [p for x in results.facts.labels for p in last.get((x, endpoint), [])]
            ended = max(p.until for p in group)
            metric = ", ".join(sorted({p.metric for p in group}))
            head = line(endpoint).append(f" {metric}" if len(metrics) > 1 else "", "dim")
            head.append(f"\nuntil day {ended:g}" if ended < horizon else "", "dim")
            made.add_row(head, *(_score(last.get((x, endpoint), []), (x, endpoint) in below) for x in labels))
        yield made


def _last_points(results: Results) -> dict[tuple[str, str], list[QualityPoint]]:
    """For each strategy and endpoint, the last score of every seed."""
    last: dict[tuple[str, str, int], QualityPoint] = {}
    for p in sorted(results.quality, key=lambda p: p.day):
        last[p.label, p.endpoint, p.seed] = p
    found: dict[tuple[str, str], list[QualityPoint]] = {}
    for (label, endpoint, _), p in last.items():
        found.setdefault((label, endpoint), []).append(p)
    return found


def _score(found: Sequence[QualityPoint], is_below: bool) -> Text:
    scores = [p.score for p in found if p.score is not None]
    if not found:
        return Text("–", style="dim")
    if len(scores) < len(found):
        return Text("unavailable", style="yellow")
    text = Text(points(statistics.fmean(scores)) + ("-" if is_below else ""), style="red" if is_below else "")
    if len(scores) > 1:
        text.append(f"\n±{points(statistics.stdev(scores))}", style="dim")
    return text


def _chunks(labels: Sequence[str], width: int, each: int) -> list[Sequence[str]]:
    """The strategies in groups that fit beside each other."""
    size = max(1, width // each)
    return [labels[i : i + size] for i in range(0, len(labels), size)]
