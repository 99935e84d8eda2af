"""Playing a finished run: clock, keys, recordings, and the runs that travel with the package."""

import io
import json
import os
import re
import sys
from pathlib import Path

import pytest
from played import EVENTS, folder_of_life, lived
from rich.console import Console
from typer.testing import CliRunner

from adapeff_sim.cli import recording
from adapeff_sim.cli.app import app
from adapeff_sim.cli.keys import keys_in, pressed
from adapeff_sim.cli.player import EVENT_SECONDS
from adapeff_sim.cli.replay import Found, play
from adapeff_sim.costs.base import price_ledger
from adapeff_sim.demos import HERE, demos
from adapeff_sim.playback import playback
from adapeff_sim.results import read, results_of
from adapeff_sim.run_folder import RunFolder, folder_of
from adapeff_sim.scenario.load import loads


@pytest.fixture(scope="module")
def found() -> Found:
    scenario, results, ledger = lived()
    return Found(results, playback(scenario, ledger))


def player(found, speed=10.0, pauses=False, width=80, height=30):
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    made = found.player(console, speed, pauses)
    made.begin()
    return made


def seen(made) -> str:
    made.screen.console.file.seek(0)
    made.screen.console.file.truncate()
    made.screen.console.print(made.screen)
    return made.screen.console.file.getvalue()


def test_jobs_take_their_time_divided_by_the_speed_and_an_event_rests(found):
    made = player(found)
    made.pass_by(EVENT_SECONDS - 0.1)
    assert made.second == 0 and "event 1 of 7" in seen(made)
    made.pass_by(0.2)
    assert made.second == pytest.approx(1.0)
    for _ in range(10_000):
        if made.is_over:
            break
        made.pass_by(0.5)
    assert made.is_over and made.second == found.playback.seconds
    assert all(s.is_done for s in made.screen.so_far.standings)


def test_the_end_costs_what_the_results_say(found):
    made = player(found)
    for _ in range(EVENTS):
        made.step()
    assert made.is_over
    for standing in made.screen.so_far.standings:
        rows = [r for r in found.results.rows if r.label == standing.label]
        assert standing.total == pytest.approx(sum(r.amount or 0.0 for r in rows) / 2)


def test_keys_pause_step_go_back_and_quit(found):
    made = player(found)
    assert made.press(" ") and made.is_paused
    made.pass_by(1e6)
    assert made.number == 1
    assert made.press("n") and made.press("right")
    assert made.number == 3 and made.is_paused
    assert "traffic_change" in seen(made)  # which asks for no job
    made.press("b")
    assert made.number == 2 and "task_arrival" in seen(made)
    made.press("p")
    made.pass_by(0.5)
    made.press("b")
    assert made.number == 2  # first to where the event began
    made.press("left")
    made.press("b")
    assert made.number == 1
    assert not made.press("q")


def test_going_back_and_on_again_shows_the_same(found):
    made = player(found)
    for _ in range(4):
        made.step()
    picture = seen(made)
    made.step()
    made.back()
    made.back()
    made.step()
    assert seen(made) == picture


def test_it_pauses_where_events_begin_if_that_is_asked_for(found):
    made = player(found, pauses=True)
    assert made.is_paused and made.number == 1
    made.press(" ")
    made.pass_by(1e6)
    assert made.is_paused and made.number == 2
    made.tell_keys()
    assert "Paused · space: go on" in seen(made)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 14)])
def test_the_screen_fits_with_its_keys(found, size):
    made = player(found, width=size[0], height=size[1])
    for _ in range(EVENTS):
        made.tell_keys()
        rows = seen(made).rstrip("\n").split("\n")
        assert len(rows) <= size[1] and max(map(len, rows)) <= size[0]
        assert "n: next event · b: back · q: quit" in rows[-1]
        made.step()


def test_without_keys_it_plays_to_its_end(found, monkeypatch):
    made = player(found, speed=1e6, pauses=True)
    monkeypatch.setattr("adapeff_sim.cli.player.EVENT_SECONDS", 0.0)
    monkeypatch.setattr("adapeff_sim.cli.replay.TICK", 0.001)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    play(made)
    assert made.is_over


def test_a_terminal_tells_keys_and_is_left_as_it_was(monkeypatch):
    termios = pytest.importorskip("termios")
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        try:
            with pressed() as wait:
                assert not termios.tcgetattr(theirs)[3] & termios.ICANON
                os.write(ours, b"n")
                assert wait(1.0) == ["n"] and wait(0.0) == []
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        assert termios.tcgetattr(theirs)[3] & termios.ICANON
    os.close(ours)


@pytest.mark.parametrize(
    ("read", "keys"), [(b"\x1b[C", ["right"]), (b"\x1b[A", []), (b" nQ", [" ", "n", "q"]), (b"\r", ["enter"])]
)
def test_what_a_terminal_sends(read, keys):
    assert keys_in(read) == keys


def test_a_picture_for_each_event_without_anything_from_elsewhere(found, tmp_path):
    files = recording.record(player(found), tmp_path / "slides" / "a.svg")
    assert [file.name for file in files] == [f"a-{i}.svg" for i in range(1, EVENTS + 1)]
    text = files[1].read_text()
    assert "task_arrival" in text.replace("&#160;", " ") and "fusion/intent" in text
    assert not re.search(r"url\((?!#)|@font-face|@import", text)


