"""What a sweep runs: levels for some parameters, every combination of them, and each in the same worlds."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.explain import explain, keys_of
from carecommons.founding.profile import load as load_profile
from carecommons.founding.profile import table_of, text_of
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.params import Parameters
from carecommons.scenario import Scenario, keys, unknown_key

MOST_LEVELS: Final = 1_000
MOST_CELLS: Final = 10_000
MOST_RUNS: Final = 1_000_000
LARGEST_SEED: Final = 2**63 - 1
MAPS: Final = ("isolation", "funded")

_NUMBER: Final = r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?"
_RANGE: Final = re.compile(rf"\s*({_NUMBER})\s*:\s*({_NUMBER})\s*:\s*(\d{{1,9}})\s*")
_APART: Final = re.compile(r",(?![^\[]*\])")  # commas outside brackets

Levels = tuple[Any, ...]


@dataclass(frozen=True)
class Design:
    """A grid of cells, each run in the worlds `seed`, `seed + 1`, ...

    Replicate k of every cell lives in the same world, so that cells differ by their policy alone and not by their luck.
    `where` opens the error when a cell is not a possible scenario.
    """

    scenario: Scenario
    factors: Mapping[str, Levels]
    replicates: int = 10
    seed: int = 1
    title: str = ""
    outcomes: tuple[str, ...] = MAPS
    where: str = "scenario"
    cells: tuple[Mapping[str, Any], ...] = field(init=False)
    scenarios: tuple[Scenario, ...] = field(init=False)

    def __post_init__(self) -> None:
        _check_size(self.factors, self.replicates)
        _check_seeds(self.seed, self.replicates)
        check_outcomes(self.outcomes)
        cells = tuple(dict(zip(self.factors, levels, strict=True)) for levels in product(*self.factors.values()))
        own = self.scenario.flat()
        scenarios = tuple(Scenario.of({**own, **cell}, self.where) for cell in cells)
        for place in dict.fromkeys(scenario.place for scenario in scenarios):
            load_profile(place)
        object.__setattr__(self, "cells", cells)
        object.__setattr__(self, "scenarios", scenarios)

    @property
    def seeds(self) -> range:
        """The worlds, one a replicate."""
        return range(self.seed, self.seed + self.replicates)

    @property
    def own_cell(self) -> int | None:
        """Which cell is the scenario as it stands, if one is."""
        own = {key: self.scenario.get(key) for key in self.factors}
        return next((number for number, cell in enumerate(self.cells) if cell == own), None)

    @cached_property
    def digest(self) -> str:
        """A short hash of everything that decides the results."""
        return digest([[s.digest for s in self.scenarios], list(self.factors), [self.seed, self.replicates],
                       *sorted({load_profile(s.place).model_dump_json() for s in self.scenarios})])  # fmt: skip


def digest(parts: Any) -> str:
    """A short hash of plain values."""
    return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=8).hexdigest()


class Study(Parameters):
    """An experiment as a file holds it: a scenario, or the path of one, what to vary, and how often."""

    title: str = Field("", max_length=120)
    replicates: int = Field(10, ge=1, le=MOST_RUNS)
    seed: int = Field(1, ge=0, le=LARGEST_SEED)
    outcomes: tuple[str, ...] = Field(MAPS, min_length=1, max_length=12)
    scenario: dict[str, Any] | str = Field(default_factory=dict)  # a table, or a place or file as on the command line
    vary: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Study:
        """Read an experiment file."""
        where = one_line(path, limit=200)
        try:
            return cls(**table_of(text_of(path, where), where))
        except ValidationError as error:
            raise explain(error, where, keys_of(cls)) from None

    def base(self, path: Path) -> Scenario:
        """The scenario; a file is looked for beside the experiment's own."""
        if isinstance(self.scenario, dict):
            return Scenario.of(self.scenario, f"{one_line(path, limit=200)}: scenario")
        beside = path.parent / self.scenario
        return subject(str(beside) if beside.suffix else self.scenario)


