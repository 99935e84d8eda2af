"""From a job to an artifact: the network its recipe asks for, its rows as items, the loop, the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapeff_sim.artifacts.artifact import Artifact, Role, digest
from adapeff_sim.artifacts.recipe import AdapterRecipe, FusionRecipe, Kind, ModelRecipe
from adapeff_sim.data.examples import take
from adapeff_sim.errors import ExecutionError
from adapeff_sim.training.backbone import Backbone
from adapeff_sim.training.jobs import BuildJob, Rows, TaskRows
from adapeff_sim.training.network import Network, Setup
from adapeff_sim.training.parts import Answers, Card, base_of, load_card, load_parts, require_base
from adapeff_sim.training.task_head import TaskHead, task_head


@dataclass(frozen=True, slots=True)
class Built:
    """A network ready to be trained, and what will be said of it."""

    network: Network
    card: Card


def prepare(job: BuildJob, backbone: Backbone) -> Built:
    """The network of the job's recipe, inputs loaded; ExecutionError if an input does not fit."""
    recipe = job.artifact.recipe
    match recipe:
        case AdapterRecipe():
            return _adapter(job, backbone, recipe)
        case FusionRecipe():
            return _fusion(job, backbone)
        case ModelRecipe():
            return _model(job, backbone)
    raise ExecutionError(f"{job.artifact.slot} is a {recipe.kind}, which is fetched and not built")


def _adapter(job: BuildJob, backbone: Backbone, recipe: AdapterRecipe) -> Built:
    setup = Setup(_heads(job.tasks), (recipe.method,), trained="adapter")
    return Built(backbone.network(setup, job.seed), _card(job, (recipe.method,)))


def _fusion(job: BuildJob, backbone: Backbone) -> Built:
    fused = job.artifact.by(Role.FUSED)
    methods = fused_methods(fused)
    setup = Setup(_heads(job.tasks), methods, fused=True, trained="fusion")
    network = backbone.network(setup, job.seed)
    for place, adapter in enumerate(fused):
        folder = folder_of(adapter, job.inputs)
        require_base(folder, job.release)
        load_parts(network, folder, Kind.ADAPTER, place)
    return Built(network, _card(job, methods))


def _model(job: BuildJob, backbone: Backbone) -> Built:
    """A model from the base model, or from a built one, whose heads for tasks with unchanged labels go on."""
    start = job.artifact.by(Role.START)[0]
    heads = _heads(job.tasks)
    network = backbone.network(Setup(heads, trained="model"), job.seed)
    if start.kind is Kind.MODEL:
        folder = folder_of(start, job.inputs)
        require_base(folder, job.release)
        before = load_card(folder)
        carried = {task for task, answers in _answers(job.tasks).items() if before.tasks.get(task) == answers}
        load_parts(network, folder, Kind.MODEL, tasks=carried)
    return Built(network, _card(job, ()))


def fused_methods(adapters: Sequence[Artifact]) -> tuple[str, ...]:
    """The methods of adapters, in their order."""
    return tuple(a.recipe.method for a in adapters if isinstance(a.recipe, AdapterRecipe))


def folder_of(artifact: Artifact, inputs: Mapping[str, Path]) -> Path:
    """Where a built input lies; ExecutionError if it was not given."""
    if artifact.fingerprint not in inputs:
        raise ExecutionError(f"{artifact.slot} ({artifact.fingerprint}) was not built before it was needed")
    return inputs[artifact.fingerprint]


def rows_to_train(job: BuildJob, task: TaskRows) -> Rows:
    """Every training row of a task in every language, and the recipe's share of the replayed ones (a fixed choice)."""
    recipe = job.artifact.recipe
    share = recipe.replay if isinstance(recipe, ModelRecipe) and recipe.replay is not None else 0.0
    rows = [row for language in sorted(task.train) for row in task.train[language]]
    for language in sorted(task.replay):
        seen = task.replay[language]
        rows += take(seen, round(share * len(seen)), job.seed, "replay", task.name, language)
    return tuple(rows)


def job_name(job: BuildJob) -> str:
    """What tells the checkpoint of this job from that of any other."""
    return digest(job.artifact.fingerprint, job.release.digest, job.settings.model_dump(mode="json"), job.seed)


def _answers(tasks: Sequence[TaskRows]) -> dict[str, Answers]:
    return {task.name: Answers(kind=task.kind, labels=task.labels) for task in tasks}


def _heads(tasks: Sequence[TaskRows]) -> tuple[tuple[str, TaskHead], ...]:
    return tuple((t.name, task_head(t.kind, len(t.labels))) for t in sorted(tasks, key=lambda t: t.name))


def _card(job: BuildJob, methods: tuple[str, ...]) -> Card:
    tasks = dict(sorted(_answers(job.tasks).items()))
    return Card(kind=job.artifact.kind, methods=methods, tasks=tasks, base=base_of(job.release))
