"""Every ready-made mapping, read from a small folder that is laid out as the repository is; rows are ours."""

import gzip
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapeff_sim.data.examples import EXAMPLE_OF, SpanExample
from adapeff_sim.data.hub import Hub
from adapeff_sim.data.ready import ready, ready_names
from adapeff_sim.data.repository import COMMIT
from adapeff_sim.errors import DataError
from adapeff_sim.scenario.entries import SAFE_NAME

BIO = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
NLI = {"premise": "It rains.", "hypothesis": "It is wet.", "label": 0}
PAIR = {"id": 3, "sentence1": "A saw B.", "sentence2": "B saw A.", "label": 1}
TAGS = {"tokens": ["Ada", "sat"], "ner_tags": [1, 0]}
ASKED = {"id": "q1", "question": "Who?", "context": "Ada.", "answers": {"text": ["Ada"], "answer_start": [0]}}
CAUSE = {
    "premise": "It fell.",
    "choice1": "It slipped.",
    "choice2": "It sang.",
    "question": "cause",
    "label": 1,
    "idx": 4,
}
# language here, file at the commit, raw row, classes of a column, what the row becomes
LAYOUTS: dict[str, tuple[str, str, dict[str, Any], dict[str, list[str]], dict[str, Any]]] = {
    "xnli": (
        "sw",
        "sw/{split}-00000-of-00001.parquet",
        NLI,
        {"label": ["entailment", "neutral", "contradiction"]},
        {"label": "entailment"},
    ),
    "indicxnli": ("ta", "forward/{split}/xnli_ta.json", NLI, {}, {"label": "entailment"}),
    "paws_x": (
        "de",
        "de/{split}-00000-of-00001.parquet",
        PAIR,
        {"label": ["0", "1"]},
        {"premise": "A saw B.", "label": "paraphrase"},
    ),
    "conll2003": (
        "en",
        "data/{split}-00000-of-00001.parquet",
        {"id": "0", **TAGS},
        {"ner_tags": [*BIO, "B-MISC", "I-MISC"]},
        {"tags": ("B-PER", "O")},
    ),
    "wikiann": ("no", "no/{split}-00000-of-00001.parquet", TAGS, {"ner_tags": BIO}, {"tags": ("B-PER", "O")}),
    "squad": ("en", "plain_text/{split}-00000-of-00001.parquet", ASKED, {}, {"id": "q1", "context": "Ada."}),
    "xquad": ("hi", "xquad.hi/{split}-00000-of-00001.parquet", ASKED, {}, {"question": "Who?"}),
    "xcopa": (
        "et",
        "et/{split}-00000-of-00001.parquet",
        CAUSE,
        {},
        {"choices": ("It slipped.", "It sang."), "label": 1, "question": "cause"},
    ),
    "massive": (
        "zh",
        "{split}/zh-CN.json.gz",
        {"id": "1", "label": "alarm_set", "text": "at six", "lang": "zh-CN"},
        {},
        {"label": "alarm_set"},
    ),
    "sib200": (
        "en",
        "eng_Latn/{split}.parquet",
        {"index_id": 9, "category": "travel", "text": "far away"},
        {},
        {"id": "9", "label": "travel"},
    ),
}
SPLITS = {"squad": ("train", "validation"), "xquad": ("validation",), "xcopa": ("validation", "test")}
ROWS = 100  # xcopa's validation rows are parted after the 80th


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    datasets = importlib.import_module("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    yield
    datasets.enable_progress_bars()


def laid_out(name: str, folder: Path) -> Path:
    """The folder of one mapping's repository, in one language."""
    datasets = importlib.import_module("datasets")
    _, place, row, classes, _ = LAYOUTS[name]
    for split in SPLITS.get(name, ("train", "validation", "test")):
        file = folder / place.format(split={"validation": "dev"}.get(split, split) if name == "indicxnli" else split)
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".json":
            file.write_text(json.dumps({split: [row] * 2}))
        elif file.suffix == ".gz":
            file.write_bytes(gzip.compress((json.dumps(row) + "\n").encode() * 2))
        else:
            rows = datasets.Dataset.from_list([row] * ROWS)
            for column, names in classes.items():
                label = datasets.ClassLabel(names=names)
                rows = rows.cast_column(column, datasets.List(label) if column == "ner_tags" else label)
            rows.to_parquet(file)
    if name == "massive":  # its card says which file is which language
        files = [{"split": s, "path": f"{s}/zh-CN.json.gz"} for s in ("train", "validation", "test")]
        configs = json.dumps([{"config_name": "zh-CN", "data_files": files}])
        (folder / "README.md").write_text(f"---\nconfigs: {configs}\n---\n")
    return folder


def test_every_mapping_has_a_layout_and_a_commit() -> None:
    assert set(ready_names()) == set(LAYOUTS)
    for name in ready_names():
        options = ready(name)
        assert COMMIT.fullmatch(options["revision"]) and options["about"]
        source = Hub(name)
        assert all(SAFE_NAME.fullmatch(at) for task in source.tasks() for at in (task, *source.languages(task)))


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_mapping_reads_what_its_repository_has(name: str, tmp_path: Path) -> None:
    language, _, _, _, expected = LAYOUTS[name]
    source = Hub({"mapping": name, "id": str(laid_out(name, tmp_path / name)), "languages": [language]})
    ((task, kind),) = source.tasks().items()
    assert source.languages(task) == (language,)
    assert source.splits(task, language)[-1] == "test"
    for split in source.splits(task, language):
        rows = source.examples(task, language, split)
        assert type(rows[0]) is EXAMPLE_OF[kind]
        assert {field: getattr(rows[0], field) for field in expected} == expected
        assert isinstance(rows[0], SpanExample) or expected.get("label", "") in (*source.labels(task), "", 1)
    if name == "xcopa":
        assert [len(source.examples(task, language, s)) for s in ("train", "validation", "test")] == [80, 20, 100]
    if name == "xquad":
        with pytest.raises(DataError, match="no train rows of qa in hi; there are test"):
            source.examples(task, language, "train")


def test_several_mappings_are_put_together(tmp_path: Path) -> None:
    squad, xquad = ({"mapping": name, "id": str(laid_out(name, tmp_path / name))} for name in ("squad", "xquad"))
    source = Hub([squad, xquad | {"languages": ["hi", "de"]}, "massive"])
    assert source.languages("qa") == ("de", "en", "hi") and set(source.tasks()) == {"qa", "intent"}
    assert len(source.labels("intent")) == 60
    assert source.splits("qa", "hi") == ("test",) and len(source.splits("qa", "en")) == 3
    with pytest.raises(DataError, match=r"qa/en is in .*squad and .*xquad; leave it out of one with languages"):
        Hub([squad, xquad])
    with pytest.raises(DataError, match=r"hub\.languages: unknown language 'xx'"):
        Hub({"mapping": "xnli", "languages": ["xx"]})
    with pytest.raises(DataError, match=r"unknown ready-made mapping 'xnly'; did you mean 'xnli'\?"):
        Hub("xnly")
