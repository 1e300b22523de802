"""What a citizen and the council each pay for care in England, by the means test of the Care Act 2014.

The law is the Care and Support (Charging and Assessment of Resources) Regulations 2014, SI 2014/2672, with annexes B
and C of the care and support statutory guidance; the rates are those of 2026-27. The functions take whole pence, income
and charges by the week. What was chosen where the law leaves room, and what is left out: docs/decisions/means-test.md.
"""

from __future__ import annotations

from operator import index
from typing import Final, Literal, NamedTuple, SupportsIndex, get_args

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.kernels.compiled import compiled
from carecommons.params import LEVER, A, C, D, Parameters, param
from carecommons.units import pence

FINANCIAL_YEAR: Final = "2026-27"
LARGEST: Final = 10**15

Setting = Literal["home", "care_home"]


class MeansTest(Parameters):
    """The rates of the means test, in pounds; the default is England in 2026-27."""

    lower_limit: float = param(
        14_250.0, "Capital up to and including this is ignored",
        unit="pounds", low=0, high=100_000, role=LEVER, grade=A,
        source="SI 2014/2672 reg. 25; evidence means_test_lower_limit (SimPaths); the same since 2010",
    )  # fmt: skip
    upper_limit: float = param(
        23_250.0, "Capital above this, not at it, means the full cost",
        unit="pounds", low=0, high=1_000_000, role=LEVER, grade=A,
        source="SI 2014/2672 reg. 12; evidence means_test_upper_limit (SimPaths); the same since 2010",
    )  # fmt: skip
    tariff_step: float = param(
        250.0, "Each step of capital above the lower limit, or part of one, counts as income",
        unit="pounds", low=1, high=10_000, role=LEVER, grade=A,
        source="SI 2014/2672 reg. 25; guidance annex B ('or part thereof'), as quoted by Gloucestershire council",
    )  # fmt: skip
    tariff: float = param(
        1.0, "Income assumed from each step of capital",
        unit="pounds a week", low=0, high=10, role=LEVER, grade=A,
        source="SI 2014/2672 reg. 25; DHSC charging circular 2024-25 (1 pound a week for every 250)",
    )  # fmt: skip
    mig_single_pension_age: float = param(
        241.45, "Minimum income guarantee: single, pension age",
        unit="pounds a week", low=189, high=305, role=LEVER, grade=C,
        source="SI 2014/2672 reg. 7(2)(c) for 2026-27, quoted second-hand from the DHSC circular; 214.35 in 2023-24 "
        "(SI 2023/277); low: 2015-21 (SimPaths); high: a council's top-up of 25% (Waltham Forest)",
    )  # fmt: skip
    mig_couple_pension_age: float = param(
        184.30, "Minimum income guarantee: one of a couple, pension age",
        unit="pounds a week", low=140, high=235, role=LEVER, grade=D,
        source="Assumption: 174.60 in 2024-25 (and 3%: Reading council's 179.90), raised 1.7% and 3.8% as for singles",
    )  # fmt: skip
    mig_single_under_pension_age: float = param(
        120.40, "Minimum income guarantee: single, 25 to pension age, before the premium",
        unit="pounds a week", low=90, high=155, role=LEVER, grade=C,
        source="SI 2014/2672 reg. 7(2)(b): 112.50 in 2025-26 (Ruils) raised 7% in April 2026 (government statement of "
        "February 2026); 120.40 quoted second-hand from the DHSC circular",
    )  # fmt: skip
    mig_couple_under_pension_age: float = param(
        94.55, "Minimum income guarantee: one of a couple, under pension age, before the premium",
        unit="pounds a week", low=70, high=120, role=LEVER, grade=D,
        source="Assumption: 86.85 in 2024-25 (with premium and 3%, Reading council's 125.35), raised 1.7% and 7%",
    )  # fmt: skip
    disability_premium_single: float = param(
        51.55, "Disability premium, added to the guarantee of everybody under pension age: single",
        unit="pounds a week", low=0, high=90, role=LEVER, grade=C,
        source="SI 2014/2672 reg. 7(5)(a): 49.65 in 2025-26 (Ruils) raised 3.8%, which gives the 'up to 510 pounds a "
        "year' of the government statement of February 2026",
    )  # fmt: skip
    disability_premium_couple: float = param(
        36.80, "Disability premium, added to the guarantee of everybody under pension age: one of a couple",
        unit="pounds a week", low=0, high=65, role=LEVER, grade=D,
        source="Assumption: 34.85 in 2024-25 (with guarantee and 3%, Reading council's 125.35), raised 1.7% and 3.8%",
    )  # fmt: skip
    personal_expenses: float = param(
        31.80, "Personal expenses allowance, which a care home resident keeps",
        unit="pounds a week", low=0, high=100, role=LEVER, grade=C,
        source="SI 2014/2672 reg. 6: 30.65 in 2025-26 (Wirral) raised 3.8%; 31.80 seen second-hand for 2026-27",
    )  # fmt: skip
    disability_expenditure: float = param(
        0.0, "Disability-related expenditure disregarded from everybody at home without receipts",
        unit="pounds a week", low=0, high=40, role=LEVER, grade=A,
        source="SI 2014/2672 Sch. 1 para. 4: what is spent; some councils set a standard (Reading 10.85, 2024-25)",
    )  # fmt: skip
    home_disregard_weeks: int = param(
        12, "Weeks from the move to a care home in which the home does not count",
        unit="weeks", low=0, high=520, role=LEVER, grade=A, source="SI 2014/2672 Sch. 2 para. 2",
    )  # fmt: skip
    lifetime_cap: float = param(
        0.0, "Most a citizen pays for care in a lifetime; 0 is no cap",
        unit="pounds", low=0, high=250_000, role=LEVER, grade=A,
        source="None in force: the plan of 86,000 was given up on 29 July 2024 (gov.uk, charging reform)",
    )  # fmt: skip
    daily_living: float = param(
        200.0, "Care home cost that is board, not care: outside the cap, due for ever",
        unit="pounds a week", low=100, high=400, role=LEVER, grade=D,
        source="Assumption: the order of the amount planned in 2022; matters only with a lifetime cap",
    )  # fmt: skip

    def guarantee(self, partner: bool, pension_age: bool) -> int:
        """The minimum income guarantee of one citizen who is cared for at home, in pence a week (reg. 7)."""
        if pension_age:
            return pence(self.mig_couple_pension_age if partner else self.mig_single_pension_age)
        if partner:
            return pence(self.mig_couple_under_pension_age) + pence(self.disability_premium_couple)
        return pence(self.mig_single_under_pension_age) + pence(self.disability_premium_single)


