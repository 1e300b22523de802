"""A Place: one local authority at one moment, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from carecommons.kernels.arrays import F32, I8, I32, I64
from carecommons.place.ledger import Ledger
from carecommons.place.makeup import Makeup
from carecommons.place.organisations import Accounts, Enterprises, Groups
from carecommons.place.population import Citizens
from carecommons.place.ties import Ties


@dataclass(slots=True)
class Neighbourhoods:
    """The parts of a place: addresses `first[k]` to `first[k + 1]`, deprivation quintile and receptiveness."""

    first: I32
    deprivation: I8
    receptiveness: F32

    def copy(self) -> Neighbourhoods:
        """An independent copy."""
        return Neighbourhoods(self.first.copy(), self.deprivation.copy(), self.receptiveness.copy())


@dataclass(slots=True)
class Place:
    """Citizens, ties, organisations and accounts of one local authority; processes are the only things that change
    it.
    """

    name: str
    month: int
    citizens: Citizens
    ties: Ties
    groups: Groups
    enterprises: Enterprises
    council: Accounts
    ledger: Ledger
    neighbourhoods: Neighbourhoods
    makeup: Makeup
    row_of: I32

    def copy(self) -> Place:
        """An independent place in the same state."""
        parts: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        copies: dict[str, Any] = {k: v if isinstance(v, str | int) else v.copy() for k, v in parts.items()}
        return Place(**copies)

    def reordered(self, order: I64) -> Place:
        """The same place with its rows stored in another order; nobody's identity, luck or ties change."""
        other = self.copy()
        new_row = np.empty(len(order), np.int32)
        new_row[order] = np.arange(len(order), dtype=np.int32)
        other.citizens = self.citizens.take(order)
        other.ties = self.ties.take(order)
        partner = other.citizens.partner
        partner[partner >= 0] = new_row[partner[partner >= 0]]
        founder = other.enterprises.founder
        founder[founder >= 0] = new_row[founder[founder >= 0]]
        other.row_of = new_row[self.row_of]
        return other

    def __len__(self) -> int:
        return int(self.citizens.alive.sum())
