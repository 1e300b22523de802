"""Who asks the council: more when isolated, by the stated odds, less when afraid, ashamed or turned away."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from chance import SIGMAS, log_odds_ratio, near

import small
from carecommons.place.ledger import Event
from carecommons.place.place import Place
from carecommons.place.population import Setting
from carecommons.processes.asking import Asking

MANY = 40_000
HALF = np.arange(MANY) % 2 == 0
PLAIN = Asking(
    rate=(0.3, 0.3, 0.3), young=1.0, wealthy=1.0, door=1.0, isolation_effect=1.0, fear=0.0, stigma=0.0,
    discouragement=0.0, again=0.0, crisis=(0.0, 0.0, 0.0), crisis_if_isolated=1.0,
)  # fmt: skip


def needy(people: int = MANY, **values: Any) -> Place:
    """People of 70 with a moderate need, all of it unmet, who have not asked before."""
    return small.by_hand(people, **{"level": 2, "need": 1000, "unmet": 1000, "age": 70 * 12, **values})


def asks(process: Asking, place: Place) -> np.ndarray:
    return small.alone(process, place).citizens.requests > 0


# --- what makes people ask ---


@pytest.mark.parametrize(
    ("process", "who", "chance"),
    [
        (PLAIN, {}, 0.3),
        (PLAIN, {"unmet": 250}, 0.3 / 4),
        (PLAIN, {"unmet": 0}, 0.0),
        (PLAIN.but(rate=(0.1, 0.2, 0.4)), {"level": 3}, 0.4),
        (PLAIN.but(rate=(0.1, 0.2, 0.4)), {"level": 1}, 0.1),
        (PLAIN.but(rate=(0.1, 0.2, 0.4)), {"level": 0}, 0.0),
        (PLAIN.but(young=0.5), {"age": 65 * 12 - 1}, 0.15),
        (PLAIN.but(young=0.5), {"age": 65 * 12}, 0.3),
        (PLAIN.but(wealthy=0.4), {"pays_all": True}, 0.12),
        (PLAIN.but(door=0.5), {}, 0.15),
        (PLAIN.but(door=0.0), {}, 0.0),
        (PLAIN.but(fear=0.4), {}, 0.18),
        (PLAIN.but(fear=1.0), {}, 0.0),
        (PLAIN.but(stigma=0.4), {"stigma": True}, 0.18),
        (PLAIN.but(stigma=0.4), {"stigma": False}, 0.3),
        (PLAIN.but(discouragement=0.2), {"refusals": 3}, 0.3 * 0.8**3),
        (PLAIN, {"eligible": True}, 0.0),
        (PLAIN, {"waiting_since": 0}, 0.0),
        (PLAIN, {"setting": Setting.CARE_HOME, "eligible": True}, 0.0),
    ],
)
def test_the_chance_of_asking_by_hand(process: Asking, who: dict[str, Any], chance: float) -> None:
    place = needy(**who)
    after = small.alone(process, place)
    asked = after.citizens.requests > 0
    assert near(asked, chance)
    assert after.ledger.events[Event.REQUESTS] == asked.sum()
    assert (after.citizens.last_request[asked] == 1).all() and after.citizens.asked[asked].all()
    assert not after.citizens.asked[~asked].any()


def test_people_ring_again_for_three_months_after_a_request_also_while_they_wait() -> None:
    place = needy(unmet=0, last_request=0, waiting_since=np.where(HALF, 0, -1))
    calls = PLAIN.but(again=0.25)
    for month in range(1, 6):
        place.month = month - 1
        rings = asks(calls, place)
        for group in (HALF, ~HALF):
            assert near(rings[group], 0.25 if month <= 3 else 0.0)


def test_a_crisis_brings_people_to_the_door_whatever_they_fear() -> None:
    afraid = PLAIN.but(fear=1.0, crisis=(0.1, 0.2, 0.3))
    for level, chance in enumerate((0.1, 0.2, 0.3), start=1):
        after = small.alone(afraid, needy(level=level)).citizens
        assert near(after.crisis, chance) and np.array_equal(after.requests > 0, after.crisis)
    closed = small.alone(afraid.but(door=0.0), needy()).citizens
    assert near(closed.crisis, 0.2) and not closed.requests.any()
    served = small.alone(afraid, needy(eligible=True)).citizens
    assert near(served.crisis, 0.2) and not served.requests.any()


# --- R14: isolation ---


@pytest.mark.parametrize("ratio", [0.5, 1.0, 1.5, 3.3])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_stated_odds_ratio_of_asking_is_found_again_in_what_people_do(ratio: float, level: int) -> None:
    """Isolated people and others alike in all else; the 2 x 2 table's log odds ratio has Woolf's standard error."""
    found = asks(PLAIN.but(rate=(0.05, 0.15, 0.4), isolation_effect=ratio), needy(level=level, isolated=HALF))
    log_ratio, error = log_odds_ratio(found[HALF], found[~HALF])
    assert abs(log_ratio - math.log(ratio)) <= SIGMAS * error
    assert ratio == 1.0 or abs(log_ratio) > SIGMAS * error  # and it is told from none


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.3])
def test_the_stated_odds_ratio_of_crises_is_found_again(ratio: float) -> None:
    found = small.alone(PLAIN.but(crisis=(0.2,) * 3, crisis_if_isolated=ratio), needy(isolated=HALF)).citizens.crisis
    log_ratio, error = log_odds_ratio(found[HALF], found[~HALF])
    assert abs(log_ratio - math.log(ratio)) <= SIGMAS * error


@pytest.mark.parametrize("level", [1, 2, 3])
def test_at_the_default_the_odds_ratio_is_within_the_published_one(level: int) -> None:
    """1.0 to 3.3 (Hanratty et al. 2018, on care home entry, for want of a study of requests) at the same need."""
    found = asks(Asking(), needy(level=level, isolated=HALF))
    log_ratio, error = log_odds_ratio(found[HALF], found[~HALF])
    assert math.log(1.0) - SIGMAS * error <= log_ratio <= math.log(3.3) + SIGMAS * error


NO_STRENGTH: dict[str, Any] = {
    "need.isolation_effect": 1.0, "asking.isolation_effect": 1.0, "asking.crisis_if_isolated": 1.0,
    "assessment.threshold": 0,  # by outcomes counted, company is one of ten: isolation would count by law
}  # fmt: skip
WHO_ASKS = ("level", "deficits", "need", "requests", "crisis", "asked", "waiting_since", "eligible", "entitled")


def isolated_or_not(changes: dict[str, Any]) -> list[Place]:
    """A town a year on when nobody and when everybody counts as isolated: only the cut-off of the score differs."""
    town = small.STIRRED.but({**changes, "council.funding": 10.0, "provision.home_care": 10.0})
    place = small.founded(town)
    place.citizens.isolated[:] = False
    return [small.run(town.but({"wellbeing.cut_off": cut}), place, months=12).place for cut in (0, 31)]


def test_at_no_strength_need_requests_and_crises_are_the_same_whoever_counts_as_isolated() -> None:
    nobody, everybody = isolated_or_not(NO_STRENGTH)
    assert not nobody.citizens.isolated.any() and everybody.citizens.isolated[everybody.citizens.alive].all()
    company = np.uint16(1 << 6)  # the outcome that isolation itself is
    for place in (nobody, everybody):
        place.citizens.deficits &= ~company
    assert set(small.differing(nobody, everybody)).isdisjoint(WHO_ASKS)


@pytest.mark.parametrize("effect", ["need.isolation_effect", "asking.isolation_effect", "asking.crisis_if_isolated"])
def test_at_any_strength_they_are_not(effect: str) -> None:
    nobody, everybody = isolated_or_not({**NO_STRENGTH, effect: 3.0})
    assert not set(small.differing(nobody, everybody)).isdisjoint(WHO_ASKS)


# --- contacts are events ---


def test_a_year_has_about_one_and_a_half_requests_for_each_person_who_asks() -> None:
    """1.46, between 1.2 and 1.9 (King's Fund, Social Care 360): the published range, with no more room than that."""
    model = small.run(small.SCENARIO.but({"place": "england", "citizens": 4000, "months": 36}), months=24)
    requests, people = 0, set()
    for _ in range(12):
        model.step()
        c = model.place.citizens
        requests += int(c.requests.sum())
        people |= set(c.id[c.requests > 0].tolist())
    assert len(people) > 100 and 1.2 <= requests / len(people) <= 1.9
