"""Every published figure is held against the model or said to be out of its reach; measures count as surveys do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import small
from carecommons.evidence.measures import ENGLAND_ADULTS, MEASURES, NOT_EXPRESSED
from carecommons.evidence.validate import CORE, TOLERANCE, measure, targets, validate, verdict
from carecommons.evidence.year import Year
from carecommons.founding.profile import load
from carecommons.place.ledger import Account, Event
from carecommons.place.place import Place
from carecommons.place.population import Contact, Route, Setting
from carecommons.scenario import Scenario
from carecommons.units import minutes_a_month
from small import Tie

# --- the published figures ---


def test_every_figure_is_measured_or_has_a_reason_why_not_and_never_both() -> None:
    known = set(targets().index)
    assert set(MEASURES) | set(NOT_EXPRESSED) == known
    assert not set(MEASURES) & set(NOT_EXPRESSED)
    assert all(len(why.split()) >= 4 for why in NOT_EXPRESSED.values())
    assert targets().index.is_unique and len(known) > 70


def test_every_figure_says_what_it_is_of_whom_and_where_from() -> None:
    table = targets()
    for column in ("theme", "unit", "year", "population", "source"):
        assert table[column].notna().all() and (table[column].astype(str).str.strip() != "").all(), column
    assert np.isfinite(table["value"]).all()
    assert set(CORE) <= set(table["theme"])


def test_a_band_is_the_published_range_and_a_fifth_either_side_at_least() -> None:
    table = targets()
    assert TOLERANCE == 0.20
    for key, row in table.iterrows():
        low, high = 0.8 * row["value"], 1.2 * row["value"]
        assert row["band_low"] == pytest.approx(min(low, row["low"]) if pd.notna(row["low"]) else low), key
        assert row["band_high"] == pytest.approx(max(high, row["high"]) if pd.notna(row["high"]) else high), key
        assert row["band_low"] < row["value"] < row["band_high"]
        assert not row["low"] > row["value"] and not row["high"] < row["value"]


def test_numbers_of_england_are_scaled_by_its_adults() -> None:
    assert load("england").adults == ENGLAND_ADULTS


def test_the_verdict_counts_passes_by_theme_and_over_the_core() -> None:
    table = pd.DataFrame({
        "theme": ["need", "need", "money", "contact", "help", "other"],
        "simulated": [1.0, 2.0, 3.0, 4.0, np.nan, np.nan],
        "passes": [True, False, True, True, False, False],
    })  # fmt: skip
    told = verdict(table)
    assert told.loc["need"].tolist() == [1, 2] and told.loc["money"].tolist() == [1, 1]
    assert told.loc["core"].tolist() == [2, 3]  # money is no core, and what is not expressed does not count
    assert "help" not in told.index and "other" not in told.index


# --- measures by hand ---


def year_of(place: Place, months: int = 1) -> Year:
    year = Year(place)
    for _ in range(months):
        year.add()
    return year


def measured(key: str, place: Place, months: int = 1) -> float:
    return MEASURES[key](year_of(place, months))


def old_people(**values: Any) -> Place:
    """Ten women of 66 to 84 at home, two years apart."""
    return small.by_hand(10, **{"age": (66 + 2 * np.arange(10)) * 12, "sex": 0, **values})


def weekly(*hours: float) -> list[int]:
    """Unpaid care that the first of ten people give, by hours a week."""
    return [minutes_a_month(h) for h in hours] + [0] * (10 - len(hours))


def routes(first: Route, people: int) -> list[Route]:
    """One route for the first of ten people, managed care for the others."""
    return [first] * people + [Route.MANAGED] * (10 - people)


FIVE = [True] * 5 + [False] * 5
HYGIENE, NUTRITION, COMPANY = 0b10, 0b1, 0b1000000


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("need_adl_65plus_women", {"deficits": [HYGIENE] * 3 + [NUTRITION] * 7}, 30.0),
        ("need_adl_65plus_women", {"deficits": HYGIENE, "setting": [1] * 5 + [0] * 5}, 100.0),  # who is at home
        ("need_adl_65plus_men", {"deficits": HYGIENE}, float("nan")),
        ("need_iadl_65plus_women", {"deficits": [NUTRITION] * 4 + [HYGIENE] * 6}, 40.0),
        ("need_any_65_69", {"deficits": [HYGIENE, COMPANY] * 5}, 50.0),  # 66 and 68
        ("need_any_80plus", {"deficits": [0] * 8 + [HYGIENE] * 2}, 200 / 3),  # 80, 82 and 84
        ("need_two_plus_80plus", {"deficits": [0] * 7 + [HYGIENE, HYGIENE | NUTRITION, HYGIENE | COMPANY]}, 100 / 3),
        ("unmet_adl_65plus", {"deficits": [HYGIENE] * 6 + [0] * 4, "unmet": [1] * 3 + [0] * 4 + [1] * 3}, 30.0),
        ("informal_only_share_adl_help",
         {"deficits": HYGIENE, "informal": [9] * 6 + [0] * 4, "from_own": [0] * 4 + [9] * 4 + [0] * 2}, 50.0),
        ("adl_difficulty_no_help_share", {"deficits": HYGIENE, "community": [9] * 7 + [0] * 3}, 30.0),
        ("unpaid_carers_total", {"given": [60, 0] * 5}, ENGLAND_ADULTS / 2),
        ("unpaid_care_1_19h_share", {"given": weekly(1, 19, 21, 60)}, 50.0),
        ("unpaid_care_50plus_h_share", {"given": weekly(1, 49, 51, 60)}, 50.0),
        ("unpaid_care_female", {"given": [60] * 2 + [0] * 8, "sex": [0] * 5 + [1] * 5}, 40.0),
        ("carers_100h_plus", {"given": weekly(10, 30, 120, 120)}, 200 / 3),
        ("carers_isolated_2021",
         {"given": minutes_a_month(30), "contact": [Contact.ISOLATED] * 2 + [Contact.ENOUGH] * 8}, 20.0),
        ("self_funder_care_home_share", {"setting": 1, "from_own": 9, "route": routes(Route.SELF_FUNDER, 4)}, 40.0),
        ("self_funder_community_share",
         {"from_own": [9] * 5 + [0] * 5, "route": routes(Route.SELF_FUNDER, 2)}, 40.0),
        ("direct_payment_share_users",
         {"from_council": 9, "route": [Route.MIXED, *routes(Route.DIRECT_PAYMENT, 1)[:9]]}, 20.0),
        ("users_enough_contact_2013_14", {"from_council": FIVE, "contact": [0, 1] * 5}, 60.0),
        ("users_scrqol_regional", {"from_council": FIVE, "scrqol": [10, 20] * 5}, 14.0),
        ("lonely_often_disabled", {"disabled": FIVE, "lonely": [True] * 2 + [False] * 8}, 40.0),
        ("lonely_often_limited_a_lot", {"level": [3, 2, 1, 0] + [0] * 6, "lonely": [True] + [False] * 9}, 50.0),
        ("formal_volunteering_monthly", {"group_a": [0] * 4 + [-1] * 6, "level": [0, 0, 0, 1] + [0] * 6}, 30.0),
        ("any_volunteering_monthly", {"group_a": [0] * 4 + [-1] * 6, "given": [9, 0, 0, 0, 9] + [0] * 5}, 50.0),
    ],
)  # fmt: skip
def test_a_share_by_hand(key: str, values: dict[str, Any], expected: float) -> None:
    assert measured(key, old_people(**values)) == pytest.approx(expected, nan_ok=True)


def test_requests_are_counted_as_events_of_a_year_by_age() -> None:
    """Twelve months of one request a month by each of two people of 70, and of one by somebody of 40, among ten."""
    place = small.by_hand(10, age=[70 * 12] * 4 + [40 * 12] * 6, requests=[1, 1, 0, 0, 1, 0, 0, 0, 0, 0])
    place.ledger.events[Event.REQUESTS], place.ledger.events[Event.SIGNPOSTED] = 3, 1
    assert measured("request_rate_65plus", place, 12) == pytest.approx(100 * 24 / 4)
    assert measured("request_rate_18_64", place, 12) == pytest.approx(100 * 12 / 6)
    assert measured("requests_2019_20", place, 12) == pytest.approx(36 / 10 * ENGLAND_ADULTS)
    assert measured("sequel_universal_signposted", place, 12) == pytest.approx(100 / 3)
    assert measured("requests_2019_20", place, 6) == pytest.approx(36 / 10 * ENGLAND_ADULTS)  # half a year is scaled


def test_money_is_that_of_england_in_a_year() -> None:
    place = old_people(
        from_council=[60] * 2 + [0] * 8, council_cost=[3000] * 2 + [0] * 8, own_cost=[1000] * 2 + [0] * 8,
        age=[70 * 12, 40 * 12] + [50 * 12] * 8, setting=[Setting.CARE_HOME] + [Setting.HOME] * 9,
    )  # fmt: skip
    place.ledger.pay(Account.COUNCIL, Account.HOME_CARE, 8000)
    place.ledger.pay(Account.COUNCIL, Account.STAFF, 2000)
    a_head = ENGLAND_ADULTS / 10 / 1e11
    assert measured("gce_2023_24", place, 12) == pytest.approx(12 * 10_000 * a_head)
    assert measured("lts_spend_18_64", place, 12) == pytest.approx(12 * 4000 * a_head)
    assert measured("lts_spend_65plus_care_homes", place, 12) == pytest.approx(12 * 4000 * a_head)
    assert measured("lts_spend_share", place, 12) == pytest.approx(80.0)


def test_waits_are_counted_from_the_middle_of_the_month() -> None:
    days = 365.25 / 12
    place = old_people(waited=[0, 0, 2] + [-1] * 7)
    assert measured("wait_initial_assessment_median", place) == pytest.approx(0.5 * days)
    assert measured("wait_initial_assessment_median", old_people(waited=[2] + [-1] * 9)) == pytest.approx(2.5 * days)
    assert measured("wait_initial_assessment_median", old_people(waited=-1)) == 0.0


def test_people_in_the_year_are_counted_once_however_many_months() -> None:
    place = old_people(from_council=[9, 9] + [0] * 8, short_term=[0, 1] + [0] * 8)
    assert measured("lts_2015_16", place, 5) == pytest.approx(ENGLAND_ADULTS / 10)  # short-term support does not count


def test_carers_who_stop_are_counted_from_month_to_month() -> None:
    place = old_people(given=[60, 60] + [0] * 8)
    year = Year(place)
    year.add()
    place.citizens.given[0] = 0
    year.add()
    assert MEASURES["carer_exits_per_year"](year) == pytest.approx(12 * ENGLAND_ADULTS / 10 / 1e6)


def test_closeness_makes_daily_and_weekly_contacts_and_likeness_of_age_is_a_correlation() -> None:
    place = small.by_hand(6, [(0, 1, Tie.FRIEND), (1, 2, Tie.FRIEND), (0, 2, Tie.FRIEND)])
    for tie, closeness in ((0, 0.9), (1, 0.4), (2, 0.1)):
        a, b = ((0, 1), (1, 2), (0, 2))[tie]
        for i, j in ((a, b), (b, a)):
            row = place.ties.neighbour[place.ties.start[i] : place.ties.start[i] + place.ties.degree[i]]
            place.ties.strength[place.ties.start[i] + int(np.flatnonzero(row == j)[0])] = closeness
    assert measured("daily_contacts_adults", place) == pytest.approx(2 / 6)
    assert measured("daily_weekly_contacts_adults", place) == pytest.approx(4 / 6)
    assert measured("clustering_coefficient", place) == 1.0
    pairs = [(0, 1, Tie.FRIEND), (2, 3, Tie.FRIEND), (4, 5, Tie.FRIEND)]
    like = small.by_hand(6, pairs, age=np.array([30, 30, 50, 50, 70, 70]) * 12)
    assert measured("age_assortativity_adults", like) == pytest.approx(1.0)
    unlike = small.by_hand(6, pairs[:2], age=np.array([30, 50, 50, 30, 40, 40]) * 12)
    assert measured("age_assortativity_adults", unlike) == pytest.approx(-1.0)


# --- a run beside the figures ---


def test_a_small_run_gives_every_measure_and_the_reason_for_the_rest() -> None:
    months = []
    scenario = Scenario(place="england", citizens=1500, months=14)
    table = validate(scenario, seeds=(3,), progress=lambda: months.append(1))
    assert len(months) == 14
    one = measure(scenario, 3)
    assert set(one) == set(MEASURES)
    for key, row in table.iterrows():
        assert (row["why"] == "") == (key in MEASURES)
        if key in MEASURES:
            assert row["simulated"] == one[str(key)]
            assert row["passes"] == (row["band_low"] <= row["simulated"] <= row["band_high"])
        else:
            assert np.isnan(row["simulated"]) and not row["passes"]


@pytest.mark.slow
def test_at_the_default_three_quarters_of_the_core_figures_pass() -> None:
    """Need, help, requests, assessment, contact and carers: at least three quarters of what the model can express."""
    table = validate()
    expressed = table[table.index.isin(list(MEASURES))]
    assert expressed["simulated"].notna().all()  # none drops out of the count for being a mean over nobody
    passed, told = verdict(table).loc["core"]
    assert told == expressed["theme"].isin(CORE).sum() >= 40
    assert passed / told >= 0.75, expressed.loc[
        expressed["theme"].isin(CORE) & ~expressed["passes"], ["simulated", "value"]
    ]
