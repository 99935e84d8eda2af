"""The screen of a run: fed with news, looked at as text."""

import io
import time
from itertools import count

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text
from story import STORY, Reckoner, Watched, event, falls, life, order_of

from adapeff_sim.cli.lines import Lines
from adapeff_sim.cli.live import Meaning, Screen, within
from adapeff_sim.cli.run import can_redraw
from adapeff_sim.cli.so_far import SoFar, Standing
from adapeff_sim.cli.views import fates, meaning
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.execution.base import Progress, Started, Warned
from adapeff_sim.lifecycle.events.base import Event
from adapeff_sim.planning.plan import Make
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.simulation import Finished, Simulation, Unfolded
from adapeff_sim.strategies.base import STRATEGIES

BOOK = load_prices("laptop_cpu")
HORIZON = 120.0
LABELS = ("adapter_per_task", "adapter_fusion", "multitask_full", "[red]odd[/red]")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def price(ledger, day):
    return price_ledger(ledger, BOOK, Terms(horizon_days=day))


def simulation(*labels: str, story: list[Event] = STORY) -> Simulation:
    plugins = [label if label in STRATEGIES.names() else "multitask_full" for label in labels]
    wants = {label: STRATEGIES.get(plugin)() for label, plugin in zip(labels, plugins, strict=True)}
    return Simulation(wants, (13,), lambda seed: story, order_of)


def screen(known: SoFar | None = None, width: int = 80, height: int = 24) -> Screen:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    known = known or SoFar("story", HORIZON, price, order_of, "EUR", clock=time.monotonic)
    return Screen(console, known)


def seen(shown: Screen) -> list[str]:
    shown.console.file.seek(0)
    shown.console.file.truncate()
    shown.console.print(shown)
    return shown.console.file.getvalue().splitlines()