def subject(text: str) -> Scenario:
    """The scenario that a word on the command line stands for: a shipped place, a scenario file or a place's file."""
    path = Path(text)
    if path.suffix.lower() != ".toml":
        scenario = Scenario(place=text)
        scenario.profile()
        return scenario
    where = one_line(path, limit=200)
    table = table_of(text_of(path, where), where)
    if is_study(table):
        raise InputError(f"{where}: is an experiment, which only 'sweep' runs")
    return Scenario(place=text) if "adults_by_age" in table else Scenario.of(table, where)


def is_study(table: Mapping[str, Any]) -> bool:
    """Whether the content of a file is an experiment rather than a scenario."""
    return "vary" in table or "scenario" in table


def changed(scenario: Scenario, texts: Sequence[str], where: str = "--set") -> Scenario:
    """The scenario changed by texts such as `council.funding=0.9`."""
    changes = parse_set(texts, where)
    return Scenario.of({**scenario.flat(), **changes}, where) if changes else scenario


def sized(scenario: Scenario, months: int | None, citizens: int | None) -> Scenario:
    """The scenario of so many months and citizens, where they are given."""
    for key, value in (("months", months), ("citizens", citizens)):
        if value is not None:
            scenario = Scenario.of({**scenario.flat(), key: value}, f"--{key}")
    return scenario


def plan(text: str, varies: Sequence[str], sets: Sequence[str] = (), months: int | None = None,
         citizens: int | None = None, replicates: int | None = None, seed: int | None = None,
         outcomes: Sequence[str] = ()) -> Design:  # fmt: skip
    """The design that a command line asks for: a place, a scenario's file or an experiment's, and changes to it."""
    path, factors = Path(text), parse_vary(varies)
    where = one_line(path, limit=200)
    if path.suffix.lower() == ".toml" and is_study(table_of(text_of(path, where), where)):
        study = Study.load(path)
        base = study.base(path)
        factors = {**levels_of(study.vary, f"{where}: vary"), **factors}
        check_outcomes(study.outcomes, f"{where}: outcomes")
    else:
        study, base = Study.model_validate({"vary": {}}), subject(text)
    if not factors:
        raise InputError("sweep: nothing to vary; give --vary key=from:to:levels")
    given = [*parse_set(sets), *(key for key, n in (("months", months), ("citizens", citizens)) if n is not None)]
    for key in given:
        if key in factors:
            raise InputError(f"sweep: '{key}' is both set and varied")
    check_outcomes(outcomes, "--outcome")
    return Design(
        sized(changed(base, sets), months, citizens), factors,
        study.replicates if replicates is None else replicates, study.seed if seed is None else seed,
        study.title, tuple(dict.fromkeys(outcomes)) or study.outcomes, "--vary" if varies else where,
    )  # fmt: skip


def levels_of(factors: Mapping[str, Any], where: str = "vary") -> dict[str, Levels]:
    """The levels of each factor: a list of values, or "from:to:levels" as on the command line.

    A table in a table counts as a dotted key, since `council.funding = ...` means that in TOML.
    """
    return {key: _levels(key, given, where) for key, given in _flat(factors)}


def parse_vary(texts: Sequence[str], where: str = "--vary") -> dict[str, Levels]:
    """Factors from texts such as `council.funding=0.7:1.3:7` or `assessment.stance=deficit,carer_blind`."""
    found: dict[str, Any] = {}
    for key, value in _assignments(texts, where, "key=from:to:levels or key=value,value"):
        found[key] = value
    return levels_of(found, where)


def parse_set(texts: Sequence[str], where: str = "--set") -> dict[str, Any]:
    """Changes from texts such as `council.funding=0.9`."""
    found = {}
    for key, value in _assignments(texts, where, "key=value"):
        if key not in keys():
            raise unknown_key(key, where)
        found[key] = _literal(value)
    return found


def check_outcomes(names: Iterable[str], where: str = "outcomes") -> None:
    """Refuse a name that no outcome has."""
    for name in names:
        if name not in BY_NAME:
            raise InputError(f"{where}: no outcome '{one_line(name)}'{did_you_mean(name, BY_NAME)}")


