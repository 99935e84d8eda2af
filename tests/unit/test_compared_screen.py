"""Sheets on the screen: whatever the width, nothing is cut, and what is alike in every row is said once."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from adapeff_sim.cli.compare import compare as at_the_command_line
from adapeff_sim.comparison.winners import Cell as Won
from adapeff_sim.comparison.winners import Sweep
from adapeff_sim.errors import ScenarioError
from adapeff_sim.noise import tie_said
from adapeff_sim.python_api import compare
from adapeff_sim.reports.compared import break_evens, headline, notes, sheets_of, tornado
from adapeff_sim.reports.compared_screen import screen, shown
from adapeff_sim.reports.sheets import Cell, Sheet, text
from adapeff_sim.reports.winners import sheets_of as cells_of
from adapeff_sim.reports.wording import best_said

LABELS = ("adapter_per_task", "adapter_fusion", "multitask_full", "multitask_continue", "full_per_task")
NOTE = "the cheapest in total within the quality floor; ≈ who is dearer by 1 % or less"
FIRST = (text(100_000), text("adapter_per_task ≈ full_per_task", "best"))
WIDE = Sheet(
    "cells",
    "story: total by the horizon",
    ("updates_per_year", "traffic", "cheapest", *LABELS, "currency"),
    tuple((text(u), *FIRST, *(Cell(f"1,{u},00", u) for _ in LABELS), text("EUR")) for u in (111, 222)),
    NOTE,
)


def said(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for each in shown(WIDE, width):
        console.print(each)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_nothing_is_cut(width):
    seen = said(width)
    assert max(map(cell_len, seen.splitlines())) <= width
    assert seen.count("1,111,00") == seen.count("1,222,00") == len(LABELS)
    words = " ".join(seen.split())
    assert "currency: EUR; the cheapest in total" in words and "traffic: 100000" in words
    assert words.endswith("by 1 % or less") and words.count("EUR") == 1
    pieces = {piece for label in LABELS for piece in label.split("_")}
    assert pieces <= set(seen.replace("_", " ").split())


@pytest.fixture(scope="module")
def one_seed():
    return compare(["demo:new_language"])


def test_with_one_seed_nobody_speaks_of_noise_and_legends_tell_what_is_there(one_seed):
    sheets = {sheet.name: sheet for _, sheet in sheets_of(one_seed, ["total"])}
    assert sheets["side_by_side"].note == "* estimated or assumed, in part or as a whole"
    for name in ("break_even", "sensitivity"):
        assert "on cost alone" in sheets[name].title and "all strategies take part" in sheets[name].note
    (run,) = one_seed.runs
    alone = run.model_copy(update={"note": "", "left_out": ("adapter_fusion",)})
    assert break_evens(alone).note.startswith("without adapter_fusion: below the quality floor")
    assert tornado(alone.model_copy(update={"left_out": ()})).note.startswith("the input that flips")
    assert run.is_tied and headline(run).endswith("are 6.00 USD apart, within 1 %.")
    assert "On cost alone, whatever they score: a tie" in headline(run)
    told = " ".join([*notes(one_seed), *(f"{s.title} {s.note}" for s in sheets.values())])
    assert "noise" not in told and "bootstrap" not in told and "≥" not in told


def test_a_tie_over_several_seeds_says_by_which_half_of_the_rule():
    assert tie_said(1.0, 100.0) == "within 1 %" and tie_said(3.0, 100.0) == "within the noise over the seeds"
    assert best_said(1) == "✓ cheapest, or dearer by 1 % or less" and "noise over the seeds" in best_said(2)
    assert best_said(5, has_ties=False) == "✓ cheapest"


def test_the_map_explains_the_signs_that_stand_on_it():
    plain = {"run": "r", "totals": {"a": 1.0}, "unavailable": (), "currency": "EUR", "sentence": "s"}

    def said(**cell) -> str:
        full = plain | {"at": {"traffic": 1}, "cheapest": "a", "tied": (), "below": (), "seeds": 1} | cell
        (sheet,) = cells_of(Sweep(scenario="story", keys={"traffic": (1,)}, cells=(Won.model_validate(full),)))
        return sheet.note

    bare = "the cheapest in total within the quality floor"
    assert said() == f"{bare}; totals by the horizon"
    assert said(tied=("b",)) == f"{bare}; ≈ who is dearer by 1 % or less; totals by the horizon"
    assert "or within the noise over the seeds; totals by the horizon, mean over seeds" in said(tied=("b",), seeds=3)
    assert said(cheapest=None, below=("a",)).endswith(
        "nobody can be called so; totals by the horizon, - below the quality floor"
    )


@pytest.mark.parametrize("width", [80, 100, 140])
def test_names_are_broken_no_more_than_it_takes(one_seed, width):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for part in screen(one_seed, ["total"], width):
        console.print(part)
    seen = console.file.getvalue().splitlines()
    assert max(map(cell_len, seen)) <= width
    assert any(row.split()[:1] == ["storage.ancestor_gib_month"] for row in seen), "there is room for it"
    assert seen[next(i for i, row in enumerate(seen) if row.startswith("Break-even")) - 1].strip() == ""


def test_what_does_not_fit_stands_below_with_the_names_of_its_rows():
    assert said(200).count("≈") == 2 + 1  # twice in the table, once in the note
    assert said(60).count("≈") == 3 * 2 + 1 and said(60).count("story: total by the horizon") == 1
    assert "updates_per_year  cheapest" in said(200)


def test_every_side_is_looked_at_before_the_first_is_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("adapeff_sim.cli.compare._run", lambda *_: pytest.fail("trained, though the other is none"))
    with pytest.raises(ScenarioError, match="No scenario 'nowhere'"):
        at_the_command_line(["smoke", "nowhere"], store=str(tmp_path), seeds=None)
