"""When are there enough worlds? The rule that decides, one pair after the other, whether another is needed."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass, field
from numbers import Real
from typing import Final

from carecommons.errors import InputError, one_line
from carecommons.experiments.estimate import UNVARIED, Estimate, estimate, half_width_of, runs_still_needed

LEAST: Final = 10
AHEAD: Final = 5
MOST: Final = 1_000
_NUMBER: Final = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Precision:
    """How narrow an interval is asked for: a half-width in the outcome's own unit, or as a share of the effect."""

    half_width: float
    relative: bool = False

    def __post_init__(self) -> None:
        """Refuse what no interval can have."""
        if isinstance(self.half_width, bool) or not isinstance(self.half_width, Real):
            told = one_line(self.half_width)
            raise InputError(f"precision = {told!r} must be a number; Precision.parse reads text such as '10%'")
        most = 1.0 if self.relative else math.inf
        if not (math.isfinite(self.half_width) and 0 < self.half_width <= most):
            raise InputError(f"precision = {one_line(self)} must be {_RIGHT}")

    @classmethod
    def parse(cls, text: str) -> Precision:
        """`"10%"` is a tenth of the effect, `"0.5"` half a unit of the outcome."""
        told = text.strip()
        relative = told.endswith("%")
        number = told.removesuffix("%").strip()
        if not _NUMBER.fullmatch(number):
            raise InputError(f"precision = '{one_line(text)}' must be {_RIGHT}")
        return cls(float(number) / 100 if relative else float(number), relative)

    def asked(self, effect: float) -> float:
        """The half-width asked of an interval about `effect`, in the outcome's unit."""
        return self.half_width * abs(effect) if self.relative else self.half_width

    def __str__(self) -> str:
        return f"{100 * self.half_width:.6g}%" if self.relative else f"{self.half_width:.6g}"


_RIGHT: Final = "a half-width above 0 such as 0.5, or a share of the effect above 0% and up to 100% such as 10%"


