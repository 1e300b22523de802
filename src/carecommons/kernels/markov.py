"""Step-by-step chains on ordered states, coupled so that a larger draw never leads to a lower state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from carecommons.kernels.arrays import F64


@njit(nogil=True, cache=True)
def neighbour_step(state: Any, down: Any, up: Any, u: Any) -> Any:
    """Next of ordered states: one down when u < down, one up when u >= 1 - up, else the same."""
    if u < down:
        return state - 1
    if u >= 1.0 - up:
        return state + 1
    return state


@njit(nogil=True, cache=True)
def cohort(up: F64, down: F64, leave: F64, first: F64, months: int) -> F64:
    """Follow a cohort through an age-dependent chain -> (years, states), the shares of those still there, by year.

    `up`, `down` and `leave` (years, states) are monthly probabilities by year of age; `first` (states,) is the start.
    Of a year's twelve months the sixth is kept, the middle of the year.
    """
    years, states = up.shape
    out = np.zeros((years, states))
    now = first.copy()
    for year in range(years):
        for month in range(months):
            after = np.zeros(states)
            for s in range(states):
                stay = now[s] * (1.0 - leave[year, s])
                after[s] += stay * (1.0 - up[year, s] - down[year, s])
                if s + 1 < states:
                    after[s + 1] += stay * up[year, s]
                if s > 0:
                    after[s - 1] += stay * down[year, s]
            now = after / after.sum()
            if month == months // 2:
                out[year] = now
    return out
