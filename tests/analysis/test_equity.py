"""Equity: the concentration index's oracle (O12), law 50 as properties, and the distributional table's own sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.analysis.equity import (
    GRADIENTS,
    UPTAKE,
    concentration_index,
    distribution,
    gradient,
    shares,
    slope_index,
)
from carecommons.errors import InputError
from carecommons.outcomes import fairness

# Sums of a few dozen products, each rounded once: well under this.
EXACT: dict[str, Any] = {"rel": 1e-11, "abs": 1e-11}

# A value and how many people have it, the worst off first.
GROUPS = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 6)), min_size=1, max_size=12)
FIVE = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(0, 500)), min_size=5, max_size=5)
PAIRS = st.lists(st.tuples(FIVE, st.integers(-(10**6), 10**6)), min_size=1, max_size=8)


def columns(groups: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    value, people = np.array(groups, float).T
    return value, people


# Oracle


@pytest.mark.parametrize("n", [2, 5, 10, 101])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_outcome_equal_to_rank_has_the_index_n_less_one_over_three_n(n: int, weighted: bool) -> None:
    people = np.full(n, 7.0) if weighted else None
    assert concentration_index(np.arange(1, n + 1), people) == pytest.approx((n - 1) / (3 * n), rel=1e-12)
    assert concentration_index(np.arange(1, n + 1), people, absolute=True) == pytest.approx(
        (n - 1) / (3 * n) * (n + 1) / 2, rel=1e-12
    )


def test_an_outcome_equal_to_quintile_has_the_index_four_fifteenths() -> None:
    assert concentration_index([1, 2, 3, 4, 5]) == pytest.approx(4 / 15, rel=1e-12)
    assert slope_index([1, 2, 3, 4, 5]) == pytest.approx(5, rel=1e-12)  # the line 0.5 + 5 r, r from 0.1 to 0.9


# Law 50, and one formula with `outcomes.fairness`


@given(GROUPS)
def test_the_index_of_groups_is_that_of_their_people(groups: list[tuple[int, int]]) -> None:
    value, people = columns(groups)
    each, rank = np.repeat(value, people.astype(int)), np.repeat(np.arange(len(value)), people.astype(int))
    told = fairness.concentration_index(each, rank)
    assert concentration_index(value, people) == pytest.approx(told, nan_ok=True, **EXACT)
    if value.sum():
        absolute = concentration_index(value, people, absolute=True)
        assert absolute == pytest.approx(told * each.mean(), rel=1e-11, abs=1e-11 * value.max())


@given(GROUPS)
def test_the_index_lies_within_its_bounds_and_is_nought_where_all_are_equal(groups: list[tuple[int, int]]) -> None:
    value, people = columns(groups)
    n = people.sum()
    if value.sum():
        assert abs(concentration_index(value, people)) <= (n - 1) / n + 1e-12
    assert concentration_index(np.full(len(value), 3.0), people) == pytest.approx(0, **EXACT)


@given(GROUPS, st.integers(1, 1000), st.integers(-1000, 1000), st.integers(2, 9))
def test_reversal_scale_shift_and_duplication(
    groups: list[tuple[int, int]], times: int, shift: int, copies: int
) -> None:
    value, people = columns(groups)
    size = {"rel": 1e-11, "abs": 1e-11 * (value.max() + abs(shift)) * times}
    absolute = concentration_index(value, people, absolute=True)
    assert concentration_index(value[::-1], people[::-1], absolute=True) == pytest.approx(-absolute, **size)
    assert concentration_index(value + shift, people, absolute=True) == pytest.approx(absolute, **size)
    assert concentration_index(value, copies * people, absolute=True) == pytest.approx(absolute, **size)
    relative = concentration_index(value, people)
    for other in (value * times, value):
        weight = people if other is not value else copies * people
        assert concentration_index(other, weight) == pytest.approx(relative, nan_ok=True, **EXACT)
    assert concentration_index(value[::-1], people[::-1]) == pytest.approx(-relative, nan_ok=True, **EXACT)


@given(FIVE)
def test_shares_of_quintiles_sum_to_one(groups: list[tuple[int, int]]) -> None:
    value, _ = columns(groups)
    found = shares(np.abs(value))
    assert math.fsum(found) == pytest.approx(1, rel=1e-14) if value.any() else np.isnan(found).all()


@given(GROUPS, st.floats(-50, 50), st.floats(-50, 50))
def test_a_straight_line_has_its_own_slope(groups: list[tuple[int, int]], at: float, slope: float) -> None:
    _, people = columns(groups)
    rank = (np.cumsum(people) - people / 2) / people.sum()
    found = slope_index(at + slope * rank, people)
    assert math.isnan(found) if len(people) == 1 else found == pytest.approx(slope, rel=1e-9, abs=1e-9)


# The distributional table


def table_of(pairs: list[Any], threshold: float = 100.0, **options: Any) -> Any:
    benefit = np.array([[value for value, _ in five] for five, _ in pairs], float)
    in_need = np.array([[people for _, people in five] for five, _ in pairs], float)
    return benefit, distribution(benefit, np.array([cost for _, cost in pairs], float), threshold, in_need, **options)


@given(PAIRS, st.integers(1, 1000), st.sampled_from(UPTAKE))
def test_quintiles_make_up_the_whole_and_the_balance_is_benefit_less_opportunity_cost(
    pairs: list[Any], threshold: int, uptake: str
) -> None:
    benefit, table = table_of(pairs, threshold, uptake=uptake)
    cost = np.array([cost for _, cost in pairs], float)
    size = np.abs(benefit).sum() + np.abs(cost).sum() / threshold + 1
    for _, part in table.groupby("gradient"):
        value = part.pivot(index="quintile", columns="part", values="value")
        assert (value["benefit"] - value["opportunity cost"] - value["net"]).abs().max() <= 1e-12 * size
        for name in value:
            assert value.loc[[1, 2, 3, 4, 5], name].sum() == pytest.approx(value.loc["all", name], abs=1e-12 * size)
        assert value.loc["all", "benefit"] == pytest.approx(benefit.sum(axis=1).mean(), abs=1e-12 * size)
        assert value.loc["all", "opportunity cost"] == pytest.approx(cost.mean() / threshold, abs=1e-12 * size)


def test_by_default_uptake_is_equal_and_everybody_bears_the_opportunity_cost_alike() -> None:
    pairs = [([(10, 1), (0, 1), (0, 2), (0, 0), (0, 4)], 500)]
    _, table = table_of(pairs)
    equal = table[table["gradient"] == "equal"].set_index(["part", "quintile"])["value"]
    assert [equal["benefit", k] for k in range(1, 6)] == [1.25, 1.25, 2.5, 0, 5]
    assert [equal["opportunity cost", k] for k in range(1, 6)] == [1.0] * 5 and equal["net", "all"] == 5
    _, own = table_of(pairs, uptake="simulated")
    assert own.set_index(["gradient", "part", "quintile"])["value"]["equal", "benefit", 1] == 10
    assert list(table["gradient"].unique()) == list(GRADIENTS)


def test_no_row_is_without_interval_n_and_kind() -> None:
    _, table = table_of([([(1, 1)] * 5, 5), ([(2, 1)] * 5, 9), ([(4, 1)] * 5, 9)])
    assert table["interval"].eq("Student t 95%").all() and table["n"].eq(3).all() and table["low"].notna().all()
    leaning = gradient(np.arange(15.0).reshape(3, 5), np.ones((3, 5)))
    assert leaning["interval"].str.contains("95%").all() and leaning["n"].eq(3).all()


def test_where_the_money_went_is_shown_where_it_is_known() -> None:
    found = distribution(np.ones((2, 5)), [1.0, 1.0], 10, np.ones(5), received=[[1, 2, 3, 4, 5]] * 2)
    cost = found[(found["gradient"] == "equal") & (found["part"] == "cost")].set_index("quintile")["value"]
    assert cost.to_dict() == {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, "all": 15}


def test_how_a_benefit_leans_is_measured_a_person() -> None:
    people = np.array([[10.0, 20, 30, 40, 50]] * 2)
    found = gradient(people * [1, 2, 3, 4, 5], people).set_index("measure")["value"]
    assert found["slope index"] == pytest.approx(slope_index([1, 2, 3, 4, 5], people[0]), rel=1e-12)
    relative = concentration_index([1, 2, 3, 4, 5], people[0])
    assert found["concentration index, relative"] == pytest.approx(relative, rel=1e-12)


@pytest.mark.parametrize("parts", list(GRADIENTS.values()), ids=list(GRADIENTS))
def test_scenarios_of_opportunity_cost_share_out_the_whole(parts: tuple[float, ...]) -> None:
    assert math.fsum(parts) == pytest.approx(1, rel=1e-14) and len(parts) == 5


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: distribution(np.ones((2, 4)), [1, 1], 1, np.ones(5)), "equity: benefits (2, 4) must be (n, 5)"),
        (lambda: distribution(np.ones((1, 5)), [1], 0, np.ones(5)), "equity: threshold = 0 must be above 0 pounds"),
        (lambda: distribution(np.ones((1, 5)), [1], 1, np.ones(5), uptake="equl"), "did you mean 'equal'?"),
        (
            lambda: distribution(np.ones((1, 5)), [1], 1, np.ones(5), gradients={"x": (0.5, 0.6, 0, 0, 0)}),
            "equity: shares of 'x' = (0.5, 0.6, 0, 0, 0) must be five that sum to 1",
        ),
        (lambda: slope_index([1, 2], [1]), "equity: values (2,) and people (1,) must be equally long"),
        (lambda: slope_index([1, 2], [0, 0]), "equity: values must be finite numbers, and people numbers from 0 up"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(act: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        act()
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_all_measures_of_a_lean_have_one_sign_also_for_a_loss_and_none_where_one_quintile_lives() -> None:
    people = np.full((6, 5), 100.0)
    harm = -np.outer(
        1 + np.arange(6) / 50, [50.0, 40.0, 30.0, 20.0, 10.0]
    )  # a loss, the most of it the most deprived's
    for values, sign in ((harm, 1.0), (-harm, -1.0)):
        found = gradient(values, people)
        assert (np.sign(found[["value", "low", "high"]].to_numpy()) == sign).all()
    alone = gradient(harm, people * [1, 0, 0, 0, 0])
    assert alone["value"].isna().all() and alone["low"].isna().all()


def test_an_index_of_what_is_no_number_is_refused() -> None:
    for values in ([1.0, np.nan], [[1.0, 2.0]], []):
        with pytest.raises(InputError, match="equity: values"):
            concentration_index(values)
