"""What every event moved that nobody asked to move, and how long and how big it was: one small table."""

from collections.abc import Iterator
from itertools import groupby

from rich.table import Table
from rich.text import Text

from adapeff_sim.ledger.upkeep import UpkeepRow
from adapeff_sim.reports.tables import CELL, DASH, table
from adapeff_sim.reports.wording import duration, folded, percent, plural, points, size
from adapeff_sim.results import Results

HEADS = ("re-\ndeployed", "test\nitems", "churn", "for-\ngotten", "lead\ntime", "roll-\nback")
EVENTS_SHOWN = 8
NOTE = (
    "In brackets: endpoints, and their test items, that the event did not touch. Churn: answers there that are others "
    "now, below it how many right ones are wrong. Forgotten: points below an endpoint's best so far, mean, below it "
    "the most. Lead time: training, validating and re-validation on {devices} of the priced device. Roll-back: bytes "
    "to keep so as to go back. All of it: upkeep.csv\n"
)


def upkeep(results: Results) -> Iterator[Table]:
    """A row for every event and strategy for which something was done; of the first seed."""
    seed = results.facts.seeds[0]
    rows = [row for row in results.upkeep if row.seed == seed and is_work(row)]
    if not rows:
        return
    many = f" (seed {seed})" if len(results.facts.seeds) > 1 else ""
    made = table("", *map(Text, HEADS), title=f"Upkeep: what else every event moved{many}")
    every = sorted({moment(row) for row in rows})
    shown = sorted((row for row in rows if moment(row) in every[:EVENTS_SHOWN]), key=moment)
    for (day, _, event), group in groupby(shown, key=moment):
        head = Text(f"day {day:g}\n").append_text(folded(event, CELL))
        head.stylize("bold")
        made.add_row(head)
        for row in group:
            made.add_row(folded(row.label, CELL).append(f"\n{row.provenance}", "dim"), *_cells(row))
    devices = plural(results.facts.gpus, "device")
    more = f"And {plural(len(every) - EVENTS_SHOWN, 'event')} more. " if len(every) > EVENTS_SHOWN else ""
    made.caption, made.caption_justify = more + NOTE.format(devices=devices), "left"
    yield made


def moment(row: UpkeepRow) -> tuple[float, int, str]:
    """Which event a row is of."""
    return row.day, row.place, row.event


def is_work(row: UpkeepRow) -> bool:
    """Whether an event asked for anything at all."""
    return bool(row.created or row.rebuilt or row.retired or row.opened or row.redeployed or row.items)


def _cells(row: UpkeepRow) -> Iterator[Text]:
    missing = Text("unavail-\nable", style="yellow")
    unasked = None if row.unasked is None else len(row.unasked)
    yield missing if row.redeployed is None else _of(len(row.redeployed), unasked)
    yield missing if row.items is None else _of(row.items, row.unasked_items)
    yield _told(row, "churn", None if row.churn is None else percent(row.churn), _wrong(row))
    most = None if row.most_forgetting is None else points(row.most_forgetting)
    yield _told(row, "forgetting", None if row.forgetting is None else points(row.forgetting), most)
    how = row.lead_provenance if row.lead_seconds else None
    yield _told(row, "lead_seconds", None if not row.lead_seconds else duration(row.lead_seconds), how)
    yield _told(row, "rollback_bytes", None if not row.rollback_bytes else size(row.rollback_bytes), None)


def _of(count: int, unasked: int | None) -> Text:
    """How many, and in brackets how many nobody asked for."""
    return Text(f"{count:,}").append(f" ({unasked:,})" if unasked else "", "yellow") if count else DASH


def _told(row: UpkeepRow, name: str, said: str | None, below: str | None) -> Text:
    if said is None:
        return Text("unavail-\nable", style="yellow") if name in row.unavailable else DASH
    return Text(said).append(f"\n{below}" if below else "", "dim")


def _wrong(row: UpkeepRow) -> str | None:
    return f"{row.became_wrong:,} wrong" if row.became_wrong else None
