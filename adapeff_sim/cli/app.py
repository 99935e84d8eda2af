"""The command line: which verbs there are, and the one place where errors become messages and exit codes.

A verb is the function of its name in the file of its name, with its arguments and its help. It is imported when it is
asked for, so that ``--help`` costs nothing and only ``run``, ``pretrain`` and ``calibrate`` ever load torch.

exit codes: 0 done, 1 a bug, 2 something the user can put right, 3 dearer than allowed, 130 stopped with Ctrl-C
"""

import errno
import functools
import importlib
import inspect
import os
import shlex
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from adapeff_sim import __version__
from adapeff_sim.errors import AdapeffError
from adapeff_sim.near_names import nearest

DONE, BUG, REFUSED, STOPPED = 0, 1, 2, 130
GOES_ON = {
    "run": "",
    "compare": "",
    "sweep": "",
    "lesson": "",
    "pretrain": " --resume",
}  # what goes on where it was stopped, and what must be said for that
BEFORE, RUN, AFTER = "Before a run", "Run", "After a run"
VERBS = {
    "run": (RUN, "Train, measure and price every strategy of a scenario."),
    "sweep": (RUN, "Run a scenario over a grid of values, and map who wins where."),
    "lesson": (RUN, "Learn one surprise at a time: a question, a short run, its answer."),
    "new": (BEFORE, "Write a commented scenario, from a few questions or flags."),
    "validate": (BEFORE, "Check a scenario, with the line of everything that is wrong."),
    "plan": (BEFORE, "Show what every event would create, rebuild and keep, without training."),
    "data": (BEFORE, "Show the rows of a data source: how many, which labels, what to be wary of."),
    "list": (BEFORE, "Show what there is to choose from, a line each."),
    "doctor": (BEFORE, "Show what this machine can do, and what is missing."),
    "calibrate": (BEFORE, "Time real steps on this device, so that others can be told without being done."),
    "pretrain": (BEFORE, "Make a small base model from a folder of text."),
    "schema": (BEFORE, "Print the JSON schema of scenarios, for editors."),
    "report": (AFTER, "Show a finished run again, from its files."),
    "compare": (AFTER, "Show runs side by side: intervals, crossovers, break-even, what flips the verdict."),
    "price": (AFTER, "Price a finished run again with other prices, without training."),
    "explain": (AFTER, "Say what happened at an event, to an artifact, or in a training, and why."),
    "replay": (AFTER, "Play a finished run again on the live screen, without training."),
}
COMES_ALONG = {  # with an installation; reading a finished run can do without
    *("torch", "transformers", "adapters", "tokenizers", "safetensors", "seqeval", "sklearn", "scipy", "numpy"),
    *("datasets", "pyarrow", "huggingface_hub", "psutil"),
}
INSTALL = "pip install adapeff-sim"
COMPLETES = "_ADAPEFF_SIM_COMPLETE"  # the variable by which a shell asks how a word may go on
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class _Verb(TyperCommand):
    """A verb that has a name and a summary, and imports the rest when somebody asks for it."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Read the arguments as the function in the verb's file wants them."""
        own = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
        name = str(self.name)
        function = getattr(importlib.import_module(f"adapeff_sim.cli.{name}"), name)
        if COMPLETES in os.environ:
            importlib.import_module("adapeff_sim.cli.completion").complete(function)
        is_debugging = bool(parent and parent.obj)
        own.command(name, context_settings=SETTINGS)(_told(name, function, is_debugging))
        try:
            return typer.main.get_command(own).make_context(info_name, args, parent, **extra)
        except typer.BadParameter as error:
            error.message = _in_our_words(error) or error.message
            raise


def _in_our_words(error: typer.BadParameter) -> str:
    """What is wrong with an option's value and what would do; nothing where the parser says it itself."""
    from pydantic import ValidationError

    from adapeff_sim.scenario.words import wrong_value

    return wrong_value(error.__cause__) if isinstance(error.__cause__, ValidationError) else ""


