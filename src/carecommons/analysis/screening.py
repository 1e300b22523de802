"""Which factors matter at all: Morris screening, with a floor that luck alone would reach.

**The floor.** mu_star is a mean of absolute values, so noise alone makes it positive, and the more noise the more.
Contrasts of replicates (Helmert's: each replicate against those before it, scaled to the noise of a mean) hold the
same noise as the mean and none of the effect, since the effect is in every replicate alike. The mu_star of R - 1 such
contrasts is what luck does here, with all that replicates share when they live in the same worlds. The floor is the
upper end of the interval in which one more of them would lie: their mean for the factor, plus Student's t at 95% over
all factors together (Bonferroni) times their relative spread, which is taken over all factors. A factor is active when
the whole interval of its mu_star lies above its floor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from carecommons.analysis.adapters import as_salib, salib
from carecommons.analysis.problem import (
    CONSTANT,
    DUST,
    Problem,
    Sampled,
    answers,
    check_seed,
    contrasts,
    inputs,
    is_constant,
    trajectories,
)
from carecommons.analysis.sensitivity import NOTHING, Interval
from carecommons.errors import InputError
from carecommons.experiments import show
from carecommons.experiments.design import check_outcomes
from carecommons.experiments.estimate import COVERAGE, NAN
from carecommons.experiments.estimate import estimate as mean_of
from carecommons.experiments.sampling import LEAST_FOR_FLOOR, LEAST_TRAJECTORIES
from carecommons.kernels.arrays import F64, I64

if TYPE_CHECKING:
    from carecommons.experiments.sweep import Sweep

LEVELS: Final = 4  # of the grid that SALib is told of: its own number
RESAMPLES: Final = 500
NO_FLOOR: Final = f"which factors are active needs at least {LEAST_FOR_FLOOR} replicates: luck has no floor without"


@dataclass(frozen=True)
class Effect:
    """What moving one factor across its whole range does, in the outcome's unit."""

    factor: str
    mu: Interval
    mu_star: Interval
    sigma: Interval
    floor: float
    """What mu_star would reach by luck alone; NaN where it cannot be told."""
    active: bool | None
    """Whether the factor does more than luck; None where that cannot be told."""


