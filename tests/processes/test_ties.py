"""Ties fade without contact by one formula and are kept up by it; people alike meet; a sign shuts out or takes in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from chance import near

import small
from carecommons.place.ledger import Event
from carecommons.place.place import Place
from carecommons.place.population import Setting
from carecommons.processes.ties import Ties
from carecommons.units import minutes_a_month
from small import Tie

MANY = 20_000
QUIET: dict[str, Any] = {"withdraw": 0.0, "come_back": 0.0, "lose_touch": 0.0, "meet": 0.0}
FADES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08)


def pairs_of_each_kind(**values: Any) -> Place:
    """Seven pairs of people in homes of their own, one of each kind of tie; peers meet in one group."""
    place = small.by_hand(14, [(2 * k, 2 * k + 1, Tie(k)) for k in range(7)], **values)
    place.citizens.group_a[2 * Tie.PEER : 2 * Tie.PEER + 2] = 0
    return place


def closeness(place: Place) -> dict[Tie, float]:
    """How close each pair is, seen from one end; a tie that has ended is missing."""
    t = place.ties
    first = [t.start[k] for k in range(0, len(t.degree), 2) if t.degree[k]]
    return {Tie(t.kind[e]): float(t.strength[e]) for e in first}


# --- R13: decay, upkeep, end ---


def test_without_contact_closeness_falls_by_its_stated_share_a_month() -> None:
    place = pairs_of_each_kind(withdrawn=True)
    ties = Ties(**QUIET, fade=FADES, ends_under=0.0)
    for month in range(1, 37):
        place = small.alone(ties, place)
        for kind, fade in zip(Tie, FADES, strict=True):
            assert closeness(place)[kind] == pytest.approx(0.8 * (1 - fade) ** month, rel=month * 1e-6)  # 32-bit floats
    assert place.ledger.events[Event.TIES_FADED] == 0


def test_a_tie_ends_in_the_month_in_which_it_falls_under_the_least() -> None:
    place = pairs_of_each_kind(withdrawn=True)
    ties = Ties(**QUIET, fade=FADES, ends_under=0.1)
    last = {kind: math.ceil(math.log(0.1 / 0.8) / math.log(1 - fade)) for kind, fade in zip(Tie, FADES, strict=True)}
    for month in range(1, max(last.values()) + 1):
        place = small.alone(ties, place)
        assert set(closeness(place)) == {kind for kind in Tie if month < last[kind]}
        assert place.ledger.events[Event.TIES_FADED] == sum(end == month for end in last.values())
    assert len(place.ties) == 0


def test_contact_moves_closeness_at_the_same_pace_towards_what_the_pair_can_be() -> None:
    place = pairs_of_each_kind()
    ties = Ties(**QUIET, fade=FADES)
    reach = np.array(ties.closeness) + np.array(ties.closeness_span) * place.ties.bond[place.ties.start[:-1:2]] / 65536
    for month in range(1, 37):
        place = small.alone(ties, place)
        for kind, fade, goal in zip(Tie, FADES, reach, strict=True):
            expected = goal + (0.8 - goal) * (1 - fade) ** month
            assert closeness(place)[kind] == pytest.approx(expected, rel=1e-4), kind


def test_family_who_share_a_home_stay_close_even_when_withdrawn() -> None:
    place = pairs_of_each_kind(withdrawn=True, household=np.arange(14) // 2)
    ties = Ties(**QUIET, fade=FADES)
    for _ in range(24):
        place = small.alone(ties, place)
    for kind, (low, span) in enumerate(zip(ties.closeness, ties.closeness_span, strict=True)):
        now, goal = closeness(place).get(Tie(kind), 0.0), low + span
        assert abs(now - goal) < abs(0.8 - goal) + 1e-6 if kind <= Tie.KIN else now < 0.8 * (1 - FADES[kind]) ** 23


@pytest.mark.parametrize(("yearly", "kind"), [(1.2, Tie.FRIEND), (6.0, Tie.NEIGHBOUR), (12.0, Tie.KIN)])
def test_people_lose_touch_as_often_as_stated_but_not_with_family(yearly: float, kind: Tie) -> None:
    """Each of two people who know only each other loses touch on his own."""
    place = small.by_hand(MANY, [(2 * k, 2 * k + 1, kind) for k in range(MANY // 2)])
    after = small.alone(Ties(**{**QUIET, "lose_touch": yearly}), place)
    parted = after.ties.degree[::2] == 0
    assert near(parted, 0.0 if kind == Tie.KIN else 1 - (1 - yearly / 12) ** 2)
    assert after.ledger.events[Event.TIES_FADED] == parted.sum()


# --- how far people get about ---


@pytest.mark.parametrize(
    ("who", "reach"),
    [
        ({}, 1.0),
        ({"level": 2}, 0.8),
        ({"level": 2, "need": 1000, "unmet": 500}, 0.8 * (1 - 0.4 / 2)),
        ({"level": 3, "need": 1000, "unmet": 1000}, 0.6 * (1 - 0.4)),
        ({"given": minutes_a_month(20)}, 1 - 0.25),
        ({"given": minutes_a_month(80)}, 1 - 0.25),
        ({"given": minutes_a_month(10)}, 1 - 0.25 / 2),
        ({"level": 1, "need": 100, "unmet": 100, "given": minutes_a_month(10)}, 0.9 * 0.6 * (1 - 0.25 / 2)),
        ({"setting": Setting.CARE_HOME, "level": 3}, 0.3),
        ({"withdrawn": True}, 0.0),
    ],
)
def test_how_far_people_get_about_by_hand(who: dict[str, Any], reach: float) -> None:
    ties = Ties(
        **QUIET, gets_about=(1.0, 0.9, 0.8, 0.6), without_care=0.4, while_caring=0.25, gets_about_in_care_home=0.3
    )
    found = small.alone(ties, small.by_hand(1, **who)).citizens.reach[0]
    assert found == pytest.approx(reach, abs=2e-4)  # minutes of 20 hours a week are rounded to whole ones


@pytest.mark.parametrize("what", ["without_care", "while_caring"])
def test_care_that_is_lacking_or_given_may_keep_people_in_or_bring_them_out(what: str) -> None:
    busy = small.by_hand(1, level=1, need=1000, unmet=1000, given=minutes_a_month(20))
    others = {"without_care": 0.0, "while_caring": 0.0}
    less, same, more = (
        small.alone(Ties(**QUIET, **{**others, what: effect}), busy).citizens.reach[0] for effect in (0.5, 0.0, -0.5)
    )
    assert less < same < more


# --- the network score ---


def circle(kin: int, friends: int, professionals: int = 0, **values: Any) -> Place:
    """One person, first, who knows so many of each kind, all living elsewhere."""
    kinds = [Tie.KIN] * kin + [Tie.FRIEND] * friends + [Tie.PROFESSIONAL] * professionals
    return small.by_hand(1 + len(kinds), [(0, 1 + k, kind) for k, kind in enumerate(kinds)], **values)


@pytest.mark.parametrize(
    ("kin", "friends", "points"),
    [(0, 0, 0), (1, 0, 3), (2, 1, 9), (3, 4, 18), (5, 2, 18), (8, 9, 27), (9, 20, 30), (40, 40, 30)],
)
def test_the_network_score_adds_up_as_in_lsns_6(kin: int, friends: int, points: int) -> None:
    """Six items: kin and others seen, to talk to, to call on; 0, 1, 2, 3-4, 5-8, 9+ people are 0 to 5 points."""
    still = Ties(**QUIET, fade=(0.0,) * 7)
    assert small.alone(still, circle(kin, friends)).citizens.network[0] == points


@pytest.mark.parametrize(("strength", "points"), [(0.9, 6), (0.35, 4), (0.2, 2), (0.1, 0)])
def test_how_close_a_tie_is_decides_what_it_counts_for(strength: float, points: int) -> None:
    place = circle(1, 1)
    place.ties.strength[:] = strength
    still = Ties(**QUIET, fade=(0.0,) * 7, ends_under=0.05, seen_monthly=0.15, call_on=0.3, talk_private=0.4)
    assert small.alone(still, place).citizens.network[0] == points


def test_paid_workers_and_those_who_have_withdrawn_do_not_count() -> None:
    still = Ties(**QUIET, fade=(0.0,) * 7)
    assert small.alone(still, circle(0, 0, professionals=9)).citizens.network[0] == 0
    one_away = circle(2, 0, withdrawn=[False, True, False])
    assert small.alone(still, one_away).citizens.network[0] == small.alone(still, circle(1, 0)).citizens.network[0]
    assert small.alone(still, circle(2, 2, withdrawn=[True, *[False] * 4])).citizens.network[0] == 0


# --- meeting ---


def mingle(place: Place, **values: Any) -> Place:
    """A month in which everybody goes out and meets somebody near by, with room for all who become friends."""
    place.ties = small.knit(len(place.citizens), [], slack=40)
    return small.alone(Ties(**{**QUIET, "meet": 1.0}, through_friends=0.0, **values), place)


def ends(place: Place) -> tuple[np.ndarray, np.ndarray]:
    t = place.ties
    once = t.used & (t.owner < t.neighbour)
    return t.owner[once], t.neighbour[once]


@pytest.mark.parametrize(("years", "spread"), [(30, 16.0), (30, 1000.0), (10, 8.0)])
def test_a_meeting_leads_to_a_tie_less_often_the_further_apart_in_age(years: int, spread: float) -> None:
    ages = np.where(np.arange(MANY) % 2 == 0, 30 * 12, (30 + years) * 12)
    a, b = ends(mingle(small.by_hand(MANY, age=ages), like_age=spread))
    chance = math.exp(-years / spread)
    assert near(ages[a] != ages[b], chance / (1 + chance))


@pytest.mark.parametrize(("receptive", "welcome"), [(-1.0, 0.0), (-0.5, 0.0), (0.0, 0.0), (1.0, 0.0), (-1.0, 1.0)])
def test_where_people_are_shut_out_those_who_meet_stigma_are_met_less(receptive: float, welcome: float) -> None:
    stigma = np.arange(MANY) % 2 == 0
    place = small.by_hand(MANY, stigma=stigma)
    place.neighbourhoods.receptiveness[:] = receptive
    a, b = ends(mingle(place, welcome=welcome, stigma_effect=1.0))
    chance = math.exp(min(receptive + welcome, 0.0))
    assert near(stigma[a] != stigma[b], chance / (1 + chance))


@pytest.mark.parametrize("receptive", [-1.0, 0.0, 1.0])
def test_those_who_meet_stigma_withdraw_more_where_shut_out_and_less_where_welcome(receptive: float) -> None:
    stigma = np.arange(MANY) % 2 == 0
    place = small.by_hand(MANY, stigma=stigma)
    place.neighbourhoods.receptiveness[:] = receptive
    c = small.alone(Ties(**{**QUIET, "withdraw": 0.03}, stigma_effect=0.7), place).citizens
    assert near(c.withdrawn[stigma], 0.03 * math.exp(-0.7 * receptive)) and near(c.withdrawn[~stigma], 0.03)


def test_friends_of_friends_become_friends() -> None:
    """In chains of three the ends meet through the middle, and nobody else does."""
    chains = [(3 * k + end, 3 * k + 1, Tie.KIN) for k in range(1000) for end in (0, 2)]
    place = small.by_hand(3000, chains)
    after = small.alone(Ties(**{**QUIET, "meet": 1.0}, through_friends=1.0, like_age=1000.0), place)
    a, b = ends(after)
    new = after.ties.kind[after.ties.used & (after.ties.owner < after.ties.neighbour)] == Tie.FRIEND
    assert new.sum() == after.ledger.events[Event.TIES_FORMED] > 500
    assert (a[new] % 3 == 0).all() and (b[new] == a[new] + 2).all()


def test_who_has_friends_enough_or_has_withdrawn_looks_for_no_more() -> None:
    ring = [(k, (k + 1) % 2000, Tie.FRIEND) for k in range(2000)]
    for values, enough, formed in (({}, 2.0, False), ({}, 4.0, True), ({"withdrawn": True}, 4.0, False)):
        after = small.alone(Ties(**{**QUIET, "meet": 1.0}, enough=enough), small.by_hand(2000, ring, **values))
        assert bool(after.ledger.events[Event.TIES_FORMED]) is formed


# --- R7 ---


def test_a_receptive_place_has_fewer_isolated_people_among_those_who_meet_stigma_and_a_shut_one_more() -> None:
    """The same towns under the same luck; others are hardly touched, by less than half as much."""
    moved = {-1.0: np.zeros(2), 1.0: np.zeros(2)}
    towns = small.SCENARIO.but({"people.receptiveness_spread": 0.0, "people.stigma_share": 0.8})
    for seed in (1, 2, 3):
        isolated = {}
        for receptive in (-1.0, 0.0, 1.0):
            c = small.run(towns.but({"people.receptiveness": receptive}), seed=seed, months=24).place.citizens
            isolated[receptive] = np.array([c.isolated[c.alive & (c.stigma == who)].mean() for who in (True, False)])
        for receptive, by in moved.items():
            by += (isolated[receptive] - isolated[0.0]) / 3
    assert moved[1.0][0] < 0 < moved[-1.0][0]
    assert abs(moved[1.0][1]) < abs(moved[1.0][0]) / 2 and abs(moved[-1.0][1]) < abs(moved[-1.0][0]) / 2


def test_at_no_strength_receptiveness_does_nothing() -> None:
    base = small.STIRRED.but({"ties.stigma_effect": 0.0})
    towns = [base.but({"people.receptiveness": r, "people.receptiveness_spread": 0.0}) for r in (-1.0, 1.0)]
    a, b = (small.run(town, months=6).place for town in towns)
    assert small.differing(a, b) == []
