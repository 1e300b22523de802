"""Outcomes taken all at once: each size of column and the whole ledger are gone through in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from carecommons.kernels.arrays import F64
from carecommons.kernels.sums import answer
from carecommons.outcomes.outcome import Outcome
from carecommons.place.ledger import Ledger
from carecommons.place.place import Place
from carecommons.place.population import Citizens

KINDS: Final = {"": np.dtype(np.bool_)} | {column.name: np.dtype(column.dtype) for column in Citizens.describe()}
PAGES: Final = ("flows", "minutes", "events")
_BLANK: Final = Ledger()


class Entries:
    """What some entries of a page of the ledger add up to, times `scale`: an outcome's `of`."""

    def __init__(self, page: str, entries: Iterable[int], scale: float = 1.0) -> None:
        self.page, self.entries, self.scale = page, [int(entry) for entry in entries], scale

    def __call__(self, place: Place) -> float:
        """The sum, of a place's month."""
        return sum(map(getattr(place.ledger, self.page).item, self.entries)) * self.scale

    def places(self) -> list[int]:
        """Where these entries stand among all of a ledger, page after page."""
        before = sum(getattr(_BLANK, name).size for name in PAGES[: PAGES.index(self.page)])
        return [before + entry for entry in self.entries]


class Together:
    """The outcomes of a list, sorted by how they are taken, and taken so that each is what `value` gives."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        every = list(enumerate(outcomes))
        booked = [(k, o.of) for k, o in every if isinstance(o.of, Entries)]
        self.people = [q for size in (1, 4) if len((q := _Questions(outcomes, size)).at)]
        self.booked_at = np.array([k for k, _ in booked])
        self.entries = np.concatenate([entries.places() for _, entries in booked])
        self.first = np.cumsum([0, *(len(entries.entries) for _, entries in booked)])[:-1]
        self.scale = np.array([entries.scale for _, entries in booked])
        taken = {*self.booked_at.tolist(), *(k for each in self.people for k in each.at.tolist())}
        self.alone = [(k, o) for k, o in every if k not in taken]
        self.count = len(every)

    def take(self, place: Place) -> F64:
        """Every outcome of the place as it stands, in their order (outcomes,)."""
        row, ledger = np.empty(self.count), place.ledger
        for questions in self.people:
            questions.put_to(place, row)
        entries = np.concatenate((ledger.flows.ravel(), ledger.minutes, ledger.events))[self.entries]
        row[self.booked_at] = np.add.reduceat(entries, self.first) * self.scale
        for k, outcome in self.alone:
            row[k] = outcome.value(place)
        return row


class _Questions:
    """Outcomes about people that count them or sum whole numbers of one size, as `answer` takes them."""

    def __init__(self, outcomes: Sequence[Outcome], size: int) -> None:
        asked = [(k, o) for k, o in enumerate(outcomes) if _size(o) == size]
        self.at = np.array([k for k, _ in asked])
        self.kind = np.dtype(f"i{size}")
        self.names = tuple(dict.fromkeys(o.column for _, o in asked if o.column))
        self.which = np.array([self.names.index(o.column) if o.column else -1 for _, o in asked])
        self.wanted = np.array([-1 if o.equals is None else o.equals for _, o in asked])
        self.holds = np.array([0 if o.holds is None else o.holds.value for _, o in asked], np.uint32)
        self.among = np.array([o.among.value for _, o in asked], np.uint32)
        self.mean = np.array([not o.total for _, o in asked])
        self.scale = np.array([o.scale for _, o in asked])

    def put_to(self, place: Place, row: F64) -> None:
        """Write the outcomes into their places of `row`."""
        c = place.citizens
        columns = tuple(getattr(c, name).view(self.kind) for name in self.names)
        row[self.at] = answer(
            columns, self.which, self.wanted, c.status, self.holds, self.among, self.mean, self.scale
        )  # fmt: skip


def _size(outcome: Outcome) -> int:
    """Bytes of a number of the outcome's column, 1 for a flag, 0 for what is not a whole number about people."""
    kind = KINDS[outcome.column]
    return kind.itemsize if outcome.of is None and kind.kind in "bi" else 0
