"""The helpdesk: the same items in every language, splits without shared wording, neither trivial nor hopeless."""

import re
from typing import get_args

import pytest
from helpdesk_rows import LANGUAGES, SCRIPTS, SOURCE, TASKS

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.recipe import DatasetRecipe
from adapeff_sim.data.examples import (
    Split,
)
from adapeff_sim.data.helpdesk import Helpdesk, difficulty
from adapeff_sim.data.helpdesk_corpus import draws
from adapeff_sim.data.helpdesk_corpus.corpus import SLOT, Corpus
from adapeff_sim.data.helpdesk_corpus.draws import NUMBERS
from adapeff_sim.errors import DataError
from adapeff_sim.execution.sources import Sources
from adapeff_sim.lifecycle.world import Endpoint, TestSet, source_name

SPLITS: tuple[Split, ...] = get_args(Split)
LOW_RESOURCE = {"ht", "sw"}
AMOUNTS_AND_TIMES = ("amount", "days", "hour", "months", "order")  # written by a format, not from a list


@pytest.fixture(scope="module")
def corpora():
    return {language: Corpus(language) for language in LANGUAGES}


def test_there_are_many_languages_and_a_task_of_every_kind():
    assert len(LANGUAGES) >= 10
    assert len(SCRIPTS) + 1 >= 4
    assert set(LANGUAGES) > LOW_RESOURCE
    assert len(set(SOURCE.tasks().values())) == 5
    assert all(SOURCE.languages(task) == LANGUAGES for task in TASKS)


def test_the_languages_agree_in_lines_slots_and_values(corpora):
    english = corpora["en"]
    for corpus in corpora.values():
        assert list(corpus.lines) == list(english.lines)
        assert corpus.families == english.families
        for line in corpus.lines:
            assert sorted(corpus.slots(line)) == sorted(english.slots(line)), (corpus.language, line)
            assert corpus.lines[line].count("[") == corpus.lines[line].count("]") == line.startswith("fact.")
        assert len(set(corpus.greetings)) == len(english.greetings)
        assert len(set(corpus.closings)) == len(english.closings)
        for slot in {*NUMBERS} - {*AMOUNTS_AND_TIMES}:
            assert len({corpus.word(slot, number) for number in NUMBERS[slot]}) == len(NUMBERS[slot])


def test_a_slot_stands_apart_from_letters(corpora):
    for corpus in corpora.values():
        for text in corpus.lines.values() if corpus.space else ():
            for slot in SLOT.finditer(text):
                around = text[slot.start() - 1 : slot.start()] + text[slot.end() : slot.end() + 1]
                assert not re.search(r"[\w'’-]", around), text


def test_no_wording_is_in_two_splits(corpora):
    for corpus in corpora.values():
        splits = [
            {corpus.lines[line] for family in corpus.families.values() for line in family[split]} for split in SPLITS
        ]
        assert sum(map(len, splits)) == len(set().union(*splits)) == len(corpus.lines)


def test_choices_are_two_to_four_and_the_right_one_is_anywhere():
    rows = SOURCE.examples("answer_choice", "en", "train")
    assert {len(row.choices) for row in rows} == {2, 3, 4}
    assert {row.label for row in rows} == {0, 1, 2, 3}
    assert all(len(set(row.choices)) == len(row.choices) for row in rows)


def test_a_size_takes_the_first_rows():
    small = Helpdesk({"size": {"train": 40}})
    assert small.examples("intent", "de", "train") == SOURCE.examples("intent", "de", "train")[:40]
    assert len(small.examples("intent", "de", "test")) == 300
    assert len(Helpdesk({"size": 7}).examples("answer_span", "zh", "test")) == 7


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("intent-refund-question.refund.late.train00-order0003-g0c0", "easy"),
        ("intent-refund-question.refund.late.train_hard01--g0c0", "hard"),
        ("intent-refund-aside.login.train00+question.refund.late.train00--g0c0", "mixed"),
        ("sentiment-negative-verdict.negative.test00-poor0003-g0c0", "easy"),
        ("duplicate-duplicate-question.login.code.test00+aside.refund.test00+question.login.code.test00--g0c0", "easy"),
        ("duplicate-duplicate-question.login.code.test00+question.login.code.test01--g0c0", "hard"),
        ("duplicate-different-question.login.code.test00+question.login.password.test01--g0c0", "hard"),
        ("duplicate-different-question.login.code.test00+question.refund.late.test_hard01--g0c0", "easy"),
        (
            "duplicate-different-question.login.code.test00+question.refund.late.test01+aside.invoice.test00--g0c0",
            "mixed",
        ),
    ],
)
def test_how_hard_a_row_is_stands_in_its_id(said, means):
    assert difficulty(said) == means


def test_wrong_labels_are_labels():
    noisy = Helpdesk({"label_noise": 1, "size": 200})
    for task in ("duplicate", "intent", "sentiment"):
        assert {row.label for row in noisy.examples(task, "en", "train")} == set(SOURCE.labels(task))
    for row in noisy.examples("answer_choice", "en", "train"):
        assert 0 <= row.label < len(row.choices)
    for row in noisy.examples("answer_span", "en", "train"):
        (answer,) = row.answers
        assert row.context[answer.answer_start :].startswith(answer.text)
    for row in noisy.examples("entities", "de", "train"):
        assert set(row.tags) <= set(SOURCE.labels("entities"))


def test_rows_of_other_options_are_kept_apart(tmp_path):
    clean, noisy = (source_name({"helpdesk": {"label_noise": noise}}) for noise in (0, 0.2))
    assert clean != noisy
    data = Artifact("dataset", DatasetRecipe(task="intent", language="en", rows=50, source=""))
    digests = [Sources(name, tmp_path).digest(data, 13) for name in ("helpdesk", clean, noisy)]
    assert digests[0] == digests[1] != digests[2]
    asked = Endpoint("intent", "en"), TestSet()
    assert Sources(clean, tmp_path).test_digest(*asked) == Sources(noisy, tmp_path).test_digest(*asked)


@pytest.mark.parametrize(
    "options",
    [
        "small",
        {"siz": 3},
        {"size": 0},
        {"size": True},
        {"size": {"dev": 3}},
        {"label_noise": 1.5},
        {"label_noise": True},
        {"label_noise": "some"},
        {"label_noise": None},
    ],
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(DataError, match="helpdesk: "):
        Helpdesk(options)


def test_more_rows_than_there_are_is_refused_and_the_most_is_said(monkeypatch):
    monkeypatch.setattr(draws, "MISSES", 2)
    with pytest.raises(DataError, match=r"no 20000 rows; ask for at most (\d+)") as refused:
        Helpdesk({"size": 20000}).examples("sentiment", "en", "validation")
    most = int(re.findall(r"most (\d+)", str(refused.value))[0])
    assert len(Helpdesk({"size": most}).examples("sentiment", "en", "validation")) == most


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        (("intents", "en", "train"), "'intent'"),
        (("intent", "swa", "train"), "'sw'"),
        (("intent", "en", "tests"), "'test'"),
        (("intent", "en", "train", 0), "count from 1"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_hint(asked, hint):
    with pytest.raises(DataError, match=hint):
        SOURCE.examples(*asked)
