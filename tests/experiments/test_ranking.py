"""The chance that one policy beats another, and how firm an order of policies is."""

from __future__ import annotations

import math
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from carecommons.errors import InputError
from carecommons.experiments.estimate import NAN
from carecommons.experiments.ranking import Ranks, beats, jeffreys, ranks

WHOLE = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=25)


# --- one against another ---


@given(WHOLE, st.sampled_from(["up", "down"]))
def test_what_one_wins_the_other_loses(pairs: list[tuple[int, int]], good: Any) -> None:
    a, b = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    there, back = beats(a, b, good), beats(b, a, good)
    assert there.share + back.share == pytest.approx(1, abs=1e-12)
    assert (there.low, there.high) == (pytest.approx(1 - back.high), pytest.approx(1 - back.low))
    assert there.low <= there.share <= there.high
    assert math.isnan(there.average) == (len(pairs) < 2)
    assert math.isnan(there.average) or there.average + back.average == pytest.approx(1, abs=1e-12)
    up = sum((x < y) + (x == y) / 2 for x, y in pairs) / len(pairs)
    assert there.share == pytest.approx(up if good == "up" else 1 - up, abs=1e-12)


def test_a_worked_chance() -> None:
    """Three gains, a tie and a loss: 3.5 of 5, Jeffreys' interval from Beta(4, 2); t of mean 1, s 1.581, n 5."""
    found = beats([0.0] * 5, [1.0, 2.0, 3.0, 0.0, -1.0], "up")
    assert (found.share, found.ties, found.n) == (0.7, 0.2, 5)
    assert (found.low, found.high) == pytest.approx(stats.beta(4, 2).ppf([0.025, 0.975]), rel=1e-9)
    assert found.average == pytest.approx(stats.t(4).cdf(1 / (math.sqrt(2.5) / math.sqrt(5))), rel=1e-9)
    assert beats([0.0] * 5, [1.0, 2.0, 3.0, 0.0, -1.0], "down").share == pytest.approx(0.3)


def test_certainty_is_not_claimed_from_a_few_worlds() -> None:
    """Of ten wins in ten, 1 is in the interval and 0.78 as well (Brown, Cai and DasGupta 2001)."""
    found = beats([0.0] * 10, [1.0] * 10, "up")
    assert (found.share, found.high, found.average) == (1.0, 1.0, 1.0)
    assert found.low == pytest.approx(stats.beta(10.5, 0.5).ppf(0.025), rel=1e-9)
    assert jeffreys(0, 10) == (0.0, pytest.approx(1 - found.low))


def test_no_difference_is_a_toss_up_and_no_good_direction_no_chance() -> None:
    same = beats([1.0, 2.0], [1.0, 2.0], "up")
    assert (same.share, same.average, same.ties) == (0.5, 0.5, 1.0)
    for none in (beats([1.0], [2.0], "neither"), beats([NAN], [2.0], "up"), beats([], [], "up")):
        assert all(map(math.isnan, none[:5]))
    assert beats([1.0, NAN, 3.0], [2.0, 2.0, NAN], "up").n == 1


@pytest.mark.slow
def test_the_interval_of_the_chance_holds_it() -> None:
    """Exactly, from the binomial: on average over probabilities from 0.05 to 0.95, 95% of the time within 1%."""
    for n in (10, 30, 100):
        inside = [jeffreys(wins, n) for wins in range(n + 1)]
        chances = np.linspace(0.05, 0.95, 181)
        held = [
            sum(stats.binom.pmf(k, n, p) for k, (low, high) in enumerate(inside) if low <= p <= high) for p in chances
        ]
        assert float(np.mean(held)) == pytest.approx(0.95, abs=0.01)


# --- several in order ---

TABLE = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=6)


def named(rows: Any) -> dict[str, list[float]]:
    return {f"cell {k}": [float(value) for value in row] for k, row in enumerate(rows)}


