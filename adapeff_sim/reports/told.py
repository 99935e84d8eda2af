"""A finished run as files tell it: its results and its ledger, with every foreign name fit to be shown.

A name may come from anybody: no control characters, no line breaks, and none so long that it pushes all else away.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapeff_sim.costs.accrual import accruals, components
from adapeff_sim.ledger.history import final_scores, sure_of_scores
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.planning.unfold import Step
from adapeff_sim.reports.wording import plain
from adapeff_sim.results import Results
from adapeff_sim.verdict import Case, judge

LABEL, TEXT, SCENARIO = 40, 400, 100_000  # characters
NAMELESS = "(no name)"


@dataclass(frozen=True, slots=True)
class Told:
    """One run: ``steps`` are empty, and ``no_steps`` says why, where the scenario's lives cannot be told again."""

    results: Results
    ledger: Ledger
    folder: str
    digests: Mapping[str, str]  # what of the run -> its digest, or its name
    steps: tuple[Step, ...] = ()
    no_steps: str = ""
    scenario: str = ""  # its text


def tamed(told: Told) -> Told:
    """The same run with names that can be shown anywhere, judged again by today's rules."""
    names = told.results.facts.labels
    short = {name: _short(name, LABEL) for name in names}
    for name in names:  # two that look the same stay two
        if list(short.values()).count(short[name]) > 1:
            short[name] = f"{short[name][: LABEL - 9]} {_mark(name)}"

    @functools.cache  # the same few names stand in every record
    def said(text: str) -> str:
        return short[text] if text in short else _short(text, TEXT)

    results = Results.model_validate(_walked(told.results.model_dump(mode="json"), said))
    ledger = Ledger(tuple(type(r).model_validate(_walked(r.model_dump(), said)) for r in told.ledger.records))
    steps = tuple(replace(step, label=said(step.label)) for step in told.steps)
    digests = {said(name): said(digest) for name, digest in told.digests.items()}
    return Told(
        _judged(results, ledger),
        ledger,
        told.folder,
        digests,
        steps,
        _short(told.no_steps, TEXT),
        plain(told.scenario)[:SCENARIO],
    )


def _walked(value: Any, said: Callable[[str], str]) -> Any:
    """A JSON value, as a model dumps it, with every text, keys too, said otherwise."""
    if isinstance(value, str):
        return said(value)
    if isinstance(value, dict):
        return {said(key) if isinstance(key, str) else key: _walked(part, said) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(part, said) for part in value]
    return value


def _short(text: str, most: int) -> str:
    """One line of at most ``most`` characters; what was longer says so, and stays apart from what began alike."""
    line = " ".join(plain(text).split()) or (NAMELESS if most == LABEL else "")
    return line if len(line) <= most else f"{line[: most - 10]}… {_mark(text)}"


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _judged(results: Results, ledger: Ledger) -> Results:
    """The results with the verdict that this version gives."""
    facts = results.facts
    case = Case(
        labels=facts.labels,
        seeds=facts.seeds,
        components=components(results.rows),
        horizon_days=facts.terms.horizon_days,
        currency=results.prices.currency,
        quality_floor=facts.quality_floor,
        accruals=accruals(results.rows),
        scores=final_scores(ledger, results.quality, facts.labels, facts.seeds, facts.terms.horizon_days),
        scored=sure_of_scores(results.quality),
    )
    return results.model_copy(update={"verdict": judge(case)})


def tame_text(text: str) -> str:
    """A foreign text, fit to be shown."""
    return _short(text, TEXT)
