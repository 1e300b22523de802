"""A scenario: one place, so many citizens, so many months, and every number that the model uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.explain import explain, keys_of
from carecommons.founding.homes import Homes
from carecommons.founding.people import People
from carecommons.founding.profile import Profile, load
from carecommons.founding.reading import table_of, text_of
from carecommons.founding.society import Society
from carecommons.params import FIXED, A, Parameter, Parameters, param
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

HERE = "scenario"


class Scenario(Parameters):
    """What is simulated. Frozen: `but` gives a changed copy, checked like the first."""

    name: str = Field("", max_length=80, description="a name for tables and pictures")
    place: str = Field("england", max_length=400, description="a shipped place, or a .toml or .csv file of your own")
    citizens: int = param(
        10_000, "adults simulated; budgets and supply are per head, so they stand for the whole place", unit="adults",
        low=0,
        high=60_000_000, role=FIXED, source="choice of the user", grade=A,
    )  # fmt: skip
    months: int = param(
        120, "months simulated", unit="months", low=0, high=1200, role=FIXED, source="choice of the user", grade=A
    )
    people: People = People()
    homes: Homes = Homes()
    society: Society = Society()
    turnover: Turnover = Turnover()
    pairing: Pairing = Pairing()
    need: Need = Need()
    ties: Ties = Ties()
    groups: Groups = Groups()
    informal_care: InformalCare = InformalCare()
    asking: Asking = Asking()
    council: Council = Council()
    assessment: Assessment = Assessment()
    charging: Charging = Charging()
    enterprises: Enterprises = Enterprises()
    provision: Provision = Provision()
    wellbeing: Wellbeing = Wellbeing()

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise explain(error, HERE, allowed()) from None

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str = HERE) -> Self:
        """A scenario from nested tables or dotted keys; `where` opens every error."""
        nested = _nested(values, where)
        try:
            return cls(**nested)
        except InputError as error:
            raise InputError(where + str(error).removeprefix(HERE)) from None

    def but(self, changes: Mapping[str, Any] | None = None, /, **more: Any) -> Self:
        """This scenario with other values under dotted keys, such as {"council.funding": 0.85}."""
        return type(self).of({**self.flat(), **(changes or {}), **more})

    def flat(self) -> dict[str, Any]:
        """Every value under its dotted key."""
        return dict(_walk(self.model_dump()))

    def get(self, key: str) -> Any:
        """The value under a dotted key."""
        values = self.flat()
        if key not in values:
            raise unknown_key(key)
        return values[key]

    def changes(self) -> dict[str, Any]:
        """What differs from the defaults, under dotted keys."""
        default = type(self)().flat()
        return {key: value for key, value in self.flat().items() if default[key] != value}

    @cached_property
    def digest(self) -> str:
        """A short hash of every value: equal for equal scenarios, however they were written."""
        text = json.dumps({k: v for k, v in self.flat().items() if k != "name"}, sort_keys=True)
        return blake2b(text.encode(), digest_size=8).hexdigest()

    def profile(self) -> Profile:
        """The published figures of the place."""
        return load(self.place)

    def placed(self, where: str = HERE) -> Self:
        """This scenario, if its place can be read; else an InputError that opens with `where`."""
        try:
            self.profile()
        except InputError as error:
            raise InputError(f"{where}: place: {error}") from None
        return self

    def orderly(self, where: str = HERE) -> Self:
        """This scenario, if its thresholds stand in order; else an InputError that opens with `where`.

        It is asked of what people write. A design may take either limit over its whole range: a lower one above the
        upper does what one at the upper does.
        """
        lower, upper = self.charging.lower_limit, self.charging.upper_limit
        if lower > upper:
            raise InputError(f"{where}: charging.lower_limit = {lower:,g} is above charging.upper_limit = {upper:,g}, "
                             "must be at most that")  # fmt: skip
        return self

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a scenario from a TOML file; what it leaves out has its default."""
        where = one_line(path, limit=200)
        return cls.of(table_of(text_of(Path(path), where), where), where).placed(where).orderly(where)

    def to_toml(self, *, everything: bool = False) -> str:
        """The scenario as TOML: what differs from the defaults, or everything."""
        values = self.flat() if everything else {"place": self.place, **self.changes()}
        top = {k: v for k, v in values.items() if "." not in k}
        lines = [f"{k} = {_toml(v)}" for k, v in top.items()]
        for section in dict.fromkeys(k.split(".")[0] for k in values if "." in k):
            lines += ["", f"[{section}]"]
            lines += [f"{k.split('.', 1)[1]} = {_toml(v)}" for k, v in values.items() if k.startswith(f"{section}.")]
        return "\n".join(lines) + "\n"

    def settle(self, place: Place, seed: int, *, as_woven: bool = True) -> Place:
        """Make a place that was laid out ready for its first month, by the processes' own parameters."""
        luck = Luck(seed)
        self.need.settle(place, luck, self.turnover.mortality_by_need)
        self.groups.settle(place, luck)
        self.enterprises.settle(place, luck)
        self.ties.settle(place, luck, as_woven=as_woven)
        self.assessment.settle(place, luck)
        self.council.settle(place)
        self.wellbeing.step(place, luck)
        return place

    def process(self, kind: type[Process]) -> Process:
        """The scenario's own process of that class."""
        return getattr(self, kind.section())


def expect(value: object, where: str) -> Scenario:
    """`value`, if it is a scenario; else an InputError that opens with `where` and says how to make one."""
    if isinstance(value, Scenario):
        return value
    place = repr(value) if isinstance(value, str) else "'derby'"
    raise InputError(f"{where}: {one_line(repr(value))} must be a Scenario, such as Scenario(place={one_line(place)})")


def register() -> list[Parameter]:
    """Every parameter with unit, range, role, source and grade, in the order of the month."""
    found = list(Scenario.parameters())
    for name, field in Scenario.model_fields.items():
        if isinstance(field.default, Parameters):
            found += field.default.parameters(f"{name}.")
    return found


@cache
def keys() -> tuple[str, ...]:
    """All dotted keys of a scenario."""
    return tuple(Scenario.model_construct().flat())


@cache
def allowed() -> Mapping[str, str]:
    """What each dotted key may be, such as 'from 0 to 1200 months'; nothing where its kind says it."""
    said = keys_of(Scenario)
    return {key: said[key] for key in keys()}


def unknown_key(key: str, where: str = HERE) -> InputError:
    """The error for a key that no scenario has."""
    return InputError(f"{where}: unknown key '{one_line(key)}'{did_you_mean(key, keys())}")


def _walk(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _walk(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _nested(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = str(key).split(".")
        table = out
        for part in path:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise InputError(f"{where}: '{one_line(key)}' is given both as a value and as a table")
        if isinstance(value, Mapping) and isinstance(table.get(last), dict):
            table[last] |= value
        else:
            table[last] = dict(value) if isinstance(value, Mapping) else value
    return out


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_toml(v) for v in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # as TOML wants it
    return repr(value)


def vary(scenario: Scenario, factors: Mapping[str, Iterable[Any]]) -> list[Scenario]:
    """All combinations of the factors' levels, the last factor running fastest."""
    cells = [scenario]
    for key, levels in factors.items():
        cells = [cell.but({key: level}) for cell in cells for level in levels]
    return cells
