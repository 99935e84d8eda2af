"""All five kinds of task are learnt, evaluated and kept as predictions."""

import json

import pytest
from toy_model import BASE, ROWS, SETTINGS, adapter, model, task

from adapeff_sim.data.examples import PRIMARY, Answer, SpanExample, TaskKind
from adapeff_sim.errors import DataError
from adapeff_sim.training.backbone import load_backbone
from adapeff_sim.training.encode import NOWHERE
from adapeff_sim.training.heads import NO_TARGET
from adapeff_sim.training.scoring import Questions, decode

EPOCHS = {"colour": 10, "same": 10, "names": 10, "pick": 3, "who": 6}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_model_learns_each_kind(name, built):
    about, rows = task(name, train=300), ROWS[name][2](40, seed=77)
    artifact = model(name)
    built.build(artifact, about, settings=SETTINGS.model_copy(update={"epochs": EPOCHS[name], "learning_rate": 2e-3}))
    taken = built.evaluate((artifact,), about, rows)
    assert taken.primary == PRIMARY[about.kind]
    assert taken.score > 0.8, taken.scores
    lines = (built.folder / "evaluation/artifact/predictions.jsonl").read_text().splitlines()
    assert len(lines) == len(rows)
    assert json.loads(lines[0]).keys() == {"id", "gold", "predicted"}
    assert taken.usage["evaluate_flops"] > 0 and taken.usage["test_examples"] == 40


@pytest.mark.parametrize("name", sorted(ROWS))
def test_an_adapter_is_built_for_each_kind(name, built):
    artifact = adapter(name)
    built.build(artifact, task(name))
    taken = built.evaluate((BASE, artifact), task(name), ROWS[name][2](20, seed=77))
    assert 0 <= taken.score <= 1


def test_gold_read_back_from_items_is_gold(base):
    """Logits that say what the targets say decode to the gold answers."""
    reader = load_backbone(base).reading(32)
    for name, (kind, labels, rows_of) in ROWS.items():
        rows = rows_of(30)
        items = reader.items(kind, rows, labels)
        asked = Questions(name, kind, "en", labels, rows, items)
        assert asked.scores(decode(asked, [(i, _logits(kind, i, labels)) for i in items]))[PRIMARY[kind]] == 1.0
        assert all(len(s) <= 32 for i in items for s in i.sequences)


def _logits(kind, item, labels):
    import numpy as np

    if kind is TaskKind.SPAN:
        found = np.zeros((len(item.sequences[0]), 2))
        found[item.target[0], 0] = found[item.target[1], 1] = 5 if item.target != (0, 0) else -1
        return found
    if kind is TaskKind.TAGGING:
        return np.eye(len(labels))[[max(t, 0) for t in item.target]]
    return np.eye(max(3, len(labels)))[item.target[0]]


def test_a_long_context_is_read_in_windows_that_overlap(base):
    words = [f"box{'y' if i == 40 else ''}" for i in range(60)]
    context = " ".join(words)
    row = SpanExample(
        question="who was there", context=context, answers=({"text": "boxy", "answer_start": context.index("boxy")},)
    )
    reader = load_backbone(base).reading(32)
    items = reader.items(TaskKind.SPAN, (row,), ())
    assert len(items) > 2 and {i.row for i in items} == {0}
    covered = set()
    for item in items:
        covered |= {c for span in item.offsets if span != NOWHERE for c in range(*span)}
    assert {i for i, c in enumerate(context) if c != " "} <= covered
    holding = [i for i in items if i.target != (0, 0)]
    assert holding and all(
        context[i.offsets[i.target[0]][0] : i.offsets[i.target[1]][1]].strip() == "boxy" for i in holding
    )


@pytest.mark.parametrize("longest", [8, 9, 10])
def test_a_long_question_leaves_room_for_the_context_in_the_shortest_sequence(base, longest):
    said = {"question": "who was there in the big old house", "context": "the box is here and anna was there"}
    row = SpanExample(**said, answers=(Answer(text="anna", answer_start=20),))
    items = load_backbone(base).reading(longest).items(TaskKind.SPAN, [row], ())
    assert all(item.length <= longest for item in items)
    assert {c for item in items for start, end in item.offsets for c in range(start, end)} >= {*range(20, 24)}


def test_only_the_first_piece_of_a_word_carries_its_tag(base):
    kind, labels, rows = ROWS["names"]
    reader = load_backbone(base).reading(64)
    for item, row in zip(reader.items(kind, rows(5), labels), rows(5), strict=True):
        tagged = [i for i, t in enumerate(item.target) if t != NO_TARGET]
        assert tagged == sorted(item.spots) and len(tagged) == len(row.tokens)


def test_a_label_that_the_task_does_not_have_is_refused(base):
    kind, _, rows = ROWS["colour"]
    with pytest.raises(DataError, match="none of the task's"):
        load_backbone(base).reader.items(kind, rows(9), ("red", "green"))
