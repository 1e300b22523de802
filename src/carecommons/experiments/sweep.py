"""Run a scenario at all levels of some parameters, each cell in the same worlds, and say how sure the means are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments import check, show, tables
from carecommons.experiments.campaign import carry_out, chosen, identity, nothing, shard_folder, workers, writing
from carecommons.experiments.components import Components, split
from carecommons.experiments.design import MAPS, Design, check_outcomes
from carecommons.experiments.engines import Engine, check_engine, check_jobs, shard
from carecommons.experiments.estimate import Estimate, estimate, last_year
from carecommons.experiments.kept import Kept
from carecommons.experiments.levels import levels_of
from carecommons.experiments.ranking import Ranks, ranks
from carecommons.experiments.sampling import Sample
from carecommons.experiments.store.database import DONE, Store
from carecommons.experiments.store.publish import publish
from carecommons.experiments.task import Task, key_of, tasks_of
from carecommons.guests.rich import Group
from carecommons.kernels.arrays import F64
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.outcomes.outcome import Good
from carecommons.scenario import Scenario

NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Sweep(Kept):
    """The results of a design, read from the store that holds them.

    A run counts with its mean over the last twelve months. Intervals are Student's t, 95%, over replicates; months and
    replicates in which an outcome is a mean over nobody, and runs that failed or are still missing, are left out.
    """

    design: Design
    store: Store
    subjects: tuple[str, ...]  # of the cells, as the store knows them

    @classmethod
    def of(cls, store: Store) -> Self:
        """The sweep that a store holds, by its newest design."""
        record = store.designs()[-1]
        return cls(Design.from_record(record, str(store.folder)), store, tuple(record["subjects"]))

    @cached_property
    def values(self) -> Mapping[str, list[list[float]]]:
        """By outcome, what each run counts with (cells, replicates); NaN where a run is missing."""
        known = {key for key, status in self.store.status().items() if status == DONE}
        ends = [[self._end(key) if key in known else None for key in cell] for cell in self._keys]
        return {name: [[NAN if run is None else run[k] for run in runs] for runs in ends]
                for k, name in enumerate(BY_NAME)}  # fmt: skip

    @property
    def keys(self) -> tuple[str, ...]:
        """The runs of the design, cell by cell."""
        return tuple(key for cell in self._keys for key in cell)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of these numbers, in words: what they lack, and what the folder holds that they leave out."""
        done = [run for run in self.store.runs() if run.status == DONE]
        mine = {*self.keys}
        if all(run.key in mine for run in done):
            return self.lacking
        worlds, cells = {run.seed for run in done}, {run.subject for run in done}
        own = f"{len(worlds & {*self.design.seeds})} of {len(worlds)} worlds"
        return (*self.lacking, f"by the newest design alone: {own} and {len(cells & {*self.subjects})} of {len(cells)} "
                "cells kept here")  # fmt: skip

    def series_of(self, cell: int, replicate: int) -> F64:
        """One run's series (months, outcomes)."""
        found: F64 = self.store.answer(key_of(self.subjects[cell], self.design.seeds[replicate]))["series"]
        return found

    def cell(self, levels: Mapping[str, Any] | None = None, /, **more: Any) -> pd.DataFrame:
        """One cell: a row an outcome, with unit, mean, low, high and n; the cell is named by its levels."""
        number = self._number({**(levels or {}), **more})
        rows = [(name, BY_NAME[name].unit, *self.estimates(name)[number]) for name in BY_NAME]
        return pd.DataFrame(rows, columns=["outcome", "unit", *Estimate._fields]).set_index("outcome")

    def estimates(self, outcome: str, *, per: int | None = None) -> list[Estimate]:
        """Mean and interval of an outcome in each cell; counts for so many adults with `per`."""
        return [estimate(values) for values in self._per(outcome, per)]

    def changes(self, outcome: str, *, per: int | None = None) -> list[Estimate] | None:
        """Mean and interval of each cell less the scenario's own, pair by pair; None when the grid lacks that cell."""
        own = self.design.own_cell
        if own is None:
            return None
        values = self._per(outcome, per)
        return [estimate([b - a for a, b in zip(values[own], each, strict=True)]) for each in values]

    def table(self, outcome: str = MAPS[0]) -> pd.DataFrame:
        """The means of one outcome: the last factor down, the others across."""
        *across, down = list(self.design.factors) or ["cell"]
        means = pd.DataFrame([{"cell": 0, **_written(levels)} for levels in self.design.cells])
        means[outcome] = [each.mean for each in self.estimates(outcome)]
        return means.pivot(index=down, columns=across, values=outcome) if across else means.set_index(down)[[outcome]]

    def components(self, outcome: str) -> Components:
        """The outcome's variance split into what parameters, scenarios, their interplay and luck add.

        In a sample crossed with a grid the points of the sample are the parameters' draws and the grid's cells the
        scenarios; in any other design the cells are the draws. All share their worlds.
        """
        check_outcomes([outcome])
        table = np.array(self._alike(outcome))
        lacking = int(np.isnan(table).sum())
        if lacking:
            why = " and ".join(self.lacking) or "take an outcome that every run has, this is a mean over nobody there"
            raise InputError(f"variance: {outcome} has no value in {lacking:,} of {table.size:,} runs; {why}")
        blocks, size = self.design.method.get("blocks", ()), 1
        if blocks and "over" in blocks[-1]:
            last = blocks[-1]
            sample = Sample(last["kind"], last["size"], second_order=last.get("second_order", False))
            size = len(self.design.cells) // sample.count(len(last["over"]))
        draws = table.reshape(size, -1, self.design.replicates).transpose(1, 0, 2)
        if len(draws) < 2 or self.design.replicates < 2:
            raise InputError(f"variance: {len(draws)} draws of the parameters and {self.design.replicates} replicates, "
                             "must be at least 2 of each; sweep more levels, or more replicates (-r)")  # fmt: skip
        return split(draws, "all")

    def ranks(self, outcome: str, good: Good | None = None) -> Ranks:
        """The cells from the best to the worst, and how stable that order is in worlds drawn anew.

        `good` is "up" or "down", by default the outcome's own good direction; InputError where it has none.
        """
        check_outcomes([outcome])
        good = good or BY_NAME[outcome].good
        if good == "neither":
            able = ", ".join(name for name, each in BY_NAME.items() if each.good != "neither")
            raise InputError(f"ranks: neither direction of {outcome} is good in itself; say which one is, with good "
                             f"(--good) up or down, or rank by one of {able}")  # fmt: skip
        values = dict(zip(_names(self.design.cells), self._alike(outcome), strict=True))
        if self.lacking and np.isnan(list(values.values())).any(axis=0).all():
            raise InputError(f"ranks: there is no world in which every cell has a value; {' and '.join(self.lacking)}")
        return ranks(values, good)

    def plot(self, outcome: str = MAPS[0], path: str | Path | None = None) -> Any:
        """A matplotlib figure of one outcome over one or two factors, also written to `path` if given."""
        # Drawing stands a floor above and is looked up only when asked for: a sweep needs no matplotlib.
        return import_module("carecommons.analysis.plots").sweep_picture(self, outcome, path)

    def more_tables(self) -> dict[str, bytes]:
        """The files that only a sweep has: its scenario, with every value."""
        return {"scenario.toml": self.design.scenario.to_toml(everything=True).encode()}

    def records(self) -> list[dict[str, Any]]:
        """Every cell as plain values, for JSON."""
        every = {name: self.estimates(name) for name in BY_NAME}
        return [
            {"levels": levels, "outcomes": {name: each[cell]._asdict() for name, each in every.items()}}
            for cell, levels in enumerate(self.design.cells)
        ]

    def __rich__(self) -> Group:
        return show.sweep_tables(self)

    def __repr__(self) -> str:
        d = self.design
        grid = " x ".join(f"{key} ({len(levels)})" for key, levels in d.factors.items())
        return f"Sweep of {d.scenario.place}: {grid or 'one cell'}, {len(d.cells)} cells, {d.replicates} replicates"

    def _repr_html_(self) -> str:
        return show.html(self)

    @cached_property
    def _keys(self) -> list[list[str]]:
        """What each run is known by (cells, replicates)."""
        return [[key_of(subject, seed) for seed in self.design.seeds] for subject in self.subjects]

    def _end(self, key: str) -> list[float]:
        return last_year(self.store.answer(key)["series"])

    def _alike(self, outcome: str) -> list[list[float]]:
        """By cell what each run counts with; a count is for so many adults where cells differ in how many there are."""
        return self._per(outcome, show.per_of(outcome) if "citizens" in self.design.factors else None)

    def _per(self, outcome: str, per: int | None) -> list[list[float]]:
        check_outcomes([outcome])
        if per is None:
            return self.values[outcome]
        pairs = zip(self.values[outcome], self.values["people"], strict=True)
        return [[per * x / n if n else NAN for x, n in zip(*each, strict=True)] for each in pairs]

    def _number(self, levels: Mapping[str, Any]) -> int:
        factors = self.design.factors
        for key in levels:
            if key not in factors:
                raise InputError(f"cell: '{one_line(key)}' was not varied{did_you_mean(key, factors)}")
        found = [
            k for k, cell in enumerate(self.design.cells) if all(cell[key] == value for key, value in levels.items())
        ]
        if len(found) != 1:
            held = "; ".join(f"{key}: {', '.join(map(str, values))}" for key, values in factors.items())
            raise InputError(f"cell: {one_line(dict(levels))} is {len(found) or 'no'} cells, must be one ({held})")
        return found[0]


