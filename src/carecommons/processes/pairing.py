"""Single people find a partner of like age and share a home."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from carecommons.founding.people import Bands
from carecommons.founding.profile import FIRST_AGES
from carecommons.kernels.arrays import I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.homes import count_homes
from carecommons.kernels.keyed import pair
from carecommons.kernels.rows import append, find
from carecommons.params import UNCERTAIN, D, param
from carecommons.place.ledger import Event
from carecommons.place.luck import BEFORE, BOND, Luck, decision
from carecommons.place.place import Place
from carecommons.place.population import Setting
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

    def step(self, place: Place, luck: Luck) -> None:
        """Pair the month's seekers."""
        c, t = place.citizens, place.ties
        single = np.flatnonzero(c.alive & (c.partner < 0) & (c.setting == Setting.HOME))
        band = np.clip(np.searchsorted(FIRST_AGES, c.age[single] // 12, side="right") - 1, 0, 7)
        looks = luck.uniforms("pairing", c.id[single])[:, 0] < np.array(self.find)[band] / 12
        seekers = single[looks]
        seekers = seekers[np.lexsort((c.id[seekers], c.age[seekers]))]
        women, men = seekers[c.sex[seekers] == 0], seekers[c.sex[seekers] == 1]
        few = min(len(women), len(men))
        if few == 0:
            return
        taken = np.zeros(3 * len(c), np.bool_)
        taken[c.household[c.alive & (c.household >= 0)]] = True
        place.ledger.events[Event.TIES_FORMED] += _pair_up(
            women[np.arange(few) * len(women) // few], men[np.arange(few) * len(men) // few], c.id, c.age, c.partner,
            c.household, c.home_size, c.address, taken, t.start, t.degree, t.neighbour, t.strength, t.kind, t.bond,
            t.minutes,
            luck.seed, decision(BOND), BEFORE,
        )  # fmt: skip
        count_homes(c.alive, c.household, c.home_size)


@compiled
def _pair_up(
    women: I64, men: I64, ids: Any, age: Any, partner: Any, household: Any, home_size: Any, address: Any, taken: Any,
    start: Any, degree: Any, neighbour: Any, strength: Any, kind: Any, bond: Any, minutes: Any,
    seed: Any, key: Any, before: Any,
) -> int:  # fmt: skip
    """Pair women and men (m,) one by one, kin with kin excepted; a tie they had becomes theirs as partners -> new
    ties.
    """
    n = ids.shape[0]
    formed = 0
    for p in range(women.shape[0]):
        a, b = women[p], men[p]
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
    return formed
