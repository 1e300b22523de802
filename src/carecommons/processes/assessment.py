"""Who is found eligible, for how much, and who waits: the council's rule, stance and list."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from carecommons.kernels.arrays import F64, I64
from carecommons.kernels.compiled import compiled
from carecommons.kernels.homes import count_homes
from carecommons.kernels.keyed import four
from carecommons.params import LEVER, UNCERTAIN, A, B, C, D, param
from carecommons.place.luck import BEFORE, Luck, decision
from carecommons.place.place import Place
from carecommons.processes.process import Process
from carecommons.units import WEEKS_A_MONTH

BANDS = ("low", "moderate", "substantial", "critical")
NEVER = -999
STANCES = ("deficit", "carer_blind", "asset_first")


class Assessment(Process):
    """Requests are answered at the door or join a list; as many are assessed as there are assessors, worst need first.

    The rule is the Care Act's (unable to achieve `threshold` of ten outcomes, with a significant effect on wellbeing)
    or one of the four FACS bands before it; who lives in a care home stays there. The stance decides what a package
    leaves to others. Reviews come yearly, and when needs change.
    Source: Care Act 2014, SI 2015/313 reg. 2; FACS 2003; sequels of requests as in the national return.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "address", "age", "level", "deficits", "need", "informal", "network", "pays_all", "requests",
        "crisis",
        "lonely", "household", "setting", "waiting_since", "reviewed", "eligible", "short_term", "refusals", "council",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = (
        "waiting_since", "waited", "reviewed", "sequel", "assessed", "eligible", "entitled", "short_term", "low_level",
        "setting", "household", "home_size", "moved_in", "refusals", "council", "ledger",
    )  # fmt: skip

    rule: Literal["care_act", "facs"] = param(
        "care_act", "the test: care_act or facs", unit="choice", role=LEVER, grade=A, source="SI 2015/313; FACS 2003"
    )
    threshold: int = param(
        2, "Care Act outcomes that a person must be unable to achieve; 0 is everybody in need, 11 nobody",
        unit="Care Act outcomes", low=0, high=11, role=LEVER, grade=A, source="SI 2015/313 reg. 2: two or more",
    )  # fmt: skip
    band: Literal["low", "moderate", "substantial", "critical", "nobody"] = param(
        "substantial", "lowest FACS band that is served", unit="choice", role=LEVER, grade=A,
        source="86% of councils at substantial or critical (Fernandez et al. 2013)",
    )  # fmt: skip
    impact: tuple[float, float, float] = param(
        (0.06, 0.47, 0.85), "people with low, moderate, high need whose wellbeing is significantly affected",
        unit="share of people", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption: set against published figures together with others",
    )  # fmt: skip
    discretion: float = param(
        0.0, "people one outcome short whom the council serves all the same", unit="share of people", low=0, high=1,
        role=LEVER, grade=A, source="Care Act 2014 s. 19: power to meet other needs",
    )  # fmt: skip
    stance: Literal["deficit", "carer_blind", "asset_first"] = param(
        "deficit",
        "what a package leaves out: help that is given (deficit), nothing (carer_blind), and what ties might give "
        "(asset_first)", unit="choice", role=LEVER, grade=D, source="the law says carer-blind; practice as assumed",
    )  # fmt: skip
    asset_hours: float = param(
        14.0, "help that an asset-first assessor expects of a full network", unit="hours/week", low=0, high=168,
        role=UNCERTAIN, grade=D, source="assumption",
    )  # fmt: skip
    covers: float = param(
        0.18, "share of the need that a package at home takes on", unit="share of need", low=0, high=1, role=UNCERTAIN,
        grade=D, source="assumption: set against 14.4 hours a package (ADASS 2025)",
    )  # fmt: skip
    most_at_home: float = param(
        24.0, "largest package at home", unit="hours/week", low=0, high=168, role=LEVER, grade=D,
        source="assumption: about the price of a care home; set against published figures together with others",
    )  # fmt: skip
    care_home: tuple[float, float] = param(
        (0.12, 0.55),
        "people under 65, and of 65 and over, with high need beyond the largest package who go into a care home",
        unit="share of people", low=0,
        high=1, role=UNCERTAIN, grade=C, source="set against 566 council admissions per 100,000 of 65+ (ASCOF 2023-24)",
    )  # fmt: skip
    care_home_if_lonely: float = param(
        2.13, "entry to a care home of lonely people against others", unit="odds ratio", low=0.5, high=3.3,
        role=UNCERTAIN, grade=B, source="Hanratty et al. 2018: 2.13 (1.43-3.17); 1 is none",
    )  # fmt: skip
    at_the_door: tuple[float, float, float] = param(
        (0.84, 0.76, 0.52), "requests of people with low, moderate, high need that are answered without an assessment",
        unit="share of requests", low=0, high=1, role=LEVER, grade=C,
        source="set against 59% signposted or no service (HSCIC 2014-15)",
    )  # fmt: skip
    signposted: float = param(
        0.53, "of those who get nothing, the share told where else to turn", unit="share of people", low=0, high=1,
        role=UNCERTAIN, grade=C, source="31% signposted, 28% no service (HSCIC 2014-15)",
    )  # fmt: skip
    low_level_share: float = param(
        0.78, "assessed people below the threshold who get equipment or other low-level support",
        unit="share of people",
        low=0, high=1, role=LEVER, grade=C,
        source="16% of requests lead to low-level support (HSCIC 2014-15); set against published figures together with "
        "others",
    )  # fmt: skip
    reablement: tuple[float, float] = param(
        (0.25, 0.7), "eligible people under 65, and of 65 and over, who first get short-term support",
        unit="share of people",
        low=0, high=1, role=LEVER, grade=C,
        source="12% of requests to short-term support, 88% of them 65+ (NHS England); set against published figures "
        "together with others",
    )  # fmt: skip
    short_term_months: int = param(
        1, "months of short-term support", unit="months", low=1, high=12, role=LEVER, grade=A,
        source="up to six weeks free (Care and Support Regulations 2014)",
    )  # fmt: skip
    manages: float = param(
        0.76, "people who manage alone after short-term support", unit="share of people", low=0, high=1, role=UNCERTAIN,
        grade=A,
        source="75.8% of new clients do not go on to long-term support (ASCOF 2D 2022-23), p10 55%; set against "
        "published figures together with others",
    )  # fmt: skip
    review_months: int = param(
        12,
        "months between reviews",
        unit="months",
        low=1,
        high=120,
        role=LEVER,
        grade=A,
        source="statutory guidance: yearly",
    )
    moves_on: tuple[float, float] = param(
        (0.28, 0.13), "packages at home of people under 65, and of 65 and over, that end at a yearly review",
        unit="share/review",
        low=0, high=1, role=LEVER, grade=C,
        source="set against 1.42 in 1.88 of the year's long-term users left at its end (NHS England)",
    )  # fmt: skip
    known: tuple[float, float, float] = param(
        (0.02, 0.11, 0.33),
        "people who pass the test with low, moderate, high need and are clients already at the start",
        unit="share of people", low=0, high=1, role=UNCERTAIN, grade=C,
        source="set against 1.42 per 100 adults in long-term support at the year's end (NHS England 2024)",
    )  # fmt: skip

    def settle(self, place: Place, luck: Luck) -> None:
        """Make some founders clients already, at various points of their year."""
        c = place.citizens
        if self.off or not len(c):
            return
        draws = luck.uniforms("assessment.founding", c.id)
        passes = self.passes(place, luck.seed)
        known = passes & (draws[:, 0] < np.array([0.0, *self.known])[c.level])
        c.asked[known] = c.assessed[known] = c.eligible[known] = True
        c.reviewed[known] = -(draws[known, 1] * self.review_months).astype(np.int16)
        c.last_request[known] = c.reviewed[known] - 12
        self._arrange(place, np.flatnonzero(known), luck.seed)
        count_homes(c.alive, c.household, c.home_size)

    def passes(self, place: Place, seed: int) -> np.ndarray:
        """Who would pass the test if assessed today (n,); the same people nested from strict rules to generous ones."""
        c = place.citizens
        out = np.zeros(len(c), np.bool_)
        _passes_all(c.alive, c.id, c.level, c.deficits, *self.test, seed, decision("assessment.person"), BEFORE, out)
        return out

    @cached_property
    def test(self) -> tuple[Any, ...]:
        """The rule in the order of `passes`."""
        band = [*BANDS, "nobody"].index(self.band) + 1
        return self.rule == "facs", self.threshold, band, np.array([0.0, *self.impact]), self.discretion

    @cached_property
    def answers(self) -> tuple[F64, F64, F64, F64]:
        """Shares by level at the door, by age of those re-abled, who move on, and who go into a care home."""
        door = np.array([0.0, *self.at_the_door])
        return door, np.array(self.reablement), np.array(self.moves_on), np.array(self.care_home)

    def step(self, place: Place, luck: Luck) -> None:
        """Answer requests, work the list, review packages."""
        c, events = place.citizens, place.ledger.events
        door, reablement, moves_on, _ = self.answers
        c.sequel[:] = 0
        c.waited[:] = -1
        listed, rank = _answer(
            c.alive, c.id, c.level, c.need, c.requests, c.crisis, c.waiting_since, c.sequel, c.refusals, door,
            self.signposted, luck.seed, decision("assessment.door"), luck.month, events,
        )  # fmt: skip
        chosen = listed[np.lexsort((c.id[listed], rank))][: max(place.council.assessments, 0)]
        place.council.assessments -= len(chosen)
        _assess(
            chosen, c.id, c.age, c.level, c.deficits, c.waiting_since, c.waited, c.reviewed, c.sequel, c.assessed,
            c.eligible, c.short_term, c.low_level, c.refusals, c.pays_all, *self.test, self.signposted,
            self.low_level_share, reablement, self.short_term_months, luck.seed, decision("assessment"),
            decision("assessment.person"), luck.month, BEFORE, events,
        )  # fmt: skip
        self._arrange(place, chosen, luck.seed)
        reviewed = _review(
            c.id, c.level, c.deficits, c.reviewed, c.eligible, c.entitled, c.short_term, c.low_level, c.setting, c.age,
            *self.test, self.review_months, self.manages, moves_on, luck.seed, decision("assessment.review"),
            decision("assessment.person"), luck.month, BEFORE, events,
        )  # fmt: skip
        self._arrange(place, reviewed, luck.seed)
        if events[24]:
            count_homes(c.alive, c.household, c.home_size)
        events[25] += len(listed) - len(chosen)

    def _arrange(self, place: Place, rows: I64, seed: int) -> None:
        """Say what those of `rows` who are eligible are entitled to."""
        c, week = place.citizens, 60 * WEEKS_A_MONTH
        _packages(
            rows, c.eligible, c.id, c.address, c.level, c.need, c.informal, c.network, c.lonely, c.entitled, c.setting,
            c.household, c.moved_in, place.month, place.ledger.events, STANCES.index(self.stance), self.covers,
            self.most_at_home * week, self.asset_hours * week, c.age, self.answers[3], self.care_home_if_lonely,
            seed, decision("assessment.person"), BEFORE,
        )  # fmt: skip


