"""Two policies in the same worlds: what differs, how sure that is, and where the difference in funded care went."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rich.console import Group

from carecommons.errors import InputError, one_line
from carecommons.experiments import formats, show
from carecommons.experiments.design import LARGEST_SEED, digest
from carecommons.experiments.estimate import LAST, NAN, Paired, estimate, last_year
from carecommons.experiments.folder import Folder
from carecommons.experiments.runner import Task, perform_all
from carecommons.kernels.arrays import F64, I64
from carecommons.outcomes.attribution import Attribution
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario
from carecommons.units import MINUTES_AN_HOUR

ARMS: Final = ("a", "b")


@dataclass(frozen=True)
class Pair:
    """One world under both policies: series (months, outcomes), and the split of funded minutes (months, parts)."""

    seed: int
    a: F64
    b: F64
    split: I64


@dataclass(frozen=True)
class Comparison:
    """Scenario b less scenario a over paired worlds.

    A run counts with its mean over the last `last` months; intervals are Student's t, 95%, over pairs. The attribution
    sums over all months, and is empty when the arms are different places.
    """

    scenario_a: Scenario
    scenario_b: Scenario
    worlds: tuple[Pair, ...]
    last: int = LAST

    @cached_property
    def paired(self) -> dict[str, Paired]:
        """Every outcome's paired difference."""
        ends = [(last_year(pair.a, self.last), last_year(pair.b, self.last)) for pair in self.worlds]
        return {name: Paired.of([a[k] for a, _ in ends], [b[k] for _, b in ends]) for k, name in enumerate(BY_NAME)}

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row an outcome: means, difference with interval, correlation, variance reduction, share with b above a."""
        rows = [
            {
                "outcome": name, "unit": BY_NAME[name].unit, "a": each.a + 0.0, "b": each.b + 0.0,
                "difference": each.difference.mean + 0.0, "low": each.difference.low + 0.0,
                "high": each.difference.high + 0.0, "correlation": each.correlation,
                "variance_reduction": each.variance_reduction, "b_above_a": each.above, "n": each.difference.n,
            }
            for name, each in self.paired.items()
        ]  # fmt: skip
        return pd.DataFrame(rows).set_index("outcome")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """A row a world and outcome: what each arm counts with, and the difference."""
        rows = []
        for pair in self.worlds:
            ends = zip(BY_NAME, last_year(pair.a, self.last), last_year(pair.b, self.last), strict=True)
            rows += [(pair.seed, name, a + 0.0, b + 0.0, b - a + 0.0) for name, a, b in ends]
        return pd.DataFrame(rows, columns=["seed", "outcome", "a", "b", "difference"])

    @cached_property
    def attribution(self) -> pd.DataFrame:
        """The change in funded care, b less a, and its parts: hours a month with interval, share of the whole."""
        rows = []
        for k, name in enumerate(Attribution._fields if self.same_place else ()):
            hours = [int(pair.split[:, k].sum()) / MINUTES_AN_HOUR / max(len(pair.split), 1) for pair in self.worlds]
            found = estimate(hours)
            rows.append((name, found.mean + 0.0, found.low + 0.0, found.high + 0.0, self._share(k)))
        columns = ["part", "hours_a_month", "low", "high", "share"]
        return pd.DataFrame(rows, columns=columns).set_index("part")

    @property
    def same_place(self) -> bool:
        """Whether both arms have the same people to begin with."""
        return _world(self.scenario_a) == _world(self.scenario_b)

    def plot(self, path: str | Path | None = None) -> Any:
        """A matplotlib figure of the differences, also written to `path` if given."""
        # Drawing stands a floor above and is looked up only when asked for: a comparison needs no matplotlib.
        return import_module("carecommons.analysis.plots").comparison_picture(self, path)

    def save(self, folder: Folder) -> None:
        """Add the tables and both scenarios to a folder of results."""
        folder.add("table.csv", formats.csv(self.table.reset_index()))
        folder.add("pairs.csv", formats.csv(self.pairs))
        folder.add("attribution.csv", formats.csv(self.attribution.reset_index()))
        for arm, scenario in zip(ARMS, (self.scenario_a, self.scenario_b), strict=True):
            folder.add(f"scenario_{arm}.toml", scenario.to_toml(everything=True).encode())

    def describe(self, folder: Folder) -> None:
        """Add the manifest, last."""
        folder.describe({
            "kind": "comparison",
            "scenario_a": self.scenario_a.to_toml(everything=True), "scenario_a_digest": self.scenario_a.digest,
            "scenario_b": self.scenario_b.to_toml(everything=True), "scenario_b_digest": self.scenario_b.digest,
            "seeds": [pair.seed for pair in self.worlds], "last": self.last,
            "paired": "both arms of a pair have the same seed",
        })  # fmt: skip

    def records(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {
            "changes": self.changed(),
            "table": self.table.reset_index().to_dict("records"),
            "attribution": self.attribution.reset_index().to_dict("records"),
        }

    def changed(self) -> dict[str, dict[str, Any]]:
        """The parameters in which the arms differ, with both values."""
        a, b = self.scenario_a.flat(), self.scenario_b.flat()
        return {key: {"a": a[key], "b": b[key]} for key in a if a[key] != b[key] and key != "name"}

    def __rich__(self) -> Group:
        return show.comparison_tables(self)

    def __repr__(self) -> str:
        return f"Comparison of {self.scenario_a.place} and {self.scenario_b.place} in {len(self.worlds)} pairs"

    def _repr_html_(self) -> str:
        return show.html(self)

    def _share(self, part: int) -> float:
        whole = sum(int(pair.split[:, 0].sum()) for pair in self.worlds)
        return sum(int(pair.split[:, part].sum()) for pair in self.worlds) / whole if whole else NAN


def compare(
    scenario_a: Scenario,
    scenario_b: Scenario,
    seeds: Iterable[int] = range(30),
    *,
    jobs: int = 1,
    last: int = LAST,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = False,
) -> Comparison:
    """Run both scenarios in the same worlds, month by month in step.

    Parameters
    ----------
    scenario_a, scenario_b
        What is compared; both must have the same citizens and months.
    seeds
        The worlds, one a pair.
    jobs
        Worker processes; the numbers do not depend on it.
    last
        Months at the end over which a run counts.
    out
        A folder for the tables; one that holds another experiment is refused unless `force`.
    progress
        Show a bar, where there is a terminal to show it on.
    """
    worlds = check(scenario_a, scenario_b, seeds, last)
    if out is None:
        return run(scenario_a, scenario_b, worlds, jobs, last, progress)
    with Folder(out, identity(scenario_a, scenario_b, worlds, last), force=force) as folder:
        found = run(scenario_a, scenario_b, worlds, jobs, last, progress)
        found.save(folder)
        found.describe(folder)
    return found


def check(a: Scenario, b: Scenario, seeds: Iterable[int], last: int = LAST) -> tuple[int, ...]:
    """The worlds, when the two can be compared in them."""
    for key in ("citizens", "months"):
        if a.get(key) != b.get(key):
            raise InputError(f"compare: {key} = {a.get(key)} and {b.get(key)}, must be equal in both scenarios")
    if isinstance(last, bool) or not isinstance(last, int) or last < 1:
        raise InputError(f"compare: last = {one_line(last)} must be a whole number of at least 1")
    worlds = tuple(seed.item() if hasattr(seed, "item") else seed for seed in seeds)
    for seed in worlds:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
            raise InputError(f"compare: seed {one_line(seed)} must be a whole number from 0 to 2**63 - 1")
    if not worlds or len(set(worlds)) < len(worlds):
        raise InputError("compare: seeds must be given, and each only once")
    for scenario in (a, b):
        scenario.profile()
    return worlds


def identity(a: Scenario, b: Scenario, worlds: Iterable[int], last: int = LAST) -> str:
    """What a folder of results is known by."""
    places = [each.profile().model_dump_json() for each in (a, b)]
    return digest(["comparison", a.digest, b.digest, list(worlds), last, places])


def run(
    a: Scenario, b: Scenario, worlds: Iterable[int], jobs: int = 1, last: int = LAST, progress: bool = False
) -> Comparison:
    """Run both scenarios in all worlds."""
    tasks = [Task((0, 1), seed) for seed in worlds]
    found: dict[int, Pair] = {}
    with (
        show.bar("pairs", len(tasks), shown=progress) as advance,
        closing(perform_all((a, b), tasks, jobs)) as answers,
    ):
        for task, answer in answers:
            found[task.seed] = Pair(task.seed, *answer)
            advance()
    return Comparison(a, b, tuple(found[task.seed] for task in tasks), last)


def _world(scenario: Scenario) -> tuple[Any, ...]:
    return scenario.profile(), scenario.citizens
