"""How sure a number is that was taken under several seeds: the seeds are the replications, and are drawn anew.

The bootstrap is scipy's, bias-corrected and accelerated (BCa: Efron, "Better bootstrap confidence intervals", JASA 82,
1987), with a stated stream of random numbers, so that the same seeds always give the same interval.
"""

import math
import statistics
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from adapeff_sim.ledger.outcome import Row

LEVEL = 0.95
RESAMPLES = 9999
STREAM = 1987  # random_state of every bootstrap
FEW = 6  # seeds: with fewer, an interval from the seeds alone is likely too narrow
ONE_SEED = "one seed: no interval"
ALIKE = "the same under every seed: no interval"
ROUNDING = 1e-9


class Interval(Row):
    """A number over seeds with its 95 % bootstrap interval; without one, ``why`` tells the reason."""

    mean: float
    low: float | None = None
    high: float | None = None
    why: str = ""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def of_mean(values: Sequence[float], scale: float = 0.0) -> Interval:
    """The mean of a number for each seed, or of the paired difference under each, with its interval.

    ``scale`` is the size of the amounts that a difference is of: spreads that rounding leaves of it are none.
    """
    return _interval((values,), statistics.fmean(values), _mean, scale)


def of_difference(one: Sequence[float], other: Sequence[float]) -> Interval:
    """How far the mean of ``one`` lies above that of ``other``, when no seed is common: drawn apart, not in pairs."""
    scale = max(map(abs, (*one, *other)), default=0.0)
    return _interval((one, other), statistics.fmean(one) - statistics.fmean(other), _apart, scale)


def of_median(values: Sequence[float]) -> tuple[float, float, float] | str:
    """Median, low and high over seeds, or why there is no interval; ends are values that the median can take."""
    if len(values) == 1:
        return ONE_SEED
    if max(values) - min(values) <= ROUNDING:
        return ALIKE
    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap((values,), np.median, n_resamples=RESAMPLES, method="percentile", random_state=STREAM)
    ends = np.quantile(found.bootstrap_distribution, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="inverted_cdf")
    return statistics.median(values), float(ends[0]), float(ends[1])


def _interval(
    samples: tuple[Sequence[float], ...], mean: float, statistic: Callable[..., Any], scale: float
) -> Interval:
    if min(map(len, samples)) < 2:
        return Interval(mean=mean, why=ONE_SEED)
    size = max(scale, *(max(map(abs, sample)) for sample in samples))
    if all(max(sample) - min(sample) <= ROUNDING * size for sample in samples):
        return Interval(mean=mean, why=ALIKE)
    from scipy.stats import DegenerateDataWarning, bootstrap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)
        found = bootstrap(samples, statistic, confidence_level=LEVEL, n_resamples=RESAMPLES, random_state=STREAM)
    low, high = map(float, found.confidence_interval)
    if math.isnan(low) or math.isnan(high):
        return Interval(mean=mean, why="too few different seeds for a bootstrap: no interval")
    return Interval(mean=mean, low=low, high=high)


def _mean(values: Any, axis: int = -1) -> Any:
    return values.mean(axis=axis)


def _apart(one: Any, other: Any, axis: int = -1) -> Any:
    return one.mean(axis=axis) - other.mean(axis=axis)
