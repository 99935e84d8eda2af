"""Lesson 1: few trained parameters save few operations."""

from adapeff_sim.lessons.base import LESSONS, Evidence, Finding, Lesson
from adapeff_sim.lessons.evidence import TRAIN, TRAINED, amount, beside, nearest, on_the_same_rows, per_cent, training

FORWARD, ACTIVATIONS, WEIGHTS = (
    f"train_{part}_flops" for part in ("forward", "activation_gradient", "weight_gradient")
)
SHARES = (0.01, 0.1, 0.33, 0.6, 1.0)  # of the choices


@LESSONS.register
class FewParameters(Lesson):
    """An adapter beside full fine-tuning, on the same rows for the same steps."""

    number = 1
    title = "1 % of the parameters is not 1 % of the cost"
    seconds = 20
    question = (
        "An adapter trains about 1 % of the parameters that full fine-tuning trains. Both see the same rows for the "
        "same number of steps. How many of the operations of full fine-tuning does training the adapter take?"
    )
    choices = ("about 1 %", "about a tenth", "about a third", "about three fifths", "all of them")
    why = (
        "A step has three parts: a forward pass, gradients that flow back through the layers, and gradients of "
        "weights. The adapter saves nearly all of the third, and of the second what lies below the lowest "
        "adapter: in a model of few layers that is much, in a deep one little.",
        "The forward pass goes through all frozen layers, and a bit more through the adapter. And the lowest adapter "
        "learns only if gradients flow down to it, through everything above.",
        "So adapters can make a step a third or two fifths cheaper, never a hundred times. What they save elsewhere, "
        "in the optimizer's memory and in the files, is another matter: lesson 3.",
    )
    read_on = (
        "docs/how_costs_are_counted.md, 'Two counts of operations'",
        "adapeff-sim explain runs/few_parameters --job adapter/intent",
    )

    def look(self, run: Evidence) -> Finding:
        """Parameters and operations, part by part."""
        one = training(run, "adapter_per_task", "adapter/intent")
        full = training(run, "full_per_task", "model/intent")
        on_the_same_rows(one, full)
        parameters = amount(one, TRAINED) / amount(full, TRAINED)
        operations = amount(one, TRAIN) / amount(full, TRAIN)
        return Finding(
            columns=("adapter", "full fine-tuning"),
            figures=(
                beside("parameters trained", "count", TRAINED, one, full),
                beside("forward pass", "flops", FORWARD, one, full),
                beside("gradients of activations", "flops", ACTIVATIONS, one, full),
                beside("gradients of weights", "flops", WEIGHTS, one, full),
                beside("all operations of training", "flops", TRAIN, one, full),
                beside("training, in seconds (not the claim)", "seconds", "train_seconds", one, full),
            ),
            claim=f"{per_cent(parameters)} of the parameters take {per_cent(operations)} of the operations.",
            holds=parameters < 0.03 and operations > 0.5,
            choice=nearest(operations, SHARES),
        )
