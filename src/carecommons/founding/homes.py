"""Who shares a home: couples of like age near by, grown children with parents, older parents with their children."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.founding.people import Bands
from carecommons.founding.profile import FIRST_AGES
from carecommons.kernels.arrays import I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four
from carecommons.params import UNCERTAIN, C, D, Parameters, param
from carecommons.place.luck import BEFORE, Luck, decision
from carecommons.place.place import Place

MONTHS = 12


class Homes(Parameters):
    """How people are put together in households."""

    partnered_women: Bands = param(
        (0.10, 0.50, 0.68, 0.68, 0.68, 0.64, 0.44, 0.17), "women who live with a partner, by age band",
        unit="share of women", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    partnered_men: Bands = param(
        (0.06, 0.42, 0.66, 0.69, 0.72, 0.75, 0.70, 0.50), "men who live with a partner, by age band",
        unit="share of men", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    alone_if_single: Bands = param(
        (0.0, 0.05, 0.15, 0.35, 0.65, 0.70, 0.72, 0.72), "people without a partner who live alone, by age band",
        unit="share of people", low=0, high=1, role=UNCERTAIN, grade=C,
        source="set so that 16% of adults, 17% at 50-64 and 59% at 85+ live alone (ONS, Census 2011)",
    )  # fmt: skip

    def settle(self, place: Place, seed: int) -> None:
        """Pair couples and fill households; writes `partner` and `household`."""
        c = place.citizens
        draws = Luck(seed).uniforms("homes", c.id)
        band = np.clip(np.searchsorted(FIRST_AGES, c.age // MONTHS, side="right") - 1, 0, 7)
        chance = np.where(c.sex == 0, np.array(self.partnered_women)[band], np.array(self.partnered_men)[band])
        wants = draws[:, 0] < chance
        women = _by_place_and_age(c.neighbourhood, c.age, np.flatnonzero(wants & (c.sex == 0)))
        men = _by_place_and_age(c.neighbourhood, c.age, np.flatnonzero(wants & (c.sex == 1)))
        _couple(women, men, c.neighbourhood, len(place.neighbourhoods.deprivation), c.partner, c.household)
        shares = (c.partner < 0) & (draws[:, 1] >= np.array(self.alone_if_single)[band])
        _lodge(
            np.flatnonzero(shares), c.id, c.age, c.neighbourhood, place.neighbourhoods.first, c.household,
            seed, decision("homes.host"), BEFORE,
        )  # fmt: skip


def _by_place_and_age(neighbourhood: Any, age: Any, rows: I64) -> I64:
    return rows[np.lexsort((rows, age[rows], neighbourhood[rows]))]


@compiled
def _couple(women: I64, men: I64, where: Any, places: int, partner: Any, household: Any) -> None:
    """Pair women and men of one neighbourhood in the order of their ages; of the larger side, evenly many stay out."""
    w, m = 0, 0
    for k in range(places):
        w_end, m_end = w, m
        while w_end < women.shape[0] and where[women[w_end]] == k:
            w_end += 1
        while m_end < men.shape[0] and where[men[m_end]] == k:
            m_end += 1
        few = min(w_end - w, m_end - m)
        for p in range(few):
            a = women[w + p * (w_end - w) // few]
            b = men[m + p * (m_end - m) // few]
            partner[a], partner[b] = b, a
            household[b] = household[a]
        w, m = w_end, m_end


@compiled
def _lodge(
    rows: I64, ids: Any, age: Any, where: Any, first: Any, household: Any, seed: Any, key: Any, before: Any
) -> None:
    """Each of rows joins the household of somebody near by a generation older or younger, if four tries find one."""
    for i in rows:
        low, high = first[where[i]], first[where[i] + 1]
        draws = four(seed, key, before, ids[i])
        for u in draws:
            host = low + min(int(u * (high - low)), high - low - 1)
            gap = abs(age[host] - age[i])
            if host != i and 18 * 12 <= gap <= 42 * 12:
                household[i] = household[host]
                break
