"""The month, in order: a tuple of processes that you can print, and add to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from carecommons.errors import InputError, did_you_mean
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.processes.asking import Asking
from carecommons.processes.assessment import Assessment
from carecommons.processes.charging import Charging
from carecommons.processes.council import Council
from carecommons.processes.enterprises import Enterprises
from carecommons.processes.groups import Groups
from carecommons.processes.informal_care import InformalCare
from carecommons.processes.need import Need
from carecommons.processes.pairing import Pairing
from carecommons.processes.process import Process
from carecommons.processes.provision import Provision
from carecommons.processes.ties import Ties
from carecommons.processes.turnover import Turnover
from carecommons.processes.wellbeing import Wellbeing

Entry = type[Process] | Process


@dataclass(frozen=True)
class Cycle:
    """Processes in the order in which a month runs them; a class stands for the scenario's own process of that name."""

    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def before(self, where: str | Entry, new: Entry) -> Cycle:
        """The cycle with `new` just before `where`."""
        k = self._place_of(where)
        return Cycle((*self.entries[:k], new, *self.entries[k:]))

    def after(self, where: str | Entry, new: Entry) -> Cycle:
        """The cycle with `new` just after `where`."""
        k = self._place_of(where) + 1
        return Cycle((*self.entries[:k], new, *self.entries[k:]))

    def without(self, where: str | Entry) -> Cycle:
        """The cycle less `where`."""
        k = self._place_of(where)
        return Cycle((*self.entries[:k], *self.entries[k + 1 :]))

    def _place_of(self, where: str | Entry) -> int:
        names = [entry.section() for entry in self.entries]
        name = where if isinstance(where, str) else where.section()
        if name not in names:
            raise InputError(f"no process '{name}' in the cycle{did_you_mean(name, names)}")
        return names.index(name)

    def __repr__(self) -> str:
        return " > ".join(entry.section() for entry in self.entries)


CYCLE = Cycle(
    (
        Turnover,
        Pairing,
        Need,
        Ties,
        Groups,
        InformalCare,
        Asking,
        Council,
        Assessment,
        Charging,
        Enterprises,
        Provision,
        Wellbeing,
    )
)


def pass_month(place: Place, processes: Iterable[Process], seed: int) -> None:
    """Take a place through one month in the world of `seed`: every process that is on, one after the other."""
    place.month += 1
    place.ledger.open_month()
    luck = Luck(seed, place.month)
    for process in processes:
        if not process.off:
            process.step(place, luck)
