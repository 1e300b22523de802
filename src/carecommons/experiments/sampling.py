"""Designs by sampling: points spread over the ranges of many parameters at once, the same for the same seed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib import import_module
from typing import Any, Final, get_args

import numpy as np
from scipy.special import ndtri

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments.levels import NUMBER, Levels, dotted, kind_of, levels_of
from carecommons.kernels.arrays import F64
from carecommons.params import FIXED, Parameter, Role
from carecommons.scenario import keys, register, unknown_key

METHODS: Final = ("lhs", "sobol", "halton", "morris", "saltelli")
LARGEST_SAMPLE: Final = 10_000
LARGEST_SEED: Final = 2**32 - 1
MORRIS_LEVELS: Final = 4
# What a sensitivity analysis needs of a design.
LEAST_BASE: Final = 16  # points of Saltelli's
LEAST_FOR_NOISE: Final = 5  # replicates: two groups of two, one left out
LEAST_TRAJECTORIES: Final = 4  # Morris 1991 and Saltelli et al. 2004 work with 4 to 10
LEAST_FOR_FLOOR: Final = 3  # replicates: two contrasts have a spread

_BETWEEN: Final = re.compile(rf"\s*({NUMBER})\s*:\s*({NUMBER})\s*")
_TURNS: Final = 5
_ENOUGH: Final = 0.05  # a largest correlation that needs no mending
_EXTRA: Final = "needs the extra 'analysis': pip install carecommons[analysis]"

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """What a sample spreads over for one key: the numbers from `low` to `high`, whole or not, or some `values`."""

    key: str
    low: float = 0.0
    high: float = 1.0
    whole: bool = False
    values: Levels = ()

    def at(self, shares: F64) -> list[Any]:
        """The level at each share (n,) of the way along, shares from 0 to 1; whole numbers and values equally often."""
        if not (self.values or self.whole):
            return [float(x) for x in np.clip(self.low + shares * (self.high - self.low), self.low, self.high)]
        count = len(self.values) or int(self.high) - int(self.low) + 1
        steps = np.minimum(np.floor(shares * count), count - 1).astype(np.int64)
        return [self.values[step] if self.values else int(self.low) + int(step) for step in steps]

    def record(self) -> dict[str, Any]:
        """The axis as plain values."""
        if self.values:
            return {"key": self.key, "values": [list(v) if isinstance(v, tuple) else v for v in self.values]}
        return {"key": self.key, "low": self.low, "high": self.high, "whole": self.whole}


@dataclass(frozen=True)
class Sample:
    """A method and a size: cells, or trajectories of Morris, or points of Saltelli's that make k + 2 cells each.

    `seed` is the sample's own and not that of the worlds, so that other worlds do not change what is compared.
    """

    method: str
    size: int
    seed: int = 1
    levels: int = MORRIS_LEVELS  # of Morris's grid
    second_order: bool = False  # Saltelli's design with second-order indices: 2k + 2 cells a point

    def check(self, where: str) -> None:
        """Refuse what no design can be made of."""
        if self.method not in METHODS:
            near = did_you_mean(self.method, METHODS)
            raise InputError(f"{where}: no method '{one_line(self.method)}', must be one of {', '.join(METHODS)}{near}")
        for name, value, low, high in (("size", self.size, 1, LARGEST_SAMPLE), ("seed", self.seed, 0, LARGEST_SEED),
                                       ("levels", self.levels, 2, 100)):  # fmt: skip
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise InputError(f"{where}: {name} = {one_line(value)} must be a whole number from {low} to {high}")
        if self.levels % 2:
            raise InputError(f"{where}: levels = {self.levels} must be even")
        if self.method in ("sobol", "saltelli") and self.size & (self.size - 1):
            low = max(1 << (self.size.bit_length() - 1), LEAST_BASE if self.method == "saltelli" else 1)
            near = f"{low} or {2 * low}" if 2 * low <= LARGEST_SAMPLE else str(low)
            raise InputError(f"{where}: size = {self.size} must be a power of two for {self.method}, such as {near}")

    def cells(self, axes: Sequence[Axis], where: str) -> tuple[Cell, ...]:
        """The levels that each cell has of each axis."""
        self.check(where)
        count = self.count(len(axes))
        if count > LARGEST_SAMPLE:
            raise InputError(f"{where}: {self.method}:{self.size} over {len(axes)} parameters makes {count:,} cells, "
                             f"must be at most {LARGEST_SAMPLE:,}")  # fmt: skip
        points = self._points(len(axes))
        columns = [axis.at(points[:, k]) for k, axis in enumerate(axes)]
        names = [axis.key for axis in axes]
        return tuple(dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))

    def count(self, inputs: int) -> int:
        """How many cells the sample makes over so many inputs."""
        if self.method == "morris":
            return self.size * (inputs + 1)
        return (
            self.size * ((2 * inputs if self.second_order else inputs) + 2) if self.method == "saltelli" else self.size
        )

    def record(self, axes: Sequence[Axis]) -> dict[str, Any]:
        """The sample as plain values."""
        found: dict[str, Any] = {"kind": self.method, "size": self.size, "seed": self.seed}
        if self.method == "morris":
            found["levels"] = self.levels
        if self.method == "saltelli":
            found["second_order"] = self.second_order
        return found | {"over": [axis.record() for axis in axes]}

    def _points(self, inputs: int) -> F64:
        """Shares of the way along each axis (cells, inputs), from 0 to 1."""
        if self.method == "lhs":
            return untangled(_qmc().LatinHypercube(inputs, seed=self.seed).random(self.size))
        if self.method == "halton":
            return _qmc().Halton(inputs, seed=self.seed).random(self.size)
        if self.method == "sobol":
            return _qmc().Sobol(inputs, seed=self.seed).random(self.size)
        return self._by_salib(inputs)

    def _by_salib(self, inputs: int) -> F64:
        try:
            from SALib.sample import morris, sobol
        except ImportError:
            raise InputError(f"--sample {self.method}: {_EXTRA}") from None
        names = [f"x{k}" for k in range(inputs)]
        problem = {"num_vars": inputs, "names": names, "bounds": [[0.0, 1.0]] * inputs}
        # SALib has taken a seed of 0 for none, and its generators take 32 bits: it never gets ours, but one made of it.
        seed = 1 + int.from_bytes(blake2b(f"{self.method} {self.seed}".encode(), digest_size=4).digest(), "big") // 2
        if self.method == "morris":
            return np.asarray(morris.sample(problem, self.size, num_levels=self.levels, seed=seed), np.float64)
        found = sobol.sample(problem, self.size, calc_second_order=self.second_order, seed=seed)
        return np.asarray(found, np.float64)


def parse_sample(text: str, where: str = "--sample") -> Sample:
    """A sample from a text such as `lhs:200`, or `lhs:200:7` with its seed."""
    found = re.fullmatch(r"\s*([A-Za-z_]+)\s*:\s*(\d{1,9})\s*(?::\s*(\d{1,12})\s*)?", text)
    if not found:
        raise InputError(f"{where} {one_line(text)!r}: must be method:size, such as lhs:200, or method:size:seed")
    sample = Sample(found[1].lower(), int(found[2]), int(found[3] or 1))
    sample.check(where)
    return sample


def axes_of(
    overs: Mapping[str, Any] | Iterable[str], where: str = "--over", taken: Iterable[str] = ()
) -> tuple[Axis, ...]:
    """What a sample goes over: keys with a range or values, keys alone, roles and sections.

    A key alone takes the range of its own register. A role ("uncertain", "lever") or section ("ties") stands for all
    its numbers that have a range, in the register's order: what is fixed, switches, choices and lists of numbers are
    left out, and so are the keys `taken` by something else and those that are named apart.
    """
    pairs = list(dotted(overs)) if isinstance(overs, Mapping) else [_parted(text, where) for text in overs]
    named = {key: _axis(key, given, where) for key, given in pairs if not _is_group(key, given)}
    if len(named) < sum(not _is_group(key, given) for key, given in pairs):
        raise InputError(f"{where}: a key is given twice")
    held = frozenset((*named, *taken))
    found: dict[str, Axis] = {}
    for key, given in pairs:
        if _is_group(key, given):
            members = [each for each in group(key) if each.key not in held]
            found |= {each.key: _own_range(each, where) for each in members}
        else:
            found[key] = named[key]
    if not found:
        raise InputError(f"{where}: nothing to sample; give a key, key=low:high, a role or a section")
    return tuple(found.values())


def group(name: str) -> list[Parameter]:
    """The numbers with a range that a role or section stands for, in the register's order."""
    return [
        each for each in _register().values()
        if each.low is not None and each.role != FIXED and isinstance(each.value, int | float)
        and name in (each.role, each.key.rpartition(".")[0])
    ]  # fmt: skip


