"""Chains on ordered states: coupled so that order is kept, and a cohort as matrix powers have it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from carecommons.kernels.markov import cohorts, neighbour_step

CHANCE = st.floats(0, 0.5)
DRAW = st.floats(0, 1, exclude_max=True)


@dataclass(frozen=True)
class Chain:
    """An age-dependent ladder for two groups, with jumps to the top, ways out, and a crossing from group to group."""

    up: np.ndarray
    down: np.ndarray
    top: np.ndarray
    leave: np.ndarray
    cross: np.ndarray
    first: np.ndarray

    def month(self, year: int) -> np.ndarray:
        """The matrix of one month over (group, state), rows from, columns to; what leaves is missing."""
        states = self.up.shape[2]
        blocks = []
        for group in range(2):
            up, down = self.up[group, year], self.down[group, year]
            ladder = np.diag(1 - up - down) + np.diag(up[:-1], 1) + np.diag(down[1:], -1)
            jump = np.where(np.arange(states) < states - 1, self.top[year], 0.0)
            to_the_top = np.zeros((states, states))
            to_the_top[:, -1] = 1.0
            stays = (1 - self.leave[year])[:, None]
            blocks.append(stays * (jump[:, None] * to_the_top + (1 - jump)[:, None] * ladder))
        nothing = np.zeros((states, states))
        return np.block([[blocks[0], nothing], [nothing, blocks[1]]])

    def birthday(self, year: int) -> np.ndarray:
        """The matrix by which part of the first group goes over to the second."""
        same = np.eye(self.up.shape[2])
        return np.block([[(1 - self.cross[year]) * same, self.cross[year] * same], [0 * same, same]])


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    years, states = draw(st.integers(1, 4)), draw(st.integers(2, 5))

    def table(*shape: int) -> np.ndarray:
        size = math.prod(shape)
        return np.array(draw(st.lists(CHANCE, min_size=size, max_size=size))).reshape(shape)

    up, down, first = table(2, years, states), table(2, years, states), table(2, states) + 0.1
    up[:, :, -1], down[:, :, 0] = 0.0, 0.0
    return Chain(up, down, table(years), table(years, states), table(years), first / first.sum())


@given(chains(), st.integers(1, 12))
def test_a_cohort_is_what_matrix_powers_make_of_it(chain: Chain, months: int) -> None:
    found = cohorts(chain.up, chain.down, chain.top, chain.leave, chain.cross, chain.first, months)
    now = chain.first.ravel()
    for year in range(chain.up.shape[1]):
        now = now @ chain.birthday(year)
        middle = (now @ np.linalg.matrix_power(chain.month(year), months // 2 + 1)).reshape(2, -1)
        assert np.abs(found[:, year] - middle / middle.sum(axis=1, keepdims=True)).max() < 1e-12
        now = now @ np.linalg.matrix_power(chain.month(year), months)
        now /= now.sum()


@given(st.integers(0, 3), CHANCE, CHANCE, DRAW)
def test_a_step_goes_down_on_small_draws_up_on_large_ones_and_else_stays(
    state: int, down: float, up: float, u: float
) -> None:
    expected = state - 1 if u < down else state + 1 if u >= 1 - up else state
    assert neighbour_step(state, down, up, u) == expected


@given(CHANCE, CHANCE)
def test_the_shares_of_draws_that_move_are_the_chances(down: float, up: float) -> None:
    draws = (np.arange(10_000) + 0.5) / 10_000
    moved = np.array([neighbour_step(1, down, up, u) for u in draws]) - 1
    assert abs((moved < 0).mean() - down) <= 1 / 10_000
    assert abs((moved > 0).mean() - up) <= 1 / 10_000


@given(st.lists(st.tuples(CHANCE, CHANCE), min_size=4, max_size=4), st.integers(0, 3), st.integers(0, 3), DRAW)
def test_of_two_people_with_one_draw_the_lower_never_overtakes_the_higher(
    chances: list[tuple[float, float]], a: int, b: int, u: float
) -> None:
    """Order is kept whenever the chain is stochastically monotone; with moves of at most a half it always is."""
    chances[0], chances[3] = (0.0, chances[0][1]), (chances[3][0], 0.0)
    after = [neighbour_step(s, *chances[s], u) for s in sorted((a, b))]
    assert after[0] <= after[1]
