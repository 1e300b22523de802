"""Who knows whom: every tie twice, once in each person's row, with room to grow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from carecommons.kernels import rows
from carecommons.kernels.arrays import F32, I8, I32, I64, U16, Bool

ROOM = 6  # new ties for which a row has room until rows are laid out anew, once a year


class Tie(IntEnum):
    """What two people are to each other."""

    PARTNER = 0
    KIN = 1
    FRIEND = 2
    NEIGHBOUR = 3
    WORKMATE = 4
    PEER = 5
    PROFESSIONAL = 6


@dataclass(slots=True)
class Ties:
    """Half-edges in compressed rows: row i holds the people that i knows, in the order in which they met.

    Both halves of a tie carry the same kind, strength and bond (a lasting draw of the pair, out of 65,536: how close
    they can become, and whether one would care for the other); `minutes` is the care that the neighbour gives to the
    row's owner this month, so it differs between the halves.
    """

    start: I64
    degree: I32
    neighbour: I32
    strength: F32
    kind: I8
    bond: U16
    minutes: U16

    @classmethod
    def from_pairs(cls, people: int, a: I32, b: I32, kind: I8, strength: F32, bond: U16, slack: int = ROOM) -> Ties:
        """Rows for undirected ties (m,); of a repeated pair the first stays, and nobody is tied to himself."""
        start, degree, neighbour, strengths, kinds, bonds = rows.build(people, a, b, kind, strength, bond, slack)
        return cls(start, degree, neighbour, strengths, kinds, bonds, np.zeros(len(neighbour), np.uint16))

    @classmethod
    def none(cls, people: int, slack: int = ROOM) -> Ties:
        """Rows of people who know nobody."""
        nobody = np.empty(0, np.int32)
        return cls.from_pairs(
            people, nobody, nobody, np.empty(0, np.int8), np.empty(0, np.float32), np.empty(0, np.uint16), slack
        )

    def copy(self) -> Ties:
        """An independent copy."""
        return Ties(
            self.start.copy(), self.degree.copy(), self.neighbour.copy(), self.strength.copy(), self.kind.copy(),
            self.bond.copy(), self.minutes.copy(),
        )  # fmt: skip

    def take(self, order: I64) -> Ties:
        """The same ties when the people's rows are put in another order."""
        new_row = np.empty(len(order), np.int32)
        new_row[order] = np.arange(len(order), dtype=np.int32)
        return Ties(
            *rows.reorder(
                self.start,
                self.degree,
                self.neighbour,
                self.strength,
                self.kind,
                self.bond,
                self.minutes,
                order,
                new_row,
            )
        )

    def make_room(self, slack: int = ROOM) -> None:
        """Give each row `slack` free places again; contents and order stay."""
        new = rows.spread(
            self.start, self.degree, self.neighbour, self.strength, self.kind, self.bond, self.minutes, slack
        )
        self.start, self.neighbour, self.strength, self.kind, self.bond, self.minutes = new

    @property
    def used(self) -> Bool:
        """Which places hold a half-edge (capacity,)."""
        return np.asarray(
            np.arange(len(self.neighbour)) - np.repeat(self.start[:-1], np.diff(self.start))
            < np.repeat(self.degree, np.diff(self.start))
        )

    @property
    def owner(self) -> I32:
        """The row that each place belongs to (capacity,)."""
        return np.repeat(np.arange(len(self.degree), dtype=np.int32), np.diff(self.start))

    def __len__(self) -> int:
        return int(self.degree.sum()) // 2
