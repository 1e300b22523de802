"""A sweep is a table of cells that anybody can compute again from the runs, to the same byte."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import carecommons as cc
from carecommons.errors import InputError
from carecommons.experiments.estimate import estimate
from carecommons.experiments.sweep import Sweep
from carecommons.outcomes.catalogue import BY_NAME
from small import SCENARIO

BASE = SCENARIO.but({"citizens": 200, "months": 14})
FACTORS = {"council.funding": [0.5, 1.0], "assessment.threshold": [2, 9]}


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return cc.sweep(BASE, FACTORS, replicates=3, seed=5)


def test_a_run_counts_with_its_last_year(swept: Sweep) -> None:
    assert len(swept.runs) == 12
    for _, row in swept.runs.iterrows():
        cell = BASE.but({key: row[key] for key in FACTORS} | {"assessment.threshold": int(row["assessment.threshold"])})
        series = cc.CareCommons(cell, rng=int(row["seed"])).run().series.iloc[-12:]
        assert row["isolation"] == pytest.approx(series["isolation"].mean(), rel=1e-12)
        assert row["funded_hours"] == pytest.approx(series["funded_hours"].mean(), rel=1e-12)


def test_replicates_of_all_cells_live_in_the_same_worlds(swept: Sweep) -> None:
    assert swept.runs.groupby("cell")["seed"].apply(list).tolist() == [[5, 6, 7]] * 4


def test_a_cell_of_the_summary_is_the_interval_over_its_runs(swept: Sweep) -> None:
    for cell, row in swept.summary.iterrows():
        runs = swept.runs[swept.runs["cell"] == cell]
        for name in BY_NAME:
            found = estimate(runs[name].tolist())
            told = (row[name], row[f"{name}_low"], row[f"{name}_high"], row[f"{name}_n"])
            np.testing.assert_array_equal(told, found)
        assert {key: row[key] for key in FACTORS} == dict(swept.design.cells[cell])  # type: ignore[call-overload]


def test_the_series_hold_every_run_and_month(swept: Sweep) -> None:
    assert swept.series.shape == (4 * 3 * 14, len(BY_NAME) + 3)
    alone = cc.CareCommons(BASE.but({"council.funding": 1.0, "assessment.threshold": 2}), rng=6).run().series
    pd.testing.assert_frame_equal(swept.series.set_index(["cell", "seed", "month"]).loc[2, 6], alone[list(BY_NAME)])


def test_a_cell_is_found_by_its_levels(swept: Sweep) -> None:
    cell = swept.cell({"council.funding": 1, "assessment.threshold": 2})
    assert cell.loc["isolation", "mean"] == swept.summary.loc[2, "isolation"]
    assert cell.loc["isolation", "unit"] == BY_NAME["isolation"].unit
    for levels, message in (
        ({"council.fundin": 1}, "did you mean 'council.funding'"),
        ({"council.funding": 1}, "is 2 cells, must be one"),
        ({"council.funding": 3, "assessment.threshold": 2}, "is no cells, must be one"),
    ):
        with pytest.raises(InputError, match=message):
            swept.cell(levels)


def test_a_table_lays_the_means_out(swept: Sweep) -> None:
    table = swept.table("funded")
    assert (list(table.index), list(table.columns)) == ([2, 9], [0.5, 1.0])
    assert table.loc[9, 0.5] == swept.summary.loc[1, "funded"]
    one = cc.sweep(BASE.but(months=1), {"council.funding": [1, 2]}, replicates=1)
    assert one.table("funded").shape == (2, 1)


def test_a_change_is_taken_pair_by_pair(swept: Sweep) -> None:
    changes = swept.changes("funded_hours")
    assert changes is not None
    own, other = (swept.runs.loc[swept.runs["cell"] == cell, "funded_hours"].tolist() for cell in (2, 0))
    assert changes[0] == estimate([b - a for a, b in zip(own, other, strict=True)])
    assert changes[2][:3] == (0, 0, 0)
    elsewhere = cc.sweep(BASE.but(months=1), {"council.funding": [2, 3]}, replicates=2)
    assert elsewhere.changes("funded") is None


def test_counts_can_be_taken_for_a_thousand_adults(swept: Sweep) -> None:
    runs = swept.runs[swept.runs["cell"] == 0]
    wanted = estimate((1000 * runs["funded"] / runs["people"]).tolist())
    assert swept.estimates("funded", per=1000)[0].mean == pytest.approx(wanted.mean, rel=1e-12)
    with pytest.raises(InputError, match="did you mean 'funded'"):
        swept.estimates("fundd")


@pytest.mark.parametrize("change", [{"citizens": 0}, {"citizens": 1}, {"months": 0}, {"citizens": 0, "months": 0}])
def test_the_smallest_places_and_times_are_swept_without_a_word(change: dict[str, int], tmp_path: Path) -> None:
    found = cc.sweep(BASE.but({"months": 2, **change}), {"council.funding": [0, 1]}, replicates=2, out=tmp_path / "out")
    assert (len(found.summary), len(found.runs)) == (2, 4)
    empty = 0 in (change.get("citizens"), change.get("months"))
    assert math.isnan(found.summary.loc[0, "isolation"]) == empty  # type: ignore[arg-type]
    assert repr(found) and found._repr_html_() and len(pd.read_csv(tmp_path / "out" / "summary.csv")) == 2


def test_a_design_without_factors_is_one_cell() -> None:
    found = cc.sweep(BASE.but(months=1), {}, replicates=2)
    assert len(found.summary) == 1 and found.cell().loc["people", "n"] == 2


def test_what_cannot_be_run_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for more in ({"replicates": 0}, {"jobs": 0}, {"seed": -1}):
        with pytest.raises(InputError):
            cc.sweep(BASE, FACTORS, out=tmp_path / "out", **more)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_asked_for_before_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr("carecommons.experiments.campaign.perform_all", lambda *_: pytest.fail("it ran"))
    with pytest.raises(InputError, match="holds other files"):
        cc.sweep(BASE, FACTORS, out=tmp_path)


def test_progress_is_not_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    cc.sweep(BASE.but(months=1), {"council.funding": [1]}, replicates=1, progress=True)
    assert capsys.readouterr() == ("", "")
