"""Micro-enterprises are founded by citizens, take clients within what they can do, and close."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.allocate import order_by
from carecommons.kernels.arrays import I32, I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four, lot
from carecommons.kernels.settle import admit
from carecommons.params import LEVER, UNCERTAIN, A, C, D, param
from carecommons.place.ledger import Event
from carecommons.place.luck import Luck, decision
from carecommons.place.organisations import Enterprises as State
from carecommons.place.place import Place
from carecommons.place.population import Preference, Route
from carecommons.place.ties import Tie
from carecommons.processes.process import Process
from carecommons.processes.ties import introduce
from carecommons.units import minutes_a_month, monthly

TRADITIONAL = int(Preference.TRADITIONAL)
SERVICE_FUND, DIRECT_PAYMENT, SELF_FUNDER = int(Route.SERVICE_FUND), int(Route.DIRECT_PAYMENT), int(Route.SELF_FUNDER)


class Enterprises(Process):
    """One or two people who offer care: opened at pitches where a founder is found, closed at a yearly rate.

    A client and the founder get to know one another. Clients are people who hold their own money (direct payment,
    service fund, self-funders) and would have something other than the traditional; an enterprise takes them up to its
    limit. What it delivers is settled in Provision.
    Source: Community Catalysts (Somerset; Westmorland and Furness). Quality, price and growth follow in a later
    version.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "age", "level", "setting", "route", "prefers", "enterprise", "enterprises", "ties",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("enterprise", "enterprises", "ties", "ledger")

    pitches: float = param(
        3.0, "most micro-enterprises for 1,000 adults", unit="enterprises per 1,000 adults", low=0, high=20,
        role=UNCERTAIN, grade=D, source="assumption: Somerset had 2.4 in 2023",
    )  # fmt: skip
    at_start: float = param(
        0.1, "micro-enterprises for 1,000 adults at the start", unit="enterprises per 1,000 adults", low=0, high=20,
        role=UNCERTAIN, grade=C, source="about 50 in Somerset in 2015 (Somerset County Council)",
    )  # fmt: skip
    unaided: float = param(
        0.02, "new micro-enterprises without support", unit="enterprises per 1,000 adults per year", low=0, high=5,
        role=UNCERTAIN, grade=D, source="assumption: near none without support",
    )  # fmt: skip
    catalysts: float = param(
        0.0, "catalysts who help people start", unit="catalysts per 100,000 adults", low=0, high=10, role=LEVER,
        grade=A,
        source="one catalyst supports up to 200 enterprises (Community Catalysts, Somerset)",
    )  # fmt: skip
    aided: float = param(
        60.0, "new micro-enterprises a year for each catalyst", unit="enterprises/year", low=0, high=200,
        role=UNCERTAIN,
        grade=C, source="Somerset 90 a year, Westmorland and Furness 13 a year",
    )  # fmt: skip
    exit_rate: float = param(
        0.10, "micro-enterprises that close", unit="share/year", low=0, high=1, role=UNCERTAIN, grade=D,
        source="no source found: prior 0.05-0.25",
    )  # fmt: skip
    hours: float = param(
        12.6, "care that a micro-enterprise gives", unit="hours/week", low=0, high=400, role=UNCERTAIN, grade=C,
        source="Westmorland and Furness 2024: 404 hours by 32 enterprises",
    )  # fmt: skip
    most_clients: int = param(
        14, "most clients of one micro-enterprise", unit="people", low=1, high=100, role=UNCERTAIN, grade=C,
        source="Needham et al. 2015: a sole worker with about 14 clients",
    )  # fmt: skip
    referral: float = param(
        0.3, "chance a month that somebody who looks for one hears of one", unit="probability/month", low=0, high=1,
        role=LEVER, grade=D, source="assumption: struggles for referrals (Needham et al. 2015)",
    )  # fmt: skip

    closeness: float = param(
        0.2, "closeness of a new client and the founder", unit="share", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip

    def settle(self, place: Place, luck: Luck) -> None:
        """Lay out the pitches and open the first enterprises."""
        n = len(place.citizens)
        count = 0 if self.off else int(np.ceil(self.pitches * n / 1000))
        e = place.enterprises = State.vacant(count)
        e.neighbourhood[:] = np.arange(count) * len(place.neighbourhoods.deprivation) // max(count, 1)
        draws = luck.uniforms("enterprises.founding", np.arange(count))
        self._open(place, np.flatnonzero(draws[:, 0] < self.at_start / max(self.pitches, 1e-9)), draws, 0)

    def step(self, place: Place, luck: Luck) -> None:
        """Close and open, then let people who look for one find one."""
        c, e = place.citizens, place.enterprises
        if not len(e):
            return
        births = (self.unaided + self.catalysts * self.aided / 100) / max(self.pitches, 1e-9) / 12
        closing, opening = _fate(
            e.open, e.founder, c.alive, c.level, monthly(self.exit_rate), births, luck.seed, decision("enterprises"),
            luck.month,
        )  # fmt: skip
        if len(closing):
            e.clear(closing, keep=("neighbourhood",))
            place.ledger.events[Event.ENTERPRISES_CLOSED] += len(closing)
        if len(opening):
            self._open(place, opening, luck.uniforms("enterprises", np.arange(len(e))), luck.month)
        self._match(place, luck)

    def _open(self, place: Place, pitches: np.ndarray, draws: np.ndarray, month: int) -> None:
        c, e, first = place.citizens, place.enterprises, place.neighbourhoods.first
        if not len(pitches) or not len(c):
            return
        low, high = first[e.neighbourhood[pitches]], first[e.neighbourhood[pitches] + 1]
        address = np.minimum(low + (draws[pitches, 2] * (high - low)).astype(np.int64), len(c) - 1)
        founder = place.row_of[address]
        fit = c.alive[founder] & (c.age[founder] < 70 * 12) & (c.level[founder] == 0)
        pitches, founder = pitches[fit], founder[fit]
        e.open[pitches], e.founder[pitches], e.opened[pitches] = True, founder, month
        e.id[pitches] = (np.int64(month) << 32) | pitches
        e.capacity[pitches] = minutes_a_month(self.hours)
        place.ledger.events[Event.ENTERPRISES_OPENED] += len(pitches)

    def _match(self, place: Place, luck: Luck) -> None:
        c, e = place.citizens, place.enterprises
        seekers, wanted, lots = _seekers(
            c.alive, c.id, c.setting, c.route, c.prefers, c.enterprise, e.open, e.clients, self.referral,
            luck.seed, decision("enterprises.match"), luck.month,
        )  # fmt: skip
        if not len(seekers):
            return
        admitted = np.zeros(len(seekers), np.bool_)
        room = (self.most_clients - e.clients).astype(np.int64)
        admit(order_by(lots, c.id[seekers]), wanted, room, admitted)
        clients, theirs = seekers[admitted], wanted[admitted]
        c.enterprise[clients] = theirs
        np.add.at(e.clients, theirs, 1)
        kinds = np.full(len(clients), Tie.PROFESSIONAL, np.int8)
        place.ledger.events[Event.TIES_FORMED] += introduce(
            place, clients, e.founder[theirs], kinds, self.closeness, luck, "enterprises.clients"
        )


@compiled
def _fate(
    is_open: Any, founder: Any, alive: Any, level: Any, exits: Any, births: Any, seed: Any, key: Any, month: Any
) -> tuple[I64, I64]:
    """Pitches whose enterprise closes, by the rate or for want of its founder, and those where one may open."""
    n = is_open.shape[0]
    closing, opening = np.empty(n, np.int64), np.empty(n, np.int64)
    closed, opened = 0, 0
    for p in range(n):
        u, v, _, _ = four(seed, key, month, p)
        who = max(founder[p], 0)
        if is_open[p]:
            if u < exits or not alive[who] or level[who] >= 2:
                closing[closed] = p
                closed += 1
        elif v < births:
            opening[opened] = p
            opened += 1
    return closing[:closed], opening[:opened]


@compiled
def _seekers(
    alive: Any, ids: Any, setting: Any, route: Any, prefers: Any, enterprise: Any, is_open: Any, clients: Any,
    referral: Any, seed: Any, key: Any, month: Any,
) -> tuple[I32, I32, I64]:  # fmt: skip
    """Count each enterprise's clients, let go those who may not or cannot stay -> rows of people who look for one and
    hear of one that is open, which one, and their lots (m,).
    """
    n, pitches = alive.shape[0], is_open.shape[0]
    rows, wanted, lots = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int64)
    clients[:] = 0
    m = 0
    for i in range(n):
        holds_money = setting[i] == 0 and (SERVICE_FUND <= route[i] <= SELF_FUNDER)
        if enterprise[i] >= 0 and holds_money and is_open[enterprise[i]]:
            clients[enterprise[i]] += 1
            continue
        enterprise[i] = -1
        if not holds_money or not alive[i] or prefers[i] == TRADITIONAL:
            continue
        u, v, w, _ = four(seed, key, month, ids[i])
        which = int(v * pitches)
        if u < referral and is_open[which]:
            rows[m], wanted[m], lots[m] = i, which, lot(w)
            m += 1
    return rows[:m], wanted[:m], lots[:m]
