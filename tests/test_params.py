"""No number without unit, range, role, source and grade; none out of range, none guessed from something else."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from carecommons.cycle import CYCLE
from carecommons.errors import InputError
from carecommons.params import FIXED, LEVER, A, D, Parameter, Parameters, param
from carecommons.scenario import Scenario, register

ENTRIES = {entry.key: entry for entry in register()}
NUMERIC = [entry for entry in ENTRIES.values() if entry.low is not None]
# But for shares that must make a whole, and chances that must not fall from one level to the next.
FREE = [entry for entry in NUMERIC if "sums to 1" not in entry.about and not entry.key.startswith("need.deficits")]


class Sample(Parameters):
    """One parameter of each kind."""

    share: float = param(0.5, "a share", unit="share", low=0, high=1, role=LEVER, source="assumption", grade=D)
    people: int = param(3, "some people", unit="people", low=1, high=10, role=FIXED, source="assumption", grade=D)
    pair: tuple[float, float] = param(
        (0.1, 0.2), "two shares", unit="share", low=0, high=1, role=LEVER, source="assumption", grade=D
    )
    switch: bool = param(False, "on or off", unit="switch", role=LEVER, source="model design", grade=A)


def fault(**values: Any) -> str:
    """What is said about the first thing wrong with a Sample of these values."""
    with pytest.raises(ValidationError) as caught:
        Sample(**values)
    return caught.value.errors()[0]["msg"]


# --- nothing is guessed ---


@pytest.mark.parametrize(
    "values",
    [
        {"share": True}, {"share": "0.5"}, {"share": None}, {"share": [0.5]}, {"share": {}},
        {"people": True}, {"people": "3"}, {"people": 2.5}, {"people": None},
        {"pair": 0.1}, {"pair": "ab"}, {"pair": None}, {"pair": [0.1]}, {"pair": [0.1, 0.2, 0.3]}, {"pair": {}},
        {"pair": [0.1, True]}, {"pair": (0.1, False)}, {"pair": [0.1, "0.2"]}, {"pair": ["0.1", 0.2]},
        {"pair": [0.1, None]},
        {"switch": 1}, {"switch": 0}, {"switch": "true"}, {"switch": None},
        {"unknown": 1},
    ],
)  # fmt: skip
def test_what_is_not_of_the_kind_is_refused_and_not_turned_into_it(values: dict[str, Any]) -> None:
    assert fault(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"share": math.nan}, {"share": math.inf}, {"share": -math.inf},
        {"pair": [0.1, math.nan]}, {"pair": [math.nan, 0.1]}, {"pair": [0.1, math.inf]},
    ],
)  # fmt: skip
def test_what_is_no_finite_number_is_refused_wherever_it_stands(values: dict[str, Any]) -> None:
    assert fault(**values)


def test_a_list_is_a_tuple_and_a_whole_number_a_number() -> None:
    sample = Sample(share=1, pair=[0, 1])
    assert sample.share == 1.0 and type(sample.share) is float
    assert sample.pair == (0.0, 1.0) and type(sample.pair) is tuple
    assert hash(sample) == hash(Sample(share=1.0, pair=(0.0, 1.0)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"share": -0.1}, "-0.1 is outside 0 to 1 share"),
        ({"share": 1.0000001}, "1.0000001 is outside 0 to 1 share"),
        ({"people": 0}, "0 is outside 1 to 10 people"),
        ({"people": 11}, "11 is outside 1 to 10 people"),
        ({"pair": (0.5, 1.5)}, "1.5 is outside 0 to 1 share"),
        ({"pair": (-1, 0.5)}, "-1.0 is outside 0 to 1 share"),
        ({"pair": (0.1, "0.2")}, "'0.2' is not a number"),
        ({"pair": (True, 0.2)}, "true is not a number"),
    ],
)
def test_what_is_wrong_is_said_with_its_value_and_what_would_be_right(values: dict[str, Any], said: str) -> None:
    assert fault(**values) == said


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(allow_nan=True, allow_infinity=True))
def test_a_number_is_taken_if_and_only_if_it_is_within_its_range(a: float, b: float) -> None:
    try:
        assert Sample(share=a, pair=(a, b)).pair == (a, b)
        taken = True
    except ValidationError:
        taken = False
    assert taken == (0 <= a <= 1 and 0 <= b <= 1)


def test_parameters_cannot_be_changed_only_copied_with_changes_and_a_copy_is_checked() -> None:
    sample = Sample()
    with pytest.raises(ValidationError):
        sample.share = 0.7
    assert sample.but(share=0.7) == Sample(share=0.7) != sample == Sample()
    for wrong in ({"share": 2.0}, {"shar": 0.5}):
        with pytest.raises(ValidationError):
            sample.but(**wrong)


def test_a_default_out_of_its_own_range_is_refused_too() -> None:
    class Wrong(Parameters):
        """Whose default is outside."""

        share: float = param(2.0, "a share", unit="share", low=0, high=1, role=LEVER, source="assumption", grade=D)

    with pytest.raises(ValidationError):
        Wrong()


# --- R70: the register ---


def test_the_register_has_an_entry_as_it_was_declared() -> None:
    assert list(Sample.parameters("here.")) == [
        Parameter("here.share", 0.5, "share", 0, 1, "lever", "assumption", "D", "a share"),
        Parameter("here.people", 3, "people", 1, 10, "fixed", "assumption", "D", "some people"),
        Parameter("here.pair", (0.1, 0.2), "share", 0, 1, "lever", "assumption", "D", "two shares"),
        Parameter("here.switch", False, "switch", None, None, "lever", "model design", "A", "on or off"),
    ]


@pytest.mark.parametrize("entry", NUMERIC, ids=[entry.key for entry in NUMERIC])
def test_every_default_is_within_its_range_and_the_scenario_holds_it(entry: Parameter) -> None:
    several = entry.value if isinstance(entry.value, tuple) else (entry.value,)
    assert all(entry.low <= value <= entry.high for value in several)
    assert Scenario().get(entry.key) == entry.value


@pytest.mark.parametrize("entry", NUMERIC, ids=[entry.key for entry in NUMERIC])
def test_every_number_is_refused_outside_its_range_in_each_place(entry: Parameter) -> None:
    several = entry.value if isinstance(entry.value, tuple) else (entry.value,)
    for wrong in (entry.low - 1, entry.high + 1, math.nan, True, "1"):
        for place in range(len(several)):
            values = (*several[:place], wrong, *several[place + 1 :])
            with pytest.raises(InputError) as caught:
                Scenario.of({entry.key: values if isinstance(entry.value, tuple) else wrong})
            assert str(caught.value).startswith(f"scenario: {entry.key}") and str(caught.value).isprintable()


@pytest.mark.parametrize("entry", FREE, ids=[entry.key for entry in FREE])
def test_both_ends_of_a_range_are_within_it(entry: Parameter) -> None:
    kind = type(entry.value[0] if isinstance(entry.value, tuple) else entry.value)
    for end in (entry.low, entry.high):
        value = (kind(end),) * len(entry.value) if isinstance(entry.value, tuple) else kind(end)
        assert Scenario.of({entry.key: value}).get(entry.key) == value


def test_an_assumption_is_graded_as_one_and_nothing_else_lacks_a_source() -> None:
    for entry in ENTRIES.values():
        if entry.source.strip().lower() in ("assumption", "assumption; 0 is none"):
            assert entry.grade == "D", entry.key
        assert entry.source.strip().lower() not in ("", "none", "unknown", "tbd", "todo"), entry.key


# --- R67: every mechanism has an off, contested effects take either sign ---


def test_every_process_of_the_month_can_be_switched_off() -> None:
    for process in CYCLE:
        entry = ENTRIES[f"{process.section()}.off"]
        assert entry.value is False and entry.role == "lever"


@pytest.mark.parametrize(
    ("key", "none"),
    [
        ("informal_care.crowding", 0.0),  # paid care replaces unpaid care, or relieves carers
        ("people.receptiveness", 0.0),  # the community shuts out, or welcomes
        ("wellbeing.together", 0.0),  # paid and unpaid care do less together, or more
        ("ties.without_care", 0.0),
        ("ties.while_caring", 0.0),
        ("need.isolation_effect", 1.0),
        ("need.unmet_effect", 1.0),
        ("asking.isolation_effect", 1.0),
        ("asking.crisis_if_isolated", 1.0),
        ("assessment.care_home_if_lonely", 1.0),
        ("turnover.mortality_if_lonely", 1.0),
    ],
)
def test_a_contested_effect_can_be_none_and_of_either_sign(key: str, none: float) -> None:
    entry = ENTRIES[key]
    assert entry.low is not None and entry.high is not None
    assert entry.low < none < entry.high
    assert Scenario.of({key: none}).get(key) == none


@pytest.mark.parametrize(
    "key", ["wellbeing.professional_weight", "ties.stigma_effect", "need.shock", "need.onset", "ties.welcome"]
)
def test_a_one_sided_effect_can_be_none(key: str) -> None:
    assert Scenario.of({key: 0.0}).get(key) == 0.0


def test_no_parameter_is_a_published_return() -> None:
    """Returns on investment are claims to be tested, and never go in."""
    for entry in ENTRIES.values():
        words = f"{entry.key} {entry.about} {entry.unit}".lower()
        assert "return on" not in words and "savings per pound" not in words and "sroi" not in words, entry.key
