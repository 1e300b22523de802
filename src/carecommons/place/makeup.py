"""What newcomers and founders are drawn from: the published make-up of the place as tables that never change."""

from __future__ import annotations

from dataclasses import dataclass

from carecommons.kernels.arrays import F64


@dataclass(frozen=True, slots=True)
class Makeup:
    """Tables by sex (women, men), age in years or decade, deprivation quintile (0 most deprived) and the like.

    `hazard` (2, 101) monthly hazard of dying; `disabled` (101, 5) share with a long-standing impairment;
    `tenure` (101, 5, 4) and `ethnicity` (5,) cumulative shares; `traits` the scalars of `People` in its own order;
    `levels` (2, 5, 2, 101, 4) cumulative shares of the levels of need by impairment, deprivation, sex and age.
    """

    hazard: F64
    disabled: F64
    tenure: F64
    ethnicity: F64
    works: F64
    traits: F64
    levels: F64

    def copy(self) -> Makeup:
        """Itself: nobody writes it."""
        return self
