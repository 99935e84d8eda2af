"""Keys as they are pressed, one by one; the terminal reads lines again afterwards, whatever happened meanwhile."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Wait = Callable[[float], list[str]]  # seconds -> the keys that were pressed meanwhile, at once when there is one
CODES = {
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1bOC": "right",
    b"\x1bOD": "left",
    b"\r": "enter",
    b"\n": "enter",
    b"\x04": "q",
}


@contextmanager
def pressed() -> Iterator[Wait | None]:
    """Tells of keys while it lasts; None where nobody can press any, off a terminal or on a system without POSIX.

    Ctrl-C stays what it is.
    """
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield None
        return
    import termios  # not on every system
    import tty

    at = sys.stdin.fileno()
    was = termios.tcgetattr(at)
    try:
        tty.setcbreak(at)
        yield lambda seconds: _wait(at, seconds)
    finally:
        termios.tcsetattr(at, termios.TCSADRAIN, was)


def _wait(at: int, seconds: float) -> list[str]:
    ready, _, _ = select.select([at], [], [], seconds)
    if not ready:
        return []
    read = os.read(at, 64)
    return keys_in(read) if read else ["q"]  # a terminal that went away


def keys_in(read: bytes) -> list[str]:
    """The names of the keys in what a terminal sent; sequences that are none of ours are left out."""
    if read in CODES:
        return [CODES[read]]
    if read.startswith(b"\x1b"):
        return []
    return [CODES.get(bytes([byte]), chr(byte).lower()) for byte in read if byte < 0x80]


def wait_without_keys(seconds: float) -> list[str]:
    """Nothing is pressed where nobody can."""
    time.sleep(seconds)
    return []