class Charge(NamedTuple):
    """Who pays what for a week of care, in pence a week; client + council is the cost.

    `tariff_income` is what was assumed from capital, 0 for whoever has more than the upper limit. `full_cost` is true
    of a self-funder, who has capital above the upper limit and so pays the whole cost. Whoever is within the limit but
    pays it all from income has council 0 and `full_cost` false.
    """

    client: int
    council: int
    tariff_income: int
    full_cost: bool


@compiled
def tariff_income(capital: int, lower: int, upper: int, step: int, tariff: int) -> int:
    """Income assumed from capital, pence a week: `tariff` for each `step` above `lower` or part of one (reg. 25).

    Nothing is assumed above `upper`, where the full cost is due.
    """
    if capital <= lower or capital > upper:
        return 0
    return (capital - lower + step - 1) // step * tariff


@compiled
def assessable_income(income: int, assumed: int, disregarded: int, kept: int) -> int:
    """Income that can be charged, pence a week: less what is disregarded and what must be kept, never below 0."""
    return max(0, income + assumed - disregarded - kept)


@compiled
def home_care_charge(
    capital: int, income: int, disregarded: int, guarantee: int, cost: int,
    lower: int, upper: int, step: int, tariff: int,
) -> int:  # fmt: skip
    """A citizen's contribution to care at home, pence a week (regs 7, 12, 25; guidance annex C).

    Parameters
    ----------
    capital
        Savings and investments, pence; never the home lived in.
    income, disregarded
        Income that counts, and the disability-related expenditure taken off it, pence a week.
    guarantee
        Minimum income guarantee with its premiums, pence a week: what assessed income is never charged below.
    cost
        Cost of the care, pence a week: the most that is charged, and the charge when capital is above `upper`.
    lower, upper, step, tariff
        Capital limits and tariff step in pence, tariff in pence a week.
    """
    if capital > upper:
        return cost
    assumed = tariff_income(capital, lower, upper, step, tariff)
    return min(cost, assessable_income(income, assumed, disregarded, guarantee))


@compiled
def care_home_charge(
    capital: int, home_value: int, home_disregarded: bool, income: int, allowance: int, cost: int,
    lower: int, upper: int, step: int, tariff: int,
) -> int:  # fmt: skip
    """A resident's contribution to a care home, pence a week: all income but the allowance (regs 6, 12, 25; Sch. 2).

    As in `home_care_charge`, but the citizen's share of the home counts as capital unless it is disregarded, and the
    personal expenses `allowance` stands for the guarantee.
    """
    assets = capital if home_disregarded else capital + home_value
    if assets > upper:
        return cost
    assumed = tariff_income(assets, lower, upper, step, tariff)
    return min(cost, assessable_income(income, assumed, 0, allowance))


