"""What the documentation says can be typed, named and followed."""

import re
import shlex
from pathlib import Path

import pytest
import tiers
import typer
from typer.testing import CliRunner

from adapeff_sim.artifacts.methods import FUSIBLE
from adapeff_sim.base_models.encoders import table
from adapeff_sim.cli.app import VERBS, app
from adapeff_sim.scenario.load import shipped_scenarios

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`(adapeff-sim [^`\n]+)`")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
GENERATED = {
    ROOT / "docs" / page for page in re.findall(r"reference/\w+\.md", (ROOT / "mkdocs.yml").read_text("utf-8"))
}
UsageError = typer.BadParameter.__base__
CAPITALS = re.compile(r"\b[A-Z]{3,}\b")  # what one fills in
REDIRECTED = re.compile(r" 2?> ?\S+")  # where a shell puts what is printed
WEB = re.compile(r"[a-z]+:")


def typed(text: str) -> list[str]:
    """The command lines of a page's console blocks, without comments."""
    lines = [line.removeprefix("$ ") for block in CONSOLE.findall(text) for line in block.splitlines()]
    return [shlex.join(shlex.split(REDIRECTED.sub("", line), comments=True)) for line in lines if is_ours(line)]


def is_ours(line: str) -> bool:
    """Whether a line calls this program."""
    return line.startswith("adapeff-sim")


COMMANDS = sorted({line for page in PAGES for line in typed(page.read_text(encoding="utf-8"))})
ANSWERS = sorted(set(QUOTED.findall(README)))


def parsed(line: str) -> str:
    """The verb of a command line that the command line's own parser takes; nothing is run."""
    _, verb, *arguments = shlex.split(line)
    root = typer.main.get_command(app)
    with root.make_context("adapeff-sim", ["--help"], resilient_parsing=True) as context:
        command = root.get_command(context, verb)  # type: ignore[attr-defined]
        assert command is not None, f"there is no verb {verb}"
        command.make_context(verb, arguments, parent=context).close()
    return verb


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Where everything that one fills in is there."""
    monkeypatch.chdir(tmp_path)
    for name in {name for line in [*COMMANDS, *ANSWERS] for name in CAPITALS.findall(line)}:
        (tmp_path / name).mkdir()


def test_there_are_command_lines_to_try_for_every_verb():
    assert typed(README) and {line.split()[1] for line in ANSWERS} == set(VERBS)


@pytest.mark.parametrize("line", [*COMMANDS, *ANSWERS])
def test_a_command_line_of_the_documentation_is_understood(line):
    assert parsed(line.replace("...", "")) in VERBS


@pytest.mark.parametrize("line", ["adapeff-sim walk smoke", "adapeff-sim run smoke --fast", "adapeff-sim run"])
def test_a_command_line_that_is_not_understood_would_be_noticed(line):
    with pytest.raises((AssertionError, UsageError), match=r"(?i)walk|--fast|scenario"):
        parsed(line)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"adapeff-sim (?:run|plan|validate) ([a-z]\w*)", README))))
def test_a_scenario_that_is_run_in_the_readme_is_shipped(name):
    assert name in shipped_scenarios()


def test_the_readme_names_every_shipped_scenario_and_no_other():
    (listed,) = re.findall(r"Shipped scenarios are found by name: (.*?)your own rows", README, re.DOTALL)
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(shipped_scenarios())


def test_the_start_that_the_help_proposes_is_there():
    (name,) = re.findall(r"Start with: adapeff-sim run (\w+)", CliRunner().invoke(app, ["--help"]).output)
    assert name in shipped_scenarios()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    links = LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    places = {link: (page.parent / link).resolve() for link in links if not WEB.match(link)}
    gone = [link for link, place in places.items() if not place.exists() and place not in GENERATED]
    assert not gone


def test_the_page_about_base_models_has_the_table_of_the_encoders():
    page = (ROOT / "docs" / "base_models.md").read_text(encoding="utf-8")
    assert table() in page
    assert all(f"`{method}`" in page for method in FUSIBLE)


def test_the_table_of_tests_tells_the_budgets_that_are_kept():
    table = (ROOT / "docs" / "design.md").read_text(encoding="utf-8").partition("## Tests")[2]
    for tier in tiers.TIERS:
        said = "under 30 s" if tier.minutes == 0.5 else f"{tier.minutes:g} minute"
        assert any(tier.folders[0].rstrip("/") in row and said in row for row in table.splitlines())


def test_a_tier_over_its_budget_is_told():
    minutes = tiers.taken([("tests/corpus/a.py::b", 90.0), ("tests/corpus/a.py::c", 60.0), ("elsewhere.py", 9.0)], 2)
    assert minutes == {"corpus": 1.25}
    assert tiers.told(minutes) == [("corpus: 1.2 of 1 minutes", False)]
