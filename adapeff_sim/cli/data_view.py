"""What a data source holds, as tables that fit into 80 columns."""

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from adapeff_sim.data.examples import Split
from adapeff_sim.data.files import SPLITS
from adapeff_sim.data.survey import SAID, Majority, Survey, TaskSurvey
from adapeff_sim.reports.tables import table
from adapeff_sim.reports.wording import line, percent, plural

MOST_LABELS = 20  # lines of a table; the rest is said to be there
LONGEST_LABEL = 48  # characters
LONGEST_TEXT = 200  # characters of one field of an example


def views(found: Survey) -> Iterator[RenderableType]:
    """How many rows there are, then each task by itself, then what to be wary of."""
    yield counts(found)
    for task in found.tasks:
        yield Group(*_task(task))
    if found.warnings:
        yield Text("Warnings", style="bold yellow")
        yield from (Padding(line(warning), (0, 0, 0, 2)) for warning in found.warnings)
    else:
        yield Text("No row stands in two splits of an endpoint, and no text has two labels.", style="dim")


def counts(found: Survey) -> Table:
    """Tasks x languages x rows of each language; languages of a task with as many rows share a line."""
    made = table("task", "languages", *SPLITS, title=f"Rows of {found.source}, in each language")
    made.columns[1].justify = "left"
    for task in found.tasks:
        name = line(task.task).append(f" {task.kind}", "dim")
        alike: dict[tuple[int | None, ...], list[str]] = {}
        for at in task.languages:
            alike.setdefault(tuple(at.rows.get(split) for split in SPLITS), []).append(at.language)
        for rows, languages in alike.items():
            made.add_row(name, line(" ".join(languages)), *map(_count, rows))
            name = Text("")
    return made


def _task(task: TaskSurvey) -> Iterator[RenderableType]:
    if task.labels:
        yield balance(task)
    if task.majority:
        yield Padding(line(_always(task.majority)), (0, 0, 1, 0))
    if task.examples:
        yield Text.assemble(("Rows of ", "bold"), (line(task.task).plain, "bold"))
        yield from (Padding(_example(row), (0, 0, 1, 2)) for row in task.examples)


def _always(found: Majority) -> str:
    """How often somebody is right who always says the commonest label, or one of those that are equally common."""
    split, label = SAID.get(found.split, found.split), f"“{_short(found.label)}”"
    if not found.tied:
        return f"Whoever always says {label} is right for {percent(found.share)} of the {split} labels."
    shares = sorted([found.share, *found.tied.values()])
    least, most = percent(shares[0]), percent(shares[-1])
    other = f"{label} and “{_short(next(iter(found.tied)))}”"
    who = other if len(found.tied) == 1 else f"{plural(len(shares), 'label')}, such as {other},"
    right = least if least == most else f"{least} to {most}"
    return f"{who} are equally common: whoever always says one of them is right for {right} of the {split} labels."


def balance(task: TaskSurvey) -> Table:
    """How often each label stands in each split, and its share of the labels of that split."""
    what = {"tagging": "Tags of the tokens", "choice": "Which choice is right"}.get(task.kind, "Labels")
    made = table("label", *SPLITS, title=f"{what} of {task.task}")
    total = {split: sum(count.get(split, 0) for count in task.labels.values()) for split in SPLITS}
    for label, count in list(task.labels.items())[:MOST_LABELS]:
        made.add_row(line(_short(label)), *(_share(count, split, total[split]) for split in SPLITS))
    if len(task.labels) > MOST_LABELS:
        made.add_row(Text(f"and {plural(len(task.labels) - MOST_LABELS, 'label')} more", "dim"), "", "", "")
    return made


def _short(label: str) -> str:
    """A label that fits into a line."""
    return label if len(label) <= LONGEST_LABEL else label[:LONGEST_LABEL] + "…"


def _count(rows: int | None) -> Text:
    return Text("–", style="dim") if rows is None else Text(f"{rows:,}")


def _share(count: Mapping[Split, int], split: Split, total: int) -> Text:
    if not total:
        return Text("–", style="dim")
    found = count.get(split, 0)
    return Text(f"{found:,}").append(f" {percent(found / total)}".rjust(6), "dim")


def _example(row: Mapping[str, JsonValue]) -> Text:
    """The fields of a row that a model is shown or has to say, a line each."""
    fields = [(name, _field(name, value)) for name, value in row.items() if name != "id" and value != ""]
    return Text("\n").join(Text.assemble((f"{name}: ", "dim"), line(text)) for name, text in fields)


def _field(name: str, value: JsonValue) -> str:
    if name in ("tokens", "tags") and isinstance(value, list):
        text = " ".join(map(str, value))
    elif name == "answers" and isinstance(value, list):
        text = "; ".join(str(answer["text"]) for answer in value if isinstance(answer, dict))
    elif isinstance(value, list):
        text = " | ".join(map(str, value))
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
