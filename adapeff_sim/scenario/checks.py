"""What can be known to be wrong before anything trains: the whole story is lived through, without a model.

timeline --apply--> worlds --rows of every endpoint--> data    --unfold--> plans --whose settings reach what--> training
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain

from adapeff_sim.artifacts.artifact import Artifact
from adapeff_sim.base_models.release import Release
from adapeff_sim.costs.prices import PricesError
from adapeff_sim.errors import AdapeffError, DataError, PlanningError
from adapeff_sim.estimation.stated import resolve
from adapeff_sim.near_names import suggestion
from adapeff_sim.scenario.entries import EVERY, TRAINED
from adapeff_sim.scenario.fit import misfits
from adapeff_sim.scenario.price_books import load_prices
from adapeff_sim.scenario.problems import Place, Problem
from adapeff_sim.scenario.replay import Moment, replay
from adapeff_sim.scenario.rows import check_rows
from adapeff_sim.scenario.schema import Scenario
from adapeff_sim.scenario.suppose import distinct_seeds, either_way
from adapeff_sim.scenario.words import shown

LIVES_UNFOLDED = 3  # seeds whose plans are looked at; every seed's timeline is replayed


def check(scenario: Scenario, whole_file: bool = True, meant: Collection[Place] = ()) -> Iterator[Problem]:
    """Every problem of a well-formed scenario, by its place; lines are somebody else's.

    With ``whole_file`` unset, settings without effect are let pass, as a flag may have taken away what they are for;
    but for those at the places that are ``meant``.
    """
    moments, problems = replay(scenario)
    yield from problems
    yield from _prices(scenario)
    releases: dict[str, Release] = {}
    yield from _releases(moments, releases)
    yield from _too_long(scenario, releases)
    yield from _estimated(scenario)
    yield from check_rows(scenario, moments)
    if not problems:
        found = list(chain.from_iterable(_lives(scenario, label, releases) for label in scenario.labels))
        yield from (each for each in found if isinstance(each, Problem))
        made = {(label, artifact) for label, artifact in (e for e in found if not isinstance(e, Problem))}
        if (whole_file or meant) and not any(isinstance(each, Problem) for each in found):
            idle = _without_effect(scenario, made)
            yield from (p for p in idle if whole_file or any(_is_at(p.place, place) for place in meant))


def _is_at(place: Place, meant: Place) -> bool:
    """Whether one of two places lies at or within the other."""
    return all(one == other for one, other in zip(place, meant, strict=False))


def _lives(scenario: Scenario, label: str, releases: Mapping[str, Release]) -> Iterator[Problem | tuple[str, Artifact]]:
    """The artifacts that one strategy would train, whether its checks hold or not, and what fits no base model."""
    place: Place = ("strategies", scenario.labels.index(label))
    try:
        for seed in distinct_seeds(scenario)[:LIVES_UNFOLDED]:
            for steps in either_way(scenario, label, scenario.events(seed), seed):
                for step in steps:
                    yield from (Problem(place, text) for text in misfits(step.deployment, releases))
                    yield from ((label, artifact) for artifact in step.plan.built)
    except PlanningError as error:
        yield Problem(place, str(error))


def _prices(scenario: Scenario) -> Iterator[Problem]:
    try:
        load_prices(scenario.prices)
    except PricesError as error:
        yield from said(("prices",), error)


def _releases(moments: Iterable[Moment], found: dict[str, Release]) -> Iterator[Problem]:
    """Every base model is there, whole, and safe to load; those that are go into ``found``."""
    known: set[str] = set()
    for moment in moments:
        spec = moment.after.base_model
        if spec not in known:
            known.add(spec)
            try:
                found[spec] = resolve(spec)
            except DataError as error:
                yield from said((*moment.place, "base_model"), error)


def _too_long(scenario: Scenario, releases: Mapping[str, Release]) -> Iterator[Problem]:
    """A longest sequence that none of the base models can read."""
    longest = max((release.longest for release in releases.values()), default=0)
    for layer, settings in scenario.training.items():
        if longest and settings.max_length is not None and settings.max_length > longest:
            which = "the base model reads" if len(releases) == 1 else "the base models read"
            text = f"is {settings.max_length}, but {which} at most {longest} tokens; give at most {longest}"
            yield Problem(("training", layer, "max_length"), text)


def _estimated(scenario: Scenario) -> Iterator[Problem]:
    """Epochs of something that nobody trains here."""
    known = (*TRAINED, *scenario.labels)
    for layer in scenario.estimate.epochs:
        if layer not in known:
            text = f"no kind of artifact and no strategy is called {shown(layer)}; {suggestion(layer, known)}"
            yield Problem(("estimate", "epochs", layer), text)


def _without_effect(scenario: Scenario, made: set[tuple[str, Artifact]]) -> Iterator[Problem]:
    """Layers that nothing resolves to, and settings that later layers override wherever they would hold."""
    stacks = {scenario.layers(label, artifact) for label, artifact in made}
    kinds = {str(artifact.kind) for _, artifact in made}
    for layer, settings in scenario.training.items():
        place: Place = ("training", layer)
        if layer not in (EVERY, *TRAINED, *scenario.labels):
            known = (EVERY, *TRAINED, *scenario.labels)
            yield Problem(
                place, f"no kind of artifact and no strategy is called {shown(layer)}; {suggestion(layer, known)}"
            )
        elif layer in TRAINED and layer not in kinds:
            made_here = ", ".join(sorted(kinds))
            yield Problem(place, f"no strategy here trains a {layer}, only {made_here}; drop the layer")
        else:
            above = [stack[stack.index(layer) + 1 :] for stack in stacks if layer in stack]
            for name in sorted(settings.model_fields_set):
                if all(any(name in scenario.training[a].model_fields_set for a in layers) for layers in above):
                    yield Problem((*place, name), "has no effect: every layer after it says it again; drop it")


def said(place: Place, error: AdapeffError) -> Iterator[Problem]:
    """An error of another room, a problem for each of its lines."""
    return (Problem(place, line.strip()) for line in str(error).splitlines() if line.strip())
