"""The patient rule induction method: a box of parameters, made by cutting thin slices off the whole.

Friedman & Fisher 1999 (doi:10.1023/A:1008894516817), as scenario discovery uses it (Bryant & Lempert 2010,
doi:10.1016/j.techfore.2009.08.002): peel slices off a box, each time the one that raises the share of cases of interest
most for the cases it costs; choose a box on the way; paste back what was peeled too much; and give up limits that could
be chance. A box is told by its coverage (of all cases of interest, the share inside), its density (of all cases
inside, the share of interest) and its mass (of all cases, the share inside).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import binom

from carecommons.experiments import show
from carecommons.experiments.estimate import NAN
from carecommons.kernels.arrays import Bool

PEELS: Final = (0.05, 0.1, 0.2)  # of the cases in the box, cut off at a time: thin slices are patient, thick ones firm
MASS: Final = 0.05  # of all cases, that a box keeps at least
LEAST_INSIDE: Final = 5  # cases in a box
CHANCE: Final = 0.05
SHOWN: Final = 4  # levels that a limit's words list


@dataclass(frozen=True)
class Limit:
    """From where to where a box goes in one parameter; an end that was never cut is None. Words have `levels`."""

    name: str
    low: float | None = None
    high: float | None = None
    levels: tuple[Any, ...] | None = None
    quasi_p: float = NAN
    """How likely so many cases of interest would be by chance if this limit did not matter."""

    def holds(self, column: Any) -> Bool:
        """Which of a column's cases lie within (n,)."""
        if self.levels is not None:
            return np.asarray(pd.Series(column).isin(list(self.levels)), bool)
        values = np.asarray(column, np.float64)
        low, high = -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
        return np.asarray((values >= low) & (values <= high))

    def __str__(self) -> str:
        if self.levels is not None:
            more = f" or {len(self.levels) - SHOWN} more" if len(self.levels) > SHOWN else ""
            return f"{self.name} {' or '.join(map(str, self.levels[:SHOWN]))}{more}"
        if self.low is None:
            return f"{self.name} at most {self.high:.6g}"
        return (
            f"{self.name} at least {self.low:.6g}"
            if self.high is None
            else f"{self.name} {self.low:.6g} to {self.high:.6g}"
        )


@dataclass(frozen=True)
class Box:
    """Limits on some parameters, and how the cases of interest lie to them."""

    limits: tuple[Limit, ...]
    cases: int
    """Inside."""
    of_interest: int
    """Inside and of interest."""
    all_cases: int
    all_of_interest: int

    @property
    def coverage(self) -> float:
        """Of all cases of interest, the share inside."""
        return self.of_interest / self.all_of_interest if self.all_of_interest else NAN

    @property
    def density(self) -> float:
        """Of the cases inside, the share of interest."""
        return self.of_interest / self.cases if self.cases else NAN

    @property
    def mass(self) -> float:
        """Of all cases, the share inside."""
        return self.cases / self.all_cases if self.all_cases else NAN

    def holds(self, x: pd.DataFrame) -> Bool:
        """Which rows of a table of parameters lie inside (n,)."""
        inside = np.ones(len(x), bool)
        for limit in self.limits:
            inside &= limit.holds(x[limit.name])
        return inside

    def record(self) -> dict[str, Any]:
        """The box as plain values."""
        return {
            "coverage": self.coverage, "density": self.density, "mass": self.mass, "cases": self.cases,
            "of_interest": self.of_interest, "restricted": len(self.limits), "limits": str(self),
        }  # fmt: skip

    def __str__(self) -> str:
        return " and ".join(map(str, self.limits)) or "everywhere"

    def __repr__(self) -> str:
        return (
            f"{self}: {self.of_interest} of {self.cases} cases ({show.percent(self.density)}), "
            f"covers {show.percent(self.coverage)}"
        )


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers; a switch is a word."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _box_of(limits: tuple[Limit, ...], inside: Bool, interest: Bool, n: int, wanted: int) -> Box:
    return Box(limits, int(inside.sum()), int(interest[inside].sum()), n, wanted)


Limits = dict[str, Limit]


