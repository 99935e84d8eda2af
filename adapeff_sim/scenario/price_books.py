"""Price books as files: found by name or path, and read as strictly as a scenario is."""

import functools
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from adapeff_sim.costs.prices import Basis, Prices, PricesError
from adapeff_sim.errors import ScenarioError
from adapeff_sim.near_names import choices, nearest
from adapeff_sim.scenario.document import parse, read_bytes
from adapeff_sim.scenario.problems import Place, Problems, printable
from adapeff_sim.scenario.words import LONGEST, empties, shown, understood, without_empties

SUFFIXES = (".yaml", ".yml")
BOOKS = Path(__file__).parents[1] / "scenarios" / "prices"


def load_prices(name: str, folder: Path = Path()) -> Prices:
    """The price book of that name among those that come along, or in a file (``*.yaml``, relative to ``folder``).

    Raises PricesError with file, line, key, what was found and what would do.
    """
    if not name.endswith(SUFFIXES):
        books = {book.stem: book for book in sorted(BOOKS.glob("*.yaml"))}
        if name not in books:
            told = choices(name, books, other="give the path of a .yaml file")
            raise PricesError(f"Unknown price book {shown(name)}; {told}.")
        file = books[name]
    else:
        file = folder / name
    try:
        return parse_prices(read_bytes(file), _told_as(file))
    except ScenarioError as error:
        raise PricesError(f"{error}{_beside(file)}") from error


def _told_as(file: Path) -> str:
    """What errors call a file: its path from where the command is given, if it lies there or below, else all of it."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)


@functools.lru_cache(maxsize=32)  # the same bytes are the same book, and a book is frozen
def parse_prices(content: bytes, where: str) -> Prices:
    """The price book in ``content``; ``where`` is what errors call it. Raises PricesError, a line for each problem."""
    try:
        document = parse(content, where, "price book")
        document.value, misplaced = _by_basis(document.value)
        empty = dict(empties(document.value))
        misplaced |= empty
        found = [*document.problems, *(document.problem(place, text) for place, text in misplaced.items())]
        try:
            book = understood(Prices, without_empties(document.value))
        except ValidationError as error:
            told = ((tuple(e["loc"]), e["msg"]) for e in error.errors(include_url=False))
            found += [document.problem(place, text) for place, text in told if place not in empty]
        if found:
            raise Problems(where, found)
    except ScenarioError as error:
        raise PricesError(str(error)) from error
    return book


def _by_basis(value: dict[str, Any]) -> tuple[dict[str, Any], dict[Place, str]]:
    """The book with a basis that stands as a key taken for what it means, as in ``--set``, and what to write."""
    compute = value.get("compute")
    bases = [basis for basis in get_args(Basis) if isinstance(compute, dict) and basis in compute]
    if not isinstance(compute, dict) or len(bases) != 1 or compute.keys() & {"amount", "per"}:
        return value, {}
    (basis,) = bases
    amount = compute[basis]
    said = "..." if amount is None or isinstance(amount, dict | list) else str(amount)[:LONGEST]
    meant = {key: part for key, part in compute.items() if key != basis} | {"amount": amount, "per": basis}
    told: dict[Place, str] = {("compute", basis): f"unknown key; write amount: {said}, per: {basis}"}
    return value | {"compute": meant}, told


def _beside(file: Path) -> str:
    """The file of a like name in the same folder, where a file is not there."""
    try:
        beside = {} if file.exists() else {found.stem: found.name for found in file.parent.glob("*.y*ml")}
    except (OSError, ValueError):  # no name that a file can have
        return ""
    near = nearest(file.stem, beside)
    return printable(f" Did you mean {beside[near]!r}?") if near else ""
