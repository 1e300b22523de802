"""Founders are as many of each kind as published, share homes as people do, and know people like themselves."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import small
from carecommons.founding.found import found
from carecommons.founding.homes import Homes
from carecommons.founding.people import ENGLAND_DISABLED, People, quotas
from carecommons.founding.profile import FIRST_AGES, Profile, load
from carecommons.founding.society import Society
from carecommons.place.graph import to_graph
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.place.population import Setting, Tenure
from carecommons.scenario import Scenario
from small import Tie

SIGMAS = 4.0
FIFTH = 0.20  # the band of `carecommons validate`: at least a fifth either side of a published figure
ENGLAND = 20_000


@cache
def _england(seed: int) -> Place:
    return small.founded(Scenario(place="england", citizens=ENGLAND), seed)


def england(seed: int = 1) -> Place:
    """Twenty thousand founders of England, made ready for their first month; not to be changed."""
    return _england(seed)


def laid_out(place: str | Profile, citizens: int, seed: int = 1, **society: Any) -> Place:
    profile = load(place) if isinstance(place, str) else place
    return found(profile, citizens, People(), Homes(), Society(**society), seed)


def ends(place: Place, kind: Tie | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both ends of each tie, each tie once."""
    t = place.ties
    once = t.used & (t.owner < t.neighbour) & (True if kind is None else t.kind == kind)
    return t.owner[once], t.neighbour[once]


def proportion(event: np.ndarray, chance: np.ndarray | float) -> bool:
    """Whether as many of `event` (n,) are true as independent events of those chances give, to four standard errors."""
    chance = np.broadcast_to(chance, event.shape)
    return bool(abs(event.sum() - chance.sum()) <= SIGMAS * math.sqrt((chance * (1 - chance)).sum()))


# --- R9: numbers by quota ---


@pytest.mark.parametrize("name", ["england", "camden", "isle_of_wight"])
@pytest.mark.parametrize("citizens", [997, 20_000])
def test_ages_and_sexes_are_the_published_numbers_to_the_last_person(name: str, citizens: int) -> None:
    """Sixteen cells by largest remainder: each within one person of its exact share, and all of them the sample."""
    profile, c = load(name), laid_out(name, citizens).citizens
    published = np.array([profile.adults_by_age.women, profile.adults_by_age.men], float)
    band = np.searchsorted(FIRST_AGES, c.age // 12, side="right") - 1
    here = np.array([[((c.sex == sex) & (band == k)).sum() for k in range(8)] for sex in (0, 1)])
    assert here.sum() == citizens
    assert np.abs(here - published / published.sum() * citizens).max() < 1.0
    assert (c.age >= 18 * 12).all() and (c.age < 101 * 12).all()


@pytest.mark.parametrize("name", ["england", "manchester", "surrey"])
def test_deprivation_is_in_the_published_shares_to_half_a_neighbourhood(name: str) -> None:
    profile, place = load(name), laid_out(name, 20_000)
    share = np.bincount(place.citizens.deprivation, minlength=6)[1:] / 20_000
    hoods = len(place.neighbourhoods.deprivation)
    assert hoods == 20_000 // People().neighbourhood_size
    # Borders of fifths fall between neighbourhoods: each is out by half of one at most, and a fifth has two.
    assert np.abs(share - np.array(profile.deprivation) / sum(profile.deprivation)).max() <= 1.0 / hoods + 1e-9


def test_neighbourhoods_are_nested_in_the_place_and_hold_each_address_once() -> None:
    place = laid_out("derby", 1234)
    c, first = place.citizens, place.neighbourhoods.first
    assert first[0] == 0 and first[-1] == 1234 and (np.diff(first) > 0).all()
    for hood, (low, high) in enumerate(pairwise(first)):
        assert (c.neighbourhood[low:high] == hood).all()
        assert (c.deprivation[low:high] == place.neighbourhoods.deprivation[hood]).all()
    assert np.array_equal(c.address, np.arange(1234)) and np.array_equal(place.row_of, np.arange(1234))


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=20).filter(lambda w: sum(w) > 1e-6), st.integers(0, 10**6))
def test_quotas_are_whole_add_up_and_are_within_one_of_the_exact_share(weights: list[float], people: int) -> None:
    cells = quotas(np.array(weights), people)
    assert cells.sum() == people and (cells >= 0).all()
    assert np.abs(cells - np.array(weights) / sum(weights) * people).max() < 1.0 + 1e-6


