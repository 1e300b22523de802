"""What pydantic finds wrong reaches people as one line they can act on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from carecommons.errors import InputError
from carecommons.explain import explain, keys_of
from carecommons.params import LEVER, D, Parameters, param


class Regime(StrEnum):
    SERVICE = "service"
    NETWORK = "network"


class Council(Parameters):
    funding: float = param(
        1.0, "the council's money", unit="x today's spend", role=LEVER, source="test", grade=D, low=0, high=10
    )
    shares: tuple[float, float, float] = param(
        (0.2, 0.3, 0.5), "of three", unit="of spend", role=LEVER, source="test", grade=D, low=0, high=1
    )
    staff: int = 3
    open: bool = True
    regime: Regime = Regime.SERVICE
    rule: Literal["strict", "lenient"] = "strict"


class Policy(Parameters):
    name: Annotated[str, Field(min_length=2, max_length=9)] = "none"
    start: Annotated[int, Field(ge=0, le=120)] = 0
    months: Annotated[list[int], Field(min_length=1, max_length=2, default_factory=lambda: [1])]

    @field_validator("name")
    @classmethod
    def _not_secret(cls, name: str) -> str:
        if name == "secret":
            raise ValueError("must be told")
        return name


class Lump(BaseModel, extra="forbid"):
    kind: Literal["lump"] = "lump"
    pounds: float = 0.0


class Rate(BaseModel, extra="forbid"):
    kind: Literal["rate"] = "rate"
    per_hour: float = 0.0


class Scenario(Parameters):
    months: int
    council: Council = Council()
    policies: tuple[Policy, ...] = ()
    named: dict[str, Policy] = Field(default_factory=dict)
    pay: Annotated[Lump | Rate, Field(discriminator="kind")] = Lump()
    either: float | tuple[float, ...] = 1.0

    @model_validator(mode="after")
    def _long_enough(self) -> Scenario:
        if self.policies and self.policies[0].start > self.months:
            raise ValueError("the first policy starts after the end")
        return self


def told(raw: Any, where: str = "mine.toml") -> str:
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(raw)
    error = explain(caught.value, where, keys_of(Scenario))
    assert isinstance(error, InputError)
    return str(error)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({"council": {"funding": -1}}, "council.funding = -1.0 is outside 0 to 10 x today's spend"),
        ({"council": {"funding": "abc"}}, "council.funding = 'abc' is not a number from 0 to 10 x today's spend"),
        (
            {"council": {"funding": float("nan")}},
            "council.funding = nan is not a finite number from 0 to 10 x today's spend",
        ),
        (
            {"council": {"funding": {"a": 1}}},
            "council.funding is a table, must be a number from 0 to 10 x today's spend",
        ),
        ({"council": {"staff": 1.5}}, "council.staff = 1.5 is not a whole number"),
        ({"council": {"open": "perhaps"}}, "council.open = 'perhaps' is not true or false"),
        (
            {"council": {"regime": "netwrk"}},
            "council.regime = 'netwrk' is not 'service' or 'network'; did you mean 'network'?",
        ),
        (
            {"council": {"rule": "lenien"}},
            "council.rule = 'lenien' is not 'strict' or 'lenient'; did you mean 'lenient'?",
        ),
        ({"council": {"rule": 3}}, "council.rule = 3 is not 'strict' or 'lenient'"),
        ({"council": 3}, "council = 3 is not a table"),
        ({"council": {"fundng": 1}}, "unknown key 'council.fundng'; did you mean 'council.funding'?"),
        ({"funding": 1}, "unknown key 'funding'; did you mean 'council.funding'?"),
        ({"zzz": 1}, "unknown key 'zzz'"),
        ({"council": {"shares": [0.5, 0.5]}}, "council.shares = [0.5, 0.5] holds 2 values, must hold 3"),
        ({"council": {"shares": [0, 0, 0, 1]}}, "council.shares = [0, 0, 0, 1] holds 4 values, must hold at most 3"),
        ({"council": {"shares": [0, 0.5, 7]}}, "council.shares #3 = 7.0 is outside 0 to 1 of spend"),
        ({"council": {"shares": [0, "x", 1]}}, "council.shares #2 = 'x' is not a number from 0 to 1 of spend"),
        ({"council": {"shares": "x"}}, "council.shares = 'x' is not a list of numbers from 0 to 1 of spend"),
        ({"policies": [{}, {"start": -2}]}, "policies #2.start = -2 must be at least 0"),
        ({"policies": [{"strat": 1}]}, "unknown key 'policies #1.strat'; did you mean 'policies.start'?"),
        ({"policies": [{"name": "a"}]}, "policies #1.name = 'a' must have at least 2 characters"),
        ({"policies": [{"months": []}]}, "policies #1.months = [] holds 0 values, must hold at least 1"),
        ({"policies": [{"name": "secret"}]}, "policies #1.name = 'secret': must be told"),
        ({"named": {"Direct": {"start": "x"}}}, "named.Direct.start = 'x' is not a whole number"),
        ({"pay": {"kind": "rat"}}, "pay.kind = 'rat' is not 'lump', 'rate'; did you mean 'rate'?"),
        ({"pay": {}}, "'pay.kind' is missing"),
        ({"either": "x"}, "either = 'x' is not a number"),
        ({"policies": [{"start": 100}]}, "the first policy starts after the end"),
    ],
)
def test_each_mistake_is_named_in_one_line(raw: dict[str, Any], line: str) -> None:
    assert told({"months": 12} | raw) == f"mine.toml: {line}"


def test_what_is_missing_is_named() -> None:
    assert told({}) == "mine.toml: 'months' is missing"


def test_a_misspelt_key_is_not_also_reported_missing() -> None:
    assert told({"moths": 12}) == "mine.toml: unknown key 'moths'; did you mean 'months'?"


def test_several_mistakes_are_counted() -> None:
    raw = {"months": "x", "council": {"funding": -1, "staff": "y"}}
    assert told(raw) == "mine.toml: months = 'x' is not a whole number (and 2 more)"


def test_a_file_that_is_no_table_is_said_so() -> None:
    assert told([1]) == "mine.toml: [1] is not a table"


def test_without_a_place_of_origin_the_line_starts_with_the_key() -> None:
    assert told({"months": "x"}, where="") == "months = 'x' is not a whole number"


def test_a_number_too_long_to_write_is_still_explained() -> None:
    class Few(BaseModel):
        much: Annotated[float, Field(le=9)]

    with pytest.raises(ValidationError) as caught:
        Few.model_validate({"much": 16**5000})
    assert "\n" not in str(explain(caught.value, "mine.toml", keys_of(Few)))


def test_the_known_keys_are_those_of_tables_and_of_what_they_hold() -> None:
    assert {"months", "council", "council.funding", "policies.start"} <= set(keys_of(Scenario))


def test_the_known_keys_carry_their_ranges() -> None:
    said = keys_of(Scenario)
    assert said["council.funding"] == "from 0 to 10 x today's spend" and said["policies.start"] == "from 0 to 120"
    assert said["council"] == said["council.regime"] == said["months"] == ""


things = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*keys_of(Scenario)]) | st.text(), inner)
    ),
)


@given(st.dictionaries(st.sampled_from([*Scenario.model_fields]) | st.text(), things) | things)
def test_whatever_is_handed_in_the_answer_is_one_printable_line(raw: Any) -> None:
    try:
        Scenario.model_validate(raw)
    except ValidationError as error:
        line = str(explain(error, "mine.toml", keys_of(Scenario)))
        assert line.startswith("mine.toml: ")
        assert line.isprintable()
