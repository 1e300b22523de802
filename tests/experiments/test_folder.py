"""A folder of results is whole or not there, and nobody else's work is overwritten."""

from __future__ import annotations

import gzip
import io
import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments.folder import MANIFEST, Folder
from carecommons.experiments.formats import SMALL, csv, series_csv, to_json
from carecommons.experiments.provenance import versions
from carecommons.experiments.store.errors import OccupiedError
from carecommons.experiments.store.lock import Lock
from carecommons.experiments.store.publish import publish


def write(path: Path, experiment: str = "e1", force: bool = False, **files: bytes) -> None:
    with Folder(path, experiment, force=force) as folder:
        for name, content in files.items():
            folder.add(name, content)
        folder.describe({"kind": "test"})


def held(path: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in path.iterdir() if entry.name != MANIFEST}


def test_a_folder_appears_whole_with_a_manifest_that_fits_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out"
    write(path, a=b"1", b=b"2")
    assert held(path) == {"a": b"1", "b": b"2"}
    manifest = json.loads((path / MANIFEST).read_text())
    assert manifest["files"] == {name: sha256(content).hexdigest() for name, content in held(path).items()}
    assert (manifest["experiment"], manifest["kind"]) == ("e1", "test")
    assert manifest["versions"] == versions() and {"carecommons", "python", "numpy"} <= set(versions())
    assert manifest["time"]["seconds"] >= 0
    assert [entry.name for entry in path.parent.iterdir()] == ["out"]  # no draft is left


def test_nothing_is_left_of_a_folder_that_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Folder(tmp_path / "out", "e1") as folder:
        folder.add("a", b"1")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_old_results_stay_when_the_new_ones_fail(tmp_path: Path) -> None:
    write(tmp_path / "out", a=b"1")
    with pytest.raises(ZeroDivisionError), Folder(tmp_path / "out", "e1") as folder:
        folder.add("a", b"2")
        raise ZeroDivisionError
    assert held(tmp_path / "out") == {"a": b"1"}


def test_the_same_experiment_replaces_its_results_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(path, a=b"1", old=b"x")
    (path / "notes.txt").write_bytes(b"mine")
    write(path, a=b"2", new=b"y")
    assert held(path) == {"a": b"2", "new": b"y", "notes.txt": b"mine"}


@pytest.mark.parametrize(("content", "message"), [(MANIFEST, "other files"), ("notes.txt", "other files")])
def test_a_folder_of_something_else_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "out"
    path.mkdir()
    (path / content).write_text("not ours")
    with pytest.raises(OccupiedError, match=f"holds {message}.*--force") as caught:
        Folder(path, "e1")
    assert caught.value.exit_code == 4
    assert (path / content).read_text() == "not ours"


