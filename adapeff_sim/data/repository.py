"""One split of a dataset repository at one commit, got through ``datasets`` and ``huggingface_hub``.

What is not in the cache is told of before it is downloaded: how many files, how big, and where to. Nothing of a
repository is run. A copy of another commit that happens to lie in the cache is refused.
"""

import hashlib
import importlib
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from adapeff_sim.data.columns import Table
from adapeff_sim.data.files import folder_named
from adapeff_sim.data.formats import class_names
from adapeff_sim.data.rows import clean, shown
from adapeff_sim.errors import DataError

LOG = logging.getLogger(__name__)
COMMIT = re.compile(r"[0-9a-f]{40}")
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
HUB_PATH = re.compile(r"hf://datasets/[^/]+/[^/@]+@[^/]+/(.+)")
OTHER_CONFIGS = "Couldn't find cache"  # how the library begins where the cache has other configs alone
CARDS = ("README.md", ".huggingface.yaml", "dataset_infos.json")  # what a folder says of its own files
LOADERS = {"json": "json", "jsonl": "json", "csv": "csv", "parquet": "parquet"}  # by a file's ending
SILENCE = ("ConnectionError", "ConnectError", "MaxRetryError", "NameResolutionError", "ProxyError", "SSLError")
PIN = "copy it from the repository's page on the hub: Files and versions, History"


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on the hub at a commit, or a local folder that is laid out like one, which has none."""

    id: str
    revision: str | None
    folder: Path | None
    _builders: dict[str | None, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def at(cls, name: str, revision: str | None) -> "Repository":
        """The repository of that name, which must be pinned. Raises DataError for what is none."""
        folder = folder_named(name, "hub.id")
        if revision is None:
            if folder.is_dir():
                return cls(name, None, folder.resolve())
            if REPOSITORY.fullmatch(name):
                raise DataError(f"hub.revision: missing for {name}; give the 40-digit commit to read, {PIN}")
            raise DataError(f"hub.id: {shown(name)} is no folder here and no owner/name; give one of them")
        if not COMMIT.fullmatch(revision):
            fix = "give all its 40 digits in lower case"
            raise DataError(f"hub.revision: {shown(revision)} is no commit; {fix}, {PIN}")
        if folder.is_dir() or not REPOSITORY.fullmatch(name):
            fix = "a folder has no revision, so leave it out" if folder.is_dir() else "give owner/name"
            raise DataError(f"hub.id: {shown(name)} is no repository on the hub; {fix}")
        return cls(name, revision, None)

    def split(self, config: str | None, split: str) -> Table:
        """One split of a config, as the repository's own card or its folders say what lies where."""
        where = f"{self.id} config={config} split={split}"
        try:
            if config not in self._builders:
                self._builders[config] = self._prepared(config, where)
            return _table(where, self._builders[config].as_dataset(split=split))
        except DataError:
            raise
        except Exception as error:  # the library raises whatever its readers raise; all of it is about the data
            self._explain(where, error)

    def _prepared(self, config: str | None, where: str) -> Any:
        """The library's reader of a config, whose files lie in its cache now."""
        place: dict[str, Any] = {"name": config}
        if self.folder and config and any(c.name == config and c.is_dir() for c in self.folder.iterdir()):
            place = {"data_dir": config}
        builder = _datasets().load_dataset_builder(str(self.folder or self.id), revision=self.revision, **place)
        if self.folder:
            cards = (at / name for at in (self.folder, self.folder / str(place.get("data_dir", ""))) for name in CARDS)
            files = [self._inside(path, where) for path in _files(builder)]
            kept = _kept([*files, *(card for card in cards if card.is_file())])
            builder = _datasets().load_dataset_builder(str(self.folder), cache_dir=kept, **place)
        # Where the hub does not answer, the library takes the latest copy in its cache, of whatever commit.
        if self.revision not in (None, builder.hash):
            raise DataError(f"{where}: only another commit is in the cache ({builder.hash}); go online to fetch it")
        if self.revision and not Path(builder.cache_dir).exists() and not is_offline():
            self._announce(f" config={config}", _paths(builder), builder.info.download_size, builder.cache_dir)
        builder.download_and_prepare()
        return builder

    def file(self, name: str) -> Table:
        """The rows of one file; ``PATH#KEY`` is a JSON file whose rows stand under a key."""
        where = f"{self.id} {name}"
        path, _, key = name.partition("#")
        ending = path.removesuffix(".gz").rpartition(".")[2]
        if ending not in LOADERS:
            raise DataError(f"{where}: no ending that can be read; name a file that ends in .{', .'.join(LOADERS)}")
        more = {"field": key} if key else {}
        try:
            if not self.folder and (path.startswith("/") or ".." in path.split("/")):
                raise DataError(f"{where}: leads out of {self.id}; name a file of the repository")
            local = str(self._inside(path, where)) if self.folder else self._fetched(path)
            if not Path(local).is_file():
                raise DataError(f"{where}: no such file in {clean(str(self.folder))}; correct its name in files")
            datasets = _datasets()
            more |= {"cache_dir": _kept([Path(local)])} if self.folder else {}
            return _table(where, datasets.load_dataset(LOADERS[ending], data_files=local, split="train", **more))
        except DataError:
            raise
        except Exception as error:  # as above
            self._explain(where, error)

    def _inside(self, path: str, where: str) -> Path:
        """A file of the folder by its name or its place; DataError for one that lies elsewhere, be it by a link."""
        assert self.folder is not None
        found = self.folder / path
        if not found.resolve().is_relative_to(self.folder):
            out = f"{shown(path)} leads out of {clean(str(self.folder))}"
            raise DataError(f"{where}: {out}; name a file in it, or put a copy there")
        return found

    def _fetched(self, path: str) -> str:
        """The file's place in the cache of ``huggingface_hub``, where it is laid if it does not lie there yet."""
        _quieten()
        hub = importlib.import_module("huggingface_hub")
        asked = {"repo_type": "dataset", "revision": self.revision}
        cached = hub.try_to_load_from_cache(self.id, path, **asked)
        if isinstance(cached, str):
            return cached
        if not is_offline():
            self._announce("", [path], None, hub.constants.HF_HUB_CACHE)
        found: str = hub.hf_hub_download(self.id, path, local_files_only=is_offline(), **asked)
        return found

    def _announce(self, what: str, paths: Sequence[str], otherwise: int | None, to: str) -> None:
        """Say what is about to be downloaded, and how big it is."""
        size = self._bytes(paths) if paths else None
        size = otherwise if size is None else size
        files = f"{len(paths)} {'file' if len(paths) == 1 else 'files'}" if paths else "files"
        big = "of unknown size" if size is None else f"{size / 1e6:,.1f} MB"
        name = f"{self.id}{what} at {str(self.revision)[:12]}"
        LOG.info("%s is not in the cache yet: downloading %s, %s, to %s", name, files, big, clean(str(to)))

    def _bytes(self, paths: Sequence[str]) -> int | None:
        """How many bytes some files have, if the hub tells."""
        api = importlib.import_module("huggingface_hub").HfApi()
        try:
            found = api.get_paths_info(self.id, list(paths), repo_type="dataset", revision=self.revision)
        except Exception:  # only a courtesy: what keeps it from answering will keep the download too, and is told then
            return None
        sizes = [getattr(file, "size", None) for file in found]
        return sum(sizes) if len(sizes) == len(paths) and None not in sizes else None  # type: ignore[arg-type]

    def _explain(self, where: str, error: Exception) -> NoReturn:
        """Tell what kept a split from being read, and what would do."""
        if not is_offline() and self.revision and _is_silence(error):
            fix = "go online, or give --offline to read what is in the cache"
            raise DataError(f"{where}: the hub does not answer; {fix}") from error
        reason = clean(" ".join(str(error).split()))[:200]
        if "revision" in reason.lower() and "NotFound" in type(error).__name__:
            raise DataError(f"{where}: no commit {self.revision} in {self.id}; {PIN}") from error
        if self.revision and is_offline() and _is_missing(error):
            found = f"not in the cache, and offline ({type(error).__name__}: {reason})"
            fix = "go online once, without --offline and HF_HUB_OFFLINE, and it is kept"
            fix += "; or correct config" if OTHER_CONFIGS in reason else ""
            raise DataError(f"{where}: {found}; {fix}") from error
        is_far = self.revision and not is_offline()
        fix = "check config, split and columns, or be online" if is_far else "check config and split"
        raise DataError(f"{where}: {type(error).__name__}: {reason}; {fix}") from error


