"""Luck that belongs to people and decisions: the same for the same person, month and decision, whatever else
happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

import numpy as np

from carecommons.kernels import keyed
from carecommons.kernels.allocate import order_by
from carecommons.kernels.arrays import F64, I64

BEFORE = 2**32  # the month of things that were settled before the first month, and never change

BOND = "ties.bond"  # the decision behind a pair's lasting draw


@cache
def decision(name: str) -> int:
    """The key of a decision, from its name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=7).digest(), "big")


@dataclass(frozen=True, slots=True)
class Luck:
    """The draws of one month of one world."""

    seed: int
    month: int = BEFORE

    def uniforms(self, name: str, who: I64) -> F64:
        """Four independent uniforms a person (n, 4) for the decision `name`; `who` holds identities."""
        out = np.empty((len(who), 4))
        keyed.fill(self.seed, decision(name), self.month, who, out)
        return out

    def order(self, name: str, who: I64) -> I64:
        """Positions (n,) of identities in a random order that does not depend on how they are listed."""
        return order_by(keyed.lots(self.seed, decision(name), self.month, who), who)

    def at(self, month: int) -> Luck:
        """The luck of another month of the same world."""
        return Luck(self.seed, month)
