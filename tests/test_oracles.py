"""Worlds so simple that the answer is known exactly: the model must give it (rows O1, O2, O3, O7, O10, O12, O15).

O10 stands in kernels/test_allocate.py (hours in the order of need), O15 in test_laws.py (the list's months).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numba import njit
from scipy.stats import binom, chisquare, poisson

import small
from carecommons.outcomes.fairness import concentration_index
from carecommons.place.ledger import Event
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.processes.assessment import Assessment
from carecommons.processes.need import Need
from carecommons.processes.provision import Provision
from carecommons.processes.ties import Ties
from carecommons.units import pence

PEOPLE = 20_000
SIGMAS = 4.0
LEAST_P = 1e-4


# --- O1, O2: a four-state chain of need, in an empty graph without services ---

MONTHLY = np.array([
    [0.96, 0.04, 0.00, 0.00],
    [0.05, 0.90, 0.05, 0.00],
    [0.00, 0.04, 0.90, 0.06],
    [0.00, 0.00, 0.05, 0.95],
])  # fmt: skip
STATIONARY = np.array([1 / 4, 1 / 5, 1 / 4, 3 / 10])


def yearly(month: float) -> float:
    """The yearly chance whose monthly part is `month`: `units.monthly` the other way round."""
    return 1.0 - (1.0 - month) ** 12


def chain() -> Need:
    """The need process with the chain above for everybody, whatever their age, impairment, place or ties."""
    up, down = np.diag(MONTHLY, 1), np.diag(MONTHLY, -1)
    return Need(
        worsen=tuple(yearly(p) for p in up), recover=tuple(yearly(p) for p in down), worsen_by_age=0.0,
        worsen_by_age_young=0.0, recover_by_age=0.0, worsen_if_disabled=1.0, recover_if_disabled=1.0,
        worsen_by_deprivation=(1.0,) * 5, isolation_effect=1.0, unmet_effect=1.0, shock=0.0, onset=0.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def levels() -> dict[int, np.ndarray]:
    """How many of those who all began without need are at each level in some months."""
    need, place = chain(), small.by_hand(PEOPLE, age=67 * 12, disabled=np.arange(PEOPLE) % 2 == 0)
    seen = {}
    for month in range(1, 601):
        need.step(place, Luck(2024, month))
        if month in (1, 12, 60, 600):
            seen[month] = np.bincount(place.citizens.level, minlength=4)
    return seen


def test_the_known_chain_has_the_known_limit() -> None:
    assert np.abs(STATIONARY @ MONTHLY - STATIONARY).max() < 1e-15
    assert np.sort(np.abs(np.linalg.eigvals(MONTHLY)))[-2] == pytest.approx(0.975887, abs=1e-6)


def test_o1_after_600_months_need_has_its_stationary_distribution(levels: dict[int, np.ndarray]) -> None:
    assert chisquare(levels[600], STATIONARY * PEOPLE).pvalue > LEAST_P


@pytest.mark.parametrize("month", [1, 12, 60])
def test_o2_need_on_the_way_is_the_matrix_power(levels: dict[int, np.ndarray], month: int) -> None:
    share = np.linalg.matrix_power(MONTHLY, month)[0]
    error = np.sqrt(share * (1 - share) * PEOPLE)
    assert (np.abs(levels[month] - share * PEOPLE) <= SIGMAS * error).all()


# --- O3: the waiting list, in discrete time, for so many slots of care ---


@dataclass(frozen=True)
class Queue:
    """Each step completions (chance `ends` each), then Poisson(`referrals`), then starts; the list is counted last."""

    slots: int
    ends: float
    referrals: float
    waiting: float
    in_system: float
    some_wait: float
    wait: float


QUEUES = [
    Queue(20, 0.1, 1.8, 4.710966, 22.710966, 0.493236, 2.617203),
    Queue(5, 0.2, 0.8, 1.997520, 5.997520, 0.434443, 2.496900),
]
ASSESS_ALL = Assessment(
    threshold=0, at_the_door=(0.0, 0.0, 0.0), reablement=(0.0, 0.0), review_months=120, care_home=(0.0, 0.0)
)
QUEUE_IDS = [f"{q.slots} slots" for q in QUEUES]


@pytest.mark.parametrize("q", QUEUES, ids=QUEUE_IDS)
def test_the_oracle_solves_its_own_chain(q: Queue) -> None:
    """The number in the system is a chain: its stationary distribution, cut at 600, gives the row above."""
    size = 600
    step = np.zeros((size, size))
    arrivals = poisson.pmf(np.arange(size), q.referrals)
    for n in range(size):
        active = min(n, q.slots)
        for done, chance in enumerate(binom.pmf(np.arange(active + 1), active, q.ends)):
            step[n, n - done :] += chance * arrivals[: size - n + done]
    step[:, -1] += 1 - step.sum(axis=1)
    now = np.linalg.solve((step - np.eye(size)).T + 1.0, np.ones(size))
    waiting = np.maximum(np.arange(size) - q.slots, 0)
    found = (now @ waiting, now @ np.arange(size), now[q.slots + 1 :].sum(), now @ waiting / q.referrals)
    assert found == pytest.approx((q.waiting, q.in_system, q.some_wait, q.wait), abs=2e-6)


@njit
def listing(
    slots: int, ends: float, referrals: float, batches: int, steps: int, rng: np.random.Generator
) -> np.ndarray:
    """Mean length of the list, and share of steps with one, by batch of steps (2, batches): the recursion alone."""
    out = np.zeros((2, batches))
    inside = 0
    for batch in range(-1, batches):  # the first is for warming up
        for _ in range(steps):
            inside += rng.poisson(referrals) - rng.binomial(min(inside, slots), ends)
            if batch >= 0 and inside > slots:
                out[0, batch] += (inside - slots) / steps
                out[1, batch] += 1.0 / steps
    return out


@pytest.mark.parametrize("q", QUEUES, ids=QUEUE_IDS)
def test_o3_the_councils_list_is_the_queue_step_by_step(q: Queue) -> None:
    """The package's own list, fed with referrals and completions, has the recursion's length in every step.

    First come is first served among equals, so that each person's wait follows as well; all waits sum to the list's
    length over the steps (Little).
    """
    rng = np.random.default_rng(7)
    place = small.by_hand(400, level=1, deficits=1, need=100)
    c = place.citizens
    inside, arrived = 0, np.full(len(c), -1)
    free = list(range(len(c)))
    lengths, waits, served = 0, 0, []
    for step in range(1, 1201):
        place.month = step
        place.ledger.open_month()
        active = np.flatnonzero(c.eligible)
        done = active[rng.random(len(active)) < q.ends]
        c.eligible[done] = False
        free += done.tolist()
        came = [free.pop(0) for _ in range(rng.poisson(q.referrals))]
        c.requests[:] = 0
        c.requests[came], arrived[came] = 1, step
        inside += len(came) - len(done)
        place.council.assessments = q.slots - int(c.eligible.sum())
        ASSESS_ALL.step(place, Luck(1, step))
        started = np.flatnonzero(c.waited >= 0)
        assert (c.waited[started] == step - arrived[started]).all()
        served += sorted(arrived[started].tolist())
        waits += int(c.waited[started].sum())
        lengths += int(place.ledger.events[Event.MONTHS_WAITED])
        assert (c.waiting_since >= 0).sum() == max(inside - q.slots, 0)
        assert c.eligible.sum() == min(inside, q.slots)
    still = c.waiting_since >= 0
    assert served == sorted(served)
    assert waits + (step + 1 - arrived[still]).sum() == lengths
    assert lengths > 500


@pytest.mark.parametrize("q", QUEUES, ids=QUEUE_IDS)
def test_o3_in_the_long_run_the_list_has_its_known_length(q: Queue) -> None:
    """The recursion that the list has just been shown to follow, long enough for one part in a hundred."""
    batches = listing(q.slots, q.ends, q.referrals, 60, 400_000, np.random.default_rng(11))
    for means, expected in zip(batches, (q.waiting, q.some_wait), strict=True):
        error = means.std(ddof=1) / np.sqrt(len(means))
        assert error <= 0.01 * expected
        assert abs(means.mean() - expected) <= SIGMAS * error


# --- O7: people withdraw and come back, whatever their ties ---


def test_o7_one_in_six_is_withdrawn_when_one_in_fifty_withdraws_and_one_in_ten_comes_back() -> None:
    still = {"meet": 0.0, "lose_touch": 0.0, "fade": (0.0,) * 7, "ends_under": 0.0}
    ties = Ties(withdraw=0.02, come_back=0.10, stigma_effect=0.0, **still)
    circle = [(i, (i + 1) % PEOPLE, small.Tie.FRIEND) for i in range(PEOPLE)]
    place = small.by_hand(PEOPLE, circle)
    before = len(place.ties)
    for month in range(1, 121):  # what was at the start counts for 0.88^120, less than one in four million
        ties.step(place, Luck(9, month))
    error = np.sqrt(1 / 6 * 5 / 6 / PEOPLE)
    assert abs(place.citizens.withdrawn.mean() - 1 / 6) <= SIGMAS * error
    assert len(place.ties) == before


# --- O10 through the council's own purse ---


def five_eligible(budget_minutes: int) -> Place:
    """Five people of level 3 who are allowed 600, 500, 400, 300 and 200 minutes, and money for some of them."""
    allowed = np.array([600, 500, 400, 300, 200])
    place = small.by_hand(5, level=3, need=allowed, entitled=allowed, eligible=True, assessed=True, route=2)
    place.council.care_pot = pence(24.0) * budget_minutes // 60
    return place


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, [0, 0, 0, 0, 0]),
        (600, [600, 0, 0, 0, 0]),
        (1250, [600, 500, 150, 0, 0]),
        (1999, [600, 500, 400, 300, 199]),
        (9000, [600, 500, 400, 300, 200]),
    ],
)
def test_o10_packages_are_a_prefix_of_cumulative_need(minutes: int, expected: list[int]) -> None:
    provision = Provision(home_care_fee=24.0, home_care=10.0)
    bought = small.alone(provision, five_eligible(minutes))
    assert bought.citizens.funded.tolist() == expected
    assert bought.council.overspend == 0


# --- O12: fairness ---


@pytest.mark.parametrize("each", [1, 7])
def test_o12_health_that_equals_the_quintile_has_a_concentration_index_of_four_fifteenths(each: int) -> None:
    rank = np.repeat(np.arange(1.0, 6.0), each)
    assert concentration_index(rank, rank) == pytest.approx(4 / 15, abs=1e-12)


@pytest.mark.parametrize("people", [2, 3, 10, 1000])
def test_o12_health_that_equals_the_rank_has_an_index_of_its_closed_form(people: int) -> None:
    rank = np.arange(1.0, people + 1.0)
    assert concentration_index(rank, rank) == pytest.approx((people - 1) / (3 * people), abs=1e-12)
