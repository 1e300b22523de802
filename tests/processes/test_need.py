"""Need is ten outcomes and some minutes; it is stationary where nothing ages, and rises with age and shocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chance import SIGMAS, log_odds_ratio, near, off_zero

import small
from carecommons.evidence.validate import targets
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.place.population import ADL_BITS, CARE_ACT_OUTCOMES, RELATIONSHIPS
from carecommons.processes.need import Need
from carecommons.processes.turnover import Turnover
from carecommons.units import MINUTES_A_MONTH, WEEKS_A_MONTH, monthly

MANY = 20_000
AGELESS: dict[str, Any] = {"worsen_by_age": 0.0, "worsen_by_age_young": 0.0, "recover_by_age": 0.0, "onset": 0.0}
UNMOVED: dict[str, Any] = {"isolation_effect": 1.0, "unmet_effect": 1.0, "shock": 0.0}
STILL: dict[str, Any] = {"worsen": (0.0,) * 3, "recover": (0.0,) * 3, "shock": 0.0, "onset": 0.0}


# --- R1: ten outcomes with severity; company apart from personal care ---


def test_everybody_has_ten_outcomes_of_a_severity_from_nought_to_three(lived_in: Place) -> None:
    c = lived_in.citizens
    needs = c.need_vector()
    assert needs.shape == (len(c), len(CARE_ACT_OUTCOMES)) == (len(c), 10)
    assert needs.min() >= 0 and needs.max() <= 3
    personal = np.delete(needs, RELATIONSHIPS, axis=1)
    assert np.array_equal(
        personal.max(axis=1), c.level
    )  # whoever is in need fails something, at the severity of his level
    assert np.array_equal(needs[:, RELATIONSHIPS] > 0, c.relational > 0)


@pytest.mark.parametrize(
    ("level", "deficits", "relational", "expected"),
    [
        (0, 0b0000000000, 0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (1, 0b0000000001, 0, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (2, 0b1000001001, 0, [2, 0, 0, 2, 0, 0, 0, 0, 0, 2]),
        (3, 0b1110111111, 0, [3, 3, 3, 3, 3, 3, 0, 3, 3, 3]),
        (0, 0b0000000000, 2, [0, 0, 0, 0, 0, 0, 2, 0, 0, 0]),
        (1, 0b0001000001, 2, [1, 0, 0, 0, 0, 0, 2, 0, 0, 0]),
    ],
)
def test_the_vector_of_needs_by_hand(level: int, deficits: int, relational: int, expected: list[int]) -> None:
    place = small.by_hand(1, level=level, deficits=deficits, relational=relational)
    assert place.citizens.need_vector()[0].tolist() == expected


def test_a_need_for_company_asks_for_no_minutes_of_care() -> None:
    lonely = small.alone(Need(**STILL), small.by_hand(50, relational=2, isolated=True))
    assert not lonely.citizens.need.any() and not lonely.citizens.level.any()


def moving(months: int = 60) -> list[Place]:
    """Some people whose levels go up and down fast, month by month."""
    place = small.by_hand(300, frailty=np.linspace(0.3, 2.5, 300))
    quick = Need(worsen=(1.0,) * 3, recover=(1.0,) * 3, **AGELESS, **UNMOVED)
    out = []
    for _ in range(months):
        place = small.alone(quick, place)
        out.append(place)
    return out


def test_who_is_worse_fails_all_that_he_failed_before_and_the_same_level_is_the_same_need() -> None:
    seen: dict[tuple[int, int], tuple[int, int]] = {}
    for place in moving():
        c = place.citizens
        for who, level, deficits, need in zip(
            c.id.tolist(), c.level.tolist(), c.deficits.tolist(), c.need.tolist(), strict=True
        ):
            assert seen.setdefault((who, level), (deficits, need)) == (deficits, need)
    whole_ladders = [who for who in range(300) if all((who, level) in seen for level in range(4))]
    assert len(whole_ladders) > 250
    for who in whole_ladders:
        assert seen[who, 0] == (0, 0)
        for level in (1, 2):
            (fewer, less), (more, longer) = seen[who, level], seen[who, level + 1]
            assert fewer > 0 and fewer & ~more == 0 and longer >= less > 0


def test_minutes_are_hours_by_level_times_frailty_and_no_more_than_a_month_has() -> None:
    place = moving()[-1]
    c = place.citizens
    hours = np.array([0.0, *Need().hours])[c.level]
    expected = np.minimum(hours * 60 * WEEKS_A_MONTH * c.frailty, MINUTES_A_MONTH - 1)
    assert (np.abs(c.need - expected) <= 1).all()


@pytest.mark.parametrize("level", [1, 2, 3])
def test_outcomes_fail_as_often_as_stated(level: int) -> None:
    """Where the first always fails, nobody in need would fail nothing, and the others' chances are the stated ones."""
    chances = {
        name: (1.0, *getattr(Need(), name)[1:]) for name in ("deficits_low", "deficits_moderate", "deficits_high")
    }
    place = small.by_hand(MANY, level=level - 1)
    rise = tuple(1.0 if k == level - 1 else 0.0 for k in range(3))
    after = small.alone(Need(**{**STILL, "worsen": rise}, **chances), place).citizens
    moved = after.level == level
    for bit, chance in enumerate(list(chances.values())[level - 1]):
        fails = (after.deficits[moved] >> bit & 1).astype(bool)
        assert near(fails, chance), CARE_ACT_OUTCOMES[bit]


