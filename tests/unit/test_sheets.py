"""The tables that page, CSV and Markdown share: what they say at the edges of a life, and of what is not known."""

from finished_run import told_by
from hand_made import answer, kept, stands

from adapeff_sim.costs.base import price_ledger
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.reports.page.series import flop_rows, quality_means
from adapeff_sim.reports.sheets import average, pareto, quality, sheets
from adapeff_sim.reports.told import Told, tamed
from adapeff_sim.reports.work import phases
from adapeff_sim.results import results_of

LABELS = ("one", "two")


def retired_on(day: float) -> Told:
    """A life whose second endpoint is retired on a day; the horizon is day 100."""
    found, ledger = told_by(LABELS)
    ends = [
        stands(kept(), answer(500_000.0), event="task_retirement sw", label=x, seed=s, step=2, day=day)
        for x in LABELS
        for s in found.facts.seeds
    ]
    later = Ledger((*ledger.records, *ends))
    rows = price_ledger(later, found.prices, found.facts.terms)
    return tamed(Told(results_of(found.facts, later, found.prices, rows, {}), later, "runs/story", {}))


def test_what_is_retired_on_the_horizons_own_day_is_served_no_more_as_the_verdict_says():
    before, on_it = retired_on(99.0), retired_on(100.0)
    assert [row[0].said for row in quality(on_it).rows] == ["a/en", "a/sw (until day 100)"]
    assert quality_means(on_it) == quality_means(before)
    assert average(on_it, "one") == 0.88, "of the endpoint that is still there"
    assert [[c.said for c in row[2:5]] for row in pareto(on_it).rows] == [
        [c.said for c in row[2:5]] for row in pareto(before).rows
    ]
    (whole,) = (s for s in on_it.results.verdict.sentences if s.startswith("Total"))
    assert "two scores 87.5 points on average" in whole and round(100 * average(on_it, "two"), 6) == 87.5


def noted(floor: float, seeds: tuple[int, ...]) -> str:
    found, ledger = told_by(LABELS, seeds)
    facts = found.facts.model_copy(update={"quality_floor": floor})
    rows = price_ledger(ledger, found.prices, facts.terms)
    told = Told(results_of(facts, ledger, found.prices, rows, {}), ledger, "runs/story", {})
    return "\n".join(sheet.note for sheet in sheets(tamed(told)))


def test_notes_tell_only_what_applies():
    one, several = noted(2.0, (1,)), noted(0.1, (1, 2))
    for said in ("mean over seeds", "mean of 2 seeds", "- marks more than"):
        assert said not in one and said in several, said
    for said in ("reused:", "assumed:", "≥ a lower bound", "* estimated or assumed"):
        assert said not in one and said not in several, said
    assert "✓ cheapest" in one and "- marks more than 0.1 below" in several


def test_a_phase_that_never_came_about_took_nothing_and_one_that_was_not_counted_is_unavailable():
    found, ledger = told_by(LABELS)

    def said(*without: str) -> list[str]:
        bare = [
            r.model_copy(update={"usage": {k: v for k, v in r.usage.items() if k not in without}})
            if isinstance(r, JobRecord)
            else r
            for r in ledger.records
        ]
        run = Told(found, Ledger(tuple(bare)), "runs/story", {})
        drawn = {row["phase"] for row in flop_rows(run)}
        assert ("validating while training" in drawn) is (not without)
        return [row[2].said for row in phases(run).rows]

    assert said() == ["20 G", "20 G"]
    assert said("validate_flops", "validate_seconds") == ["–", "–"]
    assert said("validate_flops") == ["unavailable", "unavailable"]
