"""`adapeff-sim new`: a commented scenario of one's own, from a few questions or flags."""

import re
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from adapeff_sim.errors import AdapeffError, ScenarioError

if TYPE_CHECKING:
    from adapeff_sim.scenario.draft import Draft, Offer

T = TypeVar("T")

SUFFIXES = (".yaml", ".yml")
Story = tuple[tuple[str, ...], tuple[str, ...], str, str, str]  # tasks, languages, and what comes later
STORY, TERMS = "What happens", "Under which terms"


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The scenario to write, such as my_product.yaml.")],
    data: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="helpdesk, a folder, or a ready-made mapping.")
    ] = None,
    tasks: Annotated[str | None, typer.Option(metavar="A,B", help="Tasks at launch.", rich_help_panel=STORY)] = None,
    languages: Annotated[
        str | None, typer.Option(metavar="en,de", help="Languages at launch.", rich_help_panel=STORY)
    ] = None,
    new_task: Annotated[
        str | None, typer.Option(metavar="TASK|none", help="A task that comes later.", rich_help_panel=STORY)
    ] = None,
    new_language: Annotated[
        str | None, typer.Option(metavar="sw|none", help="A language that comes later.", rich_help_panel=STORY)
    ] = None,
    base_update: Annotated[
        str | None, typer.Option(metavar="SPEC|none", help="A later base model.", rich_help_panel=STORY)
    ] = None,
    days: Annotated[
        float | None, typer.Option(metavar="N", help="How long it lives; 365, if not said.", rich_help_panel=TERMS)
    ] = None,
    requests: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Requests a day at launch; 50000, if not said.", rich_help_panel=TERMS),
    ] = None,
    strategies: Annotated[
        str | None, typer.Option(metavar="A,B", help="Who lives through it.", rich_help_panel=TERMS)
    ] = None,
    prices: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="A price book.", rich_help_panel=TERMS)
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Train for seconds; scores mean nothing.", rich_help_panel=TERMS)
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take what is usual.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    r"""Write a commented scenario: what is not said by a flag is asked, on a terminal, with what is usual to choose.

    Off a terminal, and with --yes, what is usual is taken, and told on stderr.

    \b
    Examples:
      adapeff-sim new my_product.yaml
      adapeff-sim new my_product.yaml --tasks intent --new-language sw --yes
      adapeff-sim new my_rows.yaml --data ./rows --base-update none
    """
    from adapeff_sim.scenario.draft import DEFAULT_STRATEGIES, Draft, drafted, require_strategies
    from adapeff_sim.scenario.price_books import load_prices

    require_free(file, force)
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    offer = answer("Rows: helpdesk, or a folder of your own", data, "helpdesk", asks, lambda text: _offer(text, file))
    flags = (tasks, languages, new_task, new_language, base_update)
    usual = ",".join(DEFAULT_STRATEGIES)
    chosen = Draft(
        name_of(file),
        *_story(offer, flags, asks),
        strategies=answer("Strategies", strategies, usual, asks, _names, require_strategies),
        prices=answer("Prices: a book of `list prices`, or a file", prices, "cloud_gpu", asks, str, load_prices),
        horizon_days=365.0 if days is None else days,
        requests_per_day=50_000 if requests is None else requests,
        size="quick" if quick else "usual",
    )
    made = write_valid(file, drafted(chosen, offer), checks_rows=offer.counted is not None)
    given = (data, *flags, days, requests, strategies, prices)
    _tell(file, "" if asks else taken(chosen, offer, given), made, is_checked=offer.counted is not None)


def taken(chosen: "Draft", offer: "Offer", given: Sequence[object]) -> str:
    """What nobody said and was taken as usual, as the flags that would say it; ``given`` is None for each of these."""
    found = {
        "--data": offer.data,
        "--tasks": ",".join(chosen.tasks),
        "--languages": ",".join(chosen.languages),
        "--new-task": chosen.new_task or "none",
        "--new-language": chosen.new_language or "none",
        "--base-update": chosen.base_update or "none",
        "--days": f"{chosen.horizon_days:g}",
        "--requests": str(chosen.requests_per_day),
        "--strategies": ",".join(chosen.strategies),
        "--prices": chosen.prices,
    }
    unsaid = [flag for flag, said in zip(found, given, strict=True) if said is None]
    return " ".join(f"{flag} {shlex.quote(found[flag])}" for flag in unsaid)


def _tell(file: Path, unsaid: str, made: Sequence[Path], is_checked: bool) -> None:
    """What was taken as usual and which folders were made, on stderr; what was written, and what comes next."""
    from rich.console import Console

    from adapeff_sim.reports.wording import plain

    if unsaid:
        told = plain(f"Not asked, and taken as usual: {unsaid}")
        Console(stderr=True, highlight=False).print(told, markup=False)
    for folder in made:
        typer.echo(plain(f"Made the folder {folder}"), err=True)
    again = shlex.join(["adapeff-sim", "plan" if is_checked else "validate", str(file)])
    told = "It is valid; look ahead with" if is_checked else "Its rows were not fetched; they are by"
    typer.echo(plain(f"Wrote {file}. {told}: {again}"))


