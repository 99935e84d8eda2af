"""Where reports go: all that is asked for is looked at before anything is written."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.cli.targets import require_targets
from adapeff_sim.reports.base import ReportError

FOLDER = "and a folder is wanted, for a file of each of the"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    return tmp_path


def wrong(files=None, folders=None) -> list[str]:
    with pytest.raises(ReportError) as error:
        require_targets(files or {}, folders or {})
    return str(error.value).splitlines()


def test_a_file_where_a_folder_is_wanted_and_the_other_way_round(here):
    told = wrong({"--html": Path("folder")}, {"--csv": Path("file"), "--png": Path("a/b.png"), "--svg": Path("file/x")})
    assert told == [
        "--html folder: a folder is there, and a file is wanted; give one such as folder/page.html.",
        f"--csv file: a file is there, {FOLDER} tables; give one such as tables.",
        f"--png a/b.png: that is the name of a file, {FOLDER} figures; give one such as a/figures.",
        "--svg file/x: not a folder; name another place.",
    ]
    assert sorted(p.name for p in here.iterdir()) == ["file", "folder"], "nothing is left behind"


def test_what_can_be_written_is_not_made_yet(here):
    shutil.rmtree(here / "folder")
    targets = {"--html": Path("deep/er/page.html"), "--markdown": None}, {"--csv": Path("tables/new")}
    require_targets(*targets)
    assert [p.name for p in here.iterdir()] == ["file"]
    assert wrong({"--html": Path("x" * 300)})[0].endswith("no file can have that name; give another.")
    assert wrong({"--html": Path("a"), "--markdown": Path("a")})[0].startswith("--html and --markdown name the same")


@pytest.mark.parametrize("verb", ["report", "compare"])
def test_all_targets_are_looked_at_before_one_is_written(here, verb):
    told = CliRunner().invoke(app, [verb, "demo:new_language", "--html", "page.html", "--csv", "file"])
    assert told.exit_code == 2 and "--csv file: a file is there" in " ".join(told.stderr.split())
    assert not (here / "page.html").exists()
