"""A calibration: amounts of a step by hand, seconds from rates, and its file beside the store."""

import datetime

import pytest

from adapeff_sim.cli.calibrate import calibrate
from adapeff_sim.estimates import calibrated
from adapeff_sim.estimation.calibration import PARTS, Calibration, Point, Rates, answering_amounts, training_amounts
from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm
from adapeff_sim.estimation.fitting import errors, fit, typical
from adapeff_sim.estimation.flops import HeadShape, NetworkShape
from adapeff_sim.execution.calibrations import (
    CalibrationError,
    calibration_file,
    keep_calibration,
    kept_calibration,
    kept_calibrations,
)

ENCODER = EncoderShape(layers=1, hidden=4, inner=8, heads=2, vocabulary=10, positions=6, types=1)
HEAD = HeadShape(per_sequence=True, outputs=3)
RATES = {
    "data": Rates(step=1.0, piece=0.5),
    "forward": Rates(product=0.1),
    "backward": Rates(operation=1e-3),
    "optimizer": Rates(weight=0.01, parameter=1e-4),
    "answering": Rates(step=0.25),
}
POINT = Point(name="a", part="answering", amounts=Rates(step=2), measured_seconds=0.4, repeats=3, is_held_out=True)
KNOWN = Calibration(
    device="cpu (a/b)",
    threads=2,
    precision="fp32",
    date=datetime.date(2026, 1, 2),
    versions={"torch": "2"},
    rates=RATES,
    points=(POINT,),
)


def test_the_amounts_of_a_full_step_by_hand():
    """One layer of 4: q, k, v, two products of attention, the projection, two of the feed-forward part; the head."""
    amounts = training_amounts(NetworkShape(ENCODER, trained="model"), HEAD, 2, 3)
    tokens = 2 * 3
    assert amounts["forward"].element == tokens * (3 * 4 + 4 + 8 + 4) + 2 * 2 * (3 * 3 + 3 * 2) + 2 * (4 + 3)
    assert amounts["data"].piece == tokens
    assert amounts["optimizer"].weight == 8  # every product but those of attention has one
    assert amounts["backward"].product == 2 * 8 + 2 * 2
    answered = answering_amounts(NetworkShape(ENCODER), HEAD, 2, 3)
    layer, head = 4 * (4 * 4 + 4) + (4 * 8 + 8) + (8 * 4 + 4) + 4 * 4, (4 * 4 + 4) + (4 * 3 + 3)
    norm_after_embeddings = 2 * 4
    assert answered == amounts["forward"].model_copy(update={"parameter": layer + norm_after_embeddings + head})


def test_a_frozen_encoder_has_few_weights_to_train():
    full, little = (
        training_amounts(NetworkShape(ENCODER, methods, trained=trained), HEAD, 2, 3)
        for methods, trained in (((), "model"), (("seq_bn",), "adapter"))
    )
    assert little["optimizer"].weight == 2 + 2 < full["optimizer"].weight
    assert little["backward"].operation < full["backward"].operation
    assert little["forward"].product == full["forward"].product + 2


def test_seconds_are_rates_times_amounts():
    network = NetworkShape(ENCODER, trained="model")
    found = KNOWN.train_seconds(network, HEAD, 2, 3, steps=10)
    assert found["train_data_seconds"] == pytest.approx(10 * (1.0 + 0.5 * 6))
    assert found["train_forward_seconds"] == pytest.approx(10 * 0.1 * 10)
    assert found["train_seconds"] == pytest.approx(sum(v for k, v in found.items() if k != "train_seconds"))
    assert KNOWN.answer_seconds(NetworkShape(ENCODER), HEAD, 8, 3) == 0.25
    assert KNOWN.predicted_seconds(POINT) == 0.5


def test_what_has_no_closed_form_has_no_seconds():
    with pytest.raises(NoClosedForm):
        KNOWN.train_seconds(NetworkShape(ENCODER, ("seq_bn", "lora"), trained="adapter"), HEAD, 2, 3)


