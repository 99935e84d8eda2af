"""The page of all commands: usage, words and flags as the parser itself knows them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import typer
from markdown_tables import TOP, cell, code, table

from adapeff_sim.cli.app import VERBS, app

EXIT_CODES = """\
## Exit codes

| code | means |
| --- | --- |
| 0 | done |
| 2 | something is wrong with what was given; the message says what, where, and what would do |
| 3 | a strategy costs more than `--fail-over` allows, or may |
| 130 | stopped with Ctrl-C; what is done is kept |
| 1 | a bug; `adapeff-sim --debug ...` shows the traceback |
"""


def page() -> str:
    """Every command, by the panel under which the help shows it."""
    parts = [TOP, "# Commands\n", "Every command explains itself with `--help`.\n", EXIT_CODES]
    for panel in dict.fromkeys(panel for panel, _ in VERBS.values()):
        parts.append(f"## {panel}\n")
        for verb, (place, _) in VERBS.items():
            if place == panel:
                parts += _verb(verb, parsed(verb).command, 3)
    return "\n".join(parts)


def parsed(verb: str, arguments: Iterable[str] = (), is_told: bool = False) -> Any:
    """The context of a command with its arguments, read by the real parser; nothing is run.

    Raises the parser's own error for arguments that it does not take, if ``is_told`` (else missing ones pass).
    """
    group: Any = typer.main.get_command(app)
    return group.get_command(None, verb).make_context(verb, [*arguments], resilient_parsing=not is_told)


def _verb(name: str, command: Any, depth: int) -> Iterator[str]:
    """One command, and those under it."""
    words, examples = _told(command.help or "")
    shown = [p for p in command.params if not getattr(p, "hidden", False)]
    arguments = "".join(f" {_value(p)}" for p in shown if p.param_type_name == "argument")
    yield f"{'#' * depth} {name}\n"
    yield words
    yield f"```text\nadapeff-sim {name}{arguments} [OPTIONS]\n```\n"
    rows = [_row(parameter) for parameter in shown if parameter.name != "help"]
    if rows:
        yield table(("argument or option", "means", "if not said"), rows)
    if examples:
        yield f"```text\n{examples}\n```\n"
    for under, part in getattr(command, "commands", {}).items():
        yield from _verb(f"{name} {under}", part, depth + 1)


def _row(parameter: Any) -> tuple[str, str, str]:
    """How it is written, what it means, and what holds where it is not said."""
    value = _value(parameter)
    is_flag = getattr(parameter, "is_flag", False)
    names = [] if parameter.param_type_name == "argument" else [*parameter.opts, *parameter.secondary_opts]
    said = ", ".join(code(each if is_flag else f"{each} {value}") for each in names) or code(value)
    default = "" if parameter.default in (None, False, ()) or callable(parameter.default) else code(parameter.default)
    if parameter.required:
        default = "must be said"
    if parameter.envvar:
        default += f" (or the variable `{parameter.envvar}`)"
    return said, cell(parameter.help or ""), default


def _value(parameter: Any) -> str:
    """What stands for a parameter's value."""
    return str(parameter.metavar or parameter.name.upper())


def _told(text: str) -> tuple[str, str]:
    """The words of a help text, and its examples, by the sign that keeps lines."""
    words, examples = [], []
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.removeprefix("\b").strip("\n").splitlines()
        if lines and lines[0].strip().startswith("Example"):
            examples += [line.strip() for line in lines[1:]]
        elif part.startswith("\b"):
            words.append("```text\n" + "\n".join(line.strip() for line in lines if line.strip()) + "\n```")
        else:
            words.append(" ".join(" ".join(lines).split()))
    return "\n\n".join(words) + "\n", "\n".join(examples)
