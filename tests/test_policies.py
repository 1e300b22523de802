"""Policies at their extremes, and which way results move when one thing moves: the statements that hold, and when.

Statements that do not hold for every world are in docs/decisions/laws.md, with what is tested in their place.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import small
from carecommons.place.ledger import Account, Event, Giver
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.place.population import Citizens, Route, Setting
from carecommons.processes.asking import Asking
from carecommons.processes.assessment import BANDS, Assessment
from carecommons.processes.charging import Charging
from carecommons.processes.enterprises import Enterprises
from carecommons.processes.groups import Groups
from carecommons.processes.informal_care import InformalCare
from carecommons.processes.need import Need
from carecommons.processes.provision import Provision
from carecommons.processes.ties import Ties
from carecommons.processes.turnover import Turnover
from carecommons.rules.means_test import means_test
from carecommons.units import WEEKS_A_MONTH
from small import Tie

MONTH = Luck(1, 1)
AMPLE = {"provision.home_care": 10.0, "provision.assistants": 10.0, "provision.private_care": 10.0}
CARE = ("informal", "given", "community", "from_own", "from_council", "unmet", "spare_care", "level", "need", "strain",
        "isolated", "lonely", "scrqol", "network", "setting", "alive")  # fmt: skip


def without_homes(place: Place) -> Place:
    """The same place in which nobody lives in a care home."""
    place.citizens.setting[:] = Setting.HOME
    return place


# --- no money, all the money ---


def test_without_a_budget_the_council_pays_for_nothing_ever() -> None:
    scenario = small.STIRRED.but({"council.funding": 0.0})
    for month in small.months(scenario, small.founded(scenario), 12):
        c, ledger = month.after.citizens, month.after.ledger
        assert ledger.flows[Account.COUNCIL].sum() == ledger.minutes[Giver.COUNCIL] == month.after.council.balance == 0
        assert not (c.from_council.any() or c.council_cost.any() or c.funded.any())
        assert ledger.events[Event.ASSESSMENTS] == 0


def test_in_the_first_month_unpaid_care_is_the_same_whatever_the_budget() -> None:
    scenario = small.STIRRED.but({"enterprises.off": True})
    place = small.founded(scenario)
    first = [small.run(scenario.but({"council.funding": f}), place, months=1).place for f in (0.0, 0.7, 10.0)]
    for a, b in pairwise(first):
        assert set(small.differing(a, b)).isdisjoint(
            {"informal", "given", "community", "level", "need", "withdrawn", "ties"}
        )


def test_beyond_what_all_eligible_need_costs_more_money_changes_nothing_for_anybody() -> None:
    scenario = small.STIRRED.but({**AMPLE, "council.assessment_cost": 50.0, "council.overspend_limit": 0.0,
                                  "enterprises.off": True})  # fmt: skip
    place = small.founded(scenario)
    riches = ({"council.funding": 10.0, "council.spend_per_adult": pounds} for pounds in (20_000.0, 60_000.0))
    enough, plenty = (small.run(scenario.but(rich), place, months=12).place for rich in riches)
    assert small.differing(enough, plenty, apart_from=("council", "ledger")) == []
    c = enough.citizens
    clients = c.eligible & (c.route != Route.SELF_FUNDER)
    assert clients.any() and np.array_equal(c.funded[clients], c.entitled[clients])
    assert not (c.waiting_since >= 0).any() and enough.ledger.events[Event.BREACHES] == 0


def test_when_hours_run_short_instead_of_money_the_shortfall_is_that_of_the_hours() -> None:
    scenario = small.STIRRED.but({"council.funding": 10.0, "provision.home_care": 0.05})
    place = without_homes(small.run(scenario, months=4).place)
    after = small.alone(scenario.provision, place).citizens
    managed = after.eligible & (after.route == Route.MANAGED)
    hours = round(0.05 * len(after) * 60 * WEEKS_A_MONTH)
    assert after.funded[managed].sum() == min(hours, after.entitled[managed].sum()) == hours


def test_when_nobody_is_eligible_care_is_what_it_is_without_a_budget() -> None:
    """Assessments cost no more than today's and nobody pays for prevention: the two worlds' people are the same."""
    base = small.STIRRED.but({"assessment.discretion": 0.0})
    nobody = base.but({"assessment.threshold": 11})
    broke = nobody.but({"council.funding": 0.0})
    worlds = [small.run(s, months=10).place for s in (nobody, broke)]
    assert not worlds[0].citizens.eligible.any()
    assert set(small.differing(*worlds)).isdisjoint(CARE)


@pytest.mark.parametrize("discretion", [0.0, 0.5, 1.0])
def test_a_threshold_of_eleven_serves_nobody_whatever_the_discretion(discretion: float) -> None:
    place = small.by_hand(200, level=3, deficits=0b1111111111, need=5000)
    assert not Assessment(threshold=11, discretion=discretion).passes(place, seed=1).any()


def test_a_band_that_is_nobody_serves_nobody() -> None:
    place = small.by_hand(200, level=3, deficits=0b1111111111, need=5000)
    assert not Assessment(rule="facs", band="nobody").passes(place, seed=1).any()


@pytest.mark.parametrize("rule", [{"threshold": 0}, {"rule": "facs", "band": "low"}], ids=["care act", "facs"])
def test_the_laxest_rules_serve_everybody_in_need_and_nobody_else(
    rule: dict[str, Any],
) -> None:
    place = small.founded(small.STIRRED)
    assert np.array_equal(Assessment(**rule).passes(place, seed=1), place.citizens.level > 0)


# --- no need, nothing moves, everything moves ---


def test_without_need_there_is_no_demand_no_care_and_no_strain_ever() -> None:
    scenario = small.spread(small.STIRRED, {"need.worsen": 0.0, "need.shock": 0.0, "need.lifelong": 0.0})
    for month in small.months(scenario, small.founded(scenario), 10):
        c, happened = month.after.citizens, month.after.ledger.events
        assert not (c.need.any() or c.strain.any() or c.eligible.any() or c.requests.any() or c.funded.any())
        assert not month.after.ledger.minutes.any()
        assert happened[Event.REQUESTS] == happened[Event.CRISES] == happened[Event.JOINED_LIST] == 0


FROZEN = {
    "turnover.off": True, "pairing.off": True, "need.off": True, "groups.join": 0.0, "groups.leave": 0.0,
    "groups.close": 0.0, "groups.acquaint": 0.0, "ties.withdraw": 0.0, "ties.come_back": 0.0, "ties.meet": 0.0,
    "ties.lose_touch": 0.0,
    "ties.fade": 0.0, "ties.ends_under": 0.0, "informal_care.tiring": 0.0, "informal_care.breakdown": 0.0,
    "informal_care.crowding": 0.0, "asking.rate": 0.0, "asking.again": 0.0, "asking.crisis": 0.0,
    "assessment.review_months": 120, "enterprises.exit_rate": 0.0, "enterprises.unaided": 0.0,
    "enterprises.catalysts": 0.0, "enterprises.referral": 0.0, "council.group_grants": 0.0, "charging.buys": 0.0,
    "people.savings_median": 0.0, "people.home_value": 0.0,
}  # fmt: skip


def test_with_all_rates_at_nought_every_month_is_like_the_last_and_what_adds_up_adds_up_evenly() -> None:
    scenario = small.spread(small.SCENARIO, {**FROZEN, **AMPLE, "council.funding": 3.0})
    # Getting about follows last month's care, so that the second month is the first like the others.
    states = [month.after for month in small.months(scenario, small.founded(scenario), 8)][1:]
    for a, b in pairwise(states):
        assert small.differing(a, b, apart_from=("care_paid", "reviewed", "ledger", "council")) == []
        assert set(np.flatnonzero(a.ledger.events != b.ledger.events)) <= {Event.REVIEWS}
        assert np.array_equal(a.ledger.minutes, b.ledger.minutes)
    assert states[0].citizens.funded.any() and states[0].citizens.own_cost.any()
    for a, b, c in zip(states, states[1:], states[2:], strict=False):
        assert np.array_equal(b.citizens.care_paid - a.citizens.care_paid, c.citizens.care_paid - b.citizens.care_paid)
    # The running pot carries what is short of one assessment, and that alone goes up and down.
    kept = np.diff([place.council.balance - place.council.running_pot for place in states])
    assert len(set(kept.tolist())) == 1


def happens(rate: float) -> list[tuple[str, Any, Callable[[Place, Place], Any]]]:
    """Processes of which one event has the chance `rate`, and who it happened to among those at risk."""
    return [
        ("withdraw", Ties(withdraw=rate, stigma_effect=0.0), lambda b, a: a.citizens.withdrawn[about(b)]),
        ("come back", Ties(come_back=rate, withdraw=0.0), lambda b, a: ~a.citizens.withdrawn[b.citizens.withdrawn]),
        ("leave a group", Groups(leave=rate, join=0.0, close=0.0),
         lambda b, a: a.citizens.group_a[in_open_group(b)] < 0),
        ("a group closes", Groups(close=rate, reopen=0.0), lambda b, a: ~a.groups.open[b.groups.open]),
        ("a closed group reopens", Groups(close=0.0, reopen=rate),
         lambda b, a: a.groups.open[~b.groups.open & (b.groups.closed < 0)]),
        ("an enterprise closes", Enterprises(exit_rate=rate, unaided=0.0),
         lambda b, a: ~a.enterprises.open[b.enterprises.open]),
        ("an address is taken", Turnover(arrival=rate), lambda b, a: a.citizens.alive[~b.citizens.alive]),
        ("a crisis", Asking(crisis=(rate,) * 3), lambda b, a: a.citizens.crisis[at_home_in_need(b)]),
        ("turned away at the door", Assessment(at_the_door=(rate,) * 3),
         lambda b, a: a.citizens.waiting_since[asks_unforced(b)] < 0),
    ]  # fmt: skip


def at_home_in_need(place: Place) -> np.ndarray:
    return (place.citizens.level > 0) & (place.citizens.setting == Setting.HOME)


def about(place: Place) -> np.ndarray:
    return place.citizens.alive & ~place.citizens.withdrawn


def in_open_group(place: Place) -> np.ndarray:
    group = place.citizens.group_a
    return (group >= 0) & place.groups.open[np.maximum(group, 0)]


def asks_unforced(place: Place) -> np.ndarray:
    c = place.citizens
    return (c.requests > 0) & ~c.crisis & (c.waiting_since < 0)


@pytest.fixture(scope="module")
def risky() -> Place:
    """A place in which everything stands to happen: vacant addresses, closed groups, withdrawn people, requests."""
    place = small.run(small.STIRRED, months=5).place
    place = small.alone(small.STIRRED.turnover, place)
    place.council.assessments = 0
    place.groups.open[::3], place.groups.closed[::3] = False, -100  # long past the months of grace
    # An enterprise whose founder cannot go on closes at any rate.
    e, c = place.enterprises, place.citizens
    unfit = e.open & (~c.alive[np.maximum(e.founder, 0)] | (c.level[np.maximum(e.founder, 0)] >= 2))
    e.clear(np.flatnonzero(unfit), keep=("neighbourhood",))
    c.requests[::2], c.crisis[:] = (c.level[::2] > 0) & c.alive[::2], False
    return place


@pytest.mark.parametrize("k", range(len(happens(1.0))), ids=[name for name, *_ in happens(1.0)])
def test_what_is_certain_happens_to_everybody_at_risk_and_what_is_impossible_to_nobody(k: int, risky: Place) -> None:
    for rate in (0.0, 1.0):
        _, process, happened = happens(rate)[k]
        found = happened(risky, small.alone(process, risky))
        assert len(found) > 0
        assert found.all() if rate == 1.0 else not found.any()


def test_need_that_cannot_worsen_never_does_and_need_that_recovers_surely_does_at_the_fastest_pace() -> None:
    """A level moves by one a month with at most an even chance, which keeps the chain in order (see the decisions)."""
    place = small.by_hand(4000, level=np.arange(4000) % 4, need=100)
    still = small.alone(Need(worsen=(0.0,) * 3, recover=(0.0,) * 3, shock=0.0), place)
    assert np.array_equal(still.citizens.level, place.citizens.level)
    sure = small.alone(Need(worsen=(0.0,) * 3, recover=(1.0,) * 3, shock=0.0, recover_by_age=0.0), place)
    at_risk = place.citizens.level > 0
    recovered = (place.citizens.level - sure.citizens.level)[at_risk]
    assert np.isin(recovered, (0, 1)).all()
    assert abs(recovered.mean() - 0.5) <= 4 * np.sqrt(0.25 / at_risk.sum())


# --- more of something ---


@pytest.fixture(scope="module")
def needy() -> Place:
    """A stirred place just before the month's money is spent, with nobody in a care home."""
    scenario = small.spread(small.STIRRED, {"assessment.care_home": 0.0})
    return without_homes(small.run(scenario, months=6).place)