@dataclass(frozen=True)
class Rule:
    """At least `least` pairs, then until the half-width is as asked and has stayed so for `ahead` more; `most` is the
    cap.

    The pairs that look ahead guard against an interval that is narrow by chance. Differences that are all the same show
    no spread to judge by, and are believed from `UNVARIED` pairs on. Source: Hoad, Robinson and Davies 2010, Automated
    selection of the number of replications for a discrete-event simulation, J. Oper. Res. Soc. 61.
    """

    precision: Precision
    least: int = LEAST
    ahead: int = AHEAD
    most: int = MOST

    def __post_init__(self) -> None:
        """Refuse what is no precision, and numbers of pairs that contradict one another."""
        if not isinstance(self.precision, Precision):
            told = one_line(self.precision)
            raise InputError(f"precision = {told!r} must be a Precision, such as Precision.parse('10%')")
        for name, low in (("least", 2), ("ahead", 0), ("most", self.least + self.ahead)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                why = " (least and ahead together)" if name == "most" else ""
                raise InputError(f"replication rule: {name} = {one_line(value)} must be a whole number from {low}{why}")

    def met_by(self, differences: list[float]) -> bool:
        """Whether these alone are as many and as precise as asked."""
        found = estimate(differences)
        if found.n < self.least or (found.half_width == 0 and found.n < UNVARIED):
            return False
        return found.half_width <= self.precision.asked(found.mean)


@dataclass
class _Tally:
    """Mean and spread of the differences so far, by Welford's updates, and how far rounding may have led them astray.

    Source: Welford 1962, Note on a method for calculating corrected sums of squares and products, Technometrics 4.
    """

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def take(self, value: float) -> None:
        self.n += 1
        step = value - self.mean
        self.mean += step / self.n
        self.squares += step * (value - self.mean)
        self.low, self.high = min(self.low, value), max(self.high, value)

    def meets(self, rule: Rule) -> bool | None:
        """What `Rule.met_by` says of these differences, or None where only exact sums can tell."""
        if self.n < rule.least:
            return False
        if self.low == self.high:
            return self.n >= UNVARIED
        half = half_width_of(self.squares / (self.n - 1), self.n)
        # Of values up to M in size, each update is off by a few M eps, so that mean and standard deviation are off by
        # less than 4 n M eps, and a half-width by Student's t over the root of n, at most 9, times that.
        rounding = 64 * self.n * sys.float_info.epsilon * max(-self.low, self.high)
        gap = rule.precision.asked(self.mean) - half
        return gap > 0 if abs(gap) > rounding and half > rounding else None


@dataclass(frozen=True)
class Verdict:
    """How the rule ended, or stands.

    `estimate` rests on the first `settled` pairs, those at which the asked precision came to stay, as in the source of
    the rule: what looks ahead is a check and no part of it. Without convergence it rests on all `pairs`.
    """

    converged: bool
    why: str
    pairs: int
    settled: int
    estimate: Estimate
    asked: float
    still_needed: int | None

    def __str__(self) -> str:
        return f"{'converged' if self.converged else 'not converged'}: {self.why}"


@dataclass
class Replication:
    """Asks for pairs until the rule is content.

    Pairs count in the order of their worlds, and what comes after the end does not count: the verdict is the same for
    any number of workers.
    """

    rule: Rule
    differences: list[float] = field(default_factory=list, init=False)
    _tally: _Tally = field(default_factory=_Tally, init=False)
    _met: int = field(default=0, init=False)  # pairs at which the precision came to stay, 0 while it is not reached
    _kept: int = field(default=0, init=False)  # how many since then had a value

    @property
    def converged(self) -> bool:
        """Whether the asked precision was reached and has stayed."""
        return self._kept > self.rule.ahead

    @property
    def over(self) -> bool:
        """Whether no more pairs are wanted."""
        return self.converged or len(self.differences) >= self.rule.most

    def feed(self, difference: float) -> bool:
        """Take the next world's difference, NaN where it has none; say whether another is wanted."""
        if not self.over:
            if math.isinf(difference):
                raise InputError(f"pair {len(self.differences) + 1}: a difference of {difference} is no number")
            self.differences.append(difference)
            if not math.isnan(difference):  # a pair without a value confirms nothing
                self._tally.take(difference)
                self._look()
        return not self.over

    def _look(self) -> None:
        met = self._tally.meets(self.rule)
        if self.rule.met_by(self.differences) if met is None else met:
            self._met = self._met or len(self.differences)
            self._kept += 1
        else:
            self._met = self._kept = 0

    @property
    def verdict(self) -> Verdict:
        """How it stands, with the reason in words."""
        pairs = len(self.differences)
        settled = self._met if self.converged else pairs
        found = estimate(self.differences[:settled])
        precision = self.rule.precision
        needed = runs_still_needed(self.differences, precision.half_width, relative=precision.relative)
        asked = precision.asked(found.mean)
        why = self._reached(found, settled) if self.converged else self._missed(found, asked, needed)
        return Verdict(self.converged, why, pairs, settled, found, asked, 0 if self.converged else needed)

    def _reached(self, found: Estimate, settled: int) -> str:
        if found.half_width == 0:
            return f"all {found.n} differences are {found.mean:.6g}, without spread"
        ahead = f", and has stayed so for {self.rule.ahead} more" if self.rule.ahead else ""
        return f"half-width {found.half_width:.4g} after {settled} pairs, {self._asked(found)} asked{ahead}"

    def _missed(self, found: Estimate, asked: float, needed: int | None) -> str:
        pairs = len(self.differences)
        if found.n < 2:
            return f"{found.n} of {pairs} pairs {'has' if found.n == 1 else 'have'} a value, at least 2 are needed"
        known = f" ({pairs - found.n} without a value)" if pairs > found.n else ""
        if found.n < self.rule.least:
            return f"{found.n} pairs with a value{known} of at least {self.rule.least}"
        if found.half_width == 0:
            what = f"all {found.n} differences are {found.mean:.6g}"
            return f"{what}; that others are too is believed from {UNVARIED} on"
        head = f"half-width {found.half_width:.4g} after {pairs} pairs{known}, {self._asked(found)} asked"
        if found.half_width <= asked:
            return f"{head}, reached for {self._kept} of the {self.rule.ahead + 1} pairs that it must stay"
        more = f"; about {needed:,} more pairs would do" if needed else "; no number of pairs that can be run would do"
        return head + more

    def _asked(self, found: Estimate) -> str:
        share = f" ({self.rule.precision} of {abs(found.mean):.4g})" if self.rule.precision.relative else ""
        return f"{self.rule.precision.asked(found.mean):.4g}{share}"
