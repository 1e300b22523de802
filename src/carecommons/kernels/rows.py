"""Compressed rows with slack: build them, find, add and remove half-edges, and give them room again."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.kernels.arrays import F32, I8, I32, I64, U16
from carecommons.kernels.compiled import compiled


@compiled
def find(start: Any, degree: Any, neighbour: Any, i: Any, j: Any) -> Any:
    """Place of j in row i, or -1."""
    for e in range(start[i], start[i] + degree[i]):
        if neighbour[e] == j:
            return e
    return -1


@compiled
def append(start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any, minutes: Any, i: Any, j: Any,
           s: Any, k: Any, b: Any) -> None:  # fmt: skip
    """Add j at the end of row i, which must have room."""
    e = start[i] + degree[i]
    neighbour[e], strength[e], kind[e], bond[e], minutes[e] = j, s, k, b, 0
    degree[i] += 1


@compiled
def drop(
    start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any, minutes: Any, i: Any, j: Any
) -> Any:
    """Take j out of row i, keeping the order of the others -> whether it was there."""
    e = find(start, degree, neighbour, i, j)
    if e < 0:
        return False
    last = start[i] + degree[i] - 1
    for p in range(e, last):
        neighbour[p], strength[p], kind[p], bond[p], minutes[p] = (
            neighbour[p + 1], strength[p + 1], kind[p + 1], bond[p + 1], minutes[p + 1]
        )  # fmt: skip
    degree[i] -= 1
    return True


@compiled
def build(
    people: int, a: I32, b: I32, kind: I8, strength: F32, bond: U16, slack: int
) -> tuple[I64, I32, I32, F32, I8, U16]:
    """Rows for ties a-b (m,); the first of a repeated pair wins -> start, degree, neighbour, strength, kind, bond."""
    count = np.zeros(people + 1, np.int64)
    for t in range(a.shape[0]):
        if a[t] != b[t]:
            count[a[t] + 1] += 1
            count[b[t] + 1] += 1
    for i in range(people):
        count[i + 1] += count[i] + slack
    degree = np.zeros(people, np.int32)
    capacity = count[people]
    neighbour = np.full(capacity, -1, np.int32)
    strengths = np.zeros(capacity, np.float32)
    kinds = np.zeros(capacity, np.int8)
    bonds = np.zeros(capacity, np.uint16)
    for t in range(a.shape[0]):
        i, j = a[t], b[t]
        if i == j or find(count, degree, neighbour, i, j) >= 0:
            continue
        for _ in range(2):
            e = count[i] + degree[i]
            neighbour[e], strengths[e], kinds[e], bonds[e] = j, strength[t], kind[t], bond[t]
            degree[i] += 1
            i, j = j, i
    return count, degree, neighbour, strengths, kinds, bonds


@compiled
def spread(
    start: I64, degree: I32, neighbour: I32, strength: F32, kind: I8, bond: U16, minutes: U16, slack: int
) -> tuple[I64, I32, F32, I8, U16, U16]:
    """The same rows, each with `slack` free places."""
    people = degree.shape[0]
    fresh = np.zeros(people + 1, np.int64)
    for i in range(people):
        fresh[i + 1] = fresh[i] + degree[i] + slack
    size = fresh[people]
    n = np.full(size, -1, np.int32)
    s = np.zeros(size, np.float32)
    k = np.zeros(size, np.int8)
    b = np.zeros(size, np.uint16)
    m = np.zeros(size, np.uint16)
    for i in range(people):
        for p in range(degree[i]):
            e, f = start[i] + p, fresh[i] + p
            n[f], s[f], k[f], b[f], m[f] = neighbour[e], strength[e], kind[e], bond[e], minutes[e]
    return fresh, n, s, k, b, m


@compiled
def reorder(
    start: I64, degree: I32, neighbour: I32, strength: F32, kind: I8, bond: U16, minutes: U16, order: I64, new_row: I32
) -> tuple[I64, I32, I32, F32, I8, U16, U16]:
    """The same ties with people's rows in another order; each row keeps its own order."""
    people = degree.shape[0]
    fresh = np.zeros(people + 1, np.int64)
    d = np.zeros(people, np.int32)
    for i in range(people):
        old = order[i]
        fresh[i + 1] = fresh[i] + start[old + 1] - start[old]
        d[i] = degree[old]
    n = np.full(fresh[people], -1, np.int32)
    s = np.zeros(fresh[people], np.float32)
    k = np.zeros(fresh[people], np.int8)
    b = np.zeros(fresh[people], np.uint16)
    m = np.zeros(fresh[people], np.uint16)
    for i in range(people):
        for p in range(d[i]):
            e, f = start[order[i]] + p, fresh[i] + p
            n[f], s[f], k[f], b[f], m[f] = new_row[neighbour[e]], strength[e], kind[e], bond[e], minutes[e]
    return fresh, d, n, s, k, b, m
