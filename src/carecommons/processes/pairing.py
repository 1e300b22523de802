"""Single people find a partner of like age and share a home."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from carecommons.founding.people import Bands
from carecommons.founding.profile import FIRST_AGES
from carecommons.kernels.arrays import F64, I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.homes import count_homes, names_in_use
from carecommons.kernels.keyed import one, pair
from carecommons.kernels.rows import append, find
from carecommons.params import UNCERTAIN, D, param
from carecommons.place.ledger import Event
from carecommons.place.luck import BEFORE, BOND, Luck, decision
from carecommons.place.place import Place
from carecommons.processes.process import Process

CLOSE_ENOUGH = 12 * 12  # months between the ages of two people who pair up


class Pairing(Process):
    """Those who look for a partner this month are paired in the order of their ages, and move in together.

    It keeps the share of couples by age about where it was founded, against deaths and newcomers who come alone;
    couples do not part here but by death and care homes. Source: assumption.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "age", "sex", "partner", "setting", "household", "home_size", "address", "ties",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("partner", "household", "home_size", "ties", "ledger")

    find: Bands = param(
        (0.10, 0.14, 0.08, 0.04, 0.02, 0.01, 0.003, 0.0),
        "single people who find a partner, by age band (18-24 ... 85+)",
        unit="share/year", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption: keeps the founded share of couples",
    )  # fmt: skip

    @cached_property
    def chances(self) -> F64:
        """Chance a month of looking for a partner, by year of age (201,)."""
        band = np.clip(np.searchsorted(FIRST_AGES, np.arange(201), side="right") - 1, 0, 7)
        return np.array(self.find)[band] / 12

    def step(self, place: Place, luck: Luck) -> None:
        """Pair the month's seekers."""
        c, t = place.citizens, place.ties
        seekers = _seekers(
            c.alive, c.id, c.age, c.partner, c.setting, self.chances, luck.seed, decision("pairing"), luck.month
        )
        if len(seekers) < 2:
            return
        place.ledger.events[Event.TIES_FORMED] += _pair_up(
            seekers[np.lexsort((c.id[seekers], c.age[seekers]))], c.sex, c.alive, c.id, c.age, c.partner, c.household,
            c.home_size, c.address, t.start, t.degree, t.neighbour, t.strength, t.kind, t.bond, t.minutes,
            luck.seed, decision(BOND), BEFORE,
        )  # fmt: skip


@compiled
def _seekers(
    alive: Any, ids: Any, age: Any, partner: Any, setting: Any, chances: Any, seed: Any, key: Any, month: Any
) -> I64:
    """Rows of single people, none in care homes, who look for a partner this month."""
    rows = np.empty(alive.shape[0], np.int64)
    m = 0
    for i in range(alive.shape[0]):
        if not alive[i] or partner[i] >= 0 or setting[i] == 1:
            continue
        if one(seed, key, month, ids[i]) < chances[min(age[i] // 12, 200)]:
            rows[m] = i
            m += 1
    return rows[:m]


@compiled
def _by_sex(rows: I64, sex: Any) -> tuple[I64, I64]:
    """Women and men among the rows, each in their order."""
    women, men = np.empty_like(rows), np.empty_like(rows)
    w, m = 0, 0
    for i in rows:
        if sex[i] == 0:
            women[w] = i
            w += 1
        else:
            men[m] = i
            m += 1
    return women[:w], men[:m]


@compiled
def _pair_up(
    seekers: I64, sex: Any, alive: Any, ids: Any, age: Any, partner: Any, household: Any, home_size: Any, address: Any,
    start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any, minutes: Any,
    seed: Any, key: Any, before: Any,
) -> int:  # fmt: skip
    """Pair women and men of `seekers` (m,) in turn, kin with kin excepted; a tie they had becomes theirs as partners
    -> new ties.
    """
    n = ids.shape[0]
    women, men = _by_sex(seekers, sex)
    few = min(women.shape[0], men.shape[0])
    if few == 0:
        return 0
    taken = names_in_use(alive, household)
    formed = 0
    for p in range(few):
        a, b = women[p * women.shape[0] // few], men[p * men.shape[0] // few]
        if abs(age[a] - age[b]) > CLOSE_ENOUGH:
            continue
        e = find(start, degree, neighbour, a, b)
        if e >= 0:
            if kind[e] == 1:
                continue
            kind[e] = 0
            kind[find(start, degree, neighbour, b, a)] = 0
        elif start[a] + degree[a] < start[a + 1] and start[b] + degree[b] < start[b + 1]:
            tie = np.uint16(pair(seed, key, before, ids[a], ids[b]) * 65536.0)
            append(start, degree, neighbour, strength, kind, bond, minutes, a, b, np.float32(0.9), 0, tie)
            append(start, degree, neighbour, strength, kind, bond, minutes, b, a, np.float32(0.9), 0, tie)
            formed += 1
        else:
            continue
        partner[a], partner[b] = b, a
        if home_size[a] == 1:
            household[b] = household[a]
        elif home_size[b] == 1:
            household[a] = household[b]
        else:
            home = address[a]
            while taken[2 * n + home]:  # by somebody whose partner once lived at that address
                home = (home + 1) % n
            taken[2 * n + home] = True
            household[a] = household[b] = 2 * n + home
    count_homes(alive, household, home_size)
    return formed
