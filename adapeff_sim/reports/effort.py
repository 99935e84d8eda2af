"""Where training goes, and what one quality takes: operations, seconds, and steps to a score that all reach."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.table import Table
from rich.text import Text

from adapeff_sim.ledger.trainings import EqualQualityRow, TrainingRow
from adapeff_sim.reports.tables import CELL, DASH, table
from adapeff_sim.reports.wording import duration, flops, folded, line, percent, points, surety
from adapeff_sim.results import Results

FLOPS = {
    "train_forward_flops": "forward",
    "train_activation_gradient_flops": "gradients of activations",
    "train_weight_gradient_flops": "gradients of weights",
}
SECONDS = {
    "train_data_seconds": "data",
    "train_forward_seconds": "forward",
    "train_backward_seconds": "backward",
    "train_optimizer_seconds": "optimizer",
    "validate_seconds": "validate",
    "checkpoint_seconds": "check-\npoint",
}
NOT_EVERY = ("validate_seconds", "checkpoint_seconds")  # a training may do without
GROUPS_SHOWN = 12
GOALS = {"all": "all reach", "floor": "best less {:g}"}


def effort(results: Results) -> Iterator[Table]:
    """Operations and seconds of all trainings of each strategy, part by part; nothing where no training tells."""
    if any(name in row.usage for row in results.trainings for name in FLOPS):
        yield _parts(results, FLOPS, flops, "Operations of training (FLOPs), below them their share")
    if any(name in row.usage for row in results.trainings for name in SECONDS):
        yield _parts(results, SECONDS, duration, "Time of training by part, below it its share")


def _parts(results: Results, names: Mapping[str, str], said: Callable[[float], str], title: str) -> Table:
    """One row for each strategy, mean over seeds."""
    made = table("", *map(Text, names.values()), "all", title=title)
    made.collapse_padding = True
    for label in results.facts.labels:
        rows = [row for row in results.trainings if row.label == label]
        head = folded(label, CELL).append(f"\n{surety(row.provenance for row in rows)}".rstrip(), "dim")
        if any(_amount(row, name) is None for row in rows for name in names):
            made.add_row(head, *(DASH for _ in names), Text("unavailable", style="yellow"))
            continue
        sums = [math.fsum(_amount(row, name) or 0.0 for row in rows) / len(results.facts.seeds) for name in names]
        whole = math.fsum(sums)
        cells = [_part(amount, whole, said) for amount in sums]
        made.add_row(head, *cells, said(whole))
    return made


def _amount(row: TrainingRow, name: str) -> float | None:
    """What one training used; what it did without is nothing, and what was not measured is not known."""
    return row.usage.get(name, 0.0 if name in NOT_EVERY and name not in row.unavailable else None)


def _part(amount: float, whole: float, said: Callable[[float], str]) -> Text:
    return Text(said(amount)).append(f"\n{percent(amount / whole)}", "dim") if amount else DASH


def equal_quality(results: Results) -> Iterator[Table]:
    """For each task, at the first event at which strategies can be compared: what each took to the same scores."""
    shown: dict[str, tuple[float, int]] = {}
    for row in sorted(results.equal_quality, key=lambda row: (row.day, row.place)):
        shown.setdefault(row.task, (row.day, row.place))
    for task, (day, place) in sorted(shown.items(), key=lambda item: (item[1], item[0]))[:GROUPS_SHOWN]:
        yield _at_equal_quality(results, task, day, place)


def _at_equal_quality(results: Results, task: str, day: float, event: int) -> Table:
    rows = [row for row in results.equal_quality if (row.task, row.day, row.place) == (task, day, event)]
    seeds = len({row.seed for row in rows})
    many = f", mean of {seeds} seeds" if seeds > 1 else ""
    made = table(
        "", "to reach", "steps", "FLOPs, 6ND", "time", title=f"Cost at equal quality: {task}, day {day:g}{many}"
    )
    for label in results.facts.labels:
        for slot in dict.fromkeys(row.slot for row in rows if row.label == label):
            mine = [row for row in rows if (row.label, row.slot) == (label, slot)]
            for goal in dict.fromkeys(row.goal for row in mine):
                reached = [row for row in mine if row.goal == goal]
                sure = surety(row.provenance for row in reached)
                head = line(label).append(f"\n{slot}{f', {sure}' if sure else ''}", "dim")
                made.add_row(head, *_reached(reached, GOALS[goal].format(results.facts.quality_floor)))
    made.caption, made.caption_justify = (
        "In points on the validation rows: those that all reach, and the best of any less "
        f"{results.facts.quality_floor:g}. Of training alone: validating and the adapters under a fusion are not in "
        "it, and a model of several tasks is trained for all of them.\n",
        "left",
    )
    return made


def _reached(rows: Sequence[EqualQualityRow], goal: str) -> tuple[Text, ...]:
    """What reaching one goal took, mean over the seeds in which it was reached; and in how many it was not."""
    target = Text(points(statistics.fmean(row.target for row in rows))).append(f"\n{goal}", "dim")
    there = [row for row in rows if row.steps is not None]
    if not there:
        return target, Text("never", style="red"), DASH, DASH
    steps, counted, nominal, seconds = (
        statistics.fmean(getattr(row, name) for row in there)
        for name in ("steps", "train_flops", "nominal_train_flops", "train_seconds")
    )
    few = f"\nin {len(there)} of {len(rows)}" if len(there) < len(rows) else ""
    both = Text(flops(counted)).append(f"\n{flops(nominal)}", "dim")
    return target, Text(f"{steps:,.0f}{few}"), both, Text(duration(seconds))
