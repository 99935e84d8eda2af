"""Labels that an annotator got wrong, decided row by row from its id, so that more noise contains less noise."""

import random
from collections.abc import Sequence
from dataclasses import replace

from adapeff_sim.data.examples import TaskKind
from adapeff_sim.data.helpdesk_corpus.corpus import ENTITIES, Draw

LONG = tuple(kind for kind in ENTITIES if kind != "order")  # kinds that have an inside tag


def mislabelled(name: str, draw: Draw, kind: TaskKind, labels: Sequence[str], share: float) -> Draw:
    """The draw with another label, in ``share`` (0 to 1) of all ids; the id keeps the true one.

    A choice gets another choice and a span another fact of its page; of a tagged row the entity that it was drawn for
    gets another kind (a row without entities stays as it is).
    """
    chance = random.Random(f"mislabelled {name}")
    if chance.random() >= share:
        return draw
    if kind is TaskKind.TAGGING:
        kinds = [each for each in LONG if each != draw.label]
        return replace(draw, taken_for=chance.choice(kinds)) if draw.label in ENTITIES else draw
    if kind in (TaskKind.CHOICE, TaskKind.SPAN):
        labels = [str(i) for i in range(len(draw.lines) - 1)]
    return replace(draw, label=chance.choice([label for label in labels if label != draw.label]))
