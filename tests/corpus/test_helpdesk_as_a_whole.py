"""The helpdesk at full size: enough rows, nothing shared between splits, neither trivial nor hopeless for word counts.

These look at thousands of rows in every language, and so stand apart from the unit tests, which are to take seconds.
"""

import pytest
from helpdesk_rows import LANGUAGES, SOURCE, TASKS, texts_of
from word_counts import WordCounts

from adapeff_sim.data.helpdesk import Helpdesk, difficulty, template_of

LARGE = Helpdesk({"size": {"train": 2000}})


@pytest.mark.parametrize("task", TASKS)
def test_2000_distinct_training_rows_share_no_wording_with_the_test_rows(task):
    for language in ("en", "zh"):
        rows = LARGE.examples(task, language, "train")
        assert len({row.model_dump_json(exclude={"id"}) for row in rows}) == 2000
        assert rows[:1200] == SOURCE.examples(task, language, "train")
        later = [row for split in ("validation", "test") for row in SOURCE.examples(task, language, split)]
        assert {t for row in rows for t in texts_of(row)}.isdisjoint(t for row in later for t in texts_of(row))
        assert {t for row in rows for t in template_of(row.id)}.isdisjoint(
            t for row in later for t in template_of(row.id)
        )


def test_hard_rows_are_harder_than_easy_ones():
    for task in ("intent", "sentiment"):
        fitted = WordCounts(SOURCE.examples(task, "en", "train"), "en")
        level = {x: [r for r in SOURCE.examples(task, "en", "test") if difficulty(r.id) == x] for x in ("easy", "hard")}
        assert fitted.accuracy(level["easy"]) > fitted.accuracy(level["hard"]) + 0.1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", ["duplicate", "intent", "sentiment"])
def test_words_alone_solve_a_task_neither_by_chance_nor_wholly(task, language):
    fitted = WordCounts(SOURCE.examples(task, language, "train")[:600], language)
    accuracy = fitted.accuracy(SOURCE.examples(task, language, "test"))
    assert 1.5 / len(SOURCE.labels(task)) < accuracy < 0.95


@pytest.mark.parametrize("task", TASKS)
def test_the_rows_of_a_split_are_distinct_in_every_language(task):
    for language in LANGUAGES:
        for split in ("train", "validation", "test"):
            rows = SOURCE.examples(task, language, split)
            assert len({row.model_dump_json(exclude={"id"}) for row in rows}) == len(rows), (language, split)


@pytest.mark.parametrize("task", TASKS)
def test_an_id_means_the_same_in_every_language(task):
    for split in ("train", "validation", "test"):
        english = SOURCE.examples(task, "en", split)
        for language in LANGUAGES:
            rows = SOURCE.examples(task, language, split)
            assert [row.id for row in rows] == [row.id for row in english]
            if task not in ("entities", "answer_span"):
                assert [row.label for row in rows] == [row.label for row in english]
            elif task == "entities":
                kinds = [sorted(t[2:] for t in row.tags if t.startswith("B")) for row in rows]
                assert kinds == [sorted(t[2:] for t in row.tags if t.startswith("B")) for row in english]


@pytest.mark.parametrize("task", TASKS)
def test_no_text_is_in_two_splits(task):
    for language in LANGUAGES:
        texts = [
            {t for row in SOURCE.examples(task, language, split) for t in texts_of(row)}
            for split in ("train", "validation", "test")
        ]
        assert sum(map(len, texts)) == len(set().union(*texts))
