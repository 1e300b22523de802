"""Any networkx graph can be the society: a node an adult, an edge a tie, and nobody's luck in the order of the file."""

from __future__ import annotations

import random
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import small
from carecommons.errors import InputError
from carecommons.founding.from_graph import USUAL_STRENGTH, from_graph, in_order
from carecommons.founding.homes import Homes
from carecommons.founding.people import People
from carecommons.founding.profile import load
from carecommons.founding.society import Society
from carecommons.model import CareCommons
from carecommons.place.graph import to_graph
from carecommons.place.place import Place
from carecommons.place.ties import Tie

LASTS = {"turnover.off": True, "ties.off": True, "groups.off": True}


def made(graph: Any, seed: int = 1) -> Place:
    """A place laid out from a graph."""
    return from_graph(graph, load("derby"), People(), Homes(), Society(), seed)


def friends(*pairs: tuple[Any, Any], **facts: Any) -> nx.Graph:
    """A graph of pairs with equal facts."""
    graph = nx.Graph()
    graph.add_edges_from(pairs, **facts)
    return graph


# Ties


@given(st.integers(0, 40), st.floats(0, 1), st.integers(0, 99))
def test_the_ties_are_the_edges(people: int, density: float, seed: int) -> None:
    graph = nx.gnp_random_graph(people, density, seed=seed)
    back = to_graph(made(graph))
    assert set(back) == set(graph) and {*map(frozenset, back.edges)} == {*map(frozenset, graph.edges)}


def test_kind_and_strength_are_the_edges_own() -> None:
    graph = friends(("a", "b"), kind="Kin", strength=0.25, weight=9)
    graph.add_edge("b", "c", weight=1)
    graph.add_edge("c", "d", kind=Tie.NEIGHBOUR)
    back = to_graph(made(graph))
    found = {(a, b): (edge["kind"], edge["strength"]) for a, b, edge in back.edges(data=True)}
    assert found == {(0, 1): ("kin", 0.25), (1, 2): ("friend", 1.0), (2, 3): ("neighbour", USUAL_STRENGTH)}


def test_what_was_handed_in_is_there_before_the_first_month() -> None:
    graph = nx.connected_watts_strogatz_graph(60, 6, 0.2, seed=3)
    nx.set_edge_attributes(graph, 0.75, "strength")
    back = CareCommons(graph=graph).graph()
    assert {*map(frozenset, back.edges)} == {*map(frozenset, graph.edges)}
    assert {edge["strength"] for *_, edge in back.edges(data=True)} == {0.75}


def test_a_graph_is_lived_in() -> None:
    graph = nx.disjoint_union_all([nx.complete_graph(4)] * 30 + [nx.empty_graph(30)])
    model = CareCommons(graph=graph, months=12).run()
    assert model.scenario.citizens == 150 and len(model.series) == 12
    assert model.by("isolation", "need")["people"].sum() == len(model.citizens) == len(model.graph())


def test_who_knows_nobody_is_isolated_and_who_knows_many_is_not() -> None:
    hub = nx.complete_graph(12)
    nx.set_edge_attributes(hub, 1.0, "strength")
    nx.set_edge_attributes(hub, {edge: ("kin", "friend")[sum(edge) % 2] for edge in hub.edges}, "kind")
    model = CareCommons(graph=nx.disjoint_union(hub, nx.empty_graph(5)), **LASTS).run(1)
    shut_in = model.place.citizens.withdrawn
    isolated = model.place.citizens.isolated
    assert isolated[12:].all() and not isolated[:12][~shut_in[:12]].any() and not shut_in[:12].all()


# Order


