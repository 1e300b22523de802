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
from carecommons.units import minutes_a_month


class Wellbeing(Process):
    """Isolation is counted from ties; contact and loneliness are felt against what a person wishes; the two may
    disagree.

    Visits by paid workers count towards the network by `professional_weight`, which may be 0. Quality of life has eight
    domains of 0 to 3, as in SCT4, from met need, contact, choice and home; paid and unpaid care may do more together.
    Source: LSNS-6 (Lubben et al. 2006), UCLA-3 (ONS guidance), ASCOT SCT4 domains; weights are assumptions.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "age", "disabled", "level", "deficits", "need", "network", "withdrawn", "desire", "partner",
        "informal",
        "community", "from_council", "from_own", "given", "strain", "route", "setting", "asked", "waiting_since",
        "assessed",
        "eligible", "funded", "stigma", "prefers", "enterprise",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = (
        "unmet", "spare_care", "isolated", "contact", "ucla", "lonely", "relational", "deficits", "scrqol", "satisfied",
        "status",
    )  # fmt: skip

    cut_off: int = param(
        12, "network score under which a person counts as isolated", unit="points", low=0, high=31, role=UNCERTAIN,
        grade=B,
        source="LSNS-6 cut-off 12 (Lubben et al. 2006)",
    )  # fmt: skip
    professional_weight: float = param(
        0.0, "weight of paid visits in the network score: 0 not at all, 1 like friends", unit="share", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption: Fox 2012 holds that services cannot meet isolation; to be varied",
    )  # fmt: skip
    contact_cuts: tuple[float, float, float] = param(
        (-0.75, -2.1, -2.9), "felt contact above which people say enough, adequate, some but not enough", unit="z",
        low=-10,
        high=10, role=UNCERTAIN, grade=C, source="set against 44/34/16/6% of long-term users (ASCS 2013-14)",
    )  # fmt: skip
    contact_desire: float = param(
        1.3, "weight of a person's wish for contact in felt contact", unit="z/z", low=0, high=5, role=UNCERTAIN,
        grade=D,
        source="assumption: set against published figures together with others",
    )  # fmt: skip
    contact_burden: float = param(
        2.5, "felt contact lost by full carer strain", unit="z", low=0, high=5, role=UNCERTAIN, grade=C,
        source="set against 32.5% of carers with enough contact (SACE 2018-19)",
    )  # fmt: skip
    lonely_over: float = param(
        1.76, "felt loneliness above which people are lonely often or always", unit="z", low=-10, high=10,
        role=UNCERTAIN,
        grade=C, source="set against 7.1% of adults (Community Life Survey 2023/24)",
    )  # fmt: skip
    lonely_by_need: tuple[float, float, float, float] = param(
        (0.0, 0.23, 0.67, 0.86), "loneliness that comes with no, low, moderate, high need", unit="z", low=0, high=5,
        role=UNCERTAIN, grade=C,
        source="set against 14% of disabled, 3% of other adults (Community Life Survey 2024/25)",
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
    points_by_visits: float = param(
        0.2, "network score for each hour of paid care a week, at full professional weight and at most 10 points",
        unit="points/(hour/week)", low=0, high=5, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    usual_network: float = param(
        18.0, "network score from which felt contact and loneliness are reckoned, 6 points to a unit", unit="points",
        low=0,
        high=30, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    withdrawn_effect: tuple[float, float] = param(
        (1.0, 0.6), "felt contact lost and loneliness that comes with having withdrawn", unit="z", low=0, high=5,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    lonely_by_desire: float = param(
        0.6, "weight of a person's wish for contact in loneliness", unit="z/z", low=0, high=5, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    ucla: tuple[float, float] = param(
        (3.64, 1.6), "UCLA-3 score at no felt loneliness, and its rise with it", unit="points", low=0, high=9,
        role=UNCERTAIN,
        grade=D, source="assumption: scores run from 3 to 9 (ONS guidance)",
    )  # fmt: skip
    quality_unmet: tuple[float, float, float] = param(
        (1.55, 1.7, 1.6), "cleanliness, food, safety when need is wholly unmet", unit="points 0-3", low=0, high=3,
        role=UNCERTAIN, grade=D, source="assumption: set against 18.4-19.4 of 24 among users (ASCOF 2022-23)",
    )  # fmt: skip
    quality_met: tuple[float, float, float] = param(
        (2.9, 2.9, 2.8), "cleanliness, food, safety when need is met", unit="points 0-3", low=0, high=3, role=UNCERTAIN,
        grade=D, source="assumption: set against 18.4-19.4 of 24 among users (ASCOF 2022-23)",
    )  # fmt: skip
    quality_contact: tuple[float, float, float, float] = param(
        (3.0, 2.3, 1.2, 0.2), "social participation by felt contact: enough, adequate, not enough, isolated",
        unit="points 0-3", low=0, high=3, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    quality_occupation: tuple[float, float, float, float] = param(
        (2.7, 2.25, 1.8, 1.35), "occupation at no, low, moderate, high need", unit="points 0-3", low=0, high=3,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    quality_home: tuple[float, float] = param(
        (2.7, 2.4), "accommodation at home and in a care home", unit="points 0-3", low=0, high=3, role=UNCERTAIN,
        grade=D,
        source="assumption",
    )  # fmt: skip
    quality_control: tuple[float, float, float] = param(
        (2.4, 2.3, 2.6),
        "control when need is met: without paid care, with managed care, with money of one's own to direct",
        unit="points 0-3", low=0, high=3, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    quality_control_unmet: float = param(
        0.6, "control that is left when need is wholly unmet", unit="share", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    quality_dignity: tuple[float, float] = param(
        (2.75, 2.75), "dignity without and with paid care", unit="points 0-3", low=0, high=3, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    together: float = param(
        0.0, "quality of life that paid and unpaid care add together beyond each alone", unit="points", low=-6, high=6,
        role=UNCERTAIN, grade=D,
        source="assumption: people may need both to live an equal life (Social Care Future and New Local); either sign",
    )  # fmt: skip
    satisfied_over: float = param(
        0.62, "share of the need that must be met for somebody with an average outlook to be very satisfied",
        unit="share of need", low=0, high=2, role=UNCERTAIN, grade=C, source="set against 64% of users (ASCS 2021-22)",
    )  # fmt: skip
    satisfied_by_desire: float = param(
        0.2, "share of the need by which people who wish for one standard deviation more contact ask more",
        unit="share/z",
        low=0, high=2, role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    against_preference: float = param(
        0.15, "satisfaction lost by support of a kind that was not wanted", unit="share of need", low=0, high=1,
        role=UNCERTAIN, grade=D, source="assumption; 0 is none",
    )  # fmt: skip

    @cached_property
    def felt(self) -> F64:
        """What contact and loneliness are felt from, in the order of `_feel`."""
        return np.array([
            self.usual_network, self.contact_desire, self.contact_burden, *self.withdrawn_effect, *self.contact_cuts,
            self.lonely_by_desire, self.lonely_by_ties, self.lonely_if_disabled, self.lonely_without_partner,
            self.lonely_if_young, self.lonely_if_old, *self.lonely_by_need,
        ])  # fmt: skip

    @cached_property
    def quality(self) -> F64:
        """The points of the eight domains, in the order of `_quality`."""
        return np.array([
            *self.quality_unmet, *self.quality_met, *self.quality_contact, *self.quality_occupation, *self.quality_home,
            *self.quality_control, self.quality_control_unmet, *self.quality_dignity, self.together,
        ])  # fmt: skip

    @cached_property
    def cuts(self) -> F64:
        """Points for a minute of visits, and the cuts and slopes of loneliness and satisfaction."""
        return np.array([
            self.professional_weight * self.points_by_visits / minutes_a_month(1), self.cut_off, self.lonely_over,
            *self.ucla, self.satisfied_over, self.satisfied_by_desire, self.against_preference,
        ])  # fmt: skip

    def step(self, place: Place, luck: Luck) -> None:
        """Take stock of everybody."""
        c = place.citizens
        _take_stock(
            c.alive, c.age, c.disabled, c.level, c.deficits, c.need, c.network, c.withdrawn, c.desire, c.partner,
            c.informal, c.community, c.from_council, c.from_own, c.given, c.strain, c.route, c.setting, c.asked,
            c.waiting_since, c.assessed, c.eligible, c.funded, c.stigma, c.prefers, c.enterprise,
            c.unmet, c.spare_care, c.isolated, c.contact, c.ucla, c.lonely, c.relational, c.scrqol, c.satisfied,
            c.status, self.felt, self.quality, self.cuts, minutes_a_month(20),
        )  # fmt: skip


@compiled
def _feel(
    score: Any, desire: Any, strain: Any, withdrawn: Any, level: Any, disabled: Any, partner: Any, age: Any, w: Any
) -> Any:
    """Felt contact and felt loneliness of one person with a network score, both in standard deviations."""
    gap = (w[0] - score) / 6.0
    contact = -gap - w[1] * desire - w[2] * strain
    lonely = w[8] * desire + w[9] * gap + w[14 + level]
    if withdrawn:
        contact -= w[3]
        lonely += w[4]
    if disabled:
        lonely += w[10]
    if partner < 0:
        lonely += w[11]
    if age < 300:
        lonely += w[12]
    elif age >= 780:
        lonely += w[13]
    return contact, lonely


@compiled
def _quality(met: Any, contact: Any, level: Any, setting: Any, route: Any, paid: Any, unpaid: Any, q: Any) -> Any:
    """Quality of life in eight domains of 0 to 3 points, before rounding."""
    basic = 0.0
    for domain in range(3):
        basic += q[domain] + (q[3 + domain] - q[domain]) * met
    control = q[16 + (2 if route >= 3 else (1 if route == 2 else 0))] * (q[19] + (1.0 - q[19]) * met)
    together = q[22] if paid and unpaid else 0.0
    return basic + q[6 + contact] + q[10 + level] + q[14 + setting] + control + q[20 + paid] + together


@compiled
def _take_stock(
    alive: Any, age: Any, disabled: Any, level: Any, deficits: Any, need: Any, network: Any, withdrawn: Any,
    desire: Any, partner: Any, informal: Any, community: Any, from_council: Any, from_own: Any, given: Any, strain: Any,
    route: Any, setting: Any, asked: Any, waiting_since: Any, assessed: Any, eligible: Any, funded: Any, stigma: Any,
    prefers: Any, enterprise: Any, unmet: Any, spare_care: Any, isolated: Any, contact: Any, ucla: Any, lonely: Any,
    relational: Any, scrqol: Any, satisfied: Any, status: Any, felt: Any, quality: Any, cuts: Any, twenty: Any,
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
        score = network[i] + (min(cuts[0] * formal, 10.0) if setting[i] == 0 else 0.0)
        isolated[i] = score < cuts[1]
        near, alone = _feel(score, desire[i], strain[i], withdrawn[i], level[i], disabled[i], partner[i], age[i], felt)
        contact[i] = 0 if near > felt[5] else (1 if near > felt[6] else (2 if near > felt[7] else 3))
        lonely[i] = alone > cuts[2]
        ucla[i] = min(max(int(np.floor(cuts[3] + cuts[4] * alone)), 3), 9)
        relational[i] = 2 if isolated[i] and lonely[i] else (1 if isolated[i] or contact[i] >= 2 else 0)
        if relational[i] > 0 and level[i] > 0:
            deficits[i] |= np.uint16(64)
        else:
            deficits[i] &= np.uint16(0xFFFF - 64)
        met = min(help_all / need[i], 1.0) if need[i] > 0 else 1.0
        points = _quality(met, contact[i], level[i], setting[i], route[i], formal > 0, informal[i] > 0, quality)
        scrqol[i] = min(max(int(np.floor(points + 0.5)), 0), 24)
        wrong = prefers[i] == 1 and formal > 0 and enterprise[i] < 0 and route[i] == 2
        wrong = wrong or (prefers[i] == 0 and enterprise[i] >= 0)
        satisfied[i] = met - cuts[6] * desire[i] - (cuts[7] if wrong else 0.0) > cuts[5]
        status[i] = _status(
            age[i], disabled[i] or level[i] > 0, level[i], asked[i], waiting_since[i], assessed[i], eligible[i],
            funded[i], formal, route[i], given[i], setting[i], stigma[i], deficits[i], help_all, unmet[i],
            from_council[i], twenty,
        )  # fmt: skip


@compiled
def _status(
    age: Any, disabled: Any, level: Any, asked: Any, waiting: Any, assessed: Any, eligible: Any, funded: Any,
    formal: Any,
    route: Any, given: Any, setting: Any, stigma: Any, deficits: Any, help_all: Any, unmet: Any, council: Any,
    twenty: Any,
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
