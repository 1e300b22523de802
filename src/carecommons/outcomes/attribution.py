"""Why the council funds more or less care in one future of a place than in another."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from carecommons.kernels.arrays import I64, Bool
from carecommons.place.place import Place


class Attribution(NamedTuple):
    """A difference in funded care (second place minus first) in whole minutes a month: the four parts sum to `total`.

    `absent` is the part of `prevented` that concerns people who live in one of the two places only.
    """

    total: int
    prevented: int
    met_elsewhere: int
    deterred: int
    delayed: int
    absent: int

    def __neg__(self) -> Self:
        return type(self)(*(-part for part in self))


def attribute(a: Place, b: Place) -> Attribution:
    """Split the funded care of `b` less that of `a`, two futures of one place in the same month, person by person.

    Of what a person gets less in one place, as much as his need is lower there counts as prevented (all of it where he
    has no need or does not live there); of the rest, as much as unpaid, community and self-paid help is higher there
    as met elsewhere; what is left as delayed when he waits for an assessment there, else as deterred, which includes
    rationed: in need, and kept away, turned away or left without. Less in `b` counts negative, less in `a` positive,
    by the same rule: the split of (b, a) is minus that of (a, b).
    """
    if len(a.citizens) != len(b.citizens):
        raise ValueError(f"places of {len(a.citizens)} and {len(b.citizens)} addresses have no people in common")
    here, there = _Side.of(a), _Side.of(b)
    both = here.id == there.id
    fall, rise = _split(here, there, both), _split(there, here, both)
    return Attribution(*(up - down for up, down in zip(rise, fall, strict=True)))


class _Side(NamedTuple):
    """What decides, by permanent address (n,); id -1 where nobody lives."""

    id: I64
    funded: I64
    need: I64
    other: I64
    waits: Bool

    @classmethod
    def of(cls, place: Place) -> Self:
        c, rows = place.citizens, place.row_of
        lives = c.alive[rows]
        other = c.informal[rows].astype(np.int64) + c.community[rows] + c.from_own[rows]
        return cls(
            np.where(lives, c.id[rows], -1), np.where(lives, c.funded[rows], 0).astype(np.int64),
            c.need[rows].astype(np.int64), other, c.waiting_since[rows] >= 0,
        )  # fmt: skip


def _split(more: _Side, less: _Side, both: Bool) -> tuple[int, ...]:
    """Minutes that people get in `more` beyond what they get in `less`: in all, and the parts as of `Attribution`."""
    gap = np.maximum(more.funded - np.where(both, less.funded, 0), 0)
    gone = np.where(both, 0, gap)
    gap = gap - gone
    prevented = np.where(less.need == 0, gap, np.minimum(gap, np.maximum(more.need - less.need, 0)))
    rest = gap - prevented
    elsewhere = np.minimum(rest, np.maximum(less.other - more.other, 0))
    rest = rest - elsewhere
    absent, delayed = _sum(gone), _sum(np.where(less.waits, rest, 0))
    total = absent + _sum(gap)
    return total, _sum(prevented) + absent, _sum(elsewhere), _sum(rest) - delayed, delayed, absent


def _sum(minutes: Any) -> int:
    return int(minutes.sum())
