"""A dataset repository: read through the datasets library, pinned to a commit; here from local folders, no network."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from late import Late

from adapeff_sim.data import repository
from adapeff_sim.data.examples import ChoiceExample, PairExample, SpanExample, TaskKind, TextExample, TokensExample
from adapeff_sim.data.hub import Hub
from adapeff_sim.errors import DataError

datasets, huggingface_hub = Late("datasets"), Late("huggingface_hub")
COMMIT, OTHER = "a" * 40, "b" * 40
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and no network."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    yield tmp_path / "cache"
    datasets.enable_progress_bars()


def json_lines(folder: Path, rows: list[dict[str, Any]], **other: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in other.get(split, rows)))
    return folder


def parquet(folder: Path, rows: dict[str, list[Any]], features: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        datasets.Dataset.from_dict(rows, features=features).to_parquet(folder / f"{split}-00000.parquet")
    return folder


def hub(folder: Path, kind: str, **task: Any) -> Hub:
    return Hub({"id": str(folder), "tasks": {"task": {"kind": kind, "languages": {"en": "default"}, **task}}})


def test_class_numbers_become_their_names(tmp_path: Path) -> None:
    mood = datasets.Features({"tweet": datasets.Value("string"), "mood": datasets.ClassLabel(names=["bad", "good"])})
    folder = parquet(tmp_path / "d", {"tweet": ["a", "b"], "mood": [1, 0]}, mood)
    source = hub(folder, "classification", columns={"text": "tweet", "label": "mood"})
    assert source.examples("task", "en", "train") == (
        TextExample(text="a", label="good"),
        TextExample(text="b", label="bad"),
    )
    assert source.tasks() == {"task": TaskKind.CLASSIFICATION}
    assert source.labels("task") == ("bad", "good")


def test_tag_numbers_become_their_names(tmp_path: Path) -> None:
    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-PER"]))
    features = datasets.Features({"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": tags})
    folder = parquet(tmp_path / "d", {"tokens": [["Ada", "sat"]], "ner_tags": [[1, 0]]}, features)
    source = hub(folder, "tagging", columns={"tags": "ner_tags"})
    assert source.examples("task", "en", "test") == (TokensExample(tokens=("Ada", "sat"), tags=("B-PER", "O")),)


def test_a_row_without_a_class_is_refused(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["x"])})
    folder = parquet(tmp_path / "d", {"text": ["a"], "label": [-1]}, features)
    with pytest.raises(DataError, match="split=test row 0: class -1 has no name"):
        hub(folder, "classification").examples("task", "en", "test")


def test_a_row_without_a_class_can_be_left_out(tmp_path: Path) -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["0", "1"])})
    folder = parquet(tmp_path / "d", {"text": ["a", "b"], "label": [-1, 1]}, features)
    source = hub(folder, "classification", labels={"0": "bad", "1": "good"}, incomplete="drop")
    assert source.examples("task", "en", "test") == (TextExample(text="b", label="good"),)
    assert source.labels("task") == ("bad", "good")


def test_candidates_may_lie_in_columns_of_their_own(tmp_path: Path) -> None:
    features = datasets.Features(
        {name: datasets.Value("string") for name in ("premise", "choice1", "choice2", "question")}
        | {"idx": datasets.Value("int32"), "label": datasets.ClassLabel(names=["choice1", "choice2"])}
    )
    values: dict[str, list[Any]] = {
        "premise": ["It fell."],
        "choice1": ["a"],
        "choice2": ["b"],
        "question": ["cause"],
        "idx": [5],
    }
    folder = parquet(tmp_path / "d", values | {"label": [1]}, features)
    columns = {"choices": ["choice1", "choice2"], "question": "question", "id": "idx"}
    (row,) = hub(folder, "choice", columns=columns).examples("task", "en", "train")
    assert row == ChoiceExample(id="5", premise="It fell.", question="cause", choices=("a", "b"), label=1)


def test_answers_as_the_squad_files_have_them(tmp_path: Path) -> None:
    row = {"question": "Who?", "context": "It was Ada.", "answers": {"text": ["Ada"], "answer_start": [7]}}
    (found,) = hub(json_lines(tmp_path / "d", [row]), "span").examples("task", "en", "validation")
    assert isinstance(found, SpanExample)
    assert found.answers[0].answer_start == 7


def test_a_column_can_tell_languages_apart(tmp_path: Path) -> None:
    rows = [
        {"s1": "a", "s2": "b", "label": 0, "lang": "eng"},
        {"s1": "c", "s2": "d", "label": 1, "lang": "deu"},
    ]
    columns = {"premise": "s1", "hypothesis": "s2", "language": "lang"}
    folder = json_lines(tmp_path / "d", rows)
    source = hub(folder, "pair", columns=columns, languages={"en": "eng", "de": "deu", "sw": "swa"})
    assert source.languages("task") == ("de", "en", "sw")
    assert source.examples("task", "de", "train") == (PairExample(premise="c", hypothesis="d", label="1"),)
    with pytest.raises(DataError, match="no column 'language_id'; columns are s1, s2, label, lang"):
        hub(folder, "pair", columns=columns | {"language": "language_id"}).examples("task", "en", "train")
    with pytest.raises(DataError, match="no rows with lang 'swa'"):
        source.examples("task", "sw", "train")


@pytest.mark.parametrize(("config", "words"), [(None, ("en", "de")), ("mood_{language}", ("eng", "deu"))])
def test_a_config_can_tell_languages_apart(tmp_path: Path, config: str | None, words: tuple[str, str]) -> None:
    languages = dict(zip(("en", "de"), words, strict=True))
    for language, word in languages.items():
        json_lines(tmp_path / "d" / (config or "{language}").format(language=word), [{"text": language, "label": "x"}])
    source = hub(tmp_path / "d", "classification", config=config, languages=languages)
    for language in languages:
        assert source.examples("task", language, "test") == (TextExample(text=language, label="x"),)


def test_splits_may_have_other_names(tmp_path: Path) -> None:
    folder = json_lines(tmp_path / "d", [{"text": "a", "label": "x"}], test=[{"text": "t", "label": "x"}])
    source = hub(folder, "classification", splits={"validation": "test"})
    assert source.examples("task", "en", "validation") == (TextExample(text="t", label="x"),)
    with pytest.raises(DataError, match=r"split=dev: .*Unknown split"):
        hub(folder, "classification", splits={"test": "dev"}).examples("task", "en", "test")


@pytest.mark.parametrize("task", [{}, {"files": {"train": "train.jsonl"}}])
def test_a_rewritten_file_is_read_again_whatever_its_time_of_change_says(tmp_path: Path, task: dict[str, Any]) -> None:
    for text in "ab":
        folder = json_lines(tmp_path / "d", [{"text": text, "label": "x"}])
        for path in folder.iterdir():
            os.utime(path, ns=(10**18, 10**18))
        found = hub(folder, "classification", **task).examples("task", "en", "train")
        assert found == (TextExample(text=text, label="x"),)


OUTSIDE = r"leads out of .*; name a file in it"


@pytest.mark.parametrize(
    "name", ["../secret.jsonl", "{folder}/secret.jsonl", "link.jsonl", "{{language}}/secret.jsonl"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    json_lines(tmp_path, [{"text": "secret", "label": "x"}])
    (tmp_path / "train.jsonl").rename(tmp_path / "secret.jsonl")
    folder = json_lines(tmp_path / "d", [{"text": "a", "label": "x"}])
    (folder / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    files = {"train": name.format(folder=tmp_path)}
    with pytest.raises(DataError, match=OUTSIDE):
        hub(folder, "classification", files=files, languages={"en": ".."}).examples("task", "en", "train")


def test_no_card_and_no_repository_leads_out_of_itself(tmp_path: Path) -> None:
    folder = json_lines(tmp_path / "d", [{"text": "a", "label": "x"}])
    (folder / "train.jsonl").rename(tmp_path / "train.jsonl")
    (folder / "train.jsonl").symlink_to(tmp_path / "train.jsonl")
    with pytest.raises(DataError, match=OUTSIDE):
        hub(folder, "classification").examples("task", "en", "train")
    task = TASK | {"files": {"train": "../../{language}.jsonl"}}
    with pytest.raises(DataError, match="leads out of owner/name; name a file of the repository"):
        Hub({"id": "owner/name", "revision": COMMIT, "tasks": {"t": task}}).examples("t", "en", "train")


def test_an_evaluation_label_that_is_never_trained(tmp_path: Path) -> None:
    folder = json_lines(tmp_path / "d", [{"text": "a", "label": "x"}], test=[{"text": "t", "label": "y"}])
    with pytest.raises(DataError, match="split=test row 0: label 'y' is in no training row"):
        hub(folder, "classification").labels("task")


def test_columns_and_rows_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    folder = json_lines(tmp_path / "d", [{"text": None, "label": "x"}])
    with pytest.raises(DataError, match="no column 'tweet'; columns are text, label"):
        hub(folder, "classification", columns={"text": "tweet"}).examples("task", "en", "train")
    with pytest.raises(DataError, match="split=train row 0: text is null; write a string"):
        hub(folder, "classification").examples("task", "en", "train")
    with pytest.raises(DataError, match="no version 2"):
        hub(folder, "classification").examples("task", "en", "train", 2)


def test_files_that_no_reader_understands(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "train.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="split=train: "):
        hub(tmp_path / "d", "classification").examples("task", "en", "train")


TASK = {"kind": "classification", "languages": {"en": "en"}}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"id": "owner/name", "tasks": {"t": TASK}}, "hub.revision: missing for owner/name; give the 40-digit commit"),
        ({"id": "owner/name", "revision": "main", "tasks": {"t": TASK}}, "'main' is no commit"),
        ({"id": "owner/name", "revision": "a" * 39, "tasks": {"t": TASK}}, "is no commit"),
        ({"id": "../x/y", "revision": COMMIT, "tasks": {"t": TASK}}, "give owner/name"),
        ({"id": "name", "revision": COMMIT, "tasks": {"t": TASK}}, "give owner/name"),
        ({"id": "x" * 300, "tasks": {"t": TASK}}, "is no folder (File name too long); give one that is"),
        ({"id": "no such folder", "tasks": {"t": TASK}}, "is no folder here and no owner/name"),
        ({"id": "owner/name", "revision": COMMIT}, "hub.tasks: missing; add it, or name a ready-made mapping"),
        (
            {"id": "owner/name", "revision": COMMIT, "tasks": {"t": TASK}, "trust": True},
            "hub.trust: unknown key; known: about, id",
        ),
        ({"id": "o/n", "revision": COMMIT, "tasks": {"t": TASK | {"kind": "song"}}}, "hub.tasks.t.kind: "),
        ({"id": "o/n", "revision": COMMIT, "tasks": {"t": TASK | {"languages": {}}}}, "hub.tasks.t.languages: "),
        ({"id": "o/n", "revision": COMMIT, "tasks": {"t": TASK | {"columns": {"txt": "x"}}}}, "columns names 'txt'"),
        ({"id": "o/n", "revision": COMMIT, "tasks": {"t": TASK | {"columns": {"text": ["x"]}}}}, "only choices"),
        (
            {
                "id": "o/n",
                "revision": COMMIT,
                "tasks": {"t": TASK | {"config": "all", "languages": {"a": "b", "c": "d"}}},
            },
            "every language would read the same config",
        ),
        ("owner/name", "unknown ready-made mapping 'owner/name'; known: "),
        (3, "hub: "),
    ],
)
def test_options_that_cannot_be_meant(options: Any, told: str) -> None:
    with pytest.raises(DataError) as error:
        Hub(options)
    assert told in str(error.value)


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a folder has no revision, so leave it out"):
        Hub({"id": str(tmp_path), "revision": COMMIT, "tasks": {"t": TASK}})


def in_cache(folder: Path, cache: Path, commit: str) -> None:
    """Lay rows in the library's cache as if ``owner/name`` had been fetched at a commit."""
    datasets.load_dataset(str(folder), cache_dir=str(cache))
    (place,) = [path.parent for path in cache.rglob("dataset_info.json")]
    (cache / "owner___name" / "default" / "0.0.0").mkdir(parents=True)
    target = place.rename(cache / "owner___name" / "default" / "0.0.0" / commit)
    for path in target.glob("*.arrow"):
        path.rename(target / f"name-{path.name.rpartition('-')[2]}")
    info = json.loads((target / "dataset_info.json").read_text())
    (target / "dataset_info.json").write_text(json.dumps(info | {"dataset_name": "name"}))


