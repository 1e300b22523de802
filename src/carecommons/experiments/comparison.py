"""What two policies in the same worlds differ by, how sure that is, and where the difference in funded care went."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments import formats, show
from carecommons.experiments.estimate import LAST, NAN, Paired, estimate, gaps, last_year
from carecommons.experiments.kept import Kept
from carecommons.experiments.ranking import beats
from carecommons.experiments.sequential import MOST, Precision, Replication, Rule, Verdict
from carecommons.experiments.store.database import Store
from carecommons.experiments.task import key_of
from carecommons.guests.rich import Group
from carecommons.kernels.arrays import F64, I64
from carecommons.outcomes.attribution import Attribution
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario
from carecommons.units import MINUTES_AN_HOUR

SHARE: Final = 0.1  # of the effect: the precision for which the table says how many pairs are still needed


def changed(a: Scenario, b: Scenario) -> dict[str, dict[str, Any]]:
    """The parameters in which two scenarios differ, with both values; a name is none."""
    left, right = a.flat(), b.flat()
    return {key: {"a": left[key], "b": right[key]} for key in left if left[key] != right[key] and key != "name"}


@dataclass(frozen=True)
class Pair:
    """One world under both policies.

    Series (months, outcomes); the split of funded minutes (months, parts); money in pence from account to account
    (years, accounts, accounts); and what fell on each fifth of neighbourhoods (years, 5, measures).
    """

    seed: int
    a: F64
    b: F64
    split: I64
    flows_a: I64
    flows_b: I64
    quintiles_a: F64
    quintiles_b: F64


@dataclass(frozen=True)
class Stop:
    """When there are enough worlds: as soon as an outcome's difference is known so precisely, or at most so many."""

    outcome: str
    precision: Precision
    most: int = MOST

    def __post_init__(self) -> None:
        name = str(self.outcome)
        if name not in BY_NAME:
            raise InputError(f"compare: no outcome '{one_line(name)}'{did_you_mean(name, BY_NAME)}")
        Rule(self.precision, most=self.most)


