"""The one-way stairs, and what the pure rooms must not touch."""

import ast
import functools
import pathlib
from collections.abc import Iterator

import pytest

import adapeff_sim

ROOT = pathlib.Path(adapeff_sim.__file__).parent
CORE = {"errors", "registry", "near_names", "lifecycle", "artifacts"}
EXECUTION = CORE | {"planning", "ledger", "data", "base_models", "estimation", "training", "execution", "whole_files"}
SIMULATION = EXECUTION | {"strategies", "scenario", "accounting", "simulation"}
RESULTS = {"errors", "registry", "ledger", "costs", "projection", "noise", "verdict", "results"}
RESULTS |= {"verdict_sentences", "whole_files", "lost_run", "near_names", "earlier_results"}
EXPLAINED = {"explanation", "event_explanation", "artifact_explanation"}
STORY = RESULTS | SIMULATION | {"explanation"}
MAY_IMPORT = {
    "__init__": {"python_api"},
    "errors": set(),
    "near_names": set(),
    "registry": {"errors", "near_names"},
    "whole_files": set(),
    "lost_run": {"demos", "near_names"},
    "noise": set(),
    "lifecycle": {"errors", "registry"},
    "artifacts": {"errors", "lifecycle", "near_names"},
    "strategies": CORE,
    "planning": CORE,
    "ledger": {"errors"},
    "costs": {"errors", "registry", "ledger"},
    "data": {"errors", "registry", "near_names"},
    "base_models": {"errors", "near_names"},
    "estimation": {"errors", "lifecycle", "artifacts", "base_models", "near_names"},
    "training": CORE | {"ledger", "data", "base_models", "estimation"},
    "execution": EXECUTION,
    "scenario": EXECUTION | {"strategies", "costs"},
    "accounting": EXECUTION,
    "simulation": EXECUTION | {"accounting"},
    "catalogue": EXECUTION | {"strategies", "scenario", "costs"},
    "doctor": {"__init__", "execution", "whole_files"},
    "explanation": {"errors", "ledger", "estimation", "near_names"},
    "event_explanation": STORY,
    "artifact_explanation": STORY | {"event_explanation"},
    "lessons": RESULTS | {"estimation"},
    "earlier_results": {"ledger", "costs", "results"},
    "projection": {"errors", "ledger", "estimation"},
    "verdict": RESULTS,
    "verdict_sentences": {"costs", "noise", "verdict"},
    "results": RESULTS | {"estimation"},
    "comparison": RESULTS,
    "demos": {"errors", "near_names"},
    "playback": SIMULATION,
    "run_folder": SIMULATION | RESULTS | {"demos"},
    "estimates": SIMULATION | RESULTS | {"run_folder"},
    "forecast": {"errors", "ledger", "costs"},
    "conduct": SIMULATION | RESULTS | {"run_folder", "estimates"},
    "python_api": SIMULATION | RESULTS | {"run_folder", "conduct", "comparison", "reports", "demos"},
    "sweep": SIMULATION | RESULTS | {"run_folder", "conduct", "comparison"},
    "reports": RESULTS | {"estimation", "demos", "reports", "comparison", "lifecycle", "artifacts", "planning"},
    "cli": SIMULATION
    | RESULTS
    | EXPLAINED
    | {"run_folder", "conduct", "forecast", "reports", "cli", "__init__", "comparison", "python_api", "sweep"}
    | {"playback", "lessons", "catalogue", "doctor"},
    "__main__": {"cli"},
}
PURE = {"lifecycle", "artifacts", "strategies", "planning", "ledger", "costs", "projection", "accounting", "verdict"}
PURE |= {"simulation", "comparison", "lessons", "noise", "verdict_sentences", "near_names"}
IMPURE = {"os", "pathlib", "io", "time", "datetime", "random", "secrets", "uuid", "subprocess", "socket"}
HEAVY = {"torch", "transformers", "adapters"}
SEEDED = {"lifecycle/timeline.py"}  # arrival processes draw seeded random days, before anything runs
DATED = {"costs/prices.py"}  # a price has a date
FILES = sorted(ROOT.rglob("*.py"))


def room(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@functools.cache
def parsed(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text())


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement, in whatever it stands; looking into expressions as well would take ten times as long."""
    for statement in body:
        yield statement
        for inner in (getattr(statement, name, ()) for name in ("body", "orelse", "finalbody")):
            yield from statements(inner)
        for branch in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            yield from statements(branch.body)


@functools.cache
def imports(path: pathlib.Path, top_level_only: bool = False) -> set[str]:
    body = parsed(path).body
    nodes = body if top_level_only else list(statements(body))
    plain = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    return plain | {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_rooms_below_it(path):
    ours = {n.split(".")[1] for n in imports(path) if n.startswith("adapeff_sim.")}
    assert ours <= MAY_IMPORT[room(path)] | {room(path)}
    assert path.stem not in {"utils", "common", "helpers", "manager", "handler"}
    assert ast.get_docstring(parsed(path)), "a file says in one sentence what it is for"


@pytest.mark.parametrize("path", [p for p in FILES if room(p) in PURE], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_pure_rooms_touch_nothing_outside(path):
    name = str(path.relative_to(ROOT))
    allowed = {"random"} if name in SEEDED else {"datetime"} if name in DATED else set()
    assert not {n.split(".")[0] for n in imports(path)} & (IMPURE | HEAVY) - allowed


@pytest.mark.parametrize("path", [p for p in FILES if room(p) != "training"], ids=lambda p: str(p.relative_to(ROOT)))
def test_only_training_knows_torch(path):
    assert not {n.split(".")[0] for n in imports(path, top_level_only=True)} & HEAVY


def test_the_longest_file_fits_in_a_head():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in FILES}
    assert not {name: n for name, n in lengths.items() if n > 300}
