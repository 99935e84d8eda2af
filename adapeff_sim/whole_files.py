"""Files that are there as a whole or not at all, and what a disk that refuses means in words."""

import errno
import os
import uuid
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
NO_FOLDER = (errno.EEXIST, errno.ENOTDIR)
NAME_SHOWN = 120  # characters


def write_whole(file: Path, content: str | bytes) -> Path:
    """Replace one file as a whole, on the disk when this returns; text is written as UTF-8.

    Until it is renamed the text lies under a name that no other process uses. Raises OSError.
    """
    fresh = file.with_name(f".{file.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        fresh.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        sync(fresh)
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync(file.parent)
    return file


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk, where the system can say so."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except (IsADirectoryError, PermissionError):  # some systems open no folders
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def cannot_hold(folder: Path) -> str | None:
    """Why nothing can be written in a folder, in words; None if it can, and then the folder is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / f".trial.{uuid.uuid4().hex[:12]}"
        trial.touch()
        trial.unlink()
    except OSError as error:
        return _reason(error)
    except ValueError:
        return "no folder can have that name"
    return None


def _reason(error: OSError) -> str:
    if error.errno in FULL:
        return "the disk is full"
    if error.errno in NO_FOLDER:
        return "not a folder"
    return f"cannot be written ({error.strerror or error})"


def not_written(folder: Path, error: OSError) -> str:
    """Why a run's folder cannot be written, and what to do."""
    remedy = "make room or " if error.errno in FULL else "allow it or " if error.errno in REFUSED else ""
    return (
        f"{str(error.filename or folder)[:NAME_SHOWN]}: {_reason(error)}; {remedy}choose another --out, "
        "then give the same command again: what is done stays done."
    )


def not_read(file: Path, error: OSError) -> str:
    """Why a run's file cannot be read, and what to do."""
    return f"{file}: cannot be read ({error.strerror or error}); make it readable, or give the folder of another run."
