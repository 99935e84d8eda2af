"""A first scenario of one's own, from a few facts: commented, and valid as it is written."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from adapeff_sim.data.base import DataSource
from adapeff_sim.data.examples import TaskKind
from adapeff_sim.errors import DataError, ScenarioError
from adapeff_sim.estimation.stated import resolve
from adapeff_sim.near_names import suggestion
from adapeff_sim.registry import first_sentence
from adapeff_sim.scenario.entries import SAFE_NAME
from adapeff_sim.scenario.words import shown
from adapeff_sim.strategies.base import STRATEGIES

NONE = "none"
USUAL_ROWS, RARER_ROWS = 150, 100  # to train on, of a task, and of a language that comes later
FIRST, SECOND = ("adapeff-mini:v1", "adapeff-mini:v2")
DEFAULT_STRATEGIES = ("adapter_per_task", "adapter_fusion", "multitask_full", "full_per_task")
TRAINING = {
    "usual": "{epochs: 15, max_steps: 160, patience: 5, batch_size: 16, max_length: 64, validation_rows: 50}",
    "quick": "{epochs: 2, max_steps: 20, patience: 0, batch_size: 8, max_length: 64, validation_rows: 16}",
}
LONGEST_DAYS = 36_500  # of a horizon
COMMENT_AT = 36  # the column of the comments, where the text before is shorter


class Offer(NamedTuple):
    """What a data source has: its name in the scenario, and the languages of every task."""

    data: str
    languages: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, TaskKind]
    counted: DataSource | None  # the source; None where looking at rows would download them

    def in_order(self) -> list[str]:
        """Tasks, those first that are understood and trained most easily."""
        return sorted(self.languages, key=lambda task: (self.kinds[task] is not TaskKind.CLASSIFICATION, task))


class Draft(NamedTuple):
    """What happens in the scenario; an empty ``new_task``, ``new_language`` or ``base_update`` does not happen."""

    name: str
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    new_task: str
    new_language: str
    base_update: str
    strategies: tuple[str, ...] = DEFAULT_STRATEGIES
    prices: str = "cloud_gpu"
    horizon_days: float = 365.0
    requests_per_day: int = 50_000
    size: str = "usual"


def offer_of(source: DataSource, data: str, counts: bool) -> Offer:
    """What a source has to offer; ``counts`` lets its rows be counted. Raises DataError if it is unreadable."""
    kinds = dict(source.tasks())
    return Offer(data, {task: source.languages(task) for task in kinds}, kinds, source if counts else None)


def _rows(source: DataSource, task: str, language: str) -> int:
    return len(source.examples(task, language, "train")) if "train" in source.splits(task, language) else 0


def first_language(offer: Offer, tasks: Iterable[str]) -> str:
    """The language to start with: English where all the tasks have it. Raises ScenarioError where they share none."""
    shared = _shared(offer, tasks)
    if not shared:
        raise ScenarioError(f"{', '.join(tasks)} have no language in common; name fewer tasks")
    return "en" if "en" in shared else shared[0]


def next_task(offer: Offer, tasks: Iterable[str], languages: Iterable[str]) -> str:
    """A task that may come later, in the languages that are there; empty where there is none."""
    free = (t for t in offer.in_order() if t not in tasks and set(languages) <= set(offer.languages[t]))
    return next(free, "")


def next_language(offer: Offer, tasks: Iterable[str], languages: Iterable[str]) -> str:
    """A language that may come later, which all the tasks have; empty where there is none."""
    return next((x for x in _shared(offer, tasks) if x not in languages), "")


def _shared(offer: Offer, tasks: Iterable[str]) -> list[str]:
    return sorted(set.intersection(*(set(offer.languages[task]) for task in tasks)))


def require_tasks(offer: Offer, tasks: tuple[str, ...]) -> None:
    """Raises ScenarioError for an unknown task, one that stands there twice, and tasks that share no language."""
    _known("task", tasks, offer.languages)
    first_language(offer, tasks)


def require_languages(offer: Offer, tasks: Iterable[str], languages: Iterable[str]) -> None:
    """Raises ScenarioError for a language that not all the tasks have, or that stands there twice."""
    _known("language", languages, _shared(offer, tasks))


def require_new_task(offer: Offer, tasks: Iterable[str], languages: Iterable[str], task: str) -> None:
    """Raises ScenarioError for a task that cannot come later: unknown, there already, or not in all languages."""
    _not_yet("task", task, tasks, others := set(offer.languages) - set(tasks))
    _known("task", (task,), others)
    if lacks := sorted(set(languages) - set(offer.languages[task])):
        has = ", ".join(offer.languages[task])
        raise ScenarioError(f"{task} is not to be had in {', '.join(lacks)}, only in {has}; name another task")


def require_new_language(offer: Offer, tasks: Iterable[str], languages: Iterable[str], language: str) -> None:
    """Raises ScenarioError for a language that cannot come later: there already, or not one that all the tasks have."""
    _not_yet("language", language, languages, others := set(_shared(offer, tasks)) - set(languages))
    _known("language", (language,), others)


def require_strategies(names: Iterable[str]) -> None:
    """Raises ScenarioError for a strategy that there is not, or that stands there twice."""
    _known("strategy", names, STRATEGIES.names())


def require_update(base_model: str) -> None:
    """Raises ScenarioError for the first base model again, and DataError for one that cannot be had."""
    _require_another(base_model)
    resolve(base_model)


def _require_another(base_model: str) -> None:
    if base_model == FIRST:
        raise ScenarioError(f"--base-update {FIRST}: that is the first base model; give another, or {NONE}")


def require_known(offer: Offer, draft: Draft) -> None:
    """Raises ScenarioError for a name that the source, or this program, does not have."""
    if not 0 < draft.horizon_days <= LONGEST_DAYS:
        raise ScenarioError(f"--days {draft.horizon_days:g}: give a number above 0, at most {LONGEST_DAYS}")
    require_strategies(draft.strategies)
    require_tasks(offer, draft.tasks)
    require_languages(offer, draft.tasks, draft.languages)
    every = draft.tasks
    if draft.new_task:
        require_new_task(offer, draft.tasks, draft.languages, draft.new_task)
        every = (*draft.tasks, draft.new_task)
    if draft.new_language:
        require_new_language(offer, every, draft.languages, draft.new_language)
    _require_another(draft.base_update)


def _not_yet(what: str, name: str, served: Iterable[str], others: Iterable[str]) -> None:
    """Raises ScenarioError for what cannot come later, as it is served from launch."""
    if name in served:
        left = ", ".join(sorted(others))
        raise ScenarioError(f"{what} {shown(name)} is served from launch; name another{left and f': {left}'}")


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    names, known = tuple(names), tuple(known)
    for name in names:
        if name not in known:
            raise ScenarioError(f"no {what} {shown(name)} to be had here; {suggestion(name, known)}")
    if len(set(names)) < len(names):
        raise ScenarioError(f"a {what} stands there twice: {', '.join(names)}; name each once")


def drafted(draft: Draft, offer: Offer) -> str:
    """The text of the scenario. Raises ScenarioError for names that there are not."""
    require_known(offer, draft)
    lines = [
        *_head(draft, offer),
        *_timeline(draft, offer),
        *_strategies(draft),
        *_line("training:", "learning rates are defaults that a search found, unless given here"),
        f"  every: {TRAINING[draft.size]}",
        *_line("quality_floor: 2.0", "points under an endpoint's best: below, a strategy is never called cheapest"),
        *_line("serving: {utilisation: 0.6}", "or {p95_ms: 50}: replicas for an answer within 50 milliseconds"),
        *_line(f"prices: {word(draft.prices)}", "a price book, or your own .yaml file; `adapeff-sim list prices`"),
    ]
    return "\n".join(lines) + "\n"


def _head(draft: Draft, offer: Offer) -> Iterator[str]:
    later = [f"the task {draft.new_task}"] * bool(draft.new_task) + [f"the language {draft.new_language}"] * bool(
        draft.new_language
    )
    later += ["a new base model"] * bool(draft.base_update)
    story = f"{' and '.join(draft.tasks)} in {' and '.join(draft.languages)}"
    story += f"; later {', '.join(later)}." if later else "; nothing else happens."
    yield "# What happens to a product, and which strategies live through it. Change what you like; then"
    yield "# `adapeff-sim validate` checks it, `plan` looks ahead, and `run` trains, measures and prices it."
    yield f"name: {word(draft.name)}"
    yield f"description: {json.dumps(story, ensure_ascii=False)}"
    yield from _line(f"horizon_days: {draft.horizon_days:g}", "how long the product lives")
    yield from _line("seeds: [13]", "a life for each; [13, 14, 15] tells how much is chance")
    yield from _line(f"data: {offer.data}", "where rows come from; `adapeff-sim data` shows them")


def _timeline(draft: Draft, offer: Offer) -> Iterator[str]:
    """The events; a third of the life passes before the language comes, two thirds before the base model goes."""
    tasks = ", ".join(f"{word(task)}: {_list(draft.languages)}" for task in draft.tasks)
    yield from _line("timeline:", "day by day; more kinds: `adapeff-sim list events`")
    yield "  - event: launch"
    yield "    day: 0"
    yield f"    base_model: {word(FIRST)}"
    yield f"    tasks: {{{tasks}}}"
    yield from _line(
        f"    labelled: {_labelled(offer, draft.tasks, draft.languages)}", "rows for each task and language"
    )
    yield from _line(f"    requests_per_day: {draft.requests_per_day}", "of all of them together")
    if draft.new_task:
        yield "  - event: task_arrival"
        yield f"    day: {_day(draft, 1 / 6)}"
        yield f"    task: {word(draft.new_task)}"
        yield f"    languages: {_list(draft.languages)}"
        yield f"    labelled: {_labelled(offer, (draft.new_task,), draft.languages)}"
        yield f"    requests_per_day: {max(1, draft.requests_per_day * 2 // 5)}"
    if draft.new_language:
        every = (*draft.tasks, *((draft.new_task,) if draft.new_task else ()))
        rows = _labelled(offer, every, (draft.new_language,), RARER_ROWS)
        yield from _line("  - event: new_language", "of every task that is there")
        yield f"    day: {_day(draft, 1 / 3)}"
        yield f"    language: {word(draft.new_language)}"
        yield from _line(f"    labelled: {rows}", "0 would be zero-shot")
        yield f"    requests_per_day: {max(1, draft.requests_per_day // 10)}"
    if draft.base_update:
        yield from _line("  - event: base_model_update", "what was trained over the old one is stale")
        yield f"    day: {_day(draft, 2 / 3)}"
        yield f"    base_model: {word(draft.base_update)}"


def _strategies(draft: Draft) -> Iterator[str]:
    yield from _line("strategies:", "with options: {NAME: {OPTION: VALUE}, as: LABEL}")
    for name in draft.strategies:
        yield from _line(f"  - {name}", first_sentence(STRATEGIES.get(name)))


def _labelled(offer: Offer, tasks: Iterable[str], languages: Iterable[str], most: int = USUAL_ROWS) -> int:
    """How many rows every one of these can have."""
    source, spoken = offer.counted, tuple(languages)
    there = [_rows(source, task, x) for task in tasks for x in spoken] if source else []
    return min([most, *there])


def _day(draft: Draft, share: float) -> str:
    day = draft.horizon_days * share
    return f"{round(day) if draft.horizon_days >= 30 else round(day, 3):g}"


def _line(text: str, comment: str) -> Iterator[str]:
    yield f"{text.ljust(COMMENT_AT)}# {comment}"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(word(name) for name in names)}]"


def word(text: str) -> str:
    """A name as YAML takes it, in quotes where it could be read as anything else."""
    is_plain = SAFE_NAME.fullmatch(text) and text[0].isalpha() and text.lower() not in PLAIN_WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


PLAIN_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}  # which YAML takes for something else


def data_beside(named: str, file: Path) -> str:
    """The value of ``data`` for a source named by a flag, its folder counted from where the scenario will lie."""
    plugin, colon, argument = named.partition(":")
    if not colon:
        return word(plugin)
    if plugin == "files" and not Path(argument).expanduser().is_absolute():
        argument = os.path.relpath(argument, file.parent)
    if argument.startswith("{"):
        raise DataError("a mapping stands in the scenario's file; name the folder, and write the mapping there")
    return f"{{{plugin}: {json.dumps(argument, ensure_ascii=False)}}}"
