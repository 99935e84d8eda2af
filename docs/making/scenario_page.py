"""The page of all keys of a scenario, from the JSON Schema that editors read, and of the methods adapters may have."""

from collections.abc import Iterator, Mapping
from typing import Any

from markdown_tables import TOP, cell, code, paragraph, table

from adapeff_sim.artifacts.method_options import OPTIONS, Values
from adapeff_sim.artifacts.methods import FUSIBLE, METHODS, REFUSED
from adapeff_sim.scenario.json_schema import scenario_schema
from adapeff_sim.training.settings import LEARNING_RATES, METHOD_LEARNING_RATES, TrainingSettings

Schema = dict[str, Any]
INTRODUCTION = """\
A scenario is one YAML file. `adapeff-sim validate FILE` says what is wrong with one, by line and key;
`adapeff-sim schema` prints this page for editors. Keys that are not here are refused.
"""
ESTIMATED = """\
What [a life that is only priced](../estimates.md) rests on.
"""
PROJECTED = """\
What is told of it, and what is assumed:
[the same life at the size of production](../how_costs_are_counted.md#the-same-life-at-the-size-of-production).
"""
AFTER = {  # what else there is to say of a key of the file
    "data": "Every way to write it: [rows](../data.md).",
    "prices": "[What stands in a price book](prices.md).",
}


def page() -> str:
    """The keys of the file, then those of events, processes, strategies, settings and serving."""
    schema = scenario_schema()
    own = schema["properties"]
    parts = [TOP, "# Keys of a scenario\n", INTRODUCTION, keys(schema, AFTER)]
    parts += [
        "## timeline: events\n",
        "Every entry is `{day: DAY, event: KIND, ...}`. Events of one day happen in the order of the file.\n",
    ]
    for event in own["timeline"]["items"]["oneOf"]:
        parts += [
            f"### {event['title']}\n",
            paragraph(event["properties"]["event"]["description"]),
            keys(_without(event, "event")),
        ]
    process = own["arrivals"]["items"]
    parts += ["## arrivals: events that come again and again\n", paragraph(process["description"]), keys(process)]
    parts += ["## strategies\n", "Every entry is `NAME`, or `{NAME: {OPTION: VALUE, ...}, as: LABEL}`.\n"]
    for strategy in own["strategies"]["items"]["oneOf"]:
        if "title" in strategy:
            options = strategy["properties"][strategy["title"]]
            parts += [
                f"### {strategy['title']}\n",
                paragraph(strategy["description"]),
                keys(options) or "No options.\n",
            ]
    parts += [*_methods(), *_settings(own["training"]), "## serving\n", keys(own["serving"])]
    parts += ["## estimate\n", ESTIMATED, keys(own["estimate"])]
    target = own["project_to"]
    parts += ["## project_to: the size of production\n", paragraph(target["description"]), PROJECTED, keys(target)]
    return "\n".join(parts)


def keys(schema: Schema, after: dict[str, str] | None = None) -> str:
    """A table of the keys of one mapping; nothing where it has none."""
    must = schema.get("required", [])
    rows = []
    for name, part in schema.get("properties", {}).items():
        default = code(plain(part["default"])) if "default" in part else ""
        meaning = f"{cell(part.get('description', ''))} {(after or {}).get(name, '')}".strip()
        rows.append((code(name), cell(value(part)), "must be said" if name in must else default, meaning))
    return table(("key", "value", "if not said", "means"), rows) if rows else ""


def value(part: Schema) -> str:
    """In words what may stand there."""
    if "$ref" in part:
        return "a data source"
    if "const" in part:
        return str(part["const"])
    if "enum" in part:
        return " or ".join(map(str, part["enum"]))
    branches = part.get("anyOf") or part.get("oneOf")
    if branches:
        return " or ".join(dict.fromkeys(value(branch) for branch in branches)) if "anyOf" in part else "see below"
    match part.get("type"):
        case "array":
            items = part.get("items", {})
            return "a list, see below" if "oneOf" in items or "properties" in items else f"a list, each {value(items)}"
        case "object":
            if "properties" in part:
                return "keys, see below"
            return f"NAME: {value(part.get('additionalProperties', {}))}, ..."
        case "boolean":
            return "true or false"
        case "integer" | "number":
            return f"{'a whole number' if part['type'] == 'integer' else 'a number'}{_bounds(part)}"
        case _:
            return "a date" if part.get("format") == "date" else "a text"


def plain(said: object) -> str:
    """A default as it is written in YAML."""
    return {True: "true", False: "false"}.get(said, str(said)) if isinstance(said, bool) else str(said)


def _bounds(part: Schema) -> str:
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    limits = [(said, part[name]) for name, said in words.items() if name in part]
    found = [f"{said} {limit:,}" if isinstance(limit, int) else f"{said} {limit:g}" for said, limit in limits]
    return f", {', '.join(found)}" if found else ""


def _without(schema: Schema, name: str) -> Schema:
    return schema | {"properties": {key: part for key, part in schema["properties"].items() if key != name}}


def _methods() -> Iterator[str]:
    """What `method` may be."""
    yield "### Adapter methods\n"
    yield "`method` is `NAME` or `NAME[OPTION=VALUE,...]`; what is not said is as the library `adapters` has it.\n"
    rows = [(code(m), "yes" if m in FUSIBLE else "no", _options(OPTIONS[m])) for m in sorted(METHODS)]
    yield table(("method", "AdapterFusion over it", "options"), rows)
    yield table(("refused", "because"), ((code(m), cell(why)) for m, why in sorted(REFUSED.items())))


def _options(options: Mapping[str, Values]) -> str:
    return ", ".join(f"{code(name)} ({values.told})" for name, values in options.items())


def _settings(training: Schema) -> Iterator[str]:
    """Layers of settings, with the defaults that are resolved where nothing is said."""
    yield "## training\n"
    layers = [name for name in training["properties"] if name != "every"]
    yield (
        f"Settings stand under a layer: `every`, then the kind that is trained ({', '.join(map(code, layers))}), "
        "then the label of a strategy; the later one wins. `adapeff-sim plan` shows what came out.\n"
    )
    layer = training["properties"]["every"]
    defaults = {name: field.default for name, field in TrainingSettings.model_fields.items()}
    rates = [f"{code(f'{rate:g}')} ({name})" for name, rate in {**LEARNING_RATES, **METHOD_LEARNING_RATES}.items()]
    rows = []
    for name, part in layer["properties"].items():
        said = (
            ", ".join(rates)
            if name == "learning_rate"
            else code(defaults[name])
            if defaults[name] is not None
            else "no cap"
        )
        rows.append((code(name), cell(value(part)), said, cell(part.get("description", ""))))
    yield table(("key", "value", "if not said", "means"), rows)