def test_the_screen_always_fits():
    known = SoFar("story", HORIZON, price, order_of, "EUR", clock=time.monotonic)
    screens = {size: screen(known, *size) for size in ((80, 24), (120, 40), (60, 14))}
    shown = screens[80, 24]  # all three show what this one is told
    sizes: dict[tuple[int, int], list[tuple[int, int]]] = {size: [] for size in screens}
    jobs = count()

    def look(order):
        job = next(jobs)
        if job % 7 == 0:
            shown(Warned(order, "something " * 30))
        if job % 2 == 0:
            size = list(screens)[job // 2 % 3]
            rows = seen(screens[size])
            sizes[size].append((len(rows), max(map(cell_len, rows))))

    simulation(*LABELS).run(Watched(look), shown)
    for (width, height), found in sizes.items():
        assert len(found) > 30
        assert max(rows for rows, _ in found) <= height
        assert max(columns for _, columns in found) <= width


def test_the_screen_before_any_news():
    text = "\n".join(seen(screen()))
    assert "Looking at the scenario" in text
    assert "0 strategies" not in text and "0 of 0" not in text and "left" not in text


def test_the_screen_tells_event_job_progress_reasons_and_money():
    shown, pictures = screen(height=40), {}
    run = simulation(*LABELS)

    def look(order):
        if (order.label, order.day) not in pictures:
            pictures[order.label, order.day] = "\n".join(seen(shown))

    run.run(Watched(look), shown)
    text = pictures["adapter_fusion", 20.0]
    assert "Day 20 of 120: new_language sw   event 3 of 12" in text
    assert "◆" in text
    assert "train 30/120, loss 0.123, best 87.6 points, 1:05 left" in text
    assert "~ adapter/intent ← train:dataset/intent/sw" in text
    assert "~ fusion/intent ← " in text
    assert "for adapter_fusion, seed 13" in text
    assert "[red]odd[/red]" in text
    row = next(r for r in text.splitlines() if r.startswith("adapter_per_task "))
    assert row.split()[1].isdigit()  # its day, and nothing that looks cut off
    last = "\n".join(seen(shown))
    assert "Nothing is being done just now" in last


def test_money_on_the_screen_ends_as_the_money_of_the_results():
    shown, run = screen(), simulation(*LABELS)
    ledger = run.run(Reckoner(), shown)
    for standing in shown.so_far.standings:
        rows = [r for r in price(ledger, HORIZON) if r.label == standing.label]
        assert standing.is_done
        assert standing.total == pytest.approx(sum(r.amount or 0.0 for r in rows))


def test_money_so_far_only_grows_and_never_runs_ahead_of_its_day():
    totals: dict[str, list[tuple[float, float]]] = {label: [] for label in LABELS[:2]}
    known = SoFar("story", HORIZON, price, order_of, clock=Clock())  # a clock that stands: every job is reckoned
    shown, run = screen(known), simulation(*LABELS[:2], story=STORY[:6])

    def look(order):
        for s in shown.so_far.standings:
            totals[s.label].append((s.day, s.total))
            assert s.day <= order.day or s.day == HORIZON or s.day in {e.day for e in STORY}

    run.run(Watched(look), shown)
    for seen_so_far in totals.values():
        assert seen_so_far == sorted(seen_so_far)
        assert len(set(seen_so_far)) > 5


def test_a_life_that_waits_for_scores_is_not_priced_to_the_end():
    carried = STRATEGIES.get("adapter_per_task")(on_base_update="carry_over", may_fall=2.0)
    days = []
    known = SoFar("story", HORIZON, price, order_of, clock=Clock())
    run = Simulation({"it": carried}, (13,), lambda seed: STORY, order_of)

    def watch(news):
        known.take(news)
        known.reckon()
        waits = bool(known.steps and known.steps[-1].deployment.checks)
        days.append((waits, known.standings[0].day if known.standings else 0.0))

    run.run(Reckoner(falls), watch)
    assert max(day for waits, day in days if waits) == 110.0
    assert days[-1] == (False, HORIZON)


def test_time_left_is_what_jobs_of_the_sort_took():
    clock = Clock()
    known = SoFar("story", HORIZON, price, order_of, clock=clock)
    steps = life(STRATEGIES.get("adapter_per_task")(), STORY[:1])
    orders = [order_of("it", 13, 0.0, job) for job in steps[0].plan.jobs]
    known.take(Unfolded(tuple(steps), tuple(orders)))
    assert known.remaining_seconds is None
    for order in orders[:-1]:
        known.take(Started(order))
        clock.now += 10
        known.take(Finished(order, Reckoner().outcome(order.job)))
    assert known.remaining_seconds == 10
    known.take(Started(orders[-1]))
    known.take(Finished(orders[-1], Reckoner().outcome(orders[-1].job)))
    assert known.remaining_seconds == 0
    assert known.elapsed_seconds == 10 * (len(orders) - 1)


def test_one_odd_job_does_not_throw_the_time_left_about():
    clock = Clock()
    known = SoFar("story", HORIZON, price, order_of, clock=clock)
    steps = life(STRATEGIES.get("adapter_fusion")(), STORY[:3])
    orders = list({(o := order_of("it", 13, s.event.day, job)).key: o for s in steps for job in s.plan.jobs}.values())
    known.take(Unfolded(tuple(steps), tuple(orders)))
    told = []
    for order in orders:
        trains = isinstance(order.job, Make) and not order.job.artifact.kind.is_source
        known.take(Started(order))
        if order is orders[0]:
            clock.now += 300  # of loading libraries
        known.take(Progress(order, "train", 0, 1))
        clock.now += 60 if trains else 1
        known.take(Finished(order, Reckoner().outcome(order.job)))
        told.append(known.remaining_seconds)
    first = next(i for i, left in enumerate(told) if left is not None)
    assert told[first - 1] is None and first > 0
    truth = [
        sum(60 if isinstance(o.job, Make) and not o.job.artifact.kind.is_source else 1 for o in orders[i + 1 :])
        for i in range(len(orders))
    ]
    assert all(abs(left - true) <= 0.1 * true + 1 for left, true in list(zip(told, truth, strict=True))[first:])


def test_reckoning_is_not_repeated_soon_when_it_took_long():
    clock, calls = Clock(), []

    def slow(ledger, day):
        calls.append(clock.now)
        clock.now += 1
        return price(ledger, day)

    known = SoFar("story", HORIZON, slow, order_of, clock=clock)
    steps = life(STRATEGIES.get("adapter_per_task")())
    order = order_of("it", 13, 0.0, steps[0].plan.jobs[0])
    known.take(Unfolded(tuple(steps), (order,)))
    for _ in range(30):
        known.reckon()
        clock.now += 1
    assert len(calls) == 2


def test_lines_say_every_event_once_and_every_job():
    console = Console(file=io.StringIO(), width=40)
    lines = Lines(console, SoFar("story", HORIZON, price, order_of, clock=Clock()))
    done = Watched(lambda order: None)
    simulation(*LABELS).run(done, lines)
    rows = console.file.getvalue().splitlines()
    assert [r for r in rows if r.startswith("Day ")] == [f"Day {e.day:g}: {e.headline}" for e in STORY]
    assert sum(r.lstrip()[:1].isdigit() for r in rows) == len(done.done)
    assert "    [red]odd[/red]: ~ model/multitask (train:dataset/sentiment/en changed)" in rows


def test_events_of_a_day_with_the_same_words_are_told_apart():
    refresh = [event("dataset_refresh", 20, task="intent", languages=(x,), add=5) for x in ("de", "en", "de")]
    traffic = event("traffic_change", 20, requests_per_day=7)
    story = [STORY[0], *refresh[:2], traffic, refresh[2]]
    console = Console(file=io.StringIO(), width=200)
    lines = Lines(console, SoFar("story", HORIZON, price, order_of, clock=Clock()))
    shown, pictures = screen(height=40), {}

    def watch(news):
        lines(news)
        shown(news)

    def look(order):
        pictures["\n".join(seen(shown)).partition("event ")[2][:6]] = order

    simulation("adapter_per_task", "multitask_full", story=story).run(Watched(look), watch)
    rows = [r for r in console.file.getvalue().splitlines() if r.startswith("Day ")]
    assert rows == [f"Day {e.day:g}: {e.headline}" for e in story]
    assert {"1 of 5", "2 of 5", "3 of 5", "5 of 5"} <= pictures.keys()


def test_a_currency_on_the_screen_is_no_markup():
    known = SoFar("story", HORIZON, price, order_of, "[b]X[/b]", clock=Clock())
    assert any("cost so far, [b]X[/b]" in row for row in seen(screen(known, width=100)))


def test_a_long_job_says_now_and_then_how_far_it_is():
    clock = Clock()
    console = Console(file=io.StringIO(), width=80)
    lines = Lines(console, SoFar("story", HORIZON, price, order_of, clock=clock))
    steps = life(STRATEGIES.get("adapter_per_task")(), STORY[:1])
    order = next(order_of("it", 13, 0.0, job) for job in steps[0].plan.jobs if steps[0].plan.built)
    lines(Unfolded(tuple(steps), (order,)))
    lines(Started(order))
    for done in range(60):
        clock.now += 1
        lines(Progress(order, "train", done, 60))
    assert console.file.getvalue().count(": train ") == 3


def test_what_an_event_means_in_words():
    fusion = life(STRATEGIES.get("adapter_fusion")(), STORY[:2])[1]
    assert [fate.sign for fate in fates(fusion)] == ["+", "+", "+", "="]
    assert meaning(fusion) == "+ adapter/sentiment; + fusion/intent; + fusion/sentiment; 1 kept"
    again = life(STRATEGIES.get("adapter_per_task")(), [*STORY[:2], STORY[8]])[-1]
    assert meaning(again) == "2 kept"


class Terminal(io.StringIO):
    """A file that is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("said", "height", "expected"),
    [
        ({"TERM": "xterm"}, 24, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, 24, True),
        ({"TERM": "dumb"}, 24, False),
        ({"TERM": "xterm", "CI": "true"}, 24, False),
        ({"TERM": "xterm"}, 8, False),
    ],
)
def test_only_a_terminal_that_somebody_watches_is_redrawn(monkeypatch, said, height, expected):
    monkeypatch.delenv("CI", raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert can_redraw(Console(file=Terminal(), width=80, height=height)) is expected
    assert not can_redraw(Console(file=io.StringIO(), width=80, height=height, force_terminal=True))


def test_where_rows_are_short_no_strategy_stands_without_what_it_means():
    meanings = [Meaning(Text(x), tuple(Text(f"  + {x}{i}") for i in range(4)), Text(f"{x} +4")) for x in "abc"]

    def shown(rows):
        return [str(text) for text in within(meanings, rows)]

    assert len(shown(15)) == 15 and shown(0) == [] == shown(-3)
    assert shown(11) == [*shown(15)[:10], "c +4"]
    assert shown(5) == ["a", "  + a0", "  and 3 changes more", "b +4", "c +4"]
    assert shown(3) == ["a +4", "b +4", "c +4"] and shown(2) == ["a +4", "  and 2 strategies more"]


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_the_columns_shown_add_up_to_the_total_at_every_width(width):
    costs = {"compute": 128.0, "storage": 64.0, "serving": 12864.0, "revalidation": 32.0, "labelling": 512.0}
    known = SoFar("story", HORIZON, price, order_of, "EUR")
    known.standings = (Standing("multitask_continue", 120.0, costs, frozenset(), (0.5,) * 12, False),)
    console = screen(known, width).console
    console.print(Screen(console, known)._strategies(width, 4))
    head, row = console.file.getvalue().splitlines()
    day, *amounts, total, points, _curve = row.split()[1:]
    assert day == "120" and points == "50.0" and "other" in head
    assert sum(float(amount.replace(",", "")) for amount in amounts) == float(total.replace(",", "")) == 13600


def test_a_component_that_cannot_be_had_is_no_0_on_the_screen():
    standing = Standing("it", 4.0, {"compute": 2.0}, frozenset({"compute", "serving"}), (), False)
    screen = Screen(Console(file=io.StringIO()), None)
    row = [str(cell) for cell in screen._row(standing, ["compute", "serving"], False)]
    assert row[2:5] == ["≥2.00", "n/a", "≥2.00"]
