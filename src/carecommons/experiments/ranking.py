"""Which policy is better, and how sure is the order? Chances that one beats another, and ranks that luck may turn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.special import betaincinv, stdtr

from carecommons.errors import InputError, one_line
from carecommons.experiments.estimate import COVERAGE, NAN, mean, variance
from carecommons.kernels.arrays import F64, I64
from carecommons.outcomes.outcome import Good
from carecommons.place.luck import Luck

SAMPLES: Final = 2_000  # bootstrap samples: the standard error of a probability is at most 0.011
DECISION: Final = "ranking.bootstrap"
FEW: Final = 10  # worlds below which drawing them again says too little of how far others may be
_A_DRAW: Final = 4  # uniforms that a keyed draw gives at once


class Chance(NamedTuple):
    """How likely b beats a: in one world (`share` of the pairs, ties by halves, with its interval), and on average.

    `average` is the probability that the mean difference is a gain, by Student's t; `ties` the share of pairs that are
    equal; `n` the pairs with a value. NaN where no direction is good, or too few pairs have a value.
    """

    share: float
    low: float
    high: float
    average: float
    ties: float
    n: int


def beats(a: Sequence[float], b: Sequence[float], good: Good) -> Chance:
    """The chance that b beats a, from one value a pair and arm in the same worlds.

    The interval of the share is Jeffreys' (Brown, Cai and DasGupta 2001, Interval estimation for a binomial proportion,
    Statistical Science 16), in which a tie counts as half a win: with ties it is wider than it need be.
    """
    gaps = [y - x for x, y in zip(a, b, strict=True) if not (math.isnan(x) or math.isnan(y))]
    n = len(gaps)
    if good == "neither" or not gaps:
        return Chance(NAN, NAN, NAN, NAN, NAN, n)
    gains = gaps if good == "up" else [-gap for gap in gaps]
    ties = sum(gain == 0 for gain in gains)
    wins = sum(gain > 0 for gain in gains) + ties / 2
    return Chance(wins / n, *jeffreys(wins, n), _average(gains), ties / n, n)


def jeffreys(wins: float, n: int) -> tuple[float, float]:
    """The 95% interval of a probability after so many wins of n; it reaches 0 without a win, 1 without a loss."""
    tail = (1 - COVERAGE) / 2
    shape = (wins + 0.5, n - wins + 0.5)
    low = 0.0 if wins == 0 else float(betaincinv(*shape, tail))
    high = 1.0 if wins == n else float(betaincinv(*shape, 1 - tail))
    return low, high


def _average(gains: Sequence[float]) -> float:
    if len(gains) < 2:
        return NAN
    centre, spread = mean(gains), variance(gains)
    if spread == 0:
        return 0.5 if centre == 0 else float(centre > 0)
    return float(stdtr(len(gains) - 1, centre / math.sqrt(spread / len(gains))))


@dataclass(frozen=True, eq=False)
class Ranks:
    """How stable the order of cells is, as worlds drawn anew would have it.

    `order` holds the cells from the best to the worst; `ranks[c, r]` the probability that cell c comes r-th (from 0);
    `above[c, d]` that c is better than d; ties by halves. `tau` is Kendall's, expected, between the order of a sample
    and that of all worlds: 1 the same, 0 unrelated. In `worlds` of those `asked` for every cell has a value: they alone
    count.
    """

    names: tuple[str, ...]
    means: tuple[float, ...]
    order: tuple[int, ...]
    ranks: F64
    above: F64
    tau: float
    worlds: int
    asked: int
    samples: int

    @property
    def best(self) -> float:
        """The probability that the cell that looks best is the best."""
        return float(self.ranks[self.order[0], 0])

    @cached_property
    def holds(self) -> dict[tuple[str, str], float]:
        """For each pair of neighbours in the order, the better one first, how often that order holds."""
        pairs = zip(self.order, self.order[1:], strict=False)
        return {(self.names[c], self.names[d]): float(self.above[c, d]) for c, d in pairs}

    def __repr__(self) -> str:
        first = f"{one_line(self.names[self.order[0]]) or 'the one cell'} ({self.best:.0%} sure)"
        return f"Ranks of {len(self.order)} cells in {self.worlds} of {self.asked} worlds: first {first}"

    def records(self) -> list[dict[str, Any]]:
        """A row a cell, the best first: mean, probability of being best, of its own rank, and of beating the next."""
        rows = []
        for rank, cell in enumerate(self.order):
            after = self.order[rank + 1] if rank + 1 < len(self.order) else None
            rows.append({
                "rank": rank + 1, "cell": self.names[cell], "mean": self.means[cell],
                "p_best": float(self.ranks[cell, 0]), "p_rank": float(self.ranks[cell, rank]),
                "p_above_next": NAN if after is None else float(self.above[cell, after]),
            })  # fmt: skip
        return rows


def ranks(values: Mapping[str, Sequence[float]], good: Good, *, samples: int = SAMPLES, seed: int = 1) -> Ranks:
    """Rank cells by the mean of one outcome, and see how the order fares in worlds drawn anew.

    Parameters
    ----------
    values
        Under each cell's name one value a world, in the same order of worlds; a world in which a cell has none (NaN) is
        left out for all, so that cells are always compared in the same worlds.
    good
        The outcome's good direction.
    samples
        Bootstrap samples; each draws as many worlds as there are, the same for every cell.
    seed
        Of the keyed draws: equal seeds give equal samples on every machine.
    """
    names = tuple(values)
    if good not in ("up", "down"):
        raise InputError(f"ranks: good = {one_line(good)} must be 'up' or 'down'")
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise InputError(f"ranks: samples = {one_line(samples)} must be a whole number from 1")
    if not names or min(map(len, values.values())) != max(map(len, values.values())):
        raise InputError("ranks: there must be a cell, and each cell a value in each world (NaN for none)")
    table = np.array([values[name] for name in names], np.float64)
    asked = table.shape[1]
    table = table[:, ~np.isnan(table).any(axis=0)]
    cells, worlds = table.shape
    if worlds < 2:
        raise InputError(f"ranks: {worlds or 'no'} world{'' if worlds else 's'} in which every cell has a value, must "
                         "be at least 2 to tell of others; sweep more replicates (-r)")  # fmt: skip
    sign = 1.0 if good == "up" else -1.0
    means = tuple(mean(row.tolist()) for row in table)
    order = tuple(sorted(range(cells), key=lambda cell: -sign * means[cell]))
    total = sign * _sums(table, _drawn(seed, samples, worlds))
    above = _above(total)
    full = np.sign(sign * np.subtract.outer(means, means))
    pairs = cells * (cells - 1)
    tau = float((full * (above - above.T)).sum() / pairs) if pairs else 1.0
    return Ranks(names, means, order, _shares(total), above, tau, worlds, asked, samples)


def _drawn(seed: int, samples: int, worlds: int) -> I64:
    """Worlds drawn with replacement (samples, worlds), by keyed luck."""
    a_sample = -(-worlds // _A_DRAW)
    uniforms = Luck(seed).uniforms(DECISION, np.arange(samples * a_sample, dtype=np.int64))
    return (uniforms.reshape(samples, -1)[:, :worlds] * worlds).astype(np.int64)


def _sums(table: F64, drawn: I64) -> F64:
    """Each cell's sum over each sample's worlds (cells, samples).

    One world after the other: every cell is added in the same order, so that equal cells stay equal to the last digit.
    """
    total = np.zeros((len(table), len(drawn)))
    for world in drawn.T:
        total += table[:, world]
    return total


def _above(total: F64) -> F64:
    """How often each cell is above each other (cells, cells), ties by halves; a cell and itself are tied."""
    cells, samples = total.shape
    halves = np.full((cells, cells), samples, np.int64)
    for cell, own in enumerate(total):
        wins = np.count_nonzero(own > total[cell + 1 :], axis=1) + np.count_nonzero(own >= total[cell + 1 :], axis=1)
        halves[cell, cell + 1 :], halves[cell + 1 :, cell] = wins, 2 * samples - wins
    return halves / (2 * samples)


def _shares(total: F64) -> F64:
    """How often each cell has each rank (cells, ranks); those tied share the ranks that they take up."""
    cells, samples = total.shape
    shares = np.zeros((cells, cells))
    for sums in total.T:
        behind = np.sort(-sums)
        first, end = np.searchsorted(behind, -sums, "left"), np.searchsorted(behind, -sums, "right")
        alone = end - first == 1
        shares[alone.nonzero()[0], first[alone]] += 1
        for cell in (~alone).nonzero()[0]:
            shares[cell, first[cell] : end[cell]] += 1 / (end[cell] - first[cell])
    return shares / samples
