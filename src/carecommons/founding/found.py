"""Lay out a place and let its people settle, share homes and know one another."""

from __future__ import annotations

import numpy as np

from carecommons.founding.homes import Homes
from carecommons.founding.people import People, neighbourhoods
from carecommons.founding.profile import Profile
from carecommons.founding.society import Society
from carecommons.kernels.homes import count_homes
from carecommons.place.ledger import Ledger
from carecommons.place.luck import Luck
from carecommons.place.organisations import Accounts, Enterprises, Groups
from carecommons.place.place import Neighbourhoods, Place
from carecommons.place.population import Citizens
from carecommons.place.ties import Ties


def found(profile: Profile, citizens: int, people: People, homes: Homes, society: Society, seed: int) -> Place:
    """A place of `citizens` adults drawn from `profile`, with homes and ties but no needs and no organisations yet."""
    first, deprivation = neighbourhoods(profile, citizens, people.neighbourhood_size)
    hoods = len(deprivation)
    draws = Luck(seed).uniforms("people.receptiveness", np.arange(hoods))[:, 0]
    receptive = np.clip(people.receptiveness + people.receptiveness_spread * (2 * draws - 1), -1, 1)
    place = Place(
        name=profile.name,
        month=0,
        citizens=Citizens.vacant(citizens),
        ties=Ties.none(citizens),
        groups=Groups.vacant(0),
        enterprises=Enterprises.vacant(0),
        council=Accounts(),
        ledger=Ledger(),
        neighbourhoods=Neighbourhoods(first.astype(np.int32), deprivation, receptive.astype(np.float32)),
        makeup=people.makeup(profile),
        row_of=np.arange(citizens, dtype=np.int32),
    )
    c = place.citizens
    where = np.repeat(np.arange(hoods, dtype=np.int32), np.diff(first))
    people.settle(profile, c, where, deprivation, seed)
    people.draw_traits(place, np.arange(citizens), Luck(seed))
    homes.settle(place, seed)
    count_homes(c.alive, c.household, c.home_size)
    place.ties = society.weave(place, seed)
    return place
