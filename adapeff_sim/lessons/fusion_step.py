"""Lesson 2: AdapterFusion trains few parameters and still costs more than training all of them."""

from adapeff_sim.estimation.encoder import NoClosedForm, encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, step_flops
from adapeff_sim.ledger.outcome import Workload
from adapeff_sim.lessons.base import LESSONS, Evidence, Figure, Finding, Lesson, LessonError
from adapeff_sim.lessons.evidence import TRAIN, TRAINED, amount, beside, on_the_same_rows, per_cent, training, workload

OTHER_SIZES = (2, 6)  # adapters, beside the three that the run fused
BORDERS = (0.3, 0.75, 1.0)  # between the choices


@LESSONS.register
class FusionStep(Lesson):
    """A fusion over three adapters beside full fine-tuning, on the same rows for the same steps."""

    number = 2
    title = "A fusion step costs more than full fine-tuning"
    seconds = 70
    question = (
        "Three adapters are trained and frozen. AdapterFusion now learns, for one task, which of them to listen to; it "
        "trains about a tenth of the parameters of the base model. How many operations does that take, beside fully "
        "fine-tuning a model on the same rows for the same steps?"
    )
    choices = ("about a tenth", "about a half", "a little less", "more")
    why = (
        "Every row passes through all three adapters, and then through a query, and a key "
        "and a value for each adapter, in every layer. That is forward work which full fine-tuning does not have.",
        "Gradients must flow through all of it: not only through the frozen layers, but through the frozen adapters "
        "too.",
        "With each further adapter a step grows. Two may still stay just below full fine-tuning, as their line shows; "
        "how many it takes hangs on the width of the model. And the fusion is nothing without its adapters, which "
        "were trained before, and must be trained again whenever the base model moves: lesson 7.",
    )
    read_on = (
        "docs/how_costs_are_counted.md, the table of one step with XLM-R base",
        "adapeff-sim explain runs/fusion_step --job fusion/intent",
    )

    def look(self, run: Evidence) -> Finding:
        """The operations of the adapter, of fusions over it and others, and of full fine-tuning."""
        adapter = training(run, "adapter_fusion", "adapter/intent")
        fusion = training(run, "adapter_fusion", "fusion/intent")
        full = training(run, "full_per_task", "model/intent")
        on_the_same_rows(adapter, full)
        on_the_same_rows(fusion, full)
        batches = workload(fusion)
        fused = len(batches.adapters)
        share = amount(fusion, TRAIN) / amount(full, TRAIN)
        few = amount(fusion, TRAINED) / amount(full, TRAINED)
        others = [_fused(batches, count, amount(full, TRAIN)) for count in OTHER_SIZES]
        return Finding(
            columns=("fusion or adapter", "full fine-tuning"),
            figures=(
                beside(f"parameters trained, fusion of {fused}", "count", TRAINED, fusion, full),
                beside("operations, the adapter alone", "flops", TRAIN, adapter, full),
                beside(f"operations, fusion of {fused}", "flops", TRAIN, fusion, full),
                *others,
                beside(
                    f"training in seconds, fusion of {fused} (not the claim)", "seconds", "train_seconds", fusion, full
                ),
            ),
            claim=(
                f"A fusion of {fused} trains {per_cent(few)} of the parameters, "
                f"and takes {per_cent(share)} of the operations."
            ),
            holds=few < 0.2 and share > 1,
            choice=sum(share >= border for border in BORDERS),
        )


def _fused(seen: Workload, count: int, full: float) -> Figure:
    """A fusion over so many adapters on the batches that were seen, by the closed form."""
    try:
        network = NetworkShape(encoder_shape(seen.encoder), (seen.adapters[0],) * count, fused=True, trained="fusion")
        heads = {task: HeadShape(head.per_sequence, head.outputs) for task, head in seen.heads.items()}
        each = (step_flops(network, heads[b.task], b.sequences, b.length).times(b.steps) for b in seen.batches)
        taken = float(sum(step.total for step in each))
    except NoClosedForm as error:
        raise LessonError(f"a fusion of {count} cannot be reckoned: {error}") from error
    what = f"operations, a fusion of {count}, by the closed form"
    return Figure(what=what, unit="flops", amounts=(taken, full), provenance="estimated", share=taken / full)