def bought(place: Place, pence_in_pot: int, **prices: float) -> Citizens:
    """What people get when the care pot holds so much and nothing else is there."""
    here = place.copy()
    for pot in ("prevention_pot", "reserves", "allowance"):
        setattr(here.council, pot, 0)
    here.council.care_pot = pence_in_pot
    return small.alone(small.STIRRED.provision.but(**prices), here).citizens


@given(st.integers(0, 30_000_000), st.integers(0, 10_000_000))
def test_more_money_never_gives_anybody_less_in_the_same_month(needy: Place, pot: int, more: int) -> None:
    less, plenty = bought(needy, pot), bought(needy, pot + more)
    assert (plenty.funded >= less.funded).all()
    assert plenty.from_council.sum() >= less.from_council.sum()


@given(st.integers(0, 30_000_000), st.integers(0, 10_000_000))
def test_with_care_homes_too_more_money_never_gives_anybody_less_in_the_same_month(
    lived: Callable[[], Place], pot: int, more: int
) -> None:
    place = small.run(small.STIRRED, months=6).place
    assert (place.citizens.setting == Setting.CARE_HOME).any()
    assert (bought(place, pot + more).funded >= bought(place, pot).funded).all()


def test_over_the_years_more_money_leaves_less_unmet_when_nothing_feeds_back() -> None:
    """Same people and clients, nobody dies, care changes neither need nor isolation nor unpaid care, no care homes.

    (Isolation is among the outcomes that rank people.) Then cumulative unmet need falls, or stays, with every pound,
    for everybody. With feedback there is no such law.
    """
    scenario = small.spread(small.STIRRED, {
        "turnover.off": True, "pairing.off": True, "need.isolation_effect": 1.0, "need.unmet_effect": 1.0,
        "ties.off": True, "groups.off": True,
        "informal_care.crowding": 0.0, "informal_care.tiring": 0.0, "asking.off": True, "assessment.off": True,
        "enterprises.off": True, "charging.off": True, "wellbeing.professional_weight": 0.0,
    })  # fmt: skip
    place = without_homes(small.run(small.STIRRED, months=4).place)
    place.citizens.enterprise[:] = -1  # council clients would take hours from self-funders
    unmet = []
    for funding in (0.0, 0.1, 0.25, 0.5, 1.0, 3.0):
        months = small.months(scenario.but({"council.funding": funding}), place, 24)
        unmet.append(np.cumsum([month.after.citizens.unmet for month in months], axis=0))
    for less, more in pairwise(unmet):
        assert (more <= less).all()
    assert unmet[-1].sum() < unmet[0].sum()


