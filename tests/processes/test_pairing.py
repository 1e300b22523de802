"""Single people of like age pair up as often as stated, never within their family, and live with no strangers."""

from __future__ import annotations

import numpy as np
import pytest

import small
from carecommons.place.ledger import Event
from carecommons.place.place import Place
from carecommons.place.population import Setting
from carecommons.processes.pairing import Pairing
from carecommons.processes.turnover import Turnover
from small import Tie

OFTEN = Pairing(find=(1.0,) * 8)


def singles(people: int = 2000, **values: object) -> Place:
    """Women and men of one age, in turn, each in a home of their own."""
    return small.by_hand(people, **{"sex": np.arange(people) % 2, **values})


def test_couples_are_of_two_single_people_who_share_a_home_and_know_each_other() -> None:
    before = singles()
    after = small.alone(OFTEN, before)
    c, t = after.citizens, after.ties
    paired = np.flatnonzero(c.partner >= 0)
    assert len(paired) > 100 and after.ledger.events[Event.TIES_FORMED] == len(paired) // 2 == len(t)
    assert np.array_equal(c.partner[c.partner[paired]], paired) and (c.sex[paired] != c.sex[c.partner[paired]]).all()
    assert (c.household[paired] == c.household[c.partner[paired]]).all() and (c.home_size[paired] == 2).all()
    assert (t.kind[t.used] == Tie.PARTNER).all()
    again = small.alone(OFTEN, after)
    assert np.array_equal(again.citizens.partner[paired], c.partner[paired])


@pytest.mark.parametrize(("years", "share"), [(20, 0.6), (50, 0.12), (80, 0.0)])
def test_as_many_look_for_a_partner_as_stated_for_their_age(years: int, share: float) -> None:
    """Of equally many women and men, all who look find somebody but for the few by whom one sex is more."""
    place = singles(40_000, age=years * 12)
    found = Pairing(find=(0.6, 0.5, 0.4, 0.12, 0.1, 0.1, 0.0, 0.0))
    c = small.alone(found, place).citizens
    paired, looked = (c.partner >= 0).sum(), 40_000 * share / 12
    assert paired <= looked + 4 * np.sqrt(looked) and paired >= looked - 8 * np.sqrt(looked)


def test_nobody_pairs_with_somebody_much_older_or_in_a_care_home_or_with_a_partner_already() -> None:
    apart = singles(200, age=np.where(np.arange(200) % 2 == 0, 20 * 12, 60 * 12))
    assert not (small.alone(OFTEN, apart).citizens.partner >= 0).any()
    assert not (small.alone(OFTEN, singles(200, setting=Setting.CARE_HOME)).citizens.partner >= 0).any()
    widowed = singles(200, partner=np.arange(200) ^ 1)
    assert np.array_equal(small.alone(OFTEN, widowed).citizens.partner, np.arange(200) ^ 1)


def test_friends_who_pair_keep_one_tie() -> None:
    friends = small.by_hand(2000, [(2 * k, 2 * k + 1, Tie.FRIEND) for k in range(1000)], sex=np.arange(2000) % 2)
    after = small.alone(OFTEN, friends)
    t, c = after.ties, after.citizens
    pairs = set(zip(t.owner[t.used].tolist(), t.neighbour[t.used].tolist(), strict=True))
    assert len(pairs) == t.used.sum()
    couples = {(k, int(c.partner[k])) for k in np.flatnonzero(c.partner >= 0).tolist()}
    kinds = dict(
        zip(
            zip(t.owner[t.used].tolist(), t.neighbour[t.used].tolist(), strict=True),
            t.kind[t.used].tolist(),
            strict=True,
        )
    )
    assert couples and all(kinds[couple] == Tie.PARTNER for couple in couples)


def test_brothers_and_sisters_mothers_and_sons_do_not_pair() -> None:
    """Everybody is kin of everybody he could pair with."""
    for first in range(2, 12, 2):
        family = small.by_hand(
            first, [(a, b, Tie.KIN) for a in range(first) for b in range(a)], sex=np.arange(first) % 2, age=30 * 12
        )
        for month in range(60):
            family.month = month
            family = small.alone(OFTEN, family)
            assert not (family.citizens.partner >= 0).any()


@pytest.mark.parametrize("strangers", [0, 1, 3])
def test_a_couple_from_two_families_finds_a_home_in_which_nobody_lives(strangers: int) -> None:
    """A daughter and a son leave their mothers; widowers live in homes that couples of their addresses set up."""
    n = 4 + strangers
    home = [0, 0, 2, 2, *(2 * n + k for k in range(strangers))]
    place = small.by_hand(n, sex=[0, 0, 1, 0, *[1] * strangers], household=home)
    place.citizens.age[[1, 3]] = 90 * 12  # mothers, and widowers too, look for nobody
    place.citizens.age[4:] = 90 * 12
    place.citizens.address[:] = place.row_of[:] = np.arange(n)
    eager = Pairing(find=(1.0,) * 5 + (0.0,) * 3)
    for month in range(400):  # until both look in one month, once in 144
        place.month = month
        place = small.alone(eager, place)
        if place.citizens.partner[0] >= 0:
            break
    c = place.citizens
    assert c.partner[[0, 2]].tolist() == [2, 0] and c.household[0] == c.household[2] >= 2 * n
    assert (c.household == c.household[0]).sum() == 2 and c.home_size.tolist() == [2, 1, 2, *[1] * (n - 3)]


def test_over_the_years_nobody_lives_with_strangers() -> None:
    """Coming, going and pairing: whoever a couple lives with lived with one of the two before."""
    restless = Turnover(mortality=2.0, departure=0.1, departure_young=0.2, arrival=1.0, coming_of_age=0.6)
    pairing = Pairing(find=(0.9,) * 8)
    place = small.founded()
    for _ in range(60):
        settled = small.alone(restless, place)
        place = small.alone(pairing, settled)
        place.month = settled.month
        c = place.citizens
        for k in np.flatnonzero((c.partner >= 0) & (settled.citizens.partner < 0)).tolist():
            together = c.alive & (c.household == c.household[k])
            from_homes = set(settled.citizens.household[together].tolist())
            assert from_homes <= set(settled.citizens.household[[k, c.partner[k]]].tolist()), place.month
