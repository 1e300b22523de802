"""Mesa's AgentSet for windows: it holds them firmly, and loses those who die, leave or close."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

from carecommons.agents.facts import Fact
from carecommons.agents.windows import Citizen, Window
from carecommons.errors import CareCommonsError
from carecommons.guests.mesa import AgentSet, mesa

Method = str | Callable[..., Any]
Agents = dict[mesa.Agent, None]


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
        source: Callable[[], Agents] | None = None,
    ) -> None:
        self._held = dict.fromkeys(agents)
        self._version, self._source = version, source
        self._seen = version() if version is not None and source is None else 0
        self.random = random or (next(iter(self._held)).model.random if self._held else Random(0))

    @property
    def _agents(self) -> Agents:  # the name under which Mesa's own methods look
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

    def _own(self) -> Agents:
        if self._source is not None:
            raise CareCommonsError("this set always holds who is here; change a copy of it: .copy()")
        return self._agents


class Everyone(Windows):
    """The citizens who are here now; a column of theirs is read in one go."""

    def __init__(self, source: Callable[[], Agents], version: Callable[[], int], model: Any) -> None:
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
    def call(agent: mesa.Agent) -> Any:
        return getattr(agent, method)(*args, **kwargs) if isinstance(method, str) else method(agent, *args, **kwargs)

    return [call(agent) for agent in agents if _is_here(agent)]


def _is_here(agent: mesa.Agent) -> bool:
    return bool(agent.alive) if isinstance(agent, Window) else agent in agent.model.rolls.own()
