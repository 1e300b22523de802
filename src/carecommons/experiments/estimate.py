"""Means and 95% intervals, with sums rounded once, so that the same numbers come out on every machine."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from carecommons.errors import InputError, one_line
from carecommons.kernels.arrays import F64
from carecommons.units import MONTHS_A_YEAR

NAN: Final = float("nan")
COVERAGE: Final = 0.95
LAST: Final = MONTHS_A_YEAR  # a run counts with its mean over so many last months
# Equal values seen before they are believed: were 1 in 20 of the worlds different, 60 equal ones would be a chance of
# 0.95**60 < 0.05 (the exact form of the rule of three, Hanley and Lippman-Hand 1983).
UNVARIED: Final = 60
FARTHEST: Final = 1e6  # standard errors of one value to a half-width: beyond it, more than a million million runs


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
    half = half_width_of(variance(known), len(known))
    return Estimate(centre, centre - half, centre + half, len(known))


def half_width_of(spread: float, n: int) -> float:
    """Half the width of the interval of the mean of n values whose sample variance is `spread`; n from 2."""
    return float(stdtrit(n - 1, (1 + COVERAGE) / 2)) * math.sqrt(spread / n)


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


def gaps(a: Sequence[float], b: Sequence[float]) -> list[float]:
    """b less a, pair by pair, NaN where either is; what is off the first gap by no more than rounding is that gap.

    Equal gaps of unequal values come out with other last digits, and would else be taken for a spread.
    """
    found = [y - x for x, y in zip(a, b, strict=True)]
    known = [gap for gap in found if not math.isnan(gap)]
    if not known:
        return found
    dust = 16 * sys.float_info.epsilon * max(abs(x) for x in (*a, *b) if not math.isnan(x))
    return [known[0] if abs(gap - known[0]) <= dust else gap for gap in found]


def last_year(series: F64, last: int = LAST) -> list[float]:
    """The mean of each column over the last months of a run (months, k) -> k; NaN months are left out."""
    tail = series[-last:] if last else series[:0]
    return [mean(column[~np.isnan(column)].tolist()) for column in tail.T]


def runs_still_needed(values: Sequence[float], half_width: float, *, relative: bool = False) -> int | None:
    """How many more values bring the interval of the mean down to `half_width`, if they go on to vary as these do.

    Parameters
    ----------
    values
        One value a run or pair; NaN where a run has none (a mean over nobody).
    half_width
        In the values' own unit, or with `relative` as a share of the mean's size.

    Returns
    -------
    0 where it is narrow enough already; None where it cannot be told (fewer than two known values) or is beyond all
    that can be run (a share of a mean of nought, or next to it). Equal values say nothing of how far others may be, so
    they ask for `UNVARIED` of them in all. Runs without a value are expected to go on at the rate so far.
    """
    known = [value for value in values if not math.isnan(value)]
    return _still_needed(mean(known), variance(known), len(known), len(values), half_width, relative)


def _still_needed(centre: float, spread: float, known: int, n: int, half_width: float, relative: bool) -> int | None:
    if not (math.isfinite(half_width) and half_width > 0):
        raise InputError(f"half-width = {one_line(half_width)} must be a finite number above 0")
    if known < 2:
        return None
    if spread == 0:
        wanted = UNVARIED
    else:
        enough = _enough(spread, half_width * abs(centre) if relative else half_width)
        if enough is None:
            return None
        wanted = enough
    return max(math.ceil((wanted - known) * n / known), 0)


def _enough(spread: float, half_width: float) -> int | None:
    """The fewest values whose interval is no wider; None beyond all that can be run.

    Student's t falls towards the normal quantile, from which the search starts.
    """
    root = math.sqrt(spread) * float(ndtri((1 + COVERAGE) / 2))
    if root >= FARTHEST * half_width:
        return None
    n = max(math.ceil((root / half_width) ** 2), 2)
    while half_width_of(spread, n) > half_width:
        n += 1
    return n


@dataclass(frozen=True)
class Paired:
    """What two arms of the same worlds differ by, and how much their common luck helped.

    `above` is the share of pairs in which b is above a; `spread` is the sample variance of the differences, `pairs`
    counts those without a value as well. `ranking.beats` says how likely b is better.
    """

    a: float
    b: float
    difference: Estimate
    correlation: float
    variance_reduction: float
    above: float
    spread: float
    pairs: int

    @classmethod
    def of(cls, a: Sequence[float], b: Sequence[float]) -> Paired:
        """From one value a pair and arm; pairs in which an arm has none are left out."""
        known = [(x, y) for x, y in zip(a, b, strict=True) if not (math.isnan(x) or math.isnan(y))]
        left, right = [x for x, _ in known], [y for _, y in known]
        between = gaps(left, right)
        spread_a, spread_b, spread = variance(left), variance(right), variance(between)
        correlation = _ratio(covariance(left, right), math.sqrt(spread_a) * math.sqrt(spread_b))
        return cls(
            a=mean(left),
            b=mean(right),
            difference=estimate(between),
            correlation=max(-1.0, min(1.0, correlation)) if not math.isnan(correlation) else NAN,
            variance_reduction=_ratio(spread_a + spread_b, spread),
            above=sum(y > x for x, y in known) / len(known) if known else NAN,
            spread=spread,
            pairs=len(a),
        )

    def still_needed(self, half_width: float, *, relative: bool = False) -> int | None:
        """How many more pairs bring the difference's interval to `half_width`, as `runs_still_needed` has it."""
        found = self.difference
        return _still_needed(found.mean, self.spread, found.n, self.pairs, half_width, relative)


def _ratio(part: float, whole: float) -> float:
    if math.isnan(part) or math.isnan(whole) or (part == 0 and whole == 0):
        return NAN
    return math.inf if whole == 0 else part / whole