def test_nobody_in_need_fails_nothing() -> None:
    never = {name: (0.0,) * 10 for name in ("deficits_low", "deficits_moderate", "deficits_high")}
    after = small.alone(Need(**{**STILL, "worsen": (1.0, 0.0, 0.0)}, **never), small.by_hand(2000)).citizens
    assert (np.bitwise_count(after.deficits[after.level > 0]) == 1).all()
    assert not (after.deficits >> RELATIONSHIPS & 1).any()


@pytest.mark.parametrize(("sex", "row"), [(1, "need_adl_65plus_men"), (0, "need_adl_65plus_women")])
def test_founders_of_65_and_over_need_help_with_daily_living_as_published(sex: int, row: str) -> None:
    """Within the band of `carecommons validate` (a fifth either side) and sampling error of the 4,000 people asked."""
    c = small.founded(small.SCENARIO.but({"place": "england", "citizens": 20_000})).citizens
    asked = (c.age >= 65 * 12) & (c.sex == sex)
    share = 100 * float((c.deficits[asked] & np.uint16(ADL_BITS) > 0).mean())
    band = targets().loc[row]
    error = SIGMAS * 100 * np.sqrt(0.25 * 0.75 / asked.sum())
    assert band["band_low"] - error <= share <= band["band_high"] + error


# --- R2: ageing, shocks, recovery, and the modifiers that may be off ---


def in_balance(need: Need, people: int) -> Place:
    """People of ten kinds (impairment, deprivation) at the levels that leave as many as they receive, by hand.

    In a chain of neighbouring states each level holds the one below times the chance up over the chance down.
    """
    kind = np.arange(people) % 10
    disabled, fifth = kind >= 5, kind % 5 + 1
    up = np.array([monthly(p) for p in need.worsen])
    down = np.array([monthly(p) for p in need.recover])
    level = np.zeros(people, np.int8)
    for k in range(10):
        worse = need.worsen_by_deprivation[k % 5] * (need.worsen_if_disabled if k >= 5 else 1.0)
        better = need.recover_if_disabled if k >= 5 else 1.0
        shares = np.cumprod([1.0, *(up * worse / (down * better))])
        members = np.flatnonzero(kind == k)
        place_in = (np.arange(len(members)) + 0.5) / len(members)
        level[members] = np.searchsorted(np.cumsum(shares / shares.sum()), place_in)
    return small.by_hand(people, age=67 * 12, disabled=disabled, deprivation=fifth, level=level)


def trends(need: Need, place: Place, months: int, *, ageing: bool) -> np.ndarray:
    """Each person's own slope of the level of need over the months (n,)."""
    grow = Turnover(mortality=0.0, departure=0.0, departure_young=0.0)
    levels = np.empty((months, len(place.citizens)))
    for month in range(1, months + 1):
        if ageing:
            grow.step(place, Luck(3, month))
        need.step(place, Luck(3, month))
        levels[month - 1] = place.citizens.level
    time = np.arange(months) - (months - 1) / 2
    return np.asarray(time @ levels / (time @ time))


def test_without_ageing_and_modifiers_mean_need_has_no_trend() -> None:
    need = Need(**AGELESS, **UNMOVED)
    assert abs(off_zero(trends(need, in_balance(need, 5000), 60, ageing=False))) <= SIGMAS


