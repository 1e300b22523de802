"""The two tests of eligibility by hand, the three stances, the list, reviews, short-term support, care homes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from chance import SIGMAS, log_odds_ratio, near

import small
from carecommons.place.ledger import Event
from carecommons.place.place import Place
from carecommons.place.population import CARE_ACT_OUTCOMES, Level, Route, Sequel, Setting
from carecommons.processes.assessment import BANDS, Assessment, facs_band
from carecommons.processes.charging import Charging
from carecommons.units import minutes_a_month

MANY = 20_000
EVERYBODY = (1.0, 1.0, 1.0)
OPEN = Assessment(
    threshold=0, at_the_door=(0.0,) * 3, reablement=(0.0, 0.0), care_home=(0.0, 0.0), moves_on=(0.0, 0.0), covers=0.5,
    most_at_home=168.0, stance="carer_blind",
)  # fmt: skip


def bits(*outcomes: str) -> int:
    return sum(1 << CARE_ACT_OUTCOMES.index(name) for name in outcomes)


PERSONAL = ("nutrition", "hygiene", "toilet", "clothing", "safe at home", "habitable home")
OUT = ("relationships", "work, training, volunteering", "community facilities")
FAILS_ALL = CARE_ACT_OUTCOMES

# Level of need, outcomes that fail, whether wellbeing is significantly affected -> Care Act, and band of FACS.
CASES: list[tuple[str, Level, tuple[str, ...], bool, bool, str]] = [
    ("well", Level.NONE, (), True, False, ""),
    ("well but lonely: no need from impairment", Level.NONE, ("relationships",), True, False, ""),
    ("shopping alone is hard", Level.LOW, ("nutrition",), True, False, "low"),
    ("shopping and housework", Level.LOW, ("nutrition", "habitable home"), True, True, "low"),
    ("the same, and it hardly matters", Level.LOW, ("nutrition", "habitable home"), False, False, "low"),
    ("a bath, and company", Level.LOW, ("hygiene", "relationships"), True, True, "low"),
    ("company alone", Level.LOW, ("relationships",), True, False, "low"),
    ("everything that is not personal care", Level.LOW, OUT, True, True, "low"),
    ("six personal ones, at low need", Level.LOW, PERSONAL, True, True, "low"),
    ("one at moderate need", Level.MODERATE, ("hygiene",), True, False, "moderate"),
    ("two at moderate need", Level.MODERATE, ("hygiene", "clothing"), True, True, "moderate"),
    ("two, hardly matters", Level.MODERATE, ("hygiene", "clothing"), False, False, "moderate"),
    ("five at moderate need", Level.MODERATE, PERSONAL[:5], True, True, "moderate"),
    ("six at moderate need", Level.MODERATE, PERSONAL, True, True, "substantial"),
    ("all at moderate need", Level.MODERATE, FAILS_ALL, True, True, "substantial"),
    ("one at high need", Level.HIGH, ("toilet",), True, False, "substantial"),
    ("six at high need", Level.HIGH, PERSONAL, True, True, "substantial"),
    ("seven at high need", Level.HIGH, (*PERSONAL, "relationships"), True, True, "critical"),
    ("all at high need", Level.HIGH, FAILS_ALL, True, True, "critical"),
    ("all at high need, hardly matters", Level.HIGH, FAILS_ALL, False, False, "critical"),
]  # fmt: skip


# --- R1, R32: twenty people, two rules ---


@pytest.mark.parametrize(
    ("who", "level", "fails", "matters", "care_act", "band"), CASES, ids=[case[0] for case in CASES]
)
def test_twenty_people_by_hand(
    who: str, level: Level, fails: tuple[str, ...], matters: bool, care_act: bool, band: str
) -> None:
    place = small.by_hand(1, level=level, deficits=bits(*fails))
    impact = EVERYBODY if matters else (0.0, 0.0, 0.0)
    assert Assessment(impact=impact).passes(place, seed=1)[0] == care_act
    assert facs_band(int(level), len(fails)) == (BANDS.index(band) + 1 if band else 0)
    served = [bool(Assessment(rule="facs", band=lowest).passes(place, seed=1)[0]) for lowest in BANDS]
    assert served == [bool(band) and k <= BANDS.index(band) for k in range(4)]


def test_there_are_twenty_cases_and_every_band_and_answer_among_them() -> None:
    assert len(CASES) == 20
    assert {case[5] for case in CASES} == {"", *BANDS}
    assert {case[4] for case in CASES} == {case[3] for case in CASES} == {True, False}


@pytest.mark.parametrize("threshold", range(12))
def test_as_many_outcomes_as_the_threshold_says_and_one_less_with_the_power_to_meet_other_needs(threshold: int) -> None:
    place = small.by_hand(11, level=3, deficits=[(1 << k) - 1 for k in range(11)])
    failed = np.arange(11)
    duty, power = (Assessment(threshold=threshold, impact=EVERYBODY, discretion=d).passes(place, 1) for d in (0.0, 1.0))
    assert duty.tolist() == (failed >= threshold).tolist()
    if threshold <= 10:
        assert power.tolist() == (failed >= threshold - 1).tolist()


@pytest.mark.parametrize("level", [1, 2, 3])
def test_as_many_are_significantly_affected_or_served_by_discretion_as_stated(level: int) -> None:
    place = small.by_hand(MANY, level=level, deficits=0b11)
    assert near(Assessment(impact=(0.1, 0.4, 0.8)).passes(place, 1), (0.1, 0.4, 0.8)[level - 1])
    short = Assessment(threshold=3, impact=EVERYBODY, discretion=0.3).passes(place, 1)
    assert near(short, 0.3)


def test_people_served_shrink_with_every_outcome_asked_for_and_with_every_band() -> None:
    """Nested sets, of a founded town: the higher the bar, the fewer, and none who was not served before."""
    place = small.founded(small.SCENARIO.but({"citizens": 4000}))
    by_count = [Assessment(threshold=k).passes(place, 1) for k in range(12)]
    by_band = [Assessment(rule="facs", band=band).passes(place, 1) for band in (*BANDS, "nobody")]
    for served in (by_count, by_band):
        assert all((strict <= lax).all() for lax, strict in pairwise(served))
        assert served[0].sum() > served[3].sum() > served[-1].sum() == 0
    assert [band.sum() for band in by_band] == sorted({int(band.sum()) for band in by_band}, reverse=True)


def test_from_moderate_to_substantial_care_at_home_is_cut_much_more_than_care_homes() -> None:
    """Direction of 2008-13 (Fernandez et al.: community support -31 %, care homes -8 %): twice as much or more."""
    clients = {}
    for band in ("moderate", "substantial"):
        town = small.SCENARIO.but(
            {"place": "england", "citizens": 20_000, "assessment.rule": "facs", "assessment.band": band}
        )
        c = small.founded(town).citizens
        clients[band] = [int((c.eligible & (c.setting == where)).sum()) for where in (Setting.HOME, Setting.CARE_HOME)]
    at_home, in_homes = (
        1 - after / before for before, after in zip(clients["moderate"], clients["substantial"], strict=True)
    )
    assert min(clients["moderate"]) > 20
    assert at_home > 2 * max(in_homes, 0.0) and at_home > 0.05


# --- R33: three stances ---


def assessed(stance: str, place: Place, **values: Any) -> np.ndarray:
    """What an assessment of everybody allows today (n,), minutes a month."""
    place = place.copy()
    c = place.citizens
    c.setting[:], c.eligible[:], c.waiting_since[:], c.requests[:] = Setting.HOME, False, -1, c.level > 0
    place.council.assessments = len(c)
    return small.alone(OPEN.but(stance=stance, most_at_home=24.0, **values), place).citizens.entitled


def test_a_carer_blind_assessment_does_not_see_whether_there_are_carers(lived_in: Place) -> None:
    deleted = lived_in.copy()
    deleted.citizens.informal[:] = deleted.citizens.given[:] = deleted.citizens.network[:] = 0
    assert lived_in.citizens.informal.any()
    assert np.array_equal(assessed("carer_blind", lived_in), assessed("carer_blind", deleted))
    assert not np.array_equal(assessed("deficit", lived_in), assessed("deficit", deleted))


def test_with_all_unpaid_care_left_out_of_the_month_a_carer_blind_town_assesses_the_same() -> None:
    town = small.SCENARIO.but({
        "assessment.stance": "carer_blind", "asking.rate": (0.0,) * 3, "asking.crisis": (0.0,) * 3, "asking.again": 0.0,
        "need.unmet_effect": 1.0,
    })  # fmt: skip
    place = small.founded(town)
    assert (place.citizens.eligible & (place.citizens.level > 0)).sum() > 10
    a, b = (small.run(town.but({"informal_care.off": off}), place, months=1).place.citizens for off in (False, True))
    assert a.informal.any() and not b.informal.any()
    for name in ("eligible", "entitled", "setting", "reviewed"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_looking_at_assets_first_never_allows_more_than_at_deficits_nor_these_more_than_being_blind(
    lived_in: Place,
) -> None:
    blind, deficit, assets = (assessed(stance, lived_in) for stance in ("carer_blind", "deficit", "asset_first"))
    assert (assets <= deficit).all() and (deficit <= blind).all()
    assert assets.sum() < deficit.sum() < blind.sum()


@pytest.mark.parametrize("without", ["people", "expectation"])
def test_without_assets_looking_at_them_first_changes_nothing(lived_in: Place, without: str) -> None:
    c = lived_in.citizens
    c.informal[:] = 0
    if without == "people":
        c.network[:] = 0
    hours = 14.0 if without == "people" else 0.0
    assert np.array_equal(assessed("asset_first", lived_in, asset_hours=hours), assessed("carer_blind", lived_in))


@pytest.mark.parametrize(
    ("stance", "informal", "network", "expected"),
    [
        ("carer_blind", 8000, 30, 5000),
        ("deficit", 8000, 30, 2000),
        ("deficit", 3000, 30, 5000),
        ("deficit", 12_000, 0, 0),
        ("asset_first", 8000, 0, 2000),
        ("asset_first", 8000, 30, 2000 - 1200),
        ("asset_first", 8000, 15, 2000 - 600),
        ("asset_first", 9500, 30, 0),
    ],
)
def test_a_package_by_hand(stance: str, informal: int, network: int, expected: int) -> None:
    """Half of 10,000 minutes of need, and no more than the stance leaves; a full network is expected to give 1,200."""
    place = small.by_hand(1, level=2, need=10_000, informal=informal, network=network)
    hours = 1200 / minutes_a_month(100) * 100
    found = int(assessed(stance, place, asset_hours=hours)[0])
    assert abs(found - expected) <= 1


def test_no_package_at_home_is_larger_than_the_largest() -> None:
    place = small.by_hand(1, level=3, need=30_000)
    assert assessed("carer_blind", place)[0] == int(24 * 60 * 365.25 / 7 / 12)


# --- the door and the list ---


def asking(people: int, **values: Any) -> Place:
    return small.by_hand(
        people, **{"level": 2, "need": 1000, "deficits": 0b11, "requests": 1, "age": 70 * 12, **values}
    )


def test_requests_are_turned_away_at_the_door_as_often_as_stated_but_not_in_a_crisis() -> None:
    crisis = np.arange(MANY) % 2 == 0
    for level, share in ((1, 0.8), (2, 0.5), (3, 0.2)):
        after = small.alone(
            OPEN.but(at_the_door=(0.8, 0.5, 0.2), signposted=0.6), asking(MANY, level=level, crisis=crisis)
        )
        c = after.citizens
        turned = c.waiting_since < 0
        assert near(turned[~crisis], share) and not turned[crisis].any()
        assert near(c.sequel[turned] == Sequel.SIGNPOSTED, 0.6) and (c.refusals == turned).all()
        assert set(c.sequel[turned].tolist()) == {Sequel.SIGNPOSTED, Sequel.NO_SERVICE}
        assert after.ledger.events[Event.JOINED_LIST] == (~turned).sum()


def test_as_many_are_assessed_as_there_are_assessors_the_worst_need_first_then_who_waits_longest() -> None:
    level = [1, 3, 2, 2, 3, 2, 1, 2]
    need = [900, 5000, 1000, 2000, 9000, 1000, 950, 1000]
    since = [4, 4, 4, 4, 4, 1, 4, 3]
    in_turn = [4, 1, 3, 5, 7, 2, 6, 0]  # level, need, months on the list
    for slots in range(9):
        place = asking(8, level=level, need=need, waiting_since=since, requests=0)
        place.month, place.council.assessments = 4, slots
        after = small.alone(OPEN, place)
        assert set(np.flatnonzero(after.citizens.waited >= 0).tolist()) == set(in_turn[:slots])
        assert after.ledger.events[Event.ASSESSMENTS] == min(slots, 8)
        assert after.council.assessments == slots - min(slots, 8)


def test_whoever_is_not_reached_grows_older_on_the_list_and_keeps_his_place() -> None:
    place = asking(3)
    for month in range(1, 7):
        place = small.alone(OPEN, place)
        assert (place.citizens.waiting_since == 1).all() and place.ledger.events[Event.MONTHS_WAITED] == 3
        place.citizens.requests[:] = [0, 1, 0]  # who rings again stays where he is
        assert month == 1 or place.citizens.sequel.tolist() == [0, Sequel.NO_SERVICE, 0]
    place.council.assessments = 2
    after = small.alone(OPEN, place).citizens
    assert after.waited.tolist() == [6, 6, -1] and after.waiting_since.tolist() == [-1, -1, 1]


def test_what_an_assessment_leads_to_by_hand() -> None:
    """Below the threshold low-level support or nothing, above it short-term support, a package, or own means."""
    fails = np.where(np.arange(MANY) % 4 == 0, 0b1, 0b111)
    older, rich = np.arange(MANY) % 4 == 1, np.arange(MANY) % 4 == 2
    place = asking(MANY, deficits=fails, age=np.where(older, 70 * 12, 60 * 12), pays_all=rich)
    place.council.assessments = MANY
    rule = OPEN.but(threshold=2, impact=EVERYBODY, reablement=(0.2, 0.7), low_level_share=0.6, signposted=0.3)
    c = small.alone(rule, place).citizens
    below, younger = fails == 1, np.arange(MANY) % 4 == 3
    assert near(c.low_level[below], 0.6) and np.array_equal(c.low_level[below], c.sequel[below] == Sequel.LOW_LEVEL)
    assert near(c.sequel[below & ~c.low_level] == Sequel.SIGNPOSTED, 0.3)
    assert near(c.sequel[older] == Sequel.SHORT_TERM, 0.7) and near(c.sequel[younger] == Sequel.SHORT_TERM, 0.2)
    assert (c.sequel[(older | younger) & (c.short_term == 0)] == Sequel.LONG_TERM).all()
    assert near(c.sequel[rich] == Sequel.SIGNPOSTED, 0.3) and not c.short_term[rich].any()
    assert np.array_equal(c.eligible, ~below) and c.assessed.all()
    assert np.array_equal(c.refusals > 0, below & ~c.low_level)


# --- reviews ---


def clients(people: int, **values: Any) -> Place:
    """People in long-term support at home, last seen in the month of founding."""
    held = {"eligible": True, "assessed": True, "asked": True, "requests": 0, "reviewed": 0, "entitled": 500}
    return asking(people, **{**held, **values})


def test_packages_are_reviewed_when_their_year_is_over_and_not_before() -> None:
    place = clients(12, reviewed=-np.arange(12), need=4000)
    yearly = OPEN.but(review_months=12)
    for month in range(1, 25):
        place = small.alone(yearly, place)
        assert place.ledger.events[Event.REVIEWS] == 1
        assert np.flatnonzero(place.citizens.reviewed == month).tolist() == [(12 - month) % 12]
    assert (place.citizens.entitled == 2000).all() and place.citizens.eligible.all()


def test_a_change_of_need_is_reviewed_at_once_and_whoever_passes_no_longer_is_no_client_any_more() -> None:
    now = [0b111, 0b1, 0b111, 0]
    place = clients(4, deficits=now, level=[2, 2, 2, 0], need=[8000, 8000, 8000, 0], reviewed=[-999, -999, 0, -999])
    after = small.alone(OPEN.but(threshold=2, impact=EVERYBODY), place)
    c = after.citizens
    assert c.eligible.tolist() == [True, False, True, False]
    assert c.entitled.tolist() == [4000, 0, 500, 0]  # the third is not due yet
    assert after.ledger.events[Event.REVIEWS] == 3


def test_a_stricter_rule_reaches_clients_at_their_reviews() -> None:
    place = clients(24, deficits=0b11, reviewed=-(np.arange(24) % 12))
    strict = OPEN.but(threshold=3, impact=EVERYBODY)
    left = []
    for _ in range(12):
        place = small.alone(strict, place)
        left.append(int(place.citizens.eligible.sum()))
    assert left == [24 - 2 * k for k in range(1, 13)]


@pytest.mark.parametrize(("age", "share"), [(60, 0.4), (70, 0.1)])
def test_at_yearly_reviews_some_packages_end_as_often_as_stated(age: int, share: float) -> None:
    due, moved, fresh = (np.arange(3 * MANY) % 3 == k for k in range(3))
    place = clients(3 * MANY, age=age * 12, reviewed=np.select([due, moved], [-12, -999], 0))
    c = small.alone(OPEN.but(moves_on=(0.4, 0.1)), place).citizens
    assert near(~c.eligible[due], share) and c.eligible[moved | fresh].all()
    residents = clients(100, setting=Setting.CARE_HOME, reviewed=-12)
    assert small.alone(OPEN.but(moves_on=(1.0, 1.0)), residents).citizens.eligible.all()


# --- short-term support ---


@pytest.mark.parametrize("months", [1, 2, 6])
def test_short_term_support_lasts_its_months_then_those_who_manage_alone_are_no_clients(months: int) -> None:
    place = asking(MANY)
    place.council.assessments = MANY
    rule = OPEN.but(reablement=(1.0, 1.0), short_term_months=months, manages=0.6)
    for month in range(1, months + 1):
        place = small.alone(rule, place)
        place.citizens.requests[:] = 0
        c = place.citizens
        assert (c.short_term > 0).all() and c.eligible.all() and (c.entitled == 500).all(), month
    c = small.alone(rule, place).citizens
    assert not c.short_term.any()
    assert near(~c.eligible, 0.6) and not c.entitled[~c.eligible].any()
    assert np.array_equal(c.low_level, ~c.eligible)


# --- care homes ---


def frail(people: int = MANY, **values: Any) -> Place:
    """Clients with high need whose package is looked at this month."""
    return clients(people, **{"level": 3, "need": 20_000, "reviewed": -999, **values})


HOMES = OPEN.but(most_at_home=10.0, covers=0.3, care_home=(0.1, 0.4), care_home_if_lonely=1.0, stance="deficit")


def test_as_many_enter_a_care_home_as_stated_of_those_whose_need_is_beyond_the_largest_package() -> None:
    for age, share in ((60, 0.1), (70, 0.4)):
        after = small.alone(HOMES, frail(age=age * 12))
        c = after.citizens
        inside = c.setting == Setting.CARE_HOME
        assert near(inside, share) and after.ledger.events[Event.CARE_HOME_ADMISSIONS] == inside.sum()
        assert (c.entitled[inside] == 20_000).all() and (c.moved_in[inside] == 1).all()
        assert np.array_equal(c.household[inside], -2 - c.address[inside]) and (c.home_size == 1).all()
    for other in ({"level": 2}, {"need": minutes_a_month(9)}, {"informal": 20_000 - minutes_a_month(9)}):
        assert not (small.alone(HOMES, frail(**other)).citizens.setting == Setting.CARE_HOME).any()


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.13, 3.3])
def test_the_odds_ratio_of_loneliness_and_care_home_entry_is_found_again(ratio: float) -> None:
    lonely = np.arange(2 * MANY) % 2 == 0
    place = frail(2 * MANY, lonely=lonely)
    inside = small.alone(HOMES.but(care_home_if_lonely=ratio), place).citizens.setting == Setting.CARE_HOME
    log_ratio, error = log_odds_ratio(inside[lonely], inside[~lonely])
    assert abs(log_ratio - math.log(ratio)) <= SIGMAS * error


def test_help_at_home_keeps_people_out_of_care_homes_where_the_assessor_counts_it() -> None:
    blind, deficit = (HOMES.but(stance=stance) for stance in ("carer_blind", "deficit"))
    inside = [
        small.alone(rule, frail(informal=18_000)).citizens.setting == Setting.CARE_HOME for rule in (blind, deficit)
    ]
    assert inside[0].any() and not inside[1].any()


def test_a_husband_who_stays_at_home_lives_alone_and_remains_the_husband() -> None:
    place = frail(2, level=[3, 0], need=[20_000, 0], partner=[1, 0], household=0, eligible=[True, False])
    c = small.alone(HOMES.but(care_home=(1.0, 1.0)), place).citizens
    assert c.setting.tolist() == [Setting.CARE_HOME, Setting.HOME]
    assert c.home_size.tolist() == [1, 1] and c.partner.tolist() == [1, 0]


def test_residents_stay_clients_while_they_are_in_need_whatever_the_rule_becomes() -> None:
    place = frail(50, setting=Setting.CARE_HOME, household=-2 - np.arange(50), entitled=20_000)
    nobody = HOMES.but(threshold=11)
    c = small.alone(nobody, place).citizens
    assert c.eligible.all() and (c.entitled == 20_000).all()


def test_a_poor_resident_who_recovered_and_is_in_need_again_is_no_self_funder() -> None:
    well = frail(1, level=0, need=0, deficits=0, setting=Setting.CARE_HOME, household=-2, savings=0, home_value=0)
    after = small.alone(HOMES, well)
    assert not after.citizens.eligible[0]
    after.citizens.level[0], after.citizens.need[0], after.citizens.deficits[0] = 2, 5000, 0b111
    assert small.alone(Charging(), after).citizens.route[0] != Route.SELF_FUNDER
