"""What is to be run is said in one line, checked before anything runs, and exact to the last digit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.design import Design, Study, is_study, levels_of, parse_set, parse_vary, subject
from carecommons.scenario import Scenario

BASE = Scenario(place="derby", citizens=200, months=6)
ROOT = Path(__file__).resolve().parents[2]


def test_a_range_is_exact_decimals_with_both_ends() -> None:
    assert parse_vary(["council.funding=0.7:1.3:7"]) == {"council.funding": (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)}


@given(st.integers(0, 9000), st.integers(1, 1000), st.integers(2, 40))
def test_a_range_of_decimals_holds_the_decimals_one_would_write(start: int, step: int, levels: int) -> None:
    wanted = [Decimal(start + k * step).scaleb(-4) for k in range(levels)]
    found = parse_vary([f"council.funding={wanted[0]}:{wanted[-1]}:{levels}"])["council.funding"]
    assert found == tuple(float(str(value)) for value in wanted)


@given(st.fractions(0, 10, max_denominator=10**6), st.integers(2, 50))
def test_every_level_is_the_nearest_number_to_the_exact_fraction(high: Fraction, levels: int) -> None:
    end = Fraction(str(float(high)))
    found = parse_vary([f"council.funding=0:{float(high):.17f}:{levels}"])["council.funding"] if high else ()
    end = Fraction(f"{float(high):.17f}")
    assert found == tuple(float(end * k / (levels - 1)) for k in range(levels) if high)


def test_whole_parameters_get_whole_levels() -> None:
    levels = parse_vary(["assessment.threshold=1:5:5"])["assessment.threshold"]
    assert levels == (1, 2, 3, 4, 5)
    assert {type(level) for level in levels} == {int}


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("council.funding=1, 2,3", (1.0, 2.0, 3.0)),
        ("council.funding=.5,1.,1e1", (0.5, 1.0, 10.0)),
        ("council.funding=1:1:1", (1.0,)),
        ("council.funding=1.3:0.7:3", (1.3, 1.0, 0.7)),
        ("asking.door=0:3e-1:2", (0.0, 0.3)),
        ("assessment.stance=deficit,carer_blind", ("deficit", "carer_blind")),
        ("council.legal_floor=true,false", (True, False)),
        ("council.shares=[0.8,0.05,0.15],[0.7, 0.15, 0.15]", ((0.8, 0.05, 0.15), (0.7, 0.15, 0.15))),
        ("place=derby,wigan", ("derby", "wigan")),
    ],
)
def test_lists_hold_numbers_words_and_lists(text: str, levels: tuple[Any, ...]) -> None:
    (found,) = parse_vary([text]).values()
    assert found == levels
    assert [type(level) for level in found] == [type(level) for level in levels]


def test_levels_from_numpy_are_plain_numbers() -> None:
    found = levels_of({"council.funding": np.linspace(0, 1, 3), "assessment.threshold": np.arange(1, 3)})
    assert found == {"council.funding": (0.0, 0.5, 1.0), "assessment.threshold": (1, 2)}
    assert {type(level) for levels in found.values() for level in levels} == {float, int}


def test_an_unquoted_dotted_key_of_toml_is_the_same_key() -> None:
    assert levels_of({"council": {"funding": "0:1:2"}}) == levels_of({"council.funding": [0, 1]})


def test_the_cells_are_all_combinations_the_last_factor_running_fastest() -> None:
    design = Design(BASE, levels_of({"council.funding": [1, 2], "assessment.threshold": [1, 2, 3]}))
    assert [tuple(cell.values()) for cell in design.cells] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert design.own_cell == 1
    assert [scenario.council.funding for scenario in design.scenarios] == [1, 1, 1, 2, 2, 2]


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
    ("factors", "message"),
    [
        ({"council.fundin": [1]}, "unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ({"council.funding": []}, "council.funding has 0 levels"),
        ({"council.funding": 3}, "council.funding = 3 must be a list"),
        ({"council.funding": [1, 1.0]}, "same level twice"),
        ({"council.funding": "0:1:1001"}, "1001 levels, must have 1 to 1000"),
        ({"council.funding": "0:1:1"}, "1 level from 0 to 1"),
        ({"assessment.threshold": "1:4:3"}, "takes whole numbers"),
        ({"assessment.stance": "1:4:3"}, "is not a number"),
        ({"name": ["a", "b"]}, "'name' changes nothing"),
    ],
)
def test_levels_that_cannot_be_are_refused(factors: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        levels_of(factors, "here")
    assert str(caught.value).startswith("here: ")
    assert message in str(caught.value)


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vary = 3", "vary = 3 is not a table"),
        ("replicats = 3\n[vary]", "unknown key 'replicats'; did you mean 'replicates'?"),
        ("replicates = 0\n[vary]", "replicates = 0 must be at least 1"),
        ("replicates = 1.5\n[vary]", "replicates = 1.5 is not a whole number"),
        ("seed = -1\n[vary]", "seed = -1 must be at least 0"),
        ("outcomes = []\n[vary]", "outcomes = [] holds 0 values"),
        ("[scenario]\nplace = 'derby'", "'vary' is missing"),
        ("[vary", "is not TOML"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Study.load(path)
    assert message in str(caught.value)
    assert "study.toml: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_experiment_names_the_scenario_or_holds_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("place = 'wigan'\nmonths = 3", encoding="utf-8")
    for scenario, place in (("'mine.toml'", "wigan"), ("'derby'", "derby"), ("{place = 'wigan'}", "wigan")):
        path = tmp_path / "study.toml"
        path.write_text(f"scenario = {scenario}\n[vary]\n'council.funding' = [1]", encoding="utf-8")
        assert Study.load(path).base(path).place == place


def test_the_shipped_experiment_is_the_main_sweep() -> None:
    path = ROOT / "experiments" / "funding_eligibility.toml"
    study = Study.load(path)
    design = Design(study.base(path), levels_of(study.vary), study.replicates, study.seed, study.title, study.outcomes)
    assert [len(levels) for levels in design.factors.values()] == [7, 5]
    assert design.factors["council.funding"][::6] == (0.7, 1.3)
    assert (design.replicates, design.scenario.months, design.scenario.citizens) == (10, 120, 2000)
    assert design.own_cell is not None, "today's rule is one of the cells"


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("council.funding=0.9", {"council.funding": 0.9}),
        ("council.funding = 1", {"council.funding": 1}),
        ("council.legal_floor=false", {"council.legal_floor": False}),
        ("assessment.stance=deficit", {"assessment.stance": "deficit"}),
        ("need.hours=[1, 2.5, 3]", {"need.hours": [1, 2.5, 3]}),
        ("name=a = b", {"name": "a = b"}),
        ("name=1\nplace = 'x'", {"name": "1\nplace = 'x'"}),  # one value, however it is written
    ],
)
def test_a_change_is_read_as_toml_or_as_a_word(text: str, changes: dict[str, Any]) -> None:
    assert parse_set([text]) == changes


def test_a_subject_is_a_place_a_scenario_or_a_places_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(BASE.to_toml(), encoding="utf-8")
    shipped = next((ROOT / "src").rglob("founding/data/places/derby.toml"))
    town = tmp_path / "town.toml"
    town.write_bytes(shipped.read_bytes())
    assert subject("derby") == Scenario(place="derby")
    assert subject(str(mine)) == BASE
    assert subject(str(town)).profile() == BASE.profile()


def test_only_a_sweep_runs_an_experiment() -> None:
    assert is_study({"vary": {}})
    assert is_study({"scenario": "derby"})
    assert not is_study(dict(BASE.flat()))
    with pytest.raises(InputError, match="is an experiment, which only 'sweep' runs"):
        subject(str(ROOT / "experiments" / "funding_eligibility.toml"))
