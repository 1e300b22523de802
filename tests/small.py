"""Small places: some written out by hand, one citizen a row, and one that is founded once and copied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from carecommons.founding.people import People
from carecommons.founding.profile import load
from carecommons.kernels.homes import count_homes
from carecommons.model import CareCommons
from carecommons.place.ledger import Ledger
from carecommons.place.luck import Luck
from carecommons.place.organisations import Accounts, Enterprises, Groups
from carecommons.place.place import Neighbourhoods, Place
from carecommons.place.population import Citizens
from carecommons.place.ties import Tie, Ties
from carecommons.processes.process import Process
from carecommons.scenario import Scenario

PARTS = ("ties", "groups", "enterprises", "council", "ledger")
LIVED = 8  # months after which everything that can happen has begun to

SCENARIO = Scenario(
    place="derby", citizens=1000, months=24,
    enterprises={"pitches": 20.0, "at_start": 12.0, "catalysts": 10.0}, groups={"per_1000": 10.0},
)  # fmt: skip


def spread(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """The scenario with `changes`; one number given for a parameter of several is given to each of them."""
    default = scenario.flat()
    told = {
        key: (value,) * len(default[key])
        if isinstance(default.get(key), tuple) and not isinstance(value, tuple)
        else value
        for key, value in changes.items()
    }
    return scenario.but(told)


# Everything happens often: people come and go, withdraw, ask, break down; organisations open and close; money is short.
STIRRED = spread(SCENARIO, {
    "turnover.mortality": 6.0, "turnover.departure": 0.2, "turnover.departure_young": 0.3,
    "pairing.find": 0.6, "need.worsen": (0.3, 0.4, 0.4), "need.recover": (0.9, 0.8, 0.6),
    "ties.withdraw": 0.1, "ties.come_back": 0.3, "ties.meet": 0.5, "ties.lose_touch": 3.0,
    "groups.join": 0.2, "groups.leave": 0.1, "groups.close": 0.6, "groups.reopen": 0.3, "groups.grace": 1,
    "informal_care.tiring": 0.5, "informal_care.breakdown": 0.9, "informal_care.crowding": 0.5,
    "asking.rate": (0.3, 0.5, 0.9), "asking.again": 0.5, "asking.crisis": (0.05, 0.1, 0.2),
    "assessment.discretion": 0.3, "assessment.stance": "asset_first", "assessment.known": (0.1, 0.5, 0.9),
    "assessment.care_home": 0.9, "assessment.most_at_home": 20.0, "charging.buys": (0.5, 0.7, 0.9),
    "charging.mixed": 0.2, "charging.direct_payment": 0.5, "enterprises.aided": 200.0,
    "enterprises.exit_rate": 0.6, "enterprises.referral": 0.9, "council.funding": 0.8, "council.assessment_cost": 500.0,
    "wellbeing.professional_weight": 0.5,
})  # fmt: skip
STRICT = spread(STIRRED, {
    "assessment.rule": "facs", "assessment.stance": "carer_blind", "informal_care.crowding": -0.6,
    "council.funding": 0.3, "council.legal_floor": False, "asking.door": 0.5, "charging.lifetime_cap": 5000.0,
})  # fmt: skip


@cache
def _founded(toml: str, seed: int) -> Place:
    return CareCommons.founded(_TEXTS[toml], seed)


_TEXTS: dict[str, Scenario] = {}


def founded(scenario: Scenario = SCENARIO, seed: int = 1) -> Place:
    """A place before its first month, one's own copy."""
    text = scenario.digest
    _TEXTS.setdefault(text, scenario)
    return _founded(text, seed).copy()


def run(
    scenario: Scenario = SCENARIO, place: Place | None = None, seed: int = 1, months: int | None = None
) -> CareCommons:
    """A model that has run `months` from `place`, or from its founding."""
    model = CareCommons(scenario, rng=seed, place=founded(scenario, seed) if place is None else place)
    return model.run(months)


