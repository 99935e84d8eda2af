"""Whether what a strategy would deploy fits a scenario's base models: known from their settings alone (no torch)."""

from collections.abc import Iterator, Mapping

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.deployment import Deployment, Route
from adapeff_sim.artifacts.methods import FUSIBLE, METHODS, family, options
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe
from adapeff_sim.base_models.encoders import ENCODERS, why_not
from adapeff_sim.base_models.release import Release
from adapeff_sim.errors import ScenarioError
from adapeff_sim.estimation.added import added
from adapeff_sim.estimation.stated import config_for, resolve
from adapeff_sim.scenario.schema import Scenario


def require_precision(scenario: Scenario, precision: str) -> None:
    """ScenarioError for a base model, or a method on it, that cannot be computed with matrix products of this width."""
    said = [getattr(strategy, "method", None) for strategy in scenario.strategies.values()]
    methods = {family(method) for method in said if isinstance(method, str)}
    specs = {getattr(event, "base_model", "") for seed in scenario.seeds for event in scenario.events(seed)} - {""}
    for spec in sorted(specs):
        encoder = ENCODERS[resolve(spec).encoder]
        if precision == "bf16" and encoder.needs_fp32:
            raise ScenarioError(f"{spec}, a {encoder.name}, cannot be computed in bf16; run with --precision fp32")
        if precision == "bf16" and (stops := methods & encoder.needs_fp32_with):
            told = f"{', '.join(sorted(stops))} on {spec}, a {encoder.name}, cannot be computed in bf16"
            raise ScenarioError(f"{told}; run with --precision fp32, or use lora")


def misfits(deployment: Deployment, releases: Mapping[str, Release]) -> Iterator[str]:
    """What cannot be trained or carried over, in words; base models that are not in ``releases`` are let pass."""
    for artifact in deployment.artifacts.values():
        if isinstance(artifact.recipe, AdapterRecipe):
            yield from _method(artifact.recipe.method, _under(artifact.by(Role.BASE), releases), deployment)
    for route in dict.fromkeys(deployment.routes.values()):
        yield from _carried(route, releases)


def _method(method: str, release: Release | None, deployment: Deployment) -> Iterator[str]:
    """The encoder cannot take an adapter of this method."""
    if release is None:
        return
    settings, on = config_for(release), f"method {method} cannot be put on {release.spec}"
    if why := why_not(release.encoder, family(method), options(method), settings):
        fused = any(artifact.by(Role.FUSED) for artifact in deployment.artifacts.values())
        known = FUSIBLE if fused else METHODS
        others = sorted(name for name in known if not why_not(release.encoder, name, settings=settings))
        yield f"{on}, a {ENCODERS[release.encoder].name}: {why}; use {', '.join(others)}"
    elif what := _indivisible(method, release.hidden_size):
        yield f"{on}: {what}"


def _indivisible(method: str, hidden: int) -> str | None:
    """Why the matrices of a compacter cannot be made of Kronecker products at this width; None if they can."""
    adds = added(method)
    narrow = adds.narrow(hidden)
    if not adds.phm or (hidden % adds.phm == 0 and narrow % adds.phm == 0):
        return None
    fit = [size for size in range(adds.phm, hidden + 1, adds.phm) if hidden % size == 0]
    nearest = min(fit, key=lambda size: abs(size - narrow), default=0)
    remedy = f"reduction_factor={hidden // nearest}" if nearest else f"a phm_dim that divides {hidden}"
    return f"its phm_dim {adds.phm} must divide its widths, {hidden} and {narrow}; give it {remedy}"


def _carried(route: Route, releases: Mapping[str, Release]) -> Iterator[str]:
    """An adapter is carried over to a base model of another architecture or size."""
    here = _under(route[:1], releases)
    for artifact in route[1:]:
        before = _under(artifact.by(Role.BASE), releases)
        if here and before and _shape(here) != _shape(before):
            yield (
                f"{artifact.slot} cannot be carried over from {_told(before)} to {_told(here)}; "
                "use on_base_update: retrain, or a base model of the same shape"
            )


def _under(bases: tuple[Artifact, ...], releases: Mapping[str, Release]) -> Release | None:
    recipe = bases[0].recipe if bases else None
    return releases.get(recipe.release) if isinstance(recipe, BaseModelRecipe) else None


def _shape(release: Release) -> tuple[str, int, int, int | None]:
    return release.encoder, release.layers, release.hidden_size, release.inner_size


def _told(release: Release) -> str:
    name = ENCODERS[release.encoder].name
    inner = f", feed-forward {release.inner_size:,}" if release.inner_size else ""
    return f"{release.spec} ({name}, {release.layers} layers of {release.hidden_size}{inner})"
