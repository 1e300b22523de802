"""What people need help with, and how it grows and passes."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from carecommons.kernels.arrays import F64, I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four, one
from carecommons.kernels.markov import cohorts, neighbour_step
from carecommons.params import UNCERTAIN, B, C, D, param
from carecommons.place.luck import BEFORE, Luck, decision
from carecommons.place.place import Place
from carecommons.place.population import RELATIONSHIPS
from carecommons.processes.process import Process
from carecommons.units import WEEKS_A_MONTH, monthly

Tenths = tuple[float, float, float, float, float, float, float, float, float, float]
NEVER_REVIEWED = -999


class Need(Process):
    """Need for help rises and falls between four levels; each level leaves some Care Act outcomes out of reach.

    Worsening comes with age, impairment and deprivation, and may come with isolation and unmet need; recovery with
    youth. Which outcomes fail is a lasting trait: who is worse fails all that he failed before and more.
    Source: Health Survey for England 2014-2021 for who needs help; SI 2015/313 reg. 2 for the outcomes.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "arrived", "age", "sex", "disabled", "deprivation", "frailty", "level", "deficits", "need",
        "unmet",
        "isolated", "low_level",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = (
        "disabled", "level", "deficits", "need", "reviewed", "asked", "refusals", "assessed", "low_level",
    )  # fmt: skip

    worsen: tuple[float, float, float] = param(
        (0.0222, 0.067, 0.042), "yearly chance at 67 of going from no to low, low to moderate, moderate to high need",
        unit="probability/year", low=0, high=1, role=UNCERTAIN, grade=C,
        source="set so that needs by age meet Health Survey for England 2021; SimPaths S2a: onset 0.06-0.14 at 65+",
    )  # fmt: skip
    recover: tuple[float, float, float] = param(
        (0.21, 0.15, 0.042), "yearly chance at 67 of going from low to none, moderate to low, high to moderate need",
        unit="probability/year", low=0, high=1, role=UNCERTAIN, grade=C,
        source="SimPaths S2a: need ends within a year for 0.11-0.22 in good, 0.03-0.07 in poor health; set against "
        "published figures together with others",
    )  # fmt: skip
    worsen_by_age: float = param(
        0.87, "growth of worsening with each ten years after 67", unit="log points/decade", low=0, high=2,
        role=UNCERTAIN, grade=C, source="set so that need rises from 21% at 65-69 to 52% at 80+ (HSE 2021)",
    )  # fmt: skip
    worsen_by_age_young: float = param(
        0.22, "growth of worsening with each ten years before 67", unit="log points/decade", low=0, high=2,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    shock: float = param(
        0.003, "yearly chance at 67 of a stroke, a fall or the like that brings high need at once",
        unit="probability/year",
        low=0, high=1, role=UNCERTAIN, grade=D, source="assumption; 0 is none",
    )  # fmt: skip
    recover_by_age: float = param(
        0.15, "fall of recovery with each ten years of age", unit="log points/decade", low=0, high=2, role=UNCERTAIN,
        grade=C, source="Life Opportunities Survey: working age almost twice as likely to offset as 65+",
    )  # fmt: skip
    worsen_if_disabled: float = param(
        3.5, "worsening of people with a long-standing impairment against others", unit="multiple", low=0, high=20,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    recover_if_disabled: float = param(
        0.6, "recovery of people with a long-standing impairment against others", unit="multiple", low=0, high=5,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    worsen_by_deprivation: tuple[float, float, float, float, float] = param(
        (1.45, 1.2, 1.0, 0.85, 0.7), "worsening by deprivation quintile (1 most deprived)", unit="multiple", low=0,
        high=5, role=UNCERTAIN, grade=D,
        source="assumption: unmet ADL need is twice as common in the most deprived fifth",
    )  # fmt: skip
    lifelong: tuple[float, float, float] = param(
        (0.075, 0.05, 0.03), "people with an impairment who have low, moderate, high need at 18",
        unit="share of people",
        low=0, high=0.33, role=UNCERTAIN, grade=D,
        source="assumption: set against spend on care of 18-64 (ASC-FR 2023-24)",
    )  # fmt: skip
    onset: float = param(
        1.0, "long-standing impairment that comes with the years, against what keeps its share by age", unit="multiple",
        low=0,
        high=1, role=UNCERTAIN, grade=D, source="assumption: each age keeps its share; 0 is none",
    )  # fmt: skip
    isolation_effect: float = param(
        1.15, "worsening of isolated people against others", unit="multiple", low=0.5, high=3.3, role=UNCERTAIN,
        grade=B,
        source="Hanratty et al. 2018: 2.13 (1.43-3.17) for care-home entry; held low, 1 is none",
    )  # fmt: skip
    unmet_effect: float = param(
        1.1, "worsening of people most of whose need is unmet against others", unit="multiple", low=0.5, high=3,
        role=UNCERTAIN, grade=D, source="assumption; 1 is none",
    )  # fmt: skip
    equipment: float = param(
        0.9, "worsening of people with equipment or other low-level support against others", unit="multiple", low=0.5,
        high=1.5, role=UNCERTAIN, grade=D, source="assumption: prevention's effect is contested; 1 is none",
    )  # fmt: skip
    deficits_low: Tenths = param(
        (0.16, 0.15, 0.04, 0.14, 0.09, 0.3, 0.0, 0.1, 0.16, 0.02),
        "chance that each Care Act outcome fails at low need",
        unit="probability", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption: set against ADL and IADL shares, HSE 2021",
    )  # fmt: skip
    deficits_moderate: Tenths = param(
        (0.45, 0.5, 0.2, 0.48, 0.4, 0.65, 0.0, 0.25, 0.45, 0.04),
        "chance that each Care Act outcome fails at moderate need; nowhere under low need", unit="probability", low=0,
        high=1, role=UNCERTAIN, grade=D, source="assumption: set against ADL and IADL shares, HSE 2021",
    )  # fmt: skip
    deficits_high: Tenths = param(
        (0.8, 0.88, 0.62, 0.88, 0.78, 0.92, 0.0, 0.5, 0.78, 0.1),
        "chance that each Care Act outcome fails at high need; nowhere under moderate need", unit="probability", low=0,
        high=1, role=UNCERTAIN, grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    hours: tuple[float, float, float] = param(
        (8.0, 42.0, 140.0), "care needed at low, moderate and high need by somebody typical", unit="hours/week", low=0,
        high=168, role=UNCERTAIN, grade=D,
        source="assumption: set against hours of unpaid care (Census 2021 TS039) and of home care packages (ADASS "
        "2025)",
    )  # fmt: skip

    @model_validator(mode="after")
    def _worse_fails_more(self) -> Self:
        for low, high in ((self.deficits_low, self.deficits_moderate), (self.deficits_moderate, self.deficits_high)):
            if any(b < a for a, b in zip(low, high, strict=True)):
                raise PydanticCustomError(
                    "order", "deficits fall from one level of need to a higher one; they must not"
                )
        return self

    @cached_property
    def up(self) -> F64:
        """Monthly chance of worsening by impairment, deprivation, age and level (2, 5, 101, 4)."""
        ages = np.arange(101) - 67
        by_age = np.exp(np.where(ages > 0, self.worsen_by_age, self.worsen_by_age_young) * ages / 10)
        base = np.array([*(monthly(p) for p in self.worsen), 0.0])
        impairment = np.array([1.0, self.worsen_if_disabled])
        deprivation = np.array(self.worsen_by_deprivation)
        rate = impairment[:, None, None, None] * deprivation[:, None, None] * by_age[:, None] * base
        return np.minimum(rate, 0.5)

    @cached_property
    def shocks(self) -> F64:
        """Monthly chance of a shock by age (101,)."""
        ages = np.arange(101) - 67
        by_age = np.exp(np.where(ages > 0, self.worsen_by_age, self.worsen_by_age_young) * ages / 10)
        return np.minimum(monthly(self.shock) * by_age, 1.0)

    @cached_property
    def down(self) -> F64:
        """Monthly chance of recovering by impairment, age and level (2, 101, 4)."""
        by_age = np.exp(-self.recover_by_age * (np.arange(101) - 67) / 10)
        base = np.array([0.0, *(monthly(p) for p in self.recover)])
        return np.minimum(np.array([1.0, self.recover_if_disabled])[:, None, None] * by_age[:, None] * base, 0.5)

    @cached_property
    def chances(self) -> F64:
        """Chance that an outcome fails by level (4, 10)."""
        return np.array([(0.0,) * 10, self.deficits_low, self.deficits_moderate, self.deficits_high])

    @cached_property
    def minutes(self) -> F64:
        """Minutes a month by level (4,)."""
        return np.array([0.0, *self.hours]) * 60 * WEEKS_A_MONTH

    def settle(self, place: Place, luck: Luck, mortality_by_need: tuple[float, ...]) -> None:
        """Give founders the levels that a cohort of their age has reached by the same rules."""
        c = place.citizens
        spread = np.zeros((2, 5, 2, 101, 4))
        for q in range(5):
            share = place.makeup.disabled[17:, q]
            cross = np.maximum(np.diff(share) * self.onset / np.maximum(1 - share[:-1], 1e-12), 0)
            at_18 = np.array([[1 - share[1], 0, 0, 0], share[1] * np.array([1 - sum(self.lifelong), *self.lifelong])])
            for sex in range(2):
                leave = -np.expm1(-place.makeup.hazard[sex, 18:, None] * np.array(mortality_by_need))
                spread[:, q, sex, 18:] = cohorts(
                    self.up[:, q, 18:], self.down[:, 18:], self.shocks[18:], leave, cross, at_18, 12
                )
        place.makeup = replace(place.makeup, levels=np.cumsum(spread, axis=-1))
        self._give_level(place, np.flatnonzero(c.alive), luck)

    def _give_level(self, place: Place, rows: I64, luck: Luck) -> None:
        """Draw the level of people who are new here from what people like them have reached."""
        c = place.citizens
        _draw(
            rows, c.id, c.age, c.sex, c.disabled, c.deprivation, c.frailty, c.level, c.deficits, c.need,
            place.makeup.levels,
            self.chances, self.minutes, luck.seed, decision("need.founding"), decision("need.outcomes"), BEFORE,
        )  # fmt: skip

    def step(self, place: Place, luck: Luck) -> None:
        """Move levels, by one but after a shock, and describe anew whose level moved."""
        c = place.citizens
        fresh = np.flatnonzero(c.alive & (c.arrived == luck.month))
        if len(fresh):
            self._give_level(place, fresh, luck)
        _move(
            c.alive, c.id, c.age, c.disabled, c.deprivation, c.isolated, c.unmet, c.frailty,
            c.level, c.deficits, c.need, c.reviewed, c.asked, c.refusals, c.assessed,
            self.up, self.down, self.shocks, place.makeup.disabled, self.onset, c.low_level, self.equipment,
            self.isolation_effect,
            self.unmet_effect, self.chances, self.minutes,
            luck.seed, decision("need"), decision("need.outcomes"), luck.month, BEFORE,
        )  # fmt: skip


@compiled
def describe(i: Any, level: Any, ids: Any, frailty: Any, deficits: Any, need: Any, chances: Any, minutes: Any,
             seed: Any, key: Any, before: Any) -> None:  # fmt: skip
    """Set one person's failed outcomes and minutes of need from his level and his lasting draws.

    What comes nearest to failing at low need fails at every level, so that nobody in need fails nothing.
    """
    kept = deficits[i] & np.uint16(1 << RELATIONSHIPS)
    bits = np.uint16(0)
    if level[i] > 0:
        nearest, gap = 0, -2.0
        for third in range(3):
            draws = four(seed, key + third, before, ids[i])
            for d in range(4):
                k = third * 4 + d
                if k < 10:
                    if draws[d] < chances[level[i], k]:
                        bits |= np.uint16(1 << k)
                    short = chances[1, k] - draws[d]
                    if short > gap and k != RELATIONSHIPS:
                        nearest, gap = k, short
        bits |= np.uint16(1 << nearest)
    deficits[i] = bits | kept
    need[i] = min(int(minutes[level[i]] * frailty[i] + 0.5), 43_829)


@compiled
def _draw(
    rows: Any, ids: Any, age: Any, sex: Any, disabled: Any, deprivation: Any, frailty: Any, level: Any, deficits: Any,
    need: Any, levels: Any, chances: Any, minutes: Any, seed: Any, key: Any, key_outcomes: Any, before: Any,
) -> None:  # fmt: skip
    for i in rows:
        reached = levels[1 if disabled[i] else 0, deprivation[i] - 1, sex[i], min(age[i] // 12, 100)]
        u = one(seed, key, before, ids[i])
        level[i] = 0
        while level[i] < 3 and u >= reached[level[i]]:
            level[i] += 1
        describe(i, level, ids, frailty, deficits, need, chances, minutes, seed, key_outcomes, before)


@compiled
def _move(
    alive: Any, ids: Any, age: Any, disabled: Any, deprivation: Any, isolated: Any, unmet: Any, frailty: Any,
    level: Any, deficits: Any, need: Any, reviewed: Any, asked: Any, refusals: Any, assessed: Any,
    up: Any, down: Any, shocks: Any, p_disabled: Any, onset: Any, low_level: Any, equipment: Any,
    if_isolated: Any, if_unmet: Any, chances: Any, minutes: Any,
    seed: Any, key: Any, key_outcomes: Any, month: Any, before: Any,
) -> None:  # fmt: skip
    """One month of everybody's level of need (n,)."""
    for i in range(alive.shape[0]):
        if not alive[i]:
            continue
        years = min(age[i] // 12, 100)
        d = 1 if disabled[i] else 0
        now = level[i]
        worse = up[d, deprivation[i] - 1, years, now]
        if isolated[i]:
            worse *= if_isolated
        if unmet[i] * 2 > need[i]:
            worse *= if_unmet
        if low_level[i]:
            worse *= equipment
        u, v, w, _ = four(seed, key, month, ids[i])
        if age[i] % 12 == 0 and not disabled[i] and years > 0:
            before_birthday = p_disabled[years - 1, deprivation[i] - 1]
            more = onset * (p_disabled[years, deprivation[i] - 1] - before_birthday)
            disabled[i] = v * (1.0 - before_birthday) < more
        after = neighbour_step(now, down[d, years, now], min(worse, 0.5), u)
        if w < shocks[years]:
            after = 3
        if after != now:
            level[i] = after
            describe(i, level, ids, frailty, deficits, need, chances, minutes, seed, key_outcomes, before)
            reviewed[i] = NEVER_REVIEWED
            if after == 0:
                asked[i], refusals[i], assessed[i], low_level[i] = False, 0, False, False
