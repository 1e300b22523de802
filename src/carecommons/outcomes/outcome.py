"""What an outcome is: a number of the month with a name, a unit, a definition and a good direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from carecommons.kernels.sums import count_equal, count_where, sum_by, sum_where
from carecommons.place.place import Place
from carecommons.place.population import Status

Good = Literal["up", "down", "neither"]

NOUGHT = {"f": np.float64(0), "i": np.int64(0), "u": np.int64(0), "b": np.int64(0)}  # what a sum starts from, by kind


@dataclass(frozen=True, slots=True)
class Outcome:
    """A number for a place in a month.

    With a `column` it is the mean of that column (or the share of those whose column `equals` a number, or of those
    with the flag `holds`) over people with all flags of `among`, or the sum when `total`; it can then be taken by
    group. Otherwise `of` computes it from the place, its ledger above all. `scale` turns it into `unit`.
    """

    name: str
    unit: str
    definition: str
    good: Good
    column: str = ""
    holds: Status | None = None
    equals: int | None = None
    among: Status = Status.ALIVE
    total: bool = False
    scale: float = 1.0
    of: Callable[[Place], float] | None = None
    _among: Any = field(init=False, repr=False, compare=False)
    _holds: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the flags as the plain numbers that kernels take."""
        object.__setattr__(self, "_among", np.uint32(self.among.value))
        object.__setattr__(self, "_holds", None if self.holds is None else np.uint32(self.holds.value))

    def value(self, place: Place) -> float:
        """The outcome of the whole place; NaN where it is a mean over nobody."""
        if self.of is not None:
            return float(self.of(place))
        total, count = self._sum(place)
        if self.total:
            return float(total) * self.scale
        return float(total / count) * self.scale if count else float("nan")

    def _sum(self, place: Place) -> Any:
        c = place.citizens
        if self._holds is not None:
            return count_where(c.status, self._holds, self._among)
        values = getattr(c, self.column)
        if self.equals is not None:
            return count_equal(values, self.equals, c.status, self._among)
        return sum_where(values, c.status, self._among, NOUGHT[values.dtype.kind])

    def by(self, place: Place, group: Any, groups: int) -> tuple[Any, Any]:
        """The outcome by group (n,) numbered from 0 -> values (groups,), people (groups,)."""
        if self.of is not None:
            raise ValueError(f"'{self.name}' is an outcome of the place, not of people, and has no groups")
        total, count = sum_by(self._values(place), place.citizens.status, self._among, group, groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (total if self.total else total / count) * self.scale, count

    def each(self, place: Place) -> Any:
        """Each person's own value (n,), NaN for those whom the outcome is not about."""
        values = self._values(place).astype(float) * self.scale
        return np.where(place.citizens.status & self._among == self._among, values, np.nan)

    def _values(self, place: Place) -> Any:
        if self.holds is not None:
            return place.citizens.status & self._holds != 0
        values = getattr(place.citizens, self.column)
        return values if self.equals is None else values == self.equals
