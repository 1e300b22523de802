"""A comparison has no preferred side, finds nothing where nothing differs, and loses no minute of funded care."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import carecommons as cc
from carecommons.errors import InputError
from carecommons.experiments.compare import Comparison
from carecommons.experiments.estimate import estimate
from carecommons.outcomes.catalogue import BY_NAME
from small import SCENARIO

A = SCENARIO.but({"citizens": 300, "months": 14})
B = A.but({"council.funding": 0.2, "asking.door": 0.5})
SEEDS = (3, 4, 5)


@pytest.fixture(scope="module")
def there() -> Comparison:
    return cc.compare(A, B, SEEDS)


@pytest.fixture(scope="module")
def back() -> Comparison:
    return cc.compare(B, A, SEEDS)


def test_a_policy_does_not_differ_from_itself_in_any_column() -> None:
    null = cc.compare(A, A.but(name="the same"), SEEDS)
    known = null.table[null.table["n"] > 0]
    assert (known[["difference", "low", "high", "b_above_a"]] == 0).all(axis=None)
    assert (known["a"] == known["b"]).all()
    assert (null.pairs["difference"].dropna() == 0).all()
    assert (null.attribution[["hours_a_month", "low", "high"]] == 0).all(axis=None)
    assert null.changed() == {}


def test_the_other_way_round_every_sign_turns(there: Comparison, back: Comparison) -> None:
    a, b = there.table, back.table
    np.testing.assert_array_equal(a["difference"], -b["difference"])
    np.testing.assert_array_equal(a["low"], -b["high"])
    np.testing.assert_array_equal(a["a"], b["b"])
    for column in ("correlation", "variance_reduction", "n"):
        np.testing.assert_array_equal(a[column], b[column])
    np.testing.assert_array_equal(there.pairs["difference"], -back.pairs["difference"])
    np.testing.assert_array_equal(there.attribution["hours_a_month"], -back.attribution["hours_a_month"])
    np.testing.assert_array_equal(there.attribution["share"], back.attribution["share"])


def test_it_would_notice_a_difference(there: Comparison) -> None:
    assert there.table.loc["funded_hours", "difference"] < 0
    assert there.attribution.loc["total", "hours_a_month"] < 0


def test_each_arm_is_the_run_that_one_would_do_alone(there: Comparison) -> None:
    for pair in there.worlds:
        for scenario, series in ((A, pair.a), (B, pair.b)):
            alone = cc.CareCommons(scenario, rng=pair.seed).run().series[list(BY_NAME)].to_numpy(float)
            np.testing.assert_array_equal(series, alone)


def test_the_table_is_the_interval_over_the_pairs(there: Comparison) -> None:
    gaps = there.pairs[there.pairs["outcome"] == "unmet_hours"]["difference"].tolist()
    row = there.table.loc["unmet_hours"]
    assert (row["difference"], row["low"], row["high"], row["n"]) == estimate(gaps)
    a = there.pairs[there.pairs["outcome"] == "unmet_hours"]["a"]
    assert row["a"] == pytest.approx(a.mean(), rel=1e-12)
    spread = a.var() + there.pairs[there.pairs["outcome"] == "unmet_hours"]["b"].var()
    assert row["variance_reduction"] == pytest.approx(spread / np.var(gaps, ddof=1), rel=1e-9)
    assert row["b_above_a"] == np.mean(np.array(gaps) > 0)


def test_the_parts_of_the_attribution_sum_to_what_the_ledgers_say(there: Comparison) -> None:
    column = list(BY_NAME).index("funded_hours")
    for pair in there.worlds:
        minutes = np.rint(60 * (pair.b[:, column] - pair.a[:, column])).astype(int)
        np.testing.assert_array_equal(pair.split[:, 0], minutes)
        np.testing.assert_array_equal(pair.split[:, 1:5].sum(axis=1), pair.split[:, 0])
    shares = there.attribution["share"]
    assert shares[["prevented", "met_elsewhere", "deterred", "delayed"]].sum() == pytest.approx(1, abs=1e-12)
    mean = np.mean([pair.split[:, 3].sum() / 60 / 14 for pair in there.worlds])
    assert there.attribution.loc["deterred", "hours_a_month"] == pytest.approx(mean, rel=1e-12)


def test_workers_give_the_same_bytes(there: Comparison) -> None:
    other = cc.compare(A, B, reversed(SEEDS), jobs=2)
    for mine, its in zip(there.worlds, reversed(other.worlds), strict=True):
        assert (mine.a.tobytes(), mine.b.tobytes(), mine.split.tobytes()) == (
            its.a.tobytes(), its.b.tobytes(), its.split.tobytes(),
        )  # fmt: skip


def test_different_places_are_compared_but_their_care_is_not_attributed() -> None:
    found = cc.compare(A.but(months=2), A.but(months=2, place="wigan"), (1, 2))
    assert not found.same_place and found.attribution.empty
    assert found.table.loc["isolation", "n"] == 2
    assert "different places" in found._repr_html_()


def test_a_comparison_says_what_differs(there: Comparison) -> None:
    assert there.changed() == {"council.funding": {"a": 1.0, "b": 0.2}, "asking.door": {"a": 1.0, "b": 0.5}}
    shown = there._repr_html_()
    assert "council.funding: 1.0 in a, 0.2 in b" in shown and "deterred or rationed" in shown


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"b": {"citizens": 200}}, "citizens = 300 and 200, must be equal"),
        ({"b": {"months": 3}}, "months = 14 and 3, must be equal"),
        ({"b": {"place": "wiggan"}}, "did you mean 'wigan'"),
        ({"seeds": ()}, "seeds must be given"),
        ({"seeds": (1, 1)}, "each only once"),
        ({"seeds": (-1,)}, "seed -1 must be"),
        ({"seeds": (1.5,)}, "seed 1.5 must be"),
        ({"last": 0}, "last = 0 must be"),
        ({"jobs": 0}, "jobs = 0 must be"),
    ],
)
def test_what_cannot_be_compared_is_refused(more: dict[str, Any], message: str, tmp_path: Path) -> None:
    other = A.but(more.pop("b", {}))
    with pytest.raises(InputError, match=message):
        cc.compare(A, other, **{"seeds": (1,), "out": tmp_path / "out", **more})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [{"citizens": 0}, {"citizens": 1}, {"months": 0}])
def test_the_smallest_places_and_times_are_compared_without_a_word(change: dict[str, int], tmp_path: Path) -> None:
    small = A.but({"months": 2, **change})
    found = cc.compare(small, small.but({"council.funding": 0}), np.arange(2), out=tmp_path / "out")
    assert len(found.table) == len(BY_NAME)
    assert {entry.name for entry in (tmp_path / "out").iterdir()} >= {"table.csv", "pairs.csv", "attribution.csv"}
    assert len(pd.read_csv(tmp_path / "out" / "attribution.csv")) == 6
    assert repr(found) and found._repr_html_()


def test_one_pair_has_no_interval() -> None:
    found = cc.compare(A.but(months=1), B.but(months=1), (1,))
    assert found.table["low"].isna().all() and (found.table["n"] <= 1).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: cc.compare("derby", A), "compare: 'derby' must be a Scenario, such as Scenario(place='derby')"),
        (lambda: cc.compare(A, 3), "compare: 3 must be a Scenario, such as Scenario(place='derby')"),
        (lambda: cc.compare(A, B, seeds=5), "compare: seeds = 5 must be whole numbers, such as range(5)"),
        (lambda: cc.compare(A, B, seeds=[1], jobs="a"), "jobs = a must be a whole number from 1 to 1024"),
        (lambda: cc.compare(A, B, seeds=[1], engine="x"), "engine = x must be an Engine"),
        (lambda: cc.compare(A, B, seeds=[1], stop="10%"), "compare: stop = 10% must be a Stop"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(asked: Callable[[], object], said: str) -> None:
    with pytest.raises(InputError) as caught:
        asked()
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)
