"""A care commons: open the month, run the cycle, observe."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Self

import networkx as nx
import numpy as np
import pandas as pd

from carecommons.agents import Inhabited
from carecommons.cycle import CYCLE, Cycle, Entry, pass_month
from carecommons.errors import InputError, one_line
from carecommons.founding.found import found
from carecommons.founding.from_graph import from_graph, in_order
from carecommons.guests.mesa import mesa
from carecommons.kernels.arrays import F64
from carecommons.outcomes.catalogue import BY_NAME, measure, observe
from carecommons.outcomes.fairness import by_group
from carecommons.place.graph import to_graph
from carecommons.place.place import Place
from carecommons.processes.behaviour import Behaviour
from carecommons.processes.process import Process
from carecommons.scenario import Scenario, keys


class CareCommons(Inhabited):
    """One place, month by month.

    Parameters
    ----------
    scenario
        What to simulate.
    rng, seed
        The world, a whole number under 2**63, 1 by default: equal worlds meet equal luck under every policy. Two names
        for one thing. In `mesa.batch_run` vary `rng`; its iterations alone would repeat one world.
    cycle
        The month's processes, `CYCLE` by default.
    graph
        A networkx graph to be the society, one adult a node, in place of the founded ties (see `from_graph`).
    place
        The name or file of a place; or a Place to start from, which is copied, as comparisons do.
    kwargs
        Changes to the scenario: `citizens=500`, `council_funding=0.9` or `**{"council.funding": 0.9}`.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        rng: int | None = None,
        *,
        seed: int | None = None,
        cycle: Cycle = CYCLE,
        graph: nx.Graph | None = None,
        place: Place | str | None = None,
        **kwargs: Any,
    ) -> None:
        self.cycle = cycle
        super().__init__(_world(rng, seed))
        self.labels = dict(enumerate(in_order(graph))) if graph is not None else {}
        told = {_key(name): value for name, value in kwargs.items()}
        told |= {"place": place} if isinstance(place, str) else {}
        told |= {"citizens": len(graph)} if graph is not None else {}
        self.scenario = _scenario(scenario).but(told) if told else _scenario(scenario)
        self.place = place.copy() if isinstance(place, Place) else self.founded(self._scenario, self.world, graph)
        self.running = self.place.month < self._scenario.months
        self.datacollector = mesa.DataCollector(model_reporters={name: _latest(name) for name in BY_NAME})
        self._months: list[int] = []
        self._rows: list[F64] = []

    @staticmethod
    def founded(scenario: Scenario, seed: int, graph: nx.Graph | None = None) -> Place:
        """The place before its first month; policies that do not touch founding share it."""
        s = scenario
        if graph is not None:
            place = from_graph(graph, s.profile(), s.people, s.homes, s.society, seed)
        else:
            place = found(s.profile(), s.citizens, s.people, s.homes, s.society, seed)
        return s.settle(place, seed, as_woven=graph is None)

    def step(self) -> None:
        """One month, and a row in Mesa's `datacollector`."""
        self.advance()
        self.datacollector.collect(self)

    def advance(self) -> None:
        """One month without Mesa's bookkeeping: neither its `steps` nor its `datacollector` hear of it."""
        place = self.place
        pass_month(place, self.processes, self.world)
        self._months.append(place.month)
        self._rows.append(measure(place))
        self.running = place.month < self._scenario.months

    def run(self, months: int | None = None) -> Self:
        """Run to the scenario's last month, or for so many months."""
        left = self._scenario.months - self.place.month if months is None else months
        for _ in range(left):
            self.step()
        return self

    @property
    def scenario(self) -> Scenario:
        """What is simulated; another scenario of the same place and size acts from the next month on."""
        return self._scenario

    @scenario.setter
    def scenario(self, scenario: Scenario) -> None:
        self._tell(scenario)

    @property
    def series(self) -> pd.DataFrame:
        """A row a month, a column an outcome (`carecommons outcomes` explains them)."""
        return pd.DataFrame(self.rows(), pd.Index(self._months, name="month"), columns=list(BY_NAME))

    def rows(self) -> F64:
        """The series as plain numbers (months, outcomes), outcomes in the catalogue's order."""
        return np.array(self._rows).reshape(len(self._rows), len(BY_NAME))

    def by(self, outcome: str, group: str) -> pd.DataFrame:
        """This month's `outcome` by `group` (deprivation, wealth, route ...): its value and the people it is about.

        The frame's `attrs` hold the `gap` and the `concentration_index` (see `carecommons.outcomes.fairness`).
        """
        limits = (self._scenario.charging.lower_limit, self._scenario.charging.upper_limit)
        found = by_group(self.place, outcome, group, limits)
        table = pd.DataFrame({"value": found.values, "people": found.people}, pd.Index(found.labels, name=group))
        table.attrs |= {"gap": found.gap, "concentration_index": found.concentration_index}
        return table

    def graph(self, *, two_mode: bool = False) -> nx.Graph:
        """Who knows whom as a networkx graph, or with `two_mode` who belongs to which group (see `to_graph`)."""
        return to_graph(self.place, labels=self.labels, two_mode=two_mode)

    def _tell(self, scenario: Any) -> None:
        if not isinstance(scenario, Scenario):  # Mesa 3.5 first sets one of its own
            return
        before = getattr(self, "_scenario", scenario)
        if (before.place, before.citizens) != (scenario.place, scenario.citizens):
            raise InputError("scenario: a model keeps its place and the number of its citizens; make another model")
        self._scenario = scenario
        self.processes = tuple(self._bound(entry) for entry in self.cycle)

    def _bound(self, entry: Entry) -> Process:
        if isinstance(entry, type):
            known = entry.section() in type(self._scenario).model_fields
            process = self._scenario.process(entry) if known else entry()
        else:
            process = entry
        return process.on(self) if isinstance(process, Behaviour) else process


class Viewed(CareCommons):
    """CareCommons for Mesa's viewer, which from 3.5 on refuses models whose scenario is not of a class of Mesa's."""

    @property
    def scenario(self) -> Any:
        """None, for the viewer."""
        return None

    @scenario.setter
    def scenario(self, scenario: Any) -> None:
        self._tell(scenario)


def _scenario(scenario: Scenario | None) -> Scenario:
    if scenario is not None and not isinstance(scenario, Scenario):
        raise InputError(f"scenario = {one_line(repr(scenario))} is not a Scenario; a place is given as place=...")
    return scenario or Scenario()


def _world(rng: Any, seed: Any) -> int:
    if rng is not None and seed is not None and rng != seed:
        raise InputError(f"rng = {one_line(repr(rng))} and seed = {one_line(repr(seed))} are two worlds; give one")
    world = 1 if rng is None and seed is None else seed if rng is None else rng
    if isinstance(world, bool) or not isinstance(world, int | np.integer) or not 0 <= world < 2**63:
        raise InputError(f"rng = {one_line(repr(world))} is not a whole number from 0 to 2**63 - 1")
    return int(world)


def _key(name: str) -> str:
    """The dotted key that a keyword stands for: council_funding is council.funding."""
    return _keywords().get(name, name)


@cache
def _keywords() -> dict[str, str]:
    spelt = [key.replace(".", "_") for key in keys()]
    return {short: key for short, key in zip(spelt, keys(), strict=True) if spelt.count(short) == 1}


def _latest(name: str) -> Callable[[CareCommons], float]:
    at = list(BY_NAME).index(name)
    return lambda model: model._rows[-1].item(at) if model._rows else observe(model.place)[name]
