"""A run's results for a reader at a terminal, or of a file: the same content at every width, nothing cut."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from adapeff_sim.demos import is_demo
from adapeff_sim.reports import holdings, projection, sheets, tables
from adapeff_sim.reports.base import REPORTERS
from adapeff_sim.reports.breakdown import breakdown
from adapeff_sim.reports.effort import effort, equal_quality
from adapeff_sim.reports.upkeep import upkeep
from adapeff_sim.reports.wording import brief, line, nothing_trained, percent, plain, plural
from adapeff_sim.results import Results

CUT_SHORT_SHOWN = 10
OTHERS = "peak_other_gpu_processes"  # what its meter calls them


@REPORTERS.register
def terminal(results: Results, folder: Path, console: Console) -> None:
    """What it cost, how that grew, how good it was, what must be known of it, and the verdict."""
    for part in parts(results, folder, console.width, console.color_system is not None and not console.no_color):
        console.print(part, highlight=False)


def parts(results: Results, folder: Path, width: int, has_colour: bool) -> Iterator[RenderableType]:
    """All parts of the report, from the first line to the verdict."""
    from adapeff_sim.reports.curves import curves

    yield heading(results)
    yield from tables.costs(results, width)
    yield from breakdown(results)
    yield from holdings.holdings(results)
    yield tables.provenance(results)
    yield from tables.events(results, width)
    yield from upkeep(results)
    yield from effort(results)
    yield from tables.quality(results, width)
    yield from equal_quality(results)
    yield from curves(results, width, has_colour)
    yield from projection.parts(results, width, has_colour)
    yield from map(projection.shown, sheets.assumptions(results))
    yield from warnings(results)
    yield verdict(results)
    yield files(folder)


def heading(results: Results) -> RenderableType:
    """Which scenario this is, and under what terms it was priced."""
    facts, prices = results.facts, results.prices
    seeds = f"{plural(len(facts.seeds), 'seed')} ({', '.join(map(str, facts.seeds))})"
    terms = f"{facts.terms.horizon_days:g} days, {seeds}, prices {prices.name} in {prices.currency}"
    of = facts.terms
    terms += f", p95 of {of.p95_ms:g} ms" if of.p95_ms else f", replicas busy for at most {percent(of.utilisation)}"
    if of.traffic != 1:
        terms += f", {of.traffic:g} times the requests"
    told = [line(brief(facts.description))] if facts.description else []
    if words := nothing_trained(results.environment):
        told.append(Text(words, style="yellow"))
    return Group(Rule(line(facts.name, "bold"), align="left"), *told, line(terms, "dim"), Text())


def warnings(results: Results) -> Iterator[Text]:
    """Trainings that had company on their GPU, and those that a cap ended: neither cost what they would have alone."""
    if company := [row for row in results.trainings if row.usage.get(OTHERS)]:
        yield Text()
        told = f"Not alone: other processes used the GPU during {plural(len(company), 'training')}; their seconds and "
        yield Text(told + "energy are not theirs alone.", style="yellow")
    short = results.not_converged
    if not short:
        return
    yield Text()
    count = plural(len(short), "training")
    head = f"Not converged: {count} ended by a cap, before patience did; allow more epochs or steps."
    yield Text(head, style="yellow")
    for cut in short[:CUT_SHORT_SHOWN]:
        yield Text("  ").append_text(line(f"{cut.label}, seed {cut.seed}, day {cut.day:g}: {cut.slot}"))
    if len(short) > CUT_SHORT_SHOWN:
        yield Text(f"  and {len(short) - CUT_SHORT_SHOWN} more; results.json has them all")


def verdict(results: Results) -> RenderableType:
    """What can be said, a sentence each."""
    sentences = [Padding(line(sentence), (0, 0, 0, 2)) for sentence in results.verdict.sentences]
    return Group(Text(), Text("Verdict", style="bold"), *sentences)


def files(folder: Path) -> Text:
    """Where the files are, and how to see this again."""
    again = f"adapeff-sim report {shlex.quote(str(folder))}"
    names = "results.json; costs, events, upkeep, quality, stored and pools as .csv"
    told = "Comes along with the package" if is_demo(folder) else f"Files in {plain(folder)}: {names}"
    return Text(f"\n{told}\nAgain: {plain(again)}")