def sweep(
    what: Scenario | Design,
    factors: Mapping[str, Iterable[Any] | str] | None = None,
    *,
    replicates: int = 10,
    jobs: int = 1,
    seed: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = False,
    title: str = "",
    engine: Engine | None = None,
    force_design: bool = False,
) -> Sweep:
    """Run every cell of a design, or every combination of the factors' levels, in the same worlds.

    Parameters
    ----------
    what
        A design; or what all cells have in common, with `factors`.
    factors
        Levels under dotted keys: a list, or "from:to:levels" such as "0.7:1.3:7"; {} for the scenario alone.
    replicates
        Runs of each cell; replicate k of every cell has the seed `seed + k`, so that cells share their luck.
    jobs
        Worker processes; the numbers do not depend on it.
    out
        A folder in which every run is kept as it ends. The same call again goes on where it was; more levels or
        replicates add to what is there; other code or another scenario is refused unless `force`.
    progress
        Show a bar, where there is a terminal to show it on.
    engine
        Who does the runs, and how long one may take; `jobs` processes by default.
    force_design
        Run a design whose inputs are correlated, too.
    """
    _check_asked(what, factors, jobs, engine)
    grid = levels_of(factors or {}, "factors")
    design = what if isinstance(what, Design) else Design(what, grid, replicates, seed, title)
    check.refuse(check.check_design(design), force_design)
    return run(design, engine or workers(jobs), out, force=force, progress=progress)


