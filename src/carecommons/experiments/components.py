"""Where does the spread of results come from: not knowing the parameters, the policy chosen, or plain luck?"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from scipy.special import chdtri, gammaincinv, ncfdtr

from carecommons.errors import InputError, one_line
from carecommons.experiments.estimate import COVERAGE, NAN, mean
from carecommons.kernels.arrays import F64
from carecommons.place.luck import Luck

Worlds = Literal["own", "draw", "all"]
WORLDS: Final[dict[str, str]] = {
    "own": "every run has a world of its own",
    "draw": "the policies of one draw of parameters share its worlds, another draw has others",
    "all": "all runs share the same worlds",
}
SAMPLES: Final = 4_000  # draws behind an interval: its ends are at quantiles known to +-0.25% of probability
DECISION: Final = "components.interval"
_FAR: Final = 1e7  # times the noise: from there on the limit is right to four digits
_AXES: Final = {"parameter": (0,), "scenario": (1,), "world": (2,), "parameter x scenario": (0, 1),
                "parameter x world": (0, 2), "scenario x world": (1, 2), "rest": (0, 1, 2)}  # fmt: skip
# What is pooled where worlds are not shared: a replicate's number then means nothing across draws or scenarios.
_POOLS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "own": {"rest": ("world", "parameter x world", "scenario x world", "rest")},
    "draw": {"parameter x world": ("world", "parameter x world"), "rest": ("scenario x world", "rest")},
    "all": {},
}


class Square(NamedTuple):
    """A line of the analysis of variance: a sum of squares and its degrees of freedom."""

    sum: float
    df: int

    @property
    def mean(self) -> float:
        """The mean square."""
        return self.sum / self.df


class Part(NamedTuple):
    """A part of the variance as estimated (below 0 where noise exceeds it), as shown, and with its 95% interval."""

    estimate: float
    low: float
    high: float

    @property
    def shown(self) -> float:
        """The part, 0 where the estimate is below."""
        return max(self.estimate, 0.0)


@dataclass(frozen=True, eq=False)
class Components:
    """The variance of one outcome, split: what the parameters, the scenarios, their interplay and luck add.

    `parts` has `parameter`, `scenario`, `interaction` (of which there is none with a single scenario) and `stochastic`
    (one run about what its parameters and scenario would give on average); `squares` the analysis of variance behind
    them.
    """

    parts: dict[str, Part]
    squares: dict[str, Square]
    draws: int
    scenarios: int
    replicates: int
    worlds: Worlds

    @property
    def total(self) -> float:
        """The sum of the parts as shown."""
        return math.fsum(part.shown for part in self.parts.values())

    def share(self, name: str) -> float:
        """A part's share of the total; NaN where nothing varies."""
        return self.parts[name].shown / self.total if self.total else NAN

    def records(self) -> list[dict[str, Any]]:
        """A row a part: as estimated, as shown, interval and share; `negative` says that noise exceeds the part."""
        return [
            {"part": name, "estimate": part.estimate, "variance": part.shown, "low": part.low, "high": part.high,
             "share": self.share(name), "negative": part.estimate < 0}
            for name, part in self.parts.items()
        ]  # fmt: skip


