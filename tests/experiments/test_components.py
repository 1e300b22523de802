"""The analysis of variance recovers parts that are known, at a small part of the cost of brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments import components
from carecommons.experiments.components import (
    WORLDS,
    Components,
    Worlds,
    split,
)

ERRORS = 4
POLICIES = np.array([-0.5, 0.0, 0.8])
# Variances of the additive toy: parameters, their interplay with policies, worlds, worlds with policies, and the rest.
TRUE = {"parameter": 1.0, "scenario": float(np.var(POLICIES, ddof=1)), "interaction": 0.5, "stochastic": 2.0}


def toy(rng: Any, draws: int, replicates: int = 2, worlds: Worlds = "own", policies: Any = POLICIES) -> Any:
    """An additive model, its luck of variance 2 laid out as `worlds` says: half of it shared where worlds are."""
    shape = (draws, len(policies), replicates)
    parameter, interplay = rng.normal(0, 1, (draws, 1, 1)), rng.normal(0, math.sqrt(0.5), (*shape[:2], 1))
    shared = {"own": shape, "draw": (draws, 1, replicates), "all": (1, 1, replicates)}[worlds]
    luck = rng.normal(0, 1, shared) + rng.normal(0, 1, shape)
    return parameter + policies[None, :, None] + interplay + luck


# --- O16: known variances ---


def relative_error(found: Components, part: str) -> float:
    return found.parts[part].estimate / TRUE[part] - 1


@pytest.mark.slow
@pytest.mark.parametrize("worlds", ["own", "draw"])
def test_the_split_recovers_known_variances_within_a_twentieth(worlds: Worlds) -> None:
    """O16. A mean square of df degrees has variance 2 E^2 / df: 40,000 draws keep 4 standard errors under 5%.

    The widest is the parameters', whose mean square 6 * 1 + 2 * 0.5 + 2 (+ 2) has a relative error of sqrt(2 / 40,000)
    = 0.7%, so that the part has 0.7% * 11 / 6 = 1.3%; the interplay's, 3 / 2 of sqrt(1 / 40,000) / 0.5 = 1.6% at
    worst, is measured at 1.1%. Both are within 5% / 4.
    """
    found = split(toy(np.random.default_rng(16), 40_000, worlds=worlds), worlds)
    for part in TRUE:
        assert abs(relative_error(found, part)) < 0.05, part
        assert found.parts[part].low <= found.parts[part].estimate <= found.parts[part].high
    assert found.share("stochastic") == pytest.approx(2.0 / sum(TRUE.values()), rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("worlds", WORLDS)
def test_estimates_are_unbiased_and_intervals_hold_the_truth(worlds: Worlds) -> None:
    """200 toys of 40 draws (with worlds shared by all, of 12 worlds); the mean within 4 of its standard errors."""
    rng, times = np.random.default_rng(4), 200
    replicates = 12 if worlds == "all" else 2
    found = [split(toy(rng, 40, replicates, worlds), worlds, samples=1_000) for _ in range(times)]
    for part, truth in TRUE.items():
        estimates = np.array([each.parts[part].estimate for each in found])
        assert estimates.mean() == pytest.approx(truth, abs=ERRORS * estimates.std() / math.sqrt(times)), part
        held = np.mean([each.parts[part].low <= truth <= each.parts[part].high for each in found])
        # Generalised intervals hold at least about as often as they say; four binomial errors below is too few.
        assert held >= 0.95 - ERRORS * math.sqrt(0.95 * 0.05 / times), (part, held)


def test_a_worked_split() -> None:
    """Two draws, two policies, two replicates, by hand: means 3, 5, 7, 13 and one unit about each."""
    values = np.array([[[2.0, 4.0], [4.0, 6.0]], [[6.0, 8.0], [12.0, 14.0]]])
    found = split(values, "own")
    squares = {name: (each.sum, each.df) for name, each in found.squares.items()}
    assert squares == {
        "parameter": (72.0, 1), "scenario": (32.0, 1), "parameter x scenario": (8.0, 1), "rest": (8.0, 4),
    }  # fmt: skip
    parts = {name: each.estimate for name, each in found.parts.items()}
    assert parts == {"parameter": (72 - 8) / 4, "scenario": (32 - 8) / 4, "interaction": (8 - 2) / 2, "stochastic": 2.0}


@given(st.integers(2, 6), st.integers(1, 4), st.integers(2, 4), st.integers(0, 99), st.sampled_from(sorted(WORLDS)))
def test_sums_of_squares_make_up_the_whole(
    draws: int, policies: int, replicates: int, seed: int, worlds: Worlds
) -> None:
    values = np.random.default_rng(seed).normal(5, 3, (draws, policies, replicates))
    found = split(values, worlds, samples=10)
    assert sum(each.sum for each in found.squares.values()) == pytest.approx(((values - values.mean()) ** 2).sum())
    assert sum(each.df for each in found.squares.values()) == values.size - 1
    assert set(found.parts) == set(TRUE) - (set() if policies > 1 else {"scenario", "interaction"})


@given(st.integers(0, 99), st.floats(-100, 100), st.floats(0.1, 10), st.sampled_from(sorted(WORLDS)))
def test_a_shift_changes_no_part_and_a_unit_all_by_its_square(
    seed: int, shift: float, unit: float, worlds: Worlds
) -> None:
    values = toy(np.random.default_rng(seed), 5, worlds=worlds)
    one, other = split(values, worlds, samples=50), split(values * unit + shift, worlds, samples=50)
    for part in one.parts:
        assert other.parts[part] == pytest.approx([each * unit**2 for each in one.parts[part]], rel=1e-6, abs=1e-7)


@given(st.permutations(range(6)), st.permutations(range(3)), st.sampled_from(sorted(WORLDS)))
def test_the_order_of_draws_and_policies_does_not_matter(draws: list[int], policies: list[int], worlds: Worlds) -> None:
    values = toy(np.random.default_rng(1), 6, worlds=worlds)
    one, other = split(values, worlds, samples=50), split(values[draws][:, policies], worlds, samples=50)
    for part in one.parts:
        assert other.parts[part] == pytest.approx(one.parts[part], rel=1e-9, abs=1e-9)


def test_luck_that_policies_share_is_luck() -> None:
    """Worlds common to the policies of a draw add to the stochastic part and not to the parameters'."""
    rng = np.random.default_rng(9)
    luck = rng.normal(0, 3, (200, 1, 2)) + np.zeros((1, 3, 1))
    found = split(luck, "draw")
    assert found.parts["stochastic"].estimate == pytest.approx(9, abs=ERRORS * 9 * math.sqrt(2 / 200))
    assert found.parts["parameter"].estimate == pytest.approx(0, abs=ERRORS * 9 / 2 * math.sqrt(4 / 200))
    for part in ("scenario", "interaction"):
        assert found.parts[part] == pytest.approx((0, 0, 0), abs=1e-24)  # the rounding of numbers about 10, squared


