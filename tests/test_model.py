"""The model is a Mesa model: it steps, runs, collects, takes plain keywords, and says in one line what is wrong."""

from __future__ import annotations

import inspect
from typing import Any

import mesa
import networkx as nx
import numpy as np
import pytest

import small
from carecommons.agents import Citizen
from carecommons.cycle import CYCLE
from carecommons.errors import InputError
from carecommons.model import CareCommons, Viewed
from carecommons.outcomes.catalogue import BY_NAME, observe
from carecommons.place.place import Place
from carecommons.scenario import Scenario

TINY = {"place": "derby", "citizens": 200, "months": 3}


@pytest.fixture
def model(lived_in: Place, scenario: Scenario) -> CareCommons:
    """A model in the middle of its life."""
    return CareCommons(scenario, rng=1, place=lived_in)


# Stepping


def test_a_step_is_a_month(model: CareCommons) -> None:
    month = model.place.month
    model.step()
    assert (model.steps, model.place.month, model.running) == (1, month + 1, True)


@pytest.mark.parametrize("verb", ["run", "run_model"])
def test_a_run_ends_with_the_scenarios_last_month(verb: str) -> None:
    model = CareCommons(**TINY)
    getattr(model, verb)()
    assert (model.steps, model.place.month, model.running) == (3, 3, False)
    assert model.run(2).place.month == 5  # and on, if somebody wants


def test_the_series_has_a_row_a_month_and_a_column_an_outcome(model: CareCommons) -> None:
    seen = []
    for _ in range(3):
        model.step()
        seen.append(observe(model.place))
    series = model.series
    assert series.index.tolist() == [small.LIVED + k for k in (1, 2, 3)] and series.index.name == "month"
    assert list(series.columns) == list(BY_NAME)
    for row, outcomes in zip(series.to_dict("records"), seen, strict=True):
        assert row == pytest.approx(outcomes, nan_ok=True, rel=0, abs=0)


def test_a_month_without_the_collector_is_the_same_month() -> None:
    stepped, advanced = CareCommons(**TINY), CareCommons(**TINY)
    stepped.step()
    advanced.advance()
    assert small.differing(stepped.place, advanced.place) == []
    assert advanced.rows().tobytes() == stepped.rows().tobytes()
    assert (advanced.steps, stepped.steps) == (0, 1)
    assert advanced.datacollector.get_model_vars_dataframe().empty


def test_the_rows_are_the_series_as_plain_numbers(model: CareCommons) -> None:
    assert model.rows().shape == (0, len(BY_NAME)) and len(model.series) == 0
    for _ in range(2):
        model.advance()
    assert model.rows().dtype == np.float64
    assert np.array_equal(model.rows(), model.series.to_numpy(), equal_nan=True)
    assert model.series.index.tolist() == [small.LIVED + 1, small.LIVED + 2]


def test_the_collector_collects_every_month_by_itself() -> None:
    model = CareCommons(**TINY)
    assert model.datacollector.get_model_vars_dataframe().empty
    table = model.run().datacollector.get_model_vars_dataframe()
    assert table.reset_index(drop=True).equals(model.series.reset_index(drop=True))


# Worlds


def test_seed_and_rng_are_one_thing() -> None:
    by_rng, by_seed = CareCommons(rng=4, **TINY), CareCommons(seed=4, **TINY)
    assert small.differing(by_rng.run().place, by_seed.run().place) == []
    assert by_rng.random.random() == by_seed.random.random() and by_rng.rng.random() == by_seed.rng.random()
    assert CareCommons(rng=np.int64(4), **TINY).world == 4


def test_other_worlds_differ() -> None:
    assert small.differing(CareCommons(rng=4, **TINY).place, CareCommons(rng=5, **TINY).place)


@pytest.mark.parametrize("world", [1.5, -1, 2**63, "1", True, [1]])
def test_a_world_is_a_whole_number(world: Any) -> None:
    with pytest.raises(InputError, match=r"^rng = .* is not a whole number from 0 to 2\*\*63 - 1$"):
        CareCommons(rng=world, **TINY)


