"""Where reports go: every file and folder that is asked for is looked at before anything is made or written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from adapeff_sim.reports.base import ReportError
from adapeff_sim.whole_files import NAME_SHOWN, cannot_hold

Targets = Mapping[str, Path | None]  # flag -> what it names; None where it is not given
EXAMPLES = {"--html": "page.html", "--markdown": "report.md"}
FOLDERS = {"--csv": "tables", "--png": "figures", "--svg": "figures"}  # what lies in them, and their usual names
OF_FILES = (".csv", ".png", ".svg", ".json", ".html", ".htm", ".md", ".txt", ".pdf", ".xlsx", ".zip")


def require_targets(files: Targets, folders: Targets) -> None:
    """Raises ReportError, a line for each flag whose file or folder cannot be; nothing is left behind."""
    named = {flag: path for flag, path in files.items() if path is not None}
    wrong = [text for flag, path in named.items() for text in _looked_at(_file, flag, path)]
    wrong += [text for flag, path in folders.items() if path is not None for text in _looked_at(_folder, flag, path)]
    twice = [flag for flag, path in named.items() if [*named.values()].count(path) > 1]
    if twice:
        wrong.append(f"{' and '.join(twice)} name the same file; give each one of its own.")
    if wrong:
        raise ReportError("\n".join(wrong))


def _looked_at(look: Callable[[str, Path], Iterator[str]], flag: str, path: Path) -> list[str]:
    """What a look at one flag finds wrong; a name too long cannot even be looked at."""
    try:
        return [*look(flag, path)]
    except (OSError, ValueError):
        return [f"{flag} {str(path)[:NAME_SHOWN]}: no file can have that name; give another."]


def _file(flag: str, path: Path) -> Iterator[str]:
    """What is wrong with the file that a flag names."""
    if path.is_dir():
        yield f"{flag} {path}: a folder is there, and a file is wanted; give one such as {path / EXAMPLES[flag]}."
    elif refused := _refused(path.parent):
        yield f"{flag} {path}: {path.parent}: {refused}; name another place."


def _folder(flag: str, path: Path) -> Iterator[str]:
    """What is wrong with the folder that a flag names."""
    what = FOLDERS[flag]
    wanted = f"and a folder is wanted, for a file of each of the {what}; give one such as {path.with_name(what)}."
    if path.is_file():
        yield f"{flag} {path}: a file is there, {wanted}"
    elif path.suffix.lower() in OF_FILES and not path.is_dir():
        yield f"{flag} {path}: that is the name of a file, {wanted}"
    elif refused := _refused(path):
        yield f"{flag} {path}: {refused}; name another place."


def _refused(folder: Path) -> str | None:
    """Why nothing can be written in a folder, None if it can; one that is made to find out is removed again."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    refused = cannot_hold(folder)
    for each in made:
        with suppress(OSError):
            each.rmdir()
    return refused
