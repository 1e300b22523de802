"""Run a scenario at all levels of some parameters, each cell in the same worlds, and say how sure the means are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments import formats, show
from carecommons.experiments.design import MAPS, Design, check_outcomes, digest, levels_of
from carecommons.experiments.estimate import Estimate, estimate, last_year
from carecommons.experiments.folder import Folder
from carecommons.experiments.runner import Task, perform_all
from carecommons.kernels.arrays import F64
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario


@dataclass(frozen=True)
class Sweep:
    """The results of a design: `series_of[cell][replicate]` holds a run's series (months, outcomes).

    A run counts with its mean over the last twelve months. Intervals are Student's t, 95%, over replicates; months and
    replicates in which an outcome is a mean over nobody are left out.
    """

    design: Design
    series_of: tuple[tuple[F64, ...], ...]

    @cached_property
    def values(self) -> Mapping[str, list[list[float]]]:
        """By outcome, what each run counts with (cells, replicates)."""
        ends = [[last_year(series) for series in runs] for runs in self.series_of]
        return {name: [[run[k] for run in runs] for runs in ends] for k, name in enumerate(BY_NAME)}

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row a run: its cell, replicate, seed and levels, and what it counts with in each outcome."""
        rows = [
            {"cell": cell, "replicate": replicate, "seed": seed, **_written(levels)}
            | {name: values[cell][replicate] + 0.0 for name, values in self.values.items()}
            for cell, levels in enumerate(self.design.cells)
            for replicate, seed in enumerate(self.design.seeds)
        ]
        return pd.DataFrame(rows)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row a cell: its levels, and of each outcome the mean, the interval's ends and the number of replicates."""
        return pd.DataFrame([self._summary_row(cell) for cell in range(len(self.design.cells))])

    @cached_property
    def series(self) -> pd.DataFrame:
        """A row a run and month, a column an outcome."""
        blocks = [pd.DataFrame(series, columns=list(BY_NAME)) for runs in self.series_of for series in runs]
        index = [(cell, seed) for cell in range(len(self.series_of)) for seed in self.design.seeds]
        whole = pd.concat(blocks, keys=index, names=["cell", "seed", "month"]).reset_index()
        whole["month"] += 1
        return whole.set_index(["cell", "seed", "month"])

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

    def plot(self, outcome: str = MAPS[0], path: str | Path | None = None) -> Any:
        """A matplotlib figure of one outcome over one or two factors, also written to `path` if given."""
        # Drawing stands a floor above and is looked up only when asked for: a sweep needs no matplotlib.
        return import_module("carecommons.analysis.plots").sweep_picture(self, outcome, path)

    def save(self, folder: Folder) -> None:
        """Add the tables and the scenario to a folder of results."""
        folder.add("runs.csv", formats.csv(self.runs))
        folder.add("summary.csv", formats.csv(self.summary))
        blocks = (((cell, seed), series) for cell, runs in enumerate(self.series_of)
                  for seed, series in zip(self.design.seeds, runs, strict=True))  # fmt: skip
        suffix, content = formats.series_csv(("cell", "seed"), tuple(BY_NAME), blocks)
        folder.add(f"series{suffix}", content)
        folder.add("scenario.toml", self.design.scenario.to_toml(everything=True).encode())

    def describe(self, folder: Folder) -> None:
        """Add the manifest, last."""
        d = self.design
        folder.describe({
            "kind": "sweep", "title": d.title, "scenario": d.scenario.to_toml(everything=True),
            "scenario_digest": d.scenario.digest, "factors": {key: list(levels) for key, levels in d.factors.items()},
            "replicates": d.replicates, "seeds": list(d.seeds), "paired": "replicate k of every cell has the same seed",
        })  # fmt: skip

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
        grid = " x ".join(f"{key} ({len(levels)})" for key, levels in self.design.factors.items())
        return f"Sweep of {self.design.scenario.place}: {grid or 'one cell'}, {self.design.replicates} replicates"

    def _repr_html_(self) -> str:
        return show.html(self)

    def _summary_row(self, cell: int) -> dict[str, Any]:
        row: dict[str, Any] = {"cell": cell, **_written(self.design.cells[cell])}
        for name in BY_NAME:
            found = estimate(self.values[name][cell])
            row |= {
                name: found.mean + 0.0,
                f"{name}_low": found.low + 0.0,
                f"{name}_high": found.high + 0.0,
                f"{name}_n": found.n,
            }
        return row

    def _per(self, outcome: str, per: int | None) -> list[list[float]]:
        check_outcomes([outcome])
        if per is None:
            return self.values[outcome]
        pairs = zip(self.values[outcome], self.values["people"], strict=True)
        return [[per * x / n if n else float("nan") for x, n in zip(*each, strict=True)] for each in pairs]

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
    scenario: Scenario,
    factors: Mapping[str, Iterable[Any] | str],
    *,
    replicates: int = 10,
    jobs: int = 1,
    seed: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = False,
    title: str = "",
) -> Sweep:
    """Run every combination of the factors' levels `replicates` times.

    Parameters
    ----------
    scenario
        What all cells have in common.
    factors
        Levels under dotted keys: a list, or "from:to:levels" such as "0.7:1.3:7".
    replicates
        Runs of each cell; replicate k of every cell has the seed `seed + k`, so that cells share their luck.
    jobs
        Worker processes; the numbers do not depend on it.
    out
        A folder for the tables; one that holds another experiment is refused unless `force`.
    progress
        Show a bar, where there is a terminal to show it on.
    """
    design = Design(scenario, levels_of(factors, "factors"), replicates, seed, title)
    if out is None:
        return run(design, jobs, progress)
    with Folder(out, identity(design), force=force) as folder:
        found = run(design, jobs, progress)
        found.save(folder)
        found.describe(folder)
    return found


def identity(design: Design) -> str:
    """What a folder of results is known by."""
    return digest(["sweep", design.digest])


def run(design: Design, jobs: int = 1, progress: bool = False) -> Sweep:
    """Run a design; runs of one world stand together, and the numbers do not depend on who runs what when."""
    tasks = [Task((cell,), seed) for seed in design.seeds for cell in range(len(design.cells))]
    found: dict[Task, F64] = {}
    with (
        show.bar("runs", len(tasks), shown=progress) as advance,
        closing(perform_all(design.scenarios, tasks, jobs)) as answers,
    ):
        for task, (series,) in answers:
            found[task] = series
            advance()
    cells = range(len(design.cells))
    return Sweep(design, tuple(tuple(found[Task((cell,), seed)] for seed in design.seeds) for cell in cells))


def _written(levels: Mapping[str, Any]) -> dict[str, Any]:
    """Levels as a table holds them: a list as one text."""
    return {key: str(list(value)) if isinstance(value, tuple) else value for key, value in levels.items()}
