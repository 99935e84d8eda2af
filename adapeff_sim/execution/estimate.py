"""Orders answered from closed forms: no step is taken, no file is written, and torch is never loaded.

rows as piles -> batches of which shapes, how often -> operations, parameters, bytes -> seconds at a pace

Every outcome is `estimated`, and names what rests on epochs, a rate or a size that nobody measured or stated; what no
closed form tells is unavailable, and so is every score.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, DatasetRecipe, FusionRecipe, Kind, ModelRecipe
from adapeff_sim.base_models.release import Release
from adapeff_sim.data.examples import PRIMARY, Split, TaskKind
from adapeff_sim.errors import ExecutionError
from adapeff_sim.estimation.assumptions import LOAD_BYTES_PER_SECOND, OF_REQUESTS, PIECE_BYTES, Pace
from adapeff_sim.estimation.encoder import DECIDES_SHAPE, NoClosedForm
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, StepFlops, Trained, nominal_flops, step_flops
from adapeff_sim.estimation.parameters import FLOAT_BYTES, held_bytes, parameters
from adapeff_sim.estimation.stated import config_for, is_stated, shape_of
from adapeff_sim.execution.base import EXECUTORS, Order, Watch
from adapeff_sim.execution.orders import ancestry, datasets, labelled, release_under, settings_of, tasks_of
from adapeff_sim.execution.piles import POOL, Piles, Shape, together, trained
from adapeff_sim.execution.sources import Sources
from adapeff_sim.ledger.outcome import Batches, HeadSize, Outcome, Provenance, Usage, Workload
from adapeff_sim.lifecycle.world import Endpoint
from adapeff_sim.planning.plan import Evaluate, Make, Serve
from adapeff_sim.training.task_head import OF_FIRST_PIECE, task_head

REQUEST_BATCHES = (1, 2, 4, 8, 16, 32)
NEVER_KNOWN = ("energy_joules", "peak_memory_bytes")
Heads = Mapping[str, HeadShape]
IsGuess = Callable[[Artifact, int], bool]  # whether so many epochs of a training are only a default
OF_SHAPE = ("trainable_parameters", "total_parameters")  # of a training, what no epoch and no rate decides


@EXECUTORS.register
class Estimate:
    """Answers orders at the ``pace`` of one device, requests at that of another where serving has one of its own."""

    def __init__(self, sources: Sources, pace: Pace, serving_pace: Pace, is_guess: IsGuess) -> None:
        self.sources, self.pace, self.serving_pace, self.is_guess = sources, pace, serving_pace, is_guess

    def run(self, orders: Sequence[Order], watch: Watch) -> Iterator[tuple[Order, Outcome]]:  # noqa: ARG002
        """Every order with its outcome, in their sequence. Raises DataError for rows or models that cannot be had."""
        for order in orders:
            yield order, self._outcome(order)

    def _outcome(self, order: Order) -> Outcome:
        match order.job:
            case Make(artifact) if artifact.kind.is_source:
                return self._fetched(order, artifact)
            case Make(artifact):
                return self._built(order, artifact)
            case Evaluate():
                return self._evaluated(order, order.job)
            case Serve():
                return self._served(order, order.job)

    def _fetched(self, order: Order, artifact: Artifact) -> Outcome:
        """What a source weighs, and how many rows somebody has to label: known where it is here, else as stated."""
        recipe = artifact.recipe
        if isinstance(recipe, BaseModelRecipe):
            sure: Provenance = "estimated" if is_stated(recipe.release) else "measured"
            return Outcome(stored_bytes=self.sources.release(recipe.release).stored_bytes, provenance=sure)
        if not isinstance(recipe, DatasetRecipe):
            raise ExecutionError(f"{artifact.slot}: a {artifact.kind} cannot be fetched.")
        e, limit = Endpoint(recipe.task, recipe.language), settings_of(order).validation_rows
        train = self._count(e, "train", recipe.source, recipe.rows)
        validation = self._count(e, "validation", recipe.source, limit)
        usage = {"labelled_examples": float(train), "validation_examples": float(validation)}
        if stated := self.sources.stated(recipe.source):
            task = stated.task(recipe.task)
            pieces = task.tokens * task.sequences_per_row * task.windows_per_row
            size = round((train + validation) * pieces * PIECE_BYTES)
            return Outcome(usage=usage, stored_bytes=size, provenance="estimated", assumed=("stored_bytes",))
        rows = (
            *self.sources.train_rows(recipe, order.seed),
            *self.sources.validation_rows(recipe.task, recipe.language, recipe.source, limit, order.seed),
        )
        return Outcome(usage=usage, stored_bytes=sum(len(row.model_dump_json().encode()) + 1 for row in rows))

    def _count(self, endpoint: Endpoint, split: Split, source: str, most: int | None) -> int:
        found = self.sources.count(endpoint, split, source)
        return found if most is None else min(most, found)

    def _built(self, order: Order, artifact: Artifact) -> Outcome:
        release, settings = release_under([artifact], self.sources), settings_of(order)
        piles = Piles(self.sources, release, min(settings.max_length, release.longest))
        epoch, rows = self._epoch(artifact, piles, settings.batch_size)
        if not epoch:
            raise ExecutionError(f"{artifact.slot} has no training rows; label some")
        steps = min(settings.epochs * len(epoch), settings.max_steps or settings.epochs * len(epoch))
        seen, passes = trained(epoch, steps), -(-steps // len(epoch))
        usage = {"train_steps": float(steps), "train_epochs": steps / len(epoch)}
        usage |= {"train_examples": float(round(rows * steps / len(epoch)))}
        usage["train_tokens"] = float(sum(n * sequences * pieces for (_, sequences, pieces), n in seen.items()))
        try:
            network, heads = self._network(artifact, release), self._heads(artifact)
            usage |= _operations(network, heads, seen, usage["train_tokens"]) | _seconds(
                self.pace, network, heads, seen
            )
            if settings.patience:
                asked = self._validation(artifact, piles, settings.validation_rows, settings.batch_size)
                answering = self._answering(network, heads, asked, "validate")
                usage |= {quantity: passes * amount for quantity, amount in answering.items()}
            size = _stored_bytes(artifact, network, heads)
        except NoClosedForm as error:
            return _unknown(usage, ("train_flops", "train_seconds", str(error)))
        told, guess = _workload(config_for(release), network, heads, seen), self.is_guess(artifact, settings.epochs)
        assumed = _resting(usage, self.pace, guess and steps != settings.max_steps)
        return self._told(usage, stored_bytes=size, workload=told, unavailable=_lacking(usage), assumed=assumed)

    def _epoch(self, artifact: Artifact, piles: Piles, batch_size: int) -> tuple[list[Shape], int]:
        """The batches of one epoch, task by task, and the rows in it; of replayed rows the recipe's share."""
        recipe, epoch, rows = artifact.recipe, [], 0
        share = recipe.replay if isinstance(recipe, ModelRecipe) and recipe.replay is not None else 0.0
        for task in tasks_of(artifact):
            found = []
            for role, part in ((Role.TRAIN, 1.0), (Role.REPLAY, share)):
                for d in (d for d in datasets(artifact, role) if d.task == task):
                    pile, count = piles.of(Endpoint(task, d.language), "train", d.source, d.rows)
                    found.append(pile.share(part))
                    rows += round(part * count)
            pile = together(found)
            epoch += pile.steps(task, batch_size, piles.release.longest, POOL) if pile.items else []
        return epoch, rows

    def _validation(self, artifact: Artifact, piles: Piles, limit: int, batch_size: int) -> Counter[Shape]:
        """The batches in which the validation rows of every endpoint are answered once."""
        found: Counter[Shape] = Counter()
        for d in dict.fromkeys(labelled(artifact)):
            pile, _ = piles.of(Endpoint(d.task, d.language), "validation", d.source, limit)
            found.update(pile.steps(d.task, batch_size, piles.release.longest))
        return found

    def _evaluated(self, order: Order, job: Evaluate) -> Outcome:
        """What answering the test rows takes; what the answers would be worth nobody knows."""
        release, settings, e = release_under(job.route, self.sources), settings_of(order), job.endpoint
        piles = Piles(self.sources, release, min(settings.max_length, release.longest))
        pile, count = piles.of(e, "test", job.test_set.source, None, job.test_set.version)
        kind = self.sources.kind(e.task, job.test_set.source)
        usage, primary = {"test_examples": float(count)}, PRIMARY[kind]
        head = self._head(kind, self.sources.labels(e.task, job.route[-1]))
        try:
            network = _stacked(release, [a.recipe.method for a in job.route if isinstance(a.recipe, AdapterRecipe)])
            asked = Counter(pile.steps(e.task, settings.batch_size, release.longest))
            usage |= self._answering(network, {e.task: head}, asked, "evaluate")
        except NoClosedForm as error:
            return _unknown(usage, ("evaluate_flops", "evaluate_seconds", str(error)), primary)
        assumed = _resting(usage, self.pace)
        return self._told(usage, primary=primary, unavailable=(primary, *_lacking(usage)), assumed=assumed)

    def _served(self, order: Order, job: Serve) -> Outcome:
        """What a request takes, and what a server of this shape holds."""
        release = self.sources.release(job.release)
        request = self.sources.request(job.task, release, settings_of(order).max_length)
        sequences = request.outputs if request.kind is TaskKind.CHOICE else 1
        head = _head(request.kind, request.outputs)
        methods = [part.partition(" ")[2] for part in job.stack if part.startswith(f"{Kind.ADAPTER} ")]
        try:
            network = _stacked(release, methods)
            forward = step_flops(network, head, sequences, request.length_tokens).forward
            pace, length = self.serving_pace, request.length_tokens
            seconds = {n: pace.answer_seconds(network, head, n * sequences, length) / n for n in REQUEST_BATCHES}
            held = held_bytes(network, [head])
        except NoClosedForm as error:
            return _unknown({}, ("request_flops", "request_seconds", str(error)))
        usage = {
            "request_flops": float(forward),
            "request_after_idle_seconds": pace.after_idle * seconds[1],
            **held,
            "load_seconds": held["resident_bytes"] / LOAD_BYTES_PER_SECOND,
        }
        assumed = ("load_seconds", *(OF_REQUESTS if self.serving_pace.is_assumed else ()))
        lost: tuple[str, ...] = ()
        if math.isnan(seconds[1]):  # nobody knows how fast the device is
            seconds, usage, lost = {}, {name: n for name, n in usage.items() if name not in OF_REQUESTS}, OF_REQUESTS
        told = self._told(usage, request_seconds=seconds, unavailable=(*lost, *NEVER_KNOWN), assumed=assumed)
        return told.model_copy(update={"device": self.serving_pace.device})

    def _answering(self, network: NetworkShape, heads: Heads, asked: Mapping[Shape, int], phase: str) -> Usage:
        """Operations and seconds of answering batches once."""
        bare = NetworkShape(network.encoder, network.adapters, network.fused)
        flops = seconds = 0.0
        for (task, sequences, length), times in asked.items():
            flops += times * step_flops(bare, heads[task], sequences, length).forward
            seconds += times * self.pace.answer_seconds(bare, heads[task], sequences, length)
        return {f"{phase}_flops": flops} | ({} if math.isnan(seconds) else {f"{phase}_seconds": seconds})

    def _network(self, artifact: Artifact, release: Release) -> NetworkShape:
        """What is trained, and what lies under it."""
        shape = shape_of(release)
        match artifact.recipe:
            case AdapterRecipe(method=method):
                return NetworkShape(shape, (method,), trained="adapter")
            case FusionRecipe():
                fused = tuple(a.recipe.method for a in artifact.by(Role.FUSED) if isinstance(a.recipe, AdapterRecipe))
                return NetworkShape(shape, fused, fused=True, trained="fusion")
        return NetworkShape(shape, trained="model")

    def _heads(self, artifact: Artifact) -> dict[str, HeadShape]:
        """A head for each task of a build."""
        source = {d.task: d.source for d in reversed(ancestry(artifact))}
        return {
            task: self._head(self.sources.kind(task, source[task]), self.sources.labels(task, artifact))
            for task in tasks_of(artifact)
        }

    @staticmethod
    def _head(kind: TaskKind, labels: Sequence[str]) -> HeadShape:
        return _head(kind, len(labels))

    def _told(self, usage: Usage, **found: object) -> Outcome:
        return Outcome.model_validate({"usage": usage, "provenance": "estimated", "device": self.pace.device, **found})


