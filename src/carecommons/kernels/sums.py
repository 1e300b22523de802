"""Sums and counts of a column among the rows with given flags, and by group."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def sum_where(values: Any, flags: Any, among: Any) -> Any:
    """Sum of values (n,) over rows whose flags hold all bits of `among` -> sum, count."""
    total = 0.0
    count = 0
    for i in range(values.shape[0]):
        if flags[i] & among == among:
            total += values[i]
            count += 1
    return total, count


@njit(nogil=True, cache=True)
def sum_by(values: Any, flags: Any, among: Any, group: Any, groups: int) -> Any:
    """The same by group (n,) of `groups` -> sums (groups,), counts (groups,)."""
    total = np.zeros(groups)
    count = np.zeros(groups, np.int64)
    for i in range(values.shape[0]):
        if flags[i] & among == among:
            total[group[i]] += values[i]
            count[group[i]] += 1
    return total, count
