"""Who knows whom at the start: kin, circles of friends, neighbours and workmates, like with like."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.founding.people import Bands
from carecommons.founding.profile import FIRST_AGES
from carecommons.kernels.arrays import F64, I8, I32, I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import normal
from carecommons.kernels.keyed import pairs as pairs_of
from carecommons.params import UNCERTAIN, C, D, Parameters, param
from carecommons.place.luck import BEFORE, BOND, Luck, decision
from carecommons.place.place import Place
from carecommons.place.ties import Tie, Ties

GENERATION = 28 * 12


class Society(Parameters):
    """How the first ties are made: circles whose members all know one another, and families."""

    parent_near: Bands = param(
        (0.85, 0.85, 0.80, 0.65, 0.35, 0.08, 0.01, 0.0), "people with a mother within reach, by age band",
        unit="share of people", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    sibling_near: float = param(
        0.7, "people over 45 with brothers or sisters within reach", unit="share of people", low=0, high=1,
        role=UNCERTAIN,
        grade=D, source="assumption",
    )  # fmt: skip
    friend_circles: tuple[float, float, float] = param(
        (0.7, 0.45, 0.2), "people in a first, second and third circle of friends", unit="share of people", low=0,
        high=1, role=UNCERTAIN, grade=C, source="set against 7.7 people met daily or weekly (POLYMOD UK, adults)",
    )  # fmt: skip
    circle_size: int = param(
        5, "people in a circle of friends or neighbours", unit="people", low=2, high=12, role=UNCERTAIN, grade=D,
        source="assumption: support clique of about 5 (MacCarron et al. 2016); set against published figures together "
        "with others",
    )  # fmt: skip
    neighbourly: float = param(
        0.5, "people who know their neighbours", unit="share of people", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption: set against published figures together with others",
    )  # fmt: skip
    workmates: int = param(
        5, "people in a circle of workmates", unit="people", low=1, high=20, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    age_mixing: float = param(
        16.0, "spread of age within a circle of friends", unit="years", low=0, high=60, role=UNCERTAIN, grade=C,
        source="set against age correlation 0.28 of adult contacts (POLYMOD UK)",
    )  # fmt: skip
    circle_reach: int = param(
        5, "neighbourhoods that a circle of friends is drawn from", unit="neighbourhoods", low=1, high=1000,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip

    def weave(self, place: Place, seed: int) -> Ties:
        """The ties of a newly settled place; their closeness is for `Ties` to set."""
        c = place.citizens
        n = len(c)
        if n == 0:
            return Ties.none(0)
        luck = Luck(seed)
        found = [self._family(place, seed, luck), self._brothers_and_sisters(place, luck), *self._circles(place, luck)]
        a = np.concatenate([p[0] for p in found])
        b = np.concatenate([p[1] for p in found])
        kind = np.concatenate([np.full(len(p[0]), p[2], np.int8) if isinstance(p[2], int) else p[2] for p in found])
        del found
        bond = pairs_of(seed, decision(BOND), BEFORE, c.id, a, b)
        return Ties.from_pairs(n, a, b, kind, np.zeros(len(a), np.float32), bond)

    def _family(self, place: Place, seed: int, luck: Luck) -> tuple[I32, I32, I8]:
        """Partners, people of one household, mothers and their partners, brothers and sisters."""
        c = place.citizens
        band = np.clip(np.searchsorted(FIRST_AGES, c.age // 12, side="right") - 1, 0, 7)
        draws = luck.uniforms("society.mother", c.id)
        women = np.flatnonzero(c.sex == 0)
        women = women[np.lexsort((women, c.age[women]))]
        has = draws[:, 0] < np.array(self.parent_near)[band]
        mother = _mothers(has, c.age, draws, c.age[women], women)
        siblings = np.flatnonzero(mother >= 0)
        siblings = siblings[np.lexsort((siblings, mother[siblings]))]
        homes = np.lexsort((c.id, c.household))
        return _family_ties(c.partner, c.household, mother, siblings, homes)

    def _brothers_and_sisters(self, place: Place, luck: Luck) -> tuple[I32, I32, int]:
        """Older people's brothers and sisters, whose mothers live no more."""
        c = place.citizens
        draws = luck.uniforms("society.siblings", c.id)
        rows = np.flatnonzero((c.age >= 45 * 12) & (draws[:, 0] < self.sibling_near))
        born = (c.age // (6 * 12)).astype(np.int32)
        rows = rows[np.lexsort((c.id[rows], draws[rows, 1], born[rows]))]
        return (*_cliques(rows, born, 3), int(Tie.KIN))

    def _circles(self, place: Place, luck: Luck) -> list[tuple[I32, I32, int]]:
        """Friends of like age from near by or of like deprivation, neighbours door to door, workmates."""
        c = place.citizens
        everyone = np.arange(len(c))
        found = []
        for turn, share in enumerate(self.friend_circles):
            draws = luck.uniforms(f"society.friends.{turn}", c.id)
            joins = draws[:, 0] < share * np.minimum(c.sociability, 1.3)
            like_age = c.age / 12.0 + self.age_mixing * _normals(draws[:, 1])
            near = c.neighbourhood // self.circle_reach if turn != 1 else c.deprivation.astype(np.int32)
            rows = everyone[joins][np.lexsort((c.id[joins], like_age[joins], near[joins]))]
            found.append((*_cliques(rows, near, self.circle_size), int(Tie.FRIEND)))
        draws = luck.uniforms("society.near", c.id)
        rows = everyone[draws[:, 0] < self.neighbourly]
        found.append((*_cliques(rows, c.neighbourhood, self.circle_size), int(Tie.NEIGHBOUR)))
        working = everyone[c.works]
        rows = working[np.lexsort((c.id[working], draws[working, 1]))]
        found.append((*_cliques(rows, np.zeros(len(c), np.int32), self.workmates), int(Tie.WORKMATE)))
        return found


@compiled
def _normals(u: F64) -> F64:
    out = np.empty(u.shape[0])
    for i in range(u.shape[0]):
        out[i] = normal(u[i])
    return out


@compiled
def _mothers(has: Any, age: Any, draws: Any, ages: Any, women: I64) -> I32:
    """A woman a generation older for everybody that has one -> row or -1 (n,)."""
    out = np.full(has.shape[0], -1, np.int32)
    if women.shape[0] == 0:
        return out
    for i in range(has.shape[0]):
        if not has[i]:
            continue
        target = age[i] + GENERATION + 60.0 * normal(draws[i, 1])
        low = np.searchsorted(ages, target - 12)
        high = np.searchsorted(ages, target + 12)
        if high > low:
            m = women[low + min(int(draws[i, 2] * (high - low)), high - low - 1)]
            if age[m] - age[i] >= 16 * 12:
                out[i] = m
    return out


@compiled
def _family_ties(partner: Any, household: Any, mother: I32, siblings: I64, homes: I64) -> tuple[I32, I32, I8]:
    """List partner and kin ties twice over the same walk: first to count them, then to write them."""
    size = 0
    a, b, kind = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int8)
    for turn in range(2):
        if turn == 1:
            a, b, kind = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int8)
        m = 0
        for i in range(partner.shape[0]):
            if partner[i] > i:
                if turn == 1:
                    a[m], b[m], kind[m] = i, partner[i], 0
                m += 1
            if mother[i] >= 0:
                if turn == 1:
                    a[m], b[m], kind[m] = i, mother[i], 1
                m += 1
                if partner[mother[i]] >= 0 and partner[mother[i]] != i:
                    if turn == 1:
                        a[m], b[m], kind[m] = i, partner[mother[i]], 1
                    m += 1
        for p in range(siblings.shape[0]):
            q = p + 1
            while q < siblings.shape[0] and q < p + 4 and mother[siblings[q]] == mother[siblings[p]]:
                if turn == 1:
                    a[m], b[m], kind[m] = siblings[p], siblings[q], 1
                m += 1
                q += 1
        for p in range(homes.shape[0]):
            q = p + 1
            while q < homes.shape[0] and q < p + 6 and household[homes[q]] == household[homes[p]]:
                if partner[homes[p]] != homes[q]:
                    if turn == 1:
                        a[m], b[m], kind[m] = homes[p], homes[q], 1
                    m += 1
                q += 1
        size = m
    return a, b, kind


@compiled
def _cliques(rows: I64, block: I32, size: int) -> tuple[I32, I32]:
    """Cut rows, in their order, into circles of `size` within a block, and tie everybody in a circle."""
    most = rows.shape[0] * max(size - 1, 0) // 2 + size
    a, b = np.empty(most, np.int32), np.empty(most, np.int32)
    m = 0
    first = 0
    while first < rows.shape[0]:
        last = first
        while last < rows.shape[0] and last < first + size and block[rows[last]] == block[rows[first]]:
            last += 1
        for p in range(first, last):
            for q in range(p + 1, last):
                a[m], b[m] = rows[p], rows[q]
                m += 1
        first = last
    return a[:m], b[:m]