def _head(kind: TaskKind, outputs: int) -> HeadShape:
    return HeadShape(kind in OF_FIRST_PIECE, task_head(kind, outputs).outputs)


def _stacked(release: Release, methods: Iterable[str]) -> NetworkShape:
    """What answers a request: several adapters lie under a fusion."""
    found = tuple(methods)
    return NetworkShape(shape_of(release), found, fused=len(found) > 1)


def _operations(network: NetworkShape, heads: Heads, seen: Mapping[Shape, int], tokens: float) -> Usage:
    """Operations of all steps by both accountings, and how many parameters there are."""
    total, sizes = StepFlops(), parameters(network, heads.values())
    for (task, sequences, length), times in seen.items():
        total += step_flops(network, heads[task], sequences, length).times(times)
    return {
        "train_flops": float(total.total),
        "train_forward_flops": float(total.forward),
        "train_activation_gradient_flops": float(total.activation_gradient),
        "train_weight_gradient_flops": float(total.weight_gradient),
        "nominal_train_flops": float(nominal_flops(int(tokens), sizes.non_embedding)),
        "trainable_parameters": float(sizes.trained),
        "total_parameters": float(sizes.total),
    }


def _seconds(pace: Pace, network: NetworkShape, heads: Heads, seen: Mapping[Shape, int]) -> Usage:
    """Seconds of all steps, by part as far as the pace tells."""
    found: Counter[str] = Counter()
    for (task, sequences, length), times in seen.items():
        for quantity, seconds in pace.train_seconds(network, heads[task], sequences, length, times).items():
            found[quantity] += seconds  # type: ignore[assignment]  # a Counter of floats adds as well
    return dict(found)


