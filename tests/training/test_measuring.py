"""What is counted is what was done: attention too, frozen weights not, and the same on every repeat."""

import time
from types import SimpleNamespace

import pytest
import torch
from toy_model import BASE, SETTINGS, adapter, fusion, model, task, text_rows

from adapeff_sim.data.examples import TaskKind
from adapeff_sim.training import held
from adapeff_sim.training.backbone import load_backbone
from adapeff_sim.training.batches import BatchShape, blank
from adapeff_sim.training.flop_count import FlopCount, _run
from adapeff_sim.training.jobs import ServeJob
from adapeff_sim.training.meters.base import METERS
from adapeff_sim.training.network import Setup
from adapeff_sim.training.serve import NARROW, repeated, shape_of, summary
from adapeff_sim.training.task_head import task_head

HEADS = (("colour", task_head(TaskKind.CLASSIFICATION, 3)),)
SHAPE = BatchShape(4, 16)
STEP_PARTS = ("data", "forward", "backward", "optimizer")
FULL = Setup(HEADS, trained="model")
SEQ = Setup(HEADS, ("seq_bn",), trained="adapter")


@pytest.fixture(scope="module")
def backbone(base):
    return load_backbone(base)


def encoder_flops(hidden, layers, sequences, length, inner):
    """By hand, forward: four square projections, two of the inner layer, and two products of attention."""
    tokens = sequences * length
    return layers * (2 * tokens * (4 * hidden**2 + 2 * hidden * inner) + 2 * 2 * tokens * length * hidden)


def test_forward_is_what_the_shapes_say(backbone):
    counted = FlopCount().flops(backbone, FULL, "colour", SHAPE, backward=False)
    head = 2 * 4 * (32 * 32 + 32 * 3)
    assert counted == encoder_flops(32, 2, 4, 16, 64) + head


def test_full_training_is_three_times_forward(backbone):
    count = FlopCount()
    forward = count.flops(backbone, FULL, "colour", SHAPE, backward=False)
    assert count.flops(backbone, FULL, "colour", SHAPE, backward=True) == 3 * forward


def test_frozen_weights_are_not_charged(backbone, monkeypatch):
    count = FlopCount()
    forward = count.flops(backbone, SEQ, "colour", SHAPE, backward=False)
    trained = count.flops(backbone, SEQ, "colour", SHAPE, backward=True)
    full = count.flops(backbone, FULL, "colour", SHAPE, backward=True)
    assert 1.5 * forward < trained < 2.5 * forward
    assert trained < full
    monkeypatch.setattr("adapeff_sim.training.network.options", lambda _: {"leave_out": [0]})
    nothing_below = Setup(HEADS, ("seq_bn[dropout=0]",), trained="adapter")
    assert count.flops(backbone, nothing_below, "colour", SHAPE, backward=True) < trained


@pytest.mark.parametrize(
    "method", ["seq_bn", "lora", "compacter[reduction_factor=8]", "loreft", "prompt_tuning", "ia3"]
)
def test_counted_without_memory_as_counted_with_it(backbone, method):
    setup = Setup(HEADS, (method,), trained="adapter")
    real = backbone.skeleton(setup, "cpu")
    counted = FlopCount().flops(backbone, setup, "colour", SHAPE, backward=True)
    assert counted == _run(real, backbone, "colour", SHAPE, backward=True).total > 0


def test_counting_leaves_the_random_state_alone(backbone):
    before = torch.get_rng_state()
    FlopCount().flops(
        backbone, Setup(HEADS, ("compacter[reduction_factor=8]",), trained="adapter"), "colour", SHAPE, backward=True
    )
    assert torch.equal(before, torch.get_rng_state())


def test_every_quantity_is_there_or_named(built):
    patient = SETTINGS.model_copy(update={"patience": 1})
    taken = built.build(adapter(), task("colour", validation=20), settings=patient)
    wanted = {
        "train_seconds", "validate_seconds", "warmup_seconds", "train_flops", "validate_flops", "nominal_train_flops",
        "train_steps", "train_tokens", "train_examples", "trainable_parameters", "total_parameters",
        "peak_memory_bytes", "energy_joules", *(f"train_{part}_seconds" for part in STEP_PARTS),
        *(f"train_{part}_flops" for part in ("forward", "activation_gradient", "weight_gradient")),
    }  # fmt: skip
    assert wanted == taken.usage.keys() | set(taken.unavailable)
    assert all(amount > 0 for amount in taken.usage.values())
    assert (taken.device, taken.threads) == ("cpu", 1)
    assert sum(taken.usage[f"train_{part}_seconds"] for part in STEP_PARTS) < taken.usage["train_seconds"]


