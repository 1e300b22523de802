"""Citizens, carers, organisations and the council as Mesa agents: live windows on a place, built on first touch."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from enum import IntEnum, IntFlag
from functools import cached_property
from random import Random
from typing import Any, ClassVar, Final, NamedTuple, Self

import mesa
import numpy as np
from mesa.agent import AgentSet

from carecommons.errors import CareCommonsError, InputError, did_you_mean, one_line
from carecommons.kernels import rows
from carecommons.kernels.arrays import Bool, I64
from carecommons.kernels.keyed import pairs
from carecommons.place.columns import Columns
from carecommons.place.graph import COUNCIL, ENTERPRISE, GROUP, SEXES
from carecommons.place.ledger import Account, Event
from carecommons.place.luck import BEFORE, BOND, decision
from carecommons.place.organisations import Accounts, Enterprises, Groups
from carecommons.place.place import Place
from carecommons.place.population import (
    CARE_ACT_OUTCOMES, Citizens, Contact, Level, Preference, Route, Sequel, Setting, Status, Tenure,
)  # fmt: skip
from carecommons.place.ties import Tie
from carecommons.units import MINUTES_A_MONTH, MONTHS_A_YEAR

NEEDS: Final = ("no", "low", "moderate", "high")

Method = str | Callable[..., Any]


class Gone(CareCommonsError):
    """Somebody asked about a person who has died or moved away, or about an organisation that has closed."""


class Fact:
    """One column as an attribute: read as a plain Python value, checked before it is written."""

    def __init__(
        self, name: str, dtype: np.dtype[Any], unit: str, about: str, names: type[IntEnum | IntFlag] | None, fixed: bool
    ) -> None:
        self.name, self.dtype, self.unit, self.names, self.fixed = name, dtype, unit, names, fixed
        self.__doc__ = f"{about} ({unit})" if unit else about

    def __get__(self, window: Window | None, owner: type | None = None) -> Any:
        if window is None:
            return self
        value = getattr(window.here(), self.name).item(window.row)
        return value if self.names is None else self.names(value)

    def __set__(self, window: Window, value: Any) -> None:
        if self.fixed:
            raise InputError(f"{window}: {self.name} cannot be set, other records hang on it")
        getattr(window.here(), self.name)[window.row] = self.checked(value, window)

    def of(self, table: Columns, rows: I64) -> list[Any]:
        """The values of many rows at once."""
        values = getattr(table, self.name)[rows].tolist()
        return values if self.names is None else [self.names(value) for value in values]

    def checked(self, value: Any, window: Window) -> Any:
        """The value to store, or an error that says what it must be."""
        if self.dtype.kind == "b":
            right, fits = "true or false", isinstance(value, bool | np.bool_)
        elif isinstance(value, bool | np.bool_):
            right, fits = "a number", False
        elif self.names is not None:
            right = f"one of {', '.join(f'{m.name} ({m.value})' for m in self.names)}"
            fits = isinstance(value, int | np.integer) and _is_member(self.names, value)
        else:
            low, high = self.range
            whole = self.dtype.kind in "iu"
            right = f"a {'whole ' * whole}number from {low:,} to {high:,}"
            fits = isinstance(value, int | np.integer if whole else int | float | np.integer | np.floating)
            fits = fits and low <= value <= high
        if not fits:
            raise InputError(f"{window}: {self.name} = {one_line(repr(value))} must be {right}")
        return value

    @cached_property
    def range(self) -> tuple[float, float]:
        """The least and the greatest value that make sense, or at least that do no harm."""
        if self.name in _RANGES:
            return _RANGES[self.name]
        if self.dtype.kind == "f":
            return (0, 1) if self.unit == "share" else (0 if self.unit == "multiple" else -100, 100)
        if self.unit == "minutes/month":
            return 0, MINUTES_A_MONTH
        info = np.iinfo(self.dtype)
        return (0 if self.unit.startswith("pence") else int(info.min)), int(info.max)


def _is_member(names: type[IntEnum | IntFlag], value: int) -> bool:
    return value in {member.value for member in names}


_RANGES: Final[dict[str, tuple[float, float]]] = {
    "age": (18 * MONTHS_A_YEAR, 120 * MONTHS_A_YEAR), "sex": (0, 1), "ethnicity": (0, 4), "deficits": (0, 1023),
    "relational": (0, 2), "network": (0, 30), "ucla": (3, 9), "scrqol": (0, 24), "requests": (0, 100), "refusals": (0, 100),
    "short_term": (0, 100), "helps": (0, 1), "capacity": (0, 2**31 - 1),
}  # fmt: skip
_NAMES: Final[dict[str, type[IntEnum | IntFlag]]] = {
    "level": Level, "route": Route, "setting": Setting, "contact": Contact, "tenure": Tenure, "prefers": Preference,
    "sequel": Sequel, "status": Status,
}  # fmt: skip
_FIXED: Final = frozenset({
    "id", "address", "alive", "arrived", "neighbourhood", "deprivation", "household", "home_size", "partner", "status",
    "group_a", "group_b", "enterprise", "given", "informal", "waiting_since", "open", "founder", "opened", "closed",
    "clients", "members", "load",
})  # fmt: skip


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
            raise Gone(f"{self} is not here any more in month {self.model.place.month}")
        return table

    @property
    def alive(self) -> bool:
        """Still here."""
        return bool(self.identities(self.model.place)[self.row] == self.unique_id - self.offset)

    def remove(self) -> None:
        """Refused: who comes and goes is for the processes of the month."""
        raise CareCommonsError(f"{self} cannot be removed; people and organisations come and go by the month's processes")

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
        return place.citizens.id

    @classmethod
    def order(cls, place: Place) -> I64:
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
        return [
            Bond(
                self.model.rolls.citizen(t.neighbour.item(e)), Tie(t.kind.item(e)), t.strength.item(e), t.minutes.item(e),
                self._given_to(t.neighbour.item(e)),
            )
            for e in range(first, last)
        ]  # fmt: skip

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
        if i == j or full or rows.find(t.start, t.degree, t.neighbour, i, j) >= 0:
            return False
        bond = pairs(self.model.world, decision(BOND), BEFORE, ids, np.array([i]), np.array([j]))[0]
        for one, two in ((i, j), (j, i)):
            rows.append(*_halves(t), one, two, np.float32(closeness), int(what), bond)
        place.ledger.events[Event.TIES_FORMED] += 1
        return True

    def part_from(self, other: Citizen) -> bool:
        """End the tie between the two -> whether there was one."""
        place, i, j = self.model.place, self.row, other.row
        self.here(), other.here()
        known = bool(rows.drop(*_halves(place.ties), i, j) and rows.drop(*_halves(place.ties), j, i))
        place.ledger.events[Event.TIES_FADED] += known
        return known

    def _span(self) -> tuple[int, int]:
        t, row = self.model.place.ties, self.row
        self.here()
        return t.start.item(row), t.start.item(row) + t.degree.item(row)

    def _given_to(self, row: int) -> int:
        t = self.model.place.ties
        return int(t.minutes.item(rows.find(t.start, t.degree, t.neighbour, row, self.row)))

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
    known = {tie.name.lower(): tie for tie in Tie}
    if isinstance(kind, Tie):
        return kind
    if kind not in known:
        raise InputError(f"no kind of tie '{one_line(kind)}'{did_you_mean(str(kind), known)}")
    return known[kind]


def _halves(ties: Any) -> tuple[Any, ...]:
    return tuple(getattr(ties, field.name) for field in fields(ties))


def _open_windows() -> None:
    """Make every column an attribute of its kind of agent, but where the class has something better under that name."""
    for kind, table in ((Citizen, Citizens), (MicroEnterprise, Enterprises), (CommunityGroup, Groups)):
        for c in table.describe():
            if c.name not in vars(kind) and c.name != "alive":
                fact = Fact(c.name, np.dtype(c.dtype), c.unit, c.about, _NAMES.get(c.name), c.name in _FIXED)
                setattr(kind, c.name, fact)
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


class Windows(AgentSet):
    """An AgentSet that holds its agents firmly, and loses those who die, leave or close.

    Mesa's own holds agents weakly, and would lose windows at once. A set with a `source` shows at any time who is here
    now; what is selected, shuffled or sorted from it is a set of its own. Works alike on Mesa 3.3 and 3.5.
    """

    def __init__(
        self,
        agents: Iterable[mesa.Agent] = (),
        random: Random | None = None,
        *,
        version: Callable[[], int] | None = None,
        source: Callable[[], dict[mesa.Agent, None]] | None = None,
    ) -> None:
        self._held = dict.fromkeys(agents)
        self._version, self._source = version, source
        self._seen = version() if version is not None and source is None else 0
        self.random = random or (next(iter(self._held)).model.random if self._held else Random(0))

    @property
    def _agents(self) -> dict[mesa.Agent, None]:  # the name under which Mesa's own methods look
        if self._source is not None:
            return self._source()
        if self._version is not None and (now := self._version()) != self._seen:
            self._held = {agent: None for agent in self._held if _is_here(agent)}
            self._seen = now
        return self._held

    def _others(self, agents: Iterable[mesa.Agent]) -> Windows:
        return Windows(agents, self.random, version=self._version)

    def _given(self, agents: Iterable[mesa.Agent], inplace: bool) -> Windows:
        if not inplace or self._source is not None:
            return self._others(agents)
        self._held = dict.fromkeys(agents)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(self._agents)

    def __getitem__(self, item: Any) -> Any:
        return self.to_list()[item]

    def __repr__(self) -> str:
        return f"<{len(self)} agents>"

    def to_list(self) -> list[Any]:
        """The agents in order."""
        return list(self._agents)

    def copy(self) -> Windows:
        """A set of those who are here now, to change as you like."""
        return self._others(self._agents)

    __copy__ = copy

    def select(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        at_most: float = float("inf"),
        inplace: bool = False,
        agent_type: type[mesa.Agent] | None = None,
    ) -> Windows:
        """Those for whom `filter_func` is true and who are of `agent_type`; at most so many, or that share of all."""
        most = int(len(self) * at_most) if isinstance(at_most, float) and at_most <= 1.0 else at_most
        found: list[mesa.Agent] = []
        for agent in self._agents:
            if len(found) >= most:
                break
            if (agent_type is None or isinstance(agent, agent_type)) and (filter_func is None or filter_func(agent)):
                found.append(agent)
        return self._given(found, inplace)

    def shuffle(self, inplace: bool = False) -> Windows:
        """The agents in a random order, drawn from the model's `random`."""
        agents = self.to_list()
        self.random.shuffle(agents)
        return self._given(agents, inplace)

    def sort(self, key: Callable[[Any], Any] | str, ascending: bool = False, inplace: bool = False) -> Windows:
        """The agents by an attribute or a function, the greatest first."""
        by = operator.attrgetter(key) if isinstance(key, str) else key
        return self._given(sorted(self._agents, key=by, reverse=not ascending), inplace)

    def groupby(self, by: Callable[[Any], Any] | str, result_type: str = "agentset") -> Any:
        """Mesa's GroupBy, by an attribute or a function."""
        groups = super().groupby(by, result_type="list")
        if result_type == "agentset":
            groups.groups = {key: self._others(agents) for key, agents in groups.groups.items()}
        return groups

    def map(self, method: Method, *args: Any, **kwargs: Any) -> list[Any]:
        """What the method or function gives for each agent that is still here when its turn comes."""
        return _call(self.to_list(), method, args, kwargs)

    def do(self, method: Method, *args: Any, **kwargs: Any) -> Windows:
        """Call the method or function for each agent that is still here when its turn comes."""
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: Method, *args: Any, **kwargs: Any) -> Windows:
        """The same in a random order."""
        agents = self.to_list()
        self.random.shuffle(agents)
        _call(agents, method, args, kwargs)
        return self

    def add(self, agent: mesa.Agent) -> None:
        """Take an agent in."""
        self._own()[agent] = None

    def discard(self, agent: mesa.Agent) -> None:
        """Take an agent out, if it is in."""
        self._own().pop(agent, None)

    def remove(self, agent: mesa.Agent) -> None:
        """Take an agent out."""
        del self._own()[agent]

    def _own(self) -> dict[mesa.Agent, None]:
        if self._source is not None:
            raise CareCommonsError("this set always holds who is here; change a copy of it: .copy()")
        return self._agents


