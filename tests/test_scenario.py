"""A scenario is every number of a run, written, read, changed and compared without loss; mistakes are one line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import small
from carecommons.errors import InputError
from carecommons.params import Parameter
from carecommons.processes.asking import Asking
from carecommons.scenario import Scenario, keys, register, unknown_key, vary

MOVABLE = [
    p for p in register() if p.low is not None and "sums to 1" not in p.about and not p.key.startswith("need.deficits")
]


def refused(values: dict[Any, Any], where: str = "scenario") -> str:
    with pytest.raises(InputError) as caught:
        Scenario.of(values, where)
    line = str(caught.value)
    assert line.isprintable() and line.startswith(where + ":")
    return line.removeprefix(where + ": ")


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Some parameters at any value of their ranges, whole numbers where they are whole, and choices and switches."""

    def value(p: Parameter) -> Any:
        if isinstance(p.value, tuple):
            return tuple(draw(st.floats(p.low, p.high)) for _ in p.value)
        return draw(st.integers(int(p.low), int(p.high)) if isinstance(p.value, int) else st.floats(p.low, p.high))

    chosen = draw(st.lists(st.sampled_from(MOVABLE), max_size=6, unique_by=lambda p: p.key))
    found = {p.key: value(p) for p in chosen}
    found["assessment.rule"] = draw(st.sampled_from(["care_act", "facs"]))
    found["assessment.band"] = draw(st.sampled_from(["low", "moderate", "substantial", "critical", "nobody"]))
    found["enterprises.off"] = draw(st.booleans())
    found["name"] = draw(st.text(st.characters(codec="utf-8"), max_size=80))
    return found


# --- written and read ---


@settings(max_examples=100)
@given(changes(), st.booleans())
def test_what_is_written_as_toml_is_read_as_the_same_scenario(values: dict[str, Any], everything: bool) -> None:
    scenario = Scenario.of(values)
    text = scenario.to_toml(everything=everything)
    again = Scenario.of(tomllib.loads(text))
    assert again == scenario and again.digest == scenario.digest and again.flat() == scenario.flat()
    assert again.to_toml(everything=everything) == text


def test_a_file_is_read_with_defaults_for_what_it_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('place = "derby"\n[council]\nfunding = 0.85\nshares = [0.7, 0.1, 0.2]\n', encoding="utf-8")
    scenario = Scenario.load(file)
    assert scenario == Scenario(place="derby").but({"council.funding": 0.85, "council.shares": (0.7, 0.1, 0.2)})
    assert scenario.changes() == {"place": "derby", "council.funding": 0.85, "council.shares": (0.7, 0.1, 0.2)}


