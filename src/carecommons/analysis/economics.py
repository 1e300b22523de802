"""Is it worth what it costs? Incremental cost and effect over pairs of worlds: ratios, net benefit, and how sure.

Cost and effect are arrays over pairs, second arm less first. What a pair stands for (another world, or another draw of
uncertain parameters) is the caller's; a probability here is a share of those pairs.
Source: Drummond et al. 2015, Methods for the Economic Evaluation of Health Care Programmes; Briggs et al. 2012, Model
Parameter Estimation and Uncertainty: a report of the ISPOR-SMDM modelling good research practices task force 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from carecommons.analysis.problem import check_seed
from carecommons.errors import InputError, one_line
from carecommons.evidence.prices import prices
from carecommons.experiments.estimate import COVERAGE, NAN, covariance, estimate, mean, variance
from carecommons.kernels.arrays import F64
from carecommons.place.luck import Luck

THRESHOLDS: Final[tuple[int, ...]] = tuple(range(0, 100_001, 1_000))
"""Pounds for a unit of effect: nobody's single threshold, but a range to read from."""

MARKED: Final = ("qaly_nice_low_before", "qaly_nice_low", "qaly_nice_high_before", "qaly_nice_high", "qaly_green_book")
DRAWS: Final = 1_000

STUDENT: Final = "Student t 95%"
FIELLER: Final = "Fieller 95%"
WILSON: Final = "Wilson 95%"

DOMINANT, DOMINATED = "dominant: costs no more and does no less", "dominated: costs no less and does no more"
DEARER, CHEAPER = "costs more and does more", "costs less and does less"
SAME: Final = "no difference"


class Figure(NamedTuple):
    """An estimate as it may be shown: with its 95% interval, from how many pairs, and of what kind the interval is."""

    value: float
    low: float
    high: float
    n: int
    interval: str

    def row(self) -> dict[str, Any]:
        """The figure as plain values."""
        return self._asdict()


class Ratio(NamedTuple):
    """An incremental cost-effectiveness ratio, and where on the plane of costs and effects it lies, if that is clear.

    There is a ratio only where one arm costs more and does more; NaN where one dominates.
    """

    icer: Figure
    words: str


def average(values: Iterable[float]) -> Figure:
    """A mean over pairs with Student's t interval."""
    found = estimate(list(map(float, values)))
    return Figure(found.mean, found.low, found.high, found.n, STUDENT)


def share(hits: int, n: int) -> Figure:
    """A share of n pairs with Wilson's interval (Wilson 1927), which stays within 0 and 1."""
    if n == 0:
        return Figure(NAN, NAN, NAN, 0, WILSON)
    z = float(ndtri((1 + COVERAGE) / 2))
    p, wide = hits / n, 1 + z * z / n
    centre = (p + z * z / (2 * n)) / wide
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / wide
    return Figure(p, min(max(centre - half, 0.0), p), max(min(centre + half, 1.0), p), n, WILSON)


def ratio(above: Sequence[float], below: Sequence[float]) -> Figure:
    """The mean of `above` over that of `below`, paired, with Fieller's interval (Fieller 1954).

    The interval is NaN where the denominator cannot be told from 0, for then any ratio is possible.
    """
    a, b = mean(above), mean(below)
    n = len(above)
    value = a / b if b != 0 and not math.isnan(b) else NAN
    if n < 2 or math.isnan(value):
        return Figure(value, NAN, NAN, n, FIELLER)
    square = float(stdtrit(n - 1, (1 + COVERAGE) / 2)) ** 2 / n
    lead = b * b - square * variance(below)
    if lead <= 0:
        return Figure(value, NAN, NAN, n, f"{FIELLER}: unbounded, the divisor may be 0")
    middle = a * b - square * covariance(above, below)
    root = math.sqrt(max(middle * middle - lead * (a * a - square * variance(above)), 0.0))
    return Figure(value, (middle - root) / lead, (middle + root) / lead, n, FIELLER)


def quadrant(cost: float, effect: float) -> str:
    """Where a difference in cost and effect lies, in words."""
    if cost == 0 and effect == 0:
        return SAME
    if cost <= 0 and effect >= 0:
        return DOMINANT
    if cost >= 0 and effect <= 0:
        return DOMINATED
    return DEARER if cost > 0 else CHEAPER


def icer(cost: Any, effect: Any) -> Ratio:
    """Pounds for a unit of effect; where the second arm costs less and does less, pounds saved for a unit lost."""
    c, e = paired(cost, effect)
    words = quadrant(mean(c), mean(e))
    there_is = words in (DEARER, CHEAPER)
    return Ratio(ratio(c, e) if there_is else Figure(NAN, NAN, NAN, len(c), FIELLER), _doubt(c, e) + words)


