"""What a reader sees of results: all of it, at every width, and nothing that a name could smuggle in."""

import io
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hand_made import answer, build, kept, prices, probe, scored, stands
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.console import Console

from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.reports.base import REPORTERS
from adapeff_sim.reports.breakdown import component_table
from adapeff_sim.reports.curves import COLOURS, HEIGHT, curves, hidden, mean_curve, picture, ticks
from adapeff_sim.reports.tables import costs, events, provenance, quality
from adapeff_sim.reports.wording import duration, flops, folded, line, money, percent, plain, points, sparkline
from adapeff_sim.results import EventMark, Facts, Results, results_of

HOSTILE = "[bold red]x[/]\x1b[2J\u202e\nevil"
LABELS = ("adapter_per_task", "adapter_fusion_with_a_very_long_label_indeed", HOSTILE, "d", "e", "f")


def life(label: str, seed: int, seconds: float) -> list:
    who = {"label": label, "seed": seed}
    answered = (kept(), answer(1000.0), answer(10.0, endpoint="sentiment/sw"))
    return [
        build(usage={"train_seconds": seconds}, converged=False, **who),
        probe(**who),
        scored(0.9 - seconds / 10_000, **who),
        scored(None, endpoint="sentiment/sw", **who),
        stands(*answered, created=("adapter/a",), event="launch mini:v1", **who),
        build(usage={}, day=5.0, step=1, because=("train:dataset/a",), **who),
        stands(*answered, rebuilt=("adapter/a",), event=f"dataset_refresh {HOSTILE}", day=5.0, step=1, **who),
    ]


def results(*labels: str, seeds: tuple[int, ...] = (13, 14), book: Prices | None = None) -> Results:
    book = book or prices()
    events = (EventMark(day=0.0, text="launch mini:v1"), EventMark(day=5.0, text="dataset_refresh"))
    facts = Facts(
        name="story",
        description=HOSTILE,
        labels=labels,
        seeds=seeds,
        terms=Terms(horizon_days=10.0),
        quality_floor=2.0,
        events=events,
    )
    records = [r for i, x in enumerate(labels) for s in seeds for r in life(x, s, 100.0 * (i + 1) + s)]
    ledger = Ledger(tuple(records))
    return results_of(facts, ledger, book, price_ledger(ledger, book, facts.terms), {})


def shown(found: Results, width: int, reporter: str = "terminal", **how: object) -> str:
    console = Console(file=io.StringIO(), width=width, **how)
    REPORTERS.get(reporter)(found, Path("runs/my story"), console)
    return console.file.getvalue()


def test_how_sure_costs_are_is_said_in_the_same_words_at_every_width():
    found = results("adapter_per_task", "multitask_continue", seeds=(13,))
    rows = [
        row.model_copy(update={"provenance": "assumed" if i % 2 else "measured"}) for i, row in enumerate(found.rows)
    ]
    found = found.model_copy(update={"rows": tuple(rows)})
    for width in range(40, 121, 2):
        for made in costs(found, width):
            said = [str(cell).replace("\n", "") for cell in made.columns[0].cells]
            assert said == ["adapter_per_taskpartly assumed", "multitask_continuepartly assumed"]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_nothing_is_cut_and_no_line_is_too_long(width):
    found = results(*LABELS)
    text = shown(found, width)
    assert max(cell_len(row) for row in text.splitlines()) <= width
    assert "…" not in text
    flat = "".join(text.split())
    for label in LABELS:
        assert "".join(plain(label).split()) in flat
    for row in found.totals:
        assert money(row.mean) in text
    for sentence in found.verdict.sentences:
        assert "".join(plain(sentence).split()) in flat
    assert "adapeff-sim report 'runs/my story'" in text


def test_a_hostile_name_is_shown_as_it_is_written_and_does_nothing():
    text = shown(results(*LABELS), 120, force_terminal=True, color_system=None)
    assert "[bold red]x[/]" in text
    assert not set(text) & {"\x1b", "\u202e", "\r", "\b"}


