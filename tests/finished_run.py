"""Finished runs for reports: hand-made folders, with names as they should be and with names that mean harm."""

from collections.abc import Sequence
from pathlib import Path

from hand_made import answer, build, fetch, kept, prices, probe, scored, stands

from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.costs.prices import Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import DeploymentRecord, Record, ServingRecord
from adapeff_sim.projection.target import Target
from adapeff_sim.results import EventMark, Facts, Projection, Results, results_of, write
from adapeff_sim.run_folder import RunFolder

SCRIPT = "</script><script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>"
HOSTILE = (
    f"{SCRIPT}\" ' & <b>bold</b> $(x) ${{x}} {{{{x}}}}",
    "\x1b[2J\x1b[31mred\u202eback\n| *a* [b](c) `d` |",
    "__proto__",
    "x" * 10_000,
    "x" * 9_999 + "y",
    "",
)
LAUNCH, LATER = "launch mini:v1", "new_language sw"


def life(label: str, seed: int, place: int, event: str = LATER, endpoint: str = "a/sw") -> list[Record]:
    """The later in the list, the dearer to train and the cheaper to keep; a second endpoint comes on day 40."""
    at = {"label": label, "seed": seed}
    later = {**at, "step": 1, "day": 40.0}
    usage = {"train_seconds": 100.0 * (place + 1) + seed, "train_flops": 1e12 * (place + 1)}
    usage |= {"nominal_train_flops": 2e12, "validate_seconds": 5.0, "validate_flops": 1e10}
    evaluated = {"evaluate_seconds": 10.0, "evaluate_flops": 1e11}
    size = 6.0 / (place + 1)
    return [
        fetch(usage={"labelled_examples": 20.0 + place}, **at),
        build(usage=usage, **at),
        probe(**at),
        probe(0.25, "slow", **at),
        scored(0.9 - place / 200, usage=evaluated, **at),
        stands(kept(gib=size), answer(500_000.0 + place), event=LAUNCH, created=("adapter/a",), **at),
        build(usage=usage, because=("train:dataset/sw",), converged=place % 2 == 0, **later),
        scored(0.88 - place / 200, usage=evaluated, **later),
        scored(0.8, endpoint=endpoint, usage=evaluated, **later),
        stands(
            kept(gib=size + 0.1, fingerprint="second"),
            answer(500_000.0 + place),
            answer(90_000.0, "other", "slow", endpoint),
            event=event,
            rebuilt=("adapter/a",),
            **later,
        ),
    ]


def told_by(
    labels: Sequence[str], seeds: Sequence[int] = (1, 2), book: Prices | None = None, traffic: float = 1.0, **names: str
) -> tuple[Results, Ledger]:
    """What strategies of these labels came to: they train dearer and store cheaper, the later in the list."""
    book = book or prices(labelling={"example": 0.01, "held_out_example": 0.02})
    records = [r for i, x in enumerate(labels) for s in seeds for r in life(x, s, i, **names)]
    ledger = Ledger(tuple(busier(r, traffic) for r in records))
    facts = Facts(
        name="story",
        description=names.get("event", "A story."),
        labels=tuple(labels),
        seeds=tuple(seeds),
        terms=Terms(horizon_days=100.0, utilisation=0.5),
        quality_floor=2.0,
        events=(EventMark(day=0.0, text=LAUNCH), EventMark(day=40.0, text=names.get("event", LATER))),
    )
    return results_of(facts, ledger, book, price_ledger(ledger, book, facts.terms), {"device": "cpu x"}), ledger


def carried(found: Results) -> Results:
    """The same results with a projection beside them, whose every amount is three times that of the run."""
    target = Target(
        base_model="large",
        encoder={},
        examples_per_endpoint=50_000,
        device="gpu",
        train_flops_per_second=1e6,
        answer_flops_per_second=1e5,
        rates_from="assumed",
    )
    tripled = [c.model_copy(update={"amounts": tuple(3 * x for x in c.amounts)}) for c in found.curves]
    totals = [t.model_copy(update={"mean": 3 * t.mean}) for t in found.totals]
    rows = [r.model_copy(update={"provenance": "estimated"}) for r in found.rows]
    own = Projection(
        target=target, epochs=(), totals=tuple(totals), days=found.days, curves=tuple(tripled), rows=tuple(rows)
    )
    return found.model_copy(update={"projection": own})


def unprobed(found: Results, ledger: Ledger, label: str) -> tuple[Results, Ledger]:
    """What it came to where nobody timed a request to one strategy: its serving, and so its total, is not known."""
    rest = Ledger(tuple(r for r in ledger.records if not (isinstance(r, ServingRecord) and r.label == label)))
    rows = price_ledger(rest, found.prices, found.facts.terms)
    return results_of(found.facts, rest, found.prices, rows, found.environment), rest


def unscored(found: Results) -> Results:
    """The same results without any score."""
    return found.model_copy(update={"quality": tuple(p.model_copy(update={"score": None}) for p in found.quality)})


def busier(record: Record, traffic: float) -> Record:
    """The same record with so many times the requests."""
    if not isinstance(record, DeploymentRecord):
        return record
    answered = tuple(a.model_copy(update={"requests_per_day": a.requests_per_day * traffic}) for a in record.answered)
    return record.model_copy(update={"answered": answered})


def folder_with(folder: Path, found: Results, ledger: Ledger, scenario: str = "name: story\n") -> Path:
    """The files of the run that came to this."""
    run = RunFolder(folder)
    begun = run.begin(scenario, {})
    run.write_ledger(ledger)
    write(found, folder)
    run.end(begun)
    return folder