@compiled
def count_bits(bits: Any) -> Any:
    """Outcomes not achieved."""
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@compiled
def facs_band(level: Any, failed: Any) -> Any:
    """FACS band of a person: 0 none, 1 low, 2 moderate, 3 substantial, 4 critical."""
    if level == 3:
        return 4 if failed >= 7 else 3
    if level == 2:
        return 3 if failed >= 6 else 2
    return 1 if level == 1 else 0


@compiled
def passes(
    level: Any, deficits: Any, u: Any, v: Any, facs: Any, threshold: Any, band: Any, impact: Any, discretion: Any
) -> Any:
    """The test for one person with the lasting draws u (impact) and v (discretion)."""
    if level == 0:
        return False
    failed = count_bits(int(deficits))
    if facs:
        return facs_band(level, failed) >= band
    if threshold == 0:
        return True
    if u >= impact[level]:
        return False
    return failed >= threshold or (failed == threshold - 1 and threshold <= 10 and v < discretion)


@compiled
def _passes_all(alive: Any, ids: Any, level: Any, deficits: Any, facs: Any, threshold: Any, band: Any, impact: Any,
                discretion: Any, seed: Any, key: Any, before: Any, out: Any) -> None:  # fmt: skip
    for i in range(alive.shape[0]):
        if alive[i] and level[i] > 0:
            u, v, _, _ = four(seed, key, before, ids[i])
            out[i] = passes(level[i], deficits[i], u, v, facs, threshold, band, impact, discretion)