@given(st.integers(0, 10**6))
def test_a_laxer_rule_serves_all_whom_a_stricter_one_serves(seed: int) -> None:
    place = small.founded(small.STIRRED)
    for discretion in (0.0, 0.4):
        served = [Assessment(threshold=k, discretion=discretion).passes(place, seed) for k in range(11)]
        assert all((strict <= lax).all() for lax, strict in pairwise(served))
    served = [Assessment(rule="facs", band=band).passes(place, seed) for band in BANDS]
    assert all((strict <= lax).all() for lax, strict in pairwise(served))
    powers = [Assessment(discretion=d).passes(place, seed) for d in (0.0, 0.3, 1.0)]
    assert all((less <= more).all() for less, more in pairwise(powers))


def test_when_more_are_eligible_nobody_ranked_above_all_of_them_loses(needy: Place) -> None:
    """Rank is by level first: somebody newly eligible may rank above an old client, who may then lose.

    Whoever ranks above every newcomer loses nothing, whatever the budget.
    """
    c = needy.citizens
    rank = np.lexsort((c.id, -c.need, -np.bitwise_count(c.deficits).astype(int), -c.level))
    clients = rank[(c.eligible & (c.route == Route.MANAGED))[rank]]
    upper, late = clients[: len(clients) // 2], clients[len(clients) // 2 :]
    fewer = needy.copy()
    fewer.citizens.eligible[late] = False
    for pot in (10_000, 1_000_000, 4_000_000):
        assert np.array_equal(bought(fewer, pot).funded[upper], bought(needy, pot).funded[upper])


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_hours_of_workers_deliver_no_less_when_money_does_not_bind(
    needy: Place, hours: float, more: float
) -> None:
    few, many = (bought(needy, 10**10, home_care=h) for h in (hours, hours + more))
    assert (many.funded >= few.funded).all()
    unmet = [np.maximum(c.need - c.informal - c.community - c.from_council - c.from_own, 0) for c in (few, many)]
    assert unmet[1].sum() <= unmet[0].sum()


@given(st.integers(0, 20_000_000), st.floats(0, 60))
def test_higher_prices_buy_no_more_from_the_same_money(needy: Place, pot: int, more: float) -> None:
    p = small.STIRRED.provision
    prices = {name: getattr(p, name) + more for name in ("home_care_fee", "assistant_rate", "enterprise_rate")}
    cheap, dear = bought(needy, pot), bought(needy, pot, **prices)
    assert (dear.funded <= cheap.funded).all()


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 20_000), st.integers(0, 12_000_000))
def test_when_one_persons_need_grows_others_get_no_more_and_the_same_when_money_is_plenty(
    needy: Place, pick: int, more: int, pot: int
) -> None:
    clients = np.flatnonzero(needy.citizens.eligible & (needy.citizens.route != Route.SELF_FUNDER))
    k = clients[pick % len(clients)]
    worse = needy.copy()
    worse.citizens.entitled[k] += more
    worse.citizens.need[k] += more
    others = np.arange(len(worse.citizens)) != k
    hours = {"home_care": 10.0, "assistants": 10.0}
    before, after = bought(needy, pot, **hours), bought(worse, pot, **hours)
    council = needy.citizens.eligible & others & (needy.citizens.enterprise < 0)
    assume(needy.citizens.enterprise[k] < 0)
    assert (after.funded[council] <= before.funded[council]).all()
    before, after = bought(needy, 10**10, **hours), bought(worse, 10**10, **hours)
    assert np.array_equal(after.funded[council], before.funded[council]) and after.funded[k] == before.funded[k] + more


