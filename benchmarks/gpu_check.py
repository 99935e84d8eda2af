"""Every check and measurement that needs a GPU, in one call: trains, counts and times an XLM-R-base-shaped encoder.

    python benchmarks/gpu_check.py > docs/measurements/gpu_check.md          on a machine with CUDA
    python benchmarks/gpu_check.py --device cpu --small                      the same code anywhere, to see that it runs

Weights are random: speed, operations, memory and energy do not depend on what they are. The tables show, for each way
of training, FLOPs as counted and whether closed forms and a step on the CPU count as many, seconds, achieved TFLOP/s
with its share of the device's dense bf16 peak where that is known, energy and peak memory, where the seconds go, and
what the serving probe measures. Exit code 1 where a count differs.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from adapeff_sim.artifacts.artifact import Artifact, Role
from adapeff_sim.artifacts.recipe import AdapterRecipe, BaseModelRecipe, FusionRecipe, ModelRecipe
from adapeff_sim.base_models.release import Release, resolve
from adapeff_sim.data.examples import TaskKind, TextExample
from adapeff_sim.errors import AdapeffError
from adapeff_sim.estimation.encoder import encoder_shape
from adapeff_sim.estimation.flops import HeadShape, NetworkShape, step_flops
from adapeff_sim.execution.machine import Machine, this_machine
from adapeff_sim.ledger.outcome import Outcome
from adapeff_sim.training.jobs import BuildJob, Note, ServeJob, TaskRows
from adapeff_sim.training.serve import BATCH_SIZES
from adapeff_sim.training.settings import TrainingSettings
from adapeff_sim.training.workbench import Workbench

PEAK_FLOPS = {"A100": 312e12, "H100": 989e12, "H200": 989e12}  # dense bf16, from the vendor's data sheets
SHAPES = {
    "base": {
        **{"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
        **{"vocab_size": 250_002, "max_position_embeddings": 514},
    },
    "small": {
        **{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256},
        **{"vocab_size": 16_000, "max_position_embeddings": 258},
    },
}
FUSED = 3
DIFFERS = "DIFFERS by"
BESIDE = (
    *("request_after_idle_seconds", "mixed_request_seconds", "switch_seconds", "merged_request_seconds"),
    *("load_seconds", "resident_bytes", "own_bytes"),
)


def main() -> None:
    """Print the tables as Markdown."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    asked.add_argument("--small", action="store_true", help="a shape of seconds, for machines without a GPU")
    asked.add_argument("--steps", type=int, default=60)
    said = asked.parse_args()
    try:
        machine = this_machine(said.device)
    except AdapeffError as error:
        print(f"{error} --device cpu --small shows that this code runs.", file=sys.stderr)
        sys.exit(2)
    with tempfile.TemporaryDirectory() as folder:
        release = random_model(Path(folder) / "model", "small" if said.small else "base")
        length, batch = (32, 8) if said.small else (128, 32)
        print("\n".join(found := list(report(machine, release, Path(folder), said.steps, length, batch))))
    sys.exit(any(DIFFERS in line for line in found))


def random_model(folder: Path, shape: str) -> Release:
    """An encoder of a known shape with random weights and the tokenizer of ``adapeff-mini``."""
    torch.manual_seed(0)
    mini = resolve("adapeff-mini:v1").folder  # its tokenizer knows fewer pieces than a large shape has
    config = XLMRobertaConfig(type_vocab_size=1, **SHAPES[shape])
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder, safe_serialization=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).write_bytes((mini / name).read_bytes())
    return resolve(f"path:{folder}")