def test_a_negative_estimate_is_reported_and_shown_as_nought() -> None:
    values = np.array([[[0.0, 4.0]], [[1.0, 3.0]], [[4.0, 0.0]]])  # three draws of the same mean
    found = split(values, "own")
    part = found.parts["parameter"]
    assert part.estimate == pytest.approx(-6.0 / 2) and part.shown == 0 and part.low == 0
    row = next(row for row in found.records() if row["part"] == "parameter")
    assert (row["estimate"], row["variance"], row["negative"], row["share"]) == (part.estimate, 0.0, True, 0.0)


def test_where_nothing_varies_no_part_has_a_share() -> None:
    found = split(np.full((3, 2, 2), 7.1))
    assert found.total == 0 and math.isnan(found.share("parameter"))
    assert all(part == (0, 0, 0) for part in found.parts.values())


@pytest.mark.parametrize(
    ("values", "worlds", "why"),
    [
        (np.zeros((1, 2, 2)), "own", r"shape \(1, 2, 2\) must be \(draws, scenarios, replicates\)"),
        (np.zeros((2, 2, 1)), "own", "at least 2 draws and 2 replicates"),
        (np.zeros((2, 2)), "own", r"shape \(2, 2\)"),
        (np.zeros((2, 2, 2)), "mine", "worlds = mine must be one of own, draw, all"),
        (
            np.array([[[0, 1]], [[np.nan, 1]]]),
            "own",
            "1 of 4 runs have no value, the first is draw 1, scenario 0, repl",
        ),
    ],
)
def test_what_cannot_be_split_is_refused_in_one_line(values: Any, worlds: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        split(values, worlds)


# --- S2: probabilistic sensitivity analysis at a fraction of the cost ---


def test_a_worked_sensitivity_analysis() -> None:
    """Means 2 and 6, so 8 between draws, less half of the 2 within: O'Hagan, Stevenson and Madan's correction."""
    parts = split(np.array([[[1.0, 3.0]], [[5.0, 7.0]]]), "own").parts
    assert (parts["stochastic"].estimate, parts["parameter"].estimate) == (2.0, 7.0)


def cost(noise: float, runs: int) -> float:
    """Runs in all for a relative variance of 1 of the parameters' variance, with so many runs a draw.

    The variance of the corrected estimate is, of n draws by r runs and in units of the parameters' variance squared,
    2/n ((1 + noise/r)^2 + (noise/r)^2 / (r - 1)) for normal effects; the cost is n r.
    """
    return 2 * runs * ((1 + noise / runs) ** 2 + (noise / runs) ** 2 / (runs - 1))


def corrected(noise: float, error: float) -> tuple[int, int]:
    """Draws and runs a draw with which the corrected variance comes within `error`, root mean square, at least cost."""
    runs = min(range(2, 100), key=lambda r: cost(noise, r))
    return math.ceil(cost(noise, runs) / runs / error**2), runs


def brute_force(noise: float, error: float) -> tuple[int, int]:
    """Draws and runs a draw with which the uncorrected variance comes within `error`, root mean square, at least cost.

    Its bias is noise / runs, its variance 2 / draws (1 + noise / runs)^2, in units of the parameters' variance.
    """
    plans = []
    for runs in range(math.ceil(noise / error) + 1, 100 * math.ceil(noise / error)):
        bias = noise / runs
        plans.append((math.ceil(2 * (1 + bias) ** 2 / (error**2 - bias**2)), runs))
    return min(plans, key=math.prod)


@pytest.mark.parametrize("noise", [1.0, 3.0, 10.0, 30.0])
def test_equal_error_costs_a_tenth_of_brute_force(noise: float) -> None:
    """S2, at the error of 5% that O16 asks for, from a run's luck as large as the parameters' variance."""
    assert math.prod(corrected(noise, 0.05)) <= math.prod(brute_force(noise, 0.05)) / 10


@pytest.mark.slow
@pytest.mark.parametrize("noise", [1.0, 10.0])
def test_both_plans_have_the_error_that_they_promise(noise: float) -> None:
    """Of 200 analyses each; the root mean square has an error of 1 / sqrt(400), of which four are allowed."""
    rng, times = np.random.default_rng(21), 200
    draws, runs = corrected(noise, 0.05)
    means = rng.normal(0, 1, (times, draws, 1, 1))
    samples = (each + rng.normal(0, math.sqrt(noise), (draws, 1, runs)) for each in means)
    found = [split(each, "own", samples=10).parts["parameter"].estimate for each in samples]
    assert math.sqrt(np.mean((np.array(found) - 1) ** 2)) == pytest.approx(0.05, rel=ERRORS / math.sqrt(2 * times))
    draws, runs = brute_force(noise, 0.05)
    plain = [np.var(rng.normal(0, math.sqrt(1 + noise / runs), draws), ddof=1) for _ in range(times)]
    assert math.sqrt(np.mean((np.array(plain) - 1) ** 2)) == pytest.approx(0.05, rel=ERRORS / math.sqrt(2 * times))


@pytest.mark.parametrize("worlds", ["own", "draw", "all"])
def test_scenarios_far_apart_have_an_interval_about_their_variance(worlds: Any) -> None:
    """Where the noise is next to nothing beside them, and where it is rounding alone."""
    means = np.array([0.0, 1000.0, 5000.0])
    for noise in (1e-3, 1e-6, 1e-9, 0.0):
        luck = np.random.default_rng(1).normal(size=(8, 3, 4)) * noise
        found = split(means[None, :, None] + luck, worlds).parts["scenario"]
        assert found.estimate == pytest.approx(means.var(ddof=1), rel=1e-3)
        assert found.low <= found.estimate <= found.high


@pytest.mark.parametrize(("df", "noise_df"), [(1, 3), (2, 11), (4, 30), (6, 100)])
def test_far_out_the_limit_takes_over_without_a_step(df: int, noise_df: int) -> None:
    for tail in (0.025, 0.975):
        near, far = (components._non_centrality(components._FAR * f, df, noise_df, tail) / f for f in (0.999, 1.001))
        assert near == pytest.approx(far, rel=2e-3)
