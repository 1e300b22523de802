"""Partners, family, friends and neighbours care for those in need; it tires them, and some stop."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.arrays import F64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import one
from carecommons.params import LEVER, UNCERTAIN, B, C, D, param
from carecommons.place.ledger import Giver
from carecommons.place.luck import Luck, decision
from carecommons.place.place import Place
from carecommons.processes.process import Process
from carecommons.units import WEEKS_A_MONTH, monthly, pence


class InformalCare(Process):
    """People in need ask their partner first, then family, then friends and neighbours, the closest first; who is
    willing gives what he can.

    Everybody asks at once; a carer who is asked for more than he has gives in proportion. Hours build up strain, strain
    brings breakdown, rest brings recovery. Paid care may take the place of unpaid care or relieve it (`crowding`).
    Source: Health Survey for England 2016 for who helps, Census 2021 for hours; the kernel's numbers are assumptions.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "level", "need", "setting", "household", "spare", "community",
        "from_council", "from_own", "informal", "strain", "resting", "ties",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("informal", "given", "strain", "resting", "ties", "ledger")

    willing: tuple[float, float, float] = param(
        (0.9, 0.29, 0.016), "people who would care for a partner, a relative, and for a friend, neighbour or peer",
        unit="share of ties", low=0, high=1, role=UNCERTAIN, grade=C,
        source="set against 8.8% carers (Census 2021) and 11-13% of 65+ who get ADL help (HSE 2014)",
    )  # fmt: skip
    recognised: tuple[float, float, float] = param(
        (0.22, 0.6, 0.95), "low, moderate and high need that people close by see and answer", unit="share", low=0,
        high=1, role=UNCERTAIN, grade=D,
        source="assumption: 31-54% with ADL difficulty get no help (Age UK, HSE 2014); set against published figures "
        "together with others",
    )  # fmt: skip
    live_in: float = param(
        5.5, "time for somebody in the same home against somebody elsewhere", unit="multiple", low=0, high=10,
        role=UNCERTAIN, grade=D,
        source="assumption: 30% of carers give 50 hours or more (Census 2021); set against published figures together "
        "with others",
    )  # fmt: skip
    at_most: float = param(
        0.95, "share of the need that unpaid care takes on", unit="share of need", low=0, high=1, role=UNCERTAIN,
        grade=D,
        source="assumption: set against published figures together with others",
    )  # fmt: skip
    crowding: float = param(
        -0.25,
        "paid care's effect: below 0 the share of it that replaces unpaid care, above 0 the share of strain relieved",
        unit="share", low=-1, high=1, role=UNCERTAIN, grade=B,
        source="SimPaths S3b: partners enter caring 0.13 against 0.25 a year when care is paid; sign contested",
    )  # fmt: skip
    tiring: float = param(
        0.05, "strain that 20 hours a week add in a month", unit="share/month", low=0, high=1, role=UNCERTAIN, grade=C,
        source="set against 81% of 20h+ carers with a health impact (HSE 2022)",
    )  # fmt: skip
    recovery: float = param(
        0.05, "strain that passes in a month", unit="share/month", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    breakdown: float = param(
        0.15, "fully strained carers who stop", unit="probability/year", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    rest: float = param(
        6.0, "months that a carer who stopped needs on average", unit="months", low=1, high=120, role=UNCERTAIN,
        grade=D,
        source="assumption",
    )  # fmt: skip
    worth: float = param(
        25.0, "what an hour of unpaid time is worth in the full cost of care; 0 leaves it out", unit="pounds/hour",
        low=0,
        high=200, role=LEVER, grade=C,
        source="replacement cost 25, 18 in 2011 (Petrillo and Bennett 2023, Valuing Carers)",
    )  # fmt: skip
    breaks: float = param(
        0.0, "break for carers of 20 hours a week and more, taken off their strain", unit="hours/week", low=0, high=40,
        role=LEVER, grade=D, source="assumption: relief in proportion to the hours of the break",
    )  # fmt: skip

    @cached_property
    def gives(self) -> F64:
        """The bond of a tie from which people care, by closeness and level (3, 4)."""
        chances = np.array(self.willing)[:, None] * np.array([0.0, *self.recognised])
        return np.minimum(65536 * (1 - chances), 65535.9)

    def step(self, place: Place, luck: Luck) -> None:
        """Ask, settle, tire and recover."""
        c, t = place.citizens, place.ties
        place.ledger.unpaid_price = pence(self.worth)
        asked = np.zeros((len(c), 2), np.int64)
        relieved = np.zeros(len(c), np.int64)
        args = (c.alive, c.level, c.setting, c.household, c.spare, c.resting)
        rows = (t.start, t.degree, t.neighbour, t.kind, t.minutes)
        _ask(
            *args, c.id, c.need, c.community, c.from_council, c.from_own, c.informal, *rows, asked,
            t.bond, self.gives, self.live_in, self.at_most, max(-self.crowding, 0.0),
        )  # fmt: skip
        c.given[:] = 0
        place.ledger.minutes[Giver.UNPAID] += _give(
            *args, c.from_council, c.from_own, *rows, asked, c.informal, c.given, relieved,
            self.live_in, max(self.crowding, 0.0),
        )  # fmt: skip
        twenty = 20 * 60 * WEEKS_A_MONTH
        _tire(
            c.alive, c.id, c.given, relieved, c.strain, c.resting, twenty, self.tiring, self.recovery,
            monthly(self.breakdown), 1.0 / self.rest, self.breaks * 60 * WEEKS_A_MONTH,
            luck.seed, decision("informal_care.strain"), luck.month, place.ledger.events,
        )  # fmt: skip


@compiled
def _capacity(
    j: Any, alive: Any, level: Any, setting: Any, spare: Any, resting: Any, together: Any, live_in: Any
) -> Any:
    """Minutes a month that j can give: less with own need, none in a care home or at rest."""
    if not alive[j] or resting[j] or setting[j] == 1 or level[j] >= 3:
        return 0
    minutes = spare[j] * live_in if together else np.float64(spare[j])
    return min(int(minutes * (1.0, 0.7, 0.3)[level[j]]), 43829)


@compiled
def _ask(
    alive: Any, level: Any, setting: Any, household: Any, spare: Any, resting: Any, ids: Any,
    need: Any, community: Any, from_council: Any, from_own: Any, informal: Any,
    start: Any, degree: Any, neighbour: Any, kind: Any, minutes: Any, asked: Any,
    bond: Any, gives: Any, live_in: Any, at_most: Any, replaced: Any,
) -> None:  # fmt: skip
    """Write what each person in need asks of each neighbour, the closest first, into `minutes`.

    The sums go into `asked` (n, 2): by people of the same home, and by others.
    """
    most = 0
    for i in range(alive.shape[0]):
        most = max(most, degree[i])
    turn = np.empty(most, np.int64)
    for i in range(alive.shape[0]):
        in_need = level[i] > 0 and setting[i] == 0
        if in_need or informal[i] > 0:
            for e in range(start[i], start[i] + degree[i]):
                minutes[e] = 0
            informal[i] = 0
        if not in_need:
            continue
        paid = int((from_council[i] + from_own[i]) * replaced)
        wanted = int(need[i] * at_most) - community[i] - paid
        for t in range(_line_up(start[i], start[i] + degree[i], level[i], ids, neighbour, kind, bond, gives, turn)):
            if wanted <= 0:
                break
            e = turn[t]
            j = neighbour[e]
            together = household[i] == household[j]
            ask = min(wanted, _capacity(j, alive, level, setting, spare, resting, together, live_in))
            minutes[e] = ask
            asked[j, 0 if together else 1] += ask
            wanted -= ask


@compiled
def _line_up(
    first: Any, last: Any, level: Any, ids: Any, neighbour: Any, kind: Any, bond: Any, gives: Any, turn: Any
) -> int:
    """Write those of the ties `first` to `last` who would care for somebody of that level to `turn`, in the order in
    which they are asked -> how many.
    """
    count = 0
    for e in range(first, last):
        if kind[e] == 6 or bond[e] < gives[min(kind[e], 2), level]:
            continue
        at = count
        while at > 0 and comes_before(e, turn[at - 1], ids, neighbour, kind, bond):
            turn[at] = turn[at - 1]
            at -= 1
        turn[at] = e
        count += 1
    return count


@compiled
def comes_before(e: Any, f: Any, ids: Any, neighbour: Any, kind: Any, bond: Any) -> Any:
    """Whether tie e is asked before tie f: partner, kin, others; then who is closer; then who has the lower id."""
    if min(kind[e], 2) != min(kind[f], 2):
        return kind[e] < kind[f]
    return bond[e] > bond[f] or (bond[e] == bond[f] and ids[neighbour[e]] < ids[neighbour[f]])


@compiled
def _give(
    alive: Any, level: Any, setting: Any, household: Any, spare: Any, resting: Any,
    from_council: Any, from_own: Any, start: Any, degree: Any, neighbour: Any, kind: Any, minutes: Any,
    asked: Any, informal: Any, given: Any, relieved: Any, live_in: Any, relief: Any,
) -> int:  # fmt: skip
    """Who is asked for more than he has gives in proportion; writes `informal` and `given` (n,) -> minutes given."""
    total: Any = 0
    for i in range(alive.shape[0]):
        if level[i] == 0 or setting[i] == 1:
            continue
        got: Any = 0
        paid = from_council[i] + from_own[i]
        for e in range(start[i], start[i] + degree[i]):
            if minutes[e] == 0:
                continue
            j = neighbour[e]
            m = np.int64(minutes[e])
            able = _capacity(j, alive, level, setting, spare, resting, False, live_in)
            if asked[j, 0] > 0:
                able = max(able, _capacity(j, alive, level, setting, spare, resting, True, live_in))
            total_asked = asked[j, 0] + asked[j, 1]
            if total_asked > able:
                m = m * able // total_asked
                minutes[e] = m
            got += m
            given[j] += m
            if relief > 0.0 and m > 0:
                relieved[j] += int(relief * m * paid / (paid + m))
        informal[i] = got
        total += got
    return total


@compiled
def _tire(
    alive: Any, ids: Any, given: Any, relieved: Any, strain: Any, resting: Any, twenty: Any, tiring: Any, recovery: Any,
    breakdown: Any, back: Any, breaks: Any, seed: Any, key: Any, month: Any, events: Any,
) -> None:  # fmt: skip
    """Strain follows hours; strained carers may stop, and those who stopped come back."""
    for i in range(alive.shape[0]):
        if not alive[i] or (given[i] == 0 and strain[i] < 0.001 and not resting[i]):
            continue
        felt = max(np.float64(given[i] - relieved[i]), 0.0)
        if given[i] >= twenty:
            felt = max(felt - breaks, 0.0)
        s = strain[i]
        s += np.float32(tiring * min(felt / twenty, 3.0)) * (np.float32(1.0) - s) - np.float32(recovery) * s
        strain[i] = min(max(s, np.float32(0.0)), np.float32(1.0))
        u = one(seed, key, month, ids[i])
        if resting[i]:
            if u < back:
                resting[i] = False
                events[7] += 1
        elif given[i] > 0 and u < breakdown * strain[i]:
            resting[i] = True
            events[6] += 1