class Everyone(Windows):
    """The citizens who are here now; a column of theirs is read in one go."""

    def __init__(self, source: Callable[[], dict[mesa.Agent, None]], version: Callable[[], int], model: Any) -> None:
        super().__init__(random=model.random, version=version, source=source)
        self._model = model

    def get(self, attr_names: Any, handle_missing: Any = "error", default_value: Any = None) -> list[Any]:
        """The values of an attribute, or of several, in the order of the citizens."""
        fact = vars(Citizen).get(attr_names) if isinstance(attr_names, str) else None
        if not isinstance(fact, Fact):
            return super().get(attr_names, handle_missing, default_value)
        place = self._model.place
        order = Citizen.order(place)
        return fact.of(place.citizens, order[place.citizens.alive[order]])


def _call(agents: list[mesa.Agent], method: Method, args: Any, kwargs: Any) -> list[Any]:
    if isinstance(method, str):
        return [getattr(agent, method)(*args, **kwargs) for agent in agents if _is_here(agent)]
    return [method(agent, *args, **kwargs) for agent in agents if _is_here(agent)]


def _is_here(agent: mesa.Agent) -> bool:
    return bool(agent.alive) if isinstance(agent, Window) else agent in agent.model.rolls.own()


class Roll:
    """The windows on one table, each kept as long as who it shows is here."""

    def __init__(self, model: Any, kind: type[Window]) -> None:
        self.model, self.kind, self.version = model, kind, 0
        self.by_row: list[Any] = []
        self.agents: dict[mesa.Agent, None] = {}
        self._ids: I64 | None = None

    def refresh(self) -> Self:
        """Open windows for who came, let go of who went."""
        ids = self.kind.identities(self.model.place)
        if self._ids is not None and np.array_equal(ids, self._ids):
            return self
        known = {window.unique_id: window for window in self.agents}
        self._ids, self.by_row, self.agents = ids.copy(), [None] * len(ids), {}
        numbers = ids.tolist()
        for row in self.kind.order(self.model.place).tolist():
            if numbers[row] >= 0:
                window = known.get(self.kind.offset + numbers[row]) or self.kind(self.model, row, numbers[row])
                self.by_row[row] = window
                self.agents[window] = None
        self.version += 1
        return self

    def at(self, row: int) -> Any:
        """The window on a row that is in use."""
        if row < len(self.by_row) and (window := self.by_row[row]) is not None and window.alive:
            return window
        return self.refresh().by_row[row]


