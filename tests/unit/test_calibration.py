"""A calibration: amounts of a step by hand, seconds from rates, and its file beside the store."""

import datetime

import pytest

from adapeff_sim.estimation.calibration import Calibration, Point, Rates, answering_amounts, training_amounts
from adapeff_sim.estimation.encoder import EncoderShape, NoClosedForm
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
    assert answered == amounts["forward"]


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
        KNOWN.train_seconds(NetworkShape(ENCODER, ("compacter",), trained="adapter"), HEAD, 2, 3)


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