@dataclass(frozen=True)
class Screening:
    """The factors of a Morris design by what they do to an outcome; effects are NaN, with `why`, if there are none."""

    problem: Problem
    outcome: str
    trajectories: int
    replicates: int
    effects: tuple[Effect, ...]
    why: str = ""

    @property
    def active(self) -> tuple[str, ...]:
        """The factors that do more than luck, in the design's order."""
        return tuple(each.factor for each in self.effects if each.active)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a factor, the strongest first: mu, mu_star and sigma with low and high, floor, active."""
        frame = pd.DataFrame(self.records()).set_index("factor")
        return frame.sort_values("mu_star", ascending=False, kind="stable")

    def records(self) -> list[dict[str, Any]]:
        """Every factor as plain values."""
        rows = []
        for each in self.effects:
            row: dict[str, Any] = {"factor": each.factor}
            for name, found in (("mu", each.mu), ("mu_star", each.mu_star), ("sigma", each.sigma)):
                row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
            rows.append(row | {"floor": each.floor, "active": each.active, "why": self.why})
        return rows

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        words = {True: "yes", False: "no", None: show.NONE}
        rows = [
            {"factor": name, "active": words[row["active"]], "mu*": row["mu_star"], "low": row["mu_star_low"],
             "high": row["mu_star_high"], "by luck": row["floor"], "mu": row["mu"], "sigma": row["sigma"]}
            for name, row in self.table.to_dict("index").items()
        ]  # fmt: skip
        yield show.rows_table(f"Morris screening of {self.outcome}", rows)
        yield (
            f"effect of a factor's whole range, {self.trajectories} trajectories of {self.replicates} replicates, 95% "
            "intervals; active: the interval of mu* lies above what luck reaches"
        )
        if self.why:
            yield self.why

    def __repr__(self) -> str:
        told = f" ({self.why})" if self.why else ""
        return f"Screening of {self.outcome}: active {', '.join(self.active) or 'none'} of {len(self.effects)}{told}"

    def _repr_html_(self) -> str:
        return show.html(self)


def morris(
    problem: Problem, x: Any, y: Any, *, outcome: str = "outcome", seed: int = 1, resamples: int = RESAMPLES
) -> Screening:
    """Elementary effects by SALib, on the replicates' means, and which of them are more than luck.

    Parameters
    ----------
    x
        Levels (rows, k): trajectories of k + 1 rows, in each of which every factor moves once.
    y
        What the runs gave (rows, replicates), or (rows,) of one replicate.
    seed
        Of the resampling; 0 is a seed like any other.

    Raises
    ------
    InputError
        When the rows are no trajectories or too few, a value is no number, or SALib is missing.

    Notes
    -----
    SALib divides by the step of a grid with so many levels, whatever the rows say. Where factors take whole numbers
    their steps differ, so each step's answer is first brought to that of a step across the whole range; effects are
    then the same for any number of levels. The interval of mu_star is SALib's bootstrap, that of mu Student's t, and
    that of sigma a jackknife over trajectories.
    """
    where = "morris"
    check_seed(seed, where)
    levels = inputs(problem, x, where)
    which, jumps = trajectories(problem, levels, where, LEAST_TRAJECTORIES)
    runs = answers(y, len(levels), where, outcome)
    if resamples < 2:
        raise InputError(f"{where}: {resamples} resamples, must be at least 2")
    count, replicates = len(which), runs.shape[1]
    if is_constant(runs):
        effects = tuple(Effect(name, NOTHING, NOTHING, NOTHING, NAN, None) for name in problem.names)
        return Screening(problem, outcome, count, replicates, effects, CONSTANT)
    each = _effects(runs, which, jumps)
    means = runs.mean(axis=1).reshape(count, -1)
    found = _by_salib(problem, levels, means, jumps, seed, resamples)
    floors = _floors(each, DUST * float(np.abs(runs).max()))
    effects = tuple(
        _effect(name, {what: float(found[what][j]) for what in _WHAT}, each[:, j].mean(axis=1), floors[j])
        for j, name in enumerate(problem.names)
    )
    return Screening(problem, outcome, count, replicates, effects, NO_FLOOR if math.isnan(floors[0]) else "")


def screen(
    sweep: Sweep, outcome: str, *, at: Mapping[str, Any] | None = None, seed: int = 1, resamples: int = RESAMPLES
) -> Screening:
    """Screening of an outcome over a sweep made by `--sample morris`; `at` gives the levels of what else it varies."""
    check_outcomes([outcome], "morris")
    sampled = Sampled.of(sweep.design, "morris", ("morris",), at)
    y = sampled.values(sweep, outcome)
    return morris(sampled.problem, sampled.x, y, outcome=outcome, seed=seed, resamples=resamples)


_WHAT: Final = ("mu", "mu_star", "sigma", "mu_star_conf")


def _by_salib(problem: Problem, x: F64, means: F64, jumps: F64, seed: int, resamples: int) -> Any:
    """SALib's answer, with every step's answer (trajectories, k + 1) brought to the length that SALib takes it for."""
    length = LEVELS / (2.0 * (LEVELS - 1))
    uneven = np.abs(jumps) / length
    if not np.allclose(uneven, 1, rtol=1e-9, atol=0):
        means = np.cumsum(np.c_[means[:, :1], np.diff(means, axis=1) / uneven], axis=1)
    return salib("SALib.analyze.morris").analyze(
        as_salib(problem), x, means.ravel(), num_resamples=resamples, conf_level=COVERAGE, num_levels=LEVELS,
        seed=[seed],
    )  # fmt: skip


def _effects(runs: F64, which: I64, jumps: F64) -> F64:
    """Elementary effects (trajectories, k, replicates), by factor."""
    count, k = which.shape
    steps = np.diff(runs.reshape(count, k + 1, -1), axis=1) / jumps[:, :, None]
    found = np.empty_like(steps)
    np.put_along_axis(found, which[:, :, None], steps, axis=1)
    return found


def _floors(effects: F64, dust: float) -> list[float]:
    """What mu_star of each factor (k,) would reach by luck alone; NaN with too few replicates."""
    k, replicates = effects.shape[1:]
    if replicates < LEAST_FOR_FLOOR:
        return [NAN] * k
    luck = np.abs(effects @ contrasts(replicates).T).mean(axis=0)
    n, middle = replicates - 1, luck.mean(axis=1)
    known = middle > dust
    if not known.any():
        return [dust] * k
    spread = math.sqrt(float(np.mean(luck[known].var(axis=1, ddof=1) / middle[known] ** 2)))
    freedom = int(known.sum()) * (n - 1)
    reach = float(stdtrit(freedom, 1 - (1 - COVERAGE) / (2 * k))) * spread * math.sqrt(1 + 1 / n)
    return [max(float(each) * (1 + reach), dust) for each in middle]


def _effect(name: str, found: dict[str, float], effects: F64, floor: float) -> Effect:
    mean = mean_of(effects.tolist())
    star, half = found["mu_star"], found["mu_star_conf"]
    mu_star = Interval(star, max(star - half, 0.0), star + half)
    spread = found["sigma"]
    wide = _of_sigma(effects)
    return Effect(
        name, Interval(found["mu"], mean.low, mean.high), mu_star,
        Interval(spread, max(spread - wide, 0.0), spread + wide), floor,
        None if math.isnan(floor) else mu_star.low > floor,
    )  # fmt: skip


def _of_sigma(effects: F64) -> float:
    """Half the interval of a standard deviation, by leaving out one trajectory at a time."""
    n = len(effects)
    without = np.array([np.delete(effects, k).std(ddof=1) for k in range(n)])
    return float(stdtrit(n - 1, (1 + COVERAGE) / 2) * without.std() * math.sqrt(n - 1))
