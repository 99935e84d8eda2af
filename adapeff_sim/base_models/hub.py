"""Base models of the Hugging Face hub: one commit's files from the local cache, or fetched after saying how much.

Lists and settings come first, so that what cannot be used is refused before its weights are on the way.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from adapeff_sim.base_models.files import INDEX, PICKLED, TO_FAST, TO_SAFETENSORS, TOKENIZER, WEIGHTS, file_digest
from adapeff_sim.errors import DataError

LOG = logging.getLogger(__name__)
SETTINGS = ["config.json", "tokenizer_config.json"]
PARTS = "model-*.safetensors"
SHA256 = re.compile(r"[0-9a-f]{64}")
Look = Callable[[Path], object]  # raises DataError for a folder that it does not like


def snapshot(repository: str, revision: str, is_whole: Look, is_usable: Look) -> Path:
    """The folder of a repository's files at a commit, fetched if the cache does not have all of it.

    ``is_whole`` looks at a folder with everything, ``is_usable`` at one that may have the settings alone. Raises
    DataError for a commit that cannot be had, for files that are not those of the commit, for a model without
    safetensors or a fast tokenizer, and for what the two do not like.
    """
    from huggingface_hub import constants, snapshot_download  # slow to import

    spec = f"base model hub:{repository}@{revision[:8]}…"
    try:
        folder = Path(snapshot_download(repository, revision=revision, local_files_only=True))
        is_whole(folder)
    except (OSError, ValueError, DataError) as error:  # not in the cache, or not all of it
        if constants.HF_HUB_OFFLINE:
            others = _others(repository, revision)
            fix = "and HF_HUB_OFFLINE is set; unset it to fetch"
            raise DataError(f"{spec}: not whole in the cache{others}, {fix}") from error
        folder = _fetched(repository, revision, spec, is_usable)
    if folder.name != revision:
        raise DataError(f"{spec}: {folder} is a copy of another commit; remove it from the cache and fetch again")
    _as_fetched(folder, spec)
    return folder


def _fetched(repository: str, revision: str, spec: str, is_usable: Look) -> Path:
    """The folder, after everything that a base model needs was fetched into it."""
    from huggingface_hub import snapshot_download

    try:
        sizes = _listed(repository, revision, spec)
        names = _needed(sizes, spec)
        settings = [name for name in SETTINGS if name in names]
        is_usable(Path(snapshot_download(repository, revision=revision, allow_patterns=settings)))
        LOG.info("%s: fetching %s", spec, _weighed({name: sizes[name] for name in names}))
        return Path(snapshot_download(repository, revision=revision, allow_patterns=names))
    except DataError:
        raise
    except Exception as error:  # whatever the network or the hub says
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{spec}: could not be fetched ({type(error).__name__}: {reason}); check name and net"
        ) from error


def _listed(repository: str, revision: str, spec: str) -> dict[str, int | None]:
    """The files of the commit with their sizes in bytes, as far as the hub tells them; DataError where it has none."""
    from huggingface_hub import errors, model_info

    try:
        found = model_info(repository, revision=revision, files_metadata=True)
    except errors.GatedRepoError as error:
        raise DataError(f"{spec}: its owner asks for consent first; give it on the hub, and log in there") from error
    except errors.RevisionNotFoundError as error:
        raise DataError(
            f"{spec}: the hub knows no commit {revision} of it; copy one from its list of commits"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise DataError(f"{spec}: the hub knows no such model, or shows it to its owners only; check name") from error
    if found.sha != revision:
        raise DataError(f"{spec}: the hub answers with commit {found.sha}; give all 40 digits of a commit of the model")
    return {file.rfilename: file.size for file in found.siblings or ()}


def _needed(there: Iterable[str], spec: str) -> list[str]:
    """The files that a base model needs, of those that are there; DataError if no usable weights or tokenizer are."""
    names = sorted(there)
    weights = [WEIGHTS] if WEIGHTS in names else [name for name in names if fnmatch(name, PARTS) or name == INDEX]
    if not weights:
        pickled = ", only pickles, and none is loaded" if any(fnmatch(name, PICKLED) for name in names) else ""
        raise DataError(f"{spec}: no {WEIGHTS}{pickled}; {TO_SAFETENSORS}, and give path:FOLDER")
    if "tokenizer.json" not in names:
        raise DataError(f"{spec}: no tokenizer.json; {TO_FAST}, and give path:FOLDER")
    return [name for name in names if name in ("config.json", *TOKENIZER, *weights)]


def _weighed(sizes: Mapping[str, int | None]) -> str:
    """How many files of how many megabytes, and the largest; as far as it is known."""
    known = {name: size for name, size in sizes.items() if size is not None}
    if not known:
        return f"{len(sizes)} files of unknown size"
    largest = max(known, key=known.__getitem__)
    least = "" if len(known) == len(sizes) else "at least "
    total, most = (f"{size / 1e6:,.1f} MB" for size in (sum(known.values()), known[largest]))
    return f"{len(sizes)} files, {least}{total} ({largest} {most})"


def _others(repository: str, revision: str) -> str:
    """Which other commits of a repository the cache holds, in words."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    snapshots = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model") / "snapshots"
    there = sorted(f.name for f in snapshots.iterdir() if f.name != revision) if snapshots.is_dir() else []
    return f" (which has {', '.join(there[:3])})" if there else ""


def _as_fetched(folder: Path, spec: str) -> None:
    """DataError for a file that was changed in the cache, which names large files by the digest of their content."""
    for path in sorted(folder.iterdir()):
        kept = path.resolve().name
        if path.is_symlink() and SHA256.fullmatch(kept) and file_digest(path.resolve()) != kept:
            raise DataError(f"{spec}: {path.name} in the cache is not what was fetched; remove {folder}, fetch again")