@given(st.permutations(range(12)), st.randoms(use_true_random=False))
def test_neither_the_order_of_nodes_nor_of_edges_matters(order: list[int], shuffle: random.Random) -> None:
    graph = nx.gnp_random_graph(12, 0.4, seed=2)
    for node in graph:
        graph.nodes[node].update(age=20 + 5 * node, household=node // 2)
    other = nx.Graph()
    other.add_nodes_from((node, graph.nodes[node]) for node in order)
    pairs = [edge if shuffle.random() < 0.5 else edge[::-1] for edge in graph.edges]
    shuffle.shuffle(pairs)
    other.add_edges_from(pairs)
    assert small.differing(made(graph), made(other)) == []


def test_labels_are_put_in_order_numbers_first_and_given_back() -> None:
    labels = ["bob", 3, (1, "x"), "ann", 2.5, (1, 2), -7, np.int64(4)]
    graph = nx.Graph()
    graph.add_nodes_from(labels)
    assert in_order(graph) == [-7, 2.5, 3, 4, "ann", "bob", (1, 2), (1, "x")]
    shown = CareCommons(graph=graph, **LASTS).graph().nodes(data="label")
    assert [label for _, label in shown] == in_order(graph)


def test_labels_stay_with_their_people() -> None:
    model = CareCommons(graph=nx.empty_graph(300), rng=2, months=24, turnover_departure=0.3).run()
    shown = model.graph().nodes(data="label")
    assert all(label == (node if node < 300 else None) for node, label in shown)
    assert any(label is None for _, label in shown)  # newcomers are in no graph


@pytest.mark.parametrize("label", [frozenset(), float("nan"), float("inf"), b"x", object()])
def test_a_label_without_an_order_is_refused(label: Any) -> None:
    with pytest.raises(InputError, match="has no order; name nodes by numbers, texts or tuples of them"):
        made(nx.Graph([(1, label)]))


# People


def test_what_nodes_say_replaces_what_would_be_drawn() -> None:
    graph = nx.empty_graph(40)
    told = [dict(age=18 + 2 * k, sex=("woman", "man", "Female", "male")[k % 4], deprivation=k % 5 + 1,
                 disabled=k % 3 == 0, stigma=np.bool_(k % 2)) for k in range(40)]  # fmt: skip
    for node, facts in enumerate(told):
        graph.nodes[node].update(facts, club="Mr. Hi")
    c = made(graph).citizens
    assert (c.age // 12).tolist() == [facts["age"] for facts in told]
    assert c.sex.tolist() == [k % 2 for k in range(40)] and c.deprivation.tolist() == [f["deprivation"] for f in told]
    assert c.disabled.tolist() == [f["disabled"] for f in told]
    assert c.stigma.tolist() == [bool(f["stigma"]) for f in told]
    assert (made(nx.relabel_nodes(graph, {0: -1})).citizens.age == c.age).all()


def test_what_is_drawn_follows_what_is_told() -> None:
    young, old = (nx.empty_graph(2000) for _ in range(2))
    nx.set_node_attributes(young, 40, "age")
    nx.set_node_attributes(old, 85, "age")
    working = People().working_by_age
    assert working[3] > working[7]
    assert made(young).citizens.works.mean() > made(old).citizens.works.mean()


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("age", 17, "from 18 to 110 years"), ("age", float("nan"), "from 18 to 110"), ("age", "40", "from 18 to 110"),
        ("age", True, "from 18 to 110"), ("sex", "x", "woman or man"), ("sex", 1, "woman or man"),
        ("deprivation", 0, "from 1 (most deprived) to 5"), ("deprivation", 2.5, "a whole number"),
        ("disabled", 1, "true or false"), ("stigma", None, "true or false"),
        ("household", [1], "a number or a text"), ("household", float("nan"), "a number or a text"),
    ],
)  # fmt: skip
def test_a_wrong_fact_about_a_person_is_named(name: str, value: Any, right: str) -> None:
    graph = nx.Graph()
    graph.add_node("ann", **{name: value})
    with pytest.raises(InputError) as caught:
        made(graph)
    assert str(caught.value).startswith(f"graph: node 'ann': {name} = ") and right in str(caught.value)


# Homes


