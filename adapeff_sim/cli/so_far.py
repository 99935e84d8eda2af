"""What is known of a run while it goes on: fed with news, read by the live screen and by the plain lines.

Costs are reckoned between jobs, when one is finished, and never while one is being measured.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import NamedTuple

from adapeff_sim.accounting import account, placed
from adapeff_sim.artifacts.deployment import Deployment
from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.costs.base import CostRow
from adapeff_sim.execution.base import News, Order, Progress, Started, Warned
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.planning.plan import Evaluate, Job, Make, Serve, evaluations
from adapeff_sim.planning.unfold import Step
from adapeff_sim.playback import Moment
from adapeff_sim.simulation import Finished, OrderOf, Unfolded

AnyNews = News | Unfolded | Finished
Price = Callable[[Ledger, float], Sequence[CostRow]]  # ledger and horizon in days -> what it cost
Life = tuple[str, int]  # label and seed
TRAINED = frozenset(str(kind) for kind in Kind if not kind.is_source)
SOURCES = frozenset(map(str, Kind)) - TRAINED
RECKONING_SHARE = 20  # reckoning takes at most one part in so many of the time
BASIS_JOBS = 3  # jobs timed before anything is said of the time that is left
SWAY = 0.3  # how far a finished job moves the expected end towards what is reckoned anew
A_MOMENT = 1e-6  # days: a ledger is priced up to a day after the first one


class Standing(NamedTuple):
    """Where one strategy stands, on the mean of its seeds: money by component, and a mean score for each step.

    Everything is of one event, that of ``day``: the last of which something is done, or all of it up to the horizon.
    """

    label: str
    day: float
    costs: Mapping[str, float]
    unknown: frozenset[str]  # components of which some amount could not be had
    qualities: tuple[float, ...]
    is_done: bool
    is_within: bool = False  # of this event only a part is done, so that its quality is not known yet

    @property
    def total(self) -> float:
        """Money spent up to ``day``."""
        return sum(self.costs.values())


@dataclass(slots=True)
class Running:
    """A job that is being done, since ``began`` (seconds of the clock), and how far it is."""

    order: Order
    began: float
    progress: Progress | None = None


@dataclass(slots=True)
class SoFar:
    """The news of a run, taken in one by one."""

    name: str
    horizon_days: float
    price: Price
    order_of: OrderOf
    currency: str = ""
    clock: Callable[[], float] = time.monotonic
    steps: tuple[Step, ...] = ()
    wanted: dict[str, Order] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    is_unfolded: bool = False  # whether no life waits for a score any more
    standings: tuple[Standing, ...] = ()
    pinned: Step | None = None  # shown as the present one, whatever is being done
    _places: dict[tuple[str, int, int], int] = field(default_factory=dict)  # by label, seed and number of a step
    _latest: float = 0.0  # the day of the latest event of which a job was begun
    _began: float | None = None
    _next_reckoning: float = 0.0
    _ends: float | None = None  # when all will likely be done, by the clock
    _took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _orders: dict[tuple[Life, Job], Order] = field(default_factory=dict)

    def take(self, news: AnyNews) -> None:
        """Know one thing more."""
        now = self.clock()
        self._began = now if self._began is None else self._began
        match news:
            case Unfolded(steps, orders):
                self.steps, self.is_unfolded = steps, not orders
                lives = (life for _, life in groupby(steps, key=lambda step: (step.label, step.seed)))
                self._places = {(s.label, s.seed, s.number): place for life in lives for s, place in placed(life)}
                self.wanted |= {order.key: order for order in orders}
            case Started(order):
                self._latest = max(self._latest, order.day)
                self.wanted.setdefault(order.key, order)
                self.running[order.key] = Running(order, now)
            case Progress(order):
                begun = self.running.setdefault(order.key, Running(order, now))
                if begun.progress is None and not self._took:
                    begun.began = now  # what comes before, loading libraries, no later job does again
                begun.progress = news
            case Warned(_, message):
                self.warnings.append(message)
            case Finished(order, outcome):
                self._latest = max(self._latest, order.day)
                self.outcomes[order.key] = outcome
                done = self.running.pop(order.key, None)
                if done and outcome.provenance != "reused":
                    self._took[sort_of(order.job)].append(now - done.began)
        if isinstance(news, (Unfolded, Finished)) and (seconds := self._reckoned_seconds()) is not None:
            old = now + seconds if self._ends is None else self._ends
            self._ends = old + SWAY * (now + seconds - old)

    def reckon(self) -> None:
        """Bring ``standings`` up to date; call it between jobs, never while one is being measured.

        A reckoning that took long is not repeated soon, but when everything is done.
        """
        began = self.clock()
        if began >= self._next_reckoning or self.is_unfolded or not self.standings:
            self.standings = tuple(self._standings())
            self._next_reckoning = self.clock() + RECKONING_SHARE * (self.clock() - began)

    @property
    def elapsed_seconds(self) -> float:
        """Since the first news."""
        return 0.0 if self._began is None else self.clock() - self._began

    @property
    def reused(self) -> int:
        """How many jobs the store answered."""
        return sum(outcome.provenance == "reused" for outcome in self.outcomes.values())

    @property
    def current(self) -> Running | None:
        """The job that began last."""
        return list(self.running.values())[-1] if self.running else None

    @property
    def remaining_seconds(self) -> float | None:
        """For the jobs not done, by what jobs of their sort took in this run; None before that has a basis."""
        left = self._left()
        if not left:
            return 0.0 if self.wanted or self.is_unfolded else None
        if self._ends is None:
            return None
        ahead = sum(self._guess(order) for order in left if order.key not in self.running)
        return max(self._ends - self.clock(), ahead)

    def _left(self) -> list[Order]:
        return [order for key, order in self.wanted.items() if key not in self.outcomes]

    def _reckoned_seconds(self) -> float | None:
        """What is left by the jobs timed so far: some must be, and a training among them where any is left."""
        left = self._left()
        trains = any(sort_of(order.job) in TRAINED for order in left)
        if sum(map(len, self._took.values())) < BASIS_JOBS or (trains and TRAINED.isdisjoint(self._took)):
            return None
        begun = sum(min(self.clock() - r.began, self._guess(r.order)) for r in self.running.values())
        return max(0.0, sum(map(self._guess, left)) - begun)

    def _guess(self, order: Order) -> float:
        """Seconds of one job: the mean of its sort, else of what is like it; fetching takes hardly any."""
        sort = sort_of(order.job)
        alike = {sort} if sort in self._took else TRAINED if sort in TRAINED else {"evaluate", "serve"}
        if sort in SOURCES and sort not in self._took:
            return 0.0
        known = [seconds for each in alike for seconds in self._took.get(each, ())]
        return sum(known) / len(known) if known else 0.0

    @property
    def present(self) -> Step | None:
        """The step that is being done: of the current job, else the first one with a job to do, else the last."""
        if self.pinned is not None:
            return self.pinned
        if current := self.current:
            order = current.order
            asked = (s for s in self.steps if (s.label, s.seed, s.event.day) == (order.label, order.seed, order.day))
            if step := next((step for step in asked if self._wants(step, order)), None):
                return step
        undone = (step for step in sorted(self.steps, key=lambda s: s.event.day) if not self._is_done(step))
        return next(undone, self.steps[-1] if self.steps else None)

    def moment(self, step: Step) -> Moment:
        """Which event a step belongs to; events that say the same on one day are told apart by their place in it."""
        return step.event.day, self._places[step.label, step.seed, step.number], step.event.headline

    def beside(self, step: Step) -> list[Step]:
        """What the event of ``step`` means for every strategy under the same seed, each at its latest."""
        same = [s for s in self.steps if s.seed == step.seed and self.moment(s) == self.moment(step)]
        return list({s.label: s for s in same}.values())

    def _wants(self, step: Step, order: Order) -> bool:
        return any(self._order(step, job).key == order.key for job in step.plan.jobs)

    def _order(self, step: Step, job: Job) -> Order:
        name = ((step.label, step.seed), job)
        if name not in self._orders:
            self._orders[name] = self.order_of(step.label, step.seed, step.event.day, job)
        return self._orders[name]

    def _is_known(self, step: Step, job: Job) -> bool:
        return self._order(step, job).key in self.outcomes

    def _is_done(self, step: Step) -> bool:
        return all(self._is_known(step, job) for job in step.plan.jobs)

    def _done(self, step: Step, job: Job) -> tuple[Order, Outcome]:
        order = self._order(step, job)
        return order, self.outcomes[order.key]

    def _standings(self) -> Iterator[Standing]:
        """Where every strategy stands, in the order of the scenario."""
        lives: dict[str, dict[Life, list[Step]]] = {}
        for step in self.steps:
            lives.setdefault(step.label, {}).setdefault((step.label, step.seed), []).append(step)
        is_over = self.is_unfolded and all(self._is_done(step) for step in self.steps)
        shown = self.pinned.event.day if self.pinned else 0.0
        for label, seeds in lives.items():
            yield self._standing(label, list(seeds.values()), math.inf if is_over else max(self._latest, shown))

    def _standing(self, label: str, seeds: list[list[Step]], until: float) -> Standing:
        """The mean over the seeds of what one strategy cost up to the day that all its seeds have reached."""
        reached = [self._reached(life, until) for life in seeds]
        day = min(self.horizon_days if until == math.inf else life[-1].event.day for life, _ in reached)
        ledger = account([step for life, _ in reached for step in life], self._done)
        costs: dict[str, float] = defaultdict(float)
        rows = self.price(ledger, max(day, A_MOMENT))
        for row in rows:
            has_begun = row.until == row.day or day > 0  # on the first day nothing has accrued
            costs[row.component] += (row.amount or 0.0) / len(seeds) if has_begun else 0.0
        is_done = self.is_unfolded and all(self._is_done(step) for life in seeds for step in life)
        unknown = frozenset(row.component for row in rows if row.amount is None)
        is_within = any(within for _, within in reached)
        return Standing(label, day, dict(costs), unknown, tuple(self._qualities(seeds, until)), is_done, is_within)

    def _reached(self, life: list[Step], until: float) -> tuple[list[Step], bool]:
        """The steps up to the last event of which something is done, of that what is done, and whether that is a part.

        ``until`` is the day to which the story has come: an event without jobs is reached with its day.
        """
        done: list[Step] = []
        before: set[str] = set()  # what earlier events asked for too
        for step in life:
            jobs = tuple(job for job in step.plan.jobs if self._is_known(step, job))
            is_done = len(jobs) == len(step.plan.jobs)
            is_begun = is_done or not before.issuperset(self._order(step, job).key for job in jobs)
            if done and (step.event.day > until or not is_begun):
                break
            before |= {self._order(step, job).key for job in jobs}
            if not is_done:  # nothing stands while an event is not over
                part = replace(step, plan=replace(step.plan, jobs=jobs), deployment=Deployment())
                return [*done, part], True
            done.append(step)
        return done, False

    def _qualities(self, seeds: list[list[Step]], until: float) -> Iterator[float]:
        """After each step that is done, the mean score over the endpoints and seeds."""
        for group in zip(*seeds, strict=False):
            if not all(self._is_done(step) and step.event.day <= until for step in group):
                return
            scores = [self._score(step, e) for step in group for e in evaluations(step.deployment, step.world)]
            known = [score for score in scores if score is not None]
            if known:
                yield sum(known) / len(known)

    def _score(self, step: Step, job: Evaluate) -> float | None:
        outcome = self.outcomes.get(self._order(step, job).key)
        return outcome.score if outcome and outcome.score == outcome.score else None


def sort_of(job: Job) -> str:
    """Jobs of one sort take about as long as each other."""
    match job:
        case Make(artifact):
            return str(artifact.kind)
        case Evaluate():
            return "evaluate"
        case Serve():
            return "serve"
