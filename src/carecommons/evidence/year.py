"""A year of a place as a survey or a return would see it: who did what at least once, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from carecommons.kernels.arrays import I64
from carecommons.place.ledger import Account, Event
from carecommons.place.place import Place
from carecommons.place.population import Setting

OLDER = 65 * 12


@dataclass
class Year:
    """Month by month sums and ever-flags by row; `place` is the place at the year's end."""

    place: Place
    months: int = 0
    ever: dict[str, Any] = field(default_factory=dict)
    sums: dict[str, float] = field(default_factory=dict)
    events: I64 = field(default_factory=lambda: np.zeros(len(Event), np.int64))
    waits: list[int] = field(default_factory=list)

    def add(self) -> None:
        """Take in the month that the place has just had."""
        c, ledger = self.place.citizens, self.place.ledger
        self.months += 1
        self.events += ledger.events
        older = c.age >= OLDER
        paid = c.from_council > 0
        long_term = paid & (c.short_term == 0)
        self._ever("asked", c.requests > 0)
        self._ever("assessed", (c.waited >= 0) | (paid & (c.reviewed == self.place.month)))
        self._ever("long_term", long_term)
        self._ever("gave", c.given > 0)
        self._sum("requests_older", c.requests[older].sum())
        self._sum("requests_younger", c.requests[~older].sum())
        self._sum("older", (older & c.alive).sum())
        self._sum("younger", (~older & c.alive).sum())
        self._sum("long_term_now", long_term.sum())
        spend = (c.council_cost + c.own_cost)[paid]
        self._sum("care_young", spend[~older[paid]].sum())
        self._sum("care_old", spend[older[paid]].sum())
        homes = paid & (c.setting == Setting.CARE_HOME)
        self._sum("care_homes_old", (c.council_cost + c.own_cost)[homes & older].sum())
        self._sum("short_term_spend", c.council_cost[paid & (c.short_term > 0)].sum())
        self._sum("council_spend", ledger.flows[Account.COUNCIL].sum())
        self._sum("admissions_old", (paid & older & (c.moved_in == self.place.month)).sum())
        giving = c.given > 0
        if "giving" in self.ever:
            self._sum("carer_exits", (self.ever["giving"] & ~giving).sum())
        self.ever["giving"] = giving
        self.waits += list(c.waited[c.waited >= 0])

    def _ever(self, name: str, now: Any) -> None:
        self.ever[name] = now | self.ever.get(name, False)

    def _sum(self, name: str, amount: Any) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + float(amount)
