"""The helpdesk row by row, task by task and in every language: labels, tags, scripts, noise, and what splits share.

These read whole splits of all tasks or languages, and so stand apart from the unit tests, which are to take seconds.
"""

import itertools
import re
from typing import get_args

import pytest
from helpdesk_rows import LANGUAGES, SCRIPTS, SOURCE, TASKS, texts_of

from adapeff_sim.data.examples import Split
from adapeff_sim.data.helpdesk import Helpdesk, template_of

SPLITS: tuple[Split, ...] = get_args(Split)
LATIN_WORDS = {"K", "MP", "k", "mp"}  # order numbers and MP3 players
ENOUGH = {"train": 600, "validation": 150, "test": 300}


@pytest.mark.parametrize("task", TASKS)
def test_every_split_has_enough_rows(task):
    for split in SPLITS:
        rows = SOURCE.examples(task, "en", split)
        assert len(rows) >= ENOUGH[split]
        assert len({row.id for row in rows}) == len(rows)


@pytest.mark.parametrize("task", TASKS)
def test_no_template_is_in_two_splits(task):
    templates = [{t for row in SOURCE.examples(task, "en", split) for t in template_of(row.id)} for split in SPLITS]
    assert sum(map(len, templates)) == len(set().union(*templates))


def test_every_split_has_every_label_and_no_other():
    for task, split in itertools.product(("duplicate", "intent", "sentiment"), SPLITS):
        labels = [row.label for row in SOURCE.examples(task, "en", split)]
        assert sorted(set(labels)) == list(SOURCE.labels(task))
        assert max(map(labels.count, set(labels))) - min(map(labels.count, set(labels))) <= 1
    for language, split in itertools.product(LANGUAGES, SPLITS):
        tags = {tag for row in SOURCE.examples("entities", language, split) for tag in row.tags}
        assert tags <= set(SOURCE.labels("entities"))
        assert {tag for tag in SOURCE.labels("entities") if not tag.startswith("I")} <= tags


@pytest.mark.parametrize("language", LANGUAGES)
def test_tags_are_valid_bio(language):
    for split in SPLITS:
        for row in SOURCE.examples("entities", language, split):
            for before, tag in itertools.pairwise(("O", *row.tags)):
                assert not tag.startswith("I") or before[2:] == tag[2:], row


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_said_once_on_its_page(language):
    for row in SOURCE.examples("answer_span", language, "test"):
        (answer,) = row.answers
        assert answer.text == answer.text.strip()
        assert "[" not in row.context
        assert "{" not in row.context + row.question


@pytest.mark.parametrize(("language", "script"), SCRIPTS.items())
def test_a_language_is_written_in_its_script(language, script):
    for task in TASKS:
        for text in (t for row in SOURCE.examples(task, language, "test") for t in texts_of(row)):
            assert re.search(f"[{script}]", text)
            assert set(re.findall(r"[A-Za-z\u00c0-\u024f]+", text)) <= LATIN_WORDS, text


def test_the_other_languages_are_written_in_latin_letters():
    for language in set(LANGUAGES) - set(SCRIPTS):
        for row in SOURCE.examples("intent", language, "train"):
            assert not re.search(f"[{''.join(SCRIPTS.values())}]", row.text)


def test_a_later_version_is_another_draw_of_the_same_lines():
    for task in TASKS:
        first, second = (SOURCE.examples(task, "sw", "train", version) for version in (1, 2))
        assert {row.id for row in first} != {row.id for row in second}
        lines = [{t.rstrip("0123456789") for row in rows for t in template_of(row.id)} for rows in (first, second)]
        assert lines[0] == lines[1]


@pytest.mark.parametrize("task", TASKS)
def test_label_noise_changes_that_share_of_the_training_labels_and_nothing_else(task):
    little, much = (Helpdesk({"label_noise": share}) for share in (0.1, 0.3))
    right, some, more = (source.examples(task, "sw", "train") for source in (SOURCE, little, much))
    assert [row.id for row in right] == [row.id for row in some] == [row.id for row in more]
    wrong = {a.id: b for a, b in zip(right, some, strict=True) if a != b}
    wronger = {a.id: b for a, b in zip(right, more, strict=True) if a != b}
    assert wrong.items() <= wronger.items()  # nested: the same rows, with the same wrong labels
    free = 1 / 6 if task == "entities" else 0  # rows without an entity keep their tags
    assert len(wrong) / len(right) == pytest.approx(0.1 * (1 - free), abs=0.025)
    assert len(wronger) / len(right) == pytest.approx(0.3 * (1 - free), abs=0.04)
    for a, b in zip(right, some, strict=True):
        assert texts_of(a) == texts_of(b)
    english = {
        a.id
        for a, b in zip(SOURCE.examples(task, "en", "train"), little.examples(task, "en", "train"), strict=True)
        if a != b
    }
    assert english == set(wrong)
    for split in ("validation", "test"):
        assert SOURCE.examples(task, "sw", split) == much.examples(task, "sw", split)


@pytest.mark.parametrize("language", ["de", "en", "sw"])
def test_every_tag_that_is_asked_for_later_is_seen_in_training(language):
    tags = {
        split: {tag for row in SOURCE.examples("entities", language, split) for tag in row.tags}
        for split in ("train", "validation", "test")
    }
    assert tags["validation"] | tags["test"] <= tags["train"]
