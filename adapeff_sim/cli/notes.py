"""What the rooms below log for whoever looks on: warnings and downloads, a line each on stderr."""

import logging

import typer

from adapeff_sim.execution.sources import go_offline
from adapeff_sim.reports.wording import plain


class Notes(logging.Handler):
    """Writes what is logged to stderr; nothing in it is taken for markup."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line: warnings are called so."""
        head = "Warning: " if record.levelno >= logging.WARNING else ""
        typer.echo(plain(head + record.getMessage()), err=True)


def begin(offline: bool) -> None:
    """From now on write what this package logs, and leave the hub alone if that is asked for."""
    if offline:
        go_offline()
    log = logging.getLogger("adapeff_sim")
    if not any(isinstance(handler, Notes) for handler in log.handlers):
        log.addHandler(Notes())
    log.setLevel(logging.INFO)
