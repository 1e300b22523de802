"""Care is bought and delivered: council packages by need rank, then what people buy for themselves."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.allocate import buy, price_of
from carecommons.kernels.arrays import F64, I32, I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import one
from carecommons.params import LEVER, UNCERTAIN, A, C, D, param
from carecommons.place.ledger import Account, pay
from carecommons.place.luck import BEFORE, Luck, decision
from carecommons.place.place import Place
from carecommons.place.population import Route
from carecommons.processes.assessment import count_bits
from carecommons.processes.process import Process
from carecommons.units import WEEKS_A_MONTH, minutes_a_month, pence, pence_a_month

HOME_CARE, ASSISTANTS, PRIVATE, FIRST_ENTERPRISE = 0, 1, 2, 3  # whose hours
PAYEES = tuple(map(np.int64, (Account.HOME_CARE, Account.ASSISTANTS, Account.HOME_CARE, Account.ENTERPRISES)))
COUNCIL, CITIZENS, CARE_HOMES = map(np.int64, (Account.COUNCIL, Account.CITIZENS, Account.CARE_HOMES))
SERVICE_FUND, MIXED, SELF_FUNDER = int(Route.SERVICE_FUND), int(Route.MIXED), int(Route.SELF_FUNDER)


class Provision(Process):
    """Packages are bought in the order of need, the last one reached in part; then self-funders buy what they can.

    Hours are limited: contracted home care, personal assistants, private home care and each micro-enterprise have so
    many a month. Every delivered minute has one payer. Eligible people who get less than the assessment allows are
    breaches.
    Source: fees as published (Homecare Association, King's Fund, ADASS); supply limits are assumptions.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "age", "level", "deficits", "need", "eligible", "entitled", "short_term", "setting",
        "assessable",
        "route", "informal", "community", "enterprise", "income", "savings", "home_value", "care_paid", "council",
        "enterprises",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = (
        "funded", "from_council", "from_own", "council_cost", "own_cost", "savings", "home_value", "care_paid",
        "council",
        "enterprises", "ledger",
    )  # fmt: skip

    home_care_fee: float = param(
        23.21, "what the council pays for an hour of home care", unit="pounds/hour", low=1, high=500, role=LEVER,
        grade=A,
        source="Homecare Association 2024-25: 23.21",
    )  # fmt: skip
    assistant_rate: float = param(
        16.50, "direct payment for an hour of a personal assistant", unit="pounds/hour", low=1, high=500, role=LEVER,
        grade=D, source="assumption: pay of 12 pounds (Skills for Care 2025) and on-costs",
    )  # fmt: skip
    enterprise_rate: float = param(
        18.00, "price of an hour of a micro-enterprise", unit="pounds/hour", low=1, high=500, role=UNCERTAIN, grade=D,
        source="assumption: similar or lower hourly cost (Needham et al. 2015)",
    )  # fmt: skip
    private_fee: float = param(
        28.53, "price of an hour of home care for self-funders", unit="pounds/hour", low=1, high=500, role=UNCERTAIN,
        grade=C, source="Homecare Association minimum price 2024-25",
    )  # fmt: skip
    care_home_fee: tuple[float, float] = param(
        (1540.0, 840.0), "weekly fee of a care home under 65, and at 65 and over", unit="pounds/week", low=1,
        high=10_000,
        role=LEVER, grade=A, source="King's Fund 2022-23 via Disability Rights UK",
    )  # fmt: skip
    home_care: float = param(
        0.2, "contracted home care that workers can give", unit="hours/week per adult", low=0, high=10, role=LEVER,
        grade=D,
        source="assumption: a little above what is bought today; set against published figures together with others",
    )  # fmt: skip
    assistants: float = param(
        0.1, "personal assistants' time", unit="hours/week per adult", low=0, high=10, role=LEVER, grade=D,
        source="assumption: set against published figures together with others",
    )  # fmt: skip
    private_care: float = param(
        0.10, "private home care that workers can give", unit="hours/week per adult", low=0, high=10, role=UNCERTAIN,
        grade=D, source="assumption",
    )  # fmt: skip
    self_paid_share: float = param(
        0.35, "part of their remaining need that self-funders buy care for", unit="share of need", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    spends: float = param(
        0.04, "most of their savings that self-funders at home spend in a month", unit="share/month", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip

    @cached_property
    def prices(self) -> I64:
        """Pence an hour of contracted care, assistants, private care and micro-enterprises (4,)."""
        rates = (self.home_care_fee, self.assistant_rate, self.private_fee, self.enterprise_rate)
        return np.array([pence(rate) for rate in rates])

    @cached_property
    def fees(self) -> I64:
        """Pence a month of a care home under 65, and at 65 and over (2,)."""
        return np.array([pence_a_month(fee) for fee in self.care_home_fee])

    def step(self, place: Place, luck: Luck) -> None:
        """Buy for council clients, then let self-funders buy."""
        c, e = place.citizens, place.enterprises
        for column in (c.funded, c.from_council, c.from_own, c.council_cost, c.own_cost):
            column[:] = 0
        rows, rank, lot, clients = _queue(
            c.alive,
            c.id,
            c.level,
            c.deficits,
            c.need,
            c.eligible,
            c.route,
            luck.seed,
            decision("provision.lot"),
            BEFORE,
        )
        rows = rows[np.lexsort((c.id[rows], lot, rank))]
        hours = (self.home_care, self.assistants, self.private_care)
        limits = e.open * e.capacity
        stock = np.concatenate([np.array([minutes_a_month(h * len(c)) for h in hours]), limits])
        self._packages(place, rows[:clients], stock)
        self._private(place, rows[clients:], stock)
        e.load[:] = limits - stock[FIRST_ENTERPRISE:]

    def _packages(self, place: Place, rows: I64, stock: I64) -> None:
        c, books, ledger = place.citizens, place.council, place.ledger
        budget = books.care_pot + books.reserves + books.allowance
        budget += books.prevention_pot if books.prevention_first else 0
        price, own, pool, whole = _offers(
            rows, c.age, c.setting, c.route, c.enterprise, c.short_term, c.assessable, self.prices, self.fees
        )
        got, paid, own_paid = np.empty_like(own), np.empty_like(own), np.empty_like(own)
        left = buy(
            np.arange(len(rows)), c.entitled[rows], price, own, pool, whole, own, stock, budget, got, paid, own_paid
        )
        _book(
            rows, got, paid, own_paid, pool, whole, c.entitled, c.funded, c.from_council, c.from_own, c.council_cost,
            c.own_cost, c.care_paid, ledger.flows, ledger.balances, ledger.minutes, ledger.events,
        )  # fmt: skip
        _settle_up(place, budget - left)

    def _private(self, place: Place, rows: I64, stock: I64) -> None:
        c, ledger = place.citizens, place.ledger
        _buy_own(
            rows, c.age, c.setting, c.need, c.informal, c.community, c.enterprise, c.income, c.savings, c.home_value,
            c.from_own, c.own_cost, c.care_paid, stock, self.prices, self.fees, self.self_paid_share, self.spends,
            WEEKS_A_MONTH, ledger.flows, ledger.balances, ledger.minutes,
        )  # fmt: skip


def _settle_up(place: Place, spent: int) -> None:
    """Take what care cost from the pots in their order; what the care pot keeps goes to the reserves."""
    books = place.council
    pots = ["care_pot", "prevention_pot", "reserves"] if books.prevention_first else ["care_pot", "reserves"]
    for pot in pots:
        part = min(getattr(books, pot), spent)
        setattr(books, pot, getattr(books, pot) - part)
        spent -= part
    books.reserves += books.care_pot
    books.care_pot = 0
    books.overspend += spent
    place.ledger.pay(Account.REST_OF_COUNCIL, Account.COUNCIL, spent)


@compiled
def _queue(
    alive: Any, ids: Any, level: Any, deficits: Any, need: Any, eligible: Any, route: Any, seed: Any, key: Any,
    before: Any,
) -> tuple[I64, I64, F64, int]:  # fmt: skip
    """Who buys, council clients before self-funders -> rows, rank, lasting draw (m,), how many are clients.

    The greatest need ranks lowest: level, then outcomes failed, then minutes.
    """
    n = alive.shape[0]
    rows, rank, lot = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    m, clients = 0, 0
    for i in range(n):
        pays_all = route[i] == SELF_FUNDER
        if not pays_all and not (eligible[i] and alive[i]):
            continue
        failed = count_bits(int(deficits[i]))
        rows[m] = i
        rank[m] = (1 << 50 if pays_all else 0) - (np.int64(level[i]) << 40) - (failed << 32) - need[i]
        lot[m] = one(seed, key, before, ids[i])
        m += 1
        clients += not pays_all
    return rows[:m], rank[:m], lot[:m], clients


@compiled
def _offers(
    rows: Any, age: Any, setting: Any, route: Any, enterprise: Any, short_term: Any, assessable: Any, prices: Any,
    fees: Any,
) -> tuple[I32, I32, I32, I64]:  # fmt: skip
    """Price of an hour, most that is charged, whose hours, price of a care home or 0, for each of rows (m,)."""
    m = rows.shape[0]
    price, own, pool, whole = np.empty(m, np.int32), np.empty(m, np.int32), np.empty(m, np.int32), np.zeros(m, np.int64)
    for p in range(m):
        i = rows[p]
        own_money = SERVICE_FUND <= route[i] <= MIXED
        pool[p] = ASSISTANTS if own_money else HOME_CARE
        if own_money and setting[i] == 0 and enterprise[i] >= 0:
            pool[p] = FIRST_ENTERPRISE + enterprise[i]
        price[p] = prices[min(pool[p], FIRST_ENTERPRISE)]
        own[p] = 0 if short_term[i] > 0 else assessable[i]
        if setting[i] == 1:
            whole[p] = fees[0 if age[i] < 780 else 1]
    return price, own, pool, whole


@compiled
def _book(
    rows: Any, got: Any, paid: Any, own_paid: Any, pool: Any, whole: Any, entitled: Any, funded: Any, from_council: Any,
    from_own: Any, council_cost: Any, own_cost: Any, care_paid: Any, flows: Any, balances: Any, minutes: Any,
    events: Any,
) -> None:  # fmt: skip
    """Write what was bought for rows (m,) to the people and to the ledger; minutes are shared as their price was."""
    for p in range(rows.shape[0]):
        i = rows[p]
        cost = np.int64(paid[p] + own_paid[p]) if got[p] > 0 else 0
        by_own = np.int64(got[p]) * own_paid[p] // max(cost, 1)
        funded[i], from_own[i], from_council[i] = got[p], by_own, got[p] - by_own
        council_cost[i], own_cost[i] = paid[p], own_paid[p]
        care_paid[i] += own_paid[p]
        minutes[0] += got[p] - by_own
        minutes[1] += by_own
        pay(flows, balances, CITIZENS, COUNCIL, np.int64(own_paid[p]))
        outright = whole[p] > 0 and cost == whole[p]
        pay(flows, balances, COUNCIL, CARE_HOMES if outright else PAYEES[min(pool[p], FIRST_ENTERPRISE)], cost)
        events[19] += got[p] < entitled[i]


@compiled
def _buy_own(
    rows: Any, age: Any, setting: Any, need: Any, informal: Any, community: Any, enterprise: Any, income: Any,
    savings: Any, home_value: Any, from_own: Any, own_cost: Any, care_paid: Any, stock: Any, prices: Any, fees: Any,
    share: Any, spends: Any, weeks: Any, flows: Any, balances: Any, ledger_minutes: Any,
) -> None:  # fmt: skip
    """Self-funders buy in turn: a care home whole, home care as far as want, hours and money reach."""
    for i in rows:
        if setting[i] == 1:
            fee = fees[0 if age[i] < 780 else 1]
            from_income = min(np.int64(income[i] * weeks), fee)
            due = fee - from_income
            if due > savings[i] + home_value[i]:
                continue
            first = min(due, savings[i])
            savings[i] -= first
            home_value[i] -= due - first
            minutes: Any = np.int64(need[i])
            cost: Any = fee
            payee = CARE_HOMES
        else:
            want = np.int64(max(need[i] - informal[i] - community[i], 0) * share)
            where = FIRST_ENTERPRISE + enterprise[i] if enterprise[i] >= 0 else PRIVATE
            price = prices[min(where, FIRST_ENTERPRISE)]
            money = np.int64(savings[i] * spends)
            minutes = min(min(want, stock[where]), money * 60 // price)
            cost = price_of(minutes, price)
            savings[i] -= cost
            stock[where] -= minutes
            payee = PAYEES[min(where, FIRST_ENTERPRISE)]
        from_own[i] = minutes
        own_cost[i] = cost
        care_paid[i] += cost
        ledger_minutes[1] += minutes
        pay(flows, balances, CITIZENS, payee, cost)