def test_budgets_and_supply_are_per_head() -> None:
    """A sample twice as large has twice the grant and twice as many organisations, to one of each."""
    half, whole = (small.founded(Scenario(place="derby", citizens=n)) for n in (2000, 4000))
    assert abs(whole.council.reserves - 2 * half.council.reserves) <= 2 * 12
    assert abs(len(whole.groups) - 2 * len(half.groups)) <= 1
    assert abs(len(whole.enterprises) - 2 * len(half.enterprises)) <= 1


# --- traits drawn from the published make-up ---


def test_impairment_tenure_and_ethnicity_are_drawn_by_the_tables_of_the_place() -> None:
    place = laid_out("manchester", 20_000)
    c, m = place.citizens, place.makeup
    years, fifth = np.minimum(c.age // 12, 100), c.deprivation - 1
    assert proportion(c.disabled, m.disabled[years, fifth])
    shares = np.diff(m.tenure[years, fifth], axis=1, prepend=0.0)
    for tenure in Tenure:
        assert proportion(c.tenure == tenure, shares[:, tenure]), tenure.name
    for group, share in enumerate(np.diff(m.ethnicity, prepend=0.0)):
        assert proportion(c.ethnicity == group, share), group
    assert proportion(c.stigma[(c.ethnicity > 0) | c.disabled], People().stigma_share)
    assert not c.stigma[(c.ethnicity == 0) & ~c.disabled].any()


def test_adults_of_england_are_as_often_impaired_as_in_the_census() -> None:
    """17.3 % of all residents: as many adults, children being impaired less often, and no more than if none were."""
    profile = load("england")
    share = england().citizens.disabled.mean()
    error = SIGMAS * math.sqrt(0.25 / ENGLAND)
    assert profile.disabled_share == ENGLAND_DISABLED
    if_no_child_is = profile.disabled_share * profile.residents / profile.adults
    assert profile.disabled_share - error <= share <= if_no_child_is + error


def test_only_owners_have_a_home_of_value_and_the_old_have_saved_more() -> None:
    c = england().citizens
    owns = c.tenure <= Tenure.MORTGAGE
    assert (c.home_value[owns] > 0).all() and not c.home_value[~owns].any() and (c.savings >= 0).all()
    old, young = (c.tenure == Tenure.OUTRIGHT) & (c.age >= 780), (c.tenure == Tenure.OUTRIGHT) & (c.age < 480)
    assert np.median(c.savings[old]) > np.median(c.savings[young])


def test_lasting_traits_have_the_means_and_spreads_that_they_are_said_to_have() -> None:
    c, people = england().citizens, People()
    n = ENGLAND
    assert abs(c.desire.mean()) <= SIGMAS / math.sqrt(n) and abs(c.desire.std() - 1) <= SIGMAS / math.sqrt(2 * n)
    for values, spread in ((c.sociability, people.sociability_spread), (c.frailty, people.frailty_spread)):
        log = np.log(values)
        assert abs(log.mean() + spread**2 / 2) <= SIGMAS * spread / math.sqrt(n)  # so that the mean is 1
        assert abs(log.std() - spread) <= SIGMAS * spread / math.sqrt(2 * n)


# --- homes ---


@pytest.mark.parametrize(
    ("first", "last", "published"),
    [(18, 200, 16.0), (50, 64, 17.0), (85, 200, 59.0)],
    ids=["adults", "50-64", "85 and over"],
)
def test_as_many_live_alone_as_in_the_census(first: int, last: int, published: float) -> None:
    """16 % of 16 and over, 17 % at 50-64, 59 % at 85 and over (ONS, Census 2011, England and Wales).

    A fifth either side, as everywhere, and sampling error: the census is twelve years older than the profile and counts
    from 16, an age at which hardly anybody lives alone (which would make 16.5 % of adults).
    """
    c = england().citizens
    who = (c.age >= first * 12) & (c.age < (last + 1) * 12)
    share = 100 * (c.home_size[who] == 1).mean()
    error = SIGMAS * 100 * math.sqrt(published / 100 * (1 - published / 100) / who.sum())
    assert abs(share - published) <= FIFTH * published + error


def test_there_are_about_as_many_homes_as_published_and_the_old_live_alone_as_in_2021() -> None:
    """Adults' own homes against households of the census, and 30.55 % of 66 and over alone: a fifth either side."""
    profile, c = load("england"), england().citizens
    homes = len(np.unique(c.household[c.alive]))
    assert homes / ENGLAND == pytest.approx(profile.households / profile.adults, rel=FIFTH)
    assert profile.living_alone is not None
    old = c.age >= 66 * 12
    assert (c.home_size[old] == 1).mean() == pytest.approx(profile.living_alone.persons_66_plus, rel=FIFTH)


def test_couples_are_two_people_who_are_each_others_partners_and_share_a_home() -> None:
    c = england().citizens
    paired = np.flatnonzero(c.partner >= 0)
    other = c.partner[paired]
    assert len(paired) > ENGLAND / 3
    assert np.array_equal(c.partner[other], paired) and (other != paired).all()
    at_home = (c.setting[other] == Setting.HOME) & (c.setting[paired] == Setting.HOME)  # some are in care homes already
    assert np.array_equal(c.household[other] == c.household[paired], at_home) and (c.sex[other] != c.sex[paired]).all()
    assert np.array_equal(c.neighbourhood[other], c.neighbourhood[paired])
    gap = np.abs(c.age[paired] - c.age[other]) / 12
    assert np.corrcoef(c.age[paired], c.age[other])[0, 1] > 0.8 and np.median(gap) < 5


def test_in_each_neighbourhood_as_many_pair_as_the_sex_of_which_fewer_look_for_a_partner() -> None:
    """Who looks is drawn by age and sex; the others of the larger side stay single."""
    place, homes = laid_out("england", 10_000), Homes()
    c = place.citizens
    band = np.clip(np.searchsorted(FIRST_AGES, c.age // 12, side="right") - 1, 0, 7)
    chance = np.where(c.sex == 0, np.array(homes.partnered_women)[band], np.array(homes.partnered_men)[band])
    looks = Luck(1).uniforms("homes", c.id)[:, 0] < chance
    assert proportion(looks, chance) and not (c.partner[~looks] >= 0).any()
    for hood in range(len(place.neighbourhoods.deprivation)):
        here = c.neighbourhood == hood
        women, men = ((here & looks & (c.sex == sex)).sum() for sex in (0, 1))
        assert (here & (c.partner >= 0)).sum() == 2 * min(women, men)


def test_people_who_share_a_home_know_each_other_as_partners_or_kin() -> None:
    """Homes of up to six adults in full; in larger ones everybody knows at least five of the others."""
    place = laid_out("england", 5000)
    c, t = place.citizens, place.ties
    family = t.used & (t.kind <= Tie.KIN)
    near = set(zip(t.owner[family].tolist(), t.neighbour[family].tolist(), strict=True))
    order = np.argsort(c.household, kind="stable")
    homes = np.split(order, np.flatnonzero(np.diff(c.household[order])) + 1)
    shared = [home.tolist() for home in homes if len(home) > 1]
    assert len(shared) > 5000 / 8
    for home in shared:
        known = [sum((a, b) in near for b in home) for a in home]
        assert min(known) >= min(len(home) - 1, 5), home
        assert (c.home_size[home] == len(home)).all()


# --- society ---


def test_people_know_about_as_many_others_as_published() -> None:
    """15 (MacCarron et al. 2016, the layer of good friends): a fifth either side."""
    assert england().ties.degree.mean() == pytest.approx(15, rel=FIFTH)


def test_adults_who_know_each_other_are_of_like_age_as_published() -> None:
    """0.28 over 648 adults' contacts (POLYMOD UK): a correlation of so many has a standard error of 0.036."""
    place = england()
    a, b = ends(place)
    age = place.citizens.age.astype(float)
    found_r = np.corrcoef(np.concatenate([age[a], age[b]]), np.concatenate([age[b], age[a]]))[0, 1]
    assert abs(found_r - 0.28) <= SIGMAS * (1 - 0.28**2) / math.sqrt(648)


@pytest.mark.parametrize(
    ("kind", "alike"), [(Tie.FRIEND, True), (Tie.NEIGHBOUR, True), (Tie.PARTNER, True), (Tie.WORKMATE, False)]
)
def test_friends_neighbours_and_partners_live_among_equals_workmates_anywhere(kind: Tie, alike: bool) -> None:
    """Against chance: the share of ties within one fifth if people met without regard to it."""
    place = england()
    a, b = ends(place, kind)
    fifth = place.citizens.deprivation
    together = fifth[a] == fifth[b]
    chance = sum(((fifth == k).mean()) ** 2 for k in range(1, 6))
    # Friends, neighbours and workmates know one another in circles of five: four ties of each hang together.
    error = SIGMAS * math.sqrt(4 * chance * (1 - chance) / len(a))
    assert together.mean() > 2 * chance if alike else abs(together.mean() - chance) <= error


def test_friends_are_of_like_age_the_more_so_the_less_ages_mix() -> None:
    correlations = []
    for mixing in (0.0, 16.0, 60.0):
        place = laid_out("england", 5000, age_mixing=mixing)
        a, b = ends(place, Tie.FRIEND)
        correlations.append(np.corrcoef(place.citizens.age[a], place.citizens.age[b])[0, 1])
    assert correlations[0] > 0.95 > correlations[1] > correlations[2] > 0


def test_neighbours_live_in_one_neighbourhood_and_workmates_work() -> None:
    place = england()
    c = place.citizens
    a, b = ends(place, Tie.NEIGHBOUR)
    assert len(a) and np.array_equal(c.neighbourhood[a], c.neighbourhood[b])
    a, b = ends(place, Tie.WORKMATE)
    assert len(a) and c.works[a].all() and c.works[b].all()


def test_kin_span_generations() -> None:
    """Mothers are sixteen years older or more, so kin apart are two kinds: of an age, and a generation apart."""
    place = england()
    a, b = ends(place, Tie.KIN)
    gap = np.abs(place.citizens.age[a] - place.citizens.age[b]) / 12
    assert (gap < 12).mean() > 0.1 and ((gap >= 16) & (gap < 45)).mean() > 0.4


def test_each_kind_of_founders_tie_is_there_and_friends_of_friends_are_friends() -> None:
    place = laid_out("england", 3000)
    t = place.ties
    kinds = set(t.kind[t.used].tolist())
    assert kinds == {Tie.PARTNER, Tie.KIN, Tie.FRIEND, Tie.NEIGHBOUR, Tie.WORKMATE}
    graph = to_graph(place)
    at_random = 2 * graph.number_of_edges() / (3000 * 2999)
    assert nx.transitivity(graph) > 20 * at_random


def test_a_bond_belongs_to_the_pair_and_is_drawn_evenly() -> None:
    place = england()
    t = place.ties
    both = {}
    for i, j, bond in zip(t.owner[t.used].tolist(), t.neighbour[t.used].tolist(), t.bond[t.used].tolist(), strict=True):
        assert both.setdefault((min(i, j), max(i, j)), bond) == bond
    bonds = np.array(list(both.values())) / 65536
    assert abs(bonds.mean() - 0.5) <= SIGMAS * math.sqrt(1 / 12 / len(bonds))


@settings(max_examples=15)
@given(st.integers(0, 400), st.integers(0, 2**63 - 1), st.sampled_from(["derby", "camden", "england"]))
def test_any_number_of_founders_is_a_place(citizens: int, seed: int, name: str) -> None:
    place = laid_out(name, citizens, seed)
    c = place.citizens
    assert len(place) == citizens == len(set(c.id.tolist()))
    paired = np.flatnonzero(c.partner >= 0)
    assert np.array_equal(c.partner[c.partner[paired]], paired)
    assert (c.home_size >= 1).all() and not (c.level.any() or c.need.any())
    a, b = ends(place)
    assert (a != b).all() and len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(a)
