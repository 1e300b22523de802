"""Samples fill the ranges that the parameters' own registers give, evenly, and the same for the same seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.design import Design
from carecommons.experiments.levels import kind_of
from carecommons.experiments.sampling import METHODS, Axis, Sample, axes_of, group, parse_sample, untangled
from carecommons.params import FIXED
from carecommons.scenario import Scenario, keys, register

BASE = Scenario(place="derby", citizens=200, months=6)
REGISTER = {each.key: each for each in register()}
SEEDS = st.integers(0, 2**32 - 1)
SIZES = {"lhs": 12, "halton": 12, "sobol": 16, "morris": 3, "saltelli": 4}


def sampled(method: str, seed: int, overs: list[str]) -> tuple[Any, ...]:
    return Sample(method, SIZES[method], seed).cells(axes_of(overs), "here")


@given(st.integers(1, 60), st.integers(1, 12), SEEDS)
@settings(deadline=None)
def test_a_latin_hypercube_has_one_point_in_each_stratum_of_each_input(size: int, inputs: int, seed: int) -> None:
    axes = [Axis(f"x{k}", -3.0, 5.0) for k in range(inputs)]
    cells = Sample("lhs", size, seed).cells(axes, "here")
    for axis in axes:
        strata = [min(int((Fraction(cell[axis.key]) + 3) * size / 8), size - 1) for cell in cells]
        # A point within rounding of a stratum's edge may be counted on its other side: 8 has no such edge but at ends.
        assert len(cells) == size
        off = [k for k, n in enumerate(np.bincount(strata, minlength=size)) if n != 1]
        assert len(off) <= 2 and all(
            edge(cell[axis.key], size) for cell, k in zip(cells, strata, strict=True) if k in off
        )


def edge(value: float, size: int) -> bool:
    place = (value + 3) * size / 8
    return abs(place - round(place)) < 1e-9


@given(st.integers(2, 5), st.integers(20, 60), SEEDS)
@settings(deadline=None, max_examples=40)
def test_untangling_keeps_each_column_and_never_correlates_more(inputs: int, size: int, seed: int) -> None:
    raw = Sample("halton", size, seed)._points(inputs) ** 2
    found = untangled(raw)
    assert np.array_equal(np.sort(found, axis=0), np.sort(raw, axis=0))
    off = [np.abs(np.corrcoef(each, rowvar=False) - np.eye(inputs)).max() for each in (found, raw)]
    assert off[0] <= off[1]


@pytest.mark.parametrize("method", METHODS)
@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_every_cell_of_the_whole_registers_ranges_is_a_possible_scenario(method: str, seed: int) -> None:
    cells = sampled(method, seed, ["uncertain", "lever"])[:8]
    scenarios = Design(BASE, cells=cells).scenarios
    assert scenarios == tuple(Scenario.of({**BASE.flat(), **cell}) for cell in cells)
    for cell in cells:
        for key, value in cell.items():
            assert type(value) is kind_of(key)
            assert REGISTER[key].low <= value <= REGISTER[key].high  # type: ignore[operator]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_the_same_seed_gives_the_same_cells_and_another_others(method: str, seed: int) -> None:
    overs = ["ties.meet", "council.funding=0.5:1.5", "society.circle_size", "assessment.stance", "groups"]
    assert sampled(method, seed, overs) == sampled(method, seed, overs)
    assert sampled(method, seed, overs) != sampled(method, seed ^ 1, overs)


def test_cells_do_not_depend_on_the_hash_seed() -> None:
    code = """
import json
from carecommons.experiments.study import plan
for method in ("lhs", "sobol", "halton", "morris", "saltelli"):
    design = plan("derby", ["council.funding=1,2"], sample=f"{method}:4:0", overs=["ties", "council.legal_floor"])
    print(json.dumps(design.record()), design.digest)
