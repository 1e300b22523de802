"""Outcomes taken all at once are, to the last bit, what each is taken by itself."""

from __future__ import annotations

import numpy as np
import pytest

import small
from carecommons.outcomes.catalogue import BY_NAME, OUTCOMES, measure, observe
from carecommons.outcomes.outcome import Outcome
from carecommons.outcomes.together import Entries, Together
from carecommons.place.ledger import Account, Event, Giver
from carecommons.place.place import Place
from carecommons.place.population import Status


def one_by_one(place: Place) -> np.ndarray:
    return np.array([outcome.value(place) for outcome in OUTCOMES])


@pytest.mark.parametrize("scenario", [small.SCENARIO, small.STIRRED, small.STRICT])
def test_a_row_is_each_outcomes_own_value(scenario: small.Scenario) -> None:
    for month in small.months(scenario, small.founded(scenario), 4):
        assert measure(month.after).tobytes() == one_by_one(month.after).tobytes()


@pytest.mark.parametrize("people", [0, 1, 2])
def test_so_it_is_where_there_is_hardly_anybody(people: int) -> None:
    place = small.by_hand(people)
    assert np.array_equal(measure(place), one_by_one(place), equal_nan=True)
    assert list(observe(place)) == list(BY_NAME)


def test_a_mean_over_nobody_is_not_a_number_and_a_count_of_nobody_is_nought() -> None:
    place = small.by_hand(2)
    place.citizens.status[:] = Status.ALIVE
    row = observe(place)
    assert np.isnan(row["satisfied_users"]) and np.isnan(row["carer_strain"])
    assert (row["waiting"], row["people"]) == (0, 2)


def test_entries_add_up_cells_of_one_page_of_the_ledger(lived_in: Place) -> None:
    place = lived_in.copy()
    ledger = place.ledger
    for page in (ledger.flows, ledger.minutes, ledger.events):
        page[...] = np.arange(page.size).reshape(page.shape) * 7
    parts = (
        Entries("flows", [Account.COUNCIL * len(Account) + Account.STAFF], 0.01), Entries("minutes", Giver, 1 / 60),
        Entries("events", [Event.CRISES]),
    )  # fmt: skip
    flow, minutes, crises = ledger.flows[Account.COUNCIL, Account.STAFF], ledger.minutes.sum(), ledger.events[9]
    expected = [int(flow) * 0.01, int(minutes) * (1 / 60), int(crises)]
    assert [entries(place) for entries in parts] == expected
    assert Together([Outcome("x", "", "", "up", of=entries) for entries in parts]).take(place).tolist() == expected
