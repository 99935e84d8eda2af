"""Every screen as it looks, character by character, at 80 and at 120 columns.

A screen that was changed on purpose is written anew by ``ADAPEFF_SNAPSHOTS=write pytest tests/unit/test_snapshots.py``;
the difference then stands in the commit, where it is looked at.
"""

import io
import os
from pathlib import Path

import pytest
from finished_run import folder_with, told_by
from rich.cells import cell_len
from rich.console import Console
from story import STORY, Watched, order_of
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.cli.live import Screen
from adapeff_sim.cli.so_far import SoFar
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.simulation import Simulation
from adapeff_sim.strategies.base import STRATEGIES

KEPT = Path(__file__).parents[1] / "snapshots"
WRITES = os.environ.get("ADAPEFF_SNAPSHOTS") == "write"
LABELS = ("adapter_per_task", "adapter_fusion", "multitask_full", "multitask_continue", "full_per_task")
COMMANDS = {
    "help": "--help",
    "list": "list",
    "validate": "validate smoke",
    "data": "data helpdesk --task intent --language en --examples 2",
    "plan": "plan smoke --strategies adapter_fusion,multitask_full",
    "new": "new mine.yaml --quick --yes",
    "report": "report story",
    "price": "price story --prices on_prem --traffic x3",
    "explain": "explain story --job adapter/a@0 --strategy adapter_fusion",
    "refused": "run smoke --strategies adapter_fusoin",
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a finished run that was made by hand."""
    folder = tmp_path_factory.mktemp("here")
    folder_with(folder / "story", *told_by(LABELS, (1,)))
    return folder


def seen(text: str) -> str:
    """What can be seen of it: blanks at the ends of lines cannot."""
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def same_as_kept(name: str, width: int, text: str) -> None:
    kept = KEPT / f"{name}.{width}.txt"
    if WRITES:
        KEPT.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8"), f"{kept.name}: if it should look so, ADAPEFF_SNAPSHOTS=write"


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_screen_looks_as_it_did(here, monkeypatch, name, width):
    monkeypatch.chdir(here)
    monkeypatch.setenv("COLUMNS", str(width))
    (here / "mine.yaml").unlink(missing_ok=True)
    ended = CliRunner().invoke(app, COMMANDS[name].split())
    text = seen(ended.output)
    assert "Traceback" not in text and (name == "refused" or ended.exit_code == 0), text
    assert "\x1b" not in text
    if name != "refused":  # a message is broken by the terminal itself
        assert max(map(cell_len, text.splitlines())) <= width
    same_as_kept(name, width, text)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_the_screen_of_a_run_looks_as_it_did(width, height):
    book = load_prices("laptop_cpu")

    def price(ledger, day):
        return price_ledger(ledger, book, Terms(horizon_days=day))

    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    screen = Screen(console, SoFar("story", 120.0, price, order_of, "EUR", clock=lambda: 100.0))
    wants = {name: STRATEGIES.get(name)() for name in ("adapter_fusion", "full_per_task", "multitask_full")}

    def look(order):
        if len(watched.done) == 11:
            console.print(screen)
            raise KeyboardInterrupt

    watched = Watched(look)
    with pytest.raises(KeyboardInterrupt):
        Simulation(wants, (13,), lambda seed: STORY, order_of).run(watched, screen)
    text = seen(console.file.getvalue())
    assert "train 30/120" in text and len(text.splitlines()) <= height
    same_as_kept("live", width, text)
