"""Discounting: exact oracles (O13), the Green Book's table, and law 49: at rate 0 a plain sum, less at higher rates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.analysis.discounting import (
    HEALTH,
    LOW,
    NONE,
    SCHEDULES,
    STANDARD,
    WITHIN,
    Schedule,
    Step,
    flat,
    present_value,
    schedule_of,
)
from carecommons.errors import InputError
from carecommons.params import D

FLOWS = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)
RATES = st.floats(0, 0.5)
WHEN = st.sampled_from(sorted(WITHIN))


# Oracles


def test_a_pound_a_year_for_ten_year_ends_is_worth_8_316605() -> None:
    exact = (1 - 1.035**-10) / 0.035
    assert present_value(np.ones(10), STANDARD, when="end") == pytest.approx(exact, rel=1e-14)
    assert present_value(np.ones(10), STANDARD, when="end") == pytest.approx(8.316605, abs=5e-7)


def test_the_factor_of_year_40_goes_through_two_rates() -> None:
    assert STANDARD.factor(40) == pytest.approx(0.26510460, abs=1e-8)
    assert STANDARD.factor(40) == pytest.approx(1.035**-30 * 1.03**-10, rel=1e-14)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (STANDARD, (0.035, 0.03, 0.025, 0.02, 0.015, 0.01)),
        (HEALTH, (0.015, 0.0129, 0.0107, 0.0086, 0.0064, 0.0043)),
        (LOW, (0.03, 0.0257, 0.0214, 0.0171, 0.0129, 0.0086)),
    ],
)
def test_rates_are_those_of_the_green_book_of_february_2026(schedule: Schedule, rates: tuple[float, ...]) -> None:
    years = [(0, 30), (31, 75), (76, 125), (126, 200), (201, 300), (301, 1000)]
    for (first, last), rate in zip(years, rates, strict=True):
        assert schedule.rate(first) == schedule.rate(last) == rate
        assert schedule.factor(last) / schedule.factor(last - 1) == pytest.approx(1 / (1 + rate), rel=1e-12)


def test_the_first_year_is_not_discounted_where_flows_stand_at_its_start() -> None:
    assert present_value([100.0], STANDARD) == 100.0
    assert present_value([0.0, 103.5], STANDARD) == pytest.approx(100, rel=1e-14)
    assert present_value([103.5], STANDARD, when="end") == pytest.approx(100, rel=1e-14)
    assert present_value([100.0], STANDARD, when="middle") == pytest.approx(100 / math.sqrt(1.035), rel=1e-14)


def test_months_are_discounted_within_their_year() -> None:
    assert STANDARD.factors(13, a_year=12)[12] == STANDARD.factor(1)
    a_year = present_value(np.ones(12), STANDARD, when="end", a_year=12)
    assert a_year == pytest.approx(sum(1.035 ** (-k / 12) for k in range(1, 13)), rel=1e-14)


# Laws


@given(FLOWS, WHEN)
def test_at_rate_0_a_present_value_is_a_plain_sum(flows: list[int], when: Any) -> None:
    assert present_value(flows, NONE, when=when) == sum(flows) and present_value(flows, flat(0.0)) == sum(flows)


@given(FLOWS, RATES, RATES, WHEN)
def test_flows_that_are_not_negative_are_worth_less_at_a_higher_rate(
    flows: list[int], one: float, other: float, when: Any
) -> None:
    low, high = sorted((one, other))
    worth = [present_value(flows, flat(rate), when=when) for rate in (high, low)]
    assert worth[0] <= worth[1] * (1 + 1e-13)
    assert worth[1] <= sum(flows) * (1 + 1e-13)


@given(st.lists(st.floats(0, 400), min_size=2, max_size=20), st.sampled_from(sorted(SCHEDULES)))
def test_later_is_never_worth_more(years: list[float], name: str) -> None:
    factors = [SCHEDULES[name].factor(year) for year in sorted(years)]
    assert factors == sorted(factors, reverse=True) and all(0 < factor <= 1 for factor in factors)


@given(FLOWS, FLOWS, st.integers(-5, 5))
def test_a_present_value_is_linear(a: list[int], b: list[int], times: int) -> None:
    n = min(len(a), len(b))
    left, right = np.array(a[:n], float), np.array(b[:n], float)
    together = present_value(left + times * right, STANDARD)
    apart = present_value(left, STANDARD) + times * present_value(right, STANDARD)
    assert together == pytest.approx(apart, rel=1e-12, abs=1e-12 * 6 * n * 10**9)


def test_every_column_is_discounted_by_itself() -> None:
    flows = np.arange(24.0).reshape(4, 3, 2)
    found = present_value(flows, STANDARD)
    assert found.shape == (3, 2) and found[2, 1] == present_value(flows[:, 2, 1], STANDARD)


# What is refused, and what is said


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: STANDARD.factor(-1), "discounting: year = -1 is outside 0 to inf of 'standard'"),
        (lambda: STANDARD.rate(math.nan), "discounting: year = nan is outside"),
        (lambda: flat(-0.01), "discounting: rate = -0.01 of '-1% flat' is outside 0 to 1"),
        (lambda: present_value([1], STANDARD, when="ends"), "discounting: when = 'ends' is unknown; did you mean"),  # type: ignore[arg-type]
        (lambda: present_value([1], STANDARD, a_year=4), "discounting: a_year = 4 must be 1"),
        (lambda: schedule_of("standart"), "unknown discount schedule 'standart'; did you mean 'standard'?"),
        (
            lambda: Schedule("x", (Step(5, 0.1), Step(5, 0.1)), "", "", D),
            "discounting: years of 'x' = [5, 5] must rise",
        ),
        (lambda: Schedule("x", (Step(5, 0.1),), "", "", D).factor(6), "discounting: year = 6 is outside 0 to 5 of 'x'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(act: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        act()
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=sorted(SCHEDULES))
def test_a_schedule_says_its_vintage_and_source(schedule: Schedule) -> None:
    told = schedule.describe()
    assert all(told[name] for name in ("name", "steps", "vintage", "source", "grade"))
    assert schedule_of(schedule.name) is schedule and schedule_of(schedule) is schedule
