"""Rows in CSV, TSV, CoNLL and Parquet files: read as they are, or refused with file, line and what would do."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapeff_sim.data.examples import Answer, ChoiceExample, SpanExample, TextExample, TokensExample
from adapeff_sim.data.files import Files
from adapeff_sim.data.formats import conll
from adapeff_sim.errors import DataError

CSV = b'text,label\r\n"late, again",bad\r\n"well\ndone",good\r\n\r\nso so,bad\r\n'
TSV = b'text\tlabel\n"late, again\tbad\nNA\tgood\n'
CONLL = b"-DOCSTART- -X- O\n\n# id 7 domain=news\nAda NNP B-PER\nsat VBD O\n\n# O\nOslo B-LOC"
CHOICES = b"premise,first,second,label\nIt fell.,It slipped.,It sang.,1\n"
ANSWERS = b"question,context,answer,at\nWho?,It was Ada.,Ada,7\n"


def source(folder: Path, name: str, content: bytes, **task: Any) -> Files:
    """A task with the same content in all three splits."""
    place = folder / "it" / "en"
    place.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        (place / f"{split}.{name}").write_bytes(content)
    return Files({"folder": str(folder), "tasks": {"it": task}} if task else folder)


def test_csv_is_text_as_it_stands(tmp_path: Path) -> None:
    found = source(tmp_path, "csv", CSV)
    assert [row.text for row in found.examples("it", "en", "test") if isinstance(row, TextExample)] == [
        "late, again",
        "well\ndone",
        "so so",
    ]
    assert found.labels("it") == ("bad", "good") and found.splits("it", "en") == ("train", "validation", "test")


def test_a_quote_in_tsv_is_a_quote_and_nothing_is_taken_for_something_else(tmp_path: Path) -> None:
    rows = source(tmp_path, "tsv", TSV).examples("it", "en", "train")
    assert rows == (TextExample(text='"late, again', label="bad"), TextExample(text="NA", label="good"))


@pytest.mark.parametrize("ending", ["conll", "bio", "txt"])
def test_conll_takes_the_first_and_the_last_column(tmp_path: Path, ending: str) -> None:
    tabs = CONLL.replace(b" ", b"\t").replace(b"#\tid\t7\t", b"# id 7 ")
    rows = source(tmp_path, ending, tabs if ending == "bio" else CONLL).examples("it", "en", "test")
    assert rows == (
        TokensExample(tokens=("Ada", "sat"), tags=("B-PER", "O")),
        TokensExample(tokens=("#", "Oslo"), tags=("O", "B-LOC")),
    )


def test_tokens_of_conll_may_begin_with_a_hash_whatever_their_tags_are(tmp_path: Path) -> None:
    content = b"# text = about it\n#Merkel NOUN\n# SYM\n#1 NN\n\n# NOUN NN\n#\tSYM\n"
    (tmp_path / "test.conll").write_bytes(content)
    assert [row for _, row in conll(tmp_path / "test.conll").rows] == [
        {"tokens": ["#Merkel", "#", "#1"], "tags": ["NOUN", "SYM", "NN"]},
        {"tokens": ["#"], "tags": ["SYM"]},
    ]


@pytest.mark.parametrize(
    ("ending", "content", "told"),
    [
        ("csv", b"text,label\na,x\n\nb, c,y\n", "train.csv:4: 3 values for 2 columns; put a text that has a comma"),
        ("csv", b"text,label\na\n", "train.csv:2: 1 value for 2 columns"),
        (
            "csv",
            b"text,label\n" + b"a" * 300_000 + b",x\n",
            "train.csv:2: a value of more than 131,072 characters; shorten",
        ),
        ("csv", b'text,label\n"a\nb",x\nc,\n', "train.csv:4: an empty label"),
        ("csv", b'text,label\na,x\n"b,y\n', "train.csv:3: unexpected end of data; close the quotes"),
        ("csv", b"text,label\n\xff,x\n", "train.csv:2: byte 0xff is not UTF-8"),
        ("csv", b"text,label,text\na,x,b\n", "train.csv:1: column 3 is a second 'text'"),
        ("csv", b",text,label\n0,a,x\n", "train.csv:1: column 1 has no name"),
        (
            "csv",
            b"text,label,mood\na,x,y\n",
            "train.csv:1: unknown column 'mood'; a classification row has text, label",
        ),
        ("csv", b"text,lable\na,x\n", "train.csv:1: unknown column 'lable'"),
        ("csv", b"text\na\n", "train.csv:1: no column 'label'; columns are text"),
        ("csv", b"body,mood\na,x\n", "train.csv:1: no field tells the kind of task"),
        ("csv", b"text,label\n", "train.csv:1: no rows; write one on each line"),
        ("csv", b"", "train.csv:1: no rows; write the names of the columns"),
        ("tsv", b"text\tlabel\na\tb\tx\n", "train.tsv:2: 3 values for 2 columns; write one tab between two"),
        ("conll", b"Ada B-PER\nsat\n", "train.conll:2: 'sat' has no tag; write TOKEN TAG"),
        ("conll", b"Ada B-PER\n\xfe O\n", "train.conll:2: byte 0xfe is not UTF-8"),
        ("conll", b"-DOCSTART- O\n", "train.conll:1: no rows; write TOKEN TAG on each line"),
        ("parquet", b"nothing of the kind", "train.parquet: not readable as Parquet"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, ending: str, content: bytes, told: str) -> None:
    with pytest.raises(DataError) as error:
        source(tmp_path, ending, content).examples("it", "en", "train")
    message = str(error.value).replace("/test.", "/train.")  # what a header shows is told of the first file
    assert told in message and "\n" not in message


@pytest.mark.parametrize(
    ("content", "task", "row"),
    [
        (CHOICES, {"kind": "choice", "columns": {"choices": ["first", "second"]}}, ChoiceExample),
        (ANSWERS, {"kind": "span", "columns": {"answers": ["answer", "at"]}}, SpanExample),
    ],
)
def test_lists_lie_in_columns_of_their_own(tmp_path: Path, content: bytes, task: dict[str, Any], row: type) -> None:
    (found,) = source(tmp_path, "csv", content, **task).examples("it", "en", "train")
    assert isinstance(found, row)
    if isinstance(found, ChoiceExample):
        assert (found.choices, found.label) == (("It slipped.", "It sang."), 1)
    elif isinstance(found, SpanExample):
        assert found.answers == (Answer(text="Ada", answer_start=7),)


MAPPED = {"kind": "classification", "columns": {"text": "body", "label": "mood"}, "labels": {"0": "bad", "1": "good"}}


@pytest.mark.parametrize(
    ("ending", "content"), [("csv", b"nr,body,mood\n1,late,0\n"), ("jsonl", b'{"body": "late", "mood": 0, "nr": 1}\n')]
)
def test_a_mapping_renames_columns_and_labels_and_leaves_the_rest_out(
    tmp_path: Path, ending: str, content: bytes
) -> None:
    found = source(tmp_path, ending, content, **MAPPED)
    assert found.examples("it", "en", "train") == (TextExample(text="late", label="bad"),)
    assert found.labels("it") == ("bad", "good")  # as declared, though only one is in the rows


def test_a_label_that_the_mapping_does_not_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.csv:3: label '2' is not in labels \(0, 1\); add it there"):
        source(tmp_path, "csv", b"body,mood\nlate,0\nso,2\n", **MAPPED).examples("it", "en", "train")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"columns": {"txt": "body"}}, "files.tasks.it: columns names 'txt'; a classification row has"),
        ({"columns": {"text": ["a", "b"]}}, "only choices and answers"),
        ({"kind": "choice", "columns": {}}, "write such numbers"),
        ({"kind": "span", "columns": {}}, "a span task has none"),
        ({"incomplete": "ignore"}, "files.tasks.it.incomplete: is 'ignore'; choose one of: drop, refuse"),
        ({"trust": 1}, "files.tasks.it.trust: unknown key; known: columns, incomplete, kind, labels"),
        ({"column": {}}, "files.tasks.it.column: unknown key; did you mean 'columns'?"),
        ({"kind": "pairs"}, "files.tasks.it.kind: is 'pairs'; did you mean 'pair'?"),
        ({"columns": {"text": {}}}, "files.tasks.it.columns.text: is an object; write a column's name, or a list"),
    ],
)
def test_a_mapping_that_cannot_be_meant(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as error:
        source(tmp_path, "csv", CSV, **(MAPPED | change))
    assert told in str(error.value)


def test_a_mapping_of_a_task_that_is_not_there_and_a_column_that_is_not_there(tmp_path: Path) -> None:
    source(tmp_path, "csv", CSV)
    with pytest.raises(DataError, match=r"files\.tasks: unknown task 'mod'"):
        Files({"folder": str(tmp_path), "tasks": {"mod": MAPPED}}).tasks()
    with pytest.raises(DataError, match=r"train\.csv:1: no column 'body'; columns are text, label"):
        Files({"folder": str(tmp_path), "tasks": {"it": MAPPED}}).examples("it", "en", "train")
    with pytest.raises(DataError, match="files: without a folder"):
        Files({"tasks": {"it": MAPPED}})


def test_incomplete_rows_can_be_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "adapeff_sim")
    found = source(tmp_path, "csv", b"body,mood\n,0\nlate,0\nso,\n ,0\n", **MAPPED, incomplete="drop")
    assert len(found.examples("it", "en", "train")) == 1
    assert caplog.messages == [f"{tmp_path}/it/en/train.csv:2: the first of 3 incomplete rows that are left out"]


def test_an_answer_that_stands_elsewhere_is_refused_or_left_out(tmp_path: Path) -> None:
    task = {"kind": "span", "columns": {"answers": ["answer", "at"]}}
    rows = ANSWERS + b"Who?,It was Bo.,Bo,3\n"
    with pytest.raises(DataError, match=r"train\.csv:3: the context does not read 'Bo' at character 3"):
        source(tmp_path / "a", "csv", rows, **task).examples("it", "en", "train")
    assert len(source(tmp_path / "b", "csv", rows, **task, incomplete="drop").examples("it", "en", "train")) == 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            '{"question": 7, "context": "Ada", "answers": {"text": ["Ada"], "answer_start": [0]}}',
            "question is 7; write",
        ),
        ('{"question": "Who?", "context": "Ada", "answers": ["Ada"]}', "answers is a list of 1; write"),
        (
            '{"question": "Who?", "context": "Ada", "answers": {"text": ["Ada"], "answer_start": ["0"]}}',
            "answer_start is",
        ),
        ('{"question": "Who?", "context": "Ada", "answers": {"text": ["Ada"], "answer_start": [-1]}}', ""),
        ('{"question": "Who?", "context": "Ada", "answers": {"text": [], "answer_start": []}}', ""),
    ],
)
def test_a_fault_of_another_kind_is_not_left_out(tmp_path: Path, row: str, told: str) -> None:
    whole = '{"question": "Who?", "context": "Ada", "answers": {"text": ["Ada"], "answer_start": [0]}}'
    found = source(tmp_path, "jsonl", f"{whole}\n{row}\n".encode(), kind="span", incomplete="drop")
    if not told:
        assert len(found.examples("it", "en", "train")) == 1
        return
    with pytest.raises(DataError, match=rf"train\.jsonl:2: {told}"):
        found.examples("it", "en", "train")


def test_one_split_is_one_file(tmp_path: Path) -> None:
    found = source(tmp_path, "csv", CSV)
    (tmp_path / "it" / "en" / "test.tsv").write_bytes(TSV)
    with pytest.raises(DataError, match=r"en: test\.csv and test\.tsv are the same split; keep one"):
        found.tasks()


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., Files]:
    datasets = importlib.import_module("datasets")

    def write(rows: dict[str, list[Any]], **features: Any) -> Files:
        place = tmp_path / "it" / "en"
        place.mkdir(parents=True)
        kinds = datasets.Features({name: features.get(name, datasets.Value("string")) for name in rows})
        for split in ("train", "validation", "test"):
            datasets.Dataset.from_dict(rows, features=kinds).to_parquet(place / f"{split}.parquet")
        return Files(tmp_path)

    return write


def test_class_numbers_of_parquet_become_their_names(parquet: Callable[..., Files]) -> None:
    datasets = importlib.import_module("datasets")
    names = datasets.ClassLabel(names=["bad", "good"])
    found = parquet({"text": ["late", "well done"], "label": [0, 1]}, label=names)
    assert found.examples("it", "en", "test")[1] == TextExample(text="well done", label="good")
    assert found.labels("it") == ("bad", "good")


def test_a_bad_row_of_parquet_is_named_by_its_number(parquet: Callable[..., Files]) -> None:
    with pytest.raises(DataError, match=r"train\.parquet row 1: text is ''; fill it in"):
        parquet({"text": ["late", ""], "label": ["bad", "bad"]}).examples("it", "en", "train")
