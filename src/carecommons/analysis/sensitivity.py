"""How much of an outcome's spread each factor explains: Sobol indices of the mean, and apart of the noise.

**Noise.** A run gives m(x) + e(x, world). An index computed from noisy means is biased: noise adds to the variance that
indices divide by, and to the squared differences that total indices add up (with as much noise as effect, a total
index of 0.44 reads 0.72). Here every product is one of two *different* replicates, averaged over all pairs of them.
Replicates are independent of one another, so their noise drops out of the expectation, whatever it depends on:

    first of j = mean B_k (AB_jl - A_l) / V        total of j = mean (A_k - AB_jk) (A_l - AB_jl) / 2V        k != l

with V the covariance of two replicates over the rows. The estimators are Saltelli et al. 2010
(doi:10.1016/j.cpc.2009.09.018) and Jansen 1999; with one replicate they are SALib's, digit for digit.

**The same worlds in every row** (replicate k of every row has the same seed, as in our sweeps). A world's luck that
moves all rows alike is a shift of replicate k: it is in no difference and in no covariance over rows, so it is gone
before anything is averaged, and taking a noise variance off as for independent runs would take off what was never
there. Luck that meets rows differently drops out of the expectation as above, but only as many draws of it are averaged
as there are worlds, not rows times worlds. Intervals therefore have two parts: resampling rows (each with all its
replicates) and, with the same worlds, leaving out one world at a time. Where runs are independent the first part has
all of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from carecommons.analysis.problem import (
    CONSTANT,
    DUST,
    Problem,
    Sampled,
    answers,
    contrasts,
    inputs,
    is_constant,
    picks,
    saltelli_rows,
)
from carecommons.errors import InputError
from carecommons.experiments import show
from carecommons.experiments.design import check_outcomes
from carecommons.experiments.estimate import COVERAGE, NAN
from carecommons.experiments.sampling import LEAST_BASE, LEAST_FOR_NOISE
from carecommons.kernels.arrays import F64, I64

if TYPE_CHECKING:
    from carecommons.experiments.sweep import Sweep

RESAMPLES: Final = 500
SAME_LOG: Final = 1e-9  # log variances nearer than this are the same
Z: Final = float(ndtri((1 + COVERAGE) / 2))
ONE_RUN: Final = "one replicate: noise and effect cannot be told apart"
FEW_RUNS: Final = f"the noise of a row needs at least {LEAST_FOR_NOISE} replicates"
NO_NOISE: Final = "no noise: every replicate says the same"
TWO_WORLDS: Final = "no intervals: the same two worlds in every row do not say how much a third would change"
DROWNED: Final = "cannot be told from noise: take more replicates or rows"


class Interval(NamedTuple):
    """A value with the ends of its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        ends = "" if math.isnan(self.low) else f" ({show.figure(self.low, 2)} to {show.figure(self.high, 2)})"
        return f"{show.figure(self.value, 2)}{ends}"


NOTHING: Final = Interval(NAN, NAN, NAN)


@dataclass(frozen=True)
class Indices:
    """First-order and total indices, one a factor; NaN, with the reason in `why`, where there are none to give."""

    first: tuple[Interval, ...]
    total: tuple[Interval, ...]
    spread: Interval
    """The variance over rows that the factors explain, in the outcome's unit squared."""
    why: str = ""

    @classmethod
    def none(cls, k: int, why: str) -> Indices:
        """Indices of k factors that there is nothing to say about."""
        return cls((NOTHING,) * k, (NOTHING,) * k, NOTHING, why)


