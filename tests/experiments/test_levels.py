"""Levels are read from texts as one would write them, exact to the last digit, or refused in one line."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import carecommons as cc
from carecommons.errors import InputError
from carecommons.experiments.levels import kind_of, levels_of, parse_set, parse_vary, plain


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
        ("place=C:/towns/1:2.toml,derby", ("C:/towns/1:2.toml", "derby")),
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
        *(
            ({"council.funding": text}, f"council.funding = '{text}' must be from:to:levels, levels 2 to 1000")
            for text in (
                "0.8:1.2",
                "0.8:1.2:3:4",
                "0.8:1.2:2.5",
                "0.8:1.2:-3",
                "0.8:1.2:1000000000",
                "0.8:1.2,2",
                "a:b:3",
            )
        ),
        ({"assessment.threshold": "1:3"}, "must be from:to:levels"),
        ({"council.funding": [{"a": 1}]}, "holds a table"),
        ({"name": ["a", "b"]}, "'name' changes nothing"),
    ],
)
def test_levels_that_cannot_be_are_refused(factors: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        levels_of(factors, "here")
    assert str(caught.value).startswith("here: ")
    assert message in str(caught.value)


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


def test_a_level_may_come_again_where_factors_are_varied_together() -> None:
    assert levels_of({"council.funding": [1, 1, 2]}, again=True) == {"council.funding": (1.0, 1.0, 2.0)}
    assert parse_vary(["council.legal_floor=true,true"], again=True) == {"council.legal_floor": (True, True)}


@pytest.mark.parametrize(
    ("key", "kind"), [("citizens", int), ("council.funding", float), ("ties.off", bool), ("place", str)]
)
def test_the_kind_of_a_key_is_that_of_its_values(key: str, kind: type) -> None:
    assert kind_of(key) is kind


def test_a_level_beyond_all_numbers_is_refused_and_lists_may_come_out_of_arrays() -> None:
    with pytest.raises(InputError, match="funding"):
        cc.sweep(cc.Scenario(place="derby", citizens=10, months=1), {"council.funding": [10**400]}, replicates=1)
    assert plain(np.array([1, 2]), tuple) == (1.0, 2.0) and plain(np.float64(2), float) == 2.0
