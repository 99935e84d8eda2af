"""`adapeff-sim new`: a commented scenario of one's own, from a few questions or flags."""

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapeff_sim.errors import ScenarioError

if TYPE_CHECKING:
    from adapeff_sim.scenario.draft import Offer

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
    days: Annotated[float, typer.Option(metavar="N", help="How long the product lives.", rich_help_panel=TERMS)] = 365,
    requests: Annotated[
        int, typer.Option(metavar="N", min=1, help="Requests a day, at launch.", rich_help_panel=TERMS)
    ] = 50_000,
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

    \b
    Examples:
      adapeff-sim new my_product.yaml
      adapeff-sim new my_product.yaml --tasks intent --new-language sw --yes
      adapeff-sim new my_rows.yaml --data ./rows --base-update none
    """
    from adapeff_sim.cli.data import named, opened
    from adapeff_sim.reports.wording import plain
    from adapeff_sim.scenario.draft import DEFAULT_STRATEGIES, Draft, data_beside, drafted, offer_of

    require_free(file, force)
    asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    source = named(answer("Rows: helpdesk, or a folder of your own", data, "helpdesk", asks))
    fetches = source.startswith("hub")
    offer = offer_of(opened(source), data_beside(source, file), counts=not fetches)
    story = _story(offer, (tasks, languages, new_task, new_language, base_update), asks)
    usual = ",".join(DEFAULT_STRATEGIES)
    chosen = Draft(
        name_of(file),
        *story,
        strategies=_names(answer("Strategies", strategies, usual, asks)),
        prices=answer("Prices: a book of `list prices`, or a file", prices, "cloud_gpu", asks),
        horizon_days=days,
        requests_per_day=requests,
        size="quick" if quick else "usual",
    )
    write_valid(file, drafted(chosen, offer), checks_rows=not fetches)
    again = shlex.join(["adapeff-sim", "validate" if fetches else "plan", str(file)])
    told = "Its rows were not fetched; they are by" if fetches else "It is valid; look ahead with"
    typer.echo(plain(f"Wrote {file}. {told}: {again}"))


def _story(offer: "Offer", flags: tuple[str | None, ...], asks: bool) -> Story:
    """Tasks, languages, and what comes later, each from its flag, from an answer, or as is usual."""
    from adapeff_sim.scenario.draft import NONE, SECOND, first_language, next_language, next_task, require_tasks

    tasks, languages, new_task, new_language, base_update = flags
    ordered = offer.in_order()
    first = _names(answer(f"Tasks at launch ({_some(ordered)})", tasks, ordered[0] if ordered else "", asks))
    require_tasks(offer, first)
    spoken = _names(answer("Languages at launch", languages, first_language(offer, first), asks))
    usual = next_task(offer, first, spoken) or NONE
    later = answer(f"A task that comes later, or {NONE}", new_task, usual, asks)
    every = (*first, later) if later in offer.languages else first
    usual = next_language(offer, every, spoken) or NONE
    language = answer(f"A language that comes later, or {NONE}", new_language, usual, asks)
    update = answer(f"A base model that comes later, or {NONE}", base_update, SECOND, asks)
    later, language, update = ("" if x == NONE else x for x in (later, language, update))
    return first, spoken, later, language, update


def answer(question: str, flag: str | None, usual: str, asks: bool) -> str:
    """What the flag says, else what is answered, else what is usual."""
    if flag is None and asks:
        return str(typer.prompt(question, default=usual)).strip()
    return usual if flag is None else flag.strip()


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


def write_valid(file: Path, text: str, checks_rows: bool) -> None:
    """Write the file once the scenario in it is valid. Raises ScenarioError with what is wrong, and writes nothing."""
    from adapeff_sim.scenario.load import load
    from adapeff_sim.whole_files import cannot_hold, write_whole

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
