"""Rows that say the same, and what a survey tells of a source."""

import pytest
from rich.padding import Padding

from adapeff_sim.cli.data_view import _task
from adapeff_sim.data.examples import Answer, ChoiceExample, SpanExample, TextExample, TokensExample
from adapeff_sim.data.files import Files
from adapeff_sim.data.helpdesk import Helpdesk
from adapeff_sim.data.overlap import contradictions, overlaps
from adapeff_sim.data.survey import survey, warnings_of
from adapeff_sim.errors import DataError


def text(words, label="x"):
    return TextExample(text=words, label=label)


def test_a_row_is_the_same_whatever_its_label_and_id():
    rows = {"train": [text("a"), text("b")], "test": [TextExample(id="7", text="a", label="y"), text("c")]}
    (found,) = overlaps(rows)
    assert (found.split, found.other, found.shared, found.rows, found.example) == ("test", "train", 1, 2, "a")


def test_every_pair_of_splits_is_looked_at():
    rows = {split: [text("a")] for split in ("train", "validation", "test")}
    assert [(found.split, found.other) for found in overlaps(rows)] == [
        ("test", "train"),
        ("test", "validation"),
        ("validation", "train"),
    ]
    assert not overlaps({"train": [text("a")], "test": [text("A")]})


def test_a_text_with_two_labels_is_a_contradiction_but_a_question_may_have_two_answers():
    found = contradictions([text("a", "x"), text("a", "y"), text("a", "x"), text("b")])
    assert found and (found.texts, found.labels) == (1, ("x", "y"))
    spans = [
        SpanExample(question="q", context="a b", answers=(Answer(text=t, answer_start=s),)) for t, s in ("a0", "b2")
    ]
    assert not contradictions(spans)
    tagged = [TokensExample(tokens=("Ada",), tags=(tag,)) for tag in ("O", "B-PER")]
    choice = [ChoiceExample(premise="p", choices=("a", "b"), label=label) for label in (0, 1)]
    assert contradictions(tagged) and contradictions(choice)


def test_warnings_are_in_words():
    rows = {"train": [text("a" * 90, "x")], "test": [text("a" * 90, "y")]}
    shown = "'" + "a" * 60 + "…'"
    assert list(warnings_of("mood/en", rows)) == [
        f"mood/en: 1 of 1 test rows are training rows too, such as {shown}",
        f"mood/en: 1 text has more than one label, such as {shown}: 'x' and 'y'",
    ]


def test_a_survey_tells_of_folders_without_files_and_of_labels_that_are_equally_common(tmp_path):
    (tmp_path / "mood" / "en").mkdir(parents=True)
    (tmp_path / "mood" / "de").mkdir()
    for split, labels in (("train", ["pos", "neg", "pos", "neg"]), ("test", ["pos"])):
        rows = (f'{{"text": "{split} {i}", "label": "{label}"}}\n' for i, label in enumerate(labels))
        (tmp_path / "mood" / "en" / f"{split}.jsonl").write_text("".join(rows))
    found = survey(Files(tmp_path), "rows")
    assert "mood/de: no train, validation or test file" in found.warnings
    (task,) = found.tasks
    assert task.majority is not None and (task.majority.share, task.majority.tied) == (0.0, {"pos": 1.0})
    told = "“neg” and “pos” are equally common: whoever always says one of them is right for 0 % to 100 % of the test"
    assert any(told in str(part.renderable) for part in _task(task) if isinstance(part, Padding))


def test_a_survey_counts_what_is_there():
    found = survey(
        Helpdesk({"size": {"train": 400, "validation": 30, "test": 30}}), "helpdesk", language="de", examples=2
    )
    assert [task.task for task in found.tasks] == sorted(Helpdesk().tasks()) and not found.warnings
    tasks = {task.task: task for task in found.tasks}
    assert tasks["intent"].languages[0].rows == {"train": 400, "validation": 30, "test": 30}
    assert sum(count["test"] for count in tasks["intent"].labels.values()) == 30
    assert tasks["entities"].majority and tasks["entities"].majority.label == "O"
    assert tasks["answer_span"].majority is None and not tasks["answer_span"].labels
    assert all(len(task.examples) == 2 for task in found.tasks)
    with pytest.raises(DataError, match="did you mean 'intent'"):
        survey(Helpdesk(), "helpdesk", task="intend")
    with pytest.raises(DataError, match="unknown language 'xx'; known: ar, de"):
        survey(Helpdesk(), "helpdesk", language="xx")
