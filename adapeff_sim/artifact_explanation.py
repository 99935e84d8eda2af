"""One artifact of a finished run through its life: every generation, what it was made from, why, what rests on it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.event_explanation import Way, Work, lives_of, work_of
from adapeff_sim.explanation import ExplanationError
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Row
from adapeff_sim.near_names import choices
from adapeff_sim.planning.impact import impact
from adapeff_sim.planning.plan import Action
from adapeff_sim.planning.unfold import Step
from adapeff_sim.results import Results

LISTED = 12


class Generation(Row):
    """One artifact that held the slot, from a day until another; ``number`` counts from 1."""

    number: int
    fingerprint: str
    since: float
    until: float  # the day on which it was replaced or retired, or the horizon
    end: str  # what ended it: "rebuilt", "retired" or "" at the horizon
    event: str
    action: str
    because: tuple[str, ...]
    ways: tuple[Way, ...]
    made_from: tuple[str, ...]  # ``role:slot#generation``
    under: tuple[str, ...]  # slots of the products that were made from it
    answers: tuple[str, ...]  # endpoints whose route it is part of
    work: Work | None


class ArtifactLife(Row):
    """What held a slot in the life of one strategy under one seed."""

    label: str
    seed: int
    generations: tuple[Generation, ...]


class ArtifactExplanation(Row):
    """One slot in all lives that have it, and the strategies that have none."""

    slot: str
    kind: str
    lives: tuple[ArtifactLife, ...]
    without: tuple[str, ...]


def explain_artifact(
    results: Results,
    ledger: Ledger,
    steps: Sequence[Step],
    slot: str,
    strategy: str | None = None,
    seed: int | None = None,
) -> ArtifactExplanation:
    """The generations of a slot, for all strategies or for one, under one seed (the first, if none is given).

    Raises ExplanationError for a slot, a strategy or a seed that is not there.
    """
    mine = lives_of(steps, results, strategy, seed)
    known = {c.artifact.slot: str(c.artifact.kind) for life in mine.values() for s in life for c in s.plan.changes}
    if slot not in known:
        raise ExplanationError(f"{slot[:80]!r} is not the name of an artifact; {choices(slot, known, most=LISTED)}")
    found = {label: tuple(_generations(results, ledger, life, slot)) for label, life in mine.items()}
    lives = [
        ArtifactLife(label=label, seed=mine[label][0].seed, generations=generations)
        for label, generations in found.items()
        if generations
    ]
    without = tuple(label for label, generations in found.items() if not generations)
    return ArtifactExplanation(slot=slot, kind=known[slot], lives=tuple(lives), without=without)


def _generations(results: Results, ledger: Ledger, life: Sequence[Step], slot: str) -> Iterator[Generation]:
    """Every artifact that held the slot, the first first."""
    names = _names(life)
    made = [
        (step, change)
        for step in life
        for change in step.plan.changes
        if change.artifact.slot == slot and change.action in (Action.CREATE, Action.REBUILD)
    ]
    for step, change in made:
        a = change.artifact
        until, end = _end(life[life.index(step) + 1 :], a, results.facts.terms.horizon_days)
        standing = [s for s in life if a.fingerprint in s.deployment.artifacts]
        over = [b for s in standing for b in s.deployment.artifacts.values() if any(i == a for _, i in b.edges())]
        routes = [str(e) for s in standing for e, route in s.deployment.routes.items() if a in route]
        yield Generation(
            number=int(names[a.fingerprint].rpartition("#")[2]),
            fingerprint=a.fingerprint,
            since=step.event.day,
            until=until,
            end=end,
            event=step.event.headline,
            action=str(change.action),
            because=change.because,
            ways=tuple(tuple(p.slot for p in way) for way in impact(step.plan, step.deployment).get(a, ()) if way[1:]),
            made_from=tuple(f"{role}:{names[i.fingerprint]}" for role, i in a.edges()),
            under=tuple(dict.fromkeys(b.slot for b in over)),
            answers=tuple(dict.fromkeys(routes)),
            work=work_of(results, ledger, step, a),
        )


def _names(life: Sequence[Step]) -> dict[str, str]:
    """``slot#generation`` of every artifact, by fingerprint."""
    names: dict[str, str] = {}
    count: dict[str, int] = defaultdict(int)
    for a in (change.artifact for step in life for change in step.plan.changes):
        if a.fingerprint not in names:
            count[a.slot] += 1
            names[a.fingerprint] = f"{a.slot}#{count[a.slot]}"
    return names


def _end(later: Sequence[Step], a: Artifact, horizon_days: float) -> tuple[float, str]:
    """When an artifact ceased to be deployed or made from, and what ended that."""
    for step in later:
        if a.fingerprint not in step.deployment.artifacts:
            replaced = any(c.artifact.slot == a.slot and c.action is Action.REBUILD for c in step.plan.changes)
            return step.event.day, "rebuilt" if replaced else "retired"
    return horizon_days, ""
