"""Who lives in a place: age, sex, deprivation, impairment, home, money, work, and the traits that differ unseen."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from carecommons.founding.profile import FIRST_AGES, Profile, life_table
from carecommons.kernels.arrays import F64, I8, I16, I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four, normal
from carecommons.params import LEVER, UNCERTAIN, A, C, D, Parameters, param
from carecommons.place.luck import BEFORE, Luck, decision
from carecommons.place.makeup import Makeup
from carecommons.place.place import Place
from carecommons.place.population import Citizens
from carecommons.units import WEEKS_A_MONTH

Bands = tuple[float, float, float, float, float, float, float, float]
Fifths = tuple[float, float, float, float, float]
ENGLAND_DISABLED = 0.173  # Census 2021, the profile's own figure is set against it


class People(Parameters):
    """How the people of a place are drawn from its profile."""

    neighbourhood_size: int = param(
        200, "adults in a neighbourhood", unit="adults", low=10, high=10_000, role=UNCERTAIN, grade=D,
        source="assumption: between a street block and a lower-layer area",
    )  # fmt: skip
    disabled_by_age: Bands = param(
        (0.11, 0.13, 0.14, 0.18, 0.24, 0.28, 0.39, 0.58),
        "long-standing impairment by age band (18-24, 25-34, ... 75-84, 85+) in England", unit="share of people",
        low=0, high=1, role=UNCERTAIN, grade=C,
        source="shape assumed; sums to the census share of 17.3% of residents (Census 2021 TS038)",
    )  # fmt: skip
    disabled_by_deprivation: Fifths = param(
        (1.28, 1.1, 1.0, 0.9, 0.8), "impairment by deprivation quintile (1 most deprived) against the average",
        unit="multiple", low=0, high=5, role=UNCERTAIN, grade=A,
        source="Census 2021 by IMD 2019: 22.8% in the most, 13.6% in the least deprived tenth",
    )  # fmt: skip
    outright_by_deprivation: Fifths = param(
        (0.6, 0.85, 1.05, 1.2, 1.35), "owning outright by deprivation quintile against the average", unit="multiple",
        low=0, high=5, role=UNCERTAIN, grade=A,
        source="Census 2021 TS054 by IMD 2019: 17.4% in the most, 46.4% in the least deprived tenth",
    )  # fmt: skip
    outright_by_age: Bands = param(
        (0.1, 0.1, 0.2, 0.6, 1.4, 2.1, 2.3, 2.3), "owning outright by age band against the average", unit="multiple",
        low=0, high=5, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    working_by_age: Bands = param(
        (0.6, 0.82, 0.83, 0.82, 0.65, 0.12, 0.03, 0.0), "in paid work by age band, of people without impairment",
        unit="share of people", low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    working_if_disabled: float = param(
        0.55, "paid work of people with an impairment against others", unit="multiple", low=0, high=1, role=UNCERTAIN,
        grade=D, source="assumption",
    )  # fmt: skip
    savings_median: tuple[float, float, float, float] = param(
        (22_000, 6_500, 1_200, 2_600), "middle savings at 70 by tenure (outright, mortgage, social, private)",
        unit="pounds", low=0, high=1_000_000, role=UNCERTAIN, grade=D,
        source="assumption: set so that about a quarter of community users pay for themselves (ONS 2021-22: 25.8%)",
    )  # fmt: skip
    savings_spread: float = param(
        1.4, "spread of log savings", unit="log points", low=0, high=4, role=UNCERTAIN, grade=D, source="assumption"
    )
    home_value: float = param(
        230_000, "middle value of an owned home", unit="pounds", low=0, high=5_000_000, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    income_median: float = param(
        255, "middle weekly income after housing costs at pension age", unit="pounds/week", low=0, high=10_000,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    income_if_working: float = param(
        1.5, "income of people in paid work against others", unit="multiple", low=0.5, high=5, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    home_value_spread: float = param(
        0.4, "spread of log home value", unit="log points", low=0, high=3, role=UNCERTAIN, grade=D, source="assumption"
    )
    income_spread: float = param(
        0.35, "spread of log income", unit="log points", low=0, high=3, role=UNCERTAIN, grade=D, source="assumption"
    )
    spare_hours: float = param(
        54.0, "time that somebody without paid work could give to others' care", unit="hours/week", low=0, high=168,
        role=UNCERTAIN, grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    spare_hours_working: float = param(
        18.5, "time that somebody in paid work could give to others' care", unit="hours/week", low=0, high=168,
        role=UNCERTAIN, grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    sociability_spread: float = param(
        0.45, "spread of log sociability", unit="log points", low=0, high=3, role=UNCERTAIN, grade=D,
        source="assumption: contacts a day vary with a dispersion of 3 (POLYMOD, UK)",
    )  # fmt: skip
    frailty_spread: float = param(
        0.6, "spread of log need within a level", unit="log points", low=0, high=3, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    stigma_share: float = param(
        0.25, "of people in an ethnic minority or with an impairment, those who meet stigma", unit="share of people",
        low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    receptiveness: float = param(
        0.0, "how neighbourhoods receive people who meet stigma: -1 shuts out, 1 welcomes", unit="scale", low=-1,
        high=1,
        role=LEVER, grade=D, source="assumption: either sign must be possible",
    )  # fmt: skip
    receptiveness_spread: float = param(
        0.3, "spread of receptiveness between neighbourhoods", unit="scale", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    prefers: tuple[float, float, float] = param(
        (0.45, 0.25, 0.30), "support preferred: traditional, alternative, mixed; sums to 1", unit="share of people",
        low=0, high=1, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip

    @model_validator(mode="after")
    def _preferences_make_a_whole(self) -> Self:
        if abs(sum(self.prefers) - 1.0) > 1e-9:
            raise PydanticCustomError(
                "sum", "prefers sums to {total}, must be 1", {"total": round(sum(self.prefers), 6)}
            )
        return self

    def makeup(self, profile: Profile) -> Makeup:
        """The tables that founders and newcomers are drawn from."""
        ages = np.arange(101)
        band = np.clip(np.searchsorted(FIRST_AGES, ages, side="right") - 1, 0, 7)
        scale = profile.disabled_share / ENGLAND_DISABLED
        middles = np.array([*(np.array(FIRST_AGES[:-1]) + np.array(FIRST_AGES[1:])), 2 * 90]) / 2
        impaired = np.interp(ages, middles, self.disabled_by_age)
        disabled = impaired[:, None] * np.array(self.disabled_by_deprivation) * scale
        t = profile.tenure
        shares = np.array([t.owned_outright, t.owned_mortgage, t.social_rented, t.private_rented])
        outright = shares[0] * np.array(self.outright_by_age)[band][:, None] * np.array(self.outright_by_deprivation)
        outright = np.clip(outright, 0.0, 0.95)
        rest = shares[1:] / max(shares[1:].sum(), 1e-9)
        poor = np.array([0.6, 0.8, 1.0, 1.2, 1.4])
        others = rest[None, :] * np.stack([poor, 1 / poor, np.ones(5)], axis=1)
        others /= np.maximum(others.sum(axis=1, keepdims=True), 1e-9)
        tenure = np.concatenate([outright[:, :, None], (1 - outright)[:, :, None] * others[None]], axis=2)
        e = profile.ethnicity
        working = np.array(self.working_by_age)[band]
        return Makeup(
            hazard=-np.log1p(-np.minimum(life_table(2019), 0.999999)) / 12.0,
            disabled=np.clip(disabled, 0.0, 1.0),
            tenure=np.cumsum(tenure, axis=2),
            ethnicity=np.cumsum([e.white, e.asian, e.black, e.mixed, e.other]),
            works=np.stack([working, working * self.working_if_disabled]),
            traits=np.array([
                *self.savings_median, self.savings_spread, self.home_value, self.income_median, self.income_spread,
                self.spare_hours * 60 * WEEKS_A_MONTH, self.spare_hours_working * 60 * WEEKS_A_MONTH,
                self.sociability_spread, self.frailty_spread, self.stigma_share,
                self.prefers[0], self.prefers[0] + self.prefers[1],
                self.income_if_working, self.home_value_spread,
            ]),
            levels=np.ones((2, 5, 2, 101, 4)),
        )  # fmt: skip

    def settle(self, profile: Profile, citizens: Citizens, neighbourhood: Any, deprivation: Any, seed: int) -> None:
        """Put adults in the published numbers by age and sex at random addresses; one row an address."""
        n = len(citizens)
        citizens.address[:] = np.arange(n)
        citizens.id[:] = np.arange(n)
        citizens.alive[:] = True
        citizens.neighbourhood[:] = neighbourhood
        citizens.deprivation[:] = deprivation[neighbourhood] if n else deprivation[:0]
        citizens.household[:] = np.arange(n)
        luck = Luck(seed)
        draws = luck.uniforms("people.age", citizens.id)
        bands = np.array([profile.adults_by_age.women, profile.adults_by_age.men], float).ravel()
        cell = np.repeat(np.arange(16), quotas(bands, n))[np.argsort(np.argsort(draws[:, 0], kind="stable"))]
        band = cell % 8
        first = np.array(FIRST_AGES)[band] * 12
        width = np.append(np.diff(FIRST_AGES), 15)[band] * 12
        share = np.where(band == 7, draws[:, 1] ** 1.8, draws[:, 1])
        citizens.age[:] = first + (share * width).astype(np.int16)
        citizens.sex[:] = cell // 8

    @staticmethod
    def draw_traits(place: Place, rows: I64, luck: Luck) -> None:
        """Give the people in `rows` what is drawn once in a life; needs age, sex, id and address to be set."""
        c, m = place.citizens, place.makeup
        _traits(
            rows, c.id, c.age, c.deprivation, m.disabled, m.tenure, m.ethnicity, m.works, m.traits,
            c.disabled, c.ethnicity, c.stigma, c.tenure, c.home_value, c.savings, c.income, c.works, c.prefers,
            c.sociability, c.desire, c.frailty, c.spare,
            luck.seed, decision("people.traits"), decision("people.money"), decision("people.unseen"), BEFORE,
        )  # fmt: skip


def quotas(weights: F64, n: int) -> I64:
    """Whole numbers in proportion to `weights` (k,) that sum to n, by largest remainder -> (k,)."""
    exact = weights / weights.sum() * n
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: n - whole.sum()]] += 1
    return whole


def neighbourhoods(profile: Profile, n: int, size: int) -> tuple[I64, I8]:
    """First address of each neighbourhood (k + 1,) and its deprivation quintile (k,), in the published shares."""
    k = max(1, round(n / size))
    first = np.linspace(0, n, k + 1).round().astype(np.int64)
    edges = np.cumsum(profile.deprivation)
    middle = (np.arange(k) + 0.5) / k * edges[-1]
    return first, (np.searchsorted(edges, middle) + 1).clip(1, 5).astype(np.int8)


@compiled
def _pick(edges: Any, u: Any) -> Any:
    """First class whose cumulative share is above u."""
    for k in range(edges.shape[0] - 1):
        if u < edges[k]:
            return k
    return edges.shape[0] - 1


@compiled
def _traits(
    rows: Any, ids: Any, age: I16, deprivation: Any, p_disabled: Any, p_tenure: Any, p_ethnicity: Any, p_works: Any,
    traits: Any, disabled: Any, ethnicity: Any, stigma: Any, tenure: Any, home_value: Any, savings: Any, income: Any,
    works: Any, prefers: Any, sociability: Any, desire: Any, frailty: Any, spare: Any,
    seed: Any, key: Any, key_money: Any, key_unseen: Any, before: Any,
) -> None:  # fmt: skip
    """Draw each person's lasting traits by inverse CDF from twelve uniforms of their own."""
    for i in rows:
        years = min(age[i] // 12, 100)
        q = deprivation[i] - 1
        u0, u1, u2, u3 = four(seed, key, before, ids[i])
        disabled[i] = u0 < p_disabled[years, q]
        ethnicity[i] = _pick(p_ethnicity, u1)
        stigma[i] = (disabled[i] or ethnicity[i] > 0) and u2 < traits[12]
        works[i] = u3 < p_works[1 if disabled[i] else 0, years]
        u0, u1, u2, u3 = four(seed, key_money, before, ids[i])
        tenure[i] = _pick(p_tenure[years, q], u0)
        grown = min(max((years - 18) / 52.0, 0.05), 1.0)
        savings[i] = int(100.0 * traits[tenure[i]] * grown * np.exp(traits[4] * normal(u1)))
        home_value[i] = int(100.0 * traits[5] * np.exp(traits[16] * normal(u2))) if tenure[i] <= 1 else 0
        earned = 100.0 * traits[6] * (traits[15] if works[i] else 1.0) * np.exp(traits[7] * normal(u3))
        income[i] = int(min(earned, 2e9))
        u0, u1, u2, u3 = four(seed, key_unseen, before, ids[i])
        sociability[i] = np.exp(traits[10] * normal(u0) - 0.5 * traits[10] ** 2)
        desire[i] = normal(u1)
        frailty[i] = np.exp(traits[11] * normal(u2) - 0.5 * traits[11] ** 2)
        prefers[i] = 0 if u3 < traits[13] else (1 if u3 < traits[14] else 2)
        spare[i] = int((traits[9] if works[i] else traits[8]) * (1.0 if years < 80 else 0.6))
