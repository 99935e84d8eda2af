"""A run told in plain lines, for files, pipes and terminals that cannot redraw: every line is written once."""

import math
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console

from adapeff_sim.cli.so_far import AnyNews, SoFar
from adapeff_sim.cli.views import SIGNS, fates, how_far, meaning, said
from adapeff_sim.execution.base import Order, Progress, Started, Warned
from adapeff_sim.ledger.outcome import Outcome, sure_of
from adapeff_sim.planning.plan import Action
from adapeff_sim.planning.unfold import Step
from adapeff_sim.playback import Moment
from adapeff_sim.reports.wording import duration, plain, plural, points, roughly
from adapeff_sim.simulation import Finished, Unfolded

KEPT = SIGNS[Action.KEEP]
EVERY_SECONDS = 20.0  # how often a long job says how far it is


@dataclass(slots=True)
class Lines:
    """Writes a line for what is worth one."""

    console: Console
    so_far: SoFar
    is_quiet: bool = False  # warnings only
    is_estimated: bool = False  # no job is done: a line for each event, none for jobs
    _told: set[Moment] = field(default_factory=set)
    _asked: tuple[object, float] = (None, -math.inf)  # steps, and the day up to which they were looked through
    _spoke: dict[str, float] = field(default_factory=dict)

    def __call__(self, news: AnyNews) -> None:
        """Tell one piece of news."""
        self.so_far.take(news)
        if isinstance(news, Warned):
            self.warn(news.message)
        if self.is_quiet:
            return
        match news:
            case Unfolded(steps, orders):
                self._unfolded(len(steps), len(orders))
            case Started(order):
                self._events_until(order.day)
                self._spoke[order.key] = self.so_far.clock()
            case Progress(order):
                if self.so_far.clock() - self._spoke.setdefault(order.key, self.so_far.clock()) >= EVERY_SECONDS:
                    self._spoke[order.key] = self.so_far.clock()
                    self._write(f"        {said(order.job)}: {how_far(news)}")
            case Finished(order, outcome):
                self._events_until(order.day)
                self._finished(order, outcome)

    def warn(self, message: str) -> None:
        """Tell something that the user should know."""
        self._write(f"Warning: {message}")

    def _unfolded(self, steps: int, orders: int) -> None:
        if not self._told and orders:
            how = "each estimated once, none done" if self.is_estimated else "each done once"
            counted = f"{plural(steps, 'step')}, {plural(orders, 'job')}, {how}"
            self._write(f"{self.so_far.name}: {counted} (+ created, ~ rebuilt, - retired)")
        elif orders and self.is_estimated:
            self._write(f"Lives that wait for scores go on: {plural(orders, 'more job', 'more jobs')} to estimate.")
        elif orders:
            self._write(f"The scores that were waited for are known: {plural(orders, 'more job', 'more jobs')}.")
        else:
            self._events_until(math.inf)
            ended = "estimated, none was done" if self.is_estimated else "done"
            self._write(f"Every job is {ended}, in {duration(self.so_far.elapsed_seconds)}.")

    def _events_until(self, day: float) -> None:
        """Before the first job of a day: what has happened by then, and what it means for every strategy."""
        if self._asked[0] is self.so_far.steps and self._asked[1] == day:
            return
        self._asked = self.so_far.steps, day
        for step in sorted(self.so_far.steps, key=self.so_far.moment):
            moment = self.so_far.moment(step)
            if step.event.day <= day and moment not in self._told:
                self._told.add(moment)
                if self.is_estimated:
                    self._write(f"Day {step.event.day:g}: {step.event.headline}{self._counted(step)}")
                    continue
                self._write(f"Day {step.event.day:g}: {step.event.headline}")
                for beside in self.so_far.beside(step):
                    self._write(f"    {beside.label}: {meaning(beside)}")

    def _counted(self, step: Step) -> str:
        """How many artifacts an event would create, rebuild and retire, all strategies together."""
        found = Counter(fate.sign for beside in self.so_far.beside(step) for fate in fates(beside))
        told = [f"{sign}{found[sign]}" for sign in SIGNS.values() if found[sign] and sign != KEPT]
        return f" ({' '.join(told)})" if told else ""

    def _finished(self, order: Order, outcome: Outcome) -> None:
        if self.is_estimated:
            return
        done, wanted = len(self.so_far.outcomes), len(self.so_far.wanted)
        seconds = outcome.usage.get("train_seconds")
        facts = [
            f"{points(outcome.score)} points" if outcome.scores else "",
            f"trained {duration(seconds)}" if seconds else "",
            "not converged" if outcome.converged is False else "",
            "" if outcome.provenance == "measured" else sure_of(outcome, *outcome.usage),
        ]
        left = self.so_far.remaining_seconds
        ahead = f"; about {duration(roughly(left))} left" if left and left >= 1 else ""
        found = ", ".join(fact for fact in facts if fact) or "done"
        who = f"{order.label}, seed {order.seed}"
        self._write(f"  {done:>4}/{wanted} {said(order.job)} ({who}): {found}{ahead}")

    def _write(self, text: str) -> None:
        self.console.print(plain(text), markup=False, highlight=False, soft_wrap=True)