def alone(process: Process, place: Place, seed: int = 1) -> Place:
    """What one process makes of a copy of `place` in the next month."""
    after = place.copy()
    after.month += 1
    after.ledger.open_month()
    process.step(after, Luck(seed, after.month))
    return after


def columns(place: Place) -> dict[str, np.ndarray]:
    """Every column of the citizens by name."""
    return {name: getattr(place.citizens, name) for name in Citizens.names()}


def differing(a: Place, b: Place, apart_from: tuple[str, ...] = ()) -> list[str]:
    """The columns and parts in which two places differ: exactly, for everybody."""
    found = [n for n, v in columns(a).items() if not np.array_equal(v, getattr(b.citizens, n))]
    found += [part for part in PARTS if part_of(a, part) != part_of(b, part)]
    return [name for name in found if name not in apart_from]


def part_of(place: Place, part: str) -> dict[str, bytes]:
    """A part of the place as bytes by name; of ties only the places in use."""
    if part == "ties":
        used = place.ties.used
        found = {"degree": place.ties.degree} | {name: getattr(place.ties, name)[used] for name in halves()}
    else:
        table = getattr(place, part)
        names = table.names() if hasattr(table, "names") else table.__dataclass_fields__
        found = {name: np.asarray(getattr(table, name)) for name in names}
    return {name: (value if value.ndim else value.astype(np.int64)).tobytes() for name, value in found.items()}


def halves() -> tuple[str, ...]:
    """The arrays that hold one entry a half-edge."""
    return tuple(name for name in Ties.__dataclass_fields__ if name not in ("start", "degree"))


def knit(people: int, pairs: list[tuple[int, int, Tie]], slack: int = 4, strength: float = 0.8) -> Ties:
    """Ties between numbered people, all of one strength and of high bonds, the first pair's the highest."""
    a, b, kind = (np.array([p[k] for p in pairs], t) for k, t in ((0, np.int32), (1, np.int32), (2, np.int8)))
    bond = (65_535 - np.arange(len(pairs)) % 30_000).astype(np.uint16)
    return Ties.from_pairs(people, a, b, kind, np.full(len(pairs), strength, np.float32), bond, slack)


def by_hand(people: int, pairs: list[tuple[int, int, Tie]] | None = None, hoods: int = 1, **values: Any) -> Place:
    """A place of `people` written out by hand: single women of 40 without need, but for what `values` says."""
    c = Citizens.vacant(people)
    c.address[:] = c.id[:] = c.household[:] = np.arange(people)
    c.alive[:] = True
    first = np.linspace(0, people, hoods + 1).round().astype(np.int32)
    c.neighbourhood[:] = np.repeat(np.arange(hoods), np.diff(first))
    c.deprivation[:] = 3
    c.age[:] = 40 * 12
    c.spare[:] = 6000
    c.sociability[:] = c.frailty[:] = 1.0
    for name, value in values.items():
        getattr(c, name)[:] = value
    count_homes(c.alive, c.household, c.home_size)
    return Place(
        name="by hand", month=0, citizens=c, ties=knit(people, pairs or []), groups=Groups.vacant(0),
        enterprises=Enterprises.vacant(0), council=Accounts(), ledger=Ledger(),
        neighbourhoods=Neighbourhoods(first, np.full(hoods, 3, np.int8), np.zeros(hoods, np.float32)),
        makeup=People().makeup(load("england")), row_of=np.arange(people, dtype=np.int32),
    )  # fmt: skip


class Month(NamedTuple):
    """A month as it was before and after, and the scenario by which it went."""

    scenario: Scenario
    before: Place
    after: Place

    @property
    def stayed(self) -> np.ndarray:
        """Who lived here before and after (n,)."""
        return self.before.citizens.alive & (self.before.citizens.id == self.after.citizens.id)


def months(scenario: Scenario, place: Place, count: int, seed: int = 1) -> Iterator[Month]:
    """Month after month, each with the place before and after."""
    model = CareCommons(scenario, rng=seed, place=place)
    for _ in range(count):
        before = model.place.copy()
        model.step()
        yield Month(scenario, before, model.place.copy())
