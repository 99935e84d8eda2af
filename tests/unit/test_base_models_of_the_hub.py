"""Base models of the hub, without it: one commit, from the cache if it is whole, told of before it is fetched."""

import hashlib
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors
from made_up_model import model

from adapeff_sim.base_models.release import resolve
from adapeff_sim.errors import DataError

COMMIT, OTHER = "c" * 40, "d" * 40
SPEC = f"hub:owner/name@{COMMIT}"


class MadeUpHub:
    """Stands in for the hub's functions: a cache that may lack files, and a hub that may not answer."""

    def __init__(self, cached: Path | None, online: Path | None, sha: str = COMMIT, **sizes: int | None) -> None:
        self.cached, self.online, self.sha, self.sizes = cached, online, sha, sizes
        self.asked: list[dict[str, Any]] = []

    def snapshot_download(self, repository: str, **how: Any) -> str:
        self.asked.append({"repository": repository, **how})
        folder = self.cached if how.get("local_files_only") else self.online
        if folder is None:
            raise FileNotFoundError("nothing here")
        return str(folder)

    def model_info(self, repository: str, revision: str, files_metadata: bool) -> Any:
        if self.online is None:
            raise ConnectionError("no route")
        sizes = {file.name: self.sizes.get(file.stem, 1_000_000) for file in self.online.iterdir()}
        files = [SimpleNamespace(rfilename=name, size=size) for name, size in sizes.items()]
        return SimpleNamespace(sha=self.sha, siblings=files)


def use(monkeypatch: pytest.MonkeyPatch, hub: MadeUpHub, offline: bool = False) -> MadeUpHub:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "model_info", hub.model_info)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", offline)
    return hub


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return model(tmp_path / "whole" / COMMIT)


@pytest.mark.parametrize("spec", ["hub:a/b", "hub:a/b@main", f"hub:a/b@{COMMIT[:39]}", f"hub:../b@{COMMIT}", "hub:"])
def test_a_release_is_pinned(spec: str) -> None:
    with pytest.raises(DataError, match="with all 40 digits of the commit"):
        resolve(spec)


def test_a_whole_copy_in_the_cache_needs_no_net(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = use(monkeypatch, MadeUpHub(whole, None), offline=True)
    found = resolve(SPEC)
    assert (found.revision, found.parameters, found.encoder) == (COMMIT, 28, "bert")
    assert hub.asked == [{"repository": "owner/name", "revision": COMMIT, "local_files_only": True}]


def test_it_is_told_how_much_is_fetched_and_pickles_are_not(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    part = model(tmp_path / "part" / COMMIT)
    (part / "model.safetensors").unlink()
    for name in ("pytorch_model.bin", "README.md", "model-1.safetensors"):
        (whole / name).write_bytes(b"of no use")
    hub = use(monkeypatch, MadeUpHub(part, whole, model=1_112_000_000))
    caplog.set_level("INFO", "adapeff_sim")
    assert resolve(SPEC).folder == whole
    assert [ask.get("allow_patterns") for ask in hub.asked] == [
        None,
        ["config.json"],
        ["config.json", "model.safetensors", "tokenizer.json"],
    ]
    assert {ask["revision"] for ask in hub.asked} == {COMMIT}
    (told,) = caplog.messages
    assert caplog.records[0].levelno == logging.INFO  # nothing to be warned of
    assert told.endswith("name@cccccccc…: fetching 3 files, 1,114.0 MB (model.safetensors 1,112.0 MB)")


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"config": None, "tokenizer": None, "model": None}, "3 files of unknown size"),
        ({"tokenizer": None}, "3 files, at least 2.0 MB"),
    ],
)
def test_a_size_that_the_hub_does_not_tell_is_not_made_up(
    whole: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sizes: Any, told: str
) -> None:
    use(monkeypatch, MadeUpHub(None, whole, **sizes))
    caplog.set_level("INFO", "adapeff_sim")
    resolve(SPEC)
    assert told in caplog.text


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"model_type": "gpt2"}, "'gpt2' is a decoder"),
        ({"auto_map": {"AutoModel": "modeling.Evil"}}, "auto_map asks for code of the model's own"),
    ],
)
def test_what_cannot_be_used_is_refused_before_its_weights_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Any, told: str
) -> None:
    hub = use(monkeypatch, MadeUpHub(None, model(tmp_path / COMMIT, **broken)))
    with pytest.raises(DataError, match=told):
        resolve(SPEC)
    assert hub.asked[-1]["allow_patterns"] == ["config.json"]


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ("model.safetensors", "no model.safetensors, only pickles, and none is loaded; .* and give path:FOLDER"),
        ("tokenizer.json", r"no tokenizer.json; .* and give path:FOLDER"),
    ],
)
def test_what_lacks_a_file_is_refused_before_anything_comes(
    whole: Path, monkeypatch: pytest.MonkeyPatch, without: str, told: str
) -> None:
    (whole / without).unlink()
    (whole / "pytorch_model.bin").write_bytes(b"a pickle")
    hub = use(monkeypatch, MadeUpHub(None, whole))
    with pytest.raises(DataError, match=told):
        resolve(SPEC)
    assert len(hub.asked) == 1