def discrepancy(points: F64) -> float:
    """The centred L2 discrepancy of points (n, k) in the unit cube: 0 would be perfectly even."""
    return float(_qmc().discrepancy(points, method="CD"))


def untangled(points: F64) -> F64:
    """A Latin hypercube (n, k) whose columns are put into another order, so that they are less correlated.

    Each column keeps its values, so each stratum still has one. Source: Iman & Conover 1982, A distribution-free
    approach to inducing rank correlation among input variables, doi 10.1080/03610918208812265.
    """
    count, inputs = points.shape
    if inputs < 2 or count < inputs + 2:
        return points
    columns = np.sort(points, axis=0)
    best, least = points, _largest(points)
    ranks = np.argsort(np.argsort(points, axis=0), axis=0)
    for _ in range(_TURNS):
        if least <= _ENOUGH:
            break
        scores = ndtri((ranks + 1) / (count + 1))
        try:
            root = np.linalg.cholesky(np.corrcoef(scores, rowvar=False))
        except np.linalg.LinAlgError:  # columns that cannot be told apart
            break
        ranks = np.argsort(np.argsort(np.linalg.solve(root, scores.T).T, axis=0), axis=0)
        points = np.take_along_axis(columns, ranks, axis=0)
        if (largest := _largest(points)) < least:
            best, least = points, largest
    return best