def split(values: F64, worlds: Worlds = "draw", *, samples: int = SAMPLES) -> Components:
    """Split the variance of an outcome by analysis of variance.

    Parameters
    ----------
    values
        (draws of the parameters, scenarios, replicates), one value a run: at least 2 draws and 2 replicates.
    worlds
        Which runs share luck: see `WORLDS`.
    samples
        Keyed draws behind the intervals.

    Parameters and worlds are a sample of what might be; the scenarios are those of interest and no sample, so that
    their part is the variance of just these. Estimates equate mean squares with what is expected of them (Searle,
    Casella and McCulloch 1992, Variance Components); they are unbiased and may fall below 0. Intervals take effects as
    normal: generalised ones for the sampled parts (Weerahandi 1993, J. Amer. Statist. Assoc. 88), Fisher's non-central
    F for the scenarios. Two replicates a draw are enough: with one scenario this is the corrected variance of O'Hagan,
    Stevenson and Madan 2007 (Monte Carlo probabilistic sensitivity analysis for patient level simulation models, Health
    Economics 16).
    """
    table = _checked(values, worlds)
    d, s, r = table.shape
    squares = _squares(table, worlds)
    weights = _weights(s, r, squares)
    parts = {name: _part(squares, each, samples) for name, each in weights.items()}
    if s > 1:
        noise = _noise_of_scenarios(squares)
        dust = table.size * (16 * sys.float_info.epsilon * float(np.abs(table).max())) ** 2
        parts["scenario"] = _scenario_part(squares["scenario"], noise, d * r, dust)
    order = ("parameter", "scenario", "interaction", "stochastic")
    return Components({name: parts[name] for name in order if name in parts}, squares, d, s, r, worlds)


def _checked(values: F64, worlds: str) -> F64:
    table = np.asarray(values, np.float64)
    if worlds not in WORLDS:
        raise InputError(f"variance split: worlds = {one_line(worlds)} must be one of {', '.join(WORLDS)}")
    if table.ndim != 3 or table.shape[0] < 2 or table.shape[1] < 1 or table.shape[2] < 2:
        raise InputError(
            f"variance split: values of shape {table.shape} must be (draws, scenarios, replicates), with at least 2 "
            "draws and 2 replicates"
        )
    wrong = np.argwhere(~np.isfinite(table))
    if len(wrong):
        at = ", ".join(f"{name} {k}" for name, k in zip(("draw", "scenario", "replicate"), wrong[0], strict=True))
        raise InputError(f"variance split: {len(wrong)} of {table.size} runs have no value, the first is {at}")
    return table


def _squares(table: F64, worlds: str) -> dict[str, Square]:
    """The analysis of variance of a table with one value a cell, pooled as the worlds are shared."""
    effects: dict[tuple[int, ...], F64] = {(): np.full((1, 1, 1), mean(table.ravel().tolist()))}
    table = table - effects[()]
    effects[()] = np.zeros((1, 1, 1))
    found: dict[str, Square] = {}
    for name, axes in _AXES.items():
        away = tuple(axis for axis in range(3) if axis not in axes)
        effect = table.mean(axis=away, keepdims=True)
        for inner, known in effects.items():
            if set(inner) < set(axes):
                effect = effect - known
        effects[axes] = effect
        df = math.prod(table.shape[axis] - 1 for axis in axes)
        if df:
            weight = math.prod(table.shape[axis] for axis in away)
            found[name] = Square(weight * math.fsum((effect * effect).ravel().tolist()), df)
    for name, pooled in _POOLS[worlds].items():
        lines = [found.pop(each) for each in pooled if each in found]
        if lines:
            found[name] = Square(math.fsum(line.sum for line in lines), sum(line.df for line in lines))
    return found


def _weights(s: int, r: int, squares: dict[str, Square]) -> dict[str, dict[str, float]]:
    """Each sampled part as a sum of mean squares with weights, from what is expected of them.

    With variances p, w, i (parameter x scenario), v (parameter x world), c (scenario x world) and e: parameter
    e + s v + r i + s r p; parameter x world e + s v; parameter x scenario e + r i; world e + d c + s v + d s w;
    scenario x world e + d c; rest e. A line that the design lacks or pools takes the rest's place.
    """
    by_world = "parameter x world" if "parameter x world" in squares else "rest"
    by_scenario = "parameter x scenario" if "parameter x scenario" in squares else None
    parameter = {"parameter": 1.0}
    _add(parameter, by_world, -1.0)
    weights = {"parameter": parameter}
    if by_scenario:
        _add(parameter, by_scenario, -1.0)
        _add(parameter, "rest", 1.0)
        weights["interaction"] = {by_scenario: 1 / r, "rest": -1 / r}
    weights["parameter"] = {name: weight / (s * r) for name, weight in parameter.items() if weight}
    weights["stochastic"] = _luck(s, squares)
    return weights


