"""The file format: what a scenario says, as one frozen model."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    model_validator,
)

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.data.base import SOURCES
from adapeff_sim.data.ready import ready_names
from adapeff_sim.lifecycle.events.base import Event
from adapeff_sim.lifecycle.timeline import Arrivals, timeline
from adapeff_sim.lifecycle.world import source_name
from adapeff_sim.near_names import suggestion
from adapeff_sim.scenario.entries import (
    EVERY,
    arrivals_of,
    event_fields,
    event_of,
    safe_name,
    strategies_of,
    strategy_entry,
    training_of,
)
from adapeff_sim.scenario.project_to import ProjectTo, project_to_of
from adapeff_sim.scenario.words import refused, shown, understood
from adapeff_sim.strategies.base import Strategy
from adapeff_sim.training.settings import SomeSettings, TrainingSettings, resolve

MOST_EVENTS = 1000  # in one life: beyond, a plan takes minutes and no reader follows
MOST_SEEDS = 100
LARGEST_SEED = 2**32 - 1
DEFAULT_SEEDS = (13,)
DEFAULT_PRICES = "cloud_gpu"


def known_source(name: str) -> str:
    """The name itself, if a data source answers to it (raises ValueError otherwise); empty means not said."""
    kind = name.partition(":")[0]
    if name in ready_names():
        raise ValueError(f"{name} is a ready-made mapping; write {{hub: {name}}}")
    if name and kind not in SOURCES.names():
        raise ValueError(f"unknown data source {shown(kind)}; {suggestion(kind, SOURCES.names())}")
    return name


def each_once(seeds: tuple[int, ...]) -> tuple[int, ...]:
    """The seeds themselves, if none stands there twice (raises ValueError otherwise)."""
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if twice:
        raise ValueError(f"seed {twice[0]} stands there twice, which counts one life as two; keep one")
    return seeds


def _entries(strategies: Mapping[str, Strategy]) -> list[Any]:
    return [strategy_entry(label, strategy) for label, strategy in strategies.items()]


def _layers(training: Mapping[str, SomeSettings]) -> dict[str, Any]:
    return {layer: settings.model_dump(exclude_unset=True) for layer, settings in training.items()}


def _process(arrivals: Arrivals) -> dict[str, Any]:
    return arrivals.model_dump(mode="json", exclude_unset=True)


TimelineEvent = Annotated[Event, PlainValidator(event_of), PlainSerializer(event_fields)]
Process = Annotated[Arrivals, PlainValidator(arrivals_of), PlainSerializer(_process)]
Strategies = Annotated[Mapping[str, Strategy], PlainValidator(strategies_of), PlainSerializer(_entries)]
Training = Annotated[Mapping[str, SomeSettings], PlainValidator(training_of), PlainSerializer(_layers)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MOST_SEEDS), AfterValidator(each_once)]


def one_source(value: object) -> object:
    """The name of a source, however it is written. Raises ValueError for a list, and for several sources at once."""
    name = source_name(value)
    if isinstance(name, list) or (isinstance(name, dict) and len(name) != 1):
        several = f"names {' and '.join(map(str, name))}" if isinstance(name, dict) and name else f"is {shown(name)}"
        raise ValueError(f"{several}; name one source, such as helpdesk or {{files: FOLDER}}; events may name others")
    return name


SourceName = Annotated[str, BeforeValidator(one_source), AfterValidator(known_source)]


class ServingTarget(BaseModel):
    """What replicas are bought for, and what shares them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    utilisation: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="Share of its time that a replica may be busy; beside p95_ms it holds only where it is said.",
    )
    p95_ms: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="Milliseconds in which 95 of 100 requests are answered, waiting included.",
    )
    max_batch: int = Field(
        default=1, ge=1, le=256, description="Requests that a replica answers at once where so many wait; with p95_ms."
    )
    placement: Literal["dedicated", "packed"] = Field(
        default="dedicated", description="Replicas for each model, or shared by as many as an instance's memory holds."
    )
    rollout_hours: float | None = Field(
        default=None, ge=0, le=8760, description="How long an old and a new model stand side by side; charged if said."
    )

    @model_validator(mode="after")
    def _batches_have_a_target(self) -> Self:
        """Refuse batches where nothing says how long a request may wait for one."""
        if self.max_batch > 1 and self.p95_ms is None:
            raise refused(self, [(("max_batch",), "has no effect without p95_ms; add it, or drop max_batch")])
        return self

    @property
    def busy_at_most(self) -> float:
        """The share of its time that a replica may be busy: beside a target, all of it unless it is said."""
        return 1.0 if self.p95_ms is not None and "utilisation" not in self.model_fields_set else self.utilisation


