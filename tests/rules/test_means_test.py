"""The means test against examples worked by hand, and against the laws any charging rule must keep."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from carecommons.errors import InputError
from carecommons.rules.means_test import (
    Charge,
    MeansTest,
    assessable_income,
    care_home_charge,
    home_care_charge,
    home_is_disregarded,
    means_test,
    tariff_income,
    under_the_cap,
)
from carecommons.units import pence

# The rates the examples below were worked out with; they stay when the default moves to another year.
RATES = MeansTest(
    lower_limit=14_250,
    upper_limit=23_250,
    tariff_step=250,
    tariff=1,
    mig_single_pension_age=241.45,
    mig_couple_pension_age=184.30,
    mig_single_under_pension_age=120.40,
    mig_couple_under_pension_age=94.55,
    disability_premium_single=51.55,
    disability_premium_couple=36.80,
    personal_expenses=31.80,
    disability_expenditure=0,
    home_disregard_weeks=12,
    lifetime_cap=0,
    daily_living=200,
)


class Case(NamedTuple):
    """A citizen, in pounds: savings, weekly income, cost of care; then who pays, tariff income, self-funder or not."""

    who: str
    savings: float
    income: float
    cost: float
    client: float
    council: float
    tariff: float
    full_cost: bool
    more: dict[str, Any] = {}  # noqa: RUF012


# who, savings, income, cost -> client, council, tariff, self-funder
# fmt: off
AT_HOME = [
    # Single, pension age: guarantee 241.45.
    Case("income is exactly the guarantee", 0, 241.45, 400, 0, 400, 0, False),                   # 241.45 - 241.45
    Case("a penny above the guarantee", 0, 241.46, 400, 0.01, 399.99, 0, False),                 # 241.46 - 241.45
    Case("widow of 80, few savings", 10_000, 300, 400, 58.55, 341.45, 0, False),                 # 300 - 241.45
    Case("nothing at all", 0, 0, 400, 0, 400, 0, False),                                         # max(0, -241.45)
    Case("a penny below the lower limit", 14_249.99, 300, 400, 58.55, 341.45, 0, False),         # no tariff
    Case("at the lower limit", 14_250, 300, 400, 58.55, 341.45, 0, False),                       # no tariff
    Case("a penny above the lower limit", 14_250.01, 300, 400, 59.55, 340.45, 1, False),         # part of a step: 1
    Case("one whole step", 14_500, 300, 400, 59.55, 340.45, 1, False),                           # 250 / 250 = 1
    Case("one step and a penny", 14_500.01, 300, 400, 60.55, 339.45, 2, False),                  # a step and a part: 2
    Case("whole steps between the limits", 20_000, 300, 400, 81.55, 318.45, 23, False),          # 5,750 / 250 = 23
    Case("a part step between the limits", 20_100, 300, 400, 82.55, 317.45, 24, False),          # 23.4 -> 24
    Case("a penny below the upper limit", 23_249.99, 300, 400, 94.55, 305.45, 36, False),        # 35.99996 -> 36
    Case("at the upper limit", 23_250, 300, 400, 94.55, 305.45, 36, False),                      # 9,000 / 250 = 36
    Case("a penny above the upper limit", 23_250.01, 300, 400, 400, 0, 0, True),                 # full cost
    Case("self-funder with a small package", 60_000, 150, 60, 60, 0, 0, True),                   # whatever the income
    Case("no income, savings at the upper limit", 23_250, 0, 400, 0, 400, 36, False),            # 36 - 241.45 < 0
    Case("charge stops at the cost", 0, 500, 120, 120, 0, 0, False),                             # 258.55 > 120
    Case("rich in income, poor in savings", 0, 900, 400, 400, 0, 0, False),                      # 658.55 > 400
    Case("no care this week", 0, 500, 0, 0, 0, 0, False),                                        # min(0, 258.55)
    Case("no care this week, self-funder", 100_000, 500, 0, 0, 0, 0, True),                      # full cost of nothing
    Case("25 a week of disability costs", 0, 300, 400, 33.55, 366.45, 0, False,                  # 300 - 25 - 241.45
         {"disability_expenditure": 25}),
    Case("disability costs above what is over", 0, 300, 400, 0, 400, 0, False,                   # 300 - 80 - 241.45 < 0
         {"disability_expenditure": 80}),
    Case("carer premium of 48", 0, 300, 400, 10.55, 389.45, 0, False, {"premiums": 48}),         # 300 - (241.45 + 48)
    Case("the home lived in never counts", 10_000, 300, 400, 58.55, 341.45, 0, False,            # as the widow of 80
         {"home_value": 400_000}),
    # One of a couple, pension age: guarantee 184.30.
    Case("one of a couple", 0, 250, 400, 65.70, 334.30, 0, False, {"partner": True}),            # 250 - 184.30
    Case("one of a couple, some savings", 16_000, 250, 400, 72.70, 327.30, 7, False,             # 1,750 / 250 = 7
         {"partner": True}),
    # Under pension age: 120.40 + 51.55 = 171.95 single, 94.55 + 36.80 = 131.35 in a couple.
    Case("man of 40 on disability benefits", 0, 230, 400, 58.05, 341.95, 0, False,               # 230 - 171.95
         {"pension_age": False}),
    Case("woman of 45 with a partner", 0, 180, 400, 48.65, 351.35, 0, False,                     # 180 - 131.35
         {"pension_age": False, "partner": True}),
    Case("man of 30 with savings", 15_000, 230, 400, 41.05, 358.95, 3, False,                    # 230 + 3 - 20 - 171.95
         {"pension_age": False, "disability_expenditure": 20}),
    Case("woman of 30 below the guarantee", 0, 150, 400, 0, 400, 0, False,                       # 150 - 171.95 < 0
         {"pension_age": False}),
    Case("man of 50 a penny above the upper limit", 23_250.01, 0, 400, 400, 0, 0, True,          # full cost
         {"pension_age": False}),
]

IN_A_CARE_HOME = [
    # Allowance 31.80, whatever the age and household.
    Case("state pension only", 0, 241.45, 900, 209.65, 690.35, 0, False),                        # 241.45 - 31.80
    Case("income is exactly the allowance", 0, 31.80, 900, 0, 900, 0, False),                    # 31.80 - 31.80
    Case("income below the allowance", 0, 20, 900, 0, 900, 0, False),                            # max(0, -11.80)
    Case("nothing at all", 0, 0, 900, 0, 900, 0, False),
    Case("at the lower limit", 14_250, 300, 900, 268.20, 631.80, 0, False),                      # 300 - 31.80
    Case("a penny above the lower limit", 14_250.01, 300, 900, 269.20, 630.80, 1, False),        # + 1
    Case("whole steps between the limits", 20_000, 300, 900, 291.20, 608.80, 23, False),         # + 23
    Case("a penny below the upper limit", 23_249.99, 300, 900, 304.20, 595.80, 36, False),       # + 36
    Case("at the upper limit", 23_250, 300, 900, 304.20, 595.80, 36, False),                     # + 36
    Case("a penny above the upper limit", 23_250.01, 300, 900, 900, 0, 0, True),                 # full cost
    Case("home owner living alone", 5_000, 300, 900, 900, 0, 0, True, {"home_value": 250_000}),  # 255,000 > 23,250
    Case("home owner, wife lives there", 5_000, 300, 900, 268.20, 631.80, 0, False,              # home left out
         {"home_value": 250_000, "home_disregarded": True}),
    Case("home owner, first twelve weeks", 20_000, 300, 900, 291.20, 608.80, 23, False,          # home left out, + 23
         {"home_value": 250_000, "home_disregarded": True}),
    Case("savings too high, home left out", 23_250.01, 300, 900, 900, 0, 0, True,                # savings alone decide
         {"home_value": 250_000, "home_disregarded": True}),
    Case("a small share of a home", 10_000, 300, 900, 283.20, 616.80, 15, False,                 # 3,750 / 250 = 15
         {"home_value": 8_000}),
    Case("savings and home at the upper limit", 10_000, 300, 900, 304.20, 595.80, 36, False,     # 10,000 + 13,250
         {"home_value": 13_250}),
    Case("savings and home a penny above", 10_000, 300, 900, 900, 0, 0, True,                    # 23,250.01
         {"home_value": 13_250.01}),
    Case("income above the fee", 0, 1_000, 900, 900, 0, 0, False),                               # 968.20 > 900
    Case("disability costs are met by the home", 0, 300, 900, 268.20, 631.80, 0, False,          # not taken off
         {"disability_expenditure": 25}),
    Case("a couple under pension age", 0, 300, 900, 268.20, 631.80, 0, False,                    # the same allowance
         {"partner": True, "pension_age": False}),
    Case("fee of nothing", 0, 300, 0, 0, 0, 0, False),
]
# fmt: on

CASES = [("home", e) for e in AT_HOME] + [("care_home", e) for e in IN_A_CARE_HOME]
MONEY_IN_MORE = {"home_value", "disability_expenditure", "premiums"}


@pytest.mark.parametrize(("setting", "case"), CASES, ids=[f"{s}: {e.who}" for s, e in CASES])
def test_worked_example(setting: str, case: Case) -> None:
    more = {key: pence(v) if key in MONEY_IN_MORE else v for key, v in case.more.items()}
    savings, income, cost = pence(case.savings), pence(case.income), pence(case.cost)
    charge = means_test(savings, income, setting=setting, cost=cost, rules=RATES, **more)
    expected = Charge(pence(case.client), pence(case.council), pence(case.tariff), case.full_cost)
    assert charge == expected


def test_default_rates_are_those_of_2026_27() -> None:
    assert MeansTest() == RATES


def test_every_assumption_says_so() -> None:
    for parameter in MeansTest.parameters():
        assert parameter.low is not None and parameter.high is not None
        assert parameter.source.startswith("Assumption") == (parameter.grade == "D"), parameter.key


# Laws

amounts = st.integers(0, 50_000_00)
weekly = st.integers(0, 2_000_00)
settings_of_care = st.sampled_from(["home", "care_home"])
rules_of_law = st.builds(
    MeansTest,
    lower_limit=st.integers(0, 30_000),
    upper_limit=st.integers(0, 60_000),
    tariff_step=st.integers(1, 1_000),
    tariff=st.integers(0, 5),
)
circumstances = st.fixed_dictionaries(
    {
        "setting": settings_of_care,
        "cost": weekly,
        "partner": st.booleans(),
        "pension_age": st.booleans(),
        "home_value": amounts,
        "home_disregarded": st.booleans(),
        "disability_expenditure": st.integers(0, 100_00),
        "premiums": st.integers(0, 100_00),
        "rules": rules_of_law,
    }
)
law = settings(deadline=None)


@law
@given(amounts, weekly, circumstances)
def test_client_and_council_share_the_cost_exactly(capital: int, income: int, around: dict[str, Any]) -> None:
    charge = means_test(capital, income, **around)
    assert charge.client + charge.council == around["cost"]
    assert 0 <= charge.client <= around["cost"]


@law
@given(amounts, amounts, weekly, circumstances)
def test_contribution_never_falls_with_capital(one: int, other: int, income: int, around: dict[str, Any]) -> None:
    poorer, richer = sorted((one, other))
    assert means_test(poorer, income, **around).client <= means_test(richer, income, **around).client


@law
@given(st.integers(-300_00, 300_00), weekly, weekly)
def test_contribution_never_falls_across_the_cliff(offset: int, income: int, cost: int) -> None:
    capital = 23_250_00 + offset
    charges = [means_test(capital + penny, income, cost=cost).client for penny in (0, 1)]
    assert charges == sorted(charges)


@law
@given(amounts, weekly, weekly, circumstances)
def test_contribution_never_falls_with_income(capital: int, one: int, other: int, around: dict[str, Any]) -> None:
    poorer, richer = sorted((one, other))
    assert means_test(capital, poorer, **around).client <= means_test(capital, richer, **around).client


@law
@given(amounts, weekly, circumstances)
def test_assessed_income_is_never_charged_below_what_must_be_kept(
    capital: int, income: int, around: dict[str, Any]
) -> None:
    charge, rules = means_test(capital, income, **around), around["rules"]
    if around["setting"] == "home":
        kept = rules.guarantee(around["partner"], around["pension_age"]) + around["premiums"]
        kept += around["disability_expenditure"]
    else:
        kept = pence(rules.personal_expenses)
    if not charge.full_cost:
        assert charge.client <= max(0, income + charge.tariff_income - kept)


@law
@given(st.lists(st.tuples(amounts, weekly), max_size=8), st.integers(0, 60_000), st.integers(0, 60_000), circumstances)
def test_raising_the_upper_limit_never_lowers_the_number_eligible_or_raises_a_charge(
    citizens: list[tuple[int, int]], one: int, other: int, around: dict[str, Any]
) -> None:
    strict, generous = sorted((one, other))
    before, after = (
        [means_test(c, i, **{**around, "rules": around["rules"].but(upper_limit=limit)}) for c, i in citizens]
        for limit in (strict, generous)
    )
    assert sum(not c.full_cost for c in before) <= sum(not c.full_cost for c in after)
    assert all(b.client >= a.client for b, a in zip(before, after, strict=True))


@law
@given(amounts, amounts, weekly, weekly, weekly, weekly, st.booleans(), amounts, amounts, st.integers(1, 1_000_00),
       st.integers(0, 10_00), st.integers(1, 1_000))  # fmt: skip
def test_a_currency_worth_k_times_less_multiplies_every_charge_by_k(
    capital: int, home: int, income: int, disregarded: int, kept: int, cost: int, left_out: bool,
    lower: int, upper: int, step: int, tariff: int, k: int,
) -> None:  # fmt: skip
    rates = (lower, upper, step, tariff)
    more = tuple(k * rate for rate in rates)
    at_home = home_care_charge(capital, income, disregarded, kept, cost, *rates)
    assert home_care_charge(k * capital, k * income, k * disregarded, k * kept, k * cost, *more) == k * at_home
    in_care = care_home_charge(capital, home, left_out, income, kept, cost, *rates)
    assert care_home_charge(k * capital, k * home, left_out, k * income, k * kept, k * cost, *more) == k * in_care


@law
@given(amounts, weekly, circumstances, amounts)
def test_home_value_at_home_and_guarantees_in_a_care_home_change_nothing(
    capital: int, income: int, around: dict[str, Any], value: int
) -> None:
    if around["setting"] == "home":
        other = {"home_value": value, "home_disregarded": True}
    else:
        other = {"partner": True, "pension_age": True, "premiums": value, "disability_expenditure": value}
    assert means_test(capital, income, **around) == means_test(capital, income, **{**around, **other})


@law
@given(amounts, weekly, circumstances, st.integers(0, 10**9), st.integers(1, 200_000))
def test_a_lifetime_cap_changes_nothing_when_off_and_never_raises_a_charge(
    capital: int, income: int, around: dict[str, Any], counted: int, cap: int
) -> None:
    free = means_test(capital, income, **around)
    assert means_test(capital, income, counted=counted, **around) == free
    capped = means_test(capital, income, counted=counted, **{**around, "rules": around["rules"].but(lifetime_cap=cap)})
    assert capped.client <= free.client
    assert capped.client + capped.council == around["cost"]


# The steps one by one


@pytest.mark.parametrize(
    ("capital", "pounds_a_week"),
    [(0, 0), (14_250, 0), (14_250.01, 1), (14_499.99, 1), (14_500, 1), (14_500.01, 2), (23_000, 35), (23_000.01, 36),
     (23_250, 36), (23_250.01, 0)],
)  # fmt: skip
def test_tariff_counts_every_step_or_part_of_one(capital: float, pounds_a_week: int) -> None:
    assert tariff_income(pence(capital), 14_250_00, 23_250_00, 250_00, 1_00) == pounds_a_week * 100


def test_one_limit_for_all_as_in_wales_leaves_no_tariff() -> None:
    wales = MeansTest(lower_limit=50_000, upper_limit=50_000)
    assert means_test(50_000_00, 300_00, cost=400_00, rules=wales) == Charge(58_55, 341_45, 0, False)
    assert means_test(50_000_01, 300_00, cost=400_00, rules=wales) == Charge(400_00, 0, 0, True)


@given(amounts, weekly, circumstances, st.integers(0, 60_000))
def test_a_lower_limit_above_the_upper_does_what_one_at_it_does(
    capital: int, income: int, around: dict[str, Any], beyond: int
) -> None:
    rules = around["rules"]
    beside, over = (rules.but(lower_limit=min(rules.upper_limit + more, 100_000)) for more in (0, beyond))
    at, above = (means_test(capital, income, **{**around, "rules": each}) for each in (beside, over))
    assert at == above


def test_a_standard_disability_allowance_stands_until_more_is_spent() -> None:
    reading = MeansTest(disability_expenditure=10.85)
    charges = [means_test(0, 300_00, cost=400_00, disability_expenditure=d, rules=reading) for d in (0, 10_85, 25_00)]
    assert [c.client for c in charges] == [47_70, 47_70, 33_55]  # 58.55 - 10.85 twice, 58.55 - 25


@pytest.mark.parametrize(
    ("weeks", "relative", "left_out"),
    [(0, False, True), (11, False, True), (12, False, False), (12, True, True), (500, True, True)],
)
def test_the_home_is_left_out_for_twelve_weeks_or_while_a_relative_lives_there(
    weeks: int, relative: bool, left_out: bool
) -> None:
    assert home_is_disregarded(weeks, relative, 12) == left_out


@pytest.mark.parametrize(
    ("setting", "counted", "client"),
    [
        ("home", 0, 900),  # 86,000 still to go
        ("home", 85_900, 100),  # 100 to go
        ("home", 86_000, 0),
        ("care_home", 85_900, 300),  # 100 to go and 200 for board
        ("care_home", 86_000, 200),  # board is due for ever
        ("care_home", 90_000, 200),
    ],
)
def test_a_self_funder_under_the_cap_once_planned(setting: str, counted: int, client: int) -> None:
    rules = MeansTest(lifetime_cap=86_000)
    charge = means_test(200_000_00, 0, setting=setting, cost=900_00, counted=pence(counted), rules=rules)
    assert (charge.client, charge.full_cost) == (pence(client), client == 900)


def test_kernels_are_the_same_compiled_and_plain() -> None:
    rates = (14_250_00, 23_250_00, 250_00, 1_00)
    calls = [
        (tariff_income, (20_100_00, *rates)),
        (assessable_income, (300_00, 24_00, 10_00, 241_45)),
        (home_care_charge, (20_100_00, 300_00, 10_00, 241_45, 400_00, *rates)),
        (care_home_charge, (10_000_00, 8_000_00, False, 300_00, 31_80, 900_00, *rates)),
        (home_is_disregarded, (12, False, 12)),
        (under_the_cap, (900_00, 85_900_00, 86_000_00, 200_00)),
    ]
    for kernel, arguments in calls:
        assert kernel(*arguments) == getattr(kernel, "py_func", kernel)(*arguments)


def test_numpy_integers_give_python_ones() -> None:
    charge = means_test(np.int64(20_000_00), np.int32(300_00), cost=np.int64(400_00), home_disregarded=np.bool_(True))
    assert charge == Charge(81_55, 318_45, 23_00, False)
    assert [type(part) for part in charge] == [int, int, int, bool]


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capital": 142.5}, r"^capital = 142.5 is not a whole number of pence$"),
        ({"income": -1}, r"^income = -1 is outside 0 to 10{15} pence$"),
        ({"cost": 10**16}, r"^cost = 10{16} is outside 0 to 10{15} pence$"),
        ({"home_value": None}, r"^home_value = None is not a whole number of pence$"),
        ({"disability_expenditure": "5"}, r"^disability_expenditure = 5 is not a whole number of pence$"),
        ({"setting": "care home"}, r"^setting = 'care home' is neither .*; did you mean 'care_home'\?$"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        means_test(**{"capital": 0, "income": 0, "cost": 0, **arguments})


@pytest.mark.parametrize("rates", [{"tariff_step": 0}, {"upper_limit": -1}, {"lower_limit": float("nan")}, {"pea": 30}])
def test_rates_outside_their_range_are_refused(rates: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        MeansTest(**rates)
