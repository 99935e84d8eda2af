"""How numbers and foreign text are said on a screen: units, and no control characters."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from adapeff_sim.ledger.outcome import NOT_MEASURED, Provenance, weakest
from adapeff_sim.noise import rule_said

PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z")
TOO_LONG = 1e12  # beyond, a number in full would push its column past the screen
BARS = "▁▂▃▄▅▆▇█"
BEST = "✓"  # behind an amount: nobody is cheaper
STAR_SAID = "* estimated or assumed, in part or as a whole"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def best_said(seeds: int, has_ties: bool = True) -> str:
    """What stands behind the cheapest, and, where there are any, behind those that tie with it."""
    return f"{BEST} cheapest{f', or dearer {rule_said(seeds)}' if has_ties else ''}"


def plain(text: object) -> str:
    """Text as it may be shown: control characters, which could move a cursor or hide a word, are gone."""
    return _CONTROL.sub("", str(text).replace("\t", " "))


def line(text: object, style: str = "") -> Text:
    """Foreign text on one line; Rich takes nothing in it for markup."""
    return Text(" ".join(plain(text).split()), style=style, overflow="fold")


def brief(text: object, most: int = 400) -> str:
    """Foreign text of at most so many characters; what is cut off is counted."""
    said = " ".join(plain(text).split())
    return said if len(said) <= most else f"{said[:most]}… ({len(said) - most:,} more characters)"


def money(amount: float | None, currency: str = "") -> str:
    """An amount with as many digits as tell something; None says that it is not known."""
    if amount is None:
        return "unavailable"
    size = abs(amount)
    text = f"{amount:,.0f}" if size >= 1000 else f"{amount:,.2f}" if size >= 1 else f"{amount:.3g}"
    text = f"{amount:.3g}" if size >= TOO_LONG else text
    return f"{text} {currency}" if currency else text


def quantity(number: float) -> str:
    """How much of something, with three digits that count: ``0.0123``, ``12.3``, ``1,234``."""
    return f"{number:,.0f}" if 100 <= abs(number) < TOO_LONG else f"{number:.3g}"


def flops(number: float) -> str:
    """Floating-point operations with a decimal prefix: ``12.3 T``, ``1.23 P``."""
    steps = min(len(PREFIXES) - 1, max(0, int(math.log10(number) // 3))) if number > 0 else 0
    return f"{quantity(number / 1000**steps)} {PREFIXES[steps]}".rstrip()


def size(count: float) -> str:
    """Bytes with a binary prefix: ``512 B``, ``1.23 MiB``."""
    steps = min(4, max(0, int(math.log2(count) // 10))) if count >= 1 else 0
    return f"{quantity(count / 1024**steps)} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[steps]}"


def duration(seconds: float | None) -> str:
    """Seconds as a clock shows them: ``0:42``, ``12:05``, ``3:04:10``; None says that it is not known."""
    if seconds is None:
        return "unknown"
    if 0 < seconds < 0.5:
        return "<1 s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def roughly(seconds: float) -> float:
    """An estimate in steps that it can answer for: whole seconds, tens of them from a minute on, then minutes."""
    step = 60 if seconds >= 600 else 10 if seconds >= 60 else 1
    return step * float(round(seconds / step))


def points(score: float | None) -> str:
    """A score (0 to 1) in points: ``81.3``; a dash where there is none."""
    return "–" if score is None or score != score else f"{100 * score:.1f}"


def percent(share: float) -> str:
    """A share (0 to 1) in whole percents; what is there is never 0 %, and what is missing never 100 %."""
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{100 * share:.0f} %"


def surety(found: Iterable[Provenance | None]) -> str:
    """How sure the numbers of one row are: in a word where they are alike, else the weakest of them, in part."""
    known = list(found)
    told = {how for how in known if how is not None}
    if len(told) < len(set(known)):
        return "not told"
    return "" if not told else weakest(told) if len(told) == 1 else f"partly {weakest(told)}"


def star(found: Iterable[Provenance | None]) -> str:
    """What stands behind a figure that is, in part or as a whole, estimated or assumed."""
    return "*" if any(how in NOT_MEASURED for how in found) else ""


def nothing_trained(environment: Mapping[str, object]) -> str:
    """What stands at the top of a run that was only estimated; empty for one that was trained."""
    if environment.get("executor") != "estimate":
        return ""
    return "Estimated: nothing was trained or scored. What all amounts rest on is told below, and in results.json."


def named(name: object, sure: str) -> Text:
    """The name of a row, and under it how sure its numbers are."""
    return line(name).append(f"\n{sure}" if sure else "", "dim")


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 job``, ``2 jobs``, ``3 strategies``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def folded(name: object, width: int) -> Text:
    """A name broken after underscores, hyphens, slashes and spaces into lines of at most ``width``, where it can be."""
    rows = [""]
    for part in re.findall(r".+?(?:[_ /-]+|$)", line(name).plain):
        if rows[-1] and len(rows[-1]) + len(part.rstrip()) > width:
            rows.append("")
        rows[-1] += part
    return Text("\n".join(row.rstrip(" ") for row in rows), overflow="fold")


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """One bar for each value between ``low`` and ``high``."""
    span = (high - low) or 1.0
    return "".join(BARS[min(len(BARS) - 1, max(0, int((v - low) / span * len(BARS))))] for v in values)
