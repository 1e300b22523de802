"""A difference in funded care is split person by person, without a minute left over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.model import CareCommons
from carecommons.outcomes.attribution import Attribution, attribute
from carecommons.place.place import Place
from carecommons.scenario import Scenario
from small import SCENARIO, by_hand, run, spread

MINUTES = st.integers(0, 5000)
PEOPLE = st.integers(1, 6)


@st.composite
def places(draw: st.DrawFn, people: int) -> Place:
    """A place in which anybody may be gone, replaced, waiting, in need and helped from anywhere."""

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=people, max_size=people))

    place = by_hand(people)
    c = place.citizens
    c.alive[:] = column(st.booleans())
    newcomer = np.array(column(st.booleans()))
    c.id[:] = np.where(c.alive, np.where(newcomer, np.int64(7 << 32) | c.address, c.address), -1)
    for name in ("funded", "need", "informal", "community", "from_own"):
        getattr(c, name)[:] = column(MINUTES)
    c.waiting_since[:] = column(st.sampled_from([-1, 0, 5]))
    return place


@st.composite
def futures(draw: st.DrawFn) -> tuple[Place, Place]:
    """Two futures of one place."""
    people = draw(PEOPLE)
    return draw(places(people)), draw(places(people))


def funded(place: Place) -> int:
    return int(place.citizens.funded[place.citizens.alive].sum())


def parts(found: Attribution) -> tuple[int, ...]:
    return found.prevented, found.met_elsewhere, found.deterred, found.delayed


@given(futures())
def test_the_parts_sum_to_the_difference(both: tuple[Place, Place]) -> None:
    a, b = both
    found = attribute(a, b)
    assert sum(parts(found)) == found.total == funded(b) - funded(a)


@given(futures())
def test_the_other_way_round_is_the_same_with_the_other_sign(both: tuple[Place, Place]) -> None:
    a, b = both
    assert attribute(b, a) == -attribute(a, b)


@given(PEOPLE.flatmap(places))
def test_a_future_does_not_differ_from_itself(place: Place) -> None:
    assert attribute(place, place.copy()) == Attribution(0, 0, 0, 0, 0, 0)


@given(futures(), st.randoms(use_true_random=False))
def test_the_order_in_which_people_are_stored_does_not_matter(both: tuple[Place, Place], random: Any) -> None:
    a, b = both
    order = np.array(random.sample(range(len(b.citizens)), len(b.citizens)))
    assert attribute(a, b.reordered(order)) == attribute(a, b)


@given(futures())
def test_people_who_live_in_one_future_only_count_as_prevented(both: tuple[Place, Place]) -> None:
    a, b = both
    shared = a.citizens.alive & b.citizens.alive & (a.citizens.id == b.citizens.id)
    rest = [int(p.citizens.funded[p.citizens.alive & ~shared].sum()) for p in both]
    assert attribute(a, b).absent == rest[1] - rest[0]


@given(PEOPLE.flatmap(places))
def test_where_need_is_cured_all_is_prevented(place: Place) -> None:
    cured = place.copy()
    cured.citizens.need[:] = 0
    cured.citizens.funded[:] = 0
    found = attribute(place, cured)
    assert (found.prevented, found.total) == (-funded(place), -funded(place))


@pytest.mark.parametrize(
    ("here", "there", "split"),
    [
        # 100 minutes less: 30 needed no more, 20 from a daughter, the rest he is without
        ({"funded": 100, "need": 200}, {"need": 170, "informal": 20}, (-100, -30, -20, -50, 0, 0)),
        ({"funded": 100, "need": 200}, {"need": 170, "informal": 20, "waiting_since": 3}, (-100, -30, -20, 0, -50, 0)),
        # more help elsewhere than was lost: only what was lost is split
        ({"funded": 100, "need": 200}, {"funded": 60, "need": 200, "community": 500}, (-40, 0, -40, 0, 0, 0)),
        # need rose and help fell: nothing is prevented, nothing met elsewhere
        ({"funded": 100, "need": 200, "from_own": 90}, {"need": 300, "from_own": 10}, (-100, 0, 0, -100, 0, 0)),
        # help moved from one giver to another is not help elsewhere
        ({"funded": 50, "need": 90, "informal": 40}, {"need": 90, "community": 40}, (-50, 0, 0, -50, 0, 0)),
        # a package larger than the need it once met: who needs nothing has nothing to be kept from
        ({"funded": 100, "need": 60}, {"need": 0}, (-100, -100, 0, 0, 0, 0)),
        # more: the mirror image
        ({"need": 170, "informal": 20}, {"funded": 100, "need": 200}, (100, 30, 20, 50, 0, 0)),
        ({"need": 200, "waiting_since": 1}, {"funded": 100, "need": 200}, (100, 0, 0, 0, 100, 0)),
        # dead there
        ({"funded": 100, "need": 60}, {"alive": False, "id": -1, "need": 60}, (-100, -100, 0, 0, 0, -100)),
        # somebody else lives there, who gets more
        ({"funded": 100, "need": 100}, {"funded": 130, "need": 130, "id": 99}, (30, 30, 0, 0, 0, 30)),
    ],
)
def test_one_person(here: dict[str, Any], there: dict[str, Any], split: tuple[int, ...]) -> None:
    assert attribute(by_hand(1, **here), by_hand(1, **there)) == Attribution(*split)


def test_places_of_different_sizes_have_no_people_in_common() -> None:
    with pytest.raises(ValueError, match="3 and 2 addresses"):
        attribute(by_hand(3), by_hand(2))


# Nothing takes the place of council care, need goes its own way, and nobody is a client at the start.
ALONE = {
    "informal_care.crowding": 0.0, "groups.off": True, "provision.self_paid_share": 0.0, "assessment.known": 0.0,
    "assessment.care_home": 0.0, "need.unmet_effect": 1.0, "need.isolation_effect": 1.0,
    "turnover.mortality_if_lonely": 1.0,
}  # fmt: skip


def last(scenario: Scenario) -> CareCommons:
    return run(scenario, months=12)


def test_a_closed_door_deters_all_that_it_saves() -> None:
    open_door = spread(SCENARIO, {**ALONE, "asking.door": 1.0})
    found = attribute(last(open_door).place, last(open_door.but({"asking.door": 0.0})).place)
    assert found.total < 0
    assert (found.deterred, found.absent) == (found.total, 0)


def test_a_cure_prevents_all_that_it_saves() -> None:
    cure = {"need.worsen": 0.0, "need.recover": 1.0, "need.recover_by_age": 0.0, "need.recover_if_disabled": 5.0}
    found = attribute(last(SCENARIO).place, last(spread(SCENARIO, cure)).place)
    assert found.total < 0
    assert found.prevented == found.total
