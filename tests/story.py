"""The life that the tests live through, every option of every strategy, and an executor that only reckons."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, get_args, get_origin

from adapeff_sim.artifacts.artifact import Role, digest
from adapeff_sim.artifacts.deployment import Deployment, Route
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.execution.base import Order, Progress, Started, Watch
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.lifecycle.events.base import EVENTS, Event
from adapeff_sim.lifecycle.world import World
from adapeff_sim.planning.plan import Evaluate, Job, Make, Serve
from adapeff_sim.planning.unfold import Scores, Step, unfold
from adapeff_sim.simulation import Simulation
from adapeff_sim.strategies.base import STRATEGIES, Strategy


def event(name: str, day: float, **fields: object) -> Event:
    """An event as the scenario would name it."""
    return EVENTS.get(name)(day=day, **fields)


STORY = [
    event("launch", 0, base_model="mini:v1", tasks={"intent": ("en", "de")}, labelled=200, requests_per_day=1000),
    event("task_arrival", 10, task="sentiment", languages=("en",), requests_per_day=300),
    event("new_language", 20, language="sw", labelled=100, requests_per_day=200),
    event("new_language", 30, language="am", labelled=0, requests_per_day=10),
    event("dataset_refresh", 40, task="intent", add=50, test_set=True),
    event("base_model_update", 50, base_model="mini:v2"),
    event("dataset_refresh", 60, task="intent", languages=("de",), source="files:elsewhere"),
    event("task_arrival", 70, task="topic", languages=("de", "en"), requests_per_day=100),
    event("traffic_change", 80, requests_per_day=9_000_000),
    event("task_retirement", 90, task="sentiment"),
    event("new_language", 100, language="fr", labelled=50, requests_per_day=5),
    event("base_model_update", 110, base_model="mini:v3"),
]


def variants() -> Iterator[Strategy]:
    """Every registered strategy with its defaults, and with each other choice of each of its options."""
    for name in STRATEGIES.names():
        strategy = STRATEGIES.get(name)
        yield strategy()
        for option, field in strategy.model_fields.items():
            if get_origin(field.annotation) is Literal:
                yield from (strategy(**{option: c}) for c in get_args(field.annotation) if c != field.default)


def is_carried(route: Route) -> bool:
    """Whether something in the route was trained over another base model than the one it lies on."""
    return any(a.by(Role.BASE) not in ((), (route[0],)) for a in route)


def holds(evaluate: Evaluate) -> float:
    """Scores under which nothing ever falls."""
    return 0.9


def falls(evaluate: Evaluate) -> float:
    """Scores under which whatever is carried to another base model falls."""
    return 0.5 if is_carried(evaluate.route) else 0.9


def life(strategy: Strategy, timeline: list[Event] = STORY, scores: Scores = holds) -> list[Step]:
    """All the steps of one strategy."""
    return list(unfold(strategy, "it", 13, timeline, scores))


def events_of(steps: list[Step]) -> Iterator[tuple[World, Deployment, list[Step]]]:
    """For each event: the world and the deployment before it, and the steps it took."""
    world, deployment = World(), Deployment()
    for day in sorted({s.event.day for s in steps}):
        taken = [s for s in steps if s.event.day == day]
        yield world, deployment, taken
        world, deployment = taken[-1].world, taken[-1].deployment


SIZE = {Kind.BASE_MODEL: 2**30, Kind.MODEL: 2**30, Kind.ADAPTER: 2**22, Kind.FUSION: 2**24, Kind.DATASET: 2**10}


def order_of(label: str, seed: int, day: float, job: Job) -> Order:
    """An order whose key covers the job and, for what is built, the seed."""
    match job:
        case Make(a) if a.kind.is_source:
            key = digest("fetch", a.fingerprint)
        case Make(a):
            key = digest("build", a.fingerprint, seed)
        case Evaluate(e, route, test_set):
            key = digest("evaluate", str(e), [a.fingerprint for a in route], list(test_set), seed)
        case Serve():
            key = digest("serve", str(job))
    return Order(key, job, seed, None, {}, (), label, day)


class Reckoner:
    """An executor that trains nothing: a build takes ten seconds an input."""

    def __init__(self, scores: Scores = holds) -> None:
        self.scores, self.done = scores, list[Order]()

    def run(self, orders: Sequence[Order], watch: Watch) -> Iterator[tuple[Order, Outcome]]:
        """A plausible outcome for each, the same every time."""
        for order in orders:
            self.done.append(order)
            yield order, self.outcome(order.job)

    def outcome(self, job: Job) -> Outcome:
        match job:
            case Make(a) if a.kind is Kind.DATASET:
                rows = float(a.recipe.rows or 1000)
                return Outcome(usage={"labelled_examples": rows, "validation_examples": 50.0}, stored_bytes=2**10)
            case Make(a):
                train = {} if a.kind.is_source else {"train_seconds": 10.0 * sum(1 for _ in a.edges())}
                return Outcome(usage=train, stored_bytes=SIZE[a.kind], device="cpu", threads=1)
            case Evaluate():
                usage = {"evaluate_seconds": 1.0, "test_examples": 100.0}
                return Outcome(usage=usage, scores={"accuracy": self.scores(job)}, primary="accuracy", device="cpu")
            case Serve(_, stack, _):
                return Outcome(request_seconds={1: 0.01 * len(stack), 16: 0.005 * len(stack)}, device="cpu")


class Watched(Reckoner):
    """Calls ``look`` in the middle of every job."""

    def __init__(self, look: Callable[[Order], None]) -> None:
        super().__init__()
        self.look = look

    def run(self, orders: Sequence[Order], watch: Watch) -> Iterator[tuple[Order, Outcome]]:
        """Every job is begun, and has come some way, when it is looked at."""
        for order, outcome in super().run(orders, watch):
            watch(Started(order))
            watch(Progress(order, "train", 30, 120, loss=0.1234, score=0.876, remaining_seconds=65))
            self.look(order)
            yield order, outcome


def simulate(
    strategies: Mapping[str, Strategy], seeds: Sequence[int], timeline: list[Event], executor: Reckoner
) -> Ledger:
    """The ledger of some strategies that live the same timeline under some seeds."""
    return Simulation(strategies, seeds, lambda seed: timeline, order_of).run(executor, lambda news: None)
