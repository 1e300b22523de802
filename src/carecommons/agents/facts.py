"""One column of a place as an attribute of an agent: read as a plain Python value, checked before it is written."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from carecommons.errors import InputError, one_line
from carecommons.kernels.arrays import I64
from carecommons.place.columns import Columns, Described
from carecommons.place.population import Contact, Level, Preference, Route, Sequel, Setting, Status, Tenure
from carecommons.units import MINUTES_A_MONTH, MONTHS_A_YEAR

if TYPE_CHECKING:
    from carecommons.agents.windows import Window

Names = type[IntEnum] | type[IntFlag]

NAMES: Final[dict[str, Names]] = {
    "level": Level, "route": Route, "setting": Setting, "contact": Contact, "tenure": Tenure, "prefers": Preference,
    "sequel": Sequel, "status": Status,
}  # fmt: skip
FIXED: Final = frozenset({
    "id", "address", "arrived", "neighbourhood", "deprivation", "household", "home_size", "group_a", "group_b",
    "status", "given", "informal", "waiting_since", "open", "opened", "closed", "clients", "members", "load",
})  # fmt: skip
"""Columns that other records hang on: who sets one alone leaves the place in two minds."""

_RANGES: Final[dict[str, tuple[float, float]]] = {
    "age": (18 * MONTHS_A_YEAR, 120 * MONTHS_A_YEAR), "sex": (0, 1), "ethnicity": (0, 4), "deficits": (0, 1023),
    "relational": (0, 2), "network": (0, 30), "ucla": (3, 9), "scrqol": (0, 24), "requests": (0, 100),
    "refusals": (0, 100), "short_term": (0, 100), "capacity": (0, 2**31 - 1),
}  # fmt: skip
_UNIT_RANGES: Final[dict[str, tuple[float, float]]] = {
    "share": (0, 1), "multiple": (0, 100), "z": (-100, 100), "minutes/month": (0, MINUTES_A_MONTH),
    "pence": (0, 2**62), "pence/week": (0, 2**31 - 1), "pence/month": (0, 2**31 - 1),
}  # fmt: skip


class Fact:
    """A column seen from a row; `names` is the enumeration of its codes, if it has one."""

    def __init__(self, column: Described) -> None:
        self.name, self.unit = column.name, column.unit
        self.dtype, self.names = np.dtype(column.dtype), NAMES.get(column.name)
        self.__doc__ = f"{column.about} ({column.unit})" if column.unit else column.about

    def __get__(self, window: Window | None, owner: type | None = None) -> Any:
        if window is None:
            return self
        value = getattr(window.here(), self.name).item(window.row)
        return value if self.names is None else self.names(value)

    def __set__(self, window: Window, value: Any) -> None:
        wrong = "cannot be set, since other records hang on it" if self.name in FIXED else self._wrong(value)
        if wrong:
            raise InputError(f"{window}: {self.name} = {one_line(repr(value))} {wrong}")
        getattr(window.here(), self.name)[window.row] = value

    def of(self, table: Columns, rows: I64) -> list[Any]:
        """The values of many rows at once."""
        values = getattr(table, self.name)[rows].tolist()
        return values if self.names is None else [self.names(value) for value in values]

    @cached_property
    def range(self) -> tuple[float, float]:
        """The least and the greatest value that do no harm."""
        if self.names is not None:
            return min(self.names), max(self.names)
        if self.name in _RANGES or self.unit in _UNIT_RANGES:
            return _RANGES.get(self.name) or _UNIT_RANGES[self.unit]
        return int(np.iinfo(self.dtype).min), int(np.iinfo(self.dtype).max)

    def _wrong(self, value: Any) -> str:
        """What is wrong with a value, or nothing."""
        if self.dtype.kind == "b":
            return "" if isinstance(value, bool | np.bool_) else "must be True or False"
        whole = self.dtype.kind in "iu"
        low, high = self.range
        numbers = int | np.integer if whole else int | float | np.integer | np.floating
        if isinstance(value, numbers) and not isinstance(value, bool) and low <= value <= high:
            return ""
        if self.names is not None:
            return f"must be one of {', '.join(f'{member.name} ({member.value})' for member in self.names)}"
        return f"must be a {'whole number' if whole else 'number'} from {low:,} to {high:,}"
