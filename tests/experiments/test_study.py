"""An experiment is what its file or the command line says, the same either way, or it is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.design import Design
from carecommons.experiments.study import Study, holds_study, is_study, plan, subject
from carecommons.scenario import Scenario, keys

BASE = Scenario(place="derby", citizens=200, months=6)
ROOT = Path(__file__).resolve().parents[2]
OVER = '[sample]\nmethod = "lhs"\nsize = 8\nseed = 3\n[sample.over]\n'


def written(folder: Path, text: str) -> str:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_and_a_command_line_ask_for_the_same_design(tmp_path: Path) -> None:
    text = f"""
scenario = "derby"
[vary]
"council.funding" = "0.7:1.3:3"
[zip]
"assessment.threshold" = [2, 3]
"charging.tariff" = [1, 2]
{OVER}
"ties.meet" = "0.1:0.4"
"assessment.stance" = ["deficit", "carer_blind"]
groups = true
"""
    asked = plan(
        "derby", ["council.funding=0.7:1.3:3"], zips=["assessment.threshold=2,3", "charging.tariff=1,2"],
        sample="lhs:8:3", overs=["ties.meet=0.1:0.4", "assessment.stance=deficit,carer_blind", "groups"],
    )  # fmt: skip
    filed = plan(written(tmp_path, text), [])
    assert filed == asked
    assert len(filed.cells) == 3 * 2 * 8
    assert [block["kind"] for block in filed.method["blocks"]] == ["grid", "zip", "lhs"]


def test_the_command_line_replaces_what_a_file_says(tmp_path: Path) -> None:
    path = written(tmp_path, f'[vary]\n"council.funding" = [1, 2]\n{OVER}"ties.meet" = true')
    design = plan(path, ["council.funding=3,4", "council.legal_floor=true,false"], sample="lhs:4", replicates=2, seed=9)
    assert design.factors["council.funding"] == (3.0, 4.0)
    assert len(design.cells) == 2 * 2 * 4
    assert (design.replicates, design.seed) == (2, 9)
    assert list(plan(path, [], overs=["ties.welcome"]).factors) == ["council.funding", "ties.welcome"]


def test_a_role_leaves_out_what_is_set_or_varied_otherwise() -> None:
    design = plan(
        "derby", ["ties.meet=0.4,0.5"], ["ties.enough=10"], sample="lhs:40", overs=["ties", "ties.seen_monthly=0:0.2"]
    )
    assert len([key for key in design.factors if key == "ties.meet"]) == 1
    assert "ties.enough" not in design.factors
    assert max(design.factors["ties.seen_monthly"]) <= 0.2
    assert design.scenario.ties.enough == 10
    assert {design.factors[key] and key.partition(".")[0] for key in design.factors} == {"ties"}


def test_other_worlds_do_not_change_what_is_compared() -> None:
    one, other = (plan("derby", [], sample="lhs:9", overs=["ties"], seed=seed) for seed in (1, 1001))
    assert one.cells == other.cells
    assert one.digest != other.digest


def test_parts_of_a_file_stand_side_by_side(tmp_path: Path) -> None:
    text = """