def report(machine: Machine, release: Release, folder: Path, steps: int, length: int, batch: int) -> Iterator[str]:
    """The head, a row for each way of training, and a row for each shape that is served."""
    yield f"# GPU check on {machine.name}"
    yield ""
    yield f"torch {torch.__version__}, {machine.precision}, {machine.threads} CPU threads."
    yield f"{steps} steps of {batch} x {length} tokens each."
    yield ""
    yield "| training | TFLOP a step | by closed form | on the CPU | nominal 6ND |"
    yield "|---|---|---|---|---|"
    bench = Workbench(machine)
    done = trained(bench, release, folder / "done", steps, length, batch)
    known = {} if machine.device == "cpu" else trained(on_cpu(), release, folder / "on_cpu", 1, length, batch)
    for name, outcome in done.items():
        yield flops_row(name, outcome, known.get(name))
    yield ""
    yield "| training | seconds a step | TFLOP/s | share of peak | J a step | peak GiB |"
    yield "|---|---|---|---|---|---|"
    for name, outcome in done.items():
        yield training_row(name, outcome, machine)
    yield ""
    yield "| training | ms data | ms forward | ms backward | ms optimizer | ms a step in all | others on the GPU |"
    yield "|---|---|---|---|---|---|---|"
    for name, outcome in done.items():
        yield parts_row(name, outcome)
    yield ""
    yield f"| serving | GFLOP a request | {' | '.join(f'ms at batch {size}, each' for size in BATCH_SIZES)} |"
    yield f"|---|---|{'---|' * len(BATCH_SIZES)}"
    probed = {name: bench.probe(job, folder / f"probe-{name}", silent) for name, job in probes(release, length).items()}
    for name, outcome in probed.items():
        times = [f"{1e3 * outcome.request_seconds[size]:.3f}" for size in BATCH_SIZES]
        yield f"| {name} | {outcome.usage['request_flops'] / 1e9:.2f} | {' | '.join(times)} |"
    yield ""
    yield f"| serving | {' | '.join(BESIDE)} |"
    yield f"|---|{'---|' * len(BESIDE)}"
    for name, outcome in probed.items():
        told = [f"{outcome.usage[q]:.6g}" if q in outcome.usage else "unavailable" for q in BESIDE]
        yield f"| {name} | {' | '.join(told)} |"


def on_cpu() -> Workbench:
    """Where a step is counted once more; the numbers it computes with do not matter for that."""
    return Workbench(this_machine("cpu", "fp32"))


def trained(
    bench: Workbench, release: Release, folder: Path, steps: int, length: int, batch: int
) -> dict[str, Outcome]:
    """Every way of training done for so many steps, by name."""
    rows = task_rows(steps * batch, length)
    settings = training_settings(length, batch)
    built: dict[str, Path] = {}
    done: dict[str, Outcome] = {}
    for name, artifact in artifacts(release).items():
        inputs = {i.fingerprint: built[i.slot] for _, i in artifact.edges() if i.slot in built}
        job = BuildJob(artifact, release, inputs, (rows,), settings, seed=1)
        done[name] = bench.build(job, folder / name, silent)
        built[artifact.slot] = folder / name / "artifact"
    return done


def training_settings(length: int, batch: int) -> TrainingSettings:
    """Once through the rows, without validation."""
    return TrainingSettings(epochs=1, patience=0, batch_size=batch, max_length=length, learning_rate=1e-4)


def probes(release: Release, length: int) -> dict[str, ServeJob]:
    """What is served, by name."""
    settings = training_settings(length, 1)
    return {
        name: ServeJob(release, stack, TaskKind.CLASSIFICATION, 2, settings, length) for name, stack in stacks().items()
    }


def silent(_: Note) -> None:
    """Nobody watches."""


def task_rows(count: int, length: int) -> TaskRows:
    """Rows of words drawn at random, each as long as a sequence may be."""
    draw = random.Random(0)
    words = ("order", "return", "money", "late", "parcel", "phone", "broken", "thanks")
    rows = tuple(
        TextExample(text=" ".join(draw.choices(words, k=2 * length)), label=draw.choice("ab")) for _ in range(count)
    )
    return TaskRows("check", TaskKind.CLASSIFICATION, ("a", "b"), {"en": rows}, {}, {})