def _offer(text: str, file: Path) -> "Offer":
    """What the named rows have; those of the hub are not fetched. Raises AdapeffError for what is no source of rows."""
    from adapeff_sim.cli.data import named, opened
    from adapeff_sim.scenario.draft import data_beside, offer_of

    source = named(text)
    return offer_of(opened(source), data_beside(source, file), counts=not source.startswith("hub"))


def _story(offer: "Offer", flags: tuple[str | None, ...], asks: bool) -> Story:
    """Tasks, languages, and what comes later, each from its flag, from an answer, or as is usual."""
    from adapeff_sim.scenario import draft

    ordered, (tasks, languages, new_task, new_language, base_update) = offer.in_order(), flags
    usual, require = ",".join(ordered[:1]), partial(draft.require_tasks, offer)
    first = answer(f"Tasks at launch ({_some(ordered)})", tasks, usual, asks, _names, require)
    require(first)  # what is asked next hangs on them
    usual, require = draft.first_language(offer, first), partial(draft.require_languages, offer, first)
    spoken = answer("Languages at launch", languages, usual, asks, _names, require)
    usual = draft.next_task(offer, first, spoken)
    later = _later("task", new_task, usual, asks, partial(draft.require_new_task, offer, first, spoken))
    every = (*first, later) if later in offer.languages else first
    usual = draft.next_language(offer, every, spoken)
    language = _later("language", new_language, usual, asks, partial(draft.require_new_language, offer, every, spoken))
    update = _later("base model", base_update, draft.SECOND, asks, draft.require_update)
    return first, spoken, later, language, update


def _later(what: str, flag: str | None, usual: str, asks: bool, require: Callable[[str], object]) -> str:
    """What comes later, if anything does: empty where the answer is ``none``."""
    from adapeff_sim.scenario.draft import NONE

    question = f"A {what} that comes later, or {NONE}"
    found = answer(question, flag, usual or NONE, asks, str, lambda text: None if text == NONE else require(text))
    return "" if found == NONE else found


def answer(
    question: str,
    flag: str | None,
    usual: str,
    asks: bool,
    read: Callable[[str], T],
    require: Callable[[T], object] = lambda _: None,
) -> T:
    """What the flag says, else what is answered, else what is usual; an answer that cannot be is asked for again.

    ``require`` raises AdapeffError for such an answer. Flags are held to the same when the scenario is checked.
    """
    from adapeff_sim.reports.wording import plain

    if flag is not None or not asks:
        return read((usual if flag is None else flag).strip())

    def understood(text: str) -> T:
        try:
            found = read(text.strip())
            require(found)
        except AdapeffError as error:
            raise typer.BadParameter(plain(error)) from error
        return found

    found: T = typer.prompt(question, default=usual, value_proc=understood)
    return found


def _names(text: str) -> tuple[str, ...]:
    """The names in ``a,b``. Raises ScenarioError for none."""
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if not found:
        raise ScenarioError(f"{text[:48]!r} names nothing; give names with commas between them")
    return found


def _some(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def name_of(file: Path) -> str:
    """A scenario's name from that of its file: what cannot stand in a name becomes ``_``."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", file.stem)[:64].lstrip("_-") or "my_product"


def require_free(file: Path, force: bool) -> None:
    """Raises ScenarioError for a file that is there, or that is no .yaml file."""
    if file.suffix not in SUFFIXES:
        raise ScenarioError(f"{str(file)[:120]}: name a .yaml file, such as my_product.yaml")
    try:
        is_there = file.exists() or file.is_symlink()
    except (OSError, ValueError):
        raise ScenarioError(f"{str(file)[:120]}: no file can have that name") from None
    if is_there and not force:
        raise ScenarioError(f"{file}: is there already; give another name, or --force to write over it")


def write_valid(file: Path, text: str, checks_rows: bool) -> list[Path]:
    """Write the file once the scenario in it is valid, and say which folders were made for it.

    Raises ScenarioError with what is wrong, and writes nothing.
    """
    from adapeff_sim.scenario.load import load
    from adapeff_sim.whole_files import cannot_hold, write_whole

    made = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()][::-1]
    if refused := cannot_hold(file.parent):
        raise ScenarioError(f"{file.parent}: {refused}; choose another folder")
    trial = file.with_name(f".{file.stem[:40]}.draft.yaml")
    try:
        write_whole(trial, text)
        if checks_rows:
            load(trial)
        trial.replace(file)
    except ScenarioError as error:
        raise ScenarioError(str(error).replace(str(trial), str(file))) from error
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be written ({error.strerror or error})") from error
    finally:
        trial.unlink(missing_ok=True)
        for folder in reversed(made):
            with suppress(OSError):  # one that holds the file stays
                folder.rmdir()
    return made
