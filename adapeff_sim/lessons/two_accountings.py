"""Lesson 4: who wins depends on what is counted."""

from adapeff_sim.ledger.outcome import weakest
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.lessons.base import LESSONS, Evidence, Figure, Finding, Lesson
from adapeff_sim.lessons.evidence import NOMINAL, STEPS, TRAIN, amount, beside, per_cent, training


@LESSONS.register
class TwoAccountings(Lesson):
    """An adapter that trains for 1.3 times as long, under two counts of the same work."""

    number = 4
    title = "The accounting decides who wins"
    seconds = 25
    question = (
        "Say that an adapter needs more epochs than full fine-tuning: here the scenario gives it 13 instead of 10. "
        "Which of the two trainings took fewer operations?"
    )
    choices = ("the adapter", "full fine-tuning", "it depends on who counts")
    why = (
        "Many training libraries report 6 x tokens x parameters: two operations forward and four backward for every "
        "weight, as if every weight were trained. By that count an adapter is never cheaper by the step: its own "
        "weights come on top, and the frozen ones are charged in full.",
        "Counted product by product, no gradient of a frozen weight is there, and a step is cheaper by as much as the "
        "last line but one says. So there is a band in which the two counts name different winners: between the "
        "factors of the last two lines.",
        "A comparison easily falls into that band. Before comparing costs of two sources, ask what they counted; here "
        "every report shows both.",
    )
    read_on = (
        "docs/how_costs_are_counted.md, 'Why the two disagree, and why the winner can flip'",
        "adapeff-sim explain runs/two_accountings --job adapter/intent",
    )

    def look(self, run: Evidence) -> Finding:
        """Both counts of both trainings, and how many more steps the adapter could take under each."""
        one = training(run, "adapter_per_task", "adapter/intent")
        full = training(run, "full_per_task", "model/intent")
        true, nominal = amount(one, TRAIN) / amount(full, TRAIN), amount(one, NOMINAL) / amount(full, NOMINAL)
        winners = [share < 1 for share in (true, nominal)]
        return Finding(
            columns=("adapter", "full fine-tuning"),
            figures=(
                beside("steps", "count", STEPS, one, full),
                beside("operations as computed", "flops", TRAIN, one, full),
                beside("nominal operations, 6ND", "flops", NOMINAL, one, full),
                _even("even at so many times the steps, as computed", TRAIN, one, full),
                _even("even at so many times the steps, nominal", NOMINAL, one, full),
            ),
            claim=(
                f"As computed the adapter takes {per_cent(true)} of full fine-tuning's operations; by the nominal "
                "count "
                f"{per_cent(nominal)}."
            ),
            holds=true < 1 < nominal,
            choice=2 if len(set(winners)) > 1 else 0 if all(winners) else 1,
        )


def _even(what: str, quantity: str, one: JobRecord, full: JobRecord) -> Figure:
    """With how many times the steps of full fine-tuning an adapter comes to as many operations."""
    factor = (amount(full, quantity) / amount(full, STEPS)) / (amount(one, quantity) / amount(one, STEPS))
    return Figure(
        what=what, unit="factor", amounts=(factor, 1.0), provenance=weakest((one.provenance, full.provenance))
    )
