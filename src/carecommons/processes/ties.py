"""Ties form, are used, fade and end; people withdraw and come back."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.arrays import F32
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four, pairs
from carecommons.kernels.rows import drop, find
from carecommons.kernels.settle import join
from carecommons.params import LEVER, UNCERTAIN, B, C, D, param
from carecommons.place.ledger import Event
from carecommons.place.luck import BEFORE, BOND, Luck, decision
from carecommons.place.place import Place
from carecommons.processes.process import Process
from carecommons.units import MONTHS_A_YEAR, minutes_a_month

Kinds = tuple[float, float, float, float, float, float, float]
PEER, PROFESSIONAL = 5, 6


class Ties(Process):
    """Contact keeps a tie alive, its lack lets it fade; people meet through friends, next door and at work.

    How far people get about depends on need, on whether it is met, on care they give, and on whether they have
    withdrawn; ties with somebody who does not get about fade. Peers met in a group part when they share no group any
    longer. In neighbourhoods that shut people out, those who meet stigma withdraw more often and are met less; where
    they are welcome it is the other way round.
    Source: yearly turnover of close ties 1-4 % (Roy et al. 2022); the rest are assumptions.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "arrived", "age", "sociability", "stigma", "neighbourhood", "household", "level", "setting",
        "group_a", "group_b", "need", "unmet", "given", "withdrawn", "ties",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("withdrawn", "reach", "network", "ties", "ledger")

    fade: Kinds = param(
        (0.01, 0.01, 0.04, 0.05, 0.05, 0.05, 0.08),
        "monthly loss of closeness without contact, and the pace at which contact restores it (partner, kin, friend, "
        "neighbour, workmate, peer, professional)",
        unit="share/month", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption: friends fade after about 6 months without contact, kin hold (Dunbar); set against "
        "published figures together with others",
    )  # fmt: skip
    closeness: Kinds = param(
        (0.90, 0.30, 0.22, 0.12, 0.42, 0.12, 0.10),
        "closeness in full contact of the least close pairs, by kind of tie",
        unit="share", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    closeness_span: Kinds = param(
        (0.1, 0.58, 0.7, 0.4, 0.58, 0.45, 0.2), "by how much the closest pairs are closer, by kind of tie",
        unit="share", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    ends_under: float = param(
        0.06,
        "closeness under which a tie ends",
        unit="share",
        low=0,
        high=1,
        role=UNCERTAIN,
        grade=D,
        source="assumption",
    )
    lose_touch: float = param(
        0.15, "people who lose touch with somebody", unit="events/year", low=0, high=12, role=UNCERTAIN, grade=B,
        source="Roy et al. 2022: 1-4% of closest ties change a year; friends 20% every few years",
    )  # fmt: skip
    meet: float = param(
        0.5, "chance a month of meeting somebody new, of a typical person without friends", unit="probability/month",
        low=0, high=1, role=UNCERTAIN, grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    settling_in: float = param(
        3.0, "meeting of people in their first year here against others", unit="multiple", low=0, high=20,
        role=UNCERTAIN,
        grade=D, source="assumption",
    )  # fmt: skip
    enough: float = param(
        14.0, "ties at which a typical person stops making new ones", unit="ties", low=1, high=150, role=UNCERTAIN,
        grade=B, source="Dunbar layers: 15 (MacCarron et al. 2016)",
    )  # fmt: skip
    through_friends: float = param(
        0.75, "of new ties, those met through friends and family; others live near by", unit="share", low=0, high=1,
        role=UNCERTAIN, grade=D,
        source="assumption: high clustering of contacts (Danon et al. 2013); set against published figures together "
        "with others",
    )  # fmt: skip
    like_age: float = param(
        16.0, "difference of age at which a meeting leads to a tie one time in 2.7", unit="years", low=1, high=1000,
        role=UNCERTAIN, grade=C, source="set against age correlation 0.28 of adult contacts (POLYMOD UK)",
    )  # fmt: skip
    first_closeness: float = param(
        0.15, "closeness of a new tie", unit="share", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption"
    )
    gets_about: tuple[float, float, float, float] = param(
        (1.0, 0.95, 0.85, 0.65), "how far people with no, low, moderate and high need get about", unit="share", low=0,
        high=1, role=UNCERTAIN, grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    gets_about_in_care_home: float = param(
        0.3, "how far residents of care homes keep up outside ties", unit="share", low=0, high=1, role=UNCERTAIN,
        grade=D, source="assumption",
    )  # fmt: skip
    without_care: float = param(
        0.35, "getting about lost by people none of whose need is met", unit="share", low=-0.5, high=1, role=UNCERTAIN,
        grade=D,
        source="assumption: 1 in 4 out of home under an hour a day after day services closed (Mencap 2012); 0 is none",
    )  # fmt: skip
    while_caring: float = param(
        0.25, "getting about lost by people who give 20 hours of care a week or more", unit="share", low=-0.5, high=1,
        role=UNCERTAIN, grade=D, source="assumption: 16-21% of carers are isolated (SACE); 0 is none",
    )  # fmt: skip
    withdraw: float = param(
        0.004, "people who withdraw from others", unit="probability/month", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    come_back: float = param(
        0.10, "withdrawn people who come back", unit="probability/month", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    stigma_effect: float = param(
        1.0, "how strongly receptiveness acts on people who meet stigma (0: not at all)", unit="log points", low=0,
        high=5, role=UNCERTAIN, grade=D, source="assumption: direction as Lemos & Crane (harassment of 67 people)",
    )  # fmt: skip
    welcome: float = param(
        0.0, "effort to make neighbourhoods more receptive", unit="scale", low=0, high=1, role=LEVER, grade=D,
        source="assumption",
    )  # fmt: skip
    seen_monthly: float = param(
        0.15, "closeness from which people see or hear each other monthly", unit="share", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption: LSNS-6 items 1 and 4",
    )  # fmt: skip
    talk_private: float = param(
        0.38, "closeness from which people talk about private matters", unit="share", low=0, high=1, role=UNCERTAIN,
        grade=D, source="assumption: LSNS-6 items 2 and 5; set against published figures together with others",
    )  # fmt: skip
    call_on: float = param(
        0.31, "closeness from which people can be called on for help", unit="share", low=0, high=1, role=UNCERTAIN,
        grade=D, source="assumption: LSNS-6 items 3 and 6; set against published figures together with others",
    )  # fmt: skip

    @cached_property
    def by_kind(self) -> F32:
        """Fading, least closeness and its span by kind of tie (3, 7)."""
        span = np.minimum(self.closeness_span, 1 - np.array(self.closeness))
        return np.array([self.fade, self.closeness, span], np.float32)

    @cached_property
    def scores(self) -> F32:
        """Closeness under which a tie ends, and from which it counts as seen, private, to call on (4,)."""
        return np.array([self.ends_under, self.seen_monthly, self.talk_private, self.call_on], np.float32)

    def settle(self, place: Place, luck: Luck, *, as_woven: bool = True) -> None:
        """Give the founders' ties the closeness that contact keeps up, unless it was handed in; let some keep away."""
        c = place.citizens
        c.reach[:] = np.array(self.gets_about, np.float32)[c.level]
        if as_woven:
            self._use(place, np.concatenate([np.ones((1, 7), np.float32), self.by_kind[1:]]))
        usual = self.withdraw / max(self.withdraw + self.come_back, 1e-12)
        c.withdrawn[:] = luck.uniforms("ties.founding", c.id)[:, 0] < usual
        c.reach[c.withdrawn] = 0
        self._use(place, np.concatenate([np.zeros((1, 7), np.float32), self.by_kind[1:]]))

    def _use(self, place: Place, by_kind: F32) -> int:
        c, t = place.citizens, place.ties
        return _use(
            c.alive, c.reach, c.household, c.group_a, c.group_b, c.network,
            t.start, t.degree, t.neighbour, t.strength, t.kind, t.bond, t.minutes, by_kind, self.scores,
        )  # fmt: skip

    def step(self, place: Place, luck: Luck) -> None:
        """Who withdraws, who loses touch, who meets whom; then every tie is used or fades."""
        c, t = place.citizens, place.ties
        n = len(c)
        a, b, kinds = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int8)
        lost_a, lost_b = np.empty(n, np.int32), np.empty(n, np.int32)
        receptive = np.clip(place.neighbourhoods.receptiveness + np.float32(self.welcome), -1, 1) * self.stigma_effect
        met, lost = _go_out(
            c.alive, c.id, c.arrived, c.age, c.sociability, c.stigma, c.neighbourhood, c.level, c.setting,
            c.need, c.unmet, c.given, c.withdrawn, c.reach, np.array(self.gets_about, np.float32),
            np.float32(self.gets_about_in_care_home),
            np.float32(self.without_care), np.float32(self.while_caring), minutes_a_month(20), receptive,
            place.neighbourhoods.first, place.row_of, t.start, t.degree, t.neighbour, t.kind,
            self.withdraw, self.come_back, self.lose_touch / 12, self.meet, self.settling_in, self.enough,
            self.through_friends,
            self.like_age * 12, luck.seed, decision("ties"), decision("ties.meeting"), luck.month,
            a, b, kinds, lost_a, lost_b,
        )  # fmt: skip
        parted = part(
            lost_a[:lost], lost_b[:lost], t.start, t.degree, t.neighbour, t.strength, t.kind, t.bond, t.minutes
        )
        faded = self._use(place, self.by_kind)
        place.ledger.events[Event.TIES_FADED] += parted + faded // 2
        if luck.month % MONTHS_A_YEAR == 0:
            t.make_room()
        formed = introduce(place, a[:met], b[:met], kinds[:met], self.first_closeness, luck, "ties")
        place.ledger.events[Event.TIES_FORMED] += formed


def introduce(place: Place, a: Any, b: Any, kinds: Any, closeness: float, luck: Luck, what: str) -> int:
    """Tie the pairs that have room, in keyed order -> ties made."""
    if not len(a):
        return 0
    c, t = place.citizens, place.ties
    order = luck.order(f"{what}.order", c.id[a])
    bonds = pairs(luck.seed, decision(BOND), BEFORE, c.id, a, b)
    return join(
        order, a, b, kinds, bonds, np.float32(closeness),
        t.start, t.degree, t.neighbour, t.strength, t.kind, t.bond, t.minutes,
    )  # fmt: skip


@compiled
def how_far(
    usual: Any, setting: Any, need: Any, unmet: Any, given: Any, in_care_home: Any, without_care: Any,
    while_caring: Any, heavy: Any,
) -> Any:  # fmt: skip
    """How far one person gets about: less in a care home, with need that nobody meets, while caring for others."""
    about = usual
    if setting == 1:
        about = min(about, in_care_home)
    elif unmet > 0:
        about *= np.float32(1.0) - without_care * np.float32(min(unmet, need) / max(need, 1))
    if given > 0:
        about *= np.float32(1.0) - while_caring * np.float32(min(given / heavy, 1.0))
    return min(about, np.float32(1.0))


@compiled
def _go_out(
    alive: Any, ids: Any, arrived: Any, age: Any, sociability: Any, stigma: Any, neighbourhood: Any, level: Any,
    setting: Any, need: Any, unmet: Any, given: Any, withdrawn: Any, reach: Any, gets_about: Any, in_care_home: Any,
    without_care: Any, while_caring: Any, heavy: Any, receptive: Any, first: Any, row_of: Any, start: Any,
    degree: Any, neighbour: Any, kind: Any, withdraw: Any, come_back: Any, lose_touch: Any, meet: Any,
    settling_in: Any, enough: Any, through_friends: Any, like_age: Any, seed: Any, key: Any, key_meeting: Any,
    month: Any, a: Any, b: Any, kinds: Any, lost_a: Any, lost_b: Any,
) -> Any:  # fmt: skip
    """Each person's own part of the month on last month's ties -> pairs who met, pairs who lost touch."""
    met, lost = 0, 0
    for i in range(alive.shape[0]):
        if not alive[i]:
            continue
        u, v, w, x = four(seed, key, month, ids[i])
        welcome = receptive[neighbourhood[i]] if stigma[i] else np.float32(0.0)
        if withdrawn[i]:
            withdrawn[i] = not u < come_back
        elif u < (withdraw * np.exp(-welcome) if stigma[i] else withdraw):
            withdrawn[i] = True
        about = how_far(
            gets_about[level[i]],
            setting[i],
            need[i],
            unmet[i],
            given[i],
            in_care_home,
            without_care,
            while_caring,
            heavy,
        )
        reach[i] = np.float32(0.0) if withdrawn[i] else about
        d = degree[i]
        if v < lose_touch and d > 0:
            e = start[i] + min(int(v / lose_touch * d), d - 1)
            if kind[e] > 1:
                lost_a[lost], lost_b[lost] = i, neighbour[e]
                lost += 1
        wish = sociability[i] * enough
        goes = meet * sociability[i] * about * (1.0 - d / wish)
        if arrived[i] > 0 and month - arrived[i] < 12:
            goes *= settling_in
        if withdrawn[i] or d >= wish or w >= goes:
            continue
        u, v, w, _ = four(seed, key_meeting, month, ids[i])
        j, what = i, 3
        if u < through_friends and d > 0:
            f = neighbour[start[i] + min(int(v * d), d - 1)]
            if degree[f] > 0:
                j, what = neighbour[start[f] + min(int(w * degree[f]), degree[f] - 1)], 2
        else:
            low, high = first[neighbourhood[i]], first[neighbourhood[i] + 1]
            j = row_of[low + min(int(v * (high - low)), high - low - 1)]
        if j == i or not alive[j]:
            continue
        chance = np.exp(-abs(age[i] - age[j]) / like_age)
        if stigma[i] != stigma[j]:
            chance = min(chance * np.exp(receptive[neighbourhood[i]]), 1.0)
        if x < chance:
            a[met], b[met], kinds[met] = i, j, what
            met += 1
    return still_about(withdrawn, a, b, kinds, met), lost


@compiled
def still_about(withdrawn: Any, a: Any, b: Any, kinds: Any, met: Any) -> Any:
    """Keep the first `met` of the pairs a-b but those who would meet somebody who withdrew this month -> pairs kept."""
    kept = 0
    for t in range(met):
        if not withdrawn[b[t]]:
            a[kept], b[kept], kinds[kept] = a[t], b[t], kinds[t]
            kept += 1
    return kept


@compiled
def part(
    a: Any, b: Any, start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any, minutes: Any
) -> int:
    """End the ties a-b (m,) -> ties ended."""
    ended = 0
    for t in range(a.shape[0]):
        if find(start, degree, neighbour, a[t], b[t]) >= 0:
            drop(start, degree, neighbour, strength, kind, bond, minutes, a[t], b[t])
            drop(start, degree, neighbour, strength, kind, bond, minutes, b[t], a[t])
            ended += 1
    return ended


@compiled
def _points(count: Any) -> Any:
    """LSNS answer for a number of people: 0, 1, 2, 3 or 4, 5 to 8, 9 and more."""
    if count < 3:
        return count
    return 3 if count < 5 else (4 if count < 9 else 5)


@compiled
def _use(
    alive: Any, reach: Any, household: Any, group_a: Any, group_b: Any, network: Any,
    start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any, minutes: Any, by_kind: Any,
    scores: Any,
) -> int:  # fmt: skip
    """Move every tie towards what contact keeps up, drop those that ended, and score each row -> half-edges dropped.

    People seen, talked to and called on are counted in one number, eight bits each.
    """
    ended = 0
    whole, out_of = np.float32(1.0), np.float32(1.0 / 65536.0)
    floor, seen, private, call = scores[0], scores[1], scores[2], scores[3]
    for i in range(alive.shape[0]):
        keep = start[i]
        last = start[i] + degree[i]
        kin, friends = 0, 0
        mine, home = reach[i], household[i]
        for e in range(start[i], last):
            j, k = neighbour[e], kind[e]
            contact = mine * reach[j]  # 0 where one of the two has withdrawn
            if k <= 1 and household[j] == home:
                contact = whole
            s = strength[e]
            s += by_kind[0, k] * ((by_kind[1, k] + by_kind[2, k] * (np.float32(bond[e]) * out_of)) * contact - s)
            if s < floor or (k == PEER and not share_a_group(group_a[i], group_b[i], group_a[j], group_b[j])):
                ended += 1
                continue
            if keep != e:
                neighbour[keep], kind[keep], bond[keep], minutes[keep] = j, k, bond[e], minutes[e]
            strength[keep] = s
            keep += 1
            if contact > 0:
                counts = (s >= seen) + ((s >= private) << 8) + ((s >= call) << 16)
                if k <= 1:
                    kin += counts
                elif k != PROFESSIONAL:
                    friends += counts
        degree[i] = keep - start[i]
        network[i] = (
            _points(kin & 255) + _points((kin >> 8) & 255) + _points(kin >> 16)
            + _points(friends & 255) + _points((friends >> 8) & 255) + _points(friends >> 16)
        )  # fmt: skip
    return ended


@compiled
def share_a_group(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Whether somebody in groups a and b has one in common with somebody in groups c and d; -1 is none."""
    return (a >= 0 and (a == c or a == d)) or (b >= 0 and (b == c or b == d))  # noqa: SIM109