def _largest(points: F64) -> float:
    return float(np.abs(np.corrcoef(points, rowvar=False) - np.eye(points.shape[1])).max())


@cache
def _register() -> dict[str, Parameter]:
    return {each.key: each for each in register()}


def _is_group(key: str, given: Any) -> bool:
    return given is True and key not in keys() and bool(group(key))


def _parted(text: str, where: str) -> tuple[str, Any]:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not key or bool(equals) != bool(value):
        raise InputError(f"{where} {one_line(text)!r}: must be key=low:high, key=value,value, key, a role or a section")
    return key, value or True


def _axis(key: str, given: Any, where: str) -> Axis:
    if key not in keys():
        raise _unknown(key, where)
    if given is True:
        return _whole_axis(key, where)
    between = _BETWEEN.fullmatch(given) if isinstance(given, str) else None
    if between:
        return _ranged(key, between[1], between[2], where)
    if isinstance(given, str) and ":" in given and kind_of(key) in (int, float):
        raise InputError(f"{where}: {key} = {one_line(given)!r} must be low:high")
    values = levels_of({key: given}, where)[key]
    if len(values) < 2:
        raise InputError(f"{where}: {key} has 1 value, must have at least 2; a number is sampled from low:high")
    return Axis(key, values=values)


def _unknown(key: str, where: str) -> InputError:
    names = [
        *(role.value for role in Role if role != FIXED),
        *dict.fromkeys(k.partition(".")[0] for k in keys() if "." in k),
    ]
    if key in names and not group(key):
        return InputError(f"{where}: '{key}' holds no number with a range of its own; name its keys with values")
    if key in names:
        return InputError(f"{where}: '{key}' stands for many parameters and takes no value; a file says {key} = true")
    near = did_you_mean(key, names) if "." not in key else ""
    return InputError(f"{where}: no key, role or section '{one_line(key)}'{near}") if near else unknown_key(key, where)


def _whole_axis(key: str, where: str) -> Axis:
    kind, own = kind_of(key), _register().get(key)
    if kind is bool:
        return Axis(key, values=(False, True))
    if own and own.low is not None and own.role != FIXED and kind in (int, float):
        return _own_range(own, where)
    if own and all(isinstance(choice, str) for choice in get_args(kind)) and get_args(kind):
        return Axis(key, values=get_args(kind))
    numbers = kind in (int, float)
    raise InputError(f"{where}: {key} has no range of its own to sample; give {key}={'low:high' if numbers else 'a,b'}")


def _own_range(own: Parameter, where: str) -> Axis:
    if own.low is None or own.high is None:
        raise InputError(f"{where}: {own.key} has no range of its own; give {own.key}=low:high")
    return Axis(own.key, float(own.low), float(own.high), kind_of(own.key) is int)


def _ranged(key: str, low: str, high: str, where: str) -> Axis:
    kind, own = kind_of(key), _register().get(key)
    if kind not in (int, float) or own is None or own.low is None or own.high is None:
        raise InputError(f"{where}: {key} is not a number, list its values: {key}=a,b")
    start, end = float(low), float(high)
    for bound in (start, end):
        if not own.low <= bound <= own.high:
            raise InputError(f"{where}: {key} = {low}:{high} is outside {own.low} to {own.high} {own.unit}")
        if kind is int and not (math.isfinite(bound) and bound.is_integer()):
            raise InputError(f"{where}: {key} = {low}:{high} must have whole numbers for bounds")
    if not start < end:
        raise InputError(f"{where}: {key} = {low}:{high} must go from a lower to a higher number")
    return Axis(key, start, end, kind is int)


def _qmc() -> Any:
    # Half a second to import, which only samples need.
    return import_module("scipy.stats.qmc")
