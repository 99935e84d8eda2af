"""The map of who wins where: sheets of a grid, the same for the screen, for the page and for CSV."""

from pydantic import JsonValue

from adapeff_sim.comparison.winners import Cell as Won
from adapeff_sim.comparison.winners import Sweep
from adapeff_sim.noise import rule_said
from adapeff_sim.reports.sheets import NOTHING, Cell, Sheet, text
from adapeff_sim.reports.wording import STAR_SAID, money, plain, star


def sheets_of(found: Sweep) -> list[Sheet]:
    """The map, where two keys vary, and the list of all cells."""
    return ([winners(found)] if len(found.keys) == 2 else []) + [cells(found)]


def winner_said(cell: Won) -> str:
    """Who wins a cell, and with whom it ties."""
    if cell.cheapest is None:
        return NOTHING
    return " ≈ ".join([cell.cheapest, *cell.tied])


def winners(found: Sweep) -> Sheet:
    """The map of two keys: a row for each value of the first, a column for each of the second."""
    (down, downs), (along, alongs) = found.keys.items()
    at = {(str(c.at[down]), str(c.at[along])): c for c in found.cells}
    rows = tuple((text(value_said(d)), *(_winner(at[str(d), str(a)]) for a in alongs)) for d in downs)
    heads = (f"{plain(down)} down, {plain(along)} across", *(value_said(a) for a in alongs))
    return Sheet("winners", "Who wins where", heads, rows, note(found))


def note(found: Sweep) -> str:
    """What the signs of the map mean, of those that stand there."""
    rule = rule_said(max((cell.seeds for cell in found.cells), default=1))
    notes = {
        f"≈ who is dearer {rule}": any(cell.tied for cell in found.cells),
        f"{NOTHING} nobody can be called so": any(cell.cheapest is None for cell in found.cells),
    }
    estimated = found.executor == "estimate"
    within = "the cheapest in total" + ("" if estimated else " within the quality floor")
    top = ["estimated: nothing was trained or scored, so that quality decides nothing"] if estimated else []
    return "; ".join([*top, within, *(x for x, applies in notes.items() if applies)])


def cells(found: Sweep) -> Sheet:
    """Every cell with its winner, and what every strategy comes to."""
    labels = list(dict.fromkeys(label for cell in found.cells for label in cell.totals))
    heads = (*found.keys, "cheapest", *labels, "currency")
    rows = tuple(
        (
            *(text(value_said(cell.at[key])) for key in found.keys),
            _winner(cell),
            *(_total(cell, label) for label in labels),
            text(cell.currency),
        )
        for cell in found.cells
    )
    said = f"{note(found)}; totals by the horizon"
    said += ", mean over seeds" if any(cell.seeds > 1 for cell in found.cells) else ""
    said += ", - below the quality floor" if any(cell.below for cell in found.cells) else ""
    said += f"; {STAR_SAID}" if any(_star(cell, x) for cell in found.cells for x in cell.totals) else ""
    return Sheet("cells", f"{found.scenario}: total by the horizon", heads, rows, said)


def _winner(cell: Won) -> Cell:
    return Cell(winner_said(cell), winner_said(cell), "" if cell.cheapest is None else "best")


def _total(cell: Won, label: str) -> Cell:
    if label not in cell.totals:
        return Cell("unavailable", None, "missing")
    is_below = label in cell.below
    return Cell(
        money(cell.totals[label]) + _star(cell, label) + ("-" if is_below else ""),
        cell.totals[label],
        "below" if is_below else "",
    )


def _star(cell: Won, label: str) -> str:
    return star([cell.provenance.get(label)])


def value_said(value: JsonValue) -> str:
    """A value of a key, as it was written."""
    return f"{value:g}" if isinstance(value, float) else plain(value)
