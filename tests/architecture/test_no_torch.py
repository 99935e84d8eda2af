"""Looking, checking, pricing and planning never load torch, and the help comes at once."""

import json
import subprocess
import sys

import pytest

from adapeff_sim.cli.app import VERBS

COMMANDS = {  # in this order, in one process: the first that loads something is the one to blame
    "--help": 0,
    **{f"{verb} --help": 0 for verb in VERBS},
    "schema": 0,
    "validate smoke": 0,
    "plan smoke": 0,
    "report absent": 2,
    "price absent --prices cloud_gpu": 2,
    "run absent": 2,
}
WATCHED = {"torch", "transformers", "adapters", "datasets", "pandas"}
CODE = """
import contextlib, io, json, sys
from adapeff_sim.cli.app import app
told = {}
for command in json.loads(sys.argv[1]):
    sys.argv, code = ["adapeff-sim", *command.split()], 0
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            app()
        except SystemExit as end:
            code = end.code
    told[command] = [code or 0, sorted(name for name in sys.modules if "." not in name)]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, list[str]]]:
    """For each command its exit code, and what had been loaded when it was done."""
    here = tmp_path_factory.mktemp("empty")
    arguments = [sys.executable, "-c", CODE, json.dumps(list(COMMANDS))]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=True, cwd=here)
    found: dict[str, tuple[int, list[str]]] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize(("command", "code"), COMMANDS.items())
def test_it_never_loads_torch(told, command, code):
    ended, loaded = told[command]
    assert ended == code
    assert "adapeff_sim" in loaded and not WATCHED & set(loaded)


def test_the_help_loads_next_to_nothing(told):
    _, loaded = told["--help"]
    assert not {"pydantic", "networkx", "yaml", "numpy"} & set(loaded)
