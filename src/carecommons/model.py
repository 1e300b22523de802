"""A care commons: open the month, run the cycle, observe."""

from __future__ import annotations

from typing import Any, Self

import mesa
import networkx as nx
import pandas as pd

from carecommons.agents import CareAgents, Citizen, Carer, CommunityGroup, Council, MicroEnterprise, Views
from carecommons.cycle import CYCLE, Cycle
from carecommons.errors import InputError
from carecommons.founding.found import found
from carecommons.founding.from_graph import from_graph
from carecommons.outcomes.catalogue import BY_NAME, observe
from carecommons.place.graph import to_graph
from carecommons.place.luck import BEFORE, Luck
from carecommons.place.place import Place
from carecommons.processes.process import Process
from carecommons.scenario import Scenario


class CareCommons(mesa.Model):
    """One place, month by month.

    Parameters
    ----------
    scenario
        What to simulate; keywords such as `place="derby"` or `**{"council.funding": 0.9}` change it.
    rng
        The world's seed, a whole number of at most 63 bits: equal seeds meet equal luck under every policy.
    cycle
        The month's processes, `CYCLE` by default.
    graph
        A networkx graph to be the society, one adult a node, in place of the founded ties.
    place
        A founded place to start from instead (it is copied), as comparisons do.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        rng: int | None = None,
        *,
        seed: int | None = None,
        cycle: Cycle = CYCLE,
        graph: nx.Graph | None = None,
        place: Place | None = None,
        **changes: Any,
    ) -> None:
        world = rng if rng is not None else seed
        self.world = 1 if world is None else _whole_seed(world)
        super().__init__(rng=self.world)
        self.random.seed(self.world)
        self.scenario = (scenario or Scenario()).but(changes) if changes else scenario or Scenario()
        self.cycle = cycle
        self.processes = tuple(self._bound(entry) for entry in cycle)
        self.place = place.copy() if place is not None else self.founded(self.scenario, self.world, graph)
        self._rows: list[dict[str, Any]] = []
        self._agents_here = CareAgents(self)
        self.running = self.scenario.months > 0

    @staticmethod
    def founded(scenario: Scenario, seed: int, graph: nx.Graph | None = None) -> Place:
        """The place before its first month; policies that do not touch founding share it."""
        s, luck = scenario, Luck(seed)
        if graph is not None:
            place = from_graph(graph, s.profile(), s.people, s.homes, s.society, seed)
        else:
            place = found(s.profile(), s.citizens, s.people, s.homes, s.society, seed)
        s.need.settle(place, luck, s.turnover.mortality_by_need)
        s.groups.settle(place, luck)
        s.enterprises.settle(place, luck)
        s.ties.settle(place)
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
        self.running = place.month < self.scenario.months

    def run(self, months: int | None = None) -> Self:
        """Run to the scenario's last month, or for so many months."""
        left = self.scenario.months - self.place.month if months is None else months
        for _ in range(left):
            self.step()
        return self

    @property
    def series(self) -> pd.DataFrame:
        """A row a month, a column an outcome (`carecommons outcomes` explains them)."""
        columns = ["month", *BY_NAME]
        return pd.DataFrame(self._rows, columns=columns).set_index("month")

    def _bound(self, entry: type[Process] | Process) -> Process:
        return self.scenario.process(entry) if isinstance(entry, type) else entry


def _whole_seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"rng = {seed!r} is not a whole number from 0 to 2**63 - 1")
    return seed