"""
    said = [
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
                       check=True).stdout
        for seed in ("0", "1")
    ]  # fmt: skip
    assert said[0] == said[1]
    assert len(said[0].splitlines()) == len(METHODS)


@given(st.integers(-20, 20), st.integers(1, 12), st.integers(1, 6))
def test_whole_numbers_come_equally_often_and_never_outside(low: int, count: int, times: int) -> None:
    axis = Axis("x", low, low + count - 1, whole=True)
    shares = (np.arange(count * times) + 0.5) / (count * times)
    assert Counter(axis.at(shares)) == {low + k: times for k in range(count)}
    assert axis.at(np.array([0.0, 1.0])) == [low, low + count - 1]


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6), st.floats(0, 1))
def test_a_number_never_leaves_its_range(low: float, width: float, share: float) -> None:
    axis = Axis("x", low, low + width)
    (found,) = axis.at(np.array([share]))
    assert axis.low <= found <= axis.high


def test_choices_come_equally_often() -> None:
    axes = axes_of(["assessment.stance", "council.legal_floor"])
    cells = Sample("lhs", 60, 5).cells(axes, "here")
    assert Counter(cell["assessment.stance"] for cell in cells) == dict.fromkeys(axes[0].values, 20)
    assert Counter(cell["council.legal_floor"] for cell in cells) == {True: 30, False: 30}


def test_a_key_alone_has_the_range_of_its_register() -> None:
    assert axes_of(["ties.meet", "society.circle_size"]) == (
        Axis("ties.meet", 0, 1),
        Axis("society.circle_size", 2, 12, True),
    )
    assert axes_of({"council.legal_floor": True}) == (Axis("council.legal_floor", values=(False, True)),)
    assert axes_of(["place=derby,wigan"]) == (Axis("place", values=("derby", "wigan")),)


@pytest.mark.parametrize(
    "name",
    ["uncertain", "lever", *(name for name in dict.fromkeys(k.partition(".")[0] for k in keys()) if group(name))],
)
def test_a_role_or_section_stands_for_its_numbers_that_have_a_range_and_are_not_fixed(name: str) -> None:
    found = [axis.key for axis in axes_of([name])]
    wanted = [
        key for key, each in REGISTER.items()
        if name in (each.role, key.partition(".")[0] if "." in key else "") and each.low is not None
        and each.role != FIXED and not isinstance(each.value, tuple | bool | str)
    ]  # fmt: skip
    assert found == wanted == [each.key for each in group(name)]


def test_what_is_named_apart_has_its_own_range_and_what_is_taken_is_left_out() -> None:
    axes = {axis.key: axis for axis in axes_of(["ties.meet=0.2:0.3", "ties"], taken=["ties.enough"])}
    assert axes["ties.meet"] == Axis("ties.meet", 0.2, 0.3)
    assert "ties.enough" not in axes
    assert len(axes) == len(group("ties")) - 1


def test_morris_moves_one_input_a_step_by_two_thirds_of_its_range() -> None:
    axes = [Axis(f"x{k}", 0.0, 3.0) for k in range(5)]
    cells = Sample("morris", 7, 0).cells(axes, "here")
    rows = np.array([list(cell.values()) for cell in cells]).reshape(7, 6, 5)
    steps = np.abs(np.diff(rows, axis=1))
    assert np.allclose(steps.sum(axis=2), 2.0, atol=1e-12)
    assert np.all((steps > 1e-9).sum(axis=2) == 1)
    assert np.all((steps > 1e-9).sum(axis=1) == 1), "each input moves once a trajectory"


@pytest.mark.parametrize("second", [False, True])
def test_saltellis_design_swaps_one_column_at_a_time(second: bool) -> None:
    axes = [Axis(f"x{k}") for k in range(3)]
    sample = Sample("saltelli", 8, 0, second_order=second)
    rows = np.array([list(cell.values()) for cell in sample.cells(axes, "here")])
    block = 8 if second else 5
    assert rows.shape == (8 * block, 3) == (sample.count(3), 3)
    for a, *mixed, b in rows.reshape(8, block, 3):
        for k, row in enumerate(mixed[:3]):
            assert np.array_equal(row, np.where(np.arange(3) == k, b, a))


@given(st.sampled_from(METHODS), st.integers(1, 40), st.integers(1, 9))
@settings(deadline=None, max_examples=40)
def test_a_sample_has_as_many_cells_as_it_says(method: str, size: int, inputs: int) -> None:
    size = 1 << (size % 5) if method in ("sobol", "saltelli") else size
    sample = Sample(method, size)
    assert len(sample.cells([Axis(f"x{k}") for k in range(inputs)], "here")) == sample.count(inputs)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lhs", "'lhs': must be method:size, such as lhs:200"),
        ("lsh:20", "no method 'lsh', must be one of lhs, sobol, halton, morris, saltelli; did you mean 'lhs'?"),
        ("lhs:0", "size = 0 must be a whole number from 1 to 10000"),
        ("sobol:100", "size = 100 must be a power of two for sobol, such as 64 or 128"),
        ("saltelli:3", "must be a power of two for saltelli, such as 16 or 32"),
        ("saltelli:9000", "must be a power of two for saltelli, such as 8192"),
        ("lhs:10:4294967296", "seed = 4294967296 must be a whole number from 0 to 4294967295"),
        ("lhs:10:4294967296000", "must be method:size"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_sample(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("--sample")


def test_a_sample_is_read_with_its_seed() -> None:
    assert parse_sample("lhs:200") == Sample("lhs", 200, 1)
    assert parse_sample(" Sobol : 64 : 0 ") == Sample("sobol", 64, 0)


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ("council.fundin", "unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ("uncertan", "no key, role or section 'uncertan'; did you mean 'uncertain'?"),
        ("council.funding=0.7:12", "council.funding = 0.7:12 is outside 0 to 10 x today's spend"),
        ("council.funding=1.3:0.7", "must go from a lower to a higher number"),
        ("council.funding=0.7:1.3:3:4", "council.funding = '0.7:1.3:3:4' must be low:high"),
        ("council.funding=1", "has 1 value, must have at least 2"),
        ("assessment.threshold=1.5:3", "assessment.threshold = 1.5:3 must have whole numbers for bounds"),
        ("assessment.stance=0:1", "assessment.stance is not a number"),
        ("council.shares", "council.shares has no range of its own to sample; give council.shares=a,b"),
        ("citizens", "citizens has no range of its own to sample; give citizens=low:high"),
        ("place", "place has no range of its own"),
        ("name=a,b", "'name' changes nothing"),
        ("homes", "'homes' holds no number with a range of its own"),
        ("fixed", "unknown key 'fixed'"),
        ("=1:2", "must be key=low:high"),
    ],
)
def test_what_no_sample_can_go_over_is_refused(over: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        axes_of([over])
    assert message in str(caught.value)
    assert str(caught.value).startswith("--over")
    assert "\n" not in str(caught.value)


def test_a_key_is_sampled_once() -> None:
    with pytest.raises(InputError, match="a key is given twice"):
        axes_of(["ties.meet", "ties.meet=0:0.5"])


def test_too_many_cells_are_refused_before_they_are_made() -> None:
    with pytest.raises(InputError, match=r"saltelli:8192 over 3 parameters makes 40,960 cells, must be at most 10,000"):
        Sample("saltelli", 8192).cells([Axis(f"x{k}") for k in range(3)], "here")


def test_without_the_extra_one_line_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample", None)
    with pytest.raises(InputError, match=r"needs the extra 'analysis': pip install carecommons\[analysis\]"):
        sampled("morris", 1, ["ties.meet"])
