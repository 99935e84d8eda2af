"""The page, the pictures and the tables of finished runs: what is in them, and that no name in them does harm."""

import csv
import json
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from finished_run import HOSTILE, SCRIPT, carried, folder_with, told_by, unprobed, unscored
from hypothesis import given, settings
from hypothesis import strategies as st
from story import Reckoner
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.cli.finished import finished
from adapeff_sim.execution.base import EXECUTORS
from adapeff_sim.ledger.records import DeploymentRecord
from adapeff_sim.reports.base import ReportError
from adapeff_sim.reports.files.markdown import escaped
from adapeff_sim.reports.page import charts
from adapeff_sim.reports.page.happened import events_table
from adapeff_sim.reports.page.html import embedded, headline, page
from adapeff_sim.reports.page.whatif import case_of, pools_of
from adapeff_sim.reports.pictures import curve_rows, figures, left_out, written
from adapeff_sim.reports.sheets import Cell, Sheet, costs, sheets
from adapeff_sim.reports.told import LABEL, Told, tamed
from adapeff_sim.reports.work import equal_quality, events, phases
from adapeff_sim.run_folder import RunFolder
from adapeff_sim.scenario.load import loads
from adapeff_sim.scenario.relived import relived

NAMES = ("one", "two", "three")
MOST_BYTES = 3_000_000


class Read(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.data: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        is_json = self.tags[-1:] and self.tags[-1][1].get("type") == "application/json"
        (self.data if is_json and data.strip() else self.text).append(data)


def told(labels=NAMES, **how) -> Told:
    found, ledger = told_by(labels, **how)
    return tamed(Told(found, ledger, "runs/story", {}, scenario=how.get("event", "")))


@pytest.fixture(scope="module")
def hostile() -> str:
    return page([told(HOSTILE[:5], event=HOSTILE[0], endpoint=HOSTILE[1])], "window.vegaEmbed = null")


def test_names_that_mean_harm_are_only_text(hostile):
    found, plain = Read(hostile), Read(page([told()], "window.vegaEmbed = null"))
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in plain.tags}
    for tag in ("script", "img", "b", "style", "iframe"):
        assert sum(t == tag for t, _ in found.tags) == sum(t == tag for t, _ in plain.tags)
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert not set(hostile) & {"\x1b", "\u202e", "\x00"}
    assert SCRIPT in "".join(found.text) and SCRIPT not in hostile


def test_a_name_of_ten_thousand_characters_is_shown_short_and_stays_apart(hostile):
    assert "x" * (LABEL + 1) not in hostile
    labels = told(HOSTILE).results.facts.labels
    assert len(set(labels)) == len(HOSTILE) and max(map(len, labels)) <= LABEL
    assert len(hostile) < MOST_BYTES


def test_the_page_reaches_for_nothing_outside(hostile):
    for tag, attributes in Read(hostile).tags:
        assert not {"src", "srcset", "data", "action"} & attributes.keys()
        assert tag != "link" and (attributes.get("href") or "#").startswith("#")
    assert "default-src 'none'" in hostile


@given(st.recursive(st.text() | st.floats(allow_nan=False, allow_infinity=False), lambda x: st.lists(x, max_size=3)))
@settings(max_examples=25, deadline=None)
def test_what_is_embedded_is_read_back_and_ends_no_script(value):
    text = embedded(value)
    assert json.loads(text) == value and not set(text) & set("<>&\n\u2028\u2029")


def test_the_page_holds_verdict_costs_and_events():
    run = told()
    found = Read(page([run], "window.vegaEmbed = null"))
    text = " ".join("".join(found.text).split())
    for sentence in run.results.verdict.sentences:
        assert sentence.partition(";")[0].rstrip(".") in text
    for row in costs(run.results).rows:
        assert all(cell.said in text for cell in row)
    assert "day 40: new_language sw" in text and "~ adapter/a" in text and "train:dataset/sw" in text
    (data,) = found.data
    assert json.loads(data)["case"]["labels"] == list(NAMES)


def test_a_run_that_was_only_estimated_says_so_at_the_top_of_its_page():
    trained = told()
    found = replace(trained, results=trained.results.model_copy(update={"environment": {"executor": "estimate"}}))
    tops = [page([each], "").partition("</header>")[0] for each in (trained, found)]
    assert ["nothing was trained" in top for top in tops] == [False, True]
    whole = "\n".join(sheet.note for sheet in sheets(found))
    assert "as estimated" in whole and "as counted" not in whole and "as counted" in phases(trained).note


