"""Who gains and who loses by deprivation quintile: the distributional table, and how steep outcomes lean.

Quintiles go from 1, the most deprived, to 5. What ranks by quintile is negative where something is concentrated among
the most deprived. No weights for aversion to inequality are applied.
Source: NICE 2025, Support document: Health inequalities, table 1 (groups by deprivation; equal uptake unless there are
data; opportunity cost equally distributed, with scenarios; no aversion weights; net, benefit and opportunity cost by
quintile); O'Donnell et al. 2008, Analyzing Health Equity Using Household Survey Data, ch. 8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from carecommons.analysis.economics import Figure, average, ratio
from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments.estimate import NAN
from carecommons.kernels.arrays import F64
from carecommons.outcomes import fairness
from carecommons.outcomes.quintiles import QUINTILES

GRADIENTS: Final[dict[str, tuple[float, ...]]] = {
    "equal": (0.20, 0.20, 0.20, 0.20, 0.20),
    "deprived bear more": (0.26, 0.23, 0.20, 0.17, 0.14),
    "deprived bear less": (0.14, 0.17, 0.20, 0.23, 0.26),
}
"""Who bears the opportunity cost, by quintile.

`equal` is NICE's default. 26% for the most and 14% for the least deprived fifth is what Love-Koh et al. 2020 estimate
for health spending in England; a straight line between them and its mirror image are assumptions (grade D).
"""

UPTAKE: Final = ("equal", "simulated")
"""`equal` gives each quintile the total benefit by its share of those in need; `simulated` what it got in the model."""


def concentration_index(values: Any, people: Any | None = None, *, absolute: bool = False) -> float:
    """How far values of groups (k,), the worst off first, lean towards the better off: -1 to 1, 0 where all are equal.

    `people` (k,) weighs the groups; without it each value is one person's. The absolute index is the relative one times
    the mean: it does not change when everybody gets the same amount more. The relative
    one is NaN where the mean is 0.
    """
    value = np.asarray(values, np.float64)
    weight, rank = _ranked(value, people)
    if people is None and not absolute:
        return fairness.concentration_index(value, np.arange(len(value)))
    centre = _dot(weight, value)
    twice = 2.0 * _dot(weight, (value - centre) * rank)  # covariance with rank: the mean rank falls out
    if absolute:
        return twice
    return twice / centre if centre != 0 else NAN


def slope_index(values: Any, people: Any | None = None) -> float:
    """Value of the best off less that of the worst off on the straight line through the groups by rank; unit of values.

    The weighted least-squares slope on fractional rank (Mackenbach and Kunst 1997). NaN with fewer than two groups.
    """
    value = np.asarray(values, np.float64)
    weight, rank = _ranked(value, people)
    centre = _dot(weight, rank)
    spread = _dot(weight, (rank - centre) ** 2)
    return _dot(weight, (value - _dot(weight, value)) * (rank - centre)) / spread if spread > 0 else NAN


def shares(values: Any) -> F64:
    """Each group's part of the whole (k,); NaN where the whole is 0."""
    value = np.asarray(values, np.float64)
    whole = math.fsum(value.tolist())
    return value / whole if whole else np.full(len(value), NAN)


