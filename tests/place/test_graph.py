"""The people, ties and groups of a place as a networkx graph, and the laws that ties keep month after month."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

import small
from carecommons.model import CareCommons
from carecommons.place.graph import GROUP, to_graph
from carecommons.place.ledger import Event
from carecommons.place.place import Place
from carecommons.place.ties import Tie
from carecommons.scenario import Scenario

# 24 months in which many die, leave, arrive and meet
BUSY = Scenario(place="derby", citizens=500, months=24, turnover={"mortality": 3.0, "departure": 0.1})


def edges(graph: nx.Graph) -> set[frozenset[int]]:
    """The pairs that know each other."""
    return {frozenset(edge) for edge in graph.edges}


def test_nodes_are_the_living_with_plain_values(lived_in: Place) -> None:
    graph, c = to_graph(lived_in), lived_in.citizens
    assert set(graph) == set(c.id[c.alive].tolist())
    for row in np.flatnonzero(c.alive)[:50].tolist():
        node = graph.nodes[int(c.id[row])]
        assert node["age"] == c.age[row] // 12 and node["sex"] == ("woman", "man")[c.sex[row]]
        assert node["level"] == c.level[row] and node["neighbourhood"] == c.neighbourhood[row]
        assert node["isolated"] is bool(c.isolated[row]) and node["unmet"] == c.unmet[row]
    plain = (bool, int, float, str)
    assert {type(value) for _, node in graph.nodes(data=True) for value in node.values()} <= set(plain)
    assert {type(value) for *_, edge in graph.edges(data=True) for value in edge.values()} <= set(plain)
    assert (graph.graph["name"], graph.graph["month"]) == (lived_in.name, small.LIVED)


def test_edges_are_the_ties_with_care_both_ways() -> None:
    place = small.by_hand(3, [(2, 0, Tie.KIN), (1, 2, Tie.NEIGHBOUR)], id=[40, 10, 20])
    place.ties.minutes[place.ties.start[2]] = 60  # row 2 (20) gets an hour from row 0 (40)
    place.ties.minutes[place.ties.start[0]] = 5
    graph = to_graph(place)
    assert edges(graph) == {frozenset({40, 20}), frozenset({10, 20})}
    care = {"minutes": 65, "minutes_to_lower": 60, "minutes_to_higher": 5}
    assert graph.edges[40, 20] == {"kind": "kin", "strength": pytest.approx(0.8), **care}
    assert graph.edges[10, 20]["kind"] == "neighbour" and graph.edges[10, 20]["minutes"] == 0


def test_the_graph_holds_what_the_place_holds(lived_in: Place) -> None:
    graph, t, c = to_graph(lived_in), lived_in.ties, lived_in.citizens
    assert graph.number_of_edges() == len(t)
    assert {i: d for i, d in graph.degree} == dict(zip(c.id[c.alive].tolist(), t.degree[c.alive].tolist(), strict=True))
    assert sum(edge["minutes"] for *_, edge in graph.edges(data=True)) == c.informal.sum()


def test_labels_name_nodes(lived_in: Place) -> None:
    first = int(lived_in.citizens.id[lived_in.citizens.alive][0])
    graph = to_graph(lived_in, labels={first: "Ann", 10**9: "nobody"})
    assert nx.get_node_attributes(graph, "label") == {first: "Ann"}


def test_the_graph_does_not_depend_on_where_people_are_stored(lived_in: Place) -> None:
    order = np.random.default_rng(3).permutation(len(lived_in.citizens))
    one, two = to_graph(lived_in), to_graph(lived_in.reordered(order))
    assert list(one.nodes(data=True)) == list(two.nodes(data=True))
    assert list(one.edges(data=True)) == list(two.edges(data=True))


def test_people_and_groups_make_a_graph_of_two_modes(lived_in: Place) -> None:
    graph, c, g = to_graph(lived_in, two_mode=True), lived_in.citizens, lived_in.groups
    groups = {node for node, mode in graph.nodes(data="bipartite") if mode == 1}
    assert nx.is_bipartite(graph) and {node - GROUP for node in groups} == set(g.id[g.open].tolist())
    assert graph.number_of_edges() == (c.group_a >= 0).sum() + (c.group_b >= 0).sum()
    assert all(graph.degree(GROUP + int(g.id[row])) == g.members[row] for row in np.flatnonzero(g.open))
    together = nx.bipartite.projected_graph(graph, set(graph) - groups)
    assert set(together) == set(to_graph(lived_in))


def test_members_of_a_group_that_has_closed_keep_it_while_they_keep_up(lived_in: Place) -> None:
    row = int(lived_in.citizens.group_a.max())
    lived_in.groups.open[row] = False
    graph = to_graph(lived_in, two_mode=True)
    assert graph.nodes[GROUP + int(lived_in.groups.id[row])]["open"] is False
    assert all("bipartite" in graph.nodes[node] for edge in graph.edges for node in edge)


def test_networkx_runs_on_it() -> None:
    """Two triangles joined by one person: the bridge is between everybody else."""
    pairs = [(0, 1), (1, 2), (0, 2), (4, 5), (5, 6), (4, 6), (2, 3), (3, 4)]
    graph = to_graph(small.by_hand(8, [(a, b, Tie.FRIEND) for a, b in pairs]))
    assert sorted(len(part) for part in nx.connected_components(graph)) == [1, 7]
    between = nx.betweenness_centrality(graph, normalized=False)
    assert between[3] == 9 and max(between, key=between.__getitem__) == 3 and between[0] == between[7] == 0
    assert nx.transitivity(graph) == pytest.approx(6 / 11)  # six of eleven open or closed triples are closed
    assert nx.shortest_path(graph, 0, 6, weight="minutes") and nx.node_link_data(graph)


def test_ties_keep_their_laws_while_people_come_and_go() -> None:
    model = CareCommons(BUSY)
    events = np.zeros(len(Event), np.int64)
    for _ in range(24):
        before = len(model.place.ties)
        model.step()
        t, c, now = model.place.ties, model.place.citizens, model.place.ledger.events
        used = t.used
        i, j = t.owner[used], t.neighbour[used]
        assert (i != j).all() and c.alive[i].all() and c.alive[j].all()
        halves = sorted(zip(i.tolist(), j.tolist(), t.kind[used].tolist(), t.strength[used].tolist(), strict=True))
        assert halves == sorted((b, a, kind, s) for a, b, kind, s in halves)
        assert len({(a, b) for a, b, *_ in halves}) == len(halves)
        assert t.degree.sum() == 2 * len(t) and ((t.strength[used] > 0) & (t.strength[used] <= 1)).all()
        assert len(t) == before + now[Event.TIES_FORMED] - now[Event.TIES_FADED] - now[Event.TIES_LOST]
        assert edges(model.graph()) == {frozenset({c.id.item(a), c.id.item(b)}) for a, b in zip(i, j, strict=True)}
        events += now
    for name in ("DEATHS", "DEPARTURES", "ARRIVALS", "TIES_FORMED", "TIES_FADED", "TIES_LOST"):
        assert events[Event[name]] > 0
