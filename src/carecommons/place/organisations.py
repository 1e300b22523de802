"""The organisations of a place: micro-enterprises and community groups as columns, the council as an account."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from carecommons.kernels.arrays import I16, I32, I64, Bool
from carecommons.place.columns import Columns, column


@dataclass(slots=True)
class Enterprises(Columns):
    """Micro-enterprises, one row a pitch where one may stand."""

    id: I64 = column(np.int64, "identity: month of opening and pitch", empty=-1)
    open: Bool = column(np.bool_, "trading")
    founder: I32 = column(np.int32, "row of the founder", empty=-1)
    neighbourhood: I32 = column(np.int32, "where it works", empty=-1)
    opened: I16 = column(np.int16, "month of opening", "month", empty=-1)
    capacity: I32 = column(np.int32, "care that it can give", "minutes/month")
    load: I32 = column(np.int32, "care that it gave this month", "minutes/month")
    clients: I32 = column(np.int32, "people on its books", "people")


@dataclass(slots=True)
class Groups(Columns):
    """Community groups; who belongs stands with the citizens (group_a, group_b)."""

    id: I64 = column(np.int64, "identity: month of opening and place", empty=-1)
    open: Bool = column(np.bool_, "meets")
    neighbourhood: I32 = column(np.int32, "where its venue is", empty=-1)
    closed: I16 = column(np.int16, "month of closing, -1 while it meets", "month", empty=-1)
    capacity: I32 = column(np.int32, "members it can hold", "people")
    members: I32 = column(np.int32, "members", "people")


@dataclass(slots=True)
class Accounts:
    """The council's pots in whole pence, and what its staff can do this month."""

    care_pot: int = 0
    prevention_pot: int = 0
    running_pot: int = 0
    reserves: int = 0
    overspend: int = 0
    allowance: int = 0
    assessments: int = 0
    prevention_first: bool = False

    @property
    def balance(self) -> int:
        """Everything that the council holds."""
        return self.care_pot + self.prevention_pot + self.running_pot + self.reserves

    def copy(self) -> Accounts:
        """An independent copy."""
        return replace(self)
