"""Dated money, and the register of the prices that appraisals use: no amount without the year of its prices."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple, Self

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.params import Grade
from carecommons.units import PENCE_A_POUND

FIRST_YEAR: Final = 1955
LAST_YEAR: Final = 2100


@dataclass(frozen=True, slots=True)
class Money:
    """Whole pence at the prices of a year; amounts of different years do not add up, and none goes without its year.

    Raises `InputError` where the year is missing or the pence are not whole.
    """

    pence: int
    year: int = 0

    def __post_init__(self) -> None:
        """Refuse what is not dated."""
        if isinstance(self.pence, bool) or not isinstance(self.pence, int):
            raise InputError(f"money: pence = {one_line(self.pence)} must be a whole number")
        if isinstance(self.year, bool) or not isinstance(self.year, int) or not FIRST_YEAR <= self.year <= LAST_YEAR:
            said = "missing" if self.year == 0 else one_line(self.year)
            raise InputError(f"money: the year of its prices is {said}; must be from {FIRST_YEAR} to {LAST_YEAR}")

    @classmethod
    def of(cls, pounds: float, year: int) -> Self:
        """Pounds at the prices of `year`."""
        if not math.isfinite(pounds):
            raise InputError(f"money: pounds = {one_line(pounds)} must be a finite number")
        return cls(round(pounds * PENCE_A_POUND), year)

    @property
    def pounds(self) -> float:
        """The amount in pounds."""
        return self.pence / PENCE_A_POUND

    def at(self, year: int) -> Money:
        """The same real value at the prices of another year, by the GDP deflator, to the nearest penny."""
        if year == self.year:
            return self
        index = deflators()
        for each in (self.year, year):
            if each not in index:
                raise InputError(f"money: no GDP deflator for {one_line(each)}; there are {min(index)} to {max(index)}")
        return Money(round(self.pence * index[year] / index[self.year]), year)

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        if other.year != self.year:
            raise InputError(f"money: prices of {self.year} and of {other.year} do not add up; use .at(year) first")
        return Money(self.pence + other.pence, self.year)

    def __neg__(self) -> Money:
        return Money(-self.pence, self.year)

    def __sub__(self, other: Money) -> Money:
        return self + -other

    def __mul__(self, times: int) -> Money:
        return Money(self.pence * times, self.year)

    def __str__(self) -> str:
        whole = self.pence % PENCE_A_POUND == 0
        return f"{'-' * (self.pence < 0)}£{abs(self.pounds):,.{0 if whole else 2}f} ({self.year} prices)"


class Price(NamedTuple):
    """An entry of the register: the amount with its range, what it is for, and where it comes from."""

    key: str
    amount: Money
    low: Money
    high: Money
    unit: str
    vintage: str
    grade: Grade
    licence: str
    about: str
    source: str

    def row(self) -> dict[str, Any]:
        """The entry as plain values, for tables and JSON."""
        return {
            "key": self.key, "value": self.amount.pounds, "low": self.low.pounds, "high": self.high.pounds,
            "unit": self.unit, "price_year": self.amount.year, "vintage": self.vintage, "grade": str(self.grade),
            "licence": self.licence, "about": self.about, "source": self.source,
        }  # fmt: skip


@cache
def prices() -> dict[str, Price]:
    """The register, by key."""
    return {row["key"]: _price(row) for row in _rows("prices.csv")}


def price(key: str) -> Price:
    """One entry; `InputError` names the nearest where there is none."""
    if key not in prices():
        raise InputError(f"unknown price '{one_line(key)}'{did_you_mean(key, prices())}")
    return prices()[key]


@cache
def deflators() -> dict[int, float]:
    """The GDP deflator by calendar year, 2024 = 100."""
    return {int(row["year"]): float(row["index"]) for row in _rows("deflators.csv")}


def _price(row: dict[str, str]) -> Price:
    empty = [name for name, value in row.items() if not value]
    if empty:
        raise InputError(f"prices.csv: {row['key']} lacks {', '.join(empty)}")
    year = int(row["year"])
    value, low, high = (Money.of(float(row[name]), year) for name in ("value", "low", "high"))
    return Price(
        row["key"], value, low, high, row["unit"], row["vintage"], Grade(row["grade"]), row["licence"], row["about"],
        row["source"],
    )  # fmt: skip


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("carecommons.evidence") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
