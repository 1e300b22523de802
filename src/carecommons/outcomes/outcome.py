"""What an outcome is: a number of the month with a name, a unit, a definition and a good direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from carecommons.kernels.sums import sum_by, sum_where
from carecommons.place.place import Place
from carecommons.place.population import Status

Good = Literal["up", "down", "neither"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A number for a place in a month.

    With a `column` it is the mean of that column (or of the flag `holds`) over people with all flags of `among`, or their
    sum when `total`; it can then be taken by group. Otherwise `of` computes it from the place, its ledger above all.
    `scale` turns it into `unit`.
    """

    name: str
    unit: str
    definition: str
    good: Good
    column: str = ""
    holds: Status | None = None
    among: Status = Status.ALIVE
    total: bool = False
    scale: float = 1.0
    of: Callable[[Place], float] | None = None

    def value(self, place: Place) -> float:
        """The outcome of the whole place; NaN where it is a mean over nobody."""
        if self.of is not None:
            return float(self.of(place))
        total, count = sum_where(self._values(place), place.citizens.status, self.among.value)
        if self.total:
            return float(total) * self.scale
        return float(total / count) * self.scale if count else float("nan")

    def by(self, place: Place, group: Any, groups: int) -> tuple[Any, Any]:
        """The outcome by group (n,) numbered from 0 -> values (groups,), people (groups,)."""
        if self.of is not None:
            raise ValueError(f"'{self.name}' is an outcome of the place, not of people, and has no groups")
        total, count = sum_by(self._values(place), place.citizens.status, self.among.value, group, groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (total if self.total else total / count) * self.scale, count

    def each(self, place: Place) -> Any:
        """Each person's own value (n,), NaN for those whom the outcome is not about."""
        values = self._values(place).astype(float) * self.scale
        return np.where(place.citizens.status & self.among.value == self.among.value, values, np.nan)

    def _values(self, place: Place) -> Any:
        if self.holds is not None:
            return place.citizens.status & np.uint32(self.holds.value) != 0
        return getattr(place.citizens, self.column)
