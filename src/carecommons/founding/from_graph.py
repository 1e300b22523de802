"""Make a networkx graph the society of a place: one adult a node, one tie an edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

import networkx as nx
import numpy as np

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.founding.found import found
from carecommons.founding.homes import Homes
from carecommons.founding.people import People
from carecommons.founding.profile import Profile
from carecommons.founding.society import Society
from carecommons.kernels.homes import count_homes
from carecommons.kernels.keyed import pairs
from carecommons.place.luck import BEFORE, BOND, Luck, decision
from carecommons.place.place import Place
from carecommons.place.population import Citizens
from carecommons.place.ties import Tie, Ties

USUAL_KIND: Final = "friend"
USUAL_STRENGTH: Final = 0.5

_KINDS: Final = {tie.name.lower(): tie for tie in Tie}

Nodes = Mapping[Hashable, Mapping[str, Any]]
Reader = Callable[[Any], int | None]


def from_graph(graph: nx.Graph, profile: Profile, people: People, homes: Homes, society: Society, seed: int) -> Place:
    """A place whose adults are the nodes of `graph` and whose ties are its edges.

    Of a node, `age` (years), `sex` (woman or man), `deprivation` (1 to 5), `disabled`, `stigma` and `household` (people
    with equal values live together) replace what would be drawn; all else about people is drawn from the profile, and
    other attributes are left alone. An edge has a `kind` (friend if none is given) and a `strength`, or a `weight` for
    want of one, from 0 to 1 (0.5 if neither is given): the closeness at the start, which contact then moves. Partners
    share a home, and nobody has two. Ties weaker than `ties.ends_under`, and peers of no common group, end at once.

    Nobody's luck depends on the order in which the graph was put together: see `in_order`. Graphs that are directed or
    have parallel edges are refused, since a tie is mutual and single.
    """
    labels = in_order(graph)
    row_of = {label: row for row, label in enumerate(labels)}
    place = found(profile, len(labels), people, homes, society, seed)
    c = place.citizens
    _replace_drawn(c, graph.nodes, labels, _BEFORE_TRAITS)
    people.draw_traits(place, np.arange(len(c)), Luck(seed))
    _replace_drawn(c, graph.nodes, labels, _AFTER_TRAITS)
    a, b, kind, strength = _edges(graph, row_of)
    _share_homes(c, graph.nodes, labels, a[kind == Tie.PARTNER], b[kind == Tie.PARTNER])
    bond = pairs(seed, decision(BOND), BEFORE, c.id, a, b)
    place.ties = Ties.from_pairs(len(c), a, b, kind, strength, bond)
    return place


def in_order(graph: nx.Graph) -> list[Hashable]:
    """The nodes in the order of their labels, which gives each an address and so an identity.

    Numbers come first, by size, then texts, then tuples of either, item by item.
    """
    if not isinstance(graph, nx.Graph):
        raise InputError(f"graph: is of type {type(graph).__name__}, must be a networkx Graph")
    if graph.is_directed():
        raise InputError("graph: is directed, but a tie is mutual; hand in graph.to_undirected()")
    if graph.is_multigraph():
        raise InputError("graph: may have parallel edges, but a tie is single; hand in networkx.Graph(graph)")
    return sorted(graph, key=_place_in_order)


def _place_in_order(label: Hashable) -> tuple[Any, ...]:
    if isinstance(label, tuple):
        return (2, *(_place_in_order(item) for item in label))
    if isinstance(label, str):
        return (1, label)
    if isinstance(label, int | np.integer) or (isinstance(label, float | np.floating) and math.isfinite(label)):
        return (0, label)
    raise InputError(f"graph: node {_named(label)} has no order; name nodes by numbers, texts or tuples of them")


def _months(age: Any) -> int | None:
    return int(age * 12) if _is_number(age) and 18 <= age <= 110 else None


def _fifth(deprivation: Any) -> int | None:
    return int(deprivation) if _is_number(deprivation) and deprivation in (1, 2, 3, 4, 5) else None


def _sex(sex: object) -> int | None:
    return {"woman": 0, "female": 0, "man": 1, "male": 1}.get(str(sex).lower())


def _flag(value: object) -> int | None:
    return int(value) if isinstance(value, bool | np.bool_) else None


_BEFORE_TRAITS: Final[dict[str, tuple[Reader, str]]] = {
    "age": (_months, "from 18 to 110 years"),
    "sex": (_sex, "woman or man"),
    "deprivation": (_fifth, "a whole number from 1 (most deprived) to 5"),
}
_AFTER_TRAITS: Final[dict[str, tuple[Reader, str]]] = {
    "disabled": (_flag, "true or false"),
    "stigma": (_flag, "true or false"),
}


def _replace_drawn(c: Citizens, nodes: Nodes, labels: list[Hashable], known: Mapping[str, tuple[Reader, str]]) -> None:
    """Write what the nodes say about people over what was drawn."""
    for row, label in enumerate(labels):
        for name, (read, right) in known.items():
            if name in nodes[label]:
                value = read(nodes[label][name])
                if value is None:
                    wrong = f"{name} = {_named(nodes[label][name])}"
                    raise InputError(f"graph: node {_named(label)}: {wrong} must be {right}")
                getattr(c, name)[row] = value


def _edges(graph: nx.Graph, row_of: Mapping[Hashable, int]) -> tuple[Any, Any, Any, Any]:
    """The ties as rows of their ends, kind and strength (m,), in the order of the ends."""
    found = []
    for u, v, facts in graph.edges(data=True):
        edge = f"graph: edge {_named(u)} - {_named(v)}"
        if u == v:
            raise InputError(f"{edge}: ties a person to himself")
        i, j = sorted((row_of[u], row_of[v]))
        found.append((i, j, _kind(facts, edge), _strength(facts, edge)))
    found.sort()
    a, b, kind, strength = zip(*found, strict=True) if found else ((), (), (), ())
    return np.array(a, np.int32), np.array(b, np.int32), np.array(kind, np.int8), np.array(strength, np.float32)


def _kind(facts: Mapping[str, Any], edge: str) -> Tie:
    kind = facts.get("kind", USUAL_KIND)
    if isinstance(kind, Tie):
        return kind
    if not isinstance(kind, str) or kind.lower() not in _KINDS:
        near = did_you_mean(str(kind), _KINDS) or f"; kinds are {', '.join(_KINDS)}"
        raise InputError(f"{edge}: unknown kind {_named(kind)}{near}")
    return _KINDS[kind.lower()]


def _strength(facts: Mapping[str, Any], edge: str) -> float:
    name = "strength" if "strength" in facts else "weight"
    value = facts.get(name, USUAL_STRENGTH)
    if not _is_number(value) or not 0 <= value <= 1:
        raise InputError(f"{edge}: {name} = {_named(value)} is outside 0 to 1")
    return float(value)


def _share_homes(c: Citizens, nodes: Nodes, labels: list[Hashable], a: Any, b: Any) -> None:
    """Give everybody a home of their own, but for those whom the graph puts together; writes partner and household."""
    c.partner[:] = -1
    homes = [_household(nodes[label], label) for label in labels]
    first: dict[Hashable, int] = {}
    c.household[:] = [row if home is None else first.setdefault(home, row) for row, home in enumerate(homes)]
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        for row in (i, j):
            if c.partner[row] >= 0:
                raise InputError(f"graph: node {_named(labels[row])}: has more than one partner")
        c.partner[i], c.partner[j] = j, i
        if homes[j] is None:
            c.household[j] = c.household[i]
        elif homes[i] is None:
            c.household[i] = c.household[j]
        elif homes[i] != homes[j]:
            couple = f"{_named(labels[i])} - {_named(labels[j])}"
            raise InputError(f"graph: edge {couple}: partners have different households")
    count_homes(c.alive, c.household, c.home_size)


def _household(facts: Mapping[str, Any], label: Hashable) -> Hashable:
    home = facts.get("household")
    if not isinstance(home, Hashable) or home != home:
        raise InputError(f"graph: node {_named(label)}: household = {_named(home)} must be a number or a text")
    return home


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _named(value: object) -> str:
    return one_line(repr(value))
