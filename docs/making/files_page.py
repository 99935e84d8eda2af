"""The page of what a run writes: its files, and the columns of its tables."""

from markdown_tables import TOP, cell, code, paragraph, table, type_of
from pydantic import BaseModel

from adapeff_sim import run_folder
from adapeff_sim.costs.base import CostRow
from adapeff_sim.costs.serving import PoolRow
from adapeff_sim.costs.storage import StoredRow
from adapeff_sim.ledger.history import EventRow, QualityPoint
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord, ServingRecord
from adapeff_sim.ledger.upkeep import UpkeepRow
from adapeff_sim.results import FORMAT, Results

TABLES: dict[str, type[BaseModel]] = {
    "costs.csv": CostRow,
    "events.csv": EventRow,
    "upkeep.csv": UpkeepRow,
    "quality.csv": QualityPoint,
    "stored.csv": StoredRow,
    "pools.csv": PoolRow,
}
RECORDS: tuple[type[BaseModel], ...] = (JobRecord, EvaluationRecord, ServingRecord, DeploymentRecord)


def page() -> str:
    """The folder as its own module tells it, then every file with columns."""
    first, _, listing = (run_folder.__doc__ or "").partition("\n\n")
    parts = [TOP, "# Files of a run\n", paragraph(first), f"```text\n{listing.strip()}\n```\n"]
    for name, row in TABLES.items():
        parts += [f"## {name}\n", paragraph(row.__doc__ or ""), _fields(row)]
    parts += [
        "`costs.csv` has the column `currency` too.\n",
        "## results.json\n",
        f"Format {FORMAT}.\n",
        _fields(Results),
    ]
    parts += ["## ledger.jsonl\n", "One record a line, each of one `type`.\n"]
    for record in RECORDS:
        parts += [f"### {record.model_fields['type'].default}\n", paragraph(record.__doc__ or ""), _fields(record)]
    return "\n".join(parts)


def _fields(model: type[BaseModel]) -> str:
    """The fields of a row with their types."""
    rows = ((code(name), cell(type_of(field.annotation))) for name, field in model.model_fields.items())
    return table(("field", "type"), rows)
