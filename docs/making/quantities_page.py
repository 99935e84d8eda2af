"""The page of quantities, as the ledger calls them, and of the units in which money is reckoned."""

from markdown_tables import TOP, cell, code, table

from adapeff_sim.costs.base import Terms
from adapeff_sim.costs.compute import UNITS as COMPUTE_UNITS
from adapeff_sim.costs.prices import FLOPS_PER_EXAFLOP, GIB, JOULES_PER_KWH, MONTH_DAYS
from adapeff_sim.ledger.outcome import PROVENANCES
from adapeff_sim.ledger.quantities import QUANTITIES, unit

INTRODUCTION = """\
Every record of `ledger.jsonl` has its `usage`: quantities with the unit in the name. What could not be measured stands
in no `usage` but under `unavailable`; nothing unmeasured is ever 0. How these become money:
[how costs are counted](../how_costs_are_counted.md).
"""
SCORES = """\
Scores lie between 0 and 1; tolerances, floors and tables are in points, which are hundredths of that. Days may have a
fraction.
"""
PROVENANCE = {
    "measured": "in this run",
    "reused": "measured by an earlier run, and charged the same",
    "estimated": "computed from something measured and something assumed",
    "unavailable": "no amount at all, never 0; sums say that they are lower bounds",
}
MONEY = {
    **{unit: ("compute", f"where the book's `per` is {per}") for per, unit in COMPUTE_UNITS.items()},
    "kwh": ("compute, or energy", "where the book's `per` is kwh, or energy has a price of its own"),
    "test_items": ("revalidation", "rows that were tested again"),
    "gib_months": ("storage", f"GiB of {GIB:,} bytes, months of {MONTH_DAYS} days"),
    "replica_hours": ("serving", "hours for which a replica is billed, busy or idle"),
    "labelled_examples": ("labelling", "rows to train on"),
    "validation_examples": ("labelling", "rows held out"),
    "test_examples": ("labelling", "rows held out"),
}


def page() -> str:
    """Quantities of the ledger, units of cost rows, provenance, and the terms under which a ledger is priced."""
    found = ((code(name), unit(name), cell(said)) for name, said in QUANTITIES.items())
    money = ((code(name), component, cell(said)) for name, (component, said) in MONEY.items())
    sure = ((code(each), PROVENANCE.get(each, "")) for each in PROVENANCES)
    terms = (
        (code(name), "must be said" if f.is_required() else code(f.default)) for name, f in Terms.model_fields.items()
    )
    return "\n".join(
        [
            TOP,
            "# Quantities and units\n",
            INTRODUCTION,
            "## In the ledger\n",
            table(("quantity", "unit", "is"), found),
            SCORES,
            "## In rows of money\n",
            table(("unit", "component", "is"), money),
            f"One exaFLOP is {FLOPS_PER_EXAFLOP:.0e} operations, a kilowatt-hour {JOULES_PER_KWH:,.0f} joules.\n",
            "## How sure a number is\n",
            table(("said", "means"), sure),
            "A number that is computed from several is as sure as the least sure of them.\n",
            "## Terms of pricing\n",
            table(("term", "if not said"), terms),
        ]
    )
