"""Sums and counts among people with given flags, and by group, are numpy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from carecommons.kernels.homes import count_homes, names_in_use
from carecommons.kernels.sums import answer, count_equal, count_where, sum_by, sum_where

PEOPLE = st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 15), st.integers(0, 3)), max_size=40)


def columns(people: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, flags and groups of people."""
    kinds = (np.int64, np.uint32, np.int64)
    return tuple(np.array([p[k] for p in people], t) for k, t in enumerate(kinds))  # type: ignore[return-value]


@given(PEOPLE, st.integers(0, 15))
def test_a_sum_among_some_is_numpys_and_whole_where_they_are(people: list[tuple[int, int, int]], among: int) -> None:
    values, flags, _ = columns(people)
    chosen = values[flags & among == among]
    for nought in (0, 0.0):
        total, count = sum_where(values, flags, among, nought)
        assert (total, count) == (chosen.sum(), len(chosen)) and isinstance(total, type(nought))


@given(PEOPLE, st.integers(0, 15), st.integers(0, 15))
def test_a_count_among_some_is_numpys(people: list[tuple[int, int, int]], among: int, holds: int) -> None:
    _, flags, group = columns(people)
    inside = flags & among == among
    assert count_where(flags, holds, among) == ((inside & (flags & holds == holds)).sum(), inside.sum())
    assert count_equal(group, 2, flags, among) == ((inside & (group == 2)).sum(), inside.sum())


@given(PEOPLE, st.integers(0, 15))
def test_sums_by_group_are_numpys_and_add_up_to_the_whole(people: list[tuple[int, int, int]], among: int) -> None:
    values, flags, group = columns(people)
    sums, counts = sum_by(values, flags, among, group, 4)
    inside = flags & among == among
    assert sums.tolist() == [float(values[inside & (group == g)].sum()) for g in range(4)]
    assert (sums.sum(), counts.sum()) == sum_where(values, flags, among, 0.0)


@given(PEOPLE, st.integers(0, 15), st.integers(0, 15))
def test_questions_answered_together_are_those_answered_alone(
    people: list[tuple[int, int, int]], among: int, holds: int
) -> None:
    values, flags, group = columns(people)
    inside = flags & among == among
    asked = [(-1, -1), (0, -1), (1, 2)]  # flags counted, the first column summed, twos of the second counted
    numbers = [(inside & (flags & holds == holds)).sum(), values[inside].sum(), (inside & (group == 2)).sum()]
    for mean in (False, True):
        which, wanted = (np.array(each) for each in zip(*asked, strict=True))
        same = np.full(3, holds, np.uint32), np.full(3, among, np.uint32), np.full(3, mean), np.full(3, 100.0)
        of = inside.sum() if mean else 1
        expected = [int(number) / of * 100.0 if of else np.nan for number in numbers]
        found = answer((values, group), which, wanted, flags, *same)
        assert np.array_equal(found, expected, equal_nan=True)


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 19)), max_size=10))
def test_a_household_counts_its_living_adults_and_a_place_in_a_care_home_is_one(homes: list[tuple[bool, int]]) -> None:
    n = len(homes)
    alive = np.array([h[0] for h in homes], bool)
    household = np.array([h[1] % (2 * n) if h[1] >= 0 else h[1] for h in homes])
    size = np.full(n, -9, np.int16)
    count_homes(alive, household.astype(np.int32), size)
    in_use = names_in_use(alive, household.astype(np.int32))
    assert in_use.tolist() == [bool((household[alive] == name).any()) for name in range(3 * n)]
    for k in range(n):
        together = int((alive & (household == household[k])).sum()) if household[k] >= 0 else 1
        assert size[k] == (together if alive[k] else 0)
