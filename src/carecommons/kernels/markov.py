"""Step-by-step chains on ordered states, coupled so that a larger draw never leads to a lower state."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.kernels.arrays import F64
from carecommons.kernels.compiled import compiled


@compiled
def neighbour_step(state: Any, down: Any, up: Any, u: Any) -> Any:
    """Next of ordered states: one down when u < down, one up when u >= 1 - up, else the same."""
    if u < down:
        return state - 1
    if u >= 1.0 - up:
        return state + 1
    return state


@compiled
def cohorts(up: F64, down: F64, top: F64, leave: F64, cross: F64, first: F64, months: int) -> F64:
    """Follow two groups of one cohort through an age-dependent chain -> (2, years, states), shares within each group.

    `up` and `down` (2, years, states), `top` (years,), straight to the highest state, and `leave` (years, states) are
    monthly probabilities by year of age; at the start of each year the share `cross` (years,) of the first group goes
    over to the second; `first` (2, states) is the mass at the start. Of a year's months the middle one is kept.
    """
    _, years, states = up.shape
    out = np.zeros((2, years, states))
    now = first.copy()
    for year in range(years):
        for s in range(states):
            over = now[0, s] * cross[year]
            now[0, s] -= over
            now[1, s] += over
        for month in range(months):
            after = np.zeros((2, states))
            for g in range(2):
                for s in range(states):
                    stay = now[g, s] * (1.0 - leave[year, s])
                    if s + 1 < states:
                        after[g, states - 1] += stay * top[year]
                        stay *= 1.0 - top[year]
                    after[g, s] += stay * (1.0 - up[g, year, s] - down[g, year, s])
                    if s + 1 < states:
                        after[g, s + 1] += stay * up[g, year, s]
                    if s > 0:
                        after[g, s - 1] += stay * down[g, year, s]
            _share(after, 0, 2, now)
            if month == months // 2:
                for g in range(2):
                    _share(now, g, g + 1, out[:, year])
    return out


@compiled
def _share(mass: F64, first: int, last: int, out: F64) -> None:
    """Write rows `first` to `last` of `mass` (rows, states) to `out`, divided by their sum."""
    whole = 0.0
    for g in range(first, last):
        for s in range(mass.shape[1]):
            whole += mass[g, s]
    for g in range(first, last):
        for s in range(mass.shape[1]):
            out[g, s] = mass[g, s] / max(whole, 1e-300)
