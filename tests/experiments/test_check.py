"""A design is looked at before it runs: full factorials are perfectly told apart, copied columns are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import qmc

from carecommons.errors import InputError
from carecommons.experiments.check import (
    LIMIT,
    check_design,
    correlation_ratios,
    cramers_v,
    pearson,
    refuse,
    spearman,
)
from carecommons.experiments.design import Block, Design
from carecommons.experiments.sampling import Sample, axes_of
from carecommons.scenario import Scenario

BASE = Scenario(place="derby", citizens=200, months=6)
CHOICES: dict[str, Any] = {
    "council.funding": st.floats(0, 10),
    "ties.meet": st.floats(0, 1),
    "assessment.threshold": st.integers(0, 11),
    "assessment.stance": st.sampled_from(["deficit", "carer_blind", "asset_first"]),
    "council.legal_floor": st.booleans(),
    "place": st.sampled_from(["derby", "wigan", "oldham"]),
}


def of(cells: list[dict[str, Any]], **method: Any) -> Design:
    return Design(BASE, cells=tuple(cells), method=method)


@st.composite
def grids(draw: st.DrawFn) -> dict[str, tuple[Any, ...]]:
    names = draw(st.lists(st.sampled_from(sorted(CHOICES)), min_size=2, max_size=4, unique=True))
    return {key: tuple(draw(st.lists(CHOICES[key], min_size=2, max_size=3, unique=True))) for key in names}


@given(grids())
@settings(max_examples=60, deadline=None)
def test_inputs_of_a_full_factorial_have_a_correlation_of_exactly_nothing(factors: dict[str, Any]) -> None:
    check = check_design(Design(BASE, factors))
    assert check.correlation == 0.0
    assert check.duplicates == 0
    refuse(check)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=30, unique=True))
@settings(deadline=None)
def test_a_copied_column_is_refused_and_both_are_named(values: list[float]) -> None:
    check = check_design(of([{"ties.meet": x, "asking.fear": x, "council.legal_floor": True} for x in values]))
    assert check.correlation == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(InputError) as caught:
        refuse(check)
    assert str(caught.value) == (
        "the design: 'ties.meet' and 'asking.fear' are correlated by 1.00 (Pearson), above 0.3; use more cells, or "
        "--force-design"
    )
    refuse(check, forced=True)


def test_a_copied_choice_is_refused_whatever_it_copies() -> None:
    words = ["deficit", "carer_blind", "asset_first"] * 4
    copies = [
        {"assessment.stance": w, "place": {"deficit": "derby", "carer_blind": "wigan"}.get(w, "oldham")} for w in words
    ]
    with pytest.raises(InputError, match=r"correlated by 1.00 \(Cramer's V\)"):
        refuse(check_design(of(copies)))
    numbers = [{"assessment.stance": w, "ties.meet": {"deficit": 0.9, "carer_blind": 0.2}.get(w, 0.5)} for w in words]
    with pytest.raises(InputError, match=r"correlated by 1.00 \(correlation ratio\)"):
        refuse(check_design(of(numbers)))


def test_a_curve_that_hides_from_pearson_is_found_by_rank() -> None:
    check = check_design(of([{"council.spend_per_adult": float(3**k), "ties.meet": k / 12} for k in range(11)]))
    assert check.pairs[0].measure == "Spearman"
    assert check.pairs[0].value == 1.0


@given(st.integers(3, 40), st.integers(2, 5), st.integers(0, 99))
@settings(deadline=None)
def test_correlations_are_those_of_the_textbook(count: int, inputs: int, seed: int) -> None:
    columns = qmc.Halton(inputs, seed=seed).random(count)
    assert np.allclose(pearson(columns), np.corrcoef(columns, rowvar=False), atol=1e-12)
    ranks = stats.rankdata(np.round(columns, 1), axis=0)
    if np.ptp(ranks, axis=0).min() > 0:
        assert np.allclose(spearman(np.round(columns, 1)), np.corrcoef(ranks, rowvar=False), atol=1e-12)


@given(st.integers(2, 4), st.integers(2, 4), st.integers(4, 8), st.integers(0, 999))
@settings(deadline=None, max_examples=40)
def test_measures_of_choices_are_those_of_the_textbook(rows: int, columns: int, times: int, seed: int) -> None:
    luck = qmc.Halton(2, seed=seed).random(rows * columns * times)
    one, other = (np.minimum((luck[:, k] ** 2 * n).astype(np.int64), n - 1) for k, n in enumerate((rows, columns)))
    one[:rows], other[:columns] = np.arange(rows), np.arange(columns)
    count = len(one)
    table = stats.contingency.crosstab(one, other).count
    square = stats.chi2_contingency(table, correction=False).statistic / count
    less = max(0.0, square - (rows - 1) * (columns - 1) / (count - 1))
    sides = [n - (n - 1) ** 2 / (count - 1) for n in (rows, columns)]
    assert cramers_v(one, other) == pytest.approx((less / (min(sides) - 1)) ** 0.5, abs=1e-9)
    groups = [luck[one == k, 1] for k in range(rows)]
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (count - rows)
    whole = ((luck[:, 1] - luck[:, 1].mean()) ** 2).sum() / (count - 1)
    wanted = max(0.0, 1 - within / whole) ** 0.5
    assert correlation_ratios(one, luck[:, 1:])[0] == pytest.approx(wanted, abs=1e-7)


def test_factors_varied_together_count_as_one_input() -> None:
    together = Block.zip({"council.funding": (0.8, 1.0, 1.2), "assessment.threshold": (4, 3, 2)})
    design = Design.of(BASE, [Block.grid({"ties.meet": (0.1, 0.9)}), together])
    refuse(check_design(design))
    with pytest.raises(InputError, match=r"correlated by -1\.00"):
        refuse(check_design(of([dict(cell) for cell in design.cells])))


def test_parts_are_looked_at_one_by_one() -> None:
    one_by_one = {
        key: ({}, [Block.grid({key: (0.0, 0.25, 0.5, 1.0)})]) for key in ("ties.meet", "asking.fear", "asking.stigma")
    }
    design = Design.joined(BASE.but({"ties.meet": 0.0, "asking.fear": 0.0, "asking.stigma": 0.0}), one_by_one)
    assert check_design(design).correlation == 0.0
    entangled = Block(
        (({"ties.meet": 0.1, "asking.fear": 0.1}), {"ties.meet": 0.9, "asking.fear": 0.9}), {"kind": "grid"}
    )
    bad = Design.joined(
        BASE, {"fine": one_by_one["ties.meet"], "bad": ({}, [Block(entangled.cells, {"kind": "given", "keys": []})])}
    )
    with pytest.raises(InputError, match=r"the design: bad: 'ties\.meet' and 'asking\.fear' are correlated"):
        refuse(check_design(bad))


@pytest.mark.parametrize("method", ["morris", "saltelli"])
def test_a_method_for_one_input_at_a_time_is_not_refused_for_small_numbers(method: str) -> None:
    axes = axes_of(["ties"])
    design = Design.sampled(BASE, Sample(method, 2), axes)
    refuse(check_design(design))
    with pytest.raises(InputError):
        refuse(check_design(of([dict(cell) for cell in design.cells])))


def test_a_sample_of_all_uncertain_parameters_passes_with_enough_cells() -> None:
    axes = axes_of(["uncertain"])
    enough = check_design(Design.sampled(BASE, Sample("lhs", 2 * len(axes)), axes))
    assert enough.correlation < LIMIT / 2
    with pytest.raises(InputError, match=r"\(and [0-9,]+ more\)"):
        refuse(check_design(Design.sampled(BASE, Sample("lhs", 20), axes)))


@given(st.sampled_from(["lhs", "sobol", "halton"]), st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_a_sample_covers_its_ranges_and_is_more_even_than_luck(method: str, seed: int) -> None:
    axes = axes_of(["ties.meet", "council.funding=0.7:1.3", "asking.fear"])
    check = check_design(Design.sampled(BASE, Sample(method, 64, seed), axes))
    assert check.discrepancy[method] is not None and check.discrepancy[method] < 1
    for key, each in check.coverage.items():
        assert each.sampled
        if method == "lhs":  # one point in each of 64 strata: both ends within one, neighbours within two
            assert each.share >= 1 - 2 / 64 - 1e-12, key
            assert each.gap <= 2 / 64 + 1e-12, key


def test_the_discrepancy_of_points_at_random_is_one_on_average() -> None:
    axes = axes_of(["ties.meet", "asking.fear"])
    record = Sample("lhs", 30).record(axes)
    ratios = []
    for seed in range(150):
        # Points of a Sobol' sequence in 60 dimensions, each taken as 30 points of two: independent from draw to draw.
        rows = qmc.Sobol(60, seed=seed).random(1).reshape(30, 2)
        design = of([{"ties.meet": float(a), "asking.fear": float(b)} for a, b in rows], blocks=[record])
        ratios.append(check_design(design).discrepancy["lhs"])
    mean, error = np.mean(ratios), np.std(ratios) / np.sqrt(len(ratios))
    assert abs(mean - 1) < 4 * error


def test_what_repeats_or_stays_is_said() -> None:
    cells = [{"ties.meet": x, "asking.fear": 0.5} for x in (0.1, 0.5, 0.1, 0.9, 0.1)]
    check = check_design(of(cells))
    assert check.duplicates == 2
    assert check.constant == ("asking.fear",)
    assert "2 of 5 cells repeat an earlier one, which is run once" in check.lines
    assert "'asking.fear' has one level only" in check.lines
    assert check.pairs == ()


def test_coverage_of_a_grid_is_of_the_registers_range() -> None:
    found = check_design(Design.grid(BASE, {"council.funding": "0:5:3", "place": ["derby", "wigan"]})).coverage
    assert list(found) == ["council.funding"]
    assert (found["council.funding"].share, found["council.funding"].gap) == (0.5, 0.25)
    assert not found["council.funding"].sampled


@pytest.mark.parametrize(
    ("method", "size", "replicates", "said"),
    [
        ("morris", 3, 3, ["morris:3 has too few trajectories", "at least 4: morris:4"]),
        ("morris", 4, 2, ["morris: 'sensitivity' takes at least 3 replicates", "-r 3"]),
        ("saltelli", 8, 5, ["saltelli:8 has too few points", "at least 16: saltelli:16"]),
        ("saltelli", 16, 4, ["saltelli: 'sensitivity' takes at least 5 replicates", "-r 5"]),
        ("morris", 4, 3, []),
        ("saltelli", 16, 5, []),
        ("lhs", 8, 1, []),
    ],
)
def test_a_design_too_small_for_its_analysis_is_told_before_it_runs(
    method: str, size: int, replicates: int, said: list[str]
) -> None:
    axes = axes_of(["ties.meet", "asking.fear"])
    alone = check_design(Design.sampled(BASE, Sample(method, size), axes, replicates=replicates))
    part = ({}, [Block.sample(Sample(method, size), axes)])
    joined = check_design(Design.joined(BASE, {"one": part}, replicates=replicates))
    assert len(alone.short) == len(joined.short) == bool(said)
    assert all(words in " ".join(alone.short) for words in said)
    assert set(alone.short) <= set(alone.lines)
    assert all(line.startswith("one: ") for line in joined.short)
