"""Tables say what the runs say, to the byte, whoever reads them with whatever."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from carecommons.errors import InputError
from carecommons.experiments import formats, tables
from carecommons.experiments.estimate import estimate, last_year
from carecommons.experiments.packing import pack
from carecommons.experiments.provenance import code
from carecommons.experiments.store.database import FORMAT, Store
from carecommons.experiments.task import Done, Task, tasks_of
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

NAMES = list(BY_NAME)
BASE = Scenario(citizens=100, months=14)
KEY, STANCE = "council.funding", "assessment.stance"


def tasks(cells: list[dict[str, Any]], seeds: range) -> list[Task]:
    return tasks_of([(BASE.but(cell),) for cell in cells], seeds)


def series(task: Task) -> np.ndarray[Any, Any]:
    found = np.outer(np.arange(1.0, 15.0), np.arange(len(NAMES))) * (1 + task.cell) + task.seed
    found[:, 3] = np.nan
    found[:, 4] = -0.0
    return found


def record(cells: list[dict[str, Any]], seeds: range, **more: Any) -> dict[str, Any]:
    factors = {key: list(dict.fromkeys(cell[key] for cell in cells)) for key in cells[0]}
    return {
        "kind": "sweep", "factors": factors, "cells": cells, "seed": seeds[0], "replicates": len(seeds),
        "subjects": [task.subject for task in tasks(cells, range(1))], "scenario": BASE.flat(), "last": 12, **more,
    }  # fmt: skip


def store_of(cells: list[dict[str, Any]], seeds: range, path: Path | None = None, fails: tuple[int, ...] = ()) -> Store:
    identity = {"kind": "sweep", "scenario": BASE.flat(), "factors": [KEY], "code": dict(code()), "places": {},
                "format": FORMAT}  # fmt: skip
    store = Store.write(path, identity, command="test")
    store.add_design(record(cells, seeds))
    for number, task in enumerate(tasks(cells, seeds)):
        packed = None if number in fails else pack({"series": series(task)})
        store.add(Done(task, packed, "=cmd|' /C calc'!A0" if packed is None else "", 3), task.subject)
    return store


CELLS = [{KEY: 0.8, STANCE: "deficit"}, {KEY: 1.0, STANCE: "asset_first"}]


def test_a_row_of_runs_is_a_run_with_its_levels_and_its_last_year() -> None:
    with store_of(CELLS, range(5, 8), fails=(2,)) as store:
        found = tables.runs(store)
        assert found[["cell", "replicate", "seed"]].to_numpy().tolist() == [
            [cell, k, 5 + k] for cell in (0, 1) for k in range(3)
        ]
        assert found["status"].tolist() == ["done", "failed", *["done"] * 4]
        by_key = {task.key: task for task in tasks(CELLS, range(5, 8))}
        for row in found.to_dict("records"):
            task = by_key[row["key"]]
            assert {KEY: row[KEY], STANCE: row[STANCE]} == CELLS[task.cell]
            wanted = last_year(series(task), 12) if row["status"] == "done" else [np.nan] * len(NAMES)
            np.testing.assert_array_equal([row[name] for name in NAMES], wanted)


def test_the_summary_is_the_estimate_over_a_cells_runs() -> None:
    with store_of(CELLS, range(5, 8), fails=(2,)) as store:
        runs, summary = tables.runs(store), tables.summary(store)
        for cell, own in runs[runs["status"] == "done"].groupby("cell"):
            row = summary.loc[cell]
            for name in NAMES:
                found = estimate(own[name])
                np.testing.assert_array_equal(
                    [row[name], row[f"{name}_low"], row[f"{name}_high"], row[f"{name}_n"]], list(found)
                )


def test_series_and_parameters_hold_every_run_and_cell() -> None:
    with store_of(CELLS, range(5, 8), fails=(2,)) as store:
        found = tables.series(store)
        assert len(found) == 5 * 14
        first = found[(found["cell"] == 1) & (found["seed"] == 6)]
        assert first["month"].tolist() == list(range(1, 15))
        task = next(each for each in tasks(CELLS, range(5, 8)) if (each.cell, each.seed) == (1, 6))
        np.testing.assert_array_equal(first[NAMES].to_numpy(), series(task))
        assert tables.parameters(store).to_dict("records") == [{"cell": k, **cell} for k, cell in enumerate(CELLS)]
        assert tables.failures(store)[["cell", "seed", "tries"]].to_numpy().tolist() == [[0, 6, 3]]


def test_cells_are_numbered_by_the_newest_design_and_earlier_ones_come_after() -> None:
    with store_of([{KEY: 0.8}, {KEY: 0.9}], range(5, 7)) as store:
        later = [{KEY: 1.0, "months": 14}, {KEY: 0.9, "months": 14}]
        store.add_design(record(later, range(5, 8)))
        for task in tasks(later, range(5, 8)):
            store.add(Done(task, pack({"series": series(task._replace(cell=1))})), task.subject)
        found = tables.parameters(store)
        assert found[KEY].tolist() == [1.0, 0.9, 0.8]
        assert found["months"].tolist() == [14, 14, 14]  # where it was not varied, the scenario's own
        counts = tables.runs(store).groupby("cell")["seed"].apply(list).tolist()
        assert counts == [[5, 6, 7], [5, 6, 7], [5, 6]]


def test_an_equal_replicate_is_an_equal_world_over_all_designs_of_a_folder() -> None:
    with store_of([{KEY: 0.8}, {KEY: 0.9}], range(5, 7)) as store:
        later = [{KEY: 0.9}]
        store.add_design(record(later, range(4, 6)))
        for task in tasks(later, range(4, 6)):
            if task.seed == 4:
                store.add(Done(task, pack({"series": series(task)})), task.subject)
        found = tables.runs(store)
        assert found[["cell", "replicate", "seed"]].to_numpy().tolist() == [
            [0, 0, 4], [0, 1, 5], [0, 2, 6], [1, 1, 5], [1, 2, 6],
        ]  # fmt: skip


def test_without_a_run_there_are_empty_tables_with_all_columns(tmp_path: Path) -> None:
    with store_of([{KEY: 0.8}], range(5, 6), fails=(0,)) as store:
        assert tables.series(store).columns.tolist() == ["cell", "seed", "month", *NAMES]
        assert len(tables.series(store)) == 0
        tables.export(store, tmp_path / "csv")
        assert len(pd.read_csv(tmp_path / "csv" / "series.csv")) == 0
        pytest.importorskip("pyarrow")
        tables.export(store, tmp_path / "parquet", "parquet")
        pytest.importorskip("xarray")
        assert tables.to_xarray(store).sizes["month"] == 0


@pytest.mark.parametrize("months", [14, 1200])
def test_what_is_exported_is_what_the_tables_hold(months: int, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with store_of(CELLS, range(5, 8), fails=(2,)) as store:
        if months > 14:  # large enough to be packed
            store.add_design(record(CELLS, range(5, 8), scenario=BASE.but(months=months).flat(), title="large"))
        written = tables.export(store, tmp_path / "csv")
        also = tables.export(store, tmp_path / "parquet", "parquet")
        names = {path.name.split(".")[0]: path for path in written}
        assert sorted(names) == sorted(["runs", "parameters", "series", "summary", "failures"])
        assert names["series"].suffix == (".csv" if months == 14 else ".gz")
        for name, path in names.items():
            wanted = getattr(tables, name)(store)
            pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "parquet" / f"{name}.parquet"), wanted)
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert content == formats.csv(wanted)
            read = pd.read_csv(io.BytesIO(content))
            numbers = wanted.select_dtypes("number").columns
            pd.testing.assert_frame_equal(read[numbers], wanted[numbers], check_dtype=False, rtol=1e-11)
        assert b"-0," not in names["runs"].read_bytes()
        for path in [*written, *also]:
            before = path.read_bytes()
            tables.export(store, path.parent, "parquet" if path.suffix == ".parquet" else "csv")
            assert path.read_bytes() == before


def test_a_spreadsheet_is_never_handed_a_formula(tmp_path: Path) -> None:
    with store_of(CELLS, range(5, 7), fails=(0, 1, 2, 3)) as store:
        tables.export(store, tmp_path)
        assert "'=cmd|' /C calc'!A0" in (tmp_path / "failures.csv").read_text()
    for start in "=+-@\t\r":
        cell = formats.cell(f"{start}1")
        assert cell.lstrip('"').startswith("'")
        assert formats.csv(pd.DataFrame({"a": [f"{start}1"], "b": [-1.5]})).decode() == f"a,b\n{cell},-1.5\n"


def test_xarray_has_the_same_numbers_with_units_and_levels() -> None:
    pytest.importorskip("xarray")
    with store_of(CELLS, range(5, 8), fails=(2,)) as store:
        found = tables.to_xarray(store)
        assert dict(found.sizes) == {"cell": 2, "seed": 3, "month": 14}
        assert found["isolation"].attrs["units"] == BY_NAME["isolation"].unit
        assert found[STANCE].values.tolist() == ["deficit", "asset_first"]
        for row in tables.series(store).to_dict("records"):
            at = found.sel(cell=row["cell"], seed=row["seed"], month=row["month"])
            assert float(at["isolation"]) == row["isolation"]
        assert found["isolation"].sel(cell=0, seed=6).isnull().all()


def test_a_comparison_has_its_two_arms(tmp_path: Path) -> None:
    a, b = BASE, BASE.but({KEY: 0.8, "need.worsen": (0.1, 0.2, 0.3)})
    pairs = tasks_of([(a, b)], (7, 3))
    flat = {f"{arm}.{key}": value for arm, each in (("a", a), ("b", b)) for key, value in each.flat().items()}
    identity = {"kind": "comparison", "scenario": flat, "factors": [], "code": {}, "places": {}, "format": FORMAT}
    with Store.write(tmp_path / "c", identity, command="test") as store:
        for task in pairs:
            content = {"a.series": series(task), "b.series": series(task) + 1, "split": np.zeros((14, 2), np.int64)}
            store.add(Done(task, pack(content)), task.subject)
        store.add_design({"kind": "comparison", "arms": [a.flat(), b.flat()], "subjects": [pairs[0].subject],
                          "seeds": [7, 3], "last": 12, "factors": {}})  # fmt: skip
        runs = tables.runs(store)
        assert runs[["replicate", "seed", "arm"]].to_numpy().tolist() == [
            [0, 3, "a"], [0, 3, "b"], [1, 7, "a"], [1, 7, "b"],
        ]  # fmt: skip
        assert (runs["isolation"].to_numpy()[1::2] == runs["isolation"].to_numpy()[::2] + 1).all()
        assert tables.parameters(store).to_dict("records") == [
            {"cell": 0, "arm": "a", KEY: a.get(KEY), "need.worsen": str(list(a.get("need.worsen")))},
            {"cell": 0, "arm": "b", KEY: 0.8, "need.worsen": "[0.1, 0.2, 0.3]"},
        ]
        assert tables.summary(store)["arm"].tolist() == ["a", "b"]
        assert len(tables.series(store)) == 2 * 2 * 14
        tables.export(store, tmp_path / "csv")
        pytest.importorskip("xarray")
        assert tables.to_xarray(store).sizes["arm"] == 2


def test_an_unknown_format_is_refused_in_one_line(tmp_path: Path) -> None:
    with store_of(CELLS, range(5, 6)) as store, pytest.raises(InputError, match="format = xlsx must be csv or parquet"):
        tables.export(store, tmp_path, "xlsx")
    assert list(tmp_path.iterdir()) == []
