"""Each process changes only what it declares to write, and goes only by what it declares to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import small
from carecommons.cycle import CYCLE
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.place.population import Citizens, Preference, Route
from carecommons.place.ties import Ties
from carecommons.processes.process import Process
from carecommons.scenario import Scenario

PROCESSES = [entry for entry in CYCLE if isinstance(entry, type)]
NAMES = [process.section() for process in PROCESSES]
PARTS = ("ties", "groups", "enterprises", "council", "ledger")
ALL = (*Citizens.names(), *PARTS)
SHORT = small.SCENARIO.but({"council.funding": 0.4, "council.legal_floor": False, "enterprises.catalysts": 10.0,
                            "enterprises.aided": 200.0, "enterprises.exit_rate": 0.9})  # fmt: skip
WORLDS: tuple[Scenario, ...] = (small.STIRRED, small.STRICT, SHORT)


@dataclass(frozen=True)
class Turn:
    """A process's turn in a month: the place as it found it, and as it left it."""

    process: Process
    before: Place
    after: Place

    def again(self, place: Place) -> Place:
        """What the same turn makes of another place."""
        return stepped(self.process, place)


def stepped(process: Process, place: Place) -> Place:
    after = place.copy()
    process.step(after, Luck(1, place.month))
    return after


@cache
def turns() -> dict[str, tuple[Turn, ...]]:
    """Every process's turns in some months of three worlds, in the order of the month."""
    found: dict[str, list[Turn]] = {name: [] for name in NAMES}
    for scenario in WORLDS:
        place = small.run(scenario, months=5).place
        for _ in range(8):
            place = place.copy()
            place.month += 1
            place.ledger.open_month()
            for kind in PROCESSES:
                process = scenario.process(kind)
                turn = Turn(process, place, stepped(process, place))
                found[kind.section()].append(turn)
                place = turn.after
    found["need"] += [made_up(turn) for turn in found["need"][::4] for made_up in (all_are_new, all_are_known)]
    found["enterprises"] += [all_look_for_one(turn) for turn in found["enterprises"][::4]]
    return {name: tuple(many) for name, many in found.items()}


def all_are_new(turn: Turn) -> Turn:
    """The turn in a month in which everybody has just arrived, so that everybody's need is drawn."""
    place = turn.before.copy()
    place.citizens.arrived[place.citizens.alive] = place.month
    return Turn(turn.process, place, stepped(turn.process, place))


def all_are_known(turn: Turn) -> Turn:
    """The turn in a month in which everybody in need was assessed and has equipment, so that some need them no more."""
    place = turn.before.copy()
    c = place.citizens
    c.asked[:] = c.assessed[:] = c.low_level[:] = c.level > 0
    return Turn(turn.process, place, stepped(turn.process, place))


def all_look_for_one(turn: Turn) -> Turn:
    """The turn in a month in which everybody pays for care and would have it from a micro-enterprise."""
    place = turn.before.copy()
    place.citizens.route[place.citizens.alive] = Route.SELF_FUNDER
    place.citizens.prefers[:] = Preference.ALTERNATIVE
    return Turn(turn.process, place, stepped(turn.process, place))


def declared(names: tuple[str, ...]) -> set[str]:
    return set(ALL) if "*" in names else set(names)


@pytest.mark.parametrize("process", PROCESSES, ids=NAMES)
def test_what_is_declared_exists(process: type[Process]) -> None:
    for names in (process.reads, process.writes):
        assert set(names) <= {*ALL, "*"} and len(names) == len(set(names))


@pytest.mark.parametrize("process", PROCESSES, ids=NAMES)
def test_a_process_changes_nothing_but_what_it_declares_to_write(process: type[Process]) -> None:
    changed = {name for turn in turns()[process.section()] for name in small.differing(turn.before, turn.after)}
    assert sorted(changed - declared(process.writes)) == []


@pytest.mark.parametrize("process", PROCESSES, ids=NAMES)
def test_a_process_declares_to_write_nothing_that_it_never_changes(process: type[Process]) -> None:
    changed = {name for turn in turns()[process.section()] for name in small.differing(turn.before, turn.after)}
    assert sorted(set(process.writes) - {"*"} - changed) == []


@pytest.mark.parametrize("process", PROCESSES, ids=NAMES)
def test_a_process_leaves_the_lay_of_the_land_alone(process: type[Process]) -> None:
    for turn in turns()[process.section()]:
        a, b = turn.before.neighbourhoods, turn.after.neighbourhoods
        assert all(np.array_equal(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)
        assert np.array_equal(turn.before.row_of, turn.after.row_of)
        assert turn.before.month == turn.after.month


UNIQUE = ("id", "address", "partner")


def disturbed(place: Place, name: str) -> Place:
    """The place with one column drawn anew from its own values among the living, or one part otherwise."""
    other = place.copy()
    rng = np.random.default_rng(3)
    if name == "ties":
        other.ties = Ties.none(len(other.citizens))
    elif name in ("groups", "enterprises"):
        table = getattr(other, name)
        table.capacity[:] = table.capacity // 2
        table.open[::2] = False
    elif name == "council":
        books = other.council
        books.care_pot, books.reserves = books.care_pot // 3, books.reserves // 2
        books.running_pot += 77
        books.prevention_pot, books.assessments, books.prevention_first = 5, 1, not books.prevention_first
    elif name == "ledger":
        other.ledger.balances += np.arange(len(other.ledger.balances))
        other.ledger.minutes += 7
    else:
        values, living = getattr(other.citizens, name), np.flatnonzero(other.citizens.alive)
        kinds = values[living] if name in UNIQUE else np.unique(values[living])  # what is rare becomes common
        values[living] = rng.choice(kinds, len(living), replace=name not in UNIQUE)
        some = living[::9]
        if name == "alive" or len(np.unique(values[living])) == 1:
            values[some] = ~values[some] if values.dtype == np.bool_ else values[some] + 1
    return other


def reactions(turn: Turn, name: str) -> Iterator[str]:
    """What differs, besides `name` itself, when `name` is disturbed before the turn."""
    bent = disturbed(turn.before, name)
    after = turn.again(bent)
    yield from small.differing(turn.after, after, apart_from=(name,))
    if name not in PARTS:
        old, new = (getattr(p.citizens, name) for p in (turn.before, bent))
        was, now = (getattr(p.citizens, name) for p in (turn.after, after))
        # Written without being read: overwritten alike, or left as it was.
        if not ((was == now) | ((was == old) & (now == new))).all():
            yield name


@pytest.mark.parametrize("process", PROCESSES, ids=NAMES)
def test_nothing_a_process_does_depends_on_what_it_does_not_declare_to_read(process: type[Process]) -> None:
    unread = sorted(set(ALL) - declared(process.reads))
    found: dict[str, set[str]] = {}
    for turn in turns()[process.section()][::4]:
        for name in unread:
            found.setdefault(name, set()).update(reactions(turn, name))
    assert {name: sorted(what)[:4] for name, what in found.items() if what} == {}


@pytest.mark.parametrize("process", PROCESSES, ids=NAMES)
def test_a_process_declares_to_read_nothing_that_it_never_looks_at(process: type[Process]) -> None:
    reads: set[Any] = set(process.reads) - {"*"}
    looked = {name for turn in turns()[process.section()] for name in reads if any(reactions(turn, name))}
    assert sorted(reads - looked) == []
