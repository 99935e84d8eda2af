"""A finished run as the news that it was: lived again, with an executor that looks in the ledger and trains nothing.

scenario + ledger -> steps -> orders under the keys they had -> simulation -> acts, each with its second of the run
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from adapeff_sim.accounting import placed
from adapeff_sim.artifacts.recipe import DatasetRecipe
from adapeff_sim.errors import AdapeffError
from adapeff_sim.execution.base import News, Order, Progress, Started, Watch
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Outcome, Usage
from adapeff_sim.ledger.records import EvaluationRecord, JobRecord, Record, ServingRecord
from adapeff_sim.planning.plan import Evaluate, Job, Make, Serve
from adapeff_sim.planning.unfold import Step
from adapeff_sim.scenario.relived import events_of, relived
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.simulation import Finished, Simulation, Unfolded

TOOK = (
    "warmup_seconds",
    "train_seconds",
    "validate_seconds",
    "checkpoint_seconds",
    "evaluate_seconds",
    "probe_seconds",
)
ROWS = ("labelled_examples", "validation_examples", "test_examples")  # recorded as newly bought, known by their sum
BETWEEN = 10  # how often a training tells of itself from one validation to the next
LOST = {"compared"}  # rests on single predictions, which no ledger keeps
Kept = JobRecord | EvaluationRecord | ServingRecord
Life = tuple[str, int]  # label and seed
Moment = tuple[float, int, str]  # an event's day, its place among those of that day, and its words


class PlaybackError(AdapeffError):
    """A run whose ledger does not tell what its scenario asks for."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The story comes to an event, of which ``step`` is a part; ``number`` counts from 1."""

    step: Step
    number: int


@dataclass(frozen=True, slots=True)
class Act:
    """One piece of news, and the second of the run at which it comes: the sum of what the jobs before it took."""

    second: float
    what: News | Unfolded | Finished | Reached


