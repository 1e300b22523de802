"""What a comparison is asked for is checked before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

import carecommons as cc
from carecommons.errors import InputError
from carecommons.experiments.comparison import changed


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("funded", "10%"), "precision = '10%' must be a Precision, such as Precision.parse('10%')"),
        (("funded", 0.1), "precision = '0.1' must be a Precision, such as Precision.parse('10%')"),
        (("fundd", cc.Precision(0.1)), "compare: no outcome 'fundd'; did you mean 'funded'?"),
        ((["funded"], cc.Precision(0.1)), "compare: no outcome '['funded']'"),
        (("funded", cc.Precision(0.1), "30"), "replication rule: most = 30 must be a whole number from 15"),
    ],
)
def test_an_end_that_cannot_be_is_refused_in_one_line(values: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        cc.Stop(*values)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


@pytest.mark.parametrize("wrong", ["10%", None, True, [0.1]])
def test_a_half_width_is_a_number(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"^precision = '.*' must be a number; Precision.parse reads text such as"):
        cc.Precision(wrong)


def test_scenarios_differ_in_their_parameters_and_not_in_their_names() -> None:
    a = cc.Scenario(place="derby", name="a")
    assert changed(a, a.but({"council.funding": 0.85, "name": "b"})) == {"council.funding": {"a": 1.0, "b": 0.85}}
    assert changed(a, a) == {}
