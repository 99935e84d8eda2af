"""The table of the design: what each event creates and rebuilds."""

import pytest
from story import event, life

from adapeff_sim.planning.plan import Action
from adapeff_sim.strategies.base import STRATEGIES

LIFE = [
    event("launch", 0, base_model="mini:v1", tasks={"intent": ("en",)}),
    event("task_arrival", 1, task="sentiment", languages=("en",)),
    event("new_language", 2, language="sw", labelled=100),
    event("new_language", 3, language="am", labelled=0),
    event("base_model_update", 4, base_model="mini:v2"),
]
TABLE = {
    "adapter_per_task": [(1, 0), (1, 0), (0, 2), (0, 0), (0, 2)],
    "adapter_fusion": [(1, 0), (3, 0), (0, 4), (0, 0), (0, 4)],
    "multitask_full": [(1, 0), (0, 1), (0, 1), (0, 0), (0, 1)],
    "full_per_task": [(1, 0), (1, 0), (0, 2), (0, 0), (0, 2)],
}


@pytest.mark.parametrize("name", TABLE)
def test_created_and_rebuilt(name):
    plans = [step.plan for step in life(STRATEGIES.get(name)(), LIFE)]
    assert [(p.count(Action.CREATE), p.count(Action.REBUILD)) for p in plans] == TABLE[name]