def _is_silence(error: BaseException | None) -> bool:
    """Whether it is the network that keeps something from being read, however deep that lies in an error."""
    while error is not None:
        name = type(error).__name__
        if isinstance(error, ConnectionError | TimeoutError) or name in SILENCE or name.endswith("Timeout"):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_offline() -> bool:
    """Whether the hub must not be asked: ``HF_HUB_OFFLINE`` is set."""
    return bool(importlib.import_module("huggingface_hub.constants").HF_HUB_OFFLINE)


def _datasets() -> Any:
    """The library, imported when it is needed, for it is slow to import."""
    _quieten()
    datasets = importlib.import_module("datasets")
    datasets.disable_progress_bars()  # they would write across the screen of a run
    return datasets


def _quieten() -> None:
    """Keep the hub's library from telling of each of its attempts; what comes of them is told once."""
    importlib.import_module("huggingface_hub.utils.logging").set_verbosity_error()


def _paths(builder: Any) -> list[str]:
    """The files of the repository that a config is made of."""
    return [match[1] for path in _files(builder) if (match := HUB_PATH.fullmatch(path))]


def _table(where: str, rows: Any) -> Table:
    numbered = ((f"{where} row {number}", row) for number, row in enumerate(rows))
    return Table(where, "typed", tuple(rows.features), numbered, class_names(rows.features))


def _files(builder: Any) -> list[str]:
    """The files that a config is made of, as the library names them."""
    return [str(path) for some in (builder.config.data_files or {}).values() for path in some]


def _kept(files: Iterable[Path]) -> str:
    """Where the library keeps what it made of some files: by what is in them, for it goes by times of change alone."""
    total = hashlib.sha256()
    for path in sorted(files):
        with path.open("rb") as file:
            total.update(f"{path}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return str(Path(_datasets().config.HF_DATASETS_CACHE) / "by_content" / total.hexdigest()[:32])


def _is_missing(error: Exception) -> bool:
    """Whether something does not lie in the caches, as either library says it when it may not ask the hub."""
    return isinstance(error, ConnectionError | FileNotFoundError) or OTHER_CONFIGS in str(error)
