"""The council's month of money: the grant, its pots, and what its staff can do."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from carecommons.params import LEVER, UNCERTAIN, A, C, D, param
from carecommons.place.ledger import Account
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.place.population import Sequel
from carecommons.processes.process import Process
from carecommons.units import MONTHS_A_YEAR, pence

LOW_LEVEL = int(Sequel.LOW_LEVEL)  # a plain number compares faster with a column


class Council(Process):
    """A grant a head comes in each month and is split into pots: care, prevention and running costs.

    Running costs pay the staff, whose number sets how many people can be assessed. What care leaves over goes to the
    reserves; what it lacks comes from prevention where the legal floor is on, then from reserves, then, up to a limit,
    from the rest of the council, and is recorded as overspend.
    Source: NHS England ASC-FR 2023-24; ADASS Spring Survey 2025.
    """

    reads: ClassVar[tuple[str, ...]] = ("sequel", "council")
    writes: ClassVar[tuple[str, ...]] = ("council", "ledger")

    funding: float = param(
        1.0, "spend a head against today's", unit="x today's spend", low=0, high=10, role=LEVER, grade=A,
        source="1 is gross current expenditure of 2023-24",
    )  # fmt: skip
    spend_per_adult: float = param(
        592.0, "gross current expenditure on adult social care", unit="pounds/adult/year", low=0, high=100_000,
        role=UNCERTAIN, grade=A, source="NHS England ASC-FR 2023-24: 27.06bn over adults of mid-2023",
    )  # fmt: skip
    from_charges: float = param(
        0.25, "part of that spend that clients' own contributions pay", unit="share", low=0, high=0.9, role=UNCERTAIN,
        grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    shares: tuple[float, float, float] = param(
        (0.80, 0.05, 0.15), "care, prevention, running costs; sums to 1", unit="share of the grant", low=0, high=1,
        role=LEVER, grade=C, source="long-term support 79.1% (ASC-FR 2023-24), prevention about 5% (ADASS 2025)",
    )  # fmt: skip
    assessment_cost: float = param(
        2_200.0, "running cost for each assessment that can be made", unit="pounds/assessment", low=1, high=1_000_000,
        role=UNCERTAIN, grade=D, source="assumption: set against a median wait of 18 days (BBC FOI 2022-23)",
    )  # fmt: skip
    low_level_cost: float = param(
        350.0, "cost of low-level support for one person", unit="pounds/person", low=0, high=100_000, role=UNCERTAIN,
        grade=D, source="assumption",
    )  # fmt: skip
    group_grants: float = param(
        0.3, "part of the prevention pot that goes to community groups", unit="share", low=0, high=1, role=LEVER,
        grade=D, source="assumption",
    )  # fmt: skip
    legal_floor: bool = param(
        True, "prevention is spent on care before eligible need goes unpaid", unit="switch", role=LEVER, grade=A,
        source="Care Act 2014 s. 18: duty to meet eligible needs",
    )  # fmt: skip
    reserves: float = param(
        0.05, "reserves at the start", unit="share of a year's grant", low=0, high=5, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    overspend_limit: float = param(
        0.03, "most that the rest of the council adds", unit="share of the grant", low=0, high=10, role=LEVER, grade=C,
        source="774m overspend of about 27bn (ADASS 2025)",
    )  # fmt: skip

    @model_validator(mode="after")
    def _shares_make_a_whole(self) -> Self:
        if abs(sum(self.shares) - 1.0) > 1e-9:
            raise PydanticCustomError("sum", "shares sums to {total}, must be 1", {"total": round(sum(self.shares), 6)})
        return self

    def monthly_grant(self, adults: int) -> int:
        """The month's grant in pence for a place of so many addresses."""
        return round(self.funding * (1 - self.from_charges) * pence(self.spend_per_adult) * adults / MONTHS_A_YEAR)

    def settle(self, place: Place) -> None:
        """Fill the reserves."""
        if not self.off:
            place.council.reserves = round(self.reserves * MONTHS_A_YEAR * self.monthly_grant(len(place.citizens)))
            place.ledger.balances[Account.COUNCIL] += place.council.reserves
            place.ledger.balances[Account.GOVERNMENT] -= place.council.reserves

    def step(self, place: Place, luck: Luck) -> None:
        """Take in the grant, pay the staff."""
        books, ledger = place.council, place.ledger
        grant = self.monthly_grant(len(place.citizens))
        ledger.pay(Account.GOVERNMENT, Account.COUNCIL, grant)
        prevention, running = round(grant * self.shares[1]), round(grant * self.shares[2])
        books.care_pot += grant - prevention - running
        books.prevention_pot += prevention
        books.running_pot += running
        books.allowance = round(grant * self.overspend_limit)
        books.prevention_first = self.legal_floor
        books.assessments, books.running_pot = divmod(books.running_pot, pence(self.assessment_cost))
        ledger.pay(Account.COUNCIL, Account.STAFF, books.assessments * pence(self.assessment_cost))
        self._support_early(place)

    def _support_early(self, place: Place) -> None:
        """Pay for last month's low-level support and for groups out of prevention, as far as it reaches."""
        books, ledger = place.council, place.ledger
        granted = min(round(books.prevention_pot * self.group_grants), books.prevention_pot)
        equipped = int(np.count_nonzero(place.citizens.sequel == LOW_LEVEL)) * pence(self.low_level_cost)
        equipped = min(equipped, books.prevention_pot - granted)
        ledger.pay(Account.COUNCIL, Account.GROUPS, granted)
        ledger.pay(Account.COUNCIL, Account.STAFF, equipped)
        books.prevention_pot -= granted + equipped