@pytest.mark.parametrize("commit", [COMMIT, OTHER])
def test_offline_only_the_commit_asked_for_is_read(tmp_path: Path, cache: Path, commit: str) -> None:
    in_cache(json_lines(tmp_path / "d", [{"text": "a", "label": "x"}]), cache, commit)
    task = TASK | {"languages": {"en": "default"}}
    source = Hub({"id": "owner/name", "revision": COMMIT, "tasks": {"task": task}})
    if commit == COMMIT:
        assert source.examples("task", "en", "train") == (TextExample(text="a", label="x"),)
    else:
        with pytest.raises(DataError, match=f"only another commit is in the cache .{OTHER}.; go online"):
            source.examples("task", "en", "train")


def test_offline_a_mistyped_name_is_told_as_one(tmp_path: Path, cache: Path) -> None:
    in_cache(json_lines(tmp_path / "d", [{"text": "a", "label": "x"}]), cache, COMMIT)
    task = TASK | {"languages": {"en": "default"}}
    for change, told in (
        ({"splits": {"train": "trian"}}, 'Unknown split "trian".*; check config and split$'),
        ({"config": "defualt"}, "not in the cache, and offline .*'defualt'.*; go online once.*; or correct config$"),
    ):
        source = Hub({"id": "owner/name", "revision": COMMIT, "tasks": {"task": task | change}})
        with pytest.raises(DataError, match=told):
            source.examples("task", "en", "train")


def test_offline_with_nothing_in_the_cache() -> None:
    source = Hub({"id": "owner/name", "revision": COMMIT, "tasks": {"task": TASK}})
    with pytest.raises(DataError, match=r"config=en split=train: not in the cache, and offline.*; go online"):
        source.examples("task", "en", "train")


def test_a_hub_that_does_not_answer_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> None:
        raise RuntimeError("Max retries exceeded with url") from ConnectionError("no route")

    monkeypatch.setattr(repository, "is_offline", lambda: False)
    monkeypatch.setattr("datasets.load_dataset_builder", silent)
    source = Hub({"id": "owner/name", "revision": COMMIT, "tasks": {"task": TASK}})
    with pytest.raises(DataError) as error:
        source.examples("task", "en", "train")
    assert str(error.value).startswith("owner/name config=en split=train: the hub does not answer; go online, or ")
