"""Means and intervals are Student's, and a paired comparison has no preferred side."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from carecommons.experiments.estimate import NAN, Paired, estimate, last_year, mean, variance

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)
PAIRS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=30)


@given(VALUES)
def test_the_interval_is_students_t(values: list[float]) -> None:
    found = estimate(values)
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * spread
    # numpy's own rounding of n numbers of size m: about n units in the last place of m, squared under the root
    slack = 1e-12 * max(map(abs, values)) * len(values) + math.sqrt(1e-15 * len(values)) * max(map(abs, values))
    assert found.mean == pytest.approx(float(np.mean(values)), abs=slack)
    assert found.half_width == pytest.approx(half, abs=slack, rel=1e-9)
    assert found.low <= found.mean <= found.high


def test_a_worked_interval() -> None:
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])  # t(4, 0.975) = 2.776445, s = sqrt(2.5), n = 5
    assert (found.mean, found.n) == (3.0, 5)
    assert found.half_width == pytest.approx(2.776445 * math.sqrt(2.5 / 5), abs=1e-6)


def test_what_is_not_known_is_left_out_and_one_value_has_no_interval() -> None:
    assert estimate([1.0, NAN, 3.0]).n == 2
    one = estimate([4.0, NAN])
    assert (one.mean, one.n) == (4.0, 1)
    assert math.isnan(one.low) and math.isnan(one.high)
    assert math.isnan(estimate([]).mean) and estimate([]).n == 0


@given(st.floats(-1e9, 1e9), st.integers(1, 50))
def test_equal_values_have_exactly_that_mean_and_no_spread(value: float, n: int) -> None:
    assert mean([value] * n) == value
    assert n < 2 or (variance([value] * n) == 0 and estimate([value] * n)[:3] == (value, value, value))


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_values_does_not_matter_to_the_last_digit(values: list[float], random: object) -> None:
    other = values.copy()
    random.shuffle(other)  # type: ignore[attr-defined]
    assert estimate(other) == estimate(values)


@given(PAIRS)
def test_swapping_the_arms_turns_every_sign_and_nothing_else(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    there, back = Paired.of(a, b), Paired.of(b, a)
    assert (there.a, there.b) == (back.b, back.a)
    assert there.difference.mean == -back.difference.mean
    assert (there.difference.low, there.difference.high) == (-back.difference.high, -back.difference.low)
    assert there.correlation == back.correlation or math.isnan(there.correlation)
    assert there.variance_reduction == back.variance_reduction or math.isnan(there.variance_reduction)
    ties = sum(x == y for x, y in pairs) / len(pairs)
    assert there.above + back.above + ties == pytest.approx(1, abs=1e-12)


@given(VALUES)
def test_an_arm_does_not_differ_from_itself(values: list[float]) -> None:
    found = Paired.of(values, values)
    assert found.difference[:3] == (0, 0, 0)
    assert found.above == 0


def test_common_luck_shows_as_variance_reduction() -> None:
    luck = [3.0, -1.0, 4.0, -1.0, 5.0, -9.0]
    shifted = [x + gain for x, gain in zip(luck, [0.9, 1.1, 1.0, 1.0, 0.8, 1.2], strict=True)]
    found = Paired.of(luck, shifted)
    gaps = np.subtract(shifted, luck)
    wanted = (np.var(luck, ddof=1) + np.var(shifted, ddof=1)) / np.var(gaps, ddof=1)
    assert found.variance_reduction == pytest.approx(wanted, rel=1e-9)
    assert found.correlation == pytest.approx(np.corrcoef(luck, shifted)[0, 1], rel=1e-9)
    assert Paired.of(luck, [x + 1 for x in luck]).variance_reduction == math.inf


def test_pairs_of_which_an_arm_is_not_known_are_left_out() -> None:
    found = Paired.of([1.0, NAN, 3.0, 5.0], [2.0, 2.0, NAN, 7.0])
    assert (found.a, found.b, found.difference.mean, found.difference.n) == (3.0, 4.5, 1.5, 2)


def test_a_run_counts_with_its_last_months_that_are_known() -> None:
    series = np.array([[9.0, 9.0], [1.0, np.nan], [2.0, 4.0]])
    assert last_year(series, last=2) == [1.5, 4.0]
    assert last_year(series) == [4.0, 6.5]
    assert all(map(math.isnan, last_year(np.empty((0, 2)))))
