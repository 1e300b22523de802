"""A look at a design before it runs: are its inputs told apart, its ranges reached, and its cells all different?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from carecommons.errors import InputError, one_line
from carecommons.experiments.design import Cell, Design
from carecommons.experiments.levels import kind_of
from carecommons.experiments.sampling import (
    LEAST_BASE,
    LEAST_FOR_FLOOR,
    LEAST_FOR_NOISE,
    LEAST_TRAJECTORIES,
    discrepancy,
)
from carecommons.kernels.arrays import F64, I64
from carecommons.scenario import register

LIMIT: Final = 0.3
"""The largest correlation of two inputs that passes: above it, what one does is taken for what the other does."""
REACH: Final = 0.9
"""The share of a sampled range that should be reached."""

_SHOWN: Final = 5
_SAME: Final = 1e-9  # by which a measure must be larger to be the one that is named
_MOST_WORK: Final = 4e8  # cells x cells x inputs up to which a discrepancy takes less than a second
# Designs whose analysis goes along one input at a time and is not misled by inputs that move together across it.
_ONE_AT_A_TIME: Final = ("morris", "saltelli")
# By method: what its size counts and the least that 'sensitivity' takes, the least replicates and what they are for.
_NEEDED: Final = {
    "morris": ("trajectories", LEAST_TRAJECTORIES, LEAST_FOR_FLOOR, "to tell effects from luck"),
    "saltelli": ("points", LEAST_BASE, LEAST_FOR_NOISE, "to say what moves the noise"),
}


@dataclass(frozen=True)
class Pair:
    """Two inputs and how they go together; `measure` says which of the measures is largest, `part` where."""

    keys: tuple[str, str]
    value: float
    measure: str
    part: str = ""


@dataclass(frozen=True)
class Coverage:
    """How much of low to high a number reaches, and its widest gap, both as shares of that range.

    The range is the sampled one, or the register's own where the key was not sampled.
    """

    low: float
    high: float
    share: float
    gap: float
    sampled: bool


@dataclass(frozen=True)
class Check:
    """What was found. `pairs` holds the input pairs above the limit, the strongest first, or else the strongest pair.

    `discrepancy` has, by sample, the centred discrepancy as a multiple of what points thrown at random would have;
    `short` says in words what is too few for the analysis that the design is made for.
    """

    cells: int
    inputs: int
    pairs: tuple[Pair, ...]
    coverage: Mapping[str, Coverage]
    constant: tuple[str, ...]
    duplicates: int
    discrepancy: Mapping[str, float | None]
    short: tuple[str, ...] = ()

    @property
    def correlation(self) -> float:
        """The largest correlation in size, 0 where there are fewer than two inputs."""
        return abs(self.pairs[0].value) if self.pairs else 0.0

    @property
    def faults(self) -> tuple[Pair, ...]:
        """The pairs above the limit."""
        return tuple(pair for pair in self.pairs if abs(pair.value) > LIMIT)

    @property
    def lines(self) -> tuple[str, ...]:
        """The findings in words, one a line, faults first."""
        found = [_words(pair) for pair in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            found.append(f"{len(self.faults) - _SHOWN} more pairs are correlated above {LIMIT}")
        found += self.short
        if self.pairs and not self.faults:
            one, other = self.pairs[0].keys
            found.append(f"inputs are told apart: at most {self.correlation:.2f} ('{one}' and '{other}')")
        found += [f"'{key}' has one level only" for key in self.constant]
        if self.duplicates:
            found.append(f"{self.duplicates:,} of {self.cells:,} cells repeat an earlier one, which is run once")
        for key, each in self.coverage.items():
            if each.sampled and each.share < REACH:
                found.append(
                    f"'{key}' reaches {each.share:.0%} of {each.low:g} to {each.high:g}; more cells reach more"
                )
        for name, ratio in self.discrepancy.items():
            if ratio is not None and ratio > 1:
                found.append(f"{name}: spread {ratio:.1f} times as unevenly as by chance; more cells are more even")
        return tuple(found)


def check_design(design: Design) -> Check:
    """Look at the inputs of a design; of a design in parts, at each part by itself.

    Numbers are compared by Pearson's and Spearman's correlation, a choice with a number by the correlation ratio and
    two choices by Cramer's V, both corrected for chance. Factors varied together count as one input, and so do those
    that a method for one input at a time moves. Every combination of levels gives exactly 0.
    """
    parts = design.method.get("parts") or [{"name": "", "blocks": design.method.get("blocks", [])}]
    pairs: list[Pair] = []
    coverage: dict[str, Coverage] = {}
    discrepancy: dict[str, float | None] = {}
    short: list[str] = []
    for part in parts:
        cells = [design.cells[k] for k in part["cells"]] if "cells" in part else design.cells
        apart = [_keys_of(block) for block in part["blocks"] if block["kind"] in ("zip", *_ONE_AT_A_TIME)]
        pairs += _pairs(cells, apart, part["name"])
        for block in part["blocks"]:
            short += [f"{one_line(part['name'])}: {line}" if part["name"] else line
                      for line in _too_few(block, design.replicates)]  # fmt: skip
            if "over" in block:
                coverage |= _reached(cells, {axis["key"]: axis for axis in block["over"]})
            if "over" in block and block["kind"] not in _ONE_AT_A_TIME:
                discrepancy[" ".join(filter(None, (part["name"], block["kind"])))] = _uneven(cells, block["over"])
    own = {each.key: {"low": each.low, "high": each.high} for each in register() if each.low is not None}
    others = {key: own[key] for key in design.factors if key in own and key not in coverage}
    coverage |= {key: each for key, each in _reached(design.cells, others, sampled=False).items()}
    pairs.sort(key=lambda pair: -abs(pair.value))
    return Check(
        len(design.cells), len(design.factors), tuple(p for p in pairs if abs(p.value) > LIMIT) or tuple(pairs[:1]),
        coverage, tuple(key for key, levels in design.factors.items() if len(levels) < 2),
        len(design.cells) - len(dict.fromkeys(tuple(cell.values()) for cell in design.cells)), discrepancy,
        tuple(short),
    )  # fmt: skip


def refuse(check: Check, forced: bool = False) -> None:
    """Refuse a design whose inputs cannot be told apart, unless it is `forced`."""
    if check.faults and not forced:
        more = f" (and {len(check.faults) - 1} more)" if len(check.faults) > 1 else ""
        raise InputError(f"the design: {_words(check.faults[0])}{more}; use more cells, or --force-design")


def _words(pair: Pair) -> str:
    where = f"{one_line(pair.part)}: " if pair.part else ""
    one, other = pair.keys
    return f"{where}'{one}' and '{other}' are correlated by {pair.value:.2f} ({pair.measure}), above {LIMIT}"


def _too_few(block: Mapping[str, Any], replicates: int) -> Iterator[str]:
    """What a block made for 'sensitivity' has too few of."""
    kind = block["kind"]
    if kind not in _NEEDED or "size" not in block:
        return
    what, least, worlds, why = _NEEDED[kind]
    if block["size"] < least:
        yield f"{kind}:{block['size']} has too few {what}, 'sensitivity' takes at least {least}: {kind}:{least}"
    if replicates < worlds:
        yield f"{kind}: 'sensitivity' takes at least {worlds} replicates {why}: -r {worlds}"


def _keys_of(block: Mapping[str, Any]) -> list[str]:
    return list(block["keys"]) if "keys" in block else [axis["key"] for axis in block["over"]]


def _pairs(cells: Sequence[Cell], apart: Sequence[Sequence[str]], part: str) -> list[Pair]:
    """The pairs above the limit, or else the strongest; pairs within one of the groups `apart` are not compared."""
    names, strengths, measures = _strengths(cells)
    compared = np.triu(np.ones(strengths.shape, bool), 1)
    for group in apart:
        inside = [names.index(key) for key in group if key in names]
        compared[np.ix_(inside, inside)] = False
    if not compared.any():
        return []
    sizes = np.where(compared, np.abs(strengths), -1.0)
    above = np.argwhere(sizes > LIMIT)
    if not len(above):
        above = np.argwhere(sizes == sizes.max())[:1]
    return [Pair((names[a], names[b]), float(strengths[a, b]), str(measures[a, b]), part) for a, b in above]


def _strengths(cells: Sequence[Cell]) -> tuple[list[str], F64, np.ndarray[Any, Any]]:
    """The k keys that vary, numbers first, how each pair goes together (k, k), and by which measure (k, k).

    Only what stands above the diagonal is filled in.
    """
    levels = {key: list(dict.fromkeys(cell[key] for cell in cells)) for key in cells[0]}
    varied = [key for key, each in levels.items() if len(each) > 1]
    numbers = [key for key in varied if kind_of(key) in (int, float)]
    choices = [key for key in varied if key not in numbers]
    count = len(numbers)
    columns = np.array([[cell[key] for key in numbers] for cell in cells], np.float64).reshape(len(cells), count)
    codes = [_codes(cells, key, levels[key]) for key in choices]
    found = np.zeros((len(varied), len(varied)))
    measures = np.full(found.shape, "Cramer's V", dtype="<U17")
    measures[:count, :] = "correlation ratio"
    by_value, by_rank = pearson(columns), spearman(columns)
    ranked = np.abs(by_rank) > np.abs(by_value) + _SAME
    found[:count, :count] = np.where(ranked, by_rank, by_value)
    measures[:count, :count] = np.where(ranked, "Spearman", "Pearson")
    for k, code in enumerate(codes):
        found[:count, count + k] = correlation_ratios(code, columns)
        found[count : count + k, count + k] = [cramers_v(other, code) for other in codes[:k]]
    return [*numbers, *choices], found, measures


def pearson(columns: F64) -> F64:
    """Pearson's correlations (k, k) of columns (n, k) that each vary; what is within rounding of 0 is 0."""
    if not columns.shape[1]:
        return np.zeros((0, 0))
    low, high = columns.min(axis=0), columns.max(axis=0)
    found = _cosines((columns - low) / (high - low))
    # A sum of n products, each at most 1/2 ulp off, and of columns that were centred with such errors.
    return np.where(np.abs(found) <= 8 * len(columns) * np.finfo(np.float64).eps, 0.0, found)