@compiled
def _packages(
    rows: Any, eligible: Any, ids: Any, address: Any, level: Any, need: Any, informal: Any, network: Any, lonely: Any,
    entitled: Any, setting: Any, household: Any, moved_in: Any, month: Any, events: Any, stance: Any, covers: Any,
    most: Any, assets: Any, age: Any, care_home: Any, if_lonely: Any, seed: Any, key: Any, before: Any,
) -> None:  # fmt: skip
    """Minutes that the assessment allows, and whether at home or in a care home."""
    for i in rows:
        if not eligible[i]:
            continue
        _, _, w, _ = four(seed, key, before, ids[i])
        left: Any = np.float64(need[i])
        if stance != 1:
            left -= informal[i]
        if stance == 2:
            left -= assets * network[i] / 30.0
        left = max(left, 0.0)
        entitled[i] = int(min(min(covers * need[i], left), most))
        p = care_home[1 if age[i] >= 780 else 0]
        if lonely[i]:
            p = p * if_lonely / (1.0 - p + p * if_lonely)
        if setting[i] == 0 and level[i] == 3 and left > most and w < p:
            setting[i] = 1
            household[i] = -2 - address[i]
            moved_in[i] = month
            events[24] += 1
        if setting[i] == 1:
            entitled[i] = need[i]


