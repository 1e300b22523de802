"""What must not matter does not matter: storage, watching, the horizon, defaults, strangers, what is switched off."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import small
from carecommons.cycle import CYCLE
from carecommons.errors import InputError
from carecommons.model import CareCommons
from carecommons.outcomes.catalogue import BY_NAME, observe
from carecommons.params import Parameter, Role
from carecommons.place.place import Place
from carecommons.place.population import Citizens
from carecommons.place.ties import Ties
from carecommons.processes.process import Process
from carecommons.scenario import Scenario, register
from carecommons.units import hours_a_week, minutes_a_month, monthly, pence, pence_a_month

PROCESSES = [entry for entry in CYCLE if isinstance(entry, type)]
SECTIONS = [process.section() for process in PROCESSES]
PERMANENT = ("address", "neighbourhood", "deprivation")
# A year of a place costs too much to look for the smallest that fails: the first is told.
FEW = settings(max_examples=5, phases=(Phase.explicit, Phase.generate))
WORLDS = {"today": small.SCENARIO, "stirred": small.STIRRED, "strict": small.STRICT}


# --- storage ---


def shuffled(place: Place, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(len(place.citizens))


@given(st.integers(0, 10**6))
def test_an_order_of_storage_undone_is_the_place_itself(lived: Callable[[], Place], seed: int) -> None:
    place = lived()
    order = shuffled(place, seed)
    assert small.differing(place, place.reordered(order).reordered(np.argsort(order))) == []


@FEW
@given(st.sampled_from(list(WORLDS)), st.integers(0, 10**6))
def test_the_order_of_storage_changes_nobodys_year(world: str, seed: int) -> None:
    """Rows are shuffled, identities and ties travel along: after a year every column is the same, exactly."""
    scenario, place = WORLDS[world], small.founded(WORLDS[world])
    order = shuffled(place, seed)
    here = small.run(scenario, place, months=13)
    there = small.run(scenario, place.reordered(order), months=13)
    assert small.differing(here.place, there.place.reordered(np.argsort(order))) == []
    rows = zip(here.series.to_numpy(), there.series.to_numpy(), strict=True)
    assert all(np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True) for a, b in rows)  # means are sums of floats


@pytest.mark.parametrize("process", PROCESSES, ids=SECTIONS)
@FEW
@given(seed=st.integers(0, 10**6))
def test_the_order_of_storage_changes_nothing_a_process_does(process: type[Process], seed: int) -> None:
    """Process by process, so that a failure names the one that went by position."""
    place = small.run(small.STIRRED, months=3).place
    order = shuffled(place, seed)
    one = small.STIRRED.process(process)
    moved = small.alone(one, place.reordered(order)).reordered(np.argsort(order))
    assert small.differing(small.alone(one, place), moved) == []


# --- time, watching, beginning again ---


def test_the_first_months_do_not_know_how_long_the_run_will_be() -> None:
    short = small.run(small.STIRRED.but({"months": 6}))
    long = small.run(small.STIRRED.but({"months": 15}), months=6)
    assert small.differing(short.place, long.place) == []
    long.run()
    assert long.series.iloc[:6].equals(short.series) and len(long.series) == 15


def test_what_will_be_decided_later_does_not_change_what_was() -> None:
    place = small.run(small.STIRRED, months=5).place
    later = small.run(small.STIRRED.but({"council.funding": 0.1, "ties.meet": 0.0}), place, months=3)
    assert small.differing(place, small.run(small.STIRRED, months=5).place) == []
    assert small.differing(later.place, small.run(small.STIRRED, place, months=3).place) != []


@pytest.mark.parametrize("world", list(WORLDS))
def test_a_run_taken_up_again_is_the_run_straight_through(world: str) -> None:
    half, whole = (small.run(WORLDS[world], months=months).place for months in (7, 14))
    assert small.differing(small.run(WORLDS[world], half, months=7).place, whole) == []


def test_a_model_that_founds_its_own_place_is_one_that_is_given_it() -> None:
    own = CareCommons(small.SCENARIO, rng=3).run(4)
    assert small.differing(own.place, small.run(small.SCENARIO, seed=3, months=4).place) == []


def test_another_seed_is_another_world() -> None:
    a, b = (small.run(small.SCENARIO, seed=seed, months=2).place for seed in (1, 2))
    assert len(small.differing(a, b)) > 20


def test_watching_changes_nothing() -> None:
    alone = small.run(small.STIRRED, months=6)
    watched = small.run(small.STIRRED, months=0)
    for _ in range(6):
        watched.step()
        _ = watched.series
        observe(watched.place)
        watched.graph()
        for people in (watched.citizens, watched.carers, watched.enterprises):
            _ = [agent.unique_id for agent in people]
        _ = watched.council.reserves
    assert small.differing(alone.place, watched.place) == []
    assert alone.series.equals(watched.series)


SAMPLE = """
import small
from hashlib import blake2b
place = small.run(small.STIRRED.but({"citizens": 60}), months=3).place
parts = [(name, values.tolist()) for name, values in small.columns(place).items()]
parts += [(part, small.part_of(place, part)) for part in ("ties", "groups", "enterprises", "council", "ledger")]
print(blake2b(repr(parts).encode()).hexdigest())
"""


def printed(**variables: str) -> str:
    """What a Python of its own says of three months of a small place, with any warning an error."""
    here = str(Path(small.__file__).parent)
    paths = os.pathsep.join([here, *sys.path])
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", SAMPLE]
    variables = {**os.environ, "PYTHONPATH": paths, **variables}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("variables", [{"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "4242"}, {"NUMBA_DISABLE_JIT": "1"}],
                         ids=["hash seed 0", "hash seed 4242", "plain Python"])  # fmt: skip
def test_months_are_the_same_bytes_for_any_hash_seed_and_without_compilation(variables: dict[str, str]) -> None:
    assert printed(**variables) == printed(PYTHONHASHSEED="1")


def test_a_step_does_not_touch_the_place_it_was_given() -> None:
    place = small.founded(small.STIRRED)
    small.run(small.STIRRED, place, months=3)
    assert small.differing(place, small.founded(small.STIRRED)) == []


# --- defaults, and what is the same said otherwise ---


def test_writing_out_every_default_changes_nothing() -> None:
    bare = Scenario(citizens=300, months=4)
    spelt = Scenario.of({**Scenario().flat(), "citizens": 300, "months": 4})
    assert spelt.digest == bare.digest and spelt.changes() == bare.changes()
    assert small.differing(small.run(bare).place, small.run(spelt).place) == []


def test_a_scenario_written_to_a_file_and_read_again_is_the_same(tmp_path: Any) -> None:
    for everything in (False, True):
        file = tmp_path / "mine.toml"
        file.write_text(small.STRICT.to_toml(everything=everything), encoding="utf-8")
        assert Scenario.load(file).digest == small.STRICT.digest


def test_a_name_is_not_part_of_what_is_simulated() -> None:
    named = small.SCENARIO.but({"name": "today"})
    assert named.digest == small.SCENARIO.digest
    assert small.differing(small.run(named, months=3).place, small.run(small.SCENARIO, months=3).place) == []


@given(st.floats(0, 168, allow_subnormal=False))
def test_hours_a_week_and_minutes_a_month_are_one_quantity(hours: float) -> None:
    assert hours_a_week(minutes_a_month(hours)) == pytest.approx(hours, abs=hours_a_week(0.5) + 1e-12)
    assert abs(minutes_a_month(2 * hours) - 2 * minutes_a_month(hours)) <= 1.5


@given(st.integers(0, 10**9))
def test_pounds_and_pence_are_one_quantity(amount: int) -> None:
    assert pence(amount / 100) == amount
    assert abs(pence_a_month(amount / 100) * 84 - amount * 365.25) <= 42  # 84 = 7 days x 12 months; half a penny


@given(st.floats(0, 1))
def test_twelve_monthly_chances_make_the_yearly_one(annual: float) -> None:
    month = monthly(annual)
    assert 0.0 <= month <= 1.0
    assert 1.0 - (1.0 - month) ** 12 == pytest.approx(annual, abs=1e-12)


# --- what is switched off, or without effect ---


def moved(p: Parameter) -> Any:
    """Another value of a parameter, within its range."""
    if isinstance(p.value, bool):
        return not p.value
    if p.low is None:
        return p.value
    several = p.value if isinstance(p.value, tuple) else (p.value,)
    far = [p.high if abs(p.high - v) > abs(p.low - v) else p.low for v in several]
    near = tuple(type(v)(v + (f - v) * 0.25 or f) for v, f in zip(several, far, strict=True))
    return near if isinstance(p.value, tuple) else near[0]


def with_all_moved(scenario: Scenario, section: str) -> Scenario:
    """The scenario with every parameter of a section moved, but for the switch and what its checks would refuse."""
    for p in register():
        if p.key.startswith(f"{section}.") and p.key != f"{section}.off":
            for value in (moved(p), p.value[::-1] if isinstance(p.value, tuple) else p.value):
                try:
                    scenario = scenario.but({p.key: value})
                    break
                except InputError:
                    continue
    return scenario


@pytest.mark.parametrize("section", SECTIONS)
def test_nothing_of_a_process_that_is_off_matters_to_the_months(section: str) -> None:
    """From one and the same founded place, all parameters of a process that is off can be anything."""
    off = small.STIRRED.but({f"{section}.off": True})
    other = with_all_moved(off, section)
    assert len(other.changes()) >= len(off.changes())
    place = small.founded(small.STIRRED)
    runs = [small.run(s, place, months=5).place for s in (off, other)]
    assert small.differing(*runs) == []


@pytest.mark.parametrize("section", SECTIONS)
def test_the_same_parameters_do_matter_when_it_is_on(section: str) -> None:
    """So that the test before has something to lose."""
    place = small.founded(small.STIRRED)
    runs = [small.run(s, place, months=5).place for s in (small.STIRRED, with_all_moved(small.STIRRED, section))]
    assert small.differing(*runs) != []


@pytest.mark.parametrize("section", ["groups", "enterprises", "assessment", "council"])
def test_organisations_and_clients_that_are_off_are_not_founded_either(section: str) -> None:
    off = small.STIRRED.but({f"{section}.off": True})
    assert small.differing(small.founded(off), small.founded(with_all_moved(off, section))) == []


ALL_OFF = {f"{section}.off": True for section in SECTIONS}


@pytest.mark.parametrize("key", [p.key for p in register() if p.role == Role.LEVER and p.key.split(".")[0] in SECTIONS])
def test_with_everything_off_no_lever_moves_anything(key: str) -> None:
    lever = next(p for p in register() if p.key == key)
    if key.endswith(".off"):
        return
    off = small.SCENARIO.but(ALL_OFF)
    value = moved(lever) if lever.low is not None or isinstance(lever.value, bool) else OTHER_CHOICE[key]
    if key == "council.shares":
        value = lever.value[::-1]
    place = small.founded(off)
    after = small.run(off.but({key: value}), place, months=3).place
    assert small.differing(after, place) == []


OTHER_CHOICE = {"assessment.rule": "facs", "assessment.band": "low", "assessment.stance": "carer_blind"}

# Without what stands left, what stands right is dead.
DEAD: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
    ({"assessment.rule": "care_act"}, {"assessment.band": "critical"}),
    ({"assessment.rule": "facs"}, {"assessment.threshold": 7, "assessment.discretion": 0.9, "assessment.impact": 0.1}),
    ({"assessment.stance": "deficit"}, {"assessment.asset_hours": 90.0}),
    ({"asking.door": 0.0}, {"asking.rate": 0.9, "asking.fear": 1.0, "asking.stigma": 1.0, "asking.again": 1.0,
                            "asking.discouragement": 1.0, "asking.isolation_effect": 3.0, "asking.young": 4.0}),
    ({"asking.crisis": 0.0}, {"asking.crisis_if_isolated": 3.0}),
    ({"enterprises.catalysts": 0.0}, {"enterprises.aided": 190.0}),
    ({"ties.stigma_effect": 0.0}, {"ties.welcome": 1.0}),
    ({"ties.meet": 0.0}, {"ties.enough": 90.0, "ties.through_friends": 0.1, "ties.like_age": 900.0,
                          "ties.first_closeness": 0.9}),
    ({"groups.join": 0.0, "groups.founding_share": 0.0}, {"groups.volunteer_minutes": 5000, "groups.acquaint": 0.9}),
    ({"groups.volunteer_minutes": 0}, {"groups.most_help": 5000}),
    ({"groups.acquaint": 0.0}, {"groups.closeness": 0.9}),
    ({"informal_care.willing": 0.0}, {"informal_care.live_in": 9.0, "informal_care.at_most": 0.1,
                                      "informal_care.tiring": 0.9, "informal_care.recognised": 1.0}),
    ({"informal_care.tiring": 0.0}, {"informal_care.breaks": 30.0, "informal_care.breakdown": 1.0}),
    ({"turnover.arrival": 0.0}, {"turnover.coming_of_age": 0.1}),
    ({"provision.spends": 0.0, "assessment.care_home": 0.0}, {"provision.self_paid_share": 0.9}),
    ({"charging.lifetime_cap": 0.0}, {"charging.daily_living": 390.0}),
    ({"council.group_grants": 0.0, "assessment.low_level_share": 0.0}, {"council.low_level_cost": 90_000.0}),
]  # fmt: skip


@pytest.mark.parametrize(("without", "dead"), DEAD, ids=lambda part: "+".join(k.split(".")[1] for k in part))
def test_a_policy_without_effect_is_no_policy(without: Mapping[str, Any], dead: Mapping[str, Any]) -> None:
    """Nothing differs for anybody, exactly: each draw belongs to a person and a decision, and none is used up."""
    base = small.spread(small.STIRRED, without)
    policy = small.spread(base, dead)
    place = small.founded(base)
    assert policy.digest != base.digest
    assert small.differing(small.run(base, place, months=6).place, small.run(policy, place, months=6).place) == []


@pytest.mark.parametrize("world", list(WORLDS))
def test_the_null_policy_differs_in_nothing_from_founding_to_the_last_month(world: str) -> None:
    runs = [CareCommons(Scenario.of(WORLDS[world].flat()), rng=5).run(6) for _ in range(2)]
    assert small.differing(runs[0].place, runs[1].place) == []
    difference = (runs[0].series - runs[1].series).fillna(0.0)
    assert (difference == 0.0).all(axis=None) and set(difference.columns) == set(BY_NAME)


# --- strangers ---

PLENTY = {  # nothing that people share runs short; strangers become couples, so that is off as well
    "pairing.off": True,
    "council.funding": 10.0, "council.assessment_cost": 1.0, "council.overspend_limit": 10.0,
    "provision.home_care": 10.0, "provision.assistants": 10.0, "provision.private_care": 10.0,
    "enterprises.off": True, "turnover.arrival": 0.0,
}  # fmt: skip


def cut(place: Place, here: np.ndarray) -> Place:
    """The place without the ties between those `here` (n,) and the others."""
    t = place.ties
    used = t.used
    own = used & (t.owner < t.neighbour) & (here[t.owner] == here[t.neighbour])
    minutes, place.ties = t.minutes, Ties.from_pairs(
        len(t.degree), t.owner[own], t.neighbour[own], t.kind[own], t.strength[own], t.bond[own], 6
    )  # fmt: skip
    assert not minutes.any()
    return place


def only(place: Place, here: np.ndarray) -> Place:
    """The place with nobody but those `here`; addresses stay, empty."""
    left = cut(place.copy(), here)
    away = np.flatnonzero(~here)
    left.citizens.clear(away, keep=PERMANENT)
    left.ties.degree[away] = 0
    return left


def lives_of(place: Place, here: np.ndarray) -> dict[str, Any]:
    """All that can be said of those `here`, their ties included."""
    t = place.ties
    mine = t.used & here[t.owner]
    said = {name: values[here].tolist() for name, values in small.columns(place).items()}
    return said | {name: getattr(t, name)[mine].tolist() for name in small.halves()}


def test_two_towns_without_ties_between_them_live_as_if_each_were_alone() -> None:
    """No care, friendship, loneliness or help of groups crosses; the whole is the two put together, exactly."""
    scenario = small.STIRRED.but(PLENTY)
    place = small.founded(scenario)
    west = place.citizens.neighbourhood < 2
    place = cut(place, west)
    together = small.run(scenario, place, months=14).place
    assert together.citizens.informal.sum() > 0 and together.citizens.community.sum() > 0
    for here in (west, ~west):
        apart = small.run(scenario, only(place, here), months=14).place
        assert lives_of(apart, here) == lives_of(together, here)


def test_people_without_ties_live_as_if_each_were_the_only_one() -> None:
    scenario = small.STIRRED.but({**PLENTY, "ties.meet": 0.0, "groups.off": True})
    place = small.founded(scenario)
    place.ties = Ties.none(len(place.citizens), 6)
    place.citizens.partner[:], place.citizens.household[:], place.citizens.home_size[:] = -1, place.citizens.address, 1
    together = small.run(scenario, place, months=12).place
    for k in np.flatnonzero(place.citizens.level > 0)[:8]:
        alone = np.arange(len(place.citizens)) == k
        assert lives_of(small.run(scenario, only(place, alone), months=12).place, alone) == lives_of(together, alone)


def test_without_ties_and_groups_nobody_is_helped_unpaid_and_all_are_isolated() -> None:
    scenario = small.STIRRED.but({"wellbeing.professional_weight": 0.0, "ties.meet": 0.0, "groups.off": True,
                                  "pairing.off": True, "turnover.arrival": 0.0})  # fmt: skip
    place = small.founded(scenario)
    place.ties = Ties.none(len(place.citizens), 6)
    for month in small.months(scenario, place, 8):
        c = month.after.citizens
        assert c.informal.sum() == c.given.sum() == c.community.sum() == c.network.sum() == 0
        assert c.isolated[c.alive].all() and not c.strain.any()


# --- other money ---


def in_other_money(scenario: Scenario, k: int) -> Scenario:
    """Every amount of money `k` times as large; ranges are ranges of today's pounds and are not checked."""
    sections: dict[str, dict[str, Any]] = {}
    for p in register():
        if p.unit.startswith("pounds") and "." in p.key:
            section, name = p.key.split(".")
            value = scenario.get(p.key)
            many = tuple(k * v for v in value) if isinstance(value, tuple) else k * value
            sections.setdefault(section, {})[name] = many
    return scenario.model_copy(
        update={name: getattr(scenario, name).model_copy(update=values) for name, values in sections.items()}
    )


