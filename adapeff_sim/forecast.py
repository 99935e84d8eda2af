"""What every event would cost: once, and from then on every month; from a ledger that was priced up to it.

records up to a step, standing for a month -> cost rows;  the step's own = those less the rows of the step before
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Literal

from adapeff_sim.costs.base import CostRow, Terms, price_ledger
from adapeff_sim.costs.prices import MONTH_DAYS, Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Provenance, Row, weakest
from adapeff_sim.ledger.records import DeploymentRecord, Record

Sign = Literal["+", "~", "-", ""]
Key = tuple[str, str]  # component and item
ROUNDING = 1e-9  # of an amount: what is left of two equal ones
OF_SLOT = ("train", "validate", "train and validate")
REST = {
    "compute": "re-validate: compute",
    "revalidation": "re-validate: people",
    "labelling": "label rows",
    "serving": "answer requests",
    "storage": "keep the rest",
}


class Money(Row):
    """An amount and how sure it is; with something unavailable in it a lower bound, None where nothing is known."""

    amount: float | None
    provenance: Provenance
    is_lower_bound: bool = False


class Line(Row):
    """What one artifact, or a kind of cost, comes to at an event: once, and more or less every month."""

    sign: Sign
    what: str
    once: Money
    monthly: Money


class Turn(Row):
    """What one event means for one strategy in one life."""

    label: str
    seed: int
    step: int
    day: float
    place: int
    event: str
    lines: tuple[Line, ...]
    once: Money
    monthly: Money


def forecast(ledger: Ledger, prices: Prices, terms: Terms, labels: Iterable[str]) -> tuple[Turn, ...]:
    """Every step up to the horizon, strategy by strategy."""
    order = list(labels)
    records = sorted(ledger.records, key=lambda r: (order.index(r.label), r.seed, r.step))
    turns: list[Turn] = []
    for _, life in groupby(records, key=lambda r: (r.label, r.seed)):
        turns += _life(list(life), prices, terms)
    return tuple(turns)


def _life(records: list[Record], prices: Prices, terms: Terms) -> Iterator[Turn]:
    """The turns of one life."""
    last = {r.day: r.step for r in records}  # only what stands at the end of a day is rolled out
    seen: list[Record] = []
    due: Counter[CostRow] = Counter()
    rates: Mapping[Key, Money] = {}
    for _, group in groupby(records, key=lambda r: r.step):
        here = list(group)
        seen += here
        stands = next(r for r in here if isinstance(r, DeploymentRecord))
        if stands.day > terms.horizon_days:
            return
        until = stands.day + MONTH_DAYS
        rows = price_ledger(Ledger(tuple(seen)), prices, terms.model_copy(update={"horizon_days": until}))
        is_passing = last[stands.day] != stands.step
        paid = Counter(r for r in rows if r.until <= r.day and not (is_passing and _is_rollout_on(r, stands.day)))
        now = _rates(row for row in rows if row.until >= until)
        yield _turn(stands, list((paid - due).elements()), rates, now)
        due, rates = paid, now


def _is_rollout_on(row: CostRow, day: float) -> bool:
    """Whether a sum that falls due at once is for rolling out or loading on a day."""
    return row.component == "serving" and row.day == day


def _rates(rows: Iterable[CostRow]) -> Mapping[Key, Money]:
    """What each item costs a month while it stands."""
    found: dict[Key, list[Money]] = defaultdict(list)
    for row in rows:
        amount = None if row.amount is None else row.amount * MONTH_DAYS / (row.until - row.day)
        found[row.component, row.item].append(Money(amount=amount, provenance=row.provenance))
    return {key: total(monies) for key, monies in found.items()}


def _turn(stands: DeploymentRecord, due: list[CostRow], before: Mapping[Key, Money], now: Mapping[Key, Money]) -> Turn:
    """The lines of one step: an artifact each, then what is left by component."""
    change = {key: less(now.get(key), before.get(key)) for key in {**before, **now}}
    signs: list[tuple[Sign, tuple[str, ...]]] = [("+", stands.created), ("~", stands.rebuilt), ("-", stands.retired)]
    lines: list[Line] = []
    for sign, slots in signs:
        for slot in slots:
            mine = [row for row in due if row.item in {f"{verb} {slot}" for verb in OF_SLOT}]
            moved = [key for key in change if key[0] == "storage" and slot in key[1].split()]
            lines.append(Line(sign=sign, what=slot, once=_sum(mine), monthly=total(change.pop(key) for key in moved)))
            due = [row for row in due if row not in mine]
    for component in dict.fromkeys([*(row.component for row in due), *(key[0] for key in sorted(change))]):
        rows = [row for row in due if row.component == component]
        monthly = total(money for key, money in change.items() if key[0] == component)
        line = Line(sign="", what=REST.get(component, component), once=_sum(rows), monthly=monthly)
        if line.once != NOTHING or line.monthly.amount != 0:
            lines.append(line)
    return Turn(
        label=stands.label,
        seed=stands.seed,
        step=stands.step,
        day=stands.day,
        place=stands.place,
        event=stands.event,
        lines=tuple(lines),
        once=total(line.once for line in lines),
        monthly=total(line.monthly for line in lines),
    )


NOTHING = Money(amount=0.0, provenance="estimated")  # a forecast measures nothing, not even that nothing is due


def total(monies: Iterable[Money]) -> Money:
    """Several amounts together; nothing costs nothing."""
    found = [money for money in monies if money != NOTHING]
    if not found:
        return NOTHING
    known = [money for money in found if money.amount is not None]
    if not known:
        return Money(amount=None, provenance="unavailable")
    is_low = len(known) < len(found) or any(money.is_lower_bound for money in known)
    amounts = [money.amount or 0.0 for money in known]
    amount = math.fsum(amounts)
    if abs(amount) <= ROUNDING * math.fsum(map(abs, amounts)):
        amount = 0.0
    return Money(amount=amount, provenance=weakest(m.provenance for m in known), is_lower_bound=is_low)


def _sum(rows: Iterable[CostRow]) -> Money:
    return total(Money(amount=row.amount, provenance=row.provenance) for row in rows)


def less(now: Money | None, before: Money | None) -> Money:
    """How much more a month is; what was not known before or is not now has no difference."""
    after, first = now or NOTHING, before or NOTHING
    if after.amount is None or first.amount is None:
        return Money(amount=None, provenance="unavailable")
    less = after.amount - first.amount
    if abs(less) <= ROUNDING * max(abs(after.amount), abs(first.amount)):
        less = 0.0
    sure = [money.provenance for money in (after, first) if money != NOTHING]
    return Money(amount=less, provenance=weakest(sure)) if sure else NOTHING
