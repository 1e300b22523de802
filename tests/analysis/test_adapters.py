"""Adapters: what goes to another's tool comes back the same, and the tool takes it."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from carecommons.analysis import adapters
from carecommons.analysis.adapters import from_ema, from_salib, to_ema, to_salib
from carecommons.errors import InputError
from carecommons.experiments.design import Design
from carecommons.experiments.sampling import Sample, axes_of
from carecommons.scenario import Scenario

OVER = {"council.funding": "0.7:1.3", "people.neighbourhood_size": "100:300", "ties.off": True}


def design_of(method: str, size: int, over: Any = OVER) -> Design:
    return Design.sampled(Scenario(), Sample(method, size), axes_of(over), replicates=3)


def answered(design: Design) -> Any:
    own = np.array([float(cell["council.funding"]) for cell in design.cells])
    values = (own[:, None] + np.arange(3)).tolist()
    return SimpleNamespace(design=design, values={"isolation": values, "funded": values})


@pytest.mark.parametrize(("method", "size"), [("lhs", 20), ("saltelli", 16), ("morris", 10)])
def test_a_sample_goes_to_salib_and_comes_back(method: str, size: int) -> None:
    design = design_of(method, size)
    problem, x = to_salib(design)
    assert problem["names"] == list(OVER)
    assert problem["bounds"] == [[0.7, 1.3], [100.0, 300.0], [0.0, 1.0]]
    assert x.shape == (len(design.cells), 3)
    back = from_salib(problem, x)
    assert list(back) == [dict(cell) for cell in design.cells]
    assert [type(level) for level in back[0].values()] == [float, int, bool]


def test_salib_analyses_what_it_is_given() -> None:
    analyze = pytest.importorskip("SALib.analyze.delta")
    design = design_of("lhs", 200)
    problem, x = to_salib(design)
    found = analyze.analyze(problem, x, 3 * x[:, 0], seed=1, num_resamples=10)
    assert found["S1"][0] == max(found["S1"])


def test_a_grid_goes_to_salib_with_the_ends_of_its_levels() -> None:
    design = Design.grid(Scenario(), {"council.funding": [0.8, 1.0, 1.1], "months": [120]})
    problem, x = to_salib(design)
    assert (problem["names"], problem["bounds"]) == (["council.funding"], [[0.8, 1.1]])
    assert x.tolist() == [[0.8], [1.0], [1.1]]


def test_words_do_not_go_to_salib() -> None:
    design = Design.grid(Scenario(), {"assessment.stance": ["deficit", "carer_blind"]})
    with pytest.raises(InputError, match=r"assessment\.stance = deficit is not a number"):
        to_salib(design)


def test_what_comes_from_salib_is_checked() -> None:
    with pytest.raises(InputError, match=r"unknown key 'council\.fundin'; did you mean 'council\.funding'"):
        from_salib({"names": ["council.fundin"], "bounds": [[0, 1]]}, [[0.5]])
    with pytest.raises(InputError, match="not within"):
        from_salib({"names": ["council.funding"], "bounds": [[0, 1]]}, [[1.5]])


def test_without_salib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.analyze.morris", None)
    with pytest.raises(InputError, match=r"needs the extra 'analysis': pip install carecommons\[analysis\]") as error:
        adapters.salib("SALib.analyze.morris")
    assert "\n" not in str(error.value)


def test_a_sweep_goes_to_the_ema_workbench_and_its_experiments_come_back() -> None:
    design = design_of("lhs", 30, {**OVER, "assessment.stance": True})
    experiments, outcomes = to_ema(answered(design), ["isolation", "funded"])
    assert list(experiments.columns) == [*OVER, "assessment.stance", "scenario", "model", "policy"]
    assert isinstance(experiments["assessment.stance"].dtype, pd.CategoricalDtype)
    assert {name: each.shape for name, each in outcomes.items()} == {"isolation": (30,), "funded": (30,)}
    assert list(from_ema(experiments)) == [dict(cell) for cell in design.cells]
    _, every = to_ema(answered(design), ["isolation"], replicates=True)
    assert every["isolation"].shape == (30, 3)
    np.testing.assert_allclose(outcomes["isolation"], every["isolation"].mean(axis=1))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'isolation'"):
        to_ema(answered(design_of("lhs", 10)), ["isolaton"])
    with pytest.raises(InputError, match=r"no parameter 'council\.fundin'; did you mean 'council\.funding'"):
        from_ema(pd.DataFrame({"council.fundin": [1.0]}))


@pytest.mark.filterwarnings("ignore")
def test_the_workbench_finds_a_box_in_what_it_is_given() -> None:
    prim = pytest.importorskip("ema_workbench.analysis.prim")
    scores = pytest.importorskip("ema_workbench.analysis.feature_scoring")
    experiments, outcomes = to_ema(answered(design_of("lhs", 200)), ["isolation"])
    interest = outcomes["isolation"] < np.quantile(outcomes["isolation"], 0.3)
    box = prim.Prim(experiments, interest, threshold=0.8).find_box()
    assert box.peeling_trajectory["density"].iloc[-1] > 0.9
    assert box.box_lims[-1]["council.funding"][1] < 0.95
    found = scores.get_feature_scores_all(experiments.drop(columns=["scenario", "model", "policy"]), outcomes)
    assert found["isolation"].idxmax() == "council.funding"