def test_partners_share_a_home_and_others_have_their_own() -> None:
    graph = friends((0, 1), (4, 5), kind="partner")
    graph.add_edge(1, 2, kind="kin")
    graph.add_nodes_from([3, 6])
    c = made(graph).citizens
    assert c.partner.tolist() == [1, 0, -1, -1, 5, 4, -1]
    assert c.home_size.tolist() == [2, 2, 1, 1, 2, 2, 1] and c.household[0] == c.household[1]


def test_a_household_is_who_lives_together() -> None:
    graph = nx.empty_graph(6)
    nx.set_node_attributes(graph, {1: "x", 3: "x", 4: 7}, "household")
    graph.add_edge(3, 5, kind="partner")  # moves in with a household of two
    graph.add_edge(0, 4, kind="partner")  # the second of two has a home
    c = made(graph).citizens
    assert c.home_size.tolist() == [2, 3, 1, 3, 2, 3]
    assert c.household[1] == c.household[3] == c.household[5] and c.household[0] == c.household[4]


def test_nobody_has_two_partners_or_one_elsewhere() -> None:
    with pytest.raises(InputError, match=r"^graph: node 'b': has more than one partner$"):
        made(friends(("a", "b"), ("b", "c"), kind="partner"))
    graph = friends(("a", "b"), kind="partner")
    nx.set_node_attributes(graph, {"a": 1, "b": 2}, "household")
    with pytest.raises(InputError, match=r"^graph: edge 'a' - 'b': partners have different households$"):
        made(graph)


# What is no society


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"kind": "freind"}, "unknown kind 'freind'; did you mean 'friend'?"),
        ({"kind": "zzz"}, "unknown kind 'zzz'; kinds are partner, kin, friend, neighbour, workmate, peer"),
        ({"kind": 2}, "unknown kind 2"), ({"strength": float("nan")}, "strength = nan is outside 0 to 1"),
        ({"strength": -0.1}, "strength = -0.1 is outside 0 to 1"), ({"weight": 3}, "weight = 3 is outside 0 to 1"),
        ({"weight": "1"}, "weight = '1' is outside"), ({"strength": True}, "strength = True is outside"),
        ({"strength": None}, "strength = None is outside"),
    ],
)  # fmt: skip
def test_a_wrong_edge_is_named(facts: dict[str, Any], message: str) -> None:
    graph = friends(("a", "b"), ("b", "c"))
    graph.add_edge("c", "d", **facts)
    with pytest.raises(InputError) as caught:
        made(graph)
    assert str(caught.value).startswith("graph: edge 'c' - 'd': ") and message in str(caught.value)


def test_nobody_is_tied_to_himself() -> None:
    with pytest.raises(InputError, match=r"^graph: edge 2 - 2: ties a person to himself$"):
        made(nx.Graph([(1, 2), (2, 2)]))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.DiGraph([(1, 2)]), r"is directed, but a tie is mutual; hand in graph\.to_undirected\(\)"),
        (nx.MultiGraph([(1, 2)]), r"may have parallel edges, but a tie is single; hand in networkx\.Graph\(graph\)"),
        (nx.MultiDiGraph([(1, 2)]), "is directed"), ([(1, 2)], "is of type list, must be a networkx Graph"),
    ],
)  # fmt: skip
def test_a_graph_of_another_kind_is_refused_with_the_cure(graph: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^graph: {message}"):
        CareCommons(graph=graph)


@pytest.mark.parametrize("graph", [nx.Graph(), nx.empty_graph(3), nx.Graph([(1, 2), (2, 3), (7, 8)])])
def test_nobody_no_ties_and_separate_parts_are_legal(graph: nx.Graph) -> None:
    model = CareCommons(graph=graph, months=3, turnover_off=True).run()
    assert len(model.citizens) == len(graph) and len(model.series) == 3


# Luck


def test_the_same_world_makes_the_same_people_whatever_the_ties() -> None:
    one, two = made(nx.empty_graph(50)), made(nx.complete_graph(50))
    assert small.differing(one, two) == ["ties"]
    assert small.differing(one, made(nx.empty_graph(50), seed=2))
