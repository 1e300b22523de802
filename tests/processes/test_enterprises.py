"""Micro-enterprises open where a founder is found, take clients who hold money and want them, and close."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chance import near

import small
from carecommons.place.ledger import Account, Event
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.place.population import Preference, Route
from carecommons.processes.enterprises import Enterprises
from carecommons.processes.provision import Provision
from carecommons.units import minutes_a_month, monthly, pence
from small import Tie

STILL = Enterprises(pitches=20.0, at_start=20.0, unaided=0.0, catalysts=0.0, exit_rate=0.0, referral=0.0, hours=10.0)


def town(process: Enterprises = STILL, people: int = 1000, **values: Any) -> Place:
    """A place of founders aged 40 without need, with its first enterprises: twenty pitches for a thousand people."""
    place = small.by_hand(people, **values)
    process.settle(place, Luck(1))
    return place


# --- R22: they open and close ---


def test_at_the_start_every_pitch_may_hold_one_and_its_founder_lives_near_by() -> None:
    place = town(hoods=4)
    e, c = place.enterprises, place.citizens
    assert e.open.all() and len(e) == 20 == len(set(e.id.tolist()))
    assert (c.neighbourhood[e.founder] == e.neighbourhood).all() and (e.capacity == minutes_a_month(10)).all()
    assert not len(town(STILL.but(off=True)).enterprises) and not town(STILL.but(at_start=0.0)).enterprises.open.any()


@pytest.mark.parametrize("unfit", [{"age": 70 * 12}, {"level": 1}])
def test_nobody_of_seventy_or_in_need_founds_one(unfit: dict[str, Any]) -> None:
    assert not town(**unfit).enterprises.open.any()


def test_they_close_at_their_yearly_rate_and_when_the_founder_is_gone_or_in_much_need() -> None:
    place = town(people=100_000)
    assert near(~small.alone(STILL.but(exit_rate=0.3), place).enterprises.open, monthly(0.3))
    e, c = place.enterprises, place.citizens
    c.alive[e.founder[0]], c.level[e.founder[1]], c.level[e.founder[2]] = False, 2, 1
    after = small.alone(STILL, place)
    gone = np.isin(e.founder, e.founder[:2])
    assert np.array_equal(~after.enterprises.open, gone) and after.ledger.events[Event.ENTERPRISES_CLOSED] == gone.sum()


@pytest.mark.parametrize(("unaided", "catalysts"), [(0.6, 0.0), (0.0, 6.0), (1.2, 2.0), (0.0, 0.0)])
def test_new_ones_come_at_the_rate_without_support_and_so_many_a_year_for_each_catalyst(
    unaided: float, catalysts: float
) -> None:
    """In 100,000 adults: 100 a year for each one per 1,000, and 60 for each catalyst per 100,000."""
    place = town(STILL.but(at_start=0.0), people=100_000)
    after = small.alone(STILL.but(unaided=unaided, catalysts=catalysts, aided=60.0), place)
    yearly = 100 * unaided + 60 * catalysts
    assert near(after.enterprises.open, yearly / 12 / 2000)
    assert after.ledger.events[Event.ENTERPRISES_OPENED] == after.enterprises.open.sum()


# --- clients ---


def seekers(people: int = 1000, **values: Any) -> Place:
    usual = {"route": Route.DIRECT_PAYMENT, "prefers": Preference.ALTERNATIVE}
    place = town(STILL, people)
    for name, value in {**usual, **values}.items():
        getattr(place.citizens, name)[:] = value
    return place


@pytest.mark.parametrize(
    ("who", "taken"),
    [
        ({}, True),
        ({"prefers": Preference.MIXED}, True),
        ({"prefers": Preference.TRADITIONAL}, False),
        ({"route": Route.SELF_FUNDER}, True),
        ({"route": Route.MANAGED}, False),
        ({"route": Route.INELIGIBLE}, False),
        ({"route": Route.NONE}, False),
    ],
)
def test_clients_are_people_who_hold_their_money_and_would_have_something_new(who: dict[str, Any], taken: bool) -> None:
    after = small.alone(STILL.but(referral=1.0), seekers(**who))
    assert bool((after.citizens.enterprise >= 0).any()) is taken


def test_each_takes_no_more_than_its_most_and_gets_to_know_whom_it_takes() -> None:
    place = seekers()
    place.ties = small.knit(1000, [], slack=20)
    after = small.alone(STILL.but(referral=1.0, most_clients=14), place)
    c, e, t = after.citizens, after.enterprises, after.ties
    assert (e.clients == 14).all() and (np.bincount(c.enterprise[c.enterprise >= 0], minlength=20) == 14).all()
    clients = np.flatnonzero(c.enterprise >= 0)
    assert (t.kind[t.used] == Tie.PROFESSIONAL).all()
    knows = set(zip(t.owner[t.used].tolist(), t.neighbour[t.used].tolist(), strict=True))
    founders = e.founder[c.enterprise[clients]]
    assert {(k, f) for k, f in zip(clients.tolist(), founders.tolist(), strict=True) if k != f} <= knows


def test_as_many_of_those_who_look_hear_of_one_as_stated() -> None:
    after = small.alone(STILL.but(referral=0.2, most_clients=100), seekers(people=20_000))
    assert near(after.citizens.enterprise >= 0, 0.2)


def test_clients_stay_until_it_closes_or_they_hold_no_money_any_more() -> None:
    held = small.alone(STILL.but(referral=1.0, most_clients=100), seekers())
    stays = small.alone(STILL, held)
    assert np.array_equal(stays.citizens.enterprise, held.citizens.enterprise)
    held.citizens.route[::2] = Route.MANAGED
    held.citizens.alive[held.enterprises.founder[0]] = False
    after = small.alone(STILL, held)
    shut = np.flatnonzero(~after.enterprises.open)
    assert len(shut)
    kept = (np.arange(1000) % 2 == 1) & ~np.isin(held.citizens.enterprise, shut)
    assert np.array_equal(after.citizens.enterprise, np.where(kept, held.citizens.enterprise, -1))
    assert after.enterprises.clients.sum() == kept[held.citizens.enterprise >= 0].sum()


def test_what_a_client_holds_buys_the_enterprises_hours() -> None:
    """A direct payment, and the money of a self-funder, go to the enterprise at its price, and so do its hours."""
    place = town()
    c = place.citizens
    funded, private = np.setdiff1d(np.arange(1000), place.enterprises.founder)[:2].tolist()
    for k, route, enterprise in ((funded, Route.DIRECT_PAYMENT, 0), (private, Route.SELF_FUNDER, 1)):
        c.level[k], c.need[k], c.route[k], c.enterprise[k] = 2, 2000, route, enterprise
    c.eligible[funded], c.entitled[funded], c.savings[private] = True, 600, pence(100_000)
    place.council.care_pot = 10**7
    after = small.alone(Provision(enterprise_rate=18.0, self_paid_share=0.5), place)
    assert after.citizens.funded[funded] == 600 == after.enterprises.load[0]
    assert after.citizens.from_own[private] == 1000 == after.enterprises.load[1]
    flows = after.ledger.flows
    assert flows[Account.COUNCIL, Account.ENTERPRISES] == pence(180)
    assert flows[Account.CITIZENS, Account.ENTERPRISES] == pence(300)


@pytest.mark.parametrize(
    "route",
    [
        Route.DIRECT_PAYMENT, Route.SERVICE_FUND, Route.MANAGED,
        Route.MIXED,
    ],
)  # fmt: skip
def test_an_enterprise_serves_whom_it_takes_and_takes_whom_it_would_serve(route: Route) -> None:
    place = seekers(route=route, need=2000, entitled=600, eligible=True)
    place.citizens.level[:] = np.where(np.isin(np.arange(1000), place.enterprises.founder), 0, 2)
    place.council.care_pot = 10**10
    taken = small.alone(STILL.but(referral=1.0), place)
    takes = bool((taken.citizens.enterprise >= 0).any())
    taken.citizens.enterprise[0] = 0
    assert taken.enterprises.open[0]
    serves = bool(small.alone(Provision(home_care=10.0), taken).enterprises.load.any())
    assert takes == serves


def test_without_support_there_are_next_to_none_and_with_it_they_grow() -> None:
    """Five years of a town of 4,000: under one for 1,000 adults without catalysts, more than twice as many with."""
    counts = {}
    for catalysts in (0.0, 4.0):
        scenario = small.SCENARIO.but({
            "citizens": 4000, "enterprises.pitches": 3.0, "enterprises.at_start": 0.1,
            "enterprises.catalysts": catalysts,
        })  # fmt: skip
        counts[catalysts] = small.run(scenario, months=60).series["enterprises"]
    assert counts[0.0].iloc[-1] < 1.0 * 4 and counts[4.0].iloc[-1] > 2 * counts[0.0].iloc[-1]
    assert counts[4.0].iloc[-1] <= 3.0 * 4
