"""What each tier of tests may take, in minutes on two cores; the table in docs/design.md says the same."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

KEEP = "ADAPEFF_KEEP_BUDGETS"  # where it is set, a tier over its budget fails the tests


class Tier(NamedTuple):
    """Folders of tests that share a budget."""

    name: str
    folders: tuple[str, ...]
    minutes: float


TIERS = (
    Tier("unit, contract and architecture", ("tests/unit/", "tests/contract/", "tests/architecture/"), 0.5),
    Tier("corpus", ("tests/corpus/",), 1),
    Tier("training", ("tests/training/",), 4),
    Tier("end_to_end", ("tests/end_to_end/",), 12),
)


def taken(seconds: Iterable[tuple[str, float]], processes: int) -> dict[str, float]:
    """Minutes of each tier that ran, from the seconds of each test; processes share them evenly."""
    found: dict[str, float] = {}
    for test, took in seconds:
        for tier in TIERS:
            if test.startswith(tier.folders):
                found[tier.name] = found.get(tier.name, 0.0) + took / 60 / processes
    return found


def told(minutes: Mapping[str, float]) -> list[tuple[str, bool]]:
    """A line for each tier that ran, and whether it kept to its budget."""
    ran = [tier for tier in TIERS if tier.name in minutes]
    return [
        (f"{tier.name}: {minutes[tier.name]:.1f} of {tier.minutes:g} minutes", minutes[tier.name] <= tier.minutes)
        for tier in ran
    ]


def summarise(reporter: Any, processes: int) -> bool:
    """Write the lines under what the tests came to; whether all tiers kept to their budgets."""
    reports = [r for found in reporter.stats.values() for r in found if hasattr(r, "duration") and hasattr(r, "nodeid")]
    lines = told(taken(((r.nodeid, r.duration) for r in reports), processes))
    for line, is_kept in lines:
        reporter.write_line(line if is_kept else f"{line}: OVER BUDGET", green=is_kept, red=not is_kept)
    return all(is_kept for _, is_kept in lines)


def are_kept() -> bool:
    """Whether a tier over its budget is a failure."""
    return os.environ.get(KEEP, "") not in ("", "0")
