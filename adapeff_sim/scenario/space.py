"""Whether the disk has room for what a scenario trains, asked before anything is."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from adapeff_sim.artifacts.artifact import Artifact, lineage
from adapeff_sim.artifacts.recipe import BaseModelRecipe
from adapeff_sim.base_models.release import Release
from adapeff_sim.errors import ScenarioError
from adapeff_sim.estimation.disk import disk_needed
from adapeff_sim.estimation.stated import resolve
from adapeff_sim.scenario.outlook import Keys
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.suppose import supposed

MIB = 2**20


IsStored = Callable[[str, int, Artifact], bool]  # by label and seed


def nothing_is_stored(label: str, seed: int, artifact: Artifact) -> bool:  # noqa: ARG001
    """What an empty store says."""
    return False


def bytes_needed(scenario: Scenario, is_stored: IsStored = nothing_is_stored) -> int:
    """An upper bound for what all trainings of a scenario write, each once, whether checks hold or fall.

    Those that ``is_stored`` tells of write nothing.
    """
    builds: dict[tuple[int, str], Artifact] = {}
    for seed in scenario.seeds:
        keys, events = Keys(scenario, seed), scenario.events(seed)
        for label in scenario.labels:
            for each in supposed(scenario, label, events, seed):
                wanted = {(seed, keys.of(label, artifact)): artifact for artifact in each.step.plan.built}
                new = {key: a for key, a in wanted.items() if key not in builds and not is_stored(label, seed, a)}
                builds |= new
    releases: dict[str, Release] = {}
    return disk_needed((artifact, release) for artifact in builds.values() for release in _over(artifact, releases))


def require_space(scenario: Scenario, store: Path, is_stored: IsStored = nothing_is_stored) -> None:
    """Refuse a run that the disk under ``store`` has no room for.

    Raises ScenarioError. The bound is an upper one, so a disk that is nearly too small may be refused; a training that
    ``is_stored`` tells of is done and needs no room, and what other scenarios have stored counts for nothing.
    """
    there = next(folder for folder in (store.absolute(), *store.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    needed = bytes_needed(scenario)
    if needed > free:  # looking into the store takes longer, and is seldom asked for
        needed = bytes_needed(scenario, is_stored)
    if needed > free:
        raise ScenarioError(
            f"{store}: {free / MIB:,.0f} MiB are free, but {scenario.name} may write up to {needed / MIB:,.0f} MiB; "
            "make room, or give another --store."
        )


def _over(artifact: Artifact, releases: dict[str, Release]) -> Iterator[Release]:
    """The largest base model that an artifact was made from."""
    specs = {a.recipe.release for a in lineage([artifact]).values() if isinstance(a.recipe, BaseModelRecipe)}
    for spec in specs - releases.keys():
        releases[spec] = resolve(spec)
    yield max((releases[spec] for spec in specs), key=lambda release: release.stored_bytes)
