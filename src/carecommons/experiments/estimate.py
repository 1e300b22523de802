"""Means and 95% intervals, with sums rounded once, so that the same numbers come out on every machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.special import stdtrit

from carecommons.kernels.arrays import F64
from carecommons.units import MONTHS_A_YEAR

NAN: Final = float("nan")
COVERAGE: Final = 0.95
LAST: Final = MONTHS_A_YEAR


class Estimate(NamedTuple):
    """A mean with its interval, from n values; the interval is NaN where n is 1."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


def estimate(values: Iterable[float]) -> Estimate:
    """Student's t interval of a mean; values that are NaN (a mean over nobody) are left out."""
    known = [value for value in values if not math.isnan(value)]
    centre = mean(known)
    if len(known) < 2:
        return Estimate(centre, NAN, NAN, len(known))
    half = float(stdtrit(len(known) - 1, (1 + COVERAGE) / 2)) * math.sqrt(variance(known) / len(known))
    return Estimate(centre, centre - half, centre + half, len(known))


def mean(values: Sequence[float]) -> float:
    """The mean, NaN of nothing; of equal values that value itself, which their sum over n may miss by a digit."""
    if not values:
        return NAN
    return values[0] if min(values) == max(values) else math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """The sample variance, NaN of fewer than two; exactly 0 where all values are the same."""
    return covariance(values, values)


def covariance(a: Sequence[float], b: Sequence[float]) -> float:
    """The sample covariance, NaN of fewer than two pairs."""
    if len(a) < 2:
        return NAN
    at_a, at_b = mean(a), mean(b)
    return math.fsum((x - at_a) * (y - at_b) for x, y in zip(a, b, strict=True)) / (len(a) - 1)


def last_year(series: F64, last: int = LAST) -> list[float]:
    """The mean of each column over the last months of a run (months, k) -> k; NaN months are left out."""
    tail = series[-last:] if last else series[:0]
    return [mean(column[~np.isnan(column)].tolist()) for column in tail.T]


@dataclass(frozen=True)
class Paired:
    """What two arms of the same worlds differ by, and how much their common luck helped."""

    a: float
    b: float
    difference: Estimate
    correlation: float
    variance_reduction: float
    above: float

    @classmethod
    def of(cls, a: Sequence[float], b: Sequence[float]) -> Paired:
        """From one value a pair and arm; pairs in which an arm has none are left out."""
        known = [(x, y) for x, y in zip(a, b, strict=True) if not (math.isnan(x) or math.isnan(y))]
        left, right = [x for x, _ in known], [y for _, y in known]
        gaps = [y - x for x, y in known]
        spread_a, spread_b, spread = variance(left), variance(right), variance(gaps)
        correlation = _ratio(covariance(left, right), math.sqrt(spread_a) * math.sqrt(spread_b))
        return cls(
            a=mean(left),
            b=mean(right),
            difference=estimate(gaps),
            correlation=max(-1.0, min(1.0, correlation)) if not math.isnan(correlation) else NAN,
            variance_reduction=_ratio(spread_a + spread_b, spread),
            above=sum(gap > 0 for gap in gaps) / len(gaps) if gaps else NAN,
        )


def _ratio(part: float, whole: float) -> float:
    if math.isnan(part) or math.isnan(whole) or (part == 0 and whole == 0):
        return NAN
    return math.inf if whole == 0 else part / whole
