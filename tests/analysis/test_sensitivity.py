"""Sensitivity: known answers, no bias by noise, and never a number where there is none."""

from __future__ import annotations

import io
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from carecommons.analysis import screening, sensitivity
from carecommons.analysis.problem import CONSTANT, Problem, contrasts
from carecommons.analysis.screening import morris, screen
from carecommons.analysis.sensitivity import DROWNED, FEW_RUNS, NO_NOISE, ONE_RUN, TWO_WORLDS, sobol, sobol_of
from carecommons.errors import InputError
from carecommons.experiments.design import Design
from carecommons.experiments.sampling import Sample, axes_of
from carecommons.kernels.arrays import F64
from carecommons.scenario import Scenario

saltelli_sample = pytest.importorskip("SALib.sample.sobol")
morris_sample = pytest.importorskip("SALib.sample.morris")
saltelli_analysis = pytest.importorskip("SALib.analyze.sobol")
morris_analysis = pytest.importorskip("SALib.analyze.morris")

# Ishigami & Homma 1990 with a = 7, b = 0.1; the indices follow from its exact variances.
A, B = 7.0, 0.1
V1, V2, V13 = (1 + B * math.pi**4 / 5) ** 2 / 2, A**2 / 8, B**2 * math.pi**8 * (1 / 18 - 1 / 50)
V = V1 + V2 + V13
FIRST, TOTAL = (V1 / V, V2 / V, 0.0), ((V1 + V13) / V, V2 / V, V13 / V)
WAVES = Problem.of({name: (-math.pi, math.pi) for name in ("x1", "x2", "x3")})
TOY = Problem.of({f"x{k}": (-1.0, 3.0) for k in range(20)})
ACTIVE = {"x1": 2.0, "x4": -1.5, "x9": 1.0, "x13": 0.8, "x17": 3.0}


AGREEING = np.arange(6.0) * (np.arange(80)[:, None] % 30 > 0)


def as_salib(problem: Problem) -> dict[str, Any]:
    return {"num_vars": len(problem), "names": list(problem.names), "bounds": [list(b) for b in problem.bounds]}


def ishigami(x: F64) -> F64:
    return np.asarray(np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0]))


def saltelli(problem: Problem, base: int, *, second: bool = False, seed: int = 1) -> F64:
    found = saltelli_sample.sample(as_salib(problem), base, calc_second_order=second, seed=seed)
    return np.asarray(found, np.float64)


def steps(problem: Problem, count: int, levels: int = 4, seed: int = 3) -> F64:
    return np.asarray(morris_sample.sample(as_salib(problem), count, num_levels=levels, seed=seed), np.float64)


def toy(x: F64) -> F64:
    """Twenty inputs of which five do anything, two of them only together with what else they do."""
    return np.asarray(sum(x[:, int(name[1:])] * slope for name, slope in ACTIVE.items()) + x[:, 4] * x[:, 9])


def values(found: tuple[sensitivity.Interval, ...]) -> list[float]:
    return [each.value for each in found]


@pytest.fixture(scope="module")
def waves() -> F64:
    return saltelli(WAVES, 4096)


@pytest.fixture(scope="module")
def luck() -> np.random.Generator:
    return np.random.default_rng(7)


# --- Sobol: known answers ---


def test_the_exact_indices_are_those_of_the_literature() -> None:
    assert pytest.approx((0.313905, 0.442411, 0.0), abs=1e-6) == FIRST
    assert pytest.approx((0.557589, 0.442411, 0.243684), abs=1e-6) == TOTAL


def test_ishigami_is_within_0_02_at_a_base_of_4096(waves: F64) -> None:
    found = sobol(WAVES, waves, ishigami(waves))
    assert values(found.mean.first) == pytest.approx(FIRST, abs=0.02)
    assert values(found.mean.total) == pytest.approx(TOTAL, abs=0.02)
    for told, exact in zip((*found.mean.first, *found.mean.total), (*FIRST, *TOTAL), strict=True):
        assert told.low < exact < told.high


