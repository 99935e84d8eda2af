"""A run on one screen that is redrawn while it goes on.

the timeline, with today        where every strategy stands: money, quality
what the present event means    the job that is being done, and how much is left
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from adapeff_sim.cli.so_far import AnyNews, Running, SoFar, Standing
from adapeff_sim.cli.views import Fate, fates, how_far, said
from adapeff_sim.planning.unfold import Step
from adapeff_sim.reports.tables import UNKNOWN
from adapeff_sim.reports.wording import duration, line, money, plural, points, roughly, sparkline
from adapeff_sim.simulation import Finished, Unfolded

REFRESHES_PER_SECOND = 2  # drawing takes a few milliseconds, which a job being measured should not feel
STOPPING = "Ctrl-C stops and keeps what is done"
BEING_FOUND = Text("…", style="dim")  # what the points are after an event of which jobs are still to do
FOLDED = ("labelling", "storage", "compute", "serving")  # go into the column of all other money where room is short
CURVE, WIDEST = 12, 1000  # columns: of how the points went at most, and of a table that nobody cuts
STYLES = {"+": "green", "~": "yellow", "=": "dim", "-": "red"}


def _known(amount: float, is_lower_bound: bool) -> Text:
    """Money so far; of what could not be had in part, a lower bound, and of what could not be had at all, no number."""
    if is_lower_bound and not amount:
        return UNKNOWN.copy()
    return Text(("≥" if is_lower_bound else "") + money(amount))


class Meaning(NamedTuple):
    """What an event means for one strategy: a head and a line for each change, or the number of each in one line."""

    head: Text
    changes: tuple[Text, ...]
    in_short: Text


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
        meaning = within(list(self._meaning(present, width)), room - used - 1)
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
        shown = standings if len(standings) <= rows else standings[: rows - 1]
        labelled = any(s.costs.get("labelling") for s in standings)
        components = ["compute", "storage", "serving", *(["labelling"] if labelled else [])]
        folded = iter(FOLDED)
        while (room := width - self._wide(self._table(shown, components, width))) < 0 and components:
            leaves = next(folded)
            components = [name for name in components if name != leaves]
        table = self._table(shown, components, width, min(CURVE, room))
        if len(shown) < len(standings):
            table.add_row(Text(f"and {len(standings) - len(shown)} more", style="dim"))
        return table

    def _table(self, shown: Sequence[Standing], components: list[str], width: int, curve: int = 0) -> Table:
        """A row for each strategy: money that none of ``components`` holds is in one column, so that rows add up.

        Beside it is how the points went, over at most ``curve`` events.
        """
        spent = {name for s in self.so_far.standings for name, x in s.costs.items() if x or name in s.unknown}
        others = ["other"] if spent - {*components} else []
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", expand=False, pad_edge=False)
        head = line(f"cost so far, {self.so_far.currency}".rstrip(", "))
        table.add_column(head, no_wrap=True, max_width=max(12, width - 62))
        for name in ("day", *components, *others, "total", "points"):
            table.add_column(name, justify="right", no_wrap=True)
        if curve > 0:
            table.add_column("", no_wrap=True)
        every = [s.qualities for s in self.so_far.standings if s.qualities]
        low, high = min(map(min, every), default=0.0), max(map(max, every), default=1.0)
        for s in shown:
            went = [Text(sparkline(s.qualities[-curve:], low, high), style="green")] if curve > 0 else []
            table.add_row(*self._row(s, components, bool(others)), *went)
        return table

    def _wide(self, table: Table) -> int:
        """The columns that a table takes where nothing is cut, and one beside it."""
        return 1 + Measurement.get(self.console, self.console.options.update(width=WIDEST), table).maximum

    def _row(self, s: Standing, components: list[str], has_others: bool) -> Iterator[Text]:
        yield one_line(line(s.label))
        yield Text(f"{s.day:g}", style="dim" if s.is_within else "")
        yield from (_known(s.costs.get(name, 0.0), name in s.unknown) for name in components)
        if has_others:
            rest = s.costs.keys() - components
            yield _known(sum(s.costs[name] for name in rest), bool(s.unknown & rest))
        total = _known(s.total, bool(s.unknown))
        total.stylize("bold")
        yield total
        yield (
            BEING_FOUND.copy() if s.is_within and s.qualities else Text(points(s.qualities[-1]) if s.qualities else "–")
        )

    def _meaning(self, present: Step | None, width: int) -> Iterator[Meaning]:
        """What the present event made stale and why, first for the strategy whose turn it is."""
        if present is None:
            return
        for step in sorted(self.so_far.beside(present), key=lambda s: s.label != present.label):
            found = fates(step)
            kept = sum(f.sign == "=" for f in found)
            changed = [f for f in found if f.sign != "="]
            head = line(step.label, "bold" if step.label == present.label else "")
            counts = Text("  ").join([head, *(Text(f"{s}{n}", STYLES[s]) for s, n in _counted(found).items())])
            whole = head.copy().append(f"  {kept} kept" if kept or not changed else "", style="dim")
            yield Meaning(one_line(whole), tuple(_told(fate, width) for fate in changed), one_line(counts))

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


def within(meanings: Sequence[Meaning], rows: int) -> list[Text]:
    """All of it in at most ``rows`` lines: the first at length where that can be, others in short where they must."""
    if len(meanings) > rows:
        shown = [m.in_short for m in meanings[: max(0, rows - 1)]]
        return [*shown, _more(plural(len(meanings) - len(shown), "strategy", "strategies"))] if rows > 0 else []
    if not meanings:
        return []
    first, *others = meanings
    room = rows - len(others)
    if len(first.changes) < room:
        found = [first.head, *first.changes]
    elif room > 2:
        left_out = plural(len(first.changes) - room + 2, "change")
        found = [first.head, *first.changes[: room - 2], _more(left_out)]
    else:
        found = [first.in_short]
    spare = room - len(found)
    for m in others:
        fits = len(m.changes) <= spare
        found += [m.head, *m.changes] if fits else [m.in_short]
        spare -= len(m.changes) if fits else 0
    return found


def _more(what: str) -> Text:
    return Text(f"  and {what} more", style="dim")


def _counted(found: Sequence[Fate]) -> dict[str, int]:
    """How many met which fate, of those that any met."""
    return {sign: n for sign in STYLES if (n := sum(f.sign == sign for f in found))}


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
