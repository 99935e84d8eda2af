"""A small run's shape carried to the size of production: what happened stays, how large it was changes.

ledger of the small run + target -> ledger at the target's size, all of it estimated or assumed -> priced like any other

carried as it was      events, what was built when, churn, traffic, epochs that each training took, lengths of rows
larger                 rows (and with them steps), the encoder (and with it operations, parameters and bytes)
as said                rows of validation and test: so many an endpoint, or as many as in the run, which is assumed
not carried            scores: what quality a large model would have, a small one does not tell
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator

from adapeff_sim.estimation.assumptions import LOAD_BYTES_PER_SECOND, OF_REQUESTS, Pace
from adapeff_sim.estimation.encoder import NoClosedForm, encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, StepFlops, nominal_flops, step_flops
from adapeff_sim.estimation.parameters import FLOAT_BYTES, held_bytes, parameters
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import Batches, Usage, Workload, weakest
from adapeff_sim.ledger.records import DeploymentRecord, EvaluationRecord, JobRecord, Record, ServingRecord
from adapeff_sim.projection.life import Life
from adapeff_sim.projection.target import Target

LONGEST = 512  # pieces of a request, as far as they are looked for
PHASES = ("train", "validate")


def project(ledger: Ledger, target: Target) -> Ledger:
    """The ledger of the same life at the size of production; every record is estimated, assumed or unavailable."""
    lives: dict[tuple[str, int], Life] = defaultdict(Life)
    found: list[Record] = []
    for record in in_order(ledger):
        life = lives[record.label, record.seed]
        match record:
            case JobRecord(job="fetch"):
                found.append(_fetched(record, target, life))
            case JobRecord():
                found.append(_built(record, target, life))
            case EvaluationRecord():
                found.append(_evaluated(record, target, life))
            case ServingRecord():
                found.append(_served(record, target, life))
            case DeploymentRecord():
                found.append(_stands(record, life))
    return Ledger(tuple(found))


def in_order(ledger: Ledger) -> Iterator[Record]:
    """Rows before what is trained on them, that before what is asked of it, step by step."""
    jobs = ledger.of(JobRecord)
    fetched, built = ([r for r in jobs if r.job == job] for job in ("fetch", "build"))
    rest = (*ledger.of(EvaluationRecord), *ledger.of(ServingRecord), *ledger.of(DeploymentRecord))
    every: list[Record] = [*fetched, *built, *rest]
    yield from sorted(every, key=lambda r: (r.label, r.seed, r.step))  # stable: of one step, in this order


def _fetched(record: JobRecord, target: Target, life: Life) -> JobRecord:
    """A base model of the target's size; a data set of its rows, bought in the steps in which they were bought."""
    told = {"device": target.device, "provenance": "estimated", "rows": None}
    if record.kind == "base_model":
        size = FLOAT_BYTES * parameters(NetworkShape(encoder_shape(target.encoder)), []).total
        life.stored[record.fingerprint] = size
        return record.model_copy(update={**told, "stored_bytes": size})
    bought = record.usage.get("labelled_examples", 0.0)
    first = life.first.setdefault(record.slot, bought) or bought
    rows = math.ceil(target.examples_per_endpoint * bought / first) if first else 0
    life.was[record.slot] += bought
    life.now[record.slot] += rows
    held_out = record.usage.get("validation_examples", 0.0)
    times = life.factor(record.slot, target.validation_examples_per_endpoint, held_out)
    life.held_out[record.slot] = life.held_out.get(record.slot, 0.0) + held_out
    grown = None if record.stored_bytes is None else round(record.stored_bytes * life.weight(record.slot))
    life.stored[record.fingerprint] = grown
    usage = dict(record.usage)
    usage |= {"labelled_examples": float(rows)} if "labelled_examples" in usage else {}
    usage |= {"validation_examples": float(math.ceil(held_out * times))} if held_out else {}
    assumed = tuple(name for name in record.assumed if name == "stored_bytes")
    assumed += () if target.validation_examples_per_endpoint else ("validation_examples",)
    return record.model_copy(update={**told, "stored_bytes": grown, "usage": usage, "assumed": assumed})