def test_a_file_with_a_mistake_is_named_with_key_value_range_and_nearest(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    for text, line in (
        ("[council]\nfundin = 1.0\n", "unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ("[council]\nfunding = -1.0\n", "council.funding = -1.0 is outside 0 to 10 x today's spend"),
        ('[council]\nfunding = "1"\n', "council.funding = '1' is not a number from 0 to 10 x today's spend"),
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            Scenario.load(file)
        assert str(caught.value) == f"{file}: {line}"
    for wrong in (b"a = ", b"\xff\xfe", b"council = 3\n"):
        file.write_bytes(wrong)
        with pytest.raises(InputError) as caught:
            Scenario.load(file)
        assert str(caught.value).startswith(str(file)) and str(caught.value).isprintable()
    with pytest.raises(InputError, match="nowhere"):
        Scenario.load(tmp_path / "nowhere.toml")


def test_the_shortest_file_says_the_place_and_what_is_changed() -> None:
    assert Scenario().to_toml() == 'place = "england"\n'
    assert (
        Scenario(place="derby").but({"council.funding": 0.9}).to_toml()
        == 'place = "derby"\n\n[council]\nfunding = 0.9\n'
    )
    assert set(tomllib.loads(Scenario().to_toml(everything=True))) == {key.split(".")[0] for key in keys()}


# --- changed ---


def test_dotted_keys_and_nested_tables_say_the_same() -> None:
    dotted = {"council.funding": 0.8, "council.legal_floor": False, "assessment.threshold": 3, "citizens": 500}
    nested = {"council": {"funding": 0.8, "legal_floor": False}, "assessment": {"threshold": 3}, "citizens": 500}
    mixed = {"council": {"funding": 0.8}, "council.legal_floor": False, "assessment.threshold": 3, "citizens": 500}
    assert Scenario.of(dotted) == Scenario.of(nested) == Scenario.of(mixed) == Scenario().but(dotted)
    assert Scenario().but(nested) == Scenario().but(council={"funding": 0.8, "legal_floor": False}, citizens=500).but(
        {"assessment.threshold": 3}
    )


def test_a_copy_with_changes_leaves_the_rest_and_the_first() -> None:
    first = Scenario(place="derby", citizens=700)
    second = first.but({"council.funding": 0.85, "assessment.threshold": 3})
    assert first.council.funding == 1.0 and second.council.funding == 0.85 and second.assessment.threshold == 3
    assert {k: v for k, v in second.flat().items() if first.flat()[k] != v} == {
        "council.funding": 0.85,
        "assessment.threshold": 3,
    }
    assert second.but({"council.funding": 1.0, "assessment.threshold": 2}) == first
    assert first.but() == first.but({}) == first.but(None) == first


def test_what_is_said_later_counts() -> None:
    assert Scenario().but({"council.funding": 0.8}, **{"council.funding": 0.9}).council.funding == 0.9
    assert Scenario.of({"council.funding": 0.8, "council": {"funding": 0.9}}).council.funding == 0.9
    assert Scenario.of({"council": {"funding": 0.9}, "council.funding": 0.8}).council.funding == 0.8


def test_all_combinations_of_levels_the_last_running_fastest() -> None:
    cells = vary(Scenario(), {"council.funding": [0.9, 1.1], "assessment.threshold": [1, 2, 3]})
    assert [(c.council.funding, c.assessment.threshold) for c in cells] == [
        (f, k) for f in (0.9, 1.1) for k in (1, 2, 3)
    ]
    assert vary(Scenario(), {}) == [Scenario()]


# --- compared ---


def test_a_digest_is_that_of_the_numbers_however_they_were_written() -> None:
    spelt = Scenario.of(Scenario().flat())
    assert spelt == Scenario() and spelt.digest == Scenario().digest and spelt.changes() == {}
    assert Scenario(name="today").digest == Scenario().digest
    assert Scenario.of({"council.funding": 1}).digest == Scenario.of({"council.funding": 1.0}).digest


@pytest.mark.parametrize("p", MOVABLE, ids=[p.key for p in MOVABLE])
def test_every_number_counts_in_the_digest(p: Parameter) -> None:
    several = p.value if isinstance(p.value, tuple) else (p.value,)
    end = p.high if several[-1] != p.high else p.low
    last = type(several[-1])(end)
    changed = Scenario.of({p.key: (*several[:-1], last) if isinstance(p.value, tuple) else last})
    assert changed.digest != Scenario().digest and set(changed.changes()) == {p.key}


def test_scenarios_are_frozen_and_can_be_keys() -> None:
    scenario = Scenario()
    with pytest.raises(Exception, match="frozen"):
        scenario.months = 3
    assert {scenario: 1}[Scenario()] == 1
    _ = scenario.need.up  # what is worked out from parameters and kept
    assert scenario == Scenario() and hash(scenario) == hash(Scenario())


# --- looked into ---


def test_values_and_processes_are_found_by_name() -> None:
    scenario = Scenario().but({"asking.door": 0.4})
    assert scenario.get("asking.door") == 0.4 and scenario.process(Asking) is scenario.asking
    assert set(keys()) == set(scenario.flat())
    assert {p.key for p in register()} <= set(keys())
    with pytest.raises(InputError, match=r"^scenario: unknown key 'asking.dor'; did you mean 'asking.door'\?$"):
        scenario.get("asking.dor")


def test_a_scenario_knows_the_figures_of_its_place() -> None:
    assert Scenario(place="derby").profile().name == "Derby"
    with pytest.raises(InputError, match="derby"):
        Scenario(place="derbi").profile()


# --- refused ---


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"council.fundin": 1.0}, "unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ({"fundin": 1.0}, "unknown key 'fundin'; did you mean 'council.funding'?"),
        ({"council": {"fundin": 1.0}}, "unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ({"assessment.treshold": 3}, "unknown key 'assessment.treshold'; did you mean 'assessment.threshold'?"),
        ({"zzz": 1}, "unknown key 'zzz'"),
        ({"council.funding": -0.1}, "council.funding = -0.1 is outside 0 to 10 x today's spend"),
        (
            {"council.funding": float("nan")},
            "council.funding = nan is not a finite number from 0 to 10 x today's spend",
        ),
        ({"council.funding": True}, "council.funding = true is not a number from 0 to 10 x today's spend"),
        ({"council.funding": None}, "council.funding = None is not a number from 0 to 10 x today's spend"),
        ({"council": 3}, "council = 3 is not a table"),
        ({"council.funding.x": 1}, "council.funding is a table, must be a number from 0 to 10 x today's spend"),
        ({"council.shares": [0.5, 0.5, 0.5]}, "council.shares = [0.5, 0.5, 0.5] sums to 1.5, must be 1"),
        ({"council.shares": [0.5, 0.5]}, "council.shares = [0.5, 0.5] holds 2 values, must hold 3"),
        ({"council.shares": [0.5, 0.5, 0.0, 0.0]}, None),
        ({"council.shares": [1.2, -0.2, 0.0]}, "council.shares #1 = 1.2 is outside 0 to 1 share of the grant"),
        (
            {"ties.fade": [0.1] * 6 + [float("nan")]},
            "ties.fade #7 = nan is not a finite number from 0 to 1 share/month",
        ),
        ({"ties.fade": [0.1] * 6 + ["0.1"]}, "ties.fade #7 = '0.1' is not a number from 0 to 1 share/month"),
        ({"ties.fade": [0.1] * 5 + [True, 0.1]}, "ties.fade #6 = true is not a number from 0 to 1 share/month"),
        (
            {"assessment.threshold": 2.5},
            "assessment.threshold = 2.5 is not a whole number from 0 to 11 Care Act outcomes",
        ),
        (
            {"assessment.rule": "care act"},
            "assessment.rule = 'care act' is not 'care_act' or 'facs'; did you mean 'care_act'?",
        ),
        ({"turnover.off": "yes"}, "turnover.off = 'yes' is not true or false"),
        ({"citizens": -1}, "citizens = -1 is outside 0 to 60000000 adults"),
        ({"months": 1201}, "months = 1201 is outside 0 to 1200 months"),
        ({"name": "x" * 81}, None),
        ({"name": 3}, "name = 3 is not text"),
        ({3: 4}, "unknown key '3'"),
    ],
)
def test_a_mistake_is_named_in_one_line(values: dict[Any, Any], line: str | None) -> None:
    found = refused(values)
    assert line is None or found == line


def test_where_a_mistake_was_found_opens_the_line() -> None:
    assert refused({"council.fundin": 1}, "mine.toml").startswith("unknown key 'council.fundin'")
    assert str(unknown_key("months.x", "--vary")).startswith("--vary: unknown key 'months.x'")


def test_a_value_and_a_table_under_one_name_are_refused() -> None:
    assert refused({"citizens": 3, "citizens.x": 4}) == "'citizens.x' is given both as a value and as a table"


def test_several_mistakes_are_counted_and_the_first_is_said() -> None:
    assert refused({"council.funding": -1, "months": -1, "zzz": 1}) == "unknown key 'zzz' (and 2 more)"


@given(
    st.dictionaries(
        st.text(max_size=12),
        st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5), st.lists(st.integers())),
    )
)
def test_whatever_is_handed_in_the_answer_is_a_scenario_or_one_line(values: dict[str, Any]) -> None:
    try:
        Scenario.of(values)
    except InputError as error:
        assert str(error).isprintable() and str(error).startswith("scenario: ")


def test_nobody_and_no_months_are_scenarios() -> None:
    nobody = small.SCENARIO.but({"citizens": 0, "months": 0})
    assert len(small.run(nobody).series) == 0


def test_a_copy_has_its_own_digest() -> None:
    scenario = Scenario()
    first = scenario.digest
    copy = scenario.model_copy(update={"months": 3})
    assert copy.digest == Scenario(months=3).digest != first == scenario.digest
