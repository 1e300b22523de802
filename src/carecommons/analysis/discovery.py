"""Where in the space of parameters does it happen? Boxes in which the cases of interest stand close, and do they hold.

Any search finds a box in noise. So the search is done again in each half of the cases, and what it finds is measured
in the other half: the density held out. A box counts as found when that beats the share of interest among all cases
by more than chance would (binomial, 5%).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.stats import binom

from carecommons.analysis.prim import CHANCE, LEAST_INSIDE, Box, Search, is_number
from carecommons.analysis.problem import check_seed, shuffled
from carecommons.errors import InputError, one_line
from carecommons.experiments import show
from carecommons.experiments.estimate import NAN
from carecommons.kernels.arrays import Bool

FEW_CASES: Final = 50
FEW_OF_INTEREST: Final = 10


@dataclass(frozen=True)
class Discovery:
    """The boxes found, the best first, how they came about, and whether they hold in cases that were held out."""

    question: str
    boxes: tuple[Box, ...]
    steps: tuple[Box, ...]
    """The way to the first box: every peel and paste."""
    all_cases: int
    all_of_interest: int
    held_out: float
    """Density, in one half of the cases, of the box found in the other; NaN where halves are too small to say."""
    held_out_p: float
    """How likely a density as high would be if the box said nothing."""
    warnings: tuple[str, ...] = field(default=())

    @property
    def box(self) -> Box | None:
        """The first box; None when there was nothing to look for."""
        return self.boxes[0] if self.boxes else None

    @property
    def found(self) -> bool:
        """Whether the first box holds in cases that it was not made from."""
        return bool(self.box and self.box.limits and self.held_out_p <= CHANCE)

    @property
    def share(self) -> float:
        """Of all cases, the share of interest: the density of a box that says nothing."""
        return self.all_of_interest / self.all_cases

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a box: coverage, density, mass, cases, how many limits, and the limits in words."""
        return pd.DataFrame([each.record() for each in self.boxes])

    @cached_property
    def limits(self) -> pd.DataFrame:
        """A row a box and limit: the parameter, low, high or levels, and the quasi-p-value."""
        rows = [
            {"box": number, "parameter": each.name, "low": each.low, "high": each.high,
             "levels": None if each.levels is None else ", ".join(map(str, each.levels)), "quasi_p": each.quasi_p}
            for number, box in enumerate(self.boxes) for each in box.limits
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["box", "parameter", "low", "high", "levels", "quasi_p"])

    @cached_property
    def trajectory(self) -> pd.DataFrame:
        """A row a step on the way to the first box: what was traded against what."""
        return pd.DataFrame([each.record() for each in self.steps])

    def records(self) -> list[dict[str, Any]]:
        """Every box as plain values."""
        return [{**box.record(), "held_out": self.held_out, "found": self.found} for box in self.boxes]

    def words(self) -> str:
        """What was found, as a sentence."""
        if self.box is None:
            return f"{self.question}: {self.all_of_interest} of {self.all_cases} cases; nothing sets them apart"
        if math.isnan(self.held_out_p):
            return f"{self.question}: {self.box!r}; too few cases to tell from chance"
        held = f"density {show.percent(self.held_out)} held out, {show.percent(self.share)} of all cases"
        if self.found:
            return f"{self.question}: {self.box!r}; {held}"
        return f"{self.question}: no box that holds ({held}): what was found in one half is noise in the other"

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        yield self.words()
        rows = [
            {"box": str(each), "cases": each.cases, "of interest": each.of_interest,
             "density": show.percent(each.density), "coverage": show.percent(each.coverage)}
            for each in self.boxes
        ]  # fmt: skip
        if self.found:
            yield show.rows_table("Boxes", rows)
        yield from self.warnings

    def __repr__(self) -> str:
        return self.words()

    def _repr_html_(self) -> str:
        return show.html(self)


