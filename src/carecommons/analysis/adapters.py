"""To other people's tools and back: SALib's problems and samples, the EMA workbench's experiments and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from carecommons.analysis.problem import Problem, inputs
from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.experiments.design import Design, check_outcomes
from carecommons.experiments.estimate import estimate
from carecommons.experiments.levels import kind_of
from carecommons.kernels.arrays import F64
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import keys, unknown_key

if TYPE_CHECKING:
    from carecommons.experiments.sweep import Sweep

NEEDED: Final = "needs the extra 'analysis': pip install carecommons[analysis]"


def salib(module: str) -> Any:
    """A module of SALib, looked up only when asked for; one line when it is not there."""
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(f"{module} {NEEDED} ({one_line(error)})") from None


def as_salib(problem: Problem) -> dict[str, Any]:
    """A problem as SALib takes it; a new dictionary each time, since SALib writes into it."""
    return {
        "num_vars": len(problem), "names": list(problem.names), "bounds": [list(each) for each in problem.bounds],
        "dists": ["unif"] * len(problem),
    }  # fmt: skip


def to_salib(design: Design) -> tuple[dict[str, Any], F64]:
    """SALib's problem and sample (cells, k) of a design: `analyze(problem, X, Y)` with Y from the cells in order.

    Bounds are those a sample was drawn from, or the lowest and highest levels; factors with a single level are left
    out. A switch is 0 or 1.

    Raises
    ------
    InputError
        When a factor has levels that are not numbers: SALib has no words for them.
    """
    drawn = {axis["key"]: axis for block in design.method.get("blocks", ()) for axis in block.get("over", ())}
    bounds: dict[str, tuple[float, float]] = {}
    for key, levels in design.factors.items():
        odd = next((level for level in levels if not isinstance(level, Real)), None)
        if odd is not None:
            raise InputError(f"to_salib: {key} = {one_line(odd)} is not a number; leave the factor out of the design")
        axis = drawn.get(key, {})
        low, high = axis.get("low", min(levels)), axis.get("high", max(levels))
        if low < high:
            bounds[key] = (float(low), float(high))
    problem = Problem.of(bounds)
    x = np.array([[float(cell[key]) for key in problem.names] for cell in design.cells])
    return as_salib(problem), inputs(problem, x, "to_salib")


def from_salib(problem: Mapping[str, Any], x: Any) -> tuple[dict[str, Any], ...]:
    """The cells {key: level} of a sample that SALib drew, in its order; whole numbers and switches to the nearest.

    Raises
    ------
    InputError
        When a name is no parameter of a scenario, or a level is out of the bounds.
    """
    names = tuple(problem["names"])
    for name in names:
        if name not in keys():
            raise unknown_key(name, "from_salib")
    known = Problem(names, tuple((float(low), float(high)) for low, high in problem["bounds"]))
    return tuple(
        {name: _level(name, value) for name, value in zip(names, row, strict=True)}
        for row in inputs(known, x, "from_salib").tolist()
    )


def _level(key: str, value: float) -> Any:
    kind = kind_of(key)
    if kind is bool:
        return round(value) >= 1
    return round(value) if kind is int else value


def to_ema(
    sweep: Sweep, outcomes: Iterable[str] | None = None, *, replicates: bool = False
) -> tuple[pd.DataFrame, dict[str, F64]]:
    """Experiments and outcomes as the EMA workbench's analyses take them, a row a cell.

    Parameters
    ----------
    outcomes
        Their names; all of the catalogue by default.
    replicates
        Give every replicate (cells, replicates) rather than their mean (cells,).

    Returns
    -------
    A table with a column a factor, words as categories, and the workbench's own columns `scenario`, `model` and
    `policy`; and a dictionary of arrays by outcome.
    """
    names = tuple(BY_NAME) if outcomes is None else tuple(outcomes)
    check_outcomes(names, "to_ema")
    experiments = frame_of(sweep.design)
    experiments["scenario"] = np.arange(len(experiments))
    experiments["model"] = pd.Categorical(["carecommons"] * len(experiments))
    experiments["policy"] = pd.Categorical(["none"] * len(experiments))
    every = {name: np.array(sweep.values[name], np.float64) for name in names}
    if replicates:
        return experiments, every
    return experiments, {name: np.array([estimate(row).mean for row in each.tolist()]) for name, each in every.items()}


def from_ema(experiments: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """The cells {key: level} of the workbench's experiments: the columns that are parameters of a scenario."""
    own = ("scenario", "model", "policy")
    names = [name for name in experiments.columns if name not in own]
    for name in names:
        if name not in keys():
            raise InputError(f"from_ema: no parameter '{one_line(name)}'{did_you_mean(str(name), keys())}")
    columns = [[_plain(name, level) for level in experiments[name].tolist()] for name in names]
    return tuple(dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _plain(key: str, level: Any) -> Any:
    numeric = isinstance(level, Real) and not isinstance(level, bool)
    return _level(key, float(level)) if numeric else level


def frame_of(design: Design) -> pd.DataFrame:
    """The cells as a table: numbers as numbers, switches and words as categories, lists as their text."""
    frame = pd.DataFrame({key: [_cell(cell[key]) for cell in design.cells] for key in design.cells[0]})
    for key in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[key]) or pd.api.types.is_bool_dtype(frame[key]):
            frame[key] = frame[key].astype("category")
    return frame


def _cell(level: Any) -> Any:
    return str(list(level)) if isinstance(level, tuple) else level
