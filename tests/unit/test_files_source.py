"""A folder of JSON lines: read as it is, or refused with file, line and what would do."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapeff_sim.data.examples import Answer, SpanExample, TaskKind
from adapeff_sim.data.files import Files
from adapeff_sim.data.survey import survey
from adapeff_sim.errors import DataError

TEXTS = [{"text": "late again", "label": "bad"}, {"text": "well done", "label": "good"}]
ROWS: dict[str, list[dict[str, Any]]] = {
    "classification": TEXTS,
    "pair": [{"id": "7", "premise": "a", "hypothesis": "b", "label": "same"}],
    "tagging": [{"tokens": ["Ada", "sat"], "tags": ["B-PER", "O"]}],
    "choice": [{"premise": "It fell.", "question": "cause", "choices": ["It slipped.", "It sang."], "label": 0}],
    "span": [{"question": "Who?", "context": "It was Ada.", "answers": {"text": ["Ada"], "answer_start": [7]}}],
}


def write(folder: Path, task: str, language: str, rows: list[dict[str, Any]], **other: Any) -> None:
    place = folder / task / language
    place.mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in other.get(split, rows))
        (place / f"{split}.jsonl").write_text(lines, encoding="utf-8")


def problem(folder: Path, content: bytes) -> str:
    """The error for a training file with this content, among files that are in order."""
    write(folder, "mood", "en", TEXTS)
    (folder / "mood" / "en" / "train.jsonl").write_bytes(content)
    with pytest.raises(DataError) as error:
        Files(folder).examples("mood", "en", "train")
    return str(error.value)


@pytest.mark.parametrize("kind", ROWS)
def test_the_fields_tell_the_kind(tmp_path: Path, kind: str) -> None:
    write(tmp_path, "task", "en", ROWS[kind])
    source = Files(str(tmp_path))
    assert source.tasks() == {"task": TaskKind(kind)}
    assert [e.kind for e in source.examples("task", "en", "test")] == [TaskKind(kind)] * len(ROWS[kind])


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["Ada"], "answer_start": [7]},
        {"text": "Ada", "answer_start": 7},
        [{"text": "Ada", "answer_start": 7}],
    ],
)
def test_answers_come_in_three_shapes(tmp_path: Path, answers: object) -> None:
    write(tmp_path, "qa", "en", [{"question": "Who?", "context": "It was Ada.", "answers": answers}])
    (row,) = Files(tmp_path).examples("qa", "en", "train")
    assert isinstance(row, SpanExample)
    assert row.answers == (Answer(text="Ada", answer_start=7),)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"text": [], "answer_start": []}, "with an answer in it"),
        ({"text": ["Ada"], "answer_start": [7, 8]}, "pair them"),
        ({"text": ["Ada"], "answer_start": [3]}, "does not read 'Ada' at character 3"),
        ([{"text": "Ada", "answer_start": "7"}], "answer_start is '7'; write a whole number"),
        ("Ada", "answers is 'Ada'"),
    ],
)
def test_answers_that_are_none(tmp_path: Path, answers: object, told: str) -> None:
    row = {"question": "Who?", "context": "It was Ada.", "answers": answers}
    write(tmp_path, "qa", "en", [row])
    with pytest.raises(DataError) as error:
        Files(tmp_path).examples("qa", "en", "train")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"text": "a"', "is not JSON"),
        (b'{"text": "a"}', "no field 'label'"),
        (b'{"text": "a", "label": 3}', "label is 3; write a string"),
        (b'{"text": "a", "label": null}', "label is null; write a string"),
        (b'{"text": "a", "label": ""}', "an empty label"),
        (b'{"text": "a", "label": " "}', "an empty label"),
        (b'{"text": "", "label": "x"}', "text is ''; fill it in"),
        (b'{"text": " \\t", "label": "x"}', "only spaces; fill it in"),
        (b'{"text": "a", "label": "x", "lable": "x"}', "unknown key 'lable'; a classification row has text, label"),
        (b'{"text": "a", "text": "b", "label": "x"}', "key 'text' stands there twice"),
        (b'{"text": "\xff", "label": "x"}', "byte 0xff is not UTF-8"),
        (b"[1, 2]", "a list of 2, not a JSON object"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"text": "\\ud800", "label": "x"}', "lone surrogate"),
        (b"9" * 5000, "not JSON"),
    ],
)
def test_a_bad_line_is_named_with_what_would_do(tmp_path: Path, line: bytes, told: str) -> None:
    good = b'{"text": "a", "label": "good"}\n\n'
    message = problem(tmp_path, good + line + b"\n")
    assert message.startswith(f"{tmp_path}/mood/en/train.jsonl:3: ")
    assert told in message
    assert ";" in message


@pytest.mark.parametrize("tag", ["Q", "B", "per", "B-"])
def test_a_tag_that_is_not_bio_is_refused(tmp_path: Path, tag: str) -> None:
    write(tmp_path, "ner", "en", [{"tokens": ["Ada", "sat"], "tags": [tag, "O"]}])
    with pytest.raises(DataError, match=rf"train\.jsonl:1: tag '{tag}' is not BIO; write O, or B- or I-"):
        Files(tmp_path).examples("ner", "en", "train")


def test_three_megabytes_of_garbage_give_one_short_line(tmp_path: Path) -> None:
    message = problem(tmp_path, b"\x1b[31m\x07x" * 400_000)
    assert "\n" not in message
    assert "\x1b" not in message
    assert len(message) < len(str(tmp_path)) + 250


def test_a_long_bad_value_is_not_echoed(tmp_path: Path) -> None:
    long = "\x1b[2J" + "v" * 1_000_000
    for row in ({"text": "a", "label": [long]}, {"text": "a", "label": "x", long: 1}, {"text": {"a": long}}):
        message = problem(tmp_path, json.dumps(row).encode())
        assert "v" * 80 not in message
        assert "\x1b" not in message


def test_ten_problems_of_a_file_come_together(tmp_path: Path) -> None:
    message = problem(tmp_path, b"".join(b'{"text": %d, "label": "a"}\n' % i for i in range(500)))
    assert [line.rpartition(".jsonl:")[2].partition(":")[0] for line in message.splitlines()[:10]] == [
        str(number) for number in range(1, 11)
    ]
    assert message.splitlines()[10:] == ["(the first 10 problems; there are more)"]
    (alike,) = problem(tmp_path, b'{"text": "a"}\n' * 500).splitlines()
    assert "train.jsonl:1: no field 'label'" in alike and alike.endswith(
        " (the same at 2, 3, 4, 5, 6, 7, 8, 9, 10, ...)"
    )


def test_an_empty_split(tmp_path: Path) -> None:
    assert "no rows; write one JSON object a line" in problem(tmp_path, b"\n \n")


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    write(tmp_path, "mood", "en", TEXTS)
    (tmp_path / "mood/en/train.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "a", "label": "good"}\r\n')
    assert len(Files(tmp_path).examples("mood", "en", "train")) == 1


def test_an_evaluation_label_that_no_language_trains(tmp_path: Path) -> None:
    write(tmp_path, "mood", "de", TEXTS)
    write(tmp_path, "mood", "en", TEXTS, train=TEXTS[:1], test=[*TEXTS, {"text": "so", "label": "meh\x1b"}])
    with pytest.raises(DataError, match=r"mood/en/test\.jsonl:3: label 'meh\\x1b' is in no training row"):
        Files(tmp_path).labels("mood")
    write(tmp_path, "mood", "en", TEXTS, train=TEXTS[:1])
    assert Files(tmp_path).labels("mood") == ("bad", "good")


def test_choice_and_span_have_no_labels(tmp_path: Path) -> None:
    write(tmp_path, "copa", "en", ROWS["choice"])
    write(tmp_path, "qa", "en", ROWS["span"])
    assert Files(tmp_path).labels("copa") == Files(tmp_path).labels("qa") == ()


def test_a_task_has_one_kind(tmp_path: Path) -> None:
    write(tmp_path, "mood", "de", TEXTS)
    write(tmp_path, "mood", "en", TEXTS, test=ROWS["pair"])
    with pytest.raises(DataError, match=r"mood/en/test\.jsonl:1: rows of a pair task, but .* classification rows"):
        dict(Files(tmp_path).tasks())


def test_a_file_whose_rows_tell_no_kind(tmp_path: Path) -> None:
    write(tmp_path, "mood", "en", [{"sentence": "a", "label": "x"}])
    with pytest.raises(DataError, match=r"\.jsonl:1: no field tells the kind of task"):
        dict(Files(tmp_path).tasks())


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("text;label", r"one column, 'text;label', parted by ';'; part them with a comma"),
        ("so fine,good", r"the fields are so fine, good; call one .*, or map them in .*first line, if these are none"),
    ],
)
def test_one_bad_file_hides_no_other_task(tmp_path: Path, header: str, told: str) -> None:
    write(tmp_path, "mood", "en", TEXTS)
    (tmp_path / "bad" / "en").mkdir(parents=True)
    (tmp_path / "bad" / "en" / "train.csv").write_text(f"{header}\na,b\n")
    source = Files(tmp_path)
    assert survey(source, "rows", task="mood").tasks[0].kind is TaskKind.CLASSIFICATION
    with pytest.raises(DataError, match=rf"bad/en/train\.csv:1: .*{told}"):
        survey(source, "rows")


def test_listing_reads_no_further_than_the_first_row(tmp_path: Path) -> None:
    write(tmp_path, "mood", "en", TEXTS)
    path = tmp_path / "mood/en/train.jsonl"
    path.write_bytes(path.read_bytes() + b"\xff\n")
    source = Files(tmp_path)
    assert source.tasks() == {"mood": TaskKind.CLASSIFICATION}
    assert source.languages("mood") == ("en",)
    assert len(source.examples("mood", "en", "test")) == 2


def test_a_later_edition_is_a_file_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "mood", "en", TEXTS)
    (tmp_path / "mood/en/train.v2.jsonl").write_text('{"text": "new", "label": "odd"}\n')
    source = Files(tmp_path)
    assert len(source.examples("mood", "en", "train", 2)) == 1
    assert source.labels("mood") == ("bad", "good", "odd")
    for split, version in (("train", 3), ("test", 2), ("train", 0), ("train", -1)):
        with pytest.raises(DataError, match=rf"no {split}\.v{version}\.jsonl; there are test.jsonl, train.jsonl, tra"):
            source.examples("mood", "en", split, version)  # type: ignore[arg-type]


def test_a_language_may_have_no_training_rows(tmp_path: Path) -> None:
    write(tmp_path, "mood", "en", TEXTS)
    write(tmp_path, "mood", "sw", TEXTS)
    (tmp_path / "mood/sw/train.jsonl").unlink()
    assert Files(tmp_path).labels("mood") == ("bad", "good")
    with pytest.raises(DataError, match=r"no train\.jsonl; there are test\.jsonl"):
        Files(tmp_path).examples("mood", "sw", "train")


@pytest.mark.parametrize("name", ["..", ".", "", "../mood", "mood/en", "/etc", "mood\\en", ".hidden", "mood\x00"])
def test_a_name_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    write(tmp_path / "in", "mood", "en", TEXTS)
    write(tmp_path, "mood", "en", TEXTS)
    write(tmp_path / "in", ".hidden", "en", TEXTS)
    source = Files(tmp_path / "in")
    with pytest.raises(DataError, match=r"unknown task .*[Kk]nown: mood"):
        source.examples(name, "en", "train")
    with pytest.raises(DataError, match=r"unknown language .*known: en"):
        source.examples("mood", name, "train")
    with pytest.raises(DataError, match=r"unknown split .*known: test, train, validation"):
        source.examples("mood", "en", name)  # type: ignore[arg-type]


@pytest.mark.parametrize("link", ["mood", "mood/sw", "mood/en/test.v2.jsonl"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, link: str) -> None:
    write(tmp_path / "out", "mood", "en", TEXTS)
    write(tmp_path / "in", "calm", "en", TEXTS)
    if "/" in link:
        write(tmp_path / "in", "mood", "en", TEXTS)
    (tmp_path / "in" / link).symlink_to(tmp_path / "out" / link.replace("sw", "en").replace(".v2", ""))
    with pytest.raises(DataError, match=r"a link that leads out of .*put a copy in its place"):
        Files(tmp_path / "in").tasks()


def test_a_link_within_the_folder_is_fine(tmp_path: Path) -> None:
    write(tmp_path, "mood", "en", TEXTS)
    (tmp_path / "mood/sw").symlink_to(tmp_path / "mood/en")
    assert Files(tmp_path).languages("mood") == ("en", "sw")


def test_a_folder_that_is_none_or_holds_no_task(tmp_path: Path) -> None:
    (tmp_path / "mood").mkdir()
    with pytest.raises(DataError, match=r"no task in this folder; it needs <task>/<language>/train.jsonl"):
        Files(tmp_path).tasks()
    for folder in (tmp_path / "nowhere", "", {"folder": "x"}):
        with pytest.raises(DataError, match="folder"):
            Files(folder)  # type: ignore[arg-type]


def test_the_nearest_name_is_offered(tmp_path: Path) -> None:
    write(tmp_path, "sentiment", "en", TEXTS)
    with pytest.raises(DataError, match="did you mean 'sentiment'"):
        Files(tmp_path).languages("sentimant")