def test_colour_only_where_it_is_wanted():
    found = results("one", "two")
    assert "\x1b[" in shown(found, 80, force_terminal=True, color_system="256")
    bare = shown(found, 80, force_terminal=True, color_system="256", no_color=True)
    assert "38;5" not in bare
    assert "● one  × two" in bare


def test_gaps_and_cut_trainings_are_told():
    text = shown(results("one", "two"), 100)
    assert "≥" in text
    assert "unavailable" in text
    assert "Not converged: 4 trainings" in text
    assert "one, seed 13, day 0: adapter/a" in text


def test_a_table_marks_the_cheapest_and_quality_below_the_floor():
    found = results("one", "two", "three", "four")
    text = shown(found, 120)
    below = {b.label for b in found.verdict.below if b.points is not None}
    assert below == {"four"}
    assert "85.9-" in text or "86.0-" in text
    cheapest = next(c for c in found.verdict.comparisons if c.component == "storage")
    assert cheapest.cheapest is not None
    assert "✓ cheapest" in text and "* estimated or assumed" not in text
    guessed = tuple(r.model_copy(update={"shares": {"assumed": 1.0}}) for r in found.totals)
    marked = shown(found.model_copy(update={"totals": guessed}), 120)
    assert "* estimated or assumed" in " ".join(marked.split()) and "*✓" in marked


def test_one_seed_has_no_spread():
    assert "±" not in shown(results("one", "two", seeds=(13,)), 80)
    assert "±" in shown(results("one", "two"), 80)


def test_every_component_has_a_picture_of_its_own():
    found = results("one", "two")
    names = dict.fromkeys(c.component for c in found.curves)
    text = "\n".join(part.plain for part in curves(found, 80, has_colour=False))
    assert all(f"{name}, EUR" in text for name in names)
    for width in (60, 100):
        rows = picture(found, "serving", width, has_colour=False).plain.split("\n")
        assert len(rows) == HEIGHT
        assert {cell_len(row) for row in rows} == {width}


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("has_colour", [True, False])
def test_the_key_of_the_curves_breaks_between_its_entries(width, has_colour):
    found = results("adapter_per_task", "adapter_fusion", "multitask_full", "multitask_continue", "full_per_task")
    *_, key = curves(found, width, has_colour)
    rows = key.plain.split("\n")
    assert max(map(cell_len, rows)) <= width
    sign = "━━" if has_colour else "◇"
    assert sum(f"{sign} multitask_continue" in row for row in rows) == 1


def test_the_axes_are_named_and_the_curve_ends_below_the_highest_tick():
    rows = picture(results("one"), "compute", 80, has_colour=False).plain.split("\n")
    assert rows[0].strip() == "compute, EUR" and rows[-1].strip() == "day"
    assert rows[2].partition("┤")[0].strip() == money(ticks(max(mean_curve(results("one"), "one", "compute")))[-1])


def test_the_quality_of_five_strategies_fits_beside_each_other():
    labels = ("adapter_per_task", "adapter_fusion", "multitask_full", "multitask_continue", "full_per_task")
    found = results(*labels, seeds=(13,))
    scores = tuple(point.model_copy(update={"score": point.score or 0.5}) for point in found.quality)
    (made,) = quality(found.model_copy(update={"quality": scores}), 80)
    console = Console(file=io.StringIO(), width=80)
    console.print(made)
    text = console.file.getvalue()
    assert "- marks more than 2 below the best" in " ".join(text.split())
    assert max(map(cell_len, text.splitlines())) <= 80 and "multitask_   multitask_" in text


