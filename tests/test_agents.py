"""Agents are live windows on the columns: what they show is what is there, and what they change is changed."""

from __future__ import annotations

import copy
import gc
import math
import weakref
from random import Random
from typing import Any

import mesa
import numpy as np
import pytest

import small
from carecommons.agents import Carer, Citizen, CommunityGroup, Council, GoneError, MicroEnterprise, Window
from carecommons.cycle import CYCLE
from carecommons.errors import CareCommonsError, InputError
from carecommons.model import CareCommons
from carecommons.place.ledger import Event
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.place.population import Citizens, Level, Route
from carecommons.place.ties import Tie
from carecommons.processes.behaviour import Behaviour
from carecommons.processes.process import Process
from carecommons.scenario import Scenario

WINDOWS = {"partner": Citizen, "enterprise": MicroEnterprise}


@pytest.fixture
def model(lived_in: Place, scenario: Scenario) -> CareCommons:
    """A model in the middle of its life."""
    return CareCommons(scenario, rng=1, place=lived_in)


@pytest.fixture
def family(scenario: Scenario) -> CareCommons:
    """Ann lives with Bob and knows Cat; nobody knows Dan."""
    place = small.by_hand(4, [(0, 1, Tie.PARTNER), (0, 2, Tie.FRIEND)], partner=[1, 0, -1, -1], level=[2, 0, 0, 0])
    return CareCommons(scenario, place=place)


def ids(agents: Any) -> list[int]:
    """Permanent identities in order."""
    return [agent.unique_id for agent in agents]


# Reading and writing


@pytest.mark.parametrize("name", sorted(set(Citizens.names()) - set(WINDOWS)))
def test_a_citizen_shows_every_column_as_a_plain_value(model: CareCommons, name: str) -> None:
    column = getattr(model.place.citizens, name)
    shown = {citizen.row: getattr(citizen, name) for citizen in model.citizens}
    assert set(shown) == set(np.flatnonzero(model.place.citizens.alive).tolist())
    assert all(isinstance(value, bool | int | float) for value in shown.values())
    assert all(value == column[row] for row, value in shown.items())


def test_codes_are_shown_by_name(family: CareCommons) -> None:
    ann = family.citizens[0]
    assert (ann.level, ann.route, ann.age_years) == (Level.MODERATE, Route.NONE, 40)
    assert str(ann) == "Citizen 0 (woman, 40, moderate need)"


def test_care_act_outcomes_are_shown_by_name(family: CareCommons) -> None:
    ann = family.citizens[0]
    ann.deficits = 0b1000000010
    assert ann.outcomes_failed == ("hygiene", "caring for a child")