class _Verbs(TyperGroup):
    """The verbs, in the order in which one comes to need them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Every verb."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> _Verb | None:  # noqa: ARG002
        """The verb of that name, not imported yet."""
        if cmd_name not in VERBS:
            return None
        panel, summary = VERBS[cmd_name]
        return _Verb(cmd_name, help=summary, rich_help_panel=panel, rich_markup_mode="rich")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb that is asked for; of an unknown one the nearest is told."""
        near = nearest(args[0], VERBS) if args and args[0] not in VERBS else ""
        if near:
            ctx.fail(f"No such command {args[0][:40]!r}. Did you mean {near!r}?")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Verbs,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
    epilog="Start with: adapeff-sim run smoke",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"adapeff-sim {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of what is a bug.")] = False,
) -> None:
    """What an NLP product's life costs with adapters, AdapterFusion or multi-task full fine-tuning.

    A scenario tells what happens to the product; every strategy lives through it: really trained, measured, priced.
    """
    context.obj = debug


def _told(verb: str, function: Callable[..., None], is_debugging: bool) -> Callable[..., None]:
    """The function of a verb, with everything it raises turned into a message and an exit code."""

    @functools.wraps(function)
    def told(*args: object, **said: object) -> None:
        try:
            function(*args, **said)
            sys.stdout.flush()
        except AdapeffError as error:
            _stop(REFUSED, str(error), "Error: ")
        except (KeyboardInterrupt, typer.Abort):  # the second, where a question is answered with Ctrl-C or Ctrl-D
            _stopped(verb)
        except BrokenPipeError:
            _seen_enough()
        except SystemExit as leaving:  # rich leaves so when nobody reads on
            if behind(leaving, BrokenPipeError):
                _seen_enough()
            raise
        except Exception as error:
            if is_exit(error) or is_debugging:
                raise
            if behind(error, KeyboardInterrupt):  # an import that is interrupted calls it an ImportError
                _stopped(verb)
            _ended_by(error)

    told.__doc__ = _in_paragraphs(inspect.getdoc(function) or "")
    return told


def _ended_by(error: Exception) -> NoReturn:
    """Say what nobody expected: a disk that refuses, a library that is not there, or a bug."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
        _stop(REFUSED, f"{error.strerror}; make room, or write elsewhere.", "Error: ")
    if isinstance(error, ModuleNotFoundError) and error.name in COMES_ALONG:
        _stop(REFUSED, f"{error.name} is not installed, and this needs it; {INSTALL} brings it.", "Error: ")
    found = f"{type(error).__name__}: {error}".splitlines()[0]
    again = command_line().replace("adapeff-sim", "adapeff-sim --debug", 1)
    _stop(BUG, f"{found}\nFor the traceback that a report of it needs:\n  {again}", "This is a bug: ")


def _in_paragraphs(text: str) -> str:
    """Help with a line for each paragraph, which a screen breaks at its end; those under ``\\b`` keep their lines."""
    found = (part.strip("\n") for part in text.split("\n\n"))
    return "\n\n".join(p.replace(r"\b", "\b") if p.startswith(r"\b") else " ".join(p.split()) for p in found)


def behind(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error, or one that led to it, is of a kind."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, kind):
        seen = seen.__cause__ or seen.__context__
    return seen is not None


def _stopped(verb: str) -> NoReturn:
    on = command_line() + GOES_ON[verb] if verb in GOES_ON else ""
    _stop(STOPPED, "Stopped." + (f" What is done is kept; go on with:\n  {on}" if on else ""))


def _seen_enough() -> NoReturn:
    """Leave in peace: whoever read our output, such as ``head``, has seen enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(DONE) from None


def is_exit(error: Exception) -> bool:
    """Whether an exception is the command line's own way to leave, such as a usage error or an exit code."""
    return any(c.__module__.startswith(("typer", "click")) for c in type(error).__mro__)


def command_line() -> str:
    """What was typed, so that a shell takes it again."""
    return shlex.join(["adapeff-sim", *sys.argv[1:]])


def _stop(code: int, message: str, head: str = "") -> NoReturn:
    """Say on stderr why, and leave; nothing in a message is taken for markup, and it is not broken into lines."""
    from rich.console import Console
    from rich.text import Text

    from adapeff_sim.reports.wording import plain

    text = Text(head, style="bold red").append(plain(message), style="default not bold")
    Console(stderr=True).print(text, soft_wrap=True)
    raise typer.Exit(code)


def main() -> None:
    """The command ``adapeff-sim``."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a sign shows another, and no traceback
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app(prog_name="adapeff-sim")
