"""Lesson 5: with little traffic, replicas that wait are the bill."""

from typing import Literal

from adapeff_sim.costs.base import CostRow
from adapeff_sim.costs.serving import PoolRow, pool_rows
from adapeff_sim.ledger.outcome import Provenance, weakest
from adapeff_sim.lessons.base import LESSONS, Evidence, Figure, Finding, Lesson, LessonError
from adapeff_sim.lessons.evidence import per_cent

LABELS = ("adapter_per_task", "multitask_full", "full_per_task")
PAID_FOR = ("compute", "storage", "busy", "idle", "labelling")  # in the order of the choices
MOSTLY = 0.9


@LESSONS.register
class IdleReplicas(Lesson):
    """Three strategies with a few requests a day, each with replicas that run all the year."""

    number = 5
    title = "Idle replicas decide serving"
    seconds = 40
    question = (
        "Two tasks with 2,000 requests a day each, answered by rented GPU instances for a year. Training, storage and "
        "labelling are paid too. Where does most of the money go?"
    )
    choices = (
        "training and validating",
        "storage",
        "replicas while they answer",
        "replicas while they wait",
        "labelling",
    )
    why = (
        "A replica is billed by the hour, whether it answers or not, and a model that is in service has at least one. "
        "A few thousand requests a day keep it busy for seconds.",
        "What then decides is how many models stand: adapters share one base model, a multi-task model is one, and a "
        "model for each task is as many as there are tasks. That adapters answer a little more slowly does not "
        "matter here.",
        "It is the sharing that saves, not the adapter. Where models may share replicas (placement: packed), the "
        "difference is gone. With far more traffic (for so small a model a million times as much) replicas are busy, "
        "their number follows from the work, and how models share them hardly matters. That an adapter's request is a "
        "little slower shows only where hundreds of replicas stand.",
    )
    read_on = (
        "docs/how_costs_are_counted.md, 'Serving'",
        "adapeff-sim price runs/idle_replicas --traffic x1000000",
    )

    def look(self, run: Evidence) -> Finding:
        """Money by what it went to, replicas at the end, how busy they are, and how many there would be if shared."""
        money = [_money(run, label) for label in LABELS]
        waits = tuple(paid["idle"] / sum(paid.values()) for paid in money)
        own, packed = (_at_the_end(run, placement) for placement in ("dedicated", "packed"))
        most = {max(PAID_FOR, key=lambda name: paid[name]) for paid in money}
        replicas = _replicas(own)
        adapters, shared, single = (int(number or 0) for number in replicas)  # 0: not known, since one at least stands
        currency = run.results.prices.currency
        return Finding(
            columns=LABELS,
            figures=(
                *(
                    _figure(f"{name}, {currency}", "money", tuple(paid[name] for paid in money), _sure(run, name))
                    for name in PAID_FOR
                ),
                _figure("waiting, as a share of all", "share", waits, _sure(run, *PAID_FOR)),
                _figure("replicas at the end", "count", replicas, _sure(run, "idle")),
                _figure("busy, as a share of their time", "share", _busy(own), _sure(run, "busy")),
                _figure("replicas, if models may share them", "count", _replicas(packed), _sure(run, "idle")),
            ),
            claim=(
                f"At least {per_cent(min(waits))} of all the money goes to replicas that wait, and a model for each "
                f"task has {single} of them where the others have {adapters}."
            ),
            holds=min(waits) > MOSTLY and single > adapters == shared > 0,
            choice=PAID_FOR.index(most.pop()) if len(most) == 1 else None,
        )


def _money(run: Evidence, label: str) -> dict[str, float]:
    """What was paid for what, serving told apart by what replicas did. Raises LessonError where that is not known."""
    found = dict.fromkeys(PAID_FOR, 0.0)
    for row in run.results.rows:
        name = _paid_for(row)
        if row.label == label and name in found:
            if row.amount is None:
                raise LessonError(f"{row.component} of {label} is unavailable in this run: {row.item}.")
            found[name] += row.amount
    if not sum(found.values()):
        raise LessonError(f"this run has no costs of {label}; run the lesson again with --again.")
    return found


def _paid_for(row: CostRow) -> str:
    """A component, or of serving what replicas did."""
    return row.item.partition(" ")[0] if row.component == "serving" else row.component


Pools = list[list[PoolRow]]  # of every label


def _at_the_end(run: Evidence, placement: Literal["dedicated", "packed"]) -> Pools:
    """The sets of replicas that stand at the horizon, if models are placed so; nothing is run for it."""
    results = run.results
    terms = results.facts.terms.model_copy(update={"placement": placement})
    standing = [p for p in pool_rows(run.ledger, results.prices, terms) if p.until == terms.horizon_days]
    return [[p for p in standing if p.label == label] for label in LABELS]


def _replicas(found: Pools) -> tuple[float | None, ...]:
    """How many there are; None where that cannot be said."""
    return tuple(
        float(sum(p.replicas or 0 for p in pools)) if all(p.replicas for p in pools) else None for pools in found
    )


def _busy(found: Pools) -> tuple[float | None, ...]:
    """How busy the busiest of them are."""
    return tuple(max((p.busy_share for p in pools if p.busy_share is not None), default=None) for pools in found)


def _sure(run: Evidence, *paid_for: str) -> Provenance:
    """What may be said of what was paid for these."""
    return weakest(row.provenance for row in run.results.rows if _paid_for(row) in paid_for)


def _figure(
    what: str, unit: Literal["money", "share", "count"], amounts: tuple[float | None, ...], sure: Provenance
) -> Figure:
    return Figure(what=what, unit=unit, amounts=amounts, provenance=sure)