@dataclass(frozen=True, eq=False)
class Comparison(Kept):
    """Scenario b less scenario a over paired worlds, read from the store that holds them.

    A run counts with its mean over the last `last` months; intervals are Student's t, 95%, over pairs. The attribution
    sums over all months, and is empty when the arms are different places. A pair that failed is left out. `verdict`
    says how the replication rule ended, where one was asked for.
    """

    scenario_a: Scenario
    scenario_b: Scenario
    seeds: tuple[int, ...]
    store: Store
    subject: str
    last: int = LAST
    stop: Stop | None = None
    verdict: Verdict | None = None

    @classmethod
    def of(cls, store: Store) -> Self:
        """The comparison that a store holds, by its newest design."""
        record = store.designs()[-1]
        a, b = (Scenario.of(values, str(store.folder)) for values in record["arms"])
        found = cls(a, b, tuple(record["seeds"]), store, record["subjects"][0], record["last"])
        stop = record.get("stop")
        if stop is None:
            return found
        wanted = Stop(stop["outcome"], Precision(stop["half_width"], stop["relative"]), stop["most"])
        return replace(found, stop=wanted, verdict=found.judged(wanted).verdict)

    @property
    def keys(self) -> tuple[str, ...]:
        """The pairs, world by world."""
        return tuple(key_of(self.subject, seed) for seed in self.seeds)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of these numbers, in words: what they lack, and what the folder holds that they leave out."""
        done = [run.key for run in self.store.runs() if run.status == "done"]
        mine = len({*self.keys} & {*done})
        beyond = f"by the newest command alone: {mine:,} of {len(done):,} pairs kept here"
        return (*self.lacking, *([beyond] if mine < len(done) else []))

    def answers(self) -> list[dict[str, Any]]:
        """By pair, every array that is kept of it, by name, as appraisals take them."""
        known = self.store.status()
        return [self.store.answer(key) for key in self.keys if known.get(key) == "done"]

    def pairs_kept(self) -> Iterator[Pair]:
        """The pairs one after the other, without holding them all."""
        known = self.store.status()
        for seed in self.seeds:
            key = key_of(self.subject, seed)
            if known.get(key) == "done":
                held = self.store.answer(key)
                yield Pair(
                    seed, held["a.series"], held["b.series"], held["split"], held["a.flows"], held["b.flows"],
                    held["a.quintiles"], held["b.quintiles"],
                )  # fmt: skip

    @cached_property
    def worlds(self) -> tuple[Pair, ...]:
        """All pairs."""
        return tuple(self.pairs_kept())

    @cached_property
    def ends(self) -> list[tuple[int, list[float], list[float]]]:
        """By pair, its world and what each arm counts with in every outcome."""
        return [(p.seed, last_year(p.a, self.last), last_year(p.b, self.last)) for p in self.pairs_kept()]

    @cached_property
    def paired(self) -> dict[str, Paired]:
        """Every outcome's paired difference."""
        return {name: Paired.of(*self._arms(k)) for k, name in enumerate(BY_NAME)}

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row an outcome.

        Means of both arms; their difference with its interval; the correlation of the arms and by how much it cut the
        variance; the share of worlds in which b is above a; the probability that b is better, with its interval (NaN
        where no direction is good); and how many more pairs would bring the half-width down to a tenth of the effect.
        """
        rows = []
        for k, (name, each) in enumerate(self.paired.items()):
            chance = beats(*self._arms(k), BY_NAME[name].good)
            needed = each.still_needed(SHARE, relative=True)
            rows.append({
                "outcome": name, "unit": BY_NAME[name].unit, "a": each.a + 0.0, "b": each.b + 0.0,
                "difference": each.difference.mean + 0.0, "low": each.difference.low + 0.0,
                "high": each.difference.high + 0.0, "correlation": each.correlation,
                "variance_reduction": each.variance_reduction, "b_above_a": each.above, "b_better": chance.share,
                "b_better_low": chance.low, "b_better_high": chance.high,
                "pairs_for_10_percent": NAN if needed is None else needed, "n": each.difference.n,
            })  # fmt: skip
        return pd.DataFrame(rows).set_index("outcome")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """A row a world and outcome: what each arm counts with, and the difference."""
        rows = []
        for seed, ends_a, ends_b in self.ends:
            ends = zip(BY_NAME, ends_a, ends_b, strict=True)
            rows += [(seed, name, a + 0.0, b + 0.0, b - a + 0.0) for name, a, b in ends]
        return pd.DataFrame(rows, columns=["seed", "outcome", "a", "b", "difference"])

    @cached_property
    def attribution(self) -> pd.DataFrame:
        """The change in funded care, b less a, and its parts: hours a month with interval, share of the whole."""
        rows = []
        for k, name in enumerate(Attribution._fields if self.same_place else ()):
            hours = [int(split[k]) / MINUTES_AN_HOUR / max(months, 1) for split, months in self._splits]
            found = estimate(hours)
            rows.append((name, found.mean + 0.0, found.low + 0.0, found.high + 0.0, self._share(k)))
        columns = ["part", "hours_a_month", "low", "high", "share"]
        return pd.DataFrame(rows, columns=columns).set_index("part")

    @property
    def same_place(self) -> bool:
        """Whether both arms have the same people to begin with."""
        places = [json.loads(places) for subject, _, places in self.store.rows("point") if subject == self.subject]
        return self.scenario_a.citizens == self.scenario_b.citizens and len({*places[0].values()}) == 1

    def judged(self, stop: Stop) -> Replication:
        """How the replication rule stands after these pairs, taken in the order of their worlds."""
        rule = Replication(Rule(stop.precision, most=stop.most))
        place = list(BY_NAME).index(stop.outcome)
        known = dict(zip((seed for seed, _, _ in self.ends), gaps(*self._arms(place)), strict=True))
        for seed in self.seeds:
            if not rule.feed(known.get(seed, NAN)):
                break
        return rule

    def plot(self, path: str | Path | None = None) -> Any:
        """A matplotlib figure of the differences, also written to `path` if given."""
        # Drawing stands a floor above and is looked up only when asked for: a comparison needs no matplotlib.
        return import_module("carecommons.analysis.plots").comparison_picture(self, path)

    def more_tables(self) -> dict[str, bytes]:
        """The files that only a comparison has: its tables, and both scenarios with every value."""
        return {
            "table.csv": formats.csv(self.table.reset_index()), "pairs.csv": formats.csv(self.pairs),
            "attribution.csv": formats.csv(self.attribution.reset_index()),
            "scenario_a.toml": self.scenario_a.to_toml(everything=True).encode(),
            "scenario_b.toml": self.scenario_b.to_toml(everything=True).encode(),
        }  # fmt: skip

    def records(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        verdict = self.verdict
        return {
            "changes": self.changed(),
            "table": self.table.reset_index().to_dict("records"),
            "attribution": self.attribution.reset_index().to_dict("records"),
            "verdict": None if verdict is None else asdict(verdict) | {"estimate": verdict.estimate._asdict()},
        }

    def changed(self) -> dict[str, dict[str, Any]]:
        """The parameters in which the arms differ, with both values."""
        return changed(self.scenario_a, self.scenario_b)

    def __rich__(self) -> Group:
        return show.comparison_tables(self)

    def __repr__(self) -> str:
        return f"Comparison of {self.scenario_a.place} and {self.scenario_b.place} in {len(self.ends)} pairs"

    def _repr_html_(self) -> str:
        return show.html(self)

    def _arms(self, outcome: int) -> tuple[list[float], list[float]]:
        return [a[outcome] for _, a, _ in self.ends], [b[outcome] for _, _, b in self.ends]

    @cached_property
    def _splits(self) -> list[tuple[I64, int]]:
        """By pair, the parts of the split summed over months, and the months."""
        return [(pair.split.sum(axis=0), len(pair.split)) for pair in self.pairs_kept()]

    def _share(self, part: int) -> float:
        whole = sum(int(split[0]) for split, _ in self._splits)
        return sum(int(split[part]) for split, _ in self._splits) / whole if whole else NAN
