"""What pydantic finds wrong, in the words of whoever wrote the scenario."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from adapeff_sim.near_names import near, suggestion
from adapeff_sim.scenario.problems import Place

FOLLOWING = ("_type", "too_short")  # what pydantic says of the whole besides what it says of a part, or of each branch
M = TypeVar("M", bound=BaseModel)
OURS = "said"  # the type of an error whose message is in our words already
TOO_LARGE = 1e15  # of whole numbers with more digits a file keeps the first ones only
LONGEST = 48  # characters shown of a value
NOT_FINITE = (".nan", ".inf", "nan", "inf")  # as YAML and others write them
WANTED = {
    "date_from_datetime_parsing": "write a date, such as 2025-06-01",
    "date_parsing": "write a date, such as 2025-06-01",
    "date_type": "write a date, such as 2025-06-01",
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "dict_type": "write `key: value` pairs",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "int_from_float": "write a whole number",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a whole number of fewer digits",
    "int_type": "write a whole number",
    "model_type": "write `key: value` pairs",
    "string_too_short": "write a text",
    "string_type": "write a text (in quotes, if it reads like a number)",
    "too_short": "give at least one",
    "tuple_type": "write a list, such as [a, b]",
}


def understood(model: type[M], value: object) -> M:
    """The model that plain values make; nothing is converted: "3" is no number, and true is not 1.

    Raises ValidationError whose messages are ours.
    """
    if not isinstance(value, dict):
        raise refused(value, [((), f"is {shown(value)}; write `key: value` pairs")])
    try:
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise refused(value, in_words(error, model, value)) from None


def wrong_value(error: ValidationError) -> str:
    """What is wrong with a value that is no part of a file, and what would do."""
    return "; ".join(_said(details, (), BaseModel) for details in error.errors(include_url=False))


def refused(value: object, problems: Iterable[tuple[Place, str]]) -> ValidationError:
    """The error for problems at places inside ``value``."""
    errors = [
        InitErrorDetails(type=PydanticCustomError(OURS, "{text}", {"text": text}), loc=place, input=value)
        for place, text in problems
    ]
    return ValidationError.from_exception_data("scenario", errors)


def shown(value: object) -> str:
    """A short look at a value that somebody else wrote, on one line."""
    match value:
        case None:
            return "empty"
        case str():
            return repr(value if len(value) <= LONGEST else value[:LONGEST] + "…")
        case bool() | int() | float():
            return json.dumps(value)[:LONGEST]
        case Mapping():
            return "a group of `key: value` pairs" if value else "an empty group"
        case list() | tuple():
            return f"a list of {len(value)}"
    return f"a {type(value).__name__}"


def in_words(error: ValidationError, model: type[BaseModel], value: object) -> list[tuple[Place, str]]:
    """Every finding, those of the branches of a union folded into one."""
    found: dict[Place, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        found.setdefault(_place(details, value), []).append(details)
    said = []
    unknown = [place for place, group in found.items() if group[0]["type"] == "extra_forbidden"]
    for place, group in found.items():
        if group[0]["type"] == "missing" and _is_misspelt(place, unknown):
            continue  # told once, where it stands under another name
        deeper = any(len(p) > len(place) and p[: len(place)] == place for p in found)
        telling = [d for d in group if not d["type"].endswith(FOLLOWING)]
        if telling or not deeper:
            said.append((place, _said((telling or group)[0], place, model)))
    return said


def _is_misspelt(missing: Place, unknown: Iterable[Place]) -> bool:
    """Whether one of the unknown keys beside a missing one is likely meant to be it."""
    beside = [str(place[-1]) for place in unknown if place[:-1] == missing[:-1]]
    return bool(near(missing[-1], beside))


def _place(details: ErrorDetails, value: object) -> Place:
    """Where the finding lies in the file: its path without the names that pydantic gives to branches."""
    place: list[str | int] = []
    keyed = details["type"] in ("missing", "extra_forbidden", OURS)
    for i, part in enumerate(details["loc"]):
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        elif not (keyed and i == len(details["loc"]) - 1):
            continue
        place.append(part)
    return tuple(place)


def _said(details: ErrorDetails, place: Place, model: type[BaseModel]) -> str:
    """One finding: what was found; what would do."""
    context: Mapping[str, Any] = details.get("ctx", {})
    found = f"is {shown(details['input'])}"
    match details["type"]:
        case kind if kind == OURS:
            return details["msg"]
        case "value_error":
            return str(context["error"])
        case "missing":
            return f"missing; add `{place[-1]}: ...`"
        case "too_long":
            return f"{found}; give at most {context['max_length']}"
        case "extra_forbidden":
            return f"unknown key; {suggestion(place[-1], keys_of(_model_at(model, place[:-1])))}"
        case "literal_error":
            choices = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return f"{found}; {suggestion(details['input'], choices, 'choose one of')}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" as kind:
            words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
            short = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}[kind]
            return f"{found}; it must be {words[short]} {_number(context[short])}"
        case "int_type" | "int_from_float" if (
            isinstance(details["input"], float) and abs(details["input"]) >= TOO_LARGE
        ):
            return f"{found}; it is too large, write fewer digits"
        case "float_type" | "int_type" if str(details["input"]).casefold().lstrip("+-") in NOT_FINITE:
            return f"{found}; write a finite number"
        case kind:
            return f"{found}; {WANTED.get(kind, details['msg'][:1].lower() + details['msg'][1:])}"


def _number(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel]:
    """The model that a place inside another one holds, as far as fields hold models."""
    for name in place:
        field = model.model_fields.get(str(name))
        options = [field.annotation, *get_args(field.annotation)] if field else []
        inner = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        if not inner:
            break
        model = inner[0]
    return model


def empties(value: Any, place: Place = ()) -> list[tuple[Place, str]]:
    """Every key without a value; only a strategy may stand so, which has no options then."""
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in empties(part, (*place, key))]
    if isinstance(value, list):
        return [found for i, part in enumerate(value) for found in empties(part, (*place, i))]
    is_strategy = len(place) == 3 and place[0] == "strategies"
    return [] if value is not None or is_strategy else [(place, "is empty; give a value, or drop the line")]


def without_empties(value: Any, place: Place = ()) -> Any:
    """The value without empty keys, which have been told."""
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if part is not None or place[:1] == ("strategies",)}
        return {key: without_empties(part, (*place, key)) for key, part in kept.items()}
    return [without_empties(part, (*place, i)) for i, part in enumerate(value)] if isinstance(value, list) else value


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a model may have in a file."""
    return list(model.model_fields)