@dataclass(frozen=True)
class Sobol:
    """What each factor does to the mean of an outcome and to its noise."""

    problem: Problem
    outcome: str
    base: int
    replicates: int
    paired: bool
    mean: Indices
    noise: Indices
    """Of the log variance across replicates."""
    noise_share: Interval
    """Variance of a run that is luck, of its whole variance."""
    common_noise: float
    """Share of the luck that moves all rows alike, about 1 where the same worlds only shift them, 0 where runs are
    independent."""

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a factor: S1 and ST of the mean and of the noise, each with low and high, and the noise share."""
        return pd.DataFrame(self.records()).set_index("factor")

    def records(self) -> list[dict[str, Any]]:
        """Every factor as plain values."""
        rows = []
        for j, name in enumerate(self.problem.names):
            row: dict[str, Any] = {"factor": name}
            for head, each in (("", self.mean), ("noise_", self.noise)):
                row |= _flat(f"{head}S1", each.first[j]) | _flat(f"{head}ST", each.total[j])
            rows.append(row | _flat("noise_share", self.noise_share) | {"why": self.why})
        return rows

    @property
    def why(self) -> str:
        """What could not be said, and why; empty where all was."""
        parts = [("mean", self.mean.why), ("noise", self.noise.why)]
        return "; ".join(f"{what}: {why}" for what, why in parts if why)

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        rows = [
            {"factor": name, "first": str(self.mean.first[j]), "total": str(self.mean.total[j]),
             "first,\nnoise": str(self.noise.first[j]), "total,\nnoise": str(self.noise.total[j])}
            for j, name in enumerate(self.problem.names)
        ]  # fmt: skip
        yield show.rows_table(f"Sobol indices of {self.outcome}", rows)
        yield from self._foot()

    def _foot(self) -> list[str]:
        worlds = "the same worlds in every row" if self.paired else "worlds of their own for every run"
        share = "" if math.isnan(self.noise_share.value) else (
            f"noise share {self.noise_share}, of which {show.percent(self.common_noise)} moves all rows alike; "
        )  # fmt: skip
        foot = f"{share}base {self.base}, {self.replicates} replicates, {worlds}; 95% intervals"
        return [foot, self.why] if self.why else [foot]

    def __repr__(self) -> str:
        told = ", ".join(
            f"{name} {total.value:.2f}" for name, total in zip(self.problem.names, self.mean.total, strict=True)
        )
        return f"Sobol of {self.outcome}: total {told}" + (f" ({self.why})" if self.why else "")

    def _repr_html_(self) -> str:
        return show.html(self)


def _flat(name: str, found: Interval) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def sobol(problem: Problem, x: Any, y: Any, *, outcome: str = "outcome", paired: bool = True, seed: int = 1,
          resamples: int = RESAMPLES) -> Sobol:  # fmt: skip
    """Sobol indices of an outcome's mean and of its noise.

    Parameters
    ----------
    x
        Levels (rows, k) of a Saltelli design in its order: A, A with column j of B for each j, B; again for the next.
    y
        What the runs gave (rows, replicates), or (rows,) of one replicate.
    paired
        Whether replicate k of every row lives in the same world. It changes the intervals alone.
    seed
        Of the resampling; 0 is a seed like any other.

    Raises
    ------
    InputError
        When the rows are of no Saltelli design or too few, or a value is no number.
    """
    where = "sobol"
    levels = inputs(problem, x, where)
    blocks = saltelli_rows(problem, levels, where, LEAST_BASE)
    runs = answers(y, len(levels), where, outcome)
    if resamples < 2:
        raise InputError(f"{where}: {resamples} resamples, must be at least 2")
    luck = Runs(runs[blocks], picks(seed, len(blocks), resamples, where), paired)
    mean = Indices.none(len(problem), CONSTANT) if is_constant(runs) else _indices(luck, _runs, ONE_RUN)
    return Sobol(problem, outcome, len(blocks), runs.shape[1], paired, mean, _of_noise(luck), _noise_share(luck),
                 _common(luck.cube))  # fmt: skip


def sobol_of(sweep: Sweep, outcome: str, *, at: Mapping[str, Any] | None = None, paired: bool = True, seed: int = 1,
             resamples: int = RESAMPLES) -> Sobol:  # fmt: skip
    """Sobol indices of an outcome over a sweep by `--sample saltelli`; `at` gives the levels of what else it varies."""
    check_outcomes([outcome], "sobol")
    sampled = Sampled.of(sweep.design, "sobol", ("saltelli",), at)
    y = sampled.values(sweep, outcome)
    return sobol(sampled.problem, sampled.x, y, outcome=outcome, paired=paired, seed=seed, resamples=resamples)


class Runs(NamedTuple):
    """Runs (base, k + 2, replicates), rows drawn again (times, base), and whether replicates share worlds over rows."""

    cube: F64
    drawn: I64
    paired: bool

    def intervals(self, parts_of: Callable[[F64], F64], told_by: Callable[[F64], F64]) -> list[Interval]:
        """What `told_by` makes of the means of `parts_of` (base, q), with intervals from rows and worlds."""
        parts = parts_of(self.cube)
        values = told_by(parts.mean(axis=0))
        again = np.array([told_by(parts[rows].sum(axis=0) / len(rows)) for rows in self.drawn])
        square = (Z * again.std(axis=0, ddof=1)) ** 2
        worlds = self.cube.shape[2]
        if self.paired and worlds > 1:
            square = square + (self._of_worlds(parts_of, told_by) * float(stdtrit(worlds - 1, (1 + COVERAGE) / 2))) ** 2
        half = np.sqrt(square)
        return [Interval(float(v), float(v - h), float(v + h)) for v, h in zip(values, half, strict=True)]

    def _of_worlds(self, parts_of: Callable[[F64], F64], told_by: Callable[[F64], F64]) -> F64:
        """The jackknife's standard error over worlds; NaN of two, since what is left has no pair."""
        worlds = self.cube.shape[2]
        if worlds == 2:
            return np.array(NAN)
        left = [parts_of(np.delete(self.cube, world, axis=2)).mean(axis=0) for world in range(worlds)]
        return np.array([told_by(each) for each in left]).std(axis=0) * math.sqrt(worlds - 1)


