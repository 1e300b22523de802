"""What a person can be charged, and by which route care is paid for and held."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four
from carecommons.params import LEVER, UNCERTAIN, C, D, param
from carecommons.place.luck import BEFORE, Luck, decision
from carecommons.place.place import Place
from carecommons.processes.process import Process
from carecommons.rules.means_test import (
    MeansTest,
    care_home_charge,
    home_care_charge,
    home_is_disregarded,
    under_the_cap,
)
from carecommons.units import WEEKS_A_MONTH, pence

ANY_COST = 10**9
MOST = 2_000_000_000  # pence a month: more than any package costs


class Charging(MeansTest, Process):
    """The means test of each eligible person, and everybody's route: the routes partition the living.

    Capital above the upper limit means paying for oneself. Others hold their care by
    the council's management, a service fund, a direct payment or a mix, as they are inclined.
    Source: `carecommons.rules.means_test`; shares of routes ASCOF 1C (from memory) and assumptions.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "age", "level", "eligible", "setting", "savings", "home_value", "income", "partner", "moved_in",
        "care_paid",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("assessable", "route", "pays_all")

    direct_payment: tuple[float, float] = param(
        (0.36, 0.14), "council-funded people under 65, and of 65 and over, who take a direct payment",
        unit="share of people",
        low=0, high=1, role=LEVER, grade=C,
        source="26% of community users (ASCOF 1C(2A), from memory); set against published figures together with others",
    )  # fmt: skip
    service_fund: float = param(
        0.02, "council-funded people whose provider holds the money (individual service fund)", unit="share of people",
        low=0, high=1, role=LEVER, grade=D, source="assumption: TLAP, Beyond Direct Payments, 2018",
    )  # fmt: skip
    mixed: float = param(
        0.05, "council-funded people with a direct payment beside managed care", unit="share of people", low=0, high=1,
        role=LEVER, grade=D, source="assumption",
    )  # fmt: skip
    buys: tuple[float, float, float] = param(
        (0.004, 0.055, 0.19), "people above the upper limit with low, moderate, high need who buy care unasked",
        unit="share of people", low=0, high=1, role=UNCERTAIN, grade=C,
        source="set against 26% self-funders of community care (ONS 2021-22)",
    )  # fmt: skip

    def step(self, place: Place, luck: Luck) -> None:
        """Set everybody's route, and what the eligible can be charged."""
        c = place.citizens
        keeps = np.array([[self.guarantee(p, a) for a in (False, True)] for p in (False, True)])
        _charge(
            c.alive, c.id, c.age, c.level, c.eligible, c.setting, c.savings, c.home_value, c.income, c.partner,
            c.moved_in,
            c.care_paid, c.assessable, c.route, c.pays_all, keeps, pence(self.disability_expenditure),
            pence(self.personal_expenses),
            pence(self.lower_limit), pence(self.upper_limit), pence(self.tariff_step), pence(self.tariff),
            self.home_disregard_weeks, pence(self.lifetime_cap), pence(self.daily_living),
            np.array(self.direct_payment), self.service_fund,
            self.mixed, np.array([0.0, *self.buys]), WEEKS_A_MONTH,
            luck.seed, decision("charging"), luck.month, BEFORE,
        )  # fmt: skip


@compiled
def _charge(
    alive: Any, ids: Any, age: Any, level: Any, eligible: Any, setting: Any, savings: Any, home_value: Any, income: Any,
    partner: Any, moved_in: Any, care_paid: Any, assessable: Any, route: Any, pays_all: Any, keeps: Any,
    disregarded: Any, allowance: Any,
    lower: Any, upper: Any, step: Any, tariff: Any, weeks_home: Any, cap: Any, daily_living: Any, direct: Any,
    fund: Any, mixed: Any,
    buys: Any, weeks: Any, seed: Any, key: Any, month: Any, before: Any,
) -> None:  # fmt: skip
    """Routes 0 none, 1 ineligible, 2 managed, 3 service fund, 4 direct payment, 5 mixed, 6 self-funder."""
    for i in range(alive.shape[0]):
        route[i] = 0
        if (level[i] == 0 and not eligible[i]) or not alive[i]:
            continue
        wealthy = savings[i] > upper
        pays_all[i] = wealthy
        if not eligible[i]:
            u, v, _, _ = four(seed, key, before, ids[i])
            owns = setting[i] == 1 and savings[i] + home_value[i] > upper
            route[i] = 6 if (wealthy and v < buys[level[i]]) or owns else 1
            continue
        older = age[i] >= 792
        paired = partner[i] >= 0
        if setting[i] == 1:
            stayed = int((month - moved_in[i]) * weeks)
            spared = home_is_disregarded(stayed, paired, weeks_home)
            week = care_home_charge(
                savings[i], home_value[i], spared, np.int64(income[i]), allowance, ANY_COST, lower, upper, step, tariff
            )
        else:
            kept = keeps[1 if paired else 0, 1 if older else 0]
            week = home_care_charge(
                savings[i], np.int64(income[i]), disregarded, kept, ANY_COST, lower, upper, step, tariff
            )
        if week >= ANY_COST:
            route[i] = 6
            assessable[i] = MOST
            continue
        board = np.int64(daily_living * weeks) if setting[i] == 1 else np.int64(0)
        assessable[i] = under_the_cap(min(np.int64(week * weeks), MOST), care_paid[i], cap, board)
        u, _, _, _ = four(seed, key, before, ids[i])
        d = direct[1 if age[i] >= 780 else 0]
        if setting[i] == 1 or u >= d + fund + mixed:
            route[i] = 2
        else:
            route[i] = 4 if u < d else (3 if u < d + fund else 5)
