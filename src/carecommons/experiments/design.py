"""What a sweep runs: cells that each set some parameters, checked before the first run, and all in the same worlds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import product
from math import prod
from typing import Any, Final, Self

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments.estimate import LAST
from carecommons.experiments.levels import Levels, levels_of, plain
from carecommons.experiments.sampling import Axis, Sample
from carecommons.founding.profile import load as load_profile
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario, unknown_key

MOST_CELLS: Final = 10_000
MOST_RUNS: Final = 1_000_000
LARGEST_SEED: Final = 2**63 - 1
MAPS: Final = ("isolation", "funded")

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Block:
    """Some factors and the levels that they take together; a design crosses its blocks, the last running fastest."""

    cells: tuple[Cell, ...]
    method: Mapping[str, Any]  # {"kind": "grid", "zip", or a sample's method, and what it was made from}

    @classmethod
    def grid(cls, factors: Mapping[str, Levels]) -> Self:
        """Every combination of levels, the last factor running fastest."""
        _check_cells(prod(len(levels) for levels in factors.values()))
        cells = tuple(dict(zip(factors, levels, strict=True)) for levels in product(*factors.values()))
        return cls(cells, {"kind": "grid", "keys": list(factors)})

    @classmethod
    def zip(cls, factors: Mapping[str, Levels], where: str = "--zip") -> Self:
        """The first level of every factor, then the second of every factor, and so on."""
        counts = {key: len(levels) for key, levels in factors.items()}
        if len(dict.fromkeys(counts.values())) > 1:
            held = ", ".join(f"{key} has {count}" for key, count in counts.items())
            raise InputError(f"{where}: factors varied together must have as many levels each: {one_line(held, 160)}")
        cells = tuple(dict(zip(factors, levels, strict=True)) for levels in zip(*factors.values(), strict=True))
        return cls(cells, {"kind": "zip", "keys": list(factors)})

    @classmethod
    def sample(cls, sample: Sample, axes: Sequence[Axis], where: str = "--sample") -> Self:
        """Points spread over the axes."""
        return cls(sample.cells(axes, where), sample.record(axes))


@dataclass(frozen=True)
class Design:
    """Cells, each run in the worlds `seed`, `seed + 1`, ...

    Replicate k of every cell lives in the same world, so that cells differ by their policy alone and not by their luck.
    Every cell sets the same keys. Where no cells are given they are all combinations of the factors' levels; else
    `factors` are the levels that occur in them. `where` opens the error when a cell is not a possible scenario, and
    `method` says in plain values how the cells came.
    """

    scenario: Scenario
    factors: Mapping[str, Levels] = field(default_factory=dict)
    replicates: int = 10
    seed: int = 1
    title: str = ""
    outcomes: tuple[str, ...] = MAPS
    where: str = field(default="scenario", compare=False)
    cells: tuple[Cell, ...] = ()
    method: Mapping[str, Any] = field(default_factory=dict)
    checked: InitVar[bool] = True

    def __post_init__(self, checked: bool) -> None:
        _check_replicates(self.replicates)
        _check_seeds(self.seed, self.replicates)
        check_outcomes(self.outcomes)
        if not self.cells:
            block = Block.grid(self.factors)
            object.__setattr__(self, "cells", block.cells)
            object.__setattr__(self, "method", {"blocks": [dict(block.method)]})
        _check_cells(len(self.cells), self.replicates)
        names = tuple(self.cells[0])
        for number, cell in enumerate(self.cells):
            if tuple(cell) != names:
                raise InputError(f"{self.where}: cell {number} must set the same keys as the first: {one_line(names)}")
        if checked:
            for place in dict.fromkeys(scenario.place for scenario in self.scenarios):
                load_profile(place)
        occurring = {key: tuple(dict.fromkeys(cell[key] for cell in self.cells)) for key in names}
        object.__setattr__(self, "factors", occurring)

    @classmethod
    def of(cls, scenario: Scenario, blocks: Sequence[Block], **more: Any) -> Self:
        """The blocks' cells crossed, the last block running fastest; `more` are the design's other fields."""
        where = more.get("where", "scenario")
        _check_cells(prod(len(block.cells) for block in blocks))
        names = [key for block in blocks for key in (block.cells[0] if block.cells else ())]
        for key in names:
            if names.count(key) > 1:
                raise InputError(f"{where}: '{one_line(key)}' is varied twice")
        cells = tuple({k: v for part in parts for k, v in part.items()}
                      for parts in product(*(block.cells for block in blocks)))  # fmt: skip
        return cls(scenario, cells=cells, method={"blocks": [dict(block.method) for block in blocks]}, **more)

    @classmethod
    def grid(cls, scenario: Scenario, factors: Mapping[str, Any], **more: Any) -> Self:
        """Every combination of the factors' levels, the last factor running fastest."""
        return cls.of(scenario, [Block.grid(levels_of(factors, more.get("where", "factors")))], **more)

    @classmethod
    def zip_(cls, scenario: Scenario, factors: Mapping[str, Any], **more: Any) -> Self:
        """Factors varied together: the first level of each, then the second of each, and so on."""
        where = more.get("where", "factors")
        return cls.of(scenario, [Block.zip(levels_of(factors, where, again=True), where)], **more)

    @classmethod
    def sampled(cls, scenario: Scenario, sample: Sample, axes: Sequence[Axis], across: Mapping[str, Any] | None = None,
                **more: Any) -> Self:  # fmt: skip
        """Points spread over the axes, crossed with every combination of the levels `across`."""
        where = more.get("where", "factors")
        grid = [Block.grid(levels_of(across, where))] if across else []
        return cls.of(scenario, [*grid, Block.sample(sample, axes, where)], **more)

    @classmethod
    def joined(cls, scenario: Scenario, parts: Mapping[str, tuple[Mapping[str, Any], Sequence[Block]]],
               **more: Any) -> Self:  # fmt: skip
        """Several designs over one scenario: by name, what each sets and the blocks that it crosses.

        A key that a part leaves alone has the scenario's own value there. A cell that an earlier part has is not run
        again; the method says which cells are whose.
        """
        own = scenario.flat()
        _check_cells(sum(prod(len(block.cells) for block in blocks) for _, blocks in parts.values()))
        designs = {
            name: cls.of(scenario, [Block.zip({k: (v,) for k, v in sets.items()}), *blocks] if sets else blocks, **more)
            for name, (sets, blocks) in parts.items()
        }
        names = list(dict.fromkeys(key for design in designs.values() for key in design.cells[0]))
        places: dict[tuple[Any, ...], int] = {}
        records = []
        for name, design in designs.items():
            rows = (tuple(cell.get(key, own[key]) for key in names) for cell in design.cells)
            mine = list(dict.fromkeys(places.setdefault(row, len(places)) for row in rows))
            records.append({"name": name, "blocks": design.method["blocks"], "cells": mine})
        cells = tuple(dict(zip(names, row, strict=True)) for row in places)
        return cls(scenario, cells=cells, method={"parts": records}, **more)

    @classmethod
    def from_record(cls, record: Mapping[str, Any], where: str = "the stored design") -> Self:
        """The design that `record` gave, without a look at any file.

        Raises `InputError` when the scenario has other parameters now.
        """
        return cls(
            Scenario.of(record["scenario"], where), {}, record["replicates"], record["seed"], record["title"],
            tuple(record["outcomes"]), where, tuple({k: plain(v, str) for k, v in c.items()} for c in record["cells"]),
            record["method"], checked=False,
        )  # fmt: skip

    def record(self) -> dict[str, Any]:
        """The design as plain values, from which `from_record` makes it again."""
        return {
            "kind": "sweep",
            "title": self.title,
            "method": dict(self.method),
            "factors": {key: [_listed(level) for level in levels] for key, levels in self.factors.items()},
            "cells": [{key: _listed(level) for key, level in cell.items()} for cell in self.cells],
            "seed": self.seed,
            "replicates": self.replicates,
            "outcomes": list(self.outcomes),
            "scenario": {key: _listed(value) for key, value in self.scenario.flat().items()},
            "last": LAST,
        }

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenario of each cell."""
        return tuple(scenarios_of(self.scenario, self.cells, self.where))

    @property
    def seeds(self) -> range:
        """The worlds, one a replicate."""
        return range(self.seed, self.seed + self.replicates)

    @property
    def own_cell(self) -> int | None:
        """Which cell is the scenario as it stands, if one is."""
        flat = self.scenario.flat()
        own = {key: flat[key] for key in self.factors}
        return next((number for number, cell in enumerate(self.cells) if cell == own), None)

    @cached_property
    def digest(self) -> str:
        """A short hash of everything that decides the results; it looks at the places' files."""
        varied = self.cells[0]
        held = {key: value for key, value in self.scenario.flat().items() if key != "name" and key not in varied}
        places = dict.fromkeys(cell.get("place", self.scenario.place) for cell in self.cells)
        return digest([held, [list(cell.items()) for cell in self.cells], [self.seed, self.replicates],
                       *sorted(load_profile(place).model_dump_json() for place in places)])  # fmt: skip