@compiled
def home_is_disregarded(weeks: int, relative_at_home: bool, disregard_weeks: int) -> bool:
    """Whether the home is left out after `weeks` whole weeks in a care home (Sch. 2).

    `relative_at_home`: a partner, a child under 18, or a relative who is 60 or over or incapacitated lives there still.
    """
    return relative_at_home or weeks < disregard_weeks


@compiled
def under_the_cap(charge: int, counted: int, cap: int, daily_living: int) -> int:
    """The part of a weekly `charge` still due when `counted` pence were paid for care before; a `cap` of 0 is no cap.

    `daily_living` (0 at home) is not care: it stays due, and only what is paid beyond it counts towards the cap.
    """
    if cap == 0:
        return charge
    return min(charge, daily_living + max(0, cap - counted))


def means_test(
    capital: SupportsIndex,
    income: SupportsIndex,
    *,
    setting: Setting = "home",
    cost: SupportsIndex,
    partner: bool = False,
    pension_age: bool = True,
    home_value: SupportsIndex = 0,
    home_disregarded: bool = False,
    disability_expenditure: SupportsIndex = 0,
    premiums: SupportsIndex = 0,
    counted: SupportsIndex = 0,
    rules: MeansTest = MeansTest(),
) -> Charge:
    """Who pays what for a week of care; every amount is a whole number of pence, not pounds.

    Parameters
    ----------
    capital
        The citizen's own savings and investments and half of what is held jointly, without the home, pence.
    income
        The citizen's own income that counts, pence a week: after tax, without earnings and mobility benefits, which are
        disregarded (reg. 14, Sch. 1), and, at home, after rent and council tax (guidance annex C).
    setting
        "home" (also extra care and Shared Lives) or "care_home".
    cost
        Cost of the care to the council, pence a week.
    partner, pension_age
        Which guarantee applies at home; neither matters in a care home.
    home_value, home_disregarded
        The citizen's share of the home, pence, and whether it is left out (`home_is_disregarded`); care home only.
    disability_expenditure
        Disability-related expenditure, pence a week; at home this, or the rules' standard if larger, is disregarded.
    premiums
        Further premiums of the guarantee (carer, enhanced disability, child), pence a week; at home only.
    counted
        What the citizen paid before towards the lifetime cap, pence; matters only with a cap.
    rules
        The rates; by default those of England in 2026-27.

    Examples
    --------
    A widow of 80 with 20,000 pounds, 300 pounds a week and care of 400 pounds a week: (300 + 23) - 241.45 = 81.55.

    >>> means_test(20_000_00, 300_00, cost=400_00)
    Charge(client=8155, council=31845, tariff_income=2300, full_cost=False)
    """
    if setting not in get_args(Setting):
        near = did_you_mean(str(setting), get_args(Setting))
        raise InputError(f"setting = {one_line(setting)!r} is neither 'home' nor 'care_home'{near}")
    capital, income = _amount("capital", capital), _amount("income", income)
    cost, home_value = _amount("cost", cost), _amount("home_value", home_value)
    spent = _amount("disability_expenditure", disability_expenditure)
    premiums, counted = _amount("premiums", premiums), _amount("counted", counted)

    lower, upper = pence(rules.lower_limit), pence(rules.upper_limit)
    step, tariff = pence(rules.tariff_step), pence(rules.tariff)
    if setting == "home":
        assets, daily_living = capital, 0
        disregarded = max(spent, pence(rules.disability_expenditure))
        guarantee = rules.guarantee(partner, pension_age) + premiums
        charge = home_care_charge(capital, income, disregarded, guarantee, cost, lower, upper, step, tariff)
    else:
        left_out = bool(home_disregarded)
        assets, daily_living = capital if left_out else capital + home_value, pence(rules.daily_living)
        allowance = pence(rules.personal_expenses)
        charge = care_home_charge(capital, home_value, left_out, income, allowance, cost, lower, upper, step, tariff)
    client = int(under_the_cap(charge, counted, pence(rules.lifetime_cap), daily_living))
    assumed = int(tariff_income(assets, lower, upper, step, tariff))
    return Charge(client, cost - client, assumed, assets > upper and client == cost)


def _amount(name: str, value: SupportsIndex) -> int:
    try:
        amount = index(value)
    except TypeError:
        raise InputError(f"{name} = {one_line(value)} is not a whole number of pence") from None
    if not 0 <= amount <= LARGEST:
        raise InputError(f"{name} = {one_line(amount)} is outside 0 to {LARGEST} pence")
    return amount
