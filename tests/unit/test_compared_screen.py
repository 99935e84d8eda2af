"""Sheets on the screen: whatever the width, nothing is cut, and what is alike in every row is said once."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from adapeff_sim.reports.compared_screen import shown
from adapeff_sim.reports.sheets import Cell, Sheet, text

LABELS = ("adapter_per_task", "adapter_fusion", "multitask_full", "multitask_continue", "full_per_task")
NOTE = "the cheapest in total within the quality floor; ≈ who is no dearer within the noise"
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
    assert words.endswith("within the noise") and words.count("EUR") == 1
    pieces = {piece for label in LABELS for piece in label.split("_")}
    assert pieces <= set(seen.replace("_", " ").split())


def test_what_does_not_fit_stands_below_with_the_names_of_its_rows():
    assert said(200).count("≈") == 2 + 1  # twice in the table, once in the note
    assert said(60).count("≈") == 3 * 2 + 1 and said(60).count("story: total by the horizon") == 1
    assert "updates_per_year  cheapest" in said(200)