def test_an_event_at_which_nothing_was_done_is_one_line():
    rows = events(told()).rows
    assert "nothing to do" not in events_table(Sheet("events", "", events(told()).heads, rows))
    heads, quiet = events(told()).heads, Cell("–", "–")
    idle = tuple((*row[:3], row[3], *(quiet for _ in row[4:7]), row[7], *(quiet for _ in row[8:])) for row in rows[:3])
    made = events_table(Sheet("events", "", heads, idle))
    assert "nothing to do: one, two, three" in made and "re-deployed" not in made


def test_several_runs_share_a_page_and_have_names_of_their_own():
    found = Read(page([told(), told(("solo",))], "window.vegaEmbed = null"))
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) and {"run-0", "run-1"} <= set(ids)
    assert {attributes.get("href") for _, attributes in found.tags} >= {"#run-0", "#run-1"}


def test_the_load_of_a_pool_is_read_from_what_was_billed():
    found, _ = told_by(("one",), seeds=(1,))
    loads = {(day, until): load for _, _, day, until, load in pools_of(found)}
    assert loads == {(0.0, 100.0): pytest.approx(50_000.0), (40.0, 100.0): pytest.approx(22_500.0)}


def test_where_replicas_do_not_follow_from_the_load_traffic_cannot_be_moved():
    found, ledger = told_by(("one",))
    rows = tuple(
        r.model_copy(update={"quantity": (r.quantity or 0) + 1.0}) if r.item.startswith("idle") else r
        for r in found.rows
    )
    other = found.model_copy(update={"rows": rows})
    assert pools_of(found) and pools_of(other) is None
    assert case_of(other, ledger)["pools"] == [] and case_of(other, ledger)["has_loads"] is False
    assert 'data-knob="traffic"' not in page([tamed(Told(other, ledger, "x", {}))], "")
    assert 'data-knob="traffic"' in page([tamed(Told(found, ledger, "x", {}))], "")


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> Path:
    """A run of the scenario smoke, with scores and seconds that were only reckoned."""
    folder = tmp_path_factory.mktemp("lived")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setitem(EXECUTORS._found, "local", lambda **_: Reckoner())
        assert CliRunner().invoke(app, ["run", "smoke", "--device", "cpu", "--seeds", "13,14"]).exit_code == 0
    return folder / "runs/smoke"


def test_the_lives_are_told_again_as_the_ledger_has_them(lived):
    ledger = RunFolder(lived).read_ledger()
    steps = list(relived(loads((lived / "scenario.yaml").read_text()), ledger))
    stood = ledger.of(DeploymentRecord)
    assert sorted((s.label, s.seed, s.number) for s in steps) == sorted((r.label, r.seed, r.step) for r in stood)
    by = {(s.label, s.seed, s.number): set(s.deployment.routed) for s in steps}
    assert all(by[r.label, r.seed, r.step] == {s.fingerprint for s in r.stored if s.kept_as == "routed"} for r in stood)


def test_the_graph_has_every_artifact_with_its_inputs_and_the_way_that_made_it_stale(lived):
    run = finished(lived)
    (data,) = Read(page([run], "")).data
    life = json.loads(data)["graph"][run.results.facts.labels.index("adapter_per_task")]
    names = [a["name"] for a in life["artifacts"]]
    (language,) = [step for step in life["steps"] if step["event"].startswith("new_language")]
    fates = {names[fate[0]]: fate[1:] for fate in language["fates"] if isinstance(fate, list)}
    action, because, ways = fates["adapter/intent#2"]
    assert (action, because) == ("rebuild", ["train:dataset/intent/de"])
    assert [[names[i] for i in way] for way in ways] == [["dataset/intent/de", "adapter/intent#2"]]
    assert "base_model" in {names[fate] for fate in language["fates"] if isinstance(fate, int)}
    assert fates["dataset/intent/de"][0] == "create"


def test_a_scenario_that_cannot_be_lived_again_leaves_the_rest_of_the_page(lived, tmp_path):
    found, ledger = told_by(("one",))
    run = finished(folder_with(tmp_path / "run", found, ledger, "timeline: nonsense\n"))
    assert run.steps == () and "Unavailable: scenario.yaml cannot be lived again" in page([run], "")