@pytest.mark.parametrize("replicates", [2, 10])
def test_noise_as_large_as_the_effect_does_not_bias_the_indices(
    waves: F64, luck: np.random.Generator, replicates: int
) -> None:
    mean = ishigami(waves)
    y = mean[:, None] + luck.normal(0, math.sqrt(V), (len(mean), replicates))
    found = sobol(WAVES, waves, y, paired=False)
    assert found.mean.total[1].value == pytest.approx(TOTAL[1], abs=0.05)
    assert found.noise_share.value == pytest.approx(0.5, abs=0.05)
    assert found.noise_share.low < 0.5 < found.noise_share.high
    assert found.common_noise < 0.05
    of_one = saltelli_analysis.analyze(as_salib(WAVES), y[:, 0], calc_second_order=False, seed=1)["ST"][1]
    assert of_one > 0.65, "what one takes for the truth without replicates"


@pytest.mark.parametrize("second", [False, True])
def test_without_noise_the_indices_are_those_of_salib(second: bool) -> None:
    x = saltelli(WAVES, 128, second=second)
    y = ishigami(x)
    theirs = saltelli_analysis.analyze(as_salib(WAVES), y, calc_second_order=second, seed=1)
    if second:  # SALib centres on all rows, ours on those it uses: where the centre matters it must be the same
        x, y = (np.delete(each.reshape(128, 8, -1), [4, 5, 6], axis=1).reshape(128 * 5, -1) for each in (x, y))
        theirs = saltelli_analysis.analyze(as_salib(WAVES), y[:, 0], calc_second_order=False, seed=1)
        assert sobol(WAVES, saltelli(WAVES, 128, second=True), ishigami(saltelli(WAVES, 128, second=True))).mean == (
            sobol(WAVES, x, y).mean
        )
    found = sobol(WAVES, x, y)
    np.testing.assert_allclose(values(found.mean.first), theirs["S1"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(values(found.mean.total), theirs["ST"], rtol=0, atol=1e-12)


# --- Sobol: the same worlds in every row ---


def test_luck_that_moves_all_rows_alike_changes_no_index(luck: np.random.Generator) -> None:
    x = saltelli(WAVES, 64)
    quiet = sobol(WAVES, x, ishigami(x))
    found = sobol(WAVES, x, ishigami(x)[:, None] + luck.normal(0, 100, 6))
    np.testing.assert_allclose(values(found.mean.total), values(quiet.mean.total), atol=1e-10)
    np.testing.assert_allclose(values(found.mean.first), values(quiet.mean.first), atol=1e-10)
    assert found.common_noise == pytest.approx(1)
    assert found.noise.why == CONSTANT
    assert found.noise_share.value > 0.9


def test_luck_that_meets_rows_differently_does_not_bias_the_indices(luck: np.random.Generator) -> None:
    """Worlds in which x1 counts for more or less: over many draws of the worlds the mean index is the true one."""
    x = saltelli(WAVES, 64)
    true = values(sobol(WAVES, x, ishigami(x), resamples=2).mean.total)
    found = np.array(
        [
            values(sobol(WAVES, x, ishigami(x)[:, None] + x[:, :1] * luck.normal(0, 0.5, 8), resamples=2).mean.total)
            for _ in range(60)
        ]
    )
    error = found.std(axis=0, ddof=1) / math.sqrt(len(found))
    # Four standard errors; a ratio of two estimates is off by less than 0.02 here.
    assert (np.abs(found.mean(axis=0) - true) < 4 * error + 0.02).all()


def test_intervals_are_wider_for_worlds_shared_by_all_rows(luck: np.random.Generator) -> None:
    x = saltelli(WAVES, 64)
    y = ishigami(x)[:, None] + x[:, :1] * luck.normal(0, 1, 6)
    paired, apart = (sobol(WAVES, x, y, paired=paired).mean for paired in (True, False))
    assert values(paired.total) == values(apart.total)
    assert paired.total[0].high - paired.total[0].low > apart.total[0].high - apart.total[0].low


# --- Sobol: of the noise ---


@pytest.mark.parametrize("paired", [True, False])
def test_what_drives_the_noise_is_found_apart_from_what_drives_the_mean(
    luck: np.random.Generator, paired: bool
) -> None:
    x = saltelli(WAVES, 256)
    z = luck.normal(0, 1, (1 if paired else len(x), 12))
    found = sobol(WAVES, x, x[:, :1] + z * np.exp(x[:, [1]] / 2), paired=paired)
    assert found.mean.total[0].value == pytest.approx(1, abs=0.15)
    assert found.noise.total[1].low < 1 < found.noise.total[1].high
    assert found.noise.total[1].value == pytest.approx(1, abs=0.15)
    assert max(found.noise.total[0].value, found.noise.total[2].value) < 0.15


@pytest.mark.parametrize(
    ("noise", "why"),
    [(np.zeros((80, 6)), NO_NOISE), (AGREEING, "agree in 3 of 80 rows"), (np.zeros((80, 4)), FEW_RUNS)],
    ids=["none", "in some rows", "few replicates"],
)
def test_noise_that_has_no_logarithm_has_no_indices_and_says_why(noise: F64, why: str) -> None:
    x = saltelli(WAVES, 16)
    found = sobol(WAVES, x, ishigami(x)[:, None] + noise)
    assert np.isnan(values(found.noise.total)).all()
    assert why in found.why


def test_one_replicate_says_that_noise_cannot_be_told() -> None:
    x = saltelli(WAVES, 16)
    found = sobol(WAVES, x, ishigami(x))
    assert found.mean.why == ONE_RUN
    assert math.isnan(found.noise_share.value)


def test_two_shared_worlds_give_indices_without_intervals(luck: np.random.Generator) -> None:
    x = saltelli(WAVES, 16)
    found = sobol(WAVES, x, ishigami(x)[:, None] + luck.normal(0, 0.1, 2))
    assert found.mean.why == TWO_WORLDS
    assert not np.isnan(values(found.mean.total)).any()
    assert math.isnan(found.mean.total[0].low)


def test_nothing_but_noise_has_no_indices(luck: np.random.Generator) -> None:
    x = saltelli(WAVES, 64)
    found = sobol(WAVES, x, luck.normal(0, 1, (len(x), 4)), paired=False)
    assert found.mean.why == DROWNED
    assert np.isnan(values(found.mean.total)).all()


# --- guards, for both ---

METHODS: list[Any] = [
    pytest.param(sobol, lambda problem: saltelli(problem, 32), id="sobol"),
    pytest.param(morris, lambda problem: steps(problem, 40), id="morris"),
]


@pytest.mark.parametrize(("method", "sample"), METHODS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_value_that_is_no_number_is_an_error_that_names_its_row(method: Any, sample: Any, bad: float) -> None:
    x = sample(WAVES)
    y = np.c_[ishigami(x), ishigami(x)]
    y[17, 1] = bad
    with pytest.raises(InputError, match=rf"isolation is no number in 1 of {len(x)} rows \(17\); run them again"):
        method(WAVES, x, y, outcome="isolation")


@pytest.mark.parametrize(("method", "sample"), METHODS)
def test_many_missing_rows_are_counted_and_the_first_named(method: Any, sample: Any) -> None:
    x = sample(WAVES)
    y = ishigami(x)
    y[::10] = math.nan
    with pytest.raises(InputError, match=r"16 of 160 rows \(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, \.\.\.\)"):
        method(WAVES, x, y)


@pytest.mark.parametrize(("method", "sample"), METHODS)
@pytest.mark.parametrize("constant", [0.0, 3.3, 1e12])
@pytest.mark.parametrize("replicates", [1, 5])
def test_a_constant_outcome_is_said_to_be_one_and_has_no_indices(
    method: Any, sample: Any, constant: float, replicates: int
) -> None:
    x = sample(WAVES)
    found = method(WAVES, x, np.full((len(x), replicates), constant) + np.arange(replicates))
    assert CONSTANT in found.why
    numbers = found.table.select_dtypes("number").drop(columns=["noise_share"], errors="ignore")
    assert numbers.drop(columns=[name for name in numbers if "noise_share" in name]).isna().all(axis=None)


@pytest.mark.parametrize(("method", "sample"), METHODS)
def test_a_seed_of_nought_is_a_seed_like_any_other(method: Any, sample: Any) -> None:
    x = sample(WAVES)
    y = ishigami(x)
    nought, again, one = (method(WAVES, x, y, seed=seed).table for seed in (0, 0, 1))
    assert nought.equals(again)
    assert not nought.equals(one)
    assert method(WAVES, x, y).table.equals(one), "without a seed it is 1, and never none"


@pytest.mark.parametrize(("method", "sample"), METHODS)
@pytest.mark.parametrize("seed", [-1, True, 2**63, 1.5])
def test_what_is_no_seed_is_refused(method: Any, sample: Any, seed: Any) -> None:
    x = sample(WAVES)
    with pytest.raises(InputError, match="seed"):
        method(WAVES, x, ishigami(x), seed=seed)


@pytest.mark.parametrize(("method", "sample"), METHODS)
def test_the_global_generator_is_left_alone(method: Any, sample: Any) -> None:
    x = sample(WAVES)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    method(WAVES, x, ishigami(x))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize(("method", "sample"), METHODS)
def test_rows_of_another_design_or_in_another_order_are_refused(method: Any, sample: Any) -> None:
    x = sample(WAVES)
    swapped = x[[0, 2, 1, *range(3, len(x))]]
    for wrong in (swapped, x[:-1], np.roll(x, 1, axis=0), x[: len(x) // 2 + 1], np.zeros_like(x), x[:0]):
        with pytest.raises(InputError, match="make the design with --sample"):
            method(WAVES, wrong, ishigami(wrong))


@pytest.mark.parametrize(("method", "sample"), METHODS)
def test_levels_and_values_must_fit_the_problem(method: Any, sample: Any) -> None:
    x = sample(WAVES)
    with pytest.raises(InputError, match="x2 is not within"):
        method(WAVES, x * [1, 1.5, 1], ishigami(x))
    with pytest.raises(InputError, match="must be \\(rows, 3\\)"):
        method(WAVES, x[:, :2], ishigami(x))
    with pytest.raises(InputError, match="replicates"):
        method(WAVES, x, ishigami(x)[1:])


def test_too_few_rows_are_refused() -> None:
    x = saltelli(WAVES, 8)
    with pytest.raises(InputError, match=r"a base of 8 rows, must have at least 16; make the .* --sample saltelli:16$"):
        sobol(WAVES, x, ishigami(x))
    x = steps(WAVES, 3)
    with pytest.raises(
        InputError, match=r"3 trajectories, must have at least 4; make the design with --sample morris:4$"
    ):
        morris(WAVES, x, ishigami(x))


@pytest.mark.parametrize("over", [{}, {"x": (1, 1)}, {"x": (0, math.inf)}, {"x": (math.nan, 1)}, {"x": (2, 1)}])
def test_a_problem_has_names_and_ranges(over: Any) -> None:
    with pytest.raises(InputError, match="problem"):
        Problem.of(over)


# --- Morris ---


@pytest.mark.parametrize("levels", [4, 6, 10])
def test_morris_is_salibs_on_the_same_sample_for_any_grid(levels: int) -> None:
    x = steps(TOY, 20, levels)
    y = toy(x)
    theirs = morris_analysis.analyze(as_salib(TOY), x, y, num_levels=levels, seed=1)
    found = morris(TOY, x, y).effects
    # 1e-12 of effects up to 12.
    np.testing.assert_allclose([each.mu.value for each in found], theirs["mu"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose([each.mu_star.value for each in found], theirs["mu_star"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose([each.sigma.value for each in found], theirs["sigma"], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("replicates", [4, 10])
def test_the_five_of_twenty_that_matter_are_found_under_noise(luck: np.random.Generator, replicates: int) -> None:
    """The weakest effect, 3.2, is four standard errors of a step's mean or more, and 15 others are nothing."""
    x = steps(TOY, 20)
    noise = 0.8 * math.sqrt(replicates) * 2 / 3 / math.sqrt(2)
    found = morris(TOY, x, toy(x)[:, None] + luck.normal(0, noise, (len(x), replicates)))
    assert set(ACTIVE) <= set(found.active)
    assert len(set(found.active) - set(ACTIVE)) <= 1


def test_luck_shared_by_all_rows_hides_no_factor(luck: np.random.Generator) -> None:
    x = steps(TOY, 10)
    found = morris(TOY, x, toy(x)[:, None] + luck.normal(0, 1000, 3))
    assert set(found.active) == set(ACTIVE)


def test_noise_alone_has_no_active_factor(luck: np.random.Generator) -> None:
    """At 95% over all factors together one sample in twenty may have one; 20 samples have more than 4 once in 400."""
    x = steps(TOY, 10)
    tries = [morris(TOY, x, luck.normal(0, 1, (len(x), 5)), resamples=50) for _ in range(20)]
    assert sum(bool(each.active) for each in tries) <= 4


def test_few_replicates_leave_open_what_is_active() -> None:
    x = steps(TOY, 10)
    found = morris(TOY, x, np.c_[toy(x), toy(x)])
    assert found.why == screening.NO_FLOOR
    assert {each.active for each in found.effects} == {None}


def test_contrasts_hold_no_effect_and_the_noise_of_a_mean() -> None:
    for n in range(3, 12):
        rows = contrasts(n)
        np.testing.assert_allclose(rows.sum(axis=1), 0, atol=1e-12)
        np.testing.assert_allclose(rows @ rows.T, np.eye(n - 1) / n, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1000), st.floats(-1000, 1000))
@settings(max_examples=25, deadline=None)
def test_the_unit_of_an_outcome_scales_effects_and_changes_no_index(seed: int, times: float, plus: float) -> None:
    x = steps(TOY, 5)
    y = np.random.default_rng(seed).normal(0, 1, (len(x), 3))
    one, other = morris(TOY, x, y, resamples=10), morris(TOY, x, y * times + plus, resamples=10)
    # Rounding of y * times + plus is 1e-13 of 1000 at worst, over steps of 2/3.
    np.testing.assert_allclose(
        [each.mu_star.value * times for each in one.effects], [each.mu_star.value for each in other.effects],
        rtol=1e-9, atol=1e-9,
    )  # fmt: skip


def test_whole_numbers_that_jump_unevenly_keep_their_effect() -> None:
    """A line has the same effect whatever the step: SALib alone would take 7 of 10 for two thirds of the range."""
    problem = Problem.of({"a": (0, 10), "b": (0, 1)})
    x = steps(problem, 8)
    x[:, 0] = np.round(x[:, 0])
    found = morris(problem, x, 2 * x[:, 0] + x[:, 1])
    assert found.effects[0].mu.value == pytest.approx(20, abs=1e-9)
    assert found.effects[0].sigma.value == pytest.approx(0, abs=1e-9)
    theirs = morris_analysis.analyze(as_salib(problem), x, 2 * x[:, 0] + x[:, 1])
    assert theirs["mu"][0] == pytest.approx(21, abs=1e-9)


# --- on designs ---


def sweep_of(method: str, size: int, over: dict[str, Any], replicates: int = 5, **across: Any) -> Any:
    """A design with answers: 3 times funding plus a world's luck, but for `people`, which is constant."""
    sample = Sample(method, size)
    design = Design.sampled(Scenario(), sample, axes_of(over), across or None, replicates=replicates)
    own = np.array([3 * float(cell["council.funding"]) for cell in design.cells])
    luck = np.arange(replicates) % 3
    return SimpleNamespace(
        lacking=(),
        design=design,
        values={"isolation": (own[:, None] + luck).tolist(), "people": np.ones((len(own), 5)).tolist()},
    )


@pytest.fixture
def over() -> dict[str, Any]:
    return {"council.funding": "0.7:1.3", "assessment.threshold": True, "assessment.stance": True}


def test_a_saltelli_sweep_has_indices_and_says_so_in_a_table(over: dict[str, Any]) -> None:
    found = sobol_of(sweep_of("saltelli", 32, over), "isolation", resamples=50)
    assert found.table.index.tolist() == list(over)
    assert found.mean.first[0].value == pytest.approx(1, abs=0.3)
    assert values(found.mean.total) == pytest.approx([1, 0, 0], abs=0.3)
    assert sobol_of(sweep_of("saltelli", 32, over), "people").mean.why == CONSTANT
    told = Console(width=120, record=True, file=io.StringIO())
    told.print(found)
    assert "noise share" in told.export_text()
    assert "council.funding" in found._repr_html_()


def test_a_morris_sweep_has_effects_of_whole_numbers_and_words(over: dict[str, Any]) -> None:
    found = screen(sweep_of("morris", 10, over), "isolation")
    assert found.active == ("council.funding",)
    assert found.effects[0].mu.value == pytest.approx(1.8)
    assert found.table.index[0] == "council.funding"
    assert repr(found).startswith("Screening of isolation: active council.funding of 3")


def test_a_sweep_by_another_method_is_refused(over: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="the design is lhs, must be --sample saltelli"):
        sobol_of(sweep_of("lhs", 20, over), "isolation")
    with pytest.raises(InputError, match="did you mean 'isolation'"):
        screen(sweep_of("morris", 10, over), "isolaton")


def test_a_sample_across_a_grid_is_taken_a_cell_of_the_grid_at_a_time(over: dict[str, Any]) -> None:
    sweep = sweep_of("morris", 10, over, **{"months": [12, 24]})
    with pytest.raises(InputError, match="months varied too; give at="):
        screen(sweep, "isolation")
    assert screen(sweep, "isolation", at={"months": 24}).trajectories == 10
    with pytest.raises(InputError, match="is no cell"):
        screen(sweep, "isolation", at={"months": 13})