def artifacts(release: Release) -> dict[str, Artifact]:
    """Full fine-tuning, adapters, and a fusion over three of them, inputs first."""
    base = Artifact("base_model", BaseModelRecipe(release=release.spec))

    def adapter(slot: str, method: str) -> Artifact:
        return Artifact(slot, AdapterRecipe(task="check", method=method), {Role.BASE: (base,)})

    fused = tuple(adapter(f"adapter/{i}", f"seq_bn[reduction_factor={16 + i}]") for i in range(FUSED))
    return {
        "full": Artifact("model/check", ModelRecipe(tasks=("check",)), {Role.START: (base,)}),
        "lora": adapter("adapter/lora", "lora"),
        **{f"seq_bn-{i}": a for i, a in enumerate(fused)},
        f"fusion-of-{FUSED}": Artifact(
            "fusion/check", FusionRecipe(task="check"), {Role.BASE: (base,), Role.FUSED: fused}
        ),
    }


def stacks() -> dict[str, tuple[str, ...]]:
    """What is timed: a model, a model under one adapter, and one under a fusion."""
    one = "adapter seq_bn"
    return {
        "model": ("model",),
        "seq_bn": ("base_model", one),
        "lora": ("base_model", "adapter lora"),
        f"fusion-of-{FUSED}": ("base_model", *[one] * FUSED, "fusion"),
    }


def flops_row(name: str, outcome: Outcome, on_the_cpu: Outcome | None) -> str:
    """Operations of a step, and whether shapes and the CPU say the same."""
    counted, nominal = a_step(outcome, "train_flops"), a_step(outcome, "nominal_train_flops")
    by_form = agreement(counted, by_closed_form(outcome))
    by_cpu = agreement(counted, a_step(on_the_cpu, "train_flops")) if on_the_cpu else "is this"
    return f"| {name} | {counted / 1e12:.6f} | {by_form} | {by_cpu} | {nominal / 1e12:.6f} |"


def agreement(counted: float, other: float) -> str:
    return "equal" if counted == other else f"{DIFFERS} {other / counted - 1:+.2e}"


def a_step(outcome: Outcome, quantity: str) -> float:
    return outcome.usage[quantity] / outcome.usage["train_steps"]


def by_closed_form(outcome: Outcome) -> float:
    """Operations of a step from the shapes that were trained."""
    done = outcome.workload
    assert done is not None, "every training tells its workload"
    network = NetworkShape(encoder_shape(done.encoder), done.adapters, done.fused, done.trained)
    flops = 0.0
    for b in done.batches:
        head = HeadShape(done.heads[b.task].per_sequence, done.heads[b.task].outputs)
        flops += step_flops(network, head, b.sequences, b.length).times(b.steps).total
    return flops / outcome.usage["train_steps"]


def training_row(name: str, outcome: Outcome, machine: Machine) -> str:
    """One line of the table; what could not be measured says so."""
    used = outcome.usage
    steps, seconds = used["train_steps"], used["train_seconds"]
    rate = used["train_flops"] / seconds
    peak = next((flops for model, flops in PEAK_FLOPS.items() if model in machine.name), None)
    share = f"{100 * rate / peak:.1f} %" if peak else "unavailable"
    energy = f"{used['energy_joules'] / steps:.2f}" if "energy_joules" in used else "unavailable"
    memory = used["peak_memory_bytes"] / 2**30
    return f"| {name} | {seconds / steps:.4f} | {rate / 1e12:.3f} | {share} | {energy} | {memory:.2f} |"


def parts_row(name: str, outcome: Outcome) -> str:
    """Where the milliseconds of a step go, and who else was there."""
    used = outcome.usage
    quantities = [f"train_{part}_seconds" for part in ("data", "forward", "backward", "optimizer")]
    told = " | ".join(f"{1e3 * used[q] / used['train_steps']:.3f}" for q in (*quantities, "train_seconds"))
    return f"| {name} | {told} | {used.get('peak_other_gpu_processes', 'unavailable')} |"


if __name__ == "__main__":
    main()
