"""What is told before something is downloaded, and what keeps it from being; no network, a hub that is made up."""

import importlib
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapeff_sim.data.examples import TextExample
from adapeff_sim.data.hub import Hub
from adapeff_sim.errors import DataError
from adapeff_sim.execution.sources import go_offline

COMMIT = "a" * 40
TASK = {"kind": "classification", "languages": ["en"]}
ROWS = [{"text": "late", "label": "bad"}]


class MadeUp:
    """A hub with one repository, and the library's reader of its one config."""

    def __init__(self, folder: Path, size: int | None) -> None:
        self.folder, self.size = folder, size
        self.asked: list[str] = []
        path = f"hf://datasets/owner/name@{COMMIT}/en/train.parquet"
        self.hash, self.cache_dir = COMMIT, str(folder / "cache")
        self.config = SimpleNamespace(data_files={"train": [path], "test": [path.replace("train", "test")]})
        self.info = SimpleNamespace(download_size=7_000_000)

    def get_paths_info(self, name: str, paths: list[str], **asked: Any) -> list[Any]:
        assert (name, asked) == ("owner/name", {"repo_type": "dataset", "revision": COMMIT})
        if self.size is None:
            raise OSError("the hub does not tell")
        return [SimpleNamespace(size=self.size) for _ in paths]

    def download_and_prepare(self) -> None:
        self.asked.append("download")

    def as_dataset(self, split: str) -> Any:
        return importlib.import_module("datasets").Dataset.from_list(ROWS)

    def hf_hub_download(self, name: str, path: str, **asked: Any) -> str:
        self.asked.append(path)
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        return str(self.folder / path)


def use(monkeypatch: pytest.MonkeyPatch, hub: MadeUp, offline: bool = False) -> MadeUp:
    datasets, huggingface_hub = (importlib.import_module(name) for name in ("datasets", "huggingface_hub"))
    monkeypatch.setattr(datasets, "load_dataset_builder", lambda *_, **__: hub)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", hub.folder / "datasets")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub.hf_hub_download)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", offline)
    return hub


def source(**task: Any) -> Hub:
    return Hub({"id": "owner/name", "revision": COMMIT, "tasks": {"mood": TASK | task}})


@pytest.mark.parametrize(("size", "told"), [(1_500_000, "2 files, 3.0 MB"), (None, "2 files, 7.0 MB")])
def test_a_first_use_says_what_is_downloaded_and_how_big_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int | None, told: str
) -> None:
    caplog.set_level("INFO", "adapeff_sim")
    hub = use(monkeypatch, MadeUp(tmp_path, size))
    assert source().examples("mood", "en", "train") == (TextExample(text="late", label="bad"),)
    name = f"owner/name config=en at {COMMIT[:12]}"
    assert caplog.messages == [f"{name} is not in the cache yet: downloading {told}, to {hub.cache_dir}"]
    assert hub.asked == ["download"]


def test_what_is_in_the_cache_is_read_without_a_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "adapeff_sim")
    hub = use(monkeypatch, MadeUp(tmp_path, 1))
    Path(hub.cache_dir).mkdir()
    source().examples("mood", "en", "train")
    assert not caplog.messages


def test_files_are_fetched_one_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "adapeff_sim")
    hub = use(monkeypatch, MadeUp(tmp_path, 2_000))
    found = source(files={"train": "rows/{language}.jsonl", "test": "rows/{language}.pkl"})
    assert found.examples("mood", "en", "train") == (TextExample(text="late", label="bad"),)
    assert hub.asked == ["rows/en.jsonl"] and "1 file, 0.0 MB" in caplog.text
    with pytest.raises(DataError, match=r"owner/name rows/en\.pkl: no ending that can be read"):
        found.examples("mood", "en", "test")
    with pytest.raises(DataError, match="no validation rows of mood in en; there are train, test"):
        found.examples("mood", "en", "validation")
    with pytest.raises(DataError, match="config and splits have no effect"):
        source(files={"train": "{language}.csv"}, config="{language}")


def test_a_commit_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, MadeUp(tmp_path, 1))
    datasets = importlib.import_module("datasets")

    def absent(*_: Any, **__: Any) -> None:
        raise datasets.exceptions.DatasetNotFoundError(f"Revision '{COMMIT}' doesn't exist for dataset 'owner/name'.")

    monkeypatch.setattr(datasets, "load_dataset_builder", absent)
    with pytest.raises(DataError, match=f"no commit {COMMIT} in owner/name; copy it from the repository's page"):
        source().examples("mood", "en", "train")


def test_offline_is_for_everything_that_was_imported_and_will_be(monkeypatch: pytest.MonkeyPatch) -> None:
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setitem(sys.modules, "datasets.config", SimpleNamespace(HF_HUB_OFFLINE=False))
    go_offline()
    assert constants.HF_HUB_OFFLINE and os.environ["HF_HUB_OFFLINE"] == "1"
    assert sys.modules["datasets.config"].HF_HUB_OFFLINE  # type: ignore[attr-defined]
