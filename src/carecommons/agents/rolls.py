"""Who is here: one window a person or organisation, opened on first touch and kept as long as they stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from carecommons.agents.agentset import Agents, Everyone, Windows
from carecommons.agents.windows import Carer, Citizen, CommunityGroup, Council, MicroEnterprise, Window
from carecommons.guests.mesa import AgentSet, mesa
from carecommons.kernels.arrays import I64, Bool


class Roll:
    """The windows on one table, each kept as long as who it shows is here."""

    def __init__(self, model: Any, kind: type[Window]) -> None:
        self.model, self.kind, self.version = model, kind, 0
        self.by_row: list[Any] = []
        self.agents: Agents = {}
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
        self._typed: dict[type, Agents] = {}
        self._all: tuple[int, Agents] = (-1, {})
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
        rolls = (self._people, self._enterprises, self._groups)
        return sum(roll.refresh().version for roll in rolls) + self.own_changes

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

    def _live(self, source: Callable[[], Agents]) -> Windows:
        return Windows(random=self.model.random, version=self.version, source=source)

    def _of_type(self, kind: type[Citizen]) -> Agents:
        self.people()
        return self._typed[kind]

    def _everybody(self) -> Agents:
        people, version = self.people().agents, self.version()
        if self._all[0] != version:
            organisations = {**self._enterprises.agents, **self._groups.agents, self.council: None}
            self._all = version, {**people, **organisations, **dict.fromkeys(self.own())}
        return self._all[1]
