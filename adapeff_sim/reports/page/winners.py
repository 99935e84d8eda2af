"""The page of a grid: a coloured map where two keys vary, and all tables."""

from typing import Any

import altair as alt

from adapeff_sim.comparison.winners import Sweep
from adapeff_sim.reports import winners as told
from adapeff_sim.reports.page.charts import Look
from adapeff_sim.reports.page.compared import document, picture, section
from adapeff_sim.reports.page.tables import table
from adapeff_sim.reports.told import tame_text

NOBODY = "nobody"
CELL = 46  # pixels


def page(found: Sweep) -> str:
    """The whole page, with everything foreign escaped."""
    keys = " by ".join(found.keys)
    drawing = picture(heat_map(found), f"Who wins where: {keys}") if len(found.keys) == 2 else ""
    tables = "".join(table(sheet) for sheet in told.sheets_of(found))
    return document(f"{found.scenario}: who wins where", found.scenario, section(keys, drawing + tables))


def heat_map(found: Sweep) -> dict[str, Any]:
    """A field for each cell, coloured by its winner, with the winner's name in it."""
    down, along = found.keys
    labels = tuple(dict.fromkeys(label for cell in found.cells for label in cell.totals))
    keys = {label: f"s{i}" for i, label in enumerate(labels)}
    rows = [
        {
            "down": tame_text(told.value_said(cell.at[down])),
            "along": tame_text(told.value_said(cell.at[along])),
            "k": keys.get(cell.cheapest or "", NOBODY),
            "said": tame_text(cell.cheapest or "–") + (" ≈" if cell.tied else ""),
        }
        for cell in found.cells
    ]
    look = Look(tuple(map(tame_text, labels)), "", has_band=False, width=max(420, 130 * len(found.keys[along])))
    data = alt.Chart(alt.NamedData(name="rows"))
    x = alt.X("along:N", sort=None, axis=alt.Axis(title=along, labelAngle=0))
    y = alt.Y("down:N", sort=None, axis=alt.Axis(title=down))
    colours = [*look.ink.of(len(labels)), look.ink.grid]
    colour = alt.Color("k:N", scale=alt.Scale(domain=[*keys.values(), NOBODY], range=colours), legend=None)
    field = data.mark_rect(opacity=0.35, stroke=look.ink.grid).encode(x=x, y=y, color=colour)
    name = data.mark_text(color=look.ink.text, fontSize=12, limit=125).encode(x=x, y=y, text="said:N")
    made = look.finished(alt.layer(field, name), CELL * len(found.keys[down]))
    return made | {"datasets": {"rows": rows}, "padding": 10}
