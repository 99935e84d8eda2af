"""Plays a finished run on the live screen: a clock of its own, and what the keys do to it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from adapeff_sim.cli.live import Screen
from adapeff_sim.cli.so_far import SoFar
from adapeff_sim.playback import Playback, Reached

EVENT_SECONDS = 2.0  # for which the screen rests where an event begins
SHARE = 4  # reckoning what things cost takes at most one part in so many of the time
KEYS = "n: next event · b: back · q: quit"


@dataclass(slots=True)
class Player:
    """Where a playback stands; ``second`` is of the run's own time and is the clock of what is shown.

    The screen is told what is known by then: going back begins anew and takes all acts up to there.
    """

    playback: Playback
    fresh: Callable[[Callable[[], float]], SoFar]  # what is known of the run before any news, by a clock
    screen: Screen
    speed: float  # seconds of the run in a second of the world
    pauses_at_events: bool = False
    second: float = 0.0
    is_paused: bool = False
    _place: int = 0  # of the next act
    _rest: float = 0.0  # seconds of the world for which nothing goes on
    _owes: bool = False  # whether costs are out of date
    _reckoned: tuple[float, float] = field(default=(0.0, 0.0))  # when, and how long it took

    def begin(self) -> None:
        """Come to the first event."""
        self.is_paused = False
        self._go_to(self.playback.chapters[0])

    @property
    def is_over(self) -> bool:
        """Whether everything was played."""
        return self._place == len(self.playback.acts)

    @property
    def number(self) -> int:
        """Which event the story is at, from 1."""
        return sum(start < self._place for start in self.playback.chapters)

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds of the world go by."""
        while not (self.is_paused or self.is_over):
            if self._rest > 0:
                spent = min(self._rest, seconds)
                self._rest, seconds = self._rest - spent, seconds - spent
                if self._rest > 0:
                    break
            ahead = (self.playback.acts[self._place].second - self.second) / self.speed
            if ahead > seconds:
                self.second += seconds * self.speed
                break
            seconds -= max(0.0, ahead)
            self._take()
        self._reckon()

    def step(self) -> None:
        """Go on to where the next event begins, or to the end."""
        later = [start for start in self.playback.chapters if start >= self._place]
        self._play_to(later[0] if later else len(self.playback.acts) - 1)

    def back(self) -> None:
        """Go back to where this event began, and from there to the one before."""
        starts = [start for start in self.playback.chapters if start < self._place]
        is_there = self._place == starts[-1] + 1
        self._go_to(starts[-2] if is_there and len(starts) > 1 else starts[-1])

    def finish_event(self) -> None:
        """Go on to where all jobs of this event are done, and show that event still."""
        self._rest = 0.0
        here = self.screen.so_far.pinned or self.screen.so_far.present
        chapters = self.playback.chapters
        later = [start for start in chapters if start >= self._place]
        self._play_to(later[0] - 1 if later else len(self.playback.acts) - 1)
        self.screen.so_far.pinned, self._owes = here, True
        self._reckon(at_once=True)

    def press(self, key: str) -> bool:
        """Do what a key says; whether to go on."""
        match key:
            case "q":
                return False
            case " " | "p":
                self.is_paused, self._rest = not self.is_paused, 0.0
            case "n" | "right" | "enter":
                self.step()
            case "b" | "left":
                self.back()
        return True

    def tell_keys(self) -> None:
        """Say on the last line of the screen what can be pressed, and what is paused."""
        if self.is_over:
            self.screen.foot = "The end · b: back · q: quit"
        else:
            self.screen.foot = f"{'Paused · space: go on' if self.is_paused else 'space: pause'} · {KEYS}"

    def _take(self) -> None:
        """Know one act more."""
        act = self.playback.acts[self._place]
        self._place, self.second, self._owes = self._place + 1, max(self.second, act.second), True
        if isinstance(act.what, Reached):
            self.screen.so_far.pinned = act.what.step
            self._rest, self.is_paused = EVENT_SECONDS, self.is_paused or self.pauses_at_events
            return
        self.screen.so_far.pinned = None
        self.screen.so_far.take(act.what)

    def _play_to(self, place: int) -> None:
        """Take all acts up to one, and it as well, without waiting."""
        while self._place <= place:
            self._take()
        self._reckon(at_once=True)

    def _go_to(self, place: int) -> None:
        """Begin anew, up to an act."""
        self._place, self.second, self._rest = 0, 0.0, 0.0
        self.screen.so_far = self.fresh(lambda: self.second)
        self._play_to(place)

    def _reckon(self, at_once: bool = False) -> None:
        """Bring costs up to date, where they are not and that was not just done."""
        when, took = self._reckoned
        if not self._owes or not (at_once or self.is_over or time.monotonic() - when >= SHARE * took):
            return
        began = time.monotonic()
        self.screen.so_far.reckon()
        self._reckoned, self._owes = (time.monotonic(), time.monotonic() - began), False
