"""The door to networkx: people and their ties, or people and their groups, as a graph of plain values."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final

import networkx as nx
import numpy as np

from carecommons.kernels.arrays import I64
from carecommons.place.place import Place
from carecommons.place.population import Citizens, Contact, Route, Setting
from carecommons.place.ties import Tie

ENTERPRISE, GROUP, COUNCIL, OTHER = (kind << 48 for kind in range(1, 5))
"""What is added to the identity of all that is no citizen, so that no two agents, and no two nodes, have the same."""

SEXES: Final = ("woman", "man")

_AS_THEY_ARE: Final = (
    "neighbourhood", "deprivation", "household", "stigma", "disabled", "level", "need", "relational", "informal",
    "given", "unmet", "network", "isolated", "lonely",
)  # fmt: skip
_NAMED: Final = {"route": Route, "setting": Setting, "contact": Contact}


def to_graph(place: Place, *, labels: Mapping[int, Hashable] | None = None, two_mode: bool = False) -> nx.Graph:
    """The people of a place and who knows whom, as it stands; a node is a person's permanent identity.

    A tie has its `kind`, its `strength` (a share) and the `minutes` of care that went both ways this month, of which
    `minutes_to_lower` went to the end with the lower identity and `minutes_to_higher` to the other. `labels` names
    people by identity, as the attribute `label`. With `two_mode` the graph is people x groups instead: nodes have
    `bipartite` 0 for people and 1 for groups, and an edge is a membership.
    """
    graph = nx.Graph(name=place.name, month=place.month)
    graph.add_nodes_from(_people(place, labels or {}, two_mode))
    if two_mode:
        graph.add_nodes_from(_groups(place))
        graph.add_edges_from(_memberships(place))
    else:
        graph.add_edges_from(_ties(place))
    return graph


def _people(place: Place, labels: Mapping[int, Hashable], two_mode: bool) -> Iterator[tuple[int, dict[str, Any]]]:
    c = place.citizens
    rows = np.flatnonzero(c.alive)
    rows = rows[np.argsort(c.id[rows])]
    facts: dict[str, list[Any]] = {
        "age": (c.age[rows] // 12).tolist(),
        "sex": [SEXES[code] for code in c.sex[rows].tolist()],
        **{name: getattr(c, name)[rows].tolist() for name in _AS_THEY_ARE},
        **{name: _names(kind, c, name, rows) for name, kind in _NAMED.items()},
    }
    if two_mode:
        facts["bipartite"] = [0] * len(rows)
    ids = c.id[rows].tolist()
    for identity, values in zip(ids, zip(*facts.values(), strict=True), strict=True):
        node = dict(zip(facts, values, strict=True))
        if identity in labels:
            node["label"] = labels[identity]
        yield identity, node


def _names(kind: Any, c: Citizens, column: str, rows: I64) -> list[str]:
    names = {member.value: member.name.lower() for member in kind}
    return [names[code] for code in getattr(c, column)[rows].tolist()]


def _ties(place: Place) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Each tie once, by the identities of its ends: the two halves of a tie lie side by side when sorted by pair."""
    ids, t = place.citizens.id, place.ties
    used = np.flatnonzero(t.used)
    owner, other = ids[t.owner[used]], ids[t.neighbour[used]]
    low, high = np.minimum(owner, other), np.maximum(owner, other)
    order = np.lexsort((owner, high, low))
    to_low, to_high = used[order[0::2]], used[order[1::2]]
    kinds = {tie.value: tie.name.lower() for tie in Tie}
    yield from (
        (a, b, {"kind": kinds[k], "strength": s, "minutes": m + n, "minutes_to_lower": m, "minutes_to_higher": n})
        for a, b, k, s, m, n in zip(
            low[order[0::2]].tolist(), high[order[0::2]].tolist(), t.kind[to_low].tolist(), t.strength[to_low].tolist(),
            t.minutes[to_low].tolist(), t.minutes[to_high].tolist(), strict=True,
        )
    )  # fmt: skip


def _groups(place: Place) -> Iterator[tuple[int, dict[str, Any]]]:
    g = place.groups
    for row in _meeting(place).tolist():
        yield GROUP + int(g.id[row]), {
            "bipartite": 1, "neighbourhood": int(g.neighbourhood[row]), "members": int(g.members[row]),
            "capacity": int(g.capacity[row]), "open": bool(g.open[row]),
        }  # fmt: skip


def _memberships(place: Place) -> Iterator[tuple[int, int]]:
    c, g = place.citizens, place.groups
    for column in (c.group_a, c.group_b):
        rows = np.flatnonzero(c.alive & (column >= 0))
        yield from zip(c.id[rows].tolist(), (GROUP + g.id[column[rows]]).tolist(), strict=True)


def _meeting(place: Place) -> I64:
    """Rows of the groups that are open, or whose members keep up for a while after closing."""
    c = place.citizens
    joined = np.concatenate([column[c.alive & (column >= 0)] for column in (c.group_a, c.group_b)])
    return np.flatnonzero(place.groups.open | (np.bincount(joined, minlength=len(place.groups)) > 0))
