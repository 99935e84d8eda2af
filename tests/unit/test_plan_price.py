"""`plan --price` as a user meets it: marks on every figure, JSON, exit codes; and runs that only estimate."""

import io
import json

import pytest
from hand_made import build
from rich.console import Console
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.cli.finished import finished
from adapeff_sim.cli.forecast_view import trainings
from adapeff_sim.forecast import Money, less, total
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.trainings import training_rows
from adapeff_sim.reports.files.markdown import markdown
from adapeff_sim.results import read

PRICED = ("plan", "paper/mundra2023", "--strategies", "multitask_full", "--price")
ESTIMATED = ("run", "paper/mundra2023", "--strategies", "pfeiffer,multitask_full", "--executor", "estimate")


@pytest.fixture
def do(tmp_path, monkeypatch):
    """Type a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def typed(*arguments: str):
        monkeypatch.setattr("sys.argv", ["adapeff-sim", *arguments])
        return CliRunner().invoke(app, list(arguments))

    return typed


def test_every_event_has_its_lines_and_every_figure_its_mark(do):
    shown = do(*PRICED).stdout
    for line in (
        "day 90: task_arrival copa",
        "~ model/multitask",
        "re-validate",
        "answer requests",
        "What this rests on",
    ):
        assert line in shown
    assert "* estimated or assumed: nothing was trained" in shown and "assumed" in shown and "23,287*" in shown
    rows = [line.split()[1:] for line in shown.splitlines() if line.split()[:1] == ["multitask_full"]]
    assert len(rows) == 4 + 1, "an event each, and what it comes to"
    assert not [word for row in rows for word in row if not word.endswith("*")], "every amount is estimated"


def test_at_80_columns_names_are_broken_between_their_words_and_nothing_is_cut(do, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = do(*PRICED).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "re-vali-" in shown and "model/multitask " in shown and "multitask_full " in shown
    assert "23,287*" in shown and " M*  " in shown and "FLOPs, 6ND" in shown


@pytest.mark.parametrize("arguments", [["plan", "smoke"], PRICED])
def test_off_a_terminal_columns_says_how_wide(do, monkeypatch, arguments):
    widths = {}
    for columns in ("80", "200", ""):
        monkeypatch.setenv("COLUMNS", columns)
        widths[columns] = max(map(len, do(*arguments).stdout.splitlines()))
    assert widths["80"] <= 80 < widths["200"] and widths[""] <= 160


def test_dearer_than_allowed_ends_with_3_and_says_who(do):
    over = do(*PRICED, "--fail-over", "100", "--json")
    assert over.exit_code == 3 and "multitask_full costs" in over.stderr
    told = json.loads(over.stdout)
    assert len(told["price"]["over"]) == 1 and told["version"] == 1 and told["lives"]
    assert told["price"]["events"][0]["once"]["provenance"] == "assumed"
    assert {each["provenance"] for each in told["price"]["assumptions"]} == {"stated", "assumed"}
    assert do(*PRICED, "--fail-over", "1e9").exit_code == 0


def test_an_amount_that_could_not_be_had_does_not_pass_as_cheap(do, tmp_path):
    (tmp_path / "it.yaml").write_text(
        "name: it\nhorizon_days: 9\ndata: {stated: {a: {kind: pair, outputs: 2, tokens: 9, train: {en: 9}, "
        "validation: {en: 9}, test: {en: 9}}}}\ntimeline:\n"
        "  - {day: 0, event: launch, base_model: 'shape:roberta-base', tasks: {a: [en]}}\n"
        "strategies:\n  - adapter_per_task\nserving: {p95_ms: 0.000001}\n"
    )
    over = do("plan", "it.yaml", "--price", "--fail-over", "1e9")
    assert over.exit_code == 3 and "costs at least" in over.stderr and "is unavailable" in over.stderr
    assert "unavailable" in over.stdout


def test_an_estimate_is_a_run_like_any_other_and_says_what_it_is(do, tmp_path):
    done = do(*ESTIMATED)
    assert done.exit_code == 0, done.stderr
    assert "nothing was trained" in done.stdout and "Quality is unknown" in done.stdout
    results = read(tmp_path / "runs" / "mundra2023")
    assert results.environment["executor"] == "estimate" and results.environment["assumptions"]
    assert {row.provenance for row in results.trainings} == {"estimated"}
    assert do("report", "runs/mundra2023").exit_code == 0
    (written,) = markdown([finished(tmp_path / "runs" / "mundra2023")], tmp_path / "it.md")
    assert "nothing was trained" in written.read_text().partition("## Verdict")[0]
    told = do("explain", "runs/mundra2023", "--job", "adapter/ner@0").stdout
    assert "355" in told or "2,130" in told or "899,911" in told.replace(".", ",")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("plan", "smoke", "--fail-over", "3"), "no effect without --price"),
        (("run", "smoke", "--executor", "estimat"), "did you mean 'estimate'"),
        (("run", "smoke", "--learn-from", "x"), "no effect unless --executor estimate"),
        (("run", "paper/mundra2023", "--device", "cpu"), "rows are only stated"),
        ((*ESTIMATED, "--threads", "2"), "--threads have no effect"),
        ((*PRICED, "--learn-from", "nowhere"), "no results.json"),
    ],
)
def test_what_has_no_effect_or_cannot_be_is_refused(do, line, told):
    done = do(*line)
    assert done.exit_code == 2 and told in " ".join(done.stderr.split())


def test_what_is_left_of_two_equal_amounts_is_nothing():
    before, after = (Money(amount=amount, provenance="estimated") for amount in (0.1 + 0.2, 0.3))
    assert less(after, before).amount == 0.0
    assert less(Money(amount=0.4, provenance="estimated"), after).amount == pytest.approx(0.1)


def test_sums_keep_what_is_not_known_apart_from_nothing():
    known, unknown = Money(amount=1.0, provenance="estimated"), Money(amount=None, provenance="unavailable")
    assert total([known, unknown]) == Money(amount=1.0, provenance="estimated", is_lower_bound=True)
    assert total([unknown]).amount is None
    assert total([]).amount == 0.0


def test_names_of_trainings_are_broken_where_a_word_ends():
    usage = {"train_steps": 30_000.0, "train_epochs": 6.0, "trainable_parameters": 1.49e6}
    usage |= {"train_flops": 4.2e16, "nominal_train_flops": 6.4e16, "train_seconds": 5e5}
    records = Ledger((build("adapter/paraphrase", label="parallel_pfeiffer", usage=usage),))
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(trainings(training_rows(records, ["parallel_pfeiffer"], 10.0), 80))
    words = console.file.getvalue().split()
    assert {"adapter/", "paraphrase", "parallel_", "pfeiffer", "138:53:20*"} <= set(words), words
