"""Which name is meant by one that is not there, and how that is said."""

from pathlib import Path

import pytest

import adapeff_sim
from adapeff_sim.near_names import choices, near, nearest, suggestion

KNOWN = ("adapter_fusion", "adapter_per_task", "full_per_task", "smoke")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("adapter_fusoin", "adapter_fusion"),
        ("SMOKE", "smoke"),  # in capitals
        ("full", "full_per_task"),  # begun
        ("f", ""),
        ("", ""),
        ("x" * 10_000, ""),
        (None, ""),
    ],
)
def test_the_nearest_name_is_meant(name, meant):
    assert nearest(name, KNOWN) == meant


def test_what_is_near_is_told_and_where_nothing_is_all_there_are():
    assert suggestion("smok", KNOWN) == "did you mean 'smoke'?"
    assert suggestion("zzz", KNOWN, "shipped", most=2) == "shipped: adapter_fusion, adapter_per_task and 2 more"
    assert suggestion("zzz", ()) == "known: none"
    assert choices("smok", KNOWN[3:], other="give a file") == "did you mean 'smoke'? Known: smoke; or give a file"
    assert choices("zzz", KNOWN[3:], before="demo:") == "known: demo:smoke"
    assert near("adapter", KNOWN, most=3) == ["adapter_fusion", "adapter_per_task"]


def test_there_is_one_such_rule():
    files = sorted(Path(adapeff_sim.__file__).parent.rglob("*.py"))
    imports = [
        file.name
        for file in files
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.split()[:2] in (["import", "difflib"], ["from", "difflib"])
    ]
    assert imports == ["near_names.py"]
