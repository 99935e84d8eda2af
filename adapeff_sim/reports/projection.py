"""What the same life would come to at the size of production: sheets of their own, estimated and assumed."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from adapeff_sim.costs.totals import TotalRow
from adapeff_sim.ledger.outcome import NOT_MEASURED
from adapeff_sim.reports import sheets
from adapeff_sim.reports.sheets import Sheet
from adapeff_sim.reports.tables import starred, table
from adapeff_sim.reports.wording import STAR_SAID, line, money, plural, surety
from adapeff_sim.results import Projection, Results

TITLE = "At the size of production"
RESTS = "What the figures at the size of production rest on"


def projected(results: Results) -> list[Sheet]:
    """Cost at the size of production, the epochs carried over, and what it rests on; nothing where nobody asked."""
    found = results.projection
    if found is None:
        return []
    rests = [sheets.assumed("projection_assumptions", RESTS, found.assumptions)] if found.assumptions else []
    return [_costs(results, found), _epochs(found), *rests]


def how(found: Projection) -> str:
    """How sure the figures are that there are, in words: estimated, assumed, or some of them this and some that."""
    known = {row.provenance for row in found.rows if row.amount is not None}
    return " and ".join(each for each in NOT_MEASURED if each in known) or "unavailable"


def carried(found: Projection) -> str:
    """That nothing of it was measured, and of what size it is."""
    target = found.target
    size = f"{target.base_model}, {plural(target.examples_per_endpoint, 'row')} an endpoint"
    return f"{how(found).capitalize()}, not measured: the same life with {size}"


def titled(found: Projection) -> str:
    """What stands above the curves."""
    return f"{TITLE}: {how(found)}, not measured"


def larger(results: Results) -> Results | None:
    """The life at the size of production as results of its own, for what draws curves; None where nobody asked."""
    found = results.projection
    if found is None:
        return None
    own = {"days": found.days, "curves": found.curves, "totals": found.totals, "rows": found.rows}
    return results.model_copy(update={**own, "projection": None})


def _costs(results: Results, found: Projection) -> Sheet:
    names = tuple(dict.fromkeys(row.component for row in found.totals))
    by = {(row.label, row.component): row for row in found.totals}
    rows = []
    for label in results.facts.labels:
        amounts = [by[label, name] for name in names]
        sure = surety(row.provenance for row in found.rows if row.label == label)
        rows.append((sheets.text(label), *map(_amount, amounts), sheets.text(sure)))
    target = found.target
    title = f"{carried(found)}, in {results.prices.currency}"
    trials = f"{plural(target.trials, 'training')} in place of each; " if target.trials > 1 else ""
    priced = results.prices.compute.device
    note = (
        f"{trials}seconds on {target.device} {target.rates_from}; where prices are of another device ({priced}), they "
        f"follow from operations, as everywhere. {STAR_SAID}, and part of no "
        "other table, curve or verdict; scores of the larger model are not known."
    )
    return Sheet("projection", title, ("strategy", *names, "provenance"), tuple(rows), note)


def _amount(row: TotalRow) -> sheets.Cell:
    if row.mean is None:
        return sheets.Cell("unavailable", None, "missing")
    return sheets.Cell(f"{'≥ ' if row.unavailable else ''}{money(row.mean)}{starred(row)}", row.mean)


def _epochs(found: Projection) -> Sheet:
    rows = tuple(
        (
            sheets.text(row.label),
            sheets.text(row.kind),
            sheets.number(row.trainings, str),
            sheets.number(row.capped, str, "missing" if row.capped else ""),
            sheets.number(row.median, _count),
            sheets.Cell(f"{_count(row.fewest)} to {_count(row.most)}"),
            sheets.text(row.provenance),
        )
        for row in found.epochs
    )
    heads = ("strategy", "kind", "trainings", "ended by a cap", "epochs, median", "from, to", "provenance")
    note = "passes over the rows of its tasks. Each training keeps its own number; with more rows fewer epochs may do"
    note += ", and a training that a cap ended would have gone on." if any(row.capped for row in found.epochs) else "."
    return Sheet("projection_epochs", "Epochs that the run took, carried over", heads, rows, note)


def _count(number: float) -> str:
    return f"{number:.1f}"


def parts(results: Results, width: int, has_colour: bool) -> Iterator[RenderableType]:
    """The same for a terminal, with curves of its own."""
    from adapeff_sim.reports.curves import curves

    found = larger(results)
    if found is None or results.projection is None:
        return
    yield Text()
    yield from tables(results)
    yield Text(f"Curves. {titled(results.projection)}", style="bold")
    yield from curves(found, width, has_colour)


def tables(results: Results) -> Iterator[Table]:
    """The sheets as tables of a terminal."""
    yield from map(shown, projected(results))


def shown(sheet: Sheet) -> Table:
    """One sheet as a table of a terminal."""
    made = table(*sheet.heads, title=sheet.title)
    for own, cells in zip(made.columns, zip(*sheet.rows, strict=True), strict=False):
        if any(" " in cell.said and isinstance(cell.value, str) for cell in cells):  # sentences
            own.justify = "left"
    for row in sheet.rows:
        made.add_row(*(line(cell.said) for cell in row))
    if sheet.note:
        made.caption, made.caption_justify = line(sheet.note), "left"
    return made
