"""What stood at the end: files in store, and replicas that answer."""

import math
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from adapeff_sim.costs.serving import PoolRow
from adapeff_sim.costs.storage import StoredRow
from adapeff_sim.reports.tables import table
from adapeff_sim.reports.wording import named, percent, plural, size, surety
from adapeff_sim.results import Results

KEPT = {"routed": "in use", "older": "older versions", "ancestor": "ancestors", "data": "data"}  # in this order
WHY_SHOWN = 5


def holdings(results: Results) -> Iterator[Table]:
    """Both tables, of results that tell of them: those of earlier versions do not."""
    if results.stored:
        yield stored(results)
    if results.pools:
        yield pools(results)


def stored(results: Results) -> Table:
    """How many artifacts lay in store on the last day, and their bytes, apart by why they are kept."""
    seed = results.facts.seeds[0]
    rows = [r for r in results.stored if r.seed == seed and r.until >= results.facts.terms.horizon_days]
    found = [kept for kept in KEPT if any(r.kept_as == kept for r in rows)]
    made = table(
        "", *(KEPT[kept] for kept in found), "all", title=f"In store at the end{_of(results)}; day by day: stored.csv"
    )
    for label in results.facts.labels:
        mine = [r for r in rows if r.label == label]
        head = named(label, surety(r.provenance for r in mine))
        made.add_row(head, *(_weight([r for r in mine if r.kept_as == kept]) for kept in found), _weight(mine))
    return made


def _weight(rows: Sequence[StoredRow]) -> Text:
    if not rows:
        return Text("–", style="dim")
    known = [r.bytes for r in rows if r.bytes is not None]
    text = Text(("≥" if len(known) < len(rows) else "") + size(math.fsum(known)))
    return text.append(f"\n{plural(len(rows), 'artifact')}", "dim")


def pools(results: Results) -> Table:
    """Replicas on the last day; with a target the longest 95th percentile that is predicted for any pool."""
    terms, seed = results.facts.terms, results.facts.seeds[0]
    rows = [r for r in results.pools if r.seed == seed and r.until >= terms.horizon_days]
    target = "" if terms.p95_ms is None else f", p95 of {terms.p95_ms:g} ms asked"
    heads = ["pools", "replicas", "busy", *([] if terms.p95_ms is None else ["p95 ms, predicted"])]
    made = table("", *heads, title=f"Replicas at the end{_of(results)}{target}; day by day: pools.csv")
    for label in results.facts.labels:
        mine = [r for r in rows if r.label == label]
        made.add_row(named(label, surety(r.provenance for r in mine)), *_replicas(mine, terms.p95_ms is not None))
    whys = list(dict.fromkeys(r.why for r in results.pools if r.why))
    if whys:
        more = [f"and {len(whys) - WHY_SHOWN} more; pools.csv has them all"] if len(whys) > WHY_SHOWN else []
        made.caption, made.caption_justify = "\n".join([*whys[:WHY_SHOWN], *more]) + "\n", "left"
    return made


def _replicas(rows: Sequence[PoolRow], has_target: bool) -> Iterator[Text]:
    """Cells of one strategy: pools, replicas, the share of their time in which they answer, and the percentile."""
    known = [r for r in rows if r.replicas is not None and r.busy_share is not None]
    is_whole = len(known) == len(rows)
    count = sum(r.replicas or 0 for r in known)
    busy = math.fsum((r.busy_share or 0.0) * (r.replicas or 0) for r in known)
    missing = Text("unavailable", style="yellow")
    yield Text(str(len(rows)))
    yield Text(f"{'' if is_whole else '≥'}{count:,}") if known else missing
    yield Text(percent(busy / count)) if count and is_whole else missing
    if has_target:
        slowest = max((r.p95_ms for r in rows if r.p95_ms is not None), default=None)
        yield missing if slowest is None else Text(f"{slowest:.3g}", style="" if is_whole else "yellow")


def _of(results: Results) -> str:
    return f" (seed {results.facts.seeds[0]})" if len(results.facts.seeds) > 1 else ""