def test_a_counter_that_fails_in_between_leaves_no_part_of_a_sum(built, monkeypatch):
    read = iter([5.0, 9.0, None, None])  # before and after training, before and after validating
    monkeypatch.setattr(
        "adapeff_sim.training.meters.energy.gpu", lambda device: SimpleNamespace(joules=lambda: next(read))
    )
    once = SETTINGS.model_copy(update={"epochs": 1, "patience": 1})
    taken = built.build(adapter(), task("colour", validation=12), settings=once)
    assert "energy_joules" in taken.unavailable and "energy_joules" not in taken.usage


def test_every_validation_is_a_point_of_the_curve(built):
    """With what training alone has taken so far; the last point is the end, and the batches are those of the steps."""
    patient = SETTINGS.model_copy(update={"patience": 2, "epochs": 3})
    about = task("colour", validation=20), task("same", validation=20)
    taken = built.build(model("colour", "same"), *about, settings=patient)
    assert [point.step for point in taken.curve] == [6, 12, 18]
    assert all(point.scores.keys() == {"colour/en", "same/en"} for point in taken.curve)
    for quantity in ("train_seconds", "train_flops", "nominal_train_flops"):
        grown = [getattr(point, quantity) for point in taken.curve]
        assert grown == sorted(grown) and grown[0] > 0 and grown[-1] == taken.usage[quantity]
    assert sum(b.steps for b in taken.workload.batches) == taken.usage["train_steps"]
    padded = sum(b.steps * b.sequences * b.length for b in taken.workload.batches)
    assert padded == taken.usage["train_tokens"]


def test_what_is_not_validated_has_no_curve(built):
    assert built.build(adapter(), task("colour")).curve == ()


def test_bytes_are_the_files(built):
    for artifact, tasks in ((adapter(), ("colour",)), (model("colour", "same"), ("colour", "same"))):
        taken = built.build(artifact, *map(task, tasks))
        folder = built.folders[artifact.fingerprint]
        assert taken.stored_bytes == sum(f.stat().st_size for f in folder.iterdir())
        assert {f.name for f in folder.iterdir()} == {"weights.safetensors", "artifact.json"}


def test_trainable_parameters_by_hand(built):
    taken = built.build(adapter(method="seq_bn[reduction_factor=16]"), task("colour"))
    adapters = 2 * (32 * 2 + 2 + 2 * 32 + 32)
    assert taken.usage["trainable_parameters"] == adapters + (32 * 32 + 32) + (32 * 3 + 3)


def test_nominal_flops_charge_every_weight_but_embeddings(built):
    full = built.build(model("colour"), task("colour")).usage
    layer = 4 * (32 * 32 + 32) + 2 * 32 * 64 + 64 + 32 + 4 * 32
    weights = 2 * layer + 2 * 32 + (32 * 32 + 32) + (32 * 3 + 3)
    assert full["nominal_train_flops"] == 6 * full["train_tokens"] * weights
    assert built.build(adapter(), task("colour")).usage["nominal_train_flops"] >= full["nominal_train_flops"]


@pytest.mark.parametrize(
    ("stack", "kind"),
    [
        (("model",), TaskKind.CLASSIFICATION),
        (("base_model", "adapter seq_bn"), TaskKind.CHOICE),
        (("base_model", "adapter seq_bn", "adapter par_bn", "fusion"), TaskKind.TAGGING),
    ],
)
def test_a_probe_times_a_request(built, base, stack, kind):
    job = ServeJob(base, stack, kind, 3, SETTINGS, length_tokens=12)
    taken = built.bench.probe(job, built.folder, lambda note: None)
    assert taken.request_seconds.keys() == {1, 2, 4, 8, 16, 32}
    assert min(taken.request_seconds.values()) > 0
    assert taken.usage["request_flops"] > 0 and taken.usage["probe_seconds"] > 0
    assert taken.usage["request_seconds_noise"] >= 0
    assert "probe_flops" not in taken.usage
    assert 0 < taken.usage["artifact_load_seconds"] < taken.usage["load_seconds"]
    assert taken.usage.get("adapters_bytes", 0) < taken.usage["own_bytes"] < taken.usage["resident_bytes"]
    assert ("adapters_bytes" in taken.usage) == (stack[0] == "base_model")
    assert taken.usage["request_of_6_tokens_seconds"] > 0 and taken.usage["request_of_24_tokens_seconds"] > 0
    is_mixed = kind is not TaskKind.CHOICE and "fusion" not in stack
    assert ("mixed_request_seconds" in taken.usage) == is_mixed != ("mixed_request_seconds" in taken.unavailable)
    assert [p.name for p in built.folder.iterdir() if p.name == "held"] == []


