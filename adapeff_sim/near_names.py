"""What is meant by a name that is not there: the one rule by which every message suggests another."""

import difflib
from collections.abc import Iterable

ALIKE = 0.6  # of two names, at least: the ratio of difflib, which is 1 for equal ones
BEGUN = 3  # characters that tell how a name goes on
LONGEST = 120  # characters that are looked at
LISTED = 40  # names


def near(name: object, known: Iterable[str], most: int = 1, alike: float = ALIKE) -> list[str]:
    """The known names that are most like one that is not there, in capitals or not, then those that begin so."""
    wanted, names = str(name)[:LONGEST].casefold(), {each.casefold(): each for each in sorted(known)}
    found = difflib.get_close_matches(wanted, names, n=most, cutoff=alike)
    begun = [each for each in names if len(wanted) >= BEGUN and each.startswith(wanted)]
    return [names[each] for each in dict.fromkeys([*found, *begun])][:most]


def nearest(name: object, known: Iterable[str]) -> str:
    """The name that is meant; empty where none is like it."""
    return next(iter(near(name, known)), "")


def suggestion(name: object, known: Iterable[str], what: str = "known", most: int = LISTED, before: str = "") -> str:
    """What would do instead of an unknown name: ``did you mean 'x'?``, or where no name is like it all there are.

    ``before`` is written in front of each name.
    """
    names = sorted(known)
    meant = nearest(name, names)
    return f"did you mean {before + meant!r}?" if meant else f"{what}: {_listed(names, most, before)}"


def choices(
    name: object, known: Iterable[str], what: str = "known", most: int = LISTED, before: str = "", other: str = ""
) -> str:
    """The name that is likely meant, and all there are, where they are few; ``other`` is what would do as well."""
    names = sorted(known)
    meant, listed = nearest(name, names), f"{what}: {_listed(names, most, before)}"
    told = f"did you mean {before + meant!r}? {listed[0].upper()}{listed[1:]}" if meant else listed
    return f"{told}; or {other}" if other else told


def _listed(names: list[str], most: int, before: str) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(before + each for each in names[:most]) or "none") + more
