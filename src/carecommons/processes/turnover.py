"""People grow older, die, move away, and others take their places."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from carecommons.founding.people import People
from carecommons.kernels.arrays import F64, I64, Bool
from carecommons.kernels.compiled import compiled
from carecommons.kernels.homes import count_homes, names_in_use
from carecommons.kernels.keyed import four, one, pair
from carecommons.kernels.rows import append, drop
from carecommons.params import UNCERTAIN, A, B, D, param
from carecommons.place.ledger import Event
from carecommons.place.luck import BEFORE, BOND, Luck, decision
from carecommons.place.place import Place
from carecommons.processes.process import Process

MOST_KIN = 3
PERMANENT = ("address", "neighbourhood", "deprivation")


class Turnover(Process):
    """Everybody ages a month; some die, by age, sex and need, some move away; newcomers fill the empty addresses.

    Who dies or leaves takes all ties along. A newcomer comes of age in a household near by, or moves in alone.
    Source: ONS period life table 2019; mortality by need and moves are assumptions.
    """

    reads: ClassVar[tuple[str, ...]] = ("*",)
    writes: ClassVar[tuple[str, ...]] = ("*", "ties", "ledger")

    mortality: float = param(
        1.0, "mortality against the life table", unit="multiple", low=0, high=100_000, role=UNCERTAIN, grade=A,
        source="ONS UK period qx 2019",
    )  # fmt: skip
    mortality_by_need: tuple[float, float, float, float] = param(
        (0.70, 1.0, 1.6, 3.6), "mortality by level of need (none, low, moderate, high) against that of the age",
        unit="multiple", low=0, high=10, role=UNCERTAIN, grade=D,
        source="assumption: keeps the mean near 1 for the needs of the default; set against published figures together "
        "with others",
    )  # fmt: skip
    mortality_if_lonely: float = param(
        1.1, "mortality of people who are often lonely against others", unit="hazard ratio", low=0.9, high=1.35,
        role=UNCERTAIN, grade=B, source="Eur J Ageing 2022 meta-analysis: 1.10 (1.06-1.14)",
    )  # fmt: skip
    mortality_in_care_home: float = param(
        2.4, "mortality of care home residents against others of their age and need", unit="multiple", low=0.5, high=5,
        role=UNCERTAIN, grade=D, source="assumption: stays of two to three years",
    )  # fmt: skip
    departure_young: float = param(
        0.05, "adults under 35 who move away", unit="share/year", low=0, high=0.5, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    departure: float = param(
        0.010, "adults of 35 and over who move away", unit="share/year", low=0, high=0.5, role=UNCERTAIN, grade=D,
        source="assumption: set against published figures together with others",
    )  # fmt: skip
    arrival: float = param(
        0.5, "empty addresses that are taken", unit="share/month", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    coming_of_age: float = param(
        0.6, "newcomers who are eighteen and stay with their family, against those who move in", unit="share", low=0,
        high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip

    @cached_property
    def by_need(self) -> F64:
        """Mortality by level of need (4,)."""
        return np.array(self.mortality_by_need)

    def step(self, place: Place, luck: Luck) -> None:
        """Age everybody, then take out those who go, then let newcomers in."""
        c = place.citizens
        gone, fresh = _age_and_fate(
            c.alive, c.id, c.address, c.age, c.sex, c.partner, c.level, c.lonely, c.setting,
            place.makeup.hazard, self.mortality, self.by_need, self.mortality_if_lonely, self.mortality_in_care_home,
            self.departure_young, self.departure, self.arrival,
            luck.seed, decision("turnover"), decision("arrival"), luck.month, place.ledger.events,
        )  # fmt: skip
        if len(gone):
            self._take_out(place, gone)
        if len(fresh):
            self._let_in(place, fresh, luck)
        if len(gone) or len(fresh):
            count_homes(c.alive, c.household, c.home_size)

    def _take_out(self, place: Place, gone: I64) -> None:
        c, t = place.citizens, place.ties
        place.ledger.events[Event.TIES_LOST] += cut_off(
            gone, c.partner, t.start, t.degree, t.neighbour, t.strength, t.kind, t.bond, t.minutes
        )
        place.ledger.events[Event.LEFT_LIST] += np.count_nonzero(c.waiting_since[gone] >= 0)
        c.clear(gone, keep=PERMANENT)

    def _let_in(self, place: Place, fresh: I64, luck: Luck) -> None:
        c, t = place.citizens, place.ties
        fresh = fresh[np.argsort(c.address[fresh])]  # the order of their identities
        of_age = _take_up(
            fresh, c.alive, c.arrived, c.id, c.address, c.age, c.sex, c.household, self.coming_of_age,
            luck.seed, decision("arrival.age"), luck.month,
        )  # fmt: skip
        People.draw_traits(place, fresh, luck)
        place.ledger.events[Event.TIES_FORMED] += move_in(
            fresh, of_age, c.age, c.alive, c.household, c.partner, c.neighbourhood, place.neighbourhoods.first,
            place.row_of, c.id, t.start, t.degree, t.neighbour, t.strength, t.kind, t.bond, t.minutes,
            luck.seed, decision("arrival.home"), luck.month, decision(BOND), BEFORE,
        )  # fmt: skip


@compiled
def _take_up(
    fresh: Any, alive: Any, arrived: Any, ids: Any, address: Any, age: Any, sex: Any, household: Any, coming: Any,
    seed: Any, key: Any, month: Any,
) -> Bool:  # fmt: skip
    """Newcomers take up empty addresses (m,), each a household of their own -> who has just come of age (m,)."""
    of_age = np.zeros(fresh.shape[0], np.bool_)
    for k in range(fresh.shape[0]):
        i = fresh[k]
        alive[i] = True
        arrived[i] = month
        ids[i] = (np.int64(month) << 32) | address[i]
        u, v, w, _ = four(seed, key, month, ids[i])
        of_age[k] = u < coming
        age[i] = 18 * 12 if of_age[k] else 18 * 12 + int(v * v * 50 * 12)
        sex[i] = w < 0.5
    _name_homes(fresh, address, names_in_use(alive, household), household)
    return of_age


@compiled
def _name_homes(fresh: Any, address: Any, taken: Any, household: Any) -> None:
    """Give newcomers, in the order of their addresses, names of households in which nobody lives.

    It is that of the address where it is free, which it is not where those whom an earlier newcomer took in stayed on;
    where both its names are taken, the first that no other newcomer has.
    """
    n = household.shape[0]
    free = ~taken
    for i in fresh:
        household[i] = address[i] if taken[address[i] + n] else address[i] + n
        free[household[i]] = False
    nearest = 0
    for i in fresh:
        if taken[household[i]]:
            while not free[nearest]:
                nearest += 1
            household[i] = nearest
            free[nearest] = False


@compiled
def _age_and_fate(
    alive: Any, ids: Any, address: Any, age: Any, sex: Any, partner: Any, level: Any, lonely: Any, setting: Any,
    hazard: Any, mortality: Any, by_need: Any, if_lonely: Any, in_care_home: Any, young: Any, older: Any, arrival: Any,
    seed: Any, key: Any, key_arrival: Any, month: Any, events: Any,
) -> tuple[I64, I64]:  # fmt: skip
    """Rows of those who die or leave, and of empty addresses that are taken."""
    n = alive.shape[0]
    gone, fresh = np.empty(n, np.int64), np.empty(n, np.int64)
    went, came = 0, 0
    leave_young = 1.0 - (1.0 - young) ** (1.0 / 12.0)
    leave_older = 1.0 - (1.0 - older) ** (1.0 / 12.0)
    for i in range(n):
        if not alive[i]:
            if one(seed, key_arrival, month, address[i]) < arrival:
                fresh[came] = i
                came += 1
            continue
        age[i] += 1
        years = min(age[i] // 12, 100)
        rate = hazard[sex[i], years] * mortality * by_need[level[i]] * (if_lonely if lonely[i] else 1.0)
        if setting[i] == 1:
            rate *= in_care_home
        u, v, _, _ = four(seed, key, month, ids[i])
        if u < rate and u < -np.expm1(-rate):
            gone[went] = i
            went += 1
            events[0] += 1
            continue
        other = partner[i]
        if (
            other >= 0 and ids[other] < ids[i]
        ):  # a couple moves as one: by the draw and age of the one with the lower id
            _, v, _, _ = four(seed, key, month, ids[other])
            years = (age[other] + (1 if other > i else 0)) // 12
        if v < (leave_young if years < 35 else leave_older):
            gone[went] = i
            went += 1
            events[1] += 1
    events[2] += came
    return gone[:went], fresh[:came]


@compiled
def cut_off(
    gone: I64, partner: Any, start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any, minutes: Any
) -> int:
    """Take people out of everybody's rows and partnerships -> ties lost."""
    lost = 0
    for i in gone:
        if partner[i] >= 0:
            partner[partner[i]] = -1
            partner[i] = -1
        for e in range(start[i], start[i] + degree[i]):
            lost += drop(start, degree, neighbour, strength, kind, bond, minutes, neighbour[e], i)
        degree[i] = 0
    return lost