# --- charges ---


def charged(in_home: bool, paired: bool, **differs: Any) -> Citizens:
    """One person's charge and care, paid from a purse and by workers that are ample."""
    values = dict(level=3, need=[12_000, 0], entitled=9_000, eligible=[True, False], assessed=True, age=80 * 12,
                  income=20_000, setting=int(in_home), moved_in=0 if in_home else -1,
                  partner=[1, 0] if paired else -1)  # fmt: skip
    place = small.alone(Charging(), small.by_hand(2, **{**values, **differs}))
    place.council.care_pot = 10**8
    ample = Provision(home_care=10.0, private_care=10.0, assistants=10.0)
    place.citizens.entitled[0] = 5_000
    return small.alone(ample, place).citizens


@settings(max_examples=60)
@given(st.integers(0, 3_000_000), st.integers(0, 3_000_000), st.booleans(), st.booleans())
def test_whoever_has_more_is_charged_no_less_and_costs_the_council_no_more(
    capital: int, more: int, in_home: bool, paired: bool
) -> None:
    """Across every limit of the means test: the same person with more capital."""
    poor, rich = (charged(in_home, paired, savings=amount) for amount in (capital, capital + more))
    assert rich.assessable[0] >= poor.assessable[0]
    assert rich.council_cost[0] <= poor.council_cost[0]


