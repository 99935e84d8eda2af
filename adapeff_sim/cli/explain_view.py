"""Explanations drawn: events and artifacts as trees with words, trainings as tables."""

from collections.abc import Callable, Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from adapeff_sim.artifact_explanation import ArtifactExplanation, Generation
from adapeff_sim.cli.plan_view import ARROW, SIGNS
from adapeff_sim.costs.prices import Prices
from adapeff_sim.event_explanation import EventExplanation, Paid, Touched, Turn, Way, Work
from adapeff_sim.explanation import Explanation, Line
from adapeff_sim.ledger.outcome import NOT_MEASURED
from adapeff_sim.reports.breakdown import UNITS
from adapeff_sim.reports.tables import table
from adapeff_sim.reports.wording import duration, flops, line, money, percent, plural, points, quantity, size

ROWS = {
    "labelled_examples": "rows to train on",
    "validation_examples": "rows to validate on",
    "test_examples": "rows to test on",
}
AS_MUCH = 5e-4  # a share so near to 1 says nothing


def event_tree(found: EventExplanation, prices: Prices) -> Iterator[RenderableType]:
    """What happened in words, then a branch for each strategy: what it did and why, how good it was, what it cost."""
    yield line(f"Day {found.day:g}: {found.event}", "bold cyan").append(f"   event {found.number} of {found.of}", "dim")
    yield from (line(sentence) for sentence in found.happened)
    yield Text()
    for turn in found.turns:
        tree = Tree(line(turn.label, "bold").append(f"  {_did(turn)}", "not bold"), guide_style="dim")
        if turn.fetched:
            tree.add(line(f"fetches {', '.join(turn.fetched)}", "dim"))
        for touched in turn.touched:
            if touched.action != "keep":
                _add_touched(tree, touched, prices)
        if kept := [t.slot for t in turn.touched if t.action == "keep"]:
            tree.add(line(f"= {', '.join(dict.fromkeys(kept))}", "dim"))
        for endpoint, may_fall in turn.checks:
            tree.add(line(f"? {endpoint} was looked at: it may fall {may_fall:g} points", "magenta"))
        if turn.scored:
            tree.add(_scores(turn))
        _add_costs(tree, turn, prices)
        yield tree
    yield from _least_and_most(found)


def _least_and_most(found: EventExplanation) -> Iterator[Text]:
    """Who trained least and who most, where several trained and all of it was counted."""
    sums: dict[str, float] = {}
    for turn in found.turns:
        counted = [t.work.train_flops for t in turn.touched if t.work is not None]
        known = [n for n in counted if n is not None]
        if len(known) < len(counted):
            return
        sums[turn.label] = sum(known)
    least, most = min(sums, key=sums.__getitem__), max(sums, key=sums.__getitem__)
    if sums[most] > sums[least]:
        yield Text()
        said = f"{flops(sums[least])}FLOPs" if sums[least] else "nothing"
        yield line(f"Least training: {least} ({said}); most: {most} ({flops(sums[most])}FLOPs).")


def _did(turn: Turn) -> str:
    """How many artifacts met which fate."""
    words = {"create": "created", "rebuild": "rebuilt", "retire": "retired", "keep": "kept"}
    counts = {action: sum(t.action == action for t in turn.touched) for action in words}
    return ", ".join(f"{n} {words[action]}" for action, n in counts.items() if n) or "nothing to do"


def _add_touched(tree: Tree, touched: Touched, prices: Prices) -> None:
    """One artifact: why, by which ways it became stale, and what making it took."""
    sign, style = SIGNS[touched.action]
    text = line(f"{sign} {touched.slot}", style)
    if touched.because:
        text.append(f" because {_moved(touched.because)} moved", "default")
    if touched.round:
        text.append("  after the check", "magenta")
    branch = tree.add(text)
    if touched.action == "rebuild":
        _add_ways(branch, touched.ways)
    if touched.work is not None:
        branch.add(_work(touched.work, prices))


