"""Sums and counts of a column among the rows with given flags, and by group; whole numbers are summed as such."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.kernels.arrays import F64
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


@compiled
def answer(columns: Any, which: Any, wanted: Any, flags: Any, holds: Any, among: Any, mean: Any, scale: Any) -> F64:
    """Answer questions (m,) about the rows (n,) whose flags hold all bits of among[q] -> (m,).

    Of these rows, those whose flags hold all bits of holds[q] are counted where which[q] is -1. Elsewhere the column
    columns[which[q]] is summed, or the rows in which it equals wanted[q] are counted where that is 0 or more. The
    answer is that number, or its mean over the rows that it is about (NaN over none), times scale[q].
    """
    out = np.empty(which.shape[0])
    for q in range(which.shape[0]):
        if which[q] < 0:
            total, count = count_where(flags, holds[q], among[q])
        elif wanted[q] < 0:
            total, count = sum_where(columns[which[q]], flags, among[q], np.int64(0))
        else:
            total, count = count_equal(columns[which[q]], wanted[q], flags, among[q])
        if not mean[q]:
            out[q] = total * scale[q]
        else:
            out[q] = total / count * scale[q] if count > 0 else np.nan
    return out
