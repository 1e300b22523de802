"""How people are at the end of the month: unmet need, isolation, loneliness, quality of life, satisfaction."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.arrays import F64
from carecommons.kernels.compiled import compiled
from carecommons.params import UNCERTAIN, B, C, D, param
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.processes.process import Process
from carecommons.units import WEEKS_A_MONTH


class Wellbeing(Process):
    """Isolation is counted from ties; contact and loneliness are felt against what a person wishes; the two may disagree.

    Visits by paid workers count towards the network by `professional_weight`, which may be 0. Quality of life has eight
    domains of 0 to 3, as in SCT4, from met need, contact, choice and home; paid and unpaid care may do more together.
    Source: LSNS-6 (Lubben et al. 2006), UCLA-3 (ONS guidance), ASCOT SCT4 domains; weights are assumptions.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "age", "disabled", "level", "deficits", "need", "network", "withdrawn", "desire", "partner", "informal",
        "community", "from_council", "from_own", "given", "strain", "route", "setting", "asked", "waiting_since", "assessed",
        "eligible", "funded", "stigma", "prefers", "enterprise",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = (
        "unmet", "spare_care", "isolated", "contact", "ucla", "lonely", "relational", "deficits", "scrqol", "satisfied",
        "status",
    )  # fmt: skip

    cut_off: int = param(
        12, "network score under which a person counts as isolated", unit="points", low=0, high=31, role=UNCERTAIN, grade=B,
        source="LSNS-6 cut-off 12 (Lubben et al. 2006)",
    )  # fmt: skip
    professional_weight: float = param(
        0.0, "weight of paid visits in the network score: 0 not at all, 1 like friends", unit="share", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption: QUESTIONS claims that services cannot meet isolation; to be varied",
    )  # fmt: skip
    contact_cuts: tuple[float, float, float] = param(
        (-0.75, -2.1, -2.9), "felt contact above which people say enough, adequate, some but not enough", unit="z", low=-10,
        high=10, role=UNCERTAIN, grade=C, source="set against 44/34/16/6% of long-term users (ASCS 2013-14)",
    )  # fmt: skip
    contact_desire: float = param(
        1.3, "weight of a person's wish for contact in felt contact", unit="z/z", low=0, high=5, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    contact_burden: float = param(
        2.5, "felt contact lost by full carer strain", unit="z", low=0, high=5, role=UNCERTAIN, grade=C,
        source="set against 32.5% of carers with enough contact (SACE 2018-19)",
    )  # fmt: skip
    lonely_over: float = param(
        1.76, "felt loneliness above which people are lonely often or always", unit="z", low=-10, high=10, role=UNCERTAIN,
        grade=C, source="set against 7.1% of adults (Community Life Survey 2023/24)",
    )  # fmt: skip
    lonely_by_need: tuple[float, float, float, float] = param(
        (0.0, 0.23, 0.67, 0.86), "loneliness that comes with no, low, moderate, high need", unit="z", low=0, high=5,
        role=UNCERTAIN, grade=C, source="set against 14% of disabled, 3% of other adults (Community Life Survey 2024/25)",
    )  # fmt: skip
    lonely_if_disabled: float = param(
        0.31, "loneliness that comes with a long-standing impairment", unit="z", low=0, high=5, role=UNCERTAIN, grade=C,
        source="set against 14% of disabled, 3% of other adults (Community Life Survey 2024/25)",
    )  # fmt: skip
    lonely_if_young: float = param(
        0.35, "loneliness that comes with being under 25", unit="z", low=0, high=5, role=UNCERTAIN, grade=C,
        source="set against 9% at 16-24 (Community Life Survey 2024/25)",
    )  # fmt: skip
    lonely_if_old: float = param(
        -0.45, "loneliness that goes with being 65 and over", unit="z", low=-5, high=5, role=UNCERTAIN, grade=C,
        source="set against 4% at 65-74 and 5% at 75+ (Community Life Survey 2024/25)",
    )  # fmt: skip
    lonely_by_ties: float = param(
        0.45, "loneliness for each 6 points of network score less", unit="z", low=0, high=5, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    lonely_without_partner: float = param(
        0.3, "loneliness that comes with having no partner", unit="z", low=0, high=5, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    together: float = param(
        0.0, "quality of life that paid and unpaid care add together beyond each alone", unit="points", low=-6, high=6,
        role=UNCERTAIN, grade=D, source="assumption: 'may need both' (requirement R59); either sign",
    )  # fmt: skip
    satisfied_over: float = param(
        0.62, "share of the need that must be met for somebody with an average outlook to be very satisfied",
        unit="share of need", low=0, high=2, role=UNCERTAIN, grade=C, source="set against 64% of users (ASCS 2021-22)",
    )  # fmt: skip
    against_preference: float = param(
        0.15, "satisfaction lost by support of a kind that was not wanted", unit="share of need", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption; 0 is none",
    )  # fmt: skip

    @cached_property
    def weights(self) -> F64:
        """The scalars of the loop in its order."""
        return np.array([
            self.professional_weight, *self.contact_cuts, self.contact_desire, self.contact_burden, self.lonely_over,
            self.lonely_if_disabled, self.lonely_if_young, self.lonely_if_old, self.lonely_by_ties,
            self.lonely_without_partner, self.together, self.satisfied_over, self.against_preference, *self.lonely_by_need,
        ])  # fmt: skip

    def step(self, place: Place, luck: Luck) -> None:
        """Take stock of everybody."""
        c = place.citizens
        _take_stock(
            c.alive, c.age, c.disabled, c.level, c.deficits, c.need, c.network, c.withdrawn, c.desire, c.partner, c.informal,
            c.community, c.from_council, c.from_own, c.given, c.strain, c.route, c.setting, c.asked, c.waiting_since,
            c.assessed, c.eligible, c.funded, c.stigma, c.prefers, c.enterprise,
            c.unmet, c.spare_care, c.isolated, c.contact, c.ucla, c.lonely, c.relational, c.scrqol, c.satisfied, c.status,
            self.cut_off, self.weights, 20 * 60 * WEEKS_A_MONTH,
        )  # fmt: skip


@compiled
def _take_stock(
    alive: Any, age: Any, disabled: Any, level: Any, deficits: Any, need: Any, network: Any, withdrawn: Any, desire: Any,
    partner: Any, informal: Any, community: Any, from_council: Any, from_own: Any, given: Any, strain: Any, route: Any,
    setting: Any, asked: Any, waiting_since: Any, assessed: Any, eligible: Any, funded: Any, stigma: Any, prefers: Any,
    enterprise: Any,
    unmet: Any, spare_care: Any, isolated: Any, contact: Any, ucla: Any, lonely: Any, relational: Any, scrqol: Any,
    satisfied: Any, status: Any, cut_off: Any, w: Any, twenty: Any,
) -> None:  # fmt: skip
    """One person's stock at a time; each result is written once."""
    for i in range(alive.shape[0]):
        if not alive[i]:
            status[i] = 0
            isolated[i] = False
            continue
        formal = from_council[i] + from_own[i]
        help_all = informal[i] + community[i] + formal
        unmet[i] = max(need[i] - help_all, 0)
        spare_care[i] = max(help_all - need[i], 0)
        visits = min(formal / 2600.0, 5.0) if setting[i] == 0 else 0.0
        score = network[i] + w[0] * visits * 2.0
        isolated[i] = score < cut_off
        gap = (18.0 - score) / 6.0
        felt = -gap - w[4] * desire[i] - w[5] * strain[i] - (1.0 if withdrawn[i] else 0.0)
        contact[i] = 0 if felt > w[1] else (1 if felt > w[2] else (2 if felt > w[3] else 3))
        alone = (
            0.6 * desire[i] + w[10] * gap + w[15 + level[i]] + (w[7] if disabled[i] else 0.0)
            + (w[11] if partner[i] < 0 else 0.0) + (0.6 if withdrawn[i] else 0.0)
        )  # fmt: skip
        if age[i] < 300:
            alone += w[8]
        elif age[i] >= 780:
            alone += w[9]
        lonely[i] = alone > w[6]
        ucla[i] = min(max(int(np.floor(4.6 + 1.6 * (alone - 0.6))), 3), 9)
        some = isolated[i] or contact[i] >= 2
        relational[i] = 2 if isolated[i] and lonely[i] else (1 if some else 0)
        if relational[i] > 0 and level[i] > 0:
            deficits[i] |= np.uint16(64)
        else:
            deficits[i] &= np.uint16(0xFFFF - 64)
        met = min(help_all / need[i], 1.0) if need[i] > 0 else 1.0
        basic = 3.0 * met if level[i] > 0 else 3.0
        choice = 2.6 if route[i] >= 3 else (2.3 if route[i] == 2 else 2.4)
        sct = (
            basic * 0.45 + 1.55 + basic * 0.4 + 1.7 + basic * 0.4 + 1.6
            + (3.0, 2.3, 1.2, 0.2)[contact[i]] + max(0.0, 2.7 - 0.45 * level[i]) + (2.7 if setting[i] == 0 else 2.4)
            + choice * (0.6 + 0.4 * met) + (2.7 if formal > 0 else 2.8)
        )  # fmt: skip
        if formal > 0 and informal[i] > 0:
            sct += w[12]
        scrqol[i] = min(max(int(np.floor(sct + 0.5)), 0), 24)
        wrong = prefers[i] == 1 and formal > 0 and enterprise[i] < 0 and route[i] == 2
        wrong = wrong or (prefers[i] == 0 and enterprise[i] >= 0)
        content = met - 0.25 * desire[i] * 0.8 - (w[14] if wrong else 0.0)
        satisfied[i] = content > w[13]
        status[i] = _status(
            age[i], disabled[i] or level[i] > 0, level[i], asked[i], waiting_since[i], assessed[i], eligible[i], funded[i],
            formal, route[i], given[i], setting[i], stigma[i], deficits[i], help_all, unmet[i], from_council[i], twenty,
        )  # fmt: skip


@compiled
def _status(
    age: Any, disabled: Any, level: Any, asked: Any, waiting: Any, assessed: Any, eligible: Any, funded: Any, formal: Any,
    route: Any, given: Any, setting: Any, stigma: Any, deficits: Any, help_all: Any, unmet: Any, council: Any, twenty: Any,
) -> Any:  # fmt: skip
    """The flags of `Status` in their order."""
    s = np.uint32(1) | np.uint32(2 if age >= 780 else 4)
    s |= np.uint32(8 * disabled)
    s |= np.uint32(16 * (level > 0))
    s |= np.uint32(32 * asked)
    s |= np.uint32(64 * (waiting >= 0))
    s |= np.uint32(128 * (asked and assessed))
    s |= np.uint32(256 * eligible)
    s |= np.uint32(512 * (funded > 0))
    s |= np.uint32(1024 * (formal > 0))
    s |= np.uint32(2048 * (council > 0))
    s |= np.uint32(4096 * (given > 0))
    s |= np.uint32(8192 * (given >= twenty))
    s |= np.uint32(16384 * (route == 6 and formal > 0))
    s |= np.uint32(32768 * (setting == 1))
    s |= np.uint32(65536 * stigma)
    s |= np.uint32(131072 * (deficits & 30 != 0))
    s |= np.uint32(262144 * (help_all > 0 and level > 0))
    s |= np.uint32(524288 * (unmet > 0))
    return s