def _check_asked(what: object, factors: object, jobs: int, engine: Engine | None) -> None:
    """Refuse in one line what a sweep cannot be made of."""
    if not isinstance(what, Scenario | Design):
        near = f"Scenario(place={one_line(what)!r})" if isinstance(what, str) else "such as Scenario(place='derby')"
        raise InputError(f"sweep: {one_line(repr(what))} must be a Scenario or a Design: {near}")
    if isinstance(what, Design) and factors is not None:
        raise InputError("sweep: a Design says what is varied, leave out the factors")
    if isinstance(what, Scenario) and not isinstance(factors, Mapping):
        given = "nothing to vary" if factors is None else f"factors = {one_line(repr(factors))}"
        raise InputError(f"sweep: {given}; give levels such as {{'council.funding': [0.8, 1.0]}}, or {{}} for one cell")
    if engine is not None:
        check_engine(engine)
    check_jobs(jobs)


def run(
    design: Design,
    engine: Engine,
    out: str | Path | None = None,
    *,
    command: str = "carecommons.sweep",
    force: bool = False,
    progress: bool = False,
    part: str = "",
    again: bool = False,
    draw: Callable[[Sweep], Iterable[tuple[str, bytes]]] = nothing,
) -> Sweep:
    """Run what is missing of a design, and write the tables, and the pictures that `draw` makes, beside the runs.

    `part` is a shard such as `3/8`, which is kept in a folder of its own within `out`; with `again` only runs that have
    failed are run, once more.
    """
    tasks = tasks_in(design)
    mine = shard(tasks, part) if part else tasks
    subjects = tuple(task.subject for task in tasks[: len(design.cells)])
    folder = shard_folder(out, part)
    # What is to be run once more is in the store as it is: nothing may set that aside.
    with writing(folder, identity_of(design), command, force and not again, None if again else part) as store:
        store.add_design({**design.record(), "subjects": list(subjects)})
        if again:
            mine = [task for record in store.designs() for task in tasks_in(Design.from_record(record, str(folder)))]
        carry_out(store, chosen(store, mine, again), engine, progress=progress)
        found = Sweep(design, store, subjects)
        if folder is not None and not part:
            publish(store, {**tables.files(store), **found.more_tables(), **dict(draw(found))}, force=force)
    return found if folder is None else Sweep(design, Store.read(folder), subjects)


def tasks_in(design: Design) -> list[Task]:
    """Every run of a design, world by world."""
    return tasks_of([(scenario,) for scenario in design.scenarios], design.seeds)


def identity_of(design: Design) -> dict[str, Any]:
    """What must agree for two sweeps to share a folder."""
    return identity("sweep", design.scenario.flat(), design.scenarios, tuple(design.factors))


def _names(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What cells are called: their levels in four digits, in full where that is the same, else with their number."""
    short = [", ".join(f"{key}={show.level(value)}" for key, value in cell.items()) for cell in cells]
    full = [", ".join(f"{key}={value}" for key, value in cell.items()) for cell in cells]
    names = [each if count == 1 else more for each, more, count in zip(short, full, _counts(short), strict=True)]
    return [each if count == 1 else f"{each} (cell {number})"
            for number, (each, count) in enumerate(zip(names, _counts(names), strict=True))]  # fmt: skip


def _counts(names: Sequence[str]) -> list[int]:
    found = Counter(names)
    return [found[name] for name in names]


def _written(levels: Mapping[str, Any]) -> dict[str, Any]:
    """Levels as a table holds them: a list as one text."""
    return {key: str(list(value)) if isinstance(value, tuple) else value for key, value in levels.items()}
