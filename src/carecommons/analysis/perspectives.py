"""Who bears the cost of care: every flow of money with both its signs, and the real resources behind it, by party.

Three columns make up what a party bears. `spending`: what it pays for care, support and charges, less what it is paid
for them. `financing`: the grant and what the rest of the council adds, which say who funds the payer and buy nothing.
`resources`: work and goods used up, which nobody pays back. Money that one party pays another gets, so that spending
and financing each sum to nought over parties, to the penny; what society bears is the sum over parties and equals the
resources: care, staff and groups at what is paid for them, and unpaid time at its dated price.

That providers, staff and groups use up what they are paid is an assumption: prices are taken for opportunity costs, and
no surplus is told apart. The council's opening reserves come before the first month and are no flow.
Source: NICE reference case (NHS and personal social services) and Green Book chapter 6 (transfers are no cost to
society).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.evidence.prices import Money
from carecommons.kernels.allocate import price_of
from carecommons.kernels.arrays import I64
from carecommons.place.ledger import Account


class Party(IntEnum):
    """Who can bear a cost."""

    GOVERNMENT = 0
    COUNCIL = 1
    NHS = 2
    CITIZENS = 3
    CARERS = 4
    VOLUNTEERS = 5
    PROVIDERS = 6
    STAFF = 7
    GROUPS = 8


WORDS: Final[dict[Party, str]] = {
    Party.GOVERNMENT: "central government: the grant",
    Party.COUNCIL: "the council: packages, staff and groups, less charges",
    Party.NHS: "the NHS: 0, because no flow of the NHS is simulated; not because there would be none",
    Party.CITIZENS: "households: charges and care they buy",
    Party.CARERS: "unpaid carers: their time at the price of an hour",
    Party.VOLUNTEERS: "members of groups who help: their time at the same price",
    Party.PROVIDERS: "home care, care homes, personal assistants, micro-enterprises",
    Party.STAFF: "the council's staff",
    Party.GROUPS: "community groups",
}

PARTY_OF: Final[dict[Account, Party]] = {
    Account.GOVERNMENT: Party.GOVERNMENT,
    Account.COUNCIL: Party.COUNCIL,
    Account.REST_OF_COUNCIL: Party.COUNCIL,
    Account.CITIZENS: Party.CITIZENS,
    Account.HOME_CARE: Party.PROVIDERS,
    Account.CARE_HOMES: Party.PROVIDERS,
    Account.ASSISTANTS: Party.PROVIDERS,
    Account.ENTERPRISES: Party.PROVIDERS,
    Account.STAFF: Party.STAFF,
    Account.GROUPS: Party.GROUPS,
}

FINANCING: Final = ((Account.GOVERNMENT, Account.COUNCIL), (Account.REST_OF_COUNCIL, Account.COUNCIL))
"""Flows that fund a payer and buy nothing."""

SUPPLIERS: Final = tuple(account for account, party in PARTY_OF.items() if party >= Party.PROVIDERS)
"""Accounts whose income stands for resources used up."""

PERSPECTIVES: Final[dict[str, tuple[Party, ...]]] = {
    "council": (Party.COUNCIL,),
    "nhs": (Party.NHS,),
    "public": (Party.GOVERNMENT, Party.COUNCIL, Party.NHS),
    "household": (Party.CITIZENS,),
    "carers": (Party.CARERS, Party.VOLUNTEERS),
    "society": tuple(Party),
}
"""Whose costs count, by the name of the perspective. `public` is the nearest there is to NHS and social services."""


class Books(NamedTuple):
    """What each party bears (..., parties), whole pence at the prices of `year`; the columns as the module explains."""

    spending: I64
    financing: I64
    resources: I64
    year: int

    @property
    def borne(self) -> I64:
        """Spending and resources (..., parties): what counts as cost, however it is funded."""
        return self.spending + self.resources


def parties_of(perspective: str) -> tuple[Party, ...]:
    """The parties of a perspective; `InputError` names the nearest where there is none."""
    if perspective not in PERSPECTIVES:
        known = did_you_mean(perspective, PERSPECTIVES) or f"; there are {', '.join(PERSPECTIVES)}"
        raise InputError(f"unknown perspective '{one_line(perspective)}'{known}")
    return PERSPECTIVES[perspective]


def books(flows: Any, unpaid: Any, community: Any, hour: Money) -> Books:
    """What each party bears.

    Parameters
    ----------
    flows
        Pence that the account of the row paid that of the column (..., accounts, accounts), as (years, 10, 10).
    unpaid, community
        Minutes of unpaid care, and of help by members of groups (...).
    hour
        An hour of unpaid time; its year must be that of the flows' prices, and is that of the result. 0 leaves it out.
    """
    paid = _whole("flows", flows)
    accounts = len(Account)
    if paid.shape[-2:] != (accounts, accounts):
        raise InputError(
            f"perspectives: flows {paid.shape} must end in ({accounts}, {accounts}), one a pair of accounts"
        )
    minutes = {Party.CARERS: _whole("unpaid", unpaid), Party.VOLUNTEERS: _whole("community", community)}
    for party, given in minutes.items():
        if given.shape != paid.shape[:-2]:
            raise InputError(f"perspectives: minutes of {party.name.lower()} {given.shape} for flows {paid.shape[:-2]}")
    funds = np.zeros_like(paid)
    for pair in FINANCING:
        funds[(..., *pair)] = paid[(..., *pair)]
    spent = paid - funds
    income = np.zeros(paid.shape[:-1], np.int64)
    income[..., list(SUPPLIERS)] = spent.sum(axis=-2)[..., list(SUPPLIERS)]
    resources = _by_party(income)
    for party, given in minutes.items():
        resources[..., party] += np.asarray(price_of(given, np.int64(hour.pence)))
    return Books(_by_party(_net(spent)), _by_party(_net(funds)), resources, hour.year)


def _net(flows: I64) -> I64:
    """Paid less received (..., accounts)."""
    return np.asarray(flows.sum(axis=-1) - flows.sum(axis=-2))


def _by_party(values: I64) -> I64:
    """Accounts (..., accounts) added up to parties (..., parties)."""
    out = np.zeros((*values.shape[:-1], len(Party)), np.int64)
    for account, party in PARTY_OF.items():
        out[..., party] += values[..., account]
    return out


def _whole(name: str, values: Any) -> I64:
    """Whole numbers as such; sums of whole minutes may come as floats."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        if not np.array_equal(array, np.floor(array)):
            raise InputError(f"perspectives: {name} must be whole numbers of pence or minutes")
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise InputError(f"perspectives: {name} of type {array.dtype} must be whole numbers of pence or minutes")
    return np.asarray(array, np.int64)