def test_it_lies_beside_the_store_and_is_found_by_device_threads_and_precision(tmp_path):
    store = tmp_path / "home" / "store"
    assert kept_calibration(store, KNOWN.device, 2, "fp32") is None
    file = keep_calibration(KNOWN, store)
    assert file.parent == tmp_path / "home" / "calibrations"
    assert kept_calibration(store, KNOWN.device, 2, "fp32") == KNOWN
    assert kept_calibration(store, KNOWN.device, 1, "fp32") is None
    assert kept_calibration(store, "cpu (a b)", 2, "fp32") is None
    assert kept_calibrations(store) == (KNOWN,)


def test_a_file_that_is_no_calibration_says_what_would_do(tmp_path):
    store = tmp_path / "store"
    file = calibration_file(store, "cpu", 1, "fp32")
    file.parent.mkdir()
    file.write_text('{"format": 2}')
    with pytest.raises(CalibrationError, match="adapeff-sim calibrate"):
        kept_calibration(store, "cpu", 1, "fp32")
    file.write_text(KNOWN.model_dump_json().replace('"answering":{"step":0.25', '"answerin":{"step":0.25'))
    with pytest.raises(CalibrationError, match="rates"):
        kept_calibration(store, "cpu", 1, "fp32")
    with pytest.raises(ValueError, match="no rates of answering"):
        Calibration(**{**dict(KNOWN), "rates": {part: RATES[part] for part in PARTS}})


def test_a_damaged_file_is_left_out_with_a_warning_and_the_next_best_is_taken(tmp_path, caplog):
    store = tmp_path / "store"
    file = keep_calibration(KNOWN.model_copy(update={"threads": 9}), store)
    keep_calibration(KNOWN, store)
    assert calibrated(store, KNOWN.device, 9).threads == 9
    file.write_text("{")
    assert calibrated(store, KNOWN.device, 9) == KNOWN and calibrated(store, KNOWN.device, 9) == KNOWN
    assert caplog.text.count("Until then it is left out") == 1, "told once"
    assert str(file) in caplog.text and "take a new one with: adapeff-sim calibrate" in caplog.text
    file.with_name("other.json").mkdir()
    assert len(kept_calibrations(store)) == 1 and "other.json: cannot be read" in caplog.text


def timed(part: str, held_out: bool = False, **amounts: float) -> Point:
    """A point that took 2 ms a step and 1 ns an operation."""
    seconds = 0.002 * amounts["step"] + 1e-9 * amounts["operation"]
    return Point(
        name=str(amounts["operation"]),
        part=part,
        amounts=Rates(**amounts),
        measured_seconds=seconds,
        repeats=1,
        is_held_out=held_out,
    )


def test_rates_are_found_again():
    points = [timed("forward", step=1, operation=n, product=20) for n in (1e6, 1e7, 1e8)]
    (found,) = fit(points).values()
    assert found.operation == pytest.approx(1e-9, rel=1e-6)
    assert found.step + 20 * found.product == pytest.approx(0.002, rel=1e-6)
    assert found.element == found.parameter == 0.0


def test_what_is_held_out_moves_no_rate_and_tells_the_error():
    points = [timed("forward", step=1, operation=n) for n in (1e6, 1e7)]
    odd = timed("forward", held_out=True, step=1, operation=1e8).model_copy(update={"measured_seconds": 0.204})
    assert fit([*points, odd]) == fit(points)
    known = KNOWN.model_copy(update={"points": (*points, odd), "rates": fit(points)})
    assert errors(known, held_out=True)["forward"] == [pytest.approx(-0.5)]
    assert typical(errors(known, held_out=False), "step") == pytest.approx(0.0, abs=1e-6)
    assert typical(errors(known, held_out=True), "answering") is None


def test_the_table_tells_the_errors_of_both_groups(tmp_path, monkeypatch, capsys):
    keep_calibration(KNOWN, tmp_path / "store")
    monkeypatch.setattr("adapeff_sim.execution.machine.cpu_model", lambda: "a/b")
    calibrate(device="cpu", precision="auto", threads=2, store=str(tmp_path / "store"), show=True)
    told = capsys.readouterr().out
    assert "a batch answered" in told and "25 %" in told  # 0.5 s said, 0.4 s taken
    with pytest.raises(CalibrationError, match="not calibrated"):
        calibrate(device="cpu", precision="auto", threads=3, store=str(tmp_path / "store"), show=True)
