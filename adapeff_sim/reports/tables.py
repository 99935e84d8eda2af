"""Tables of what a run came to: costs, where the numbers come from, what events meant, and quality."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from adapeff_sim.costs.base import CostRow
from adapeff_sim.costs.totals import TotalRow
from adapeff_sim.ledger.history import EventRow, QualityPoint
from adapeff_sim.ledger.outcome import PROVENANCES, Provenance
from adapeff_sim.reports.wording import (
    BEST,
    STAR_SAID,
    best_said,
    duration,
    folded,
    line,
    money,
    named,
    percent,
    plural,
    points,
    star,
    surety,
)
from adapeff_sim.results import Results

TOTAL = "total"
KNOWN: tuple[Provenance, ...] = PROVENANCES[:-1]
CELL, NARROWEST, GAP, TIGHT = 12, 8, 3, 2  # columns: of a folded label, at most and at least, and between two of them
EDGES = 2  # of the box, left and right
DAY = EDGES + 3 + GAP  # the column of the days
ANEW = (
    "reused: measured by an earlier run. What is fetched (base models, rows to train on) is counted anew in every run, "
    "and so measured in it.\n"
)
DASH = Text("–", style="dim")  # nothing is there
UNKNOWN = Text("n/a", style="yellow")  # something is there, and could not be had
UNKNOWN_SAID = "n/a: unavailable, which is not 0"
NARROW = {"revalidation": "re-vali-\ndation"}  # heads where room is short


def table(*heads: str | Text, title: str) -> Table:
    """An empty table whose cells are folded where they are too long, and never cut."""
    made = Table(box=box.SIMPLE_HEAD, title=line(title, "bold"), title_justify="left", title_style="", pad_edge=False)
    for i, head in enumerate(heads):
        text = line(head) if isinstance(head, str) else head
        made.add_column(text, justify="right" if i else "left", overflow="fold", min_width=0 if i else 8)
    return made


def costs(results: Results, width: int = 80) -> Iterator[Table]:
    """Money by component and strategy; marked are what the verdict calls cheapest, what is not measured, lower bounds.

    Components that do not fit beside each other stand in a second table.
    """
    names = list(dict.fromkeys(row.component for row in results.totals))
    seeds = len(results.facts.seeds)
    spread = f", mean of {plural(seeds, 'seed')} ± standard deviation" if seeds > 1 else ""
    found = {(row.label, row.component): row for row in results.totals}
    best = {c.component: {c.cheapest, *c.tied} for c in results.verdict.comparisons if c.cheapest and c.rivals}
    cells = {at: _amount(row, at[0] in best.get(at[1], ())) for at, row in found.items()}
    sure = {x: surety(r.provenance for r in results.rows if r.label == x) for x in results.facts.labels}
    heads, tops = {x: named(x, sure[x]) for x in sure}, {x: line(x) for x in names}
    widest = {x: _widest(cells[label, x] for label in results.facts.labels) for x in names}
    groups, gap = [names], GAP
    if _wide(heads, tops, widest) > width:
        narrow = {x: folded(x, CELL).append(f"\n{sure[x]}", "dim") for x in sure}
        low = {x: Text(NARROW.get(x, x)) for x in names}
        if fitting := [each for each in (GAP, TIGHT) if _wide(narrow, low, widest, each) <= width]:
            heads, tops, gap = narrow, low, fitting[0]
        elif len(names) > 2:
            groups = [names[: len(names) // 2], names[len(names) // 2 :]]
    said = _costs_said(results, best)
    for group in groups:
        made = table("", *(tops[x] for x in group), title=f"Cost in {results.prices.currency}{spread}")
        made.collapse_padding = gap == TIGHT
        for label in results.facts.labels:
            made.add_row(heads[label], *(cells[label, name] for name in group))
        if group is groups[-1] and said:
            made.caption, made.caption_justify = "\n".join([*said, ""]), "left"
        yield made


def _costs_said(results: Results, best: Mapping[str, set[str]]) -> list[str]:
    """What the marks in the table of costs mean, of those that occur, and what is in no sum."""
    rows = results.totals
    notes = [best_said(len(results.facts.seeds), any(len(tied) > 1 for tied in best.values()))] if best else []
    notes += [STAR_SAID] if any(map(starred, rows)) else []
    notes += ["≥ a lower bound: some amounts are unavailable"] if any(row.unavailable for row in rows) else []
    notes += [UNKNOWN_SAID] if any(map(is_unknown, rows)) else []
    return [told for told in ("; ".join(notes), unpriced(results)) if told]


def unpriced(results: Results) -> str:
    """What is in no sum, as the book has no price of its own for it."""
    why = results.prices.unpriced
    return f"In no sum: {', '.join(f'{name} ({reason})' for name, reason in why.items())}" if why else ""


def _wide(heads: Mapping[str, Text], tops: Mapping[str, Text], widest: Mapping[str, int], gap: int = GAP) -> int:
    """The columns that a table takes with these rows and columns; of the latter the widest cell below the head."""
    return EDGES + max(8, _widest(heads.values())) + sum(gap + max(n, _widest([tops[x]])) for x, n in widest.items())


def _amount(row: TotalRow, is_cheapest: bool) -> Text:
    """One amount: ``*`` marks what is not measured, ``≥`` a lower bound, ``✓`` the cheapest and those it ties with."""
    if is_unknown(row):
        return UNKNOWN
    said = f"{'≥' if row.unavailable else ''}{money(row.mean)}{starred(row)}"
    text = Text(f"{said}{BEST}" if is_cheapest else said, style="bold green" if is_cheapest else "")
    if row.spread is not None:
        text.append(f"\n±{money(row.spread)}", style="dim not bold")
    return text


def is_unknown(row: TotalRow) -> bool:
    """Whether none of a sum could be had: such a sum is not 0."""
    return row.mean is None


def starred(row: TotalRow) -> str:
    """The mark of a sum in which something is estimated or assumed."""
    return star([*row.shares, row.provenance])


def provenance(results: Results) -> Table:
    """For each component, over all strategies: the share of the money by provenance, and what could not be had."""
    made = table("", *KNOWN, "unavailable", title="Where the amounts come from, all strategies together")
    for component in dict.fromkeys(row.component for row in results.totals):
        rows = [row for row in results.rows if component in (row.component, TOTAL)]
        shares = _shares(rows)
        missing = len({(row.label, row.component, row.item) for row in rows if row.amount is None})
        told = Text(plural(missing, "item") if missing else "nothing", style="yellow" if missing else "")
        made.add_row(component, *(percent(shares[name]) if shares[name] else DASH for name in KNOWN), told)
    if any(row.provenance == "reused" for row in results.rows):
        made.caption, made.caption_justify = ANEW, "left"
    return made


def _shares(rows: Sequence[CostRow]) -> dict[str, float]:
    """How much of the money that is known is of each provenance."""
    known = math.fsum(row.amount or 0.0 for row in rows)
    amounts = {name: math.fsum(row.amount or 0.0 for row in rows if row.provenance == name) for name in KNOWN}
    return {name: amount / known if known else 0.0 for name, amount in amounts.items()}


def events(results: Results, width: int) -> Iterator[Table]:
    """What every event meant for every strategy: created, rebuilt, kept and retired artifacts, and training time."""
    seed = results.facts.seeds[0]
    rows = [row for row in results.events if row.seed == seed]
    moments = sorted({(row.day, row.place, row.event) for row in rows})
    many = f" (seed {seed})" if len(results.facts.seeds) > 1 else ""
    title = f"What each event meant{many}: + created, ~ rebuilt, = kept, - retired; training time"
    words = min(20, max((len(word) for _, _, event in moments for word in event.split()), default=0))
    steps: dict[tuple[object, str], list[EventRow]] = defaultdict(list)
    for row in rows:
        steps[(row.day, row.place, row.event), row.label].append(row)
    cells = {(moment, x): _meant(steps[moment, x]) for moment in moments for x in results.facts.labels}
    room = width - words - DAY
    for heads in _beside(results.facts.labels, cells.values(), room):
        made = table("day", "event", *heads.values(), title=title)
        made.collapse_padding = _needed(heads, cells.values(), GAP) > room
        made.columns[0].justify, made.columns[0].min_width, made.columns[1].justify = "right", 3, "left"
        made.columns[1].min_width = words
        for moment in moments:
            sure = surety(row.provenance for x in heads for row in steps[moment, x])
            made.add_row(f"{moment[0]:g}", named(moment[2], sure), *(cells[moment, x] for x in heads))
        yield made


def _meant(rows: Sequence[EventRow]) -> Text:
    """One event for one strategy; its steps that ask for scores and go on are taken together."""
    if not rows:
        return DASH
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
    title = (
        f"Quality in points ({', '.join(metrics)}); - marks more than {results.facts.quality_floor:g} below the best"
    )
    cells = {(e, x): _score(last.get((x, e), []), (x, e) in below) for e in endpoints for x in results.facts.labels}
    names: dict[str, Text] = {}
    for e in endpoints:
        group = [p for x in results.facts.labels for p in last.get((x, e), [])]
        ended = max(p.until for p in group)
        metric = ", ".join(sorted({p.metric for p in group}))
        names[e] = line(e).append(f" {metric}" if len(metrics) > 1 else "", "dim")
        names[e].append(f"\nuntil day {ended:g}" if ended < horizon else "", "dim")
        names[e].append(f"\n{surety(p.provenance for p in group)}", "dim")
    room = width - max(NARROWEST, _widest(names.values())) - EDGES
    for heads in _beside(results.facts.labels, cells.values(), room):
        made = table("endpoint", *heads.values(), title=title)
        made.collapse_padding = _needed(heads, cells.values(), GAP) > room
        for e in endpoints:
            made.add_row(names[e], *(cells[e, x] for x in heads))
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
        return DASH
    if len(scores) < len(found):
        return Text("unavailable", style="yellow")
    text = Text(points(statistics.fmean(scores)) + ("-" if is_below else ""), style="red" if is_below else "")
    if len(scores) > 1:
        text.append(f"\n±{points(statistics.stdev(scores))}", style="dim")
    return text


def _widest(cells: Iterable[Text]) -> int:
    """The columns that the longest line of some cells takes."""
    return max((cell_len(row) for cell in cells for row in cell.plain.split("\n")), default=0)


def _beside(labels: Sequence[str], cells: Iterable[Text], room: int) -> Iterator[dict[str, Text]]:
    """The heads of the columns of the strategies: beside each other if they can be folded so, else in groups."""
    cells = tuple(cells)
    for gap in (GAP, TIGHT):
        for width in range(CELL, NARROWEST - 1, -1):
            heads = {x: folded(x, width) for x in labels}
            if _needed(heads, cells, gap) <= room:
                yield heads
                return
    size = max(1, room // (GAP + max(CELL, _widest(cells))))
    for i in range(0, len(labels), size):
        yield {x: folded(x, CELL) for x in labels[i : i + size]}


def _needed(heads: Mapping[str, Text], cells: Iterable[Text], gap: int) -> int:
    """The columns that strategies with these heads take beside each other, all cells as wide as the widest."""
    widest = _widest(cells)
    return sum(gap + max(widest, _widest([head])) for head in heads.values())
