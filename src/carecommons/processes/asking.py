"""Who turns to the council: demand as it is expressed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from carecommons.kernels.compiled import compiled
from carecommons.kernels.keyed import four
from carecommons.params import LEVER, UNCERTAIN, B, C, D, param
from carecommons.place.ledger import Event
from carecommons.place.luck import Luck, decision
from carecommons.place.place import Place
from carecommons.processes.process import Process


class Asking(Process):
    """People in need ask when needs go unmet, sooner when isolated, later when afraid, ashamed or turned away before.

    A crisis (a fall, a stay in hospital) brings people to the door whatever they fear. Who waits or
    was just turned away may ring again: contacts are events, several a person.
    Source: NHS England requests for support 2023-24; 1 in 5 from hospital; 1.46 requests a person (King's Fund).
    """

    reads: ClassVar[tuple[str, ...]] = (
        "alive", "id", "level", "need", "unmet", "isolated", "stigma", "refusals", "last_request", "waiting_since",
        "eligible", "pays_all", "setting", "age",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("requests", "last_request", "asked", "crisis", "ledger")

    rate: tuple[float, float, float] = param(
        (0.051, 0.119, 0.155), "chance a month that somebody with low, moderate, high and wholly unmet need asks",
        unit="probability/month", low=0, high=1, role=UNCERTAIN, grade=C,
        source="set against 13.2 requests per 100 people of 65+ and 1.89 per 100 of 18-64 (2023-24)",
    )  # fmt: skip
    young: float = param(
        0.34, "asking of people under 65 against those of 65 and over", unit="multiple", low=0, high=5, role=UNCERTAIN,
        grade=D, source="assumption: set against published figures together with others",
    )  # fmt: skip
    wealthy: float = param(
        0.6, "asking of people above the upper capital limit against others", unit="multiple", low=0, high=2,
        role=UNCERTAIN,
        grade=D, source="assumption: they can buy care themselves; set against published figures together with others",
    )  # fmt: skip
    door: float = param(
        1.0, "how open the council's door is: 0 takes no requests", unit="multiple", low=0, high=3, role=LEVER, grade=D,
        source="Fox 2012, Five questions with one answer: doors",
    )  # fmt: skip
    isolation_effect: float = param(
        1.5, "asking of isolated people against others with the same need", unit="odds ratio", low=0.3, high=3.3,
        role=UNCERTAIN, grade=B,
        source="Hanratty et al. 2018 (care-home entry 2.13, 1.43-3.17; UCLA 1.81, 1.01-3.27), carried over; 1 is none",
    )  # fmt: skip
    fear: float = param(
        0.2, "asking forgone for fear of losing control or home", unit="share", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    stigma: float = param(
        0.2, "asking further forgone by people who meet stigma", unit="share", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption",
    )  # fmt: skip
    discouragement: float = param(
        0.5, "asking forgone for each time turned away", unit="share", low=0, high=1, role=UNCERTAIN, grade=D,
        source="assumption: 'go away, get worse and come back' (House of Lords 2022)",
    )  # fmt: skip
    again: float = param(
        0.12, "chance a month of ringing again in the three months after a request", unit="probability/month", low=0,
        high=1, role=UNCERTAIN, grade=C, source="1.46 requests a person (King's Fund, range 1.2-1.9)",
    )  # fmt: skip
    crisis: tuple[float, float, float] = param(
        (0.002, 0.010, 0.022), "chance a month of a crisis at low, moderate and high need", unit="probability/month",
        low=0, high=1, role=UNCERTAIN, grade=C, source="set against 1 request in 5 from hospital (King's Fund 2023-24)",
    )  # fmt: skip
    crisis_if_isolated: float = param(
        1.3, "crises of isolated people against others", unit="odds ratio", low=0.3, high=3.3, role=UNCERTAIN, grade=B,
        source="Hanratty et al. 2018 (care-home entry 2.13, 1.43-3.17), carried over; 1 is none",
    )  # fmt: skip

    def step(self, place: Place, luck: Luck) -> None:
        """Count this month's crises and requests."""
        c = place.citizens
        c.requests[:] = 0
        c.crisis[:] = False
        asked, crises = _ask(
            c.alive, c.id, c.age, c.level, c.need, c.unmet, c.isolated, c.stigma, c.refusals, c.waiting_since,
            c.eligible,
            c.pays_all, c.setting, c.requests, c.last_request, c.asked, c.crisis,
            np.array([0.0, *self.rate]), np.array([0.0, *self.crisis]), self.young, self.wealthy, self.door,
            self.isolation_effect,
            1.0 - self.fear, 1.0 - self.stigma, 1.0 - self.discouragement, self.again, self.crisis_if_isolated,
            luck.seed, decision("asking"), luck.month,
        )  # fmt: skip
        place.ledger.events[Event.REQUESTS] += asked
        place.ledger.events[Event.CRISES] += crises


@compiled
def odds(p: Any, ratio: Any) -> Any:
    """The probability whose odds are `ratio` times those of p."""
    return p * ratio / (1.0 - p + p * ratio)


@compiled
def _ask(
    alive: Any, ids: Any, age: Any, level: Any, need: Any, unmet: Any, isolated: Any, stigma: Any, refusals: Any,
    waiting_since: Any, eligible: Any, pays_all: Any, setting: Any, requests: Any, last_request: Any, asked: Any,
    crisis: Any,
    rate: Any, crisis_rate: Any, young: Any, wealthy: Any, door: Any, if_isolated: Any, brave: Any, brave_stigma: Any,
    hopeful: Any,
    again: Any, crisis_if_isolated: Any, seed: Any, key: Any, month: Any,
) -> tuple[int, int]:  # fmt: skip
    """One month of crises and requests -> requests, crises."""
    total, crises = 0, 0
    for i in range(alive.shape[0]):
        if level[i] == 0 or not alive[i] or (setting[i] == 1 and eligible[i]):
            continue
        u, v, w, _ = four(seed, key, month, ids[i])
        p = crisis_rate[level[i]]
        if v < (odds(p, crisis_if_isolated) if isolated[i] else p):
            crisis[i] = True
            crises += 1
        if eligible[i]:
            continue
        p = min(rate[level[i]] * unmet[i] / max(need[i], 1), 0.95)
        if isolated[i]:
            p = odds(p, if_isolated)
        p *= brave * hopeful ** refusals[i] * (brave_stigma if stigma[i] else 1.0)
        if age[i] < 780:
            p *= young
        if pays_all[i]:
            p *= wealthy
        ring = month - last_request[i] <= 3 and w < again * door
        if waiting_since[i] >= 0:
            p = 0.0
        if ring or u < p * door or (crisis[i] and w < door):
            requests[i] = 1
            last_request[i] = month
            asked[i] = True
            total += 1
    return total, crises