title = "Money and rule"
[[part]]
name = "money"
vary = { "council.funding" = [0.9, 1.0] }
[[part]]
name = "rule"
set = { ties.meet = 0.2 }
zip = { "assessment.threshold" = [2, 3], "charging.tariff" = [1, 2] }
[[part]]
[part.sample]
method = "halton"
size = 3
over = { "council.funding" = "0.8:1.2" }
"""
    design = plan(written(tmp_path, text), [], months=3, citizens=100)
    assert [part["name"] for part in design.method["parts"]] == ["money", "rule", "part 3"]
    assert [part["cells"] for part in design.method["parts"]] == [[0, 1], [2, 3], [4, 5, 6]]
    assert design.cells[2] == {
        "council.funding": 1.0, "ties.meet": 0.2, "assessment.threshold": 2, "charging.tariff": 1.0
    }  # fmt: skip
    assert (design.title, design.scenario.months, design.scenario.citizens) == ("Money and rule", 3, 100)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "sweep: nothing to vary; give --vary key=from:to:levels, --zip or --sample"),
        ({"overs": ["ties"]}, "--over: says what a sample goes over; give --sample lhs:200 as well"),
        ({"sample": "lhs:5"}, "--over: nothing to sample"),
        ({"sample": "lsh:5", "overs": ["ties"]}, "--sample: no method 'lsh'"),
        ({"zips": ["council.funding=1,2", "ties.meet=1"]}, "--zip: factors varied together"),
        ({"zips": ["council.fundin=1,2"]}, "--zip: unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ({"varies": ["ties.meet=0,1"], "zips": ["ties.meet=0,1"]}, "'ties.meet' is varied twice"),
        ({"varies": ["ties.meet=0,1"], "sets": ["ties.meet=1"]}, "sweep: 'ties.meet' is both set and varied"),
        ({"sample": "lhs:5", "overs": ["ties.meet"], "sets": ["ties.meet=1"]}, "'ties.meet' is both set and varied"),
        ({"sample": "lhs:5", "overs": ["months=1:9"], "months": 3}, "sweep: 'months' is both set and varied"),
        ({"zips": ["ties.meet=0,2"]}, "--zip: ties.meet = 2"),
    ],
)
def test_a_command_line_that_cannot_be_is_refused_in_one_line(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        plan("derby", **{"varies": [], **asked})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenario = 'derby'\n[vary]", "nothing to vary"),
        ("[vary]\n'council.fundin' = [1]", "vary: unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ("[[part]]\nset = {ties.met = 1}", "part 1: set: unknown key 'ties.met'; did you mean 'ties.meet'?"),
        ("[[part]]\nset = {ties.meet = 7}", "ties.meet = 7"),
        ("[[part]]\nvary = {ties.met = [1]}", "part 1: vary: unknown key 'ties.met'; did you mean 'ties.meet'?"),
        ("[[part]]\nset = {ties.meet = 1}\nvary = {ties.meet = [1]}", "part 1: 'ties.meet' is both set and varied"),
        ("[[part]]\nname = 'a'\n[[part]]\nname = 'a'", "a: two parts have this name"),
        (f"{OVER}ties.met = true", "sample.over: unknown key 'ties.met'; did you mean 'ties.meet'?"),
        (f"{OVER}tie = true", "sample.over: no key, role or section 'tie'; did you mean 'ties'?"),
        (f"{OVER}ties.meet = '0.5:2'", "sample.over: ties.meet = 0.5:2 is outside 0 to 1 probability/month"),
        (f"{OVER}ties = '0:1'", "'ties' stands for many parameters and takes no value"),
    ],
)
def test_an_experiment_that_asks_for_what_is_not_there_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(written(tmp_path, text), [])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_parts_takes_no_more_to_vary(tmp_path: Path) -> None:
    path = written(tmp_path, "[[part]]\nvary = {ties.meet = [0, 1]}")
    for more in ({"varies": ["ties.meet=1"]}, {"varies": [], "sample": "lhs:3"}):
        with pytest.raises(InputError, match="its parts say what is varied"):
            plan(path, **more)
    with pytest.raises(InputError, match=r"'ties\.meet' is both set and varied"):
        plan(path, [], ["ties.meet=1"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vary = 3", "vary = 3 is not a table"),
        ("replicats = 3\n[vary]", "unknown key 'replicats'; did you mean 'replicates'?"),
        ("replicates = 0\n[vary]", "replicates = 0 must be at least 1"),
        ("replicates = 1.5\n[vary]", "replicates = 1.5 is not a whole number"),
        ("seed = -1\n[vary]", "seed = -1 must be at least 0"),
        ("outcomes = []\n[vary]", "outcomes = [] holds 0 values"),
        ("[scenario]\nplace = 'derby'", "'vary' is missing; an experiment has [vary], [zip], [sample] or [[part]]"),
        ("[vary]\n'ties.meet' = [1]\n[[part]]", "[[part]] stands beside [vary]"),
        ("[sampl]\nsize = 3\n[vary]", "unknown key 'sampl'; did you mean 'sample'?"),
        ("[sample]\nsize = 3\nmethod = 'lhs'\noevr = {}", "unknown key 'sample.oevr'; did you mean 'sample.over'?"),
        ("[sample]\nsize = 3\nmethod = 'lsh'\n[sample.over]", "did you mean 'lhs'?"),
        ("[sample]\nsize = 0\nmethod = 'lhs'\n[sample.over]", "sample.size = 0 must be at least 1"),
        ("[[part]]\nvry = {}", "part #1.vry"),
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
    design = plan(str(path), [])
    assert design.title == study.title
    assert design.outcomes == study.outcomes
    assert [len(levels) for levels in design.factors.values()] == [7, 5]
    assert design.factors["council.funding"][::6] == (0.7, 1.3)
    assert (design.replicates, design.scenario.months, design.scenario.citizens) == (10, 120, 2000)
    assert design.own_cell is not None, "today's rule is one of the cells"


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


VALUES = st.recursive(
    st.one_of(
        st.integers(-3, 5),
        st.floats(-1, 2),
        st.booleans(),
        st.sampled_from(["0:1", "1:2:2", "a,b", "lhs", "", "derby"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*keys()[:6], "ties", "x"]), inner),
    max_leaves=4,
)
TABLES = st.dictionaries(st.sampled_from([*keys()[::9], "ties", "uncertain", "council.fundin"]), VALUES, max_size=3)
SAMPLES = st.fixed_dictionaries(
    {"method": st.sampled_from(["lhs", "sobol", "halton", "lsh"]), "size": st.integers(-1, 9)},
    optional={"over": TABLES, "seed": st.integers(-1, 3), "levels": VALUES},
)
PARTS = st.fixed_dictionaries({}, optional={"name": st.text(max_size=5), "set": TABLES, "vary": TABLES, "zip": TABLES,
                                            "sample": SAMPLES, "vry": VALUES})  # fmt: skip
FILES = st.fixed_dictionaries({}, optional={"title": VALUES, "scenario": TABLES | st.just("derby"), "vary": TABLES,
                                            "zip": TABLES, "sample": SAMPLES, "part": st.lists(PARTS, max_size=3),
                                            "replicates": VALUES})  # fmt: skip


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(each)}' for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return (
        repr(value)
        if isinstance(value, int | float)
        else '"' + "".join(c for c in value if c.isalnum() or c in ":,") + '"'
    )


@given(FILES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_design_or_refused_in_one_line(tmp_path: Path, content: dict[str, Any]) -> None:
    path = written(tmp_path, "\n".join(f"{key} = {toml(value)}" for key, value in content.items()) + "\n")
    try:
        design = plan(path, [])
    except InputError as refused:
        assert "\n" not in str(refused)
        assert len(str(refused)) < 500
    else:
        assert Design.from_record(design.record()) == design


def test_the_file_of_an_experiment_is_known_from_that_of_a_scenario(tmp_path: Path) -> None:
    for name, text in (("study", '[vary]\n"council.funding" = [1, 2]\n'), ("scenario", 'place = "derby"\n')):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        assert holds_study(str(tmp_path / f"{name}.toml")) == (name == "study")
    assert not holds_study("derby")
