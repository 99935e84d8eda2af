"""The page of what programs import: the few names of the package itself, and the contracts that plug-ins keep."""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from markdown_tables import TOP, cell, code, paragraph, short, table, type_of
from pydantic import BaseModel

import adapeff_sim

CONTRACTS = {  # what somebody meets who adds one file
    "adapeff_sim.strategies.base": ("Strategy", "Policy", "base_model", "dataset", "datasets"),
    "adapeff_sim.lifecycle.events.base": ("Event",),
    "adapeff_sim.lifecycle.world": ("Endpoint", "World"),
    "adapeff_sim.artifacts.artifact": ("Artifact", "Role"),
    "adapeff_sim.artifacts.deployment": ("Deployment", "Check"),
    "adapeff_sim.data.base": ("DataSource",),
    "adapeff_sim.costs.base": ("CostRow", "Terms"),
    "adapeff_sim.execution.base": ("Executor", "Order"),
}


def page() -> str:
    """Signatures and what they say of themselves."""
    own = [name for name in getattr(adapeff_sim, "__all__", ()) if not name.startswith("__")]
    parts = [TOP, "# Python\n", "How these are used: [from Python](../python.md).\n"]
    if own:
        parts += [f"```text\nfrom adapeff_sim import {', '.join(own)}\n```\n"]
        parts += [part for name in own for part in _told(adapeff_sim, name)]
    parts += [
        "## What plug-ins are made of\n",
        "See [a strategy of your own](../add_a_strategy.md) and [how it is built](../design.md).\n",
    ]
    for module, names in CONTRACTS.items():
        found = importlib.import_module(module)
        parts += [f"**`{module}`**\n", *(part for name in names for part in _told(found, name))]
    return "\n".join(parts)


def _told(module: ModuleType, name: str) -> Iterator[str]:
    """One name: how it is called, what it says of itself, its fields and its methods."""
    thing = getattr(module, name)
    yield f"### {name}\n"
    if not inspect.isclass(thing) or ("__init__" in vars(thing) and not dataclasses.is_dataclass(thing)):
        yield f"```text\n{name}{_signature(thing)}\n```\n"
    yield paragraph(inspect.getdoc(thing) or "")
    if not inspect.isclass(thing):
        return
    if fields := _fields(thing):
        yield table(("field", "if not said", "is"), fields)
    if methods := list(_methods(thing)):
        yield "".join(f"- {call}: {does}\n" for call, does in methods)


def _fields(thing: type) -> list[tuple[str, str, str]]:
    if issubclass(thing, BaseModel):
        found = thing.model_fields.items()
        return [
            (
                code(n),
                "must be said"
                if f.is_required()
                else code(f.get_default(call_default_factory=True, validated_data={})),
                cell(f.description) if f.description else code(type_of(f.annotation)),
            )
            for n, f in found
        ]
    found = dataclasses.fields(thing) if dataclasses.is_dataclass(thing) else ()
    return [(code(f.name), _default(f), code(type_of(f.type))) for f in found]


def _default(field: "dataclasses.Field[Any]") -> str:
    """What a field is where nothing is said."""
    if field.default is not dataclasses.MISSING:
        return code(repr(field.default))
    return "must be said" if field.default_factory is dataclasses.MISSING else "empty"


def _methods(thing: type) -> Iterator[tuple[str, str]]:
    """What a class itself offers, properties included; nothing that it only inherits."""
    for name, member in vars(thing).items():
        call: Any = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if name.startswith("_") or not (inspect.isfunction(call) or isinstance(member, property)):
            continue
        first = (inspect.getdoc(call) or "").partition("\n\n")[0]
        if first:
            yield (
                code(name if isinstance(member, property) else f"{name}{_signature(call)}"),
                paragraph(cell(first)).strip(),
            )


def _signature(thing: Any) -> str:
    """Parameters and what comes back, with types as they are written."""
    try:
        return (
            short(re.sub(r"(: |-> )'([^']+)'", r"\1\2", str(inspect.signature(thing))))
            .replace("PosixPath(", "Path(")
            .replace("(self, ", "(")
            .replace("(cls, ", "(")
            .replace("(self)", "()")
        )
    except (TypeError, ValueError):
        return "(...)"