class Estimating(BaseModel):
    """What an estimate takes for granted, where nothing is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    epochs: dict[str, Annotated[float, Field(gt=0, le=10_000)]] = Field(
        default={}, description="Epochs until a training is at its best, by kind of artifact or strategy's label."
    )


def _estimating_of(value: Any) -> Estimating:
    return value if isinstance(value, Estimating) else understood(Estimating, value)


def _said_of_estimating(estimating: Estimating) -> dict[str, Any]:
    return estimating.model_dump(mode="json", exclude_unset=True)


def _serving_of(value: Any) -> ServingTarget:
    return value if isinstance(value, ServingTarget) else understood(ServingTarget, value)


def _said_of_serving(serving: ServingTarget) -> dict[str, Any]:
    return serving.model_dump(mode="json", exclude_unset=True)


Serving = Annotated[ServingTarget, PlainValidator(_serving_of), PlainSerializer(_said_of_serving)]


def _said_of_target(target: ProjectTo | None) -> dict[str, Any] | None:
    return None if target is None else target.model_dump(mode="json", exclude_unset=True)


Projected = Annotated[ProjectTo, PlainValidator(project_to_of), PlainSerializer(_said_of_target)]
Estimate = Annotated[Estimating, PlainValidator(_estimating_of), PlainSerializer(_said_of_estimating)]


class Scenario(BaseModel):
    """The story of a product: what happens to it, and which strategies live through that."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, AfterValidator(safe_name)] = Field(description="Names the run's folder.")
    description: str = Field(default="", description="What the story is about, in a sentence or two.")
    horizon_days: float = Field(gt=0, le=36_500, description="How many days the product lives.")
    seeds: Seeds = Field(
        default=DEFAULT_SEEDS,
        description="One life each; a seed drives arrivals, data order and initialisation, alike for every strategy.",
    )
    data: SourceName = Field(
        default="",
        description="Where rows come from: helpdesk, {files: FOLDER}, {hub: NAME} or {stated: ...}; or --data.",
    )
    timeline: tuple[TimelineEvent, ...] = Field(
        min_length=1, max_length=MOST_EVENTS, description="What happens to the product, a launch first."
    )
    arrivals: tuple[Process, ...] = Field(
        default=(), max_length=20, description="Processes that bring events again and again, seeded."
    )
    strategies: Strategies = Field(description="Who lives through the timeline: NAME, or {NAME: OPTIONS, as: LABEL}.")
    training: Training = Field(
        default={}, description="Settings by layer: every, then adapter, fusion or model, then a strategy's label."
    )
    quality_floor: float = Field(
        default=2.0,
        ge=0,
        le=100,
        description="Points under an endpoint's best strategy below which a strategy is never called cheapest.",
    )
    serving: Serving = Field(default=ServingTarget(), description="How requests are answered.")
    gpus: int = Field(
        default=1, ge=1, le=1024, description="Devices that work through the jobs of an event, for its lead time."
    )
    estimate: Estimate = Field(default=Estimating(), description="What estimates take for granted.")
    prices: str = Field(default=DEFAULT_PRICES, min_length=1, description="A shipped price book, or a file of one.")
    project_to: Projected | None = Field(default=None, description="The size of production, told beside what was run.")

    @model_validator(mode="after")
    def _arrivals_end(self) -> Self:
        """Refuse a process that would bring more events than a life can hold."""
        for i, process in enumerate(self.arrivals):
            if process.repeat and (self.horizon_days - process.start_day) / process.gap_days > MOST_EVENTS:
                text = f"is {process.gap_days:g}; more than {MOST_EVENTS} events up to the horizon, give a wider gap"
                raise refused(self, [(("arrivals", i, "gap_days"), text)])
        return self

    @staticmethod
    def load(
        name_or_path: str | Path,
        *,
        strategies: Sequence[str] | str | None = None,
        seeds: Sequence[int] | int | None = None,
        data: str | None = None,
        prices: str | None = None,
    ) -> "Scenario":
        """The scenario in a file, or the shipped one of that name, checked; the rest says other than the file does.

        ``strategies`` are labels, in a list or as ``a,b``; a single number of ``seeds`` is how many. Raises Problems
        with all that is wrong, by file, line and key, or by argument.
        """
        from adapeff_sim.scenario.load import load
        from adapeff_sim.scenario.problems import Problems, from_python

        labels = strategies.split(",") if isinstance(strategies, str) else strategies
        try:
            return load(name_or_path, strategies=labels, seeds=seeds, data=data, prices=prices)
        except Problems as error:
            raise from_python(error) from None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the strategies, in the order of the file."""
        return tuple(self.strategies)

    def events(self, seed: int) -> list[Event]:
        """All that happens under one seed, by day."""
        return [self.unnamed(event) for event in timeline(self.timeline, self.arrivals, self.horizon_days, seed)]

    def unnamed(self, event: Event) -> Event:
        """The event as it is, but with "" for the scenario's own source: its rows are the same under either name."""
        is_own = self.data and getattr(event, "source", None) == self.data
        return event.model_copy(update={"source": ""}) if is_own else event

    def layers(self, label: str, artifact: Artifact) -> tuple[str, ...]:
        """The layers of settings that are there for one artifact of one strategy; the later one wins."""
        return tuple(layer for layer in (EVERY, str(artifact.kind), label) if layer in self.training)

    def settings(self, label: str, artifact: Artifact) -> TrainingSettings:
        """How one artifact of one strategy is trained."""
        return resolve(artifact, tuple(self.training[layer] for layer in self.layers(label, artifact)))

    def plain(self) -> dict[str, Any]:
        """The scenario as the plain values of its file, without what is said by default."""
        return self.model_dump(mode="json", exclude_unset=True)

    def as_yaml(self) -> str:
        """A file that says the same; flags that were given are in it."""
        return yaml.safe_dump(self.plain(), sort_keys=False, allow_unicode=True, width=120)

    def only(self, labels: Iterable[str], others: Mapping[str, Strategy]) -> Self:
        """With some of its strategies, and others; layers of settings of those that go, go with them."""
        kept = {label: self.strategies[label] for label in labels} | dict(others)
        gone = self.strategies.keys() - kept.keys()
        training = {layer: settings for layer, settings in self.training.items() if layer not in gone}
        return self.model_copy(update={"strategies": kept, "training": training})
