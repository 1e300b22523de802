"""Who fares how: an outcome by group, the gap between groups, and how far it leans towards the better or worse off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.kernels.arrays import F64, I64
from carecommons.outcomes.catalogue import BY_NAME, OUTCOMES
from carecommons.place.place import Place
from carecommons.place.population import Level, Route
from carecommons.units import MONTHS_A_YEAR, pence

FIRST_AGES: Final = (18, 35, 50, 65, 75, 85)

Limits = tuple[float, float]
NAN: Final = float("nan")


class Grouping(NamedTuple):
    """Which group each person is in, from 0 (n,), the groups' names, and what ranks people (n,), if anything does."""

    group: I64
    labels: list[Any]
    rank: npt.NDArray[Any] | None = None


class ByGroup(NamedTuple):
    """An outcome by group: values and people (groups,), and two measures of inequality."""

    labels: list[Any]
    values: F64
    people: I64
    gap: float
    concentration_index: float


def by_group(place: Place, outcome: str, group: str, limits: Limits = (14_250.0, 23_250.0)) -> ByGroup:
    """An outcome by group, as the place stands; `limits` are the capital limits in pounds, for the group `capital`.

    The gap is the value of the last group that has people less that of the first, where groups have an order or are
    two; elsewhere the largest value less the smallest. The concentration index is NaN where nothing ranks people.
    """
    if outcome not in BY_NAME:
        raise InputError(f"unknown outcome '{one_line(outcome)}'{did_you_mean(outcome, BY_NAME)}")
    if group not in GROUPINGS:
        known = did_you_mean(group, GROUPINGS) or f"; groups are {', '.join(GROUPINGS)}"
        raise InputError(f"unknown group '{one_line(group)}'{known}")
    what = BY_NAME[outcome]
    if what.of is not None:
        personal = ", ".join(one.name for one in OUTCOMES if one.of is None)
        raise InputError(f"'{outcome}' is an outcome of the place and has no groups; those of people are {personal}")
    made = GROUPINGS[group](place, limits)
    values, people = what.by(place, made.group, len(made.labels))
    gap = _gap(np.where(people > 0, values, NAN), ordered=made.rank is not None or len(made.labels) == 2)
    index = NAN if made.rank is None else concentration_index(what.each(place), made.rank)
    return ByGroup(made.labels, values, people, gap, index)


def concentration_index(values: npt.ArrayLike, rank: npt.ArrayLike) -> float:
    """How far values (n,) lean towards the high end of `rank` (n,): from -1 (all at the low end) over 0 to 1.

    Twice the covariance of value and fractional rank over the mean value; people of equal rank share their middle rank,
    and those without a value (NaN) are left out. NaN where the values sum to nought.
    Source: O'Donnell et al. 2008, Analyzing Health Equity Using Household Survey Data, ch. 8.
    """
    value, place_in = np.asarray(values, float), np.asarray(rank)
    told = ~np.isnan(value)
    value, place_in = value[told], place_in[told]
    total = value.sum()
    if not len(value) or total == 0:
        return NAN
    return float(2.0 * (value * fractional_rank(place_in)).sum() / total - 1.0)


def fractional_rank(rank: npt.ArrayLike) -> F64:
    """Share of people below, with half of those who are equal, for each (n,)."""
    ordered = np.sort(np.asarray(rank))
    below = np.searchsorted(ordered, rank, side="left")
    up_to = np.searchsorted(ordered, rank, side="right")
    return np.asarray((below + up_to) / (2.0 * max(len(ordered), 1)))


def _gap(values: F64, *, ordered: bool) -> float:
    present = values[~np.isnan(values)]
    if not len(present):
        return NAN
    return float(present[-1] - present[0] if ordered else present.max() - present.min())


def _deprivation(place: Place, limits: Limits) -> Grouping:
    """Quintile of the neighbourhood, 1 the most deprived."""
    quintile = place.citizens.deprivation
    return Grouping(np.clip(quintile.astype(np.int64) - 1, 0, 4), [1, 2, 3, 4, 5], quintile)


def _wealth(place: Place, limits: Limits) -> Grouping:
    """Fifth of the living by savings, 1 the poorest; people of equal savings are in one fifth."""
    c = place.citizens
    group = np.zeros(len(c), np.int64)
    group[c.alive] = np.minimum(5 * fractional_rank(c.savings[c.alive]), 4).astype(np.int64)
    return Grouping(group, [1, 2, 3, 4, 5], c.savings)


def _capital(place: Place, limits: Limits) -> Grouping:
    """Savings against the capital limits of the means test: at or below the lower, between, above the upper."""
    low, high = (pence(limit) for limit in limits)
    savings = place.citizens.savings
    return Grouping((savings > low).astype(np.int64) + (savings > high), ["below", "between", "above"], savings)


def _need(place: Place, limits: Limits) -> Grouping:
    """Level of need for help with daily living."""
    level = place.citizens.level
    return Grouping(level.astype(np.int64), [member.name.lower() for member in Level], level)


def _age(place: Place, limits: Limits) -> Grouping:
    """Bands of age in years."""
    years = place.citizens.age // MONTHS_A_YEAR
    group = np.clip(np.searchsorted(FIRST_AGES, years, side="right") - 1, 0, None).astype(np.int64)
    upper = [f"-{first - 1}" for first in FIRST_AGES[1:]]
    return Grouping(group, [f"{a}{b}" for a, b in zip(FIRST_AGES, [*upper, "+"], strict=True)], place.citizens.age)


def _route(place: Place, limits: Limits) -> Grouping:
    """How care is paid for and who holds the money."""
    return Grouping(place.citizens.route.astype(np.int64), [member.name.lower() for member in Route])


def _stigma(place: Place, limits: Limits) -> Grouping:
    """Others, and those who meet stigma here."""
    return Grouping(place.citizens.stigma.astype(np.int64), ["others", "meets stigma"])


def _sex(place: Place, limits: Limits) -> Grouping:
    """Women and men."""
    return Grouping(place.citizens.sex.astype(np.int64), ["women", "men"])


def _neighbourhood(place: Place, limits: Limits) -> Grouping:
    """Neighbourhood by number."""
    return Grouping(place.citizens.neighbourhood.astype(np.int64), list(range(len(place.neighbourhoods.deprivation))))


GROUPINGS: Final[dict[str, Callable[[Place, Limits], Grouping]]] = {
    "deprivation": _deprivation, "wealth": _wealth, "capital": _capital, "route": _route, "stigma": _stigma,
    "need": _need, "sex": _sex, "age": _age, "neighbourhood": _neighbourhood,
}  # fmt: skip
