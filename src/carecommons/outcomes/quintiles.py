"""The month by deprivation quintile: how many people, how they fare, who gets and gives care, and who pays for it.

Every measure is a sum over people, so that months and quintiles add up: the five rows of a measure make up the outcome
of the whole place to the last minute and penny (tests/outcomes/test_quintiles.py).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from carecommons.kernels.arrays import F64
from carecommons.kernels.compiled import compiled
from carecommons.place.place import Place
from carecommons.place.population import Status

QUINTILES: Final = (1, 2, 3, 4, 5)
"""Deprivation quintiles of neighbourhoods, 1 the most deprived."""

UNITS: Final[dict[str, str]] = {
    "people": "adults",
    "isolated": "adults",
    "lonely": "adults",
    "scrqol": "points 0-24, summed over adults",
    "in_need": "adults",
    "scrqol_in_need": "points 0-24, summed over adults in need",
    "unmet_people": "adults",
    "funded": "adults",
    "carers": "adults",
    "need_minutes": "minutes",
    "unmet_minutes": "minutes",
    "funded_minutes": "minutes",
    "council_minutes": "minutes",
    "own_minutes": "minutes",
    "unpaid_minutes": "minutes received",
    "community_minutes": "minutes received",
    "given_minutes": "minutes of unpaid care given",
    "council_pence": "pence, packages less what clients paid",
    "own_pence": "pence, charges included",
}
"""Each measure with its unit, in the order of the columns of `observe`."""

MEASURES: Final[tuple[str, ...]] = tuple(UNITS)
"""The measures' names.

`council_pence` is what the council paid for the packages of people of a quintile, net of what they paid; its running
costs, groups and low-level support are nobody's and are not in it. Minutes of help are counted where they are received,
except `given_minutes`, which are counted where the carer lives.
"""

_ALIVE: Final = np.uint32(Status.ALIVE.value)
_CARER: Final = np.uint32(Status.CARER.value)
_IN_NEED: Final = np.uint32(Status.IN_NEED.value)
_FUNDED: Final = np.uint32(Status.FUNDED.value)
_UNMET: Final = np.uint32(Status.UNMET.value)
_CONCERNED: Final = np.uint32((Status.IN_NEED | Status.FUNDED | Status.DELIVERED | Status.UNMET).value)


def observe(place: Place) -> F64:
    """Sums over the living by deprivation quintile of their neighbourhood -> (5, len(MEASURES)), units as `UNITS`."""
    c = place.citizens
    return np.asarray(_by_quintile(
        c.status, c.deprivation, c.isolated, c.lonely, c.scrqol, c.given, c.need, c.unmet, c.funded, c.from_council,
        c.from_own, c.informal, c.community, c.council_cost, c.own_cost, len(MEASURES),
    ), np.float64)  # fmt: skip


@compiled
def _by_quintile(
    status: Any, deprivation: Any, isolated: Any, lonely: Any, scrqol: Any, given: Any, need: Any, unmet: Any,
    funded: Any, from_council: Any, from_own: Any, informal: Any, community: Any, council_cost: Any, own_cost: Any,
    measures: Any,
) -> Any:  # fmt: skip
    """One person at a time, whole numbers only -> (5, measures); a quintile outside 1 to 5 counts as the nearest."""
    sums = np.zeros((5, measures), np.int64)
    for i in range(status.shape[0]):
        s = status[i]
        if s & _ALIVE == 0:
            continue
        quintile: Any = min(max(np.int64(deprivation[i]), 1), 5)
        row = sums[quintile - 1]
        row[0] += 1
        row[1] += isolated[i]
        row[2] += lonely[i]
        row[3] += scrqol[i]
        if s & _CARER:
            row[8] += 1
            row[16] += given[i]
        # Most people neither need nor get anything, and all that follows is nought for them.
        if s & _CONCERNED == 0 and need[i] == 0 and informal[i] == 0 and community[i] == 0 and own_cost[i] == 0:
            continue
        if s & _IN_NEED:
            row[4] += 1
            row[5] += scrqol[i]
        row[6] += s & _UNMET != 0
        row[7] += s & _FUNDED != 0
        row[9] += need[i]
        row[10] += unmet[i]
        row[11] += funded[i]
        row[12] += from_council[i]
        row[13] += from_own[i]
        row[14] += informal[i]
        row[15] += community[i]
        row[17] += council_cost[i]
        row[18] += own_cost[i]
    return sums
