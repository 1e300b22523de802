"""The England default beside the published figures: simulated, published, band, pass or miss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files

import numpy as np
import pandas as pd

from carecommons.evidence.measures import MEASURES, NOT_EXPRESSED
from carecommons.evidence.year import Year
from carecommons.model import CareCommons
from carecommons.scenario import Scenario

DEFAULT = Scenario(place="england", citizens=20_000, months=60)
TOLERANCE = 0.20
CORE = ("need", "help", "requests", "assessment", "contact", "carers")


def targets() -> pd.DataFrame:
    """The published figures (a row a figure), with the band in which a simulated one passes.

    The band is the published range where there is one, and at least 20 % either side of the value: one rule for all.
    """
    path = files("carecommons.evidence") / "data" / "targets.csv"
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file, comment="#").set_index("key")
    table["band_low"] = np.fmin(table["low"], table["value"] * (1 - TOLERANCE))
    table["band_high"] = np.fmax(table["high"], table["value"] * (1 + TOLERANCE))
    return table


def validate(
    scenario: Scenario | None = None,
    *,
    seeds: Sequence[int] = (1, 2),
    progress: Callable[[], None] | None = None,
) -> pd.DataFrame:
    """Run the scenario and set its last twelve months beside the published figures (a row a figure).

    `progress` is called once a simulated month. Figures that the model cannot express have no simulated value but a
    `why` instead.
    """
    scenario = scenario or DEFAULT
    table = targets()
    found = pd.DataFrame([measure(scenario, seed, progress) for seed in seeds])
    table["simulated"] = found.mean().reindex(table.index)
    table["passes"] = table["simulated"].between(table["band_low"], table["band_high"])
    table["why"] = table.index.map(lambda key: NOT_EXPRESSED.get(key, ""))
    return table


def measure(scenario: Scenario, seed: int, progress: Callable[[], None] | None = None) -> dict[str, float]:
    """Every measure over the last twelve months of one run."""
    model = CareCommons(scenario, rng=seed)
    year = Year(model.place)
    for _ in range(scenario.months):
        model.step()
        if model.place.month > scenario.months - 12:
            year.add()
        if progress is not None:
            progress()
    return {key: take(year) for key, take in MEASURES.items()}


def verdict(table: pd.DataFrame) -> pd.DataFrame:
    """Passed and expressed figures by theme."""
    told = table[table["simulated"].notna()]
    out = told.groupby("theme").agg(passed=("passes", "sum"), expressed=("passes", "count"))
    core = told[told["theme"].isin(CORE)]
    out.loc["core"] = [core["passes"].sum(), len(core)]
    return out
