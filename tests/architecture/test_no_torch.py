"""Looking, checking, pricing and planning never load torch, and the help comes at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hand_made import answer, build, fetch, kept, prices, probe, scored, stands
from tiny_scenario import write_rows

from adapeff_sim.cli.app import VERBS
from adapeff_sim.costs.base import Terms, price_ledger
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.results import Facts, results_of, write
from adapeff_sim.run_folder import RunFolder

HELP_SECONDS = 0.5  # of one core, not of the clock: other processes may keep it waiting

COMMANDS = {  # in this order, in one process: the first that loads something is the one to blame
    "--help": 0,
    **{f"{verb} --help": 0 for verb in VERBS},
    "schema": 0,
    "data helpdesk --task intent --language en": 0,
    "data rows --task mood": 0,
    "validate smoke": 0,
    "list": 0,
    "doctor --offline": 0,
    "new mine.yaml --yes": 0,
    "plan smoke": 0,
    "plan smoke --price": 0,
    "report done": 0,
    "report done --csv tables --markdown tables.md": 0,
    "price done --prices cloud_gpu": 0,
    "compare done": 0,
    "sweep smoke --vary traffic=1,2 --plan --device cpu": 0,
    "explain done --job adapter/a": 0,
    "explain done --job adapter/b": 2,
    "calibrate --show --device cpu": 2,
    "lesson": 0,
    "lesson 1 --no-run": 2,
    "report absent": 2,
    "run absent": 2,
    "run smoke --device cpu --store /proc/s": 2,  # all but training is loaded by then
    "data absent": 2,
}  # tests/corpus/test_parquet_without_torch.py reads rows through datasets, which comes with pandas
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


def finished(folder: Path) -> None:
    """The files of a run that is over."""
    records = (fetch(), build(), scored(), probe(), stands(kept(), answer(100.0), created=("adapter/a",)))
    ledger, terms = Ledger(records), Terms(horizon_days=10.0)
    facts = Facts(name="done", labels=("it",), seeds=(1,), terms=terms, quality_floor=2.0)
    RunFolder(folder).begin("name: done\n", {})
    RunFolder(folder).write_ledger(ledger)
    write(results_of(facts, ledger, prices(), price_ledger(ledger, prices(), terms), {}), folder)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, list[str]]]:
    """For each command its exit code, and what had been loaded when it was done."""
    here = tmp_path_factory.mktemp("here")
    finished(here / "done")
    write_rows(here / "rows")
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


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell what a child has used")
def test_the_help_comes_at_once():
    def used() -> float:
        command = [sys.executable, "-m", "adapeff_sim", "--help"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        return usage.ru_utime + usage.ru_stime

    assert any(used() < HELP_SECONDS for _ in range(3))
