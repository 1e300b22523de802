"""How each published figure is taken from a simulated year, in the words of its survey or return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np

from carecommons.evidence.year import OLDER, Year
from carecommons.place.graph import to_graph
from carecommons.place.ledger import Event
from carecommons.place.population import ADL_BITS, IADL_BITS, Contact, Route, Setting
from carecommons.units import DAYS_A_MONTH, minutes_a_month

ENGLAND_ADULTS = 45_691_677  # ONS mid-2023, places/england.toml
DAILY, WEEKLY = 0.60, 0.35  # closeness of people met daily and weekly: assumption, POLYMOD asks for frequency
Measure = Callable[[Year], float]


def _share(part: Any, whole: Any) -> float:
    return float(100 * (part & whole).sum() / whole.sum()) if whole.sum() else float("nan")


def _aged(low: int, high: int = 200, sex: int | None = None) -> Callable[[Any], Any]:
    def who(c: Any) -> Any:
        rows = c.alive & (c.age >= low * 12) & (c.age < high * 12)
        return rows if sex is None else rows & (c.sex == sex)

    return who


def _household(low: int, high: int = 200, sex: int | None = None) -> Callable[[Any], Any]:
    """People of an age in private households, whom the Health Survey asks; care homes are not in it."""
    return lambda c: _aged(low, high, sex)(c) & (c.setting == Setting.HOME)


def _fails(bits: int, least: int = 1) -> Callable[[Any], Any]:
    return lambda c: np.bitwise_count(c.deficits & np.uint16(bits)) >= least


def _of(part: Callable[[Any], Any], whole: Callable[[Any], Any]) -> Measure:
    return lambda y: _share(part(y.place.citizens), whole(y.place.citizens))


def _per_year(y: Year, total: float) -> float:
    return total * 12 / y.months


def _england(y: Year, number: float) -> float:
    """A number of the sample as a number of England."""
    return number * ENGLAND_ADULTS / max(len(y.place.citizens), 1)


def _events(event: Event) -> Measure:
    return lambda y: _england(y, _per_year(y, float(y.events[event])))


def _sequel(event: Event) -> Measure:
    return lambda y: float(100 * y.events[event] / max(y.events[Event.REQUESTS], 1))


def _billions(name: str) -> Measure:
    return lambda y: _england(y, _per_year(y, y.sums[name])) / 1e11


def _helped(c: Any) -> Any:
    return c.informal + c.community + c.from_council + c.from_own > 0


def _carer(hours: float, most: float = 1000.0) -> Callable[[Any], Any]:
    low, high = minutes_a_month(hours), minutes_a_month(most)
    return lambda c: c.alive & (c.given >= max(low, 1)) & (c.given < high)


def _adl(c: Any) -> Any:
    return _fails(ADL_BITS)(c)


def _informal_only(c: Any) -> Any:
    return (c.informal > 0) & (c.from_council + c.from_own == 0)


def _user(c: Any) -> Any:
    return c.alive & (c.from_council > 0) & (c.short_term == 0)


def _paid(c: Any) -> Any:
    return c.alive & (c.from_council + c.from_own > 0)


def _community(c: Any) -> Any:
    return _paid(c) & (c.setting == Setting.HOME)


def _resident(c: Any) -> Any:
    return _paid(c) & (c.setting == Setting.CARE_HOME)


def _self_funds(c: Any) -> Any:
    return c.route == Route.SELF_FUNDER


def _lonely(c: Any) -> Any:
    return c.lonely


def _impaired(c: Any) -> Any:
    return c.alive & (c.disabled | (c.level > 0))


def _met(floor: float) -> Measure:
    def mean(y: Year) -> float:
        t = y.place.ties
        close = np.bincount(t.owner[t.used & (t.strength >= floor)], minlength=len(t.degree))
        return float(close[y.place.citizens.alive].mean())

    return mean


def _age_correlation(y: Year) -> float:
    t, age = y.place.ties, y.place.citizens.age.astype(float)
    return float(np.corrcoef(age[t.owner[t.used]], age[t.neighbour[t.used]])[0, 1])


def _volunteers(c: Any) -> Any:
    return (c.group_a >= 0) & (c.level == 0)


def _home_care_hours(y: Year) -> float:
    c = y.place.citizens
    rows = _user(c) & (c.setting == Setting.HOME) & (c.route == Route.MANAGED)
    return float(c.funded[rows].mean() / minutes_a_month(1)) if rows.any() else float("nan")


def _known_carer(c: Any) -> Any:
    return _carer(20)(c)


ANY = ADL_BITS | IADL_BITS
OLD = _household(65)

MEASURES: dict[str, Measure] = {
    "need_adl_65plus_men": _of(_adl, _household(65, sex=1)),
    "need_adl_65plus_women": _of(_adl, _household(65, sex=0)),
    "need_iadl_65plus_women": _of(_fails(IADL_BITS), _household(65, sex=0)),
    "need_any_65_69": _of(_fails(ANY), _household(65, 70)),
    "need_any_80plus": _of(_fails(ANY), _household(80)),
    "need_two_plus_65_69": _of(_fails(ANY, 2), _household(65, 70)),
    "need_two_plus_80plus": _of(_fails(ANY, 2), _household(80)),
    "need_adl_85plus_women": _of(_adl, _household(85, sex=0)),
    "unmet_adl_65plus": _of(lambda c: _adl(c) & (c.unmet > 0), OLD),
    "receipt_adl_65plus_men": _of(lambda c: _adl(c) & _helped(c), _household(65, sex=1)),
    "informal_only_share_adl_help": _of(_informal_only, lambda c: OLD(c) & _adl(c) & _helped(c)),
    "la_assessed_share_of_needy": lambda y: _share(
        y.ever["assessed"], OLD(y.place.citizens) & _fails(ANY)(y.place.citizens)
    ),
    "adl_difficulty_no_help_share": _of(lambda c: ~_helped(c), lambda c: _household(65, 90)(c) & _adl(c)),
    "unpaid_carers_total": lambda y: _england(y, float(_carer(0)(y.place.citizens).sum())),
    "unpaid_care_1_19h_share": _of(_carer(0, 20), _carer(0)),
    "unpaid_care_50plus_h_share": _of(_carer(50), _carer(0)),
    "unpaid_care_female": _of(_carer(0), lambda c: c.alive & (c.sex == 0)),
    "carer_health_impact_20plus_h": _of(lambda c: c.strain >= 0.35, _carer(20)),
    "carer_exits_per_year": lambda y: _england(y, y.sums["carer_exits"] * 12 / max(y.months - 1, 1)) / 1e6,
    "carers_enough_social_contact_2018": _of(lambda c: c.contact == Contact.ENOUGH, _known_carer),
    "carers_isolated_2021": _of(lambda c: c.contact == Contact.ISOLATED, _known_carer),
    "carers_100h_plus": _of(_carer(100), _known_carer),
    "requests_2015_16": _events(Event.REQUESTS),
    "requests_2019_20": _events(Event.REQUESTS),
    "requests_2021_22": _events(Event.REQUESTS),
    "request_rate_65plus": lambda y: 1200 * y.sums["requests_older"] / y.sums["older"],
    "request_rate_18_64": lambda y: 1200 * y.sums["requests_younger"] / y.sums["younger"],
    "sequel_universal_signposted": _sequel(Event.SIGNPOSTED),
    "sequel_no_service": _sequel(Event.NO_SERVICE),
    "sequel_low_level": _sequel(Event.LOW_LEVEL),
    "sequel_st_max": _sequel(Event.SHORT_TERM),
    "sequel_long_term": _sequel(Event.LONG_TERM),
    "lts_2015_16": lambda y: _england(y, float(y.ever["long_term"].sum())),
    "stmax_episodes_2022_23": _events(Event.SHORT_TERM),
    "wait_initial_assessment_median": lambda y: float((np.median(y.waits) + 0.5) * DAYS_A_MONTH) if y.waits else 0.0,
    "gce_2019_20": _billions("council_spend"),
    "gce_2023_24": _billions("council_spend"),
    "lts_spend_share": lambda y: (
        100 * (y.sums["care_young"] + y.sums["care_old"] - y.sums["short_term_spend"]) / y.sums["council_spend"]
    ),
    "lts_spend_18_64": _billions("care_young"),
    "lts_spend_65plus_care_homes": _billions("care_homes_old"),
    "care_home_admissions_65plus_2014": lambda y: 1e5 * y.sums["admissions_old"] * 12 / y.sums["older"],
    "homecare_hours_per_person": _home_care_hours,
    "self_funder_care_home_share": _of(_self_funds, _resident),
    "self_funder_older_care_home_share": _of(_self_funds, lambda c: _resident(c) & (c.age >= OLDER)),
    "self_funder_community_share": _of(_self_funds, _community),
    "direct_payment_share_users": _of(
        lambda c: (c.route == Route.DIRECT_PAYMENT) | (c.route == Route.MIXED),
        lambda c: _user(c) & (c.setting == Setting.HOME),
    ),
    "lonely_often_2023_24": _of(_lonely, _aged(16)),
    "lonely_often_disabled": _of(_lonely, _impaired),
    "lonely_often_limited_a_lot": _of(_lonely, lambda c: c.alive & (c.level >= 2)),
    "users_enough_contact_2013_14": _of(lambda c: c.contact == Contact.ENOUGH, _user),
    "users_scrqol_regional": lambda y: float(np.mean(y.place.citizens.scrqol[_user(y.place.citizens)])),
    "daily_contacts_adults": _met(DAILY),
    "daily_weekly_contacts_adults": _met(WEEKLY),
    "age_assortativity_adults": _age_correlation,
    "clustering_coefficient": lambda y: float(nx.transitivity(to_graph(y.place))),
    "formal_volunteering_monthly": _of(_volunteers, _aged(16)),
    "any_volunteering_monthly": _of(lambda c: _volunteers(c) | (c.given > 0), _aged(16)),
}

NOT_EXPRESSED: dict[str, str] = {
    "unpaid_care_survey_prevalence": "the survey's wider definition of care; the census count is used",
    "carer_qol_la_mean_2016": "no carer quality-of-life score yet",
    "contacts_per_day_all": "children and passing contacts are not simulated",
    "contacts_per_day_adults": "passing contacts are not simulated",
    "ld_adults_long_term_support_18_64": "learning disability is not told apart",
    "wait_package_start_median": "packages start in the month of the assessment; waits under a month cannot be seen",
    "contracts_handed_back_2022_23": "providers' contracts are not simulated yet",
    "providers_closed_or_handed_back": "providers' contracts are not simulated yet",
    "vacancy_rate_2021_22": "the paid workforce is not simulated yet",
    "turnover_independent_2024_25": "the paid workforce is not simulated yet",
    "somerset_micro_providers_2020": "a figure of one place under support, not of England",
    "micro_new_per_year": "a figure of supported places, not of England",
    "micro_outcome_vs_large": "quality by kind of provider is not simulated yet",
    "micro_exit_rate": "an input here (enterprises.exit_rate)",
    "shared_lives_people_uk": "Shared Lives is not simulated yet",
    "shared_lives_carers_uk": "Shared Lives is not simulated yet",
    "ease_of_info_users_2015": "information is not simulated yet",
    "homecare_ascot_gain_mean": "needs the same person with and without care: an experiment, not a figure of one run",
}
