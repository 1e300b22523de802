"""The comparison model: neighbours, needs and a council's budget as one would write them in Mesa alone.

One agent is one citizen, a networkx graph holds the ties, and a month is `agents.shuffle_do("step")` followed by the
council. It does a small part of carecommons' month: need, isolation, neighbour help and the ranking of a budget. The
numbers are plain assumptions: this file measures time, not care.

The same model comes in two ways of reading a citizen's ties, because the figure depends on it: through networkx's
views, as most people would write it, and through the graph's own rows (`tuned`), as somebody with a profiler would.
With `fading`, ties also lose and regain strength on the graph's edges: a fifth of the things that carecommons does.
"""

from __future__ import annotations

import time
from bisect import bisect
from collections.abc import Mapping
from operator import attrgetter

import mesa
import networkx as nx
import numpy as np

MEAN_TIES = 10
CLOSE = 0.5  # strength above which a tie counts against isolation
ISOLATED_BELOW = 3  # close living ties
NEED_MINUTES = (0, 600, 1800, 3600)  # a month, by level of need
STARTING_SHARES = (0.78, 0.08, 0.08, 0.06)  # near the chain's own long run
KEPT, MEETING, CLOSER = 0.98, 0.2, 0.1  # of a tie's strength, chance a month, strength gained
BUDGET_A_HEAD = 250  # minutes a month

NEED_NEXT_MONTH = (  # cumulative rows of the chain: from level, up to and including level
    (0.995, 1.0, 1.0, 1.0),
    (0.05, 0.95, 1.0, 1.0),
    (0.0, 0.05, 0.95, 1.0),
    (0.0, 0.0, 0.06, 1.0),
)


class Citizen(mesa.Agent):
    """Somebody who may need help, and may have minutes to give to neighbours; nobody dies here, but it is asked."""

    def __init__(self, model: Neighbourhood, need: int, free_minutes: int) -> None:
        super().__init__(model)
        self.alive = True
        self.need = need
        self.free_minutes = free_minutes
        self.spare_minutes = free_minutes
        self.unmet_minutes = 0
        self.isolated = False
        self.ties: Mapping[Citizen, Mapping[str, float]] = {}

    def step(self) -> None:
        """Live one month: health changes, ties are counted, neighbours are asked."""
        self.need = bisect(NEED_NEXT_MONTH[self.need], self.model.random.random())
        self.count_ties()
        self.unmet_minutes = NEED_MINUTES[self.need]
        if self.unmet_minutes:
            self.ask_neighbours()

    def count_ties(self) -> None:
        """Isolated are those with few close ties to the living."""
        close = 0
        for neighbour, tie in self.ties.items():
            if tie["strength"] > CLOSE and neighbour.alive:
                close += 1
        self.isolated = close < ISOLATED_BELOW

    def ask_neighbours(self) -> None:
        """Take minutes from neighbours who are well and have some to spare."""
        for neighbour in self.ties:
            if neighbour.spare_minutes and not neighbour.need and neighbour.alive:
                minutes = min(neighbour.spare_minutes, self.unmet_minutes)
                neighbour.spare_minutes -= minutes
                self.unmet_minutes -= minutes
                self.model.neighbour_minutes += minutes
                if not self.unmet_minutes:
                    return


class Neighbourhood(mesa.Model):
    """Citizens, the ties between them, and one council with a fixed budget."""

    def __init__(self, citizens: int, seed: int, *, tuned: bool = False, fading: bool = False) -> None:
        super().__init__(seed=seed)
        self.fading = fading
        draw = np.random.default_rng(seed)
        Citizen.create_agents(
            self,
            citizens,
            need=draw.choice(4, citizens, p=STARTING_SHARES).tolist(),
            free_minutes=(30 * draw.integers(0, 20, citizens)).tolist(),
        )
        self.graph = tie_up(list(self.agents), draw)
        rows = dict(self.graph.adjacency()) if tuned else self.graph.adj
        for citizen in self.agents:
            citizen.ties = rows[citizen]
        self.budget = BUDGET_A_HEAD * citizens
        self.neighbour_minutes = 0
        self.council_minutes = 0
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "isolated": lambda model: model.agents.agg("isolated", sum),
                "unmet_minutes": lambda model: model.agents.agg("unmet_minutes", sum),
                "neighbour_minutes": "neighbour_minutes",
                "council_minutes": "council_minutes",
            }
        )

    def step(self) -> None:
        """One month: citizens in random order, then the council, then the records."""
        self.neighbour_minutes = 0
        self.agents.shuffle_do("step")
        self.spend_budget()
        if self.fading:
            self.keep_up_ties()
        self.datacollector.collect(self)

    def keep_up_ties(self) -> None:
        """Every tie fades a little; who happens to meet is closer again."""
        for _, _, tie in self.graph.edges(data=True):
            tie["strength"] *= KEPT
            if self.random.random() < MEETING:
                tie["strength"] = min(1.0, tie["strength"] + CLOSER)

    def spend_budget(self) -> None:
        """Fund the greatest need first until the budget is used; give everybody their spare minutes back."""
        needy = []
        for citizen in self.agents:
            citizen.spare_minutes = citizen.free_minutes
            if citizen.unmet_minutes:
                needy.append(citizen)
        needy.sort(key=attrgetter("need"), reverse=True)
        left = self.budget
        for citizen in needy:
            minutes = min(left, citizen.unmet_minutes)
            citizen.unmet_minutes -= minutes
            left -= minutes
            if not left:
                break
        self.council_minutes = self.budget - left


def tie_up(citizens: list[Citizen], draw: np.random.Generator) -> nx.Graph:
    """Pair random stubs into a graph of about `MEAN_TIES` ties a citizen, each with a strength in [0, 1)."""
    stubs = draw.permutation(np.repeat(np.arange(len(citizens)), draw.poisson(MEAN_TIES, len(citizens))))
    pairs = stubs[: len(stubs) // 2 * 2].reshape(-1, 2)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    strength = draw.random(len(pairs)).tolist()
    graph = nx.Graph()
    graph.add_nodes_from(citizens)
    graph.add_edges_from(
        (citizens[a], citizens[b], {"strength": s}) for (a, b), s in zip(pairs.tolist(), strength, strict=True)
    )
    return graph


def run(citizens: int, months: int, seed: int, *, tuned: bool = False, fading: bool = False) -> float:
    """Wall seconds of the months alone: making citizens and graph is not timed."""
    model = Neighbourhood(citizens, seed, tuned=tuned, fading=fading)
    start = time.perf_counter()
    for _ in range(months):
        model.step()
    seconds = time.perf_counter() - start
    getattr(mesa.Agent, "_ids", {}).pop(model, None)  # Mesa 3.3 would keep this model alive and burden the next run
    return seconds
