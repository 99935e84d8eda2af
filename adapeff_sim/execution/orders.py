"""A job becomes an order: which key its outcome has, and which builds must be there before."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from adapeff_sim.artifacts.artifact import Artifact, Role, digest, lineage
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe, FusionRecipe, ModelRecipe
from adapeff_sim.artifacts.store_key import store_keys
from adapeff_sim.base_models.release import Release
from adapeff_sim.errors import ExecutionError
from adapeff_sim.execution.base import Order
from adapeff_sim.execution.machine import Machine
from adapeff_sim.execution.sources import Sources
from adapeff_sim.planning.plan import Evaluate, Job, Make, Serve
from adapeff_sim.training.jobs import PROBED
from adapeff_sim.training.settings import TrainingSettings

SettingsOf = Callable[[str, Artifact], TrainingSettings]  # by label and artifact; data sets have settings too


@dataclass(slots=True)
class Orders:
    """Makes orders for one scenario on one machine: call it with label, seed, day and job."""

    settings: SettingsOf
    sources: Sources
    machine: Machine
    _keys: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)

    def __call__(self, label: str, seed: int, day: float, job: Job) -> Order:
        """The order of a job. Raises DataError for rows or weights that are not there."""
        match job:
            case Make(artifact) if artifact.kind.is_source:
                return self._fetch(label, seed, day, job)
            case Make(artifact):
                keys = self._keys_of(label, seed, [artifact])
                settings, needs = self.settings(label, artifact), (a for _, a in artifact.edges())
                return Order(keys[artifact.fingerprint], job, seed, settings, keys, _builds(keys, needs), label, day)
            case Evaluate(_, route, _):
                keys, settings = self._keys_of(label, seed, route), self.settings(label, route[-1])
                key = self._evaluation_key(job, keys, settings)
                return Order(key, job, seed, settings, keys, _builds(keys, route), label, day)
            case Serve():
                settings = self.settings(label, topmost(job))
                return Order(self._serving_key(job, settings), job, seed, settings, {}, (), label, day)

    def _keys_of(self, label: str, seed: int, artifacts: Iterable[Artifact]) -> dict[str, str]:
        """The store keys of artifacts and of all they were made from."""

        def told(artifact: Artifact) -> dict[str, object]:
            settings = self.settings(label, artifact)
            rows = settings.validation_rows  # counts by the rows that there are, not by the limit
            seen = sorted(self.sources.validation_digest(recipe, rows, seed) for recipe in labelled(artifact))
            return {**settings.model_dump(mode="json", exclude={"validation_rows"}), "validation": seen}

        known = self._keys.setdefault((label, seed), {})
        versions = self.machine.versions
        return store_keys(artifacts, told, seed, versions, lambda source: self.sources.digest(source, seed), known)

    def _fetch(self, label: str, seed: int, day: float, job: Make) -> Order:
        """What is fetched is known by its content, whatever the machine."""
        recipe = job.artifact.recipe
        content = self.sources.digest(job.artifact, seed)
        key, settings = f"fetch-{content}", None
        if isinstance(recipe, DatasetRecipe):
            settings = self.settings(label, job.artifact)
            beside = self.sources.validation_digest(recipe, settings.validation_rows, seed)
            key = f"fetch-{digest(content, beside)}"
        return Order(key, job, seed, settings, {job.artifact.fingerprint: content}, (), label, day)

    def _evaluation_key(self, job: Evaluate, keys: dict[str, str], settings: TrainingSettings) -> str:
        """Equal when the same weights answer the same rows in the same batches."""
        route = [keys[a.fingerprint] for a in job.route]
        rows = self.sources.test_digest(job.endpoint, job.test_set)
        batches = (settings.max_length, settings.batch_size)
        return digest("evaluate", str(job.endpoint), route, rows, batches, self.machine.versions)

    def _serving_key(self, job: Serve, settings: TrainingSettings) -> str:
        """Equal for equal shapes: neither weights nor seed nor release decide how long a request takes."""
        release = self.sources.release(job.release)
        request = self.sources.request(job.task, release, settings.max_length)
        shape = (request.kind, request.outputs, request.length_tokens)
        return digest("serve", PROBED, release.architecture, job.stack, shape, self.machine.versions)


def labelled(artifact: Artifact) -> list[DatasetRecipe]:
    """The data sets that a product is trained on, new ones and replayed ones, in a fixed order."""
    datasets = (*artifact.by(Role.TRAIN), *artifact.by(Role.REPLAY))
    return [a.recipe for a in datasets if isinstance(a.recipe, DatasetRecipe)]


def datasets(artifact: Artifact, role: Role) -> list[DatasetRecipe]:
    """The data sets that an artifact has in one role."""
    return [a.recipe for a in artifact.by(role) if isinstance(a.recipe, DatasetRecipe)]


def ancestry(artifact: Artifact) -> list[DatasetRecipe]:
    """Every data set that an artifact, or what it was continued from, was trained on."""
    found = (a.recipe for _, a in sorted(lineage([artifact]).items()))
    return [recipe for recipe in found if isinstance(recipe, DatasetRecipe)]


def tasks_of(artifact: Artifact) -> tuple[str, ...]:
    """The tasks whose heads a build has: those it sees rows of, and those that a model answers all the same."""
    answered = artifact.recipe.tasks if isinstance(artifact.recipe, ModelRecipe) else ()
    known = (recipe.task for recipe in ancestry(artifact) if recipe.task in answered)
    return tuple(dict.fromkeys([*(recipe.task for recipe in labelled(artifact)), *known]))


def release_under(artifacts: Iterable[Artifact], sources: Sources) -> Release:
    """The base model that lies under ``artifacts``, or that they grew from: of the first one that has any.

    Raises ExecutionError where none has.
    """
    for artifact in artifacts:
        recipes = (a.recipe for a in _down(artifact))
        releases = [recipe.release for recipe in recipes if isinstance(recipe, BaseModelRecipe)]
        if releases:
            return sources.release(releases[0])
    raise ExecutionError("nothing in the order lies on a base model.")


def settings_of(order: Order) -> TrainingSettings:
    """The settings that an order comes with. Raises ExecutionError for one without."""
    if order.settings is None:
        raise ExecutionError(f"order {order.key} comes without settings.")
    return order.settings


def _down(artifact: Artifact) -> Iterator[Artifact]:
    """An artifact, then what it lies on or started from, down to the base model."""
    yield artifact
    for role in (Role.BASE, Role.START):
        for below in artifact.by(role):
            yield from _down(below)


def topmost(serve: Serve) -> Artifact:
    """A stand-in for what lies on top of a served stack, to ask for its settings."""
    kind, _, method = serve.stack[-1].partition(" ")
    if kind == "adapter":
        return Artifact(f"adapter/{serve.task}", AdapterRecipe(task=serve.task, method=method))
    if kind == "fusion":
        return Artifact(f"fusion/{serve.task}", FusionRecipe(task=serve.task))
    return Artifact(f"model/{serve.task}", ModelRecipe(tasks=(serve.task,)))


def _builds(keys: dict[str, str], artifacts: Iterable[Artifact]) -> tuple[str, ...]:
    """The keys of those artifacts that are built."""
    return tuple(sorted({keys[a.fingerprint] for a in artifacts if not a.kind.is_source}))
