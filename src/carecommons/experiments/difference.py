"""Two runs side by side: the first month, decision, people and outcome in which they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from carecommons.errors import InputError
from carecommons.experiments.comparison import changed
from carecommons.guests.rich import Group, Table, Text
from carecommons.kernels.arrays import Bool
from carecommons.model import CareCommons
from carecommons.outcomes.catalogue import BY_NAME, observe
from carecommons.place.columns import Columns
from carecommons.place.ledger import Account, Event, Giver, Ledger
from carecommons.place.luck import Luck
from carecommons.place.organisations import Accounts
from carecommons.place.place import Place
from carecommons.place.ties import Ties
from carecommons.scenario import Scenario, expect

FOUNDING: Final = "founding"
SHOWN: Final = 3  # people, organisations or cells that a change gives as examples
MOST: Final = 12  # changes and parameters that a table names
_TIES: Final = ("neighbour", "strength", "kind", "bond", "minutes")
_PAGES: Final[dict[str, Iterable[IntEnum]]] = {"minutes": Giver, "events": Event, "balances": Account}


class Example(NamedTuple):
    """One of those who differ: identity (-1 where there is none, as for an account) and both values."""

    identity: int
    a: Any
    b: Any


class Change(NamedTuple):
    """What differs: a column of people or organisations, or a cell of the accounts, how many, and the first few."""

    what: str
    number: int
    examples: tuple[Example, ...]

    @property
    def of_people(self) -> bool:
        """Whether people differ, or their ties, and not accounts or organisations alone."""
        return self.what.startswith("people")


class Parting(NamedTuple):
    """A decision after which two runs differ, and all that differs right after it.

    `month` is 0 and `process` is `founding` before the first month.
    """

    month: int
    process: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Difference:
    """Where two runs of one world part.

    `first` is where anything differs first, `people` where citizens or their ties do: money may differ long before
    anybody feels it. Both are None for never. `outcomes` holds for each outcome the first month in which it differs,
    None for never within the `months` that were looked at.
    """

    scenario_a: Scenario
    scenario_b: Scenario
    seed: int
    months: int
    first: Parting | None
    people: Parting | None
    outcomes: dict[str, int | None]

    @property
    def same(self) -> bool:
        """Whether nothing differs, in people, ties, organisations, accounts and outcomes, after any decision."""
        return self.first is None and not any(self.outcomes.values())

    @property
    def first_outcomes(self) -> tuple[str, ...]:
        """The outcomes that differ first, all in the same month."""
        first = min((month for month in self.outcomes.values() if month is not None), default=None)
        return tuple(name for name, month in self.outcomes.items() if month is not None and month == first)

    def records(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            "same": self.same, "seed": self.seed, "months": self.months, "first": _plain(self.first),
            "people": _plain(self.people), "outcomes": dict(self.outcomes),
            "parameters": changed(self.scenario_a, self.scenario_b),
        }  # fmt: skip

    def headline(self) -> str:
        """Where they part, in a sentence."""
        if self.same:
            return f"a and b are the same in all {self.months} months of world {self.seed}, to the last digit"
        return "the places never differ, outcomes do" if self.first is None else _words(self.first)

    def __rich__(self) -> Group:
        parts: list[Any] = [Text(self.headline(), style="bold")]
        parts += [_table_of(self.first.changes)] if self.first else []
        if self.first is not None and self.people is not None and self.people[:2] != self.first[:2]:
            parts += [
                Text(f"people differ first in {_words(self.people)}", style="bold"),
                _table_of(self.people.changes),
            ]
        elif self.first is not None and self.people is None:
            parts += [Text(f"nobody is any different in the first {self.months} months")]
        parts += [] if self.same else [Text(self._outcomes_in_words())]
        return Group(*parts, Text(self._parameters_in_words(), style="dim"))

    def __repr__(self) -> str:
        return f"Difference: {self.headline()}"

    def _outcomes_in_words(self) -> str:
        first = self.first_outcomes
        if not first:
            return f"no outcome differs in the first {self.months} months"
        return f"outcomes that differ first, in month {self.outcomes[first[0]]}: {_listed(first)}"

    def _parameters_in_words(self) -> str:
        pairs = changed(self.scenario_a, self.scenario_b).items()
        words = [f"{key} = {value['a']} in a, {value['b']} in b" for key, value in pairs]
        return f"parameters changed: {_listed(words, '; ')}" if words else "no parameter was changed"


def diff(a: Scenario, b: Scenario, seed: int = 1, *, every: bool = False) -> Difference:
    """Run both scenarios in the same world, in step, and look after every decision at everything.

    Parameters
    ----------
    a, b
        What is compared; both must have the same citizens and months.
    seed
        The world.
    every
        Go on to the last month, so that each outcome has the first month in which it differs; otherwise stop at the
        end of the month by which people and an outcome differ.
    """
    for each in (a, b):
        expect(each, "diff")
    for key in ("citizens", "months"):
        if getattr(a, key) != getattr(b, key):
            raise InputError(f"diff: {key} = {getattr(a, key)} and {getattr(b, key)}, must be equal in both scenarios")
    left, right = CareCommons(a, rng=seed), CareCommons(b, rng=seed)
    first, people = _parted(None, None, left, right, FOUNDING)
    outcomes: dict[str, int | None] = dict.fromkeys(BY_NAME)
    while left.place.month < a.months:
        for decision in _decisions(left, right):
            first, people = _parted(first, people, left, right, decision)
        _note(outcomes, left.place.month, observe(left.place), observe(right.place))
        if not every and people is not None and any(outcomes.values()):
            break
    return Difference(a, b, seed, left.place.month, first, people, outcomes)


def _parted(
    first: Parting | None, people: Parting | None, a: CareCommons, b: CareCommons, decision: str
) -> tuple[Parting | None, Parting | None]:
    """Where anything and where people part, once this decision is taken."""
    if people is not None:
        return first, people
    changes = compared(a.place, b.place)
    anything, touched = (
        Parting(a.place.month, decision, found) if found else None
        for found in (changes, tuple(change for change in changes if change.of_people))
    )
    return first or anything, touched


def _decisions(a: CareCommons, b: CareCommons) -> Iterator[str]:
    """One month of both, as `CareCommons.step` goes through it; after each process its name."""
    for model in (a, b):
        model.place.month += 1
        model.place.ledger.open_month()
    luck = Luck(a.world, a.place.month)
    for mine, other in zip(a.processes, b.processes, strict=True):
        for model, process in ((a, mine), (b, other)):
            if not process.off:
                process.step(model.place, luck)
        yield mine.section()


def _note(outcomes: dict[str, int | None], month: int, a: dict[str, float], b: dict[str, float]) -> None:
    for name in outcomes:
        if outcomes[name] is None and not _equal(a[name], b[name]):
            outcomes[name] = month


def _equal(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)  # a mean over nobody equals itself


# --- two places ---


def compared(a: Place, b: Place) -> tuple[Change, ...]:
    """Everything in which two places of equally many addresses differ, exactly: nothing if they are the same."""
    return (
        *_columns("people", a.citizens, b.citizens),
        *_ties(a, b),
        *_columns("groups", a.groups, b.groups),
        *_columns("enterprises", a.enterprises, b.enterprises),
        *_accounts(a.council, b.council),
        *_ledger(a.ledger, b.ledger),
        *_neighbourhoods(a, b),
    )


def apart(a: Any, b: Any) -> Bool:
    """Where two arrays of one shape differ; a mean over nobody equals itself."""
    return np.asarray((a != b) & ~((a != a) & (b != b)))


def _columns(table: str, a: Any, b: Columns) -> Iterator[Change]:
    if len(a) != len(b):
        yield Change(f"{table}: rows", abs(len(a) - len(b)), (Example(-1, len(a), len(b)),))
        return
    for name in a.names():
        mine, other = getattr(a, name), getattr(b, name)
        if mine.tobytes() != other.tobytes() and len(rows := np.flatnonzero(apart(mine, other))):
            shown = (Example(int(a.id[row]), mine[row].item(), other[row].item()) for row in rows[:SHOWN])
            yield Change(f"{table}.{name}", len(rows), tuple(shown))


def _ties(a: Place, b: Place) -> Iterator[Change]:
    """The people whose ties differ, with how many ties they have."""
    mine, other = a.ties, b.ties
    if _same_bytes(mine, other):
        return
    differ = mine.degree != other.degree
    alike = np.flatnonzero(~differ)
    for owner, left, right in _halves(mine, other, alike):
        differ[owner] |= left != right
    rows = np.flatnonzero(differ)
    if len(rows):
        examples = (Example(int(a.citizens.id[r]), int(mine.degree[r]), int(other.degree[r])) for r in rows[:SHOWN])
        yield Change("people: ties", len(rows), tuple(examples))


def _same_bytes(a: Ties, b: Ties) -> bool:
    return all(np.array_equal(getattr(a, each.name), getattr(b, each.name)) for each in fields(Ties))


def _halves(a: Ties, b: Ties, people: Any) -> Iterator[tuple[int, tuple[bytes, ...], tuple[bytes, ...]]]:
    """Each of those people with the content of his ties in a and in b; rows may lie elsewhere and have other room."""
    for person in people.tolist():
        yield person, _row(a, person), _row(b, person)


def _row(ties: Ties, person: int) -> tuple[bytes, ...]:
    begin = int(ties.start[person])
    end = begin + int(ties.degree[person])
    return tuple(getattr(ties, name)[begin:end].tobytes() for name in _TIES)


def _accounts(a: Accounts, b: Accounts) -> Iterator[Change]:
    for each in fields(Accounts):
        mine, other = getattr(a, each.name), getattr(b, each.name)
        if mine != other:
            yield Change(f"council.{each.name}", 1, (Example(-1, mine, other),))


def _ledger(a: Ledger, b: Ledger) -> Iterator[Change]:
    for payer in Account:
        for payee in Account:
            cells = a.flows.item(payer, payee), b.flows.item(payer, payee)
            if cells[0] != cells[1]:
                name = f"ledger: pence from {payer.name.lower()} to {payee.name.lower()}"
                yield Change(name, 1, (Example(-1, *cells),))
    for page, lines in _PAGES.items():
        for line in lines:
            cells = getattr(a, page).item(line), getattr(b, page).item(line)
            if cells[0] != cells[1]:
                yield Change(f"ledger.{page}: {line.name.lower()}", 1, (Example(-1, *cells),))
    if a.unpaid_price != b.unpaid_price:
        yield Change("ledger.unpaid_price", 1, (Example(-1, a.unpaid_price, b.unpaid_price),))


def _neighbourhoods(a: Place, b: Place) -> Iterator[Change]:
    mine, other = a.neighbourhoods, b.neighbourhoods
    for each in fields(type(mine)):
        left, right = getattr(mine, each.name), getattr(other, each.name)
        if left.shape != right.shape:
            yield Change(f"neighbourhoods.{each.name}: rows", 1, (Example(-1, len(left), len(right)),))
        elif len(rows := np.flatnonzero(apart(left, right))):
            shown = (Example(int(row), left[row].item(), right[row].item()) for row in rows[:SHOWN])
            yield Change(f"neighbourhoods.{each.name}", len(rows), tuple(shown))


# --- words ---


def _plain(parting: Parting | None) -> dict[str, Any] | None:
    if parting is None:
        return None
    changes = [
        {"what": each.what, "number": each.number, "examples": [example._asdict() for example in each.examples]}
        for each in parting.changes
    ]
    return {"month": parting.month, "process": parting.process, "changes": changes}


def _words(parting: Parting) -> str:
    when = f"month {parting.month}, {parting.process}" if parting.month else "before the first month"
    change = next((each for each in parting.changes if each.of_people), parting.changes[0])
    what = f"differs in {change.number:,} {'citizen' if change.number == 1 else 'citizens'}"
    if not change.of_people:
        what = f"is {change.examples[0].a} in a, {change.examples[0].b} in b"
    return f"{when}: {change.what} {what}"


def _table_of(changes: Sequence[Change]) -> Table:
    table = Table(header_style="dim", box=None, pad_edge=False)
    table.add_column("what differs right after it", no_wrap=True)
    table.add_column("in", justify="right")
    table.add_column("first few: a -> b")
    for change in changes[:MOST]:
        few = (
            f"{'' if each.identity < 0 else f'#{each.identity} '}{_value(each.a)} -> {_value(each.b)}"
            for each in change.examples
        )
        table.add_row(change.what, f"{change.number:,}", ", ".join(few))
    if len(changes) > MOST:
        table.add_row(f"and {len(changes) - MOST} more", "", "")
    return table


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _listed(words: Sequence[str], joint: str = ", ") -> str:
    more = f"{joint}and {len(words) - MOST} more" if len(words) > MOST else ""
    return joint.join(words[:MOST]) + more
