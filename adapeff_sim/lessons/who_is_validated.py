"""Lesson 6: a new task moves endpoints that nobody asked to change, or not."""

from collections.abc import Callable

from adapeff_sim.ledger.outcome import weakest
from adapeff_sim.ledger.upkeep import UpkeepRow
from adapeff_sim.lessons.base import LESSONS, Evidence, Figure, Finding, Lesson, Unit
from adapeff_sim.lessons.evidence import upkeep_of

LABELS = ("adapter_per_task", "adapter_fusion", "multitask_full", "full_per_task")
ANSWERS = (set[str](), {"multitask_full"}, {"adapter_fusion", "multitask_full"}, set(LABELS))  # to the choices


@LESSONS.register
class WhoIsValidated(Lesson):
    """A task arrives beside endpoints that are in service already."""

    number = 6
    title = "Who must be re-validated"
    seconds = 60
    question = (
        "A product answers intent in English and German. A second task, sentiment, arrives in English. Under which "
        "strategies do the old endpoints answer differently from now on, so that they must be validated again?"
    )
    choices = (
        "under none of them",
        "under the multi-task model alone",
        "under the multi-task model and AdapterFusion",
        "under all of them",
    )
    why = (
        "An adapter of its own, or a model of its own, is a new file beside the old ones. What answers the old "
        "endpoints is the same to the last bit, and nobody need look at it again.",
        "A multi-task model is trained again for the new task, and with it moves every endpoint that it answers. So "
        "does fusion: where an adapter answered alone, a fusion over both adapters now answers, and fusions that were "
        "there already take the new adapter in.",
        "Validating again is cheap as compute and dear as process: test rows, people who look, a rollout that may have "
        "to be taken back. It grows with the number of endpoints, at every event.",
    )
    read_on = (
        "adapeff-sim plan teaching/who_is_validated",
        "runs/who_is_validated/upkeep.csv",
        "docs/design.md, the table of what is created and rebuilt",
    )

    def look(self, run: Evidence) -> Finding:
        """Of every strategy: what the arrival built, which old endpoints it moved, and how much there is to look at."""
        arrivals = [upkeep_of(run, label, "task_arrival") for label in LABELS]
        moved = {row.label for row in arrivals if row.unasked}
        before = [_served_before(run, row) for row in arrivals]
        return Finding(
            columns=LABELS,
            figures=(
                _figure("artifacts created", arrivals, lambda row: row.created),
                _figure("artifacts rebuilt", arrivals, lambda row: row.rebuilt),
                _figure("new endpoints", arrivals, lambda row: len(row.opened)),
                Figure(what="old endpoints", unit="count", amounts=tuple(map(float, before)), provenance="measured"),
                _figure("old ones answered by something else", arrivals, lambda row: _count(row.unasked)),
                _figure("test items to run for them", arrivals, lambda row: row.unasked_items),
                _figure("of their answers, others than before", arrivals, lambda row: row.changed_items),
                _figure("bytes kept to go back", arrivals, lambda row: row.rollback_bytes, "bytes"),
            ),
            claim=_claim(arrivals, before),
            holds=moved == ANSWERS[2]
            and all(_count(r.unasked) == n for r, n in zip(arrivals, before, strict=True) if r.unasked),
            choice=ANSWERS.index(moved) if moved in ANSWERS else None,
        )


def _served_before(run: Evidence, arrival: UpkeepRow) -> int:
    """How many endpoints a strategy served when the task came."""
    earlier = [r for r in run.results.upkeep if r.label == arrival.label and r.day < arrival.day]
    return len({endpoint for row in earlier for endpoint in row.opened})


def _count(endpoints: tuple[str, ...] | None) -> int | None:
    return None if endpoints is None else len(endpoints)


def _figure(what: str, rows: list[UpkeepRow], told: Callable[[UpkeepRow], int | None], unit: Unit = "count") -> Figure:
    counts = [told(row) for row in rows]
    sure = weakest(row.provenance for row in rows)
    return Figure(what=what, unit=unit, amounts=tuple(None if n is None else float(n) for n in counts), provenance=sure)


def _claim(arrivals: list[UpkeepRow], before: list[int]) -> str:
    told = [f"{_count(r.unasked)} of {n} under {r.label}" for r, n in zip(arrivals, before, strict=True)]
    return f"Old endpoints that must be validated again: {', '.join(told)}."