def discover(x: pd.DataFrame, y: Any, *, question: str = "cases of interest", density: float | None = None,
             most: int = 1, seed: int = 1) -> Discovery:  # fmt: skip
    """Find the boxes of parameters in which cases of interest stand close.

    Parameters
    ----------
    x
        Parameters of the cases (n rows): numbers, or words, switches and categories.
    y
        Which cases are of interest (n,), true or false.
    density
        The least density asked for: of boxes with it the one that covers most. Without it the box whose coverage and
        density are together highest (their harmonic mean).
    most
        Boxes at most; each further one is looked for among the cases outside those before it.
    seed
        Of the halves in which the search is checked.

    Raises
    ------
    InputError
        When a value is missing, or there are no cases.
    """
    check_seed(seed, "discover")
    interest = _checked(x, y, density, most)
    n, wanted = len(x), int(interest.sum())
    if wanted in (0, n):
        return Discovery(question, (), (), n, wanted, NAN, NAN)
    boxes: list[Box] = []
    steps: tuple[Box, ...] = ()
    left = np.ones(n, bool)
    for _ in range(most):
        if not interest[left].any() or interest[left].all() or left.sum() < 2 * LEAST_INSIDE:
            break
        box, way = Search(x[left], interest[left], density, n, wanted).best()
        if boxes and (not box.limits or box.density <= wanted / n):
            break
        boxes.append(box)
        steps = steps or way
        left &= ~box.holds(x)
    if not boxes:
        boxes.append(Box((), n, wanted, n, wanted))
    held_out, p = _held_out(x, interest, density, seed)
    warnings = [f"only {n} cases: limits are rough"] if n < FEW_CASES else []
    if min(wanted, n - wanted) < FEW_OF_INTEREST:
        which = "of interest" if wanted <= n - wanted else "of no interest"
        warnings.append(f"only {min(wanted, n - wanted)} cases {which}: a box may be chance")
    return Discovery(question, tuple(boxes), steps, n, wanted, held_out, p, tuple(warnings))


def _checked(x: pd.DataFrame, y: Any, density: float | None, most: int) -> Bool:
    array = np.asarray(y)
    if array.shape != (len(x),) or array.dtype != bool:
        raise InputError(
            f"discover: y of shape {array.shape} and type {array.dtype}, must be {len(x)} times true or false"
        )
    if not len(x) or not len(x.columns):
        raise InputError(f"discover: {len(x)} cases of {len(x.columns)} parameters, must be at least one of each")
    for name in x.columns:
        numeric = is_number(x[name])
        missing = np.flatnonzero(~np.isfinite(np.asarray(x[name], np.float64)) if numeric else x[name].isna())
        if len(missing):
            raise InputError(f"discover: {one_line(name)} has no value in rows {one_line(missing.tolist())}")
    if density is not None and not 0 < density <= 1:
        raise InputError(f"discover: density = {one_line(density)} must be above 0 and at most 1")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"discover: most = {one_line(most)} must be a whole number of at least 1")
    return array


def _held_out(x: pd.DataFrame, interest: Bool, density: float | None, seed: int) -> tuple[float, float]:
    """Density in each half of the box found in the other, and how likely it would be if the box said nothing.

    The expectation is each half's own share, weighed by the cases that fall into its box.
    """
    order = shuffled(seed, len(x), "discover")
    halves = order[::2], order[1::2]
    inside = hits = 0
    expected = 0.0
    for here, there in (halves, halves[::-1]):
        part = interest[here]
        if part.all() or not part.any() or len(here) < 2 * LEAST_INSIDE:
            return NAN, NAN
        box, _ = Search(x.iloc[here], part, density, len(here), int(part.sum())).best()
        within = box.holds(x.iloc[there]) if box.limits else np.zeros(len(there), bool)
        inside += int(within.sum())
        hits += int(interest[there][within].sum())
        expected += float(within.sum() * interest[there].mean())
    if not inside:
        return NAN, 1.0
    return hits / inside, float(binom.sf(hits - 1, inside, expected / inside))