def test_another_experiment_is_refused_and_gives_way_to_force(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(path, "e1", a=b"1", only=b"x")
    with pytest.raises(OccupiedError, match="the results of another experiment"):
        Folder(path, "e2")
    write(path, "e2", force=True, a=b"2")
    assert held(path) == {"a": b"2"}


def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", a=b"1")
    assert held(tmp_path / "out") == {"a": b"1"}


@pytest.mark.parametrize(("name", "said", "code"), [
    ("file", "file: is a file", 2), ("file/below", "file: is a file", 2), ("file/far/below", "file: is a file", 2),
    ("nul\0l", "cannot be written", 3), ("long" * 99, "too long", 3),
])  # fmt: skip
def test_a_folder_that_cannot_be_is_refused_in_one_line(name: str, said: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CareCommonsError, match=said) as caught, Folder(tmp_path / name, "e1"):
        pass
    assert "\n" not in str(caught.value) and caught.value.exit_code == code


def test_a_folder_without_a_name_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        Folder("", "e1")


@pytest.mark.parametrize("whose", ["experiment", "store", "lock", "database"])
def test_a_folder_of_a_sweep_is_refused_even_when_forced_and_keeps_all_it_has(whose: str, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.mkdir()
    lock = None
    if whose == "lock":  # a sweep that has just begun
        lock = Lock(path, "carecommons sweep")
    elif whose == "database":
        (path / "results.sqlite").write_bytes(b"all that was run")
    else:
        publish(path, {"summary.csv": b"1"})
        if whose == "experiment":  # also where its manifest looks like one of ours
            manifest = json.loads((path / MANIFEST).read_text())
            (path / MANIFEST).write_text(json.dumps(manifest | {"experiment": "e1"}))
    before = {each: each.read_bytes() for each in path.iterdir()}
    with pytest.raises(OccupiedError, match=r"holds a sweep or a comparison.*choose another folder") as caught:
        Folder(path, "e1", force=True)
    assert caught.value.exit_code == 4 and "\n" not in str(caught.value)
    if lock:
        lock.release()
    assert whose == "lock" or {each: each.read_bytes() for each in path.iterdir()} == before


def test_a_sweep_that_came_meanwhile_keeps_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with pytest.raises(OccupiedError, match="holds a sweep"), Folder(path, "e1", force=True) as folder:
        folder.add("summary.csv", b"ours")
        publish(path, {"summary.csv": b"theirs"})
    assert held(path) == {"summary.csv": b"theirs"} and [each.name for each in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("manifest", [
    {"files": {"thesis.txt": sha256(b"mine").hexdigest()}},  # of somebody else's making
    {"experiment": "e2", "files": {"thesis.txt": sha256(b"ours").hexdigest()}},  # changed since we wrote it
    {"experiment": "e2", "files": ["thesis.txt"]}, {"experiment": "e2", "files": {"thesis.txt": 0}}, ["thesis.txt"],
])  # fmt: skip
def test_what_is_not_provably_ours_stays_even_when_forced(manifest: object, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.mkdir()
    (path / "thesis.txt").write_bytes(b"mine")
    (path / MANIFEST).write_text(json.dumps(manifest))
    write(path, force=True, a=b"1")
    assert held(path) == {"a": b"1", "thesis.txt": b"mine"}


def test_a_manifest_cannot_make_us_delete_what_lies_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write(path, a=b"1")
    (tmp_path / "precious").write_text("x")
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["files"]["../precious"] = "0"
    (path / MANIFEST).write_text(json.dumps(manifest))
    write(path, a=b"2")
    assert (tmp_path / "precious").exists()


def test_tables_read_back_as_they_were_and_repeat_to_the_byte() -> None:
    table = pd.DataFrame({"n": [1, 2], "x": [0.1, np.nan], "y": [1e-17, 123456789.125], "word": ["a,b", 'say "x"']})
    content = csv(table)
    assert content == csv(table.copy())
    back = pd.read_csv(io.BytesIO(content))
    pd.testing.assert_frame_equal(back, table, rtol=1e-11)
    assert b"\r" not in content and content.startswith(b"n,x,y,word\n1,0.1,1e-17,")


def test_series_are_a_row_a_run_and_month() -> None:
    blocks = [((0, 1), np.array([[1.5, np.nan], [-0.0, 2.0]])), ((1, 1), np.array([[3.0, 4.0]]))]
    suffix, content = series_csv(("cell", "seed"), ("x", "y"), blocks)
    assert suffix == ".csv"
    assert content == b"cell,seed,month,x,y\n0,1,1,1.5,\n0,1,2,0,2\n1,1,1,3,4\n"


def test_long_series_are_packed_without_a_date() -> None:
    blocks = [((0, seed), np.full((1000, 20), seed / 7)) for seed in range(10)]
    suffix, content = series_csv(("cell", "seed"), tuple("abcdefghijklmnopqrst"), blocks)
    assert suffix == ".csv.gz" and len(content) < SMALL < len(gzip.decompress(content))
    assert content == series_csv(("cell", "seed"), tuple("abcdefghijklmnopqrst"), blocks)[1]
    assert content[4:8] == b"\0\0\0\0"


def test_json_holds_nothing_that_json_does_not_know() -> None:
    text = to_json({"a": [float("nan"), float("inf"), np.float64(1.5), np.int64(2), range(2)], 1: (True, None)})
    assert json.loads(text) == {"a": [None, None, 1.5, 2, [0, 1]], "1": [True, None]}
    assert "NaN" not in text


def test_a_note_that_came_meanwhile_costs_no_run_and_results_that_did_are_not_written_over(tmp_path: Path) -> None:
    with Folder(tmp_path / "a", "mine") as folder:
        folder.add("series.csv", b"1")
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "notes.txt").write_text("of somebody")
    assert {each.name for each in (tmp_path / "a").iterdir()} == {"notes.txt", "series.csv"}
    with pytest.raises(OccupiedError, match="another experiment"), Folder(tmp_path / "b", "mine") as folder:
        folder.add("series.csv", b"1")
        with Folder(tmp_path / "b", "other") as other:
            other.add("series.csv", b"2")
            other.describe({})
    assert (tmp_path / "b" / "series.csv").read_bytes() == b"2"