def test_the_commands_that_make_a_run_again_are_ones_that_can_be_given():
    shown = "".join(Read(page([finished(Path("demo:new_language"))], "")).text)
    assert "adapeff-sim run scenario.yaml" in shown and "demo:new_language/scenario.yaml" not in shown
    found, ledger = told_by(NAMES)
    guessed = found.model_copy(update={"environment": {"executor": "estimate"}})
    shown = "".join(Read(page([tamed(Told(guessed, ledger, "runs/a b", {}, scenario="name: story"))], "")).text)
    assert "adapeff-sim run 'runs/a b/scenario.yaml' --executor estimate" in shown


def test_sheets_have_as_many_cells_as_heads():
    for sheet in sheets(told(HOSTILE)):
        assert sheet.rows and {len(row) for row in sheet.rows} == {len(sheet.heads)}


def test_figures_draw_the_curves_of_the_results():
    run = told()
    drawn = dict(figures(run))
    assert {"total", "compute", "storage", "serving", "labelling", "cost_and_quality", "flops"} < drawn.keys()
    rows = curve_rows(run.results, "total")
    last = {row["k"]: row["m"] for row in rows if row["d"] == 100.0}
    assert list(last.values()) == [pytest.approx(r.mean) for r in run.results.totals if r.component == "total"]


def test_curves_at_the_size_of_production_are_figures_of_their_own_and_marked():
    found, ledger = told_by(NAMES)
    plain, larger = (dict(figures(tamed(Told(f, ledger, "runs/story", {})))) for f in (found, carried(found)))
    own = {name: spec for name, spec in larger.items() if name.startswith("projected-")}
    assert own.keys() == {f"projected-{row.component}" for row in found.totals}
    assert {name: spec for name, spec in larger.items() if name not in own} == plain  # what was run stays as it was
    for spec in own.values():
        assert spec["title"]["text"][0].endswith(" *") and spec["title"]["subtitle"][0].startswith("* Estimated")
    ends = [[r["m"] for r in d["total"]["datasets"]["curves"]] for d in (larger, {"total": own["projected-total"]})]
    assert [3 * x for x in ends[0]] == pytest.approx(ends[1])


def test_a_curve_that_lacks_amounts_is_told_as_a_lower_bound():
    found = told_by(NAMES)
    for run, is_bound in ((found, False), (unprobed(*found, NAMES[0]), True)):
        these = tamed(Told(*run, "runs/story", {}))
        assert ("is a lower bound: it crosses none" in page([these], "")) is is_bound
        drawn = dict(figures(these))
        said = {name: " ".join(spec["title"].get("subtitle", ())) for name, spec in drawn.items()}
        assert ("lower bound" in said["total"]) is is_bound and "lower bound" not in said["compute"]
        assert drawn["total"]["title"]["text"] == ["Total"], "which is measured all the same"


def test_figures_that_would_show_scores_are_left_out_where_there_are_none():
    found, ledger = told_by(NAMES)
    run = tamed(Told(unscored(found), ledger, "runs/story", {}))
    names, lost = {name for name, _ in figures(run)}, set(left_out(run))
    assert {"cost_and_quality", "quality-a_sw"} <= lost and not lost & names and "total" in names
    assert left_out(told()) == []
    text = page([run], "")
    assert "nothing was scored" in text and 'data-chart="traded"' not in text and 'data-chart="scored"' not in text


def test_a_picture_says_which_event_is_which_and_what_its_band_is():
    said = " ".join(dict(figures(told()))["total"]["title"]["subtitle"]).replace("\u00a0", " ")
    assert "1: launch mini:v1" in said and "2: new_language sw" in said and "means of 2 seeds" in said


MARKED, UNMARKED = ("| a | b |", "*x* _y_ `z`", "<b>", "[a](b)", "# head", "1. one"), ("a_b", "71.9", "day 1.5")


@pytest.mark.parametrize("text", [*MARKED, *UNMARKED])
def test_markdown_shows_a_text_as_it_is(text):
    made = escaped(text)
    assert "<" not in made and made.replace("\\", "").replace("&lt;", "<").replace("&gt;", ">") == text
    assert (made == text) is (text in UNMARKED)


@pytest.fixture
def do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, ledger = told_by((HOSTILE[0], "=1+1"))
    folder_with(tmp_path / "run", found, ledger)

    def typed(*arguments: str):
        monkeypatch.setattr("sys.argv", ["adapeff-sim", *arguments])
        return CliRunner().invoke(app, list(arguments))

    return typed


