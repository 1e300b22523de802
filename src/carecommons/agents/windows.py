"""Citizens, carers, organisations and the council as Mesa agents: live windows on the columns of a place."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar, Final, NamedTuple, Self

import numpy as np

from carecommons.agents.facts import Fact
from carecommons.errors import CareCommonsError, InputError, did_you_mean, one_line
from carecommons.guests.mesa import mesa
from carecommons.kernels import rows
from carecommons.kernels.arrays import I64
from carecommons.kernels.keyed import pairs
from carecommons.place.graph import COUNCIL, ENTERPRISE, GROUP, SEXES
from carecommons.place.ledger import Account, Event
from carecommons.place.luck import BEFORE, BOND, decision
from carecommons.place.organisations import Accounts, Enterprises, Groups
from carecommons.place.place import Place
from carecommons.place.population import CARE_ACT_OUTCOMES, Citizens
from carecommons.place.ties import Tie
from carecommons.units import MONTHS_A_YEAR

NEEDS: Final = ("no", "low", "moderate", "high")
_TIES: Final = {tie.name.lower(): tie for tie in Tie}
_append: Final[Any] = rows.append
_drop: Final[Any] = rows.drop
_find: Final[Any] = rows.find


class GoneError(CareCommonsError):
    """Somebody asked about a person who has died or moved away, or about an organisation that has closed."""


class Window(mesa.Agent):
    """An agent whose attributes are read from and written to the columns of a place.

    Two windows on the same person are equal. Attributes that no column has belong to the window itself, which lives as
    long as the person is here. What only other kinds of agents have is None, so that one `DataCollector` can report on
    all.
    """

    __slots__ = ("model", "row", "unique_id")
    table: ClassVar[str]
    offset: ClassVar[int] = 0
    pos: Any = None

    def __init__(self, model: Any, row: int, identity: int) -> None:
        self.model, self.row, self.unique_id = model, row, self.offset + identity

    @classmethod
    def identities(cls, place: Place) -> I64:
        """Who is in each row, -1 for nobody."""
        raise NotImplementedError

    @classmethod
    def order(cls, place: Place) -> I64:
        """Rows in the order of the agent set, which no storage order may change."""
        return np.arange(len(getattr(place, cls.table)))

    def here(self) -> Any:
        """The table that the window looks at, if who it shows is still in it."""
        table = getattr(self.model.place, self.table)
        if table.id.item(self.row) != self.unique_id - self.offset:
            raise GoneError(f"{self!r} is not here any more in month {self.model.place.month}")
        return table

    @property
    def alive(self) -> bool:
        """Still here."""
        return bool(self.identities(self.model.place)[self.row] == self.unique_id - self.offset)

    def remove(self) -> None:
        """Refused: who comes and goes is for the processes of the month."""
        raise CareCommonsError(f"{self} cannot be removed: the month's processes decide who comes and goes")

    def __getattr__(self, name: str) -> Any:
        if name in _EVERYWHERE:
            return None
        hint = "" if name.startswith("_") else did_you_mean(name, _EVERYWHERE)
        raise AttributeError(f"{type(self).__name__} has no '{name}'{hint}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and other.unique_id == self.unique_id and other.model is self.model

    def __hash__(self) -> int:
        return hash(self.unique_id)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.unique_id - self.offset}"


class Bond(NamedTuple):
    """A tie as one of the two sees it; minutes of care a month."""

    other: Citizen
    kind: Tie
    strength: float
    minutes_received: int
    minutes_given: int


class Citizen(Window):
    """An adult who lives here: every column of the citizens is an attribute."""

    __slots__ = ()
    table = "citizens"

    @classmethod
    def identities(cls, place: Place) -> I64:
        """Who is in each row."""
        return place.citizens.id

    @classmethod
    def order(cls, place: Place) -> I64:
        """Rows, by identity."""
        return place.row_of.astype(np.int64)

    @property
    def age_years(self) -> int:
        """Age in whole years."""
        return int(self.age // MONTHS_A_YEAR)

    @property
    def outcomes_failed(self) -> tuple[str, ...]:
        """Care Act outcomes that the person cannot achieve."""
        return tuple(name for bit, name in enumerate(CARE_ACT_OUTCOMES) if self.deficits >> bit & 1)

    @property
    def partner(self) -> Citizen | None:
        """Whom the person lives with as a couple."""
        row = self.here().partner.item(self.row)
        return self.model.rolls.citizen(row) if row >= 0 else None

    @property
    def enterprise(self) -> MicroEnterprise | None:
        """The micro-enterprise that serves the person."""
        row = self.here().enterprise.item(self.row)
        return self.model.rolls.enterprise(row) if row >= 0 else None

    @property
    def groups(self) -> list[CommunityGroup]:
        """The community groups that the person belongs to."""
        c = self.here()
        rows_in = (column.item(self.row) for column in (c.group_a, c.group_b))
        joined = (self.model.rolls.group(row) for row in rows_in if row >= 0)
        return [group for group in joined if group is not None]

    def neighbours(self, kind: Tie | str | None = None) -> list[Citizen]:
        """The people that the person knows, or only the partner, kin, friends ..., in the order in which they met."""
        t, (first, last) = self.model.place.ties, self._span()
        wanted = None if kind is None else _tie(kind)
        near = zip(t.neighbour[first:last].tolist(), t.kind[first:last].tolist(), strict=True)
        return [self.model.rolls.citizen(row) for row, what in near if wanted is None or what == wanted]

    @property
    def ties(self) -> list[Bond]:
        """Whom the person knows, as what, how closely, and what care goes between them."""
        t, (first, last) = self.model.place.ties, self._span()
        return [self._bond(e, t.neighbour.item(e)) for e in range(first, last)]

    @property
    def carers(self) -> list[Citizen]:
        """The people who give the person unpaid care this month."""
        return [tie.other for tie in self.ties if tie.minutes_received]

    @property
    def cares_for(self) -> list[Citizen]:
        """The people to whom the person gives unpaid care this month."""
        return [tie.other for tie in self.ties if tie.minutes_given]

    def meet(self, other: Citizen, kind: Tie | str = Tie.FRIEND, closeness: float = 0.5) -> bool:
        """Tie the two, if they do not know each other and both have room for one more tie -> whether it was done."""
        place, i, j, what = self.model.place, self.row, other.row, _tie(kind)
        t, ids = place.ties, self.here().id
        other.here()
        if not 0 <= closeness <= 1:
            raise InputError(f"{self}: closeness = {closeness} is outside 0 to 1")
        full = any(t.start[row] + t.degree[row] == t.start[row + 1] for row in (i, j))
        if i == j or full or _find(t.start, t.degree, t.neighbour, i, j) >= 0:
            return False
        bond = pairs(self.model.world, decision(BOND), BEFORE, ids, np.array([i]), np.array([j]))[0]
        for one, two in ((i, j), (j, i)):
            _append(*_halves(t), one, two, np.float32(closeness), int(what), bond)
        place.ledger.events[Event.TIES_FORMED] += 1
        return True

    def part_from(self, other: Citizen) -> bool:
        """End the tie between the two -> whether there was one."""
        place, i, j = self.model.place, self.row, other.row
        self.here(), other.here()
        known = bool(_drop(*_halves(place.ties), i, j) and _drop(*_halves(place.ties), j, i))
        place.ledger.events[Event.TIES_FADED] += known
        return known

    def _span(self) -> tuple[int, int]:
        t, row = self.model.place.ties, self.row
        self.here()
        return t.start.item(row), t.start.item(row) + t.degree.item(row)

    def _bond(self, e: int, row: int) -> Bond:
        t = self.model.place.ties
        back = _find(t.start, t.degree, t.neighbour, row, self.row)
        other = self.model.rolls.citizen(row)
        return Bond(other, Tie(t.kind.item(e)), t.strength.item(e), t.minutes.item(e), t.minutes.item(back))

    def __str__(self) -> str:
        if not self.alive:
            return repr(self)
        return f"{self!r} ({SEXES[self.sex]}, {self.age_years}, {NEEDS[self.level]} need)"


class Carer(Citizen):
    """A citizen who gives unpaid care this month; the same window turns from Citizen to Carer and back."""

    __slots__ = ()


class MicroEnterprise(Window):
    """One or two people who offer care near by."""

    __slots__ = ()
    table, offset = "enterprises", ENTERPRISE

    @classmethod
    def identities(cls, place: Place) -> I64:
        """Which is in each row, -1 where it has closed."""
        return np.where(place.enterprises.open, place.enterprises.id, -1)

    @property
    def founder(self) -> Citizen | None:
        """Who opened it, while still here."""
        row = self.here().founder.item(self.row)
        return self.model.rolls.citizen(row) if self.model.place.citizens.alive[row] else None

    @property
    def served(self) -> list[Citizen]:
        """The people on its books."""
        self.here()
        return self.model.rolls.citizens_where(self.model.place.citizens.enterprise == self.row)


class CommunityGroup(Window):
    """People who meet, keep each other company and help a little."""

    __slots__ = ()
    table, offset = "groups", GROUP

    @classmethod
    def identities(cls, place: Place) -> I64:
        """Which is in each row, -1 where it has closed."""
        return np.where(place.groups.open, place.groups.id, -1)

    @property
    def people(self) -> list[Citizen]:
        """Its members."""
        self.here()
        c = self.model.place.citizens
        return self.model.rolls.citizens_where((c.group_a == self.row) | (c.group_b == self.row))


class Council(Window):
    """The local authority: its pots in whole pence, what it took in and paid out this month, and its main lever."""

    __slots__ = ()
    table, offset = "council", COUNCIL

    def __init__(self, model: Any) -> None:
        super().__init__(model, 0, 0)

    def here(self) -> Accounts:
        """The council's accounts."""
        return self.model.place.council

    @property
    def alive(self) -> bool:
        """There is always a council."""
        return True

    def __repr__(self) -> str:
        return f"Council of {self.model.place.name}"

    @property
    def grant(self) -> int:
        """Pence from government this month."""
        return int(self.model.place.ledger.flows[Account.GOVERNMENT, Account.COUNCIL])

    @property
    def spend(self) -> int:
        """Pence paid out this month."""
        return int(self.model.place.ledger.flows[Account.COUNCIL].sum())

    @property
    def funding(self) -> float:
        """Spend a head against today's, the lever `council.funding`; a new value acts from the next month on."""
        return float(self.model._scenario.council.funding)

    @funding.setter
    def funding(self, value: float) -> None:
        self.model.scenario = self.model._scenario.but({"council.funding": value})


def _tie(kind: Tie | str) -> Tie:
    if isinstance(kind, Tie):
        return kind
    if kind not in _TIES:
        raise InputError(f"no kind of tie '{one_line(kind)}'{did_you_mean(str(kind), _TIES)}")
    return _TIES[kind]


def _halves(ties: Any) -> tuple[Any, ...]:
    return tuple(getattr(ties, field.name) for field in fields(ties))


def _open_windows() -> None:
    """Make every column an attribute of its kind of agent, but where the class has something better under that name."""
    for kind, table in ((Citizen, Citizens), (MicroEnterprise, Enterprises), (CommunityGroup, Groups)):
        for c in table.describe():
            if c.name not in vars(kind) and c.name != "alive":
                setattr(kind, c.name, Fact(c))
    for field in fields(Accounts):
        getter: Any = lambda council, name=field.name: getattr(council.here(), name)  # noqa: E731
        setattr(Council, field.name, property(getter))


_open_windows()
_EVERYWHERE: Final = frozenset(
    name
    for kind in (Citizen, MicroEnterprise, CommunityGroup, Council)
    for name, what in vars(kind).items()
    if isinstance(what, Fact | property)
)