def scenarios_of(base: Scenario, cells: Iterable[Cell], where: str) -> Iterator[Scenario]:
    """The scenario changed by each cell, as `Scenario.of` gives it, at a fraction of the time.

    Only sections that a cell changes are checked anew, and each set of changes to a section once; the scenario itself
    is always checked.
    """
    own = {name: getattr(base, name) for name in type(base).model_fields}
    flat = base.flat()
    held: dict[str, dict[str, Any]] = {}
    made: dict[tuple[Any, ...], Any] = {}
    for cell in cells:
        if any(key not in flat for key in cell):
            raise unknown_key(next(key for key in cell if key not in flat), where)
        changes: dict[str, dict[str, Any]] = {}
        for key, value in cell.items():
            section, _, name = key.rpartition(".")
            changes.setdefault(section, {})[name] = value
        values = {**own, **changes.pop("", {})}
        try:
            for section, change in changes.items():
                mark = (section, *((name, type(value), value) for name, value in change.items()))
                if mark not in made:
                    if section not in held:
                        held[section] = own[section].model_dump()
                    made[mark] = type(own[section]).model_validate({**held[section], **change})
                values[section] = made[mark]
            found = type(base)(**values)
        except (ValueError, TypeError, InputError):  # said again in the words of the whole scenario
            found = Scenario.of({**flat, **cell}, where)
        yield found


def digest(parts: Any) -> str:
    """A short hash of plain values."""
    return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=8).hexdigest()


def check_outcomes(names: Iterable[str], where: str = "outcomes") -> None:
    """Refuse a name that no outcome has."""
    for name in names:
        if name not in BY_NAME:
            raise InputError(f"{where}: no outcome '{one_line(name)}'{did_you_mean(name, BY_NAME)}")


def _listed(value: Any) -> Any:
    """A value as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


def _check_replicates(replicates: int) -> None:
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < 1:
        raise InputError(f"replicates = {one_line(replicates)} must be a whole number of at least 1")


def _check_cells(cells: int, replicates: int = 1) -> None:
    if cells > MOST_CELLS:
        raise InputError(f"the design has {cells:,} cells, must have at most {MOST_CELLS:,}")
    if not cells:
        raise InputError("the design has no cell")
    if cells * replicates > MOST_RUNS:
        raise InputError(f"the design has {cells * replicates:,} runs, must have at most {MOST_RUNS:,}")


def _check_seeds(seed: int, replicates: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED - replicates + 1:
        raise InputError(
            f"seed = {one_line(seed)} must be a whole number from 0 to 2**63 - 1, {replicates} worlds included"
        )