def with_other_money(place: Place, k: int) -> Place:
    """The same place a currency reform later."""
    rich = place.copy()
    for name in (c.name for c in Citizens.describe() if c.unit.startswith("pence")):
        getattr(rich.citizens, name)[:] *= k
    for pot in ("care_pot", "prevention_pot", "running_pot", "reserves", "overspend", "allowance"):
        setattr(rich.council, pot, k * getattr(rich.council, pot))
    rich.ledger.balances *= k
    return rich


@pytest.mark.parametrize("funding", [0.6, 5.0])
@pytest.mark.parametrize("k", [3, 10])
def test_in_money_of_another_worth_the_month_is_the_same(k: int, funding: float) -> None:
    """Prices, wages, incomes, wealth, limits and budget k times as large: people get the same, and pay k times as much.

    Rounding to whole pence differs by at most k for each amount worked out: a person's charge and cost, a month's grant
    and each pot. With a tight budget these pence shift the last packages reached, by no more minutes than they buy.
    """
    scenario = small.SCENARIO.but({"council.funding": funding, "turnover.off": True})
    place = small.run(scenario, months=6).place
    place.citizens.assessable[:] = 0  # what somebody was once charged and no longer is
    here = small.run(scenario, place, months=1).place
    there = small.run(in_other_money(scenario, k), with_other_money(place, k), months=1).place
    money = {c.name for c in Citizens.describe() if c.unit.startswith("pence")}
    bought = {"funded", "from_council", "from_own", "unmet", "spare_care"} | money
    felt = {"satisfied", "scrqol", "status", "deficits", "relational"}  # follow what was bought
    apart = {*bought, *felt, "council", "ledger", "enterprises"}
    assert set(small.differing(here, there)) <= apart
    transactions = int((here.citizens.funded > 0).sum()) + 4
    an_hour = 100 * min(scenario.provision.assistant_rate, scenario.provision.enterprise_rate)
    slack = math.ceil(transactions * (k + 1) * 60 / (k * an_hour)) + int((here.citizens.route == 6).sum())
    assert np.abs(here.citizens.funded - there.citizens.funded).sum() <= slack
    same = (here.citizens.funded == there.citizens.funded) & (here.citizens.from_own == there.citizens.from_own)
    for name in ("council_cost", "own_cost", "assessable"):
        apart_by = np.abs(k * getattr(here.citizens, name).astype(np.int64) - getattr(there.citizens, name))
        selfpaid = here.citizens.assessable == 2_000_000_000
        assert (apart_by[same & ~selfpaid] <= 5 * k).all(), name
    assert same.mean() > 0.99
