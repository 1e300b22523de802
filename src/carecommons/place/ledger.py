"""Every penny from one account to another, every minute from one giver, every event counted: this month's and all
time's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np

from carecommons.kernels.arrays import I64
from carecommons.kernels.compiled import compiled


class Account(IntEnum):
    """Who holds money; what one pays another gets, so the accounts always sum to nought."""

    GOVERNMENT = 0
    COUNCIL = 1
    CITIZENS = 2
    HOME_CARE = 3
    CARE_HOMES = 4
    ASSISTANTS = 5
    ENTERPRISES = 6
    GROUPS = 7
    STAFF = 8
    REST_OF_COUNCIL = 9


class Giver(IntEnum):
    """Who gave or paid for a minute of care; each delivered minute has exactly one."""

    COUNCIL = 0
    OWN_MONEY = 1
    UNPAID = 2
    COMMUNITY = 3


class Event(IntEnum):
    """Things that happen and are counted."""

    DEATHS = 0
    DEPARTURES = 1
    ARRIVALS = 2
    TIES_FORMED = 3
    TIES_FADED = 4
    TIES_LOST = 5
    BREAKDOWNS = 6
    RECOVERIES = 7
    REQUESTS = 8
    CRISES = 9
    ASSESSMENTS = 10
    REVIEWS = 11
    JOINED_LIST = 12
    LEFT_LIST = 13
    SIGNPOSTED = 14
    NO_SERVICE = 15
    LOW_LEVEL = 16
    SHORT_TERM = 17
    LONG_TERM = 18
    BREACHES = 19
    ENTERPRISES_OPENED = 20
    ENTERPRISES_CLOSED = 21
    GROUPS_OPENED = 22
    GROUPS_CLOSED = 23
    CARE_HOME_ADMISSIONS = 24
    MONTHS_WAITED = 25


def _flows() -> I64:
    return np.zeros((len(Account), len(Account)), np.int64)


def _minutes() -> I64:
    return np.zeros(len(Giver), np.int64)


def _events() -> I64:
    return np.zeros(len(Event), np.int64)


@dataclass(slots=True)
class Ledger:
    """`flows[a, b]` pence that a paid b this month; `minutes[g]` given; `events[e]` counted.

    `unpaid_price` is what an hour of unpaid time is worth, in pence: the user's to set, 0 allowed.
    """

    flows: I64 = field(default_factory=_flows)
    minutes: I64 = field(default_factory=_minutes)
    events: I64 = field(default_factory=_events)
    unpaid_price: int = 0
    balances: I64 = field(default_factory=lambda: np.zeros(len(Account), np.int64))

    def pay(self, payer: Account, payee: Account, amount: int) -> None:
        """Move `amount` pence."""
        pay(self.flows, self.balances, int(payer), int(payee), amount)

    def open_month(self) -> None:
        """Turn the page; balances carry over."""
        self.flows[:] = 0
        self.minutes[:] = 0
        self.events[:] = 0

    def copy(self) -> Ledger:
        """An independent copy."""
        return Ledger(
            self.flows.copy(), self.minutes.copy(), self.events.copy(), self.unpaid_price, self.balances.copy()
        )


@compiled
def pay(flows: Any, balances: Any, payer: int, payee: int, amount: int) -> None:
    """Move `amount` pence, for loops that pay many."""
    flows[payer, payee] += amount
    balances[payer] -= amount
    balances[payee] += amount
