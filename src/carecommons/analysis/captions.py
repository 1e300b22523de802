"""What pictures say in words, and the numbers behind them: titles, source lines, verdicts, spans of colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from carecommons.experiments.comparison import Comparison
from carecommons.experiments.estimate import Estimate, variance
from carecommons.experiments.show import axis_of, level_of, over, per_of, title_of
from carecommons.experiments.sweep import Sweep
from carecommons.kernels.arrays import F64
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

VERDICTS: Final = (  # apart for colour-blind eyes as well (Okabe and Ito), and by shape
    ("surely better in b", "#0072b2", "^"),
    ("surely worse in b", "#d55e00", "v"),
    ("neither, or not to be told", "#7a8794", "o"),
)


def place_of(scenario: Scenario) -> str:
    """The place's own name."""
    return scenario.profile().name


def head_of(outcome: str) -> str:
    """An outcome in a word or two."""
    return title_of(outcome).split(":")[0]


def definition_of(outcome: str) -> str:
    """The outcome's definition, less what the headline says already."""
    words = BY_NAME[outcome].definition
    return words.split(": ", 1)[-1] if words.startswith("demand, ") else words


def own_name(sweep: Sweep) -> str:
    """How the scenario's own cell is called: today's rule, where nothing but size and place was set."""
    changed = set(sweep.design.scenario.changes()) - {"name", "place", "citizens", "months"}
    return "the scenario as it stands" if changed else "today's rule"


def arms_of(comparison: Comparison) -> str:
    """The comparison in words: what differs where it is one thing, else the scenarios' names."""
    changed = comparison.changed()
    where = place_of(comparison.scenario_a)
    if len(changed) == 1:
        ((key, values),) = changed.items()
        a, b = (level_of(key, values[arm]) for arm in ("a", "b"))
        what = axis_of(key)
        return f"{where}: {what[:1].lower()}{what[1:]}, {b} (b) against {a} (a)"
    return f"{where}: {comparison.scenario_b.name or 'b'} against {comparison.scenario_a.name or 'a'}"


def source_of(scenario: Scenario, runs: str, counted: str = "", other: Scenario | None = None) -> str:
    """The source line that every picture carries: `runs` in words, and what a run counts with."""
    size = (place_of(scenario), f"{scenario.citizens:,} citizens", runs, f"{scenario.months} months")
    hashes = scenario.digest if other is None else f"{scenario.digest} and {other.digest}"
    return "carecommons: " + ", ".join(part for part in (*size, counted, f"scenario {hashes}") if part)


def counted_of(count: int, what: str, months: Sequence[int], last: int) -> tuple[str, str]:
    """How many replicates or pairs there are, and what a run of so many months counts with, and how sure that is."""
    sure = ", 95% t intervals, paired luck" if count > 1 else ""
    return f"{count} {what}{'s' if count != 1 else ''}", f"{over(months, last)}{sure}"


def minus(text: str) -> str:
    """The sign as printers set it."""
    return text.replace("-", "\N{MINUS SIGN}")


def verdict(name: str, found: Estimate) -> tuple[str, str]:
    """Colour and shape: surely better, surely worse, or neither."""
    good = BY_NAME[name].good
    if good == "neither" or math.isnan(found.low) or found.low <= 0 <= found.high:
        return VERDICTS[2][1:]
    return VERDICTS[0 if (found.mean > 0) == (good == "up") else 1][1:]


def spread_of(comparison: Comparison, name: str) -> float:
    """How much worlds differ: the standard deviation over worlds, both arms taken together."""
    arms = comparison.pairs[comparison.pairs["outcome"] == name]
    variances = [variance([x for x in arms[arm].tolist() if not math.isnan(x)]) for arm in ("a", "b")]
    return math.sqrt(sum(variances) / 2) if not any(map(math.isnan, variances)) else 0.0


def reach_of(found: Estimate) -> float:
    """The furthest that a difference's interval gets from nought."""
    return max(abs(end) for end in (found.low, found.mean, found.high) if not math.isnan(end))


def span_of(means: F64, width: float, signed: bool) -> tuple[float, float]:
    """From where to where the colours go: over all means, and at least over their half-widths."""
    if not len(means):
        return 0.0, 1.0
    low, high = float(means.min()), float(means.max())
    if signed:
        reach = max(abs(low), abs(high), width) or 1.0
        return -reach, reach
    least = 2 * width or 1.0
    middle = (low + high) / 2
    return (low, high) if high - low >= least else (middle - least / 2, middle + least / 2)


def grid_of(sweep: Sweep, found: Sequence[Estimate], across: str, down: str) -> list[list[Estimate]]:
    """What was found as rows of a map: the levels of `down` by those of `across`."""
    factors = sweep.design.factors
    cells = {(cell[across], cell[down]): each for cell, each in zip(sweep.design.cells, found, strict=True)}
    return [[cells[column, row] for column in factors[across]] for row in factors[down]]


def rate_of(series: pd.DataFrame, outcome: str) -> F64:
    """An outcome's course (months,), a count for so many adults."""
    values, people, per = series[outcome].to_numpy(float), series["people"].to_numpy(float), per_of(outcome)
    return np.divide(per * values, people, out=np.full(len(values), np.nan), where=people > 0) if per else values
