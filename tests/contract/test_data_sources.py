"""Every data source, found by its file, keeps the contract in ``data/base.py``."""

import importlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from adapeff_sim.data import helpdesk
from adapeff_sim.data.base import SOURCES, DataSource
from adapeff_sim.data.examples import EXAMPLE_OF, Split, TaskKind, content_digest, take
from adapeff_sim.data.rows import labels_of
from adapeff_sim.errors import DataError

SPLITS: tuple[Split, ...] = get_args(Split)
LANGUAGES = ("de", "en")
KINDS = {"mood": "classification", "same": "pair", "names": "tagging", "cause": "choice", "answer": "span"}


def rows(kind: str, language: str, split: str) -> Iterator[dict[str, Any]]:
    """Twelve rows of a kind, in no language that anybody speaks."""
    for i in range(12):
        name = f"{language} {split} {i}"
        row_of: dict[str, dict[str, Any]] = {
            "classification": {"text": name, "label": "good" if i % 2 else "bad"},
            "pair": {"premise": name, "hypothesis": name, "label": "same" if i % 3 else "other"},
            "tagging": {"tokens": name.split(), "tags": ["B-LANG", "O", "O"]},
            "choice": {"premise": name, "question": "cause", "choices": ["it", "they"], "label": i % 2},
            "span": {"question": "which?", "context": name, "answers": {"text": [language], "answer_start": [0]}},
        }
        yield row_of[kind]


def small_folder(folder: Path) -> Path:
    """A folder as ``files`` and ``hub`` read it: one task of each kind in two languages."""
    for task, kind in KINDS.items():
        for language in LANGUAGES:
            place = folder / task / language
            place.mkdir(parents=True)
            for split in SPLITS:
                lines = [json.dumps(row) + "\n" for row in rows(kind, language, split)]
                (place / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def hub_options(folder: Path) -> dict[str, Any]:
    """One task of a repository; the tests of ``hub`` go through the other kinds."""
    languages = {language: language for language in LANGUAGES}
    return {"id": str(folder / "mood"), "tasks": {"mood": {"kind": "classification", "languages": languages}}}


ARGUMENTS: dict[str, Callable[[Path], tuple[Any, ...]]] = {
    "files": lambda folder: (folder,),
    "helpdesk": lambda folder: ({"size": 150},),  # tests/corpus goes through all of it
    "hub": lambda folder: (hub_options(folder),),
}  # a source that is not named here is made without arguments
STATED = {"stated"}  # has sizes and no rows: tests/unit/test_stated_rows.py


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The small folder, and a cache of its own for the library that ``hub`` reads through."""
    datasets = importlib.import_module("datasets")
    place = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", place / "cache")
        yield small_folder(place / "rows")
    datasets.enable_progress_bars()


@pytest.fixture(scope="module", params=[name for name in SOURCES.names() if name not in STATED])
def make(request: pytest.FixtureRequest, folder: Path) -> Callable[[], DataSource]:
    """Makes the source anew, with nothing in its memory."""
    arguments = ARGUMENTS[request.param](folder) if request.param in ARGUMENTS else ()

    def anew() -> DataSource:
        helpdesk._drawn.cache_clear()
        helpdesk._worded.cache_clear()
        return SOURCES.get(request.param)(*arguments)

    return anew


@pytest.fixture(scope="module")
def source(make: Callable[[], DataSource]) -> DataSource:
    return make()


def endpoints(source: DataSource) -> list[tuple[str, str]]:
    """Every task in its first and its last language: enough to see the contract kept."""
    return [
        (task, at)
        for task in source.tasks()
        for at in sorted({*source.languages(task)[:1], *source.languages(task)[-1:]})
    ]


def test_tasks_have_kinds(source: DataSource) -> None:
    assert source.tasks()
    assert all(isinstance(kind, TaskKind) for kind in source.tasks().values())


def test_languages_are_sorted_and_single(source: DataSource) -> None:
    for task in source.tasks():
        assert source.languages(task)
        assert list(source.languages(task)) == sorted(set(source.languages(task)))


def test_every_split_has_rows_of_its_tasks_kind(source: DataSource) -> None:
    for task, language in endpoints(source):
        assert source.splits(task, language) == SPLITS
        for split in SPLITS:
            found = source.examples(task, language, split)
            assert isinstance(found, tuple)
            assert found
            assert {type(example) for example in found} == {EXAMPLE_OF[source.tasks()[task]]}


def test_labels_are_sorted_and_those_of_the_rows(source: DataSource) -> None:
    for task, kind in source.tasks().items():
        assert list(source.labels(task)) == sorted(set(source.labels(task)))
        assert bool(source.labels(task)) == (kind not in (TaskKind.CHOICE, TaskKind.SPAN))
    for task, language in endpoints(source):
        for split in SPLITS:
            used = {label for example in source.examples(task, language, split) for label in labels_of(example)}
            assert used <= set(source.labels(task))


def test_the_same_question_gets_the_same_answer(source: DataSource, make: Callable[[], DataSource]) -> None:
    random.seed(0)
    other = make()
    random.seed(1)
    assert dict(other.tasks()) == dict(source.tasks())
    for task, language in reversed(endpoints(source)):
        assert other.languages(task) == source.languages(task)
        assert other.labels(task) == source.labels(task)
        for split in reversed(SPLITS):
            found = other.examples(task, language, split)
            assert content_digest(found) == content_digest(source.examples(task, language, split))
            assert other.examples(task, language, split) == found


def test_the_splits_share_no_row(source: DataSource) -> None:
    for task, language in endpoints(source):
        digests = [{content_digest([e]) for e in source.examples(task, language, split)} for split in SPLITS]
        assert not (digests[0] & digests[2] or digests[0] & digests[1] or digests[1] & digests[2])


def test_fewer_rows_are_among_more_rows(source: DataSource) -> None:
    for task, language in endpoints(source):
        every = source.examples(task, language, "train")
        few, more = take(every, 3, 7, task, language), take(every, 8, 7, task, language)
        assert more[:3] == few
        assert sorted(map(repr, take(every, None, 7, task, language))) == sorted(map(repr, every))


def test_an_unknown_name_lists_what_there_is(source: DataSource) -> None:
    task = sorted(source.tasks())[0]
    for ask in (source.languages, source.labels, lambda name: source.examples(name, "en", "train")):
        with pytest.raises(DataError, match=task):
            ask("no_such_task")
    language = source.languages(task)[0]
    with pytest.raises(DataError, match=rf"\b{language}\b"):
        source.examples(task, "xx", "train")


def test_a_version_that_is_not_there(source: DataSource) -> None:
    task = sorted(source.tasks())[0]
    for version in (0, -1):
        with pytest.raises(DataError):
            source.examples(task, source.languages(task)[0], "train", version)
