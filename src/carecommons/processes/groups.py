"""Community groups open, gather members, give company and a little help, and close."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.arrays import I32, I64, Bool
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four
from carecommons.kernels.settle import admit
from carecommons.params import UNCERTAIN, C, D, param
from carecommons.place.ledger import Event, Giver
from carecommons.place.luck import Luck, decision
from carecommons.place.organisations import Groups as State
from carecommons.place.place import Place
from carecommons.place.ties import Tie
from carecommons.processes.process import Process
from carecommons.processes.ties import introduce
from carecommons.units import monthly


class Groups(Process):
    """Groups with a venue take members from near by while there is room; members get to know one another.

    When a group closes its members stay peers for a grace period, then the ties that had no other ground end (Ties).
    Members without need give a little time to members with need. Founding texts name groups' fragility: closure is
    open.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "sociability", "withdrawn", "neighbourhood", "level", "need", "setting", "reach", "group_a",
        "group_b",
        "groups", "ties",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("group_a", "group_b", "community", "groups", "ties", "ledger")

    per_1000: float = param(
        9.0, "community groups for 1,000 adults at the start", unit="groups per 1,000 adults", low=0, high=50,
        role=UNCERTAIN, grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    capacity: int = param(
        25,
        "members that a group can hold",
        unit="people",
        low=1,
        high=1000,
        role=UNCERTAIN,
        grade=D,
        source="assumption",
    )
    founding_share: float = param(
        0.75, "places in groups that are taken at the start", unit="share", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    join: float = param(
        0.01, "chance a month that somebody typical joins a group near by", unit="probability/month", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption: 16% volunteer monthly in groups (Community Life Survey 2023/24)",
    )  # fmt: skip
    leave: float = param(
        0.02, "chance a month that a member leaves", unit="probability/month", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    close: float = param(
        0.06, "groups that close", unit="share/year", low=0, high=1, role=UNCERTAIN, grade=C,
        source="2.5% of registered charities a year (Charity Commission); 13% of squeezed user-led groups (NSUN)",
    )  # fmt: skip
    reopen: float = param(
        0.06, "closed groups whose place is taken by a new one", unit="share/month", low=0, high=1, role=UNCERTAIN,
        grade=D, source="assumption",
    )  # fmt: skip
    grace: int = param(
        3, "months for which peers of a closed group keep up", unit="months", low=0, high=60, role=UNCERTAIN, grade=D,
        source="assumption: friends fade after about 6 months without contact (Dunbar)",
    )  # fmt: skip
    acquaint: float = param(
        0.06, "chance a month that a member gets to know another", unit="probability/month", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    closeness: float = param(
        0.2, "closeness of new peers", unit="share", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption"
    )
    volunteer_minutes: int = param(
        90, "time that each member without need gives to members with need", unit="minutes/month", low=0, high=6000,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    most_help: int = param(
        480, "most help that one member can get from the group", unit="minutes/month", low=0, high=6000, role=UNCERTAIN,
        grade=D, source="assumption: two hours a week",
    )  # fmt: skip

    def settle(self, place: Place, luck: Luck) -> None:
        """Open the first groups, spread over the neighbourhoods, and fill them."""
        c = place.citizens
        hoods = len(place.neighbourhoods.deprivation)
        count = 0 if self.off else round(self.per_1000 * len(c) / 1000)
        g = place.groups = State.vacant(count)
        g.id[:] = np.arange(count)
        g.neighbourhood[:] = np.arange(count) * hoods // max(count, 1)
        g.open[:] = True
        g.capacity[:] = self.capacity
        if count and len(c):
            self._admit(place, luck, self.founding_share * self.capacity * count / len(c), "groups.founding")

    def step(self, place: Place, luck: Luck) -> None:
        """Open and close, join and leave, meet and help."""
        c, g = place.citizens, place.groups
        c.community[:] = 0
        if not len(g):
            return
        over = _open_and_close(
            g.open, g.closed, g.id, monthly(self.close), self.reopen, self.grace, luck.seed, decision("groups"),
            luck.month, place.ledger.events,
        )  # fmt: skip
        _part(c.alive, c.id, c.group_a, c.group_b, over, self.leave, luck.seed, decision("groups.leave"), luck.month)
        self._admit(place, luck, self.join, "groups.join")
        self._acquaint_and_help(place, luck)

    def _admit(self, place: Place, luck: Luck, chance: float, what: str) -> None:
        c, g = place.citizens, place.groups
        who, which = _apply(
            c.alive, c.id, c.sociability, c.withdrawn, c.setting, c.neighbourhood, c.group_a, c.group_b,
            g.neighbourhood, g.open, len(place.neighbourhoods.deprivation), chance, luck.seed, decision(what),
            luck.month,
        )  # fmt: skip
        if len(who):
            order = luck.order(f"{what}.order", c.id[who])
            _take_in(order, who, which, c.group_a, c.group_b, g.capacity)

    def _acquaint_and_help(self, place: Place, luck: Luck) -> None:
        c, g = place.citizens, place.groups
        first, roster = _roster(c.alive, c.group_a, c.group_b, place.row_of, g.members)
        place.ledger.minutes[Giver.COMMUNITY] += _help(
            first, roster, g.open, c.level, c.setting, c.need, c.community, self.volunteer_minutes, self.most_help
        )
        a, b = _meet_peers(
            first, roster, g.open, c.id, c.withdrawn, c.reach, self.acquaint, luck.seed, decision("groups.meet"),
            luck.month,
        )  # fmt: skip
        if len(a):
            kinds = np.full(len(a), Tie.PEER, np.int8)
            formed = introduce(place, a, b, kinds, self.closeness, luck, "groups.peers")
            place.ledger.events[Event.TIES_FORMED] += formed


@compiled
def _open_and_close(
    is_open: Any, closed: Any, ids: Any, close: Any, reopen: Any, grace: Any, seed: Any, key: Any, month: Any,
    events: Any,
) -> Bool:  # fmt: skip
    """Some groups close, new ones take the places of others -> groups whose members part now (groups,)."""
    over = np.zeros(ids.shape[0], np.bool_)
    for g in range(ids.shape[0]):
        u, v, _, _ = four(seed, key, month, g)
        if is_open[g]:
            if u < close:
                is_open[g], closed[g] = False, month
                events[23] += 1
        elif closed[g] + grace < month and v < reopen:
            is_open[g], closed[g] = True, -1
            ids[g] = (month << 32) | g
            events[22] += 1
        over[g] = not is_open[g] and closed[g] + grace <= month
    return over


@compiled
def _part(alive: Any, ids: Any, a: Any, b: Any, over: Any, leave: Any, seed: Any, key: Any, month: Any) -> None:
    """Members of groups that are over, and those who leave, give up their membership."""
    for i in range(alive.shape[0]):
        if a[i] < 0 and b[i] < 0:
            continue
        u, v, _, _ = four(seed, key, month, ids[i])
        if a[i] >= 0 and (over[a[i]] or u < leave):
            a[i] = -1
        if b[i] >= 0 and (over[b[i]] or v < leave):
            b[i] = -1


@compiled
def _apply(
    alive: Any, ids: Any, sociability: Any, withdrawn: Any, setting: Any, neighbourhood: Any, a: Any, b: Any,
    venue: Any, is_open: Any, neighbourhoods: Any, chance: Any, seed: Any, key: Any, month: Any,
) -> tuple[I64, I32]:  # fmt: skip
    """Who would join which open group of the neighbourhood; `venue` holds the groups' own, in rising order."""
    n = alive.shape[0]
    first = np.zeros(neighbourhoods + 1, np.int64)  # the first group of each neighbourhood
    for g in range(venue.shape[0]):
        for k in range(venue[g] + 1, neighbourhoods + 1):
            first[k] += 1
    who, which = np.empty(n, np.int64), np.empty(n, np.int32)
    m = 0
    for i in range(n):
        low, high = first[neighbourhood[i]], first[neighbourhood[i] + 1]
        if not alive[i] or withdrawn[i] or setting[i] == 1 or high == low or (a[i] >= 0 and b[i] >= 0):
            continue
        u, v, _, _ = four(seed, key, month, ids[i])
        if u < chance * sociability[i]:
            g = low + min(int(v * (high - low)), high - low - 1)
            if is_open[g] and a[i] != g and b[i] != g:
                who[m], which[m] = i, g
                m += 1
    return who[:m], which[:m]


@compiled
def _take_in(order: Any, who: Any, which: Any, a: Any, b: Any, capacity: Any) -> None:
    """Make who applied (m,) a member, in `order`, while there is room."""
    room = capacity.astype(np.int64)
    for i in range(a.shape[0]):
        if a[i] >= 0:
            room[a[i]] -= 1
        if b[i] >= 0:
            room[b[i]] -= 1
    admitted = np.zeros(who.shape[0], np.bool_)
    admit(order, which, room, admitted)
    for t in range(who.shape[0]):
        if admitted[t]:
            if a[who[t]] < 0:
                a[who[t]] = which[t]
            else:
                b[who[t]] = which[t]


@compiled
def _roster(alive: Any, a: Any, b: Any, row_of: Any, members: Any) -> tuple[I64, I32]:
    """Members by group, in the order of their addresses -> first (groups + 1,), rows; writes how many (groups,)."""
    groups = members.shape[0]
    first = np.zeros(groups + 2, np.int64)
    for i in range(alive.shape[0]):
        if a[i] >= 0:
            first[a[i] + 2] += 1
        if b[i] >= 0:
            first[b[i] + 2] += 1
    for g in range(groups):
        members[g] = first[g + 2]
        first[g + 2] += first[g + 1]
    rows = np.empty(first[groups + 1], np.int32)
    for p in range(row_of.shape[0]):
        i = row_of[p]
        if a[i] >= 0:
            rows[first[a[i] + 1]] = i
            first[a[i] + 1] += 1
        if b[i] >= 0:
            rows[first[b[i] + 1]] = i
            first[b[i] + 1] += 1
    return first[: groups + 1], rows


@compiled
def _meet_peers(
    first: Any,
    roster: Any,
    is_open: Any,
    ids: Any,
    withdrawn: Any,
    reach: Any,
    chance: Any,
    seed: Any,
    key: Any,
    month: Any,
) -> tuple[I32, I32]:
    """Pairs of members who got to know one another this month."""
    a, b = np.empty(roster.shape[0], np.int32), np.empty(roster.shape[0], np.int32)
    m = 0
    for g in range(first.shape[0] - 1):
        size = first[g + 1] - first[g]
        if not is_open[g] or size < 2:
            continue
        for p in range(first[g], first[g + 1]):
            i = roster[p]
            u, v, _, _ = four(seed, key + g, month, ids[i])
            if u >= chance * reach[i]:
                continue
            j = roster[first[g] + min(int(v * size), size - 1)]
            if j != i and not withdrawn[j]:
                a[m], b[m] = i, j
                m += 1
    return a[:m], b[:m]


@compiled
def _help(
    first: Any, roster: Any, is_open: Any, level: Any, setting: Any, need: Any, community: Any, each: Any, most: Any
) -> int:
    """Share the time of members without need among members with need -> minutes given."""
    total = 0
    for g in range(first.shape[0] - 1):
        if not is_open[g]:
            continue
        givers, takers = 0, 0
        for p in range(first[g], first[g + 1]):
            i = roster[p]
            if level[i] == 0:
                givers += 1
            elif setting[i] == 0:
                takers += 1
        if takers == 0 or givers == 0:
            continue
        share = min(givers * each // takers, most)
        for p in range(first[g], first[g + 1]):
            i = roster[p]
            if level[i] > 0 and setting[i] == 0:
                minutes = min(share, need[i] - community[i])
                community[i] += minutes
                total += minutes
    return total
