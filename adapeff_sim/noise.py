"""When a difference between two amounts is none: the one rule by which verdict, comparison and page call a tie."""

import math
import statistics
from collections.abc import Sequence

RELATIVE_NOISE = 0.01  # of the larger of two amounts
# 97.5 % points of Student's t for 1 to 9 degrees of freedom: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2
STUDENT_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def noise_of(gaps: Sequence[float]) -> float | None:
    """Half the 95 % interval of the mean of paired differences, one for each seed; None with one seed."""
    return student_t(len(gaps) - 1) * statistics.stdev(gaps) / math.sqrt(len(gaps)) if len(gaps) > 1 else None


def is_tied(difference: float, larger: float, noise: float | None) -> bool:
    """Whether a difference counts as none: 1 % of the larger amount or less, or within the noise over the seeds."""
    return difference <= max(RELATIVE_NOISE * larger, noise or 0.0)


def tie_said(difference: float, larger: float) -> str:
    """By which half of that rule a difference counts as none; with one seed it can only be the first."""
    return "within 1 %" if difference <= RELATIVE_NOISE * larger else "within the noise over the seeds"


def rule_said(seeds: int) -> str:
    """How much dearer is no dearer, in words; with one seed no noise is known."""
    return "by 1 % or less" if seeds < 2 else "by 1 % or less, or within the noise over the seeds"


def student_t(freedom: int) -> float:
    """How many standard errors a 95 % interval reaches to each side, with so many degrees of freedom (1 or more).

    Beyond the table: the expansion 26.7.5 of Abramowitz and Stegun, Handbook of Mathematical Functions (1964).
    """
    if freedom <= len(STUDENT_T):
        return STUDENT_T[freedom - 1]
    z = 1.959964  # the same point of the normal distribution
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
