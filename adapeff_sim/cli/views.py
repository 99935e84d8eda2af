"""How jobs, changes and progress are said in a few words."""

from typing import NamedTuple

from adapeff_sim.artifacts.recipe import Kind
from adapeff_sim.execution.base import Progress
from adapeff_sim.planning.plan import Action, Evaluate, Job, Make, Serve
from adapeff_sim.planning.unfold import Step
from adapeff_sim.reports.wording import duration, points


def said(job: Job) -> str:
    """A job in a few words."""
    match job:
        case Make(artifact) if artifact.kind.is_source:
            return f"fetch {artifact.slot}"
        case Make(artifact):
            return f"train {artifact.slot}"
        case Evaluate(endpoint, route, _):
            return f"evaluate {endpoint} with {route[-1].slot}"
        case Serve():
            return f"time a request for {job}"


class Fate(NamedTuple):
    """What becomes of one artifact: a sign (``+ ~ = -``), its slot, and which inputs moved."""

    sign: str
    slot: str
    because: tuple[str, ...]


SIGNS = {Action.CREATE: "+", Action.REBUILD: "~", Action.KEEP: "=", Action.RETIRE: "-"}


def fates(step: Step) -> list[Fate]:
    """What an event means for the products (not the sources) of one strategy, what is made first."""
    order = list(SIGNS)
    changes = [c for c in step.plan.changes if c.artifact.kind not in (Kind.BASE_MODEL, Kind.DATASET)]
    found = sorted(changes, key=lambda c: order.index(c.action) if c.action != Action.REBUILD else -1)
    return [Fate(SIGNS[c.action], c.artifact.slot, c.because) for c in found]


def how_far(progress: Progress) -> str:
    """How far a job is, in words."""
    facts = [
        f"{progress.phase} {progress.done}/{progress.total}",
        f"loss {progress.loss:.3f}" if progress.loss is not None else "",
        f"best {points(progress.score)} points" if progress.score is not None else "",
        f"{duration(progress.remaining_seconds)} left" if progress.remaining_seconds is not None else "",
    ]
    return ", ".join(fact for fact in facts if fact)


def meaning(step: Step) -> str:
    """What an event means for one strategy: ``+`` created, ``~`` rebuilt and why, ``-`` retired, and how many stand."""
    found = fates(step)
    told = [f"{f.sign} {f.slot}{why(f.because)}" for f in found if f.sign != "="]
    kept = sum(f.sign == "=" for f in found)
    return "; ".join([*told, f"{kept} kept" if kept or not told else ""]).removesuffix("; ") or "nothing changes"


def why(because: tuple[str, ...]) -> str:
    """Which inputs moved, as ``role:slot``."""
    return f" ({', '.join(because)} changed)" if because else ""
