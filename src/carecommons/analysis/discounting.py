"""What later money and later effects are worth today: the Green Book's rates, which fall with time, as dated data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.kernels.arrays import F64
from carecommons.params import A, Grade
from carecommons.units import MONTHS_A_YEAR

When = Literal["start", "middle", "end"]
WITHIN: Final[dict[str, float]] = {"start": 0.0, "middle": 0.5, "end": 1.0}
"""Where in its period a flow stands.

`start` is the Green Book's own convention: the first year is year 0 and is not discounted. `end` is that of year-ends.
"""


class Step(NamedTuple):
    """A yearly rate for the years after the step before up to and with year `to`."""

    to: float
    rate: float


@dataclass(frozen=True)
class Schedule:
    """Rates of discount by years from now, with their vintage and source.

    A year is discounted at the rate of the step in which it lies: 40 years at 3.5% to year 30 and 3% after that are
    divided by 1.035**30 * 1.03**10.
    """

    name: str
    steps: tuple[Step, ...]
    vintage: str
    source: str
    grade: Grade

    def __post_init__(self) -> None:
        """Refuse rates that nobody could mean."""
        ends = [step.to for step in self.steps]
        if not ends or ends != sorted(set(ends)) or ends[0] <= 0:
            raise InputError(f"discounting: years of '{self.name}' = {ends} must rise from above 0")
        for step in self.steps:
            if not 0 <= step.rate <= 1:
                raise InputError(f"discounting: rate = {one_line(step.rate)} of '{self.name}' is outside 0 to 1")

    @property
    def last(self) -> float:
        """The last year for which there is a rate."""
        return self.steps[-1].to

    def rate(self, year: float) -> float:
        """The rate that holds in a year."""
        return next(step.rate for step in self.steps if self._within(year) <= step.to)

    def factor(self, year: float) -> float:
        """What 1 in so many years (fractions allowed) is worth today."""
        self._within(year)
        worth, start = 1.0, 0.0
        for to, rate in self.steps:
            if year <= start:
                break
            worth *= (1.0 + rate) ** -(min(year, to) - start)
            start = to
        return worth

    def factors(self, periods: int, *, when: When = "start", a_year: int = 1) -> F64:
        """The factor of each of so many periods, `a_year` to the year -> (periods,)."""
        if when not in WITHIN:
            known = did_you_mean(when, WITHIN) or f"; there are {', '.join(WITHIN)}"
            raise InputError(f"discounting: when = '{one_line(when)}' is unknown{known}")
        return np.array([self.factor((k + WITHIN[when]) / a_year) for k in range(periods)])

    def describe(self) -> dict[str, Any]:
        """The schedule as plain values, for reports."""
        steps = [{"to_year": None if math.isinf(to) else to, "rate": rate} for to, rate in self.steps]
        return {"name": self.name, "steps": steps, "vintage": self.vintage, "grade": str(self.grade),
                "source": self.source}  # fmt: skip

    def _within(self, year: float) -> float:
        if math.isnan(year) or not 0 <= year <= self.last:
            raise InputError(f"discounting: year = {one_line(year)} is outside 0 to {self.last:g} of '{self.name}'")
        return year


_GREEN_BOOK: Final = (
    "HM Treasury, The Green Book, February 2026, chapter 6, as the Department for Transport tables it: TAG forthcoming "
    "change, Green Book updates, 16 April 2026"
)
_YEARS: Final = (30.0, 75.0, 125.0, 200.0, 300.0, math.inf)


def _green_book(name: str, *rates: float) -> Schedule:
    return Schedule(name, tuple(map(Step, _YEARS, rates)), "Green Book, February 2026", _GREEN_BOOK, A)


STANDARD: Final = _green_book("standard", 0.035, 0.030, 0.025, 0.020, 0.015, 0.010)
"""Social time preference: costs and benefits in money."""

HEALTH: Final = _green_book("health", 0.015, 0.0129, 0.0107, 0.0086, 0.0064, 0.0043)
"""Risk to life and health, counted in years of life or their quality."""

LOW: Final = _green_book("low", 0.030, 0.0257, 0.0214, 0.0171, 0.0129, 0.0086)
"""The Green Book's sensitivity test for horizons over 50 years: pure time preference left out."""

NICE: Final = Schedule(
    "nice", (Step(math.inf, 0.035),), "2025",
    "NICE, Support document: Health inequalities, table 1: 3.5% a year for both costs and health effects", A,
)  # fmt: skip
"""One rate for costs and effects alike, as NICE asks."""

NONE: Final = Schedule("none", (Step(math.inf, 0.0),), "any", "no discounting", A)
"""Later years count as much as the first."""

SCHEDULES: Final[dict[str, Schedule]] = {each.name: each for each in (STANDARD, HEALTH, LOW, NICE, NONE)}


def flat(rate: float, source: str = "chosen by the user") -> Schedule:
    """One rate for ever."""
    return Schedule(f"{100 * rate:g}% flat", (Step(math.inf, rate),), "any", source, Grade.D)


def schedule_of(name: str | Schedule) -> Schedule:
    """A schedule by its name; `InputError` names the nearest where there is none."""
    if isinstance(name, Schedule):
        return name
    if name not in SCHEDULES:
        known = did_you_mean(name, SCHEDULES) or f"; there are {', '.join(SCHEDULES)}"
        raise InputError(f"unknown discount schedule '{one_line(name)}'{known}")
    return SCHEDULES[name]


def present_value(flows: Any, schedule: Schedule, *, when: When = "start", a_year: int = 1) -> Any:
    """Flows (periods, ...) added up as they are worth today -> (...), in their own unit.

    `a_year` is 1 for yearly flows and 12 for monthly ones; `when` says where in its period a flow stands.
    """
    values = np.asarray(flows, np.float64)
    if a_year not in (1, MONTHS_A_YEAR):
        raise InputError(f"discounting: a_year = {one_line(a_year)} must be 1 (yearly flows) or 12 (monthly flows)")
    total = np.zeros(values.shape[1:])
    for factor, value in zip(schedule.factors(len(values), when=when, a_year=a_year), values, strict=True):
        total = total + factor * value  # one after the other, so that every machine rounds alike
    return total if total.ndim else float(total)