@compiled
def move_in(
    order: Any, of_age: Any, age: Any, alive: Any, household: Any, partner: Any, neighbourhood: Any,
    first: Any, row_of: Any, ids: Any, start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any,
    minutes: Any, seed: Any, key: Any, month: Any, key_bond: Any, before: Any,
) -> int:  # fmt: skip
    """Newcomers have family near by where four tries find a parent's age; those of eighteen live there -> ties."""
    formed = 0
    for k in range(order.shape[0]):
        i = order[k]
        low, high = first[neighbourhood[i]], first[neighbourhood[i] + 1]
        draws = four(seed, key, month, ids[i])
        for u in draws:
            host = row_of[low + min(int(u * (high - low)), high - low - 1)]
            gap = age[host] - age[i]
            if not alive[host] or gap < 18 * 12 or gap > 45 * 12 or start[host] + degree[host] == start[host + 1]:
                continue
            if of_age[k] and household[host] >= 0:
                household[i] = household[host]
            tie = np.uint16(pair(seed, key_bond, before, ids[i], ids[host]) * 65536.0)
            append(start, degree, neighbour, strength, kind, bond, minutes, i, host, np.float32(0.9), 1, tie)
            append(start, degree, neighbour, strength, kind, bond, minutes, host, i, np.float32(0.9), 1, tie)
            formed += 1
            other = partner[host]
            if other >= 0 and start[other] + degree[other] < start[other + 1]:
                tie = np.uint16(pair(seed, key_bond, before, ids[i], ids[other]) * 65536.0)
                append(start, degree, neighbour, strength, kind, bond, minutes, i, other, np.float32(0.9), 1, tie)
                append(start, degree, neighbour, strength, kind, bond, minutes, other, i, np.float32(0.9), 1, tie)
                formed += 1
            family = 0
            for e in range(start[host], start[host] + degree[host] - 1):
                j = neighbour[e]
                if kind[e] != 1 or family == MOST_KIN or j == other or start[j] + degree[j] == start[j + 1]:
                    continue
                if start[i] + degree[i] == start[i + 1]:
                    break
                tie = np.uint16(pair(seed, key_bond, before, ids[i], ids[j]) * 65536.0)
                append(start, degree, neighbour, strength, kind, bond, minutes, i, j, np.float32(0.5), 1, tie)
                append(start, degree, neighbour, strength, kind, bond, minutes, j, i, np.float32(0.5), 1, tie)
                family += 1
            formed += family
            break
    return formed
