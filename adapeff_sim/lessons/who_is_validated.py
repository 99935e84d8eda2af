"""Lesson 6: a new task moves endpoints that nobody asked to change, or not."""

from adapeff_sim.ledger.history import EventRow
from adapeff_sim.lessons.base import LESSONS, Evidence, Figure, Finding, Lesson
from adapeff_sim.lessons.evidence import steps_of

LABELS = ("adapter_per_task", "adapter_fusion", "multitask_full", "full_per_task")
ANSWERS = (set[str](), {"multitask_full"}, {"adapter_fusion", "multitask_full"}, set(LABELS))  # to the choices


@LESSONS.register
class WhoIsValidated(Lesson):
    """A task arrives beside endpoints that are in service already."""

    number = 6
    title = "Who must be re-validated"
    seconds = 90
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
        "does "
        "fusion, where the fusions of old tasks take the new adapter in.",
        "Validating again is cheap as compute and dear as process: test rows, people who look, a rollout that may have "
        "to be taken back. It grows with the number of endpoints, at every event.",
    )
    read_on = (
        "adapeff-sim plan teaching/who_is_validated",
        "docs/design.md, the table of what is created and rebuilt",
    )

    def look(self, run: Evidence) -> Finding:
        """Of every strategy: what the arrival built, and which endpoints it moved."""
        stood = {
            label: {e for r in run.results.events if r.label == label and r.step == 0 for e in r.validated}
            for label in LABELS
        }
        arrivals = {label: steps_of(run, label, "task_arrival") for label in LABELS}
        again = {label: stood[label] & _validated(arrivals[label]) for label in LABELS}
        moved = {label for label in LABELS if again[label]}
        return Finding(
            columns=LABELS,
            figures=(
                _figure("endpoints in service before", [len(stood[label]) for label in LABELS]),
                _figure("of these validated again", [len(again[label]) for label in LABELS]),
                _figure("new endpoints validated", [len(_validated(arrivals[x]) - stood[x]) for x in LABELS]),
                _figure("artifacts created", [sum(len(r.created) for r in arrivals[label]) for label in LABELS]),
                _figure("artifacts rebuilt", [sum(len(r.rebuilt) for r in arrivals[label]) for label in LABELS]),
                _figure("artifacts kept as they are", [len(arrivals[label][-1].kept) for label in LABELS]),
            ),
            claim=_claim(stood, again),
            holds=moved == ANSWERS[2] and all(again[label] == stood[label] for label in moved),
            choice=ANSWERS.index(moved) if moved in ANSWERS else None,
        )


def _validated(rows: list[EventRow]) -> set[str]:
    return {endpoint for row in rows for endpoint in row.validated}


def _figure(what: str, counts: list[int]) -> Figure:
    return Figure(what=what, unit="count", amounts=tuple(map(float, counts)), provenance="measured")


def _claim(stood: dict[str, set[str]], again: dict[str, set[str]]) -> str:
    told = [f"{len(again[label])} of {len(stood[label])} under {label}" for label in LABELS]
    return f"Old endpoints that must be validated again: {', '.join(told)}."
