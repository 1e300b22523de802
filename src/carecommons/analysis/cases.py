"""Which cells of a sweep answer a question such as "isolation rises although funding is held"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from carecommons.analysis.adapters import frame_of
from carecommons.analysis.discovery import Discovery, discover
from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments.design import check_outcomes
from carecommons.experiments.estimate import Estimate, estimate
from carecommons.experiments.levels import kind_of, plain
from carecommons.kernels.arrays import Bool

if TYPE_CHECKING:
    from carecommons.experiments.sweep import Sweep

FORMS: Final = "'rises', 'falls', 'rises by 5%', 'surely falls by 2', 'held within 5%', 'above 0.3' or 'below 12'"
_CHANGE: Final = re.compile(r"(surely )?(rises|falls)(?: by (\d+(?:\.\d+)?)(%?))?")
_HELD: Final = re.compile(r"held within (\d+(?:\.\d+)?)(%?)")
_LEVEL: Final = re.compile(r"(above|below) (-?\d+(?:\.\d+)?)")

Means = pd.DataFrame  # a row a cell: its levels, and each outcome's mean over replicates


@dataclass(frozen=True)
class Condition:
    """What an outcome must do for a case to be of interest.

    Changes are those of the mean from the cell compared with, pair by pair in the same worlds; in per cent, of that
    cell's mean. `surely` asks that the whole 95% interval of the change lies beyond the bound.
    """

    outcome: str
    kind: str
    bound: float = 0.0
    percent: bool = False
    surely: bool = False

    @classmethod
    def of(cls, outcome: str, text: str) -> Condition:
        """From words such as `rises` or `held within 5%`."""
        check_outcomes([outcome], "discover")
        if found := _CHANGE.fullmatch(text.strip()):
            return cls(outcome, found[2], float(found[3] or 0), found[4] == "%", bool(found[1]))
        if found := _HELD.fullmatch(text.strip()):
            return cls(outcome, "held", float(found[1]), found[2] == "%")
        if found := _LEVEL.fullmatch(text.strip()):
            return cls(outcome, found[1], float(found[2]))
        raise InputError(f"discover: {outcome} = {one_line(text)!r} must be like {FORMS}")

    @property
    def of_change(self) -> bool:
        """Whether it needs a cell to compare with."""
        return self.kind in ("rises", "falls", "held")

    def holds(self, level: Estimate, change: Estimate | None, before: float) -> bool:
        """Whether it holds in a cell, from its mean, its change and the mean of the cell it is compared with."""
        if self.kind in ("above", "below"):
            return level.mean > self.bound if self.kind == "above" else level.mean < self.bound
        assert change is not None
        bound = self.bound * abs(before) / 100 if self.percent else self.bound
        if self.kind == "held":
            return abs(change.mean) <= bound
        if self.kind == "rises":
            return (change.low if self.surely else change.mean) > bound
        return (change.high if self.surely else change.mean) < -bound


@dataclass(frozen=True)
class Cases:
    """The cells of a sweep as cases: their parameters, which are of interest, and the question in words."""

    x: pd.DataFrame
    y: Bool
    question: str


def cases(sweep: Sweep, question: Mapping[str, str] | Callable[[Means], Any], *,
          against: Mapping[str, Any] | Sweep | None = None) -> Cases:  # fmt: skip
    """Which cells are of interest.

    Parameters
    ----------
    question
        By outcome what it must do, such as {"isolation": "rises", "funded": "held within 5%"}, all of it; or a function
        of the table of means that gives true or false for each cell.
    against
        What changes are from: levels of some factors, such as {"council.funding": 1.0}, and each cell is compared with
        the one that differs from it in these alone (the same assumptions under another policy); or a sweep of one cell
        in the same worlds. By default the scenario as it stands, which must then be a cell. A cell that would be
        compared with itself is no case.

    Raises
    ------
    InputError
        When there is no cell to compare with, an outcome has no value in a cell, or words are not understood.
    """
    frame = frame_of(sweep.design)
    if callable(question):
        means = {name: [estimate(row).mean for row in rows] for name, rows in sweep.values.items()}
        return Cases(frame, np.asarray(question(frame.assign(**means))).astype(bool), "the cells asked for")
    conditions = [Condition.of(outcome, text) for outcome, text in question.items()]
    if not conditions:
        raise InputError(f"discover: no question; give an outcome and what it must do, like {FORMS}")
    changes = any(each.of_change for each in conditions)
    partners, other = _against(sweep, against) if changes else ([None] * len(frame), None)
    y = np.ones(len(frame), bool)
    for each in conditions:
        y &= _holding(sweep, each, partners, other)
    words = ", ".join(f"{outcome} {text.strip()}" for outcome, text in question.items())
    kept = np.array([cell != partner for cell, partner in enumerate(partners)])
    return Cases(frame[kept].reset_index(drop=True), y[kept], words)


def where(sweep: Sweep, question: Mapping[str, str] | Callable[[Means], Any], *,
          against: Mapping[str, Any] | Sweep | None = None, density: float | None = None, most: int = 1,
          seed: int = 1) -> Discovery:  # fmt: skip
    """The boxes of parameters in which a question is answered yes: `cases`, then `discover`."""
    found = cases(sweep, question, against=against)
    return discover(found.x, found.y, question=found.question, density=density, most=most, seed=seed)


def _holding(sweep: Sweep, condition: Condition, partners: Sequence[int | None], other: Sweep | None) -> Bool:
    """In which cells a condition holds (cells,), each set against its partner or all against the other sweep's cell."""
    values = sweep.values[condition.outcome]
    found = []
    for number, (row, partner) in enumerate(zip(values, partners, strict=True)):
        level = estimate(row)
        before = (
            other.values[condition.outcome][0] if other is not None else None if partner is None else values[partner]
        )
        change = None if before is None else estimate([b - a for a, b in zip(before, row, strict=True)])
        if np.isnan(level.mean) or (condition.of_change and (change is None or np.isnan(change.mean))):
            why = " and ".join(sweep.lacking) or "a mean over nobody"
            raise InputError(f"discover: {condition.outcome} has no value in cell {number}: {why}")
        if condition.surely and change is not None and np.isnan(change.low):
            raise InputError("discover: 'surely' needs an interval: at least 2 replicates (-r)")
        found.append(condition.holds(level, change, np.nan if before is None else estimate(before).mean))
    return np.array(found, bool)


