"""Runs beside each other as plain sheets: the same for the screen, for the page and for CSV."""

import math
from collections.abc import Iterator, Sequence

from adapeff_sim.comparison.break_even import FURTHEST
from adapeff_sim.comparison.compared import Amounts, Compared, RunCompared
from adapeff_sim.comparison.crossovers import Crossover
from adapeff_sim.comparison.differences import QUALITY, Between, Difference
from adapeff_sim.comparison.intervals import ONE_SEED, Interval
from adapeff_sim.comparison.lines import Flip
from adapeff_sim.comparison.sensitivity import REACH, Effect, Sensitivity
from adapeff_sim.costs.accrual import TOTAL
from adapeff_sim.noise import tie_said
from adapeff_sim.reports.sheets import NOTHING, Cell, Sheet, text
from adapeff_sim.reports.wording import STAR_SAID, TOO_LONG, money, plural, quantity, star

EXACT_NEVER = "at no factor"


def interval_said(interval: Interval) -> str:
    """``[-3.20, -1.10]``, or why there is none."""
    if interval.low is None or interval.high is None:
        return interval.why
    return f"[{digits(interval, interval.low)}, {digits(interval, interval.high)}]"


def digits(interval: Interval, amount: float) -> str:
    """An amount with as many digits as tell the ends of its interval apart."""
    width = 0.0 if interval.low is None or interval.high is None else interval.high - interval.low
    if width <= 0 or abs(amount) >= TOO_LONG or width < 1e-9:
        return money(amount)
    return f"{amount:,.{max(0, 1 - math.floor(math.log10(width)))}f}"


def amounts(compared: Compared, component: str) -> Sheet:
    """What one component came to in every run, strategy by strategy: mean over seeds, and its interval."""
    labels = list(dict.fromkeys(label for run in compared.runs for label in run.labels))
    found = {(run.name, a.label): a for run in compared.runs for a in run.amounts if a.component == component}
    heads = ("strategy", *(f"{run.name}, {run.currency}" for run in compared.runs))
    rows = tuple((text(x), *(_amount(found.get((run.name, x))) for run in compared.runs)) for x in labels)
    told = [a for a in found.values() if a.interval is not None]
    notes = {
        "mean over seeds, and its 95 % bootstrap interval": any(a.interval and not a.interval.why for a in told),
        "≥ a lower bound, as some amounts are unavailable": any(a.unavailable for a in told),
        STAR_SAID: any(star([a.provenance]) for a in told),
    }
    note = "; ".join(said for said, applies in notes.items() if applies)
    return Sheet("side_by_side", f"{component.capitalize()} by the horizon", heads, rows, note)


def _amount(found: Amounts | None) -> Cell:
    if found is None:
        return Cell(NOTHING)
    if found.interval is None:
        return Cell("unavailable", None, "missing")  # none of it could be had, which is not 0
    low, mark = "≥ " if found.unavailable else "", star([found.provenance])
    mean = f"{low}{digits(found.interval, found.interval.mean)}{mark}"
    sure = "" if found.interval.why == ONE_SEED else f" {interval_said(found.interval)}"  # said once below, of the run
    return Cell(f"{mean}{sure}", found.interval.mean)


def pairs(run: RunCompared, component: str) -> Sheet:
    """Every pair of strategies in one component: the paired difference, and since when one stays cheaper."""
    crossed = {frozenset((c.first, c.second)): c for c in run.crossovers if c.component == component}
    rows = tuple(
        (*_pair(d), _crossed(crossed.get(frozenset((d.one, d.other))), component == QUALITY))
        for d in run.differences
        if d.component == component
    )
    unit = "points" if component == QUALITY else run.currency
    what = "Quality" if component == QUALITY else f"{component.capitalize()} by day {run.horizon_days:g}"
    seeds = f"paired over {len(run.seeds)} seeds" if len(run.seeds) > 1 else "under one seed"
    title = f"{what}: the first less the second, in {unit}, {seeds}"
    heads = ("first", "second", "difference", "95 % interval", "which one stays cheaper, since which day")
    return Sheet(f"pairs_{component}", title, heads, rows)