def test_tables_are_written_where_they_are_asked_for(do, tmp_path):
    done = do("report", "run", "--csv", "new/tables", "--markdown", "run.md")
    assert done.exit_code == 0, done.output
    assert "new/tables, 7 files" in done.output and "run.md" in done.output
    rows = list(csv.reader((tmp_path / "new/tables/story-costs.csv").open()))
    assert rows[0][0] == "strategy" and float(rows[1][-2]) > 0 and rows[1][-1] == "measured"
    assert rows[2][0] == "'=1+1"
    markdown = (tmp_path / "run.md").read_text()
    assert markdown.startswith("# story\n") and "<script" not in markdown and "## Verdict" in markdown


def test_several_runs_as_json_are_a_list(do):
    found = json.loads(do("report", "run", "run", "--json").stdout)
    assert [one["facts"]["name"] for one in found] == ["story", "story"]


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_without_the_libraries_for_charts_one_line_says_what_to_install(do, monkeypatch, missing):
    for name in [n for n in sys.modules if n.startswith(("adapeff_sim.reports.page", "adapeff_sim.reports.files"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    done = do("report", "run", "--html", "page.html")
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "pip install 'adapeff-sim[page]'" in done.stderr


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match="folder lies there"):
        written(tmp_path, "text")
    with pytest.raises(ReportError, match="cannot be written"):
        written(tmp_path / "file" / "page.html", "text")


def test_what_equal_quality_took_is_told_where_it_was_measured():
    who = {"day": 0.0, "task": "a", "goal": "all", "slot": "adapter/a", "target": 0.8, "nominal_train_flops": 2e12}
    who |= {"provenance": "measured", "place": 0}
    reached = {"steps": 30.0, "train_flops": 1e12, "train_seconds": 60.0}
    rows = (
        SimpleNamespace(**who, label="two", **reached),
        SimpleNamespace(**who, label="two", **dict.fromkeys(reached)),
        SimpleNamespace(**who, label="one", **dict.fromkeys(reached)),
    )
    results = SimpleNamespace(facts=told().results.facts, equal_quality=rows)
    (sheet,) = equal_quality(results)
    first, second = ([cell.said for cell in row] for row in sheet.rows)
    assert first[3:7] == ["80.0", "one", "adapter/a", "never"]
    assert second[4:] == ["two", "adapter/a", "30", "1 T", "2 T", "1:00 (in 1 of 2 seeds)", "measured"]
    assert equal_quality(SimpleNamespace(facts=results.facts, equal_quality=())) == []


def test_the_lead_time_of_an_event_is_all_that_is_done_for_it():
    sheet = events(told(("one",), seeds=(1,)))
    lead, train = (sheet.heads.index(name) for name in ("lead time", "training"))
    assert [row[lead].value for row in sheet.rows] == [101.0 + 5.0 + 10.0, 101.0 + 5.0 + 20.0]
    assert [row[train].said for row in sheet.rows] == ["1:41", "1:41"]


def test_paper_and_page_have_the_same_colours():
    style = Path(charts.__file__).with_name("page.css").read_text()
    assert (
        style.count(" ".join(f"--s{i}: {colour};" for i, colour in enumerate(charts.LIGHTS))) == 2
    )  # screen and print


def test_names_that_mean_harm_do_none_to_a_terminal(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    found, ledger = told_by(HOSTILE, event=HOSTILE[1])
    done = CliRunner().invoke(app, ["report", str(folder_with(tmp_path / "run", found, ledger))])
    assert done.exit_code == 0 and not set(done.output) & {"\x1b", "\u202e", "\b", "\r"}
    assert max(map(len, done.output.splitlines()[:-2])) <= 80


def test_nobody_cheapest_makes_a_headline_of_two_sentences():
    said = (
        "No strategy stays within 2 points.",
        "With a floor of 6.0 points, it would be a (1 EUR in total).",
        "More.",
    )
    assert headline(said) == [*said[:2]] and headline(said[::2]) == [said[0]]
    total = "Total by day 9: a is cheapest."
    assert headline((said[2], total)) == [total] and headline((said[2], total, *said[1:])) == [total, said[1]]


@pytest.mark.parametrize("term", [{"p95_ms": 500.0}, {"placement": "packed"}])
def test_where_a_target_or_shared_instances_size_the_replicas_traffic_cannot_be_moved(term):
    found, _ = told_by(("one",))
    terms = found.facts.terms.model_copy(update=term)
    assert pools_of(found.model_copy(update={"facts": found.facts.model_copy(update={"terms": terms})})) is None