def spearman(columns: F64) -> F64:
    """Spearman's correlations (k, k) of columns (n, k) that each vary; ranks are whole numbers, so 0 is exact."""
    if not columns.shape[1]:
        return np.zeros((0, 0))
    return _cosines(2 * pd.DataFrame(columns).rank().to_numpy() - (len(columns) + 1), centred=True)


def _cosines(columns: F64, centred: bool = False) -> F64:
    away = columns if centred else columns - columns.mean(axis=0)
    lengths = np.sqrt((away * away).sum(axis=0))
    return np.clip((away.T @ away) / np.outer(lengths, lengths), -1.0, 1.0)


def correlation_ratios(codes: I64, columns: F64) -> F64:
    """How far a choice (n,) decides each of the columns (n, k), 0 to 1, corrected for chance.

    Source: epsilon squared, Kelley 1935, An unbiased correlation ratio measure; its root.
    """
    count, kinds = len(codes), int(codes.max()) + 1
    away = columns - columns.mean(axis=0)
    total = (away * away).sum(axis=0)
    sizes = np.bincount(codes, minlength=kinds)
    sums = np.stack([np.bincount(codes, column, kinds) for column in away.T], axis=1) if away.size else away[:kinds]
    share = (sums * sums / sizes[:, None]).sum(axis=0) / np.where(total > 0, total, 1.0)
    if count > kinds:
        share = 1 - (1 - np.minimum(share, 1.0)) * (count - 1) / (count - kinds)
    return np.sqrt(np.clip(share, 0.0, 1.0))