def exact(rows: Any) -> tuple[Any, Any, float]:
    """Ranks, wins and Kendall's tau over every one of the n**n equally likely samples."""
    table = np.array(rows, float)
    cells, worlds = table.shape
    shares, above, taus = np.zeros((cells, cells)), np.zeros((cells, cells)), []
    full = table.sum(axis=1)
    samples = list(product(range(worlds), repeat=worlds))
    for sample in samples:
        total = table[:, list(sample)].sum(axis=1)
        for c in range(cells):
            better, tied = int((total > total[c]).sum()), int((total == total[c]).sum())
            shares[c, better : better + tied] += 1 / tied / len(samples)
            above[c] += ((total[c] > total) / 2 + (total[c] >= total) / 2) / len(samples)
        signs = [np.sign(total[c] - total[d]) * np.sign(full[c] - full[d]) for c, d in combinations(range(cells), 2)]
        taus.append(np.mean(signs) if signs else 1.0)
    return shares, above, float(np.mean(taus))


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=4))
def test_the_bootstrap_is_that_over_all_samples(rows: list[list[int]]) -> None:
    samples = 4_000
    found = ranks(named(rows), "up", samples=samples)
    shares, above, tau = exact(rows)
    error = 5 * math.sqrt(0.25 / samples)  # five standard errors of a probability, at most
    assert found.ranks == pytest.approx(shares, abs=error)
    assert found.above == pytest.approx(above, abs=error)
    assert found.tau == pytest.approx(tau, abs=2 * error)  # from -1 to 1


@given(TABLE, st.sampled_from(["up", "down"]), st.integers(0, 5))
def test_ranks_are_probabilities(rows: list[list[int]], good: Any, seed: int) -> None:
    found = ranks(named(rows), good, samples=50, seed=seed)
    assert found.ranks.sum(axis=0) == pytest.approx(np.ones(len(rows)), abs=1e-12)
    assert found.ranks.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-12)
    assert found.above + found.above.T == pytest.approx(np.ones((len(rows), len(rows))), abs=1e-12)
    assert sorted(found.order) == list(range(len(rows)))
    better = [(-1 if good == "up" else 1) * found.means[cell] for cell in found.order]
    assert better == sorted(better)
    assert len(found.records()) == len(rows) and found.records()[0]["p_best"] == found.best


@given(TABLE)
def test_the_other_good_direction_turns_the_order_round(rows: list[list[int]]) -> None:
    up, down = ranks(named(rows), "up", samples=50), ranks(named(rows), "down", samples=50)
    assert up.ranks == pytest.approx(down.ranks[:, ::-1], abs=1e-12)
    assert up.above == pytest.approx(down.above.T, abs=1e-12)
    assert up.tau == pytest.approx(down.tau, abs=1e-12)


def test_a_clear_order_is_stable_and_cells_of_equal_luck_are_not() -> None:
    luck = np.random.default_rng(1).normal(0, 10, 30)
    apart = ranks({"a": luck.tolist(), "b": (luck + 0.1).tolist(), "c": (luck - 0.1).tolist()}, "up")
    assert apart.order == (1, 0, 2)
    assert apart.best == 1.0 and apart.tau == 1.0
    assert apart.holds == {("b", "a"): 1.0, ("a", "c"): 1.0}
    same = ranks({"a": luck.tolist(), "b": luck.tolist()}, "up")
    assert same.best == 0.5 and same.holds == {("a", "b"): 0.5}


def same_ranks(a: Ranks, b: Ranks) -> bool:
    return np.array_equal(a.ranks, b.ranks) and np.array_equal(a.above, b.above) and a.tau == b.tau


def test_equal_seeds_give_equal_ranks_and_others_others() -> None:
    values = {name: np.random.default_rng(k).normal(0, 1, 20).tolist() for k, name in enumerate("abc")}
    assert same_ranks(ranks(values, "up", seed=3), ranks(values, "up", seed=3))
    assert not same_ranks(ranks(values, "up", seed=3), ranks(values, "up", seed=4))


def test_cells_are_compared_in_worlds_that_all_of_them_have() -> None:
    found = ranks({"a": [1.0, NAN, 3.0], "b": [2.0, 100.0, 4.0]}, "up")
    assert (found.worlds, found.asked, found.means) == (2, 3, (2.0, 3.0))
    assert repr(found) == "Ranks of 2 cells in 2 of 3 worlds: first b (100% sure)"


@pytest.mark.parametrize(
    ("values", "more", "why"),
    [
        ({}, {}, "there must be a cell"),
        ({"a": [1.0], "b": [1.0, 2.0]}, {}, "each cell a value in each world"),
        ({"a": [NAN]}, {}, "no worlds in which every cell has a value"),
        ({"a": [1.0], "b": [2.0]}, {}, "1 world in which every cell has a value, must be at least 2"),
        ({"a": [1.0]}, {"samples": 0}, "samples = 0 must be a whole number from 1"),
        ({"a": [1.0]}, {"good": "neither"}, "good = neither must be 'up' or 'down'"),
        ({"a": [1.0]}, {"good": "upp"}, "good = upp must be 'up' or 'down'"),
    ],
)
def test_what_has_no_order_is_refused_in_one_line(values: Any, more: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        ranks(values, **{"good": "up", **more})
