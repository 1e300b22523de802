"""Keyed luck: numpy's own Philox word for word, the same for the same key, and independent between keys."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import kstest

from carecommons.kernels import keyed
from carecommons.place.luck import BEFORE, Luck, decision

WORD = st.integers(0, 2**64 - 1)
SEED = st.integers(0, 2**63 - 1)
PERSON = st.integers(0, 2**47)  # a month of at most 1,200 above 32 bits, an address of at most 60 million below
MONTH = st.one_of(st.integers(0, 1200), st.just(BEFORE))
NAMES = ("need", "ties", "asking", "turnover", "provision.lot", "groups.join")
N = 1_000_000
LEAST_P = 1e-4
MOST_R = 0.005  # five standard errors of a correlation of 10^6 independent pairs


def numpys_words(counter: tuple[int, ...], key: tuple[int, ...]) -> list[int]:
    """What `numpy.random.Philox` makes of a counter; it adds one to its counter before it generates."""
    whole = sum(word << 64 * k for k, word in enumerate(counter))
    before = (whole - 1) % 2**256
    return np.random.Philox(counter=before, key=key[0] + (key[1] << 64)).random_raw(4).tolist()


def words(counter: tuple[int, ...], key: tuple[int, ...]) -> list[int]:
    return [int(word) for word in keyed.philox(*map(np.uint64, counter + key))]


@given(SEED, MONTH, st.lists(PERSON, max_size=9))
def test_a_lot_is_the_first_draw_as_a_whole_number_and_lots_put_people_in_order(
    seed: int, month: int, people: list[int]
) -> None:
    who, luck = np.array(people, np.int64), Luck(seed, month)
    first = luck.uniforms("need", who)[:, 0]
    lots = keyed.lots(seed, decision("need"), month, who)
    assert lots.tolist() == [int(u * 2**53) for u in first]
    assert luck.order("need", who).tolist() == sorted(range(len(who)), key=lambda k: (-lots[k], who[k], k))


@given(st.tuples(WORD, WORD, WORD, WORD), st.tuples(WORD, WORD))
def test_words_are_numpys_words(counter: tuple[int, ...], key: tuple[int, ...]) -> None:
    assert words(counter, key) == numpys_words(counter, key)


@pytest.mark.parametrize("edge", [0, 1, 2**32, 2**63, 2**64 - 1])
def test_words_are_numpys_words_at_the_edges(edge: int) -> None:
    assert words((edge,) * 4, (edge,) * 2) == numpys_words((edge,) * 4, (edge,) * 2)


def test_words_are_those_published_with_the_generator() -> None:
    # Random123's known answers for philox4x64-10 (file kat_vectors).
    assert words((0,) * 4, (0,) * 2) == [
        0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B,
    ]  # fmt: skip
    assert words((2**64 - 1,) * 4, (2**64 - 1,) * 2) == [
        0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0,
    ]  # fmt: skip


@given(SEED, st.sampled_from(NAMES), MONTH, PERSON)
def test_a_persons_four_uniforms_are_those_of_a_numpy_generator(seed: int, name: str, month: int, who: int) -> None:
    counter = who + (month << 128)
    philox = np.random.Philox(counter=(counter - 1) % 2**256, key=seed + (decision(name) << 64))
    expected = np.random.Generator(philox).random(4).tolist()
    assert list(keyed.four(seed, decision(name), month, who)) == expected
    assert keyed.one(seed, decision(name), month, who) == expected[0]
    assert Luck(seed, month).uniforms(name, np.array([who])).tolist() == [expected]


@given(WORD)
def test_a_unit_lies_in_the_unit_interval_and_is_never_one(word: int) -> None:
    assert 0.0 <= keyed.unit(np.uint64(word)) < 1.0


def test_the_largest_word_is_the_last_float_before_one_and_the_smallest_is_nought() -> None:
    assert keyed.unit(np.uint64(2**64 - 1)) == 1.0 - 2.0**-53
    assert keyed.unit(np.uint64(0)) == 0.0


@given(SEED, MONTH, PERSON, PERSON)
def test_both_ends_of_a_tie_draw_the_same_number(seed: int, month: int, a: int, b: int) -> None:
    drawn = keyed.pair(seed, decision("ties"), month, a, b)
    assert drawn == keyed.pair(seed, decision("ties"), month, b, a)
    sixteenth = keyed.pairs(seed, decision("ties"), month, np.array([b, a]), np.array([0]), np.array([1]))
    assert sixteenth.tolist() == [int(drawn * 65536)]


def test_a_draw_does_not_depend_on_who_else_draws() -> None:
    luck = Luck(7, 3)
    together = luck.uniforms("need", np.arange(100))
    assert np.array_equal(luck.uniforms("need", np.arange(99, -1, -3)), together[::-3])


def test_keys_packed_from_ranges_never_collide() -> None:
    """Every seed, decision, month and person has a key of its own, and so has every pair.

    All words of key and counter are whole 64-bit numbers of their own, so that equal inputs are the only equal keys;
    10^6 draws of 53 bits hold two equal ones with a chance of 6e-5, and this test's inputs are fixed.
    """
    seeds = [0, 1, 2, 2**32, 2**63 - 1]
    keys = [decision(name) + third for name in NAMES for third in range(3)]
    months = [0, 1, 2, 255, 256, 1200, BEFORE]
    people = np.concatenate([np.arange(500), 2**31 + np.arange(-3, 3), (1 << 32) + np.arange(500), [2**47]])
    firsts = []
    for seed, key, month in product(seeds, keys, months):
        out = np.empty((len(people), 4))
        keyed.fill(seed, key, month, people, out)
        firsts.append(out[:, 0])
    pairs = [keyed.pair(1, keys[0], 1, a, b) for a in range(150) for b in range(a, 150)]
    drawn = np.concatenate([*firsts, pairs])
    drawn.sort()
    assert len(drawn) > 600_000
    assert not (drawn[1:] == drawn[:-1]).any()


@pytest.fixture(scope="module")
def draws() -> np.ndarray:
    return Luck(2024, 5).uniforms("need", np.arange(N))


@pytest.mark.parametrize("word", range(4))
def test_draws_are_uniform(draws: np.ndarray, word: int) -> None:
    assert kstest(draws[:, word], "uniform").pvalue > LEAST_P


@pytest.mark.parametrize("what", ["months of one person", "pairs", "decisions of a person"])
def test_draws_along_any_part_of_the_key_are_uniform(what: str) -> None:
    if what == "months of one person":
        drawn = [keyed.one(1, 99, month, 12) for month in range(100_000)]
    elif what == "pairs":
        drawn = [keyed.pair(1, 99, 3, a, b) for a in range(300) for b in range(a)]
    else:
        drawn = [keyed.one(1, key, 3, 12) for key in range(100_000)]
    assert kstest(drawn, "uniform").pvalue > LEAST_P


@pytest.mark.parametrize("other", ["person", "month", "seed", "decision", "word", "identity of a newcomer"])
def test_draws_of_neighbouring_keys_are_unrelated(draws: np.ndarray, other: str) -> None:
    who = np.arange(N)
    compared = {
        "person": lambda: draws[:, 0][np.arange(1, N + 1) % N],
        "month": lambda: Luck(2024, 6).uniforms("need", who)[:, 0],
        "seed": lambda: Luck(2025, 5).uniforms("need", who)[:, 0],
        "decision": lambda: Luck(2024, 5).uniforms("ties", who)[:, 0],
        "word": lambda: draws[:, 1],
        "identity of a newcomer": lambda: Luck(2024, 5).uniforms("need", who + (1 << 32))[:, 0],
    }[other]()
    assert abs(np.corrcoef(draws[:, 0], compared)[0, 1]) < MOST_R


QUANTILES = np.concatenate([
    np.logspace(-15, -2, 2000), np.linspace(0.001, 0.999, 20_001), 1.0 - np.logspace(-15, -2, 2000), [0.02425, 0.97575],
])  # fmt: skip


def test_normal_quantiles_are_right_to_eight_places() -> None:
    found = np.array([keyed.normal(u) for u in QUANTILES])
    assert np.abs(found - ndtri(QUANTILES)).max() < 1e-8


def test_normal_quantiles_have_the_published_relative_error() -> None:
    away = QUANTILES[np.abs(QUANTILES - 0.5) > 1e-9]
    found = np.array([keyed.normal(u) for u in away])
    assert np.abs(found / ndtri(away) - 1.0).max() < 1.2e-9


def test_a_larger_draw_never_has_a_smaller_quantile() -> None:
    found = np.array([keyed.normal(u) for u in np.sort(QUANTILES)])
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("u", [0.0, 1.0, 5e-324])
def test_normal_quantiles_are_finite_at_the_ends(u: float) -> None:
    assert np.isfinite(keyed.normal(u))


SAMPLE = """
import numpy as np
from carecommons.kernels import keyed
from carecommons.place.luck import Luck
print([int(w) for w in keyed.philox(*(np.uint64(w) for w in (2**64 - 1, 2, 3, 2**63, 5, 2**64 - 1)))])
print(Luck(2**63 - 1, 2**32).uniforms("need", np.array([0, 1, -1, 2**47])).tolist())
print(keyed.pair(1, 2, 3, 9, 4), [float(keyed.normal(u)).hex() for u in (1e-9, 0.3, 0.999)])
"""


def test_plain_python_draws_the_same_as_the_compiled_functions() -> None:
    def printed(disabled: str) -> str:
        command = [sys.executable, "-W", "error", "-c", SAMPLE]
        return subprocess.run(
            command, env={**os.environ, "NUMBA_DISABLE_JIT": disabled}, capture_output=True, text=True, check=True
        ).stdout

    assert printed("1") == printed("0")
