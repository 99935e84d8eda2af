"""Lesson 7: a base model moves, and all that was trained over it is out of date."""

from adapeff_sim.ledger.history import EventRow, QualityPoint
from adapeff_sim.ledger.outcome import Provenance
from adapeff_sim.lessons.base import LESSONS, Evidence, Figure, Finding, Lesson, Unit
from adapeff_sim.lessons.evidence import steps_of, surety

EVENT = "base_model_update"
CARRIED = "adapter_carried_over"
TRAINING_AGAIN = ("adapter_per_task", "adapter_fusion", "multitask_full")
LABELS = (*TRAINING_AGAIN[:1], CARRIED, *TRAINING_AGAIN[1:])
ANSWERS = (set[str](), {"multitask_full"}, {"adapter_per_task", "adapter_fusion"}, set(TRAINING_AGAIN))


@LESSONS.register
class NewBaseModel(Lesson):
    """A product moves to another release of its base model, by training again or by carrying adapters over."""

    number = 7
    title = "What a base-model update breaks"
    seconds = 90
    question = (
        "A new release of the base model comes out, of the same shape, and the product moves to it. Adapters are "
        "small files beside the base model; the multi-task model was made from it. Who must train everything again?"
    )
    choices = (
        "nobody: what was trained goes on working",
        "the multi-task model",
        "adapters and fusions",
        "all of them",
    )
    why = (
        "An adapter has learnt to correct the activations of one base model. Over another one its weights still "
        "fit, as "
        "shapes, but they correct what is no longer there. Nothing warns of it but a score. That is why an artifact "
        "here says over which base model it was trained, and is refused over any other.",
        "Fusion has most to train again, as there are fusions on top of adapters; the multi-task model has one "
        "training.",
        "Carrying over is asked for by name. Every endpoint is then scored over the new base model, and the "
        "adapters of "
        "those that fell by more than was allowed are trained again. What it saves is known only afterwards.",
        "Nothing breaks for those who stay: old replicas may go on beside the old base model, and cost what lesson "
        "5 says.",
    )
    read_on = (
        "adapeff-sim plan teaching/new_base_model",
        "docs/design.md, 'Unfolding is resumable'",
    )

    def look(self, run: Evidence) -> Finding:
        """Of every strategy: what the update trained again, beside all that was trained before, and the scores."""
        moves = {label: steps_of(run, label, EVENT) for label in LABELS}
        stood = [_standing(moves[label][0]) for label in LABELS]
        built = [sum(len(row.rebuilt) for row in moves[label]) for label in LABELS]
        again = dict(zip(LABELS, built, strict=True))
        counts = dict(zip(LABELS, stood, strict=True))
        sure = surety(run)
        moved = {label for label in TRAINING_AGAIN if again[label]}
        return Finding(
            columns=LABELS,
            figures=(
                _figure("trained artifacts before", "count", stood, sure),
                _figure("of these trained again", "count", built, sure),
                _figure(
                    "operations of training before", "flops", [_spent(run, x, moves[x][0].day) for x in LABELS], sure
                ),
                _figure("operations of training again", "flops", [_flops(moves[label]) for label in LABELS], sure),
                *_scores(run, moves[CARRIED][0].day, sure),
            ),
            claim=(
                f"{sum(again[x] for x in TRAINING_AGAIN)} of {sum(counts[x] for x in TRAINING_AGAIN)} "
                "trained artifacts are trained again; where adapters are carried over and checked, "
                f"{again[CARRIED]} of {counts[CARRIED]}."
            ),
            holds=all(again[label] == counts[label] > 0 for label in TRAINING_AGAIN),
            choice=ANSWERS.index(moved) if moved in ANSWERS else None,
        )


def _standing(first: EventRow) -> int:
    """How many trained artifacts an event found."""
    return len({*first.rebuilt, *first.kept, *first.retired})


def _flops(rows: list[EventRow]) -> float | None:
    found = [row.train_flops for row in rows]
    known = [flops for flops in found if flops is not None]
    return sum(known) if len(known) == len(found) else None


def _spent(run: Evidence, label: str, day: float) -> float | None:
    return _flops([row for row in run.results.events if row.label == label and row.day < day])


def _scores(run: Evidence, day: float, sure: Provenance) -> list[Figure]:
    """The first endpoint before the update, just after it, and in the end, in points."""
    name = min(p.endpoint for p in run.results.quality)
    found = {x: [p for p in run.results.quality if p.label == x and p.endpoint == name] for x in LABELS}
    before = {x: [p for p in found[x] if p.day < day] for x in LABELS}
    after = {x: [p for p in found[x] if p.day >= day] for x in LABELS}
    unchanged = [_points(after[x][:1]) if x == CARRIED else None for x in LABELS]
    return [
        _figure(f"{name} before", "points", [_points(before[x][-1:]) for x in LABELS], sure),
        _figure(f"{name}, old adapter over the new base model", "points", unchanged, sure),
        _figure(f"{name} in the end", "points", [_points(after[x][-1:]) for x in LABELS], sure),
    ]


def _points(found: list[QualityPoint]) -> float | None:
    """The score of the one that is there, in points."""
    return next((100 * p.score for p in found if p.score is not None), None)


def _figure(what: str, unit: Unit, amounts: "list[int] | list[float | None]", sure: Provenance) -> Figure:
    told = tuple(None if amount is None else float(amount) for amount in amounts)
    return Figure(what=what, unit=unit, amounts=told, provenance=sure)