@settings(max_examples=60)
@given(st.integers(0, 200_000), st.integers(0, 200_000), st.booleans())
def test_whoever_earns_more_is_charged_no_less_and_costs_the_council_no_more(
    income: int, more: int, in_home: bool
) -> None:
    poor, rich = (charged(in_home, paired=False, income=amount) for amount in (income, income + more))
    assert rich.assessable[0] >= poor.assessable[0] and rich.own_cost[0] >= poor.own_cost[0]
    assert rich.council_cost[0] <= poor.council_cost[0]


@pytest.mark.parametrize("cap", [0.0, 20_000.0])
def test_everybodys_charge_is_what_the_means_test_says(lived: Callable[[], Place], cap: float) -> None:
    rules = small.SCENARIO.charging.but(lifetime_cap=cap)
    place = lived()
    place.citizens.care_paid[::3] = 1_900_000
    place.citizens.setting[(place.citizens.level == 3) & (np.arange(len(place.citizens)) % 2 == 0)] = Setting.CARE_HOME
    place.citizens.moved_in[place.citizens.setting == Setting.CARE_HOME] = 0
    c = small.alone(rules, place).citizens
    checked = 0
    for i in np.flatnonzero(c.eligible & (c.route != Route.SELF_FUNDER)):
        home = c.setting[i] == Setting.CARE_HOME
        stayed = int((place.month + 1 - c.moved_in[i]) * WEEKS_A_MONTH)
        week = means_test(
            int(c.savings[i]), int(c.income[i]), setting="care_home" if home else "home", cost=10**9,
            partner=bool(c.partner[i] >= 0), pension_age=bool(c.age[i] >= 66 * 12), home_value=int(c.home_value[i]),
            home_disregarded=bool(c.partner[i] >= 0) or stayed < rules.home_disregard_weeks,
            rules=rules.but(lifetime_cap=0.0),
        )  # fmt: skip
        due = int(week.client * WEEKS_A_MONTH)
        if cap:  # a month's cap: board stays due in a care home, and what was paid before counts
            board = int(rules.daily_living * 100 * WEEKS_A_MONTH) if home else 0
            due = min(due, board + max(int(cap * 100) - int(c.care_paid[i]), 0))
        assert c.assessable[i] == due, (int(i), home)
        checked += 1
    assert checked > 3