def test_every_row_of_a_picture_is_of_the_event_that_it_shows(found):
    made, days = player(found), []
    for i in range(EVENTS):
        if i:
            made.step()
        made.finish_event()
        told = made.screen.so_far
        days.append((told.pinned.event.day, {s.day for s in told.standings}, any(s.is_within for s in told.standings)))
    assert [day for day, *_ in days] == [0, 20, 30, 40, 40, 60, 90]
    assert [(day, {day}, False) for day, *_ in days[:-1]] == days[:-1], "of two events of one day, the first too"
    assert days[-1][1:] == ({120}, False)  # the end, up to the horizon


def test_points_of_an_event_are_not_told_before_it_is_over(found):
    made = player(found)
    made.step()
    rows = [line.split() for line in seen(made).splitlines() if line.startswith("adapter_per_task ")]
    assert rows[0][1] == "0" and "…" not in rows[0]
    made.pass_by(EVENT_SECONDS + 0.5)  # a second or so of the run: some jobs of the second event are done
    made.screen.so_far.reckon()  # which waits for its turn while a machine is slow
    known = {s.label: s for s in made.screen.so_far.standings}["adapter_per_task"]
    assert known.is_within and known.day == 20 and len(known.qualities) == 1
    assert "…" in next(line for line in seen(made).splitlines() if line.startswith("adapter_per_task "))


def test_the_parts_of_a_row_come_to_its_total_where_there_is_room():
    run = Path("demo:new_language")
    made = player(Found.of(run), width=100)
    made.finish_event()
    heads, row = (
        next(text.split() for text in seen(made).splitlines() if text.startswith(name))
        for name in ("cost so far", "adapter_per_task ")
    )
    assert heads[-4:] == ["labelling", "other", "total", "points"] and "other" not in seen(player(Found.of(run)))
    *parts, total = map(float, row[2:8])
    assert sum(parts) == pytest.approx(total, abs=0.01)


def test_a_cast_that_would_take_hours_is_refused_with_the_speed_that_would_do(found, tmp_path):
    slow = player(found, speed=1e-3)
    with pytest.raises(
        recording.RecordingError, match=r"minutes, and at most 20 are recorded; give --speed \d+ or more"
    ):
        recording.record(slow, tmp_path / "a.cast")
    assert not list(tmp_path.iterdir())
    assert len(recording.record(slow, tmp_path / "a.svg")) == EVENTS  # of pictures there are as many at any speed


def test_a_cast_shows_the_end_when_it_is_played(found, tmp_path):
    (file,) = recording.record(player(found, speed=200.0), tmp_path / "a.cast")
    header, *events = map(json.loads, file.read_text().splitlines())
    assert (header["version"], header["width"], header["height"]) == (2, 80, 30)
    times = [second for second, kind, _ in events if kind == "o"]
    assert len(times) == len(events) and times == sorted(times)
    rows = [""] * 30
    for row, text in re.findall(r"\x1b\[(\d+);1H(.*?)\x1b\[K", "".join(data for _, _, data in events)):
        rows[int(row) - 1] = re.sub(r"\x1b\[[\d;]*m", "", text)
    made = player(found)
    for _ in range(EVENTS):
        made.step()
    ended = [row.rstrip() for row in seen(made).split("\n")]
    assert [row.rstrip() for row in rows if "so far" in row][-1] in ended


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["demo:nowhere"], "demo:nowhere is no run that comes along; known: "),
        (["demo:new_langage"], "did you mean 'demo:new_language'?"),
        (["absent"], "absent: no results.json"),
        (["demo:new_language", "--record", "a.gif"], "give a file that ends with .svg or .cast"),
        (["demo:new_language", "--speed", "0"], "--speed"),
        (["blank"], "no scenario.yaml"),
    ],
)
def test_what_cannot_be_played_is_told(tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    if arguments == ["blank"]:
        folder_of_life(tmp_path / "blank", without=["scenario.yaml"])
    ended = CliRunner().invoke(app, ["replay", *arguments])
    assert ended.exit_code == 2 and told in " ".join(ended.stderr.split()), ended.output


@pytest.mark.parametrize("name", ["base_model_update", "new_language", "who_is_validated"])
def test_a_run_that_travels_along_tells_its_own_story(name):
    assert name in demos()
    folder = folder_of(Path(f"demo:{name}"))
    results, run = read(folder), RunFolder(folder)
    ledger = run.read_ledger()
    played = playback(loads(run.read_scenario()), ledger)
    assert played.tells(ledger)
    terms = results.facts.terms
    rows = price_ledger(ledger, results.prices, terms)
    assert results_of(results.facts, ledger, results.prices, rows, results.environment) == results
    assert results.facts.name == name and {row.provenance for row in results.trainings} == {"measured"}
    text = "".join(file.read_text(encoding="utf-8") for file in folder.iterdir())
    assert not re.search(r"/(home|tmp|root|usr|work|Users|mnt)/", text)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 700_000


def test_a_demo_is_a_run_wherever_one_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    played = CliRunner().invoke(app, ["replay", "demo:new_language"])
    assert played.exit_code == 0, played.output
    assert "Day 120: new_language sw" in played.stdout and "Every job is done" in played.stdout
    assert "All of it: adapeff-sim report demo:new_language" in played.stdout
    shown = CliRunner().invoke(app, ["report", "demo:new_language"])
    assert "Again: adapeff-sim report demo:new_language" in shown.stdout and str(HERE) not in shown.stdout
    assert CliRunner().invoke(app, ["price", "demo:new_language", "--prices", "on_prem"]).exit_code == 0
    (tmp_path / "demo:new_language").mkdir()  # a folder that is really called so is meant
    assert "no results.json" in CliRunner().invoke(app, ["report", "demo:new_language"]).stderr
