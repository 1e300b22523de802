"""Cost-effectiveness: closed forms (O11), law 49 as properties, and intervals that are what they say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from carecommons.analysis import economics as ec
from carecommons.errors import InputError
from carecommons.evidence.prices import prices
from carecommons.kernels.keyed import normal
from carecommons.place.luck import Luck

# O11: normal increments, independent.
EFFECT, EFFECT_SD, COST, COST_SD, THRESHOLD = 0.02, 0.01, 300.0, 200.0, 20_000.0
NET, NET_SD = THRESHOLD * EFFECT - COST, math.hypot(THRESHOLD * EFFECT_SD, COST_SD)

# Whole numbers, so that sums and differences are exact and ties are ties.
PAIRS = st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(-1000, 1000)), min_size=1, max_size=30)
LAMBDA = st.integers(0, 100_000)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    cost, effect = np.array(pairs, float).T
    return cost, effect


def draws(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Increments as O11 has them, n pairs."""
    uniforms = Luck(11).uniforms("test.economics", np.arange(n))
    z = np.array([[normal(u), normal(v)] for u, v in uniforms[:, :2]])
    return COST + COST_SD * z[:, 0], EFFECT + EFFECT_SD * z[:, 1]


def evpi_normal(at: float, sd: float) -> float:
    """What perfect information is worth where the net benefit of the change is normal, of the mean `at` above 0."""
    phi = 0.5 * (1 + math.erf(at / sd / math.sqrt(2)))
    density = math.exp(-0.5 * (at / sd) ** 2) / math.sqrt(2 * math.pi)
    return sd * density - at * (1 - phi)


# Oracles


def test_the_closed_forms_of_normal_increments() -> None:
    assert ec.probability_normal(NET, NET_SD) == pytest.approx(0.638163, abs=5e-7)
    assert evpi_normal(NET, NET_SD) == pytest.approx(69.8177, abs=5e-5)
    # The same from the error function, which the module does not use.
    phi = 0.5 * (1 + math.erf(NET / NET_SD / math.sqrt(2)))
    assert ec.probability_normal(NET, NET_SD) == pytest.approx(phi, rel=1e-9)


def test_the_value_of_information_over_quantiles_is_the_closed_form() -> None:
    """Net benefits at the middles of n equally likely parts: the outermost parts hold what they may miss."""
    n = 200_000
    net = NET + NET_SD * np.array([normal((k + 0.5) / n) for k in range(n)])
    found = ec.evpi_of(np.stack([np.zeros(n), net], axis=1))
    assert found == pytest.approx(evpi_normal(NET, NET_SD), rel=1e-4)


def test_the_ratio_of_constant_increments_is_exact() -> None:
    found = ec.icer([COST] * 5, [EFFECT] * 5)
    assert found.icer.value == pytest.approx(15_000, rel=1e-9) and found.words == ec.DEARER
    assert found.icer.low == pytest.approx(15_000, rel=1e-9) == found.icer.high


def test_monte_carlo_comes_within_four_standard_errors_of_the_closed_forms() -> None:
    n = 40_000
    cost, effect = draws(n)
    row = ec.ceac(cost, effect, [THRESHOLD], marks=False).iloc[0]
    p = ec.probability_normal(NET, NET_SD)
    assert abs(row["probability"] - p) <= 4 * math.sqrt(p * (1 - p) / n)
    net = ec.net_benefit(cost, effect, THRESHOLD)
    arms = np.stack([np.zeros(n), net], axis=1)
    # The estimate is the mean of max(0, net) - net where net is positive on average: its own standard error.
    loss = np.maximum(-net, 0)
    assert abs(ec.evpi_of(arms) - evpi_normal(NET, NET_SD)) <= 4 * loss.std(ddof=1) / math.sqrt(n)
    ratio = ec.icer(cost, effect).icer
    se = math.hypot(COST_SD / EFFECT, COST / EFFECT**2 * EFFECT_SD) / math.sqrt(n)  # delta method, exact as n grows
    assert abs(ratio.value - 15_000) <= 4 * se
    assert ratio.high - ratio.low == pytest.approx(2 * 1.96 * se, rel=0.02)  # 1/sqrt(n) of sampling in each spread


def test_without_uncertainty_information_is_worth_nothing() -> None:
    surely = ec.evpi([3.0] * 4, [1.0] * 4, 10)
    assert surely.value == 0 and math.isnan(surely.low) and surely.interval == "one arm is better in every pair"
    assert not math.isnan(ec.evpi([3.0, 30.0] * 2, [1.0] * 4, 10).low)
    assert math.isnan(ec.probability_normal(1.0, math.nan))
    assert ec.probability_normal(1.0, 0.0) == 1 and ec.probability_normal(0.0, 0.0) == 0


# Law 49