def _moved(because: Sequence[str]) -> str:
    return "the recipe" if tuple(because) == ("recipe",) else ", ".join(because)


def _add_ways(branch: Tree, ways: Sequence[Way]) -> None:
    """The shortest ways from what moved first."""
    for way in ways[:3]:
        branch.add(line(f"by {ARROW.join(way)}", "dim"))
    if len(ways) > 3:
        branch.add(line(f"and {plural(len(ways) - 3, 'other way')}", "dim"))


def _work(work: Work, prices: Prices) -> Text:
    """What making an artifact took, and why that much."""
    tells = work.of_full is not None and abs(work.of_full - 1) > AS_MUCH
    share = f", {percent(work.of_full or 0.0)} of full fine-tuning on the same batches" if tells else ""
    trained = [
        "steps unavailable" if work.steps is None else plural(int(work.steps), "step"),
        "FLOPs unavailable" if work.train_flops is None else f"{flops(work.train_flops)}FLOPs{share}",
        f"{duration(work.train_seconds)} on {work.device}",
    ]
    facts = [*([] if work.is_fetched else trained), _weight(work), money(work.amount, prices.currency)]
    text = line("; ".join(facts), "dim")
    if work.provenance != "measured":
        text.append(f"  ({work.provenance})")
    if work.also_for:
        text.append("  ").append_text(
            line(
                f"({'fetched' if work.is_fetched else 'trained'} once, also for {', '.join(work.also_for)})",
                "not dim blue",
            )
        )
    return text


def _scores(turn: Turn) -> Text:
    """Every endpoint that was scored, with the score that it had before; where none has a score, that says so."""
    if all(s.score is None for s in turn.scored):
        return line(f"without a score: {', '.join(s.endpoint for s in turn.scored)}", "yellow")
    said = [
        f"{s.endpoint} {points(s.score)}" + (f" (was {points(s.before)})" if s.before is not None else "")
        for s in turn.scored
    ]
    return line(f"scores {', '.join(said)}")


def _add_costs(tree: Tree, turn: Turn, prices: Prices) -> None:
    """What fell due and why that much, and what each day costs from then on."""
    known = [paid.amount for paid in turn.paid]
    total = None if None in known else sum(amount for amount in known if amount is not None)
    branch = tree.add(line(f"cost at once: {money(total, prices.currency)}" if known else "costs nothing at once"))
    for paid in turn.paid:
        branch.add(_paid(paid, prices))
    if turn.running:
        daily = tree.add(line("cost of each day from then on"))
        for r in turn.running:
            now = f"{r.component}: {money(r.after, prices.currency)}"
            was = "" if money(r.before) == money(r.after) else f", was {money(r.before)}"
            daily.add(line(f"{now}{was}{_whence(turn, r.component)}"))


def _weight(work: Work) -> str:
    return "size unavailable" if work.stored_bytes is None else size(work.stored_bytes)


def _paid(paid: Paid, prices: Prices) -> Text:
    """One sum that fell due: how much of what, at which price, and how sure that is."""
    unit = ROWS.get(paid.unit) or UNITS.get(paid.unit, paid.unit)
    if paid.quantity is None or paid.amount is None:
        return line(f"{paid.component}: unavailable, as {unit} are not known", "yellow")
    unit += f" ({prices.compute.device})" if paid.component == "compute" else ""
    each = f" at {money(paid.amount / paid.quantity)} each" if paid.quantity else ""
    sure = "" if paid.provenance == "measured" else f"; {paid.provenance}"
    rate = prices.compute.flops_per_second
    if paid.component == "compute" and paid.provenance in NOT_MEASURED and rate:
        sure += f" from its operations, at {flops(rate)} of them a second"
    what = f"{paid.component}: {quantity(paid.quantity)} {unit}{each}"
    return line(f"{what} are {money(paid.amount, prices.currency)}{sure}")