Measure = Callable[[F64], F64]  # runs (base, k + 2, replicates) -> values (base, k + 2, copies)


def _runs(cube: F64) -> F64:
    """The runs themselves."""
    return cube


def _log_variances(cube: F64) -> F64:
    """Log variance within each of some groups of replicates, so that the noise has replicates of its own.

    The log of a variance from few runs is noisy itself; between groups that share no world that error is independent
    and drops out as everywhere else here. NaN where the runs of a group agree.
    """
    replicates = cube.shape[2]
    groups = np.array_split(np.arange(replicates), min(max(replicates // 4, 2), 5))
    found = np.stack([cube[:, :, group].var(axis=2, ddof=1) for group in groups], axis=2)
    return np.log(found, out=np.full_like(found, NAN), where=found > (DUST * np.abs(cube).max()) ** 2)


def _of_noise(luck: Runs) -> Indices:
    """The indices of the log variance across replicates."""
    k, replicates = luck.cube.shape[1] - 2, luck.cube.shape[2]
    if replicates < LEAST_FOR_NOISE:
        return Indices.none(k, FEW_RUNS)
    logs = _log_variances(luck.cube)
    still = np.isnan(logs)
    if still.all():
        return Indices.none(k, NO_NOISE)
    if still.any():
        rows = still.any(axis=2)
        return Indices.none(k, f"some replicates agree in {rows.sum()} of {rows.size} rows: 0 has no logarithm")
    if np.ptp(logs, axis=(0, 1)).max() <= SAME_LOG:
        return Indices.none(k, CONSTANT)
    return _indices(luck, _log_variances)


def _indices(luck: Runs, measure: Measure, of_one: str = "") -> Indices:
    """First-order and total indices of a measure; `of_one` says what is wrong with those of a single copy."""
    k = luck.cube.shape[1] - 2
    found = luck.intervals(lambda cube: _products(_centred(measure(cube))), lambda means: _ratios(means, k))
    spread, single = found[-1], luck.cube.shape[2] == 1
    if not single and (not spread.value > 0 or _drowned(measure(luck.cube), spread)):
        return Indices((NOTHING,) * k, (NOTHING,) * k, spread, DROWNED)
    why = of_one if single else TWO_WORLDS if math.isnan(spread.low) else ""
    return Indices(tuple(found[:k]), tuple(found[k:-1]), spread, why)


def _drowned(values: F64, spread: Interval) -> bool:
    """Whether the means of copies vary over rows no more than contrasts of them, which hold the noise alone.

    One more contrast would vary less than the limit in 97.5% of cases (Student's t). Two copies have one contrast and
    no limit: then the interval of the explained variance must lie above 0.
    """
    copies = values.shape[2]
    if copies == 2:
        return spread.low <= 0
    ends = values[:, [0, -1]]
    noise = (ends @ contrasts(copies).T).var(axis=(0, 1))
    n = copies - 1
    limit = noise.mean() + float(stdtrit(n - 1, (1 + COVERAGE) / 2)) * noise.std(ddof=1) * math.sqrt(1 + 1 / n)
    return bool(ends.mean(axis=2).var() <= limit)


def _centred(values: F64) -> F64:
    """Each copy about its own mean: a world's shift of all rows goes at once."""
    return values - values.mean(axis=(0, 1))


def _products(values: F64) -> F64:
    """Of every block (base, k + 2, copies) what the indices are means of -> (base, 2k + 1 + copies)."""
    a, ab, b = values[:, :1], values[:, 1:-1], values[:, -1:]
    first = _cross(b, ab - a)
    total = _cross(a - ab, a - ab) / 2
    square = (_cross(a, a) + _cross(b, b)) / 2
    return np.concatenate([first, total, square, (a[:, 0] + b[:, 0]) / 2], axis=1)


def _ratios(means: F64, k: int) -> F64:
    """First-order indices, total indices and the variance they are shares of (2k + 1,)."""
    spread = _spread(means[2 * k], means[2 * k + 1 :])
    return np.append(means[: 2 * k] / spread if spread else np.full(2 * k, NAN), spread)


def _spread(square: Any, centres: F64) -> float:
    """The covariance of two copies over rows, from their mean product and their means."""
    return float(square - _cross(centres, centres))


def _cross(a: F64, b: F64) -> F64:
    """Products of different copies (..., copies), averaged over all pairs of them; of a single copy its own."""
    n = a.shape[-1]
    own = (a * b).sum(axis=-1)
    return own if n == 1 else (a.sum(axis=-1) * b.sum(axis=-1) - own) / (n * (n - 1))


def _noise_share(luck: Runs) -> Interval:
    """Variance across replicates, of the variance of a run; NaN of one replicate or where nothing varies."""
    if luck.cube.shape[2] == 1:
        return NOTHING

    def parts_of(cube: F64) -> F64:
        within = cube.var(axis=2, ddof=1).mean(axis=1)
        return np.concatenate([within[:, None], _products(_centred(cube))[:, 2 * (cube.shape[1] - 2) :]], axis=1)

    def told_by(means: F64) -> F64:
        whole = means[0] + max(_spread(means[1], means[2:]), 0.0)
        return np.array([means[0] / whole if whole > 0 else NAN])

    (found,) = luck.intervals(parts_of, told_by)
    return Interval(found.value, max(found.low, 0.0), min(found.high, 1.0))


def _common(cube: F64) -> float:
    """The mean covariance over replicates of two rows, of the mean variance over replicates; within 0 and 1."""
    rows = cube.shape[0] * cube.shape[1]
    if cube.shape[2] == 1:
        return NAN
    own = float(cube.var(axis=2, ddof=1).mean())
    shift = float(cube.mean(axis=(0, 1)).var(ddof=1))
    return min(max((rows * shift - own) / (rows - 1) / own, 0.0), 1.0) if own > 0 else NAN
