"""Rates fitted to timed points: least squares of ratios, no rate below 0."""

import statistics
from collections.abc import Iterable, Mapping

import numpy as np

from adapeff_sim.estimation.calibration import Calibration, Part, Point, Rates

NAMES = tuple(Rates.model_fields)
ROUNDS = 10
FARTHEST = 10.0  # times too short that anything is taken for, so that no single point pulls all others


def fit(points: Iterable[Point]) -> dict[Part, Rates]:
    """The rates of every part that was timed, from the points that are not held out."""
    by_part: dict[Part, list[Point]] = {}
    for point in points:
        if not point.is_held_out:
            by_part.setdefault(point.part, []).append(point)
    return {part: _rates(found) for part, found in sorted(by_part.items())}


def _rates(points: list[Point]) -> Rates:
    """Least squares of ratios: twice too long counts as much as half too long, whatever the size of the shape.

    Each round is one of non-negative least squares (Lawson and Hanson 1974), errors taken as shares of the geometric
    mean of what was measured and what the round before said.
    """
    from scipy.optimize import nnls

    amounts = np.array([[getattr(point.amounts, name) for name in NAMES] for point in points])
    measured = np.array([point.measured_seconds for point in points])
    largest = amounts.max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)  # operations are billions, steps are one
    found, said = np.zeros(len(NAMES)), measured
    for _ in range(ROUNDS):
        share = np.sqrt(measured * np.maximum(said, measured / FARTHEST))
        found, _ = nnls(amounts / scale / share[:, None], measured / share)
        said = amounts @ (found / scale)
    return Rates(**dict(zip(NAMES, map(float, found / scale), strict=True)))


def errors(calibration: Calibration, held_out: bool) -> dict[str, list[float]]:
    """Signed relative errors by part, and of whole steps (``step``), of the points that were or were not held out."""
    found: dict[str, list[float]] = {}
    whole: dict[str, tuple[float, float]] = {}
    for point in calibration.points:
        if point.is_held_out != held_out:
            continue
        predicted = calibration.predicted_seconds(point)
        found.setdefault(point.part, []).append(predicted / point.measured_seconds - 1)
        if point.part != "answering":
            before = whole.get(point.name, (0.0, 0.0))
            whole[point.name] = (before[0] + predicted, before[1] + point.measured_seconds)
    return {"step": [said / took - 1 for said, took in whole.values()], **found}


def typical(found: Mapping[str, list[float]], what: str) -> float | None:
    """The median of the absolute errors of a part; None where nothing was timed."""
    return statistics.median(map(abs, found[what])) if found.get(what) else None
