"""Typed columns: one numpy array a fact, one row a citizen or an organisation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from carecommons.kernels.arrays import I64


class Described(NamedTuple):
    """A column as the documentation shows it."""

    name: str
    dtype: str
    unit: str
    about: str


def column(dtype: npt.DTypeLike, about: str, unit: str = "", empty: int = 0) -> Any:
    """Declare a column; `empty` is what a vacant row holds."""
    return field(metadata={"dtype": np.dtype(dtype), "about": about, "unit": unit, "empty": empty})


@dataclass(slots=True)
class Columns:
    """A table of equally long arrays."""

    @classmethod
    def vacant(cls, rows: int) -> Self:
        """A table of `rows` rows that hold nobody."""
        return cls(**{c.name: np.full(rows, c.metadata["empty"], c.metadata["dtype"]) for c in cls._columns()})

    @classmethod
    @cache
    def _columns(cls) -> tuple[Field[Any], ...]:
        return tuple(c for c in fields(cls) if "dtype" in c.metadata)

    @classmethod
    @cache
    def names(cls) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(c.name for c in cls._columns())

    @classmethod
    def describe(cls) -> list[Described]:
        """The columns with type, unit and meaning."""
        return [
            Described(c.name, str(c.metadata["dtype"]), c.metadata["unit"], c.metadata["about"]) for c in cls._columns()
        ]

    def __len__(self) -> int:
        return len(getattr(self, self.names()[0]))

    def copy(self) -> Self:
        """An independent table with the same content."""
        return type(self)(**{name: getattr(self, name).copy() for name in self.names()})

    def take(self, order: I64) -> Self:
        """The rows in another order."""
        return type(self)(**{name: getattr(self, name)[order] for name in self.names()})

    def clear(self, rows: I64, keep: tuple[str, ...] = ()) -> None:
        """Make `rows` vacant but for the columns to `keep`."""
        columns, empty = self._erasable(keep)
        for column, nothing in zip(columns(self), empty, strict=True):
            column[rows] = nothing

    @classmethod
    @cache
    def _erasable(cls, keep: tuple[str, ...]) -> tuple[Callable[[Any], tuple[Any, ...]], tuple[int, ...]]:
        """What takes the columns but for those to `keep`, and what each holds in a vacant row."""
        found = [c for c in cls._columns() if c.name not in keep]
        return attrgetter(*(c.name for c in found)), tuple(c.metadata["empty"] for c in found)
