"""At which price, and at how many tasks, languages and updates, another strategy becomes the cheapest in total.

Totals are straight lines in every price, so that its break-even is exact. One more event of a kind is taken to cost as
much as those of the run did on average; that is an estimate, and says so.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, Field

from adapeff_sim.comparison.lines import ROUNDING, Flip, Line, flips
from adapeff_sim.comparison.side import Contest, Side
from adapeff_sim.costs.accrual import TOTAL, Accrual, accruals
from adapeff_sim.costs.prices import Amount, Prices
from adapeff_sim.ledger.outcome import Row
from adapeff_sim.ledger.records import DeploymentRecord

YEAR_DAYS = 365.25
FURTHEST = 32  # times as many as the run has; beyond that its average event says nothing any more
KINDS = {  # of event, and what there is more of with one more of it
    "base_model_update": "base-model updates a year",
    "dataset_refresh": "data refreshes a year",
    "task_arrival": "tasks",
    "new_language": "languages",
}


class PriceBreakEven(Row):
    """One price of the book as a factor of what it is now: ``below`` and ``above`` 1 where another one is cheapest."""

    key: str  # as price --set takes it
    price: float
    below: Flip | None = None
    above: Flip | None = None


class CountBreakEven(Row):
    """How many of something there are in the run, and at how many another strategy would be cheapest: an estimate.

    ``each`` is what one more costs a strategy by the horizon, at the days at which those of the run came; its one-time
    costs, and what it adds to storage and serving from then on. Flips are at whole numbers, the nearest at which the
    other one is the cheapest; they are looked for from the first to the second of ``tried``.
    """

    what: str
    event: str
    now: float | None = None
    tried: tuple[float, float] | None = None  # None where it is unavailable, and in comparisons of earlier versions
    each: dict[str, float] = Field(default_factory=dict)
    below: Flip | None = None
    above: Flip | None = None
    why: str = ""  # why it is unavailable


def price_keys(book: Prices) -> dict[str, float]:
    """Every price above 0 that a book has, as ``section.key``."""
    found: dict[str, float] = {}
    for section in Prices.model_fields:
        part = getattr(book, section)
        if isinstance(part, BaseModel):
            hints = get_type_hints(type(part), include_extras=True)
            named = {key: getattr(part, key) for key, hint in hints.items() if Amount in (hint, *get_args(hint))}
            found |= {f"{section}.{key}": value for key, value in named.items() if value}
    return found


def with_price(book: Prices, key: str, price: float) -> Prices:
    """The book with one other price."""
    section, _, name = key.partition(".")
    values: dict[str, Any] = book.model_dump()
    values[section][name] = price
    return Prices.model_validate(values)


def price_lines(side: Side, contest: Contest) -> dict[str, dict[str, Line]]:
    """For each price the line of every strategy over its factor: the total without that price, and what it adds."""
    results = side.results
    found = {}
    for key in price_keys(results.prices):
        free = side.priced(with_price(results.prices, key, 0.0), results.facts.terms)
        found[key] = {x: Line(amount, amount - free[x]) for x, amount in contest.amounts.items()}
    return found


def price_break_evens(
    side: Side, contest: Contest, lines: Mapping[str, Mapping[str, Line]]
) -> tuple[PriceBreakEven, ...]:
    """For each price of the book, how many times it another strategy becomes the cheapest."""
    known = price_keys(side.results.prices)
    return tuple(
        PriceBreakEven(key=key, price=known[key], below=below, above=above)
        for key, of in lines.items()
        for below, above in [flips(of, contest.first, 1.0)]
    )


def count_break_evens(side: Side, contest: Contest) -> tuple[CountBreakEven, ...]:
    """For tasks, languages, base-model updates and data refreshes, how many would make another one the cheapest."""
    return tuple(_counted(side, contest, kind, what) for kind, what in KINDS.items())


def _counted(side: Side, contest: Contest, kind: str, what: str) -> CountBreakEven:
    lives = _lives(side)
    each: dict[str, float] = {}
    for label in contest.amounts:
        found = [amount for life in lives if life[0] == label for amount in _marginal(side, life, lives[life], kind)]
        if not found:
            came = any(kind in words for days in lives.values() for words in days.values())
            why = "such events came only together with others" if came else f"the run had no {kind}"
            return CountBreakEven(what=what, event=kind, why=why)
        each[label] = statistics.fmean(found)
    counts = [sum(words.count(kind) for words in days.values()) for days in lives.values()]
    now, per_event = _now(side, kind, statistics.fmean(counts))
    lines = {x: Line(contest.amounts[x], each[x] * per_event) for x in each}
    tried = float(is_of_the_product(kind)), math.floor(FURTHEST * now)
    below, above = _whole(*flips(lines, contest.first, now), tried)
    return CountBreakEven(what=what, event=kind, now=now, tried=tried, each=each, below=below, above=above)


def is_of_the_product(kind: str) -> bool:
    """Whether there is at least one of what comes with such an event: no product is without a task or a language."""
    return not KINDS[kind].endswith("a year")


def _whole(below: Flip | None, above: Flip | None, tried: tuple[float, float]) -> tuple[Flip | None, Flip | None]:
    """The nearest whole numbers beyond two flips, at which the other one is cheaper; None outside of what is tried."""
    if below is not None:
        below = below.model_copy(update={"at": math.ceil(below.at * (1 - ROUNDING)) - 1.0})
    if above is not None:
        above = above.model_copy(update={"at": math.floor(above.at * (1 + ROUNDING)) + 1.0})
    return (
        None if below is None or below.at < tried[0] else below,
        None if above is None or above.at > tried[1] else above,
    )


Life = tuple[str, int]  # label and seed
Days = dict[float, list[str]]  # day -> the kinds of its events


def _lives(side: Side) -> dict[Life, Days]:
    """For each life, what happened on which day; a second look at one event is no second event."""
    seen: dict[Life, dict[float, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for record in side.ledger.of(DeploymentRecord):
        if record.day <= side.results.facts.terms.horizon_days:
            seen[record.label, record.seed][record.day][record.place] = record.event.partition(" ")[0]
    return {life: {day: [*of.values()] for day, of in days.items()} for life, days in seen.items()}


def _marginal(side: Side, life: Life, days: Days, kind: str) -> Iterator[float]:
    """What each event of a kind cost one life by the horizon; days on which other kinds came too are left out."""
    horizon = side.results.facts.terms.horizon_days
    grown = _accrual(side, life)
    for day, kinds in days.items():
        if set(kinds) == {kind}:
            due = sum(amount for on, amount in grown.due if on == day)
            more = _rate(grown, day, after=True) - _rate(grown, day, after=False)
            yield (due + more * (horizon - day)) / len(kinds)


def _accrual(side: Side, life: Life) -> Accrual:
    rows = [row for row in side.results.rows if (row.label, row.seed) == life]
    return accruals(rows).get((*life, TOTAL), Accrual())


def _rate(grown: Accrual, day: float, after: bool) -> float:
    """Money a day just after, or just before, a day."""
    spans = (s for s in grown.accruing if (s[0] <= day < s[1] if after else s[0] < day <= s[1]))
    return sum(amount / (until - since) for since, until, amount in spans)


def _now(side: Side, kind: str, events: float) -> tuple[float, float]:
    """How many there are in the run, and how many events one more of them stands for."""
    years = side.results.facts.terms.horizon_days / YEAR_DAYS
    if not is_of_the_product(kind):
        return events / years, years
    place = 0 if kind == "task_arrival" else 1
    answered: Counter[tuple[Life, str]] = Counter()
    for record in side.ledger.of(DeploymentRecord):
        for a in record.answered:
            answered[(record.label, record.seed), a.endpoint.partition("/")[2 * place]] += 1
    lives = {life for life, _ in answered}
    return len(answered) / max(1, len(lives)), 1.0