def test_without_effects_of_age_growing_older_is_no_trend_either() -> None:
    need = Need(**AGELESS, **UNMOVED)
    assert abs(off_zero(trends(need, in_balance(need, 5000), 60, ageing=True))) <= SIGMAS


def test_with_ageing_mean_need_rises() -> None:
    still = Need(**AGELESS, **UNMOVED)
    ageing = Need(**UNMOVED, onset=0.0)  # the balance at 67 is the same: rates by age are set against 67
    assert off_zero(trends(ageing, in_balance(still, 5000), 60, ageing=True)) > SIGMAS


def test_impairment_that_comes_with_the_years_brings_need_and_spares_nobody() -> None:
    """The same people under the same luck: whose impairment comes is never the better for it, and some are worse."""
    still = Need(**AGELESS, **UNMOVED)
    people = []
    for onset in (0.0, 1.0):
        place = in_balance(still, 5000)
        trends(still.but(onset=onset), place, 60, ageing=True)
        people.append(place.citizens)
    without, with_onset = people
    assert (without.disabled <= with_onset.disabled).all() and with_onset.disabled.sum() > without.disabled.sum()
    assert (without.level <= with_onset.level).all() and with_onset.level.sum() > without.level.sum()


@pytest.mark.parametrize(("years", "multiple"), [(67, 1.0), (77, np.exp(0.5)), (57, np.exp(-0.3))])
def test_a_shock_brings_high_need_at_once_as_often_as_stated(years: int, multiple: float) -> None:
    place = small.by_hand(MANY, age=years * 12, level=np.arange(MANY) % 3)
    shocks = Need(**{**STILL, "shock": 0.2}, worsen_by_age=0.5, worsen_by_age_young=0.3)
    after = small.alone(shocks, place).citizens
    moved = after.level != place.citizens.level
    assert near(moved, monthly(0.2) * multiple)
    assert (after.level[moved] == 3).all()


@pytest.mark.parametrize("effect", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("what", ["isolation", "unmet"])
def test_isolation_and_unmet_need_may_speed_up_slow_down_or_leave_worsening(what: str, effect: float) -> None:
    half = np.arange(MANY) % 2 == 0
    state = {"isolated": half} if what == "isolation" else {"unmet": np.where(half, 501, 500)}
    place = small.by_hand(MANY, age=67 * 12, level=1, need=1000, **state)
    need = Need(**{**STILL, "worsen": (0.0, 0.5, 0.0)}, **{f"{what}_effect": effect})
    worse = small.alone(need, place).citizens.level == 2
    assert near(worse[~half], monthly(0.5)) and near(worse[half], monthly(0.5) * effect)
    log_ratio, error = log_odds_ratio(worse[half], worse[~half])
    assert effect == 1.0 or (np.sign(log_ratio) == np.sign(np.log(effect)) and abs(log_ratio) > SIGMAS * error)


@pytest.mark.parametrize(("process", "column"), [("isolation_effect", "isolated"), ("unmet_effect", "unmet")])
def test_at_no_strength_need_does_not_know_of_isolation_or_unmet_need(
    process: str, column: str, lived_in: Place
) -> None:
    """R14: everything else as it is, only that one column turned round; nobody's need moves otherwise, exactly."""
    turned = lived_in.copy()
    values = getattr(turned.citizens, column)
    values[:] = ~values if values.dtype == bool else np.where(values > 0, 0, turned.citizens.need)
    for effect in (1.0, 2.0):
        need = Need(**{process: effect}, worsen=(0.9,) * 3)
        a, b = (small.alone(need, place).citizens for place in (lived_in, turned))
        same = all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("level", "deficits", "need"))
        assert same is (effect == 1.0)


def test_who_recovers_is_a_newcomer_to_the_council_and_who_moves_is_reviewed() -> None:
    place = small.by_hand(2000, level=1, need=500, deficits=1, asked=True, refusals=3, assessed=True, reviewed=-4)
    recovering = Need(**{**STILL, "recover": (1.0, 0.0, 0.0)})
    c = small.alone(recovering, place).citizens
    well = c.level == 0
    assert 0 < well.sum() < 2000
    assert not (c.need[well].any() or c.deficits[well].any() or c.asked[well].any() or c.refusals[well].any())
    assert not c.assessed[well].any() and (c.reviewed[well] < -900).all()
    assert c.asked[~well].all() and (c.refusals[~well] == 3).all() and (c.reviewed[~well] == -4).all()
