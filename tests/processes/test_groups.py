"""Groups take members near by, give company and a little help, and when one closes exactly its peers part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chance import near

import small
from carecommons.place.ledger import Event, Giver
from carecommons.place.organisations import Groups as State
from carecommons.place.place import Place
from carecommons.processes.groups import Groups
from carecommons.processes.ties import Ties
from carecommons.units import monthly
from small import Tie

STILL: dict[str, Any] = {"join": 0.0, "leave": 0.0, "close": 0.0, "reopen": 0.0, "acquaint": 0.0}
QUIET = Ties(withdraw=0.0, come_back=0.0, lose_touch=0.0, meet=0.0, fade=(0.0,) * 7)


def with_groups(place: Place, count: int, capacity: int = 1000) -> Place:
    """The place with so many open groups, spread evenly over its neighbourhoods."""
    g = place.groups = State.vacant(count)
    hoods = len(place.neighbourhoods.deprivation)
    g.id[:], g.neighbourhood[:] = np.arange(count), np.arange(count) * hoods // max(count, 1)
    g.open[:], g.capacity[:] = True, capacity
    return place


# --- R13: a venue closes ---


def clubs() -> Place:
    """Two clubs: 0, 1, 2 belong to the first, 1, 2, 3, 4 to the second; some are kin or friends besides."""
    pairs = [
        (0, 1, Tie.PEER), (0, 2, Tie.PEER), (1, 2, Tie.PEER), (2, 3, Tie.PEER), (3, 4, Tie.PEER),
        (0, 3, Tie.FRIEND), (0, 5, Tie.KIN), (1, 5, Tie.NEIGHBOUR),
    ]  # fmt: skip
    place = small.by_hand(6, pairs, group_a=[0, 0, 0, 1, 1, -1], group_b=[-1, 1, 1, -1, -1, -1])
    return with_groups(place, 2)


def tied(place: Place) -> set[tuple[int, int]]:
    t = place.ties
    once = t.used & (t.owner < t.neighbour)
    return set(zip(t.owner[once].tolist(), t.neighbour[once].tolist(), strict=True))


@pytest.mark.parametrize("grace", [0, 1, 3])
def test_closing_a_venue_ends_exactly_its_peer_ties_after_the_grace_period(grace: int) -> None:
    """1 and 2 share the other club, 0 and 3 are friends: theirs stay. Ties last a month longer than membership."""
    groups = Groups(**STILL, grace=grace)
    place = clubs()
    before = tied(place)
    place.groups.open[0], place.groups.closed[0] = False, 1  # closed in the first month
    for month in range(1, 8):
        place = small.alone(QUIET, place)
        place.month -= 1
        faded = place.ledger.events[Event.TIES_FADED]
        place = small.alone(groups, place)
        lost = {(0, 1), (0, 2)} if month > 1 + grace else set()
        assert tied(place) == before - lost, month
        assert faded == (2 if month == 2 + grace else 0)
        belongs = [0, 0, 0] if month < 1 + grace else [-1, -1, -1]
        assert place.citizens.group_a[:3].tolist() == belongs
    assert place.citizens.group_b.tolist() == [-1, 1, 1, -1, -1, -1]


def test_in_a_whole_town_too_only_peers_of_no_common_group_part() -> None:
    place = small.run(small.STIRRED, months=6).place
    rng = np.random.default_rng(1)
    place.groups.open[rng.random(len(place.groups)) < 0.5] = False
    place.groups.closed[~place.groups.open] = -100
    place = small.alone(Groups(**STILL), place)
    c, t = place.citizens, place.ties
    mine = [set(pair) - {-1} for pair in zip(c.group_a.tolist(), c.group_b.tolist(), strict=True)]
    once = t.used & (t.owner < t.neighbour)
    ends_of = list(zip(t.owner[once].tolist(), t.neighbour[once].tolist(), t.kind[once].tolist(), strict=True))
    expected = {(a, b) for a, b, kind in ends_of if kind != Tie.PEER or mine[a] & mine[b]}
    after = tied(small.alone(Ties(**QUIET.but(ends_under=0.0).model_dump()), place))
    assert after == expected and len(expected) < len(ends_of)


# --- opening, closing, joining, leaving ---


def test_groups_close_at_their_yearly_rate_and_others_take_their_place_after_the_grace() -> None:
    place = with_groups(small.by_hand(10), 20_000)
    shut = small.alone(Groups(**{**STILL, "close": 0.3}), place)
    assert near(~shut.groups.open, monthly(0.3))
    assert shut.ledger.events[Event.GROUPS_CLOSED] == (~shut.groups.open).sum()
    assert (shut.groups.closed[~shut.groups.open] == 1).all()
    closed = ~shut.groups.open
    opening = Groups(**{**STILL, "reopen": 1.0}, grace=2)
    for month in (2, 3):
        shut = small.alone(opening, shut)
        assert shut.month == month and not shut.groups.open[closed].any()  # members still keep up
    again = small.alone(opening, shut)
    assert again.groups.open.all() and again.ledger.events[Event.GROUPS_OPENED] == closed.sum()
    assert len(np.unique(again.groups.id)) == 20_000 and (again.groups.id[closed] > 20_000).all()


def test_members_leave_at_the_stated_rate() -> None:
    place = with_groups(small.by_hand(20_000, group_a=0, group_b=1), 2, capacity=30_000)
    c = small.alone(Groups(**{**STILL, "leave": 0.1}), place).citizens
    assert near(c.group_a < 0, 0.1) and near(c.group_b < 0, 0.1)


def test_people_join_open_groups_near_by_the_sociable_more() -> None:
    sociable = np.arange(20_000) % 2 == 0
    place = with_groups(small.by_hand(20_000, hoods=10, sociability=np.where(sociable, 1.5, 0.5)), 20, capacity=30_000)
    place.groups.open[3] = False
    c = small.alone(Groups(**{**STILL, "join": 0.2}), place).citizens
    joined = c.group_a >= 0
    hood_with_half = c.neighbourhood == 1  # one of its two groups is closed
    for who, multiple in ((sociable, 1.5), (~sociable, 0.5)):
        assert near(joined[who & ~hood_with_half], 0.2 * multiple)
        assert near(joined[who & hood_with_half], 0.2 * multiple / 2)
    assert (c.group_a[joined] // 2 == c.neighbourhood[joined]).all() and not (c.group_a == 3).any()


def test_a_full_group_admits_nobody_more_and_nobody_who_has_withdrawn_or_is_in_a_care_home() -> None:
    place = with_groups(small.by_hand(300), 1, capacity=25)
    c = small.alone(Groups(**{**STILL, "join": 1.0}), place).citizens
    assert (c.group_a == 0).sum() == 25
    for values in ({"withdrawn": True}, {"setting": 1}):
        place = with_groups(small.by_hand(300, **values), 1)
        assert not (small.alone(Groups(**{**STILL, "join": 1.0}), place).citizens.group_a == 0).any()


def test_members_get_to_know_members_and_nobody_else() -> None:
    member = np.arange(2000) % 2 == 0
    place = with_groups(small.by_hand(2000, group_a=np.where(member, 0, -1), reach=1.0), 1, capacity=2000)
    after = small.alone(Groups(**{**STILL, "acquaint": 1.0}), place)
    t = after.ties
    assert after.ledger.events[Event.TIES_FORMED] == len(t) > 500
    assert (t.kind[t.used] == Tie.PEER).all() and member[t.owner[t.used]].all() and member[t.neighbour[t.used]].all()
    stays_in = small.alone(Groups(**{**STILL, "acquaint": 1.0}), with_groups(small.by_hand(50, group_a=0), 1))
    assert len(stays_in.ties) == 0  # reach 0: nobody gets about


# --- help ---


@pytest.mark.parametrize(
    ("givers", "needs", "each", "most", "expected"),
    [
        (3, [1000, 1000], 90, 480, [135, 135]),
        (3, [1000, 50], 90, 480, [135, 50]),
        (9, [1000], 90, 480, [480]),
        (0, [1000, 1000], 90, 480, [0, 0]),
        (2, [300, 300, 300], 100, 480, [66, 66, 66]),
        (3, [1000, 1000], 0, 480, [0, 0]),
    ],
)
def test_members_time_is_shared_among_members_in_need(
    givers: int, needs: list[int], each: int, most: int, expected: list[int]
) -> None:
    need = [0] * givers + needs
    place = with_groups(small.by_hand(len(need), need=need, level=[min(n, 1) for n in need], group_a=0), 1)
    after = small.alone(Groups(**STILL, volunteer_minutes=each, most_help=most), place)
    assert after.citizens.community.tolist() == [0] * givers + expected
    assert after.ledger.minutes[Giver.COMMUNITY] == sum(expected)


# --- R3: assets ---


def test_without_anybodys_time_there_is_no_community_supply_and_services_stand_alone() -> None:
    """All assets nought: no minute is given unpaid, and the town is the one in which nobody could be asked, exactly."""
    nothing = small.STIRRED.but(
        {
            "people.spare_hours": 0.0,
            "people.spare_hours_working": 0.0,
            "groups.volunteer_minutes": 0,
            "informal_care.worth": 0.0,
        }
    )
    services = nothing.but({"informal_care.off": True})
    place = small.founded(nothing)
    for month in small.months(nothing, place, 10):
        given = month.after.ledger.minutes
        assert given[Giver.UNPAID] == given[Giver.COMMUNITY] == 0 and given[Giver.COUNCIL] > 0
        assert not month.after.citizens.strain.any()
    assert small.differing(month.after, small.run(services, place, months=10).place) == []


def test_without_groups_nobody_belongs_and_nobody_is_a_peer() -> None:
    for none in ({"groups.per_1000": 0.0}, {"groups.off": True}):
        place = small.run(small.STIRRED.but(none), months=6).place
        t = place.ties
        assert len(place.groups) == 0 and not (place.citizens.group_a >= 0).any()
        assert not (t.kind[t.used] == Tie.PEER).any() and not place.citizens.community.any()