def _pair(d: Difference) -> tuple[Cell, ...]:
    if d.interval is None:
        return text(d.one), text(d.other), Cell("unavailable", None, "missing"), text(d.why)
    mark = "best" if d.interval.is_clear else ""
    return (
        text(d.one),
        text(d.other),
        Cell(digits(d.interval, d.interval.mean), d.interval.mean),
        _interval(d.interval, mark),
    )


def _interval(interval: Interval, mark: str = "") -> Cell:
    return text(interval_said(interval), mark)


def _crossed(found: Crossover | None, is_quality: bool) -> Cell:
    if found is None:
        return Cell(NOTHING if is_quality else "none: equal, or unavailable")
    return text(f"{found.first}: {crossover_said(found)}")


def crossover_said(found: Crossover) -> str:
    """``from the start``, ``day 83 [60, 110]``, ``day 83, one seed: no interval``; how many seeds never get there."""
    if found.from_start:
        return "from the start"
    if found.why and found.median is not None and found.never == 0:
        return f"day {found.median:.4g}"
    median = "not by the horizon" if found.median is None else f"day {found.median:.4g}"
    ends = [NOTHING if end is None else f"{end:.4g}" for end in (found.low, found.high)]
    ends = ["never" if end == NOTHING else end for end in ends]
    never = f", dearer under {plural(found.never, 'seed')} of {len(found.by_seed)}" if found.never else ""
    return f"{median}{'' if found.why else f' [{ends[0]}, {ends[1]}]'}{never}"


def break_evens(run: RunCompared) -> Sheet:
    """At which price, and at how many tasks, languages and updates, another strategy is the cheapest in total."""
    rows = [
        (text(p.key), Cell(money(p.price), p.price), *(_price_flip(flip, p.price) for flip in (p.below, p.above)))
        for p in run.prices
    ]
    for c in run.counts:
        if c.now is None:
            rows.append((text(c.what), Cell("unavailable", None, "missing"), text(c.why), text("")))
        else:
            low, high = c.tried or (0.0, math.inf)
            below = _count_flip(c.below, "or fewer", f"down to {low:g}") if c.now > low else Cell(NOTHING)
            rows.append(
                (text(c.what), Cell(f"{c.now:.3g}", c.now), below, _count_flip(c.above, "or more", f"up to {high:g}"))
            )
    note = f"{_who(run)}prices are exact"
    if any(c.now is not None for c in run.counts):
        note += "; numbers of tasks, languages and updates are estimated: one more is taken to cost what those of the "
        note += f"run did on average, on their days; looked at up to {FURTHEST} times as many"
    tie = f", though it ties with {run.second}" if run.is_tied else ""
    title = f"Break-even, on cost alone: where {run.first} stops being the cheapest in total{tie}"
    return Sheet("break_even", title, ("what", "now", "below", "above"), tuple(rows), note)


def _who(run: RunCompared) -> str:
    """Who takes part in what is told of cost alone, where that is not simply everybody."""
    if run.note:
        return "all strategies take part, whatever they score; "
    out = ", ".join(run.left_out)
    return f"without {out}: below the quality floor, or without a known total; " if out else ""


def _count_flip(flip: Flip | None, side: str, looked: str) -> Cell:
    if flip is None:
        return Cell(f"not within reach ({looked})")
    return Cell(f"{quantity(flip.at)} {side}: {flip.cheapest}", flip.at)


def _price_flip(flip: Flip | None, price: float) -> Cell:
    if flip is None:
        return Cell(NOTHING)
    return Cell(f"{money(price * flip.at)} (x {quantity(flip.at)}): {flip.cheapest}", price * flip.at)


def tornado(run: RunCompared) -> Sheet:
    """Every input halved and doubled: what is left of the lead, and the factor at which another leads."""
    rows = tuple(
        (text(s.what), Cell(f"{s.value:.4g}", s.value), _effect(s.halved, run), _effect(s.doubled, run), _flips(s))
        for s in run.sensitivity
    )
    tie = ": a tie" if run.is_tied else ""
    lead = "" if run.lead is None else f" ({money(run.lead, run.currency)}{tie})"
    title = f"What the verdict hangs on, on cost alone: the lead of {run.first} over {run.second}{lead}"
    heads = ("input", "now", "lead at half", "lead at double", "another is cheapest at")
    note = f"{_who(run)}the input that flips the lead first is on top"
    if any(s.doubled.factor < 2 for s in run.sensitivity):
        note += "; a share that cannot be doubled is raised as far as it goes"
    return Sheet("sensitivity", title, heads, rows, note)


