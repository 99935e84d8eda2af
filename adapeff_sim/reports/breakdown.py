"""A table of its own for every cost component: what it is made of, as one component can dwarf the others."""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from adapeff_sim.costs.base import CostRow
from adapeff_sim.reports.notes import counted
from adapeff_sim.reports.tables import TOTAL, table
from adapeff_sim.reports.wording import flops, money, named, quantity, star, surety
from adapeff_sim.results import Results

PARTS = {  # how the items of a component begin, and what heads their column; in this order
    "compute": {
        "train and validate": "train, validate",  # measured energy is one number for both
        "train": "train",
        "validate": "validate",
        "re-validate": "re-validate",
    },
    "storage": {"routed": "in use", "older": "older versions", "ancestor": "ancestors", "data": "data"},
    "serving": {"busy": "busy", "idle": "idle", "rollout": "side by side", "load": "loading"},
    "energy": {"train and validate": "train, validate", "re-validate": "re-validate"},
    "revalidation": {"asked": "asked for", "unasked": "not asked for", "of-event": "asked or not"},
    "labelling": {"label": "to train on", "held-out": "held out"},
}
UNITS = {
    "device_hours": "hours of the device",
    "exaflops": "exaFLOPs",
    "kwh": "kWh",
    "replica_hours": "hours of a replica",
    "gib_months": "GiB x months",
    "labelled_examples": "rows",
    "validation_examples": "rows",
    "test_examples": "rows",
    "test_items": "test items",
}


def breakdown(results: Results) -> Iterator[Table]:
    """A table for every component that occurs: money for each of its parts, and how much of what was paid for."""
    for component in dict.fromkeys(row.component for row in results.totals):
        if component != TOTAL:
            yield component_table(results, component)


def component_table(results: Results, component: str) -> Table:
    """One component, mean over seeds: strategies as rows, parts as columns; quantities below the amounts."""
    rows = [row for row in results.rows if row.component == component]
    found = {part_of(row) for row in rows}
    known = list(PARTS.get(component, {}).values())
    parts = [part for part in known if part in found] + sorted(found.difference(known))
    units = ", ".join(dict.fromkeys(UNITS.get(row.unit, row.unit.replace("_", " ")) for row in rows))
    heads = [*parts, "all", *(["FLOPs, 6ND"] if component == "compute" else [])]
    made = table("", *heads, title=f"{component.capitalize()} in {results.prices.currency}, below it {units}")
    for column, head in zip(made.columns[1:], heads, strict=True):
        column.min_width = max(map(len, head.split()))
    for label in results.facts.labels:
        mine = [row for row in rows if row.label == label]
        groups = [[row for row in mine if part_of(row) == part] for part in parts]
        made.add_row(
            named(label, surety(row.provenance for row in mine)),
            *(_cell(results, group) for group in (*groups, mine)),
            *_flops(results, label, component),
        )
    made.collapse_padding = component == "compute"  # six columns, with their marks
    if said := _said_below(results, component, parts):
        made.caption, made.caption_justify = f"{said}\n", "left"
    return made


def _said_below(results: Results, component: str, parts: Sequence[str]) -> str:
    """What must be known of the figures of a component; of most, nothing."""
    if component == "compute":
        return f"FLOPs: of training, as {counted(results)}; below them 6ND, 6 x parameters x tokens"
    if component == "serving" and "busy" in parts and results.facts.terms.p95_ms is not None:
        return "busy: to a p95, includes slower first requests after idling; without a p95 it does not"
    return ""


def part_of(row: CostRow) -> str:
    """Which part of its component a row belongs to: how its item begins."""
    for start, part in PARTS.get(row.component, {}).items():
        if row.item.startswith(start + " "):
            return part
    return row.item.partition(" ")[0]


def _cell(results: Results, rows: Sequence[CostRow]) -> Text:
    """Money, and the quantity below it, mean over seeds; with anything unavailable a lower bound."""
    if not rows:
        return Text("–", style="dim")
    mark = star(row.provenance for row in rows)
    text = _mean(results, [(row.seed, row.amount) for row in rows], money).append(mark)
    if any(row.amount is not None for row in rows) and len({UNITS.get(row.unit, row.unit) for row in rows}) == 1:
        text.append("\n").append_text(_mean(results, [(row.seed, row.quantity) for row in rows], quantity, "dim"))
        text.append(mark, "dim")
    return text


def _flops(results: Results, label: str, component: str) -> list[Text]:
    """The FLOPs of all trainings of a strategy, mean over seeds: counted, and nominal."""
    if component != "compute":
        return []
    rows = [row for row in results.events if row.label == label]
    counted = [(row.seed, row.train_flops) for row in rows]
    nominal = [(row.seed, row.nominal_train_flops) for row in rows]
    mark = star(row.provenance for row in rows)
    both = _mean(results, counted, flops).append(mark), _mean(results, nominal, flops, "dim").append(mark)
    return [Text("\n").join(both)]


def _mean(
    results: Results, found: Sequence[tuple[int, float | None]], said: Callable[[float], str], style: str = ""
) -> Text:
    """The mean over seeds of what each sums up to; of what is known in part, a lower bound."""
    known = [(seed, number) for seed, number in found if number is not None]
    if found and not known:
        return Text("unavailable", style="yellow")
    sums = [math.fsum(number for of, number in known if of == seed) for seed in results.facts.seeds]
    return Text(("≥" if len(known) < len(found) else "") + said(statistics.fmean(sums)), style=style)
