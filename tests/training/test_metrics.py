"""Scores worked out by hand."""

import pytest
from late import Late

from adapeff_sim.data.examples import SpanExample, TaskKind
from adapeff_sim.execution.predictions import predictions
from adapeff_sim.ledger.outcome import Prediction

metrics = Late("adapeff_sim.training.metrics")


def test_accuracy_and_macro_f1():
    gold, said = ["a", "a", "a", "b", "c"], ["a", "a", "b", "b", "a"]
    assert metrics.accuracy(gold, said) == 3 / 5
    # a: 2 of 3 found, 2 of 3 said -> 2/3; b: 1 of 1, 1 of 2 -> 2/3; c: never said -> 0
    assert metrics.macro_f1(gold, said) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert metrics.scores(TaskKind.CHOICE, [0, 1], [0, 0], "en") == {"accuracy": 0.5}


def test_entities_count_whole():
    gold = [["B-x", "I-x", "O", "B-y"], ["O", "B-x"]]
    said = [["B-x", "O", "O", "B-y"], ["O", "B-x"]]
    # gold 3 entities, said 3, whole and of the right type 2
    assert metrics.entity_f1(gold, said) == pytest.approx(2 / 3)
    assert metrics.token_accuracy(gold, said) == pytest.approx(5 / 6)
    assert metrics.entity_f1([["O"]], [["O"]]) == 0.0


def test_answers_are_compared_without_case_punctuation_and_articles():
    assert metrics.span_scores([["The old House."]], ["old house"], "en") == {"exact_match": 1.0, "f1": 1.0}
    assert metrics.span_scores([["the house"]], ["the house"], "de")["exact_match"] == 1.0
    assert metrics.answer_tokens("The house", "de") == ["the", "house"]


def test_span_f1_takes_the_best_answer():
    # against "green box": 1 of 2 tokens in common with 1 of 1 said -> 2 * 1 / 3
    assert metrics.span_scores([["green box", "elsewhere now"]], ["box"], "en") == {
        "exact_match": 0.0,
        "f1": pytest.approx(2 / 3),
    }
    assert metrics.span_scores([["box"]], [""], "en") == {"exact_match": 0.0, "f1": 0.0}


def test_scripts_without_spaces_are_compared_by_sign():
    # three of four signs in common
    assert metrics.answer_tokens("北京2008年。", "zh") == ["北", "京", "2008", "年"]
    assert metrics.span_scores([["东京大学"]], ["京大学"], "zh")["f1"] == pytest.approx(2 * 3 / 7)
    assert metrics.answer_tokens("सीता राम", "hi") == ["सीता", "राम"]
    assert metrics.answer_tokens("ไทย", "th") == ["ไ", "ท", "ย"]


def test_an_answer_cut_from_a_text_is_right_as_its_exact_match_is(tmp_path):
    span = SpanExample(question="who?", context="The cat sat", answers=({"text": "The cat", "answer_start": 0},))
    (tmp_path / "predictions.jsonl").write_text('{"id": "0", "gold": ["The cat"], "predicted": "cat"}\n')
    (found,) = predictions(tmp_path, TaskKind.SPAN, [span], "en").values()
    assert found == Prediction('"cat"', True)