@given(PAIRS)
def test_swapping_the_arms_negates_differences_and_keeps_the_ratio(pairs: list[tuple[int, int]]) -> None:
    cost, effect = columns(pairs)
    there, back = ec.icer(cost, effect), ec.icer(-cost, -effect)
    assert ec.average(-cost).value == -ec.average(cost).value
    if len(cost) > 1:
        assert ec.average(-cost).low == -ec.average(cost).high
    turned = {ec.DOMINANT: ec.DOMINATED, ec.DOMINATED: ec.DOMINANT, ec.DEARER: ec.CHEAPER, ec.CHEAPER: ec.DEARER}
    at = ec.quadrant(ec.average(cost).value, ec.average(effect).value)
    assert there.words.endswith(at)
    assert back.words == there.words.removesuffix(at) + turned.get(at, ec.SAME)
    assert back.icer.value == pytest.approx(there.icer.value, nan_ok=True, rel=1e-12)


@given(PAIRS, st.lists(LAMBDA, min_size=1, max_size=5))
def test_swapping_the_arms_turns_the_curve_into_its_complement(pairs: list[tuple[int, int]], at: list[int]) -> None:
    cost, effect = columns(pairs)
    assume(all((ec.net_benefit(cost, effect, each) != 0).all() for each in at))  # no ties
    there, back = (ec.ceac(sign * cost, sign * effect, at, marks=False) for sign in (1, -1))
    assert (there["probability"] + back["probability"]).to_numpy() == pytest.approx(np.ones(len(there)), rel=1e-15)
    for name in ("low", "high"):
        other = "high" if name == "low" else "low"
        assert there[name].to_numpy() == pytest.approx(1 - back[other].to_numpy(), rel=1e-9, abs=1e-12)
    assert (there["mean_positive"] + back["mean_positive"]).dropna().to_numpy() == pytest.approx(1, rel=1e-9)


@given(PAIRS, PAIRS, st.integers(-(10**6), 10**6), LAMBDA)
def test_what_both_arms_share_changes_nothing(
    a: list[tuple[int, int]], b: list[tuple[int, int]], shared: int, at: int
) -> None:
    n = min(len(a), len(b))
    (cost_a, effect_a), (cost_b, effect_b) = columns(a[:n]), columns(b[:n])
    plain = ec.net_benefit(cost_b - cost_a, effect_b - effect_a, at)
    both = ec.net_benefit((cost_b + shared) - (cost_a + shared), (effect_b + shared) - (effect_a + shared), at)
    assert plain.tolist() == both.tolist()


@given(PAIRS, LAMBDA, LAMBDA)
def test_net_benefit_is_linear_in_the_threshold(pairs: list[tuple[int, int]], one: int, other: int) -> None:
    cost, effect = columns(pairs)
    middle = ec.net_benefit(cost, effect, (one + other) / 2)
    ends = ec.net_benefit(cost, effect, one) + ec.net_benefit(cost, effect, other)
    assert (2 * middle).tolist() == ends.tolist()
    assert ec.net_benefit(cost, effect, 0).tolist() == (-cost).tolist()


@given(PAIRS)
def test_the_curve_at_0_is_the_probability_of_saving(pairs: list[tuple[int, int]]) -> None:
    cost, effect = columns(pairs)
    first = ec.ceac(cost, effect).iloc[0]
    assert first["threshold"] == 0 and first["probability"] == (cost < 0).mean()


@given(PAIRS, LAMBDA)
def test_information_is_worth_something_or_nothing_and_no_more_than_the_worst_loss(
    pairs: list[tuple[int, int]], at: int
) -> None:
    cost, effect = columns(pairs)
    net = ec.net_benefit(cost, effect, at)
    found = ec.evpi(cost, effect, at, draws=20)
    assert 0 <= found.value <= np.abs(net).max() and (math.isnan(found.low) or 0 <= found.low <= found.high)
    same_sign = (net >= 0).all() or (net <= 0).all()
    assert found.value == pytest.approx(0, abs=1e-9 * np.abs(net).max()) if same_sign else found.value > 0


ARMS = st.integers(1, 5).flatmap(
    lambda k: st.lists(
        st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=k, max_size=k), min_size=1, max_size=4
    )
)


