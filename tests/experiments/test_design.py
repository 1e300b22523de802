"""What is to be run is checked before anything runs; cells are in a promised order, and a record gives them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.design import Block, Design, scenarios_of
from carecommons.experiments.levels import levels_of
from carecommons.experiments.sampling import Axis, Sample
from carecommons.scenario import Scenario

BASE = Scenario(place="derby", citizens=200, months=6)
NUMBERS = {
    "council.funding": st.floats(0, 10),
    "ties.meet": st.floats(0, 1),
    "society.circle_size": st.integers(2, 12),
    "assessment.threshold": st.integers(0, 11),
    "assessment.stance": st.sampled_from(["deficit", "carer_blind", "asset_first"]),
    "council.legal_floor": st.booleans(),
    "months": st.integers(0, 1200),
}


@st.composite
def some_factors(draw: st.DrawFn, most: int = 4) -> dict[str, tuple[Any, ...]]:
    names = draw(st.lists(st.sampled_from(sorted(NUMBERS)), min_size=1, max_size=most, unique=True))
    return {key: tuple(draw(st.lists(NUMBERS[key], min_size=1, max_size=4, unique=True))) for key in names}


@given(some_factors())
def test_a_grid_has_the_product_of_its_levels_the_last_factor_running_fastest(factors: dict[str, Any]) -> None:
    cells = Block.grid(factors).cells
    strides, size = {}, 1
    for key, levels in reversed(factors.items()):
        strides[key], size = size, size * len(levels)
    assert len(cells) == size
    assert all(cell[key] == levels[n // strides[key] % len(levels)] for n, cell in enumerate(cells)
               for key, levels in factors.items())  # fmt: skip


@given(some_factors())
@settings(max_examples=40, deadline=None)
def test_scenarios_made_by_their_sections_are_those_made_whole(factors: dict[str, Any]) -> None:
    cells = Block.grid(factors).cells[:12]
    assert list(scenarios_of(BASE, cells, "here")) == [Scenario.of({**BASE.flat(), **cell}) for cell in cells]


@given(some_factors(), st.integers(0, 2**63 - 20), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_a_record_gives_the_design_again_and_itself(factors: dict[str, Any], seed: int, replicates: int) -> None:
    design = Design(BASE, {k: v[:2] for k, v in factors.items()}, replicates, seed, "a title", ("people",))
    record = json.loads(json.dumps(design.record(), allow_nan=False))
    again = Design.from_record(record)
    assert again == design
    assert again.scenarios == design.scenarios
    assert again.digest == design.digest
    assert again.record() == design.record() == record


def test_a_record_holds_whatever_a_design_can_be_made_of() -> None:
    blocks = [
        Block.grid(levels_of({"council.shares": [[0.8, 0.05, 0.15], [0.7, 0.15, 0.15]]})),
        Block.zip({"council.funding": (1.0, 2.0), "place": ("derby", "wigan")}),
        Block.sample(
            Sample("lhs", 3), [Axis("ties.meet"), Axis("assessment.stance", values=("deficit", "carer_blind"))]
        ),
    ]
    design = Design.of(BASE, blocks)
    record = json.loads(json.dumps(design.record()))
    assert Design.from_record(record) == design
    assert Design.from_record(record).cells[0]["council.shares"] == (0.8, 0.05, 0.15)


def test_a_record_is_read_when_the_places_file_is_gone(tmp_path: Path) -> None:
    town = tmp_path / "town.toml"
    town.write_bytes((Path(__file__).parents[2] / "src/carecommons/founding/data/places/derby.toml").read_bytes())
    record = Design(BASE.but(place=str(town)), {"council.funding": (1.0, 2.0)}).record()
    town.unlink()
    assert Design.from_record(record).record() == record


def test_a_record_of_parameters_that_are_no_more_is_refused_by_name() -> None:
    record = Design(BASE, {"council.funding": (1.0,)}).record()
    record["scenario"]["council.fundin"] = 1.0
    with pytest.raises(InputError, match=r"the stored design: unknown key 'council\.fundin'"):
        Design.from_record(record)


def test_factors_varied_together_take_their_first_levels_together_then_their_second() -> None:
    design = Design.zip_(BASE, {"council.funding": [1, 2, 3], "assessment.threshold": [3, 3, 1]})
    assert [tuple(cell.values()) for cell in design.cells] == [(1, 3), (2, 3), (3, 1)]
    assert design.factors == {"council.funding": (1, 2, 3), "assessment.threshold": (3, 1)}
    with pytest.raises(InputError, match=r"as many levels each: council.funding has 2, assessment.threshold has 1"):
        Design.zip_(BASE, {"council.funding": [1, 2], "assessment.threshold": [3]})


def test_policies_are_crossed_with_worlds_of_uncertainty_the_worlds_running_fastest() -> None:
    axes = [Axis("ties.meet"), Axis("society.circle_size", 2, 12, whole=True)]
    design = Design.sampled(BASE, Sample("lhs", 5), axes, {"council.funding": [0.9, 1.1]})
    assert [cell["council.funding"] for cell in design.cells] == [0.9] * 5 + [1.1] * 5
    worlds = [(cell["ties.meet"], cell["society.circle_size"]) for cell in design.cells]
    assert worlds[:5] == worlds[5:], "every policy meets the same worlds"
    assert len(dict.fromkeys(worlds)) == 5
    assert [block["kind"] for block in design.method["blocks"]] == ["grid", "lhs"]


def test_parts_stand_side_by_side_and_what_they_leave_alone_is_the_scenarios_own() -> None:
    money, rule = Block.grid({"council.funding": (0.9, 1.0)}), Block.grid({"assessment.threshold": (2, 3)})
    design = Design.joined(BASE, {"money": ({}, [money]), "rule": ({"ties.meet": 0.2}, [rule])})
    assert list(design.factors) == ["council.funding", "ties.meet", "assessment.threshold"]
    assert [tuple(cell.values()) for cell in design.cells] == [
        (0.9, 0.5, 2),
        (1.0, 0.5, 2),
        (1.0, 0.2, 2),
        (1.0, 0.2, 3),
    ]
    assert [(part["name"], part["cells"]) for part in design.method["parts"]] == [("money", [0, 1]), ("rule", [2, 3])]
    assert design.own_cell == 1


@given(st.lists(some_factors(most=2), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_joining_a_design_with_itself_changes_no_cell(several: list[dict[str, Any]]) -> None:
    parts = {f"part {k}": ({}, [Block.grid(factors)]) for k, factors in enumerate(several)}
    once = Design.joined(BASE, parts)
    twice = Design.joined(BASE, {**parts, **{f"{name} again": part for name, part in parts.items()}})
    assert twice.cells == once.cells
    assert len(dict.fromkeys(tuple(cell.values()) for cell in once.cells)) == len(once.cells)
    whose = [part["cells"] for part in twice.method["parts"]]
    assert whose[: len(parts)] == whose[len(parts) :] == [part["cells"] for part in once.method["parts"]]


def test_the_cells_are_all_combinations_the_last_factor_running_fastest() -> None:
    design = Design.grid(BASE, {"council.funding": [1, 2], "assessment.threshold": [1, 2, 3]})
    assert [tuple(cell.values()) for cell in design.cells] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert design.own_cell == 1
    assert [scenario.council.funding for scenario in design.scenarios] == [1, 1, 1, 2, 2, 2]
    assert design.factors == {"council.funding": (1.0, 2.0), "assessment.threshold": (1, 2, 3)}


def test_replicates_of_all_cells_share_seeds() -> None:
    assert list(Design(BASE, {"council.funding": (1.0,)}, replicates=3, seed=7).seeds) == [7, 8, 9]


def test_the_digest_tells_experiments_apart_but_not_by_what_changes_nothing() -> None:
    design = Design(BASE, {"council.funding": (1.0, 2.0)})
    assert design.digest == Design(BASE.but(name="mine"), {"council.funding": (1.0, 2.0)}, title="x").digest
    others = [
        Design(BASE, {"council.funding": (2.0, 1.0)}),
        Design(BASE, {"council.funding": (1.0, 2.0)}, replicates=9),
        Design(BASE, {"council.funding": (1.0, 2.0)}, seed=2),
        Design(BASE.but(months=7), {"council.funding": (1.0, 2.0)}),
    ]
    assert len({design.digest, *(other.digest for other in others)}) == 5


def test_levels_may_be_possible_only_together() -> None:
    together = {"council.shares": ((0.8, 0.05, 0.15), (0.6, 0.2, 0.2)), "council.from_charges": (0.1, 0.2)}
    assert len(Design(BASE, together).scenarios) == 4


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"factors": {"council.funding": (11.0,)}}, "there: council.funding = 11.0 is outside 0 to 10"),
        ({"factors": {"council.funding": ("x",)}}, "there: council.funding = 'x' is not a number"),
        ({"factors": {"place": ("derbyy",)}}, "no place 'derbyy'; did you mean 'derby'?"),
        ({"replicates": 0}, "replicates = 0 must be"),
        ({"replicates": True}, "replicates = True must be"),
        ({"seed": -1}, "seed = -1 must be"),
        ({"seed": 2**63 - 5}, "10 worlds included"),
        ({"outcomes": ("isolatoin",)}, "no outcome 'isolatoin'; did you mean 'isolation'?"),
        ({"replicates": 1_000_001}, "1,000,001 runs"),
        ({"cells": ({"council.funding": 1.0}, {"ties.meet": 1.0})}, "there: cell 1 must set the same keys"),
        ({"cells": ({"council.fundin": 1.0},)}, "there: unknown key 'council.fundin'; did you mean 'council.funding'?"),
    ],
)
def test_a_design_that_cannot_be_run_is_refused_before_the_first_run(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Design(**{"scenario": BASE, "factors": {"council.funding": (1.0,)}, "where": "there", **more})
    assert message in str(caught.value)


def test_too_many_cells_are_refused_before_they_are_made() -> None:
    many = tuple(k / 1000 for k in range(1000))
    with pytest.raises(InputError, match=r"1,000,000 cells, must have at most 10,000"):
        Design(BASE, {"council.funding": many, "council.from_charges": many})


def test_a_key_is_varied_by_one_block_alone() -> None:
    block = Block.grid({"council.funding": (1.0, 2.0)})
    with pytest.raises(InputError, match=r"'council\.funding' is varied twice"):
        Design.of(BASE, [block, block])
    with pytest.raises(InputError, match=r"'council\.funding' is varied twice"):
        Design.joined(BASE, {"one": ({"council.funding": 1.0}, [block])})


def test_how_a_scenario_was_written_does_not_change_the_digest() -> None:
    cells = {"council.funding": (0.9, 1.1)}
    assert Design(BASE.but({"council.funding": 3.0}), cells).digest == Design(BASE, cells).digest