def cramers_v(one: I64, other: I64) -> float:
    """How far two choices (n,) decide each other, 0 to 1, corrected for chance.

    Source: Bergsma 2013, A bias-correction for Cramer's V and Tschuprow's T, doi 10.1016/j.jkss.2012.10.002.
    """
    count, rows, columns = len(one), int(one.max()) + 1, int(other.max()) + 1
    table = np.bincount(one * columns + other, minlength=rows * columns).reshape(rows, columns).astype(np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / count
    square = float(((table - expected) ** 2 / expected).sum()) / count
    less = [size - (size - 1) ** 2 / (count - 1) for size in (rows, columns)]
    if min(less) - 1 <= 1e-9:  # as many kinds as cells: chance cannot be told from order
        return min(1.0, (square / (min(rows, columns) - 1)) ** 0.5)
    square = max(0.0, square - (rows - 1) * (columns - 1) / (count - 1))
    return float(min(1.0, (square / (min(less) - 1)) ** 0.5))


def _codes(cells: Sequence[Cell], key: str, levels: Sequence[Any]) -> I64:
    places = {level: place for place, level in enumerate(levels)}
    return np.array([places[cell[key]] for cell in cells], np.int64)


def _reached(cells: Sequence[Cell], axes: Mapping[str, Mapping[str, Any]], sampled: bool = True) -> dict[str, Coverage]:
    """By key, what is reached of its range; the ends count as neighbours where all of the range was asked for."""
    found = {}
    for key, axis in axes.items():
        if "low" not in axis or kind_of(key) not in (int, float) or not axis["high"] > axis["low"]:
            continue
        low, high = float(axis["low"]), float(axis["high"])
        values = np.unique(np.array([cell[key] for cell in cells], np.float64))
        steps = np.diff(np.concatenate(([low], values, [high])) if sampled else values)
        share, gap = float(values[-1] - values[0]) / (high - low), float(steps.max(initial=0.0)) / (high - low)
        found[key] = Coverage(low, high, share, gap, sampled)
    return found


def _uneven(cells: Sequence[Cell], axes: Sequence[Mapping[str, Any]]) -> float | None:
    """The centred discrepancy of the sampled points over that expected of points at random.

    None where it takes too long. Whole numbers and choices are left out: their steps are none of the sample's doing.
    Of n points at random in k dimensions it is ((5/4)^k - (13/12)^k) / n: the mean over uniform points of each product
    in the definition. Source of that: Hickernell 1998, doi 10.1090/S0025-5718-98-00894-1.
    """
    smooth = [axis for axis in axes if not (axis.get("values") or axis["whole"])]
    rows = list(dict.fromkeys(tuple(cell[axis["key"]] for axis in smooth) for cell in cells))
    count, inputs = len(rows), len(smooth)
    if not inputs or count**2 * inputs > _MOST_WORK:
        return None
    low, high = (np.array([axis[end] for axis in smooth]) for end in ("low", "high"))
    shares = (np.array(rows) - low) / (high - low)
    expected = (1.25**inputs - (13 / 12) ** inputs) / count
    return discrepancy(np.clip(shares, 0.0, 1.0)) / expected
