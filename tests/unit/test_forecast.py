"""What every event would cost, from the ledger of a life that was reckoned."""

import math

import pytest
from played import ROLLED_OUT, lived

from adapeff_sim.forecast import forecast


def test_a_model_that_stands_for_no_day_is_not_rolled_out():
    """Two updates on one day roll out one model, and events add up to what the results charge at once."""
    _, results, ledger = lived(ROLLED_OUT)
    label = "adapter_per_task"
    turns = forecast(ledger, results.prices, results.facts.terms, results.facts.labels)
    lines = [line for turn in turns if (turn.label, turn.seed) == (label, 13) for line in turn.lines]
    once = math.fsum(line.once.amount or 0.0 for line in lines if line.what == "answer requests")
    rows = [r for r in results.rows if (r.label, r.seed, r.component) == (label, 13, "serving") and r.until == r.day]
    assert once == pytest.approx(math.fsum(r.amount or 0.0 for r in rows)) and once > 0