def _built(record: JobRecord, target: Target, life: Life) -> JobRecord:
    """The same training over more rows of a larger network: as many epochs, each of so many more steps."""
    told: dict[str, object] = {"device": target.device, "curve": (), "workload": None}
    try:
        if record.workload is None:
            raise NoClosedForm("an earlier version did not write down on which batches it trained.")
        life.workloads[record.slot] = record.workload
        grown = _grown(record.workload, target, life)
        usage = _training(grown, target, record.usage) | _validating(record, target, life)
        size = _stored_bytes(grown)
    except NoClosedForm:
        life.stored[record.fingerprint] = None
        lacking = tuple(f"{phase}_{what}" for phase in PHASES for what in ("seconds", "flops"))
        told["stored_bytes"] = None
        return record.model_copy(update={**told, "usage": {}, "unavailable": lacking, "provenance": "unavailable"})
    life.stored[record.fingerprint] = size
    held_out = "" if target.validation_examples_per_endpoint else "validate_"
    assumed = _resting(usage, target.pace, held_out, record.assumed)
    told |= {"usage": usage, "workload": grown, "stored_bytes": size, "provenance": "estimated", "assumed": assumed}
    return record.model_copy(update={**told, "unavailable": ("energy_joules", "peak_memory_bytes")})


def _grown(was: Workload, target: Target, life: Life) -> Workload:
    batches = tuple(
        Batches(task=b.task, sequences=b.sequences, length=b.length, steps=math.ceil(b.steps * life.growth(b.task)))
        for b in was.batches
    )
    return was.model_copy(update={"encoder": target.encoder, "batches": batches})


def _network(work: Workload) -> NetworkShape:
    return NetworkShape(encoder_shape(work.encoder), work.adapters, work.fused, work.trained)


def _head(work: Workload, task: str) -> HeadShape:
    head = work.heads[task]
    return HeadShape(head.per_sequence, head.outputs)


def _training(work: Workload, target: Target, was: Usage) -> Usage:
    """Operations and seconds of all steps, as often as there are trials."""
    network, total, seconds, steps, tokens = _network(work), StepFlops(), 0.0, 0, 0
    for b in work.batches:
        head = _head(work, b.task)
        total += step_flops(network, head, b.sequences, b.length).times(b.steps)
        seconds += target.pace.train_seconds(network, head, b.sequences, b.length, b.steps)["train_seconds"]
        steps, tokens = steps + b.steps, tokens + b.sequences * b.length * b.steps
    sizes, trials = parameters(network, [_head(work, task) for task in work.heads]), target.trials
    grew = steps / was["train_steps"] if was.get("train_steps") else 0.0
    return {
        "train_steps": float(trials * steps),
        "train_tokens": float(trials * tokens),
        "train_examples": trials * was.get("train_examples", 0.0) * grew,
        "train_flops": float(trials * total.total),
        "train_forward_flops": float(trials * total.forward),
        "train_activation_gradient_flops": float(trials * total.activation_gradient),
        "train_weight_gradient_flops": float(trials * total.weight_gradient),
        "nominal_train_flops": float(trials * nominal_flops(tokens, sizes.non_embedding)),
        "train_seconds": trials * seconds,
        "trainable_parameters": float(sizes.trained),
        "total_parameters": float(sizes.total),
    }


def _resting(usage: Usage, pace: Pace, held_out: str, was: Collection[str]) -> tuple[str, ...]:
    """What rests on an assumed rate, on an assumption of the run (``was``), or on as many held-out rows as it had.

    The last of these begin with ``held_out``. Seconds are as sure as the operations that they follow from.
    """
    return tuple(
        name for name in usage
        if (pace.is_assumed and name.endswith("_seconds"))
        or (held_out and name.startswith(held_out))
        or name.replace("_seconds", "_flops") in was
    )  # fmt: skip


def _validating(record: JobRecord, target: Target, life: Life) -> Usage:
    """The rows were answered as often, by a larger network; of a training that did not validate nothing."""
    flops = record.usage.get("validate_flops")
    if flops is None or record.workload is None:
        return {}
    times = target.trials * life.validating({b.task for b in record.workload.batches})
    found = _answering(record.workload, flops, target)
    return {f"validate_{what}": times * amount for what, amount in found.items()}


def _answering(work: Workload, flops: float, target: Target) -> Usage:
    """What answering takes that took ``flops`` in the small run: as many batches like the most usual one."""
    usual = max(work.batches, key=lambda b: b.steps * b.sequences * b.length)
    head, shape = _head(work, usual.task), (usual.sequences, usual.length)
    small = NetworkShape(encoder_shape(work.encoder), work.adapters, work.fused)
    large = NetworkShape(encoder_shape(target.encoder), work.adapters, work.fused)
    batches = flops / step_flops(small, head, *shape).forward
    return {
        "flops": batches * step_flops(large, head, *shape).forward,
        "seconds": batches * target.pace.answer_seconds(large, head, *shape),
    }