@dataclass(slots=True)
class Archive:
    """What every job of every life took and gave, by the key under which it was done."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _keys: dict[tuple[Life, Job], str] = field(default_factory=dict)
    _needs: dict[str, tuple[str, ...]] = field(default_factory=dict)  # the keys of what came before

    def order_of(self, label: str, seed: int, day: float, job: Job) -> Order:
        """The order of a job, under the key that it had; equal keys meant equal work."""
        key = self._keys[(label, seed), job]
        return Order(key, job, seed, None, {}, self._needs.get(key, ()), label, day)

    def run(self, orders: Sequence[Order], watch: Watch) -> Iterator[tuple[Order, Outcome]]:
        """Do orders by looking them up."""
        for order in orders:
            watch(Started(order))
            yield order, self.outcomes[order.key]

    def keep(self, life: Life, job: Job, record: Kept, outcome: Outcome) -> None:
        """Know one job more; lives that share it may have bought different parts of its rows, so the most counts."""
        self._keys[life, job] = key = record.key
        self._needs[key] = () if isinstance(record, ServingRecord) else record.needs or ()
        if known := self.outcomes.get(key):
            more = {q: max(n, known.usage.get(q, 0.0)) for q, n in outcome.usage.items() if q in ROWS}
            outcome = known.model_copy(update={"usage": known.usage | more})
        self.outcomes[key] = outcome


def archive(steps: Sequence[Step], ledger: Ledger) -> Archive:
    """The jobs of some lives as the ledger tells them. Raises PlaybackError for one of which it tells nothing."""
    records = {(r.label, r.seed, r.step, name): r for r in ledger.records if (name := _name_of(r))}
    found = Archive()
    bought: dict[tuple[str, ...], float] = {}
    for step in steps:
        for job in step.plan.jobs:
            record = records.get((step.label, step.seed, step.number, _asked(job)))
            if not isinstance(record, JobRecord | EvaluationRecord | ServingRecord):
                raise PlaybackError(
                    f"day {step.event.day:g}: the ledger tells nothing of {_asked(job)} for {step.label}; it is of "
                    "another scenario or of another version."
                )
            told = {name: getattr(record, name) for name in Outcome.model_fields if name in type(record).model_fields}
            usage = _in_full(record.usage, (step.label, str(step.seed), *_rows_of(job)), bought)
            if isinstance(record, EvaluationRecord) and record.items is not None:
                usage["test_examples"] = float(record.items)
            found.keep((step.label, step.seed), job, record, Outcome.model_validate(told | {"usage": usage}))
    return found


def _name_of(record: Record) -> str:
    """What tells a record from the others of its step; nothing for what stands after it."""
    match record:
        case JobRecord():
            return record.fingerprint
        case EvaluationRecord():
            return record.endpoint
        case ServingRecord():
            return record.shape
    return ""


def _asked(job: Job) -> str:
    """The name that the record of a job has within its step."""
    match job:
        case Make(artifact):
            return artifact.fingerprint
        case Evaluate(endpoint, _, _):
            return str(endpoint)
        case Serve():
            return str(job)


def _rows_of(job: Job) -> tuple[str, ...]:
    """Which rows a job may buy."""
    match job:
        case Make(artifact) if isinstance(recipe := artifact.recipe, DatasetRecipe):
            return recipe.task, recipe.language, recipe.source
        case Evaluate(endpoint, _, test_set):
            return str(endpoint), *map(str, test_set)
    return ()


def _in_full(usage: Usage, name: tuple[str, ...], bought: dict[tuple[str, ...], float]) -> Usage:
    """The usage with all rows of a set, where the record tells of those alone that this life had not bought before."""
    found = dict(usage)
    for quantity in ROWS:
        if quantity in usage:
            what = (quantity, *name)
            found[quantity] = bought[what] = bought.get(what, 0.0) + usage[quantity]
    return found


@dataclass(frozen=True, slots=True)
class Playback:
    """A whole run to be played: its acts, what its orders were, and how many events there are."""

    acts: tuple[Act, ...]
    archive: Archive
    ledger: Ledger  # accounted for anew
    events: int

    @property
    def seconds(self) -> float:
        """How long the run worked."""
        return self.acts[-1].second

    def tells(self, ledger: Ledger) -> bool:
        """Whether accounting anew gave all that a ledger says, but for what single predictions told; of any version."""
        if len(ledger.records) != len(self.ledger.records):
            return False
        pairs = zip(ledger.records, self.ledger.records, strict=True)
        return all(_is_within(_said(record), again.model_dump(exclude=LOST)) for record, again in pairs)

    @property
    def chapters(self) -> tuple[int, ...]:
        """Where in the acts each event begins."""
        return tuple(i for i, act in enumerate(self.acts) if isinstance(act.what, Reached))


def _said(record: Record) -> dict[str, object]:
    """What a record says, to the last row in it; what a later version would say beside that is not there."""
    place = record.model_dump(include={"label", "seed", "step"})
    return place | record.model_dump(exclude=LOST, exclude_unset=True)


def _is_within(said: object, whole: object) -> bool:
    """Whether all that is said is so, at any depth."""
    if isinstance(said, dict) and isinstance(whole, dict):
        return all(key in whole and _is_within(value, whole[key]) for key, value in said.items())
    if isinstance(said, list | tuple) and isinstance(whole, list | tuple):
        return len(said) == len(whole) and all(map(_is_within, said, whole))
    return said == whole


def playback(scenario: Scenario, ledger: Ledger) -> Playback:
    """All that happened, in the order in which it happened.

    Raises PlaybackError, ScenarioError or PlanningError where the ledger is not of this scenario.
    """
    found = archive(tuple(relived(scenario, ledger)), ledger)
    simulation = Simulation(scenario.strategies, scenario.seeds, events_of(scenario, ledger), found.order_of)
    news: list[News | Unfolded | Finished] = []
    again = simulation.run(found, news.append)
    acts = tuple(_acts(news, found))
    return Playback(acts, found, again, sum(isinstance(act.what, Reached) for act in acts))


def _acts(news: Sequence[News | Unfolded | Finished], found: Archive) -> Iterator[Act]:
    """The news with their seconds, and before the first job of an event that the story has come to it."""
    second, seen = 0.0, 0
    story: list[tuple[Moment, Step]] = []
    moment_of: dict[str, Moment] = {}
    for each in news:
        until: Moment | None = None
        match each:
            case Started(order):
                until = moment_of[order.key]
            case Finished(_, outcome):
                second += seconds_of(outcome.usage)
            case Unfolded(steps, orders):
                until = story[-1][0] if story and not orders else None  # what is left before the end, without jobs
                later = _story(steps)
        while until is not None and seen < len(story) and story[seen][0] <= until:
            seen += 1
            yield Act(second, Reached(story[seen - 1][1], seen))
        yield Act(second, each)
        if isinstance(each, Unfolded):
            story, moment_of = later, _moments(each.steps, found) | moment_of
        if isinstance(each, Started):
            outcome = found.outcomes[each.order.key]
            yield from (Act(second + after, progress) for after, progress in _progress(each.order, outcome))
    for i in range(seen, len(story)):
        yield Act(second, Reached(story[i][1], i + 1))


def _placed(steps: Sequence[Step]) -> Iterator[tuple[Moment, Step]]:
    for _, life in groupby(steps, key=lambda step: (step.label, step.seed)):
        yield from (((step.event.day, place, step.event.headline), step) for step, place in placed(life))


def _story(steps: Sequence[Step]) -> list[tuple[Moment, Step]]:
    """Every event once, with the first step that it means for anybody."""
    first: dict[Moment, Step] = {}
    for moment, step in _placed(steps):
        first.setdefault(moment, step)
    return sorted(first.items(), key=lambda each: each[0])


def _moments(steps: Sequence[Step], found: Archive) -> dict[str, Moment]:
    """For every job the event that asked for it first."""
    by_event = sorted(_placed(steps), key=lambda each: each[0][:2])
    asked: dict[str, Moment] = {}
    for moment, step in by_event:
        for job in step.plan.jobs:
            key = found.order_of(step.label, step.seed, step.event.day, job).key
            asked.setdefault(key, moment)
    return asked


def seconds_of(usage: Mapping[str, float]) -> float:
    """What one job kept the machine busy for, as far as it was measured."""
    return sum(usage.get(name, 0.0) for name in TOOK)


def _progress(order: Order, outcome: Outcome) -> Iterator[tuple[float, Progress]]:
    """How far a training was, and after how many seconds: known at its validations, and evenly on the way there."""
    usage, whole = outcome.usage, seconds_of(outcome.usage)
    trained, total = usage.get("train_seconds", 0.0), int(usage.get("train_steps", 0))
    if not outcome.curve or not trained or not total:
        return
    start = usage.get("warmup_seconds", 0.0)
    step, at, best = 0, 0.0, None
    for point in outcome.curve:
        for i in range(BETWEEN):
            share = i / BETWEEN
            after = start + (at + share * (point.train_seconds - at)) * (whole - start) / trained
            done = step + round(share * (point.step - step))
            yield after, Progress(order, "train", done, total, score=best, remaining_seconds=whole - after)
        known = [score for score in point.scores.values() if score == score]
        mean = sum(known) / len(known) if known else None
        best = mean if best is None else best if mean is None else max(best, mean)
        step, at = point.step, point.train_seconds
