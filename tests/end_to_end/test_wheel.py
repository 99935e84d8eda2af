"""The wheel holds all that a run needs: scenarios, prices, corpus, base models and finished runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*pip, *wheel], check=True, cwd=folder)
    (built,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(folder / "site"), str(built)], check=True, cwd=folder)
    return folder


def command(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(installed / "site"), "PYTHONSAFEPATH": "1"}
    asked = [sys.executable, "-m", "adapeff_sim", *arguments]
    return subprocess.run(asked, cwd=installed, env=env, capture_output=True, text=True, check=False)


def test_the_installed_wheel_is_what_runs(installed):
    code = "import adapeff_sim, pathlib; print(pathlib.Path(adapeff_sim.__file__).parent)"
    env = {**os.environ, "PYTHONPATH": str(installed / "site"), "PYTHONSAFEPATH": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, env=env, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()) == installed / "site" / "adapeff_sim"


def test_finished_runs_come_along(installed):
    shown = command(installed, "report", "demo:new_language")
    assert shown.returncode == 0 and "Verdict" in shown.stdout, shown.stderr


def test_shipped_scenarios_are_valid_and_run_by_bare_name(installed):
    checked = command(installed, "validate", "new_language", "smoke", "full_lifecycle")
    assert checked.returncode == 0, checked.stderr
    done = command(installed, "run", "smoke", "--strategies", "multitask_full", "--threads", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    assert (installed / "runs" / "smoke" / "results.json").is_file()
