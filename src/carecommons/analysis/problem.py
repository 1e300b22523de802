"""What was varied and what came of it, checked before any analysis sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from carecommons.errors import InputError, one_line
from carecommons.kernels.arrays import F64, I64
from carecommons.place.luck import Luck

LARGEST_SEED: Final = 2**63 - 1
CONSTANT: Final = "constant: nothing to explain"
DUST: Final = 1e-12  # of the largest value: a smaller difference is rounding
SHOWN: Final = 10  # row numbers that an error names


@dataclass(frozen=True)
class Problem:
    """The factors of a design and from where to where each goes."""

    names: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.names or len(self.names) != len(self.bounds):
            raise InputError(f"problem: {len(self.names)} names and {len(self.bounds)} bounds, must be one of each")
        if len(dict.fromkeys(self.names)) < len(self.names):
            raise InputError(f"problem: the same name twice in {one_line(list(self.names))}")
        for name, (low, high) in zip(self.names, self.bounds, strict=True):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise InputError(f"problem: {one_line(name)} goes from {low} to {high}, must go up between two numbers")

    @classmethod
    def of(cls, over: Mapping[str, Sequence[float]]) -> Problem:
        """From {name: (low, high)}."""
        return cls(tuple(over), tuple((float(low), float(high)) for low, high in over.values()))

    def __len__(self) -> int:
        return len(self.names)


def inputs(problem: Problem, x: Any, where: str) -> F64:
    """The levels as an array (rows, k) of numbers within the bounds."""
    array = np.asarray(x, np.float64)
    if array.ndim != 2 or array.shape[1] != len(problem):
        raise InputError(f"{where}: levels of shape {array.shape}, must be (rows, {len(problem)})")
    for name, (low, high), column in zip(problem.names, problem.bounds, array.T, strict=True):
        reach = DUST * max(abs(low), abs(high))
        outside = np.flatnonzero(~((column >= low - reach) & (column <= high + reach)))
        if len(outside):
            raise InputError(f"{where}: {name} is not within {low} to {high} in {_rows(outside, len(column))}")
    return array


def answers(y: Any, rows: int, where: str, outcome: str) -> F64:
    """What the runs gave as an array (rows, replicates), every one a number.

    Raises
    ------
    InputError
        When one value or more is missing: it names the rows. A sensitivity computed around a hole is wrong without
        a sign of it (SALib answers zeros or NaN, its thread 273).
    """
    array = np.asarray(y, np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or array.shape[0] != rows or not array.shape[1]:
        raise InputError(f"{where}: {outcome} has shape {array.shape}, must be ({rows}, replicates)")
    missing = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(missing):
        raise InputError(
            f"{where}: {outcome} is no number in {_rows(missing, rows)}; run them again (a failed run), or take an "
            "outcome that every run has (a mean over nobody)"
        )
    return array


def is_constant(y: F64) -> bool:
    """Whether every row (rows, replicates) says the same, replicate by replicate, rounding aside."""
    return bool((np.ptp(y, axis=0) <= DUST * np.abs(y).max()).all())


def saltelli_rows(problem: Problem, x: F64, where: str, least: int) -> I64:
    """Which rows are A, A with one column of B (one a factor), and B -> (base, k + 2).

    Rows stand as SALib.sample.sobol puts them, with or without those of second order (Saltelli 2002; Saltelli et al.
    2010, doi:10.1016/j.cpc.2009.09.018).
    """
    k, wrong = len(problem), "their number"
    for name, column in zip(problem.names, x.T, strict=True):
        if len(column) and not np.ptp(column):
            raise InputError(f"{where}: {name} is the same in all rows; make the design with --sample saltelli:size")
    for block in (k + 2, 2 * k + 2):
        if len(x) % block or not len(x):
            continue
        parts = x.reshape(-1, block, k)
        made = _crossed(parts[:, 0], parts[:, -1], second=block > k + 2)
        bad = np.flatnonzero((made != parts).any(axis=(1, 2)))
        if not len(bad):
            base = len(parts)
            if base < least:
                raise InputError(
                    f"{where}: a base of {base} rows, must have at least {least}; make the design with --sample "
                    f"saltelli:{least}"
                )
            start = np.arange(base)[:, None] * block
            return start + np.append(np.arange(k + 1), block - 1)
        wrong = f"rows {bad[0] * block} to {(bad[0] + 1) * block - 1}"
    raise InputError(
        f"{where}: {len(x)} rows are not base x ({k} + 2) or base x (2 x {k} + 2) of a Saltelli design ({wrong}); "
        "make the design with --sample saltelli:size and keep its rows in order"
    )


def _crossed(a: F64, b: F64, *, second: bool) -> F64:
    """The rows that a Saltelli design has for A and B (base, k) -> (base, block, k)."""
    k = a.shape[1]
    own = np.eye(k, dtype=bool)
    ab = np.where(own, b[:, None, :], a[:, None, :])
    ba = [np.where(own, a[:, None, :], b[:, None, :])] if second else []
    return np.concatenate([a[:, None, :], ab, *ba, b[:, None, :]], axis=1)


def trajectories(problem: Problem, x: F64, where: str, least: int) -> tuple[I64, F64]:
    """Which factor each step changes and by how much of its range -> (trajectories, k) whole numbers and signed shares.

    The share is what the rows say, not what a number of levels would make it: factors that take whole numbers jump
    a little more or less than the grid.
    """
    k = len(problem)
    if len(x) % (k + 1) or not len(x):
        raise InputError(
            f"{where}: {len(x)} rows are not trajectories of {k + 1} rows; make the design with --sample morris:size"
        )
    steps = np.diff(x.reshape(-1, k + 1, k), axis=1)
    moved = steps != 0
    once = (moved.sum(axis=2) == 1).all(axis=1) & (moved.sum(axis=1) == 1).all(axis=1)
    if not once.all():
        first = int(np.flatnonzero(~once)[0]) * (k + 1)
        raise InputError(
            f"{where}: rows {first} to {first + k} are no trajectory in which each factor moves once and alone; "
            "make the design with --sample morris:size and keep its rows in order"
        )
    if len(steps) < least:
        raise InputError(
            f"{where}: {len(steps)} trajectories, must have at least {least}; make the design with --sample "
            f"morris:{least}"
        )
    which = moved.argmax(axis=2)
    jump = np.take_along_axis(steps, which[:, :, None], axis=2)[:, :, 0]
    ranges = np.array([high - low for low, high in problem.bounds])
    return which, jump / ranges[which]


@dataclass(frozen=True)
class Sampled:
    """The part of a design that a sampling method made: its factors, their levels as numbers, and which cells they are.

    A factor of values that are no numbers stands as their places in the list, from 0.
    """

    problem: Problem
    x: F64
    cells: I64

    @classmethod
    def of(cls, design: Any, where: str, kinds: Sequence[str], at: Mapping[str, Any] | None = None) -> Sampled:
        """From a design with one block of such a kind; `at` holds what else was varied at one level each."""
        blocks = [block for block in design.method.get("blocks", ()) if block["kind"] in kinds]
        made = [block["kind"] for block in design.method.get("blocks", ())] or ["several designs joined"]
        if len(blocks) != 1:
            raise InputError(f"{where}: the design is {' x '.join(made)}, must be --sample {' or '.join(kinds)}")
        axes = blocks[0]["over"]
        own = [axis["key"] for axis in axes]
        held = dict(at or {})
        cells = [k for k, cell in enumerate(design.cells) if all(cell.get(key) == held[key] for key in held)]
        loose = [key for key in design.cells[0] if key not in own and key not in held]
        many = [key for key in loose if len(dict.fromkeys(design.cells[k][key] for k in cells)) > 1]
        if not cells or many:

            def levels(key: str) -> list[Any]:
                return list(dict.fromkeys(cell[key] for cell in design.cells))

            told = (
                f"{', '.join(many)} varied too; give at={{key: level}}, or --at {many[0]}={levels(many[0])[0]}; "
                f"there are {one_line(', '.join(map(str, levels(many[0]))), 160)}"
                if cells
                else f"at = {one_line(held)} is no cell"
            )
            raise InputError(f"{where}: {told}")
        columns = [[_number(axis, design.cells[k][axis["key"]]) for k in cells] for axis in axes]
        problem = Problem.of({axis["key"]: _ends(axis) for axis in axes})
        return cls(problem, np.array(columns, np.float64).T, np.array(cells))

    def values(self, sweep: Any, outcome: str) -> F64:
        """What the runs of these cells count with (cells, replicates)."""
        found = np.array(sweep.values[outcome], np.float64)[self.cells]
        if sweep.lacking and not np.isfinite(found).all():
            raise InputError(f"sensitivity: {outcome} has no value in some runs: {' and '.join(sweep.lacking)}")
        return found


def _number(axis: Mapping[str, Any], level: Any) -> float:
    if "values" not in axis:
        return float(level)
    return float([tuple(v) if isinstance(v, list) else v for v in axis["values"]].index(level))


def _ends(axis: Mapping[str, Any]) -> tuple[float, float]:
    return (0.0, len(axis["values"]) - 1.0) if "values" in axis else (float(axis["low"]), float(axis["high"]))


def contrasts(n: int) -> F64:
    """Helmert's contrasts of n replicates (n - 1, n): orthogonal, each summing to 0, as noisy as a mean of n."""
    rows = [np.r_[np.ones(k), -float(k), np.zeros(n - k - 1)] / math.sqrt(k * (k + 1) * n) for k in range(1, n)]
    return np.array(rows)


def picks(seed: int, n: int, times: int, name: str) -> I64:
    """Row numbers drawn with replacement, `times` samples of n -> (times, n); a pure function of the seed."""
    check_seed(seed, name)
    who = np.arange((n + 3) // 4)
    drawn = [Luck(seed, turn).uniforms(name, who).ravel()[:n] for turn in range(times)]
    return (np.array(drawn) * n).astype(np.int64)


def shuffled(seed: int, n: int, name: str) -> I64:
    """The numbers 0 to n - 1 in an order that the seed decides."""
    check_seed(seed, name)
    return np.argsort(Luck(seed).uniforms(name, np.arange(n))[:, 0], kind="stable")


def check_seed(seed: int, where: str) -> None:
    """Refuse a seed that is none; 0 is a seed like any other."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"{where}: seed = {one_line(seed)} must be a whole number from 0 to 2**63 - 1")


def _rows(rows: I64, of: int) -> str:
    """Row numbers for people, the first ones only."""
    shown = ", ".join(str(row) for row in rows[:SHOWN])
    return f"{len(rows)} of {of} rows ({shown}{', ...' if len(rows) > SHOWN else ''})"
