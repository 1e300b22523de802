"""Proposals made at once are settled in the order of their priority, never in the order of storage."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from carecommons.kernels.settle import admit, join
from carecommons.place.ties import Ties

PEOPLE = 5
PROPOSALS = st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1)), max_size=20)


def settle(proposals: list[tuple[int, int]], order: list[int], slack: int) -> tuple[int, list[set[int]]]:
    """Join strangers -> ties made, and whom each knows."""
    a, b = (np.array([p[k] for p in proposals], np.int32) for k in (0, 1))
    ties = Ties.none(PEOPLE, slack)
    made = join(
        np.array(order, np.int64), a, b, np.full(len(a), 2, np.int8), np.zeros(len(a), np.uint16), np.float32(0.2),
        ties.start, ties.degree, ties.neighbour, ties.strength, ties.kind, ties.bond, ties.minutes,
    )  # fmt: skip
    ends = ties.start[:-1] + ties.degree
    return made, [set(ties.neighbour[s:e].tolist()) for s, e in zip(ties.start[:-1], ends, strict=True)]


@given(PROPOSALS, st.integers(0, 3), st.data())
def test_ties_are_made_in_turn_while_both_have_room(
    proposals: list[tuple[int, int]], slack: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(proposals))))
    expected: list[set[int]] = [set() for _ in range(PEOPLE)]
    for t in order:
        a, b = proposals[t]
        if a != b and b not in expected[a] and max(len(expected[a]), len(expected[b])) < slack:
            expected[a].add(b)
            expected[b].add(a)
    made, known = settle(proposals, order, slack)
    assert known == expected
    assert made == sum(map(len, expected)) // 2


@given(PROPOSALS, st.integers(0, 3), st.data())
def test_where_proposals_are_stored_decides_nothing(
    proposals: list[tuple[int, int]], slack: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(range(len(proposals))))
    turn = [shuffled.index(t) for t in range(len(proposals))]
    here = settle(proposals, list(range(len(proposals))), slack)
    assert settle([proposals[t] for t in shuffled], turn, slack) == here


@given(st.lists(st.integers(0, 3), max_size=15), st.lists(st.integers(0, 4), min_size=4, max_size=4), st.data())
def test_room_goes_to_those_whose_turn_is_first(wanted: list[int], room: list[int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(wanted))))
    admitted = np.zeros(len(wanted), np.bool_)
    left = np.array(room, np.int64)
    admit(np.array(order, np.int64), np.array(wanted, np.int32), left, admitted)
    for place, seats in enumerate(room):
        applicants = [t for t in order if wanted[t] == place]
        assert [t for t in applicants if admitted[t]] == applicants[:seats]
        assert left[place] == max(seats - len(applicants), 0)
