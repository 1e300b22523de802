"""Sums among people with given flags, and by group, are numpy's sums."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from carecommons.kernels.homes import count_homes
from carecommons.kernels.sums import sum_by, sum_where

PEOPLE = st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 15), st.integers(0, 3)), max_size=40)


@given(PEOPLE, st.integers(0, 15))
def test_a_sum_among_some_is_numpys(people: list[tuple[int, int, int]], among: int) -> None:
    values, flags = np.array([p[0] for p in people], np.int64), np.array([p[1] for p in people], np.uint32)
    chosen = values[flags & among == among]
    assert sum_where(values, flags, among) == (float(chosen.sum()), len(chosen))


@given(PEOPLE, st.integers(0, 15))
def test_sums_by_group_are_numpys_and_add_up_to_the_whole(people: list[tuple[int, int, int]], among: int) -> None:
    values, flags = np.array([p[0] for p in people], np.int64), np.array([p[1] for p in people], np.uint32)
    group = np.array([p[2] for p in people], np.int64)
    sums, counts = sum_by(values, flags, among, group, 4)
    inside = flags & among == among
    assert sums.tolist() == [float(values[inside & (group == g)].sum()) for g in range(4)]
    assert (sums.sum(), counts.sum()) == sum_where(values, flags, among)


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 19)), max_size=10))
def test_a_household_counts_its_living_adults_and_a_place_in_a_care_home_is_one(homes: list[tuple[bool, int]]) -> None:
    n = len(homes)
    alive, household = np.array([h[0] for h in homes], bool), np.array([h[1] % (2 * n) if h[1] >= 0 else h[1] for h in homes])
    size = np.full(n, -9, np.int16)
    count_homes(alive, household.astype(np.int32), size)
    for k in range(n):
        together = int((alive & (household == household[k])).sum()) if household[k] >= 0 else 1
        assert size[k] == (together if alive[k] else 0)