def answer(kind: type[Exception]) -> Any:
    def refuse(*_: object, **__: object) -> None:
        raise kind("404", response=SimpleNamespace(headers={}, request=None))

    return refuse


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (errors.RevisionNotFoundError, f"the hub knows no commit {COMMIT} of it; copy one"),
        (errors.RepositoryNotFoundError, "the hub knows no such model.*check name"),
        (errors.GatedRepoError, "asks for consent first"),
    ],
)
def test_what_the_hub_does_not_have(monkeypatch: pytest.MonkeyPatch, kind: type[Exception], told: str) -> None:
    use(monkeypatch, MadeUpHub(None, None))
    monkeypatch.setattr(huggingface_hub, "model_info", answer(kind))
    with pytest.raises(DataError, match=told):
        resolve(SPEC)


def test_another_commit_is_not_taken(tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, MadeUpHub(None, whole, sha=OTHER))
    with pytest.raises(DataError, match=f"answers with commit {OTHER}; give all 40 digits"):
        resolve(SPEC)
    use(monkeypatch, MadeUpHub(model(tmp_path / "snapshots" / OTHER), None), offline=True)
    with pytest.raises(DataError, match=f"{OTHER} is a copy of another commit; remove it"):
        resolve(SPEC)


def test_without_a_net_it_is_told_which_commits_the_cache_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = use(monkeypatch, MadeUpHub(None, None), offline=True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match="not whole in the cache, and HF_HUB_OFFLINE is set; unset it to fetch"):
        resolve(SPEC)
    assert len(hub.asked) == 1
    model(tmp_path / "models--owner--name" / "snapshots" / OTHER)
    with pytest.raises(DataError, match=rf"not whole in the cache .which has {OTHER}., and HF_HUB_OFFLINE is set"):
        resolve(SPEC)


def test_a_hub_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, MadeUpHub(None, None))
    with pytest.raises(DataError, match=r"could not be fetched .ConnectionError: no route.; check name and net"):
        resolve(SPEC)


def test_weights_that_were_changed_in_the_cache_are_noticed(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, blobs = whole / "model.safetensors", tmp_path / "blobs"
    blobs.mkdir()
    use(monkeypatch, MadeUpHub(whole, None), offline=True)
    content = resolve(SPEC)
    kept = blobs / hashlib.sha256(weights.read_bytes()).hexdigest()
    weights.rename(kept)
    weights.symlink_to(kept)
    assert resolve(SPEC) == content
    kept.write_bytes(kept.read_bytes()[:-1] + b"\1")
    with pytest.raises(DataError, match=r"model\.safetensors in the cache is not what was fetched; remove"):
        resolve(SPEC)


def test_the_settings_of_the_tokenizer_are_looked_at_too(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["evil.Tokenizer", None]}}))
    use(monkeypatch, MadeUpHub(whole, None))
    with pytest.raises(DataError, match=r"tokenizer_config\.json: auto_map asks for code"):
        resolve(SPEC)