def distribution(
    benefit: Any,
    cost: Any,
    threshold: float,
    in_need: Any,
    *,
    uptake: str = "equal",
    received: Any | None = None,
    gradients: Mapping[str, tuple[float, ...]] = GRADIENTS,
) -> pd.DataFrame:
    """The distributional table: who gains, what the money would have done elsewhere and for whom, and the balance.

    Parameters
    ----------
    benefit
        Effect by pair and quintile (n, 5), second arm less first.
    cost
        Incremental cost by pair (n,), pounds, of whoever's budget bears it.
    threshold
        Pounds that bring a unit of effect elsewhere.
    in_need
        People in need by pair and quintile (n, 5), or (5,): whom an equal uptake reaches.
    uptake
        `equal` (NICE's default) or `simulated` (the model's own, where its uptake is held to be evidence).
    received
        Where the spending went, by pair and quintile (n, 5), pounds: shown as the part `cost`; left out if not given.
    gradients
        Scenarios of who bears the opportunity cost: five shares that sum to 1.

    Returns
    -------
    DataFrame
        Rows by gradient, part (benefit, cost, opportunity cost, net) and quintile, then all: value, low, high, n,
        interval. Costs are in pounds, the rest in units of effect.
        Benefits and net of the quintiles sum to those of the whole.
    """
    gains, spent = np.asarray(benefit, np.float64), np.asarray(cost, np.float64)
    if gains.ndim != 2 or gains.shape[1] != len(QUINTILES) or spent.shape != gains.shape[:1]:
        raise InputError(f"equity: benefits {gains.shape} must be (n, 5) and costs {spent.shape} (n,)")
    if not (threshold > 0 and math.isfinite(threshold)):
        raise InputError(f"equity: threshold = {one_line(threshold)} must be above 0 pounds for a unit of effect")
    if uptake not in UPTAKE:
        raise InputError(f"equity: unknown uptake '{one_line(uptake)}'{did_you_mean(uptake, UPTAKE)}")
    if uptake == "equal":
        gains = _equally(gains, np.broadcast_to(np.asarray(in_need, np.float64), gains.shape))
    rows: list[dict[str, Any]] = []
    for name, who_bears in gradients.items():
        if len(who_bears) != len(QUINTILES) or min(who_bears) < 0 or abs(math.fsum(who_bears) - 1) > 1e-9:
            raise InputError(f"equity: shares of '{one_line(name)}' = {one_line(who_bears)} must be five that sum to 1")
        forgone = np.outer(spent / threshold, who_bears)
        parts_of = {"benefit": gains} | ({} if received is None else {"cost": np.asarray(received, np.float64)})
        parts_of |= {"opportunity cost": forgone, "net": gains - forgone}
        for part, values in parts_of.items():
            rows += [
                {"gradient": name, "uptake": uptake, "part": part, "quintile": who, **figure.row()}
                for who, figure in _by_quintile(values).items()
            ]
    return pd.DataFrame(rows)


def gradient(values: Any, people: Any) -> pd.DataFrame:
    """How a benefit or outcome by pair and quintile (n, 5) leans, a person: three measures with intervals over pairs.

    `people` (n, 5) are those among whom it is shared. Negative: more for the more deprived, and that in all three: the
    relative index is by the size of the mean, so that of a loss it keeps the absolute one's sign. NaN where a single
    quintile has people.
    """
    value, weight = np.asarray(values, np.float64), np.asarray(people, np.float64)
    each = np.divide(value, weight, out=np.zeros_like(value), where=weight > 0)
    slopes = [slope_index(v, w) for v, w in zip(each, weight, strict=True)]
    told = [k for k, w in enumerate(weight) if (w > 0).sum() > 1]
    leans = [concentration_index(each[k], weight[k], absolute=True) for k in told]
    means = [math.fsum(value[k].tolist()) / math.fsum(weight[k].tolist()) for k in told]
    sign = -1.0 if math.fsum(means) < 0 else 1.0
    found = {
        "slope index": average(slopes),
        "concentration index, absolute": average(leans),
        # Of means: a pair's own mean may be near 0.
        "concentration index, relative": ratio(leans, [sign * each for each in means]),
    }
    return pd.DataFrame([{"measure": name, **figure.row()} for name, figure in found.items()])


def _by_quintile(values: F64) -> dict[Any, Figure]:
    """Each quintile's mean over pairs, and that of their sum."""
    found: dict[Any, Figure] = {who: average(values[:, k]) for k, who in enumerate(QUINTILES)}
    found["all"] = average([math.fsum(row) for row in values.tolist()])
    return found


def _equally(gains: F64, in_need: F64) -> F64:
    """Each pair's whole benefit by the quintiles' shares of those in need; by fifths where nobody is."""
    whole = in_need.sum(axis=1, keepdims=True)
    fifth = np.full_like(in_need, 1 / len(QUINTILES))
    part = np.divide(in_need, whole, out=fifth, where=whole > 0)
    return np.asarray(part * np.array([[math.fsum(row)] for row in gains.tolist()]))


def _ranked(values: F64, people: Any | None) -> tuple[F64, F64]:
    """Shares of people by group, and the middle of each group's fractional ranks."""
    weight = _weights(values, people)
    return weight, np.cumsum(weight) - weight / 2


def _weights(values: F64, people: Any | None) -> F64:
    """Shares of people by group, which sum to 1."""
    weight = np.ones(len(values)) if people is None else np.asarray(people, np.float64)
    if values.ndim != 1 or weight.shape != values.shape or not len(values):
        raise InputError(
            f"equity: values {values.shape} and people {weight.shape} must be equally long lists, not empty"
        )
    if (
        not np.isfinite(values).all()
        or not (weight >= 0).all()
        or not np.isfinite(weight).all()
        or not weight.sum() > 0
    ):
        raise InputError("equity: values must be finite numbers, and people numbers from 0 up, not all 0")
    return np.asarray(weight / math.fsum(weight.tolist()))


def _dot(weight: F64, values: F64) -> float:
    """The weighted mean, rounded once."""
    return math.fsum((weight * values).tolist())