@pytest.mark.parametrize("method", ["prompt_tuning", "loreft", "seq_bn_inv"])
def test_a_mixed_batch_that_the_library_answers_wrongly_is_not_timed(built, base, method):
    job = ServeJob(base, ("base_model", f"adapter {method}"), TaskKind.CLASSIFICATION, 3, SETTINGS, length_tokens=12)
    taken = built.bench.probe(job, built.folder, lambda note: None)
    assert "mixed_request_seconds" in taken.unavailable and "mixed_request_seconds" not in taken.usage


@pytest.mark.parametrize(("method", "has_merged"), [("seq_bn", False), ("lora", True)])
def test_a_probe_of_an_adapter_tells_of_its_switch_its_bytes_and_its_merging(built, base, method, has_merged):
    job = ServeJob(base, ("base_model", f"adapter {method}"), TaskKind.CLASSIFICATION, 3, SETTINGS, length_tokens=12)
    usage = built.bench.probe(job, built.folder, lambda note: None).usage
    assert usage["switch_seconds"] > 0 and usage["mixed_request_seconds"] > 0
    assert ("merged_request_seconds" in usage) == has_merged
    assert usage["own_bytes"] == usage["added_adapter_bytes"]
    if method == "seq_bn":
        adapters = 2 * (32 * 2 + 2 + 2 * 32 + 32)
        assert usage["added_adapter_bytes"] == 4 * (adapters + (32 * 32 + 32) + (32 * 3 + 3))
    full = ServeJob(base, ("model",), TaskKind.CLASSIFICATION, 3, SETTINGS, length_tokens=12)
    of_model = built.bench.probe(full, built.folder, lambda note: None).usage
    shared = of_model["resident_bytes"] - of_model["own_bytes"]
    assert usage["resident_bytes"] - usage["own_bytes"] == shared


def test_a_mixed_batch_gives_every_task_its_own_adapter(built, base):
    """What BatchSplit answers for a part is what the adapter of that part answers alone."""
    backbone = load_backbone(base)
    job = ServeJob(base, ("base_model", "adapter seq_bn"), TaskKind.CLASSIFICATION, 3, SETTINGS, length_tokens=12)
    setup = shape_of(job)
    network = held.several(backbone, setup, setup.heads[0][1], torch.device("cpu"))
    draw = torch.Generator().manual_seed(1)
    for p in network.parameters():  # fresh adapters change nothing
        p.data += 0.1 * torch.randn(p.shape, generator=draw)
    one = BatchShape(1, 12)
    held.mixed(network, one, False, 0.01)
    batch = blank("served0", TaskKind.CLASSIFICATION, BatchShape(held.MIXED, 12), torch.device("cpu"), False)
    with torch.inference_mode():
        together = network.encoder(input_ids=batch.ids, attention_mask=batch.mask)[0].chunk(held.TASKS)
        for i, part in enumerate(together):
            network.encoder.set_active_adapters(f"task_adapter_{i}")
            alone = network.encoder(input_ids=batch.ids[:4], attention_mask=batch.mask[:4])[0]
            assert torch.allclose(part, alone, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


def test_repeating_ends_when_the_interval_is_narrow():
    calls = []
    timed = repeated(lambda: (calls.append(1), time.sleep(0.002)), limit_seconds=30)
    assert timed.noise < NARROW and len(calls) < 2000 and timed.seconds >= 0.002


def test_a_request_costs_by_its_shape(built, base):
    def flops(stack: tuple[str, ...], kind: TaskKind = TaskKind.CHOICE, outputs: int = 3, length: int = 12) -> float:
        job = ServeJob(base, stack, kind, outputs, SETTINGS, length)
        return built.bench.probe(job, built.folder, lambda note: None).usage["request_flops"]

    plain, adapted = flops(("model",)), flops(("base_model", "adapter seq_bn"))
    assert plain < adapted < 1.2 * plain
    assert flops(("model",), outputs=6) == 2 * plain, "a choice is one sequence for each candidate"
    assert flops(("model",), TaskKind.CLASSIFICATION, outputs=3) < plain / 2.9


def test_the_interval_of_a_median():
    steady, shaky = summary([1.0] * 99), summary([*[0.5, 1.5] * 49, 1.0])
    assert steady.seconds == shaky.seconds == 1.0
    assert steady.noise == 0.0 < shaky.noise


def test_meters_are_found_by_their_files():
    assert METERS.names() == ["energy", "flops", "peak_memory", "shared_gpu", "wall_clock"]


def test_evaluating_costs_forward_only(built):
    one, two = adapter("colour"), adapter("same")
    built.build(one, task("colour"))
    built.build(two, task("same"))
    both = fusion("colour", one, two)
    built.build(both, task("colour"))
    rows = text_rows(16)
    alone = built.evaluate((BASE, one), task("colour"), rows).usage["evaluate_flops"]
    fused = built.evaluate((BASE, one, two, both), task("colour"), rows).usage["evaluate_flops"]
    assert 0 < alone < fused