@given(ARMS)
def test_a_dominated_arm_is_never_on_the_frontier_and_ratios_rise_along_it(pairs: list[list[tuple[int, int]]]) -> None:
    values = np.array(pairs, float)
    cost, effect = values[:, :, 0], values[:, :, 1]
    names = [f"arm {k}" for k in range(cost.shape[1])]
    found = ec.frontier(names, cost, effect).set_index("arm")
    at = {name: (cost[:, k].sum(), effect[:, k].sum()) for k, name in enumerate(names)}
    on = [name for name in found.index if found.loc[name, "status"] == "on the frontier"]
    for name, (c, e) in at.items():
        beaten = any(x <= c and y >= e and (x < c or y > e) for x, y in at.values())
        assert not (beaten and name in on)
        assert (found.loc[name, "status"] == "dominated") == beaten
    ratios = found.loc[on, "icer"].to_numpy()[1:]
    assert on and (ratios > 0).all() and (np.diff(ratios) > -1e-9).all()
    for at_threshold in (0.0, 0.3, 1.0, 7.0, 1e6):  # the best at any threshold is on the frontier, or as good
        worth = {name: at_threshold * e - c for name, (c, e) in at.items()}
        assert max(worth[name] for name in on) == pytest.approx(max(worth.values()), rel=1e-12, abs=1e-9)


def test_a_mix_of_two_can_dominate_a_third() -> None:
    found = ec.frontier(["none", "half", "full"], [[0.0, 60.0, 100.0]] * 3, [[0.0, 1.0, 10.0]] * 3).set_index("arm")
    assert found["status"].tolist() == ["on the frontier", "dominated by a mix", "on the frontier"]
    assert found.loc["full", "icer"] == 10 and math.isnan(found.loc["half", "icer"])
    assert "the same as none" in set(ec.frontier(["none", "again"], [[1.0, 1.0]], [[1.0, 1.0]])["status"])


def test_arms_that_are_the_same_are_dominated_alike() -> None:
    found = ec.frontier(["a", "b", "c"], [[10.0, 10.0, 5.0]], [[1.0, 1.0, 2.0]]).set_index("arm")["status"]
    assert found.to_dict() == {"a": "dominated", "b": "dominated", "c": "on the frontier"}


# The plane


@pytest.mark.parametrize(
    ("cost", "effect", "words"),
    [
        (-1, 1, ec.DOMINANT), (0, 1, ec.DOMINANT), (-1, 0, ec.DOMINANT), (1, -1, ec.DOMINATED), (1, 0, ec.DOMINATED),
        (0, -1, ec.DOMINATED), (1, 1, ec.DEARER), (-1, -1, ec.CHEAPER), (0, 0, ec.SAME),
    ],
)  # fmt: skip
def test_a_quadrant_has_its_words_and_only_two_have_a_ratio(cost: int, effect: int, words: str) -> None:
    found = ec.icer([cost, cost], [effect, effect])
    assert found.words == ec.quadrant(cost, effect) == words
    assert math.isnan(found.icer.value) == (words not in (ec.DEARER, ec.CHEAPER))


@given(PAIRS)
def test_words_are_not_clear_where_and_only_where_an_interval_goes_across_0(pairs: list[tuple[int, int]]) -> None:
    cost, effect = columns(pairs)
    assume(len(cost) > 1)
    crossing = [
        name for name, values in (("cost", cost), ("effect", effect))
        if (found := ec.average(values)).low < 0 < found.high
    ]  # fmt: skip
    words = ec.icer(cost, effect).words
    assert words.startswith("not clear") == bool(crossing)
    assert not crossing or f"interval of {' and '.join(crossing)} includes 0; on average: " in words


def test_one_pair_settles_nothing() -> None:
    assert ec.icer([-1.0], [-1.0]).words == f"not clear, one pair has no interval; on average: {ec.CHEAPER}"


# Intervals


def test_a_ratio_whose_divisor_may_be_0_has_no_interval_and_says_so() -> None:
    found = ec.ratio([1.0, 2.0, 3.0], [-1.0, 0.5, 1.0])
    assert math.isnan(found.low) and math.isnan(found.high) and "unbounded" in found.interval
    assert math.isnan(ec.ratio([1.0, 1.0], [1.0, -1.0]).value) and math.isnan(ec.ratio([1.0], [2.0]).low)


SURE = st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(900, 1000)), min_size=3, max_size=30)


@given(SURE)
def test_fiellers_ends_are_where_the_difference_cannot_be_told_from_nought(pairs: list[tuple[int, int]]) -> None:
    cost, effect = columns(pairs)
    found = ec.ratio(cost.tolist(), effect.tolist())
    assume(not math.isnan(found.low) and np.ptp(cost) > 0)
    assert found.low - 1e-9 * abs(found.low) <= found.value <= found.high + 1e-9 * abs(found.high)
    for end in (found.low, found.high):
        told = ec.average(cost - end * effect)
        assert min(abs(told.low), abs(told.high)) == pytest.approx(0, abs=1e-6 * (np.abs(cost).max() + 1))


