"""Numbers are shown as far as they are known, and never as more."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import carecommons as cc
from carecommons.experiments.estimate import NAN, Estimate
from carecommons.experiments.show import (
    axis_of,
    figure,
    level_of,
    over,
    per_of,
    percent,
    plainly,
    range_of,
    surely,
    unit_of,
)
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import register
from small import SCENARIO


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1234567.8, "1,234,568"), (12.3456, "12.35"), (0.012345, "0.0123"), (-0.00001, "0.0000"),
        (NAN, "–"), (float("inf"), "∞"), (float("-inf"), "-∞"), (-3.5, "-3.500"),
    ],
)  # fmt: skip
def test_a_figure(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Estimate(37.3172, 36.7, 37.9344, 10), "37.32 ± 0.62"),
        (Estimate(1234.5, 1190.0, 1279.0, 10), "1,234 ± 44"),
        (Estimate(-0.0004, -0.02, 0.0192, 10), "0.000 ± 0.020"),
        (Estimate(5.0, NAN, NAN, 1), "5.000"),
        (Estimate(5.0, 5.0, 5.0, 3), "5.000"),
        (Estimate(NAN, NAN, NAN, 0), "–"),
    ],
)
def test_a_mean_is_shown_as_far_as_its_interval_tells_it(found: Estimate, text: str) -> None:
    assert surely(found) == text


def test_signs_and_shares() -> None:
    assert surely(Estimate(2.0, 1.0, 3.0, 9), sign=True) == "+2.0 ± 1.0"
    assert surely(Estimate(2.0, 1.0, 3.0, 9), tight=True) == "2.0±1.0"
    assert surely(Estimate(0.0001, -1.0, 1.0002, 9), sign=True) == "0.0 ± 1.0"
    assert surely(Estimate(2.0, 1.5, 2.5, 9), 3) == "2.000 ± 0.500"
    assert (percent(-0.001), percent(0.456), percent(NAN)) == ("0%", "46%", "–")


def test_counts_are_given_for_a_thousand_adults_and_shares_as_they_are() -> None:
    assert (per_of("funded"), unit_of("funded")) == (1000, "per 1,000 adults")
    assert (per_of("requests"), unit_of("requests")) == (1000, "requests per 1,000 adults")
    assert (per_of("isolation"), unit_of("isolation")) == (None, BY_NAME["isolation"].unit)
    assert per_of("contact_isolated") is None


def test_axes_are_in_words() -> None:
    assert axis_of("place") == "place"
    assert level_of("council.funding", 0.7) == "70%"
    assert level_of("assessment.threshold", 2) == "2"
    assert level_of("council.legal_floor", False) == "off"
    assert all(axis_of(each.key) for each in register())


def test_every_parameter_is_shown_as_one_types_it() -> None:
    for each in register():
        assert plainly(each.value)
        assert bool(range_of(each)) == (each.low is not None)


def printed(what: object, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_main_table_fits_a_common_screen_with_all_its_levels() -> None:
    base = SCENARIO.but({"citizens": 60, "months": 2})
    swept = cc.sweep(base, {"council.funding": "0.7:1.3:7", "assessment.threshold": [1, 2]}, replicates=2)
    shown = printed(swept, 100)
    assert "…" not in shown
    assert all(f"{level}%" in shown for level in range(70, 140, 10))
    assert "council.funding across, assessment.threshold down" in shown
    assert "mean of all 2 months ± 95% interval over 2 replicates" in shown


def test_other_designs_are_lists() -> None:
    base = SCENARIO.but({"citizens": 60, "months": 1})
    three = {"council.funding": [1, 2], "assessment.threshold": [1, 2], "council.legal_floor": [True, False]}
    shown = printed(cc.sweep(base, three, replicates=1), 120)
    assert shown.count("\n") >= 8 + 2 and "200%" in shown and "off" in shown
    assert "mean of all 1 months, one replicate: no interval" in shown and "±" not in shown


@pytest.mark.parametrize(
    ("months", "last", "words"),
    [
        ((24,), 12, "mean of the last 12 of 24 months"),
        ((12,), 12, "mean of all 12 months"),
        ((6,), 12, "mean of all 6 months"),
        ((24, 36), 12, "mean of the last 12 months"),
        ((6, 24), 12, "mean of the last 12 months, of all where there are fewer"),
        ((6, 3), 12, "mean of all months"),
    ],
)
def test_what_a_run_counts_with_is_said_as_it_is(months: tuple[int, ...], last: int, words: str) -> None:
    assert over(months, last) == words


def test_a_comparison_of_equals_is_one_line_and_one_pair_has_no_interval() -> None:
    base = SCENARIO.but({"citizens": 60, "months": 3})
    same = printed(cc.compare(base, base.but(name="b"), [1]), 100)
    assert same.startswith("a and b are the same, so that nothing differs") and same.count("\n") == 1
    shown = printed(cc.compare(base, base.but({"council.funding": 0.5}), [1]), 120)
    assert "1 pair in the same worlds" in shown and "mean of all 3 months" in shown
    assert "fewer than two pairs: no interval" in shown