@pytest.mark.parametrize(
    ("name", "value"), [("savings", 12_345), ("level", Level.HIGH), ("level", 1), ("withdrawn", True), ("strain", 0.25),
                        ("age", 900), ("desire", -1.5), ("route", np.int8(3))],
)  # fmt: skip
def test_what_is_set_is_in_the_column(family: CareCommons, name: str, value: Any) -> None:
    before = getattr(family.place.citizens, name).copy()
    setattr(family.citizens[2], name, value)
    after = getattr(family.place.citizens, name)
    assert after[2] == value
    assert np.array_equal(np.delete(after, 2), np.delete(before, 2))


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("age", "old", "a whole number from 216 to 1,440"), ("age", 17 * 12, "from 216"),
        ("age", 500.0, "whole number"), ("need", True, "whole number"), ("strain", True, "a number"),
        ("level", 7, "NONE (0), LOW (1), MODERATE (2), HIGH (3)"),
        ("level", "high", "one of NONE"), ("withdrawn", 1, "True or False"), ("strain", 1.5, "a number from 0 to 1"),
        ("strain", math.nan, "from 0 to 1"), ("strain", math.inf, "from 0 to 1"), ("need", 99_999, "from 0 to 43,830"),
        ("savings", -1, "from 0"), ("savings", 2**63, "from 0"), ("deficits", 1024, "from 0 to 1,023"),
        ("sex", 2, "from 0 to 1"), ("prefers", None, "one of TRADITIONAL"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(family: CareCommons, name: str, value: Any, right: str) -> None:
    before = small.columns(family.place)[name].copy()
    with pytest.raises(InputError, match=f"Citizen 2 .*: {name} = ") as caught:
        setattr(family.citizens[2], name, value)
    assert right in str(caught.value) and "\n" not in str(caught.value)
    assert np.array_equal(before, small.columns(family.place)[name])


@pytest.mark.parametrize("name", ["id", "address", "household", "group_a", "given", "status"])
def test_records_that_hang_together_are_not_set_one_by_one(family: CareCommons, name: str) -> None:
    with pytest.raises(InputError, match="other records hang on it"):
        setattr(family.citizens[0], name, 1)


@pytest.mark.parametrize("name", ["alive", "partner", "groups", "age_years"])
def test_what_is_found_out_cannot_be_set(family: CareCommons, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(family.citizens[0], name, None)


def test_a_name_that_nobody_has_is_an_error_with_the_nearest(family: CareCommons) -> None:
    with pytest.raises(AttributeError, match="Citizen has no 'savigns'; did you mean 'savings'"):
        _ = family.citizens[0].savigns
    assert not hasattr(family.citizens[0], "_anything")


def test_what_only_others_have_is_none(family: CareCommons) -> None:
    assert family.council.age is None and family.citizens[0].reserves is None


def test_an_attribute_of_ones_own_stays_with_the_person(model: CareCommons) -> None:
    people = model.citizens.to_list()
    for citizen in people:
        citizen.mood = citizen.unique_id % 7
    model.run(3)
    stayed = [citizen for citizen in model.citizens if hasattr(citizen, "mood")]
    assert stayed == [citizen for citizen in people if citizen.alive]
    assert all(citizen.mood == citizen.unique_id % 7 for citizen in stayed)
    assert len(stayed) < len(model.citizens)  # newcomers have no mood


def test_windows_on_one_person_are_equal(model: CareCommons, scenario: Scenario) -> None:
    person = model.citizens[5]
    other = Citizen(model, person.row, person.unique_id)
    assert other == person and hash(other) == hash(person) and other is not person
    assert person != model.citizens[6]
    assert person != CareCommons(scenario, place=model.place).citizens[5]
    assert copy.deepcopy(person) is person


def test_windows_of_different_kinds_never_meet(model: CareCommons) -> None:
    everybody = ids(model.agents)
    assert len(set(everybody)) == len(everybody)
    assert all(identity < 2**53 for identity in everybody)  # exact in a table of floats as well


def test_who_has_died_or_left_is_gone(model: CareCommons) -> None:
    people = model.citizens.to_list()
    model.run(6)
    gone = [citizen for citizen in people if not citizen.alive]
    assert 0 < len(gone) < len(people)
    for citizen in gone:
        assert citizen not in model.citizens
        with pytest.raises(GoneError, match=r"(Citizen|Carer) \d+ is not here any more in month"):
            _ = citizen.age
        with pytest.raises(GoneError):
            citizen.savings = 0
        with pytest.raises(GoneError):
            citizen.neighbours()


def test_people_cannot_be_removed_by_hand(family: CareCommons) -> None:
    with pytest.raises(CareCommonsError, match="the month's processes decide"):
        family.citizens[0].remove()
    assert len(family.citizens) == 4


# Ties


def test_neighbours_are_those_whom_a_person_knows(family: CareCommons) -> None:
    ann, bob, cat, dan = family.citizens
    assert ann.neighbours() == [bob, cat] and ann.neighbours("partner") == ann.neighbours(Tie.PARTNER) == [bob]
    assert dan.neighbours() == [] and ann.partner == bob and cat.partner is None
    with pytest.raises(InputError, match="no kind of tie 'freind'; did you mean 'friend'"):
        ann.neighbours("freind")


def test_care_is_seen_from_both_ends(family: CareCommons) -> None:
    ann, bob, cat, _ = family.citizens
    t = family.place.ties
    t.minutes[t.start[0] + 1] = 600  # Cat, the second in Ann's row, gives Ann ten hours
    assert ann.carers == [cat] and cat.cares_for == [ann] and ann.cares_for == cat.carers == bob.carers == []
    assert [tie.minutes_received for tie in ann.ties] == [0, 600]
    assert [(tie.other, tie.kind, tie.minutes_given) for tie in cat.ties] == [(ann, Tie.FRIEND, 600)]


def test_ties_of_everybody_are_seen_from_both_ends(model: CareCommons) -> None:
    seen = {(a, tie.other): tie for a in model.citizens for tie in a.ties}
    assert len(seen) == 2 * len(model.place.ties)
    for (a, b), tie in seen.items():
        assert seen[b, a] == (a, tie.kind, tie.strength, tie.minutes_given, tie.minutes_received)
    assert sum(tie.minutes_received for tie in seen.values()) == model.place.citizens.given.sum()


def test_people_can_be_made_to_meet_and_to_part(family: CareCommons) -> None:
    ann, _, cat, dan = family.citizens
    assert dan.meet(ann, "neighbour", 0.3) and not ann.meet(dan) and not dan.meet(dan)
    assert dan.neighbours() == [ann] and ann.neighbours("neighbour") == [dan]
    assert ann.ties[-1].strength == pytest.approx(0.3)
    assert cat.part_from(ann) and not ann.part_from(cat)
    assert family.graph().number_of_edges() == 2
    events = family.place.ledger.events
    assert (events[Event.TIES_FORMED], events[Event.TIES_FADED]) == (1, 1)


def test_whoever_has_no_room_makes_no_tie(family: CareCommons) -> None:
    ann, _, cat, dan = family.citizens
    family.place.ties.make_room(1)
    assert ann.meet(dan)  # which fills their rows
    assert not cat.meet(dan) and not dan.meet(cat) and family.graph().number_of_edges() == 3


def test_a_tie_made_by_hand_is_of_a_kind_and_a_closeness(family: CareCommons) -> None:
    with pytest.raises(InputError, match="closeness = 2 is outside 0 to 1"):
        family.citizens[3].meet(family.citizens[0], closeness=2)


# Organisations and the council


def test_groups_and_their_members_know_each_other(model: CareCommons) -> None:
    assert len(model.groups) == model.place.groups.open.sum() > 0
    for group in model.groups:
        assert group.people == [citizen for citizen in model.citizens if group in citizen.groups]
        assert len(group.people) <= group.capacity
    assert sum(len(citizen.groups) for citizen in model.citizens) == sum(len(group.people) for group in model.groups)


def test_enterprises_and_their_clients_know_each_other(model: CareCommons) -> None:
    assert len(model.enterprises) == model.place.enterprises.open.sum() > 0
    for enterprise in model.enterprises:
        assert enterprise.served == [citizen for citizen in model.citizens if citizen.enterprise == enterprise]
        assert enterprise.founder is None or isinstance(enterprise.founder, Citizen)


def test_an_organisation_that_closes_is_gone(model: CareCommons) -> None:
    group, enterprise = model.groups[0], model.enterprises[0]
    model.place.groups.open[group.row] = False
    model.place.enterprises.clear(np.array([enterprise.row]), keep=("neighbourhood",))
    assert not group.alive and group not in model.groups and group not in model.agents
    assert not enterprise.alive and enterprise not in model.enterprises
    assert all(group not in citizen.groups for citizen in model.citizens)
    with pytest.raises(GoneError):
        _ = enterprise.capacity


def test_the_council_shows_its_month(model: CareCommons) -> None:
    model.step()
    council, books = model.council, model.place.council
    assert council.care_pot == books.care_pot and council.reserves == books.reserves
    assert council.spend == round(100 * model.series["council_spend"].iloc[-1])
    assert council.grant > 0 and council in model.agents and council.alive


def test_the_councils_lever_acts_from_the_next_month_on(model: CareCommons) -> None:
    model.step()
    grant, model.council.funding = model.council.grant, 2.0
    assert model.council.grant == grant and model.scenario.council.funding == 2.0
    model.step()
    assert model.council.grant == pytest.approx(2 * grant, abs=1)  # whole pence
    with pytest.raises(InputError, match=r"council\.funding"):
        model.council.funding = -1.0


# Sets


def test_the_set_is_of_those_who_are_here_now(model: CareCommons) -> None:
    people = model.citizens
    for _ in range(3):
        model.step()
        alive = model.place.citizens
        assert sorted(ids(people)) == sorted(alive.id[alive.alive].tolist())
        assert len(people) == len(model.place) and people is model.citizens


def test_a_run_that_nobody_looks_at_makes_no_window(model: CareCommons, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a window was opened")

    monkeypatch.setattr(Window, "__init__", refuse)
    model.run(2)
    with pytest.raises(AssertionError):
        len(model.citizens)


def test_the_order_of_agents_does_not_depend_on_where_they_are_stored(model: CareCommons, scenario: Scenario) -> None:
    order = np.random.default_rng(5).permutation(len(model.place.citizens))
    other = CareCommons(scenario, place=model.place.reordered(order))
    assert ids(other.citizens) == ids(model.citizens)
    assert other.citizens.get("savings") == model.citizens.get("savings")
    assert [ids(c.neighbours()) for c in other.citizens] == [ids(c.neighbours()) for c in model.citizens]


def test_select_by_function_number_share_and_class(model: CareCommons) -> None:
    people = model.citizens
    older = people.select(lambda citizen: citizen.age_years >= 65)
    c = model.place.citizens
    assert sorted(ids(older)) == sorted(c.id[c.alive & (c.age >= 65 * 12)].tolist())
    assert ids(people.select(at_most=3)) == ids(people)[:3]
    assert len(people.select(at_most=0.25)) == len(people) // 4
    assert len(older.select(lambda citizen: citizen.age_years >= 65, at_most=5)) == 5
    assert people.select(agent_type=Carer).to_list() == model.carers.to_list()
    assert people.select(agent_type=Citizen).to_list() == people.to_list()
    assert people.select(inplace=True) is not people and len(people) == len(model.place)
    assert older.select(at_most=2, inplace=True) is older and len(older) == 2


def test_sort_and_group(model: CareCommons) -> None:
    ages = model.citizens.sort("age").get("age")
    assert ages == sorted(ages, reverse=True)
    assert model.citizens.sort(lambda c: c.age, ascending=True).get("age") == ages[::-1]
    groups = model.citizens.groupby("level")
    assert sum(groups.count().values()) == len(model.citizens)
    assert all(set(people.get("level")) == {level} for level, people in groups)
    assert groups.agg("age", max)[Level.NONE] == max(groups.groups[Level.NONE].get("age"))
    assert set(model.citizens.groupby(lambda c: c.sex, result_type="list").groups) == {0, 1}


def test_get_agg_and_set(model: CareCommons) -> None:
    people = model.citizens
    c = model.place.citizens
    assert people.get("level") == [citizen.level for citizen in people]
    assert people.get(["age", "sex"]) == [[citizen.age, citizen.sex] for citizen in people]
    assert people.get("nothing", handle_missing="default", default_value=3) == [3] * len(people)
    assert people.agg("savings", sum) == c.savings.sum()
    assert people.agg("age", [min, max]) == [c.age[c.alive].min(), c.age.max()]
    people.select(at_most=10).set("strain", 0.5)
    assert people.get("strain")[:10] == [0.5] * 10
    with pytest.raises(AttributeError, match="no 'nothing'"):
        people.get("nothing")


def test_do_and_map_by_function_and_by_name(model: CareCommons) -> None:
    people = model.citizens
    assert people.map(lambda citizen, more: citizen.age + more, 2) == [age + 2 for age in people.get("age")]
    assert people.map("neighbours", kind="partner") == [citizen.neighbours("partner") for citizen in people]
    assert people.do(lambda citizen: setattr(citizen, "withdrawn", True)) is people
    assert model.place.citizens.withdrawn[model.place.citizens.alive].all()


def test_sets_are_sequences_and_sets(model: CareCommons) -> None:
    people = model.citizens
    first = people[0]
    assert first in people and people[:2] == people.to_list()[:2] and people[-1] == people.to_list()[-1]
    assert model.council not in people and repr(people) == f"<{len(people)} agents>"
    mine = people.copy()
    mine.remove(first)
    mine.discard(first)
    assert first not in mine and len(mine) == len(people) - 1 and copy.copy(mine).to_list() == mine.to_list()
    mine.add(first)
    assert mine.to_list()[-1] == first and first in model.citizens
    with pytest.raises(KeyError):
        mine.remove(model.council)


@pytest.mark.parametrize("change", ["add", "discard", "remove"])
def test_the_sets_of_the_model_are_not_changed_by_hand(model: CareCommons, change: str) -> None:
    with pytest.raises(CareCommonsError, match="change a copy"):
        getattr(model.citizens, change)(model.citizens[0])


def test_shuffling_follows_the_models_seed(lived_in: Place, scenario: Scenario) -> None:
    expected = ids(CareCommons(scenario, rng=7, place=lived_in).citizens)
    Random(7).shuffle(expected)
    for way in ("shuffle", "shuffle_do"):
        model, met = CareCommons(scenario, rng=7, place=lived_in), []
        agents = getattr(model.citizens, way)(*([met.append] if way == "shuffle_do" else []))
        assert ids(met or agents) == expected
    people = model.citizens.copy()
    assert people.shuffle(inplace=True) is people and ids(people) != expected


def test_those_who_go_vanish_from_every_set(model: CareCommons) -> None:
    chosen, everybody = model.citizens.select(lambda citizen: citizen.age_years >= 75), model.citizens.copy()
    model.run(8)
    alive = model.place.citizens
    assert set(ids(chosen)) < set(ids(everybody)) < set(alive.id[alive.alive].tolist())
    assert len(chosen.map(lambda citizen: citizen.age)) == len(chosen) > 0


def test_nobody_acts_after_going(family: CareCommons) -> None:
    acted = []

    def act(citizen: Citizen) -> None:
        acted.append(citizen.unique_id)
        family.place.citizens.clear(np.array([3 - citizen.row]))

    family.citizens.do(act)
    assert acted == [0, 1]  # Ann takes out Dan, and Bob takes out Cat, before their turns


def test_carers_are_those_who_give_care_now(model: CareCommons) -> None:
    for _ in range(2):
        model.step()
        c = model.place.citizens
        assert sorted(ids(model.carers)) == sorted(c.id[c.given > 0].tolist())
        assert all(type(agent) is Carer for agent in model.carers)
        assert all(carer.cares_for and carer in carer.cares_for[0].carers for carer in model.carers)
    carer = model.carers[0]
    carer.mood = "tired"
    model.place.citizens.given[carer.row] = 0
    assert carer not in model.carers and type(carer) is Citizen and carer.mood == "tired"


# The whole cast


def test_all_agents_by_class(model: CareCommons) -> None:
    cast = [*model.citizens, *model.enterprises, *model.groups, model.council]
    assert model.agents.to_list() == cast
    assert model.agent_types == [Citizen, Carer, MicroEnterprise, CommunityGroup, Council]
    for kind, agents in model.agents_by_type.items():
        assert list(agents) == [agent for agent in cast if type(agent) is kind]


def test_agents_of_ones_own_stand_beside_the_others(model: CareCommons) -> None:
    class Coordinator(mesa.Agent):
        """Somebody who is no citizen."""

    first, second = Coordinator(model), Coordinator(model)
    assert model.agents.to_list()[-2:] == [first, second] and list(model.agents_by_type[Coordinator]) == [first, second]
    assert len(set(ids(model.agents))) == len(model.agents) and first.unique_id != second.unique_id
    chosen = model.agents.select(agent_type=Coordinator)
    first.remove()
    assert first not in model.agents and chosen.to_list() == [second]
    model.step()
    assert second in model.agents


def test_a_model_is_freed_with_its_agents(lived_in: Place, scenario: Scenario) -> None:
    model = CareCommons(scenario, place=lived_in)
    mesa.Agent(model)
    assert len(model.agents.shuffle()) > len(model.citizens)
    model.step()
    ghost = weakref.ref(model)
    del model
    gc.collect()
    assert ghost() is None


# Researchers' behaviour


def test_a_behaviour_agent_by_agent_joins_the_cycle(lived_in: Place, scenario: Scenario) -> None:
    months = []

    def visits(model: CareCommons) -> None:
        months.append(model.place.month)
        model.citizens.select(lambda c: c.age_years >= 75).shuffle_do(lambda c: setattr(c, "income", 1))

    cycle = CYCLE.after("asking", Behaviour(do=visits))
    one, two = (CareCommons(scenario, rng=seed, place=lived_in, cycle=cycle) for seed in (1, 2))
    for model in (one, two, one):  # each model's behaviour has its own agents
        model.step()
        c = model.place.citizens
        old = c.alive & (c.age >= 75 * 12)
        assert (c.income[old] == 1).all() and (c.income[c.alive & ~old] > 1).all()
    assert months == [small.LIVED + 1, small.LIVED + 1, small.LIVED + 2]


def test_a_process_over_columns_joins_the_cycle(lived_in: Place, scenario: Scenario) -> None:
    class Windfall(Process):
        """Everybody with need gets a pound."""

        def step(self, place: Place, luck: Luck) -> None:
            place.citizens.savings[place.citizens.level > 0] += 100

    with_it = CareCommons(scenario, place=lived_in, cycle=CYCLE.before("turnover", Windfall()))
    with_it.step()
    switched_off = CareCommons(scenario, place=lived_in, cycle=CYCLE.before("turnover", Windfall(off=True)))
    switched_off.step()
    in_need = lived_in.citizens.level > 0
    stayed = in_need & (with_it.place.citizens.id == lived_in.citizens.id)
    gain = with_it.place.citizens.savings - switched_off.place.citizens.savings
    assert stayed.any() and (gain[stayed & (with_it.place.citizens.own_cost == 0)] == 100).all()


def test_a_process_may_use_the_models_agents(lived_in: Place, scenario: Scenario) -> None:
    class Outings(Process):
        """Group members go out again."""

        def step(self, place: Place, luck: Luck) -> None:
            model.groups.do(lambda group: [setattr(member, "withdrawn", False) for member in group.people])

    model = CareCommons(scenario, place=lived_in, cycle=CYCLE.after("wellbeing", Outings()))
    model.step()
    assert not any(member.withdrawn for group in model.groups for member in group.people)


# Mesa's collector


def test_the_collector_reports_on_all_agents(model: CareCommons) -> None:
    model.datacollector = mesa.DataCollector(
        model_reporters={"people": lambda m: len(m.citizens)},
        agent_reporters={"age": "age_years", "capacity": "capacity", "kind": lambda agent: type(agent).__name__},
        agenttype_reporters={Carer: {"strain": "strain"}},
    )
    model.run(2)
    table = model.datacollector.get_agent_vars_dataframe().xs(2, level="Step")
    assert len(table) == len(model.agents)
    assert table.loc[ids(model.citizens), "age"].tolist() == [citizen.age_years for citizen in model.citizens]
    assert table.loc[ids(model.groups), "capacity"].tolist() == model.groups.get("capacity")
    assert table["age"].isna().sum() == len(model.agents) - len(model.citizens)
    carers = model.datacollector.get_agenttype_vars_dataframe(Carer).xs(2, level="Step")
    assert carers["strain"].tolist() == model.carers.get("strain")
    assert model.datacollector.get_model_vars_dataframe()["people"].tolist() == model.series["people"].tolist()