def test_two_worlds_at_once_are_refused() -> None:
    with pytest.raises(InputError, match="rng = 1 and seed = 2 are two worlds"):
        CareCommons(rng=1, seed=2, **TINY)
    assert CareCommons(rng=1, seed=1, **TINY).world == 1


# Keywords


def test_a_scenario_and_keywords_give_the_same_model() -> None:
    told = Scenario(**TINY, council={"funding": 0.9}, assessment={"threshold": 3})
    ways: list[dict[str, Any]] = [
        {**TINY, "council.funding": 0.9, "assessment.threshold": 3},
        {**TINY, "council_funding": 0.9, "assessment_threshold": 3},
        {**TINY, "council": {"funding": 0.9}, "assessment": {"threshold": 3}},
        {"scenario": Scenario(**TINY), "council.funding": 0.9, "assessment_threshold": 3},
    ]
    for way in ways:
        assert CareCommons(**way).scenario.flat() == told.flat()


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("citzens", 5, "scenario: unknown key 'citzens'; did you mean 'citizens'?"),
        ("council_fundin", 1.0, "scenario: unknown key 'council_fundin'; did you mean 'council.funding'?"),
        ("council.funding", -1.0, "scenario: council.funding = -1.0 is outside 0 to 10"),
        ("citizens", "many", "citizens"),
        ("place", "drby", "no place 'drby'; did you mean 'derby'?"),
        ("scenario", "derby", "scenario = 'derby' is not a Scenario; a place is given as place=..."),
    ],
)  # fmt: skip
def test_a_bad_keyword_is_one_line_with_the_nearest_right_one(keyword: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        CareCommons(**{**TINY, keyword: value})
    assert message in str(caught.value) and "\n" not in str(caught.value)


# Scenario and place


def test_the_scenario_is_the_one_handed_in(scenario: Scenario, lived_in: Place) -> None:
    assert CareCommons(scenario, place=lived_in).scenario is scenario


def test_another_scenario_acts_from_the_next_month_on(lived_in: Place, scenario: Scenario) -> None:
    poorer = scenario.but({"council.funding": 0.2})
    changed, before = (CareCommons(scenario, place=lived_in).run(2) for _ in range(2))
    changed.scenario = poorer
    assert small.differing(changed.place, before.place) == []
    changed.step()
    there = CareCommons(poorer, place=before.place)
    there.step()
    assert small.differing(changed.place, there.place) == []
    with pytest.raises(InputError, match="keeps its place and the number of its citizens"):
        changed.scenario = scenario.but(citizens=7)


def test_a_model_leaves_the_place_it_starts_from_alone(lived_in: Place, scenario: Scenario) -> None:
    before = lived_in.copy()
    CareCommons(scenario, place=lived_in).run(1)
    assert small.differing(before, lived_in) == []


def test_a_shorter_run_is_the_beginning_of_a_longer_one() -> None:
    long = CareCommons(**{**TINY, "months": 6}).run().series
    assert CareCommons(**TINY).run().series.equals(long.iloc[:3])


def test_looking_changes_nothing(lived_in: Place, scenario: Scenario) -> None:
    seen, unseen = (CareCommons(scenario, place=lived_in) for _ in range(2))
    for _ in range(3):
        seen.step()
        unseen.step()
        assert len(seen.agents) and seen.graph() and not seen.by("isolation", "age").empty and seen.council.spend >= 0
        seen.citizens.shuffle_do(lambda citizen: (citizen.age, citizen.ties, citizen.groups))
    assert small.differing(seen.place, unseen.place) == []


# By group


def test_by_is_a_table_with_two_measures(model: CareCommons) -> None:
    table = model.by("isolation", "deprivation")
    assert list(table.columns) == ["value", "people"] and table.index.name == "deprivation"
    assert set(table.attrs) == {"gap", "concentration_index"}
    weighted = (table["value"] * table["people"]).sum() / table["people"].sum()
    assert weighted == pytest.approx(observe(model.place)["isolation"], rel=1e-12)


def test_capital_is_counted_against_the_scenarios_limits(lived_in: Place, scenario: Scenario) -> None:
    limits = {"charging.lower_limit": 1_000.0, "charging.upper_limit": 5_000.0}
    people = CareCommons(scenario.but(limits), place=lived_in).by("isolation", "capital")["people"]
    savings = lived_in.citizens.savings[lived_in.citizens.alive]
    assert people["below"] == (savings <= 100_000).sum() and people["above"] == (savings > 500_000).sum()


# The edges of what is legal


@pytest.mark.parametrize("citizens", [0, 1])
def test_a_place_of_nobody_or_of_one_runs(citizens: int) -> None:
    model = CareCommons(place="derby", citizens=citizens, months=14).run()
    assert len(model.series) == 14 and len(model.citizens) <= citizens
    assert model.graph().number_of_edges() == 0 and len(model.agents) >= 1
    assert model.by("isolation", "deprivation")["people"].sum() == len(model.place)


def test_no_months_is_no_run() -> None:
    model = CareCommons(**{**TINY, "months": 0})
    assert not model.running
    model.run_model()
    assert model.run().series.empty and model.place.month == 0 and len(model.citizens) == 200


def test_an_empty_graph_is_a_place_of_nobody() -> None:
    model = CareCommons(graph=nx.Graph(), months=2).run()
    assert len(model.series) == 2 and len(model.citizens) == 0


# Mesa's own tools


def test_batch_run_takes_dotted_and_plain_keywords() -> None:
    levels = [0.8, 1.2]
    for key in ("council.funding", "council_funding"):
        rows = mesa.batch_run(
            CareCommons, {**TINY, "rng": [3], key: levels}, number_processes=1, display_progress=False
        )  # fmt: skip
        assert [row[key] for row in rows] == levels
        for row, level in zip(rows, levels, strict=True):
            last = CareCommons(rng=3, **TINY, **{key: level}).run().series.iloc[-1]
            assert row["unmet_hours"] == last["unmet_hours"] and row["people"] == last["people"]


def test_batch_run_collects_agents() -> None:
    class Watched(CareCommons):
        """Collects everybody's age."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.datacollector = mesa.DataCollector({"n": lambda m: len(m.agents)}, {"age": "age_years"})

    rows = mesa.batch_run(Watched, TINY, number_processes=1, data_collection_period=1, display_progress=False)
    for month in (1, 2):
        collected = {row["AgentID"]: row["age"] for row in rows if row["Step"] == month}
        there = CareCommons(**TINY).run(month)
        assert collected == {agent.unique_id: agent.age_years for agent in there.agents}


def test_the_viewers_contract() -> None:
    """What Mesa's viewer checks before it shows a model (mesa/visualization/solara_viz.py, _check_model_params)."""
    for kind in (CareCommons, Viewed):
        parameters = inspect.signature(kind.__init__).parameters
        assert all(p.kind is not p.VAR_POSITIONAL for p in parameters.values())
        assert all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for n, p in parameters.items() if n != "self")
        assert "kwargs" in parameters  # by this name Mesa 3.3 knows that other keywords are welcome
    model = Viewed(**TINY, council_funding=0.9)
    assert not model.scenario  # from 3.5 on the viewer checks the class of any scenario that is true
    assert small.differing(model.run().place, CareCommons(**TINY, council_funding=0.9).run().place) == []


def test_a_model_of_ones_own_adds_to_the_month(lived_in: Place, scenario: Scenario) -> None:
    class Mine(CareCommons):
        """Somebody counts the steps of citizens."""

        count = 0

        def step(self) -> None:
            super().step()
            self.citizens.do(self.tally)

        def tally(self, citizen: Citizen) -> None:
            self.count += 1

    mine, plain = Mine(scenario, place=lived_in).run(2), CareCommons(scenario, place=lived_in).run(2)
    assert mine.count == plain.series["people"].sum()
    assert small.differing(mine.place, plain.place) == []


def test_a_process_taken_out_leaves_the_others(lived_in: Place, scenario: Scenario) -> None:
    without = CareCommons(scenario, place=lived_in, cycle=CYCLE.without("turnover"))
    off = CareCommons(scenario.but({"turnover.off": True}), place=lived_in)
    assert small.differing(without.run(2).place, off.run(2).place) == []
