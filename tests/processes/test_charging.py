"""Everybody has one route, by need, eligibility, capital and inclination; the means test decides at the penny."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from chance import near

import small
from carecommons.place.place import Place
from carecommons.place.population import Route, Setting
from carecommons.processes.charging import Charging
from carecommons.rules.means_test import means_test
from carecommons.units import WEEKS_A_MONTH, pence

MANY = 20_000
PLAIN = Charging(direct_payment=(0.4, 0.1), service_fund=0.05, mixed=0.1, buys=(0.1, 0.3, 0.6))
UPPER = pence(23_250)


def served(people: int = 1, **values: Any) -> Place:
    """People of 70 whom the council found eligible, with a high need at home and little money."""
    usual = {"level": 3, "need": 5000, "eligible": True, "age": 70 * 12, "income": pence(250), "savings": pence(1000)}
    return small.by_hand(people, **{**usual, **values})


def route(place: Place, process: Charging = PLAIN) -> np.ndarray:
    return small.alone(process, place).citizens.route


# --- R5 ---


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ({"level": 0, "eligible": False}, Route.NONE),
        ({"level": 0, "eligible": False, "savings": UPPER + 1}, Route.NONE),
        ({"eligible": False}, Route.INELIGIBLE),
        ({"eligible": False, "savings": UPPER}, Route.INELIGIBLE),
        ({"savings": UPPER + 1}, Route.SELF_FUNDER),
        ({"setting": Setting.CARE_HOME, "moved_in": 0}, Route.MANAGED),
        ({"setting": Setting.CARE_HOME, "moved_in": 0, "savings": UPPER + 1}, Route.SELF_FUNDER),
        ({"setting": Setting.CARE_HOME, "moved_in": -5, "home_value": UPPER + 1}, Route.SELF_FUNDER),
        ({"setting": Setting.CARE_HOME, "moved_in": 0, "home_value": UPPER + 1}, Route.MANAGED),  # twelve weeks
        ({"home_value": pence(400_000)}, None),  # at home the home does not count
    ],
)
def test_routes_by_hand(who: dict[str, Any], expected: Route | None) -> None:
    found = Route(int(route(served(**who))[0]))
    own_way = {Route.MANAGED, Route.SERVICE_FUND, Route.DIRECT_PAYMENT, Route.MIXED}
    assert found == expected if expected is not None else found in own_way


@pytest.mark.parametrize(("age", "direct"), [(64, 0.4), (65, 0.1)])
def test_clients_hold_their_care_as_they_are_inclined(age: int, direct: float) -> None:
    found = route(served(MANY, age=age * 12))
    shares = {Route.DIRECT_PAYMENT: direct, Route.SERVICE_FUND: 0.05, Route.MIXED: 0.1, Route.MANAGED: 0.85 - direct}
    for kind, share in shares.items():
        assert near(found == kind, share), kind
    assert np.isin(found, list(shares)).all()


def test_in_a_care_home_nobody_holds_the_money_himself() -> None:
    assert (route(served(MANY, setting=Setting.CARE_HOME)) == Route.MANAGED).all()


def test_a_route_lasts_while_nothing_changes() -> None:
    place = served(MANY)
    first = small.alone(PLAIN, place)
    place.month = 7
    assert np.array_equal(first.citizens.route, small.alone(PLAIN, place).citizens.route)


def test_who_takes_a_direct_payment_still_does_where_more_do() -> None:
    few, many = (route(served(MANY), PLAIN.but(direct_payment=(0.0, share))) for share in (0.1, 0.5))
    assert ((few == Route.DIRECT_PAYMENT) <= (many == Route.DIRECT_PAYMENT)).all()


@pytest.mark.parametrize("level", [1, 2, 3])
def test_of_the_wealthy_whom_the_council_does_not_know_some_buy_unasked(level: int) -> None:
    found = route(served(MANY, level=level, eligible=False, savings=UPPER + 1))
    assert near(found == Route.SELF_FUNDER, (0.1, 0.3, 0.6)[level - 1])
    assert np.isin(found, (Route.SELF_FUNDER, Route.INELIGIBLE)).all()


# --- R4 ---


@pytest.mark.parametrize(
    ("capital", "steps"),
    [(14_250.00, 0), (14_250.01, 1), (14_500.00, 1), (14_500.01, 2), (20_000.00, 23), (23_250.00, 36)],
)
def test_between_the_limits_a_pound_a_week_for_every_250_pounds(capital: float, steps: int) -> None:
    """One pound of assumed income for every 250 pounds or part of them: what is due rises by as much."""
    without, with_capital = (
        small.alone(PLAIN, served(income=pence(400), savings=pence(amount))).citizens.assessable[0]
        for amount in (0, capital)
    )
    assert abs(with_capital - without - steps * 100 * WEEKS_A_MONTH) < 1  # whole pence a month


@pytest.mark.parametrize("setting", ["home", "care_home"])
def test_what_a_person_can_be_charged_is_what_the_means_test_says(setting: Any) -> None:
    """The importable function and the month agree, for a thousand people of all means."""
    rng = np.random.default_rng(3)
    place = served(
        1000, savings=rng.integers(0, UPPER, 1000), income=rng.integers(0, 80_000, 1000),
        age=rng.integers(216, 1200, 1000),
        setting=int(setting == "care_home"), moved_in=0,
    )  # fmt: skip
    c = small.alone(PLAIN, place).citizens
    for i in range(1000):
        charge = means_test(
            int(c.savings[i]), int(c.income[i]), setting=setting, cost=10**9, partner=False,
            pension_age=bool(c.age[i] >= 66 * 12), home_value=0, home_disregarded=True, rules=PLAIN,
        )  # fmt: skip
        assert c.assessable[i] == int(charge.client * WEEKS_A_MONTH)


def test_raising_the_upper_limit_never_lowers_the_number_who_are_helped_to_pay(lived_in: Place) -> None:
    lived_in.citizens.eligible[:] = lived_in.citizens.level > 0
    helped = [
        lived_in.citizens.eligible & (route(lived_in, PLAIN.but(upper_limit=limit)) != Route.SELF_FUNDER)
        for limit in (14_250.0, 23_250.0, 50_000.0, 100_000.0, 1_000_000.0)
    ]
    assert all((fewer <= more).all() for fewer, more in pairwise(helped))
    assert helped[0].sum() < helped[-1].sum()


def test_every_month_each_person_has_one_route_and_it_is_the_one_reported() -> None:
    """Counts by route sum to the people in need, and to all people with those who need nothing."""
    model = small.run(small.STIRRED, months=0)
    names = ["managed", "service_fund", "direct_payment", "mixed_route", "self_funder", "outside"]
    for _ in range(6):
        model.step()
        c = model.place.citizens
        counted = model.series[names].iloc[-1]
        assert counted.sum() == (c.alive & (c.level > 0)).sum()
        assert counted.sum() + (c.alive & (c.route == Route.NONE)).sum() == len(model.place)
        by_route = model.by("unmet_hours", "route")
        assert by_route["people"].sum() == len(model.place)
        assert by_route["value"].sum() == pytest.approx(model.series["unmet_hours"].iloc[-1], rel=1e-12)