def _stored_bytes(work: Workload) -> int:
    """The weights that are kept of a training, its heads included."""
    return FLOAT_BYTES * parameters(_network(work), [_head(work, task) for task in work.heads]).kept


def _evaluated(record: EvaluationRecord, target: Target, life: Life) -> EvaluationRecord:
    """The test rows, answered by a larger network; its scores are the small run's, and are not told."""
    rows = record.items or record.usage.get("test_examples", 0.0)
    times = life.factor(record.endpoint, target.test_examples_per_endpoint, rows)
    items = None if record.items is None else math.ceil(times * record.items)
    told: dict[str, object] = {"device": target.device, "scores": {}, "items": items}
    bought = {name: math.ceil(times * n) for name, n in record.usage.items() if name == "test_examples"}
    work, flops = life.workloads.get(record.route), record.usage.get("evaluate_flops")
    is_said = target.test_examples_per_endpoint is not None
    rows_rest = () if is_said else ("test_examples",)
    try:
        if work is None or flops is None:
            raise NoClosedForm(f"{record.route}: nothing tells what answers.")
        answering = _answering(work, flops, target)
        usage = bought | {f"evaluate_{what}": times * amount for what, amount in answering.items()}
    except NoClosedForm:
        lacking = ("evaluate_seconds", "evaluate_flops")
        told |= {"usage": bought, "unavailable": lacking, "assumed": rows_rest, "provenance": "unavailable"}
        return record.model_copy(update=told)
    assumed = _resting(usage, target.pace, "" if is_said else "evaluate_", record.assumed) + rows_rest
    told |= {"usage": usage, "unavailable": (record.primary,), "provenance": "estimated", "assumed": assumed}
    return record.model_copy(update=told)


def _served(record: ServingRecord, target: Target, life: Life) -> ServingRecord:
    """A request of the same length to a larger network of the same make."""
    told: dict[str, object] = {"device": target.device, "request_seconds": {}}
    try:
        usage, seconds = _request(record, target, life)
    except NoClosedForm:
        lacking = ("request_seconds", "request_flops")
        return record.model_copy(update={**told, "usage": {}, "unavailable": lacking, "provenance": "unavailable"})
    assumed = ("load_seconds", *(OF_REQUESTS if target.serving_pace.is_assumed else ()))
    told |= {"usage": usage, "request_seconds": seconds, "unavailable": (), "provenance": "estimated"}
    told["assumed"] = assumed
    return record.model_copy(update=told)


def _request(record: ServingRecord, target: Target, life: Life) -> tuple[Usage, dict[int, float]]:
    task = record.shape.partition(" on ")[0]
    methods = tuple(part.removeprefix("adapter ") for part in record.stack if part.startswith("adapter "))
    works = [work for work in life.workloads.values() if task in work.heads]
    flops = record.usage.get("request_flops")
    if not works or flops is None:
        raise NoClosedForm(f"{record.shape}: nothing tells its head or its operations.")
    head = _head(works[-1], task)
    small, shape = encoder_shape(works[-1].encoder), encoder_shape(target.encoder)
    length = _length(NetworkShape(small, methods, len(methods) > 1), head, flops)
    network = NetworkShape(shape, methods, len(methods) > 1)
    held = held_bytes(network, [head])
    pace, sizes = target.serving_pace, sorted({1, *record.request_seconds})
    seconds = {n: pace.answer_seconds(network, head, n, length) / n for n in sizes}
    usage = {
        "request_flops": float(step_flops(network, head, 1, length).forward),
        "request_after_idle_seconds": pace.after_idle * seconds[1],
        **held,
        "load_seconds": held["resident_bytes"] / LOAD_BYTES_PER_SECOND,
    }
    return usage, seconds


def _length(network: NetworkShape, head: HeadShape, flops: float) -> int:
    """The length in pieces of a request that takes so many operations."""
    return min(range(1, LONGEST + 1), key=lambda n: abs(step_flops(network, head, 1, n).forward - flops))


def _stands(record: DeploymentRecord, life: Life) -> DeploymentRecord:
    """The same deployment, of artifacts as large as they would be."""
    stored = []
    for s in record.stored:
        size = life.stored.get(s.fingerprint)
        told: dict[str, object] = {
            "stored_bytes": size,
            "provenance": "unavailable" if size is None else weakest(["estimated", s.provenance]),
        }
        stored.append(s.model_copy(update=told))
    return record.model_copy(update={"stored": tuple(stored)})
