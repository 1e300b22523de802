"""Care is bought and delivered: council packages by need rank, then what people buy for themselves."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.allocate import buy, price_of
from carecommons.kernels.compiled import compiled
from carecommons.params import LEVER, UNCERTAIN, A, C, D, param
from carecommons.place.ledger import Account, Event, Giver
from carecommons.place.luck import BEFORE, Luck
from carecommons.place.place import Place
from carecommons.place.population import Route, Setting
from carecommons.processes.process import Process
from carecommons.units import WEEKS_A_MONTH, minutes_a_month, pence, pence_a_month

HOME_CARE, ASSISTANTS, PRIVATE, FIRST_ENTERPRISE = 0, 1, 2, 3


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

    def step(self, place: Place, luck: Luck) -> None:
        """Buy for council clients, then let self-funders buy."""
        c = place.citizens
        for column in (c.funded, c.from_council, c.from_own, c.council_cost, c.own_cost):
            column[:] = 0
        n, e = len(c), place.enterprises
        e.load[:] = 0
        stock = np.concatenate([
            np.array([minutes_a_month(h * n) for h in (self.home_care, self.assistants, self.private_care)], np.int64),
            np.where(e.open, e.capacity, 0).astype(np.int64),
        ])  # fmt: skip
        before = stock.copy()
        paying = c.eligible & (c.route != Route.SELF_FUNDER)
        self._packages(place, luck, np.flatnonzero(paying & c.alive), stock)
        self._private(place, luck, np.flatnonzero(c.route == Route.SELF_FUNDER), stock)
        e.load[:] = (before - stock)[FIRST_ENTERPRISE:]

    def _rank(self, place: Place, rows: np.ndarray, luck: Luck) -> np.ndarray:
        """Rows from the greatest need to the least; equals in the order of a lasting draw."""
        c = place.citizens
        lot = luck.at(BEFORE).uniforms("provision.lot", c.id[rows])[:, 0]
        failed = np.bitwise_count(c.deficits[rows]).astype(np.int64)
        return np.lexsort((c.id[rows], lot, -c.need[rows], -failed, -c.level[rows]))

    def _fee(self, place: Place, rows: np.ndarray) -> np.ndarray:
        young, old = (pence_a_month(fee) for fee in self.care_home_fee)
        return np.where(place.citizens.age[rows] < 65 * 12, young, old).astype(np.int64)

    def _packages(self, place: Place, luck: Luck, rows: np.ndarray, stock: np.ndarray) -> None:
        c, books, ledger = place.citizens, place.council, place.ledger
        budget = books.care_pot + books.reserves + books.allowance
        budget += books.prevention_pot if books.prevention_first else 0
        route, home = c.route[rows], c.setting[rows] == Setting.HOME
        own_money = (route == Route.DIRECT_PAYMENT) | (route == Route.MIXED) | (route == Route.SERVICE_FUND)
        with_enterprise = home & (c.enterprise[rows] >= 0) & own_money
        price = np.where(own_money, pence(self.assistant_rate), pence(self.home_care_fee)).astype(np.int32)
        price[with_enterprise] = pence(self.enterprise_rate)
        pool = np.where(own_money, ASSISTANTS, HOME_CARE).astype(np.int32)
        pool[with_enterprise] = c.enterprise[rows][with_enterprise] + FIRST_ENTERPRISE
        own = np.where(c.short_term[rows] > 0, 0, c.assessable[rows]).astype(np.int32)
        whole = np.where(home, 0, self._fee(place, rows))
        got, paid, own_paid = (np.empty(len(rows), np.int32) for _ in range(3))
        left = buy(
            self._rank(place, rows, luck),
            c.entitled[rows],
            price,
            own,
            pool,
            whole,
            own,
            stock,
            budget,
            got,
            paid,
            own_paid,
        )
        self._book(place, rows, np.where(got == 0, 0, paid + own_paid), got, paid, own_paid, pool, whole)
        _settle_up(place, budget - int(left))
        ledger.events[Event.BREACHES] += int((got < c.entitled[rows]).sum())

    def _book(
        self, place: Place, rows: Any, cost: Any, got: Any, paid: Any, own_paid: Any, pool: Any, whole: Any
    ) -> None:
        c, ledger = place.citizens, place.ledger
        by_own = (got.astype(np.int64) * own_paid) // np.maximum(cost, 1)
        c.funded[rows] = got
        c.from_own[rows], c.from_council[rows] = by_own, got - by_own
        c.council_cost[rows], c.own_cost[rows] = paid, own_paid
        c.care_paid[rows] += own_paid
        ledger.minutes[Giver.COUNCIL] += int(c.from_council[rows].sum())
        ledger.minutes[Giver.OWN_MONEY] += int(by_own.sum())
        ledger.pay(Account.CITIZENS, Account.COUNCIL, int(own_paid.sum()))
        homes = (whole > 0) & (cost == whole)
        for payee, which in (
            (Account.CARE_HOMES, homes),
            (Account.HOME_CARE, ~homes & (pool == HOME_CARE)),
            (Account.ASSISTANTS, ~homes & (pool == ASSISTANTS)),
            (Account.ENTERPRISES, ~homes & (pool >= FIRST_ENTERPRISE)),
        ):
            ledger.pay(Account.COUNCIL, payee, int(cost[which].sum()))

    def _private(self, place: Place, luck: Luck, rows: np.ndarray, stock: np.ndarray) -> None:
        c, ledger = place.citizens, place.ledger
        rows = rows[self._rank(place, rows, luck)]
        fee = np.where(c.setting[rows] == Setting.CARE_HOME, self._fee(place, rows), 0)
        paid = np.zeros(4, np.int64)
        ledger.minutes[Giver.OWN_MONEY] += _buy_own(
            rows, c.need, c.informal, c.community, c.enterprise, c.income, c.savings, c.home_value, c.from_own,
            c.own_cost,
            c.care_paid, fee, stock, pence(self.private_fee), pence(self.enterprise_rate), self.self_paid_share,
            self.spends,
            WEEKS_A_MONTH, paid,
        )  # fmt: skip
        ledger.pay(Account.CITIZENS, Account.CARE_HOMES, int(paid[0]))
        ledger.pay(Account.CITIZENS, Account.HOME_CARE, int(paid[PRIVATE]))
        ledger.pay(Account.CITIZENS, Account.ENTERPRISES, int(paid[FIRST_ENTERPRISE]))


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
def _buy_own(
    rows: Any, need: Any, informal: Any, community: Any, enterprise: Any, income: Any, savings: Any, home_value: Any,
    from_own: Any, own_cost: Any, care_paid: Any, fee: Any, stock: Any, private: Any, small: Any, share: Any,
    spends: Any,
    weeks: Any, paid: Any,
) -> int:  # fmt: skip
    """Self-funders buy in turn: a care home whole, home care as far as want, hours and money reach -> minutes bought.

    Payments by payee go to `paid` (4,): care homes, -, private home care, micro-enterprises.
    """
    total = 0
    for p in range(rows.shape[0]):
        i = rows[p]
        if fee[p] > 0:
            from_income = min(np.int64(income[i] * weeks), fee[p])
            due = fee[p] - from_income
            if due > savings[i] + home_value[i]:
                continue
            first = min(due, savings[i])
            savings[i] -= first
            home_value[i] -= due - first
            minutes: Any = np.int64(need[i])
            cost: Any = fee[p]
            paid[0] += cost
        else:
            want = np.int64(max(need[i] - informal[i] - community[i], 0) * share)
            where = 3 + enterprise[i] if enterprise[i] >= 0 else 2
            price = small if enterprise[i] >= 0 else private
            money = np.int64(savings[i] * spends)
            minutes = min(min(want, stock[where]), money * 60 // price)
            cost = price_of(minutes, price)
            savings[i] -= cost
            stock[where] -= minutes
            paid[3 if where > 2 else 2] += cost
        from_own[i] = minutes
        own_cost[i] = cost
        care_paid[i] += cost
        total += minutes
    return total