def _resting(usage: Usage, pace: Pace, is_guess: bool = False) -> tuple[str, ...]:
    """The quantities that rest on epochs or on a rate which nobody measured or stated."""
    return tuple(
        name for name in usage if (is_guess and name not in OF_SHAPE) or (pace.is_assumed and name.endswith("_seconds"))
    )


def _lacking(usage: Usage) -> tuple[str, ...]:
    """What could not be had: energy and memory, and seconds where nobody knows how fast the device is."""
    phases = [
        name.removesuffix("_flops") for name in ("train_flops", "validate_flops", "evaluate_flops") if name in usage
    ]
    return (*(f"{phase}_seconds" for phase in phases if f"{phase}_seconds" not in usage), *NEVER_KNOWN)


def _stored_bytes(artifact: Artifact, network: NetworkShape, heads: Heads) -> int:
    """The weights that a build leaves, heads included, as 32-bit numbers."""
    kept: Trained = "model" if artifact.kind is Kind.MODEL else network.trained
    own = NetworkShape(network.encoder, network.adapters, network.fused, kept)
    return FLOAT_BYTES * parameters(own, heads.values()).kept


def _workload(config: Mapping[str, object], network: NetworkShape, heads: Heads, seen: Mapping[Shape, int]) -> Workload:
    return Workload.model_validate(
        {
            "encoder": {name: config[name] for name in DECIDES_SHAPE if name in config},
            "adapters": network.adapters,
            "fused": network.fused,
            "trained": network.trained,
            "heads": {t: HeadSize(per_sequence=h.per_sequence, outputs=h.outputs) for t, h in heads.items()},
            "batches": tuple(
                Batches(task=task, sequences=sequences, length=length, steps=times)
                for (task, sequences, length), times in sorted(seen.items())
            ),
        }
    )


def _unknown(usage: Usage, unavailable: tuple[str, ...], primary: str = "") -> Outcome:
    """What has no closed form: the rows are counted, the rest is unavailable."""
    lost = (*unavailable, *NEVER_KNOWN)
    return Outcome(usage=usage, primary=primary, stored_bytes=None, unavailable=lost, provenance="unavailable")
