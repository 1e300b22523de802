"""People die as the life table says, move as often as stated, and newcomers live alone or with their family."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chance import near

import small
from carecommons.founding.profile import life_table
from carecommons.place.ledger import Event
from carecommons.place.place import Place
from carecommons.place.population import Setting
from carecommons.processes.turnover import Turnover

MANY = 20_000
STAYING: dict[str, Any] = {"departure": 0.0, "departure_young": 0.0, "arrival": 0.0}
PLAIN = Turnover(**STAYING, mortality_by_need=(1.0,) * 4, mortality_if_lonely=1.0, mortality_in_care_home=1.0)


def gone(process: Turnover, place: Place) -> np.ndarray:
    return ~small.alone(process, place).citizens.alive


def dying(years: int, sex: int, multiple: float) -> float:
    """The monthly chance whose yearly one is that of the life table, at so many times the hazard."""
    return float(1 - (1 - life_table(2019)[sex, years]) ** (multiple / 12))


@pytest.mark.parametrize(("years", "sex"), [(60, 0), (80, 0), (80, 1), (95, 1)])
def test_deaths_are_those_of_the_life_table(years: int, sex: int) -> None:
    place = small.by_hand(MANY, age=years * 12, sex=sex)
    assert near(gone(PLAIN, place), dying(years, sex, 1.0))


@pytest.mark.parametrize(
    ("process", "who", "multiple"),
    [
        (PLAIN.but(mortality=3.0), {}, 3.0),
        (PLAIN.but(mortality_by_need=(0.5, 1.0, 2.0, 6.0)), {"level": 0}, 0.5),
        (PLAIN.but(mortality_by_need=(0.5, 1.0, 2.0, 6.0)), {"level": 3}, 6.0),
        (PLAIN.but(mortality_if_lonely=1.35), {"lonely": True}, 1.35),
        (PLAIN.but(mortality_if_lonely=1.35), {"lonely": False}, 1.0),
        (PLAIN.but(mortality_in_care_home=4.0), {"setting": Setting.CARE_HOME}, 4.0),
        (PLAIN.but(mortality_by_need=(1, 1, 1, 6.0), mortality_in_care_home=2.0), {"level": 3, "setting": 1}, 12.0),
    ],
    ids=["all", "no need", "high need", "lonely", "not lonely", "care home", "both"],
)
def test_need_loneliness_and_care_homes_multiply_the_hazard(
    process: Turnover, who: dict[str, Any], multiple: float
) -> None:
    place = small.by_hand(MANY, age=85 * 12, **who)
    assert near(gone(process, place), dying(85, 0, multiple))


def test_who_dies_at_a_low_hazard_dies_at_a_high_one_too() -> None:
    place = small.by_hand(MANY, age=85 * 12)
    low, high = (gone(PLAIN.but(mortality=m), place) for m in (1.0, 2.0))
    assert low.any() and (low <= high).all() and high.sum() > low.sum()


def test_those_who_move_away_in_twelve_months_are_the_yearly_share() -> None:
    move = PLAIN.but(mortality=0.0, departure=0.1, departure_young=0.4)
    place = small.by_hand(MANY, age=np.where(np.arange(MANY) % 2 == 0, 25 * 12, 60 * 12))
    young = place.citizens.age < 35 * 12
    left = 0
    for _ in range(12):
        place = small.alone(move, place)
        left += place.ledger.events[Event.DEPARTURES]
    away = ~place.citizens.alive
    assert near(away[young], 0.4) and near(away[~young], 0.1)
    assert away.sum() == left


@pytest.fixture(scope="module")
def crowd() -> tuple[Place, np.ndarray]:
    """A place in which many have come and gone, and the rows of this month's newcomers."""
    restless = Turnover(mortality=3.0, departure=0.3, departure_young=0.3, arrival=1.0, coming_of_age=0.7)
    place = small.founded()
    for _ in range(36):
        place = small.alone(restless, place)
    return place, np.flatnonzero(place.citizens.alive & (place.citizens.arrived == place.month))


def test_newcomers_are_adults_who_were_never_here(crowd: tuple[Place, np.ndarray]) -> None:
    place, fresh = crowd
    c = place.citizens
    assert len(fresh) > 10
    assert (c.age[fresh] >= 18 * 12).all() and (c.age[fresh] < 68 * 12).all()
    assert np.array_equal(c.id[fresh], (np.int64(place.month) << 32) | c.address[fresh])
    assert (c.partner[fresh] < 0).all() and not c.asked[fresh].any() and not c.eligible[fresh].any()


def test_newcomers_know_family_near_by_and_nobody_else(crowd: tuple[Place, np.ndarray]) -> None:
    """Kin alone, no more of them than two parents and three others, of whom one is a generation older."""
    place, fresh = crowd
    c, t = place.citizens, place.ties
    with_family = 0
    for i in fresh:
        mine = slice(t.start[i], t.start[i] + t.degree[i])
        assert (t.kind[mine] == small.Tie.KIN).all() and t.degree[i] <= 2 + 3
        if t.degree[i]:
            with_family += 1
            parents = t.neighbour[mine][t.strength[mine] > 0.8]
            gaps = c.age[parents[0]] - c.age[i]
            assert 18 * 12 <= gaps <= 45 * 12
            assert (c.neighbourhood[parents[0]] == c.neighbourhood[i]).all()
    assert with_family > len(fresh) / 2


def test_nobody_moves_in_with_strangers() -> None:
    """Month after month: whoever shares a home with a newcomer is known to him."""
    restless = Turnover(mortality=3.0, departure=0.3, departure_young=0.3, arrival=1.0, coming_of_age=0.7)
    place = small.founded()
    shared = 0
    for _ in range(36):
        place = small.alone(restless, place)
        c, t = place.citizens, place.ties
        for i in np.flatnonzero(c.alive & (c.arrived == place.month) & (c.home_size > 1)):
            home = np.flatnonzero(c.alive & (c.household == c.household[i]))
            known = t.neighbour[t.start[i] : t.start[i] + t.degree[i]]
            shared += 1
            assert np.isin(home, known).any(), (place.month, i)
    assert shared > 100


def test_addresses_fill_at_the_stated_pace_and_none_is_lost() -> None:
    place = small.by_hand(MANY)
    small_town = place.citizens
    small_town.clear(np.arange(0, MANY, 2), keep=("address", "neighbourhood", "deprivation"))
    empty = ~small_town.alive
    after = small.alone(PLAIN.but(mortality=0.0, arrival=0.3), place)
    assert near(after.citizens.alive[empty], 0.3)
    assert after.ledger.events[Event.ARRIVALS] == (after.citizens.alive & empty).sum()
    assert np.array_equal(after.citizens.address, place.citizens.address)


def test_a_widow_keeps_her_home_and_loses_the_tie() -> None:
    pair = [(0, 1, small.Tie.PARTNER), (0, 2, small.Tie.FRIEND), (1, 2, small.Tie.FRIEND)]
    place = small.by_hand(3, pair, partner=[1, 0, -1], household=[0, 0, 2], level=[0, 3, 0])
    widowing = PLAIN.but(mortality=100_000.0, mortality_by_need=(0.0, 0.0, 0.0, 10.0))
    after = small.alone(widowing, place)
    c, t = after.citizens, after.ties
    assert c.alive.tolist() == [True, False, True]
    assert c.partner.tolist() == [-1, -1, -1] and c.home_size.tolist() == [1, 0, 1] and c.household[0] == 0
    assert t.degree.tolist() == [1, 0, 1] and after.ledger.events[Event.TIES_LOST] == 2
