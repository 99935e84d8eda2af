"""What was trained on what, as shapes: for whoever asks later how many operations something else would have taken."""

from collections.abc import Mapping

from adapeff_sim.estimation.encoder import DECIDES_SHAPE
from adapeff_sim.ledger.outcome import Batches, HeadSize, Workload
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.flop_count import Shape
from adapeff_sim.training.network import Setup
from adapeff_sim.training.task_head import OF_FIRST_PIECE


def workload(backbone: Backbone, setup: Setup, seen: Mapping[Shape, int]) -> Workload:
    """The workload of a training that saw each shape so many times."""
    config = backbone.encoder.config.to_dict()
    return Workload(
        encoder={name: config[name] for name in DECIDES_SHAPE if name in config},
        adapters=setup.adapters,
        fused=setup.fused,
        trained=setup.trained,
        heads={
            task: HeadSize(per_sequence=head.kind in OF_FIRST_PIECE, outputs=head.outputs) for task, head in setup.heads
        },
        batches=tuple(
            Batches(task=task, sequences=shape.sequences, length=shape.length, steps=steps)
            for (task, shape), steps in sorted(seen.items(), key=lambda item: (item[0][0], *_size(item[0])))
        ),
    )


def _size(shape: Shape) -> tuple[int, int]:
    return shape[1].sequences, shape[1].length
