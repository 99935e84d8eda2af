"""The page of price books: every key with its unit, and the books that come along."""

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from markdown_tables import TOP, cell, code, paragraph, table
from pydantic import BaseModel
from scenario_page import plain, value

from adapeff_sim.costs.prices import Prices
from adapeff_sim.scenario.price_books import BOOKS

INTRODUCTION = """\
A price book is one YAML file. A scenario names it with `prices:`, the command line with `--prices`; one of your own is
a path that ends in `.yaml`. `adapeff-sim price RUN --set KEY=VALUE` changes single prices of a finished run. Money is
in the book's own currency, and nothing is converted between currencies.
"""
MEANS = {  # key -> unit, meaning; a key that is missing here stands in the table without words, and a test says so
    "name": ("", "Names the book in reports."),
    "currency": ("", "Letters or a sign, such as EUR or €."),
    "date": ("", "Of which day the price is."),
    "source": ("", "Where the price was found, or how it was reckoned."),
    "device": (
        "",
        "What the price holds for: `cpu` is any CPU, else its name must occur as words in the measured device's.",
    ),
    "flops_per_second": (
        "operations / s",
        "What the device is assumed to sustain, to convert what another one measured; then estimated.",
    ),
    "assumption": ("", "What the assumed rate, or the power, rests on."),
    "compute.per": ("", "The one basis on which training and evaluating are charged."),
    "compute.amount": ("money for each `per`", "An hour of the device, 10^18 operations, or a kilowatt-hour."),
    "compute.watts": ("W", "Power assumed where energy was not measured and `per` is kwh; then estimated."),
    "compute.includes_energy": ("", "Whether the amount pays for the power too, as rented hours do."),
    "energy.kwh": (
        "money / kWh",
        "A kilowatt-hour at the meter; not beside a compute price that pays for it.",
    ),
    "energy.overhead": ("factor", "What cooling and distribution draw on top of the device."),
    "energy.watts": ("W", "Power assumed where energy was not measured; then estimated. Unavailable without."),
    "revalidation.item": (
        "money / row",
        "People's work on a test item that is run again.",
    ),
    "storage.older_gib_month": ("money / (GiB x month)", "Older generations; as what is in use, if not said."),
    "storage.gib_month": (
        "money / (GiB x month)",
        "What is routed, and older generations; 2^30 bytes, months of 30.4375 days.",
    ),
    "storage.keep_versions": ("generations", "How many older ones of each slot are kept to roll back to."),
    "storage.ancestor_gib_month": (
        "money / (GiB x month)",
        "Models that a warm start came from; not kept without a price.",
    ),
    "storage.data_gib_month": ("money / (GiB x month)", "Rows to train on; not kept without a price."),
    "serving.replica_hour": ("money / h", "One replica, whether it answers or waits."),
    "serving.memory_gib": ("GiB", "What weights may take on an instance; needed for `placement: packed`."),
    "serving.instance": ("", "What one replica is."),
    "labelling.example": ("money / row", "A row to train on."),
    "labelling.held_out_example": ("money / row", "A row held out for validation or test."),
}


def page() -> str:
    """The keys of every part of a book, and what the shipped books ask."""
    parts = [TOP, "# Price books\n", INTRODUCTION, _keys("", Prices)]
    for name, part in sections():
        parts += [f"## {name}\n", paragraph(part.__doc__ or ""), _keys(name, part)]
    parts += [
        "## Books that come along\n",
        "Examples, to be replaced by your own contract's prices before anything is decided.\n",
    ]
    for book in sorted(BOOKS.glob("*.yaml")):
        parts += [f"### {book.stem}\n", f"```yaml\n{book.read_text(encoding='utf-8').strip()}\n```\n"]
    return "\n".join(parts)


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """The parts of a book that are mappings."""
    for name, field in Prices.model_fields.items():
        model = next(
            (each for each in _members(field.annotation) if isinstance(each, type) and issubclass(each, BaseModel)),
            None,
        )
        if model is not None:
            yield name, model


def said_of(section: str, key: str) -> tuple[str, str]:
    """Unit and meaning of a key; a description in the model itself goes before what stands here."""
    return MEANS.get(f"{section}.{key}") or MEANS.get(key) or ("", "")


def _keys(section: str, model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    rows = []
    for key, field in model.model_fields.items():
        part: dict[str, Any] = schema["properties"][key]
        if section == "" and ("$ref" in part or any("$ref" in branch for branch in part.get("anyOf", []))):
            continue
        unit, meaning = said_of(section, key)
        default = (
            "must be said"
            if field.is_required()
            else code(plain(field.default))
            if field.default not in (None, "")
            else ""
        )
        rows.append((code(key), cell(value(_known(part))), cell(unit), default, cell(field.description or meaning)))
    return table(("key", "value", "unit", "if not said", "means"), rows)


def _known(part: dict[str, Any]) -> dict[str, Any]:
    """Without the null that stands for what is not said."""
    branches = [branch for branch in part.get("anyOf", []) if branch != {"type": "null"}]
    return branches[0] if len(branches) == 1 else part


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
