"""Count who shares a name."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.kernels.arrays import Bool
from carecommons.kernels.compiled import compiled


@compiled
def count_homes(alive: Any, household: Any, home_size: Any) -> None:
    """Adults in each person's household, written to home_size (n,)."""
    n = alive.shape[0]
    size = np.zeros(3 * n, np.int16)
    for i in range(n):
        if alive[i] and household[i] >= 0:
            size[household[i]] += 1
    for i in range(n):
        home_size[i] = 0 if not alive[i] else (size[household[i]] if household[i] >= 0 else 1)


@compiled
def names_in_use(alive: Any, household: Any) -> Bool:
    """Which names of households, of three to a row, somebody lives under (3n,)."""
    taken = np.zeros(3 * alive.shape[0], np.bool_)
    for i in range(alive.shape[0]):
        if alive[i] and household[i] >= 0:
            taken[household[i]] = True
    return taken