def _whence(turn: Turn, component: str) -> str:
    """What a component's daily cost is made of."""
    if component == "serving":
        before, after = turn.replicas
        now = "replicas unavailable" if after is None else plural(after, "replica")
        return f"  ({now}{'' if before in (after, 0) else f', were {before}'})"
    if component == "storage":
        was, now_bytes = turn.stored_bytes
        if now_bytes is None or was is None:
            return "  (bytes unavailable)"
        return f"  ({size(now_bytes)}{'' if was in (now_bytes, 0) else f', were {size(was)}'})"
    return ""


def artifact_tree(found: ArtifactExplanation, prices: Prices) -> Iterator[RenderableType]:
    """A tree for each strategy, a branch for each generation."""
    yield line(f"{found.slot}", "bold cyan").append(f"   {found.kind.replace('_', ' ')}", "dim")
    if found.without:
        yield line(f"Not in the lives of {', '.join(found.without)}.", "dim")
    yield Text()
    for life in found.lives:
        count = plural(len(life.generations), "generation")
        tree = Tree(line(life.label, "bold").append(f"  {count}", "not bold"), guide_style="dim")
        for generation in life.generations:
            _add_generation(tree, generation, prices)
        yield tree


def _add_generation(tree: Tree, g: Generation, prices: Prices) -> None:
    sign, style = SIGNS[g.action]
    end = f"then {g.end}" if g.end else "the horizon"
    head = line(f"{sign} #{g.number} day {g.since:g} to {g.until:g}", style)
    branch = tree.add(head.append(f" ({end})  {g.event}", "default"))
    if g.because:
        branch.add(line(f"because {_moved(g.because)} moved"))
    if g.action == "rebuild":
        _add_ways(branch, g.ways)
    if g.made_from:
        branch.add(line(f"made from {', '.join(g.made_from)}"))
    if g.under:
        branch.add(line(f"under {', '.join(g.under)}"))
    branch.add(line(f"answers {', '.join(g.answers)}" if g.answers else "answers no endpoint by itself"))
    if g.work is not None:
        branch.add(_work(g.work, prices))


def training(found: Explanation) -> Iterator[RenderableType]:
    """One training beside full fine-tuning: tables of its parts, and what they say."""
    yield line(f"{found.slot}, day {found.day:g}, seed {found.seed}: {', '.join(found.labels)}", "bold")
    if found.provenance in NOT_MEASURED:
        told = "estimated and not measured, as nothing was trained"
        yield line(f"{found.provenance}, for {found.device}: {told}", "yellow")
    else:
        yield line(f"{found.provenance} on {found.device}", "dim")
    yield Text()
    yield from _table("Parameters", found.parameters, lambda n: f"{n:,.0f}")
    yield from _table("Operations of training (FLOPs)", found.flops, flops)
    yield from _table("Seconds", found.seconds, lambda n: f"{n:,.3g}" if n < 100 else f"{n:,.0f}")
    yield from (line(sentence) for sentence in found.sentences)
    yield from (line(f"Unavailable: {gap}", "yellow") for gap in found.unavailable)


def _table(title: str, lines: tuple[Line, ...], said: Callable[[float], str]) -> Iterator[Table]:
    """Each quantity beside that of full fine-tuning, as far as either is known; nothing where none is."""
    known = [each for each in lines if each.this is not None or each.full is not None]
    has_full = any(each.full is not None for each in known)
    made = table("", "this training", *(["full fine-tuning, estimated", "of that"] if has_full else []), title=title)
    for each in known:
        share = each.this / each.full if each.this is not None and each.full else None
        cells = ["–" if n is None else said(n) for n in (each.this, each.full)]
        cells += ["–" if share is None else f"{100 * share:.3g} %"]
        made.add_row(each.what, *(cells if has_full else cells[:1]))
    if known:
        yield made
