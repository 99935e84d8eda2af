"""What the store does to the disk: folders that last, a whole one known from a damaged one, errors in words."""

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pydantic import Field, ValidationError
from safetensors import SafetensorError

from adapeff_sim.errors import ExecutionError
from adapeff_sim.ledger.outcome import Row
from adapeff_sim.whole_files import FULL, REFUSED, sync, write_whole

MANIFEST = "manifest.json"
BROKEN = (errno.EIO, errno.ESTALE, errno.ENOTCONN)


class FileMark(Row):
    """What a file must be: its size in bytes and the digest of its content."""

    size: int = Field(ge=0)
    sha256: str


class Manifest(Row):
    """Every file of a finished folder, by its path inside."""

    files: dict[str, FileMark]


def seal(folder: Path, names: tuple[str, ...]) -> None:
    """Make the named files and folders durable and write the manifest over them.

    The manifest appears only when everything it tells of is on the disk: a folder with a whole manifest is finished.
    """
    files = sorted(file for name in names for file in _files(folder / name))
    for file in files:
        sync(file)
    for place in sorted({file.parent for file in files}):
        sync(place)
    marks = {file.relative_to(folder).as_posix(): _mark(file) for file in files}
    write_whole(folder / MANIFEST, Manifest(files=marks).model_dump_json())


def clear(folder: Path, keep: tuple[str, ...]) -> None:
    """Remove all but the manifest and the named files and folders."""
    for other in folder.iterdir():
        if other.name not in (MANIFEST, *keep):
            remove(other)


def flaw(folder: Path) -> str | None:
    """What is wrong with a sealed folder, in words; None if every file is as its manifest says.

    Files that the manifest does not know are not looked at. Raises OSError for a file that cannot be read.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return f"no {MANIFEST}"
    except ValidationError:
        return f"{MANIFEST} is unreadable"
    for name, wanted in manifest.files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            return f"{MANIFEST} names {name[:80]!r}, which lies outside"
        file = folder / path
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != wanted.size:
            return f"{name} has {file.stat().st_size} bytes instead of {wanted.size}"
        if _mark(file) != wanted:
            return f"{name} is altered"
    return None


def remove(path: Path) -> None:
    """Remove a file or a folder, or what others have left of it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Turn a full, write-protected or broken disk into an ExecutionError; other errors pass as they are."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        if said := _in_words(error, folder):
            raise ExecutionError(said) from error
        raise


def _in_words(error: OSError | SafetensorError, folder: Path) -> str | None:
    code = error.errno if isinstance(error, OSError) else _system_error(error)
    at = getattr(error, "filename", None) or folder
    again = "then give the same command again: what is done stays done"
    if code in FULL:
        return f"{at}: the disk is full; make room for the store ({folder}) or give another --store, {again}."
    if code in REFUSED:
        return f"{at}: not to be read or written here; allow it or give another --store, {again}."
    if code in BROKEN:
        return f"{at}: the disk does not answer ({os.strerror(code)}); see to it or give another --store, {again}."
    if code in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return f"{at}: something else lies where the store needs a folder; move it or give another --store, {again}."
    return None


def _system_error(error: SafetensorError) -> int | None:
    """The number of the system's error, which this library tells in its text alone."""
    found = re.search(r"os error (\d+)", str(error))
    return int(found[1]) if found else None


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    elif place.is_dir():
        yield from (file for file in place.rglob("*") if file.is_file())


def _mark(file: Path) -> FileMark:
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return FileMark(size=file.stat().st_size, sha256=digest)
