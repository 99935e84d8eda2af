"""What every event moved that nobody asked to move, and how long and how big it was: one small table."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from adapeff_sim.ledger.upkeep import UpkeepRow
from adapeff_sim.reports.tables import CELL, DASH, UNKNOWN, UNKNOWN_SAID, table
from adapeff_sim.reports.wording import duration, folded, percent, plural, points, size
from adapeff_sim.results import Results

HEADS = {
    "redeployed": "re-\ndeployed",
    "items": "test\nitems",
    "churn": "churn",
    "forgetting": "for-\ngotten",
    "lead_seconds": "lead\ntime",
    "rollback_bytes": "roll-\nback",
}
EVENTS_SHOWN = 8
WIDE = 26  # columns of a name, where some of the others are left out
NOTES = {
    "redeployed": "In brackets: endpoints, and their test items, that the event did not touch.",
    "churn": "Churn: answers there that are others now, below it how many right ones are wrong.",
    "forgetting": "Forgotten: points below an endpoint's best so far, mean, below it the most.",
    "lead_seconds": "Lead time: training, validating and re-validation on {devices} of the priced kind.",
    "rollback_bytes": "Roll-back: bytes to keep so as to go back.",
}
SAID = {"redeployed": "re-deployed", "items": "test items", "lead_seconds": "lead time", "rollback_bytes": "roll-back"}


def upkeep(results: Results) -> Iterator[Table]:
    """A row for every event and strategy for which something was done; of the first seed.

    What could not be had of any of them is named below the table, and has no column.
    """
    seed = results.facts.seeds[0]
    rows = [row for row in results.upkeep if row.seed == seed and is_work(row)]
    if not rows:
        return
    every = sorted({moment(row) for row in rows})
    shown = sorted((row for row in rows if moment(row) in every[:EVENTS_SHOWN]), key=moment)
    cells = [dict(zip(HEADS, _cells(row), strict=True)) for row in shown]
    kept = [name for name in HEADS if any(cell[name] is not UNKNOWN for cell in cells)]
    many = f" (seed {seed})" if len(results.facts.seeds) > 1 else ""
    heads = (Text(HEADS[name]) for name in kept)
    made = table("", *heads, title=f"Upkeep: what else every event moved{many}")
    made.collapse_padding, made.columns[0].min_width = True, CELL
    width = CELL if len(kept) > len(HEADS) // 2 else WIDE
    for (day, _, event), group in groupby(zip(shown, cells, strict=True), key=lambda each: moment(each[0])):
        head = Text(f"day {day:g}\n").append_text(folded(event, width))
        head.stylize("bold")
        made.add_row(head)
        for row, cell in group:
            made.add_row(folded(row.label, width).append(f"\n{row.provenance}", "dim"), *(cell[x] for x in kept))
    made.caption, made.caption_justify = _notes(results, kept, cells, len(every)), "left"
    yield made


def _notes(results: Results, kept: Sequence[str], cells: Sequence[Mapping[str, Text]], events: int) -> str:
    """What the columns mean, what is unavailable, and what is not shown."""
    more = [f"And {plural(events - EVENTS_SHOWN, 'event')} more."] if events > EVENTS_SHOWN else []
    gone = ", ".join(SAID.get(name, name) for name in HEADS if name not in kept)
    lost = [f"Unavailable for all of them: {gone}."] if gone else []
    some = [f"{UNKNOWN_SAID}."] if any(cell[name] is UNKNOWN for cell in cells for name in kept) else []
    devices = plural(results.facts.gpus, "device")
    meant = [NOTES[name].format(devices=devices) for name in kept if name in NOTES]
    return " ".join([*more, *lost, *some, *meant, "All of it: upkeep.csv\n"])


def moment(row: UpkeepRow) -> tuple[float, int, str]:
    """Which event a row is of."""
    return row.day, row.place, row.event


def is_work(row: UpkeepRow) -> bool:
    """Whether an event asked for anything at all."""
    return bool(row.created or row.rebuilt or row.retired or row.opened or row.redeployed or row.items)


def _cells(row: UpkeepRow) -> Iterator[Text]:
    unasked = None if row.unasked is None else len(row.unasked)
    yield UNKNOWN if row.redeployed is None else _of(len(row.redeployed), unasked)
    yield UNKNOWN if row.items is None else _of(row.items, row.unasked_items)
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
        return UNKNOWN if name in row.unavailable else DASH
    return Text(said).append(f"\n{below}" if below else "", "dim")


def _wrong(row: UpkeepRow) -> str | None:
    return f"{row.became_wrong:,} wrong" if row.became_wrong else None