# --- unpaid care ---

WILLING = InformalCare(willing=(1.0, 1.0, 1.0), recognised=(1.0, 1.0, 1.0), live_in=1.0, at_most=1.0, crowding=0.0)


def cared(pairs: list[tuple[int, int, Tie]], need: list[int], spare: list[int]) -> Place:
    """A month of unpaid care among people of whom those with a need have it at a moderate level."""
    level = [2 if minutes else 0 for minutes in need]
    return small.alone(WILLING, small.by_hand(len(need), pairs, need=need, level=level, spare=spare))


def test_a_daughter_is_asked_before_a_friend_and_gives_what_she_can() -> None:
    place = cared([(0, 1, Tie.KIN), (0, 2, Tie.FRIEND)], need=[1000, 0, 0], spare=[0, 700, 5000])
    assert place.citizens.given.tolist() == [0, 700, 300]
    assert place.citizens.informal.tolist() == [1000, 0, 0]


def test_of_two_friends_with_equal_bonds_both_are_asked() -> None:
    place = small.by_hand(
        3, [(0, 1, Tie.FRIEND), (0, 2, Tie.FRIEND)], need=[1000, 0, 0], level=[2, 0, 0], spare=[0, 600, 600]
    )
    place.ties.bond[:] = 60_000
    assert small.alone(WILLING, place).citizens.informal[0] == 1000


