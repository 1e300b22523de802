"""What a sweep and a comparison have in common: a store behind them, and its tidy tables."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from carecommons.experiments import tables
from carecommons.experiments.store.database import FAILED, Store
from carecommons.experiments.store.errors import shown


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

    @property
    def keys(self) -> tuple[str, ...]:
        """The runs that these results are of, whether they are there or not."""
        raise NotImplementedError

    @property
    def lacking(self) -> tuple[str, ...]:
        """What the results lack, in words, and what to do about it: runs that are missing, runs that failed."""
        status, folder = self.store.status(), shown(self.store.folder)
        found = [status.get(key) for key in dict.fromkeys(self.keys)]
        advice = {
            None: f"are missing, give the same command again ('carecommons status {folder}' shows it)",
            FAILED: f"failed, 'carecommons retry {folder}' runs them again" if self.store.folder else "failed",
        }
        return tuple(f"{found.count(how):,} of {len(found):,} runs {then}" for how, then in advice.items()
                     if how in found)  # fmt: skip

    def to_xarray(self) -> Any:
        """The series as an `xarray.Dataset` (cell, seed, month, and arm); needs the extra `data`."""
        return tables.to_xarray(self.store)
