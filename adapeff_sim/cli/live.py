"""A run on one screen that is redrawn while it goes on.

the timeline, with today        where every strategy stands: money, quality
what the present event means    the job that is being done, and how much is left
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from adapeff_sim.cli.so_far import AnyNews, Running, SoFar, Standing
from adapeff_sim.cli.views import Fate, fates, how_far, said
from adapeff_sim.planning.unfold import Step
from adapeff_sim.reports.wording import duration, line, money, plural, points, roughly, sparkline
from adapeff_sim.simulation import Finished, Unfolded

REFRESHES_PER_SECOND = 2  # drawing takes a few milliseconds, which a job being measured should not feel
STOPPING = "Ctrl-C stops and keeps what is done"
STYLES = {"+": "green", "~": "yellow", "=": "dim", "-": "red"}


@dataclass(slots=True)
class Screen:
    """Shows what is known so far; call it with news, from inside a ``with`` block to have it on the terminal."""

    console: Console
    so_far: SoFar
    hint: str = STOPPING  # beside the name
    foot: str = ""  # the last line, if there is one
    refreshes_itself: bool = True
    _live: Live | None = None
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, news: AnyNews) -> None:
        """Take in one piece of news; it is drawn with the next refresh."""
        with self._lock:
            self.so_far.take(news)
            if isinstance(news, (Finished, Unfolded)):
                self.so_far.reckon()

    def __enter__(self) -> Self:
        self._live = Live(
            self,
            console=self.console,
            screen=True,
            auto_refresh=self.refreshes_itself,
            refresh_per_second=REFRESHES_PER_SECOND,
        )
        self._live.start()
        return self

    def refresh(self) -> None:
        """Draw it now, where it does not draw itself."""
        if self._live:
            self._live.refresh()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the terminal back as it was, whatever happened."""
        if self._live:
            self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The picture at the width and height that there are; what must give way first is drawn last."""
        height = options.height or options.max_height or console.size.height
        with self._lock:
            yield self.picture(options.max_width, height)

    def picture(self, width: int, height: int) -> Group:
        """All of it in at most ``height`` lines."""
        present = self.so_far.present
        head: list[RenderableType] = [self._title(), *self._timeline(present, width), Text()]
        foot = [one_line(line(self.foot, "cyan"))] if self.foot else []
        job = [Text(), *self._job(width), self._jobs(), *foot]
        warned = [line(f"Warning: {self.so_far.warnings[-1]}", "yellow")] if self.so_far.warnings else []
        room = height - len(head) - len(job) - len(warned)
        strategies = self._strategies(width, max(1, room - 6 if room > 8 else room - 2))
        used = strategies.row_count + 2
        meaning = list(self._meaning(present, width))[: max(0, room - used - 1)]
        return Group(*head, strategies, *([Text(), *meaning] if meaning else []), *job, *map(one_line, warned))

    def _title(self) -> Text:
        seeds = len({step.seed for step in self.so_far.steps})
        facts = f"{plural(len(self.so_far.standings), 'strategy', 'strategies')}, {plural(seeds, 'seed')}   "
        known = facts if seeds else ""
        return one_line(line(self.so_far.name, "bold").append(f"   {known}{self.hint}", style="dim"))

    def _timeline(self, present: Step | None, width: int) -> Iterator[Text]:
        """The days up to the horizon with a mark for every event, and the present event in words."""
        moments = {self.so_far.moment(step): step.event for step in self.so_far.steps}
        events = [moments[moment] for moment in sorted(moments)]
        today, cells = present.event.day if present else 0.0, max(10, width - 2)

        def at(day: float) -> int:
            return min(cells - 1, round(day / self.so_far.horizon_days * (cells - 1)))

        is_over = self.so_far.is_unfolded and bool(self.so_far.steps)
        reached = cells - 1 if is_over else at(today)
        bar = Text("━" * (reached + 1), style="cyan").append("─" * (cells - 1 - reached), style="dim")
        marks = bar.plain
        for event in events:
            past = event.day < today or is_over
            sign = "●" if past else "◆" if event.day == today else "○"
            marks = marks[: at(event.day)] + sign + marks[at(event.day) + 1 :]
        yield Text(marks, spans=bar.spans, no_wrap=True)
        if present is None:
            yield Text("Looking at the scenario", style="dim")
            return
        number = 1 + sorted(moments).index(self.so_far.moment(present))
        said_so = line(f"Day {today:g} of {self.so_far.horizon_days:g}: {present.event.headline}", "bold cyan")
        yield one_line(said_so.append(f"   event {number} of {len(events)}", style="dim"))

    def _strategies(self, width: int, rows: int) -> Table:
        """Money so far by component, and the mean score after every event; as many strategies as there is room for."""
        standings = self.so_far.standings
        every = [s.qualities for s in standings if s.qualities]
        low, high = min(map(min, every), default=0.0), max(map(max, every), default=1.0)
        labelled = any(s.costs.get("labelling") for s in standings) and width >= 76
        components = ["compute", "storage", "serving", *(["labelling"] if labelled else [])]
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", expand=False, pad_edge=False)
        head = line(f"cost so far, {self.so_far.currency}".rstrip(", "))
        table.add_column(head, no_wrap=True, max_width=max(12, width - 62))
        for name in ("day", *components, "total", "points"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, max_width=12)
        shown = standings if len(standings) <= rows else standings[: rows - 1]
        for s in shown:
            table.add_row(*self._row(s, components, low, high))
        if len(shown) < len(standings):
            table.add_row(Text(f"and {len(standings) - len(shown)} more", style="dim"))
        return table

    def _row(self, s: Standing, components: list[str], low: float, high: float) -> Iterator[Text]:
        at_least = "≥" if s.is_lower_bound else ""
        yield one_line(line(s.label))
        yield Text(f"{s.day:g}", style="" if s.is_done else "dim")
        yield from (Text(money(s.costs.get(name, 0.0))) for name in components)
        yield Text(at_least + money(s.total), style="bold")
        yield Text(points(s.qualities[-1]) if s.qualities else "–")
        yield Text(sparkline(s.qualities[-12:], low, high), style="green")

    def _meaning(self, present: Step | None, width: int) -> Iterator[Text]:
        """What the present event made stale and why, first for the strategy whose turn it is."""
        if present is None:
            return
        for step in sorted(self.so_far.beside(present), key=lambda s: s.label != present.label):
            found = fates(step)
            kept = sum(f.sign == "=" for f in found)
            changed = [f for f in found if f.sign != "="]
            head = line(step.label, "bold" if step.label == present.label else "")
            yield one_line(head.append(f"  {kept} kept" if kept or not changed else "", style="dim"))
            yield from (_told(fate, width) for fate in changed)

    def _job(self, width: int) -> list[RenderableType]:
        """The job that began last, and how far it is."""
        current = self.so_far.current
        if current is None:
            idle = "Nothing is being done just now" if self.so_far.steps else "Unfolding what every event means"
            return [Text(idle, style="dim"), Text()]
        others = len(self.so_far.running) - 1
        order = current.order
        told = line(said(order.job), "bold").append(f"   for {line(order.label)}, seed {order.seed}", style="dim")
        if others:
            told.append(f"   and {others} beside it", style="dim")
        return [one_line(told), self._bar(current, width)]

    def _bar(self, current: Running, width: int) -> RenderableType:
        progress = current.progress
        if progress is None:
            return Text(f"begun {duration(self.so_far.clock() - current.began)} ago", style="dim")
        words = Text(how_far(progress), no_wrap=True)
        grid = Table.grid(padding=(0, 2, 0, 0))
        total = max(1, progress.total)
        bar = ProgressBar(
            total=total, completed=min(progress.done, total), width=max(8, min(30, width - len(words) - 3))
        )
        grid.add_row(bar, words)
        return grid

    def _jobs(self) -> Text:
        """How much is done and how much is left."""
        so_far = self.so_far
        if not so_far.steps:
            return Text(f"{duration(so_far.elapsed_seconds)} so far", style="dim")
        reused = f" ({so_far.reused} reused)" if so_far.reused else ""
        left = so_far.remaining_seconds
        ahead = "estimating the time left…" if left is None else f"about {duration(roughly(left))} left"
        counted = f"{len(so_far.outcomes)} of {plural(len(so_far.wanted), 'job')} done{reused}"
        return one_line(Text(f"{counted}, {duration(so_far.elapsed_seconds)} so far, {ahead}"))


def _told(fate: Fate, width: int) -> Text:
    """What becomes of one artifact and why; how many inputs moved, where there is no room for their names."""
    head = Text(f"  {fate.sign} ").append_text(line(fate.slot))
    head.stylize(STYLES[fate.sign])
    because = line(", ".join(fate.because))
    if len(head) + 3 + len(because) > width:
        because = line(f"{plural(len(fate.because), 'input')} changed")
    return one_line(head.append(" ← ", "dim").append_text(because) if fate.because else head)


def one_line(text: Text) -> Text:
    """The text on one line, its end cut where the screen ends."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
