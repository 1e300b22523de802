"""Perspectives: transfers net to nought to the penny, and society bears what is used up (law 49, row E2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import small
from carecommons.analysis.perspectives import (
    FINANCING,
    PARTY_OF,
    PERSPECTIVES,
    SUPPLIERS,
    WORDS,
    Books,
    Party,
    books,
    parties_of,
)
from carecommons.errors import InputError
from carecommons.evidence.prices import Money
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.place.ledger import Account, Giver

N = len(Account)
HOUR = Money(2500, 2021)

# What anybody may pay anybody in a few years.
FLOWS = st.integers(1, 3).flatmap(
    lambda years: st.lists(st.integers(0, 10**12), min_size=years * N * N, max_size=years * N * N).map(
        lambda pence: np.array(pence, np.int64).reshape(years, N, N)
    )
)
MINUTES = st.integers(0, 10**9)


def cost(found: Books, perspective: str) -> np.ndarray:
    """What the parties of a perspective bear together."""
    return np.asarray(found.borne[..., list(PERSPECTIVES[perspective])].sum(axis=-1))


def kept(flows: np.ndarray, unpaid: int = 0, community: int = 0, hour: Money = HOUR) -> Books:
    """Books of years with the same minutes each."""
    return books(flows, np.full(len(flows), unpaid), np.full(len(flows), community), hour)


@given(FLOWS, MINUTES, MINUTES)
def test_transfers_net_to_nought_and_society_bears_what_is_used_up(flows: Any, unpaid: int, community: int) -> None:
    found = kept(flows, unpaid, community)
    assert not found.spending.sum(axis=-1).any() and not found.financing.sum(axis=-1).any()
    assert found.borne.sum(axis=-1).tolist() == found.resources.sum(axis=-1).tolist() == cost(found, "society").tolist()
    bought = flows[:, :, list(SUPPLIERS)].sum(axis=(1, 2))
    time = [(minutes * 2500 + 30) // 60 for minutes in (unpaid, community)]
    assert cost(found, "society").tolist() == [each + sum(time) for each in bought.tolist()]


@given(FLOWS)
def test_with_financing_a_party_bears_what_it_paid_less_what_it_got(flows: Any) -> None:
    found = kept(flows)
    for party in Party:
        accounts = [account for account, who in PARTY_OF.items() if who is party]
        paid = sum((flows[:, a, :].sum(axis=-1) - flows[:, :, a].sum(axis=-1) for a in accounts), np.zeros(len(flows)))
        assert (found.spending + found.financing)[:, party].tolist() == paid.tolist()


@given(FLOWS, MINUTES)
def test_unpaid_time_at_0_costs_nothing_and_changes_nobody_elses_books(flows: Any, minutes: int) -> None:
    free, dear = kept(flows, minutes, minutes, Money(0, 2021)), kept(flows, minutes, minutes)
    carers = list(PERSPECTIVES["carers"])
    assert not cost(free, "carers").any() and (cost(dear, "carers") >= 0).all()
    assert np.array_equal(np.delete(free.borne, carers, axis=-1), np.delete(dear.borne, carers, axis=-1))
    assert free.spending.tolist() == dear.spending.tolist()


@given(FLOWS, FLOWS)
def test_books_of_money_add_up(one: Any, other: Any) -> None:
    n = min(len(one), len(other))
    together, apart = kept(one[:n] + other[:n]), (kept(one[:n]), kept(other[:n]))
    for name in ("spending", "financing", "resources"):
        assert np.array_equal(getattr(together, name), sum(getattr(each, name) for each in apart))


def test_a_year_by_hand() -> None:
    """A grant of 100 and 5 from the rest; packages for 80, of which the client pays 30; staff 15; and 20 bought."""
    flows = np.zeros((1, N, N), np.int64)
    for payer, payee, pence in (
        (Account.GOVERNMENT, Account.COUNCIL, 100), (Account.COUNCIL, Account.HOME_CARE, 80),
        (Account.CITIZENS, Account.COUNCIL, 30), (Account.COUNCIL, Account.STAFF, 15),
        (Account.REST_OF_COUNCIL, Account.COUNCIL, 5), (Account.CITIZENS, Account.ENTERPRISES, 20),
    ):  # fmt: skip
        flows[0, payer, payee] = pence
    found = kept(flows, unpaid=60, community=30, hour=Money(100, 2021))
    borne = dict(zip(Party, found.borne[0].tolist(), strict=True))
    assert borne == {
        Party.GOVERNMENT: 0, Party.COUNCIL: 80 + 15 - 30, Party.NHS: 0, Party.CITIZENS: 30 + 20, Party.CARERS: 100,
        Party.VOLUNTEERS: 50, Party.PROVIDERS: 0, Party.STAFF: 0, Party.GROUPS: 0,
    }  # fmt: skip
    assert found.financing[0, [Party.GOVERNMENT, Party.COUNCIL]].tolist() == [100, -100]
    costs = {name: int(cost(found, name)[0]) for name in PERSPECTIVES}
    assert costs == {"council": 65, "nhs": 0, "public": 65, "household": 50, "carers": 150, "society": 265}
    assert found.year == 2021


@pytest.mark.parametrize("months", [1, small.LIVED])
def test_the_books_of_a_month_are_the_ledgers_and_the_outcomes_own(months: int) -> None:
    place = small.run(small.STIRRED, months=months).place
    minutes = place.ledger.minutes
    found = books(place.ledger.flows, minutes[Giver.UNPAID], minutes[Giver.COMMUNITY], HOUR)
    pence = {name: round(BY_NAME[name].value(place) * 100) for name in ("council_spend", "charges", "own_spend")}
    assert cost(found, "council") == pence["council_spend"] - pence["charges"]
    assert cost(found, "household") == pence["own_spend"]
    assert cost(found, "nhs") == 0 and "0, because no flow of the NHS is simulated" in WORDS[Party.NHS]
    assert found.spending.sum() == found.financing.sum() == 0


def test_every_account_is_one_partys_and_every_party_has_words() -> None:
    assert set(PARTY_OF) == set(Account) and set(WORDS) == set(Party)
    assert set(PERSPECTIVES["society"]) == set(Party)
    assert all(payee is Account.COUNCIL for _, payee in FINANCING)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: books(np.zeros((2, 3, 3), int), [0, 0], [0, 0], HOUR), "perspectives: flows (2, 3, 3) must end in"),
        (lambda: books(np.zeros((2, N, N), int), [0], [0, 0], HOUR), "perspectives: minutes of carers (1,) for flows"),
        (lambda: books(np.full((1, N, N), 0.5), [0], [0], HOUR), "perspectives: flows must be whole numbers"),
        (lambda: books(np.zeros((1, N, N), int), [True], [0], HOUR), "perspectives: unpaid of type bool"),
        (lambda: parties_of("councl"), "unknown perspective 'councl'; did you mean 'council'?"),
        (lambda: parties_of("zzz"), "unknown perspective 'zzz'; there are council, nhs"),
    ],
)
def test_what_are_no_books_is_refused_in_one_line(act: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        act()
    assert message in str(caught.value) and "\n" not in str(caught.value)
