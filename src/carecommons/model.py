"""A care commons: open the month, run the cycle, observe."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Self

import mesa
import networkx as nx
import numpy as np
import pandas as pd

from carecommons.agents import Inhabited
from carecommons.cycle import CYCLE, Cycle, Entry
from carecommons.errors import InputError, one_line
from carecommons.founding.found import found
from carecommons.founding.from_graph import from_graph, in_order
from carecommons.outcomes.catalogue import BY_NAME, observe
from carecommons.outcomes.fairness import by_group
from carecommons.place.graph import to_graph
from carecommons.place.luck import Luck
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
        self._rows: list[dict[str, Any]] = []

    @staticmethod
    def founded(scenario: Scenario, seed: int, graph: nx.Graph | None = None) -> Place:
        """The place before its first month; policies that do not touch founding share it."""
        s = scenario
        if graph is not None:
            place = from_graph(graph, s.profile(), s.people, s.homes, s.society, seed)
        else:
            place = found(s.profile(), s.citizens, s.people, s.homes, s.society, seed)
        return CareCommons.settled(place, s, seed, as_woven=graph is None)

    @staticmethod
    def settled(place: Place, scenario: Scenario, seed: int, *, as_woven: bool = True) -> Place:
        """A place that was laid out, made ready for its first month by the processes of `scenario`."""
        s, luck = scenario, Luck(seed)
        s.need.settle(place, luck, s.turnover.mortality_by_need)
        s.groups.settle(place, luck)
        s.enterprises.settle(place, luck)
        s.ties.settle(place, luck, as_woven=as_woven)
        s.assessment.settle(place, luck)
        s.council.settle(place)
        s.wellbeing.step(place, luck)
        return place

    def step(self) -> None:
        """One month."""
        place = self.place
        place.month += 1
        place.ledger.open_month()
        luck = Luck(self.world, place.month)
        for process in self.processes:
            if not process.off:
                process.step(place, luck)
        self._rows.append({"month": place.month, **observe(place)})
        self.running = place.month < self._scenario.months
        self.datacollector.collect(self)

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
        return pd.DataFrame(self._rows, columns=["month", *BY_NAME]).set_index("month")

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


def _latest(name: str) -> Callable[[CareCommons], Any]:
    return lambda model: (model._rows[-1] if model._rows else observe(model.place))[name]
