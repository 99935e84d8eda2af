"""What lies ahead of a scenario, drawn as a tree: events, strategies, and what becomes of every artifact."""

from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from adapeff_sim.reports.wording import line, plural
from adapeff_sim.scenario.outlook import Fate, Life, Outlook, Settings, Turn, is_open
from adapeff_sim.scenario.suppose import ALWAYS

SIGNS = {"create": ("+", "green"), "rebuild": ("~", "yellow"), "retire": ("-", "red"), "keep": ("=", "dim")}
CHANGED = ("create", "rebuild", "retire")
ARROW = " > "
WORDS = {"create": "created", "rebuild": "rebuilt", "keep": "kept", "retire": "retired"}


def legend(outlook: Outlook) -> Iterator[str]:
    """What the signs mean that stand in the trees, a line or two."""
    turns = [turn for life in outlook.lives for day in life.days for turn in day.turns]
    fates = [fate for turn in turns for fate in turn.fates]
    signs = {f"{SIGNS[action][0]} {word}": any(f.action == action for f in fates) for action, word in WORDS.items()}
    signs["? looked at before going on"] = any(turn.checks for turn in turns)
    ways = {
        "#2 second generation of a slot": any(f.generation > 1 for f in fates),
        "by: the shortest way from a source that moved": any(f.action == "rebuild" and len(f.path) > 1 for f in fates),
    }
    for told in (signs, ways):
        if any(told.values()):
            yield "   ".join(said for said, applies in told.items() if applies)


def tree_of(outlook: Outlook, life: Life) -> Tree:
    """One timeline: a branch for each event, in it one for each strategy."""
    head = f"{outlook.name}: {outlook.horizon_days:g} days, {seeds_said(life.seeds)}, prices {outlook.prices}"
    tree = Tree(line(head, "bold"), guide_style="dim")
    for day in life.days:
        branch = tree.add(line(f"day {day.day:g}: {day.event}", "bold cyan"))
        for turn in day.turns:
            _add_turn(branch, turn)
    return tree


def seeds_said(seeds: Iterable[int]) -> str:
    """The seeds that a tree holds for."""
    said = ", ".join(map(str, seeds))
    return f"seeds {said} alike" if "," in said else f"seed {said}"


def _add_turn(branch: Tree, turn: Turn) -> None:
    """What one event means for one strategy: what is fetched and trained, what stands, what is looked at."""
    condition = "" if turn.when == ALWAYS else f", {turn.when}"
    here = branch.add(line(turn.label, "bold").append(f"{condition}: {_summary(turn)}", style="default not bold"))
    if turn.fetched:
        here.add(line(f"fetch {', '.join(turn.fetched)}", "dim"))
    for fate in turn.fates:
        if fate.action != "keep":
            here.add(_fate(fate))
    if kept := [slot_said(fate) for fate in turn.fates if fate.action == "keep"]:
        here.add(line(f"= {', '.join(kept)}", "dim"))
    for endpoint, may_fall in turn.checks:
        here.add(line(f"? {endpoint} is looked at: it may fall {may_fall:g} points, else see below", "magenta"))


def slot_said(fate: Fate) -> str:
    """A slot, with the number of its generation from the second on."""
    return fate.slot + (f"#{fate.generation}" if fate.generation > 1 else "")


def _summary(turn: Turn) -> str:
    counts = {action: sum(fate.action == action for fate in turn.fates) for action in SIGNS}
    changes = [f"{counts[action]} {WORDS[action]}" for action in (*CHANGED, "keep") if counts[action]]
    jobs = [
        f"evaluates {plural(turn.evaluations, 'endpoint')}" if turn.evaluations else "",
        f"times {plural(turn.shapes, 'request')}" if turn.shapes else "",
    ]
    return ", ".join([*(changes or ["nothing to do"]), *(job for job in jobs if job)])


def _fate(fate: Fate) -> Text:
    """``~ fusion/intent because fused:adapter/intent moved  by dataset/intent/sw > adapter/intent > fusion/intent``."""
    sign, style = SIGNS[fate.action]
    text = line(f"{sign} {slot_said(fate)}", style)
    if fate.because:
        moved = "the recipe" if fate.because == ("recipe",) else ", ".join(fate.because)
        text.append(f" because {moved} moved", style="default")
    if fate.action == "rebuild" and len(fate.path) > 1:
        more = f" and {plural(fate.more_paths, 'other way', 'other ways')}" if fate.more_paths else ""
        text.append(f"  by {ARROW.join(fate.path)}{more}", style="dim")
    if fate.again:
        text.append("  (made before: the store answers)", style="blue")
    if fate.shared_with:
        text.append(f"  (trained once, also for {', '.join(fate.shared_with)})", style="blue")
    return text


def settings_table(life: Life) -> Table:
    """How everything is trained: one row for each different set of settings, what all share said once."""
    found: dict[tuple[tuple[str, object], ...], list[str]] = {}
    for turn, fate in _trained(life):
        who = f"{turn.label}: {fate.kind}{f' {fate.method}' if fate.method else ''}"
        found.setdefault(tuple((fate.settings or {}).items()), []).append(who)
    rows: list[Settings] = [dict(settings) for settings in found]  # type: ignore[arg-type]  # they were Settings before
    shared = {name for name in rows[0] if len({row[name] for row in rows}) == 1} if rows else set()
    table = Table(title=line("Settings"), title_justify="left", box=None, pad_edge=False)
    table.add_column("trains", overflow="fold")
    table.add_column("with", overflow="fold")
    if rows:
        table.add_row("everything" if len(rows) > 1 else "each", _said(rows[0], shared))
    for row, trained in zip(rows, found.values(), strict=True):
        if len(rows) > 1:
            table.add_row(line("; ".join(dict.fromkeys(trained))), _said(row, row.keys() - shared))
    return table


def _trained(life: Life) -> Iterator[tuple[Turn, Fate]]:
    for day in life.days:
        for turn in day.turns:
            yield from ((turn, fate) for fate in turn.fates if fate.settings is not None)


def _said(settings: Settings, names: Iterable[str]) -> Text:
    chosen = set(names)
    said = (f"{name} {'none' if value is None else f'{value:g}'}" for name, value in settings.items() if name in chosen)
    return line(", ".join(said))


def totals(life: Life) -> Iterator[str]:
    """How many trainings each strategy asks for, and how many there are when each is done once."""
    most = "at most " if is_open(life) else ""
    for label, number in life.trainings.items():
        yield f"{label}: {most}{plural(number, 'training')}"
    each = f" for each of {len(life.seeds)} seeds" if len(life.seeds) > 1 else ""
    yield f"Together {most}{plural(life.distinct_trainings, 'training')}{each}, as what is shared is trained once."
