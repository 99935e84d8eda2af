"""What lay in store, and how that is shown."""

import io

import pytest
from hand_made import kept, prices, stands
from rich.console import Console
from story import Reckoner, event, simulate

from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.costs.prices import GIB, MONTH_DAYS
from adapeff_sim.costs.storage import stored_rows
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import DeploymentRecord
from adapeff_sim.reports.holdings import stored
from adapeff_sim.results import Facts, results_of
from adapeff_sim.strategies.multitask_full import MultitaskFull

BOOK = prices(storage={"keep_versions": 1})
LIFE = Ledger(
    (
        stands(kept("base", 4), kept("adapter/a", 1, "v0")),
        stands(kept("base", 4), kept("adapter/a", 2, "v1"), kept("rows", 9, kept_as="data"), step=1, day=4),
        stands(kept("base", 4), kept("adapter/a", 1, "v2", provenance="unavailable"), step=2, day=6),
    )
)
TERMS = Terms(horizon_days=10.0)


def test_every_artifact_is_told_with_its_bytes_since_when_and_until_when():
    rows = stored_rows(LIFE, BOOK, TERMS)
    assert [(r.artifact, r.fingerprint, r.kept_as, r.bytes, r.since, r.until) for r in rows] == [
        ("adapter/a", "v0", "routed", GIB, 0, 4),
        ("base", "f-base", "routed", 4 * GIB, 0, 10),
        ("adapter/a", "v0", "older", GIB, 4, 6),
        ("adapter/a", "v1", "routed", 2 * GIB, 4, 6),
        ("adapter/a", "v1", "older", 2 * GIB, 6, 10),
        ("adapter/a", "v2", "routed", None, 6, 10),  # its size is not known
    ]


def test_the_table_and_the_bill_are_of_the_same_bytes():
    held = sum((r.bytes or 0) / GIB * (r.until - r.since) for r in stored_rows(LIFE, BOOK, TERMS))
    rows = price_ledger(LIFE, BOOK, TERMS)
    assert sum(r.quantity or 0 for r in rows) * MONTH_DAYS == pytest.approx(held)


def test_the_report_counts_what_lay_there_at_the_end():
    facts = Facts(name="x", labels=("it",), seeds=(1,), terms=TERMS, quality_floor=2.0)
    console = Console(file=io.StringIO(), width=100)
    console.print(stored(results_of(facts, LIFE, BOOK, price_ledger(LIFE, BOOK, TERMS), {})))
    text = " ".join(console.file.getvalue().split())
    assert "≥4 GiB 2 GiB ≥6 GiB" in text and "2 artifacts 1 artifact 3 artifacts" in text


def test_rows_that_grew_lie_in_store_once_and_those_of_another_source_beside_them():
    launch = event("launch", 0, base_model="m", tasks={"a": ("en",)}, labelled=100, requests_per_day=1)
    grown = [event("dataset_refresh", day, task="a", add=10) for day in (1, 2)]
    moved = event("dataset_refresh", 3, task="a", source="files:elsewhere")
    life = simulate({"it": MultitaskFull(update="continue")}, [1], [launch, *grown, moved], Reckoner())
    data = [[s.fingerprint for s in r.stored if s.kept_as == "data"] for r in life.of(DeploymentRecord)]
    assert [len(each) for each in data] == [1, 1, 1, 2], "a continued model has seen 100, 110 and 120 rows of one order"
    assert len({each[0] for each in data[:3]}) == 3 and data[2][0] in data[3], "the largest is the one that is kept"