def _doubt(cost: Sequence[float], effect: Sequence[float]) -> str:
    """What goes before the words where a sign cannot be told: an interval that goes from below 0 to above it."""
    if len(cost) < 2:
        return "not clear, one pair has no interval; on average: "
    figures = {"cost": average(cost), "effect": average(effect)}
    unclear = " and ".join(name for name, figure in figures.items() if figure.low < 0 < figure.high)
    return f"not clear, the 95% interval of {unclear} includes 0; on average: " if unclear else ""


def net_benefit(cost: Any, effect: Any, threshold: float) -> F64:
    """What the effect is worth at `threshold` pounds a unit, less its cost -> (n,), pounds."""
    c, e = paired(cost, effect)
    return np.asarray(threshold * np.asarray(e) - np.asarray(c), np.float64)


CURVE: Final = ("threshold", "probability", "low", "high", "n", "interval", "normal", "mean_positive", "mark")
"""The columns of an acceptability curve, also of one without thresholds."""


def ceac(cost: Any, effect: Any, thresholds: Sequence[float] = THRESHOLDS, marks: bool = True) -> pd.DataFrame:
    """The acceptability curve: at each threshold the share of pairs with a positive net benefit.

    `probability` with its interval is that share; `normal` is what normal increments of the same means and covariance
    give; `mean_positive` how sure one may be that the mean itself is positive (Student's t), which grows with n. With
    `marks` the thresholds that NICE and the Green Book set for a QALY are named and always among the rows.
    """
    c, e = paired(cost, effect)
    named = marks_of() if marks else {}
    rows = []
    for threshold in sorted({*map(float, thresholds), *map(float, named)}):
        net = net_benefit(c, e, threshold)
        found = share(int((net > 0).sum()), len(c))
        at, sd = mean(net.tolist()), math.sqrt(variance(net.tolist())) if len(c) > 1 else NAN
        rows.append({
            "threshold": threshold, "probability": found.value, "low": found.low, "high": found.high, "n": found.n,
            "interval": found.interval, "normal": probability_normal(at, sd), "mean_positive": _sure(at, sd, len(c)),
            "mark": named.get(threshold, ""),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=[*CURVE])


def marks_of() -> dict[float, str]:
    """The thresholds for a QALY that are in force or were until lately, in cash, with what they are."""
    return {prices()[key].amount.pounds: f"{prices()[key].about} ({prices()[key].vintage})" for key in MARKED}


def probability_normal(at: float, sd: float) -> float:
    """The probability that a normal net benefit of this mean and standard deviation is positive."""
    return float(ndtr(at / sd)) if sd > 0 else (NAN if math.isnan(sd) else float(at > 0))


def evpi_of(net: Any) -> float:
    """Mean of the best arm's net benefit in each pair, less the best arm's mean; `net` is (n, arms)."""
    values = np.asarray(net, np.float64)
    best = max(mean(values[:, k].tolist()) for k in range(values.shape[1]))
    return max(mean(values.max(axis=1).tolist()) - best, 0.0)


def evpi(cost: Any, effect: Any, threshold: float, *, seed: int = 0, draws: int = DRAWS) -> Figure:
    """Expected value of perfect information about which of two arms is better, in the unit of cost.

    What is learned is what differs between the pairs: parameters where each pair is a draw of them, else no more than
    the luck of each world. The interval is NaN where one arm is better in every pair, which drawing pairs again cannot
    put in doubt.
    """
    check_seed(seed, "economics")
    net = net_benefit(cost, effect, threshold)
    arms = np.stack([np.zeros_like(net), net], axis=1)
    if not (net > 0).any() or not (net < 0).any():
        return Figure(evpi_of(arms), NAN, NAN, len(net), "one arm is better in every pair")
    low, high = bootstrap(evpi_of, arms, seed=seed, draws=draws)
    return Figure(evpi_of(arms), low, high, len(net), f"bootstrap 95%, {draws} draws, seed {seed}")


def bootstrap(
    statistic: Callable[[F64], float], rows: Any, *, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float]:
    """The middle 95% of `statistic` over rows (n, ...) drawn with replacement; the same for the same seed everywhere.

    NaN where there are fewer than two rows.
    """
    values = np.asarray(rows, np.float64)
    n = len(values)
    if n < 2:
        return NAN, NAN
    who = np.arange(n)
    found = [
        statistic(values[(Luck(seed, draw).uniforms("economics.bootstrap", who)[:, 0] * n).astype(np.int64)])
        for draw in range(draws)
    ]
    ordered = sorted(each for each in found if not math.isnan(each))
    if not ordered:
        return NAN, NAN
    tail = int(len(ordered) * (1 - COVERAGE) / 2)
    return ordered[tail], ordered[-1 - tail]


def frontier(names: Sequence[str], cost: Any, effect: Any) -> pd.DataFrame:
    """Several arms (n, arms) from the cheapest to the dearest: who is worth choosing at some threshold, and its ICER.

    An arm is `dominated` where another costs no more and does no less; `dominated by a mix` where two others together
    do better at its cost; else on the frontier, with its ratio against the arm before it.
    """
    c, e = np.asarray(cost, np.float64), np.asarray(effect, np.float64)
    if c.ndim != 2 or c.shape != e.shape or c.shape[1] != len(names) or not len(c):
        raise InputError(f"economics: {len(names)} arms with costs {c.shape} and effects {e.shape}: must be (n, arms)")
    for k, name in enumerate(names):
        paired(c[:, k], e[:, k], f" of arm '{one_line(name)}'")
    costs, effects = ([mean(a[:, k].tolist()) for k in range(len(names))] for a in (c, e))
    order = sorted(range(len(names)), key=lambda k: (costs[k], -effects[k], k))
    status = {k: _dominated(k, names, costs, effects) for k in order}
    hull = [k for k in order if not status[k]]
    for k in hull[:]:
        if _beaten_by_a_mix(k, hull, costs, effects):
            status[k] = "dominated by a mix"
    hull = [k for k in hull if not status[k]]
    rows = []
    for k in order:
        before = hull[hull.index(k) - 1] if k in hull and hull.index(k) > 0 else None
        step = Figure(NAN, NAN, NAN, len(c), FIELLER)
        if before is not None:
            step = ratio((c[:, k] - c[:, before]).tolist(), (e[:, k] - e[:, before]).tolist())
        cost_k, effect_k = average(c[:, k]), average(e[:, k])
        rows.append({
            "arm": names[k], "cost": cost_k.value, "cost_low": cost_k.low, "cost_high": cost_k.high,
            "effect": effect_k.value, "effect_low": effect_k.low, "effect_high": effect_k.high,
            "status": status[k] or "on the frontier", "icer": step.value, "icer_low": step.low, "icer_high": step.high,
            "n": len(c), "interval": f"{STUDENT}; ICER {step.interval}",
        })  # fmt: skip
    return pd.DataFrame(rows)


def _dominated(k: int, names: Sequence[str], costs: Sequence[float], effects: Sequence[float]) -> str:
    same = ""
    for j in range(len(names)):
        if costs[j] > costs[k] or effects[j] < effects[k]:
            continue
        if costs[j] < costs[k] or effects[j] > effects[k]:
            return "dominated"
        if j < k and not same:
            same = f"the same as {names[j]}"
    return same


def _beaten_by_a_mix(k: int, arms: Sequence[int], costs: Sequence[float], effects: Sequence[float]) -> bool:
    """Whether an arm lies above the line between a cheaper and a dearer one, none of the three dominated."""
    for i in arms:
        for j in arms:
            if costs[i] < costs[k] < costs[j]:
                across = (costs[k] - costs[i]) * (effects[j] - effects[i])
                if across > (costs[j] - costs[i]) * (effects[k] - effects[i]):
                    return True
    return False


def switching_values(parts: Mapping[str, Any], effect: Any, threshold: float) -> pd.DataFrame:
    """By how much a part of the cost, or the effect, must be multiplied for the mean net benefit to be nought.

    `parts` are increments (n,) by name that sum to the incremental cost. Multipliers are NaN for what does not differ.
    """
    costs = {name: np.asarray(values, np.float64) for name, values in parts.items()}
    _, e = paired(sum(costs.values()), effect)
    worth, whole = threshold * np.asarray(e), np.asarray(sum(costs.values()))
    rows = [{"what": name, **ratio((worth - whole + part).tolist(), part.tolist()).row()}
            for name, part in costs.items()]  # fmt: skip
    rows.append({"what": "effect", **ratio(whole.tolist(), worth.tolist()).row()})
    return pd.DataFrame(rows).rename(columns={"value": "multiplier"})


def paired(cost: Any, effect: Any, whose: str = "") -> tuple[list[float], list[float]]:
    """Both increments as lists; `InputError` where they are not pairs of numbers."""
    c, e = np.asarray(cost, np.float64), np.asarray(effect, np.float64)
    if c.ndim != 1 or c.shape != e.shape or not len(c):
        raise InputError(f"economics: costs {c.shape} and effects {e.shape} must be equally long lists, not empty")
    for name, values in (("cost", c), ("effect", e)):
        if not np.isfinite(values).all():
            where = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InputError(
                f"economics: {name}{whose} of pair {where} = {one_line(values[where])} must be a finite number"
            )
    return c.tolist(), e.tolist()


def _sure(at: float, sd: float, n: int) -> float:
    if n < 2:
        return NAN
    if sd == 0:
        return float(at > 0)
    return float(stdtr(n - 1, at / (sd / math.sqrt(n))))
