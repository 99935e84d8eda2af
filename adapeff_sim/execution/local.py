"""One order after the other in this process: what the store knows is answered, the rest is done at the workbench.

Torch is imported when the first order must really be done; a run that the store answers never loads it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.recipe import BaseModelRecipe, DatasetRecipe
from adapeff_sim.errors import ExecutionError
from adapeff_sim.execution.base import EXECUTORS, Order, Progress, Started, Warned, Watch
from adapeff_sim.execution.disk import in_words
from adapeff_sim.execution.machine import Machine
from adapeff_sim.execution.orders import ancestry, datasets, labelled, release_under, settings_of, tasks_of
from adapeff_sim.execution.predictions import predictions
from adapeff_sim.execution.sources import Sources
from adapeff_sim.execution.store import Entry, Store
from adapeff_sim.execution.work import Work
from adapeff_sim.ledger.outcome import Outcome, Usage
from adapeff_sim.planning.plan import Evaluate, Make, Serve
from adapeff_sim.training.jobs import BuildJob, EvaluateJob, Note, Rows, ServeJob, TaskRows
from adapeff_sim.training.settings import TrainingSettings

if TYPE_CHECKING:
    from adapeff_sim.training.workbench import Workbench

OTHERS = "peak_other_gpu_processes"  # what its meter calls them

Act = Callable[["Workbench", Path, Callable[[Note], None]], Outcome]


@EXECUTORS.register
class Local:
    """Does orders in their sequence, in the name of ``run``: what another run has measured is reused here."""

    def __init__(self, store: Store, sources: Sources, machine: Machine, run: str) -> None:
        self.store, self.sources, self.machine, self.run_id = store, sources, machine, run
        self._workbench: Workbench | None = None

    def run(self, orders: Sequence[Order], watch: Watch) -> Iterator[tuple[Order, Outcome]]:
        """Do the orders and yield each with its outcome as soon as it has one.

        Raises ExecutionError for an order that cannot be done; what was done before is stored, and an interrupted
        one goes on from its checkpoint when it is ordered again.
        """
        for order in orders:
            yield order, self._outcome(order, watch)

    def _outcome(self, order: Order, watch: Watch) -> Outcome:
        job = order.job
        if isinstance(job, Make) and job.artifact.kind.is_source:
            return self._fetched(order, job.artifact)

        def warn(message: str) -> None:
            watch(Warned(order, message))

        taken = self.store.claim(order.key, warn)
        if isinstance(taken, Work):
            with taken:
                watch(Started(order))
                with in_words(self.store.folder):
                    outcome = self._act(order)(self._bench(), taken.folder, _telling(order, watch))
                if others := outcome.usage.get(OTHERS):
                    warn(f"{others:g} other processes used the GPU meanwhile; seconds and energy are theirs in part")
                taken = self.store.finish(taken, outcome, self.run_id)
        outcome = taken.outcome_for(self.run_id)
        return self._with_predictions(outcome, job, taken) if isinstance(job, Evaluate) else outcome

    def _with_predictions(self, outcome: Outcome, job: Evaluate, entry: Entry) -> Outcome:
        """The outcome of an evaluation with what it said of every test item, from the file beside it."""
        (task, language), test_set = job.endpoint, job.test_set
        rows, kind = self.sources.test_rows(job.endpoint, test_set), self.sources.kind(task, test_set.source)
        found = predictions(entry.artifact, kind, rows, language)
        return outcome.model_copy(update={"predictions": found})

    def _fetched(self, order: Order, artifact: Artifact) -> Outcome:
        """What a source weighs, and for a data set how many rows somebody had to label."""
        recipe = artifact.recipe
        if isinstance(recipe, BaseModelRecipe):
            return self._told(stored_bytes=self.sources.release(recipe.release).stored_bytes)
        if not isinstance(recipe, DatasetRecipe):
            raise ExecutionError(f"{artifact.slot}: a {artifact.kind} cannot be fetched.")
        train = self.sources.train_rows(recipe, order.seed)
        validation = self._validation(recipe, settings_of(order), order.seed)
        usage = {"labelled_examples": float(len(train)), "validation_examples": float(len(validation))}
        size = sum(len(row.model_dump_json().encode()) + 1 for row in (*train, *validation))
        return self._told(usage=usage, stored_bytes=size)

    def _told(self, stored_bytes: int, usage: Usage | None = None) -> Outcome:
        name, threads = self.machine.name, self.machine.threads
        return Outcome(usage=usage or {}, stored_bytes=stored_bytes, device=name, threads=threads)

    def _act(self, order: Order) -> Act:
        """What the workbench is asked to do, in plain values."""
        match order.job:
            case Make(artifact):
                build = self._build(order, artifact)
                return lambda bench, folder, tell: bench.build(build, folder, tell)
            case Evaluate():
                evaluation = self._evaluation(order, order.job)
                return lambda bench, folder, tell: bench.evaluate(evaluation, folder, tell)
            case Serve():
                probe = self._probe(order, order.job)
                return lambda bench, folder, tell: bench.probe(probe, folder, tell)

    def _build(self, order: Order, artifact: Artifact) -> BuildJob:
        settings = settings_of(order)
        inputs = self._folders(order, (a for _, a in artifact.edges()))
        tasks = self._tasks(artifact, settings, order.seed)
        return BuildJob(artifact, release_under([artifact], self.sources), inputs, tasks, settings, order.seed)

    def _evaluation(self, order: Order, job: Evaluate) -> EvaluateJob:
        task, inputs = job.endpoint.task, self._folders(order, job.route)
        asked = TaskRows(task, self.sources.kind(task, job.test_set.source), self.sources.labels(task, job.route[-1]))
        rows = self.sources.test_rows(job.endpoint, job.test_set)
        release = release_under(job.route, self.sources)
        return EvaluateJob(job.route, release, inputs, job.endpoint, asked, rows, settings_of(order))

    def _probe(self, order: Order, job: Serve) -> ServeJob:
        release, settings = self.sources.release(job.release), settings_of(order)
        request = self.sources.request(job.task, release, settings.max_length)
        return ServeJob(release, job.stack, request.kind, request.outputs, settings, request.length_tokens)

    def _tasks(self, artifact: Artifact, settings: TrainingSettings, seed: int) -> tuple[TaskRows, ...]:
        """The rows that a build sees, by task; validation rows of every endpoint that it is trained on.

        A task that the recipe names and whose rows were all seen before has none here: its head goes on as it is.
        """
        new, replayed = datasets(artifact, Role.TRAIN), datasets(artifact, Role.REPLAY)
        seen, known = labelled(artifact), ancestry(artifact)
        return tuple(
            TaskRows(
                name=task,
                kind=self.sources.kind(task, next(r.source for r in known if r.task == task)),
                labels=self.sources.labels(task, artifact),
                train=self._rows(new, task, seed),
                replay=self._rows(replayed, task, seed),
                validation={r.language: self._validation(r, settings, seed) for r in seen if r.task == task},
            )
            for task in tasks_of(artifact)
        )

    def _rows(self, recipes: Iterable[DatasetRecipe], task: str, seed: int) -> Mapping[str, Rows]:
        return {r.language: self.sources.train_rows(r, seed) for r in recipes if r.task == task}

    def _validation(self, recipe: DatasetRecipe, settings: TrainingSettings, seed: int) -> Rows:
        limit = settings.validation_rows
        return self.sources.validation_rows(recipe.task, recipe.language, recipe.source, limit, seed)

    def _folders(self, order: Order, artifacts: Iterable[Artifact]) -> dict[str, Path]:
        """Where the built ones of ``artifacts`` lie, by fingerprint."""
        found: dict[str, Path] = {}
        for a in artifacts:
            if not a.kind.is_source:
                found[a.fingerprint] = self._entry(order.keys[a.fingerprint], a).artifact
        return found

    def _entry(self, key: str, artifact: Artifact) -> Entry:
        entry = self.store.find(key)
        if entry is None:
            raise ExecutionError(
                f"{artifact.slot} ({key}) is not in the store {self.store.folder}; it was removed or damaged while "
                "this run went on. Give the same command again: it is made again."
            )
        return entry

    def _bench(self) -> "Workbench":
        if self._workbench is None:
            from adapeff_sim.training.workbench import Workbench

            self._workbench = Workbench(self.machine)
        return self._workbench


def _telling(order: Order, watch: Watch) -> Callable[[Note], None]:
    def tell(note: Note) -> None:
        watch(Progress(order, note.phase, note.done, note.total, note.loss, note.score, note.remaining_seconds))

    return tell