def test_fiellers_interval_covers_the_ratio_as_often_as_it_says() -> None:
    cost, effect = draws(20 * 2_000)
    found = [ec.ratio(cost[k : k + 20].tolist(), effect[k : k + 20].tolist()) for k in range(0, len(cost), 20)]
    hits = sum(each.low <= 15_000 <= each.high for each in found)
    assert abs(hits / 2_000 - 0.95) <= 4 * math.sqrt(0.95 * 0.05 / 2_000)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_is_wilsons(pair: tuple[int, int]) -> None:
    hits, n = pair
    found, p = ec.share(hits, n), hits / n
    assert 0 <= found.low <= p <= found.high <= 1
    for end in (found.low, found.high):  # Wilson: the ends solve |p - end| = z * sqrt(end (1 - end) / n)
        reach = 1.959963984540054 * math.sqrt(end * (1 - end) / n)
        assert abs(p - end) == pytest.approx(reach, rel=1e-9, abs=1e-9)


@given(PAIRS, st.integers(0, 5))
def test_the_bootstrap_is_the_same_for_the_same_seed(pairs: list[tuple[int, int]], seed: int) -> None:
    cost, _ = columns(pairs)
    one, other = (ec.bootstrap(np.mean, cost, seed=seed, draws=30) for _ in range(2))
    if len(cost) < 2:
        assert all(map(math.isnan, one))
        return
    assert one == other and cost.min() - 1e-6 <= one[0] <= one[1] <= cost.max() + 1e-6


def test_the_bootstrap_of_a_mean_agrees_with_students_interval() -> None:
    cost, _ = draws(400)
    low, high = ec.bootstrap(np.mean, cost, draws=4_000)
    told = ec.average(cost)
    # A 2.5% quantile of 4,000 draws has a standard error of 0.042 standard errors of the mean, a twentieth of a half.
    se = (told.high - told.low) / 2 / 1.966
    assert low == pytest.approx(told.low, abs=4 * 0.05 * se) and high == pytest.approx(told.high, abs=4 * 0.05 * se)


def test_every_row_has_its_interval_n_and_kind() -> None:
    cost, effect = draws(50)
    for table in (
        ec.ceac(cost, effect),
        ec.switching_values({"care": cost}, effect, THRESHOLD),
        ec.frontier(["a", "b"], np.stack([cost, 2 * cost], 1), np.stack([effect, 3 * effect], 1)),
    ):
        assert (table["n"] == 50).all() and table["interval"].str.contains("95%").all()


# Thresholds


def test_the_curve_goes_from_0_to_100_000_and_names_the_published_thresholds() -> None:
    cost, effect = draws(20)
    curve = ec.ceac(cost, effect)
    assert curve["threshold"].min() == 0 and curve["threshold"].max() == 100_000
    marked = curve[curve["mark"] != ""]
    assert marked["threshold"].tolist() == [20_000, 25_000, 30_000, 35_000, 70_000]
    assert (ec.ceac(cost, effect, [1.0], marks=False)["threshold"] == [1.0]).all()
    assert set(ec.MARKED) <= set(prices())


# Switching values


@given(PAIRS, PAIRS, st.integers(1, 100_000))
def test_at_its_switching_value_the_mean_net_benefit_is_nought(
    one: list[tuple[int, int]], other: list[tuple[int, int]], at: int
) -> None:
    n = min(len(one), len(other))
    (care, effect), (staff, _) = columns(one[:n]), columns(other[:n])
    found = ec.switching_values({"care": care, "staff": staff}, effect, at).set_index("what")["multiplier"]
    size = np.abs(care).max() + np.abs(staff).max() + at * np.abs(effect).max() + 1
    for name, part in (("care", care), ("staff", staff)):
        if part.sum() == 0:
            assert math.isnan(found[name])
        else:
            whole = care + staff - part + found[name] * part
            assert ec.net_benefit(whole, effect, at).mean() == pytest.approx(0, abs=1e-9 * size * n)
    if effect.sum():
        assert ec.net_benefit(care + staff, effect * found["effect"], at).mean() == pytest.approx(
            0, abs=1e-9 * size * n
        )


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: ec.icer([1.0], [1.0, 2.0]), "economics: costs (1,) and effects (2,) must be equally long lists"),
        (lambda: ec.icer([], []), "must be equally long lists, not empty"),
        (lambda: ec.ceac([1.0, math.nan], [1.0, 1.0]), "economics: cost of pair 1 = nan must be a finite number"),
        (lambda: ec.evpi([1.0], [math.inf], 5), "economics: effect of pair 0 = inf must be a finite number"),
        (lambda: ec.frontier(["a"], [[1.0, 2.0]], [[1.0, 2.0]]), "economics: 1 arms with costs (1, 2)"),
        (
            lambda: ec.frontier(["a", "b"], [[1.0, math.nan]], [[1.0, 2.0]]),
            "economics: cost of arm 'b' of pair 0 = nan must be a finite number",
        ),
    ],
)
def test_what_are_no_pairs_is_refused_in_one_line(act: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        act()
    assert message in str(caught.value) and "\n" not in str(caught.value)
