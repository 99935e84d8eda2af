"""The artifacts of every strategy at every event: what became of each, and the path of reasons that led there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe, ModelRecipe
from adapeff_sim.planning.impact import Way, impact
from adapeff_sim.planning.plan import Action, Change
from adapeff_sim.planning.unfold import Step
from adapeff_sim.reports.told import Told, tame_text
from adapeff_sim.reports.wording import plural

Places = dict[str, int]  # fingerprint -> place among the artifacts of one strategy


def graph_of(told: Told) -> list[JsonValue]:
    """For each strategy, under its first seed: all artifacts with what they are made from, and every step."""
    facts = told.results.facts
    found: list[JsonValue] = []
    for label in facts.labels:
        mine = [s for s in told.steps if s.label == label and s.event.day <= facts.terms.horizon_days]
        found.append(_life([s for s in mine if s.seed == mine[0].seed]))
    return found


def _life(steps: Sequence[Step]) -> dict[str, JsonValue]:
    places: Places = {}
    generations: dict[str, int] = defaultdict(int)
    artifacts: list[JsonValue] = []
    told: list[JsonValue] = []
    for step in steps:
        for change in step.plan.changes:
            a = change.artifact
            if a.fingerprint not in places:
                places[a.fingerprint] = len(artifacts)
                generations[a.slot] += 1
                artifacts.append(_artifact(a, generations[a.slot], places))
        told.append(_step(step, places))
    return {"artifacts": artifacts, "steps": told}


def _artifact(a: Artifact, generation: int, places: Places) -> dict[str, JsonValue]:
    """One artifact; its inputs come before it in every plan, so they have their places."""
    inputs: list[JsonValue] = [[str(role), places[i.fingerprint]] for role, i in a.edges() if i.fingerprint in places]
    name = tame_text(a.slot) + (f"#{generation}" if generation > 1 else "")
    return {"name": name, "kind": str(a.kind), "detail": tame_text(_detail(a)), "inputs": inputs}


def _detail(a: Artifact) -> str:
    """What of its recipe tells it from others of its kind."""
    match a.recipe:
        case BaseModelRecipe(release=release):
            return release
        case DatasetRecipe(rows=rows, source=source):
            said = "all rows" if rows is None else plural(rows, "row")
            return f"{said} of {source}" if source else said
        case AdapterRecipe(method=method):
            return method
        case ModelRecipe(tasks=tasks):
            return ", ".join(tasks)
    return ""


def _step(step: Step, places: Places) -> dict[str, JsonValue]:
    """What became of every artifact at one step, and which artifact answers which endpoint from then on."""
    ways = {a.fingerprint: found for a, found in impact(step.plan, step.deployment).items()}
    fates: list[JsonValue] = [_fate(change, ways, places) for change in step.plan.changes]
    routes: list[JsonValue] = [
        [tame_text(str(endpoint)), [places[a.fingerprint] for a in route]]
        for endpoint, route in sorted(step.deployment.routes.items())
    ]
    checks: list[JsonValue] = [
        tame_text(f"{c.endpoint} may fall {c.may_fall:g} points") for c in step.deployment.checks
    ]
    said = tame_text(step.event.headline)
    return {"day": step.event.day, "event": said, "fates": fates, "routes": routes, "checks": checks}


def _fate(change: Change, ways: Mapping[str, Sequence[Way]], places: Places) -> JsonValue:
    """The place of what is kept; of all else also what became of it, which inputs moved, and the ways from sources."""
    fingerprint = change.artifact.fingerprint
    if change.action is Action.KEEP:
        return places[fingerprint]
    because: list[JsonValue] = [tame_text(name) for name in change.because]
    found: list[JsonValue] = [[places[a.fingerprint] for a in way] for way in ways.get(fingerprint, ()) if len(way) > 1]
    return [places[fingerprint], str(change.action), because, found]
