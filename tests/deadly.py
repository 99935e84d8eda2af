"""Counting what a process writes, to end it at any of its writes."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

CHANGES = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate"})


def writes(event: str, args: tuple[Any, ...], roots: tuple[str, ...]) -> bool:
    """Whether an audit event changes something under the roots."""
    if event == "open":
        path, _, flags = args
        if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR):
            return False
    elif event in CHANGES:
        path = args[0]
    else:
        return False
    return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(roots)


def dies_at(kill_at: int, root: str, act: Callable[[], object]) -> bool:
    """Whether a process that does ``act`` was killed at its ``kill_at``-th write under ``root``; else it did it all."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    count = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        if writes(event, args, (root,)):
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(hook)
        act()
    finally:
        os._exit(0)
