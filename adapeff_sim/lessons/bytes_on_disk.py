"""Lesson 3: what is half by parameters need not be half by bytes."""

from adapeff_sim.estimation.encoder import encoder_shape
from adapeff_sim.estimation.flops import HeadShape
from adapeff_sim.ledger.outcome import Provenance, Workload, weakest
from adapeff_sim.ledger.records import JobRecord
from adapeff_sim.lessons.base import LESSONS, Evidence, Figure, Finding, Lesson, LessonError
from adapeff_sim.lessons.evidence import ALL, TRAINED, amount, nearest, per_cent, training, workload

SHARES = (0.5, 0.27, 0.1, 0.01)  # of the choices


@LESSONS.register
class BytesOnDisk(Lesson):
    """A base model with two adapters beside two fully fine-tuned models."""

    number = 3
    title = "Parameters are not bytes"
    seconds = 30
    question = (
        "Two tasks. Either one base model is kept with an adapter for each, or two fully fine-tuned models. By "
        "parameters, the first is about half of the second. And by bytes on disk?"
    )
    choices = ("half as well", "about a quarter", "about a tenth", "about 1 %")
    why = (
        "A parameter has no weight until somebody writes it down. The base model was published with 16 bits for each; "
        "training goes on with 32, and what it trained is written so. A fully fine-tuned model is therefore twice the "
        "base model that it came from, with about as many parameters.",
        "The adapter is written with 32 bits too, and with its head. In a small model the head is the larger part of "
        "what is called the adapter: a network has one head, and an adapter in each of its few layers.",
        "The base model's bytes hold its tokenizer as well, which no count of parameters contains, and the layer that "
        "guesses words, which no strategy loads: so a full model with its head may have fewer parameters.",
        "So weigh files, and say what is in them. Whoever writes in 16 bits what was trained in 32 gets other "
        "shares, from "
        "the same parameters.",
    )
    read_on = ("runs/bytes_on_disk/stored.csv", "docs/decisions.md, 'Costs'")

    def look(self, run: Evidence) -> Finding:
        """Parameters and bytes of every file, and of both ways to answer two tasks."""
        base = _base(run)
        adapters = [training(run, "adapter_per_task", f"adapter/{task}") for task in ("intent", "sentiment")]
        models = [training(run, "full_per_task", f"model/{task}") for task in ("intent", "sentiment")]
        light = _sum([base, *(_pair(a, TRAINED) for a in adapters)])
        heavy = _sum([_pair(m, ALL) for m in models])
        sure = weakest(made.provenance for made in (*adapters, *models))
        parameters, weight = light[0] / heavy[0], light[1] / heavy[1]
        return Finding(
            columns=("parameters", "bytes", "bytes each"),
            figures=(
                _figure("base model, with tokenizer", base, "measured"),
                _figure("full model of intent, with head", _pair(models[0], ALL), sure),
                _figure("adapter of intent, with head", _pair(adapters[0], TRAINED), sure),
                Figure(
                    what="  of that the head",
                    unit="count",
                    amounts=(_head(workload(adapters[0])), None, None),
                    provenance=sure,
                ),
                _figure("one base model and two adapters", light, sure),
                _figure("two full models", heavy, sure),
                Figure(
                    what="the first as a share of the second",
                    unit="share",
                    amounts=(parameters, weight, None),
                    provenance=sure,
                ),
            ),
            claim=f"By parameters {per_cent(parameters)}, by bytes {per_cent(weight)}.",
            holds=abs(parameters - weight) > 0.1,
            choice=nearest(weight, SHARES),
        )


Pair = tuple[float, float]  # parameters, bytes


def _pair(made: JobRecord, parameters: str) -> Pair:
    return amount(made, parameters), float(made.stored_bytes)


def _sum(pairs: list[Pair]) -> Pair:
    return sum(p for p, _ in pairs), sum(b for _, b in pairs)


def _figure(what: str, pair: Pair, sure: Provenance) -> Figure:
    return Figure(what=what, unit="count", amounts=(*pair, pair[1] / pair[0]), provenance=sure)


def _base(run: Evidence) -> Pair:
    """The base model of the run. Raises LessonError where the run does not say how large it was."""
    found = run.results.environment.get("base_models")
    for told in found.values() if isinstance(found, dict) else ():
        if isinstance(told, dict):
            parameters, weight = told.get("parameters"), told.get("stored_bytes")
            if isinstance(parameters, int) and isinstance(weight, int):
                return float(parameters), float(weight)
    raise LessonError("this run does not say how large its base model was; run the lesson again with --again.")


def _head(seen: Workload) -> float:
    """The parameters of the heads that were trained beside an adapter."""
    hidden = encoder_shape(seen.encoder).hidden
    return float(sum(HeadShape(h.per_sequence, h.outputs).parameters(hidden) for h in seen.heads.values()))
