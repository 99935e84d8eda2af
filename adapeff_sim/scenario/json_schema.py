"""The scenario's format as a JSON Schema, so that editors complete keys, explain them and underline what is wrong."""

import json
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.ready import ready_names
from adapeff_sim.lifecycle.events.base import EVENTS
from adapeff_sim.lifecycle.timeline import Arrivals
from adapeff_sim.scenario.entries import EVERY, SAFE_NAME, TRAINED
from adapeff_sim.scenario.project_to import ProjectTo
from adapeff_sim.scenario.schema import DEFAULT_SEEDS, Estimating, Scenario, Seeds, ServingTarget
from adapeff_sim.strategies.base import STRATEGIES
from adapeff_sim.training.settings import SomeSettings

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SOURCE: Schema = {"$ref": "#/$defs/source"}
NAME: Schema = {"type": "string", "pattern": f"^{SAFE_NAME.pattern}$"}


def scenario_schema() -> Schema:
    """The schema of a whole file, with a branch for each kind of event and each strategy that is there."""
    plain = {"name", "description", "horizon_days", "quality_floor", "gpus", "prices"}
    own = _plain(Scenario, plain)["properties"]
    parts: Schema = {
        "name": NAME,
        "seeds": {**TypeAdapter(Seeds).json_schema(), "default": list(DEFAULT_SEEDS)},
        "data": SOURCE,
        "timeline": {"type": "array", "minItems": 1, "items": {"oneOf": [_event(kind) for kind in EVENTS.names()]}},
        "arrivals": {"type": "array", "items": _arrivals()},
        "strategies": {"type": "array", "minItems": 1, "items": {"oneOf": list(_strategies())}},
        "training": _training(),
        "serving": _plain(ServingTarget),
        "project_to": _plain(ProjectTo),
        "estimate": _plain(Estimating),
    }
    described = {name: field.description for name, field in Scenario.model_fields.items()}
    properties = {name: {**own.get(name, {}), **parts.get(name, {})} for name in Scenario.model_fields}
    return {
        "$schema": DIALECT,
        "title": "Scenario of adapeff-sim",
        "description": _told(Scenario),
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in Scenario.model_fields.items() if field.is_required()],
        "properties": {name: {**part, "description": described[name]} for name, part in properties.items()},
        "$defs": {"source": _source()},
    }


def schema_text() -> str:
    """The schema as it lies beside the shipped scenarios."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


def _event(kind: str, has_day: bool = True) -> Schema:
    """One entry of the timeline; in an arrival process it has no day."""
    model = EVENTS.get(kind)
    schema = _plain(model)
    if "source" in schema["properties"]:
        schema["properties"]["source"] = SOURCE | {"description": schema["properties"]["source"]["description"]}
    if not has_day:
        del schema["properties"]["day"]
        schema["required"].remove("day")
    schema["properties"] = {"event": {"const": kind, "description": _told(model)}, **schema["properties"]}
    return {**schema, "title": kind, "required": ["event", *schema.get("required", [])]}


def _arrivals() -> Schema:
    schema = _plain(Arrivals)
    events = {"oneOf": [_event(kind, has_day=False) for kind in EVENTS.names()]}
    schema["properties"]["events"] |= {"type": "array", "minItems": 1, "items": events}
    return schema


def _strategies() -> list[Schema]:
    """A strategy is its name, or its name with options, and perhaps a label."""
    branches: list[Schema] = []
    for name in STRATEGIES.names():
        model = STRATEGIES.get(name)
        options = {**_plain(model), "type": ["object", "null"]}
        branches.append({"const": name, "description": _told(model)})
        branches.append(
            {
                "title": name,
                "description": _told(model),
                "type": "object",
                "additionalProperties": False,
                "required": [name],
                "properties": {name: options, "as": {**NAME, "description": "Its label, where its name is taken."}},
            }
        )
    return branches


def _training() -> Schema:
    """Layers of settings: the fixed ones by name, those of labels by any other name."""
    settings = _plain(SomeSettings)
    settings["minProperties"] = 1
    layers = dict.fromkeys((EVERY, *TRAINED), settings)
    return {"type": "object", "properties": layers, "additionalProperties": settings}


def _source() -> Schema:
    """A data source by its name, with an argument behind a colon, or as the value of its name.

    A source that has ``Options`` takes a word, such options, or a list of both.
    """
    names = SOURCES.names()
    text = {"type": "string", "pattern": f"^({'|'.join(names)})(:.*)?$", "examples": names}
    given: Schema = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    return {"anyOf": [text, {**given, "properties": {name: _argument(name) for name in names}}]}


def _argument(name: str) -> Schema:
    options: type[BaseModel] | None = getattr(SOURCES.get(name), "Options", None)
    if options is None:
        return {}
    word: Schema = {"type": "string", **({"examples": list(ready_names())} if name == "hub" else {})}
    one = [word, {**_plain(options), "type": "object"}]
    return {"anyOf": [*one, {"type": "array", "minItems": 1, "items": {"anyOf": one}}] if name == "hub" else one}


def _plain(model: type[BaseModel], only: set[str] | None = None) -> Schema:
    """A model's own schema without pydantic's titles, nulls and references; empty values are refused in a file."""
    if only is None:
        schema = model.model_json_schema()
    else:
        fields = {name: field for name, field in model.model_fields.items() if name in only}
        types: Schema = {name: TypeAdapter(cast(Any, field.annotation)).json_schema() for name, field in fields.items()}
        schema = {"properties": {name: types[name] | _limits(field) for name, field in fields.items()}}
    shared = schema.pop("$defs", {})
    tidy: Schema = _tidy(schema, shared)
    if only is None:
        tidy |= {"description": _told(model), "required": schema.get("required", [])}
    return tidy


def _limits(field: FieldInfo) -> Schema:
    """The bounds and the default of a field, which its type does not say."""
    words = {"gt": "exclusiveMinimum", "ge": "minimum", "le": "maximum", "lt": "exclusiveMaximum"}
    metadata = field.metadata
    found = {words[name]: getattr(m, name) for m in metadata for name in words if getattr(m, name, None) is not None}
    return found if field.is_required() else {**found, "default": field.default}


def _tidy(value: Any, shared: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_tidy(part, shared) for part in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _tidy(shared[value["$ref"].rpartition("/")[2]], shared)
    branches = [branch for branch in value.get("anyOf", []) if branch != {"type": "null"}]
    if "anyOf" in value:
        value = {key: part for key, part in value.items() if key != "anyOf"}
        value |= branches[0] if len(branches) == 1 else {"anyOf": branches}
    kept = {key: part for key, part in value.items() if not (key == "title" and isinstance(part, str))}
    if kept.get("default", 0) is None:
        del kept["default"]
    return {key: _tidy(part, shared) for key, part in kept.items()}


def _told(model: type[BaseModel]) -> str:
    """A docstring as one paragraph."""
    return " ".join((model.__doc__ or "").split())
