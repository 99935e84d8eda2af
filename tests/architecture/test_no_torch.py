"""Looking, checking, pricing and planning never load torch, and the help comes at once."""

import subprocess
import sys

import pytest

from adapeff_sim.cli.app import VERBS

LOADED = """
import sys
from adapeff_sim.cli.app import app
sys.argv = ["adapeff-sim", *sys.argv[1:]]
code = 0
try:
    app()
except SystemExit as end:
    code = end.code
heavy = sorted({"torch", "transformers", "adapters", "datasets", "pandas"} & sys.modules.keys())
assert not heavy, heavy
assert sys.argv[1] != "--help" or "pydantic" not in sys.modules, "pydantic"
sys.exit(code)
"""


def done(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["validate", "smoke"], 0),
        (["plan", "smoke"], 0),
        (["schema"], 0),
        (["report", "no such run"], 2),
        (["price", "no such run", "--prices", "cloud_gpu"], 2),
        (["run", "no such scenario"], 2),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_it_never_loads_torch(arguments, code):
    ended = done(*arguments)
    assert (ended.returncode, "assert" in ended.stderr) == (code, False), ended.stderr


def test_the_help_of_no_verb_loads_torch():
    code = LOADED.replace("app()", "[app([v, '--help'], standalone_mode=False) for v in sys.argv[1:]]")
    subprocess.run([sys.executable, "-c", code, *VERBS], check=True, capture_output=True, timeout=60)