def _against(sweep: Sweep, against: Any) -> tuple[list[int | None], Sweep | None]:
    """By cell the one that its changes are from, or for all of them a sweep of one cell."""
    cells = sweep.design.cells
    if against is None:
        own = sweep.design.own_cell
        if own is None:
            few = [f"{key}={levels[0]}" for key, levels in sweep.design.factors.items()]
            such = f", such as {one_line(few[0])}" if few else ""
            raise InputError(f"discover: no cell is the scenario as it stands; say what to compare with (against){such}"
                             ", or a sweep of one cell")  # fmt: skip
        return [own] * len(cells), None
    if isinstance(against, Mapping):
        factors = sweep.design.factors
        for key in against:
            if key not in factors:
                known = did_you_mean(key, factors) or f"; these were: {one_line(', '.join(factors), 160)}"
                raise InputError(f"discover: against '{one_line(key)}' was not varied{known}")
        against = {key: plain(value, kind_of(key)) for key, value in against.items()}
        for key, value in against.items():
            if value not in factors[key]:
                raise InputError(f"discover: against {key} = {one_line(value)} is no level of the sweep, must be one "
                                 f"of {one_line(', '.join(map(str, factors[key])), 160)}")  # fmt: skip
        places = {tuple(cell.values()): number for number, cell in enumerate(cells)}
        partners = [places.get(tuple({**cell, **against}.values())) for cell in cells]
        if None in partners:
            raise InputError(f"discover: against = {one_line(dict(against))}: cell {partners.index(None)} has no "
                             "partner that differs from it in this alone")  # fmt: skip
        return partners, None
    if len(against.design.cells) != 1 or list(against.design.seeds) != list(sweep.design.seeds):
        raise InputError("discover: against must be a sweep of one cell in the same worlds")
    return [None] * len(cells), against
