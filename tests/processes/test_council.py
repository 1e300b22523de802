"""The council's month of money by hand: a grant a head, three pots, staff, early support, and what pays for care."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import small
from carecommons.place.ledger import Account, Event
from carecommons.place.place import Place
from carecommons.place.population import Route, Sequel
from carecommons.processes.council import Council
from carecommons.processes.provision import Provision
from carecommons.units import pence

# A hundred adults at 1,200 pounds a year, of which charges bring in a quarter: 7,500 pounds a month in all.
HUNDRED = Council(
    funding=1.0, spend_per_adult=1200.0, from_charges=0.25, shares=(0.8, 0.05, 0.15), assessment_cost=500.0,
    low_level_cost=20.0, group_grants=0.4, legal_floor=True, reserves=0.1, overspend_limit=0.02,
)  # fmt: skip
GRANT = pence(7500)


def town(people: int = 100, **values: Any) -> Place:
    return small.by_hand(people, **values)


# --- R9, R31: the grant and its pots ---


def test_the_grant_is_so_much_a_head_whatever_the_size_of_the_sample() -> None:
    assert HUNDRED.monthly_grant(100) == GRANT
    for people in (1, 7, 1000, 45_691_677):
        assert abs(HUNDRED.monthly_grant(people) - people * GRANT / 100) <= 0.5  # rounded to a penny, once
    assert HUNDRED.monthly_grant(0) == 0
    assert HUNDRED.but(funding=0.85).monthly_grant(100) == round(0.85 * GRANT)


@pytest.mark.parametrize("shares", [(0.8, 0.05, 0.15), (1.0, 0.0, 0.0), (0.3334, 0.3333, 0.3333)])
def test_the_pots_hold_the_grant_to_the_penny(shares: tuple[float, float, float]) -> None:
    council = HUNDRED.but(shares=shares, group_grants=0.0, assessment_cost=1_000_000.0)
    after = small.alone(council, town())
    books, ledger = after.council, after.ledger
    assert books.care_pot + books.prevention_pot + books.running_pot == GRANT == ledger.flows.sum()
    for pot, share in zip((books.care_pot, books.prevention_pot, books.running_pot), shares, strict=True):
        assert abs(pot - share * GRANT) <= 1
    assert ledger.balances[Account.COUNCIL] == GRANT == -ledger.balances[Account.GOVERNMENT]


def test_staff_can_assess_as_many_as_running_costs_pay_for_and_what_is_short_of_one_carries_over() -> None:
    """1,125 pounds a month at 500 an assessment: 2, 2, 2, 3, and so on."""
    place, made = town(), []
    for _ in range(12):
        place = small.alone(HUNDRED, place)
        made.append(place.council.assessments)
    assert made == [2, 2, 2, 3] * 3
    assert sum(made) == 12 * 1125 // 500 and place.council.running_pot == pence(12 * 1125 % 500)
    assert place.ledger.flows[Account.COUNCIL, Account.STAFF] >= 3 * pence(500)


def test_prevention_pays_groups_their_share_and_low_level_support_as_far_as_it_reaches() -> None:
    """375 pounds: 150 to groups, and 225 for eleven people's equipment at 20 pounds, though twelve came."""
    for came, paid in ((0, 0), (5, 100), (12, 225)):
        sequel = np.where(np.arange(100) < came, Sequel.LOW_LEVEL, Sequel.NONE)
        after = small.alone(HUNDRED.but(shares=(0.95, 0.05, 0.0)), town(sequel=sequel))
        assert after.ledger.flows[Account.COUNCIL, Account.GROUPS] == pence(150)
        assert after.ledger.flows[Account.COUNCIL, Account.STAFF] == pence(paid)
        assert after.council.prevention_pot == pence(225 - paid)


def test_reserves_are_a_share_of_a_years_grant_and_come_from_the_government() -> None:
    place = town()
    HUNDRED.settle(place)
    assert place.council.reserves == 12 * GRANT // 10 == place.ledger.balances[Account.COUNCIL]
    assert place.ledger.balances.sum() == 0


# --- R31: who pays when care costs more than its pot ---


def purse(care: int, prevention: int, reserves: int, allowance: int, floor: bool) -> Place:
    """Ten people whose packages cost a hundred pounds each, and so many pounds in each place."""
    place = town(10, level=3, need=4000, entitled=300, eligible=True, assessed=True, route=Route.MANAGED)
    books = place.council
    books.care_pot, books.prevention_pot, books.reserves = pence(care), pence(prevention), pence(reserves)
    books.allowance, books.prevention_first = pence(allowance), floor
    return place


@pytest.mark.parametrize(
    ("care", "prevention", "reserves", "allowance", "floor", "left", "overspent", "served"),
    [
        (1500, 300, 400, 200, True, (0, 300, 900), 0, 10),  # what care leaves goes to the reserves
        (1000, 300, 400, 200, True, (0, 300, 400), 0, 10),
        (800, 300, 400, 200, True, (0, 100, 400), 0, 10),  # prevention first where the floor is on
        (800, 300, 400, 200, False, (0, 300, 200), 0, 10),
        (500, 300, 100, 200, True, (0, 0, 0), 100, 10),  # then reserves, then the rest of the council
        (500, 300, 100, 200, False, (0, 300, 0), 200, 8),
        (300, 300, 100, 100, True, (0, 0, 0), 100, 8),
        (0, 300, 0, 0, False, (0, 300, 0), 0, 0),
        (0, 0, 0, 150, True, (0, 0, 0), 150, 1),  # and half of the second package
    ],
)
def test_pots_are_drawn_in_their_order_and_no_empty_one_but_as_recorded_overspend(
    care: int,
    prevention: int,
    reserves: int,
    allowance: int,
    floor: bool,
    left: tuple[int, ...],
    overspent: int,
    served: int,
) -> None:
    before = purse(care, prevention, reserves, allowance, floor)
    after = small.alone(Provision(home_care_fee=20.0, home_care=10.0), before)
    books, flows = after.council, after.ledger.flows
    assert (books.care_pot, books.prevention_pot, books.reserves) == tuple(pence(pot) for pot in left)
    assert books.overspend == pence(overspent) == flows[Account.REST_OF_COUNCIL, Account.COUNCIL]
    spent = flows[Account.COUNCIL].sum()
    assert before.council.balance + pence(overspent) - spent == books.balance  # opening + income - spend = closing
    assert int((after.citizens.funded == 300).sum()) == served
    assert after.ledger.events[Event.BREACHES] == 10 - served


def test_with_the_legal_floor_prevention_is_empty_before_eligible_need_goes_unpaid() -> None:
    """In a town short of money, month after month: while prevention holds the price of a minute, nobody lacks care."""
    short = small.SCENARIO.but({
        "council.funding": 0.5, "council.reserves": 0.0, "council.overspend_limit": 0.0, "provision.home_care": 10.0,
        "provision.assistants": 10.0, "enterprises.off": True,
    })  # fmt: skip
    minute = math.ceil(pence(short.provision.home_care_fee) / 60)
    kept, lacking = {}, {}
    for floor in (True, False):
        town_ = short.but({"council.legal_floor": floor})
        months = [m.after for m in small.months(town_, small.founded(town_), 12)]
        kept[floor] = [m.council.prevention_pot >= minute and m.ledger.events[Event.BREACHES] > 0 for m in months]
        lacking[floor] = sum(int(m.ledger.events[Event.BREACHES]) for m in months)
    assert not any(kept[True]) and any(kept[False])
    assert 0 < lacking[True] <= lacking[False]
