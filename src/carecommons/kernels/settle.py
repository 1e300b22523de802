"""Settle proposals made on a frozen state in keyed priority, so that the order of storage decides nothing."""

from __future__ import annotations

from typing import Any

from carecommons.kernels.arrays import F32, I8, I32, I64, U16
from carecommons.kernels.compiled import compiled
from carecommons.kernels.rows import append, find


@compiled
def join(
    order: I64, a: I32, b: I32, kinds: I8, bonds: U16, first_strength: Any,
    start: I64, degree: I32, neighbour: I32, strength: F32, kind: I8, bond: U16, minutes: U16,
) -> int:  # fmt: skip
    """Tie a-b (m,) in `order` where both rows have room and the two are not tied yet -> ties made."""
    made = 0
    for t in order:
        i, j = a[t], b[t]
        if i == j or find(start, degree, neighbour, i, j) >= 0:
            continue
        if start[i] + degree[i] == start[i + 1] or start[j] + degree[j] == start[j + 1]:
            continue
        append(start, degree, neighbour, strength, kind, bond, minutes, i, j, first_strength, kinds[t], bonds[t])
        append(start, degree, neighbour, strength, kind, bond, minutes, j, i, first_strength, kinds[t], bonds[t])
        made += 1
    return made


@compiled
def admit(order: I64, wanted: I32, room: I64, admitted: Any) -> None:
    """Give the room (k,) of each wanted (m,) place to applicants in `order`; writes admitted (m,)."""
    for t in order:
        admitted[t] = room[wanted[t]] > 0
        if admitted[t]:
            room[wanted[t]] -= 1