@compiled
def _answer(
    alive: Any, ids: Any, level: Any, need: Any, requests: Any, crisis: Any, waiting_since: Any, sequel: Any,
    refusals: Any, door: Any, signposted: Any, seed: Any, key: Any, month: Any, events: Any,
) -> tuple[I64, I64]:  # fmt: skip
    """Requests answered at the door, or put on the list; who is on it already stays where he is -> who is on the list,
    and their rank (m,), lowest for the greatest need, by level, minutes and time on the list.
    """
    rows, rank = np.empty(alive.shape[0], np.int64), np.empty(alive.shape[0], np.int64)
    m = 0
    for i in range(alive.shape[0]):
        if requests[i] > 0 and waiting_since[i] >= 0:
            sequel[i] = 2
            events[15] += 1
        elif requests[i] > 0:
            u, v, _, _ = four(seed, key, month, ids[i])
            if u < door[level[i]] and not crisis[i]:
                sequel[i] = 1 if v < signposted else 2
                events[13 + sequel[i]] += 1
                refusals[i] = min(refusals[i] + 1, 100)
            else:
                waiting_since[i] = month
                events[12] += 1
        if waiting_since[i] >= 0:
            rows[m] = i
            rank[m] = waiting_since[i] - (np.int64(level[i]) << 48) - (np.int64(need[i]) << 16)
            m += 1
    return rows[:m], rank[:m]


@compiled
def _assess(
    rows: Any, ids: Any, age: Any, level: Any, deficits: Any, waiting_since: Any, waited: Any, reviewed: Any,
    sequel: Any,
    assessed: Any, eligible: Any, short_term: Any, low_level: Any, refusals: Any, pays_all: Any,
    facs: Any, threshold: Any, band: Any, impact: Any, discretion: Any, signposted: Any, low_share: Any,
    reablement: Any,
    months: Any, seed: Any, key: Any, key_person: Any, month: Any, before: Any, events: Any,
) -> None:  # fmt: skip
    """Assess those whose turn it is; the sequel is what the request led to."""
    for i in rows:
        waited[i] = month - waiting_since[i]
        waiting_since[i] = -1
        reviewed[i] = month
        events[10] += 1
        events[13] += 1
        if level[i] > 0:
            assessed[i] = True
        u, v, _, _ = four(seed, key_person, before, ids[i])
        a, b, d, _ = four(seed, key, month, ids[i])
        if passes(level[i], deficits[i], u, v, facs, threshold, band, impact, discretion):
            eligible[i] = True
            if pays_all[i]:
                sequel[i] = 1 if d < signposted else 2
            elif a < reablement[1 if age[i] >= 780 else 0]:
                short_term[i] = months
                sequel[i] = 4
            else:
                sequel[i] = 5
        elif b < low_share and level[i] > 0:
            low_level[i] = True
            sequel[i] = 3
        else:
            sequel[i] = 1 if d < signposted else 2
            refusals[i] = min(refusals[i] + 1, 100)
        events[13 + sequel[i]] += 1


@compiled
def _review(
    ids: Any, level: Any, deficits: Any, reviewed: Any, eligible: Any, entitled: Any, short_term: Any,
    low_level: Any, setting: Any, age: Any, facs: Any, threshold: Any, band: Any, impact: Any, discretion: Any,
    every: Any,
    manages: Any, moves_on: Any, seed: Any, key: Any, key_person: Any, month: Any, before: Any, events: Any,
) -> I64:  # fmt: skip
    """Look again at packages whose year is over or whose need moved, and at short-term support that ends -> rows."""
    again = np.empty(ids.shape[0], np.int64)
    m = 0
    for i in range(ids.shape[0]):
        if not eligible[i]:
            continue
        ends = False
        if short_term[i] > 0 and reviewed[i] != month:
            short_term[i] -= 1
            ends = short_term[i] == 0
        if reviewed[i] == month or not (ends or month - reviewed[i] >= every):
            continue
        again[m] = i
        m += 1
        yearly = not ends and reviewed[i] != NEVER
        reviewed[i] = month
        events[11] += 1
        u, v, _, _ = four(seed, key_person, before, ids[i])
        a, b, _, _ = four(seed, key, month, ids[i])
        stays = passes(level[i], deficits[i], u, v, facs, threshold, band, impact, discretion)
        if setting[i] == 1 and level[i] > 0:
            stays = True
        alone = (ends and a < manages) or (yearly and b < moves_on[1 if age[i] >= 780 else 0])
        if not stays or (alone and setting[i] == 0):
            eligible[i] = False
            entitled[i] = 0
            short_term[i] = 0
            if stays:
                low_level[i] = True
    return again[:m]
