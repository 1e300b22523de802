"""Sums and counts of a column among the rows with given flags, and by group; whole numbers are summed as such."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.kernels.compiled import compiled


@compiled
def sum_where(values: Any, flags: Any, among: Any, nought: Any) -> Any:
    """Sum of values (n,) over rows whose flags hold all bits of `among`, from `nought` (0 or 0.0) up -> sum, count."""
    total, count = nought, 0
    for i in range(values.shape[0]):
        inside = flags[i] & among == among
        count += inside
        total += values[i] * inside
    return total, count


@compiled
def count_where(flags: Any, holds: Any, among: Any) -> Any:
    """Rows whose flags hold all bits of `among` and `holds`, and rows that hold those of `among` -> both numbers."""
    both, count = 0, 0
    for i in range(flags.shape[0]):
        inside = flags[i] & among == among
        count += inside
        both += inside & (flags[i] & holds == holds)
    return both, count


@compiled
def count_equal(values: Any, wanted: Any, flags: Any, among: Any) -> Any:
    """Rows among those whose flags hold all bits of `among` with a value of `wanted` -> both numbers."""
    equal, count = 0, 0
    for i in range(values.shape[0]):
        inside = flags[i] & among == among
        count += inside
        equal += inside & (values[i] == wanted)
    return equal, count


@compiled
def sum_by(values: Any, flags: Any, among: Any, group: Any, groups: int) -> Any:
    """Sum of values (n,) over rows whose flags hold `among`, by group (n,) -> sums (groups,), counts (groups,)."""
    total = np.zeros(groups)
    count = np.zeros(groups, np.int64)
    for i in range(values.shape[0]):
        if flags[i] & among == among:
            total[group[i]] += values[i]
            count[group[i]] += 1
    return total, count
