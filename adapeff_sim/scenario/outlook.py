"""What lies ahead: for every event and strategy what is created, rebuilt, kept and retired, why, and how it is trained.

lives under made-up scores --sharing, impact, settings--> Outlook --> a tree, or JSON
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe
from adapeff_sim.artifacts.store_key import store_keys
from adapeff_sim.planning.impact import Way, impact
from adapeff_sim.planning.plan import Action, Change, Evaluate, Make, Serve
from adapeff_sim.planning.unfold import Step
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.suppose import ALWAYS, Supposed, distinct_seeds, supposed

Settings = dict[str, float | int | None]
Generations = dict[tuple[str, str], list[str]]  # by label and slot: the fingerprints that held it, the first first
JSON_VERSION = 1


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one artifact; what is trained has its way from a source that moved, settings and sharers.

    ``again`` says that the same life trained the very same before, so that the store will answer.
    """

    action: str
    slot: str
    kind: str
    method: str
    fingerprint: str
    generation: int  # of its slot in this life, from 1
    because: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    more_paths: int = 0  # of other sources that moved, and reach it too
    settings: Settings | None = None
    shared_with: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What one event, or what its checks find, means for one strategy."""

    label: str
    when: str
    fates: tuple[Fate, ...]
    fetched: tuple[str, ...]
    evaluations: int
    shapes: int
    checks: tuple[tuple[str, float], ...]  # endpoint, and how many points it may fall


@dataclass(frozen=True, slots=True)
class Day:
    """One event, and what it means for every strategy."""

    day: float
    event: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """The days of one timeline, and the seeds that live through it."""

    seeds: tuple[int, ...]
    days: tuple[Day, ...]
    trainings: dict[str, int] = field(default_factory=dict)  # by label; at most, where checks decide
    distinct_trainings: int = 0  # over all strategies, each done once


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that is known of a scenario before anything trains."""

    name: str
    horizon_days: float
    prices: str
    data: str
    lives: tuple[Life, ...]


def outlook(scenario: Scenario) -> Outlook:
    """Unfold every life under scores that hold and scores that fall, and say what it means."""
    seeds = distinct_seeds(scenario)
    alike = len(seeds) == 1
    lives = tuple(_life(scenario, seed, scenario.seeds if alike else (seed,)) for seed in seeds)
    return Outlook(scenario.name, scenario.horizon_days, scenario.prices, scenario.data, lives)


def _life(scenario: Scenario, seed: int, seeds: tuple[int, ...]) -> Life:
    events = scenario.events(seed)
    found = {label: list(supposed(scenario, label, events, seed)) for label in scenario.labels}
    keys = Keys(scenario, seed)
    wanted: dict[str, set[str]] = defaultdict(set)  # key of a training -> the labels that want it
    for label, steps in found.items():
        for each in steps:
            for artifact in each.step.plan.built:
                wanted[keys.of(label, artifact)].add(label)
    telling, days = _Telling(scenario, keys, wanted), []
    for event in events:
        here = [(label, each) for label, steps in found.items() for each in steps if each.step.event is event]
        turns = tuple([telling.turn(label, each) for label, each in here])
        days.append(Day(event.day, event.headline, turns))
    trainings = {label: sum(label in labels for labels in wanted.values()) for label in scenario.labels}
    return Life(seeds, tuple(days), trainings, len(wanted))


@dataclass(slots=True)
class Keys:
    """Which trainings are the same: recipe, settings, seed and inputs, on any one machine and with any rows."""

    scenario: Scenario
    seed: int
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, label: str, artifact: Artifact) -> str:
        """The key of one artifact of one strategy."""
        known = self.known.setdefault(label, {})
        if artifact.fingerprint not in known:
            told = self.scenario.settings
            store_keys([artifact], lambda a: told(label, a).model_dump(), self.seed, {}, lambda a: a.fingerprint, known)
        return known[artifact.fingerprint]


@dataclass(slots=True)
class _Telling:
    """One seed's lives while they are told: who wants a training, what was seen, and the generations of slots."""

    scenario: Scenario
    keys: Keys
    wanted: Mapping[str, set[str]]  # key of a training -> the labels that want it
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    generations: Generations = field(default_factory=lambda: defaultdict(list))

    def turn(self, label: str, each: Supposed) -> Turn:
        """What one event means for one strategy."""
        step = each.step
        paths = impact(step.plan, step.deployment)
        changes = [change for change in step.plan.changes if not change.artifact.kind.is_source]
        return Turn(
            label,
            each.when,
            tuple([self._fate(label, each.when, change, paths) for change in changes]),
            _fetched(step),
            sum(isinstance(job, Evaluate) for job in step.plan.jobs),
            sum(isinstance(job, Serve) for job in step.plan.jobs),
            tuple((str(check.endpoint), check.may_fall) for check in step.deployment.checks),
        )

    def _fate(self, label: str, when: str, change: Change, paths: Mapping[Artifact, tuple[Way, ...]]) -> Fate:
        """What becomes of one artifact; of what is trained, why, how, and who shares it."""
        artifact = change.artifact
        held = self.generations[label, artifact.slot]
        held += [artifact.fingerprint] if artifact.fingerprint not in held else []
        known = (artifact.slot, str(artifact.kind), method_of(artifact), artifact.fingerprint)
        generation = held.index(artifact.fingerprint) + 1
        if change.action not in (Action.CREATE, Action.REBUILD):
            return Fate(str(change.action), *known, generation=generation)
        key, ways = self.keys.of(label, artifact), paths.get(artifact, ((),))
        wants, again = self.wanted[key], not self.seen.isdisjoint({(label, ALWAYS, key), (label, when, key)})
        self.seen.add((label, when, key))
        return Fate(
            str(change.action),
            *known,
            generation=generation,
            because=change.because,
            path=tuple(a.slot for a in ways[0]),
            more_paths=len(ways) - 1,
            settings=self.scenario.settings(label, artifact).model_dump(),
            shared_with=tuple(other for other in self.scenario.labels if other in wants and other != label),
            again=again,
        )


def _fetched(step: Step) -> tuple[str, ...]:
    """The sources that are new to this strategy, in a few words each."""
    made: Sequence[Artifact] = [job.artifact for job in step.plan.jobs if isinstance(job, Make)]
    return tuple(source_said(artifact) for artifact in made if artifact.kind.is_source)


def source_said(artifact: Artifact) -> str:
    """A source in a few words: ``intent/sw (100 rows)``."""
    match artifact.recipe:
        case BaseModelRecipe(release=release):
            return release
        case DatasetRecipe(task=task, language=language, rows=rows, source=source):
            count = "all rows" if rows is None else f"{rows} rows"
            return f"{task}/{language} ({count}{f' of {source}' if source else ''})"
    return artifact.slot


def method_of(artifact: Artifact) -> str:
    """The adapter method, or nothing for what has none."""
    return artifact.recipe.method if isinstance(artifact.recipe, AdapterRecipe) else ""


def is_open(life: Life) -> bool:
    """Whether some of it depends on what checks will find."""
    return any(turn.when != ALWAYS for day in life.days for turn in day.turns)


def as_json(ahead: Outlook) -> str:
    """The outlook as JSON, with a version that moves when a key goes or changes its meaning."""
    return json.dumps({"version": JSON_VERSION, **asdict(ahead)}, indent=1, ensure_ascii=False) + "\n"
