"""A Mesa model whose agents are windows on a place."""

from __future__ import annotations

from itertools import count
from typing import Any

from carecommons.agents.agentset import Windows
from carecommons.agents.rolls import Rolls
from carecommons.agents.windows import Council
from carecommons.guests.mesa import mesa
from carecommons.place.graph import OTHER
from carecommons.place.place import Place


class Inhabited(mesa.Model):
    """Who lives and works in `place`, as agents; agents of your own, made as Mesa has it, stand beside them."""

    place: Place

    def __init__(self, world: int) -> None:
        super().__init__(rng=world)
        self.random.seed(world)
        self.world = world
        self.rolls, self._own_ids = Rolls(self, lambda: super(Inhabited, self).agents), count(OTHER)

    @property
    def citizens(self) -> Windows:
        """Everybody who lives here."""
        return self.rolls.citizens

    @property
    def carers(self) -> Windows:
        """The citizens who give unpaid care this month."""
        return self.rolls.carers

    @property
    def enterprises(self) -> Windows:
        """The micro-enterprises that are open."""
        return self.rolls.enterprises

    @property
    def groups(self) -> Windows:
        """The community groups that are open."""
        return self.rolls.groups

    @property
    def council(self) -> Council:
        """The local authority."""
        return self.rolls.council

    @property
    def agents(self) -> Windows:
        """Citizens, micro-enterprises, groups, the council, and whatever agents you have made yourself."""
        return self.rolls.agents

    @property
    def agents_by_type(self) -> dict[type[mesa.Agent], Any]:
        """The same by class, as in Mesa: those under Citizen are the citizens who are not carers."""
        return {**self.rolls.by_type, **super().agents_by_type}

    @property
    def agent_types(self) -> list[type[mesa.Agent]]:
        """The classes of agents."""
        return list(self.agents_by_type)

    def register_agent(self, agent: mesa.Agent) -> None:
        """Take in an agent of your own; its identity differs from those of all others."""
        super().register_agent(agent)
        agent.unique_id = next(self._own_ids)
        getattr(mesa.Agent, "_ids", {}).pop(self, None)  # with which Mesa 3.3 would keep the model alive for ever
        self.rolls.own_changes += 1

    def deregister_agent(self, agent: mesa.Agent) -> None:
        """Let go of an agent of your own."""
        super().deregister_agent(agent)
        self.rolls.own_changes += 1
