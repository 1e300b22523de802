"""Outcomes by group: exact oracles for the concentration index, and group means that make up the whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import small
from carecommons.errors import InputError
from carecommons.outcomes.catalogue import OUTCOMES
from carecommons.outcomes.fairness import FIRST_AGES, GROUPINGS, by_group, concentration_index, fractional_rank
from carecommons.place.place import Place
from carecommons.place.population import Route, Status

OF_PEOPLE = [outcome.name for outcome in OUTCOMES if outcome.of is None]

# Sums of a few hundred floats of one sign, doubled and divided once: relative error well under 1e-12.
EXACT: dict[str, Any] = {"rel": 1e-12, "abs": 1e-12}

people = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 6)), min_size=1, max_size=60)


def index(pairs: list[tuple[int, int]]) -> float:
    """The concentration index of (value, rank) pairs."""
    return concentration_index([value for value, _ in pairs], [rank for _, rank in pairs])


# Concentration index


@pytest.mark.parametrize("n", [2, 5, 10, 101])
def test_health_equal_to_rank_has_the_index_n_less_one_over_three_n(n: int) -> None:
    ranks = np.arange(1, n + 1)
    assert concentration_index(ranks, ranks) == pytest.approx((n - 1) / (3 * n), **EXACT)


def test_health_equal_to_quintile_has_the_index_four_fifteenths() -> None:
    assert concentration_index([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == pytest.approx(4 / 15, **EXACT)


def test_everything_at_one_end_comes_near_one() -> None:
    assert concentration_index([0, 0, 0, 8], [1, 2, 3, 4]) == pytest.approx(1 - 1 / 4, **EXACT)
    assert concentration_index([8, 0, 0, 0], [1, 2, 3, 4]) == pytest.approx(1 / 4 - 1, **EXACT)


@given(people)
def test_the_index_is_twice_the_covariance_with_rank_over_the_mean(pairs: list[tuple[int, int]]) -> None:
    value, rank = np.array(pairs, float).T
    if value.sum() == 0:
        assert math.isnan(index(pairs))
        return
    share = np.array([(rank < r).mean() + (rank == r).mean() / 2 for r in rank])
    covariance = (value * share).mean() - value.mean() * share.mean()
    assert index(pairs) == pytest.approx(2 * covariance / value.mean(), rel=1e-9, abs=1e-12)
    assert -1 <= index(pairs) <= 1


@given(people)
def test_the_other_way_round_it_has_the_other_sign(pairs: list[tuple[int, int]]) -> None:
    assert index([(value, -rank) for value, rank in pairs]) == pytest.approx(-index(pairs), nan_ok=True, **EXACT)


@given(people, st.integers(1, 10**6))
def test_units_do_not_matter(pairs: list[tuple[int, int]], scale: int) -> None:
    assert index([(value * scale, rank) for value, rank in pairs]) == pytest.approx(index(pairs), nan_ok=True, **EXACT)


@given(people, st.integers(2, 5))
def test_doubling_everybody_changes_nothing(pairs: list[tuple[int, int]], times: int) -> None:
    assert index(pairs * times) == pytest.approx(index(pairs), nan_ok=True, **EXACT)


@given(people)
def test_only_the_order_of_ranks_matters(pairs: list[tuple[int, int]]) -> None:
    assert index([(value, rank**3) for value, rank in pairs]) == pytest.approx(index(pairs), nan_ok=True, **EXACT)


@given(people, st.randoms(use_true_random=False))
def test_the_order_of_people_does_not_matter(pairs: list[tuple[int, int]], shuffle: Any) -> None:
    other = list(pairs)
    shuffle.shuffle(other)
    assert index(other) == pytest.approx(index(pairs), nan_ok=True, **EXACT)


def test_those_without_a_value_do_not_count() -> None:
    with_gaps = concentration_index([1, math.nan, 2, 3, math.nan, 4, 5], [1, 9, 2, 3, 0, 4, 5])
    assert with_gaps == pytest.approx(4 / 15, **EXACT)
    assert math.isnan(concentration_index([], [])) and math.isnan(concentration_index([math.nan], [1]))


def test_equals_share_the_middle_rank() -> None:
    assert fractional_rank([3, 1, 3, 2]).tolist() == [0.75, 0.125, 0.75, 0.375]
    assert fractional_rank([]).tolist() == []


# By group


@pytest.mark.parametrize("group", GROUPINGS)
@pytest.mark.parametrize("outcome", OF_PEOPLE)
def test_groups_make_up_the_whole(lived_in: Place, outcome: str, group: str) -> None:
    what = next(one for one in OUTCOMES if one.name == outcome)
    found = by_group(lived_in, outcome, group)
    among = lived_in.citizens.status & what.among.value == what.among.value
    assert found.people.sum() == among.sum() and len(found.labels) == len(found.values) == len(found.people)
    there = found.people > 0
    if what.total:
        assert found.values.sum() == pytest.approx(what.value(lived_in), **EXACT)
    elif there.any():
        mean = (found.values[there] * found.people[there]).sum() / found.people.sum()
        assert mean == pytest.approx(what.value(lived_in), **EXACT)
        assert np.isnan(found.values[~there]).all()


@pytest.fixture
def five() -> Place:
    """A person in each quintile, who needs an hour more the better off the place is; the last meets stigma."""
    return small.by_hand(
        5, deprivation=[1, 2, 3, 4, 5], need=[60, 120, 180, 240, 300], stigma=[False] * 4 + [True], sex=[0, 0, 1, 1, 0],
        savings=[0, 1_425_000, 1_425_001, 2_325_000, 2_325_001], level=[0, 1, 1, 2, 3], route=[0, 1, 1, 2, 6],
        age=[12 * years for years in (18, 49, 50, 84, 85)], status=Status.ALIVE.value,
    )  # fmt: skip


def test_by_deprivation_the_index_is_the_oracle(five: Place) -> None:
    found = by_group(five, "need_hours", "deprivation")
    assert found.labels == [1, 2, 3, 4, 5] and found.values.tolist() == pytest.approx([1, 2, 3, 4, 5], **EXACT)
    assert found.people.tolist() == [1] * 5 and found.gap == pytest.approx(4, **EXACT)
    assert found.concentration_index == pytest.approx(4 / 15, **EXACT)


@pytest.mark.parametrize(
    ("group", "labels", "people"),
    [
        ("wealth", [1, 2, 3, 4, 5], [1, 1, 1, 1, 1]),
        ("capital", ["below", "between", "above"], [2, 2, 1]),
        ("need", ["none", "low", "moderate", "high"], [1, 2, 1, 1]),
        ("sex", ["women", "men"], [3, 2]),
        ("stigma", ["others", "meets stigma"], [4, 1]),
        ("route", [route.name.lower() for route in Route], [1, 2, 1, 0, 0, 0, 1]),
        ("age", ["18-34", "35-49", "50-64", "65-74", "75-84", "85+"], [1, 1, 1, 0, 1, 1]),
        ("neighbourhood", [0], [5]),
    ],
)  # fmt: skip
def test_people_are_in_the_group_that_is_theirs(five: Place, group: str, labels: list[Any], people: list[int]) -> None:
    found = by_group(five, "need_hours", group)
    assert found.labels == labels and found.people.tolist() == people


def test_the_gap_is_last_less_first_or_widest(five: Place) -> None:
    assert by_group(five, "need_hours", "stigma").gap == pytest.approx(5 - 10, **EXACT)
    assert by_group(five, "need_hours", "route").gap == pytest.approx(5 - 1, **EXACT)
    assert by_group(five, "need_hours", "neighbourhood").gap == 0
    assert math.isnan(by_group(five, "need_hours", "stigma").concentration_index)


def test_groups_without_people_have_no_value_and_make_no_gap(five: Place) -> None:
    five.citizens.status[[0, 4]] = 0
    found = by_group(five, "network", "age")
    assert np.isnan(found.values).tolist() == [True, False, False, True, False, True] and found.gap == 0
    five.citizens.status[:] = 0
    empty = by_group(five, "network", "age")
    assert math.isnan(empty.gap) and math.isnan(empty.concentration_index) and empty.people.sum() == 0


def test_people_of_equal_savings_are_in_one_fifth() -> None:
    place = small.by_hand(10, savings=[5] * 6 + [9] * 4, status=Status.ALIVE.value)
    assert sorted(by_group(place, "network", "wealth").people.tolist()) == [0, 0, 0, 4, 6]


def test_the_capital_limits_are_the_callers(five: Place) -> None:
    assert by_group(five, "network", "capital", (0.0, 14_250.0)).people.tolist() == [1, 1, 3]


def test_bands_of_age_begin_with_adults() -> None:
    assert FIRST_AGES[0] == 18 and list(FIRST_AGES) == sorted(FIRST_AGES)


@pytest.mark.parametrize(
    ("outcome", "group", "message"),
    [
        ("isolaton", "age", "unknown outcome 'isolaton'; did you mean 'isolation'?"),
        ("isolation", "ages", "unknown group 'ages'; did you mean 'age'?"),
        ("isolation", "zzz", "unknown group 'zzz'; groups are deprivation, wealth, capital"),
        ("requests", "age", "'requests' is an outcome of the place and has no groups; those of people are isolation"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_said_in_one_line(five: Place, outcome: str, group: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        by_group(five, outcome, group)
    assert message in str(caught.value) and "\n" not in str(caught.value)
