"""Means and intervals are Student's, and a paired comparison has no preferred side."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from carecommons.errors import InputError
from carecommons.experiments.estimate import (
    NAN,
    UNVARIED,
    Paired,
    estimate,
    gaps,
    half_width_of,
    last_year,
    mean,
    runs_still_needed,
    variance,
)

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


# --- how many more ---


@given(st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=30, unique=True), st.floats(0.01, 10))
def test_so_many_more_runs_and_no_fewer_bring_the_interval_down(values: list[float], share: float) -> None:
    """Of runs that vary as these do."""
    spread, n = variance(values), len(values)
    wide = half_width_of(spread, n)
    needed = runs_still_needed(values, share * wide)
    assert needed is not None and needed >= 0
    assert half_width_of(spread, n + needed) <= share * wide
    assert needed == 0 or half_width_of(spread, n + needed - 1) > share * wide
    assert runs_still_needed(values, wide) == 0


def test_a_worked_number_of_runs() -> None:
    """Mean 10, standard deviation 2: a half-width of 0.5 wants t(63) 2 / 8 = 0.4996, one fewer gives 0.5037."""
    values = [10 - math.sqrt(3.8), 10 + math.sqrt(3.8)] * 10
    assert variance(values) == pytest.approx(4.0, rel=1e-12)
    assert runs_still_needed(values, 0.5) == 64 - 20
    assert runs_still_needed(values, 0.05, relative=True) == 64 - 20
    assert runs_still_needed([-value for value in values], 0.05, relative=True) == 64 - 20


def test_runs_without_a_value_are_expected_to_go_on() -> None:
    values = [10 - math.sqrt(3.8), 10 + math.sqrt(3.8)] * 10
    assert runs_still_needed(values + [NAN] * 20, 0.5) == 2 * (64 - 20)
    assert runs_still_needed([NAN, NAN, 1.0], 0.5) is None
    assert runs_still_needed([], 0.5) is None


def test_equal_values_do_not_claim_to_be_precise() -> None:
    assert runs_still_needed([3.0] * 10, 0.5) == UNVARIED - 10
    assert runs_still_needed([3.0] * 100, 0.5) == 0


def test_no_number_of_runs_reaches_a_share_of_nought() -> None:
    assert runs_still_needed([-1.0, 1.0], 0.1, relative=True) is None
    assert runs_still_needed([-1.0, 1.0, 1e-300], 0.1, relative=True) is None
    assert runs_still_needed([-1.0, 1.0], 1e-300) is None


@pytest.mark.parametrize("wrong", [0.0, -1.0, NAN, math.inf])
def test_a_half_width_is_above_nought(wrong: float) -> None:
    with pytest.raises(InputError, match=r"^half-width = .* must be a finite number above 0$"):
        runs_still_needed([1.0, 2.0], wrong)


@given(PAIRS)
def test_pairs_ask_for_as_many_more_as_their_differences_do(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    gaps = [y - x for x, y in pairs]
    found = Paired.of([*a, NAN], [*b, 1.0])
    assert (found.pairs, found.difference.n) == (len(pairs) + 1, len(pairs))
    for half_width, relative in ((100.0, False), (0.5, True)):
        wanted = runs_still_needed([*gaps, NAN], half_width, relative=relative)
        assert found.still_needed(half_width, relative=relative) == wanted


@pytest.mark.slow
def test_the_width_of_intervals_falls_with_the_root_of_the_number_of_runs() -> None:
    """From 100 to 400 runs by half, within a tenth; the ratio of two standard deviations has an error of about 4%."""
    rng = np.random.default_rng(2)
    ratios = [
        estimate(rng.normal(0, 1, 400)).half_width / estimate(rng.normal(0, 1, 100)).half_width for _ in range(200)
    ]
    assert float(np.mean(ratios)) == pytest.approx(0.5, rel=0.1)


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 3), min_size=2, max_size=30))
def test_from_a_to_c_is_from_a_to_b_and_on_to_c(worlds: list[tuple[float, float, float]]) -> None:
    a, b, c = ([world[k] for world in worlds] for k in range(3))
    there, on, straight = Paired.of(a, b), Paired.of(b, c), Paired.of(a, c)
    # Each difference of numbers up to 1e6 is rounded at 2e6 * 2^-53.
    assert straight.difference.mean == pytest.approx(there.difference.mean + on.difference.mean, abs=1e-9)


def test_equal_differences_of_unequal_values_have_no_spread_whatever_their_last_digits() -> None:
    a = [0.1 * k for k in range(1, 31)]
    b = [x + 7.3 for x in a]
    assert len({y - x for x, y in zip(a, b, strict=True)}) > 1  # as they come out
    found = Paired.of(a, b)
    assert found.spread == 0 and found.difference.half_width == 0 and found.variance_reduction == math.inf
    assert found.still_needed(0.1, relative=True) == UNVARIED - 30
    assert gaps([1.0, NAN, 2.0], [2.0, 1.0, 5.0])[::2] == [1.0, 3.0] and gaps([], []) == []