def test_what_is_reused_is_told_apart_from_what_every_run_counts():
    found = results("one")
    rows = tuple(r.model_copy(update={"provenance": "reused"}) if r.component == "compute" else r for r in found.rows)
    console = Console(file=io.StringIO(), width=100)
    for told in (found, found.model_copy(update={"rows": rows})):
        console.print(provenance(told))
    before, after = console.file.getvalue().split("Where")[1:]
    assert "counted anew" not in before and "counted anew" in " ".join(after.split())
    (compute,) = [row.split() for row in after.splitlines() if row.startswith(" compute")]
    assert compute == ["compute", "–", "100", "%", "–", "–", "1", "item"]


def test_a_curve_is_the_mean_of_its_seeds():
    found = results("one")
    by_seed = [c.amounts for c in found.curves if c.component == "compute"]
    assert mean_curve(found, "one", "compute") == [sum(pair) / 2 for pair in zip(*by_seed, strict=True)]


def test_a_currency_is_no_markup():
    odd = prices().model_copy(update={"currency": "[b]X[/b]"})  # no book says so, a results file may
    text = shown(results("one", "two", book=odd), 100)
    assert "Cost in [b]X[/b]" in text
    assert "Compute in [b]X[/b]" in text


def rows_of(found: Results, component: str, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(component_table(found, component))
    return console.file.getvalue()


def test_what_a_target_makes_of_busy_hours_is_said_below_them():
    found = results("one")
    terms = found.facts.terms.model_copy(update={"p95_ms": 30.0})
    targeted = found.model_copy(update={"facts": found.facts.model_copy(update={"terms": terms})})
    said = "includes slower first requests after idling"
    assert said in " ".join(rows_of(targeted, "serving").split())
    assert said not in " ".join((rows_of(found, "serving") + rows_of(targeted, "storage")).split())


def test_every_component_has_a_table_of_its_own():
    text = shown(results("one", "two"), 80)
    for title in ("Compute in EUR", "Storage in EUR", "Serving in EUR"):
        assert title in text
    serving = rows_of(results("one", "two"), "serving")
    assert "busy" in serving and "idle" in serving
    assert "0.281" in serving and "239.72" in serving


def test_the_table_of_compute_has_its_phases_and_both_kinds_of_flops():
    usage = {
        "train_seconds": 100.0,
        "validate_seconds": 50.0,
        "train_flops": 4e12,
        "nominal_train_flops": 3.25e12,
    }
    facts = Facts(name="x", labels=("it",), seeds=(1,), terms=Terms(horizon_days=10.0), quality_floor=2.0)
    ledger = Ledger((build(usage=usage), scored(), probe(), stands(kept(), answer(), created=("adapter/a",))))
    found = results_of(facts, ledger, prices(), price_ledger(ledger, prices(), facts.terms), {})
    lines = rows_of(found, "compute").splitlines()
    head, row, below = lines[2].split("  "), lines[4].split(), lines[5].split()
    assert [h.strip() for h in head if h.strip()] == [
        "train",
        "validate",
        "re-validate",
        "all",
        "FLOPs, 6ND",
    ]
    assert row == ["it", "1.00", "0.5", "0.1", "1.60", "4", "T"]
    assert below == ["measured", "0.0278", "0.0139", "0.00278", "0.0444", "3.25", "T"]


def test_the_widest_table_fits_and_breaks_no_head():
    book = prices(compute={"per": "kwh", "watts": 300.0})
    usage = {"train_seconds": 1e4, "validate_seconds": 50.0, "train_flops": 4e15, "nominal_train_flops": 3e15}
    records = (build(usage={**usage, "energy_joules": 3e6}), build("adapter/b", usage), scored(), stands(kept()))
    label = "multitask_full_continued_with_a_long_label"
    ledger = Ledger(tuple(r.model_copy(update={"label": label}) for r in records))
    facts = Facts(name="x", labels=(label,), seeds=(1,), terms=Terms(horizon_days=10.0), quality_floor=2.0)
    found = results_of(facts, ledger, book, price_ledger(ledger, book, facts.terms), {})
    text = rows_of(found, "compute")
    assert max(map(cell_len, text.splitlines())) <= 80
    for whole in ("train,", "validate", "re-validate", "all", "FLOPs,", "6ND", "60.18", "0.000833", "8 P", "6 P"):
        assert whole in text


def test_parts_add_up_to_their_component():
    found = results("one", "two")
    for row in found.totals:
        if row.component != "total":
            parts = [r.amount or 0.0 for r in found.rows if (r.label, r.component) == (row.label, row.component)]
            assert sum(parts) / 2 == pytest.approx(row.mean)
            assert money(row.mean) in rows_of(found, row.component)


def test_two_events_of_a_day_with_the_same_words_have_a_row_each():
    who = {"label": "it", "seed": 13, "day": 5.0, "event": "dataset_refresh intent"}
    standing = (kept(), answer())
    first = stands(*standing, label="it", seed=13, event="launch")
    ledger = Ledger((first, *(stands(*standing, step=i + 1, place=i, rebuilt=("a",) * (i + 1), **who) for i in (0, 1))))
    facts = Facts(name="x", labels=("it",), seeds=(13,), terms=Terms(horizon_days=10.0), quality_floor=2.0)
    found = results_of(facts, ledger, prices(), price_ledger(ledger, prices(), facts.terms), {})
    (made,) = events(found, 80)
    assert made.row_count == 3


def test_json_is_the_results():
    found = results(*LABELS)
    assert Results.model_validate_json(shown(found, 20, "json")) == found


@given(st.floats(1e-9, 1e12))
def test_ticks_are_few_and_within_the_axis(top):
    found = ticks(top)
    assert found[0] == 0
    assert found[-2] < top * (1 + 1e-9) and top * (1 - 1e-9) <= found[-1] <= 1.51 * top
    assert 3 <= len(found) <= 6


def test_no_cost_has_one_tick():
    assert ticks(0.0) == [0.0]


def test_foreign_text_stays_on_one_line_without_control_characters():
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    for start in range(0, len(every), 4096):
        text = "".join(every[start : start + 4096])
        shown = line(text).plain
        assert all(c.isprintable() or c in "\xa0\u3000" or not c.isspace() for c in shown)
        assert "\n" not in shown
        assert "\x1b" not in plain(text)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (money(1234567.8), "1,234,568"),
        (money(12.345, "EUR"), "12.35 EUR"),
        (money(0.012345), "0.0123"),
        (money(None), "unavailable"),
        (money(0.0), "0"),
        (money(1e300, "EUR"), "1e+300 EUR"),
        (duration(42.4), "0:42"),
        (duration(3661), "1:01:01"),
        (duration(0.2), "<1 s"),
        (duration(None), "unknown"),
        (points(0.8134), "81.3"),
        (points(float("nan")), "–"),
        (flops(0), "0"),
        (flops(999.0), "999"),
        (flops(1.25e15), "1.25 P"),
        (flops(5e26), "500,000 Z"),
        (percent(0.002), "<1 %"),
        (percent(0.999), ">99 %"),
        (percent(1.0), "100 %"),
        (sparkline([0.0, 0.5, 1.0], 0.0, 1.0), "▁▅█"),
        (sparkline([0.5], 0.5, 0.5), "▁"),
        (folded("adapter_per_task", 12).plain, "adapter_per_\ntask"),
        (folded("short", 12).plain, "short"),
    ],
)
def test_numbers_are_said_so(said, expected):
    assert said == expected


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255)])
def test_every_colour_of_a_curve_stands_out_from_black_and_from_white(background):
    def light(parts: Iterable[int]) -> float:  # relative luminance, as WCAG 2 defines it
        linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in (part / 255 for part in parts)]
        return sum(weight * x for weight, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for number in COLOURS:
        lights = sorted((light(Color.from_ansi(number).get_truecolor()), light(background)))
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 3


def test_curves_that_lie_on_each_other_are_named():
    found = results("one", "two", "three", seeds=(13,))
    assert list(hidden(found)) == ["On each other in storage, serving, total: all strategies."]
