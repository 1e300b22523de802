"""Dated money (row E4): nothing without the year of its prices, and a source for every price."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.evidence.prices import Money, deflators, price, prices
from carecommons.params import Grade

PENCE = st.integers(-(10**9), 10**9)
YEARS = st.sampled_from(sorted(deflators()))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Money(100), "money: the year of its prices is missing; must be from 1955 to 2100"),
        (lambda: Money(100, 12), "money: the year of its prices is 12; must be"),
        (lambda: Money(100, True), "money: the year of its prices is True"),
        (lambda: Money(1.5, 2020), "money: pence = 1.5 must be a whole number"),  # type: ignore[arg-type]
        (lambda: Money.of(float("nan"), 2020), "money: pounds = nan must be a finite number"),
        (lambda: Money(1, 2020) + Money(1, 2021), "money: prices of 2020 and of 2021 do not add up"),
        (lambda: Money(1, 2020).at(2050), "money: no GDP deflator for 2050; there are 2010 to 2024"),
        (lambda: price("unpaid_our"), "unknown price 'unpaid_our'; did you mean 'unpaid_hour'?"),
    ],
)
def test_money_without_its_year_cannot_be_made(act: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        act()
    assert message in str(caught.value) and "\n" not in str(caught.value)


@given(PENCE, PENCE, YEARS)
def test_money_of_one_year_adds_up_exactly(a: int, b: int, year: int) -> None:
    assert Money(a, year) + Money(b, year) == Money(a + b, year)
    assert Money(a, year) - Money(a, year) == Money(0, year) and Money(a, year) * 3 == Money(3 * a, year)
    assert Money(a, year).at(year) == Money(a, year)


@given(PENCE, YEARS, YEARS)
def test_bringing_money_to_another_year_and_back_loses_at_most_what_rounding_does(a: int, one: int, other: int) -> None:
    back = Money(a, one).at(other).at(one)
    # Half a penny there, as many pennies' worth as the index has grown, and half a penny back.
    assert abs(back.pence - a) <= 0.5 * deflators()[one] / deflators()[other] + 0.5 + 1e-6


def test_an_hour_of_unpaid_care_rose_by_the_deflator() -> None:
    assert price("unpaid_hour").amount == Money(2500, 2021)
    assert price("unpaid_hour").amount.at(2024) == Money(round(2500 * 100 / 85.6358), 2024)
    assert str(Money(2500, 2021)) == "£25 (2021 prices)" and str(Money(-150, 2021)) == "-£1.50 (2021 prices)"


@pytest.mark.parametrize("key", sorted(prices()))
def test_every_price_has_year_vintage_source_grade_and_licence(key: str) -> None:
    row = prices()[key].row()
    assert all(row[name] for name in ("unit", "price_year", "vintage", "grade", "licence", "about", "source"))
    assert row["low"] <= row["value"] <= row["high"] and row["grade"] in {str(each) for each in Grade}


def test_the_values_that_appraisals_quote() -> None:
    told = {key: each.amount.pounds for key, each in prices().items()}
    assert told["wellby"] == 13_000 and prices()["wellby"].amount.year == 2019
    assert (told["qaly_nice_low"], told["qaly_nice_high"], told["qaly_green_book"]) == (25_000, 35_000, 70_000)
