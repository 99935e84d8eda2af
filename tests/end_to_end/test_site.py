"""The site builds strictly, opens from files, and reaches for nothing outside."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from adapeff_sim.cli.app import VERBS
from adapeff_sim.lifecycle.events.base import EVENTS
from adapeff_sim.strategies.base import STRATEGIES

ROOT = Path(__file__).parents[2]
LOADED = re.compile(r'<(?:script|img|link|iframe)[^>]*?(?:src|href)="(https?:|//)[^"]*"[^>]*>')
pytest.importorskip("mkdocs", reason="the extra docs is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """What `make docs` builds, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_no_page_loads_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        found = [m[0] for m in LOADED.finditer(page.read_text(encoding="utf-8")) if 'rel="canonical"' not in m[0]]
        assert not found, f"{page.name}: {found}"


def test_the_reference_has_every_command_event_and_strategy(site):
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    keys = (site / "reference" / "scenario.html").read_text(encoding="utf-8")
    assert all(f'id="{verb}"' in commands for verb in VERBS)
    assert all(f'id="{name}"' in keys for name in (*EVENTS.names(), *STRATEGIES.names()))
