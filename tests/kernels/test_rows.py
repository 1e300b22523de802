"""Rows of half-edges against a plain list of who met whom, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from carecommons.kernels import rows
from carecommons.place.ties import Ties

PEOPLE = 6
Entry = tuple[int, float, int, int, int]  # neighbour, strength, kind, bond, minutes
PAIRS = st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1), st.integers(0, 6)), max_size=25)


def built(pairs: list[tuple[int, int, int]], slack: int = 3) -> Ties:
    """Ties whose strength and bond tell which pair made them, and whose minutes tell the place."""
    a, b, kind = (np.array([p[k] for p in pairs], t) for k, t in ((0, np.int32), (1, np.int32), (2, np.int8)))
    turn = np.arange(len(pairs))
    ties = Ties.from_pairs(PEOPLE, a, b, kind, (turn / 64).astype(np.float32), turn.astype(np.uint16), slack)
    ties.minutes[:] = np.arange(len(ties.minutes))
    return ties


def by_hand(pairs: list[tuple[int, int, int]]) -> list[list[tuple[int, float, int, int]]]:
    """What the rows must hold, minutes aside: the first of a repeated pair, in the order of the pairs."""
    out: list[list[tuple[int, float, int, int]]] = [[] for _ in range(PEOPLE)]
    for turn, (a, b, kind) in enumerate(pairs):
        if a != b and b not in [entry[0] for entry in out[a]]:
            out[a].append((b, turn / 64, kind, turn))
            out[b].append((a, turn / 64, kind, turn))
    return out


def contents(ties: Ties) -> list[list[Entry]]:
    """Each row as a list."""
    spans = [range(s, s + d) for s, d in zip(ties.start[:-1], ties.degree, strict=True)]
    return [[tuple(getattr(ties, name)[e].item() for name in ENTRY) for e in span] for span in spans]  # type: ignore[misc]


ENTRY = ("neighbour", "strength", "kind", "bond", "minutes")


def without_minutes(rows_: list[list[Entry]]) -> list[list[tuple[Any, ...]]]:
    return [[entry[:4] for entry in row] for row in rows_]


def arrays(ties: Ties) -> tuple[Any, ...]:
    return (ties.start, ties.degree, *(getattr(ties, name) for name in ENTRY))


def are_whole(ties: Ties) -> None:
    """Symmetric, nobody tied to himself or twice to another, both halves alike, no row beyond its room."""
    seen = {}
    for i, row in enumerate(contents(ties)):
        assert len({entry[0] for entry in row}) == len(row)
        for entry in row:
            assert entry[0] != i
            seen[i, entry[0]] = entry[1:4]
    assert all(seen[j, i] == half for (i, j), half in seen.items())
    assert (ties.start[:-1] + ties.degree <= ties.start[1:]).all()


@given(PAIRS, st.integers(0, 4))
def test_of_a_repeated_pair_the_first_stays_and_nobody_is_tied_to_himself(
    pairs: list[tuple[int, int, int]], slack: int
) -> None:
    ties = built(pairs, slack)
    assert without_minutes(contents(ties)) == by_hand(pairs)
    are_whole(ties)
    assert len(ties) == sum(len(row) for row in by_hand(pairs)) // 2
    assert (np.diff(ties.start) >= ties.degree + slack).all()


@given(PAIRS, st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1))
def test_a_neighbour_is_found_where_he_stands(pairs: list[tuple[int, int, int]], i: int, j: int) -> None:
    ties = built(pairs)
    place = rows.find(ties.start, ties.degree, ties.neighbour, i, j)
    known = [entry[0] for entry in contents(ties)[i]]
    assert (place >= 0) == (j in known)
    if place >= 0:
        assert place - ties.start[i] == known.index(j)


@given(PAIRS, st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1))
def test_dropping_a_neighbour_keeps_the_order_of_the_others(pairs: list[tuple[int, int, int]], i: int, j: int) -> None:
    ties = built(pairs)
    expected = contents(ties)
    was_there = j in [entry[0] for entry in expected[i]]
    expected[i] = [entry for entry in expected[i] if entry[0] != j]
    assert rows.drop(*arrays(ties), i, j) == was_there
    assert contents(ties) == expected


@given(PAIRS, st.integers(0, PEOPLE - 1))
def test_a_new_neighbour_stands_last_and_gives_no_care_yet(pairs: list[tuple[int, int, int]], i: int) -> None:
    ties = built(pairs)
    expected = contents(ties)
    expected[i].append((PEOPLE, 0.5, 2, 77, 0))
    rows.append(*arrays(ties), i, PEOPLE, np.float32(0.5), 2, 77)
    assert contents(ties) == expected


@given(PAIRS, st.integers(0, 5), st.integers(0, 5))
def test_making_room_changes_nothing_but_the_room(pairs: list[tuple[int, int, int]], before: int, after: int) -> None:
    ties = built(pairs, before)
    expected = contents(ties)
    ties.make_room(after)
    assert contents(ties) == expected
    assert (np.diff(ties.start) == ties.degree + after).all()


@given(PAIRS, st.permutations(range(PEOPLE)))
def test_another_order_of_rows_is_the_same_society(pairs: list[tuple[int, int, int]], order: list[int]) -> None:
    ties = built(pairs)
    moved = contents(ties.take(np.array(order, np.int64)))
    for new, old in enumerate(order):
        expected = [(order.index(entry[0]), *entry[1:]) for entry in contents(ties)[old]]
        assert moved[new] == expected


@given(PAIRS, st.permutations(range(PEOPLE)))
def test_an_order_undone_is_the_place_as_it_was(pairs: list[tuple[int, int, int]], order: list[int]) -> None:
    ties = built(pairs)
    back = ties.take(np.array(order, np.int64)).take(np.argsort(order))
    assert contents(back) == contents(ties)
    assert back.start.tolist() == ties.start.tolist()


@given(PAIRS)
def test_places_in_use_and_their_owners_are_those_of_the_rows(pairs: list[tuple[int, int, int]]) -> None:
    ties = built(pairs)
    used = np.flatnonzero(ties.used)
    expected = [(i, entry[0]) for i, row in enumerate(contents(ties)) for entry in row]
    assert list(zip(ties.owner[used].tolist(), ties.neighbour[used].tolist(), strict=True)) == expected