class Rolls:
    """All agents of a model; nothing is built before it is asked for."""

    def __init__(self, model: Any, own: Callable[[], Iterable[mesa.Agent]]) -> None:
        self.model, self.own, self.own_changes = model, own, 0
        self._people, self._enterprises, self._groups = (
            Roll(model, kind) for kind in (Citizen, MicroEnterprise, CommunityGroup)
        )
        self._giving: tuple[int, Bool] = (-1, np.zeros(0, np.bool_))
        self._typed: dict[type, dict[mesa.Agent, None]] = {}
        self._all: tuple[int, dict[mesa.Agent, None]] = (-1, {})
        self.council = Council(model)
        self.citizens = Everyone(lambda: self.people().agents, self.version, model)
        self.carers = self._live(lambda: self._of_type(Carer))
        self.enterprises = self._live(lambda: self._enterprises.refresh().agents)
        self.groups = self._live(lambda: self._groups.refresh().agents)
        self.agents = self._live(self._everybody)
        self.by_type: dict[type[mesa.Agent], AgentSet] = {
            Citizen: self._live(lambda: self._of_type(Citizen)), Carer: self.carers, MicroEnterprise: self.enterprises,
            CommunityGroup: self.groups, Council: self._live(lambda: {self.council: None}),
        }  # fmt: skip

    def people(self) -> Roll:
        """The citizens, of whom those who give care now are carers."""
        roll, giving = self._people.refresh(), self.model.place.citizens.given > 0
        if self._giving[0] != roll.version or not np.array_equal(giving, self._giving[1]):
            self._giving, self._typed = (roll.version, giving), {Citizen: {}, Carer: {}}
            for window in roll.agents:
                window.__class__ = Carer if giving[window.row] else Citizen
                self._typed[window.__class__][window] = None
        return roll

    def version(self) -> int:
        """A number that changes whenever somebody comes or goes."""
        return sum(roll.refresh().version for roll in (self._people, self._enterprises, self._groups)) + self.own_changes

    def citizen(self, row: int) -> Citizen:
        """The citizen of a row."""
        return self._people.at(row)

    def enterprise(self, row: int) -> MicroEnterprise | None:
        """The micro-enterprise at a pitch, if it is open."""
        return self._enterprises.at(row)

    def group(self, row: int) -> CommunityGroup | None:
        """The group at a place for one, if it is open."""
        return self._groups.at(row)

    def citizens_where(self, mask: Bool) -> list[Citizen]:
        """The citizens of the rows for which `mask` is true."""
        return [citizen for citizen in self.people().agents if mask[citizen.row]]

    def _live(self, source: Callable[[], dict[mesa.Agent, None]]) -> Windows:
        return Windows(random=self.model.random, version=self.version, source=source)

    def _of_type(self, kind: type[Citizen]) -> dict[mesa.Agent, None]:
        self.people()
        return self._typed[kind]

    def _everybody(self) -> dict[mesa.Agent, None]:
        people, version = self.people().agents, self.version()
        if self._all[0] != version:
            organisations = {**self._enterprises.agents, **self._groups.agents, self.council: None}
            self._all = version, {**people, **organisations, **dict.fromkeys(self.own())}
        return self._all[1]
