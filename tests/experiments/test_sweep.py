"""A sweep is a table of cells that anybody can compute again from the runs, to the same byte."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import carecommons as cc
from carecommons.errors import InputError
from carecommons.experiments import performing
from carecommons.experiments import sweep as sweeping
from carecommons.experiments.design import Block, Design
from carecommons.experiments.engines import Engine
from carecommons.experiments.estimate import estimate
from carecommons.experiments.sampling import Sample, axes_of
from carecommons.experiments.store.database import Store
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


# --- what is made of the values ---


def told(design: Design, rows: Sequence[Sequence[float]], outcome: str = "isolation") -> Sweep:
    """The sweep of a design whose runs gave these values (cells, replicates)."""
    subjects = tuple(f"cell {number}" for number in range(len(design.cells)))
    found = Sweep(design, Store.write(None, {"kind": "sweep"}, command="test"), subjects)
    found.__dict__["values"] = {outcome: [list(map(float, row)) for row in rows]}
    return found


@pytest.mark.parametrize(
    "sample", [Sample("lhs", 6), Sample("morris", 2), Sample("saltelli", 2), Sample("saltelli", 2, second_order=True)]
)
def test_the_policies_of_a_zip_are_no_draws_of_the_sample_that_they_cross(sample: Sample) -> None:
    """What only the point of the sample moves is the parameters' variance, whole, and no policy's."""
    if sample.method != "lhs":
        pytest.importorskip("SALib")
    policies = Block.zip({"council.funding": (0.8, 1.2), "assessment.threshold": (1, 2)})
    points = Block.sample(sample, axes_of(["ties.meet", "asking.fear"]))
    design = Design.of(BASE, [policies, points], replicates=2)
    moved = [10.0 * k for k in range(len(points.cells))] * 2
    found = told(design, [[value, value + 1] for value in moved]).components("isolation")
    assert (found.draws, found.scenarios, found.replicates) == (len(points.cells), 2, 2)
    assert found.parts["scenario"].shown == found.parts["interaction"].shown == 0
    assert found.parts["parameter"].estimate == pytest.approx(np.var(moved[: len(points.cells)], ddof=1))


def test_the_variance_of_one_cell_or_one_replicate_is_refused_in_plain_words() -> None:
    for levels, row in (([1.0], [1, 2]), ([1.0, 2.0], [1])):
        design = Design.grid(BASE, {"council.funding": levels}, replicates=len(row))
        with pytest.raises(InputError, match="replicates, must be at least 2 of each"):
            told(design, [row] * len(levels)).components("isolation")


def test_cells_that_agree_in_four_digits_or_altogether_are_all_ranked() -> None:
    cells = ({"ties.meet": 0.100001}, {"ties.meet": 0.100002}, {"ties.meet": 0.5}, {"ties.meet": 0.5})
    design = Design(BASE, cells=cells, replicates=2)
    found = told(design, [[4, 4], [3, 3], [2, 2], [1, 1]]).ranks("isolation")
    assert [row["cell"] for row in found.records()] == [
        "ties.meet=0.5 (cell 3)", "ties.meet=0.5 (cell 2)", "ties.meet=0.100002", "ties.meet=0.100001",
    ]  # fmt: skip


def test_an_outcome_without_a_good_direction_is_ranked_by_the_one_that_is_told() -> None:
    sweep = told(Design.grid(BASE, {"council.funding": [0.5, 1]}, replicates=2), [[1, 2], [3, 4]], "funded")
    with pytest.raises(InputError, match=r"ranks: neither direction of funded is good in itself; .*isolation, .*ties$"):
        sweep.ranks("funded")
    assert (sweep.ranks("funded", "up").order, sweep.ranks("funded", good="down").order) == ((1, 0), (0, 1))
    with pytest.raises(InputError, match="good = sideways must be 'up' or 'down'"):
        sweep.ranks("funded", "sideways")  # type: ignore[arg-type]


def test_what_a_sweep_lacks_or_leaves_out_is_said(tmp_path: Path) -> None:
    base, folder = BASE.but({"citizens": 60, "months": 2}), tmp_path / "out"
    design = Design.grid(base, {"council.funding": [0.5, 1.0]}, replicates=3)
    part = sweeping.run(design, Engine(), folder, part="1/2")
    assert [line.split(",")[0] for line in part.notes] == ["3 of 6 runs are missing"]
    with pytest.raises(InputError, match=r"no value in 3 of 6 runs; 3 of 6 runs are missing, give the same command"):
        part.components("isolation")
    one = sweeping.run(design, Engine(), tmp_path / "one", part="1/6")
    with pytest.raises(InputError, match=r"no world in which every cell has a value; 5 of 6 runs are missing"):
        one.ranks("isolation")
    whole = sweeping.run(design, Engine(), folder)
    assert (whole.lacking, whole.notes) == ((), ())
    less = cc.sweep(base, {"council.funding": [1.0]}, replicates=2, out=folder)
    assert less.notes == ("by the newest design alone: 2 of 3 worlds and 1 of 2 cells kept here",)
    assert less.notes[0] in less._repr_html_()


def test_what_failed_is_said_with_the_way_to_run_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    design = Design.grid(BASE.but({"citizens": 60, "months": 2}), {"council.funding": [0.5, 1.0]}, replicates=2)
    whole = performing._processes

    def fails(scenario: cc.Scenario) -> Any:
        if scenario.get("council.funding") == 0.5:
            raise RuntimeError("it broke")
        return whole(scenario)

    monkeypatch.setattr(performing, "_processes", fails)
    kept, private = sweeping.run(design, Engine(), tmp_path / "out"), sweeping.run(design, Engine())
    assert kept.notes == (f"2 of 4 runs failed, 'carecommons retry {tmp_path / 'out'}' runs them again",)
    assert private.notes == ("2 of 4 runs failed",)


# --- at the door ---


@pytest.mark.parametrize(
    ("asked", "more", "said"),
    [
        (("derby", {}), {}, r"sweep: 'derby' must be a Scenario or a Design: Scenario\(place='derby'\)"),
        ((3, {}), {}, "sweep: 3 must be a Scenario or a Design"),
        ((BASE,), {}, "sweep: nothing to vary; give levels such as"),
        ((BASE, [1]), {}, r"sweep: factors = \[1\]; give levels such as"),
        ((Design(BASE), {"council.funding": [1]}), {}, "sweep: a Design says what is varied"),
        ((BASE, {}), {"engine": "x"}, "engine = x must be an Engine"),
        ((BASE, {}), {"jobs": "a"}, "jobs = a must be a whole number"),
    ],
)  # fmt: skip
def test_what_is_no_sweep_is_refused_in_one_line(asked: tuple[Any, ...], more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        cc.sweep(*asked, **more)
    assert "\n" not in str(caught.value)


def test_a_picture_needs_a_folder_that_is_there(swept: Sweep, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no folder .*nodir, make it first"):
        swept.plot("isolation", tmp_path / "nodir" / "a.png")
    swept.plot("isolation", tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()