def _luck(s: int, squares: dict[str, Square]) -> dict[str, float]:
    """The variance of one run about its parameters and scenario: every part in which worlds have a hand, summed."""
    if "world" not in squares:  # worlds nested in draws: v + e
        if "parameter x world" not in squares or "rest" not in squares:
            return {"rest" if "rest" in squares else "parameter x world": 1.0}
        return {"parameter x world": 1 / s, "rest": 1 - 1 / s}
    d = squares["parameter"].df + 1
    if s == 1:  # w + v, of which the latter holds all the rest
        return {"world": 1 / d, "parameter x world": 1 - 1 / d}
    w = {"world": 1.0, "parameter x world": -1.0, "scenario x world": -1.0, "rest": 1.0}
    v = {"parameter x world": 1.0, "rest": -1.0}
    c = {"scenario x world": 1.0, "rest": -1.0}
    total: dict[str, float] = {"rest": 1.0}
    for each, size in ((w, d * s), (v, s), (c, d)):
        for name, weight in each.items():
            _add(total, name, weight / size)
    return total


def _add(weights: dict[str, float], name: str, weight: float) -> None:
    weights[name] = weights.get(name, 0.0) + weight


def _part(squares: dict[str, Square], weights: dict[str, float], samples: int) -> Part:
    estimate = math.fsum(weight * squares[name].mean for name, weight in weights.items())
    drawn = np.zeros(samples)
    for name, weight in weights.items():
        square = squares[name]
        luck = Luck(0).uniforms(f"{DECISION}.{name}", np.arange(samples, dtype=np.int64))[:, 0]
        drawn += weight * square.sum / (2 * gammaincinv(square.df / 2, np.clip(luck, 1e-12, 1 - 1e-12)))
    low, high = np.quantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Part(estimate, max(float(low), 0.0), max(float(high), 0.0))


def _noise_of_scenarios(squares: dict[str, Square]) -> Square:
    """The line by which scenarios are judged: their interplay with parameters, and with worlds where those are shared.

    Of the two, Satterthwaite's 1946 approximation to the degrees of freedom (Biometrics Bulletin 2).
    """
    by_draw, rest = squares["parameter x scenario"], squares.get("rest")
    by_world = squares.get("scenario x world")
    if by_world is None or rest is None:
        return by_draw
    lines = ((by_draw, 1.0), (by_world, 1.0), (rest, -1.0))
    found = math.fsum(sign * line.mean for line, sign in lines)
    if found <= 0:
        return by_draw
    df = max(round(found**2 / math.fsum(line.mean**2 / line.df for line, _ in lines)), 1)
    return Square(found * df, df)


def _scenario_part(line: Square, noise: Square, runs: int, dust: float) -> Part:
    """The variance of just these scenarios' means, each of so many runs; noise up to `dust` is rounding, and none."""
    estimate = (line.mean - noise.mean) / runs
    if noise.sum <= dust:
        return Part(estimate, estimate, estimate)
    ratio = line.mean / noise.mean
    scale = noise.mean / (runs * line.df)
    tails = ((1 + COVERAGE) / 2, (1 - COVERAGE) / 2)
    low, high = (scale * _non_centrality(ratio, line.df, noise.df, tail) for tail in tails)
    return Part(estimate, low, high)


def _non_centrality(ratio: float, df: int, noise_df: int, tail: float) -> float:
    """Where the non-central F leaves probability `tail` below `ratio`: it falls as its centre moves away.

    Far out, where scipy's function fails, the numerator is its centre and the spread is the noise's alone.
    """
    if ratio > _FAR:
        return df * ratio * float(chdtri(noise_df, tail)) / noise_df

    def below(centre: float) -> float:
        return float(ncfdtr(df, noise_df, centre, ratio))

    if below(0.0) <= tail:
        return 0.0
    high = max(4 * df * ratio, 1.0)
    while below(high) > tail:
        high *= 2
    low = 0.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) > tail else (low, middle)
    return high
