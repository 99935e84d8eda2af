"""Labelled multilingual data that is not in this repository: name its folder in ADAPEFF_REAL_DATA to have it read."""

import os
from typing import get_args

import pytest

from adapeff_sim.data.examples import EXAMPLE_OF, Split, TaskKind
from adapeff_sim.data.files import Files

FOLDER = os.environ.get("ADAPEFF_REAL_DATA", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="ADAPEFF_REAL_DATA names no folder of real data")

ENTITIES = ("B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "I-PER", "O")
TOPICS = ("entertainment", "geography", "health", "politics", "science/technology", "sports", "travel")
TASKS: dict[str, tuple[TaskKind, tuple[str, ...]]] = {
    "copa": (TaskKind.CHOICE, ()),
    "ner": (TaskKind.TAGGING, ENTITIES),
    "nli": (TaskKind.PAIR, ("contradiction", "entailment", "neutral")),
    "paraphrase": (TaskKind.PAIR, ("not_paraphrase", "paraphrase")),
    "qa": (TaskKind.SPAN, ()),
    "sentiment": (TaskKind.CLASSIFICATION, ("negative", "neutral", "positive")),
    "topic": (TaskKind.CLASSIFICATION, TOPICS),
}


@pytest.fixture(scope="module")
def source() -> Files:
    return Files(FOLDER)


def test_the_tasks_and_their_kinds(source: Files) -> None:
    assert source.tasks() == {task: kind for task, (kind, _) in TASKS.items()}


@pytest.mark.parametrize("task", TASKS)
def test_every_language_of_a_task_loads(source: Files, task: str) -> None:
    kind, labels = TASKS[task]
    assert "en" in source.languages(task)
    assert source.labels(task) == labels
    for language in source.languages(task):
        for split in get_args(Split):
            assert {type(row) for row in source.examples(task, language, split)} == {EXAMPLE_OF[kind]}


@pytest.mark.parametrize("task", ["topic", "nli", "paraphrase", "copa"])
def test_an_item_is_in_the_same_split_in_every_language(source: Files, task: str) -> None:
    split_of: dict[str, str] = {}
    for language in source.languages(task):
        for split in get_args(Split):
            for row in source.examples(task, language, split):
                assert split_of.setdefault(row.id, split) == split
