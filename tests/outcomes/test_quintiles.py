"""Sums by deprivation quintile: law 11, the five rows make up the place's own outcomes to the last minute and penny."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import small
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.outcomes.fairness import by_group
from carecommons.outcomes.quintiles import MEASURES, QUINTILES, UNITS, observe
from carecommons.place.ledger import Account, Giver
from carecommons.place.place import Place
from carecommons.place.population import Status

# A measure, and the outcome that it sums up to once scaled alike.
TOTALS = {
    "people": "people", "in_need": "latent", "funded": "funded", "need_minutes": "need_hours",
    "unmet_minutes": "unmet_hours", "funded_minutes": "funded_hours",
}  # fmt: skip
# A measure, whom it is about, and the outcome that is their quotient.
MEANS = {
    "isolated": ("people", "isolation"), "lonely": ("people", "loneliness"), "carers": ("people", "carers"),
    "unmet_people": ("in_need", "unmet_people"), "scrqol_in_need": ("in_need", "scrqol_in_need"),
}  # fmt: skip
MINUTES = {
    "council_minutes": Giver.COUNCIL, "own_minutes": Giver.OWN_MONEY, "unpaid_minutes": Giver.UNPAID,
    "given_minutes": Giver.UNPAID, "community_minutes": Giver.COMMUNITY,
}  # fmt: skip

STIRRED = {"stirred": small.STIRRED, "strict": small.STRICT, "default": small.SCENARIO}


@pytest.fixture(scope="module", params=sorted(STIRRED))
def place(request: pytest.FixtureRequest) -> Place:
    """A place some months old, of which one draws on everything."""
    return small.run(STIRRED[request.param], months=small.LIVED).place


def total(place: Place, measure: str) -> float:
    """A measure over all quintiles."""
    return float(observe(place)[:, MEASURES.index(measure)].sum())


@pytest.mark.parametrize("measure", sorted(TOTALS))
def test_counts_and_minutes_of_the_quintiles_are_the_places_own(place: Place, measure: str) -> None:
    outcome = BY_NAME[TOTALS[measure]]
    assert total(place, measure) * outcome.scale == outcome.value(place)


@pytest.mark.parametrize("measure", sorted(MEANS))
def test_a_mean_of_the_place_is_the_quotient_of_two_sums_over_quintiles(place: Place, measure: str) -> None:
    among, name = MEANS[measure]
    outcome = BY_NAME[name]
    assert total(place, measure) / total(place, among) * outcome.scale == outcome.value(place)


@pytest.mark.parametrize("measure", sorted(MINUTES))
def test_every_minute_of_the_ledger_is_in_one_quintile(place: Place, measure: str) -> None:
    assert total(place, measure) == place.ledger.minutes[MINUTES[measure]]


def test_every_penny_for_packages_is_in_one_quintile(place: Place) -> None:
    flows = place.ledger.flows
    providers = [Account.HOME_CARE, Account.CARE_HOMES, Account.ASSISTANTS, Account.ENTERPRISES]
    charges = flows[Account.CITIZENS, Account.COUNCIL]
    assert total(place, "council_pence") == flows[Account.COUNCIL, providers].sum() - charges
    assert total(place, "own_pence") == flows[Account.CITIZENS].sum()


@pytest.mark.parametrize(("measure", "outcome"), [("isolated", "isolation"), ("unmet_minutes", "unmet_hours")])
def test_a_quintile_is_the_one_that_fairness_tells_of(place: Place, measure: str, outcome: str) -> None:
    found, sums = by_group(place, outcome, "deprivation"), observe(place)
    assert found.people.tolist() == sums[:, MEASURES.index("people")].tolist() and found.labels == list(QUINTILES)
    values = found.values if BY_NAME[outcome].total else np.nan_to_num(found.values) * found.people
    # One product of floats against one sum of whole numbers: a few roundings.
    assert values / BY_NAME[outcome].scale == pytest.approx(sums[:, MEASURES.index(measure)], rel=1e-14)


def test_where_a_row_is_stored_does_not_matter(place: Place) -> None:
    order = np.argsort(place.citizens.frailty, kind="stable")
    assert np.array_equal(observe(place.reordered(order)), observe(place))


def test_looking_changes_nothing(lived: Callable[[], Place]) -> None:
    place = lived()
    observe(place)
    assert small.differing(place, lived()) == []


def test_five_people_by_hand() -> None:
    among = (Status.ALIVE | Status.IN_NEED | Status.UNMET | Status.FUNDED | Status.DELIVERED).value
    place = small.by_hand(
        5, deprivation=[1, 1, 2, 5, 5], status=[among, Status.ALIVE.value, 0, among, Status.ALIVE | Status.CARER],
        scrqol=[10, 20, 24, 12, 18], need=[600, 0, 900, 300, 0], unmet=[60, 0, 900, 30, 0], given=[0, 0, 7, 0, 90],
        council_cost=[5, 0, 9, 6, 0], isolated=[True, False, True, False, True],
    )  # fmt: skip
    found = {name: observe(place)[:, k].tolist() for k, name in enumerate(MEASURES)}
    assert found["people"] == [2, 0, 0, 0, 2] and found["in_need"] == [1, 0, 0, 0, 1]
    assert found["scrqol"] == [30, 0, 0, 0, 30] and found["scrqol_in_need"] == [10, 0, 0, 0, 12]
    assert found["need_minutes"] == [600, 0, 0, 0, 300] and found["unmet_minutes"] == [60, 0, 0, 0, 30]
    assert found["given_minutes"] == [0, 0, 0, 0, 90] and found["carers"] == [0, 0, 0, 0, 1]
    assert found["council_pence"] == [5, 0, 0, 0, 6] and found["isolated"] == [1, 0, 0, 0, 1]


def test_what_people_without_need_get_or_pay_is_counted_all_the_same() -> None:
    for column, measure in (
        ("own_cost", "own_pence"), ("need", "need_minutes"), ("informal", "unpaid_minutes"),
        ("community", "community_minutes"),
    ):  # fmt: skip
        place = small.by_hand(1, status=Status.ALIVE.value, **{column: 7})
        assert total(place, measure) == 7


def test_nobody_lives_here_and_every_sum_is_nought() -> None:
    assert observe(small.by_hand(0)).tolist() == [[0.0] * len(MEASURES)] * 5


def test_every_measure_says_its_unit() -> None:
    assert list(UNITS) == list(MEASURES) and all(UNITS.values())
    assert observe(small.by_hand(1)).dtype == np.float64