def _effect(effect: Effect, run: RunCompared) -> Cell:
    if effect.lead is None:
        return Cell("unavailable", None, "missing")
    other = f", {effect.cheapest}" if effect.cheapest != run.first else ""
    return Cell(f"{money(effect.lead)}{other}", effect.lead, "below" if other else "")


def _flips(s: Sensitivity) -> Cell:
    if s.flip is None:
        return Cell(EXACT_NEVER if s.exact else tried_said(s))
    return Cell(f"x {quantity(s.flip.at)}: {s.flip.cheapest}", s.flip.at)


def tried_said(s: Sensitivity) -> str:
    """Between which factors none flips the lead: ``at none from 1/32 to 1.43``."""
    low, high = s.tried or (2.0**-REACH, 2.0**REACH)
    return f"at none from 1/{1 / low:g} to {quantity(high)}"


def across(found: Between, currency: str, components: Sequence[str]) -> Sheet:
    """One run less another, strategy by strategy."""
    rows = tuple(
        (text(d.one), text(d.component), *_pair(d)[2:]) for d in found.differences if d.component in components
    )
    several = f"paired over {len(found.seeds)} seeds" if len(found.seeds) > 1 else "under one seed"
    how = several if found.seeds else "not paired: no seed is common"
    title = f"{found.one} less {found.other}, in {currency} (quality in points), {how}"
    note = f"common: {', '.join(found.common) or 'nothing'}; not common: {', '.join(found.apart) or 'nothing'}"
    note += f"; no differences: {found.refused}" if found.refused else ""
    heads = ("strategy", "component", "difference", "95 % interval")
    return Sheet("between", title, heads, rows, note)


def headline(run: RunCompared) -> str:
    """What the verdict says of the total, and whether it is a tie; one among all, whatever they score, is said last."""
    said = next((s for s in run.sentences if s.startswith("Total by day ")), run.sentences[0] if run.sentences else "")
    if not run.is_tied or run.lead is None:
        return said
    second = next(a for a in run.amounts if (a.label, a.component) == (run.second, TOTAL))
    rule = tie_said(run.lead, second.interval.mean if second.interval else 0.0)
    apart = f"{money(run.lead, run.currency)} apart, {rule}" if run.lead else "not apart at all"
    tie = f"{run.first} and {run.second} are {apart}."
    return f"{said} On cost alone, whatever they score: a tie, {tie}" if run.note else f"A tie: {tie} {said}"


def components_of(run: RunCompared) -> tuple[str, ...]:
    """Every component of a run, the total first, quality last."""
    names = dict.fromkeys(a.component for a in run.amounts)
    return (TOTAL, *(name for name in names if name != TOTAL), QUALITY)


def sheets_of(compared: Compared, components: Sequence[str]) -> Iterator[tuple[RunCompared | None, Sheet]]:
    """Every sheet, with the run that it is of; ``components`` says which ones are told."""
    for component in components:
        if component != QUALITY:
            yield None, amounts(compared, component)
    for run in compared.runs:
        yield from ((run, pairs(run, c)) for c in components if c in components_of(run))
        if run.first:
            yield run, break_evens(run)
            yield run, tornado(run)
    for found in compared.between:
        if not found.differences:
            continue  # a head without rows; the notes say why
        currency = next(run.currency for run in compared.runs if run.name == found.one)
        yield None, across(found, currency, (*components, QUALITY))


def notes(compared: Compared) -> list[str]:
    """How far the intervals can be trusted."""
    said = [f"{run.name}: one seed, no interval." for run in compared.runs if len(run.seeds) == 1]
    said += [
        f"{found.one} less {found.other}: no differences: {found.refused or 'no strategy is in both'}."
        for found in compared.between
        if not found.differences
    ]
    if compared.has_few_seeds:
        said.append(
            "With fewer than six seeds a bootstrap interval is no wider than what the seeds show, and likely too "
            "narrow; the verdict's own rule is Student's t."
        )
    if any(len(run.seeds) > 1 for run in compared.runs):
        said.append(
            f"Intervals: {100 * compared.level:g} %, bootstrap of {compared.resamples:,} draws of seeds (BCa; of "
            f"medians percentiles), random_state {compared.random_state}."
        )
    return said
