"""What a sweep and a comparison have in common: a store behind them, and its tidy tables."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from carecommons.experiments import tables
from carecommons.experiments.store.database import Store


class Kept:
    """Results that a store holds. A comparison has a row an arm where a sweep has a row."""

    store: Store

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row a run: where it stands, its seed and levels, how it went, and what it counts with in each outcome."""
        return tables.runs(self.store)

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """A row a cell: the levels of its factors, and in a comparison whatever the arms differ in."""
        return tables.parameters(self.store)

    @cached_property
    def series(self) -> pd.DataFrame:
        """A row a run and month, a column an outcome."""
        return tables.series(self.store)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row a cell: its levels, and of each outcome the mean, the interval's ends and the number of runs."""
        return tables.summary(self.store)

    @property
    def failures(self) -> pd.DataFrame:
        """A row a run that failed, with its cause."""
        return tables.failures(self.store)

    def to_xarray(self) -> Any:
        """The series as an `xarray.Dataset` (cell, seed, month, and arm); needs the extra `data`."""
        return tables.to_xarray(self.store)