def _assignments(texts: Sequence[str], where: str, form: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals and value):
            raise InputError(f"{where} {one_line(text)!r}: must be {form}")
        if key in found:
            raise InputError(f"{where}: '{one_line(key)}' is given twice")
        found[key] = value
    return list(found.items())


def _flat(factors: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in factors.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _levels(key: str, given: Any, where: str) -> Levels:
    if key not in keys():
        raise unknown_key(key, where)
    if key == "name":
        raise InputError(f"{where}: 'name' changes nothing and cannot be varied")
    if isinstance(given, str):
        between = _RANGE.fullmatch(given)
        values = _spread(key, between, where) if between else _listed(key, given, where)
    elif isinstance(given, Iterable):
        values = list(given)
    else:
        raise InputError(f"{where}: {key} = {one_line(given)} must be a list of levels or 'from:to:levels'")
    if not 1 <= len(values) <= MOST_LEVELS:
        raise InputError(f"{where}: {key} has {len(values)} levels, must have 1 to {MOST_LEVELS}")
    values = [_plain(value, _kind(key)) for value in values]
    if any(value in values[:place] for place, value in enumerate(values)):
        raise InputError(f"{where}: {key} has the same level twice: {one_line(values)}")
    return tuple(values)


def _spread(key: str, between: re.Match[str], where: str) -> list[Any]:
    """So many values from low to high, both included, each the nearest number to the exact fraction."""
    low, high, levels = between.groups()
    kind, count = _kind(key), int(levels)
    start, end = Fraction(low), Fraction(high)
    if kind not in (int, float):
        raise InputError(f"{where}: {key} is not a number, list its values: {key}=a,b")
    if not 1 <= count <= MOST_LEVELS:
        raise InputError(f"{where}: {key} has {levels} levels, must have 1 to {MOST_LEVELS}")
    if count == 1 and start != end:
        raise InputError(f"{where}: {key} has 1 level from {low} to {high}, must have at least 2")
    exact = [start + (end - start) * step / max(count - 1, 1) for step in range(count)]
    if kind is float:
        return [float(value) for value in exact]
    if any(value.denominator != 1 for value in exact):
        raise InputError(f"{where}: {key} takes whole numbers, and {low}:{high}:{levels} has others between")
    return [int(value) for value in exact]


def _listed(key: str, text: str, where: str) -> list[Any]:
    parts = [part.strip() for part in _APART.split(text)]
    if any(not part for part in parts):
        raise InputError(f"{where}: {key} = {one_line(text)!r} has an empty level")
    return [_literal(part) for part in parts]


def _literal(text: str) -> Any:
    """A number, true, false or a list as TOML writes it; anything else is a word."""
    if re.fullmatch(_NUMBER, text) and "." in text:
        return float(text)
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # TOMLDecodeError is a ValueError
        return text
    return read["value"] if list(read) == ["value"] else text


def _plain(value: Any, kind: Any) -> Any:
    """A level as the scenario will hold it: numbers out of numpy arrays are plain numbers, lists are tuples."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, list | tuple):
        return tuple(_plain(part, float) for part in value)
    return float(value) if kind is float and isinstance(value, int) and not isinstance(value, bool) else value


def _kind(key: str) -> Any:
    section, _, name = key.rpartition(".")
    owner = type(Scenario.model_fields[section].default) if section else Scenario
    return owner.model_fields[name].annotation


def _check_size(factors: Mapping[str, Levels], replicates: int) -> None:
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < 1:
        raise InputError(f"replicates = {one_line(replicates)} must be a whole number of at least 1")
    cells = 1
    for levels in factors.values():
        cells *= len(levels)
    if cells > MOST_CELLS:
        raise InputError(f"the design has {cells:,} cells, must have at most {MOST_CELLS:,}")
    if cells * replicates > MOST_RUNS:
        raise InputError(f"the design has {cells * replicates:,} runs, must have at most {MOST_RUNS:,}")


def _check_seeds(seed: int, replicates: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED - replicates + 1:
        raise InputError(
            f"seed = {one_line(seed)} must be a whole number from 0 to 2**63 - 1, {replicates} worlds included"
        )