def test_a_carer_who_is_asked_for_more_than_she_has_gives_in_proportion() -> None:
    place = cared([(0, 2, Tie.KIN), (1, 2, Tie.KIN)], need=[300, 150, 0], spare=[0, 0, 300])
    assert place.citizens.informal.tolist() == [200, 100, 0]


def test_a_carer_with_somebody_at_home_gives_a_friend_no_less_than_one_who_lives_alone() -> None:
    """Whatever a home multiplies, time for others is what it is."""
    for live_in in (0.0, 1.0, 3.0):
        care = WILLING.but(live_in=live_in)
        place = small.by_hand(
            3, [(0, 1, Tie.FRIEND)], need=[500, 0, 0], level=[2, 0, 0], spare=[0, 400, 0], household=[0, 1, 1]
        )
        assert small.alone(care, place).citizens.informal[0] == 400, live_in


@st.composite
def families(draw: st.DrawFn) -> tuple[list[tuple[int, int, Tie]], list[int], list[int]]:
    n = draw(st.integers(3, 7))
    every = [(a, b) for a in range(n) for b in range(a)]
    chosen = draw(st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=10))
    kinds = [draw(st.sampled_from([Tie.KIN, Tie.FRIEND, Tie.PEER])) for _ in chosen]
    need = draw(st.lists(st.sampled_from([0, 0, 300, 1000]), min_size=n, max_size=n))
    spare = draw(st.lists(st.integers(0, 900), min_size=n, max_size=n))
    return [(a, b, kind) for (a, b), kind in zip(chosen, kinds, strict=True)], need, spare


def potential(pairs: list[tuple[int, int, Tie]], spare: list[int], who: int) -> int:
    return sum(spare[a] + spare[b] - spare[who] for a, b, _ in pairs if who in (a, b))


@settings(max_examples=60)
@given(families())
def test_a_tie_more_never_leaves_two_people_with_less_that_could_be_given(
    family: tuple[list[tuple[int, int, Tie]], list[int], list[int]],
) -> None:
    """What is *given* in all may fall, because asking is not a maximum flow: see the decisions.

    What one person alone in need gets never falls: nobody else's asking stands in the way.
    """
    pairs, need, spare = family
    need = [minutes if k == 0 else 0 for k, minutes in enumerate(need)]
    before, after = cared(pairs[:-1], need, spare), cared(pairs, need, spare)
    for who in pairs[-1][:2]:
        assert potential(pairs, spare, who) >= potential(pairs[:-1], spare, who)
    assert after.citizens.informal[0] >= before.citizens.informal[0]
    assert after.citizens.informal[0] <= min(need[0], potential(pairs, spare, 0))


@settings(max_examples=60)
@given(families())
def test_nobody_is_given_more_than_needed_nor_gives_more_than_there_is(
    family: tuple[list[tuple[int, int, Tie]], list[int], list[int]],
) -> None:
    place = cared(*family)
    able = np.array(family[2]) * np.where(place.citizens.level == 2, 0.3, 1.0)
    assert (place.citizens.informal <= place.citizens.need).all()
    assert (place.citizens.given <= able).all()


def test_one_tie_more_can_leave_less_care_in_all() -> None:
    """The counterexample that the decisions speak of: 0 asks the closer 2, whom 1 has nobody but; 3 is left idle."""
    apart = [(1, 2, Tie.KIN), (0, 3, Tie.KIN)]
    closer = [(0, 2, Tie.KIN), *apart]
    need, spare = [400, 400, 0, 0], [0, 0, 400, 400]
    assert cared(apart, need, spare).citizens.informal.sum() == 800
    assert cared(closer, need, spare).citizens.informal.sum() == 400