class Search:
    """One search for one box among some cases; shares are told of all cases."""

    def __init__(self, x: pd.DataFrame, interest: Bool, density: float | None, n: int, wanted: int) -> None:
        self.interest, self.density, self.n, self.wanted = interest, density, n, wanted
        self.numbers = {name: np.asarray(x[name], np.float64) for name in x.columns if is_number(x[name])}
        self.words = {name: x[name].astype(object) for name in x.columns if name not in self.numbers}
        self.columns: dict[str, Any] = {**self.numbers, **self.words}
        self.names = list(x.columns)
        self.least = max(math.ceil(MASS * n), LEAST_INSIDE)

    def best(self) -> tuple[Box, tuple[Box, ...]]:
        """The best box, and every box on the way to it."""
        tries = []
        for share in PEELS:
            way = list(self._peels(share))
            limits = max(way, key=self._worth)
            while (better := self._better(limits)) is not None:
                limits = better
                way.append(limits)
            limits = self._without_chance(limits)
            tries.append((limits, [*way, limits]))
        limits, way = max(tries, key=lambda each: self._worth(each[0]))
        return self._box(limits), tuple(map(self._box, way))

    def _better(self, limits: Limits) -> Limits | None:
        """The best box a slice away, if it is better: pasting, and peeling anew what a paste left loose."""
        moves = [
            *self._wider(limits),
            *(slice_ for slice_, _ in self._narrower(limits, self._inside(limits), PEELS[0])),
        ]
        found = max(moves, key=self._worth, default=limits)
        return found if self._worth(found) > self._worth(limits) else None

    def _worth(self, limits: Limits) -> tuple[float, ...]:
        """What makes one box better than another, the most important first."""
        inside = self._inside(limits)
        hits, cases = int(self.interest[inside].sum()), int(inside.sum())
        if not cases or not hits:
            return (0.0, 0.0)
        density, coverage = hits / cases, hits / self.wanted
        if self.density is None:
            return (2 * density * coverage / (density + coverage), density)
        enough = density >= self.density
        return (1.0, coverage) if enough else (0.0, density)

    def _peels(self, share: float) -> Iterator[Limits]:
        """The whole space, then a box less a slice at a time, until it would be too small or no slice is worth it.

        Of slices that raise the density as much for what they cost, the one that limits fewest parameters.
        """
        limits: Limits = {}
        while True:
            yield limits
            inside = self._inside(limits)
            cases, hits = int(inside.sum()), int(self.interest[inside].sum())
            best, most = None, (0.0, 0)
            for slice_, kept in self._narrower(limits, inside, share):
                n = int(kept.sum())
                gain = (int(self.interest[kept].sum()) / n - hits / cases) / (cases - n)
                if (gain, -len(slice_)) > most:
                    best, most = slice_, (gain, -len(slice_))
            if best is None:
                return
            limits = best

    def _narrower(self, limits: Limits, inside: Bool, share: float) -> Iterator[tuple[Limits, Bool]]:
        """The box less a slice at either end of each number, and less each level of each word; what is left inside."""
        for name, column in self.numbers.items():
            values = np.sort(column[inside])
            cut = max(int(share * len(values)), 1)
            own = limits.get(name, Limit(name))
            for low in values[values > values[cut - 1]][:1].tolist():
                yield from self._if_enough({**limits, name: replace(own, low=low)}, inside & (column >= low))
            for high in values[values < values[-cut]][-1:].tolist():
                yield from self._if_enough({**limits, name: replace(own, high=high)}, inside & (column <= high))
        for name, words in self.words.items():
            held = sorted(dict.fromkeys(words[inside]), key=str)
            for level in held if len(held) > 1 else ():
                left = Limit(name, levels=tuple(each for each in held if each != level))
                yield from self._if_enough({**limits, name: left}, inside & (words != level).to_numpy(bool))

    def _if_enough(self, limits: Limits, inside: Bool) -> Iterator[tuple[Limits, Bool]]:
        if int(inside.sum()) >= self.least:
            yield limits, inside

    def _wider(self, limits: Limits) -> Iterator[Limits]:
        """The box with a slice more at either end of each number that it limits, or a level more of each word."""
        cut = max(int(PEELS[0] * int(self._inside(limits).sum())), 1)
        for name, own in limits.items():
            open_ = self._inside({key: each for key, each in limits.items() if key != name})
            if own.levels is not None:
                for level in dict.fromkeys(self.words[name][open_]):
                    if level not in own.levels:
                        yield {**limits, name: replace(own, levels=tuple(sorted((*own.levels, level), key=str)))}
                continue
            column = np.sort(self.numbers[name][open_])
            if own.low is not None and len(under := column[column < own.low]):
                low = float(under[-cut:][0])
                yield {**limits, name: replace(own, low=low if low > column[0] else None)}
            if own.high is not None and len(over := column[column > own.high]):
                high = float(over[:cut][-1])
                yield {**limits, name: replace(own, high=high if high < column[-1] else None)}

    def _without_chance(self, limits: Limits) -> Limits:
        """The box with its quasi-p-values, less the limits that could be chance, the likeliest first."""
        limits = {name: each for name, each in limits.items() if each.levels or (each.low, each.high) != (None, None)}
        while True:
            told = {name: replace(each, quasi_p=self._quasi_p(limits, name)) for name, each in limits.items()}
            doubtful = max(told.values(), key=lambda each: each.quasi_p, default=None)
            if doubtful is None or doubtful.quasi_p <= CHANCE:
                return told
            limits = {name: each for name, each in limits.items() if name != doubtful.name}

    def _quasi_p(self, limits: Limits, name: str) -> float:
        """How likely so many cases of interest were inside if the box without this limit had them spread evenly."""
        inside = self._inside(limits)
        open_ = self._inside({key: each for key, each in limits.items() if key != name})
        share = float(self.interest[open_].mean())
        return float(binom.sf(int(self.interest[inside].sum()) - 1, int(inside.sum()), share))

    def _inside(self, limits: Limits) -> Bool:
        inside = np.ones(len(self.interest), bool)
        for name, limit in limits.items():
            inside &= limit.holds(self.columns[name])
        return inside

    def _box(self, limits: Limits) -> Box:
        ordered = tuple(limits[name] for name in self.names if name in limits)
        return _box_of(ordered, self._inside(limits), self.interest, self.n, self.wanted)
