"""Why training 1 % of the parameters is not 100 times cheaper: one training beside full fine-tuning on the same steps.

What this training took was measured and counted; what full fine-tuning would have taken follows from closed forms over
the same batches, and its seconds from the operations per second that this training reached: both are estimated.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from adapeff_sim.errors import AdapeffError
from adapeff_sim.estimation.encoder import NoClosedForm, encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, StepFlops, nominal_flops, step_flops
from adapeff_sim.estimation.parameters import parameters
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.outcome import NOT_MEASURED, Provenance, Row, Usage, Workload, sure_of
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.near_names import near, suggestion

LISTED = 12
NEAR = 0.5  # of two names, how alike they are at least
STEP_PARTS = ("data", "forward", "backward", "optimizer")
NOMINAL, REST = "nominal_train_flops", "train_rest_seconds"
GROUPS = ("train_forward_flops", "train_activation_gradient_flops", "train_weight_gradient_flops")
FORWARD, ACTIVATIONS, WEIGHTS = GROUPS
PASSES = ("train_data_seconds", "train_forward_seconds", "train_backward_seconds")
PARAMETERS = {"trainable_parameters": "trained", "total_parameters": "all"}
FLOPS = {
    FORWARD: "forward",
    ACTIVATIONS: "gradients of activations",
    WEIGHTS: "gradients of weights",
    "train_flops": "all, as computed",
    NOMINAL: "nominal, 6ND",
}
SECONDS = {
    **{f"train_{part}_seconds": part for part in STEP_PARTS},
    REST: "the loop itself",
    "train_seconds": "training",
    "validate_seconds": "validation",
    "checkpoint_seconds": "checkpoints",
    "warmup_seconds": "warm-up",
}


class ExplanationError(AdapeffError):
    """No training, event or artifact answers to a name, or more than one training does."""


class Line(Row):
    """One quantity of this training, and what full fine-tuning would take; None where it is not known."""

    what: str
    this: float | None
    full: float | None


class Explanation(Row):
    """One training, part by part; ``labels`` are the strategies that share it."""

    slot: str
    day: float
    seed: int
    labels: tuple[str, ...]
    key: str
    provenance: Provenance
    device: str
    parameters: tuple[Line, ...]
    flops: tuple[Line, ...]
    seconds: tuple[Line, ...]
    sentences: tuple[str, ...]
    unavailable: tuple[str, ...]  # what could not be said, and why


def find(ledger: Ledger, name: str, strategy: str | None = None, seed: int | None = None) -> list[JobRecord]:
    """The records of one training, one for each strategy that shares it; ``name`` is SLOT, SLOT@DAY or a store key.

    Raises ExplanationError where no training is called so, or several are.
    """
    every = [r for r in ledger.of(JobRecord) if r.job == "build"]
    builds = _chosen(every, "strategy", "label", strategy)
    builds = _chosen(builds, "seed", "seed", seed)
    slot, _, day = name.partition("@")
    found = [r for r in builds if r.key == name] or [r for r in builds if r.slot == slot]
    if not found:
        fetched = any(r.slot == slot for r in ledger.of(JobRecord) if r.job != "build")
        raise ExplanationError(f"{name[:80]!r} {_unknown(slot, name, every, fetched)}")
    if day:
        on = [r for r in found if f"{r.day:g}" == day]
        if not on:
            days = ", ".join(f"{slot}@{day:g}" for day in sorted({r.day for r in found}))
            raise ExplanationError(f"{slot} was not trained on day {day[:40]}; give {days}.")
        found = on
    if len({r.key for r in found}) > 1:
        raise ExplanationError(_several(name, found))
    return found


def _chosen(builds: list[JobRecord], what: str, field: str, wanted: str | int | None) -> list[JobRecord]:
    if wanted is None:
        return builds
    found = [r for r in builds if getattr(r, field) == wanted]
    if not found:
        known = [str(value) for value in sorted({getattr(r, field) for r in builds})]
        raise ExplanationError(f"no training of {what} {str(wanted)[:80]!r}; {suggestion(wanted, known, most=LISTED)}")
    return found


def _unknown(slot: str, name: str, every: Sequence[JobRecord], is_fetched: bool) -> str:
    """Why no training is meant: it is another strategy's or seed's, it is fetched, or its name is near some others."""
    if others := [r for r in every if r.slot == slot or r.key == name]:
        lives = dict.fromkeys(f"--strategy {r.label} --seed {r.seed}" for r in others)
        more = f" and {len(lives) - LISTED} more" if len(lives) > LISTED else ""
        return f"was not trained there, but under {', '.join([*lives][:LISTED])}{more}."
    if is_fetched:
        return f"is fetched and not trained; {suggestion(slot, {r.slot for r in every}, most=LISTED)}"
    labels: dict[str, dict[str, None]] = {}
    for r in every:
        labels.setdefault(r.slot, {})[r.label] = None
    alike = near(slot, labels, most=LISTED, alike=NEAR)
    if not alike:
        return f"is not the name of a training; {suggestion(slot, labels, most=LISTED)}"
    listed = [f"  --job {each}  of {', '.join(labels[each])}" for each in alike]
    return "\n".join([f"is not the name of a training; did you mean {alike[0]!r}? Near are:", *listed])


def _several(name: str, found: Sequence[JobRecord]) -> str:
    one_each = {r.key: r for r in reversed(found)}.values()  # the first of those that share a training
    listed = sorted(one_each, key=lambda r: (r.slot, r.day, r.label, r.seed))
    each = [f"  --job {r.slot}@{r.day:g} --strategy {r.label} --seed {r.seed}  (or --job {r.key})" for r in listed]
    more = [f"  and {len(each) - LISTED} more"] if len(each) > LISTED else []
    return "\n".join([f"{len(each)} trainings are called {name[:80]!r}; give one of:", *each[:LISTED], *more])


def explain(shared: Sequence[JobRecord]) -> Explanation:
    """What one training took beside full fine-tuning."""
    job, full, unavailable = shared[0], Usage(), list[str]()
    try:
        if job.workload is None:
            raise NoClosedForm("an earlier version trained it, and did not write down on which batches.")
        full = full_training(job.workload)
    except NoClosedForm as error:
        unavailable.append(f"what full fine-tuning would take: {error}")
    sure = sure_of(job, *job.usage)
    if job.unavailable:
        why = "not measured, as this training was estimated" if sure in NOT_MEASURED else "could not be measured here"
        unavailable.append(f"{', '.join(job.unavailable)}: {why}")
    return Explanation(
        slot=job.slot,
        day=job.day,
        seed=job.seed,
        labels=tuple(dict.fromkeys(r.label for r in shared)),
        key=job.key,
        provenance=sure,
        device=job.device,
        parameters=tuple(_lines(PARAMETERS, job.usage, full)),
        flops=tuple(_lines(FLOPS, job.usage, full)),
        seconds=tuple(_lines(SECONDS, _with_rest(job.usage), full and _estimated(job.usage, full))),
        sentences=(*_sentences(job.usage, full), *_of_seconds(job.usage, full)),
        unavailable=tuple(unavailable),
    )


def full_training(workload: Workload) -> Usage:
    """The closed form of full fine-tuning over the batches of a workload; NoClosedForm where there is none."""
    network = NetworkShape(encoder_shape(workload.encoder), trained="model")
    heads = {task: HeadShape(h.per_sequence, h.outputs) for task, h in workload.heads.items()}
    sizes = parameters(network, heads.values())
    found, tokens = StepFlops(), 0
    for b in workload.batches:
        found += step_flops(network, heads[b.task], b.sequences, b.length).times(b.steps)
        tokens += b.sequences * b.length * b.steps
    return {
        "trainable_parameters": sizes.total,
        "total_parameters": sizes.total,
        FORWARD: found.forward,
        ACTIVATIONS: found.activation_gradient,
        WEIGHTS: found.weight_gradient,
        "train_flops": found.total,
        "nominal_train_flops": nominal_flops(tokens, sizes.non_embedding),
    }


def _lines(wanted: Mapping[str, str], this: Usage, full: Usage) -> Iterator[Line]:
    return (Line(what=what, this=this.get(name), full=full.get(name)) for name, what in wanted.items())


def _with_rest(usage: Usage) -> Usage:
    """The usage, with what of the training seconds is in no part of a step."""
    parts = [usage.get(f"train_{part}_seconds") for part in STEP_PARTS]
    known = [seconds for seconds in parts if seconds is not None]
    if "train_seconds" not in usage or len(known) < len(parts):
        return usage
    return {**usage, REST: usage["train_seconds"] - math.fsum(known)}


def _estimated(usage: Usage, full: Usage) -> Usage:
    """Seconds of full fine-tuning: it reads the same rows, and its passes take as long as they have operations.

    How long its optimizer takes does not follow from operations, and is not said.
    """
    found = {name: usage[name] for name in ("train_data_seconds",) if name in usage}
    for name, parts in {"train_forward_seconds": (FORWARD,), "train_backward_seconds": (ACTIVATIONS, WEIGHTS)}.items():
        took = math.fsum(usage.get(part, math.nan) for part in parts)
        if name in usage and took > 0:
            found[name] = usage[name] * math.fsum(full[part] for part in parts) / took
    return found


def _sentences(usage: Usage, full: Usage) -> list[str]:
    """What is saved and what is not, as shares of the operations of full fine-tuning."""
    wanted = ("trainable_parameters", "total_parameters", "nominal_train_flops", *GROUPS)
    if not full or not all(usage.get(name) for name in wanted):
        return []
    whole = full["train_flops"]
    forward, activations, weights = (_share(usage[name] / whole) for name in GROUPS)
    if usage["trainable_parameters"] == usage["total_parameters"]:
        told = f"All parameters are trained, and nothing is saved: the forward pass is {forward} of the operations, "
        return [f"{told}gradients of activations are {activations}, and those of weights {weights}."]
    of = [_share(full[name] / whole) for name in GROUPS]
    return [
        f"{_share(usage['trainable_parameters'] / usage['total_parameters'])} of the parameters are trained, and "
        f"{_share(usage['train_flops'] / whole)} of the operations of full fine-tuning remain.",
        f"Not saved: the forward pass ({forward} of them, where full fine-tuning takes {of[0]}), and gradients that "
        f"flow through frozen layers down to the lowest trained weight ({activations} of {of[1]}).",
        f"Saved: gradients of frozen weights ({weights} of {of[2]} remain).",
        f"The nominal count (6 x tokens x parameters) says {_share(usage['nominal_train_flops'] / full[NOMINAL])} of "
        "full fine-tuning: it charges frozen weights as if they were trained.",
    ]


def _of_seconds(usage: Usage, full: Usage) -> Iterator[str]:
    """The share of the seconds of full fine-tuning that is not saved, as far as it can be estimated."""
    estimated = _estimated(usage, full) if full else {}
    frozen = usage.get("trainable_parameters", 0.0) < usage.get("total_parameters", 0.0)
    if frozen and len(estimated) == len(PASSES):
        remain = math.fsum(usage[name] for name in PASSES) / math.fsum(estimated.values())
        yield f"Of the seconds for data, forward and backward pass, {_share(remain)} remain (estimated)."


def _share(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
