"""What is wrong with a data source's options, each with its place and what would do."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from adapeff_sim.data.rows import clean, shown
from adapeff_sim.errors import DataError
from adapeff_sim.near_names import suggestion

Place = tuple[str | int, ...]
WANTED = {
    "string_type": "write a text (in quotes, if it reads like a number)",
    "string_too_short": "write a text",
    "too_short": "give at least one",
    "dict_type": "write `key: value` pairs",
    "model_type": "write `key: value` pairs",
    "model_attributes_type": "write `key: value` pairs",
    "tuple_type": "write a list, such as [a, b]",
}


class OptionsError(DataError):
    """Options that a data source does not understand: ``problems`` are places inside them, and what is wrong there."""

    def __init__(self, problems: Iterable[tuple[Place, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{_path(at)}: {text}" for at, text in self.problems))


def _path(place: Place) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return clean("".join(parts).removeprefix("."))[:80]


def misunderstood(source: Place, error: ValidationError, model: type[BaseModel]) -> OptionsError:
    """Pydantic's findings about options in our words; those of the branches of a union are one."""
    found: dict[Place, str] = {}
    for details in error.errors(include_url=False):
        place = tuple(part for part in details["loc"] if part != "str" and not str(part).startswith("tuple["))
        is_branch = len(place) < len(details["loc"])
        text = f"is {shown(details['input'])}; write a column's name, or a list of them"
        found.setdefault(place, text if is_branch else _said(details, place, model))
    return OptionsError(((*source, *place), text) for place, text in found.items())


def _said(details: Any, place: Place, model: type[BaseModel]) -> str:
    """One finding: what was found; what would do."""
    found, context = f"is {shown(details['input'])}", details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return f"missing; add `{place[-1]}: ...`"
        case "extra_forbidden":
            return f"unknown key; {suggestion(place[-1], _model_at(model, place[:-1]).model_fields)}"
        case "literal_error" | "enum":
            known = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return f"{found}; {suggestion(details['input'], known, 'choose one of')}"
        case kind:
            return f"{found}; {WANTED.get(kind, details['msg'][:1].lower() + details['msg'][1:])}"


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel]:
    """The model that a place inside another one holds; mappings hold one model by any name."""
    held: Any = model
    for name in place:
        fields: Mapping[str, Any] = getattr(held, "model_fields", {})
        held = fields[str(name)].annotation if name in fields else (get_args(held) or (held,))[-1]
    return held if isinstance(held, type) and issubclass(held, BaseModel) else model
